"""The errors of this package.

    QhaigcError
    ├── OptionError        an option in mkdocs.yml cannot be used
    ├── DirectiveError     a directive in front matter cannot be used
    ├── StoreError       a folder of originals cannot be read or written
    │   ├── ImageDamaged        an original is gone, or its bytes are not those that were saved
    │   └── ImageUnavailable      an image is paid for, and not here
    │       └── LfsPointer only a pointer of Git LFS is there in its place
    ├── CacheError         the cache of renditions fails in mid-build
    ├── ImageError       bytes that are no image we accept
    ├── SelectionError     an argument of a command means nothing on this site
    ├── EditError          a page's front matter cannot be edited
    ├── SiteError          a site cannot be read by the commands
    ├── NoFileError        a page has been given an address, and no file can be put there
    ├── MissingImages    images that are not there, in a build that may not buy any
    ├── NotSynced         images that `sync` has not written, on a page that looks them up
    ├── GenerationStopped     key, quota, network, disk, no use: nothing more can be bought in this build
    │   └── BudgetExceeded     the build has bought as many images as it may
    └── ApiError           the Images API did not give an image
        ├── TooManyPerCall      it does not take a call for several images
        ├── PromptRejected        it will not draw this prompt: never ask again
        └── ImageUrlExpired           a hosted image's address has expired

A message says what happened and what to do. Where it happened (page, image, field) is put in front by whoever
knows it, so that one error reads the same from the build, the command line and a test.
"""

from __future__ import annotations


class QhaigcError(Exception):
    """The base of every error that this package raises on purpose."""


class OptionError(QhaigcError):
    """An option in mkdocs.yml cannot be used."""

    def __init__(self, option: str, message: str) -> None:
        super().__init__(message)
        self.option = option


class DirectiveError(QhaigcError):
    """A directive cannot be used."""


class StoreError(QhaigcError):
    """A folder of originals cannot be read or written."""


class ImageDamaged(StoreError):  # noqa: N818 - a state, like Refused
    """An original is gone, or its bytes are not those that were saved."""


class ImageUnavailable(StoreError):  # noqa: N818 - a state, like Refused
    """An image is paid for, and not here: neither another nor a placeholder takes its place for good."""


class LfsPointer(ImageUnavailable):
    """In the place of an original is a pointer of Git LFS."""

    def __init__(self, folder: object) -> None:
        super().__init__(
            f"{folder} holds pointers of Git LFS in the place of images, which are not bought again. "
            "Run `git lfs pull`; in CI, have the checkout fetch them, too"
        )


class CacheError(QhaigcError):
    """The cache of renditions fails in mid-build."""


class ImageError(QhaigcError):
    """Bytes that are no image we accept."""


class SelectionError(QhaigcError):
    """An argument of a command means nothing on this site."""


class EditError(QhaigcError):
    """A page's front matter cannot be edited without changing what was not meant."""


class SiteError(QhaigcError):
    """A site cannot be read by the commands."""


class NoFileError(QhaigcError):
    """A page has been given the address of an image, and no file can be put there."""


class MissingImages(QhaigcError):  # noqa: N818 - what is reported, not what failed
    """Images are missing in a build that was told never to buy any."""


class NotSynced(QhaigcError):  # noqa: N818 - what is reported, not what failed
    """A page shows images that `sync` has not written."""


class GenerationStopped(QhaigcError):  # noqa: N818 - the state that it leaves behind
    """Key, permission, quota, network, disk, or answers without use: nothing more can be bought in this build."""


class BudgetExceeded(GenerationStopped):
    """The build has bought as many images as it may."""


class ApiError(QhaigcError):
    """The Images API did not give an image."""


class TooManyPerCall(ApiError):  # noqa: N818 - what happened, as with Refused
    """The API does not take a call for several images; it may take one for a single one."""


class PromptRejected(ApiError):  # noqa: N818 - what happened, as the API itself says it
    """The API will not draw this prompt; asking again cannot help."""


class ImageUrlExpired(ApiError):  # noqa: N818 - a state, like Refused
    """A hosted image's address has expired or never was."""
