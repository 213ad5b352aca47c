"""The plugin's state over the rebuilds of `mkdocs serve`: the queue of jobs, arrivals, and pages with placeholders."""

from __future__ import annotations

import contextlib
import logging
import os
import sys
import threading
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from mkdocs_qhaigc._util.files import atomic_write, real_path
from mkdocs_qhaigc._util.text import plural
from mkdocs_qhaigc.errors import OptionError
from mkdocs_qhaigc.generation.job import ImageJob, JobState, Relay
from mkdocs_qhaigc.generation.when_to_stop import Budget

if TYPE_CHECKING:
    from mkdocs.config.defaults import MkDocsConfig
    from mkdocs.livereload import LiveReloadServer

    from mkdocs_qhaigc.config.options import Options
    from mkdocs_qhaigc.generation.progress import LineProgress, LiveProgress
    from mkdocs_qhaigc.generation.queue import GenerationQueue
    from mkdocs_qhaigc.store.image_store import ImageStore
    from mkdocs_qhaigc.store.shared_images import SharedImages

log = logging.getLogger(__name__)
_QUIET = 3.0
"""Seconds without another build before a preview's images are requested: editors save while their authors type."""
_APART = 2.0
"""Seconds between two rebuilds while images keep arriving."""
_USED_UP = (
    "one run of the preview may buy {most} new images (`max_new_images`). Allow more in the studio, start the preview "
    "again, or raise `max_new_images`"
)
_PAGE = 2.0
"""Seconds for a page to come with its files, before a build begins for which all further ones would wait."""
_REPEATS = 3
"""Announcements of an arrival if no build follows: at the first one, the server may not watch yet."""


class Generation:
    """The queues of one site's builds, one after the other. No queue is opened before the first image is missing."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        """Held while the queue is opened or replaced."""
        self._queue: GenerationQueue | None = None
        self._is_on = False
        """Whether a build has begun whose options can be used."""
        self._serving = False
        self._options: Options | None = None
        self.budget = Budget(0, used_up=_USED_UP)
        """Of this run of the program: of one build, or of one preview with all its builds."""
        self.relay = Relay()
        """Gets each change of a job's state, of every queue of a preview."""
        self._retired: list[GenerationQueue] = []
        self._progress: LineProgress | LiveProgress | None = None
        self._shared: SharedImages | None = None
        self._store: ImageStore | None = None
        self._edited: object = None
        self._quiet: threading.Timer | None = None
        self.arrivals = Arrivals()

    def begin(
        self, options: Options, store: ImageStore, *, serving: bool, again: bool, edited: Callable[[], object]
    ) -> Callable[[], GenerationQueue]:
        """Begin a build; return a function that opens its queue: the same as before if its options are the same.

        Args:
            again: whether this is a further part of the build that has begun.
            edited: returns a value that differs when an author has edited something. Only then is asked again for
                what was refused before.
        """
        if self._options and options.buying != self._options.buying:
            self._retire()
        with self._lock:  # the studio may ask for the queue at any time, and must get none of other options
            self.budget.raise_by(options.max_new_images - (self._options.max_new_images if self._options else 0))
            self._options, self._store, self._serving, self._is_on = options, store, serving, True
        self._end_quiet()
        if self._shared and not again:
            self._shared.renew()
        if serving and not again:
            shows_arrivals = self.arrivals.forget()
            state = edited()
            if self._queue:
                self._queue.asks = options.serve_buys == "ask"
                self._queue.new_build()
                if state != self._edited and not shows_arrivals:
                    self._queue.renew()
            self._edited = state
        return self.queue

    def queue(self) -> GenerationQueue:
        """Return the queue of the last build that has begun, opened now if it was not.

        Raises:
            OptionError: no build has begun, because of an invalid option.
        """
        with self._lock:
            if not self._is_on or self._options is None or self._store is None:
                raise OptionError("enabled", "the site has not been built yet. Correct what the terminal says")
            if self._queue is None:
                self._queue = self._new_queue(self._options, self._store)
            return self._queue

    def open_shared(self) -> SharedImages | None:
        """Return the team's images; `None` if the options of the build name none."""
        if self._shared is None and self._options and self._options.shared and self._store:
            from mkdocs_qhaigc.store.shared_images import SharedImages  # only if an image is not here

            self._shared = SharedImages(self._options, self._store)
        return self._shared

    def end(self) -> None:
        """End a build: its images are requested when no other build has begun for `_QUIET` seconds."""
        self._end_quiet()
        if self._queue and self._queue.holds:
            self._quiet = threading.Timer(_QUIET, self._queue.release)
            self._quiet.daemon = True
            self._quiet.start()

    def stop(self) -> None:
        """Begin no more of the jobs, and order none, until a build begins. Those under way are paid for, and go on."""
        self._is_on = False
        self._retire()

    def _retire(self) -> None:
        with self._lock:
            queue, self._queue, self._shared = self._queue, None, None
            if queue:
                self._retired.append(queue)
        if queue:
            queue.drop()

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
        if self._shared:
            self._shared.close()

    def _queues(self) -> list[GenerationQueue]:
        return [queue for queue in (*self._retired, self._queue) if queue]

    def _end_quiet(self) -> None:
        if self._quiet:
            self._quiet.cancel()

    def _new_queue(self, options: Options, store: ImageStore) -> GenerationQueue:
        from mkdocs_qhaigc.generation.progress import LineProgress, LiveProgress  # only if an image is missing
        from mkdocs_qhaigc.generation.queue import GenerationQueue

        serving = self._serving
        live = not serving and sys.stderr.isatty()
        self._progress = LiveProgress() if live else LineProgress()
        observers = (self._progress, self.arrivals, self.relay) if serving else (self._progress,)
        queue = GenerationQueue(
            options,
            api_key=options.api_key(os.environ),
            store=store,
            observers=observers,
            shared=self.open_shared(),
        )
        queue.holds = serving
        if serving:
            queue.budget, queue.asks = self.budget, options.serve_buys == "ask"
        return queue


class Arrivals:
    """Announces images that arrive after the build that wanted them: changes a file that the server watches."""

    def __init__(self) -> None:
        self.awaited = False
        """Whether images that arrive now are too late for the build."""
        self.shown_by_itself: Callable[[], bool] = lambda: False
        """Returns whether a page is open that shows arrivals before the site is built again."""
        self.unshown: set[str] = set()
        """Keys of images that have arrived since a build began."""
        self._arrived = threading.Event()
        self._announced = False
        """Whether an arrival was announced since a build began."""
        self._file: Path | None = None
        self._soon: threading.Timer | None = None

    def changed(self, job: ImageJob, state: JobState) -> None:
        """Note that a job is done."""
        if state is JobState.DONE and self.awaited:
            self.unshown.add(job.request.key)
            if not self.shown_by_itself():
                self._arrived.set()

    def forget(self) -> bool:
        """Begin a build, which shows all images that have arrived. Return whether any was announced before."""
        self._arrived.clear()
        self.unshown.clear()
        announced, self._announced = self._announced, False
        return announced

    def announce(self) -> None:
        """Have the site built again."""
        if self._file:
            self._announced = True
            with contextlib.suppress(OSError):  # then the next edit shows them
                atomic_write(self._file, f"{time.monotonic()}\n".encode())

    def announce_soon(self) -> None:
        """Have the site built again, unless a build begins by itself, once a page is there that was asked for."""
        if self._soon is None or not self._soon.is_alive():
            self._soon = threading.Timer(_PAGE, self._announce_unshown)
            self._soon.daemon = True
            self._soon.start()

    def _announce_unshown(self) -> None:
        if self.unshown:
            self.announce()

    def announce_by(self, file: Path) -> None:
        """Change a file, from now on, when images have arrived that no build has shown yet.

        Raises:
            OSError: it cannot be written.
        """
        file.parent.mkdir(parents=True, exist_ok=True)
        file.touch()
        self._file = file
        threading.Thread(target=self._announce, name="qhaigc-arrivals", daemon=True).start()

    def _announce(self) -> None:
        while self._arrived.wait():
            for _ in range(_REPEATS):
                if self._arrived.is_set():
                    self.announce()
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


class WatchedFiles:
    """The files of reference images outside of docs_dir, which the server does not watch by itself."""

    def __init__(self) -> None:
        self.paths: set[str] = set()
        """Of all builds so far."""
        self._server: LiveReloadServer | None = None

    def add(self, paths: Iterable[str], *, docs_dir: str) -> None:
        """Watch further files, as soon as there is a server."""
        docs = real_path(Path(docs_dir))
        new = {path for path in paths if docs not in real_path(Path(path)).parents} - self.paths
        self.paths |= new
        if self._server:
            for path in sorted(new):
                self._server.watch(path)

    def begin(self, server: LiveReloadServer) -> None:
        """Watch all files by a server that has begun."""
        self._server = server
        for path in sorted(self.paths):
            server.watch(path)


def have_built_again(paths: Iterable[str]) -> None:
    """Make files of the site older than their pages, so that `--dirty` builds those again."""
    for path in paths:
        with contextlib.suppress(OSError):  # then the page's next edit shows what has arrived
            os.utime(path, (0, 0))


def watch_without(server: LiveReloadServer, config: MkDocsConfig, own: Path) -> None:
    """Have the server not build again for files that builds write into a folder within those that it watches.

    The server watches whole folders only. So it watches the folders within them instead, but not those that are made
    later.
    """
    if _holds(config.docs_dir, own):
        server.unwatch(config.docs_dir)
        _watch_around(server, config.docs_dir, own)
    for folder in [folder for folder in config.watch if _holds(folder, own)]:
        config.watch.remove(folder)  # the server will watch what is left
        _watch_around(server, folder, own)


def _watch_around(server: LiveReloadServer, folder: str, own: Path) -> None:
    """Watch a folder, and the folders within it but for the one that holds `own`."""
    server.watch(folder, recursive=False)
    with os.scandir(folder) as entries:
        for entry in entries:
            if entry.is_dir() and not _holds(entry.path, own):
                server.watch(entry.path)


def _holds(folder: str, path: Path) -> bool:
    """Whether a path is a folder, or in it."""
    real = real_path(path)
    return real_path(Path(folder)) in (real, *real.parents)
