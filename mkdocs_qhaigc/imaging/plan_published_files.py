"""The files that show an image on the site, and their names. Pure: names are known before any pixel is.

    assets/qhaigc/hero-5d0f6c1b2a9e.webp        the image's own width
    assets/qhaigc/hero-5d0f6c1b2a9e-480.webp    480 pixels wide

The hex digits are a hash of the key *and* the encoding settings, so that browsers' caches never show an older image.
No name begins with `_`: GitHub Pages leaves such files out of a site that has no `.nojekyll`.
Names are final: the file is the image, or a placeholder for as long as there is no image.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import NamedTuple
from urllib.parse import quote

from mkdocs_qhaigc.imaging.formats import EXTENSIONS

ENCODER_SCHEMA = 2
"""Raised when the encoder's output changes on purpose; renditions are then encoded again."""
STEM_DIGITS = 12
"""Hex digits at the end of a stem."""
CARD_FORMAT = "jpeg"
"""All readers of link previews support it; hardly any supports AVIF, and some lack WebP."""
CARD_WIDTH = 1200
"""Pixels; link previews show no more."""
PLACEHOLDER_SCHEMA = 3
"""Raised when the drawing of placeholders changes on purpose."""
CENTRE = (50, 50)


class Encoding:
    """The settings by which every image of a site is encoded. Immutable."""

    def __init__(
        self,
        formats: tuple[str, ...],
        widths: Iterable[int],
        quality: Mapping[str, int],
        *,
        marked: bool = True,
        with_prompt: bool = False,
    ) -> None:
        """Take the settings of a site, `widths` in any order."""
        self.formats = formats
        """avif, webp, jpeg, png; the last one is for browsers that support none of the others."""
        self.widths = tuple(sorted(set(widths)))
        """Pixels, ascending; an image has those that are narrower than itself, and its own width."""
        self.quality = quality
        """Format -> 1 to 100."""
        self.marked = marked
        """Whether every file says that it was made by AI."""
        self.with_prompt = with_prompt
        """Whether it also contains the prompt."""
        settings = {
            "encoder": ENCODER_SCHEMA,
            "quality": {name: quality[name] for name in sorted(formats) if name != "png"},
            "widths": self.widths,
            "marked": marked,
            "prompt": with_prompt,
        }
        self.signature = json.dumps(settings, sort_keys=True)
        """All that changes the content of a file, as text. Widths do: a copy never has more bytes than a wider one."""
        self.codes = {format_: self._code(format_) for format_ in (*formats, CARD_FORMAT)}
        """Format -> the part of cache keys that tells its renditions from those of other settings."""
        self.made: dict[tuple[str, bool, Crop | None], tuple[RenditionSpec, ...]] = {}
        """The results of `rendition_specs`."""

    def __hash__(self) -> int:
        return hash(self._identity)

    def __eq__(self, other: object) -> bool:
        """Whether both make the same files."""
        return isinstance(other, Encoding) and other._identity == self._identity

    @property
    def _identity(self) -> tuple[object, ...]:
        return self.formats, self.signature, self.card_signature

    def formats_of(self, *, transparent: bool) -> tuple[str, ...]:
        """Return the formats of an image: a transparent one has no JPEG where there is another format."""
        with_alpha = tuple(name for name in self.formats if name != "jpeg") if transparent else ()
        return with_alpha or self.formats

    @property
    def card_signature(self) -> str:
        """All that changes the content of a card, as text."""
        return f"card {self.codes[CARD_FORMAT]}"

    def _code(self, format_: str) -> str:
        words = "prompt" if self.with_prompt else "marked" if self.marked else "bare"
        return f"{ENCODER_SCHEMA}|{format_}|{'-' if format_ == 'png' else self.quality[format_]}|{words}"


class SourceImage(NamedTuple):
    """The image that renditions are made of: its size, and the identity of its bytes."""

    identity: str
    """`SHA256:KEY` of a stored image, or `placeholder:…`: the bytes, and the metadata that is written beside them."""
    width: int
    """Pixels."""
    height: int
    """Pixels."""
    placeholder: bool = False
    transparent: bool = False
    """Whether its background was asked for as transparent."""


class Crop(NamedTuple):
    """The proportions and the focus to which published files are cropped. The original stays whole."""

    width: int
    """Of a page's image, its proportions; of a card, pixels at most."""
    height: int
    focus: tuple[int, int] = CENTRE
    """The point that stays in the image, in percent from the left and the top, as CSS has it in `object-position`."""

    def within(self, width: int, height: int) -> tuple[int, int]:
        """Return the largest size with exactly these proportions within an image, in pixels."""
        unit = math.gcd(self.width, self.height)
        wide, high = self.width // unit, self.height // unit
        if whole := min(width // wide, height // high):
            return wide * whole, high * whole
        share = min(width / wide, height / high)
        return max(1, round(wide * share)), max(1, round(high * share))

    def __str__(self) -> str:
        """The part of cache keys and of file names' digests that tells it from other crops."""
        size = f"({self.width}, {self.height})"
        return size if self.focus == CENTRE else f"{size} at {self.focus}"


class Card(NamedTuple):
    """The form of an image for link previews."""

    crop: Crop | None = None
    """Width and height, in pixels, and focus; `None` for the image's proportions."""
    label: str = ""
    """Drawn into its corner; empty for none."""


class RenditionSpec(NamedTuple):
    """One encoding of one image."""

    cache_key: str
    """Its key in the cache of renditions."""
    format: str
    width: int
    """Pixels."""
    height: int
    """Pixels."""
    quality: int
    cropped: bool = False
    """Whether the image is cropped to these proportions."""
    focus: tuple[int, int] = CENTRE
    """Of a cropped one: see `Crop`."""
    label: str = ""
    """Drawn into its corner; empty for none."""


class Rendition(NamedTuple):
    """One file of the site."""

    dest_uri: str
    """Relative to the site's folder."""
    spec: RenditionSpec


class PublishedImage(NamedTuple):
    """All files that show one image under one name."""

    stem: str
    """`NAME-HEX`: in the name of each of its files, and of no other image's."""
    source: SourceImage
    """The pixels that they show."""
    renditions: tuple[Rendition, ...]
    """By format in the author's order, then by width, the widest last."""
    width: int
    """Pixels."""
    height: int
    """Pixels."""


def placeholder_source(width: int, height: int, *, transparent: bool = False) -> SourceImage:
    """Return the pixels of a placeholder."""
    identity = f"placeholder:{PLACEHOLDER_SCHEMA}:{width}x{height}"
    return SourceImage(identity, width, height, placeholder=True, transparent=transparent)


def cropped(source: SourceImage, crop: Crop | None) -> tuple[SourceImage, Crop | None]:
    """Return the image that renditions are made of, and what it is cropped to; `None` if it has the proportions.

    A placeholder is not cropped, which would cut its words off: it is drawn in other proportions.
    """
    if crop is None:
        return source, None
    size = crop.within(source.width, source.height)
    if size == (source.width, source.height):
        return source, None
    if source.placeholder:
        return placeholder_source(*size, transparent=source.transparent), None
    return source, crop


def rendition_specs(source: SourceImage, encoding: Encoding, crop: Crop | None = None) -> tuple[RenditionSpec, ...]:
    """Return every encoding of an image that pages need, under any name; the widest of a format last.

    A cache key contains the wider widths, because a copy is encoded so that it has no more bytes than a wider one.
    """
    made = source.identity, source.transparent, crop
    if made in encoding.made:
        return encoding.made[made]
    of, cut = cropped(source, crop)
    width, height = cut.within(of.width, of.height) if cut else (of.width, of.height)
    identity = f"{of.identity}|crop {cut}" if cut else of.identity
    copies = _copies(width, height, encoding.widths)
    specs = encoding.made[made] = tuple(
        [
            RenditionSpec(
                f"{identity}|{chain}|{encoding.codes[format_]}",
                format_,
                width,
                height,
                encoding.quality[format_],
                cut is not None,
                cut.focus if cut else CENTRE,
            )
            for format_ in encoding.formats_of(transparent=of.transparent)
            for width, height, chain in copies
        ]
    )
    return specs


@lru_cache  # most images of a site are of one size
def _copies(width: int, height: int, narrower: tuple[int, ...]) -> tuple[tuple[int, int, str], ...]:
    """Return (width, height, its width and all wider ones) of each copy of an image, the widest last."""
    widths = [*(other for other in narrower if other < width), width]
    return tuple(
        (other, max(1, round(height * other / width)), "<".join(map(str, widths[at:])))
        for at, other in enumerate(widths)
    )


def card_spec(source: SourceImage, encoding: Encoding, card: Card) -> RenditionSpec:
    """Return the encoding of an image for link previews.

    Never larger than the image: the card of a smaller one has the proportions of `crop`.
    """
    crop = card.crop
    if crop:
        share = min(1.0, source.width / crop.width, source.height / crop.height)
        width, height = (max(1, round(side * share)) for side in (crop.width, crop.height))
    else:
        width = min(source.width, CARD_WIDTH)
        height = max(1, round(source.height * width / source.width))
    focus = crop.focus if crop else CENTRE
    at = "" if focus == CENTRE else f" at {focus}"
    label = f" labelled {card.label}" if card.label else ""
    return RenditionSpec(
        cache_key=f"{source.identity}|card {width}x{height}{at}{label}|{encoding.codes[CARD_FORMAT]}",
        format=CARD_FORMAT,
        width=width,
        height=height,
        quality=encoding.quality[CARD_FORMAT],
        cropped=crop is not None,
        focus=focus,
        label=card.label,
    )


def publish(
    stem: str, *, source: SourceImage, encoding: Encoding, assets_dir: str, crop: Crop | None = None
) -> PublishedImage:
    """Return the files that show an image on pages, under the names that begin with the stem."""
    uri = f"{assets_dir}/{stem}"
    specs = rendition_specs(source, encoding, crop)
    widest = specs[-1]
    renditions = [
        Rendition(f"{uri}{f'-{spec.width}' if spec.width != widest.width else ''}.{EXTENSIONS[spec.format]}", spec)
        for spec in specs
    ]
    return PublishedImage(stem, source, tuple(renditions), widest.width, widest.height)


def publish_card(stem: str, *, source: SourceImage, encoding: Encoding, assets_dir: str, card: Card) -> PublishedImage:
    """Return the one file that shows an image in link previews, under the name that is the stem."""
    spec = card_spec(source, encoding, card)
    dest_uri = f"{assets_dir}/{stem}.{EXTENSIONS[spec.format]}"
    return PublishedImage(stem, source, (Rendition(dest_uri, spec),), spec.width, spec.height)


def stem_of(name: str, key: str, encoding: Encoding, crop: Crop | None = None) -> str:
    """Return the beginning of the names of an image's files on pages.

    `name` is the author's, `key` that of the request.
    """
    return _stem(name, key, encoding.signature if crop is None else f"{encoding.signature} crop {crop}")


def card_stem(name: str, key: str, encoding: Encoding, card: Card) -> str:
    """Return the name, without its extension, of an image's file for link previews."""
    label = f" labelled {card.label}" if card.label else ""
    return _stem(name, key, f"{encoding.card_signature} {card.crop}{label}")


def _stem(name: str, key: str, settings: str) -> str:
    content = f"{key}\n{settings}\n"
    shown = name.lstrip("_") or "image"
    if name != shown.casefold():  # beside the same in small letters it would be one file on Windows and macOS
        content += f"\n{name}"
    return f"{shown}-{hashlib.sha256(content.encode()).hexdigest()[:STEM_DIGITS]}"


def relative_url(dest_uri: str, page_url: str) -> str:
    """Return the URL by which a page refers to a file of the site, both relative to the site's folder.

    A `page_url` that begins with `/` is the path of the site itself, for pages that are served at any address.
    """
    if page_url.startswith("/"):
        return page_url + quote(dest_uri)
    if page_url in ("", ".", "./"):
        return quote(dest_uri)
    return "../" * page_url.count("/") + quote(dest_uri)
