"""The cache of renditions: encoded files of images, by key. What it loses is encoded again, at no cost but time.

The one owner of diskcache, which is made safe on a folder that others may have written: keys are texts, values are
files of bytes in the folder itself, nothing is ever unpickled.

Over its size limit the renditions that were stored first are removed first. diskcache could remove those that have not
been used for longest, but writes to its index at each look-up for that: 28 ms instead of 7 for 600 of them.
"""

from __future__ import annotations

import atexit
import errno
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
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, TypeVar

from diskcache import Cache, Disk, Timeout
from diskcache.core import MODE_BINARY

from mkdocs_qhaigc._util.files import reason_of
from mkdocs_qhaigc._util.locks import has_locks
from mkdocs_qhaigc.errors import CacheError

log = logging.getLogger(__name__)
T = TypeVar("T")

SIZE_LIMIT = 1 << 30
"""Bytes."""
_PATIENCE = 10.0
"""Seconds to wait for transactions of other processes, which take milliseconds."""
_VALUE_FILE = re.compile(r"[0-9a-f]{32}\.val")
_FAILURES = (AssertionError, sqlite3.Error, OSError, UnicodeError, Timeout)
"""`Timeout` is what diskcache raises if a transaction cannot begin, for any reason. It is not asked to retry: it would
for ever, for example on a disk that is read-only by now."""


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
        path = f"{self._directory}{os.sep}{filename}"  # a warm build asks for each image of the site
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
    """Return a file's size and time of modification: if they are unchanged, its bytes are not hashed again.

    Raises:
        FileNotFoundError: it is not a regular file, but a link, for example.
    """
    status = os.lstat(path)
    if not stat.S_ISREG(status.st_mode):
        raise FileNotFoundError(path)
    return f"{status.st_size} {status.st_mtime_ns}"


class RenditionCache:
    """Renditions by key. Safe to use from several threads and processes at once.

    If the folder cannot be used, a note is logged and a temporary one is used: nothing is wrong with the site. A
    damaged folder is renamed aside: when the cache is opened, or by `close` if the damage is met later, because paths
    in it are in use until then. Methods raise `CacheError` if no folder can be used.
    """

    def __init__(self, folder: Path) -> None:
        """`folder` need not exist."""
        self._folder = folder
        self._damaged = False
        self._replaced = False
        """Whether the temporary cache is used."""
        self._lock = threading.RLock()
        self._cache = self._open()

    def paths(self, keys: Iterable[str]) -> dict[str, str]:
        """Return the paths, by key, of the renditions that are present and unchanged."""
        keys = list(keys)

        def look_up(cache: Cache) -> dict[str, str]:
            return {key: path for key in keys if (path := cache.get(key, read=True)) is not None}

        return self._use(look_up)

    def store(self, key: str, data: bytes) -> None:
        """Store a rendition's bytes."""

        def add_or_replace(cache: Cache) -> None:
            # Another process may be about to copy the file that is there, so a whole one is not replaced.
            if not cache.add(key, data) and cache.get(key, read=True) is None:
                cache.set(key, data)

        self._use(add_or_replace)

    def shrink(self, *, in_use: Iterable[str]) -> None:
        """Remove the oldest renditions over the limit, which is at least twice the size of the files `in_use`."""
        try:
            self._cache.reset("size_limit", max(SIZE_LIMIT, 2 * sum(map(os.path.getsize, in_use))))
            self._cache.cull()
        except _FAILURES as error:
            log.info("%s cannot be kept within its size now (%s)", self._folder, reason_of(_cause(error)))

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
            except _FAILURES as error:
                if not _is_damage(error):
                    _note_unusable(self._folder, reason_of(error))
                    break
                aside = _rename_aside(self._folder)
                if aside is None:
                    break
                log.warning(
                    "%s is damaged (%s). It is kept as %s; its images are encoded again.",
                    *(self._folder, error, aside.name),
                )
        self._replaced = True
        return _temporary_cache()

    def _use(self, action: Callable[[Cache], T]) -> T:
        """Return what an action on the cache returns. If the cache fails, the temporary one is used from then on.

        Raises:
            CacheError: the temporary one fails, too.
        """
        while True:
            cache = self._cache
            try:
                return action(cache)
            except _FAILURES as error:
                if isinstance(error, AssertionError):
                    cache.close()  # else this thread's transaction, which has not ended, keeps all others waiting
                with self._lock:
                    if cache is self._cache:  # else another thread has replaced it meanwhile
                        self._replace(_cause(error))

    def _replace(self, error: BaseException) -> None:
        if self._replaced:
            raise _no_folder(error) from error
        self._replaced = True
        self._damaged = _is_damage(error)
        if self._damaged:
            log.warning("%s is damaged (%s). Its images are encoded again.", self._folder, error)
        else:
            _note_unusable(self._folder, reason_of(error))
        self._cache = _temporary_cache()


def _cache_in(folder: Path) -> Cache:
    """Return the cache in a folder. SQLite notices here that its index was cut off: the header says how long it is."""
    folder.mkdir(parents=True, exist_ok=True)
    if not has_locks(folder):  # SQLite would wait for a minute
        raise OSError(errno.ENOLCK, "its file system has no file locks")
    return Cache(
        str(folder),
        timeout=_PATIENCE,
        disk=_PathDisk,
        disk_min_file_size=0,
        eviction_policy="least-recently-stored",
        size_limit=SIZE_LIMIT,
        cull_limit=0,  # nothing is evicted during a build: the site's files are copied from here at its end
        statistics=0,
        tag_index=0,
    )


def _cause(error: BaseException) -> BaseException:
    """Return the reason why a transaction could not begin or end; the error itself if it is another one."""
    if isinstance(error, AssertionError):  # diskcache's: two threads write to two files
        return OSError(errno.ESTALE, "its index was removed while it was in use")
    return error.__context__ or error if isinstance(error, Timeout) else error


def _is_damage(error: BaseException) -> bool:
    """Whether the index itself is damaged, rather than locked or out of reach."""
    if isinstance(error, sqlite3.OperationalError):
        return any(words in str(error) for words in ("decode", "no such", "malformed"))
    return isinstance(error, (sqlite3.DatabaseError, UnicodeError))


@functools.cache  # a plugin may build the site once for each language
def _note_unusable(folder: Path, reason: str) -> None:
    log.info(
        "%s cannot be used (%s), so images are encoded anew in every build. Set `cache_dir` to a folder that can be "
        "written, and they are encoded once",
        *(folder, reason),
    )


def _rename_aside(folder: Path) -> Path | None:
    """Return the new name of a damaged cache; `None` if it cannot be renamed, and a warning is logged."""
    count = 1
    try:
        while os.path.lexists(aside := folder.with_name(f"{folder.name}.damaged-{count}")):
            count += 1
        return folder.rename(aside)
    except OSError as error:  # on Windows, while another process has a file of it open
        log.warning(
            "%s is damaged and cannot be renamed (%s). Remove it; until then images are encoded anew.",
            *(folder, reason_of(error)),
        )
        return None


def _temporary_cache() -> Cache:
    try:
        return _cache_in(_temporary_folder())
    except _FAILURES as error:
        raise _no_folder(error) from error


def _no_folder(error: BaseException) -> CacheError:
    return CacheError(
        f"encoded images can be kept neither in `cache_dir` nor in a temporary folder ({reason_of(_cause(error))}). "
        "Make one of them writable, with space left: the option `cache_dir`, or the environment variable TMPDIR"
    )


@functools.cache
def _temporary_folder() -> Path:
    """Return a folder that is removed when this process ends, so that `mkdocs serve` encodes each image once."""
    folder = tempfile.mkdtemp(prefix="mkdocs-qhaigc-")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return Path(folder)
