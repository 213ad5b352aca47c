"""From an image's bytes to the encoded files that show it: in threads, while other images are still on their way.

What is encoded once stays in the cache of variants; what that has lost is encoded again.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence, Set
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from mkdocs_qhaigc.errors import ImageError
from mkdocs_qhaigc.imaging.renditions import Drawn, Encoding, RenditionSpec, card_spec, rendition_specs

if TYPE_CHECKING:
    from concurrent.futures import Future

    from mkdocs_qhaigc._util.threads import Workers
    from mkdocs_qhaigc.imaging.cache import RenditionCache
    from mkdocs_qhaigc.imaging.metadata import Provenance

Crop = tuple[int, int]
"""Width and height of a card, in pixels."""


class Subject(NamedTuple):
    """An image that can be encoded."""

    key: str
    """Of its request."""
    drawn: Drawn
    read: Callable[[], bytes]
    """Its bytes; called in a thread, once a job."""
    about: Callable[[], Provenance | None]
    """What its files say of how it came to be."""


class Encoder:
    """The encoded files of one build's images."""

    def __init__(self, encoding: Encoding, folder: Path) -> None:
        """`folder` is that of the cache of renditions."""
        self._encoding = encoding
        self._folder = folder
        self._cards: dict[str, set[Crop | None]] = {}
        """By key of the request: the link previews that are wanted of it."""
        self._jobs: dict[str, Future[None]] = {}
        """By the first cache key of those that are encoded together."""
        self._gone: set[str] = set()
        """Cache keys of variants that were gone and have been encoded again."""
        self._paths: dict[str, str] = {}
        """By cache key: variants that were seen to be whole."""
        self._variants: RenditionCache | None = None
        self._lock = threading.RLock()
        self._workers: Workers[None] | None = None
        self._closed = False

    def want_card(self, key: str, crop: Crop | None) -> bool:
        """Note that an image is to be shown in link previews; return whether that is news."""
        cards = self._cards.setdefault(key, set())
        if crop in cards:
            return False
        cards.add(crop)
        return True

    def lacks(self, key: str, drawn: Drawn) -> bool:
        """Whether an image has to be encoded."""
        return not all(map(self._known, self._cache_keys(key, drawn)))

    def encode(self, subject: Subject) -> None:
        """Begin to encode what is missing of an image. Once closed, nothing: what comes later is of another build."""
        for specs in self._together(subject.key, subject.drawn):
            missing = {spec.cache_key for spec in specs if not self._known(spec.cache_key)}
            if not missing or self._closed:
                continue
            store = self._open_variants()
            with self._lock:
                if missing and specs[0].cache_key not in self._jobs and not self._closed:
                    job = self._open_workers().submit(_encode_into, store, specs, missing, subject)
                    self._jobs[specs[0].cache_key] = job

    @property
    def began(self) -> bool:
        """Whether anything had to be encoded."""
        return bool(self._jobs)

    def error(self, subject: Subject) -> BaseException | None:
        """Wait until an image is encoded; return what went wrong."""
        for specs in self._together(subject.key, subject.drawn):
            job = self._jobs.get(specs[0].cache_key)
            if job is not None:
                from mkdocs_qhaigc._util.threads import wait_for  # as below

                wait_for(job)
                if error := job.exception():
                    return error
        return None

    def make(self, subject: Subject, spec: RenditionSpec) -> str:
        """Return the path of an image encoded as another one was to be: in its format and size."""
        drawn = subject.drawn
        cache_key = f"{drawn.identity}|instead {spec.width}x{spec.height}|{self._encoding.codes[spec.format]}"
        instead = spec._replace(cache_key=cache_key, cropped=True)
        store = self._open_variants()
        for _ in range(2):  # another process may remove it in between
            if path := store.paths([cache_key]).get(cache_key):
                self._paths[cache_key] = path
                return path
            _encode_into(store, [instead], {cache_key}, subject)
        raise ImageError(f"{self._folder} loses what is put there")

    def forget_paths(self, cache_keys: Set[str]) -> None:
        """Look for variants again that were seen to be whole."""
        for cache_key in cache_keys:
            self._paths.pop(cache_key, None)
        self._gone -= cache_keys

    def forget(self, subject: Subject) -> None:
        """Take back that an image was encoded."""
        for specs in self._together(subject.key, subject.drawn):
            self._jobs.pop(specs[0].cache_key, None)

    def gone(self, wanted: Mapping[str, Drawn]) -> list[str]:
        """Return those of these images (by key) of which the cache of variants has lost some; each variant once."""
        every = {cache_key for key, drawn in wanted.items() for cache_key in self._cache_keys(key, drawn)}
        if unseen := every - self._paths.keys():
            self._paths |= self._open_variants().paths(unseen)
        gone = every - self._paths.keys() - self._gone
        self._gone |= gone
        found = []
        for key, drawn in wanted.items() if gone else ():
            of_one = gone.intersection(self._cache_keys(key, drawn))
            if of_one:
                gone -= of_one
                found.append(key)
        return found

    @property
    def paths(self) -> dict[str, str]:
        """Where the bytes are, by cache key, of all that was seen to be whole."""
        return self._paths

    def close(self, *, used: Iterable[str] | None = None) -> None:
        """End the threads. `used`: the paths of a whole build's variants; then the cache is kept within its limit."""
        with self._lock:
            self._closed = True
        if self._workers:
            self._workers.close()
        if self._variants:
            if used is not None and self._jobs:
                self._variants.shrink(in_use=filter(os.path.exists, set(used)))
            self._variants.close()

    def _known(self, cache_key: str) -> bool:
        """Whether a rendition is in the cache, or was when it was looked up before."""
        if cache_key not in self._paths:
            self._paths |= self._open_variants().paths([cache_key])
        return cache_key in self._paths

    def _together(self, key: str, drawn: Drawn) -> list[tuple[RenditionSpec, ...]]:
        """Return what is encoded of an image, in the groups in which it is."""
        for_pages = rendition_specs(drawn, self._encoding)
        crops = tuple(self._cards.get(key, ()))  # another thread may add one
        return [for_pages, *((card_spec(drawn, self._encoding, crop),) for crop in crops)]

    def _cache_keys(self, key: str, drawn: Drawn) -> Iterator[str]:
        return (spec.cache_key for specs in self._together(key, drawn) for spec in specs)

    def _open_variants(self) -> RenditionCache:
        with self._lock:
            if self._variants is None:
                from mkdocs_qhaigc.imaging.cache import RenditionCache  # a site without images needs none

                self._variants = RenditionCache(self._folder)
            return self._variants

    def _open_workers(self) -> Workers[None]:
        if self._workers is None:
            from mkdocs_qhaigc._util.threads import Workers  # a warm build starts no thread

            self._workers = Workers(os.cpu_count() or 1, "qhaigc-encoder", on_exit=self._close_variants)
        return self._workers

    def _close_variants(self) -> None:
        """Close the connection of the thread that calls."""
        if self._variants:
            self._variants.close()


def _encode_into(store: RenditionCache, specs: Sequence[RenditionSpec], missing: Set[str], subject: Subject) -> None:
    """Encode what is missing of an image, and what that is measured by: the wider copies of the same format."""
    from mkdocs_qhaigc.imaging.encode import encode_all  # a warm build needs no Pillow

    narrowest: dict[str, int] = {}
    for spec in specs:
        if spec.cache_key in missing:
            narrowest[spec.format] = min(spec.width, narrowest.get(spec.format, spec.width))
    needed = [spec for spec in specs if spec.format in narrowest and spec.width >= narrowest[spec.format]]
    for spec, data in encode_all(subject.read(), needed, subject.about()):
        if spec.cache_key in missing:
            store.store(spec.cache_key, data)
