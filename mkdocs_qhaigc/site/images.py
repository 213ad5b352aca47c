"""From a wanted image to its bytes, which are there or are bought; and from its bytes to the files of the site.

Nothing here waits but `settle`: while pages render, images are bought and encoded in threads.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import TYPE_CHECKING

from mkdocs_qhaigc.config.options import Options
from mkdocs_qhaigc.directives.request import ImageRequest
from mkdocs_qhaigc.errors import ImageError, NoFileError, StoreError
from mkdocs_qhaigc.generation.job import ImageJob, JobStats, failure_of
from mkdocs_qhaigc.imaging.encoder import Crop, Encoder, EncoderInput
from mkdocs_qhaigc.imaging.renditions import RenditionSpec
from mkdocs_qhaigc.site.resolved import (
    ResolvedImage,
    asked_for,
    bought,
    draw_placeholder,
    placeholder,
    provenance_of,
    source_of,
    there,
)
from mkdocs_qhaigc.store.finder import ImageFinder
from mkdocs_qhaigc.store.record import StoredImage

if TYPE_CHECKING:
    from concurrent.futures import Future

    from mkdocs_qhaigc.generation.queue import GenerationQueue
    from mkdocs_qhaigc.site.publisher import WantedFile


class Pipeline:
    """The images of one build."""

    def __init__(
        self,
        options: Options,
        *,
        finder: ImageFinder,
        open_buyer: Callable[[], GenerationQueue] | None,
        report: Callable[[str], None],
    ):
        """`report` is told of what was found damaged.

        `open_buyer` is called when the first image is missing. None: nothing is bought, and nothing encoded.
        """
        self._options = options
        self._finder = finder
        self._open_buyer = open_buyer
        self._buyer: GenerationQueue | None = None
        self._report = report
        self._images: dict[str, ResolvedImage] = {}
        self._purchases: dict[str, Future[StoredImage]] = {}
        self._files: dict[str, str] = {}
        """Paths, by place in the site: of all files that were asked for."""
        self.under_way = 0
        """Images that were not waited for: they come too late for this build."""
        self._filled: dict[str, str] = {}
        """Those of them that were made when the image was no longer what pages had been told."""
        self._second_looks: set[str] = set()
        """Keys of images that were damaged and wanted once more."""
        self._encoder = Encoder(options.encoding, options.cache.renditions)
        if open_buyer and options.missing == "error":  # which `damaged_pins` ends
            finder.pins.quiet = True

    def want(self, order: ImageJob) -> ResolvedImage:
        """Return what is known of an image now; one that is missing is ordered, if the options allow it."""
        key = order.request.key
        if key in self._images:
            return self._images[key]
        if self._open_buyer and not self._images:
            self._options.cache.prepare()
        image = self._find(order)
        if image is None and self._open_buyer and self._options.missing == "generate":
            self._buyer = self._buyer or self._open_buyer()
            future = self._buyer.submit(order)
            if future.done() and failure_of(future):  # there is no key, say: nobody needs to guess what will come
                return self._know(bought(order, future))
            self._purchases[key] = future
            future.add_done_callback(self._encode_bought)
            image = self._images[key] = asked_for(order)
            return image
        return self._know(image or placeholder(order))

    def want_card(self, request: ImageRequest, crop: Crop | None) -> None:
        """Have an image that was wanted also encoded for link previews."""
        image = self._images[request.key]
        if self._encoder.want_card(request.key, crop) and self._open_buyer and image.state != "under way":
            self._encoder.encode(self._subject(image))

    def stand_in(self, order: ImageJob) -> ResolvedImage:
        """Return a placeholder for what nobody declared."""
        return self._images.get(order.request.key) or self._know(placeholder(order))

    def image(self, request: ImageRequest) -> ResolvedImage:
        """Return what is known of an image that was wanted."""
        return self._images[request.key]

    def effort(self, request: ImageRequest) -> JobStats:
        """Return what it took to buy an image in this build."""
        return self._buyer.stats(request.key) if self._buyer else JobStats()

    def images(self) -> list[ResolvedImage]:
        """Return all images of the build, in the order in which they were first wanted."""
        return list(self._images.values())

    def settle(self, *, wait: bool) -> int:
        """Take in what was bought; what is not there has a placeholder then. Return how many are still under way.

        `wait`: until nothing is under way. Encoding is waited for in any case.
        """
        if self._open_buyer is None:
            return 0
        under_way = 0
        while True:
            for key, future in list(self._purchases.items()):
                order = self._images[key].order
                del self._purchases[key]
                if wait:
                    from mkdocs_qhaigc._util.threads import wait_for  # a build that finds all its images has none

                    wait_for(future)
                under_way += not future.done()
                self._know(bought(order, future) if future.done() else placeholder(order))
            self._finish_encoding()
            self._encode_what_is_gone()
            if not self._purchases:
                self.under_way += under_way
                return under_way

    def files(self, wanted: Mapping[str, WantedFile], *, wait: bool) -> dict[str, str]:
        """Return the paths of the bytes of files, by their place in the site: of every one of them.

        Where an image cannot be had any more, a placeholder takes its place. `wait`: as of `settle`.

        Raises:
            NoFileError: a file cannot be made.
        """
        if self._open_buyer is None:
            return {}
        paths = self._encoder.paths
        if any(file.spec.cache_key not in paths for file in wanted.values()):
            self.settle(wait=wait)  # images that only a template knows, or that something has removed since
        for dest_uri, (request, spec) in wanted.items():
            path = paths.get(spec.cache_key) or self._filled.get(dest_uri)
            if path is None:
                path = self._filled[dest_uri] = self._fill(dest_uri, request, spec)
            self._files[dest_uri] = path
        return {dest_uri: self._files[dest_uri] for dest_uri in wanted}

    def forget_files(self, gone: Mapping[str, WantedFile]) -> None:
        """Have files made again that were there, and are not any more."""
        self._encoder.forget_paths({file.spec.cache_key for file in gone.values()})
        for dest_uri in gone:
            self._filled.pop(dest_uri, None)

    def _fill(self, dest_uri: str, request: ImageRequest, spec: RenditionSpec) -> str:
        """Return the path of a file for an address that was handed out when the image was another one.

        It is the image as it is now, or else a placeholder, in the size that pages expect there.
        """
        image = self._images[request.key]
        tried = [image] if image.state != "under way" else []
        if not image.source.placeholder:
            tried.append(placeholder(image.order))
        for one in tried:
            try:
                path = self._encoder.make(self._subject(one), spec)
            except (StoreError, ImageError) as error:
                self._know(placeholder(image.order, error))
            else:
                return path
        raise NoFileError(
            f"{image.order.where}: no file can be put at {dest_uri}, which a page refers to "
            f"({self._images[request.key].reason}). Restore the image, or generate it again"
        )

    def close(self, *, whole: bool = False) -> None:
        """End the build's threads; after a `whole` build that encoded something, keep the cache within its limit."""
        if whole:
            self._finder.remember()
        self._encoder.close(used=self._files.values() if whole else None)

    def _find(self, order: ImageJob) -> ResolvedImage | None:
        """Return an image that is there, or the placeholder of one that may be there and cannot be read."""
        try:
            found = self._finder.find(order.request.key, thorough=self._open_buyer is not None)
        except StoreError as error:
            return placeholder(order, error)
        if found is None:
            return None
        original, state = found
        return there(order, state, original)

    def damaged_pins(self) -> list[str]:
        """Return what there is to tell of committed images that cannot be used."""
        return self._finder.pins.damaged

    def _know(self, image: ResolvedImage) -> ResolvedImage:
        key = image.order.request.key
        self._images[key] = image
        if self._open_buyer and self._encoder.lacks(key, image.source):
            self._encoder.encode(self._subject(image))
        return image

    def _encode_bought(self, future: Future[StoredImage]) -> None:
        """Encode an image when it has arrived, in the thread that brought it, while others are on their way."""
        if not future.cancelled() and future.exception() is None:
            self._encoder.encode(self._subject_of(future.result()))

    def _subject(self, image: ResolvedImage) -> EncoderInput:
        if image.original:
            return self._subject_of(image.original)
        return EncoderInput(image.order.request.key, image.source, partial(draw_placeholder, image), lambda: None)

    def _subject_of(self, original: StoredImage) -> EncoderInput:
        about = partial(provenance_of, original, self._options.encoding)
        return EncoderInput(original.key, source_of(original), original.read, about)

    def _finish_encoding(self) -> None:
        """Wait for the encoders; look elsewhere for the images whose originals turn out to be damaged."""
        for image in self.images() if self._encoder.began else ():
            error = None if image.state == "under way" else self._encoder.error(self._subject(image))
            if error is None:
                continue
            if not image.original or not isinstance(error, (StoreError, ImageError)):
                raise error
            if isinstance(error, ImageError) or not self._finder.set_aside(image.original, str(error)):
                self._know(placeholder(image.order, error))  # its bytes may be right: it is not bought again
                continue
            key = image.order.request.key
            del self._images[key]
            self._encoder.forget(self._subject(image))
            if key in self._second_looks:
                self._know(placeholder(image.order, error))
                continue
            self._second_looks.add(key)
            if self._open_buyer:
                self._buyer = self._buyer or self._open_buyer()  # it may be one that has bought this very image
                self._buyer.forget(key)
            self.want(image.order)

    def _encode_what_is_gone(self) -> None:
        """Encode again what the cache of renditions has lost, while a damaged original can still be replaced."""
        known = {key: image.source for key, image in self._images.items() if image.state != "under way"}
        for key in self._encoder.gone(known):
            subject = self._subject(self._images[key])
            self._encoder.forget(subject)
            self._encoder.encode(subject)
        self._finish_encoding()
