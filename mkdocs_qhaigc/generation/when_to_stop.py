"""Limits of a build: the number of images it may generate, and the failures after which it stops."""

from __future__ import annotations

import threading

from mkdocs_qhaigc.errors import BudgetExceeded, GenerationStopped, QhaigcError, TaskPending

_USED_UP = (
    "one build may buy {most} new images (`max_new_images`). Build again for the next ones, or raise `max_new_images`"
)
_MOST_USELESS = 3
"""Calls in a row that may have been billed and gave no image, before no more are made, if none ever gave one."""


class Budget:
    """A number of images, shared by all threads of a build."""

    def __init__(self, most: int, *, used_up: str = _USED_UP, error: type[BudgetExceeded] = BudgetExceeded) -> None:
        """Allow `most` images. `used_up` is the message of the error when it is exceeded; it may contain `{most}`."""
        self.most = most
        self._used_up = used_up
        self._error = error
        self._spent = 0
        self._lock = threading.Lock()

    def reserve(self, images: int = 1) -> None:
        """Reserve that many images: all of them, or none.

        Raises:
            BudgetExceeded: fewer are left.
        """
        with self._lock:
            if self._spent + images > self.most:
                raise self._error(self._used_up.format(most=self.most))
            self._spent += images

    def release(self, images: int = 1) -> None:
        """Return images that were surely not billed."""
        with self._lock:
            self._spent -= images

    def raise_by(self, images: int) -> None:
        """Allow that many more images."""
        with self._lock:
            self.most += images

    @property
    def left(self) -> int:
        """The number of images that may still be bought."""
        with self._lock:
            return max(0, self.most - self._spent)


class Usefulness:
    """Detects that calls are billed and give no images."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._reasons: list[str] = []
        """The reasons why the last calls gave no image."""
        self._has_image = False

    def note_success(self) -> None:
        """Note that a call has given an image."""
        with self._lock:
            self._has_image = True

    def note_failure(self, error: QhaigcError) -> None:
        """Note that a call that may be billed has given no image.

        Raises:
            GenerationStopped: several calls in a row gave none, all for one reason, and no call ever gave one.
        """
        with self._lock:
            is_pending = isinstance(error, TaskPending)  # whether it is slow or cannot be asked for: no image comes
            self._reasons.append("a task" if is_pending else str(error).partition(". ")[0])
            del self._reasons[:-_MOST_USELESS]
            if self._has_image or len(self._reasons) < _MOST_USELESS or len(set(self._reasons)) > 1:
                return
            self._reasons.clear()
        raise GenerationStopped(
            f"{_MOST_USELESS} calls in a row may have been billed, and none gave an image that can be used. No more "
            f"are made in this build: {error}"
        ) from error
