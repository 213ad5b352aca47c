"""Text on drawings: fonts that have its letters, lines that fit, the strip at the bottom and the large words."""

from __future__ import annotations

import functools
import re
import unicodedata
from collections.abc import Iterator
from typing import NamedTuple

from PIL import Image, ImageDraw, ImageFont, ImageStat

from mkdocs_qhaigc.sandbox.drawing.colours import Colour, luminance, mix
from mkdocs_qhaigc.sandbox.drawing.prompt_words import Light

_READ = 200
"""Characters of a prompt that a line could show at most."""
_TITLE = 90
"""Columns of the large words at most; a Chinese character takes two."""
_LEADING = 1.25
"""From line to line, in sizes of the font."""
_SMALLEST = 6
"""Pixels: smaller letters cannot be read, and are left out."""
_PLAIN = str.maketrans({"–": "-", "—": "-", "×": "x"})
"""What Pillow's own font lacks and has a plain form of."""
_WIDE = "\u2e80-\u9fff\uac00-\ud7af\uf900-\ufaff\uff01-\uff60\U00020000-\U0003ffff"
"""Characters that are written without spaces between words (or, in Korean, may be parted anywhere)."""
_PARTS = re.compile(rf"\s*(?:[{_WIDE}][、。，．：；！？）」』】》]*|[^\s{_WIDE}]+)")
"""What a line may end with: a word, or one such character with the punctuation that may begin no line."""
_PALE, _DARK = Colour(245, 246, 248), Colour(14, 17, 24)


class _Face(NamedTuple):
    """A font at any size."""

    file: str
    """Empty for Pillow's own, with which machines agree and which needs no file."""
    number: int = 0
    """Of the face in a collection of several."""


_OWN = _Face("")
_CHINESE = (
    _Face("NotoSansCJK-Regular.ttc", 2),  # 2 is Simplified Chinese, 0 Japanese
    _Face("NotoSansCJKsc-Regular.otf"),
    _Face("NotoSansSC-Regular.otf"),
    _Face("NotoSansSC-Regular.ttf"),
    _Face("SourceHanSansSC-Regular.otf"),
    _Face("SourceHanSansCN-Regular.otf"),
    _Face("wqy-microhei.ttc"),
    _Face("wqy-zenhei.ttc"),
    _Face("DroidSansFallbackFull.ttf"),
    _Face("DroidSansFallback.ttf"),
    _Face("PingFang.ttc"),  # macOS
    _Face("Hiragino Sans GB.ttc"),
    _Face("STHeiti Light.ttc"),
    _Face("msyh.ttc"),  # Windows
    _Face("simhei.ttf"),
    _Face("simsun.ttc"),
)
"""Fonts with Chinese letters that machines usually have. Pillow finds them where the system keeps its fonts."""


def draw_band(image: Image.Image, words: str, label: str, light: Light) -> int:
    """Write into `image` a strip at the bottom: label and words, as far as they fit and can be drawn.

    Return its height in pixels.
    """
    width, height = image.size
    size = max(min(width * 0.027, height * 0.09), min(9, height * 0.12))
    tall = min(max(round(size * 2), 1), height)
    strip = image.crop((0, height - tall, width, height))
    strip = Image.blend(strip, Image.new("RGB", strip.size, mix(light.near, _DARK, 0.6)), 0.56)
    margin = round(size * 0.9)
    if size >= _SMALLEST:
        text, font = band_line(words, label, f"{width} x {height}", round(size), width - 2 * margin)
        ImageDraw.Draw(strip).text((margin, tall / 2), text, fill=_PALE, font=font, anchor="lm")
    image.paste(strip, (0, height - tall))
    return tall


def draw_title(image: Image.Image, words: str, light: Light) -> None:
    """Write the words large into the middle of `image`, or its size if no font of this machine has their letters."""
    width, height = image.size
    text, face = _legible(words) or (f"{width} x {height}", _OWN)
    text, room, tall = _shortened(text, face), width * 0.84, height * 0.6
    least = round(min(width, height) * 0.055)
    if least < _SMALLEST:
        return
    size = round(min(height * 0.17, width * 0.13))
    lines = _wrapped(text, _font(face, size), room)
    while size > least and not _fits(lines, _font(face, size), room, tall):
        size = max(round(size * 0.92), least)
        lines = _wrapped(text, _font(face, size), room)
    font = _font(face, size)
    lines = [_cut(line, font, room, _dots(face)) for line in lines[: int(tall / size / _LEADING)]]
    pale = luminance(Colour(*(round(level) for level in ImageStat.Stat(image).mean))) > 0.6
    ground, ink = (Colour(255, 253, 248), mix(light.near, _DARK, 0.6)) if pale else (mix(light.near, _DARK, 0.6), _PALE)
    image.paste(Image.blend(image, Image.new("RGB", image.size, ground), 0.5))
    pen = ImageDraw.Draw(image)
    for number, line in enumerate(lines):
        y = height * 0.48 + (number - (len(lines) - 1) / 2) * font.size * _LEADING
        pen.text((width / 2, y), line, fill=ink, font=font, anchor="mm")


def band_line(words: str, label: str, otherwise: str, size: int, room: float) -> tuple[str, ImageFont.FreeTypeFont]:
    """Return the strip's text, no wider than `room` pixels, and its font; `otherwise` stands in for unknown letters."""
    opening = _drawable(label, _OWN) or "sketch"
    if opening == "sandbox":
        opening = "sandbox image"
    shown, face = _legible(words) or (otherwise, _OWN)
    font = _font(face, size)
    return _cut(f"{opening} · {shown}", font, room, _dots(face)), font


def _cut(text: str, font: ImageFont.FreeTypeFont, room: float, dots: str) -> str:
    """Return as much of `text` as fits, with dots behind the last whole word if that is not all."""
    if font.getlength(text) <= room:
        return text
    low, high = 0, len(text)
    while low < high:
        middle = (low + high + 1) // 2
        if font.getlength(text[:middle].rstrip() + dots) <= room:
            low = middle
        else:
            high = middle - 1
    return _whole_words(text, low) + dots if low else ""


def _whole_words(text: str, end: int) -> str:
    """Return `text` up to `end` or the last word before it; a word that is most of it is parted."""
    space = text.rfind(" ", 0, end + 1)
    return text[: space if space > end * 2 / 3 else end].rstrip(" ·,;:")


def _shortened(text: str, face: _Face) -> str:
    """Return the beginning of `text`, as far as it can be shown large."""
    columns = 0
    for end, character in enumerate(text):
        columns += 2 if re.match(f"[{_WIDE}]", character) else 1
        if columns > _TITLE:
            return _whole_words(text, end) + _dots(face)
    return text


def _dots(face: _Face) -> str:
    return "…" if _covered("…", face) else "..."


def _wrapped(text: str, font: ImageFont.FreeTypeFont, room: float) -> list[str]:
    """Return `text` in lines, each no wider than `room` unless one word is."""
    lines = [""]
    for part in _PARTS.findall(text):
        if lines[-1] and font.getlength(lines[-1] + part) > room:
            lines.append("")
        lines[-1] += part if lines[-1] else part.lstrip()
    return lines


def _fits(lines: list[str], font: ImageFont.FreeTypeFont, room: float, tall: float) -> bool:
    return len(lines) * font.size * _LEADING <= tall and all(font.getlength(line) <= room for line in lines)


def _legible(text: str) -> tuple[str, _Face] | None:
    """Return `text` on one line and a font that has its letters; `None` if this machine has no such font."""
    for face in _faces() if text else ():
        shown = _drawable(text, face)
        if shown:
            return shown, face
    return None


def _faces() -> Iterator[_Face]:
    """Yield Pillow's own font, then those of this machine with Chinese letters: they are looked for only if needed."""
    yield _OWN
    yield from _installed()


@functools.lru_cache(maxsize=1)
def _installed() -> tuple[_Face, ...]:
    """Return those of `_CHINESE` that this machine has."""
    found = []
    for face in _CHINESE:
        try:
            ImageFont.truetype(face.file, 12, face.number)
        except OSError:
            continue
        found.append(face)
    return tuple(found)


@functools.lru_cache(maxsize=64)
def _font(face: _Face, size: int) -> ImageFont.FreeTypeFont:
    """Return a font at a size in pixels."""
    if face.file:
        return ImageFont.truetype(face.file, size, face.number)
    font = ImageFont.load_default(size)
    if not isinstance(font, ImageFont.FreeTypeFont):
        raise TypeError("Pillow was built without FreeType. Install it from its wheels: pip install Pillow.")
    return font


@functools.lru_cache(maxsize=4096)
def _covered(character: str, face: _Face) -> bool:
    """Whether the font has a glyph for `character` of its own, not the box that stands for all it lacks."""
    font = _font(face, 24)
    mask, missing = font.getmask(character), font.getmask("\uffff")
    return character == " " or (mask.size, bytes(mask)) != (missing.size, bytes(missing))


def _drawable(text: str, face: _Face) -> str:
    """`text` on one line in what the font can draw; empty where a letter would come out as a box.

    Accents are dropped (é as e) if need be, and so are symbols and control characters: a text can be read without.
    """
    shown = []
    for raw in " ".join(text[: _READ * 4].split())[:_READ]:
        plain = raw if _covered(raw, face) else unicodedata.normalize("NFKD", raw.translate(_PLAIN))
        for character in plain:
            if unicodedata.category(character)[0] == "C" or character.isspace():
                shown.append(" ")
            elif _covered(character, face):
                shown.append(character)
            elif character.isalnum():
                return ""
    return " ".join("".join(shown).split())
