"""A job: an image that a build needs, for a directive; its stages, their observers, what it took, why it failed."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterable
from enum import Enum
from typing import TYPE_CHECKING, NamedTuple, Protocol

from mkdocs_qhaigc.directives.request import ImageRequest
from mkdocs_qhaigc.errors import GenerationStopped, PromptRejected, QhaigcError

if TYPE_CHECKING:
    from concurrent.futures import Future

    from mkdocs_qhaigc.store.record import StoredImage


_SERIAL = r"(?i)[\[(]?\brequest[ _-]?id:?\s*[\w-]+[\])]?|\b\d[\dms.]*(?:ms|s|seconds?|minutes?)\b"
"""Matches what differs from answer to answer in a server's message: a request's id, and a time to wait. Compiled where
images have failed."""


class ImageJob(NamedTuple):
    """An image that a build needs, and for which directive."""

    where: str
    """The directive, as in `guide/start.md#hero`."""
    name: str
    """In the names of the image's files."""
    request: ImageRequest

    @property
    def label(self) -> str:
        """The image in a line of progress: `guide/start.md#hero, variant 2 · dall-e-3 · 1024x1024`."""
        variant = f", variant {self.request.variant}" if self.request.variant > 1 else ""
        return f"{self.where}{variant} · {self.request.model} · {self.request.size}"


class JobStats(NamedTuple):
    """The calls and the time that a job has taken so far."""

    requests: int = 0
    """Calls of the API, retries included."""
    seconds: float | None = None
    """From the job's start to the saved image, waits between attempts included; `None` if the API was not called."""


class JobState(Enum):
    """The stages of a job."""

    QUEUED = "waits for a worker"
    STARTED = "is not in the store and will be requested; a second time if a call for several failed"
    CALLED = "a call to the API is made"
    TASK = "the answer names a task, which is under way; its name is in the journal"
    ANSWERED = "the answer is in the journal and cannot be lost"
    SAVED = "is in the store"
    FAILED = "there is no image"
    DONE = "its future has a result, and was not cancelled"


class Observer(Protocol):
    """A receiver of each change of a job's state; called from several threads."""

    def changed(self, job: ImageJob, state: JobState) -> None:
        """Note that a job has reached a state."""


class Relay:
    """Passes changes of jobs on to an observer that may come later: it gets what has happened before, too."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._observer: Observer | None = None
        self._earlier: list[tuple[ImageJob, JobState]] = []
        """Changes from before the observer came."""

    def changed(self, job: ImageJob, state: JobState) -> None:
        """Pass a change on, or keep it."""
        with self._lock:
            observer = self._observer
            if observer is None:
                self._earlier.append((job, state))
        if observer is not None:
            observer.changed(job, state)

    def observe(self, observer: Observer | None) -> None:
        """Pass all changes on to an observer, those of before first; `None` ends that."""
        with self._lock:
            if observer is not None:
                for job, state in self._earlier:
                    observer.changed(job, state)
                self._earlier.clear()
            self._observer = observer


def by_reason(failures: Iterable[tuple[ImageJob, QhaigcError]]) -> list[tuple[QhaigcError, list[ImageJob]]]:
    """Return the reasons why there are no images, each with all jobs that have it: one wrong setting is one message.

    A rejected prompt is a reason of its own.
    """
    found: dict[object, tuple[QhaigcError, list[ImageJob]]] = {}
    for job, reason in failures:
        same: object = job if isinstance(reason, PromptRejected) else re.sub(_SERIAL, "", str(reason))
        found.setdefault(same, (reason, []))[1].append(job)
    return list(found.values())


def failure_of(future: Future[StoredImage]) -> QhaigcError | None:
    """Return the reason why a finished future has no image; `None` if it has one. Other errors are raised."""
    if future.cancelled():
        return GenerationStopped("the build was stopped")
    error = future.exception()
    if error is None or isinstance(error, QhaigcError):
        return error
    raise error
