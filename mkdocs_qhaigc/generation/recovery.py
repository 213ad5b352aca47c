"""Recovery of images that were paid for: those without a usable record, and those that were rejected."""

from __future__ import annotations

import logging
import tempfile
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from mkdocs_qhaigc._util.files import KEY_DIGITS, atomic_write
from mkdocs_qhaigc.config.options import Options
from mkdocs_qhaigc.errors import ImageError
from mkdocs_qhaigc.generation.job import ImageJob
from mkdocs_qhaigc.store.image_store import ImageStore, open_pins
from mkdocs_qhaigc.store.record import StoredImage, load_record, name_in

if TYPE_CHECKING:
    from mkdocs_qhaigc.imaging.encode import ImageInfo

log = logging.getLogger(__name__)
_MOST_OFF = 8
"""Of 255: by how much an image's mean colour may change when somebody compresses it."""


class Leftover(NamedTuple):
    """An image that was paid for, and has no record of it."""

    data: bytes
    info: ImageInfo
    name: str
    """In its file's name."""
    about: Mapping[str, Any]
    """What an earlier record says about how it was made."""


def find_leftover(job: ImageJob, store: ImageStore, options: Options) -> Leftover | None:
    """Return a job's image that has no record, or not the one that its record is about. For the owner of the key.

    It is looked for in the store, among rejected images (a later version may be able to read them), and in the pins.
    Other files of the key are renamed.
    """
    key = job.request.key
    changed = {image.path: image for image in store.changed(key)}  # somebody has compressed them
    for path in (*store.leftovers(key), *changed, *_rejected(key, options), *_pinned(key, options)):
        from mkdocs_qhaigc.imaging.encode import inspect  # most jobs have no leftover

        try:
            data = path.read_bytes()
            info = inspect(data)
        except (OSError, ImageError):
            continue
        if path in changed and not _may_be(info, changed[path]):
            continue
        about = _said_of(path, key)
        store.make_room(key, keep=path)
        where = "" if path.parent == store.folder else f", in {store.folder}"
        log.info("%s had no record that can be used. The image is whole and has a new one%s", path, where)
        return Leftover(data, info, name_in(path), about)
    return None


def keep_rejected(job: ImageJob, ending: str, data: bytes, options: Options) -> str:
    """Write what was paid for and cannot be used to where people can look at it; return where that is."""
    name = f"{job.name}-{job.request.key[:KEY_DIGITS]}.{ending}"
    for make_folder in (partial(_make_folder, options.cache.rejected), _make_private):
        try:
            folder = make_folder()
            path, count = folder / name, 1
            while path.exists() and path.read_bytes() != data:  # each was paid for
                count += 1
                path = folder / f"{name}-{count}"
            atomic_write(path, data)
        except OSError:
            continue
        return str(path)
    return "no place: neither the cache nor the temporary folder can be written"


def _rejected(key: str, options: Options) -> list[Path]:
    return sorted((options.cache.rejected).glob(f"*-{key[:KEY_DIGITS]}.rejected*"))


def _pinned(key: str, options: Options) -> list[Path]:
    """Return the pins of a key: some may have no record, or other bytes than it says."""
    return open_pins(options, quiet=True).images_of(key)


def _make_folder(folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def _may_be(info: ImageInfo, recorded: StoredImage) -> bool:
    """Whether a complete image may be the one that a record is about, in other bytes.

    A JPEG of which a part is lost decodes like a complete one, but hardly to the same mean colour.
    """
    if (info.format, info.width, info.height) != (recorded.format, recorded.width, recorded.height):
        return False
    if info.format != "jpeg" or not info.colour or not recorded.colour:
        return True
    pairs = zip(bytes.fromhex(info.colour[1:]), bytes.fromhex(recorded.colour[1:]), strict=True)
    return max(abs(now - then) for now, then in pairs) <= _MOST_OFF


def _make_private() -> Path:
    """Return a new folder into which nobody else can have put a link."""
    return Path(tempfile.mkdtemp(prefix="mkdocs-qhaigc-rescued-"))


def _said_of(image: Path, key: str) -> dict[str, Any]:
    """Return what the record beside an image says about how it was made; nothing if it is about another key."""
    try:
        record = load_record(image.with_suffix(".json"))
    except (OSError, ValueError):
        return {}
    if record.get("key") != key:
        return {}
    return {name: record[name] for name in ("created", "api", "request", "revised_prompt", "adopted") if name in record}
