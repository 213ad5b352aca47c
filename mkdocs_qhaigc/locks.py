"""Keys that one thread of one process holds at a time: whoever waits finds what the owner has bought."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Iterator
from pathlib import Path

from mkdocs_qhaigc.errors import ApiError, NoFurtherCalls


@contextlib.contextmanager
def owning(folder: Path, keys: Iterable[str], *, timeout: float) -> Iterator[None]:
    """Hold keys against all other threads and processes that would buy them. `timeout` is in seconds, for each.

    Always in one order, so that two who want the same ones do not wait for each other.

    Raises:
        ApiError: another one has held a key for too long.
        NoFurtherCalls: the folder cannot be written.
    """
    import filelock  # a build that buys nothing needs no locks

    with contextlib.ExitStack() as held:
        for name in sorted({key[:16] for key in keys}):
            lock = filelock.FileLock(folder / f"{name}.lock", timeout=timeout)
            try:
                folder.mkdir(parents=True, exist_ok=True)
                lock.acquire()
            except filelock.Timeout as error:
                raise ApiError(
                    "another process has been buying this picture for too long. Build again later"
                ) from error
            except OSError as error:
                raise NoFurtherCalls(f"{folder} cannot be written ({error.strerror or error})") from error
            held.callback(lock.release)
        yield
