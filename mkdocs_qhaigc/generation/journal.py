"""Answers that were paid for, kept while they arrive and until their images are saved.

A build that ends in between, killed even, loses nothing: the next one reads what was kept before it buys anything. What
is kept is the body of the API's answer, as far as it came; one that was cut short is no JSON and counts as none. Of a
call for several images each has the whole body under a name of its own, which says which of the body's images is
meant (`KEY.2.json`; the first without a number). It is one file with several names: as many copies would take the room
of the images. Where a file cannot have several, there are copies.
"""

from __future__ import annotations

import contextlib
import math
import os
import re
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from mkdocs_qhaigc.api.bodies import LARGEST_BODY, MOST_IN_ONE_CALL

ANSWERS = "answers"
"""The folder of the cache for them."""
OLDEST = 24 * 3600
"""Seconds after which an address in a kept answer has expired, unless it still leads to its image."""
SETTLED = 3600
"""Seconds until which an address that leads to nothing may yet lead to its image: it is not everywhere at once."""
_POSITION = re.compile(r".+\.([0-9]{1,4})\.json")


class Arrival:
    """The file in which one answer is kept."""

    def __init__(self, path: Path) -> None:
        """`path`: `KEY.json`. The file and its folder need not exist yet."""
        self._path = path

    def begin(self, position: int = 0) -> None:
        """Start anew: the body of an answer follows, whose image at this position is meant.

        Raises:
            OSError: nothing can be written there.
        """
        self._path.parent.mkdir(parents=True, exist_ok=True)
        self._remove()
        self._at(position).open("xb").close()  # a file of its own: never through a link that lies there

    def share(self, first: Arrival, position: int) -> None:
        """Start anew: have the body that another one has begun to keep, whose image at this position is meant.

        Raises:
            OSError: a file cannot have two names there.
        """
        self._remove()
        os.link(first._path, self._at(position))

    def add(self, chunk: bytes) -> None:
        """Keep the next bytes, at once.

        Raises:
            OSError: they cannot be written.
        """
        with self._file.open("ab", buffering=0) as file:
            file.write(chunk)

    @property
    def age(self) -> float:
        """Seconds since the answer came, or until then where a clock was wrong; without end where nothing says it."""
        try:
            return abs(time.time() - self._file.lstat().st_mtime)
        except OSError:
            return math.inf

    def read(self) -> tuple[int, bytes] | None:
        """Return the image's position and the body, or None where there is nothing that can be read."""
        try:
            file = self._file
            status = file.lstat()
            if 0 < status.st_size <= MOST_IN_ONE_CALL * LARGEST_BODY and file.is_file():
                position = _POSITION.fullmatch(file.name)
                return int(position[1]) if position else 0, file.read_bytes()
        except OSError:
            return None
        return None

    def forget(self) -> None:
        """Remove the file: its image is saved, or gone for good."""
        with contextlib.suppress(OSError):
            self._remove()

    @property
    def _file(self) -> Path:
        """The file, by the name that it has."""
        if os.path.lexists(self._path):
            return self._path
        return min(self._other_names(), default=self._path)

    def _at(self, position: int) -> Path:
        return self._path.with_suffix(f".{position}.json") if position else self._path

    def _other_names(self) -> Iterator[Path]:
        """Yield every name but the first one's that it has."""
        return self._path.parent.glob(f"{self._path.stem}.*.json")

    def _remove(self) -> None:
        for path in (self._path, *self._other_names()):
            path.unlink(missing_ok=True)


class Arrivals:
    """The files in which the answer to one call for several images is kept."""

    def __init__(self, files: Sequence[Arrival]) -> None:
        """One for each image, in the order in which they are expected."""
        self._files = files
        self._written: list[Arrival] = []
        """Those into which the body is written: the first, and copies where it cannot have further names."""
        self.begun = False
        """Whether an answer has come, or a part of one; else the files are what an earlier one has left."""
        self.kept = False
        """Whether all that has come since `begin` is in the files."""

    def begin(self) -> None:
        """Start anew: the body of an answer follows.

        Raises:
            OSError: nothing can be written there.
        """
        self.kept, self.begun, self._written = False, True, []
        first, *others = self._files
        first.begin()
        self._written.append(first)
        for position, file in enumerate(others, start=1):
            try:
                file.share(first, position)
            except OSError:
                file.begin(position)
                self._written.append(file)
        self.kept = True

    def add(self, chunk: bytes) -> None:
        """Keep the next bytes, at once. What cannot be kept whole goes: it is of no use, and takes the images' room.

        Raises:
            OSError: they cannot be written.
        """
        try:
            for file in self._written:
                file.add(chunk)
        except OSError:
            self.kept, self._written = False, []
            self.forget()
            raise

    def forget(self) -> None:
        """Remove the files."""
        for file in self._files:
            file.forget()
