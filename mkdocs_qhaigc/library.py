"""A library: a folder of originals as they came from the API, each beside its record.

    hero-3f9a1c2b7d5e8f01.webp     the bytes, untouched
    hero-3f9a1c2b7d5e8f01.json     key, request, sha256, width, height, when, by which API and model

The hex is the start of the key and finds the picture; the name is for people. A picture is whole when its record is
there: the record is written last. Both are plain files, so that no lost index can take the pictures with it.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import stat
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from mkdocs_qhaigc.elsewhere import is_lfs_pointer, require_here
from mkdocs_qhaigc.errors import Damaged, LibraryError
from mkdocs_qhaigc.files import free_name, write_whole
from mkdocs_qhaigc.listing import Listing
from mkdocs_qhaigc.original import (
    EXTENSIONS,
    KEY_DIGITS,
    LARGEST_RECORD,
    RECORD_SCHEMA,
    SANDBOX,
    Original,
    has_record,
    parse_record,
)

LEAST_FREE = 32 << 20
"""Bytes on the disk below which nothing is bought: the largest picture that is read."""
_STILL_WRITABLE = 5.0
"""Seconds for which a folder is taken to be writable after something was written: all else waits while it is tried."""

_RECORD_NAME = re.compile(r"[^/\\]{1,255}-([0-9a-f]{16})\.json")
_FILE_NAME = rf"[^/\\]{{1,255}}-([0-9a-f]{{16}})\.(?:json|{'|'.join(EXTENSIONS.values())})"
_STARTS = {
    "png": re.compile(rb"\x89PNG"),
    "jpg": re.compile(rb"\xff\xd8\xff"),
    "webp": re.compile(rb"RIFF....WEBP", re.DOTALL),
    "avif": re.compile(rb"....ftyp", re.DOTALL),
}


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
        """What was told of files that cannot be used."""
        self._by_digits: dict[str, list[str]] | None = None
        """The names of records and pictures by the hex in them, as they were when they were first wanted."""
        self._unreadable: dict[str, str] = {}
        """By the hex in a record's name: why what may be there cannot be read. By an empty text: the folder itself."""
        self._without_picture: dict[str, Path] = {}
        """By the hex in a record's name: the picture that is not beside it."""
        self._set_aside: set[str] = set()
        self._written = -_STILL_WRITABLE
        """When something was written last, on `time.monotonic()`'s clock."""

    def find(self, key: str, *, fresh: bool = False) -> Original | None:
        """Return the saved picture of a key, or None. `fresh` looks at the folder again, for what others wrote."""
        return next(self.find_all(key, fresh=fresh), None)

    def find_all(self, key: str, *, fresh: bool = False) -> Iterator[Original]:
        """Yield every saved picture of a key: several, where people have put them there."""
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
        """See that a picture of which `find` found nothing is not merely out of reach: another user's, say.

        Raises:
            LibraryError: it may be there. None is bought in its place.
        """
        reason = self._unreadable.get("") or self._unreadable.get(key[:KEY_DIGITS])
        if reason:
            raise LibraryError(f"{reason}. None is bought in its place; make it readable")

    def require_here(self, key: str, *, drawings: bool) -> None:
        """See that a picture of which `find` found nothing is not merely elsewhere, with or without a record.

        `drawings`: also one that the sandbox drew, as its name says.

        Raises:
            LibraryError: as of `elsewhere.require_here`; or its record is there alone.
        """
        if (picture := self._without_picture.get(key[:KEY_DIGITS])) and not picture.exists():
            raise LibraryError(
                f"{picture} is not here, and its record is. Fetch it from where it is kept; or remove the record, and "
                "another one is bought"
            )
        with self._lock:
            if self._by_digits is None:
                self._by_digits = {}
                for name in self._listing.names:
                    if match := re.fullmatch(_FILE_NAME, name):
                        self._by_digits.setdefault(match[1], []).append(name)
        for name in self._by_digits.get(key[:KEY_DIGITS], ()):
            if drawings or f".{SANDBOX}-" not in name:
                require_here(self.folder / name)

    def remember(self) -> None:
        """Write down what the records of this folder say, for the next build."""
        self._listing.write()

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
    ) -> Original:
        """Write a picture and its record, durably, the record last; return it.

        Raises:
            LibraryError: the folder cannot be written.
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
            write_whole(path, data, at_once=True)  # it has no record yet
            text = json.dumps(record, ensure_ascii=False, indent=2) + "\n"
            # Half a character from the API becomes its JSON escape: a record must be written, the picture is paid for.
            write_whole(self.folder / f"{stem}.json", text.encode(errors="backslashreplace"))
        except OSError as error:
            raise LibraryError(f"{self.folder} cannot be written ({error.strerror or error})") from error
        self._written = time.monotonic()
        with self._lock:
            self._set_aside.discard(f"{stem}.json")
            if self._names is not None:
                self._names.setdefault(key[:KEY_DIGITS], []).insert(0, f"{stem}.json")
        sandbox = about.get("api") == SANDBOX
        return Original(str(path), key, digest, format, width, height, len(data), sandbox, colour)

    def set_aside(self, original: Original, reason: str) -> bool:
        """Rename a damaged picture and its record, so that nothing uses them and nothing is lost; tell of it.

        Return whether the picture may be looked for again: not where its bytes cannot be read, which need not be wrong.
        """
        record = original.path.with_suffix(".json")
        try:
            parse_record(record, record.read_bytes()).read()
        except (FileNotFoundError, ValueError, RecursionError, Damaged):
            aside = self._rename_aside(original.path)
            self._rename_aside(record)
            self._tell(f"{reason}. " + (f"It is kept as {aside.name}" if aside else "It is not used"))
            return True
        except (OSError, LibraryError):
            self._tell(f"{reason}. It is not used")
            return False
        return True  # another process has put a whole one there since

    def take_in(self, name: str, key: str, data: bytes) -> Path | None:
        """Write bytes before anybody has looked at them, so that a program that is killed leaves them as a leftover.

        Return where they are; None where they begin as no picture, or cannot be written.
        """
        extension = next((ending for ending, start in _STARTS.items() if start.match(data)), None)
        path = self.folder / f"{name}-{key[:KEY_DIGITS]}.{extension}"
        try:
            if extension:
                self.folder.mkdir(parents=True, exist_ok=True)
                write_whole(path, data, at_once=True)
        except OSError:
            return None
        return path if extension else None

    def leftovers(self, key: str) -> list[Path]:
        """Return the pictures under a key whose records are missing or cannot be read. For the owner of the key."""
        return [path for path in self.pictures_of(key) if not has_record(path)]

    def pictures_of(self, key: str) -> list[Path]:
        """Return the pictures under a key, also those that are not as their records say."""
        return [path for path in self._files_of(key) if path.suffix != ".json" and not path.is_symlink()]

    def make_room(self, key: str, *, keep: Path | None = None, as_: str = "damaged") -> None:
        """Set aside what stands under a key, so that a new picture replaces nothing. For the owner of the key."""
        for path in self._files_of(key):
            if path != keep:
                self._rename_aside(path, as_)

    def require_writable(self) -> None:
        """See that there is room for a picture; write and remove a small file, unless something was just written.

        Raises:
            LibraryError: a picture could not be saved.
        """
        try:
            if time.monotonic() - self._written >= _STILL_WRITABLE:
                self.folder.mkdir(parents=True, exist_ok=True)
                probe = self.folder / f".probe-{os.urandom(4).hex()}.part"
                write_whole(probe, b"probe")
                probe.unlink()
                self._written = time.monotonic()
            free = shutil.disk_usage(self.folder).free
        except OSError as error:
            raise LibraryError(f"{self.folder} cannot be written ({error.strerror or error})") from error
        if free < LEAST_FREE:
            raise LibraryError(f"{self.folder} has less than {LEAST_FREE >> 20} MiB of space left")

    def _list(self) -> dict[str, list[str]]:
        """Return the names of the records by the hex in them: one listing of the folder, however many pictures."""
        names: dict[str, list[str]] = {}
        try:
            self._listing.refresh()
        except OSError as error:
            self._unreadable[""] = f"{self.folder} cannot be read ({error.strerror or error})"
            self._tell(f"{self._unreadable['']}. Its pictures are not used")
            return names
        self._unreadable.pop("", None)
        for entry in self._listing.names:
            match = _RECORD_NAME.fullmatch(entry)
            if match and entry not in self._set_aside:
                names.setdefault(match[1], []).append(entry)
        return names

    def _list_of(self, key: str) -> list[str]:
        """Return the names of the records of a key as they are now: whoever buys asks for each picture."""
        ending = f"-{key[:KEY_DIGITS]}.json"
        try:
            names = sorted(name for name in os.listdir(self.folder) if name.endswith(ending))  # noqa: PTH208 - texts do
        except FileNotFoundError:
            return []
        except OSError as error:
            self._tell(f"{self.folder} cannot be read ({error.strerror or error}). Its pictures are not used")
            return []
        return [name for name in names if _RECORD_NAME.fullmatch(name) and name not in self._set_aside]

    def _files_of(self, key: str) -> list[Path]:
        """Return the records and pictures, whole or not, that stand under a key."""
        endings = tuple(f"-{key[:KEY_DIGITS]}.{extension}" for extension in ("json", *EXTENSIONS.values()))
        try:
            names = os.listdir(self.folder)  # noqa: PTH208 - a Path for each of all pictures takes long
            return sorted(self.folder / name for name in names if name.endswith(endings))
        except OSError:
            return []

    def _rename_aside(self, path: Path, as_: str = "damaged") -> Path | None:
        """Return the new name of a file that is not used any more; None where it cannot be renamed."""
        aside = free_name(path.with_name(f"{path.name}.{as_}"))
        with self._lock:
            self._set_aside.add(path.name)
            for names in (self._names or {}).values():
                if path.name in names:
                    names.remove(path.name)
        try:
            return path.replace(aside)
        except OSError:
            return None

    def _read_record(self, name: str, key: str) -> Original | None:
        """Return the original of a record that is whole and of this key; tell of one that is not."""
        path = self.folder / name
        try:
            if not stat.S_ISREG(path.lstat().st_mode):
                raise ValueError("it is a link, or no file")
            with path.open("rb") as file:
                text = file.read(LARGEST_RECORD + 1)
            original = parse_record(path, text)
            if original.key != key:
                raise ValueError("it is the record of another picture")
            status = original.path.lstat()
            if not stat.S_ISREG(status.st_mode) or status.st_size != original.size:
                raise ValueError(f"{original.path.name} is not of the size that was saved")
        except FileNotFoundError as error:
            if error.filename != str(path):
                self._without_picture[key[:KEY_DIGITS]] = Path(error.filename)
            self._tell(f"{error.filename} is missing. The picture is looked for elsewhere")
        except (OSError, ValueError, RecursionError) as error:
            if isinstance(error, OSError):
                self._unreadable[key[:KEY_DIGITS]] = f"{path} cannot be read ({error.strerror or error})"
            if not any(map(is_lfs_pointer, self._files_of(key))):
                self._tell(f"{path} cannot be used: {error}. The picture is looked for elsewhere")
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
