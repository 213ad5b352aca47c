"""Locks between processes: files in a folder, each held by one owner. The only module that imports filelock."""

from __future__ import annotations

import functools
import logging
import os
from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from pathlib import Path

log = logging.getLogger(__name__)


def hold(folder: Path, name: str, *, seconds: float) -> AbstractContextManager[object]:
    """Return a lock that is held already and released when its context ends. Wait at most `seconds` for it.

    On a file system without locks, a file that names its owner's process is the lock. It holds on one machine, where
    the next process notices that the owner has ended.

    Raises:
        TimeoutError: another process still holds it.
        OSError: the folder cannot be written.
    """
    import filelock  # a build that generates nothing needs no locks

    folder.mkdir(parents=True, exist_ok=True)
    if has_locks(folder):
        path = folder / f"{name}.lock"
        _create(path)
        return filelock.FileLock(path, timeout=seconds).acquire()
    _note_lack(folder)
    return filelock.SoftFileLock(folder / f"{name}.held", timeout=seconds).acquire()


def _create(path: Path) -> None:
    """Create a lock's file, if there is none: filelock would try first whether its folder has locks, which is known."""
    if os.name != "nt":
        os.close(os.open(path, os.O_RDONLY | os.O_CREAT | os.O_NOFOLLOW, 0o666))


@contextmanager
def hold_all(folder: Path, names: Iterable[str], *, seconds: float) -> Iterator[None]:
    """Hold several locks, each waited for at most `seconds`. Raises as `hold`.

    They are taken in alphabetical order, so that two processes that want the same ones never wait for each other.
    """
    with ExitStack() as held:
        for name in sorted(set(names)):
            held.enter_context(hold(folder, name, seconds=seconds))
        yield


@functools.cache
def has_locks(folder: Path) -> bool:
    """Whether files of a folder can be locked, in the way of filelock and in that of SQLite. Some mounts cannot.

    Raises:
        OSError: the folder cannot be written.
    """
    if os.name == "nt":
        return True
    import fcntl

    descriptor = os.open(folder / ".locks", os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o666)
    try:
        for lock in (fcntl.flock, fcntl.lockf):
            lock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except (BlockingIOError, PermissionError):  # another process looks at the same time
        return True
    except OSError:
        return False
    finally:
        os.close(descriptor)
    return True


@functools.cache
def _note_lack(folder: Path) -> None:
    log.info(
        "%s is on a file system without file locks: nothing is bought twice as long as one machine builds the site. "
        "Several machines at once need `cache_dir` on a file system with locks",
        folder,
    )
