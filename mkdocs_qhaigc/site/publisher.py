"""What one build publishes: which pictures are shown by which files, and which of those the site was given already."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import NamedTuple

from mkdocs_qhaigc.config.options import Options
from mkdocs_qhaigc.imaging.encoder import Crop
from mkdocs_qhaigc.imaging.renditions import Drawn, PublishedImage, publish, publish_card
from mkdocs_qhaigc.site.resolved import ResolvedImage


class Shown(NamedTuple):
    """A picture with the files that show it."""

    publication: PublishedImage
    picture: ResolvedImage
    publish: Callable[[ResolvedImage], PublishedImage]
    """The files of another picture in its place."""


class Publisher:
    """The files that the pages of one build show."""

    def __init__(self, options: Options) -> None:
        self._options = options
        self._shown: dict[str, Shown] = {}
        """By stem."""
        self._publications: dict[tuple[str, Drawn], PublishedImage] = {}
        self._handed_out: set[str] = set()

    def show(self, name: str, picture: ResolvedImage) -> Shown:
        """Return a picture with the files that pages show, which the site needs from now on."""
        return self._show(partial(self._publish, name), name, picture)

    def show_card(self, name: str, picture: ResolvedImage, crop: Crop | None) -> Shown:
        """Return a picture with the file that link previews show, which the site needs from now on."""
        return self._show(partial(self._publish_card, name, crop), f"{name} {crop}", picture)

    def take_back_guesses(self) -> dict[str, Shown]:
        """Forget the pictures that were still under way when they were shown; return them by stem."""
        guessed = {stem: shown for stem, shown in self._shown.items() if shown.picture.state == "under way"}
        self._shown = {stem: shown for stem, shown in self._shown.items() if stem not in guessed}
        return guessed

    def hand_out(self) -> list[tuple[PublishedImage, ResolvedImage]]:
        """Return what is shown since the last call."""
        new = {stem: shown for stem, shown in self._shown.items() if stem not in self._handed_out}
        self._handed_out.update(new)
        return [(shown.publication, shown.picture) for shown in new.values()]

    def _show(self, publish: Callable[[ResolvedImage], PublishedImage], purpose: str, picture: ResolvedImage) -> Shown:
        publication = self._publications.get((purpose, picture.drawn))
        if publication is None:
            publication = self._publications[purpose, picture.drawn] = publish(picture)
        shown = self._shown[publication.stem] = Shown(publication, picture, publish)
        return shown

    def _publish(self, name: str, picture: ResolvedImage) -> PublishedImage:
        return publish(
            name=name,
            key=picture.order.request.key,
            drawn=picture.drawn,
            encoding=self._options.encoding,
            assets_dir=self._options.assets_dir,
        )

    def _publish_card(self, name: str, crop: Crop | None, picture: ResolvedImage) -> PublishedImage:
        return publish_card(
            name=name,
            key=picture.order.request.key,
            drawn=picture.drawn,
            encoding=self._options.encoding,
            assets_dir=self._options.assets_dir,
            crop=crop,
        )
