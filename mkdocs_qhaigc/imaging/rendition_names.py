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
from collections.abc import Mapping
from dataclasses import dataclass, field
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


@dataclass(frozen=True, slots=True)
class Encoding:
    """The settings by which every image of a site is encoded."""

    formats: tuple[str, ...]
    """avif, webp, jpeg, png; the last one is for browsers that support none of the others."""
    widths: tuple[int, ...]
    """Pixels, ascending; an image has those that are narrower than itself, and its own width."""
    quality: Mapping[str, int]
    """Format -> 1 to 100."""
    marked: bool = True
    """Whether every file says that it was made by AI."""
    with_prompt: bool = False
    """Whether it also contains the prompt."""

    codes: Mapping[str, str] = field(init=False)
    """Format -> the part of cache keys that tells its renditions from those of other settings."""
    made: dict[SourceImage, tuple[RenditionSpec, ...]] = field(init=False, repr=False, compare=False)
    """The results of `rendition_specs`."""
    signature: str = field(init=False)
    """All that changes the content of a file, as text. Widths do: a copy never has more bytes than a wider one."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "widths", tuple(sorted(set(self.widths))))
        used = {name: self.quality[name] for name in sorted(self.formats) if name != "png"}
        settings = {
            "encoder": ENCODER_SCHEMA,
            "quality": used,
            "widths": self.widths,
            "marked": self.marked,
            "prompt": self.with_prompt,
        }
        object.__setattr__(self, "made", {})
        object.__setattr__(self, "signature", json.dumps(settings, sort_keys=True))
        object.__setattr__(self, "codes", {format_: self._code(format_) for format_ in (*self.formats, CARD_FORMAT)})

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


class Rendition(NamedTuple):
    """One file of the site."""

    dest_uri: str
    """Relative to the site's folder."""
    spec: RenditionSpec


class PublishedImage(NamedTuple):
    """All files that show one image under one name."""

    stem: str
    """`NAME-HEX`: in the name of each of its files, and of no other image's."""
    renditions: tuple[Rendition, ...]
    """By format in the author's order, then by width, the widest last."""
    width: int
    """Pixels."""
    height: int
    """Pixels."""


def rendition_specs(source: SourceImage, encoding: Encoding) -> tuple[RenditionSpec, ...]:
    """Return every encoding of an image that pages need, under any name; the widest of a format last.

    A cache key contains the wider widths, because a copy is encoded so that it has no more bytes than a wider one.
    """
    if source in encoding.made:
        return encoding.made[source]
    copies = _copies(source.width, source.height, encoding.widths)
    specs = encoding.made[source] = tuple(
        [
            RenditionSpec(
                f"{source.identity}|{chain}|{encoding.codes[format_]}",
                format_,
                width,
                height,
                encoding.quality[format_],
            )
            for format_ in encoding.formats
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


def card_spec(source: SourceImage, encoding: Encoding, crop: tuple[int, int] | None) -> RenditionSpec:
    """Return the encoding of an image for link previews; `crop` is the width and height wanted, in pixels.

    Never larger than the image: the card of a smaller one has the proportions of `crop`.
    """
    if crop:
        share = min(1.0, source.width / crop[0], source.height / crop[1])
        width, height = (max(1, round(side * share)) for side in crop)
    else:
        width = min(source.width, CARD_WIDTH)
        height = max(1, round(source.height * width / source.width))
    return RenditionSpec(
        cache_key=f"{source.identity}|card {width}x{height}|{encoding.codes[CARD_FORMAT]}",
        format=CARD_FORMAT,
        width=width,
        height=height,
        quality=encoding.quality[CARD_FORMAT],
        cropped=crop is not None,
    )


def publish(*, name: str, key: str, source: SourceImage, encoding: Encoding, assets_dir: str) -> PublishedImage:
    """Return the files that show an image on pages; `name` is the author's, `key` that of the request."""
    stem = stem_of(name, key, encoding)
    uri = f"{assets_dir}/{stem}"
    renditions = tuple(
        Rendition(f"{uri}{f'-{spec.width}' if spec.width != source.width else ''}.{EXTENSIONS[spec.format]}", spec)
        for spec in rendition_specs(source, encoding)
    )
    return PublishedImage(stem, renditions, source.width, source.height)


def publish_card(
    *, name: str, key: str, source: SourceImage, encoding: Encoding, assets_dir: str, crop: tuple[int, int] | None
) -> PublishedImage:
    """Return the one file that shows an image in link previews."""
    spec = card_spec(source, encoding, crop)
    stem = card_stem(name, key, encoding, crop)
    dest_uri = f"{assets_dir}/{stem}.{EXTENSIONS[spec.format]}"
    return PublishedImage(stem, (Rendition(dest_uri, spec),), spec.width, spec.height)


def stem_of(name: str, key: str, encoding: Encoding) -> str:
    """Return the beginning of the names of an image's files on pages."""
    return _stem(name, key, encoding.signature)


def card_stem(name: str, key: str, encoding: Encoding, crop: tuple[int, int] | None) -> str:
    """Return the name, without its extension, of an image's file for link previews."""
    return _stem(name, key, f"{encoding.card_signature} {crop}")


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
