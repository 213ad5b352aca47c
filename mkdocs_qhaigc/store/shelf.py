"""A folder of originals, looked at file by file: the whole images, and what is left of others. Changes nothing."""

from __future__ import annotations

import re
import stat
from dataclasses import dataclass
from pathlib import Path

from mkdocs_qhaigc.errors import StoreError
from mkdocs_qhaigc.store.record import EXTENSIONS, KEY_DIGITS, LARGEST_RECORD, StoredImage, parse_record

_ENDING = rf"-([0-9a-f]{{{KEY_DIGITS}}})\.(?:json|{'|'.join(EXTENSIONS.values())})"
_OURS = re.compile(rf"[^.].*{_ENDING}(?:\.(?:damaged|replaced)(?:-[0-9]+)?)?")
_UNFINISHED = re.compile(rf"\..+{_ENDING}\.[0-9a-f]{{8}}\.part")


@dataclass(frozen=True, slots=True)
class Shelf:
    """What lies in a folder of originals."""

    originals: tuple[StoredImage, ...]
    """Whole as far as their records and sizes say, in the order in which a library gives them."""
    remnants: tuple[Path, ...]
    """Images without a record, records without an image, and what was set aside."""
    unfinished: tuple[Path, ...]
    """What a program that was killed had begun to write."""

    def of(self, key: str) -> list[StoredImage]:
        """Return the images of a key."""
        return [original for original in self.originals if original.key == key]

    def remnants_of(self, key: str) -> list[Path]:
        """Return what is left of images of a key, as far as names tell."""
        return [path for path in self.remnants if digits_of(path) == key[:KEY_DIGITS]]


def look_at(folder: Path) -> Shelf:
    """Return what lies in a folder; nothing where there is no such folder.

    Raises:
        StoreError: it cannot be read.
    """
    try:
        names = sorted(path.name for path in folder.iterdir())
    except FileNotFoundError:
        names = []
    except OSError as error:
        raise StoreError(f"{folder} cannot be read ({error.strerror or error})") from error
    ours = [folder / name for name in names if _OURS.fullmatch(name)]
    originals = [original for path in ours if path.suffix == ".json" and (original := _whole(path))]
    files = {file for original in originals for file in (original.path, original.path.with_suffix(".json"))}
    return Shelf(
        tuple(originals),
        tuple(path for path in ours if path not in files),
        tuple(folder / name for name in names if _UNFINISHED.fullmatch(name)),
    )


def digits_of(path: Path) -> str:
    """Return the hex digits of the key in the name of one of our files."""
    match = _OURS.fullmatch(path.name)
    return match[1] if match else ""


def _whole(record: Path) -> StoredImage | None:
    """Return what a record says, if its image is there in the size that it says."""
    try:
        if not stat.S_ISREG(record.lstat().st_mode) or record.stat().st_size > LARGEST_RECORD:
            return None
        original = parse_record(record, record.read_bytes())
        status = original.path.lstat()
    except (OSError, ValueError, RecursionError):
        return None
    same = digits_of(record) == original.key[:KEY_DIGITS]
    return original if same and stat.S_ISREG(status.st_mode) and status.st_size == original.size else None
