"""What lies in a folder of originals, known without opening a file.

One look at the folder gives every file's size and time. What a record with that size and time said when it was last
read stands in an index, which may be lost or wrong without harm: then the record is read again.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
from pathlib import Path
from typing import Any

from mkdocs_qhaigc._util.files import atomic_write
from mkdocs_qhaigc.store.record import COLOUR, EXTENSIONS, StoredImage

_SCHEMA = 3
_SHA256 = re.compile(r"[0-9a-f]{64}")


class Listing:
    """The files of a folder, and what an index remembers of its records."""

    def __init__(self, folder: Path, index: Path | None) -> None:
        """Neither needs to exist. Without an `index` nothing is remembered."""
        self._folder = folder
        self._prefix = f"{folder}{os.sep}"  # a Path for each of thousands takes long
        self._index = index
        self._stamps: dict[str, tuple[int, int]] = {}
        """Of regular files: name -> (nanoseconds of the last change, bytes)."""
        self.names: list[str] = []
        """Of everything in the folder, sorted."""
        self._remembered = _read(index) if index else {}
        self._learned: dict[str, list[Any]] = {}

    def refresh(self) -> None:
        """Look at the folder.

        Raises:
            OSError: it cannot be read; that it is not there is no error.
        """
        self._stamps, self.names = {}, []
        try:
            entries = os.scandir(self._folder)
        except FileNotFoundError:
            return
        with entries:
            for entry in entries:
                self.names.append(entry.name)
                if not entry.is_file(follow_symlinks=False):
                    continue
                try:
                    status = entry.stat(follow_symlinks=False)
                except FileNotFoundError:  # removed since, by another process
                    continue
                self._stamps[entry.name] = (status.st_mtime_ns, status.st_size)
        self.names.sort()

    def original(self, name: str, key: str) -> StoredImage | None:
        """Return the original of a record that is as it was when it was last read; None: it has to be read."""
        row, stamp = self._remembered.get(name), self._stamps.get(name)
        if row is None or stamp is None or row[:3] != [*stamp, key]:
            return None
        _, _, _, sha256, format_, width, height, size, sandbox, colour = row
        image = f"{name.removesuffix('.json')}.{EXTENSIONS[format_]}"
        if self._stamps.get(image, (0, -1))[1] != size:
            return None
        return StoredImage(self._prefix + image, key, sha256, format_, width, height, size, sandbox, colour or None)

    def learn(self, name: str, original: StoredImage) -> None:
        """Remember what a record says that was just read."""
        stamp = self._stamps.get(name)
        if stamp:
            of = original
            size = (of.width, of.height, of.size)
            self._learned[name] = [*stamp, of.key, of.sha256, of.format, *size, of.sandbox, of.colour or ""]

    def forget(self, name: str) -> None:
        """Have a record read again: it is another one since the folder was looked at."""
        self._stamps.pop(name, None)

    def write(self) -> None:
        """Write the index, if there is something new in it."""
        if not self._learned or not self._index:
            return
        rows = {name: row for name, row in self._remembered.items() if name in self._stamps} | self._learned
        with contextlib.suppress(OSError):  # without it the next build reads the records: slower, no worse
            self._index.parent.mkdir(parents=True, exist_ok=True)
            atomic_write(self._index, json.dumps({"schema": _SCHEMA, "records": rows}).encode())


def _read(index: Path) -> dict[str, list[Any]]:
    """Return the rows of an index that are such; none where it is none."""
    try:
        content = json.loads(index.read_bytes())
        records = content["records"] if content["schema"] == _SCHEMA else {}
        return {name: row for name, row in records.items() if _is_row(row)}
    except (OSError, ValueError, TypeError, KeyError, AttributeError, RecursionError):
        return {}


def _is_row(row: Any) -> bool:
    return (
        isinstance(row, list)
        and list(map(type, row)) == [int, int, str, str, str, int, int, int, bool, str]
        and _SHA256.fullmatch(row[3]) is not None
        and row[4] in EXTENSIONS
        and 0 < min(row[5:8]) <= max(row[5:8]) < 1 << 40
        and (not row[9] or COLOUR.fullmatch(row[9]) is not None)
    )
