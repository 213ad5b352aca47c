"""Images as `sync` has written them among the pages: what there is of an image where its original is not.

A folder of pages is committed, and comes to machines on which nothing of it was bought. What is in it is not bought
again: its files are used as they are, and where others are needed, they are made of the best of them. What `sync` takes
away from there stays in a folder of the cache, in the same form (`laying_away.py`).
"""

from __future__ import annotations

import hashlib
import os
import re
import stat
from collections.abc import Callable, Mapping
from functools import cached_property, partial
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from mkdocs_qhaigc.config.options import Options
from mkdocs_qhaigc.errors import ImageError, StoreError
from mkdocs_qhaigc.imaging.renditions import MANIFEST, STEM_DIGITS, PublishedImage, stem_of
from mkdocs_qhaigc.store.availability import require_here
from mkdocs_qhaigc.store.record import EXTENSIONS, StoredImage

if TYPE_CHECKING:
    from mkdocs_qhaigc.engines.zensical.manifest import Written

LAID_AWAY = "published"
"""The folder of the cache for what was taken away from among the pages."""
_FORMATS = {extension: format_ for format_, extension in EXTENSIONS.items()}
ENDING = rf"-([0-9a-f]{{{STEM_DIGITS}}})(?:-[0-9]+)?\.[a-z]+$"
"""What follows the name that an author has given, in the name of a file; the group is that of all files of one."""


class Published:
    """The images of a site that are among its pages, and those that were. Read when the first is looked for."""

    def __init__(self, folder: Path, options: Options) -> None:
        """The folder among the pages need not exist."""
        self._options = options
        self._folder = folder
        self._folders = [_Folder(folder), _Folder(options.cache_dir / LAID_AWAY)]
        self._searched = options.sandboxed  # what that draws again costs nothing

    def find(self, key: str, name: str) -> StoredImage | None:
        """Return the best file of an image, in the place of its original; None where none in its size is whole.

        `name`: what the author calls the image. Where the first is not found, it is looked for all over the pages:
        `sync` may have written it when `assets_dir` was another folder.

        Raises:
            StoreError: there may be one, and it cannot be told.
        """
        stem = partial(stem_of, name, key, self._options.encoding)
        found = (folder.find(key, stem) for folder in self._folders)
        best = next(filter(None, found), None)
        if best is None and not self._searched:
            self._searched = True
            others = [_Folder(folder) for folder in _others(self._folder, self._options.assets_dir)]
            self._folders += others
            return next(filter(None, (folder.find(key, stem) for folder in others)), None)
        return best

    def files_of(self, publication: PublishedImage, name: str) -> dict[str, str]:
        """Return the paths of those files that are there and whole, by the cache key of their variant.

        `name`: what the author calls the image. It may have been called otherwise when its files were written.

        Raises:
            StoreError: as of `find`.
        """
        found = {}
        for variant in publication.variants:
            wanted = PurePosixPath(variant.dest_uri).name
            size = variant.spec.width, variant.spec.height
            paths = (folder.path_of(wanted, len(name), *size) for folder in self._folders)
            if path := next(filter(None, paths), None):
                found[variant.spec.cache_key] = str(path)
        return found

    def is_best(self, original: StoredImage) -> bool:
        """Whether an original is the best file of its image: it has been taken from here."""
        return any(folder.is_best(original) for folder in self._folders)


class _Folder:
    """One folder that `sync` has written."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def find(self, key: str, stem_now: Callable[[], str]) -> StoredImage | None:
        """As of `Published.find`. `stem_now` returns how the names of the image's files would begin now."""
        image = self._written.images.get(key) if self._written else None
        if image and image.drawn.placeholder:
            return None  # what has the names of the image's files is a placeholder
        if image is None or image.file is None:
            return self._find_by_name(key, stem_now()) if self._is_there else None
        written_stem, _, best = image.file.rpartition(".")
        for extension in dict.fromkeys((best, *_FORMATS)):
            file = f"{written_stem}.{extension}"
            data = self._read_whole(file, image.drawn.width, image.drawn.height)
            if data is not None and extension in _FORMATS:
                return StoredImage(
                    str(self._folder / file),
                    key,
                    hashlib.sha256(data).hexdigest(),
                    _FORMATS[extension],
                    image.drawn.width,
                    image.drawn.height,
                    len(data),
                    image.sandbox,
                    image.colour,
                )
        for extension in _FORMATS:
            require_here(self._folder / f"{written_stem}.{extension}")
        # What is said may be of older files: git keeps one side of it, and the files of the other.
        stem = stem_now()
        return self._find_by_name(key, stem) if stem != written_stem else None

    def path_of(self, wanted: str, name_length: int, width: int, height: int) -> Path | None:
        """Return the file of this name, or of another name for the same image, which is so long in `wanted`."""
        others: list[str] = self._by_ending.get(wanted[name_length:], [])
        for file in dict.fromkeys((wanted, *others)):
            if self._read_whole(file, width, height) is not None:
                return self._folder / file
        return None

    def is_best(self, original: StoredImage) -> bool:
        try:
            written = self._written
        except StoreError:  # which is told where it matters
            return False
        image = written.images.get(original.key) if written else None
        return written is not None and image is not None and written.files.get(image.file or "") == original.sha256

    @cached_property
    def _is_there(self) -> bool:
        return self._folder.is_dir()

    @cached_property
    def _written(self) -> Written | None:
        try:
            if not (self._folder / MANIFEST).exists():
                return None
            from mkdocs_qhaigc.engines.zensical.manifest import read_remains  # most sites have none

            return read_remains(self._folder)
        except OSError as error:
            raise _unreadable(error, self._folder) from error

    @cached_property
    def _by_ending(self) -> Mapping[str, list[str]]:
        found: dict[str, list[str]] = {}
        try:
            there = os.listdir(self._folder)  # noqa: PTH208 - names do
        except FileNotFoundError:
            there = []
        except OSError as error:
            raise _unreadable(error, self._folder) from error
        for file in dict.fromkeys((*(self._written.files if self._written else ()), *there)):
            if ending := re.search(ENDING, file):
                found.setdefault(ending[0], []).append(file)
        return found

    def _find_by_name(self, key: str, stem: str) -> StoredImage | None:
        """Return an image of which nothing says that it was written: who copies files may leave hidden ones behind.

        The names of its files are made of its key, and of what it was called then. Whether a sandbox drew it is in the
        files, if anywhere.
        """
        code = stem[-STEM_DIGITS:]
        files = [name for extension in _FORMATS for name in self._by_ending.get(f"-{code}.{extension}", ())]
        if not files:
            return None
        from mkdocs_qhaigc.imaging.encode import inspect, origin  # as for `_is_image`
        from mkdocs_qhaigc.site.resolved import SANDBOX_SYSTEM

        there = {name: data for name in files if (data := self._read(name)) is not None}
        for name, data in sorted(there.items(), key=lambda item: (not item[0].endswith(".png"), -len(item[1]))):
            path = self._folder / name
            try:
                info, said = inspect(data), origin(data)
            except ImageError:
                continue
            if said.source_type is None:  # in a sandbox, too: what is written there would be said to be its drawing
                raise StoreError(
                    f"{path} may be the image, but {MANIFEST} beside it, which says so, is lost. Restore that; "
                    "or see what the image is, and have it by `mkdocs-qhaigc pin --adopt`, or remove it"
                )
            digest = hashlib.sha256(data).hexdigest()
            size = info.width, info.height, len(data)
            return StoredImage(str(path), key, digest, info.format, *size, said.system == SANDBOX_SYSTEM, info.colour)
        for name in files:
            require_here(self._folder / name)
        return None

    def _read_whole(self, file: str, width: int, height: int) -> bytes | None:
        """Return the bytes of a file of ours that is whole: as it was written, or as small as somebody has made it."""
        data = self._read(file)
        if data is None:
            return None
        digest = self._written.files.get(file) if self._written else None
        return data if hashlib.sha256(data).hexdigest() == digest or _is_image(data, width, height) else None

    def _read(self, file: str) -> bytes | None:
        """Return the bytes of a file; None where there is none."""
        path = self._folder / file
        try:
            return path.read_bytes() if stat.S_ISREG(path.lstat().st_mode) else None
        except FileNotFoundError:
            return None
        except OSError as error:
            raise _unreadable(error, path) from error


def _others(folder: Path, assets_dir: str) -> list[Path]:
    """Return the other folders among the pages that `sync` has written; `folder` is where those name `assets_dir`."""
    found = []
    for place, folders, files in os.walk(folder.parents[len(PurePosixPath(assets_dir).parts) - 1]):
        folders[:] = (name for name in folders if not name.startswith("."))
        if MANIFEST in files and Path(place) != folder:
            found.append(Path(place))
    return sorted(found)


def _unreadable(error: OSError, path: Path) -> StoreError:
    return StoreError(f"{error.filename or path} cannot be read ({error.strerror or error})")


def _is_image(data: bytes, width: int, height: int) -> bool:
    """Whether these are the bytes of an image of this size, in pixels."""
    from mkdocs_qhaigc.imaging.encode import inspect  # most files are as they were written

    try:
        info = inspect(data)
    except ImageError:
        return False
    return (info.width, info.height) == (width, height)
