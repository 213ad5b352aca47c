"""The images of one build: from a job to a stored image or a placeholder, and from there to the files of the site.

`SiteImages` finds each image, or has it generated, and has it encoded. `ImageFiles` names the files that pages refer
to. Nothing here waits but `settle`: while pages are rendered, images are generated and encoded in threads.
"""

from __future__ import annotations

import contextlib
import logging
import os
from collections import Counter, deque
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Literal, NamedTuple
from urllib.parse import urlsplit

from mkdocs_qhaigc.config.options import SANDBOX, Options
from mkdocs_qhaigc.directives.request import ImageRequest
from mkdocs_qhaigc.errors import (
    ApiError,
    CacheError,
    GenerationStopped,
    ImageError,
    NoFileError,
    PromptRejected,
    QhaigcError,
    StoreError,
)
from mkdocs_qhaigc.generation.job import ImageJob, JobStats, failure_of
from mkdocs_qhaigc.imaging.background_encoder import Encoder, EncoderInput
from mkdocs_qhaigc.imaging.formats import EXTENSIONS
from mkdocs_qhaigc.imaging.plan_published_files import (
    CARD_FORMAT,
    Card,
    Crop,
    Encoding,
    PublishedImage,
    RenditionSpec,
    SourceImage,
    card_stem,
    placeholder_source,
    publish,
    publish_card,
    stem_of,
)
from mkdocs_qhaigc.store.local_finder import ImageFinder
from mkdocs_qhaigc.store.record import ADOPTED, StoredImage, name_in

if TYPE_CHECKING:
    from concurrent.futures import Future

    from mkdocs_qhaigc.generation.queue import GenerationQueue
    from mkdocs_qhaigc.imaging.xmp import Provenance
    from mkdocs_qhaigc.store.shared_images import SharedImages

log = logging.getLogger(__name__)
LARGEST_PLACEHOLDER = 2560
"""Pixels of the longer side. Pages show wider images in their own width anyway."""
_LONGEST_TITLE = 200
"""Characters of a placeholder's reason on a page."""
SANDBOX_SYSTEM = "mkdocs-qhaigc sandbox"
"""The system that published files name as their maker if the sandbox has drawn them."""

State = Literal["pinned", "cached", "shared", "generated", "under way", "placeholder"]


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
        self,
        options: Options,
        *,
        finder: ImageFinder,
        open_queue: Callable[[], GenerationQueue] | None,
        open_shared: Callable[[], SharedImages | None] = lambda: None,
    ) -> None:
        """Begin without images.

        Args:
            open_queue: called when the first image is missing. `None`: nothing is generated and nothing encoded.
            open_shared: called when the first image is not here, or is to be uploaded.
        """
        self._options = options
        self._finder = finder
        self._open_queue = open_queue
        self._open_shared = open_shared
        self._queue: GenerationQueue | None = None
        self._shared: SharedImages | None = None
        self._images: dict[str, ResolvedImage] = {}
        """By key, in the order in which they were first wanted."""
        self._futures: dict[str, Future[StoredImage]] = {}
        """By key: jobs in the queue that `settle` has not looked at."""
        self._asked: dict[str, tuple[ResolvedImage | None, Future[StoredImage | None]]] = {}
        """By key: the image here, if there is one, and the future of what the shared store makes of it."""
        self._late: set[str] = set()
        """Keys of images that the shared store was handed because an earlier build could not upload them."""
        self._told: deque[str] = deque()
        """Keys of those whose futures are done."""
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

    def want(self, job: ImageJob, crop: Crop | None = None) -> ResolvedImage:
        """Return what is known of an image now; a missing one is submitted, if the options allow it.

        `crop`: what pages show it cropped to; `None` if they show it whole.
        """
        key = job.request.key
        is_new = self._encoder.want(key, crop)
        if key in self._images:
            image = self._images[key]
            if is_new and self._open_queue and image.state != "under way":
                self._encoder.encode(self._subject(image))
            return image
        return self._look_for(job)

    def _look_for(self, job: ImageJob) -> ResolvedImage:
        key = job.request.key
        if self._open_queue and not self._images:
            self._options.cache.prepare()
        image = self._find(job)
        if self._open_queue and self._options.shared and self._ask_shared(job, image):
            return self._images[key]
        return self._have(job, image)

    def _have(self, job: ImageJob, image: ResolvedImage | None) -> ResolvedImage:
        """Return what is known of an image that is here, or in no store."""
        key = job.request.key
        if image is None and (refusal := self._refused(job)):
            return self._know(placeholder(job, refusal))
        if image is None and self._open_queue and self._options.missing == "generate":
            self._queue = self._queue or self._open_queue()
            future = self._queue.submit(job)
            if future.done() and failure_of(future):  # there is no API key, say: the placeholder is certain already
                return self._know(self._generated(job, future))
            self._futures[key] = future
            image = self._images[key] = under_way(job)
            future.add_done_callback(partial(self._encode_generated, job))
            return image
        return self._know(image or placeholder(job))

    def want_card(self, request: ImageRequest, card: Card) -> None:
        """Have an image that was wanted also encoded for link previews."""
        image = self._images[request.key]
        if self._encoder.want_card(request.key, card) and self._open_queue and image.state != "under way":
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
            self._hear_shared(wait=True)
            for key, future in list(self._futures.items()):
                job = self._images[key].job
                del self._futures[key]
                if wait:
                    from mkdocs_qhaigc._util.threads import wait_for  # a build that finds all its images has no thread

                    wait_for(future)
                if not future.done():
                    self.under_way.add(key)
                self._know(self._generated(job, future) if future.done() else placeholder(job))
            self._finish_encoding()
            self._encode_lost_renditions()
            if not self._futures and not self._asked:  # else a damaged image was submitted anew
                break
        if wait:
            self._upload_others()

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
        for dest_uri, (request, spec, _) in wanted.items():
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

    def _refused(self, job: ImageJob) -> PromptRejected | None:
        """Return the error of a missing image whose request the service has refused; `None` if it has not."""
        from mkdocs_qhaigc.generation.refusals import Refusals  # most builds find all their images

        return Refusals(self._options).find(job.request.key)

    def _ask_shared(self, job: ImageJob, image: ResolvedImage | None) -> bool:
        """Ask the shared store for an image that is not here, or hand it one that an earlier build could not upload.

        Return whether it was asked; if so, the image is under way until `_hear_shared`.
        """
        self._hear_shared(wait=False)
        key = job.request.key
        late = image is not None and image.state == "cached" and key in self._finder.cache.unshared
        if image is not None and not late:
            return False
        shared = self._shared = self._shared or self._open_shared()
        if shared is None or (late and not shared.writable):
            return False
        shared.require_client()
        stored = image.stored if image else None
        if late:
            self._late.add(key)
        future = (
            shared.start(shared.publish_late, stored, job.name) if stored else shared.start(shared.fetch, key, job.name)
        )
        self._asked[key] = image, future
        self._images[key] = under_way(job)
        future.add_done_callback(lambda _: self._told.append(key))
        future.add_done_callback(partial(self._encode_generated, job))
        return True

    def _upload_others(self) -> None:
        """Hand the shared store what earlier builds could not upload: also pins and unused images."""
        if not self._options.shared_writable:
            return
        late = [image for image in self._finder.cache.unshared_images() if image.key not in self._late]
        shared = self._shared = self._shared or (self._open_shared() if late else None)
        if not late or shared is None or not shared.writable:
            return
        from mkdocs_qhaigc._util.threads import wait_for  # as in `settle`

        shared.require_client()
        self._late.update(image.key for image in late)
        shared.is_needed = False
        futures = [shared.start(shared.publish_late, image, name_in(image.path)) for image in late]
        for image, future in zip(late, futures, strict=True):
            wait_for(future)
            if error := future.exception():
                log.debug("%s: %s", image.path, error)
        shared.is_needed = True

    def _hear_shared(self, *, wait: bool) -> None:
        """Resolve the images about which the shared store has answered; what it lacks is generated, if that may be."""
        if wait:
            for _, future in list(self._asked.values()):
                from mkdocs_qhaigc._util.threads import wait_for  # as in `settle`

                wait_for(future)
        while self._told or (wait and self._asked):
            key = self._told.popleft() if self._told else next(iter(self._asked))
            if key not in self._asked:
                continue
            here, future = self._asked.pop(key)
            job = self._images[key].job
            del self._images[key]
            try:
                stored = future.result()
            except StoreError as error:  # the cache cannot be written
                log.debug("%s: %s", job.where, error)
                if here is None and self._options.missing != "generate":  # else generation says so
                    self._know(placeholder(job, error))
                    continue
                stored = None
            if stored:
                self._know(resolved(job, "shared" if self._came_from_shared(key) else "cached", stored))
            else:
                self._have(job, here)

    def _came_from_shared(self, key: str) -> bool:
        return self._shared is not None and key in self._shared.fetched

    def _generated(self, job: ImageJob, future: Future[StoredImage]) -> ResolvedImage:
        """Return the outcome of a job; another machine may have bought its image."""
        image = generated(job, future)
        return image._replace(state="shared") if image.stored and self._came_from_shared(job.request.key) else image

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

    def _encode_generated(self, job: ImageJob, future: Future[StoredImage] | Future[StoredImage | None]) -> None:
        """Encode an image when it has arrived, in the thread that brought it, while others are on their way."""
        if not future.cancelled() and future.exception() is None and (stored := future.result()):
            with contextlib.suppress(CacheError):  # `settle` encodes it again, and raises where it is heard
                self._encoder.encode(self._subject(resolved(job, "generated", stored)))

    def _subject(self, image: ResolvedImage) -> EncoderInput:
        stored = image.stored
        if stored is None:
            return EncoderInput(image.job.request.key, image.source, draw_placeholder, lambda: None)
        return EncoderInput(
            stored.key, image.source, lambda _: stored.read(), partial(provenance_of, stored, self._options.encoding)
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
            self._look_for(image.job)

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
    crop: Crop | None = None
    """The crop that the file shows; `None` if it shows the image whole."""


class _Address(NamedTuple):
    """One address that was handed out, from which those of the image's other files are derived."""

    dest_uri: str
    """The place in the site of the file that every reader can show."""
    stem: str
    """With which the names of all its files begin."""
    request: ImageRequest
    form: Crop | Card | None
    """The crop of an image on a page (`None`: it is whole there), or the card of an image in link previews."""


class ImageFiles:
    """The files of one build's images. Their addresses are final, and known before any image is."""

    def __init__(self, options: Options, image_of: Callable[[ImageRequest], ResolvedImage]) -> None:
        """`image_of` returns what is known of an image that was wanted."""
        self._options = options
        self._image_of = image_of
        self._addresses: dict[tuple[str, str, Crop | None], _Address] = {}
        """By name, key and crop: images on pages."""
        self._cards: dict[tuple[str, str, Card], _Address] = {}
        """By name, key and form: images in link previews."""
        self._published: dict[str, PublishedImage] = {}
        """By address, as the image was when it was last asked for."""
        self._wanted: dict[str, WantedFile] = {}
        """By place in the site."""

    def address(self, name: str, request: ImageRequest, crop: Crop | None = None) -> str:
        """Return the place in the site of the file that every reader can show; the site needs it from now on."""
        return self._address(name, request, crop).dest_uri

    def card_address(self, name: str, request: ImageRequest, card: Card) -> str:
        """Return the place in the site of the file for link previews; the site needs it from now on."""
        identity = name, request.key, card
        if identity not in self._cards:
            stem = card_stem(name, request.key, self._options.encoding, card)
            dest_uri = f"{self._options.assets_dir}/{stem}.{EXTENSIONS[CARD_FORMAT]}"
            self._cards[identity] = _Address(dest_uri, stem, request, card)
        return self._cards[identity].dest_uri

    def publish(
        self, name: str, request: ImageRequest, crop: Crop | None = None
    ) -> tuple[PublishedImage, ResolvedImage]:
        """Return all files that show an image as it is now; the site needs them from now on."""
        return self._publish(self._address(name, request, crop))

    def published(self) -> list[tuple[PublishedImage, ResolvedImage]]:
        """Return the files at every address that was handed out, and the image that they show now; cards last."""
        return [self._publish(address) for address in (*self._addresses.values(), *self._cards.values())]

    def wanted(self) -> dict[str, WantedFile]:
        """Return the file that has to be at each place in the site."""
        self.published()
        return self._wanted

    def _address(self, name: str, request: ImageRequest, crop: Crop | None) -> _Address:
        address = self._addresses.get((name, request.key, crop))
        if address is None:
            encoding = self._options.encoding
            stem = stem_of(name, request.key, encoding, crop)
            fallback = encoding.formats_of(transparent=request.transparent)[-1]
            dest_uri = f"{self._options.assets_dir}/{stem}.{EXTENSIONS[fallback]}"
            address = self._addresses[name, request.key, crop] = _Address(dest_uri, stem, request, crop)
        return address

    def _publish(self, address: _Address) -> tuple[PublishedImage, ResolvedImage]:
        image = self._image_of(address.request)
        published = self._published.get(address.dest_uri)
        if published is None or published.source != image.source:
            published = self._published[address.dest_uri] = self._planned(address, image.source)
            crop = None if isinstance(address.form, Card) else address.form
            for dest_uri, spec in published.renditions:
                # A page that has been given this address before shows what it was then, as long as that is there.
                self._wanted.setdefault(dest_uri, WantedFile(address.request, spec, crop))
        return published, image

    def _planned(self, address: _Address, source: SourceImage) -> PublishedImage:
        encoding, folder = self._options.encoding, self._options.assets_dir
        if isinstance(address.form, Card):
            return publish_card(address.stem, source=source, encoding=encoding, assets_dir=folder, card=address.form)
        return publish(address.stem, source=source, encoding=encoding, assets_dir=folder, crop=address.form)


def resolved(job: ImageJob, state: State, stored: StoredImage) -> ResolvedImage:
    """Return a job with its stored image."""
    source = source_of(stored, transparent=job.request.transparent)
    return ResolvedImage(job, state, source, stored, colour=stored.colour)


def generated(job: ImageJob, future: Future[StoredImage]) -> ResolvedImage:
    """Return the outcome of a job whose future is done: its image, or a placeholder."""
    reason = failure_of(future)
    return placeholder(job, reason) if reason else resolved(job, "generated", future.result())


def under_way(job: ImageJob) -> ResolvedImage:
    """Return a job without its image, on the guess that it comes in the size that was asked for."""
    request = job.request
    identity = f"asked:{request.key}"
    source = SourceImage(identity, request.width, request.height, transparent=request.transparent)
    return ResolvedImage(job, "under way", source, colour="transparent")


def placeholder(job: ImageJob, reason: QhaigcError | None = None) -> ResolvedImage:
    """Return a job with a placeholder in the proportions of its image."""
    scale = min(1.0, LARGEST_PLACEHOLDER / max(job.request.width, job.request.height))
    width, height = (max(1, round(side * scale)) for side in (job.request.width, job.request.height))
    source = placeholder_source(width, height, transparent=job.request.transparent)
    return ResolvedImage(job, "placeholder", source, reason=reason)


def placeholder_title(image: ResolvedImage, folder: Path) -> str | None:
    """Return what a page says of a placeholder: why it is there, in one sentence; `None` for an image.

    `folder` is the site's, whose path is nobody's business.
    """
    if image.state != "placeholder" or not image.job.request.model:  # a name that no directive has is told by its alt
        return None
    reason = image.reason
    if reason is None:
        why = "the image is not generated yet"
    elif isinstance(reason, PromptRejected):
        why = "the service refuses this prompt"
    elif isinstance(reason, (ApiError, GenerationStopped, ImageError)):
        sentence = " ".join(str(reason).partition(". ")[0].split()).replace(f"{folder}{os.sep}", "")
        why = sentence if len(sentence) <= _LONGEST_TITLE else sentence[: _LONGEST_TITLE - 1] + "…"
    else:
        why = "the saved image cannot be read"
    return f"Placeholder: {why}"


def source_of(stored: StoredImage, *, transparent: bool = False) -> SourceImage:
    """Return the pixels of a stored image. `transparent`: whether its background was asked for as transparent."""
    return SourceImage(f"{stored.sha256}:{stored.key}", stored.width, stored.height, transparent=transparent)


def draw_placeholder(source: SourceImage) -> bytes:
    """Return the bytes of a placeholder."""
    from mkdocs_qhaigc.imaging import placeholder as drawing  # a warm build needs no Pillow

    return drawing.draw_placeholder(width=source.width, height=source.height)


def provenance_of(stored: StoredImage, encoding: Encoding) -> Provenance | None:
    """Return the marking of an image's published files; `None` if the site wants none."""
    if not encoding.marked:
        return None
    from mkdocs_qhaigc.imaging.xmp import ALGORITHMIC, TRAINED, Provenance  # a warm build encodes nothing

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
