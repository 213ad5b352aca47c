"""Pictures as `sync` has written them among the pages: what there is of a picture where its original is not.

A folder of pages is committed, and comes to machines on which nothing of it was bought. What is in it is not bought
again: its files are used as they are, and where others are needed, they are made of the best of them. What `sync` takes
away from there stays in a folder of the cache, in the same form.
"""

from __future__ import annotations

import hashlib
import re
import stat
from collections.abc import Callable, Iterator, Mapping, Set
from functools import cached_property
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from mkdocs_qhaigc.errors import LibraryError, PictureError
from mkdocs_qhaigc.files import write_whole
from mkdocs_qhaigc.options import Options
from mkdocs_qhaigc.original import EXTENSIONS, Original
from mkdocs_qhaigc.publication import ACCOUNT, STEM_DIGITS, Publication

if TYPE_CHECKING:
    from mkdocs_qhaigc.written import Written

LAID_AWAY = "published"
"""The folder of the cache for what was taken away from among the pages."""
_FORMATS = {extension: format_ for format_, extension in EXTENSIONS.items()}
_ENDING = re.compile(rf"-([0-9a-f]{{{STEM_DIGITS}}})(?:-[0-9]+)?\.[a-z]+$")
"""What follows the name that an author has given, in the name of a file; the group is that of all files of one."""


class Published:
    """The pictures of a site that are among its pages, and those that were. Read when the first is looked for."""

    def __init__(self, folder: Path, options: Options) -> None:
        """The folder among the pages need not exist."""
        self._folders = (_Folder(folder), _Folder(options.cache_dir / LAID_AWAY))

    def find(self, key: str) -> Original | None:
        """Return the best file of a picture, in the place of its original; None where none in its size is whole.

        Raises:
            LibraryError: it cannot be read, and so cannot be told.
        """
        return next(filter(None, (folder.find(key) for folder in self._folders)), None)

    def files_of(self, publication: Publication, name: str) -> dict[str, str]:
        """Return the paths of those files that are there and whole, by the cache key of their variant.

        `name`: what the author calls the picture. It may have been called otherwise when its files were written.

        Raises:
            LibraryError: as of `find`.
        """
        found = {}
        for variant in publication.variants:
            wanted = PurePosixPath(variant.dest_uri).name
            size = variant.spec.width, variant.spec.height
            paths = (folder.path_of(wanted, len(name), *size) for folder in self._folders)
            if path := next(filter(None, paths), None):
                found[variant.spec.cache_key] = str(path)
        return found

    def is_best(self, original: Original) -> bool:
        """Whether an original is the best file of its picture: it has been taken from here."""
        return any(folder.is_best(original) for folder in self._folders)


class _Folder:
    """One folder that `sync` has written."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def find(self, key: str) -> Original | None:
        picture = self._written.pictures.get(key) if self._written else None
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

    def path_of(self, wanted: str, name_length: int, width: int, height: int) -> Path | None:
        """Return the file of this name, or of another name for the same picture, which is so long in `wanted`."""
        others: list[str] = self._by_ending.get(wanted[name_length:], [])
        for file in dict.fromkeys((wanted, *others)):
            if self._read(file, width, height) is not None:
                return self._folder / file
        return None

    def is_best(self, original: Original) -> bool:
        try:
            written = self._written
        except LibraryError:  # which is told where it matters
            return False
        picture = written.pictures.get(original.key) if written else None
        return written is not None and picture is not None and written.files.get(picture.file or "") == original.sha256

    @cached_property
    def _written(self) -> Written | None:
        try:
            if not (self._folder / ACCOUNT).exists():
                return None
            from mkdocs_qhaigc.written import read_remains  # most sites have none

            return read_remains(self._folder)
        except OSError as error:
            raise _unreadable(error, self._folder) from error

    @cached_property
    def _by_ending(self) -> Mapping[str, list[str]]:
        found: dict[str, list[str]] = {}
        for file in self._written.files if self._written else ():
            if ending := _ENDING.search(file):
                found.setdefault(ending[0], []).append(file)
        return found

    def _read(self, file: str, width: int, height: int) -> bytes | None:
        """Return the bytes of a file of ours that is whole: as it was written, or as small as somebody has made it."""
        digest = self._written.files.get(file) if self._written else None
        path = self._folder / file
        try:
            if digest is None or not stat.S_ISREG(path.lstat().st_mode):
                return None
            data = path.read_bytes()
        except FileNotFoundError:
            return None
        except OSError as error:
            raise _unreadable(error, path) from error
        return data if hashlib.sha256(data).hexdigest() == digest or _is_picture(data, width, height) else None


def lay_away(
    folder: Path, before: Written, unused: Set[str], options: Options, *, has_original: Callable[[str], bool]
) -> None:
    """Copy files that go into the cache, where their pictures have no original: they may be wanted again.

    `has_original` says it of a key. `before` is what is said of the folder.

    Raises:
        OSError: it cannot be done. Nothing has gone.
    """
    going = {
        key: picture
        for key, picture in before.pictures.items()
        if picture.file in unused and not picture.sandbox and not has_original(key)
    }
    if not going:
        return
    from mkdocs_qhaigc.written import Written, read_remains

    aside = options.cache_dir / LAID_AWAY
    aside.mkdir(parents=True, exist_ok=True)
    earlier = read_remains(aside) or Written(before.config)
    digests = {}
    for name in _of_pictures(going, before, unused):
        try:
            data = (folder / name).read_bytes()
        except FileNotFoundError:
            continue
        write_whole(aside / name, data)
        digests[name] = hashlib.sha256(data).hexdigest()
    Written(before.config, {**earlier.pictures, **going}, {**earlier.files, **digests}).save(aside)


def _of_pictures(going: Set[str] | Mapping[str, object], before: Written, unused: Set[str]) -> Iterator[str]:
    """Yield those of the unused files that may be of these pictures; cards, too, whose names tell of no picture."""
    codes = {key: _code(picture.file) for key, picture in before.pictures.items() if picture.file}
    wanted = {code for key, code in codes.items() if key in going}
    cards = not any(picture.sandbox for picture in before.pictures.values())
    for name in unused:
        code = _code(name)
        if code and (code in wanted or (cards and code not in codes.values())):
            yield name


def _code(file: str) -> str | None:
    ending = _ENDING.search(file)
    return ending[1] if ending else None


def _unreadable(error: OSError, path: Path) -> LibraryError:
    return LibraryError(f"{error.filename or path} cannot be read ({error.strerror or error})")


def _is_picture(data: bytes, width: int, height: int) -> bool:
    """Whether these are the bytes of a picture of this size, in pixels."""
    from mkdocs_qhaigc.imaging.codecs import inspect  # most files are as they were written

    try:
        info = inspect(data)
    except PictureError:
        return False
    return (info.width, info.height) == (width, height)
