"""A job: an image that a build wants, and for whom; how far it has come, and what it took."""

from __future__ import annotations

from enum import Enum
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
    """What a job has taken so far."""

    requests: int = 0
    """Calls of the API, retries included."""
    seconds: float | None = None
    """From the job's turn to the saved image, waits between attempts included; `None` if the API was not called."""


class JobState(Enum):
    """How far a job has come."""

    QUEUED = "waits for its turn"
    STARTED = "is not in the store, and about to be requested; a second time if a call for several was in vain"
    CALLED = "a call to the API is made"
    ANSWERED = "the answer is in the journal: nothing can take it away"
    SAVED = "is in the store"
    FAILED = "there is no image"
    DONE = "its future has a result, and was not cancelled"


class Observer(Protocol):
    """Gets each change of a job's state; called from several threads."""

    def changed(self, job: ImageJob, state: JobState) -> None:
        """Note that a job has come to a state."""


def failure_of(future: Future[StoredImage]) -> QhaigcError | None:
    """Return why a finished future has no image; `None` if it has one. Errors of other kinds are raised."""
    if future.cancelled():
        return GenerationStopped("the build was stopped")
    error = future.exception()
    if error is None or isinstance(error, QhaigcError):
        return error
    raise error
