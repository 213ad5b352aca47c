"""The image that is shown in place of one that is not there: a plain panel that says so. Deterministic."""

from __future__ import annotations

import functools
import io
import unicodedata

from PIL import Image, ImageDraw, ImageFont

_LABEL = "placeholder"
_PANEL, _BAND, _INK = (229, 233, 239), (198, 206, 217), (52, 62, 77)
_MOST_CHARACTERS = 160
"""Of a prompt: no reader needs more to see which image is meant."""
_SMALLEST, _LARGEST = 10, 64
"""Pixels: the sizes of the text, as far as the image has room for them."""
_MOST_LINES = 6
_PLAIN = str.maketrans({"–": "-", "—": "-", "×": "x", "’": "'", "‘": "'", "“": '"', "”": '"'})
"""Signs that the font may lack, and what is written instead."""


def draw_placeholder(prompt: str, *, width: int, height: int) -> bytes:
    """Return a PNG of this size, in pixels, with the first words of the prompt and the label "placeholder".

    With the size instead of a prompt that the font cannot write.
    """
    image = Image.new("RGB", (width, height), _PANEL)
    pen = ImageDraw.Draw(image)
    band = max(min(height // 6, width // 8, 96), min(height // 3, 16))
    pen.rectangle((0, height - band, width, height), fill=_BAND)
    room = width - 2 * (width // 16)
    label_font = _font(max(band // 2, min(_SMALLEST, height // 6), 1))
    if label_font.getlength(_LABEL) <= width:
        pen.text((width / 2, height - band / 2), _LABEL, fill=_INK, font=label_font, anchor="mm")
    text = _writable(prompt) or _writable(f"{width} × {height}")
    lines, size = _fitted(text, room, height - band)
    pen.multiline_text(
        (width / 2, (height - band) / 2),
        "\n".join(lines),
        fill=_INK,
        font=_font(size),
        anchor="mm",
        align="center",
        spacing=size / 4,
    )
    target = io.BytesIO()
    image.save(target, format="PNG", compress_level=1)
    return target.getvalue()


def _fitted(text: str, room: int, height: int) -> tuple[list[str], int]:
    """Return the text in lines, and the size of the font in which it fits, in pixels; cut if it fits in none."""
    size = max(min(_LARGEST, height // 5, room // 10), _SMALLEST)
    smallest = max(_SMALLEST, min(height, room) // 20)
    while True:
        font, most = _font(size), min(_MOST_LINES, int(height / (size * 1.4)))
        lines = _wrapped(text, font, room)
        if len(lines) <= most:
            return lines, size
        if size <= smallest:
            return [*lines[: most - 1], _cut(lines[most - 1], font, room)] if most else [], size
        size = max(size * 4 // 5, smallest)


def _wrapped(text: str, font: ImageFont.FreeTypeFont, room: int) -> list[str]:
    lines = [""]
    for word in text.split():
        longer = f"{lines[-1]} {word}".strip()
        if not lines[-1] or font.getlength(longer) <= room:
            lines[-1] = longer
        else:
            lines.append(word)
    return [line if font.getlength(line) <= room else _cut(line, font, room) for line in lines]


def _cut(line: str, font: ImageFont.FreeTypeFont, room: int) -> str:
    """Return as much of a line as there is room for, with dots at its end."""
    line = line.rstrip(" .,;:")
    while line and font.getlength(f"{line}...") > room:
        line = line[:-1].rstrip(" .,;:")
    return f"{line}..." if line else ""


@functools.lru_cache(maxsize=32)
def _font(size: int) -> ImageFont.FreeTypeFont:
    """Return the font that comes with Pillow: machines agree, and no font file is needed."""
    font = ImageFont.load_default(size)
    if not isinstance(font, ImageFont.FreeTypeFont):
        raise TypeError("Pillow was built without FreeType. Install it from its wheels: pip install Pillow")
    return font


def _writable(text: str) -> str:
    """Return the first words of a text as the font can write them; empty if it lacks one of their letters.

    Accents are dropped (é as e) and so are symbols: a text can be read without.
    """
    text = " ".join(text.split())
    if len(text) > _MOST_CHARACTERS:
        text = text[:_MOST_CHARACTERS]
        text = (text.rpartition(" ")[0] or text) + "..."
    written = []
    for character in text:
        plain = unicodedata.normalize("NFKD", character.translate(_PLAIN))
        for part in character if _has_glyph(character) else plain:
            if _has_glyph(part):
                written.append(part)
            elif part.isalnum():
                return ""
    return " ".join("".join(written).split())


@functools.lru_cache(maxsize=1024)
def _has_glyph(character: str) -> bool:
    """Whether the font has a glyph for a character, and not just the box that stands for all it lacks."""
    font = _font(24)
    mask, missing = font.getmask(character), font.getmask("\uffff")
    return character == " " or (mask.size, bytes(mask)) != (missing.size, bytes(missing))
