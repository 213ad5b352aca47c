"""What a build tells while it buys images: a live bar on a terminal, elsewhere one line an image."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, TextIO

from mkdocs_qhaigc.generation.job import ImageJob

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID


_COLUMNS_BESIDE = 36
"""Characters of a line that the spinner, the bar, the count and the time take."""


class LineProgress:
    """One line for each image that arrived."""

    def __init__(self, say: Callable[[str], None]) -> None:
        self._say = say
        self._lock = threading.Lock()
        self._ordered = self._ended = 0

    def ordered(self, order: ImageJob) -> None:
        """Count an image that is to be bought."""
        with self._lock:
            self._ordered += 1

    def began(self, order: ImageJob) -> None:
        """Nothing is told of a call that was just made."""

    def ended(self, order: ImageJob, *, seconds: float | None) -> None:
        """Tell of an image that arrived."""
        with self._lock:
            self._ended += 1
            count = f"[{self._ended}/{self._ordered}]"
        if seconds is not None:
            request = order.request
            self._say(f"{count} {order.where} · {request.model} · {request.size} · {seconds:.1f} s")

    def close(self) -> None:
        """Nothing is left to end."""


class LiveProgress:
    """A bar with what is done, what is under way, and for how long; gone when the last image is there."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._bar: Progress | None = None
        self._all: TaskID | None = None
        self._tasks: dict[str, TaskID] = {}
        self._ordered = self._ended = 0
        self._redirected: list[tuple[logging.StreamHandler[TextIO], TextIO]] = []

    def ordered(self, order: ImageJob) -> None:
        """Lengthen the bar; it is shown when a first call is made."""
        with self._lock:
            self._ordered += 1
            if self._bar and self._all is not None:
                self._bar.update(self._all, total=self._ordered, count=self._count)

    def began(self, order: ImageJob) -> None:
        """Show an image that is under way."""
        with self._lock:
            if order.request.key in self._tasks:
                return  # asked for with others in vain, and now alone
            label = f"{order.where} · {order.request.model} · {order.request.size}"
            bar = self._started()
            room = bar.console.width - _COLUMNS_BESIDE
            self._tasks[order.request.key] = bar.add_task(_plain(label, room), total=None, count="")

    def ended(self, order: ImageJob, *, seconds: float | None) -> None:
        """Take an image from the list of those under way."""
        with self._lock:
            self._ended += 1
            if self._bar is None or self._all is None:
                return
            task = self._tasks.pop(order.request.key, None)
            if task is not None:
                self._bar.remove_task(task)
            self._bar.update(self._all, completed=self._ended, count=self._count)

    def close(self) -> None:
        """Take the bar away."""
        with self._lock:
            if self._bar:
                self._bar.stop()
                self._bar = None
                self._tasks.clear()
                for handler, stream in self._redirected:
                    handler.setStream(stream)
                self._redirected.clear()

    @property
    def _count(self) -> str:
        return f"{self._ended}/{self._ordered}"

    def _started(self) -> Progress:
        if self._bar is None:
            from rich.console import Console  # a build that buys nothing shows no bar
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
                "Generating images", total=self._ordered, completed=self._ended, count=self._count
            )
        return self._bar

    def _redirect_logs_around(self) -> None:
        """Start the bar, and let log lines that were going to its terminal pass above it."""
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
    """Return a text in which rich finds no markup, cut to so many characters."""
    from rich.markup import escape  # see above

    return escape(text if len(text) <= room else text[: max(room - 1, 8)] + "…")
