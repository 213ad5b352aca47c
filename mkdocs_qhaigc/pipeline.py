"""From a wanted picture to its bytes: pins, then the cache, then what `sync` wrote, then the API; and from its bytes to
the files of the site.

Nothing here waits but `settle`: while pages render, pictures are bought and encoded in threads.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from concurrent.futures import Future
from functools import partial

from mkdocs_qhaigc.buying import Buyer
from mkdocs_qhaigc.encoding import Crop, Encoder, Subject, wait_for
from mkdocs_qhaigc.errors import LibraryError, PictureError
from mkdocs_qhaigc.importing import import_what_encodes
from mkdocs_qhaigc.library import Library
from mkdocs_qhaigc.options import Options
from mkdocs_qhaigc.orders import Effort, Order
from mkdocs_qhaigc.original import Original
from mkdocs_qhaigc.picture import (
    Picture,
    State,
    asked_for,
    bought,
    draw_placeholder,
    drawn_as,
    placeholder,
    provenance_of,
    provenance_of_published,
    there,
)
from mkdocs_qhaigc.publication import Publication, publish, publish_card
from mkdocs_qhaigc.published import Published
from mkdocs_qhaigc.request import ImageRequest


class Pipeline:
    """The pictures of one build."""

    def __init__(
        self,
        options: Options,
        *,
        pins: Library,
        cache: Library,
        published: Published,
        buyer: Buyer | None,
        report: Callable[[str], None],
    ):
        """`report` is told of what was found damaged. Without a `buyer` nothing is bought, and nothing encoded."""
        self._options = options
        self._libraries: tuple[tuple[Library, State], ...] = ((pins, "pinned"), (cache, "cached"))
        self._published = published
        self._buyer = buyer
        self._report = report
        self._pictures: dict[str, Picture] = {}
        self._purchases: dict[str, Future[Original]] = {}
        self._files: dict[str, str] = {}
        self._second_looks: set[str] = set()
        """Keys of pictures that were damaged and wanted once more."""
        self._encoder = Encoder(options.encoding, options.cache_dir / "variants", report=report)

    def want(self, order: Order) -> Picture:
        """Return what is known of a picture now; one that is missing is ordered, if the options allow it."""
        key = order.request.key
        if key in self._pictures:
            return self._pictures[key]
        picture = self._find(order)
        if picture is None and self._buyer and self._options.missing == "generate":
            future = self._purchases[key] = self._buyer.buy(order)
            future.add_done_callback(self._encode_bought)
            picture = self._pictures[key] = asked_for(order)
            return picture
        return self._know(picture or placeholder(order))

    def want_card(self, name: str, request: ImageRequest, crop: Crop | None) -> None:
        """Have a picture that was wanted also encoded for link previews, in a file that is called after `name`."""
        picture = self._pictures[request.key]
        if self._encoder.want_card(request.key, crop) and self._buyer and picture.state != "under way":
            if picture.original and (picture.state == "published" or self._published.is_best(picture.original)):
                self._use_published(name, picture, partial(publish_card, crop=crop))
            self._encoder.encode(self._subject(picture))

    def stand_in(self, order: Order) -> Picture:
        """Return a placeholder for what nobody declared."""
        return self._pictures.get(order.request.key) or self._know(placeholder(order))

    @property
    def under_way(self) -> bool:
        """Whether any picture is still being bought."""
        return bool(self._purchases)

    def picture(self, request: ImageRequest) -> Picture:
        """Return what is known of a picture that was wanted."""
        return self._pictures[request.key]

    def effort(self, request: ImageRequest) -> Effort:
        """Return what it took to buy a picture in this build."""
        return self._buyer.effort(request.key) if self._buyer else Effort()

    def pictures(self) -> list[Picture]:
        """Return all pictures of the build, in the order in which they were first wanted."""
        return list(self._pictures.values())

    def settle(self, *, wait: bool) -> int:
        """Take in what was bought; what is not there has a placeholder then. Return how many are still under way.

        `wait`: until nothing is under way. Encoding is waited for in any case.
        """
        under_way = 0
        if wait and self._purchases:
            import_what_encodes()
        while True:
            for key, future in list(self._purchases.items()):
                order = self._pictures[key].order
                del self._purchases[key]
                if wait:
                    wait_for(future)
                under_way += not future.done()
                self._know(bought(order, future) if future.done() else placeholder(order))
            self._finish_encoding()
            self._encode_what_is_gone()
            if not self._purchases:
                return under_way

    def files(self, wanted: Iterable[tuple[Publication, Picture]]) -> dict[str, str]:
        """Return the paths of the bytes of every file of these publications, by the file's place in the site."""
        wanted = list(wanted)
        keys = {variant.spec.cache_key for publication, _ in wanted for variant in publication.variants}
        if not keys:
            return {}
        if keys - self._encoder.paths.keys():  # of names that only a template knows
            self._finish_encoding()
            self._encode_what_is_gone()
        found = self._encoder.paths
        files = {
            variant.dest_uri: found[variant.spec.cache_key]
            for publication, _ in wanted
            for variant in publication.variants
            if variant.spec.cache_key in found
        }
        self._files |= files
        return files

    def close(self, *, whole: bool = False) -> None:
        """End the build's threads; after a `whole` build that encoded something, keep the cache within its limit."""
        if whole:
            for library, _ in self._libraries:
                library.remember()
        self._encoder.close(used=self._files.values() if whole else None)

    def _find(self, order: Order) -> Picture | None:
        for library, state in self._libraries:
            for original in library.find_all(order.request.key):
                if original.sandbox and not self._options.sandboxed:
                    drawn = f"{original.path} was drawn by the sandbox and is not used for a real picture"
                    self._report(f"{drawn}. Remove it, or let `mkdocs-qhaigc pin` take it away")
                elif original.sandbox and self._is_published(order.request.key):
                    continue  # a real one goes before what the sandbox drew
                elif state == "cached" or self._options.missing != "error" or self._is_whole(library, original):
                    picture = there(order, state, original)
                    if self._buyer and self._published.is_best(original):
                        self._use_published(order.name, picture, publish)
                    return picture
        try:
            best = self._published.find(order.request.key)
            if best is None or (best.sandbox and not self._options.sandboxed):
                return None
            picture = there(order, "published", best)
            if self._buyer and not self._use_published(order.name, picture, publish):
                self._report(
                    f"{order.where}: its original is neither pinned nor in {self._options.cache_dir}, and {best.path}, "
                    "as `sync` wrote it, is encoded once more. Pin it where it was bought, and it loses nothing"
                )
        except LibraryError as error:  # it may be there, and is not bought
            return placeholder(order, error)
        return picture

    def _is_published(self, key: str) -> bool:
        """Whether a real picture is among the pages."""
        try:
            best = self._published.find(key)
        except LibraryError:
            return False
        return best is not None and not best.sandbox

    def _use_published(self, name: str, picture: Picture, publish: Callable[..., Publication]) -> bool:
        """Use what `sync` has written of a picture; return whether that is all that is to be `published` of it."""
        publication = publish(
            name=name,
            key=picture.order.request.key,
            drawn=picture.drawn,
            encoding=self._options.encoding,
            assets_dir=self._options.assets_dir,
        )
        files = self._published.files_of(publication, name)
        self._encoder.lend(files)
        best = picture.original
        for _, spec in publication.variants:
            if best and not spec.cropped and (spec.format, spec.width) == (best.format, best.width):
                self._encoder.lend({spec.cache_key: best.file})  # it would lose each time that it is made again
        return len(files) == len(publication.variants)

    def _is_whole(self, library: Library, original: Original) -> bool:
        """Whether all of an original can be read: what may not be replaced has to be right. A survey takes its word."""
        try:
            if self._buyer:
                original.read()
        except LibraryError as error:
            library.set_aside(original, str(error))
            return False
        return True

    def damaged_pins(self) -> list[str]:
        """Return what was told of committed pictures that cannot be used."""
        return self._libraries[0][0].damaged

    def _know(self, picture: Picture) -> Picture:
        key = picture.order.request.key
        self._pictures[key] = picture
        if self._buyer and self._encoder.lacks(key, picture.drawn):
            self._encoder.encode(self._subject(picture))
        return picture

    def _encode_bought(self, future: Future[Original]) -> None:
        """Encode a picture when it has arrived, in the thread that brought it, while others are on their way."""
        if not future.cancelled() and future.exception() is None:
            self._encoder.encode(self._subject_of(future.result()))

    def _subject(self, picture: Picture) -> Subject:
        original = picture.original
        if original and picture.state == "published":
            about = partial(provenance_of_published, picture.order, original, self._options.encoding)
            return Subject(original.key, picture.drawn, original.read, about)
        if original:
            return self._subject_of(original)
        return Subject(picture.order.request.key, picture.drawn, partial(draw_placeholder, picture), lambda: None)

    def _subject_of(self, original: Original) -> Subject:
        about = partial(provenance_of, original, self._options.encoding)
        return Subject(original.key, drawn_as(original), original.read, about)

    def _finish_encoding(self) -> None:
        """Wait for the encoders; look elsewhere for the pictures whose originals turn out to be damaged."""
        for picture in self.pictures() if self._encoder.began else ():
            error = None if picture.state == "under way" else self._encoder.error(self._subject(picture))
            if error is None:
                continue
            if not picture.original or not isinstance(error, (LibraryError, PictureError)):
                raise error
            if isinstance(error, PictureError) or not self._set_aside(picture.original, str(error)):
                self._know(placeholder(picture.order, error))  # its bytes may be right: it is not bought again
                continue
            key = picture.order.request.key
            del self._pictures[key]
            self._encoder.forget(self._subject(picture))
            if key in self._second_looks:
                self._know(placeholder(picture.order, error))
                continue
            self._second_looks.add(key)
            if self._buyer:
                self._buyer.forget(key)
            self.want(picture.order)

    def _set_aside(self, original: Original, reason: str) -> bool:
        """Return whether a damaged original may be looked for again."""
        return all(
            library.set_aside(original, reason)
            for library, _ in self._libraries
            if library.folder == original.path.parent
        )

    def _encode_what_is_gone(self) -> None:
        """Encode again what the cache of variants has lost, while a damaged original can still be replaced."""
        known = {key: picture.drawn for key, picture in self._pictures.items() if picture.state != "under way"}
        for key in self._encoder.gone(known):
            subject = self._subject(self._pictures[key])
            self._encoder.forget(subject)
            self._encoder.encode(subject)
        self._finish_encoding()


def open_libraries(options: Options, *, report: Callable[[str], None]) -> tuple[Library, Library]:
    """Return the committed pictures and this machine's. `report` is told of what is damaged in them."""
    name = "sandbox" if options.sandboxed else "originals"
    indexes = options.cache_dir / "index"
    cache = Library(options.cache_dir / name, report=report, index=indexes / f"{name}.json")
    return Library(options.pins_dir, report=report, index=indexes / "pins.json"), cache
