"""The cache of encoded variants and placeholders: what can be computed again, so losing it costs seconds, never money.

The one owner of diskcache, in a form that is safe on a folder that others may have written: text keys, bytes as values,
nothing is ever unpickled, and no path leaves the folder.
"""

from __future__ import annotations

import atexit
import contextlib
import functools
import hashlib
import os
import shutil
import sqlite3
import tempfile
import threading
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

from diskcache import Cache, Disk
from diskcache.core import MODE_BINARY

from mkdocs_qhaigc.errors import CacheError
from mkdocs_qhaigc.imaging.seen import VALUE_FILE

SIZE_LIMIT = 1 << 30
"""Bytes; the least recently used variants go first."""
_LOOKUPS_AT_ONCE = 200
"""Open files held within one transaction."""


class _ContainedDisk(Disk):  # type: ignore[misc]  # diskcache has no types
    """Keys are texts, values are files of bytes in the folder itself; any other row counts as not there."""

    def filename(self, key: Any = None, value: Any = None) -> tuple[str, str]:
        """Return the name of a new file and its path: without the folders in between, each of which may be a link."""
        name = f"{os.urandom(16).hex()}.val"
        return name, os.path.join(self._directory, name)  # noqa: PTH118

    def put(self, key: Any) -> tuple[str, bool]:
        if not isinstance(key, str):
            raise TypeError("keys of variants are texts")
        return key, True

    def get(self, key: Any, raw: Any) -> str:
        return key if raw and isinstance(key, str) else ""

    def fetch(self, mode: Any, filename: Any, value: Any, read: Any) -> Any:
        if mode != MODE_BINARY or not isinstance(filename, str) or not _is_value(self._directory, filename):
            raise FileNotFoundError(filename)
        return super().fetch(mode, filename, value, read)

    def remove(self, file_path: Any) -> None:
        if isinstance(file_path, str) and _is_value(self._directory, file_path):
            super().remove(file_path)


def _is_value(folder: str, filename: str) -> bool:
    """Whether a name is that of a value's file, and no link has that name."""
    return bool(VALUE_FILE.fullmatch(filename)) and not os.path.islink(os.path.join(folder, filename))  # noqa: PTH114, PTH118


class Variants:
    """Encoded images by key. Safe to use from several threads and processes at once."""

    def __init__(self, folder: Path, *, report: Callable[[str], None]) -> None:
        """Read the index of a cache, which need not exist yet. `report` is told where it cannot be written.

        Raises:
            sqlite3.DatabaseError: its index is damaged.
        """
        self._keys = _read_index(folder / "cache.db")
        self._folder = folder
        self._report = report
        self._opened: Cache | None = None
        self._opening = threading.Lock()
        self._lock = threading.Lock()
        if not self._keys:
            self._open()

    def __contains__(self, key: str) -> bool:
        """Whether a variant was there when last looked; `paths` tells for certain."""
        with self._lock:
            return key in self._keys

    def paths(self, keys: Iterable[str]) -> dict[str, str]:
        """Return the paths of the whole and undamaged ones of these variants, and mark them as used now."""
        wanted = list(set(keys))
        found: dict[str, str] = {}
        with self._translated():
            for start in range(0, len(wanted), _LOOKUPS_AT_ONCE):
                found |= self._look_up(wanted[start : start + _LOOKUPS_AT_ONCE])
        with self._lock:
            self._keys.difference_update(key for key in wanted if key not in found)
        return found

    def store(self, key: str, data: bytes) -> None:
        """Keep a variant's bytes."""
        with self._translated():
            # Not `set`: it would remove the file that another process was given for this key and is about to copy.
            self._open().add(key, data, tag=hashlib.sha256(data).hexdigest(), retry=True)
        with self._lock:
            self._keys.add(key)

    def shrink(self, *, in_use: Iterable[str]) -> None:
        """Remove what was used least recently, over the limit; never below twice the size of one build's files."""
        with self._translated():
            cache = self._open()
            cache.reset("size_limit", max(SIZE_LIMIT, 2 * sum(map(os.path.getsize, in_use))))
            cache.cull(retry=True)

    def close(self) -> None:
        """Close this thread's connection; the next use opens another."""
        if self._opened:
            self._opened.close()

    def _open(self) -> Cache:
        """Return the cache, opened; a temporary one where its folder cannot be written."""
        with self._opening:
            if self._opened is None:
                self._opened = _open_cache(self._folder, self._report)
            return self._opened

    @contextlib.contextmanager
    def _translated(self) -> Iterator[None]:
        try:
            yield
        except (sqlite3.Error, OSError) as error:
            what = f"{self._folder} cannot be used ({error})"
            raise CacheError(f"{what}. Every image that was bought is saved. Make space, or remove it") from error

    def _look_up(self, keys: list[str]) -> dict[str, str]:
        opened: list[tuple[str, Any, str]] = []
        damaged: list[str] = []
        cache = self._open()
        with cache.transact(retry=True):
            for key in keys:
                file, digest = cache.get(key, read=True, tag=True, retry=True)
                if file is not None:
                    opened.append((key, file, digest))
                elif key in cache:
                    damaged.append(key)
        found: dict[str, str] = {}
        for key, file, digest in opened:
            with file:
                data = file.read()
            if hashlib.sha256(data).hexdigest() == digest:
                found[key] = file.name
            else:
                damaged.append(key)
        for key in damaged:
            cache.delete(key, retry=True)
        return found


def _read_index(index: Path) -> set[str]:
    """Return all keys, and so find damage before diskcache does, which meets it in mid-build or waits for ever.

    Raises:
        sqlite3.DatabaseError: the index is damaged.
    """
    if not index.exists():
        return set()
    with contextlib.closing(sqlite3.connect(index, timeout=60)) as connection:
        try:
            (state,) = connection.execute("PRAGMA integrity_check(1)").fetchone()
            if state != "ok":
                raise sqlite3.DatabaseError(str(state).partition("\n")[0])
            if not connection.execute("SELECT 1 FROM sqlite_master WHERE name='Cache'").fetchone():
                return set()
            rows = connection.execute("SELECT key FROM Cache WHERE raw").fetchall()
        except UnicodeError as error:
            raise sqlite3.DatabaseError("it holds texts that are none") from error
        except sqlite3.OperationalError as error:
            if "decode" in str(error):
                raise sqlite3.DatabaseError("it holds texts that are none") from error
            raise
    return {key for (key,) in rows if isinstance(key, str)}


def open_variants(folder: Path, *, report: Callable[[str], None]) -> Variants:
    """Return the cache in a folder; a temporary one where the folder cannot be used. `report` is told of trouble."""
    try:
        return Variants(folder, report=report)
    except (sqlite3.OperationalError, OSError) as error:
        report(_unusable(folder, error))
    except sqlite3.DatabaseError as error:
        try:
            aside = _set_aside(folder)
        except OSError as kept:  # on Windows, while another process has a file of it open
            report(
                f"{folder} is damaged ({error}) and cannot be renamed ({kept.strerror or kept}). Remove it; "
                "until then images are encoded anew"
            )
        else:
            report(f"{folder} is damaged ({error}). It is kept as {aside.name}; its images are encoded again")
            return Variants(folder, report=report)
    return Variants(_temporary_folder(), report=report)


@functools.cache
def _temporary_folder() -> Path:
    """Return a folder that lasts as long as this process: `mkdocs serve` encodes once what it shows."""
    folder = tempfile.mkdtemp(prefix="mkdocs-qhaigc-")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return Path(folder)


def _open_cache(folder: Path, report: Callable[[str], None]) -> Cache:
    """Return the cache in a folder; a temporary one where it cannot be written, of which `report` is told.

    Raises:
        sqlite3.DatabaseError: its index is damaged.
    """
    try:
        return _cache_in(folder)
    except (sqlite3.OperationalError, OSError) as error:
        report(_unusable(folder, error))
    return _cache_in(_temporary_folder())


def _cache_in(folder: Path) -> Cache:
    return Cache(
        str(folder),
        disk=_ContainedDisk,
        disk_min_file_size=0,
        eviction_policy="least-recently-used",
        size_limit=SIZE_LIMIT,
        cull_limit=0,  # nothing is evicted in mid-build: the site's files are copied from here at its end
        statistics=0,
        tag_index=0,
    )


def _unusable(folder: Path, error: sqlite3.Error | OSError) -> str:
    reason = getattr(error, "strerror", None) or error
    return f"{folder} cannot be used ({reason}). Images are encoded anew in every build until it can"


def _set_aside(folder: Path) -> Path:
    count = 1
    while (aside := folder.with_name(f"{folder.name}.damaged-{count}")).exists():
        count += 1
    folder.rename(aside)
    return aside
