"""Answers that were paid for, kept while they arrive and until their pictures are saved.

A build that ends in between, killed even, loses nothing: the next one reads what was kept before it buys anything. What
is kept is the body of the API's answer, as far as it came; one that was cut short is no JSON and counts as none.
"""

from __future__ import annotations

import contextlib
import time
from pathlib import Path

OLDEST = 24 * 3600
"""Seconds after which a kept answer is not read any more: the address in it has expired."""
_LARGEST = 64 << 20


class Arrival:
    """The file in which one answer is kept."""

    def __init__(self, path: Path) -> None:
        """The file and its folder need not exist yet."""
        self._path = path

    def begin(self) -> None:
        """Start anew: the body of an answer follows.

        Raises:
            OSError: nothing can be written there.
        """
        self._path.parent.mkdir(parents=True, exist_ok=True)
        self._path.unlink(missing_ok=True)
        self._path.open("xb").close()  # a file of its own: never through a link that lies there

    def add(self, chunk: bytes) -> None:
        """Keep the next bytes, at once.

        Raises:
            OSError: they cannot be written.
        """
        with self._path.open("ab", buffering=0) as file:
            file.write(chunk)

    def read(self) -> bytes | None:
        """Return what was kept, or None where there is nothing that may still be good."""
        try:
            status = self._path.lstat()
            if time.time() - status.st_mtime < OLDEST and 0 < status.st_size <= _LARGEST and self._path.is_file():
                return self._path.read_bytes()
        except OSError:
            return None
        return None

    def forget(self) -> None:
        """Remove the file: its picture is saved, or gone for good."""
        with contextlib.suppress(OSError):
            self._path.unlink(missing_ok=True)
