"""Waiting for changes of files. The one owner of watchdog."""

from __future__ import annotations

import threading
from collections.abc import Collection, Container, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from watchdog.events import FileSystemEvent, FileSystemEventHandler
from watchdog.observers import Observer

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


@contextmanager
def watching(folder: Path, files: Iterable[Path], *, without: Iterable[Path]) -> Iterator[Iterator[None]]:
    """Yield an iterator with one item for each time that something has changed, and then nothing for `_QUIET` seconds.

    Watched are `folder` without the folders `without`, and the `files` outside it, from the beginning of the context.
    All changes before the next item is asked for are one.
    """
    changed = threading.Event()
    folder, without = folder.resolve(), [real_path(path) for path in without]
    only = {file.resolve() for file in files}
    observer = Observer()
    handler = _Handler(changed, within=folder, only=only, without=without)
    observer.schedule(handler, str(folder), recursive=True)
    for other in {file.parent for file in only}:
        if other != folder and folder not in other.parents:
            observer.schedule(handler, str(other))
    observer.start()
    try:
        yield _changes(changed)
    finally:
        observer.stop()
        observer.join()


def _changes(changed: threading.Event) -> Iterator[None]:
    while True:
        changed.wait()
        while changed.is_set():
            changed.clear()
            changed.wait(_QUIET)
        yield
