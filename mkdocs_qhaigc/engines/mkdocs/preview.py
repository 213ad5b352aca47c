"""What a preview (`mkdocs serve`) has to know: what was edited, that images have arrived, and who waits for them."""

from __future__ import annotations

import contextlib
import os
import threading
import time
from collections.abc import Iterable, Iterator
from pathlib import Path

from mkdocs_qhaigc._util.files import atomic_write

_APART = 2.0
"""Seconds between two rebuilds while images keep arriving."""
_RINGS = 3
"""How often an arrival is told that no build follows: the first time nobody may be watching yet."""


class Arrivals:
    """Images that arrive after the build that wanted them: told by a file that changes, which the server watches."""

    def __init__(self) -> None:
        self.awaited = False
        """Whether what arrives now comes too late for the build."""
        self._arrived = threading.Event()
        self._told = False
        """Whether it was told since a build began."""

    def note(self) -> None:
        """Note that an image was saved, or could not be had. Called in the buyer's threads."""
        if self.awaited:
            self._arrived.set()

    def forget(self) -> bool:
        """A build begins, which shows all that is there. Return whether it was told that images have arrived."""
        self._arrived.clear()
        told, self._told = self._told, False
        return told

    def tell_by(self, file: Path) -> None:
        """Change a file, from now on, when images have arrived that no build has shown yet.

        Raises:
            OSError: it cannot be written.
        """
        file.parent.mkdir(parents=True, exist_ok=True)
        file.touch()
        threading.Thread(target=self._tell, args=(file,), name="qhaigc-arrivals", daemon=True).start()

    def _tell(self, file: Path) -> None:
        while self._arrived.wait():
            for _ in range(_RINGS):
                if self._arrived.is_set():
                    self._told = True
                    with contextlib.suppress(OSError):  # then the next edit shows them
                        atomic_write(file, f"{time.monotonic()}\n".encode())
                    time.sleep(_APART)
            self._arrived.clear()


class Unfinished:
    """Pages, as MkDocs names them, that show placeholders."""

    def __init__(self) -> None:
        self.pages: set[str] = set()
        """In this build."""
        self.before: set[str] = set()
        """When the site was last built."""

    def begin(self) -> None:
        """Begin a build."""
        self.before, self.pages = self.pages, set()


def have_built_again(paths: Iterable[str]) -> None:
    """Let files of the site count as older than their pages, where only what has been edited is built."""
    for path in paths:
        with contextlib.suppress(OSError):  # then the page's next edit shows what has arrived
            os.utime(path, (0, 0))


def state_of(watched: Iterable[str]) -> frozenset[tuple[str, int]]:
    """Return what tells the states of files and folders apart: every file, and when it was written, in nanoseconds."""
    return frozenset((path, written) for path in watched for path, written in _files(path))


def _files(path: str) -> Iterator[tuple[str, int]]:
    names = [os.path.join(folder, name) for folder, _, names in os.walk(path) for name in names]  # noqa: PTH118 - texts do
    for name in names or [path]:
        with contextlib.suppress(OSError):  # removed since, or a link that leads nowhere
            yield name, os.stat(name).st_mtime_ns  # noqa: PTH116
