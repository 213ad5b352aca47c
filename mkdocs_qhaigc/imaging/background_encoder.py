"""Threads that encode images into renditions in the cache, while other images are still being generated.

A rendition is encoded once. It stays in the cache, and is encoded again if the cache loses it.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence, Set
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, TypeVar

from mkdocs_qhaigc.errors import ImageError
from mkdocs_qhaigc.imaging.plan_published_files import (
    Card,
    Crop,
    Encoding,
    RenditionSpec,
    SourceImage,
    card_spec,
    cropped,
    rendition_specs,
)

if TYPE_CHECKING:
    from concurrent.futures import Future

    from mkdocs_qhaigc._util.threads import Workers
    from mkdocs_qhaigc.imaging.rendition_cache import RenditionCache
    from mkdocs_qhaigc.imaging.xmp import Provenance

T = TypeVar("T")
_WHOLE: tuple[Crop | None, ...] = (None,)


class EncoderInput(NamedTuple):
    """An image to encode: its source, and what is called in the encoder's thread to have its bytes."""

    key: str
    """Of its request."""
    source: SourceImage
    read: Callable[[SourceImage], bytes]
    """Returns its bytes; called in a thread, once for each group of renditions. A placeholder may be asked for in
    other proportions than those of `source`."""
    provenance: Callable[[], Provenance | None]
    """Returns how it came to be, which is written into its files; `None` if nothing is."""


class Encoder:
    """The renditions of one build's images."""

    def __init__(self, encoding: Encoding, folder: Path) -> None:
        """`folder` is that of the cache of renditions."""
        self._encoding = encoding
        self._folder = folder
        self._pages: dict[str, tuple[Crop | None, ...]] = {}
        """Key of the request -> what pages show it cropped to; whole if there is no entry."""
        self._cards: dict[str, tuple[Card, ...]] = {}
        """Key of the request -> the forms in which link previews show it."""
        self._jobs: dict[str, Future[None]] = {}
        """First cache key of a group that is encoded together -> its job."""
        self._gone: set[str] = set()
        """Cache keys of renditions that the cache had lost and that have been encoded again."""
        self._paths: dict[str, str] = {}
        """Cache key -> path, of renditions that were found whole."""
        self._cache: RenditionCache | None = None
        self._lock = threading.RLock()
        self._workers: Workers[None] | None = None
        self._closed = False

    def want(self, key: str, crop: Crop | None) -> bool:
        """Note that pages show an image, cropped or whole; return whether that was not known."""
        return _is_new(crop, key, self._pages)

    def want_card(self, key: str, card: Card) -> bool:
        """Note that link previews show an image; return whether that was not known."""
        return _is_new(card, key, self._cards)

    def lacks(self, key: str, source: SourceImage) -> bool:
        """Whether an image has to be encoded."""
        return bool(self._missing(self._cache_keys(key, source)))

    def encode(self, image: EncoderInput) -> None:
        """Start to encode the renditions that an image lacks. Does nothing once closed: another build has begun."""
        if self._closed:
            return
        for source, specs in self._together(image.key, image.source):
            missing = self._missing(spec.cache_key for spec in specs)
            if not missing:
                continue
            cache = self._open_cache()
            with self._lock:
                if specs[0].cache_key not in self._jobs and not self._closed:
                    job = self._open_workers().submit(_encode_into, cache, source, specs, missing, image)
                    self._jobs[specs[0].cache_key] = job

    @property
    def began(self) -> bool:
        """Whether anything had to be encoded."""
        return bool(self._jobs)

    def error(self, image: EncoderInput) -> BaseException | None:
        """Wait until an image is encoded; return what went wrong."""
        for _, specs in self._together(image.key, image.source):
            job = self._jobs.get(specs[0].cache_key)
            if job is not None:
                from mkdocs_qhaigc._util.threads import wait_for  # as below

                wait_for(job)
                if error := job.exception():
                    return error
        return None

    def make(self, image: EncoderInput, spec: RenditionSpec) -> str:
        """Return the path of an image encoded in the format and size that was promised for another one."""
        source = image.source
        cache_key = f"{source.identity}|instead of {spec.cache_key}"
        instead = spec._replace(cache_key=cache_key, cropped=True)
        path = self._paths[cache_key] = self.encoded(image, [instead], instead)
        return path

    def encoded(self, image: EncoderInput, specs: Sequence[RenditionSpec], one: RenditionSpec) -> str:
        """Return the path of one of the encodings of an image; the others of its format are made with it.

        Raises:
            ImageError: it cannot be made. `StoreError` likewise.
        """
        source = image.source
        together = [spec for spec in specs if spec.format == one.format]
        cache = self._open_cache()
        for _ in range(2):  # another process may remove it meanwhile
            found = cache.paths(spec.cache_key for spec in together)
            if path := found.get(one.cache_key):
                return path
            _encode_into(cache, source, together, {spec.cache_key for spec in together} - found.keys(), image)
        raise ImageError(f"{self._folder} loses the files that are written there. Remove the folder")

    def forget_paths(self, cache_keys: Set[str]) -> None:
        """Forget that renditions were found whole: they are looked up again."""
        for cache_key in cache_keys:
            self._paths.pop(cache_key, None)
        self._gone -= cache_keys

    def forget(self, image: EncoderInput) -> None:
        """Forget that an image was encoded."""
        for _, specs in self._together(image.key, image.source):
            self._jobs.pop(specs[0].cache_key, None)

    def gone(self, wanted: Mapping[str, SourceImage]) -> list[str]:
        """Return the keys of the `wanted` images of which the cache has lost renditions; each counts once."""
        every = {cache_key for key, source in wanted.items() for cache_key in self._cache_keys(key, source)}
        gone = self._missing(every) - self._gone
        self._gone |= gone
        found = []
        for key, source in wanted.items() if gone else ():
            of_one = gone.intersection(self._cache_keys(key, source))
            if of_one:
                gone -= of_one
                found.append(key)
        return found

    @property
    def paths(self) -> dict[str, str]:
        """Cache key -> path, of all renditions that were found whole."""
        return self._paths

    def close(self, *, used: Iterable[str] | None = None) -> None:
        """End the threads. With `used`, the paths of all renditions of a build, also shrink the cache to its limit."""
        with self._lock:
            self._closed = True
        if self._workers:
            self._workers.close()
        if self._cache:
            if used is not None and self._jobs:
                self._cache.shrink(in_use=filter(os.path.exists, set(used)))
            self._cache.close()

    def _missing(self, cache_keys: Iterable[str]) -> set[str]:
        """Return those of the keys under which the cache has no rendition now, nor had when they were looked up."""
        unseen = {cache_key for cache_key in cache_keys if cache_key not in self._paths}
        if unseen:
            self._paths |= self._open_cache().paths(unseen)
        return unseen - self._paths.keys()

    def _together(self, key: str, source: SourceImage) -> list[tuple[SourceImage, tuple[RenditionSpec, ...]]]:
        """Return the renditions of an image, in groups that are encoded together, each with what it is made of."""
        crops, cards = self._pages.get(key, _WHOLE), self._cards.get(key, ())
        return [
            *((cropped(source, crop)[0], rendition_specs(source, self._encoding, crop)) for crop in crops),
            *((source, (card_spec(source, self._encoding, card),)) for card in cards),
        ]

    def _cache_keys(self, key: str, source: SourceImage) -> Iterator[str]:
        for crop in self._pages.get(key, _WHOLE):
            for spec in rendition_specs(source, self._encoding, crop):
                yield spec.cache_key
        for card in self._cards.get(key, ()):
            yield card_spec(source, self._encoding, card).cache_key

    def _open_cache(self) -> RenditionCache:
        with self._lock:
            if self._cache is None:
                from mkdocs_qhaigc.imaging.rendition_cache import RenditionCache  # a site without images needs none

                self._cache = RenditionCache(self._folder)
            return self._cache

    def _open_workers(self) -> Workers[None]:
        if self._workers is None:
            from mkdocs_qhaigc._util.threads import Workers  # a warm build starts no thread

            self._workers = Workers(os.cpu_count() or 1, "qhaigc-encoder", on_exit=self._close_cache)
        return self._workers

    def _close_cache(self) -> None:
        """Close the calling thread's connection to the cache."""
        if self._cache:
            self._cache.close()


def _is_new(form: T, key: str, known: dict[str, tuple[T, ...]]) -> bool:
    """Add a form of an image to those that are known of it; return whether it was not among them."""
    forms = known.get(key, ())
    if form in forms:
        return False
    known[key] = (*forms, form)
    return True


def _encode_into(
    cache: RenditionCache,
    source: SourceImage,
    specs: Sequence[RenditionSpec],
    missing: Set[str],
    image: EncoderInput,
) -> None:
    """Encode the missing renditions, and the wider ones of the same format, whose bytes they must not exceed."""
    from mkdocs_qhaigc.imaging.encode import encode_all  # a warm build needs no Pillow

    narrowest: dict[str, int] = {}
    for spec in specs:
        if spec.cache_key in missing:
            narrowest[spec.format] = min(spec.width, narrowest.get(spec.format, spec.width))
    needed = [spec for spec in specs if spec.format in narrowest and spec.width >= narrowest[spec.format]]
    for spec, data in encode_all(image.read(source), needed, image.provenance()):
        if spec.cache_key in missing:
            cache.store(spec.cache_key, data)
