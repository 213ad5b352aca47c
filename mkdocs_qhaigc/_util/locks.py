"""Locks between processes: files in a folder, each held by one owner. The only module that imports filelock."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from pathlib import Path


def hold(folder: Path, name: str, *, seconds: float) -> AbstractContextManager[object]:
    """Return a lock that is held already and released when its context ends. Wait at most `seconds` for it.

    Raises:
        TimeoutError: another process still holds it.
        OSError: the folder cannot be written.
    """
    import filelock  # a build that generates nothing needs no locks

    folder.mkdir(parents=True, exist_ok=True)
    return filelock.FileLock(folder / f"{name}.lock", timeout=seconds).acquire()


@contextmanager
def hold_all(folder: Path, names: Iterable[str], *, seconds: float) -> Iterator[None]:
    """Hold several locks, each waited for at most `seconds`. Raises as `hold`.

    They are taken in alphabetical order, so that two processes that want the same ones never wait for each other.
    """
    with ExitStack() as held:
        for name in sorted(set(names)):
            held.enter_context(hold(folder, name, seconds=seconds))
        yield
