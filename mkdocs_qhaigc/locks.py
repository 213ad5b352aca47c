"""Locks between processes: files in a folder, each held by one owner. The one owner of filelock."""

from __future__ import annotations

from contextlib import AbstractContextManager
from pathlib import Path


def hold(folder: Path, name: str, *, seconds: float) -> AbstractContextManager[object]:
    """Return a lock that is held already, and free again when its context ends; wait for it at most so long.

    Raises:
        TimeoutError: another process holds it still.
        OSError: the folder cannot be written.
    """
    import filelock  # a build that buys nothing needs no locks

    folder.mkdir(parents=True, exist_ok=True)
    return filelock.FileLock(folder / f"{name}.lock", timeout=seconds).acquire()
