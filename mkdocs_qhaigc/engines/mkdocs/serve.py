"""The plugin's state over the rebuilds of `mkdocs serve`: the queue of jobs, arrivals, and pages with placeholders."""

from __future__ import annotations

import contextlib
import logging
import os
import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from mkdocs_qhaigc._util.files import atomic_write, real_path
from mkdocs_qhaigc._util.text import plural
from mkdocs_qhaigc.generation.job import ImageJob, JobState

if TYPE_CHECKING:
    from mkdocs.livereload import LiveReloadServer

    from mkdocs_qhaigc.config.options import Options
    from mkdocs_qhaigc.generation.progress import LineProgress, LiveProgress
    from mkdocs_qhaigc.generation.queue import GenerationQueue
    from mkdocs_qhaigc.store.image_store import ImageStore

log = logging.getLogger(__name__)
_QUIET = 3.0
"""Seconds without another build before a preview's images are requested: editors save while their authors type."""
_APART = 2.0
"""Seconds between two rebuilds while images keep arriving."""
_REPEATS = 3
"""Announcements of an arrival if no build follows: at the first one, the server may not watch yet."""


class Generation:
    """The queues of one site's builds, one after the other. No queue is opened before the first image is missing."""

    def __init__(self) -> None:
        self._queue: GenerationQueue | None = None
        self._options: Options | None = None
        self._retired: list[GenerationQueue] = []
        self._progress: LineProgress | LiveProgress | None = None
        self._edited: object = None
        self._quiet: threading.Timer | None = None
        self.arrivals = Arrivals()

    def begin(
        self, options: Options, store: ImageStore, *, serving: bool, again: bool, edited: Callable[[], object]
    ) -> Callable[[], GenerationQueue]:
        """Begin a build; return a function that opens its queue: the same as before if its options are the same.

        Args:
            again: whether this is a further part of the build that has begun.
            edited: returns a value that differs when an author has edited something. A build that only shows images
                that have arrived has no budget of its own.
        """
        if self._options and options.buying != self._options.buying:
            self.stop()
        self._options = options
        self._end_quiet()
        if serving and not again:
            shows_arrivals = self.arrivals.forget()
            state = edited()
            if self._queue:
                self._queue.new_build()
                if state != self._edited and not shows_arrivals:
                    self._queue.renew()
            self._edited = state

        def open_queue() -> GenerationQueue:
            if self._queue is None:
                self._queue = self._new_queue(options, store, serving=serving)
            return self._queue

        return open_queue

    def end(self) -> None:
        """End a build: its images are requested when no other build has begun for `_QUIET` seconds."""
        self._end_quiet()
        if self._queue and self._queue.holds:
            self._quiet = threading.Timer(_QUIET, self._queue.release)
            self._quiet.daemon = True
            self._quiet.start()

    def stop(self) -> None:
        """Begin no more of the jobs. Those under way are paid for, and go on."""
        if self._queue:
            self._queue.drop()
            self._retired.append(self._queue)
            self._queue = None

    def end_progress(self) -> None:
        """Remove the progress bar."""
        if self._progress:
            self._progress.close()

    def finish(self) -> None:
        """Wait for the jobs under way, and begin no others."""
        for queue in self._queues():
            queue.finish()

    def close(self) -> None:
        """End the jobs under way; images that have arrived are stored first."""
        self.end_progress()
        self._end_quiet()
        held = self._queue.held if self._queue else 0
        if held:
            images = plural(held, "image has", "images have")
            log.info("%d %s not been asked for: the preview has ended. `mkdocs build` asks for them", held, images)
        count = sum(len(queue.under_way()) for queue in self._queues())
        if count:
            images = plural(count, "image is", "images are")
            log.info("%d %s not waited for. What had been asked for may have been billed", count, images)
        for queue in self._queues():
            queue.close()

    def _queues(self) -> list[GenerationQueue]:
        return [queue for queue in (*self._retired, self._queue) if queue]

    def _end_quiet(self) -> None:
        if self._quiet:
            self._quiet.cancel()

    def _new_queue(self, options: Options, store: ImageStore, *, serving: bool) -> GenerationQueue:
        from mkdocs_qhaigc.generation.progress import LineProgress, LiveProgress  # only if an image is missing
        from mkdocs_qhaigc.generation.queue import GenerationQueue

        live = not serving and sys.stderr.isatty()
        self._progress = LiveProgress() if live else LineProgress()
        observers = (self._progress, self.arrivals) if serving else (self._progress,)
        queue = GenerationQueue(options, api_key=options.api_key(os.environ), store=store, observers=observers)
        queue.holds = serving
        return queue


class Arrivals:
    """Announces images that arrive after the build that wanted them: changes a file that the server watches."""

    def __init__(self) -> None:
        self.awaited = False
        """Whether images that arrive now are too late for the build."""
        self._arrived = threading.Event()
        self._announced = False
        """Whether an arrival was announced since a build began."""

    def changed(self, job: ImageJob, state: JobState) -> None:
        """Note that a job is done."""
        if state is JobState.DONE and self.awaited:
            self._arrived.set()

    def forget(self) -> bool:
        """Begin a build, which shows all images that have arrived. Return whether any was announced before."""
        self._arrived.clear()
        announced, self._announced = self._announced, False
        return announced

    def announce_by(self, file: Path) -> None:
        """Change a file, from now on, when images have arrived that no build has shown yet.

        Raises:
            OSError: it cannot be written.
        """
        file.parent.mkdir(parents=True, exist_ok=True)
        file.touch()
        threading.Thread(target=self._announce, args=(file,), name="qhaigc-arrivals", daemon=True).start()

    def _announce(self, file: Path) -> None:
        while self._arrived.wait():
            for _ in range(_REPEATS):
                if self._arrived.is_set():
                    self._announced = True
                    with contextlib.suppress(OSError):  # then the next edit shows them
                        atomic_write(file, f"{time.monotonic()}\n".encode())
                    time.sleep(_APART)
            self._arrived.clear()


class Unfinished:
    """Pages (`src_uri`) that show placeholders."""

    def __init__(self) -> None:
        self.pages: set[str] = set()
        """In this build."""
        self.before: set[str] = set()
        """When the site was last built."""

    def begin(self) -> None:
        """Begin a build."""
        self.before, self.pages = self.pages, set()


def have_built_again(paths: Iterable[str]) -> None:
    """Make files of the site older than their pages, so that `--dirty` builds those again."""
    for path in paths:
        with contextlib.suppress(OSError):  # then the page's next edit shows what has arrived
            os.utime(path, (0, 0))


def watch_without(server: LiveReloadServer, docs_dir: str, own: Path) -> None:
    """Have the server not build again for files that builds write into a folder among the pages.

    The server watches whole folders only. So it watches the folders within `docs_dir` instead, but not those that are
    made later.
    """
    if not _holds(docs_dir, own):
        return
    server.unwatch(docs_dir)
    server.watch(docs_dir, recursive=False)
    with os.scandir(docs_dir) as entries:
        for entry in entries:
            if entry.is_dir() and not _holds(entry.path, own):
                server.watch(entry.path)


def _holds(folder: str, path: Path) -> bool:
    """Whether a path is a folder, or in it."""
    real = real_path(path)
    return real_path(Path(folder)) in (real, *real.parents)


def state_of(watched: Iterable[str], *, without: Path) -> frozenset[tuple[str, int]]:
    """Return every file in these files and folders with the time when it was written, in nanoseconds.

    `without` is a folder whose files do not count.
    """
    own = os.path.realpath(without)
    return frozenset((path, written) for path in watched for path, written in _files(path, own))


def _files(path: str, without: str) -> Iterator[tuple[str, int]]:
    names: list[str] = []
    for folder, folders, files in os.walk(path):
        if os.path.realpath(folder) == without:
            folders.clear()
        else:
            names += [os.path.join(folder, name) for name in files]  # noqa: PTH118 - texts do
    for name in names or [path]:
        with contextlib.suppress(OSError):  # removed since, or a link that leads nowhere
            yield name, os.stat(name).st_mtime_ns  # noqa: PTH116
