"""Writing files that are whole or not there."""

from __future__ import annotations

import contextlib
import os
import re
import time
from pathlib import Path

_PAUSES = (0.01, 0.03, 0.1, 0.3, 0.6) if os.name == "nt" else ()
"""Seconds between the tries to rename a file."""
_PART_BYTES = 4
_PART = rf"\..+\.[0-9a-f]{{{2 * _PART_BYTES}}}\.part"
"""A name under which `atomic_write` collects bytes."""


def within(path: Path, folder: Path) -> str:
    """Return how a path is written in a folder, with `/`; the whole of it where that lies on another drive."""
    try:
        return Path(os.path.relpath(path, folder)).as_posix()
    except ValueError:
        return path.absolute().as_posix()


def free_name(path: Path) -> Path:
    """Return a path where nothing is: this one, or it with a number at its end."""
    free, count = path, 1
    while os.path.lexists(free):
        count += 1
        free = path.with_name(f"{path.name}-{count}")
    return free


def sync_names(folder: Path) -> None:
    """Have the names of a folder's files safe from a power cut, as their bytes are: before the only other copy goes."""
    if os.name == "nt":  # where folders cannot be opened
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _rename(part: Path, path: Path) -> None:
    """Put a file in the place of another; on Windows patiently, for a reader or a virus scanner may have it open."""
    for seconds in _PAUSES:
        try:
            part.replace(path)
            return
        except PermissionError:
            time.sleep(seconds)
    part.replace(path)


def remove_parts(folder: Path) -> None:
    """Remove what `atomic_write` has left in a folder where it was killed. For whoever writes there alone."""
    for path in folder.glob(".*.part"):
        if re.fullmatch(_PART, path.name):
            path.unlink()


def atomic_write(path: Path, data: bytes, *, at_once: bool = False, mode: int | None = None) -> None:
    """Write a file so that under its name there are, at any moment, no bytes or all of them, and they stay.

    `at_once`: have it under its name before it is safe from a power cut, which takes longer than anything else here. Of
    a killed program nothing is lost then; after a power cut whoever reads the file has to see whether it is whole.

    `mode`: its permissions; None: those of any new file.
    """
    import secrets  # a warm build writes nothing

    part = path.with_name(f".{path.name}.{secrets.token_hex(_PART_BYTES)}.part")
    try:
        with part.open("xb") as file:
            if mode is not None:
                part.chmod(mode)
            file.write(data)
            file.flush()
            if at_once and os.name != "nt":  # where an open file cannot be renamed
                part.replace(path)
            os.fsync(file.fileno())
        if part.exists():
            _rename(part, path)
    except BaseException:
        with contextlib.suppress(OSError):
            part.unlink()
        raise
