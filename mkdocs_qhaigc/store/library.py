"""A library: a folder of originals as they came from the API, each beside its record.

    hero-3f9a1c2b7d5e8f01.webp     the bytes, untouched
    hero-3f9a1c2b7d5e8f01.json     key, request, sha256, width, height, when, by which API and model

The hex is the start of the key and finds the image; the name is for people. An image is whole when its record is
there: the record is written last. Both are plain files, so that no lost index can take the images with it.
"""

from __future__ import annotations

import os
import re
import stat
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

from mkdocs_qhaigc._util.files import free_name
from mkdocs_qhaigc.errors import ImageDamaged, StoreError
from mkdocs_qhaigc.store.availability import is_lfs_pointer, require_here, require_image
from mkdocs_qhaigc.store.listing import Listing
from mkdocs_qhaigc.store.record import EXTENSIONS, KEY_DIGITS, LARGEST_RECORD, StoredImage, parse_record

_RECORD_NAME = re.compile(r"[^/\\]{1,255}-([0-9a-f]{16})\.json")
_FILE_NAME = rf"[^/\\]{{1,255}}-([0-9a-f]{{16}})\.(?:json|{'|'.join(EXTENSIONS.values())})"


class Library:
    """One folder of originals. Safe to use from several threads and processes at once."""

    def __init__(self, folder: Path, *, report: Callable[[str], None], index: Path | None = None) -> None:
        """Open a folder, which need not exist yet. `report` is told once of each file that cannot be used.

        `index`: where to remember what the records say, so that a later build need not open them.
        """
        self.folder = folder
        self._listing = Listing(folder, index)
        self._report = report
        self._lock = threading.RLock()  # `_list` tells of what it cannot read while `find` holds it
        self._names: dict[str, list[str]] | None = None
        self.damaged: list[str] = []
        """What was told, or is left to an error, of files that cannot be used."""
        self._by_digits: dict[str, list[str]] | None = None
        """The names of records and images by the hex in them, as they were when they were first wanted."""
        self._unreadable: dict[str, str] = {}
        """By the hex in a record's name: why what may be there cannot be read. By an empty text: the folder itself."""
        self._without_image: dict[str, Path] = {}
        """By the hex in a record's name: the image that is not beside it."""
        self._set_aside: dict[str, tuple[int, ...]] = {}
        """What could not be renamed: by name, its stamp. Others may yet put another file there."""

    def find(self, key: str, *, fresh: bool = False) -> StoredImage | None:
        """Return the saved image of a key, or None. `fresh` looks at the folder again, for what others wrote."""
        return next(self.find_all(key, fresh=fresh), None)

    def find_all(self, key: str, *, fresh: bool = False) -> Iterator[StoredImage]:
        """Yield every saved image of a key: several, where people have put them there."""
        with self._lock:
            if self._names is None:
                self._names = self._list()
            elif fresh:
                self._names[key[:KEY_DIGITS]] = self._list_of(key)
            names = tuple(self._names.get(key[:KEY_DIGITS], ()))
        for name in names:
            original = (None if fresh else self._listing.original(name, key)) or self._read_record(name, key)
            if original is not None:
                yield original

    def require_readable(self, key: str) -> None:
        """See that an image of which `find` found nothing is not merely out of reach: another user's, say.

        Raises:
            StoreError: it may be there. None is bought in its place.
        """
        reason = self._unreadable.get("") or self._unreadable.get(key[:KEY_DIGITS])
        if reason:
            raise StoreError(f"{reason}. None is bought in its place; make it readable")

    def require_image(self, key: str) -> None:
        """See that a record of which `find` found nothing has not merely come before its image.

        Raises:
            StoreError: as of `elsewhere.require_image`.
        """
        image = self._without_image.get(key[:KEY_DIGITS])
        if image and all(path.suffix == ".json" for path in self.files_of(key)):
            require_image(image)

    def require_here(self, key: str) -> None:
        """See that an image of which `find` found nothing is not merely elsewhere, with or without a record.

        Raises:
            StoreError: as of `elsewhere.require_here`.
        """
        with self._lock:
            if self._by_digits is None:
                self._by_digits = {}
                for name in self._listing.names:
                    if match := re.fullmatch(_FILE_NAME, name):
                        self._by_digits.setdefault(match[1], []).append(name)
        for name in self._by_digits.get(key[:KEY_DIGITS], ()):
            require_here(self.folder / name)

    def leave_to_error(self) -> None:
        """Tell nobody of what cannot be used: the error that ends the build says what is in `damaged`."""
        self._report = lambda _: None

    def remember(self) -> None:
        """Write down what the records of this folder say, for the next build."""
        self._listing.write()

    def set_aside(self, original: StoredImage, reason: str) -> bool:
        """Rename a damaged image and its record, so that nothing uses them and nothing is lost; tell of it.

        Return whether the image may be looked for again: not where its bytes cannot be read, which need not be wrong.
        """
        record = original.path.with_suffix(".json")
        try:
            parse_record(record, record.read_bytes()).read()
        except FileNotFoundError:  # another process has set it aside: the image there now may be what that has bought
            self._forget(record.name)
            self._tell(f"{reason}. It is not used")
            return True
        except (ValueError, RecursionError, ImageDamaged):
            aside = self.rename_aside(original.path)
            self.rename_aside(record)
            self._tell(f"{reason}. " + (f"It is kept as {aside.name}" if aside else "It is not used"))
            return True
        except (OSError, StoreError):
            self._tell(f"{reason}. It is not used")
            return False
        self._listing.forget(record.name)
        return True  # another process has put a whole one there since

    def files_of(self, key: str) -> list[Path]:
        """Return the records and images, whole or not, that stand under a key."""
        endings = tuple(f"-{key[:KEY_DIGITS]}.{extension}" for extension in ("json", *EXTENSIONS.values()))
        try:
            names = os.listdir(self.folder)  # noqa: PTH208 - a Path for each of all images takes long
            return sorted(self.folder / name for name in names if name.endswith(endings))
        except OSError:
            return []

    def note(self, name: str, key: str) -> None:
        """Take note of a record that was written."""
        with self._lock:
            if self._names is not None:
                self._names.setdefault(key[:KEY_DIGITS], []).insert(0, name)

    def rename_aside(self, path: Path, as_: str = "damaged") -> Path | None:
        """Return the new name of a file that is not used any more; None where it cannot be renamed."""
        aside = free_name(path.with_name(f"{path.name}.{as_}"))
        self._forget(path.name)
        stamp = _stamp(path)
        try:
            return path.replace(aside)
        except FileNotFoundError:  # another process has renamed it
            return None
        except OSError:
            with self._lock:
                self._set_aside[path.name] = stamp
            return None

    def _list(self) -> dict[str, list[str]]:
        """Return the names of the records by the hex in them: one listing of the folder, however many images."""
        names: dict[str, list[str]] = {}
        try:
            self._listing.refresh()
        except OSError as error:
            self._unreadable[""] = f"{self.folder} cannot be read ({error.strerror or error})"
            self._tell(f"{self._unreadable['']}. Its images are not used")
            return names
        self._unreadable.pop("", None)
        for entry in self._listing.names:
            match = _RECORD_NAME.fullmatch(entry)
            if match and not self._is_set_aside(entry):
                names.setdefault(match[1], []).append(entry)
        return names

    def _list_of(self, key: str) -> list[str]:
        """Return the names of the records of a key as they are now: whoever buys asks for each image."""
        ending = f"-{key[:KEY_DIGITS]}.json"
        try:
            names = sorted(name for name in os.listdir(self.folder) if name.endswith(ending))  # noqa: PTH208 - texts do
        except FileNotFoundError:
            return []
        except OSError as error:
            self._tell(f"{self.folder} cannot be read ({error.strerror or error}). Its images are not used")
            return []
        return [name for name in names if _RECORD_NAME.fullmatch(name) and not self._is_set_aside(name)]

    def _forget(self, name: str) -> None:
        with self._lock:
            for names in (self._names or {}).values():
                if name in names:
                    names.remove(name)

    def _is_set_aside(self, name: str) -> bool:
        return name in self._set_aside and self._set_aside[name] == _stamp(self.folder / name)

    def _read_record(self, name: str, key: str) -> StoredImage | None:
        """Return the original of a record that is whole and of this key; tell of one that is not."""
        path = self.folder / name
        try:
            if not stat.S_ISREG(path.lstat().st_mode):
                raise ValueError("it is a link, or no file")
            with path.open("rb") as file:
                text = file.read(LARGEST_RECORD + 1)
            original = parse_record(path, text)
            if original.key != key:
                raise ValueError("it is the record of another image")
            status = original.path.lstat()
            if not stat.S_ISREG(status.st_mode) or status.st_size != original.size:
                raise ValueError(f"{original.path.name} is not of the size that was saved")
        except FileNotFoundError as error:
            if error.filename != str(path):
                self._without_image[key[:KEY_DIGITS]] = Path(error.filename)
            self._tell(f"{error.filename} is missing. The image is looked for elsewhere")
        except (OSError, ValueError, RecursionError) as error:
            if isinstance(error, OSError):
                self._unreadable[key[:KEY_DIGITS]] = f"{path} cannot be read ({error.strerror or error})"
            if not any(map(is_lfs_pointer, self.files_of(key))):
                self._tell(f"{path} cannot be used: {error}. The image is looked for elsewhere")
        else:
            self._unreadable.pop(key[:KEY_DIGITS], None)
            self._listing.learn(name, original)
            return original
        return None

    def _tell(self, message: str) -> None:
        with self._lock:
            if message in self.damaged:
                return
            self.damaged.append(message)
        self._report(message)


def _stamp(path: Path) -> tuple[int, ...]:
    """Return what tells a file from another of its name; nothing where there is none."""
    try:
        status = path.lstat()
    except OSError:
        return ()
    return status.st_mtime_ns, status.st_size, status.st_ino
