"""Finds an image before any is generated: in the pins, else in the cache."""

from __future__ import annotations

from typing import Literal

from mkdocs_qhaigc.config.options import Options
from mkdocs_qhaigc.errors import StoreError
from mkdocs_qhaigc.store.image_store import ImageStore, open_cache, open_pins
from mkdocs_qhaigc.store.record import StoredImage

Place = Literal["pinned", "cached"]


class ImageFinder:
    """Looks images up in the stores of one site, the pins first. Their folders need not exist."""

    def __init__(self, options: Options) -> None:
        self._compares_pins = options.missing == "error"
        self.pins = open_pins(options)
        self.cache = open_cache(options)
        self._stores: tuple[tuple[ImageStore, Place], ...] = ((self.pins, "pinned"), (self.cache, "cached"))

    def find(self, key: str, *, thorough: bool, where: str = "") -> tuple[StoredImage, Place] | None:
        """Return the saved image of a key and its place; `None` if it has to be generated.

        Args:
            where: the image's directive (`guide/start.md#hero`), for messages.
            thorough: compare pins with their digests if nothing may replace them (`missing: error`); else their
                records are trusted.

        Raises:
            StoreError: the image may exist but cannot be read. It must not be generated again.
        """
        for store, place in self._stores:
            for image in store.find_all(key, where=where):
                if not (thorough and self._compares_pins and place == "pinned") or _is_whole(store, image, where):
                    return image, place
        for store, _ in self._stores:
            if reason := store.explain_absence(key):
                raise reason
        return None

    def set_aside(self, image: StoredImage, error: Exception, *, where: str) -> bool:
        """Rename a damaged image; return whether it may be looked for again. The arguments: see `ImageStore`."""
        stores = (store for store, _ in self._stores if store.folder == image.path.parent)
        return all(store.set_aside(image, error, where=where) for store in stores)

    def remember(self) -> None:
        """Write the index of the records, for the next build."""
        for store, _ in self._stores:
            store.remember()


def _is_whole(store: ImageStore, image: StoredImage, where: str) -> bool:
    try:
        image.read()
    except StoreError as error:
        store.set_aside(image, error, where=where)
        return False
    return True
