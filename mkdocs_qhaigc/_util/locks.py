"""Locks between processes: files in a folder, each held by one owner. The one owner of filelock."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from pathlib import Path

from mkdocs_qhaigc._util.files import KEY_DIGITS
from mkdocs_qhaigc.errors import ApiError, GenerationStopped


def hold(folder: Path, name: str, *, seconds: float) -> AbstractContextManager[object]:
    """Return a lock that is held already, and released when its context ends. Wait at most `seconds` for it.

    Raises:
        TimeoutError: another process still holds it.
        OSError: the folder cannot be written.
    """
    import filelock  # a build that generates nothing needs no locks

    folder.mkdir(parents=True, exist_ok=True)
    return filelock.FileLock(folder / f"{name}.lock", timeout=seconds).acquire()


@contextmanager
def owning(folder: Path, keys: Iterable[str], *, timeout: float) -> Iterator[None]:
    """Hold the locks of keys against all other threads and processes. `timeout` is in seconds, for each key.

    Locks are taken in one order, so that two processes with the same keys do not wait for each other.

    Raises:
        ApiError: another process has held a key for too long.
        GenerationStopped: the folder cannot be written.
    """
    with ExitStack() as held:
        for name in sorted({key[:KEY_DIGITS] for key in keys}):
            try:
                held.enter_context(hold(folder, name, seconds=timeout))
            except TimeoutError as error:
                raise ApiError("another process has been buying this image for too long. Build again later") from error
            except OSError as error:
                raise GenerationStopped(f"{folder} cannot be written ({error.strerror or error})") from error
        yield
