"""A store: a folder of images as they came from the API, each beside its record.

An image counts as saved when its record is there: the record is written last. Both are plain files, written under a
temporary name and renamed, so no lost index can take the images with it.
"""

from __future__ import annotations

import contextlib
import hashlib
import logging
import os
import shutil
import stat
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any, NamedTuple

from mkdocs_qhaigc._util.files import atomic_write, dead_link, free_name, reason_of, unwritable
from mkdocs_qhaigc._util.locks import hold
from mkdocs_qhaigc.config.options import Options
from mkdocs_qhaigc.errors import ImageDamaged, StoreError
from mkdocs_qhaigc.imaging.formats import EXTENSIONS, LARGEST_IMAGE, format_of
from mkdocs_qhaigc.store.record import (
    KEY_DIGITS,
    StoredImage,
    digits_in,
    digits_in_any,
    file_stem,
    is_unfinished,
    read_record,
    record_text,
    recorded_beside,
)
from mkdocs_qhaigc.store.record_index_file import RecordIndex, Stamp
from mkdocs_qhaigc.store.version_control_pointers import explain_lone_record, explain_stand_in, is_lfs_pointer

log = logging.getLogger(__name__)

UNSHARED = ".unshared"
"""Ending of the empty file, named by its key, of an image that a shared store is still to get."""
_STILL_WRITABLE = 5.0
"""Seconds for which a folder counts as writable after a write, since each check delays the images."""
_LOCK_MARGIN = 5.0
"""Seconds to wait for a key beyond the time that its owner has."""


class Contents(NamedTuple):
    """The contents of a store's folder."""

    images: tuple[StoredImage, ...]
    """Whole as far as their records and sizes say, in the order in which `ImageStore.find_all` yields them."""
    remnants: tuple[Path, ...]
    """Images without a record, records without an image, and what was set aside."""
    unfinished: tuple[Path, ...]
    """Temporary files of killed programs."""

    def of(self, key: str) -> list[StoredImage]:
        """Return the images of a key."""
        return [image for image in self.images if image.key == key]

    def remnants_of(self, key: str) -> list[Path]:
        """Return the remnants of a key, as far as file names tell."""
        return [path for path in self.remnants if digits_in_any(path.name) == key[:KEY_DIGITS]]


class ImageStore:
    """One folder of images. Safe to use from several threads and processes at once.

    Methods "for the owner of the key" are called by the holder of the key's lock.
    """

    def __init__(
        self, folder: Path, *, index: Path | None = None, committed: bool = False, quiet: bool = False
    ) -> None:
        """Open a folder, which need not exist yet.

        Args:
            index: the file of the index of records.
            committed: whether version control manages the files: then pointers and links may replace images.
            quiet: collect messages in `damaged` without logging them.
        """
        self.folder = folder
        self._option = "pins_dir" if committed else "cache_dir"
        self.quiet = quiet
        self.damaged: list[str] = []
        """Messages about files that cannot be used, each once."""
        self.unshared: set[str] = set()
        """Keys of images that a shared store is still to get, as of the first look."""
        self._committed = committed
        self._index = RecordIndex(index, folder)
        self._lock = threading.RLock()
        self._files: dict[str, tuple[str, ...]] | None = None
        """The names of images and records by the hex in them, as last seen; `None` before the first look."""
        self._stamps: dict[str, Stamp] = {}
        """Of the regular files at the first look, without those that this store has changed since."""
        self._unreadable: dict[str, str] = {}
        """Why a record cannot be read, by the hex in its name; why the folder cannot, by an empty text."""
        self._lone_records: dict[str, Path] = {}
        """The path of the absent image, by the hex in its record's name."""
        self._not_renamed: dict[str, tuple[int, ...]] = {}
        """Stamps by name, of damaged files that could not be renamed: another file of the name has another stamp."""
        self._written = -_STILL_WRITABLE
        """Time of the last write, on `time.monotonic()`'s clock."""

    # Reading

    def find(self, key: str, *, fresh: bool = False, where: str = "") -> StoredImage | None:
        """Return the saved image of a key, or `None`.

        Args:
            fresh: read the folder again, for what others have written.
            where: the image's directive (`guide/start.md#hero`), for messages.
        """
        return next(self.find_all(key, fresh=fresh, where=where), None)

    def find_all(self, key: str, *, fresh: bool = False, where: str = "") -> Iterator[StoredImage]:
        """Yield every saved image of a key: several if people have put them there. `where`: as for `find`."""
        digits = key[:KEY_DIGITS]
        with self._lock:
            if self._files is None:
                self._files = self._scan()
            elif fresh:
                self._files[digits] = tuple(self._names_now(key))
                self._unreadable.pop(digits, None)
                self._lone_records.pop(digits, None)
            names = [name for name in self._files.get(digits, ()) if name.endswith(".json")]
        for name in names:
            known = None if fresh else self._index.recall(name, key, self._stamps)
            image = known or self._read(name, key, where)
            if image is not None:
                yield image

    def unshared_images(self) -> list[StoredImage]:
        """Return the saved images that a shared store is still to get, as of the first look."""
        keys = self.unshared
        if self._files is None:  # every image was pinned, and most likely there is none: then no file is looked at
            with contextlib.suppress(OSError):
                names = os.listdir(self.folder)  # noqa: PTH208 - only names are needed
                keys = {name.removesuffix(UNSHARED) for name in names if name.endswith(UNSHARED)}
        found = [self.find(key) for key in sorted(keys)]
        return [image for image in found if image]

    def explain_absence(self, key: str) -> StoreError | None:
        """Return why an image that `find` has not found may exist nevertheless; `None` if nothing suggests it.

        If there is a reason, no other image may be generated in its place.
        """
        digits = key[:KEY_DIGITS]
        unreadable = self._unreadable.get("") or self._unreadable.get(digits)
        if unreadable:
            return StoreError(
                f"{unreadable}. Make it readable (option `{self._option}`): no other image is generated in its place"
            )
        image = self._lone_records.get(digits)
        if image and not any(path.suffix != ".json" for path in self.files_of(key)):
            explanation = explain_lone_record(image)
            if explanation:
                return explanation
        names = (self._files or {}).get(digits, ()) if self._committed else ()
        paths = (self.folder / name for name in names)
        return next(filter(None, map(explain_stand_in, paths)), None)

    def contents(self) -> Contents:
        """Return the present contents of the folder; empty if there is no folder.

        Raises:
            StoreError: it cannot be read.
        """
        try:
            names = sorted(os.listdir(self.folder))  # noqa: PTH208 - only names are needed
        except FileNotFoundError as error:
            if dead_link(self.folder):
                raise self._unreadable_error(error) from error
            names = []
        except OSError as error:
            raise self._unreadable_error(error) from error
        images = []
        for name in names:
            if name.endswith(".json") and digits_in(name):
                with contextlib.suppress(OSError, ValueError):
                    images.append(self._read_whole(name))
        used = {path.name for image in images for path in (image.path, image.record_path)}
        return Contents(
            tuple(images),
            tuple(self.folder / name for name in names if digits_in_any(name) and name not in used),
            tuple(self.folder / name for name in names if is_unfinished(name)),
        )

    def find_equal(self, image: StoredImage) -> StoredImage | None:
        """Return a saved image of another key with the same bytes; `None` if there is none."""
        with contextlib.suppress(OSError), os.scandir(self.folder) as entries:
            for entry in entries:
                digits, ours = digits_in(entry.name), entry.name.endswith(image.path.suffix)
                if not digits or not ours or digits == image.key[:KEY_DIGITS] or entry.stat().st_size != image.size:
                    continue
                with contextlib.suppress(OSError, ValueError):
                    other = self._read_whole(Path(entry.name).with_suffix(".json").name)
                    if other.sha256 == image.sha256:
                        return other
        return None

    def files_of(self, key: str) -> list[Path]:
        """Return the present records and images of a key, whole or not."""
        return [self.folder / name for name in self._names_now(key)]

    def images_of(self, key: str) -> list[Path]:
        """Return the present images of a key, also those that do not match their records."""
        return [path for path in self.files_of(key) if path.suffix != ".json" and not path.is_symlink()]

    def leftovers(self, key: str) -> list[Path]:
        """Return the images of a key without a readable record. For the owner of the key."""
        return [path for path in self.images_of(key) if recorded_beside(path) is None]

    def changed(self, key: str) -> list[StoredImage]:
        """Return images of a key, as recorded, whose files have another size in bytes now. For the owner of the key."""
        found = []
        for path in self.images_of(key):
            recorded = recorded_beside(path)
            with contextlib.suppress(FileNotFoundError):
                if recorded and recorded.key == key and path.stat().st_size != recorded.size:
                    found.append(recorded)
        return found

    # Writing

    def save(
        self,
        *,
        name: str,
        key: str,
        data: bytes | memoryview,
        format: str,
        width: int,
        height: int,
        colour: str | None,
        about: Mapping[str, Any],
        sha256: str | None = None,
    ) -> StoredImage:
        """Write an image and its record durably, the record last; return the image.

        `about` are the record's further fields; `sha256` is that of the bytes, if it is known.

        Raises:
            StoreError: the folder cannot be written.
        """
        path = self.folder / f"{file_stem(name, key)}.{EXTENSIONS[format]}"
        digest = sha256 or hashlib.sha256(data).hexdigest()
        image = StoredImage(str(path), key, digest, format, width, height, len(data), colour)
        record_path = image.record_path
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            atomic_write(path, data, at_once=True)  # it has no record yet
            atomic_write(record_path, record_text(image, about))
        except OSError as error:
            raise StoreError(unwritable(self.folder, error, self._option)) from error
        self._written = time.monotonic()
        record = record_path.name
        with self._lock:
            self._forget(record)
            if self._files is not None:
                digits = key[:KEY_DIGITS]
                self._files[digits] = (record, *self._files.get(digits, ()))
        return image

    def save_bytes(self, name: str, key: str, data: bytes) -> Path | None:
        """Write bytes before anything decodes them, so that a killed program leaves them for `leftovers`.

        Return the file's path; `None` if they do not begin like an image, or cannot be written.
        """
        format_ = format_of(data)
        if format_ is None:
            return None
        path = self.folder / f"{file_stem(name, key)}.{EXTENSIONS[format_]}"
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            atomic_write(path, data, at_once=True)
        except OSError:
            return None
        return path

    def mark_unshared(self, key: str) -> None:
        """Note on the disk that a shared store is to get the image of a key, which may be saved later."""
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            (self.folder / f"{key}{UNSHARED}").touch()
        except OSError as error:
            raise StoreError(unwritable(self.folder, error, self._option)) from error
        self.unshared.add(key)

    def unmark_unshared(self, key: str) -> None:
        """Forget that note: the store has an image of the key."""
        self.unshared.discard(key)
        with contextlib.suppress(OSError):  # at worst it is uploaded again, which changes nothing
            (self.folder / f"{key}{UNSHARED}").unlink()

    def require_writable(self, *also: Path) -> None:
        """Check that an image can be saved: write and remove small files, unless something was written just now.

        `also` are other folders that must be writable.

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
            raise StoreError(unwritable(failing, error, self._option)) from error
        if free < LARGEST_IMAGE:
            raise StoreError(f"{self.folder} has less than {LARGEST_IMAGE >> 20} MiB of space left")

    def make_room(self, key: str, *, keep: Path | None = None, ending: str = "damaged") -> None:
        """Rename every file of a key but `keep`, so that a new image replaces nothing. For the owner of the key."""
        for path in self.files_of(key):
            if path != keep:
                self._rename_aside(path, ending)

    def set_aside(self, image: StoredImage, error: Exception, *, where: str = "") -> bool:
        """Rename a damaged image and its record, so that nothing uses them and nothing is lost; log a warning.

        Return whether the image may be looked for again: not if its bytes cannot be read, since they may be right.

        Args:
            error: says what is wrong with it.
            where: as for `find`.
        """
        record = image.record_path
        reason = error.what if isinstance(error, ImageDamaged) else str(error)
        try:
            read_record(record).read()
        except FileNotFoundError:  # another process has set it aside, and may have saved another
            self._forget(record.name)
            self._warn_of_image(where, f"{reason}. It is not used", image.path)
            return True
        except (ValueError, ImageDamaged):
            aside = self._rename_aside(image.path)
            self._rename_aside(record)
            kept = f"It is kept as {aside.name}" if aside else "It is not used"
            self._warn_of_image(where, f"{reason}. {kept}", image.path)
            return True
        except (OSError, StoreError):
            self._warn_of_image(where, f"{reason}. It is not used", image.path)
            return False
        with self._lock:
            self._stamps.pop(record.name, None)
        return True  # another process has put a whole one there since

    def remember(self) -> None:
        """Write the index of the records, for the next build."""
        self._index.write(self._stamps)

    # Inside

    def _scan(self) -> dict[str, tuple[str, ...]]:
        """Return the names of all images and records by the hex in them, from one listing of the folder."""
        files: dict[str, tuple[str, ...]] = {}
        try:
            with os.scandir(self.folder) as entries:
                for entry in entries:
                    digits = digits_in(entry.name)
                    if not digits:
                        if entry.name.endswith(UNSHARED):
                            self.unshared.add(entry.name.removesuffix(UNSHARED))
                        continue
                    files[digits] = (*files.get(digits, ()), entry.name)
                    if not entry.is_file(follow_symlinks=False):
                        continue
                    try:
                        status = entry.stat(follow_symlinks=False)
                    except FileNotFoundError:  # another process has removed it since
                        continue
                    self._stamps[entry.name] = (status.st_mtime_ns, status.st_size)
        except FileNotFoundError as error:
            if dead_link(self.folder):  # to a disk that is not mounted, for example: the images may be on it
                self._unreadable[""] = self._warn_unreadable(error)
            return files
        except OSError as error:
            self._unreadable[""] = self._warn_unreadable(error)
            return files
        return {digits: tuple(sorted(names)) for digits, names in files.items()}

    def _names_now(self, key: str) -> list[str]:
        """Return the present names of the images and records of a key. Generation asks this for each image."""
        part = f"-{key[:KEY_DIGITS]}."
        try:
            names = sorted(name for name in os.listdir(self.folder) if part in name)  # noqa: PTH208 - only names are needed
        except FileNotFoundError:
            return []
        except OSError as error:
            self._warn_unreadable(error)
            return []
        return [name for name in names if digits_in(name) == key[:KEY_DIGITS] and not self._is_out_of_use(name)]

    def _read(self, name: str, key: str, where: str) -> StoredImage | None:
        """Return the image of a record that is whole and of this key; log a warning about one that is not."""
        path, digits = self.folder / name, key[:KEY_DIGITS]
        try:
            image = self._read_whole(name)
            if image.key != key:
                raise ValueError("it is the record of another image")
        except FileNotFoundError as error:
            if error.filename != str(path):
                self._lone_records[digits] = Path(error.filename)
            self._warn_of_image(where, "the stored image is missing, or its record is", error.filename)
            return None
        except (OSError, ValueError) as error:
            if isinstance(error, OSError):
                self._unreadable[digits] = f"{path} cannot be read ({reason_of(error)})"
            if not any(map(is_lfs_pointer, self.files_of(key))):
                self._warn_of_image(where, f"the stored image cannot be used, for {error}", path)
            return None
        self._unreadable.pop(digits, None)
        if stamp := self._stamps.get(name):
            self._index.learn(name, stamp, image)
        return image

    def _read_whole(self, name: str) -> StoredImage:
        """Return the image of a record whose file has the size that the record says.

        Raises:
            OSError: one of the two cannot be read.
            ValueError: the record cannot be used, or is of another image.
        """
        image = read_record(self.folder / name)
        if image.key[:KEY_DIGITS] != digits_in(name):
            raise ValueError("it is the record of another image")
        status = image.path.lstat()
        if not stat.S_ISREG(status.st_mode) or status.st_size != image.size:
            raise ValueError(f"{image.path.name} is not of the size that was saved")
        return image

    def _rename_aside(self, path: Path, ending: str = "damaged") -> Path | None:
        """Return the new name of a file that must not be used any more; `None` if it cannot be renamed."""
        aside = free_name(path.with_name(f"{path.name}.{ending}"))
        self._forget(path.name)
        stamp = _stamp(path)
        try:
            return path.replace(aside)
        except FileNotFoundError:  # another process has renamed it
            return None
        except OSError:
            with self._lock:
                self._not_renamed[path.name] = stamp
            return None

    def _forget(self, name: str) -> None:
        with self._lock:
            self._stamps.pop(name, None)
            digits = digits_in(name)
            if self._files and digits in self._files:
                self._files[digits] = tuple(other for other in self._files[digits] if other != name)

    def _is_out_of_use(self, name: str) -> bool:
        return name in self._not_renamed and self._not_renamed[name] == _stamp(self.folder / name)

    def _warn_unreadable(self, error: OSError) -> str:
        message = self._unreadable_folder(error)
        self._warn(f"{message}. Its images are not used until it can (option `{self._option}`)")
        return message

    def _unreadable_error(self, error: OSError) -> StoreError:
        return StoreError(f"{self._unreadable_folder(error)}. Make it readable (option `{self._option}`)")

    def _unreadable_folder(self, error: OSError) -> str:
        link = dead_link(self.folder)
        return f"{self.folder} cannot be read ({f'{link} is a link that leads nowhere' if link else reason_of(error)})"

    def _warn_of_image(self, where: str, what: str, path: object) -> None:
        """Warn of a stored image that is not used: the directive first, the path last."""
        remedy = "The image is looked for elsewhere"
        if self._committed:
            remedy += (
                "; restore it from version control, or run `mkdocs-qhaigc pin`, which takes a whole one from the cache"
            )
        at = "" if str(path) in what else f": {path}"
        self._warn(f"{where}{': ' if where else ''}{what}. {remedy}{at}")

    def _warn(self, message: str) -> None:
        with self._lock:
            if message in self.damaged:
                return
            self.damaged.append(message)
        if not self.quiet:
            log.warning("%s", message)


def open_cache(options: Options, *, quiet: bool = False) -> ImageStore:
    """Return the store of this machine's images."""
    return ImageStore(options.cache.originals, index=options.cache.index / "originals.json", quiet=quiet)


def open_pins(options: Options, *, quiet: bool = False) -> ImageStore:
    """Return the store of the images that are committed with the docs."""
    index = options.cache.index / "pins.json"
    return ImageStore(options.pins_dir, index=index, committed=True, quiet=quiet)


def owning(key: str, options: Options) -> AbstractContextManager[object]:
    """Hold a key against all processes that would write its image into the cache.

    Raises:
        StoreError: another one holds it for too long, or the cache cannot be written.
    """
    folder = options.cache.locks
    try:
        options.cache.prepare()
        return hold(folder, key[:KEY_DIGITS], seconds=options.timeout + _LOCK_MARGIN)
    except TimeoutError as error:
        raise StoreError("another process is generating this image. Try again later") from error
    except OSError as error:
        raise StoreError(unwritable(folder, error, "cache_dir")) from error


def _stamp(path: Path) -> tuple[int, ...]:
    """Return values that differ between two files of one name; empty if there is no file."""
    try:
        status = path.lstat()
    except OSError:
        return ()
    return status.st_mtime_ns, status.st_size, status.st_ino
