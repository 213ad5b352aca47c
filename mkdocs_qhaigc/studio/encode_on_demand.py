"""Stored images encoded on demand: as a file of the site is, or at most as wide as the studio shows them."""

from __future__ import annotations

import logging
import os
import re
import threading
from collections.abc import Callable, Sequence
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING

import mkdocs_qhaigc.imaging.encode  # noqa: F401 - loaded before the first image arrives, which is to be seen at once
from mkdocs_qhaigc.errors import CacheError, ImageError, StoreError
from mkdocs_qhaigc.imaging.background_encoder import Encoder, EncoderInput
from mkdocs_qhaigc.imaging.plan_published_files import RenditionSpec, rendition_specs
from mkdocs_qhaigc.site.image_pipeline import WantedFile, provenance_of, source_of
from mkdocs_qhaigc.store.local_finder import ImageFinder
from mkdocs_qhaigc.studio.problem import Problem

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mkdocs_qhaigc.config.options import Options
    from mkdocs_qhaigc.store.record import StoredImage
    from mkdocs_qhaigc.studio.host_interface import Host

log = logging.getLogger(__name__)

WIDTHS = (240, 480, 1600)
"""Pixels: a thumbnail, one of two side by side, the whole."""
_FORMAT, _QUALITY = "webp", 80
_KEY = re.compile(r"[0-9a-f]{64}")


class Previews:
    """The stored images of one site, as its browser shows them."""

    def __init__(self, host: Host) -> None:
        self._host = host
        self._turns = threading.BoundedSemaphore(os.cpu_count() or 1)  # encoding is work for a processor

    def as_file(self, key: str, dest_uri: str) -> tuple[bytes, str]:
        """Return a stored image as a file of the site shows its own, and its format.

        Raises:
            Problem: there is no such image or file.
        """
        file = self._host.wanted().get(dest_uri)
        if file is None:
            raise _unknown()
        with self._encoder(key) as (encoder, image, stored):
            specs = _specs(stored, file, self._host.survey().options)
            if not specs:  # it is for link previews
                return self._bytes(partial(encoder.make, image, file.spec)), file.spec.format
            one = min(specs, key=lambda spec: abs(spec.width - file.spec.width))
            return self._bytes(partial(encoder.encoded, image, specs, one)), one.format

    def stored(self, key: str, width: int) -> tuple[bytes, str]:
        """Return a stored image, at most `width` pixels wide, and its format.

        Raises:
            Problem: there is no such image or width.
        """
        if width not in WIDTHS:
            raise _unknown()
        with self._encoder(key) as (encoder, image, stored):
            width = min(width, stored.width)
            height = max(1, round(stored.height * width / stored.width))
            cache_key = f"{image.source.identity}|studio {width}"
            spec = RenditionSpec(cache_key, _FORMAT, width, height, _QUALITY)
            return self._bytes(partial(encoder.encoded, image, [spec], spec)), _FORMAT

    @contextmanager
    def _encoder(self, key: str) -> Iterator[tuple[Encoder, EncoderInput, StoredImage]]:
        """Yield an encoder with what it is to encode, once there is a processor for it."""
        options = self._host.survey().options
        finder = ImageFinder(options)
        finder.pins.quiet = finder.cache.quiet = True  # builds warn of what they cannot use
        try:
            found = finder.find(key, thorough=False) if _KEY.fullmatch(key) else None
        except StoreError as error:
            raise _unknown() from error
        if found is None:
            raise _unknown()
        stored = found[0]
        source = source_of(stored)
        image = EncoderInput(
            stored.key, source, lambda _: stored.read(), partial(provenance_of, stored, options.encoding)
        )
        with self._turns:
            encoder = Encoder(options.encoding, options.cache.renditions)
            try:
                yield encoder, image, stored
            finally:
                encoder.close()

    @staticmethod
    def _bytes(encode: Callable[[], str]) -> bytes:
        try:
            with open(encode(), "rb") as file:  # noqa: PTH123 - the cache gives texts
                return file.read()
        except (StoreError, ImageError, CacheError, OSError) as error:
            log.info("an image cannot be shown in the studio: %s", error)  # with its path, which no browser is told
            raise Problem(404, "unknown", "the image cannot be read or encoded") from error


def _specs(stored: StoredImage, file: WantedFile, options: Options) -> Sequence[RenditionSpec]:
    """Return the encodings of an image in a file's format that the next build would make; none of a card."""
    if file.spec.label or (file.crop is None and file.spec.cropped):
        return ()
    source = source_of(stored, transparent=file.request.transparent)
    every = rendition_specs(source, options.encoding, file.crop)
    return [spec for spec in every if spec.format == file.spec.format]


def _unknown() -> Problem:
    return Problem(404, "unknown", "there is no such image")
