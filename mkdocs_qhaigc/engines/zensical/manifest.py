"""The manifest of a folder that `sync` has written: its images and its files.

By it the next `sync` knows the files that it may remove, and pages look up their images. Its name begins with a dot, so
that no engine publishes it.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from mkdocs_qhaigc._util.files import atomic_write, real_path, within
from mkdocs_qhaigc.errors import LfsPointer, SiteError
from mkdocs_qhaigc.imaging.formats import COLOUR
from mkdocs_qhaigc.imaging.plan_published_files import SourceImage
from mkdocs_qhaigc.store.version_control_pointers import is_lfs_pointer

MANIFEST = ".qhaigc.json"
"""The name of the file."""
SCHEMA = 1
"""Raised when a field changes its meaning or goes."""
_FILE_LINE = re.compile(r'^  ("(?:[^"\\\n]|\\u[0-9a-f]{4})+"): "([0-9a-f]{64}|)",?$', re.MULTILINE)
"""Matches the line of one file and its digest."""


@dataclass(frozen=True, slots=True)
class SyncedImage:
    """An image as it was written."""

    source: SourceImage
    colour: str | None
    """Its mean, `#rrggbb`; `None` if it is transparent or not known."""


@dataclass(frozen=True, slots=True)
class Manifest:
    """The content of one manifest."""

    config: Path
    """The site's configuration."""
    images: Mapping[str, SyncedImage] = field(default_factory=dict)
    """By key of the request."""
    files: Mapping[str, str] = field(default_factory=dict)
    """By name within the folder: the sha256 of the bytes; empty while the file is being written."""
    look: str = ""
    """`Configuration.look`: if it changes, Zensical must not use pages that it has kept."""

    def save(self, folder: Path) -> None:
        """Write it into the folder, if it differs from what is there."""
        images = {
            key: {
                "width": image.source.width,
                "height": image.source.height,
                "colour": image.colour,
                "placeholder": image.source.placeholder,
            }
            for key, image in self.images.items()
        }
        parts = (
            f' "schema": {SCHEMA}',
            f' "config": {json.dumps(within(self.config, real_path(folder)))}',
            f' "look": {json.dumps(self.look)}',
            _lines("images", images),
            _lines("files", self.files),
        )
        text = ",\n".join(parts)
        path, data = folder / MANIFEST, f"{{\n{text}\n}}\n".encode()
        before = int(path.stat().st_mtime) if path.exists() else 0
        if not before or path.read_bytes() != data:
            atomic_write(path, data)
            if path.stat().st_mtime < before + 1:  # Zensical compares times of watched files in whole seconds
                os.utime(path, (before + 1, before + 1))


def read_manifest(folder: Path) -> Manifest | None:
    """Return the manifest of a folder; `None` if there is none.

    Raises:
        SiteError: it cannot be read.
    """
    path = folder / MANIFEST
    try:
        return _parse(json.loads(path.read_bytes()), folder)
    except FileNotFoundError:
        return None
    except (OSError, ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        raise SiteError(f"{path} cannot be read ({error}). Run `mkdocs-qhaigc sync`, which writes it anew") from error


def read_files(folder: Path) -> Manifest | None:
    """Return the manifest of a folder; if git or a crash has left it torn, the files that it still names.

    Raises:
        OSError: it cannot be read.
        LfsPointer: it is a pointer of Git LFS.
    """
    try:
        return read_manifest(folder)
    except SiteError:
        if is_lfs_pointer(folder / MANIFEST):
            raise LfsPointer(folder) from None
        text = (folder / MANIFEST).read_text(encoding="utf-8", errors="replace")
    found = ((json.loads(name, strict=False), digest) for name, digest in _FILE_LINE.findall(text))
    return Manifest(Path(), files={name: digest for name, digest in found if _is_name(name)})


def _lines(name: str, entries: Mapping[str, Any]) -> str:
    """Return a mapping as JSON with a line for each entry, which git can merge line by line."""
    rows = ",\n".join(f"  {json.dumps(key)}: {json.dumps(entry)}" for key, entry in sorted(entries.items()))
    return f' "{name}": {{\n{rows}\n }}' if rows else f' "{name}": {{}}'


def _parse(content: Any, folder: Path) -> Manifest:
    if content["schema"] != SCHEMA:
        raise ValueError(f"it is of version {content['schema']!r}")
    images = {str(key): _parse_image(str(key), one) for key, one in content["images"].items()}
    files = {str(name): str(digest) for name, digest in content["files"].items()}
    for name in files:
        if not _is_name(name):
            raise ValueError(f"{name!r} is no name of a file in its folder")
    return Manifest(Path(os.path.normpath(real_path(folder) / content["config"])), images, files)


def _is_name(name: str) -> bool:
    """Return whether a name can be that of a file of `sync`: in the folder itself, and not hidden."""
    return Path(name).name == name and not name.startswith(".")


def _parse_image(key: str, one: Any) -> SyncedImage:
    width, height, colour = one["width"], one["height"], one["colour"]
    if not (type(width) is int and type(height) is int and width > 0 and height > 0):
        raise ValueError(f"{key}: it has no size")
    if colour is not None and not COLOUR.fullmatch(colour):
        raise ValueError(f"{key}: {colour!r} is no colour")
    return SyncedImage(SourceImage(f"synced:{key}", width, height, placeholder=one["placeholder"] is True), colour)
