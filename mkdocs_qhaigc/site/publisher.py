"""The addresses that one build hands out, and the files that have to be at them. Final: known before any image is."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import NamedTuple

from mkdocs_qhaigc.config.options import Options
from mkdocs_qhaigc.directives.request import ImageRequest
from mkdocs_qhaigc.imaging.encoder import Crop
from mkdocs_qhaigc.imaging.formats import EXTENSIONS
from mkdocs_qhaigc.imaging.renditions import (
    CARD_FORMAT,
    PublishedImage,
    RenditionSpec,
    SourceImage,
    card_stem,
    publish,
    publish_card,
    stem_of,
)
from mkdocs_qhaigc.site.resolved import ResolvedImage


class WantedFile(NamedTuple):
    """A file that the site must have."""

    request: ImageRequest
    """Of the image that it shows."""
    spec: RenditionSpec


class _Address(NamedTuple):
    """One address that was handed out, and from which those of an image's other files are derived."""

    dest_uri: str
    """The place in the site of the file that every reader can show."""
    name: str
    """What the author calls the image."""
    request: ImageRequest
    crop: Crop | None = None
    """Of a card."""


class Publisher:
    """The files that the pages of one build show."""

    def __init__(self, options: Options, image_of: Callable[[ImageRequest], ResolvedImage]) -> None:
        """`image_of` returns what is known of an image that was wanted."""
        self._options = options
        self._image_of = image_of
        self._addresses: dict[tuple[str, str], _Address] = {}
        """Of images on pages, by name and key."""
        self._cards: dict[tuple[str, str, Crop | None], _Address] = {}
        """Of link previews, by name, key and crop."""
        self._publications: dict[tuple[str, SourceImage], PublishedImage] = {}
        """By address and what is encoded."""
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
        """Return the files that pages show of an image as it is now; the site needs all of them from now on."""
        return self._publish(self._address(name, request), publish)

    def published(self) -> list[tuple[PublishedImage, ResolvedImage]]:
        """Return the files at every address that was handed out, and what they show now."""
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
        publication = self._publications.get((address.dest_uri, image.source))
        if publication is None:
            publication = self._publications[address.dest_uri, image.source] = publish_as(
                name=address.name,
                key=address.request.key,
                source=image.source,
                encoding=self._options.encoding,
                assets_dir=self._options.assets_dir,
            )
            for dest_uri, spec in publication.renditions:
                # A page that has been given this address before shows what it was then, as long as that is there.
                self._wanted.setdefault(dest_uri, WantedFile(address.request, spec))
        return publication, image
