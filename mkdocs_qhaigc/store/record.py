"""One saved image: the bytes as they came from the API, and the record beside them."""

from __future__ import annotations

import hashlib
import json
import re
import stat
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from mkdocs_qhaigc.errors import ImageDamaged, StoreError

RECORD_SCHEMA = 1
SANDBOX = "sandbox"
"""What stands in a record for the API, and in the options for its address."""
ADOPTED = "adopted"
"""What stands in a record for the API where nobody knows who made the image."""
KEY_DIGITS = 16
"""Hex digits of the key in a file's name."""
EXTENSIONS = {"png": "png", "jpeg": "jpg", "webp": "webp", "avif": "avif"}
"""Image format -> file extension."""
LARGEST_RECORD = 1 << 20
"""Bytes."""
LARGEST_IMAGE = 160 << 20
"""Bytes: what an image of as many pixels as are read takes where nothing makes it smaller, and some more."""
_STARTS = {
    "png": re.compile(rb"\x89PNG"),
    "jpeg": re.compile(rb"\xff\xd8\xff"),
    "webp": re.compile(rb"RIFF....WEBP", re.DOTALL),
    "avif": re.compile(rb"....ftyp", re.DOTALL),
}

COLOUR = re.compile(r"#[0-9a-f]{6}")
_SHA256 = re.compile(r"[0-9a-f]{64}")


class StoredImage(NamedTuple):
    """A saved image: what its record says, and where its bytes are."""

    file: str
    """The path of its bytes."""
    key: str
    sha256: str
    """Of the bytes; 64 hex digits."""
    format: str
    """png, jpeg, webp or avif."""
    width: int
    """Pixels."""
    height: int
    """Pixels."""
    size: int
    """Bytes."""
    sandbox: bool = False
    """Whether a sandbox drew it: then it never stands for a real image."""
    colour: str | None = None
    """The image's mean, `#rrggbb`; None where it is transparent, or the record does not say."""

    @property
    def path(self) -> Path:
        """Where its bytes are."""
        return Path(self.file)

    @property
    def record(self) -> Mapping[str, Any]:
        """The whole record, as JSON values, read anew; empty where it is gone."""
        try:
            record = json.loads(self.path.with_suffix(".json").read_bytes())
        except (OSError, ValueError, RecursionError):
            return {}
        return record if isinstance(record, dict) else {}

    def read(self) -> bytes:
        """Return the image's bytes.

        Raises:
            ImageDamaged: they are gone, or are not the bytes that were saved.
            StoreError: they cannot be read.
        """
        try:
            data = self.path.read_bytes()
        except FileNotFoundError as error:
            raise ImageDamaged(f"{self.path} is missing") from error
        except OSError as error:
            raise StoreError(f"{self.path} cannot be read ({error.strerror or error})") from error
        if hashlib.sha256(data).hexdigest() != self.sha256:
            raise ImageDamaged(f"{self.path} is damaged: its bytes are not those that were saved")
        return data

    def read_if_whole(self) -> bytes | None:
        """Return the image's bytes; None where they are gone, are others, or cannot be read."""
        try:
            return self.read()
        except StoreError:
            return None


def format_of(data: bytes) -> str | None:
    """Return the format as which bytes begin, whatever follows; None where they begin as no image."""
    return next((format_ for format_, start in _STARTS.items() if start.match(data)), None)


def parse_record(path: Path, text: bytes) -> StoredImage:
    """Return what a record says. Raises ValueError where it is none."""
    if len(text) > LARGEST_RECORD:
        raise ValueError("it is larger than a record can be")
    record = json.loads(text)
    if not isinstance(record, dict):
        raise ValueError("it is no record")  # noqa: TRY004 - one kind of error for all that a file may hold
    key, digest, format_ = record.get("key"), record.get("sha256"), record.get("format")
    sizes = [record.get(field) for field in ("width", "height", "bytes")]
    whole = (
        isinstance(key, str)
        and _SHA256.fullmatch(key)
        and isinstance(digest, str)
        and _SHA256.fullmatch(digest)
        and isinstance(format_, str)
        and format_ in EXTENSIONS
        and all(type(size) is int and 0 < size < 1 << 40 for size in sizes)
    )
    if not whole or record.get("schema") != RECORD_SCHEMA:
        raise ValueError("it is no record of this version")
    colour = record.get("colour")
    original = path.with_suffix("." + EXTENSIONS[str(format_)])
    return StoredImage(
        str(original),
        str(key),
        str(digest),
        str(format_),
        record["width"],
        record["height"],
        record["bytes"],
        record.get("api") == SANDBOX,
        colour if isinstance(colour, str) and COLOUR.fullmatch(colour) else None,
    )


def recorded_beside(image: Path) -> StoredImage | None:
    """Return what a whole record beside an image says of it; None where there is none."""
    record = image.with_suffix(".json")
    try:
        said = parse_record(record, record.read_bytes()) if stat.S_ISREG(record.lstat().st_mode) else None
    except (OSError, ValueError, RecursionError):
        return None
    return said if said and said.path == image else None
