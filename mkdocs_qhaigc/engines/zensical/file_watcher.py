"""Waiting for changes of files. The one owner of watchdog."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Collection, Container, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from watchdog.events import FileSystemEvent, FileSystemEventHandler
from watchdog.observers import Observer
from watchdog.observers.api import BaseObserver

from mkdocs_qhaigc._util.files import real_path

_CHANGES = ("created", "modified", "moved", "deleted")
_QUIET = 3.0
"""Seconds without a change after which an author, an editor or git is done: no half-written prompt is generated."""


class _Handler(FileSystemEventHandler):
    def __init__(
        self, changed: threading.Event, *, within: Path, only: Container[Path], without: Collection[Path]
    ) -> None:
        self._changed = changed
        self._within = within
        self._only = only
        self._without = without

    def on_any_event(self, event: FileSystemEvent) -> None:
        if event.event_type not in _CHANGES or event.is_directory:
            return
        for name in (event.src_path, event.dest_path):
            path = Path(str(name))
            ours = any(folder in path.parents for folder in self._without)
            if name and not ours and (path in self._only or self._within in path.parents):
                self._changed.set()


class Changes:
    """Waits for changes of a folder, and of files outside it."""

    def __init__(self, observer: BaseObserver, folder: Path, *, without: Collection[Path]) -> None:
        self._observer = observer
        self._folder = folder
        self._changed = threading.Event()
        self._files: set[Path] = set()
        self._since = time.time()
        """When the caller began to read what is watched."""
        self._handler = _Handler(self._changed, within=folder, only=self._files, without=without)
        observer.schedule(self._handler, str(folder), recursive=True)

    def watch(self, files: Iterable[Path]) -> None:
        """Watch further files, too. One that was written since the caller has begun to read has changed."""
        for file in {file.resolve() for file in files} - self._files:
            self._files.add(file)
            if self._folder in file.parents:
                continue
            with contextlib.suppress(OSError):  # it, or its folder, is gone by now
                self._observer.schedule(self._handler, str(file.parent))  # twice is as once
                if file.stat().st_mtime > self._since:
                    self._changed.set()

    def __iter__(self) -> Iterator[None]:
        """Yield each time that something has changed, and then nothing for `_QUIET` seconds."""
        while True:
            self._changed.wait()
            while self._changed.is_set():
                self._changed.clear()
                self._changed.wait(_QUIET)
            self._since = time.time()
            yield


@contextmanager
def watching(folder: Path, files: Iterable[Path], *, without: Iterable[Path]) -> Iterator[Changes]:
    """Yield the changes of `folder` without the folders `without`, and of the `files` outside it.

    They are watched from the beginning of the context. All changes before the next one is asked for are one.
    """
    observer = Observer()
    changes = Changes(observer, folder.resolve(), without=[real_path(path) for path in without])
    changes.watch(files)
    observer.start()
    try:
        yield changes
    finally:
        observer.stop()
        observer.join()
