"""Moving images between the pins and the cache: copied, safe from a power cut, and only then taken away.

Whatever ends the program in between, each image is whole in one of the two. Nothing is ever written over: what stood
in the cache under the same key stays there under another name.
"""

from __future__ import annotations

import os
from contextlib import AbstractContextManager
from pathlib import Path

from mkdocs_qhaigc._util.files import atomic_write, free_name, sync_names
from mkdocs_qhaigc._util.locks import hold
from mkdocs_qhaigc.config.options import Options
from mkdocs_qhaigc.errors import StoreError
from mkdocs_qhaigc.store.keeping import Writer
from mkdocs_qhaigc.store.library import Library
from mkdocs_qhaigc.store.record import KEY_DIGITS, StoredImage
from mkdocs_qhaigc.store.shelf import digits_of


def copy_into(original: StoredImage, folder: Path, stem: str) -> Path:
    """Copy an image and its record into a folder, durably, the record last; return the image's path there.

    Raises:
        StoreError: it cannot be read or written, or other files are in its place.
    """
    data = original.read()
    record, image = folder / f"{stem}.json", folder / f"{stem}{original.path.suffix}"
    for path in (image, record):
        if os.path.lexists(path) and not _holds(path, data):
            raise StoreError(f"{path} is in the way. Move it, and try again")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        atomic_write(image, data)
        atomic_write(record, original.path.with_suffix(".json").read_bytes())
        sync_names(folder)
    except OSError as error:
        raise StoreError(f"{folder} cannot be written ({error.strerror or error})") from error
    return image


def unpin(original: StoredImage, options: Options) -> Path:
    """Move a pin into the cache, which gives it from then on; return its path there.

    Another image that the cache has under the key is kept there as `….replaced`.

    Raises:
        Damaged: its bytes are not those of its record. It stays where it is.
        StoreError: it cannot be moved. It stays where it is.
    """
    original.read()
    folder = options.cache.originals
    with _owning(original.key, options):
        cache = Library(folder, report=lambda _: None)
        known = cache.find(original.key, fresh=True)
        if known and known.sha256 == original.sha256 and known.read_if_whole():
            path = known.path
        else:
            begun = folder / original.path.name  # by a program that was killed before it wrote the record
            keep = begun if _holds(begun, original.read()) else None
            Writer(cache).make_room(original.key, keep=keep, as_="replaced")
            path = copy_into(original, folder, original.path.stem)
        remove(original)
    return path


def archive_orphan(remnant: Path, options: Options) -> Path:
    """Move what is left of an image into the cache; return the file there that has those very bytes.

    Raises:
        StoreError: it cannot be moved. It stays where it is.
    """
    folder = options.cache.originals
    try:
        data = remnant.read_bytes()
        folder.mkdir(parents=True, exist_ok=True)
        there = folder.glob(f"*-{digits_of(remnant)}.*")
        to = next((path for path in there if path.is_file() and path.read_bytes() == data), None)
        if to is None:
            ending = "" if remnant.name.rpartition(".")[2].startswith(("damaged", "replaced")) else ".damaged"
            to = free_name(folder / f"{remnant.name}{ending}")
            atomic_write(to, data)
            sync_names(folder)
        remnant.unlink()
    except OSError as error:
        raise StoreError(f"{remnant} cannot be moved to {folder} ({error.strerror or error})") from error
    return to


def remove(original: StoredImage) -> None:
    """Remove an image and its record, the record first: an image without one is at worst looked at again.

    Raises:
        StoreError: they cannot be removed.
    """
    try:
        original.path.with_suffix(".json").unlink(missing_ok=True)
        original.path.unlink(missing_ok=True)
    except OSError as error:
        raise StoreError(f"{original.path} cannot be removed ({error.strerror or error})") from error


def _holds(path: Path, data: bytes) -> bool:
    """Whether a file has these very bytes."""
    try:
        return path.is_file() and not path.is_symlink() and path.read_bytes() == data
    except OSError:
        return False


def _owning(key: str, options: Options) -> AbstractContextManager[object]:
    """Return a held lock against whoever would buy this image into the cache."""
    folder = options.cache.locks
    try:
        return hold(folder, key[:KEY_DIGITS], seconds=options.timeout + 5)
    except TimeoutError as error:
        raise StoreError("another process is buying this very image. Try again later") from error
    except OSError as error:
        raise StoreError(f"{folder} cannot be written ({error.strerror or error})") from error
