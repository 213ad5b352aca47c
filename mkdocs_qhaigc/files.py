"""Writing files that are whole or not there."""

from __future__ import annotations

import contextlib
import os
import secrets
from pathlib import Path


def write_whole(path: Path, data: bytes, *, at_once: bool = False, mode: int | None = None) -> None:
    """Write a file so that under its name there are, at any moment, no bytes or all of them, and they stay.

    `at_once`: have it under its name before it is safe from a power cut, which takes longer than anything else here. Of
    a killed program nothing is lost then; after a power cut whoever reads the file has to see whether it is whole.

    `mode`: its permissions; None: those of any new file.
    """
    part = path.with_name(f".{path.name}.{secrets.token_hex(4)}.part")
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
            part.replace(path)
    except BaseException:
        with contextlib.suppress(OSError):
            part.unlink()
        raise
