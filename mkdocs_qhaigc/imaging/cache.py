"""The cache of renditions: encoded files of images, by key. What it loses is encoded again, at no cost but time.

Owns diskcache, and makes it safe on a folder that others may have written: keys are texts, values are files of bytes
in the folder itself, nothing is ever unpickled.
"""

from __future__ import annotations

import atexit
import functools
import hashlib
import logging
import os
import re
import shutil
import sqlite3
import stat
import tempfile
import threading
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from diskcache import Cache, Disk
from diskcache.core import MODE_BINARY

from mkdocs_qhaigc.errors import CacheError

log = logging.getLogger(__name__)

SIZE_LIMIT = 1 << 30
"""Bytes; the oldest renditions are removed first."""
_VALUE_FILE = re.compile(r"[0-9a-f]{32}\.val")


class _PathDisk(Disk):  # type: ignore[misc]  # diskcache has no types
    """Stores bytes as files, and returns the paths of those that are unchanged; any other row counts as absent."""

    def filename(self, key: Any = None, value: Any = None) -> tuple[str, str]:
        name = f"{os.urandom(16).hex()}.val"  # in no folder of its own, which might be a link
        return name, os.path.join(self._directory, name)  # noqa: PTH118 - called for every file

    def put(self, key: Any) -> tuple[str, bool]:
        return str(key), True

    def get(self, key: Any, raw: Any) -> str:
        return key if raw and isinstance(key, str) else ""

    def store(self, value: Any, read: Any, key: Any = None) -> tuple[int, int, str, str]:
        size, mode, filename, _ = super().store(value, read, key)
        stamp = _stamp(os.path.join(self._directory, filename))  # noqa: PTH118
        return size, mode, filename, f"{stamp} {hashlib.sha256(value).hexdigest()}"

    def fetch(self, mode: Any, filename: Any, value: Any, read: Any) -> str:
        if mode != MODE_BINARY or not isinstance(value, str) or not _is_value_file(filename):
            raise FileNotFoundError(filename)
        path: str = os.path.join(self._directory, filename)  # noqa: PTH118
        stamp, _, digest = value.rpartition(" ")
        if _stamp(path) != stamp and hashlib.sha256(Path(path).read_bytes()).hexdigest() != digest:
            raise FileNotFoundError(filename)
        return path

    def remove(self, file_path: Any) -> None:
        if _is_value_file(file_path):
            super().remove(file_path)


def _is_value_file(name: object) -> bool:
    return isinstance(name, str) and bool(_VALUE_FILE.fullmatch(name))


def _stamp(path: str) -> str:
    """Return a file's size and time of modification, which tell whether its bytes are to be compared again.

    Raises:
        FileNotFoundError: it is no regular file, but a link, for example.
    """
    status = os.lstat(path)
    if not stat.S_ISREG(status.st_mode):
        raise FileNotFoundError(path)
    return f"{status.st_size} {status.st_mtime_ns}"


class RenditionCache:
    """Renditions by key. Safe to use from several threads and processes at once.

    Where the folder cannot be used, a temporary one is, and a warning is logged. A damaged index is renamed aside with
    its folder: at once when the cache is opened, and by `close` when damage is met later, since paths in it are in use.
    """

    def __init__(self, folder: Path) -> None:
        """`folder` need not exist."""
        self._folder = folder
        self._damaged = False
        self._lock = threading.RLock()
        self._cache = self._open()

    def paths(self, keys: Iterable[str]) -> dict[str, str]:
        """Return the paths, by key, of those of these renditions that are present and unchanged."""
        keys, cache = list(keys), self._cache
        try:
            found = ((key, cache.get(key, read=True, retry=True)) for key in keys)
            return {key: path for key, path in found if path is not None}
        except (sqlite3.Error, OSError) as error:
            self._leave(cache, error)
            return self.paths(keys)

    def store(self, key: str, data: bytes) -> None:
        """Keep a rendition's bytes."""
        cache = self._cache
        try:
            # Another process may be about to copy the file that is there, so only what is not whole is replaced.
            if not cache.add(key, data, retry=True) and not self.paths([key]):
                cache.set(key, data, retry=True)
        except (sqlite3.Error, OSError) as error:
            self._leave(cache, error)
            self.store(key, data)

    def shrink(self, *, in_use: Iterable[str]) -> None:
        """Remove the oldest renditions over the limit, which is at least twice the size of the files `in_use`."""
        try:
            self._cache.reset("size_limit", max(SIZE_LIMIT, 2 * sum(map(os.path.getsize, in_use))))
            self._cache.cull(retry=True)
        except (sqlite3.Error, OSError) as error:
            log.warning("%s cannot be kept within its size (%s).", self._folder, error)

    def close(self) -> None:
        """Close this thread's connection; the next use opens another."""
        self._cache.close()
        with self._lock:
            if self._damaged:
                self._damaged = False
                _rename_aside(self._folder)

    def _open(self) -> Cache:
        for _ in range(2):
            try:
                return _cache_in(self._folder)
            except (sqlite3.Error, OSError, UnicodeError) as error:
                if not _is_damage(error):
                    _warn_unusable(self._folder, error)
                    break
                aside = _rename_aside(self._folder)
                if aside is None:
                    break
                log.warning(
                    "%s is damaged (%s). It is kept as %s; its images are encoded again.",
                    *(self._folder, error, aside.name),
                )
        return _cache_in(_temporary_folder())

    def _leave(self, cache: Cache, error: Exception) -> None:
        """Go on in a temporary folder, unless another thread has left this cache already.

        Raises:
            CacheError: that is where it fails already.
        """
        with self._lock:
            if cache is not self._cache:
                return
            temporary = _temporary_folder()
            if Path(self._cache.directory) == temporary:
                raise CacheError(
                    f"{temporary} cannot be used ({error}). Every paid image is saved. Make space"
                ) from error
            self._damaged = _is_damage(error)
            _warn_unusable(self._folder, error)
            self._cache = _cache_in(temporary)


def _cache_in(folder: Path) -> Cache:
    cache = Cache(
        str(folder),
        disk=_PathDisk,
        disk_min_file_size=0,
        eviction_policy="least-recently-stored",  # others write at each look-up
        size_limit=SIZE_LIMIT,
        cull_limit=0,  # nothing is evicted during a build: the site's files are copied from here at its end
        statistics=0,
        tag_index=0,
    )
    for _ in cache:  # a truncated index is noticed here
        pass
    return cache


def _is_damage(error: Exception) -> bool:
    """Whether the index itself is at fault: not what the operating system says, nor a lock."""
    if isinstance(error, sqlite3.OperationalError):
        return any(words in str(error) for words in ("decode", "no such", "malformed"))
    return isinstance(error, (sqlite3.DatabaseError, UnicodeError))


def _warn_unusable(folder: Path, error: Exception) -> None:
    reason = getattr(error, "strerror", None) or error
    log.warning("%s cannot be used (%s). Images are encoded anew in every build until it can.", folder, reason)


def _rename_aside(folder: Path) -> Path | None:
    """Return the new name of a damaged cache; `None` if it cannot be renamed, of which a warning is logged."""
    count = 1
    try:
        while (aside := folder.with_name(f"{folder.name}.damaged-{count}")).exists():
            count += 1
        return folder.rename(aside)
    except OSError as error:  # on Windows, while another process has a file of it open
        reason = error.strerror or error
        log.warning(
            "%s is damaged and cannot be renamed (%s). Remove it; until then images are encoded anew.", folder, reason
        )
        return None


@functools.cache
def _temporary_folder() -> Path:
    """Return a folder that lasts as long as this process: `mkdocs serve` encodes once what it shows."""
    folder = tempfile.mkdtemp(prefix="mkdocs-qhaigc-")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return Path(folder)
