"""What one build publishes: which images are shown by which files, and which of those the site was given already."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import NamedTuple

from mkdocs_qhaigc.config.options import Options
from mkdocs_qhaigc.imaging.encoder import Crop
from mkdocs_qhaigc.imaging.renditions import Drawn, PublishedImage, publish, publish_card
from mkdocs_qhaigc.site.resolved import ResolvedImage


class Shown(NamedTuple):
    """An image with the files that show it."""

    publication: PublishedImage
    image: ResolvedImage
    publish: Callable[[ResolvedImage], PublishedImage]
    """The files of another image in its place."""


class Publisher:
    """The files that the pages of one build show."""

    def __init__(self, options: Options) -> None:
        self._options = options
        self._shown: dict[str, Shown] = {}
        """By stem."""
        self._publications: dict[tuple[str, Drawn], PublishedImage] = {}
        self._handed_out: set[str] = set()

    def show(self, name: str, image: ResolvedImage) -> Shown:
        """Return an image with the files that pages show, which the site needs from now on."""
        return self._show(partial(self._publish, name), name, image)

    def show_card(self, name: str, image: ResolvedImage, crop: Crop | None) -> Shown:
        """Return an image with the file that link previews show, which the site needs from now on."""
        return self._show(partial(self._publish_card, name, crop), f"{name} {crop}", image)

    def take_back_guesses(self) -> dict[str, Shown]:
        """Forget the images that were still under way when they were shown; return them by stem."""
        guessed = {stem: shown for stem, shown in self._shown.items() if shown.image.state == "under way"}
        self._shown = {stem: shown for stem, shown in self._shown.items() if stem not in guessed}
        return guessed

    def hand_out(self) -> list[tuple[PublishedImage, ResolvedImage]]:
        """Return what is shown since the last call."""
        new = {stem: shown for stem, shown in self._shown.items() if stem not in self._handed_out}
        self._handed_out.update(new)
        return [(shown.publication, shown.image) for shown in new.values()]

    def _show(self, publish: Callable[[ResolvedImage], PublishedImage], purpose: str, image: ResolvedImage) -> Shown:
        publication = self._publications.get((purpose, image.drawn))
        if publication is None:
            publication = self._publications[purpose, image.drawn] = publish(image)
        shown = self._shown[publication.stem] = Shown(publication, image, publish)
        return shown

    def _publish(self, name: str, image: ResolvedImage) -> PublishedImage:
        return publish(
            name=name,
            key=image.order.request.key,
            drawn=image.drawn,
            encoding=self._options.encoding,
            assets_dir=self._options.assets_dir,
        )

    def _publish_card(self, name: str, crop: Crop | None, image: ResolvedImage) -> PublishedImage:
        return publish_card(
            name=name,
            key=image.order.request.key,
            drawn=image.drawn,
            encoding=self._options.encoding,
            assets_dir=self._options.assets_dir,
            crop=crop,
        )
