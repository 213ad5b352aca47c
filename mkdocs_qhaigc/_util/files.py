"""Atomic writes, free file names, paths relative to a folder, and messages about files that cannot be used."""

from __future__ import annotations

import contextlib
import errno
import os
import re
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

_PAUSES = (0.01, 0.03, 0.1, 0.3, 0.6) if os.name == "nt" else ()
"""Seconds between the tries to rename a file."""
_PART_BYTES = 4
_PART = rf"\..+\.[0-9a-f]{{{2 * _PART_BYTES}}}\.part"
"""The name of a temporary file of `atomic_write`."""


def within(path: Path, folder: Path) -> str:
    """Return a path relative to a folder, with `/`; the absolute path if it is on another drive."""
    try:
        return Path(os.path.relpath(path, folder)).as_posix()
    except ValueError:
        return path.absolute().as_posix()


def reason_of(error: BaseException) -> str:
    """Return why a file or a folder cannot be used, without its path."""
    if isinstance(error, (FileExistsError, NotADirectoryError)):
        return "it or a folder above it is a file, or a link that leads nowhere"
    return str(getattr(error, "strerror", None) or error)


def unwritable(path: object, error: OSError, option: str) -> str:
    """Return the message about a file or a folder that cannot be written; `option` names its folder."""
    remedy = "Make space there" if error.errno in (errno.ENOSPC, errno.EDQUOT) else "Make it writable"
    return f"{path} cannot be written ({reason_of(error)}). {remedy}, or set `{option}` to another folder"


def dead_link(path: Path) -> Path | None:
    """Return the link that leads nowhere, among a path that does not exist and the folders above it; else `None`."""
    return next((part for part in (path, *path.parents) if os.path.islink(part) and not os.path.exists(part)), None)  # noqa: PTH110, PTH114 - these two never raise


def real_path(path: Path) -> Path:
    """Return a path without links, also if links lead in a circle or a folder is closed to this user."""
    return Path(os.path.realpath(path))


def unreadable_folders(root: Path, *, without: Path) -> list[OSError]:
    """Return why folders of pages cannot be read, in a folder and it itself.

    Those of which engines read none do not count: names that begin with a dot, what every disk has, and the folder
    `without` pages.
    """
    errors: list[OSError] = []
    for folder, folders, _ in os.walk(root, onerror=errors.append):
        visible = (name for name in folders if not name.startswith(".") and name != "lost+found")
        folders[:] = [name for name in visible if Path(folder, name) != without]
    return errors


def free_name(path: Path) -> Path:
    """Return this path if nothing is there, else the first free one with a number at its end."""
    free, count = path, 1
    while os.path.lexists(free):
        count += 1
        free = path.with_name(f"{path.name}-{count}")
    return free


def state_of(watched: Iterable[str], *, without: Path) -> frozenset[tuple[str, int]]:
    """Return every file in these files and folders with the time when it was written, in nanoseconds.

    `without` is a folder whose files do not count.
    """
    own = os.path.realpath(without)
    return frozenset((path, written) for path in watched for path, written in _files_in(path, own))


def _files_in(path: str, without: str) -> Iterator[tuple[str, int]]:
    names: list[str] = []
    for folder, folders, files in os.walk(path):
        if os.path.realpath(folder) == without:
            folders.clear()
        else:
            names += [os.path.join(folder, name) for name in files]  # noqa: PTH118 - texts do
    for name in names or [path]:
        with contextlib.suppress(OSError):  # removed since, or a link that leads nowhere
            yield name, os.stat(name).st_mtime_ns  # noqa: PTH116


def sync_names(folder: Path) -> None:
    """Make the names of a folder's files survive a power cut, before the only other copy is removed."""
    if os.name == "nt":  # where folders cannot be opened
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _rename(part: Path, path: Path) -> None:
    """Replace a file by another; retry on Windows, where a reader or a virus scanner may have it open."""
    for seconds in _PAUSES:
        try:
            part.replace(path)
            return
        except PermissionError:
            time.sleep(seconds)
    part.replace(path)


def remove_parts(folder: Path) -> None:
    """Remove the files that a killed `atomic_write` left in a folder. The caller must be its only writer."""
    for path in folder.glob(".*.part"):
        if re.fullmatch(_PART, path.name):
            path.unlink()


def atomic_write(
    path: Path,
    data: bytes | memoryview,
    *,
    at_once: bool = False,
    mode: int | None = None,
    check: Callable[[], object] = lambda: None,
) -> None:
    """Write a file so that its name never has a part of the bytes, and sync it to the disk.

    Args:
        at_once: Rename before the sync, which takes longer than all else. A killed program loses nothing; after a power
            cut the reader has to check whether the file is whole.
        mode: The permissions; `None` for those of any new file.
        check: Called when all is on the disk; where it raises, the file stays as it is. Not with `at_once`.
    """
    import secrets  # a warm build writes nothing

    part = path.with_name(f".{path.name}.{secrets.token_hex(_PART_BYTES)}.part")
    try:
        with part.open("xb") as file:
            if mode is not None:
                with contextlib.suppress(PermissionError):  # as on mounts of Windows' disks, which keep none
                    part.chmod(mode)
            file.write(data)
            file.flush()
            if at_once and os.name != "nt":  # where an open file cannot be renamed
                part.replace(path)
            os.fsync(file.fileno())
        if part.exists():
            check()
            _rename(part, path)
    except BaseException:
        with contextlib.suppress(OSError):
            part.unlink()
        raise
