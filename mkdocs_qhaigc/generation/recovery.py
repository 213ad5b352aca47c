"""Saving what was paid for the moment it arrives, and keeping what cannot be used.

Bytes are written before anything looks at them; an image counts as saved when its record is written, too.
"""

from __future__ import annotations

import tempfile
import threading
from collections.abc import Callable, Mapping
from datetime import datetime, timezone
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from mkdocs_qhaigc._util.files import KEY_DIGITS, atomic_write
from mkdocs_qhaigc.config.options import SANDBOX, Options
from mkdocs_qhaigc.errors import GenerationStopped, ImageError, StoreError
from mkdocs_qhaigc.generation.job import ImageJob
from mkdocs_qhaigc.imaging.formats import EXTENSIONS
from mkdocs_qhaigc.store.image_store import ImageStore, open_pins
from mkdocs_qhaigc.store.record import StoredImage, load_record, name_in

if TYPE_CHECKING:
    from mkdocs_qhaigc.imaging.encode import ImageInfo

_MOST_OFF = 8
"""Of 255: by how much an image's mean colour may change where it is compressed."""


class Saver:
    """Writes images into one store."""

    def __init__(self, options: Options, store: ImageStore, *, say: Callable[[str], None]) -> None:
        """`say` is told of images that were found again."""
        self._options = options
        self._store = store
        self._say = say
        self._saved = threading.Condition()
        self._saving = 0
        """Images that have arrived and are being written."""

    def save(self, order: ImageJob, data: bytes, revised_prompt: str | None) -> StoredImage:
        """Write an image that has arrived; return it.

        Raises:
            ImageError: it is no image that is used; what came is kept elsewhere.
            GenerationStopped: it cannot be written; it is kept elsewhere, if anywhere.
        """
        with self._saved:
            self._saving += 1
        try:
            return self._write(order, data, revised_prompt)
        finally:
            with self._saved:
                self._saving -= 1
                self._saved.notify_all()

    def keep(self, order: ImageJob, ending: str, data: bytes) -> str:
        """Write what was paid for and cannot be used to where somebody can look at it; return where that is."""
        name = f"{order.name}-{order.request.key[:KEY_DIGITS]}.{ending}"
        for make_folder in (self._make_rejected, _make_private):
            try:
                folder = make_folder()
                path, count = folder / name, 1
                while path.exists() and path.read_bytes() != data:  # each was paid for
                    count += 1
                    path = folder / f"{name}-{count}"
                atomic_write(path, data)
            except OSError:
                continue
            return str(path)
        return "no place: neither the cache nor the temporary folder can be written"

    def wait(self, seconds: float) -> None:
        """Wait until no image is being written, at most so long."""
        with self._saved:
            self._saved.wait_for(lambda: not self._saving, timeout=seconds)

    def leftover(self, order: ImageJob) -> StoredImage | None:
        """Give an image that has no record, or another one than its record is of, a record again: it was paid for.

        One that was rejected is looked at once more: a later version may be able to read it. Of one among the pins the
        library has a copy then.
        """
        key = order.request.key
        changed = {one.path: one for one in self._store.changed(key)}  # somebody has compressed them
        for path in (*self._store.leftovers(key), *changed, *self._rejected(key), *self._pinned(key)):
            from mkdocs_qhaigc.imaging.encode import inspect  # takes a while, and the call is to be made at once

            try:
                data = path.read_bytes()
                info = inspect(data)
            except (OSError, ImageError):
                continue
            if path in changed and not _may_be(info, changed[path]):
                continue
            about = _said_of(path, key)
            self._store.make_room(key, keep=path)
            where = "" if path.parent == self._store.folder else f", in {self._store.folder}"
            self._say(f"{path} had no record that can be used. The image is whole and has a new one{where}")
            named = order._replace(name=name_in(path))
            return self._write_original(named, data, info, None, about)
        return None

    def _rejected(self, key: str) -> list[Path]:
        return sorted(self._options.cache.rejected.glob(f"*-{key[:KEY_DIGITS]}.rejected*"))

    def _pinned(self, key: str) -> list[Path]:
        """Return the pins of a key: some may have no record, or other bytes than it says."""
        return open_pins(self._options, quiet=True).images_of(key)

    def _write(self, order: ImageJob, data: bytes, revised_prompt: str | None) -> StoredImage:
        arrived = self._store.take_in(order.name, order.request.key, data)
        from mkdocs_qhaigc.imaging.encode import inspect  # a build that buys nothing needs no Pillow

        try:
            info = inspect(data)
        except ImageError as error:
            kept = self.keep(order, "rejected", data)
            if arrived:
                arrived.unlink(missing_ok=True)
            raise ImageError(f"{error}. What came is kept in {kept}") from error
        except BaseException:
            self.keep(order, "rejected", data)
            raise
        try:
            return self._write_original(order, data, info, revised_prompt)
        except StoreError as error:
            raise GenerationStopped(
                f"{error}. The image is kept in {self.keep(order, EXTENSIONS[info.format], data)}. "
                f"Make space and move it to {self._store.folder}: it is used again"
            ) from error

    def _make_rejected(self) -> Path:
        folder = self._options.cache.rejected
        folder.mkdir(parents=True, exist_ok=True)
        return folder

    def _write_original(
        self,
        order: ImageJob,
        data: bytes,
        info: ImageInfo,
        revised_prompt: str | None,
        about: Mapping[str, Any] = MappingProxyType({}),
    ) -> StoredImage:
        """Save an image with what its record is to say; `about` is what an earlier record said of it."""
        return self._store.save(
            name=order.name,
            key=order.request.key,
            data=data,
            format=info.format,
            width=info.width,
            height=info.height,
            colour=info.colour,
            about={
                "created": datetime.now(timezone.utc).isoformat(timespec="seconds"),
                "api": SANDBOX if self._options.sandboxed else self._options.base_url,
                "request": order.request.as_record(),
                "revised_prompt": revised_prompt,
                **about,
            },
        )


def _may_be(info: ImageInfo, recorded: StoredImage) -> bool:
    """Whether a whole image may be the one of a record in other bytes.

    A JPEG of which a part is lost is decoded like a whole one: such a one is hardly of the same mean colour.
    """
    if (info.format, info.width, info.height) != (recorded.format, recorded.width, recorded.height):
        return False
    if info.format != "jpeg" or not info.colour or not recorded.colour:
        return True
    pairs = zip(bytes.fromhex(info.colour[1:]), bytes.fromhex(recorded.colour[1:]), strict=True)
    return max(abs(now - then) for now, then in pairs) <= _MOST_OFF


def _make_private() -> Path:
    """Return a new folder that nobody else can have put a link into."""
    return Path(tempfile.mkdtemp(prefix="mkdocs-qhaigc-rescued-"))


def _said_of(image: Path, key: str) -> dict[str, Any]:
    """Return what the record beside an image says of how it came to be, where it is one of this key."""
    try:
        record = load_record(image.with_suffix(".json"))
    except (OSError, ValueError):
        return {}
    if record.get("key") != key:
        return {}
    return {name: record[name] for name in ("created", "api", "request", "revised_prompt", "adopted") if name in record}
