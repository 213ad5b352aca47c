"""Recovery of images that were paid for and have no usable record: they are saved again instead of generated."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mkdocs_qhaigc.config.options import Options
from mkdocs_qhaigc.errors import ImageError
from mkdocs_qhaigc.generation.job import ImageJob
from mkdocs_qhaigc.generation.save import save_inspected
from mkdocs_qhaigc.store.image_store import ImageStore, open_pins
from mkdocs_qhaigc.store.record import KEY_DIGITS, StoredImage, load_record, name_in

if TYPE_CHECKING:
    from mkdocs_qhaigc.imaging.inspect_image import ImageInfo

log = logging.getLogger(__name__)
_COLOUR_TOLERANCE = 8
"""Of 255: the most that an image's mean colour may change when somebody compresses it."""


def recover(job: ImageJob, store: ImageStore, options: Options) -> StoredImage | None:
    """Save a job's image that exists without a usable record, and return it; `None` if there is none.

    It is looked for in the store, among rejected images (a later version may be able to read them), and in the pins.
    Other files of the key in the store are renamed. For the owner of the key.

    Raises:
        StoreError: it cannot be saved.
    """
    key = job.request.key
    recompressed = {image.path: image for image in store.changed(key)}
    for path in _places(key, store, options, recompressed):
        from mkdocs_qhaigc.imaging.inspect_image import inspect  # most jobs have nothing to recover

        try:
            data = path.read_bytes()
            info = inspect(data)
        except (OSError, ImageError):
            continue
        if path in recompressed and not _is_likely_same(info, recompressed[path]):
            continue
        about = _provenance(path, key)
        store.make_room(key, keep=path)
        where = "" if path.parent == store.folder else f", in {store.folder}"
        log.info("%s had no record that can be used. The image is whole and has a new one%s", path, where)
        return save_inspected(job._replace(name=name_in(path)), data, info, about, store=store, options=options)
    return None


def _places(key: str, store: ImageStore, options: Options, recompressed: dict[Path, StoredImage]) -> Iterator[Path]:
    """Yield the files that may be the image of a key, the likeliest first."""
    yield from store.leftovers(key)
    yield from recompressed
    yield from sorted(options.cache.rejected.glob(f"*-{key[:KEY_DIGITS]}.rejected*"))
    yield from open_pins(options, quiet=True).images_of(key)  # without a record, or with other bytes than it says


def _is_likely_same(info: ImageInfo, recorded: StoredImage) -> bool:
    """Whether a complete image may be the one that a record describes, compressed again.

    A JPEG that has lost its end still decodes, but hardly to the same mean colour.
    """
    if (info.format, info.width, info.height) != (recorded.format, recorded.width, recorded.height):
        return False
    if info.format != "jpeg" or not info.colour or not recorded.colour:
        return True
    pairs = zip(bytes.fromhex(info.colour[1:]), bytes.fromhex(recorded.colour[1:]), strict=True)
    return max(abs(now - then) for now, then in pairs) <= _COLOUR_TOLERANCE


def _provenance(image: Path, key: str) -> dict[str, Any]:
    """Return the fields of the record beside an image that say how it was made; empty if it is of another key."""
    try:
        record = load_record(image.with_suffix(".json"))
    except (OSError, ValueError):
        return {}
    if record.get("key") != key:
        return {}
    return {
        name: record[name]
        for name in ("created", "api", "request", "revised_prompt", "usage", "adopted")
        if name in record
    }
