"""Which files of the site show an image, and what they are called. Pure: names are known before any pixel is.

    assets/qhaigc/hero-5d0f6c1b2a9e.webp        the image's own width
    assets/qhaigc/hero-5d0f6c1b2a9e-480.webp    480 pixels wide

The hex is over the key *and* the encoding settings, so that readers' caches never show what either was before. Names
are final: what has one is the image, or a placeholder until the image can be had.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import NamedTuple
from urllib.parse import quote

ENCODER_SCHEMA = 2
"""Raised when the encoder's output changes on purpose; variants are then made anew."""
STEM_DIGITS = 12
"""Hex digits at the end of a stem."""
CARD_FORMAT = "jpeg"
"""What every reader of link previews takes; hardly any takes AVIF, and some not WebP."""
CARD_WIDTH = 1200
"""Pixels; link previews show no more."""


@dataclass(frozen=True, slots=True)
class Encoding:
    """How every image of a site is encoded."""

    formats: tuple[str, ...]
    """avif, webp, jpeg, png; the last one is for every reader."""
    widths: tuple[int, ...]
    """Pixels, ascending; those narrower than an image are used, besides its own width."""
    quality: Mapping[str, int]
    """By format; 1 to 100."""
    marked: bool = True
    """Whether every file says that it was made by AI."""
    with_prompt: bool = False
    """Whether it also says from which prompt."""

    codes: Mapping[str, str] = field(init=False)
    """By format: what tells its variants of an image from those of other settings."""
    made: dict[Drawn, tuple[RenditionSpec, ...]] = field(init=False, repr=False, compare=False)
    """What `rendition_specs` has returned."""
    signature: str = field(init=False)
    """What changes the content of a file, as text. The widths do: a copy is never larger in bytes than a wider one."""

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
        """What changes the content of a card, as text."""
        return f"card {self.codes[CARD_FORMAT]}"

    def _code(self, format_: str) -> str:
        words = "prompt" if self.with_prompt else "marked" if self.marked else "bare"
        return f"{ENCODER_SCHEMA}|{format_}|{'-' if format_ == 'png' else self.quality[format_]}|{words}"


class Drawn(NamedTuple):
    """What is encoded: an image's size, and what tells its bytes from any others."""

    identity: str
    """What the bytes and the words in the file come from: an original's sha256 and its key, or `placeholder:…`."""
    width: int
    """Pixels."""
    height: int
    """Pixels."""
    placeholder: bool = False


class RenditionSpec(NamedTuple):
    """One encoding of one image."""

    cache_key: str
    """Under which its bytes are in the cache of variants."""
    format: str
    width: int
    """Pixels."""
    height: int
    """Pixels."""
    quality: int
    cropped: bool = False
    """Whether the image fills these proportions and loses what stands over, instead of having them."""


class Rendition(NamedTuple):
    """One file of the site."""

    dest_uri: str
    """Relative to the site's folder."""
    spec: RenditionSpec


class PublishedImage(NamedTuple):
    """All the files that show one image under one name."""

    stem: str
    """`NAME-HEX`: in the name of each of its files, and of no other image's."""
    variants: tuple[Rendition, ...]
    """By format in the author's order, then by width, the widest last."""
    width: int
    height: int


def rendition_specs(drawn: Drawn, encoding: Encoding) -> tuple[RenditionSpec, ...]:
    """Return every encoding that pages need of an image, whatever it is called there; the widest of a format last.

    The wider ones stand in the cache key: a copy is made so that it is not larger in bytes than they are.
    """
    if drawn in encoding.made:
        return encoding.made[drawn]
    copies = _copies(drawn.width, drawn.height, encoding.widths)
    specs = encoding.made[drawn] = tuple(
        [
            RenditionSpec(
                f"{drawn.identity}|{chain}|{encoding.codes[format_]}", format_, width, height, encoding.quality[format_]
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


def card_spec(drawn: Drawn, encoding: Encoding, crop: tuple[int, int] | None) -> RenditionSpec:
    """Return the encoding of an image for link previews; `crop` is the width and height wanted, in pixels.

    Never larger than the image: where it is too small, the card has the proportions of `crop` and what size there is.
    """
    if crop:
        share = min(1.0, drawn.width / crop[0], drawn.height / crop[1])
        width, height = (max(1, round(side * share)) for side in crop)
    else:
        width = min(drawn.width, CARD_WIDTH)
        height = max(1, round(drawn.height * width / drawn.width))
    return RenditionSpec(
        cache_key=f"{drawn.identity}|card {width}x{height}|{encoding.codes[CARD_FORMAT]}",
        format=CARD_FORMAT,
        width=width,
        height=height,
        quality=encoding.quality[CARD_FORMAT],
        cropped=crop is not None,
    )


def publish(*, name: str, key: str, drawn: Drawn, encoding: Encoding, assets_dir: str) -> PublishedImage:
    """Return the files that show an image on pages: `drawn`, asked for under `key`, called `name` by the author."""
    stem = stem_of(name, key, encoding)
    uri = f"{assets_dir}/{stem}"
    variants = tuple(
        Rendition(f"{uri}{f'-{spec.width}' if spec.width != drawn.width else ''}.{extension(spec.format)}", spec)
        for spec in rendition_specs(drawn, encoding)
    )
    return PublishedImage(stem, variants, drawn.width, drawn.height)


def publish_card(
    *, name: str, key: str, drawn: Drawn, encoding: Encoding, assets_dir: str, crop: tuple[int, int] | None
) -> PublishedImage:
    """Return the one file that shows an image in link previews."""
    spec = card_spec(drawn, encoding, crop)
    stem = card_stem(name, key, encoding, crop)
    dest_uri = f"{assets_dir}/{stem}.{extension(spec.format)}"
    return PublishedImage(stem, (Rendition(dest_uri, spec),), spec.width, spec.height)


def stem_of(name: str, key: str, encoding: Encoding) -> str:
    """Return what the names of an image's files on pages begin with: known before anything of the image is."""
    return _stem(name, key, encoding.signature)


def card_stem(name: str, key: str, encoding: Encoding, crop: tuple[int, int] | None) -> str:
    """Return the name, without its ending, of an image's file for link previews: known as early."""
    return _stem(name, key, f"{encoding.card_signature} {crop}")


def _stem(name: str, key: str, settings: str) -> str:
    content = f"{key}\n{settings}\n"
    if name != name.casefold():  # beside the same in small letters it would be one file on Windows and macOS
        content += f"\n{name}"
    return f"{name}-{hashlib.sha256(content.encode()).hexdigest()[:STEM_DIGITS]}"


def extension(format_: str) -> str:
    """Return the ending of a file of a format."""
    return "jpg" if format_ == "jpeg" else format_


def relative_url(dest_uri: str, page_url: str) -> str:
    """Return the URL by which a page refers to a file of the site, both relative to the site's folder.

    A `page_url` that begins with `/` is the path of the site itself, for pages that are served at any address.
    """
    if page_url.startswith("/"):
        return page_url + quote(dest_uri)
    if page_url in ("", ".", "./"):
        return quote(dest_uri)
    return "../" * page_url.count("/") + quote(dest_uri)
