"""Stored images and their records, and how their files are named.

    hero-3f9a1c2b7d5e8f01.webp     the bytes, as they came from the API
    hero-3f9a1c2b7d5e8f01.json     key, request, sha256, width, height, when, by which API and model

The hex is the start of the key and finds the image; the name is for people. A file that must not be used any more is
renamed to `….damaged` or `….replaced` (with a number, if that name is taken).
"""

from __future__ import annotations

import hashlib
import json
import re
import stat
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from mkdocs_qhaigc._util.files import reason_of
from mkdocs_qhaigc.errors import ImageDamaged, StoreError
from mkdocs_qhaigc.imaging.formats import COLOUR, EXTENSIONS

if TYPE_CHECKING:
    from mkdocs_qhaigc.config.prices import Bought

KEY_DIGITS = 16
"""Hex digits of an image's key in the names of its files and locks."""
RECORD_SCHEMA = 1
ADOPTED = "adopted"
"""The record's field `api` of an image whose maker is unknown."""
LARGEST_RECORD = 1 << 20
"""Bytes."""

_SHA256 = re.compile(r"[0-9a-f]{64}")
_DIGITS = re.compile(rf"[0-9a-f]{{{KEY_DIGITS}}}")
_EXTENSIONS = frozenset(("json", *EXTENSIONS.values()))
_SET_ASIDE = re.compile(r"\.(?:damaged|replaced)(?:-[0-9]+)?\Z")
_UNFINISHED = re.compile(r"\.(.+)\.[0-9a-f]{8}\.part")


def file_stem(name: str, key: str) -> str:
    """Return the name of an image's files without extension: `hero-3f9a1c2b7d5e8f01`."""
    return f"{name}-{key[:KEY_DIGITS]}"


def name_in(path: Path) -> str:
    """Return the name in an image's file name."""
    return path.stem.rpartition("-")[0]


def digits_in(file_name: str) -> str:
    """Return the hex digits of the key in the name of an image or a record; empty for any other file."""
    name, _, rest = file_name.rpartition("-")
    digits, _, extension = rest.partition(".")
    ours = extension in _EXTENSIONS and name and name[0] != "." and _DIGITS.fullmatch(digits)
    return digits if ours else ""


def digits_in_any(file_name: str) -> str:
    """Return the hex digits of the key in a file's name, also if it was set aside; empty for a file of others."""
    return digits_in(_SET_ASIDE.sub("", file_name))


def is_unfinished(file_name: str) -> bool:
    """Whether this is the temporary name of an image or a record that a killed program was writing."""
    match = _UNFINISHED.fullmatch(file_name)
    return match is not None and digits_in(match[1]) != ""


class StoredImage(NamedTuple):
    """A saved image: the fields of its record, and the path of its bytes.

    A tuple, because it is made faster than a dataclass: a warm build makes one for each image of the site.
    """

    file: str
    """The path of its bytes."""
    key: str
    """Of its request; 64 hex digits."""
    sha256: str
    """Of its bytes; 64 hex digits."""
    format: str
    """png, jpeg, webp or avif."""
    width: int
    """Pixels."""
    height: int
    """Pixels."""
    size: int
    """Bytes."""
    colour: str | None = None
    """The image's mean colour, `#rrggbb`; `None` if it is transparent or the record does not say."""

    @property
    def path(self) -> Path:
        """The path of its bytes."""
        return Path(self.file)

    @property
    def record_path(self) -> Path:
        """The path of its record."""
        return self.path.with_suffix(".json")

    @property
    def record(self) -> Mapping[str, Any]:
        """The whole record as JSON values, read at each access; empty if it cannot be read."""
        try:
            return load_record(self.record_path)
        except (OSError, ValueError):
            return {}

    @property
    def bought(self) -> Bought:
        """The facts about its price in its record."""
        return bought_in(self.record)

    def read(self) -> bytes:
        """Return the image's bytes.

        Raises:
            ImageDamaged: they are gone, or are not the bytes that were saved.
            StoreError: they cannot be read.
        """
        try:
            data = self.path.read_bytes()
        except FileNotFoundError as error:
            raise ImageDamaged("the stored image is missing", self.path) from error
        except OSError as error:
            raise StoreError(f"{self.path} cannot be read ({reason_of(error)})") from error
        if hashlib.sha256(data).hexdigest() != self.sha256:
            raise ImageDamaged("the stored image is damaged, its bytes are not those that were saved", self.path)
        return data

    def read_if_whole(self) -> bytes | None:
        """Return the image's bytes; `None` if they are gone, changed or cannot be read."""
        try:
            return self.read()
        except StoreError:
            return None

    def remove(self) -> None:
        """Remove the image and its record, the record first: an image without one is at worst looked at again.

        Raises:
            StoreError: they cannot be removed.
        """
        try:
            self.record_path.unlink(missing_ok=True)
            self.path.unlink(missing_ok=True)
        except OSError as error:
            raise StoreError(f"{self.path} cannot be removed ({reason_of(error)})") from error


def load_record(path: Path) -> dict[str, Any]:
    """Return the JSON object in a record's file, whatever its fields.

    Raises:
        OSError: it cannot be read.
        ValueError: it is a link or not a file, too large, or not a JSON object.
    """
    if not stat.S_ISREG(path.lstat().st_mode):
        raise ValueError("it is a link, or not a file")
    with path.open("rb") as file:
        text = file.read(LARGEST_RECORD + 1)
    if len(text) > LARGEST_RECORD:
        raise ValueError("it is larger than a record can be")
    try:
        record = json.loads(text)
    except RecursionError as error:
        raise ValueError("it is no record") from error
    if not isinstance(record, dict):
        raise ValueError("it is no record")  # noqa: TRY004 - one kind of error for any content
    return record


def bought_in(record: Mapping[str, Any]) -> Bought:
    """Return what a record says of the image's price, whatever its fields."""
    from mkdocs_qhaigc.config.prices import Bought  # most builds find all their images

    request, usage = record.get("request"), record.get("usage")
    request = request if isinstance(request, dict) else {}
    model, size = (value if isinstance(value := request.get(name), str) else "" for name in ("model", "size"))
    return Bought(model, size, usage if isinstance(usage, dict) else {})


def read_record(path: Path) -> StoredImage:
    """Return the image that a record describes, without looking at its bytes.

    Raises:
        OSError: the record cannot be read.
        ValueError: it is no record of this version.
    """
    return parse_record(load_record(path), path)


def parse_record(record: Mapping[str, Any], path: Path) -> StoredImage:
    """Return the image that a record's fields describe, whose record is at `path`.

    Raises:
        ValueError: they are no record of this version.
    """
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
    return StoredImage(
        str(path.with_suffix("." + EXTENSIONS[str(format_)])),
        str(key),
        str(digest),
        str(format_),
        record["width"],
        record["height"],
        record["bytes"],
        colour if isinstance(colour, str) and COLOUR.fullmatch(colour) else None,
    )


def recorded_beside(image: Path) -> StoredImage | None:
    """Return the image that a whole record beside a file describes; `None` if no record is for this file."""
    try:
        recorded = read_record(image.with_suffix(".json"))
    except (OSError, ValueError):
        return None
    return recorded if recorded.path == image else None


def record_text(image: StoredImage, about: Mapping[str, Any]) -> bytes:
    """Return the text of an image's record. `about` are its further fields."""
    record = {
        "schema": RECORD_SCHEMA,
        "key": image.key,
        "sha256": image.sha256,
        "bytes": image.size,
        "format": image.format,
        "width": image.width,
        "height": image.height,
        "colour": image.colour,
        **about,
    }
    text = json.dumps(record, ensure_ascii=False, indent=2) + "\n"
    # Half a surrogate pair from the API becomes its JSON escape: the image is paid for, so its record must be written.
    return text.encode(errors="backslashreplace")
