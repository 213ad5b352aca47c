"""Moves images between the pins and the cache: copied durably, and only then removed.

If the program is killed in between, each image is whole in one of the two. Nothing is ever overwritten: another image
of the same key in the cache is kept there under another name.
"""

from __future__ import annotations

import os
from pathlib import Path

from mkdocs_qhaigc._util.files import atomic_write, free_name, reason_of, sync_names, unwritable
from mkdocs_qhaigc.config.options import Options
from mkdocs_qhaigc.errors import StoreError
from mkdocs_qhaigc.store.image_store import ImageStore, owning
from mkdocs_qhaigc.store.record import StoredImage, digits_in_any


def copy_into(image: StoredImage, folder: Path, stem: str, *, option: str = "pins_dir") -> Path:
    """Copy an image and its record into a folder, durably, the record last; return the image's path there.

    `option` names the folder in messages.

    Raises:
        StoreError: it cannot be read or written, or other files are in its place.
    """
    data = image.read()
    record, copy = folder / f"{stem}.json", folder / f"{stem}{image.path.suffix}"
    for path in (copy, record):
        if os.path.lexists(path) and not _holds(path, data):
            raise StoreError(f"{path} is in the way. Move it, and try again")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        atomic_write(copy, data)
        atomic_write(record, image.record_path.read_bytes())
        sync_names(folder)
    except OSError as error:
        raise StoreError(unwritable(folder, error, option)) from error
    return copy


def unpin(image: StoredImage, options: Options) -> Path:
    """Move a pin into the cache, where it is found from then on; return its path there.

    Another image that the cache has under the key is kept there as `….replaced`.

    Raises:
        ImageDamaged: its bytes are not those of its record. It stays where it is.
        StoreError: it cannot be moved. It stays where it is.
    """
    data = image.read()
    cache = ImageStore(options.cache.originals, quiet=True)
    with owning(image.key, options):
        known = cache.find(image.key, fresh=True)
        if known and known.sha256 == image.sha256 and known.read_if_whole():
            path = known.path
        else:
            begun = cache.folder / image.path.name  # by a program that was killed before the record was written
            cache.make_room(image.key, keep=begun if _holds(begun, data) else None, ending="replaced")
            path = copy_into(image, cache.folder, image.path.stem, option="cache_dir")
        image.remove()
    return path


def archive_orphan(remnant: Path, options: Options) -> Path:
    """Move a remnant of an image into the cache; return the file there that has its bytes.

    Raises:
        StoreError: it cannot be moved. It stays where it is.
    """
    folder = options.cache.originals
    try:
        data = remnant.read_bytes()
        folder.mkdir(parents=True, exist_ok=True)
        there = folder.glob(f"*-{digits_in_any(remnant.name)}.*")
        to = next((path for path in there if path.is_file() and path.read_bytes() == data), None)
        if to is None:
            ending = "" if remnant.name.rpartition(".")[2].startswith(("damaged", "replaced")) else ".damaged"
            to = free_name(folder / f"{remnant.name}{ending}")
            atomic_write(to, data)
            sync_names(folder)
        remnant.unlink()
    except OSError as error:
        raise StoreError(f"{remnant} cannot be moved to {folder} ({reason_of(error)})") from error
    return to


def _holds(path: Path, data: bytes) -> bool:
    """Whether a file has exactly these bytes."""
    try:
        return path.is_file() and not path.is_symlink() and path.read_bytes() == data
    except OSError:
        return False
