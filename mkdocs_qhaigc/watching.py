"""Waiting for changes of files. The one owner of watchdog."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

from watchdog.events import FileSystemEvent, FileSystemEventHandler
from watchdog.observers import Observer

_CHANGES = ("created", "modified", "moved", "deleted")
_QUIET = 0.3
"""Seconds without a change after which what an editor or git does is done."""


class _Handler(FileSystemEventHandler):
    def __init__(self, changed: threading.Event, *, within: Path, only: Path, without: Path) -> None:
        self._changed = changed
        self._within = within
        self._only = only
        self._without = without

    def on_any_event(self, event: FileSystemEvent) -> None:
        if event.event_type not in _CHANGES or event.is_directory:
            return
        for name in (event.src_path, event.dest_path):
            path = Path(str(name))
            ours = self._without in path.parents
            if name and not ours and (path == self._only or self._within in path.parents):
                self._changed.set()


def changes(folder: Path, file: Path, *, without: Path) -> Iterator[None]:
    """Yield each time something in a folder or a file outside it has changed, when it is quiet again.

    What happens in the folder `without` is no change. What changes until the next one is asked for is one change.
    """
    changed = threading.Event()
    folder, file, without = folder.resolve(), file.resolve(), without.resolve()
    observer = Observer()
    handler = _Handler(changed, within=folder, only=file, without=without)
    observer.schedule(handler, str(folder), recursive=True)
    if folder not in file.parents:
        observer.schedule(handler, str(file.parent))
    observer.start()
    try:
        while True:
            changed.wait()
            while changed.is_set():
                changed.clear()
                changed.wait(_QUIET)
            yield
    finally:
        observer.stop()
        observer.join()
