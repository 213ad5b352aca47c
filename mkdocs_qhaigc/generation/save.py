"""Saves images that have arrived: the bytes before anything looks at them, the record last.

What was paid for and cannot be used is kept elsewhere, for people to look at.
"""

from __future__ import annotations

import tempfile
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from datetime import datetime, timezone
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mkdocs_qhaigc._util.files import atomic_write
from mkdocs_qhaigc.config.options import SANDBOX, Options
from mkdocs_qhaigc.errors import GenerationStopped, ImageError, StoreError
from mkdocs_qhaigc.generation.job import ImageJob
from mkdocs_qhaigc.imaging.formats import EXTENSIONS
from mkdocs_qhaigc.store.image_store import ImageStore
from mkdocs_qhaigc.store.record import StoredImage, file_stem

if TYPE_CHECKING:
    from mkdocs_qhaigc.imaging.inspect_image import ImageInfo


class ImageSaver:
    """Saves images into one store, and knows how many it is saving at the moment."""

    def __init__(self, store: ImageStore, options: Options) -> None:
        self._store = store
        self._options = options
        self._changed = threading.Condition()
        self._under_way = 0

    def save(self, job: ImageJob, data: bytes, about: Mapping[str, Any]) -> StoredImage:
        """Save the image of a job, and return it. `about` are the fields of its record that the answer has.

        Raises:
            ImageError: the bytes are no image that is accepted; they are kept elsewhere.
            GenerationStopped: it cannot be written; it is kept elsewhere, if that can be written.
        """
        with self._counted():
            arrived = self._store.save_bytes(job.name, job.request.key, data)
            from mkdocs_qhaigc.imaging.inspect_image import inspect  # Pillow is not needed before

            try:
                info = inspect(data)
            except ImageError as error:
                kept = keep_rejected(job, "rejected", data, self._options)
                if arrived:
                    with suppress(OSError):  # then `recover` finds it, and that it is none
                        arrived.unlink()
                raise ImageError(f"{error}. What came is kept in {kept}") from error
            except BaseException:
                keep_rejected(job, "rejected", data, self._options)
                raise
            try:
                return save_inspected(job, data, info, about, store=self._store, options=self._options)
            except StoreError as error:
                kept = keep_rejected(job, EXTENSIONS[info.format], data, self._options)
                raise GenerationStopped(
                    f"{error}. The image is kept in {kept}. Then move it to {self._store.folder}: it is used again"
                ) from error

    def wait(self, seconds: float) -> None:
        """Wait until no image is being saved, at most `seconds`."""
        with self._changed:
            self._changed.wait_for(lambda: not self._under_way, timeout=seconds)

    @contextmanager
    def _counted(self) -> Iterator[None]:
        with self._changed:
            self._under_way += 1
        try:
            yield
        finally:
            with self._changed:
                self._under_way -= 1
                self._changed.notify_all()


def save_inspected(
    job: ImageJob, data: bytes, info: ImageInfo, about: Mapping[str, Any], *, store: ImageStore, options: Options
) -> StoredImage:
    """Save an image that was decoded. `about` are fields of its record that are not as for a new image.

    Raises:
        StoreError: the store cannot be written.
    """
    return store.save(
        name=job.name,
        key=job.request.key,
        data=data,
        format=info.format,
        width=info.width,
        height=info.height,
        colour=info.colour,
        about={
            "created": datetime.now(timezone.utc).isoformat(timespec="seconds"),
            "api": SANDBOX if options.sandboxed else options.base_url,
            "request": job.request.as_record(),
            "where": job.where,
            "revised_prompt": None,
            **about,
        },
    )


def keep_rejected(job: ImageJob, extension: str, data: bytes, options: Options) -> str:
    """Write bytes that cannot be used into the cache, else into the temporary folder; return where they are."""
    name = f"{file_stem(job.name, job.request.key)}.{extension}"
    for make_folder in (partial(_make_folder, options.cache.rejected), _make_private):
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


def _make_folder(folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def _make_private() -> Path:
    """Return a new folder into which nobody else can have put a link."""
    return Path(tempfile.mkdtemp(prefix="mkdocs-qhaigc-rescued-"))
