"""The images of one build: from a job to a stored image or a placeholder, and from there to the files of the site.

`SiteImages` finds each image, or has it generated, and has it encoded. `ImageFiles` names the files that pages refer
to. Nothing here waits but `settle`: while pages are rendered, images are generated and encoded in threads.
"""

from __future__ import annotations

import contextlib
from collections import Counter
from collections.abc import Callable, Mapping
from functools import partial
from typing import TYPE_CHECKING, Literal, NamedTuple
from urllib.parse import urlsplit

from mkdocs_qhaigc.config.options import SANDBOX, Options
from mkdocs_qhaigc.directives.request import ImageRequest
from mkdocs_qhaigc.errors import CacheError, ImageError, NoFileError, QhaigcError, StoreError
from mkdocs_qhaigc.generation.job import ImageJob, JobStats, failure_of
from mkdocs_qhaigc.imaging.background_encoder import Crop, Encoder, EncoderInput
from mkdocs_qhaigc.imaging.formats import EXTENSIONS
from mkdocs_qhaigc.imaging.rendition_names import (
    CARD_FORMAT,
    Encoding,
    PublishedImage,
    RenditionSpec,
    SourceImage,
    card_stem,
    publish,
    publish_card,
    stem_of,
)
from mkdocs_qhaigc.store.finder import ImageFinder
from mkdocs_qhaigc.store.record import ADOPTED, StoredImage

if TYPE_CHECKING:
    from concurrent.futures import Future

    from mkdocs_qhaigc.generation.queue import GenerationQueue
    from mkdocs_qhaigc.imaging.metadata import Provenance

LARGEST_PLACEHOLDER = 2560
"""Pixels of the longer side. Pages show wider images in their own width anyway."""
PLACEHOLDER_SCHEMA = 3
"""Raised when the drawing of placeholders changes on purpose."""
SANDBOX_SYSTEM = "mkdocs-qhaigc sandbox"
"""The system that published files name as their maker if the sandbox has drawn them."""

State = Literal["pinned", "cached", "generated", "under way", "placeholder"]


class ResolvedImage(NamedTuple):
    """A job with its image, as far as a build knows it."""

    job: ImageJob
    state: State
    source: SourceImage
    """The pixels that are encoded: the image's or the placeholder's."""
    stored: StoredImage | None = None
    """`None` for a placeholder, and while the image is under way."""
    reason: QhaigcError | None = None
    """The error for which there is a placeholder; `None` if nothing was tried, or if the image is under way."""
    colour: str | None = None
    """CSS colour shown while a page loads: the image's mean, `transparent` until that is known."""


_MOST_LOOKS = 2
"""For a damaged image: in the other store, then by generation. One that this build has generated counts as both."""


class SiteImages:
    """The images of one build."""

    def __init__(
        self, options: Options, *, finder: ImageFinder, open_queue: Callable[[], GenerationQueue] | None
    ) -> None:
        """`open_queue` is called when the first image is missing. `None`: nothing is generated and nothing encoded."""
        self._options = options
        self._finder = finder
        self._open_queue = open_queue
        self._queue: GenerationQueue | None = None
        self._images: dict[str, ResolvedImage] = {}
        """By key, in the order in which they were first wanted."""
        self._futures: dict[str, Future[StoredImage]] = {}
        """By key: jobs in the queue that `settle` has not looked at."""
        self._looks: Counter[str] = Counter()
        """By key: how often an image was looked for again, because it was damaged."""
        self._paths: dict[str, str] = {}
        """By place in the site: paths of all files that were asked for."""
        self._filled: dict[str, str] = {}
        """By place in the site: paths of files made after the image had changed, see `_fill`."""
        self.under_way: set[str] = set()
        """Keys of images that this build did not wait for: they come too late for it."""
        self._encoder = Encoder(options.encoding, options.cache.renditions)
        if open_queue and options.missing == "error":  # the build ends with all `damaged_pins` in one error
            finder.pins.quiet = True

    # While pages are rendered

    def want(self, job: ImageJob) -> ResolvedImage:
        """Return what is known of an image now; a missing one is submitted, if the options allow it."""
        key = job.request.key
        if key in self._images:
            return self._images[key]
        if self._open_queue and not self._images:
            self._options.cache.prepare()
        image = self._find(job)
        if image is None and self._open_queue and self._options.missing == "generate":
            self._queue = self._queue or self._open_queue()
            future = self._queue.submit(job)
            if future.done() and failure_of(future):  # there is no API key, say: the placeholder is certain already
                return self._know(generated(job, future))
            self._futures[key] = future
            future.add_done_callback(self._encode_generated)
            image = self._images[key] = under_way(job)
            return image
        return self._know(image or placeholder(job))

    def want_card(self, request: ImageRequest, crop: Crop | None) -> None:
        """Have an image that was wanted also encoded for link previews."""
        image = self._images[request.key]
        if self._encoder.want_card(request.key, crop) and self._open_queue and image.state != "under way":
            self._encoder.encode(self._subject(image))

    def stand_in(self, job: ImageJob) -> ResolvedImage:
        """Return a placeholder for an image that no directive declares."""
        return self._images.get(job.request.key) or self._know(placeholder(job))

    def image(self, request: ImageRequest) -> ResolvedImage:
        """Return what is known of an image that was wanted."""
        return self._images[request.key]

    def images(self) -> list[ResolvedImage]:
        """Return all images of the build, in the order in which they were first wanted."""
        return list(self._images.values())

    def stats(self, request: ImageRequest) -> JobStats:
        """Return what it took to generate an image in this build."""
        return self._queue.stats(request.key) if self._queue else JobStats()

    def damaged_pins(self) -> list[str]:
        """Return the messages about committed images that cannot be used."""
        return self._finder.pins.damaged

    # When all pages are rendered

    def settle(self, *, wait: bool) -> None:
        """Resolve every job to its image, or to a placeholder.

        Args:
            wait: until no job is under way. Encoding is waited for in any case.
        """
        if self._open_queue is None:
            return
        while True:
            for key, future in list(self._futures.items()):
                job = self._images[key].job
                del self._futures[key]
                if wait:
                    from mkdocs_qhaigc._util.threads import wait_for  # a build that finds all its images has no thread

                    wait_for(future)
                if not future.done():
                    self.under_way.add(key)
                self._know(generated(job, future) if future.done() else placeholder(job))
            self._finish_encoding()
            self._encode_lost_renditions()
            if not self._futures:  # else a damaged image was submitted anew
                return

    def files(self, wanted: Mapping[str, WantedFile], *, wait: bool) -> dict[str, str]:
        """Return the paths of all wanted files, by their place in the site.

        A placeholder replaces an image that cannot be had any more. `wait`: see `settle`.

        Raises:
            NoFileError: a file cannot be made.
        """
        if self._open_queue is None:
            return {}
        paths = self._encoder.paths
        if any(file.spec.cache_key not in paths for file in wanted.values()):
            self.settle(wait=wait)  # images that only a template knows, or that something has removed since
        for dest_uri, (request, spec) in wanted.items():
            path = paths.get(spec.cache_key) or self._filled.get(dest_uri)
            if path is None:
                path = self._filled[dest_uri] = self._fill(dest_uri, request, spec)
            self._paths[dest_uri] = path
        return {dest_uri: self._paths[dest_uri] for dest_uri in wanted}

    def forget_files(self, gone: Mapping[str, WantedFile]) -> None:
        """Have the next `files` make these anew: another program has removed them."""
        self._encoder.forget_paths({file.spec.cache_key for file in gone.values()})
        for dest_uri in gone:
            self._filled.pop(dest_uri, None)

    def close(self, *, whole: bool = False) -> None:
        """End the build's threads; after a `whole` build that encoded something, keep the cache within its limit."""
        if whole:
            self._finder.remember()
        self._encoder.close(used=self._paths.values() if whole else None)

    def _find(self, job: ImageJob) -> ResolvedImage | None:
        """Return a stored image, or the placeholder of one that may exist and cannot be read; `None` if missing."""
        try:
            found = self._finder.find(job.request.key, thorough=self._open_queue is not None, where=job.where)
        except StoreError as error:
            return placeholder(job, error)
        return resolved(job, found[1], found[0]) if found else None

    def _know(self, image: ResolvedImage) -> ResolvedImage:
        key = image.job.request.key
        self._images[key] = image
        if self._open_queue and self._encoder.lacks(key, image.source):
            self._encoder.encode(self._subject(image))
        return image

    def _fill(self, dest_uri: str, request: ImageRequest, spec: RenditionSpec) -> str:
        """Return the path of a file for an address that was handed out when the image was another one.

        It shows the image as it is now, or else a placeholder, in the size that pages expect there.
        """
        image = self._images[request.key]
        candidates = [image] if image.state != "under way" else []
        if not image.source.placeholder:
            candidates.append(placeholder(image.job))
        for candidate in candidates:
            try:
                return self._encoder.make(self._subject(candidate), spec)
            except (StoreError, ImageError) as error:
                self._know(placeholder(image.job, error))
        raise NoFileError(
            f"{image.job.where}: no file can be put at {dest_uri}, which a page refers to "
            f"({self._images[request.key].reason}). Restore the image, or generate it again"
        )

    def _encode_generated(self, future: Future[StoredImage]) -> None:
        """Encode an image when it has arrived, in the thread that brought it, while others are on their way."""
        if not future.cancelled() and future.exception() is None:
            with contextlib.suppress(CacheError):  # `settle` encodes it again, and raises where it is heard
                self._encoder.encode(self._subject_of(future.result()))

    def _subject(self, image: ResolvedImage) -> EncoderInput:
        if image.stored:
            return self._subject_of(image.stored)
        return EncoderInput(image.job.request.key, image.source, partial(draw_placeholder, image.source), lambda: None)

    def _subject_of(self, stored: StoredImage) -> EncoderInput:
        return EncoderInput(
            stored.key, source_of(stored), stored.read, partial(provenance_of, stored, self._options.encoding)
        )

    def _finish_encoding(self) -> None:
        """Wait for the encoders; look again for the images whose stored bytes turn out to be damaged."""
        for image in self.images() if self._encoder.began else ():
            error = None if image.state == "under way" else self._encoder.error(self._subject(image))
            if error is None:
                continue
            if not image.stored or not isinstance(error, (StoreError, ImageError)):
                raise error
            if isinstance(error, ImageError) or not self._finder.set_aside(image.stored, error, where=image.job.where):
                self._know(placeholder(image.job, error))  # its bytes may be right: it is not generated again
                continue
            key = image.job.request.key
            del self._images[key]
            self._encoder.forget(self._subject(image))
            self._looks[key] += 2 if image.state == "generated" else 1
            if self._looks[key] > _MOST_LOOKS:
                self._know(placeholder(image.job, error))
                continue
            if self._open_queue:
                self._queue = self._queue or self._open_queue()  # it may be the one that has generated this image
                self._queue.forget(key)
            self.want(image.job)

    def _encode_lost_renditions(self) -> None:
        """Encode again what the cache of renditions has lost, while a damaged image can still be replaced."""
        known = {key: image.source for key, image in self._images.items() if image.state != "under way"}
        for key in self._encoder.gone(known):
            subject = self._subject(self._images[key])
            self._encoder.forget(subject)
            self._encoder.encode(subject)
        self._finish_encoding()


class WantedFile(NamedTuple):
    """A file that the site must have."""

    request: ImageRequest
    """The request of the image that it shows."""
    spec: RenditionSpec


class _Address(NamedTuple):
    """One address that was handed out, from which those of the image's other files are derived."""

    dest_uri: str
    """The place in the site of the file that every reader can show."""
    name: str
    """The image's name, as its author wrote it."""
    request: ImageRequest
    crop: Crop | None = None
    """Of a card."""


class ImageFiles:
    """The files of one build's images. Their addresses are final, and known before any image is."""

    def __init__(self, options: Options, image_of: Callable[[ImageRequest], ResolvedImage]) -> None:
        """`image_of` returns what is known of an image that was wanted."""
        self._options = options
        self._image_of = image_of
        self._addresses: dict[tuple[str, str], _Address] = {}
        """By name and key: images on pages."""
        self._cards: dict[tuple[str, str, Crop | None], _Address] = {}
        """By name, key and crop: images in link previews."""
        self._published: dict[tuple[str, SourceImage], PublishedImage] = {}
        """By address and pixels."""
        self._wanted: dict[str, WantedFile] = {}
        """By place in the site."""

    def address(self, name: str, request: ImageRequest) -> str:
        """Return the place in the site of the file that every reader can show; the site needs it from now on."""
        return self._address(name, request).dest_uri

    def card_address(self, name: str, request: ImageRequest, crop: Crop | None) -> str:
        """Return the place in the site of the file for link previews; the site needs it from now on."""
        identity = name, request.key, crop
        if identity not in self._cards:
            stem = card_stem(name, request.key, self._options.encoding, crop)
            dest_uri = f"{self._options.assets_dir}/{stem}.{EXTENSIONS[CARD_FORMAT]}"
            self._cards[identity] = _Address(dest_uri, name, request, crop)
        return self._cards[identity].dest_uri

    def publish(self, name: str, request: ImageRequest) -> tuple[PublishedImage, ResolvedImage]:
        """Return all files that show an image as it is now; the site needs them from now on."""
        return self._publish(self._address(name, request), publish)

    def published(self) -> list[tuple[PublishedImage, ResolvedImage]]:
        """Return the files at every address that was handed out, and the image that they show now."""
        cards = [self._publish(card, partial(publish_card, crop=card.crop)) for card in self._cards.values()]
        return [*(self._publish(address, publish) for address in self._addresses.values()), *cards]

    def wanted(self) -> dict[str, WantedFile]:
        """Return the file that has to be at each place in the site."""
        self.published()
        return self._wanted

    def _address(self, name: str, request: ImageRequest) -> _Address:
        address = self._addresses.get((name, request.key))
        if address is None:
            encoding = self._options.encoding
            stem = stem_of(name, request.key, encoding)
            dest_uri = f"{self._options.assets_dir}/{stem}.{EXTENSIONS[encoding.formats[-1]]}"
            address = self._addresses[name, request.key] = _Address(dest_uri, name, request)
        return address

    def _publish(
        self, address: _Address, publish_as: Callable[..., PublishedImage]
    ) -> tuple[PublishedImage, ResolvedImage]:
        image = self._image_of(address.request)
        published = self._published.get((address.dest_uri, image.source))
        if published is None:
            published = self._published[address.dest_uri, image.source] = publish_as(
                name=address.name,
                key=address.request.key,
                source=image.source,
                encoding=self._options.encoding,
                assets_dir=self._options.assets_dir,
            )
            for dest_uri, spec in published.renditions:
                # A page that has been given this address before shows what it was then, as long as that is there.
                self._wanted.setdefault(dest_uri, WantedFile(address.request, spec))
        return published, image


def resolved(job: ImageJob, state: State, stored: StoredImage) -> ResolvedImage:
    """Return a job with its stored image."""
    return ResolvedImage(job, state, source_of(stored), stored, colour=stored.colour)


def generated(job: ImageJob, future: Future[StoredImage]) -> ResolvedImage:
    """Return the outcome of a job whose future is done: its image, or a placeholder."""
    reason = failure_of(future)
    return placeholder(job, reason) if reason else resolved(job, "generated", future.result())


def under_way(job: ImageJob) -> ResolvedImage:
    """Return a job without its image, on the guess that it comes in the size that was asked for."""
    request = job.request
    source = SourceImage(f"asked:{request.key}", request.width, request.height)
    return ResolvedImage(job, "under way", source, colour="transparent")


def placeholder(job: ImageJob, reason: QhaigcError | None = None) -> ResolvedImage:
    """Return a job with a placeholder in the proportions of its image."""
    scale = min(1.0, LARGEST_PLACEHOLDER / max(job.request.width, job.request.height))
    width, height = (max(1, round(side * scale)) for side in (job.request.width, job.request.height))
    source = SourceImage(f"placeholder:{PLACEHOLDER_SCHEMA}:{width}x{height}", width, height, placeholder=True)
    return ResolvedImage(job, "placeholder", source, reason=reason)


def source_of(stored: StoredImage) -> SourceImage:
    """Return the pixels of a stored image."""
    return SourceImage(f"{stored.sha256}:{stored.key}", stored.width, stored.height)


def draw_placeholder(source: SourceImage) -> bytes:
    """Return the bytes of a placeholder."""
    from mkdocs_qhaigc.imaging import placeholder as drawing  # a warm build needs no Pillow

    return drawing.draw_placeholder(width=source.width, height=source.height)


def provenance_of(stored: StoredImage, encoding: Encoding) -> Provenance | None:
    """Return the marking of an image's published files; `None` if the site wants none."""
    if not encoding.marked:
        return None
    from mkdocs_qhaigc.imaging.metadata import ALGORITHMIC, TRAINED, Provenance  # a warm build encodes nothing

    record = stored.record
    request, api = record.get("request"), record.get("api")
    if api == ADOPTED:
        return Provenance()
    request = request if isinstance(request, dict) else {}
    prompt = request.get("prompt") if encoding.with_prompt else None
    if api == SANDBOX:
        return Provenance(ALGORITHMIC, SANDBOX_SYSTEM, prompt)
    host = urlsplit(api).hostname if isinstance(api, str) else None
    system = " at ".join(str(part) for part in (request.get("model"), host) if part)
    return Provenance(TRAINED, system or "unknown", prompt)
