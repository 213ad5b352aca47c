"""The visible label in the corner of a card for link previews."""

from __future__ import annotations

import functools
import logging

from PIL import Image, ImageDraw, ImageFont

log = logging.getLogger(__name__)

_INSTEAD = "AI"
"""Drawn where no font of this machine has the label's letters."""
_INK, _PANEL = (255, 255, 255, 255), (0, 0, 0, 176)
_SMALLEST = 8
"""Pixels."""
_FILES = (
    ("DejaVuSans.ttf", 0),
    ("Arial.ttf", 0),  # macOS
    ("arial.ttf", 0),  # Windows
    ("NotoSansCJK-Regular.ttc", 2),  # 2 is Simplified Chinese, 0 Japanese
    ("NotoSansCJKsc-Regular.otf", 0),
    ("NotoSansSC-Regular.otf", 0),
    ("SourceHanSansSC-Regular.otf", 0),
    ("wqy-microhei.ttc", 0),
    ("wqy-zenhei.ttc", 0),
    ("DroidSansFallbackFull.ttf", 0),
    ("DroidSansFallback.ttf", 0),
    ("PingFang.ttc", 0),  # macOS
    ("AppleSDGothicNeo.ttc", 0),
    ("msyh.ttc", 0),  # Windows
    ("simsun.ttc", 0),
    ("malgun.ttf", 0),
    ("Nirmala.ttf", 0),
)
"""(File, number of its face) of fonts that machines usually have. Pillow finds them where the system keeps them."""


def draw_label(image: Image.Image, text: str) -> Image.Image:
    """Return the image with a label in its lower right corner."""
    face = _face_for(text)
    if face is None:
        log.info(  # no warning: a card is drawn once, so a later build would not say it
            "no font of this machine has the letters of the label '%s': cards say '%s' instead. Install one, for "
            "example Noto Sans CJK, and remove the folder `variants` in `cache_dir`, for cards are drawn once",
            *(text, _INSTEAD),
        )
        text, face = _INSTEAD, ("", 0)
    size = max(round(min(image.height * 0.045, image.width * 0.04)), _SMALLEST)
    room = image.width * 0.9
    size = max(min(size, int(size * room / max(_font(*face, size).getlength(text), 1))), _SMALLEST)
    font = _font(*face, size)
    margin, padding = round(size * 0.6), round(size * 0.4)
    width, height = round(font.getlength(text)) + 2 * padding, round(size * 1.7)
    left, top = image.width - width - margin, image.height - height - margin
    panel = Image.new("RGBA", image.size, (0, 0, 0, 0))
    pen = ImageDraw.Draw(panel)
    pen.rounded_rectangle((left, top, left + width, top + height), radius=size * 0.4, fill=_PANEL)
    pen.text((left + width / 2, top + height / 2), text, fill=_INK, font=font, anchor="mm")
    return Image.alpha_composite(image.convert("RGBA"), panel).convert("RGB")


@functools.lru_cache(maxsize=16)
def _face_for(text: str) -> tuple[str, int] | None:
    """Return the font that has every letter of a text: Pillow's own, with which machines agree, else a file's."""
    for file, number in (("", 0), *_FILES):
        try:
            font = _font(file, number, 24)
        except OSError:
            continue
        missing = font.getmask("\uffff")
        box = missing.size, bytes(missing)
        masks = (font.getmask(character) for character in set(text) if not character.isspace())
        if all((mask.size, bytes(mask)) != box for mask in masks):
            return file, number
    return None


@functools.lru_cache(maxsize=64)
def _font(file: str, number: int, size: int) -> ImageFont.FreeTypeFont:
    """Return a font at a size in pixels.

    Raises:
        OSError: this machine has no such file.
    """
    if file:
        return ImageFont.truetype(file, size, number)
    font = ImageFont.load_default(size)
    if not isinstance(font, ImageFont.FreeTypeFont):
        raise TypeError("Pillow was built without FreeType. Install it from its wheels: pip install Pillow")
    return font
