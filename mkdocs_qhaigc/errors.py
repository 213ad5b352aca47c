"""The errors of this package.

    QhaigcError
    ├── OptionError             an option in the site's configuration is invalid
    ├── DirectiveError          a directive in front matter is invalid
    ├── StoreError              a folder of stored images cannot be read or written
    │   ├── ImageDamaged        a stored image is gone, or its bytes have changed
    │   └── ImageUnavailable    an image is paid for, and not on this machine
    │       └── LfsPointer      a pointer of Git LFS is in its place
    ├── CacheError              the cache of renditions fails during a build
    ├── ImageError              bytes that are no image of a supported kind
    ├── SelectionError          an argument of a command selects nothing on this site
    ├── EditError               a page's front matter cannot be edited
    ├── SiteError               a command cannot read the site
    ├── NoFileError             a page was given an address, and no file can be put there
    ├── MissingImages           images are missing in a build that must not generate any
    ├── NotSynced               a page shows images that `sync` has not written
    ├── GenerationStopped       key, quota, network, disk: this build can generate nothing more
    │   ├── BudgetExceeded      the build has generated as many images as it may
    │   │   └── NotBought       a preview buys only what its author asks for
    │   └── AnswerUnreadable    an answer is paid for, and a package is missing to read it
    └── ApiError                the Images API did not return an image
        ├── TooManyPerCall      it does not accept a call for several images
        ├── PromptRejected      it refuses this prompt: never ask again
        ├── ImageUrlExpired     the address of a hosted image has expired, or a task is no longer known
        ├── ImageUrlRefused     an answer names an address that is never fetched
        ├── TaskFailed          a task that should have made the image has ended without it
        └── TaskPending         a task that makes the image has not ended, as far as is known

A message says what happened and what to do. Where it happened (page, image, field) is put in front by whoever
knows it, so that one error reads the same from the build, the command line and a test.
"""

from __future__ import annotations


class QhaigcError(Exception):
    """The base of every error that this package raises on purpose."""


class OptionError(QhaigcError):
    """An option in the site's configuration is invalid."""

    def __init__(self, option: str, message: str) -> None:
        super().__init__(message)
        self.option = option


class DirectiveError(QhaigcError):
    """A directive in front matter is invalid."""


class StoreError(QhaigcError):
    """A folder of stored images cannot be read or written."""


class ImageDamaged(StoreError):  # noqa: N818 - a state
    """A stored image is gone, or its bytes are not those that were saved."""

    def __init__(self, what: str, path: object) -> None:
        """`what` has happened to the stored image at `path`."""
        super().__init__(f"{what}: {path}")
        self.what = what
        self.path = path


class ImageUnavailable(StoreError):  # noqa: N818 - a state
    """An image is paid for, and not on this machine. It is not generated again."""


class LfsPointer(ImageUnavailable):
    """A pointer of Git LFS is in the place of a stored image."""

    def __init__(self, folder: object) -> None:
        super().__init__(
            f"{folder} has Git LFS pointers instead of images. These images are not bought again. "
            "Run `git lfs pull`; in CI, have the checkout fetch them, too"
        )


class CacheError(QhaigcError):
    """The cache of renditions fails during a build."""


class ImageError(QhaigcError):
    """Bytes that are no image of a supported kind."""


class SelectionError(QhaigcError):
    """An argument of a command selects nothing on this site."""


class EditError(QhaigcError):
    """A page's front matter cannot be edited without changing something else."""


class SiteError(QhaigcError):
    """A command cannot read the site."""


class NoFileError(QhaigcError):
    """A page was given the address of an image, and no file can be put there."""


class MissingImages(QhaigcError):  # noqa: N818 - what is reported, not what failed
    """Images are missing in a build that must not generate any."""


class NotSynced(QhaigcError):  # noqa: N818 - what is reported, not what failed
    """A page shows images that `sync` has not written."""


class GenerationStopped(QhaigcError):  # noqa: N818 - the state that it leaves behind
    """Key, permission, quota, network, disk or useless responses: this build can generate nothing more."""


class BudgetExceeded(GenerationStopped):
    """The build has generated as many images as it may."""


class NotBought(BudgetExceeded):
    """A preview buys only what its author asks for, and nobody has asked for this image."""


class AnswerUnreadable(GenerationStopped):
    """An answer that was paid for is kept: reading it needs a package that is not installed."""


class ApiError(QhaigcError):
    """The Images API did not return an image."""


class TooManyPerCall(ApiError):  # noqa: N818 - what happened
    """The API does not accept a call for several images; it may accept one for a single image."""


class PromptRejected(ApiError):  # noqa: N818 - what happened, as the API itself says it
    """The API refuses this prompt; asking again cannot help."""

    def __init__(self, message: str, reason: str = "") -> None:
        super().__init__(message)
        self.reason = reason
        """The service's own words."""

    @classmethod
    def because(cls, reason: str) -> PromptRejected:
        """Return the error for a call that the API has just refused, in its own words."""
        advice = "Change the prompt; until then it is not asked for again"
        return cls(f"the API refuses this prompt ({reason.rstrip('.')}). {advice}", reason)


class ImageUrlExpired(ApiError):  # noqa: N818 - a state
    """The address of a hosted image has expired or is wrong, or the service has forgotten the task that made it."""


class ImageUrlRefused(ApiError):  # noqa: N818 - what happened
    """An answer names an address that is never fetched: another call would end in the same way."""


class TaskFailed(ApiError):  # noqa: N818 - what happened
    """A task that should have made the image has ended without it."""


class TaskPending(ApiError):  # noqa: N818 - a state
    """A task that makes the image has not ended, as far as is known: later builds ask for it, and order no other."""

    def __init__(self, message: str, *, is_disowned: bool = False) -> None:
        super().__init__(message)
        self.is_disowned = is_disowned
        """Whether the service that was asked answered that it does not know the task, or nothing about it."""
