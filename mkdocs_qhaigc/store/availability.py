"""Images that are paid for and not here: what stands in their places is not followed, and none is bought instead."""

from __future__ import annotations

import stat
from pathlib import Path

from mkdocs_qhaigc.errors import LfsPointer, StoreError

_LFS_POINTER = b"version https://git-lfs.github.com/spec/v1\n"
_LARGEST_POINTER = 1024
"""Bytes."""


def is_lfs_pointer(path: Path) -> bool:
    """Whether a file only says where Git LFS keeps the bytes that belong here."""
    try:
        status = path.lstat()
        if not stat.S_ISREG(status.st_mode) or status.st_size > _LARGEST_POINTER:
            return False
        with path.open("rb") as file:
            return file.read(len(_LFS_POINTER)) == _LFS_POINTER
    except OSError:
        return False


def require_here(path: Path) -> None:
    """See that a committed image, of which nothing can be used, is not merely kept in another place.

    Raises:
        LfsPointer: Git LFS has it.
        StoreError: there is a link, as git-annex and DVC make them.
    """
    if is_lfs_pointer(path):
        raise LfsPointer(path.parent)
    if path.is_symlink():
        raise StoreError(
            f"{path} is a link, which may lead anywhere and is not followed. Put the image itself there; "
            "none is bought in its place"
        )


def require_image(path: Path) -> None:
    """See that an image which is not here, and whose record is, is not merely on its way: a copy or a sync of folders.

    Raises:
        StoreError: it may be. None is bought in its place.
    """
    if any(other.name.startswith((f"{path.name}.damaged", f"{path.name}.replaced")) for other in path.parent.glob("*")):
        return  # it was set aside, and its record is about to be, if who does it was not killed
    raise StoreError(
        f"{path} is not here, and its record is. Fetch it from where it is kept; or remove the record, and another one "
        "is bought"
    )
