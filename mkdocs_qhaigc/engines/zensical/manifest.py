"""What `sync` has written into a folder of the pages: a file beside the images that says it, for the next `sync`, for
pages that look their images up, and for whoever has the folder and none of the originals.

Its name begins with a dot, so no engine publishes it.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from mkdocs_qhaigc._util.files import atomic_write, within
from mkdocs_qhaigc.errors import LfsPointer, SiteError
from mkdocs_qhaigc.imaging.formats import COLOUR
from mkdocs_qhaigc.imaging.renditions import MANIFEST, Drawn
from mkdocs_qhaigc.store.availability import is_lfs_pointer

_FILE_LINE = re.compile(r'("(?:[^"\\\n]|\\u[0-9a-f]{4})+"): "([0-9a-f]{64}|)"')
"""A file and its digest, as they stand on a line of their own."""
_IMAGE_LINE = re.compile(r'^  "([0-9a-f]{64})": (\{.*\}),?$', re.MULTILINE)
"""A key and what is said of its image, as they stand on a line of their own."""
SCHEMA = 1
"""Raised when a field changes its meaning or goes."""


@dataclass(frozen=True, slots=True)
class WrittenImage:
    """An image as it was written."""

    drawn: Drawn
    colour: str | None
    """Its mean, `#rrggbb`; None where it is transparent or not known."""
    file: str | None = None
    """The best of its files, by name: what stands for its original where that is not; None where nothing can."""
    sandbox: bool = False
    """Whether a sandbox drew it."""


@dataclass(frozen=True, slots=True)
class Written:
    """What was written into a folder."""

    config: Path
    """The site's configuration."""
    images: Mapping[str, WrittenImage] = field(default_factory=dict)
    """By key of the request."""
    files: Mapping[str, str] = field(default_factory=dict)
    """By name within the folder: the sha256 of the bytes."""
    look: str = ""
    """A digest of what else pages are rendered from: where it changes, pages that Zensical has kept are old."""

    def save(self, folder: Path) -> None:
        """Write it into the folder, if it says anything new there."""
        images = {
            key: {
                "width": image.drawn.width,
                "height": image.drawn.height,
                "colour": image.colour,
                "placeholder": image.drawn.placeholder,
                "file": image.file,
                "sandbox": image.sandbox,
            }
            for key, image in self.images.items()
        }
        config = within(self.config, folder.resolve())
        parts = (
            f' "schema": {SCHEMA}',
            f' "config": {json.dumps(config)}',
            f' "look": {json.dumps(self.look)}',
            _lines("images", images),
            _lines("files", self.files),
        )
        text = ",\n".join(parts)
        path, data = folder / MANIFEST, f"{{\n{text}\n}}\n".encode()
        before = int(path.stat().st_mtime) if path.exists() else 0
        if not before or path.read_bytes() != data:
            atomic_write(path, data)
            if path.stat().st_mtime < before + 1:  # Zensical tells changes of a watched file by whole seconds
                os.utime(path, (before + 1, before + 1))


def read_written(folder: Path) -> Written | None:
    """Return what was written into a folder; None where nothing was.

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


def read_remains(folder: Path) -> Written | None:
    """Return what was written into a folder, also what git has left of two branches, or a crash; None: nothing was.

    Raises:
        OSError: it cannot be read.
        LfsPointer: Git LFS has it.
    """
    try:
        return read_written(folder)
    except SiteError:
        if is_lfs_pointer(folder / MANIFEST):
            raise LfsPointer(folder) from None
        text = (folder / MANIFEST).read_text(encoding="utf-8", errors="replace")
    digests: dict[str, list[str]] = {}
    for match in _FILE_LINE.finditer(text):
        digests.setdefault(json.loads(match[1], strict=False), []).append(match[2])
    images: dict[str, list[WrittenImage]] = {}
    for match in _IMAGE_LINE.finditer(text):
        with contextlib.suppress(ValueError, TypeError, KeyError, RecursionError):  # what is damaged counts as gone
            images.setdefault(match[1], []).append(_parse_image(match[1], json.loads(match[2])))
    sides = {name: _side(folder / name, of_one) for name, of_one in digests.items() if _is_name(name)}
    return Written(
        Path(),
        {key: _of_side(of_one, digests, sides) for key, of_one in images.items()},
        {name: digests[name][max(side, 0)] for name, side in sides.items()},
    )


def _side(file: Path, digests: Sequence[str]) -> int:
    """Return which of these digests is that of the file as it is now; -1: none, or there is no file."""
    try:
        digest = hashlib.sha256(file.read_bytes()).hexdigest() if len(digests) > 1 else digests[0]
    except OSError:
        return -1
    return digests.index(digest) if digest in digests else -1


def _of_side(
    images: Sequence[WrittenImage], digests: Mapping[str, Sequence[str]], sides: Mapping[str, int]
) -> WrittenImage:
    """Return which of the images of one key is there as a file: a purchase, if there is one.

    Where that cannot be told, it is the sandbox's: no drawing is taken for a real image.
    """
    there = [
        one
        for number, one in enumerate(images)
        if one.file and sides.get(one.file, -1) >= 0 and (sides[one.file] == number or len(digests[one.file]) == 1)
    ]
    unsure = [one for one in images if one.sandbox] or images
    return next((one for one in there if not one.sandbox and not one.drawn.placeholder), (there or unsure)[0])


def _lines(name: str, entries: Mapping[str, Any]) -> str:
    """Return a mapping as JSON with a line for each of its entries: what git can join, and cannot tear."""
    rows = ",\n".join(f"  {json.dumps(key)}: {json.dumps(entry)}" for key, entry in sorted(entries.items()))
    return f' "{name}": {{\n{rows}\n }}' if rows else f' "{name}": {{}}'


def _parse(content: Any, folder: Path) -> Written:
    if content["schema"] != SCHEMA:
        raise ValueError(f"it is of version {content['schema']!r}")
    images = {str(key): _parse_image(str(key), one) for key, one in content["images"].items()}
    files = {str(name): str(digest) for name, digest in content["files"].items()}
    for name in files:
        if not _is_name(name):
            raise ValueError(f"{name!r} is no name of a file in its folder")
    return Written(Path(os.path.normpath(folder.resolve() / content["config"])), images, files)


def _is_name(name: str) -> bool:
    """Whether it can be a file of ours: of the folder itself, and not hidden."""
    return Path(name).name == name and not name.startswith(".")


def _parse_image(key: str, one: Any) -> WrittenImage:
    width, height, colour, file = one["width"], one["height"], one["colour"], one.get("file")
    if not (type(width) is int and type(height) is int and width > 0 and height > 0):
        raise ValueError(f"{key}: it has no size")
    if colour is not None and not COLOUR.fullmatch(colour):
        raise ValueError(f"{key}: {colour!r} is no colour")
    if file is not None and not (isinstance(file, str) and _is_name(file)):
        raise ValueError(f"{key}: {file!r} is no name of a file in its folder")
    drawn = Drawn(f"written:{key}", width, height, placeholder=one["placeholder"] is True)
    return WrittenImage(drawn, colour, file, sandbox=one.get("sandbox") is True)
