"""The image that is shown in place of one that is not there: a plain panel that says so. Deterministic.

All images of one size have the same placeholder, which is drawn and encoded once: a preview without an API key may show
hundreds.
"""

from __future__ import annotations

import io

from PIL import Image, ImageDraw, ImageFont

_LABEL = "placeholder"
_PANEL, _BAND, _INK = (229, 233, 239), (198, 206, 217), (52, 62, 77)
_SMALLEST = 6
"""Pixels: smaller letters cannot be read, and are left out."""


def draw_placeholder(*, width: int, height: int) -> bytes:
    """Return a PNG of this size, in pixels, with the size and the label "placeholder"."""
    image = Image.new("RGB", (width, height), _PANEL)
    pen = ImageDraw.Draw(image)
    band = max(min(height // 6, width // 8, 96), min(height // 3, 16))
    pen.rectangle((0, height - band, width, height), fill=_BAND)
    _write(pen, _LABEL, centre=(width / 2, height - band / 2), room=width, size=band // 2)
    above = height - band
    _write(pen, f"{width} x {height}", centre=(width / 2, above / 2), room=width, size=min(above // 4, 96))
    target = io.BytesIO()
    image.save(target, format="PNG", compress_level=1)
    return target.getvalue()


def _write(pen: ImageDraw.ImageDraw, text: str, *, centre: tuple[float, float], room: int, size: int) -> None:
    """Write a line at most `size` pixels high and seven eighths of the `room` wide; nothing if it were unreadable."""
    if size < _SMALLEST:
        return
    size = min(size, int(size * room * 7 / 8 / _font(size).getlength(text)))
    if size >= _SMALLEST:
        pen.text(centre, text, fill=_INK, font=_font(size), anchor="mm")


def _font(size: int) -> ImageFont.FreeTypeFont:
    """Return the font that comes with Pillow: machines agree, and no font file is needed."""
    font = ImageFont.load_default(size)
    if not isinstance(font, ImageFont.FreeTypeFont):
        raise TypeError("Pillow was built without FreeType. Install it from its wheels: pip install Pillow")
    return font
