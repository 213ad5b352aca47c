"""Pictures as `sync` has written them among the pages: what there is of a picture where its original is not.

A folder of pages is committed, and comes to machines on which nothing of it was bought. What is in it is not bought
again: its files are used as they are, and where others are needed, they are made of the best of them.
"""

from __future__ import annotations

import hashlib
import re
import stat
from collections.abc import Mapping
from functools import cached_property
from pathlib import Path, PurePosixPath

from mkdocs_qhaigc.errors import PictureError
from mkdocs_qhaigc.original import EXTENSIONS, Original
from mkdocs_qhaigc.publication import STEM_DIGITS, Publication
from mkdocs_qhaigc.written import Written, read_remains

_FORMATS = {extension: format_ for format_, extension in EXTENSIONS.items()}
ENDING = re.compile(rf"-[0-9a-f]{{{STEM_DIGITS}}}(?:-[0-9]+)?\.[a-z]+$")
"""What follows the name that an author has given, in the name of a file."""


class Published:
    """The pictures of one folder among the pages. It is read when the first of them is looked for."""

    def __init__(self, folder: Path) -> None:
        """The folder need not exist."""
        self._folder = folder

    def find(self, key: str) -> Original | None:
        """Return the best file of a picture, in the place of its original; None where none in its size is whole."""
        picture = self._written.pictures.get(key)
        if picture is None or picture.file is None or picture.drawn.placeholder:
            return None
        stem, _, best = picture.file.rpartition(".")
        for extension in dict.fromkeys((best, *_FORMATS)):
            file = f"{stem}.{extension}"
            data = self._read(file, picture.drawn.width, picture.drawn.height)
            if data is not None and extension in _FORMATS:
                return Original(
                    str(self._folder / file),
                    key,
                    hashlib.sha256(data).hexdigest(),
                    _FORMATS[extension],
                    picture.drawn.width,
                    picture.drawn.height,
                    len(data),
                    picture.sandbox,
                    picture.colour,
                )
        return None

    def is_best(self, original: Original) -> bool:
        """Whether an original is the best file of its picture: it has been taken from here."""
        picture = self._written.pictures.get(original.key)
        return picture is not None and self._written.files.get(picture.file or "") == original.sha256

    @cached_property
    def of_sandbox(self) -> bool:
        """Whether any of these pictures was drawn by a sandbox."""
        return any(picture.sandbox for picture in self._written.pictures.values())

    def files_of(self, publication: Publication, name: str) -> dict[str, str]:
        """Return the paths of those files that are there and whole, by the cache key of their variant.

        `name`: what the author calls the picture. It may have been called otherwise when its files were written.
        """
        found = {}
        for variant in publication.variants:
            wanted = PurePosixPath(variant.dest_uri).name
            for file in dict.fromkeys((wanted, *self._by_ending.get(wanted[len(name) :], ()))):
                if self._read(file, variant.spec.width, variant.spec.height) is not None:
                    found[variant.spec.cache_key] = str(self._folder / file)
                    break
        return found

    @cached_property
    def _written(self) -> Written:
        try:
            return read_remains(self._folder) or Written(Path())
        except OSError:  # whoever writes there tells of it
            return Written(Path())

    @cached_property
    def _by_ending(self) -> Mapping[str, list[str]]:
        found: dict[str, list[str]] = {}
        for file in self._written.files:
            if ending := ENDING.search(file):
                found.setdefault(ending[0], []).append(file)
        return found

    def _read(self, file: str, width: int, height: int) -> bytes | None:
        """Return the bytes of a file of ours that is whole: as it was written, or as small as somebody has made it."""
        digest = self._written.files.get(file)
        path = self._folder / file
        try:
            if digest is None or not stat.S_ISREG(path.lstat().st_mode):
                return None
            data = path.read_bytes()
        except OSError:
            return None
        return data if hashlib.sha256(data).hexdigest() == digest or _is_picture(data, width, height) else None


def _is_picture(data: bytes, width: int, height: int) -> bool:
    """Whether these are the bytes of a picture of this size, in pixels."""
    from mkdocs_qhaigc.imaging.codecs import inspect  # most files are as they were written

    try:
        info = inspect(data)
    except PictureError:
        return False
    return (info.width, info.height) == (width, height)
