"""Writing into a library, and setting aside what is in the way: what only those need who put images into one."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import shutil
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from mkdocs_qhaigc._util.files import atomic_write
from mkdocs_qhaigc.errors import StoreError
from mkdocs_qhaigc.store.library import Library
from mkdocs_qhaigc.store.record import (
    EXTENSIONS,
    KEY_DIGITS,
    LARGEST_IMAGE,
    RECORD_SCHEMA,
    SANDBOX,
    StoredImage,
    format_of,
    recorded_beside,
)

_STILL_WRITABLE = 5.0
"""Seconds for which a folder is taken to be writable after something was written: all else waits while it is tried."""


class Writer:
    """What writes into one library. Safe to use from several threads and processes at once."""

    def __init__(self, library: Library) -> None:
        """The library's folder need not exist yet."""
        self.folder = library.folder
        self._library = library
        self._written = -_STILL_WRITABLE
        """When something was written last, on `time.monotonic()`'s clock."""

    def save(
        self,
        *,
        name: str,
        key: str,
        data: bytes,
        format: str,
        width: int,
        height: int,
        colour: str | None,
        about: Mapping[str, Any],
    ) -> StoredImage:
        """Write an image and its record, durably, the record last; return it.

        Raises:
            StoreError: the folder cannot be written.
        """
        stem = f"{name}-{key[:KEY_DIGITS]}"
        digest = hashlib.sha256(data).hexdigest()
        record = {
            "schema": RECORD_SCHEMA,
            "key": key,
            "sha256": digest,
            "bytes": len(data),
            "format": format,
            "width": width,
            "height": height,
            "colour": colour,
            **about,
        }
        path = self.folder / f"{stem}.{EXTENSIONS[format]}"
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            atomic_write(path, data, at_once=True)  # it has no record yet
            text = json.dumps(record, ensure_ascii=False, indent=2) + "\n"
            # Half a character from the API becomes its JSON escape: a record must be written, the image is paid for.
            atomic_write(self.folder / f"{stem}.json", text.encode(errors="backslashreplace"))
        except OSError as error:
            raise StoreError(f"{self.folder} cannot be written ({error.strerror or error})") from error
        self._written = time.monotonic()
        self._library.note(f"{stem}.json", key)
        sandbox = about.get("api") == SANDBOX
        return StoredImage(str(path), key, digest, format, width, height, len(data), sandbox, colour)

    def take_in(self, name: str, key: str, data: bytes) -> Path | None:
        """Write bytes before anybody has looked at them, so that a program that is killed leaves them as a leftover.

        Return where they are; None where they begin as no image, or cannot be written.
        """
        format_ = format_of(data)
        if format_ is None:
            return None
        path = self.folder / f"{name}-{key[:KEY_DIGITS]}.{EXTENSIONS[format_]}"
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            atomic_write(path, data, at_once=True)
        except OSError:
            return None
        return path

    def leftovers(self, key: str) -> list[Path]:
        """Return the images under a key whose records are missing or cannot be read. For the owner of the key."""
        return [path for path in self.images_of(key) if recorded_beside(path) is None]

    def changed(self, key: str) -> list[StoredImage]:
        """Return what records say of images that have another size in bytes since. For the owner of the key."""
        found = []
        for path in self.images_of(key):
            recorded = recorded_beside(path)
            with contextlib.suppress(FileNotFoundError):
                if recorded and recorded.key == key and path.stat().st_size != recorded.size:
                    found.append(recorded)
        return found

    def images_of(self, key: str) -> list[Path]:
        """Return the images under a key, also those that are not as their records say."""
        return [path for path in self._library.files_of(key) if path.suffix != ".json" and not path.is_symlink()]

    def make_room(self, key: str, *, keep: Path | None = None, as_: str = "damaged") -> None:
        """Set aside what stands under a key, so that a new image replaces nothing. For the owner of the key."""
        for path in self._library.files_of(key):
            if path != keep:
                self._library.rename_aside(path, as_)

    def require_writable(self, *also: Path) -> None:
        """See that there is room for an image; write and remove small files, unless something was just written.

        `also`: folders besides the library's into which is written.

        Raises:
            StoreError: an image could not be saved.
        """
        try:
            if time.monotonic() - self._written >= _STILL_WRITABLE:
                for folder in (self.folder, *also):
                    failing = folder
                    folder.mkdir(parents=True, exist_ok=True)
                    probe = folder / f".probe-{os.urandom(4).hex()}.part"
                    atomic_write(probe, b"probe")
                    probe.unlink()
                self._written = time.monotonic()
            failing = self.folder
            free = shutil.disk_usage(self.folder).free
        except OSError as error:
            raise StoreError(f"{failing} cannot be written ({error.strerror or error})") from error
        if free < LARGEST_IMAGE:
            raise StoreError(f"{self.folder} has less than {LARGEST_IMAGE >> 20} MiB of space left")
