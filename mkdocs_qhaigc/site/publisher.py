"""The addresses that one build hands out, and the files that have to be at them. Final: known before any image is."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import NamedTuple

from mkdocs_qhaigc.config.options import Options
from mkdocs_qhaigc.directives.request import ImageRequest
from mkdocs_qhaigc.imaging.encoder import Crop
from mkdocs_qhaigc.imaging.renditions import (
    CARD_FORMAT,
    Drawn,
    PublishedImage,
    RenditionSpec,
    card_stem,
    extension,
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
    """One file name that was handed out, and the names that are derived from it."""

    dest_uri: str
    """Of the file that every reader can show."""
    request: ImageRequest
    publish: Callable[[Drawn], PublishedImage]


class Publisher:
    """The files that the pages of one build show."""

    def __init__(self, options: Options, image_of: Callable[[ImageRequest], ResolvedImage]) -> None:
        """`image_of` returns what is known of an image that was wanted."""
        self._options = options
        self._image_of = image_of
        self._addresses: dict[tuple[str, str, str], _Address] = {}
        """By name, key and purpose."""
        self._publications: dict[tuple[str, Drawn], PublishedImage] = {}
        """By address and what is encoded."""
        self._wanted: dict[str, WantedFile] = {}
        """By place in the site."""

    def address(self, name: str, request: ImageRequest) -> str:
        """Return the place in the site of the file that every reader can show; the site needs it from now on."""
        return self._address(name, request).dest_uri

    def card_address(self, name: str, request: ImageRequest, crop: Crop | None) -> str:
        """Return the place in the site of the file for link previews; the site needs it from now on."""
        purpose = name, request.key, f"card {crop}"
        if purpose not in self._addresses:
            options = self._options
            stem = card_stem(name, request.key, options.encoding, crop)
            publish_as = partial(
                publish_card,
                name=name,
                key=request.key,
                encoding=options.encoding,
                assets_dir=options.assets_dir,
                crop=crop,
            )
            dest_uri = f"{options.assets_dir}/{stem}.{extension(CARD_FORMAT)}"
            self._addresses[purpose] = _Address(dest_uri, request, lambda drawn: publish_as(drawn=drawn))
        return self._addresses[purpose].dest_uri

    def publish(self, name: str, request: ImageRequest) -> tuple[PublishedImage, ResolvedImage]:
        """Return the files that pages show of an image as it is now; the site needs all of them from now on."""
        return self._publish(self._address(name, request))

    def published(self) -> list[tuple[PublishedImage, ResolvedImage]]:
        """Return the files at every address that was handed out, and what they show now."""
        return [self._publish(address) for address in self._addresses.values()]

    def wanted(self) -> dict[str, WantedFile]:
        """Return the file that has to be at each place in the site."""
        self.published()
        return self._wanted

    def _address(self, name: str, request: ImageRequest) -> _Address:
        address = self._addresses.get((name, request.key, ""))
        if address is None:
            options = self._options
            stem = stem_of(name, request.key, options.encoding)
            publish_as = partial(
                publish, name=name, key=request.key, encoding=options.encoding, assets_dir=options.assets_dir
            )
            dest_uri = f"{options.assets_dir}/{stem}.{extension(options.encoding.formats[-1])}"
            address = _Address(dest_uri, request, lambda drawn: publish_as(drawn=drawn))
            self._addresses[name, request.key, ""] = address
        return address

    def _publish(self, address: _Address) -> tuple[PublishedImage, ResolvedImage]:
        image = self._image_of(address.request)
        publication = self._publications.get((address.dest_uri, image.drawn))
        if publication is None:
            publication = self._publications[address.dest_uri, image.drawn] = address.publish(image.drawn)
            for dest_uri, spec in publication.variants:
                # A page that has been given this address before shows what it was then, as long as that is there.
                self._wanted.setdefault(dest_uri, WantedFile(address.request, spec))
        return publication, image
