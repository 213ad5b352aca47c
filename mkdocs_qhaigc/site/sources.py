"""Where an image is before any is bought: among the pins, then in the cache, then as `sync` has written it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cached_property
from pathlib import Path

from mkdocs_qhaigc.config.options import Options
from mkdocs_qhaigc.errors import ImageUnavailable, StoreError
from mkdocs_qhaigc.generation.job import ImageJob
from mkdocs_qhaigc.imaging.renditions import PublishedImage
from mkdocs_qhaigc.site.published import Published
from mkdocs_qhaigc.site.resolved import ResolvedImage, State, placeholder, there
from mkdocs_qhaigc.store.image_store import ImageStore, open_cache, open_pins
from mkdocs_qhaigc.store.record import StoredImage


class ImageFinder:
    """The images that a site has, wherever they are. Its folders need not exist."""

    def __init__(self, options: Options, *, folder: Path, report: Callable[[str], None]) -> None:
        """`folder` is where `sync` writes. `report` is told of what cannot be used."""
        self._options = options
        self._report = report
        self.pins = open_pins(options)
        self.cache = open_cache(options)
        self._published = Published(folder, options)

    def find(self, order: ImageJob, *, thorough: bool) -> ResolvedImage | None:
        """Return the image that an order asks for; None where there is none.

        Where there may be one and it cannot be read, its placeholder is returned: it is not bought. `thorough`: pins
        that nothing may replace are compared with their digests; else their records are believed.
        """
        compared = thorough and self._options.missing == "error"
        for library, original, state in self._saved(order.request.key):
            if original.sandbox and not self._options.sandboxed:
                drawn = f"{original.path} was drawn by the sandbox and is not used for a real image"
                self._report(f"{drawn}. Remove it, or let `mkdocs-qhaigc pin` take it away")
            elif original.sandbox and self._is_published(order):
                continue  # a real one goes before what the sandbox drew
            elif state == "cached" or not compared or _is_whole(library, original):
                return there(order, state, original)
        try:
            best = self._published.find(order.request.key, order.name)
            if best and (self._options.sandboxed or not best.sandbox):
                return there(order, "published", best)
            for store in (self.pins,) if self._options.sandboxed else (self.pins, self.cache):
                if reason := store.explain_absence(order.request.key):
                    return placeholder(order, reason)
            self._require_in_no_other_cache(order.request.key)
        except StoreError as error:
            return placeholder(order, error)
        return None

    def is_published(self, image: ResolvedImage) -> bool:
        """Whether `sync` has written an image, of this very original."""
        original = image.original
        return original is not None and (image.state == "published" or self._published.is_best(original))

    def published_files(self, publication: PublishedImage, name: str) -> dict[str, str]:
        """Return the paths of what `sync` has written of an image, whole, by the cache keys of the variants.

        `name`: what the author calls the image.

        Raises:
            StoreError: a file cannot be read.
        """
        return self._published.files_of(publication, name)

    def set_aside(self, original: StoredImage, reason: str) -> bool:
        """Return whether a damaged original may be looked for again."""
        return all(
            library.set_aside(original, reason)
            for library in (self.pins, self.cache)
            if library.folder == original.path.parent
        )

    def remember(self) -> None:
        """Write down what the records say, for the next build."""
        self.pins.remember()
        self.cache.remember()

    def _saved(self, key: str) -> Iterator[tuple[ImageStore, StoredImage, State]]:
        for original in self.pins.find_all(key):
            yield self.pins, original, "pinned"
        for original in self.cache.find_all(key):
            yield self.cache, original, "cached"

    def _require_in_no_other_cache(self, key: str) -> None:
        """See that an image was not bought when `cache_dir` was another one.

        Raises:
            ImageUnavailable: it was.
        """
        for library in self._other_caches:
            if any(not original.sandbox for original in library.find_all(key)):
                from mkdocs_qhaigc.config.caches import copy_command  # as below

                other, cache = library.folder.parent, self._options.cache_dir
                raise ImageUnavailable(
                    f"{other} has images that were bought, and {cache}, which `cache_dir` names, does not. None is "
                    f"bought again: name that one, or copy what there is: {copy_command(other, cache)}"
                )

    @cached_property
    def _other_caches(self) -> tuple[ImageStore, ...]:
        """What may have been this site's cache."""
        if self._options.sandboxed:
            return ()
        from mkdocs_qhaigc.config.caches import other_caches  # a build that finds all its images looks into none

        others = other_caches(self._options.cache_dir, self._options.folder)
        return tuple(ImageStore(cache / "originals", quiet=True) for cache in others)

    def _is_published(self, order: ImageJob) -> bool:
        """Whether a real image is among the pages."""
        try:
            best = self._published.find(order.request.key, order.name)
        except StoreError:
            return False
        return best is not None and not best.sandbox


def _is_whole(library: ImageStore, original: StoredImage) -> bool:
    try:
        original.read()
    except StoreError as error:
        library.set_aside(original, str(error))
        return False
    return True
