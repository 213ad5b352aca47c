"""Progress of the jobs: a live bar on a terminal, else one log record for each image."""

from __future__ import annotations

import logging
import threading
import time
from typing import TYPE_CHECKING, TextIO

from mkdocs_qhaigc.generation.job import ImageJob, JobState

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID

log = logging.getLogger(__name__)
_COLUMNS_BESIDE = 36
"""Characters of a line that the spinner, the bar, the count and the time need."""
_ENDED = (JobState.SAVED, JobState.FAILED)


class LineProgress:
    """Logs one record for each image that is saved."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._queued = self._saved = 0
        self._started: dict[str, float] = {}
        """Start of each job on `time.monotonic()`'s clock, by key."""

    def changed(self, job: ImageJob, state: JobState) -> None:
        """Count jobs, and log each that ends with an image."""
        request, now = job.request, time.monotonic()
        with self._lock:
            if state is JobState.QUEUED:
                self._queued += 1
            elif state is JobState.STARTED:
                self._started.setdefault(request.key, now)
            self._saved += state is JobState.SAVED
            count = f"[{self._saved}/{self._queued}]"
            seconds = now - self._started.get(request.key, now)
        if state is JobState.TASK:
            log.info("%s %s · a task is under way", count, job.label)
        elif state is JobState.SAVED:
            log.info("%s %s · %.1f s", count, job.label, seconds)

    def close(self) -> None:
        """Do nothing: no bar is shown."""


class LiveProgress:
    """A bar with the numbers of images that are done and under way, and the time of each; removed at the end."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._bar: Progress | None = None
        self._all: TaskID | None = None
        self._bars: dict[str, TaskID] = {}
        self._queued = self._ended = 0
        self._redirected: list[tuple[logging.StreamHandler[TextIO], TextIO]] = []

    def changed(self, job: ImageJob, state: JobState) -> None:
        """Update the bar, which is shown when the first job starts."""
        key = job.request.key
        with self._lock:
            if state is JobState.STARTED and key not in self._bars:  # a job starts twice if a call for several failed
                bar = self._shown()
                room = bar.console.width - _COLUMNS_BESIDE
                self._bars[key] = bar.add_task(_plain(job.label, room), total=None, count="")
            elif state is JobState.TASK and self._bar and key in self._bars:
                room = self._bar.console.width - _COLUMNS_BESIDE
                self._bar.update(self._bars[key], description=_plain(f"{job.where} · a task is under way", room))
            self._queued += state is JobState.QUEUED
            self._ended += state in _ENDED
            if self._bar is None or self._all is None:
                return
            if state in _ENDED and key in self._bars:
                self._bar.remove_task(self._bars.pop(key))
            self._bar.update(self._all, total=self._queued, completed=self._ended, count=self._count)

    def close(self) -> None:
        """Remove the bar."""
        with self._lock:
            if self._bar:
                self._bar.stop()
                self._bar = None
                self._bars.clear()
                for handler, stream in self._redirected:
                    handler.setStream(stream)
                self._redirected.clear()

    @property
    def _count(self) -> str:
        return f"{self._ended}/{self._queued}"

    def _shown(self) -> Progress:
        if self._bar is None:
            from rich.console import Console  # only a terminal shows a bar
            from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

            self._bar = Progress(
                SpinnerColumn(),
                TextColumn("{task.description}"),
                BarColumn(bar_width=16),
                TextColumn("{task.fields[count]}"),
                TimeElapsedColumn(),
                console=Console(stderr=True),
                transient=True,
            )
            self._redirect_logs_around()
            self._all = self._bar.add_task(
                "Generating images", total=self._queued, completed=self._ended, count=self._count
            )
        return self._bar

    def _redirect_logs_around(self) -> None:
        """Start the bar, and redirect log records that were going to its terminal, so that they appear above it."""
        import sys  # sys.stderr before and after the bar takes it over

        assert self._bar is not None
        before = sys.stderr
        self._bar.start()
        logger: logging.Logger | None = logging.getLogger("mkdocs")  # ProperDocs listens above it
        while logger:
            for handler in logger.handlers:
                if isinstance(handler, logging.StreamHandler) and handler.stream is before:
                    self._redirected.append((handler, before))
                    handler.setStream(sys.stderr)
            logger = logger.parent


def _plain(text: str, room: int) -> str:
    """Return a text in which rich finds no markup, cut to `room` characters."""
    from rich.markup import escape

    return escape(text if len(text) <= room else text[: max(room - 1, 8)] + "…")
