"""Files in the place of images: pointers of Git LFS, links of git-annex or DVC, lone records. They are explained."""

from __future__ import annotations

import stat
from pathlib import Path

from mkdocs_qhaigc.errors import LfsPointer, StoreError

_LFS_POINTER = b"version https://git-lfs.github.com/spec/v1\n"
_LARGEST_POINTER = 1024
"""Bytes."""


def is_lfs_pointer(path: Path) -> bool:
    """Whether a file is a Git LFS pointer instead of the image itself."""
    try:
        status = path.lstat()
        if not stat.S_ISREG(status.st_mode) or status.st_size > _LARGEST_POINTER:
            return False
        with path.open("rb") as file:
            return file.read(len(_LFS_POINTER)) == _LFS_POINTER
    except OSError:
        return False


def explain_stand_in(path: Path) -> StoreError | None:
    """Return why a committed file is not the image: it is a Git LFS pointer, or a link as git-annex and DVC make.

    `None` if it is the image itself, or nothing is there.
    """
    if is_lfs_pointer(path):
        return LfsPointer(path.parent)
    if path.is_symlink():
        return StoreError(
            f"{path} is a link, which may lead anywhere and is not followed. Put the image itself there; "
            "no other is generated in its place"
        )
    return None


def explain_lone_record(image: Path) -> StoreError | None:
    """Return what to do about an image that is absent although its record is here: a copy may be under way.

    `None` if the image was set aside, and its record is about to be.
    """
    set_aside = (f"{image.name}.damaged", f"{image.name}.replaced")
    if any(other.name.startswith(set_aside) for other in image.parent.glob("*")):
        return None
    return StoreError(
        "the stored image is not here, and its record is. Fetch it from where it is kept; or remove the record, and "
        f"another image is generated: {image}"
    )
