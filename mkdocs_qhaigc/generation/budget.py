"""How many images a build may still generate, and whether paying for more makes sense."""

from __future__ import annotations

import threading

from mkdocs_qhaigc.errors import BudgetExceeded, GenerationStopped, QhaigcError

BUILD_BUDGET = (
    "one build may buy {most} new images (`max_new_images`). Build again for the next ones, or raise `max_new_images`"
)
_MOST_USELESS = 3
"""Calls that may be billed without giving an image, if none has given one yet, before no more are made."""


class Budget:
    """A number of images, shared by all threads of a build."""

    def __init__(self, most: int, *, used_up: str = BUILD_BUDGET) -> None:
        """`used_up` is the message once it is exceeded; it may contain `{most}`."""
        self.most = most
        self._used_up = used_up
        self._spent = 0
        self._lock = threading.Lock()

    def reserve(self, images: int = 1) -> None:
        """Reserve the price of that many images: of all, or of none.

        Raises:
            BudgetExceeded: not that much is left.
        """
        with self._lock:
            if self._spent + images > self.most:
                raise BudgetExceeded(self._used_up.format(most=self.most))
            self._spent += images

    def release(self, images: int = 1) -> None:
        """Give back the price of images that were surely not billed."""
        with self._lock:
            self._spent -= images


class Usefulness:
    """Notices that calls are billed and give nothing."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._reasons: list[str] = []
        """Why the last calls gave no image."""
        self._has_image = False

    def note_success(self) -> None:
        """Note that a call has given an image."""
        with self._lock:
            self._has_image = True

    def note_failure(self, error: QhaigcError) -> None:
        """Note that a call that may be billed has given no image.

        Raises:
            GenerationStopped: several in a row have not, all for one reason, and none ever has: all images share it.
        """
        with self._lock:
            self._reasons.append(str(error).partition(". ")[0])
            del self._reasons[:-_MOST_USELESS]
            if self._has_image or len(self._reasons) < _MOST_USELESS or len(set(self._reasons)) > 1:
                return
            self._reasons.clear()
        raise GenerationStopped(
            f"{_MOST_USELESS} calls in a row may have been billed, and none gave an image that can be used. No more "
            f"are made in this build: {error}"
        ) from error
