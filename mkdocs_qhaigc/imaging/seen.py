"""What of the cache of variants was seen to be whole a short while ago: found again without opening it.

A variant's size and time are those that it had when its bytes were last compared with their digest. What is remembered
may be lost or wrong without harm: then the cache itself is asked, as it is for everything once a day.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import stat
import time
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from mkdocs_qhaigc._util.files import atomic_write

_SCHEMA = 1
_LOOKED_EVERY = 24 * 3600
"""Seconds after which nothing is believed any more: what is used is compared, and marked as used, once a day."""
VALUE_FILE = re.compile(r"[0-9a-f]{32}\.val")
"""The names of values' files, which lie in the cache's own folder: no name leads out of it."""


class Seen:
    """What is remembered of one cache of variants."""

    def __init__(self, folder: Path, index: Path) -> None:
        """`folder` is the cache's, `index` the file of what is remembered; neither needs to exist."""
        self._folder = folder
        self._index = index
        self._looked, self._rows = _read(index)
        self._learned = False

    def __contains__(self, key: str) -> bool:
        """Whether a variant was there when last looked; `paths` tells for certain."""
        identity, _, rest = key.partition("|")
        return rest in self._rows.get(identity, ())

    def paths(self, keys: Iterable[str]) -> dict[str, str]:
        """Return the paths of those of these variants that have not changed since they were seen to be whole.

        The others are not remembered any longer.
        """
        found: dict[str, str] = {}
        folder = f"{self._folder}{os.sep}"
        for key in keys:
            identity, _, rest = key.partition("|")
            row = self._rows.get(identity, {}).get(rest)
            if row is None:
                continue
            filename, *stamp = row
            path = folder + filename
            if VALUE_FILE.fullmatch(filename) and _stamp(path) == stamp:
                found[key] = path
            else:
                del self._rows[identity][rest]
        return found

    def learn(self, found: Mapping[str, str]) -> None:
        """Remember variants that were just seen to be whole: their paths, by key."""
        for key, name in found.items():
            stamp, path = _stamp(name), Path(name)
            if stamp and path.parent == self._folder:
                identity, _, rest = key.partition("|")
                self._rows.setdefault(identity, {})[rest] = [path.name, *stamp]
                self._learned = True

    def write(self) -> None:
        """Write down what was learned, for the next build."""
        if not self._learned:
            return
        content = {"schema": _SCHEMA, "looked": self._looked, "variants": self._rows}
        with contextlib.suppress(OSError):  # without it the next build asks the cache: slower, no worse
            self._index.parent.mkdir(parents=True, exist_ok=True)
            atomic_write(self._index, json.dumps(content).encode())


def _stamp(path: str) -> list[int] | None:
    """Return when a file was changed, in nanoseconds, and its bytes; None where it is no file, or a link."""
    try:
        status = os.lstat(path)
    except OSError:
        return None
    return [status.st_mtime_ns, status.st_size] if stat.S_ISREG(status.st_mode) else None


def _read(index: Path) -> tuple[float, dict[str, dict[str, list[Any]]]]:
    """Return when the oldest of what is remembered was looked at, and the rows; none where they cannot be believed."""
    now = time.time()
    try:
        content = json.loads(index.read_bytes())
        looked, rows = content["looked"], content["variants"]
        if content["schema"] == _SCHEMA and 0 <= now - looked < _LOOKED_EVERY and _are_rows(rows):
            return looked, rows
    except (OSError, ValueError, TypeError, KeyError, RecursionError):
        pass
    return now, {}


def _are_rows(rows: Any) -> bool:
    return isinstance(rows, dict) and all(
        isinstance(of_one, dict)
        and all(isinstance(row, list) and list(map(type, row)) == [str, int, int] for row in of_one.values())
        for of_one in rows.values()
    )
