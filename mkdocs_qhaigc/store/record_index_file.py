"""Index of a store's records: a later build takes from it what they say, and need not open them.

Losing or damaging this file is harmless: then the records are read again.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
from collections.abc import Container, Mapping
from functools import cached_property
from pathlib import Path
from typing import Any

from mkdocs_qhaigc._util.files import atomic_write
from mkdocs_qhaigc.imaging.formats import COLOUR, EXTENSIONS
from mkdocs_qhaigc.store.record import StoredImage

_SCHEMA = 4
_SHA256 = re.compile(r"[0-9a-f]{64}")

Stamp = tuple[int, int]
"""A file's modification time in nanoseconds, and its size in bytes."""


class RecordIndex:
    """The index of one store, read when the first image is looked up."""

    def __init__(self, path: Path | None, folder: Path) -> None:
        """Use a file and a store's folder, which need not exist. Without a `path` nothing is remembered."""
        self._path = path
        self._prefix = f"{folder}{os.sep}"  # a `Path` for each of thousands would be slow
        self._learned: dict[str, tuple[Any, ...]] = {}

    def recall(self, record: str, key: str, stamps: Mapping[str, Stamp]) -> StoredImage | None:
        """Return the image of a record; `None` if the record must be read, as it or its image may have changed.

        `stamps` are those of the folder's files, by name.
        """
        row, stamp = self._rows.get(record), stamps.get(record)
        if row is None or stamp is None or row[:3] != (*stamp, key):
            return None
        _, _, _, sha256, format_, width, height, size, colour = row
        file = f"{record.removesuffix('.json')}.{EXTENSIONS[format_]}"
        if stamps.get(file, (0, -1))[1] != size:
            return None
        return StoredImage(self._prefix + file, key, sha256, format_, width, height, size, colour or None)

    @cached_property
    def _rows(self) -> dict[str, tuple[Any, ...]]:
        return _read(self._path) if self._path else {}

    def learn(self, record: str, stamp: Stamp, image: StoredImage) -> None:
        """Remember the image of a record that has just been read."""
        sizes = (image.width, image.height, image.size)
        self._learned[record] = (*stamp, image.key, image.sha256, image.format, *sizes, image.colour or "")

    def write(self, records: Container[str]) -> None:
        """Write what was learned, and keep of the earlier rows those of these records."""
        if not self._learned or not self._path:
            return
        rows = {name: row for name, row in self._rows.items() if name in records} | self._learned
        with contextlib.suppress(OSError):  # without it the next build reads the records, which is only slower
            self._path.parent.mkdir(parents=True, exist_ok=True)
            atomic_write(self._path, json.dumps({"schema": _SCHEMA, "records": rows}).encode())


def _read(path: Path) -> dict[str, tuple[Any, ...]]:
    """Return the valid rows of an index; empty if the file is not one."""
    try:
        content = json.loads(path.read_bytes())
        records = content["records"] if content["schema"] == _SCHEMA else {}
        return {name: tuple(row) for name, row in records.items() if _is_row(row)}
    except (OSError, ValueError, TypeError, KeyError, AttributeError, RecursionError):
        return {}


def _is_row(row: Any) -> bool:
    return (
        isinstance(row, list)
        and list(map(type, row)) == [int, int, str, str, str, int, int, int, str]
        and _SHA256.fullmatch(row[3]) is not None
        and row[4] in EXTENSIONS
        and 0 < min(row[5:8]) <= max(row[5:8]) < 1 << 40
        and (not row[8] or COLOUR.fullmatch(row[8]) is not None)
    )
