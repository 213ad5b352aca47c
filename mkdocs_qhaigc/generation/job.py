"""What a build orders, what is told while it waits, and why what it ordered could not be had."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, Protocol

from mkdocs_qhaigc.directives.request import ImageRequest
from mkdocs_qhaigc.errors import GenerationStopped, QhaigcError

if TYPE_CHECKING:
    from concurrent.futures import Future

    from mkdocs_qhaigc.store.record import StoredImage


class ImageJob(NamedTuple):
    """An image that a build wants, and for whom."""

    where: str
    """`guide/start.md#hero`"""
    name: str
    request: ImageRequest


class JobStats(NamedTuple):
    """What it took to buy an image, or to try."""

    requests: int = 0
    """Calls of the API."""
    seconds: float | None = None
    """From the order's turn to the saved image, waits between tries included; None where nothing was asked."""


class Progress(Protocol):
    """What is told about buying; called from several threads."""

    def ordered(self, order: ImageJob) -> None:
        """An image is to be bought."""

    def began(self, order: ImageJob) -> None:
        """Its call is about to be made."""

    def ended(self, order: ImageJob, *, seconds: float | None) -> None:
        """It is saved, after so many seconds; None: there is no image."""


def failure_of(future: Future[StoredImage]) -> QhaigcError | None:
    """Return why a finished future has no image, or None where it has one. Other errors are raised."""
    if future.cancelled():
        return GenerationStopped("the build was stopped")
    error = future.exception()
    if error is None or isinstance(error, QhaigcError):
        return error
    raise error
