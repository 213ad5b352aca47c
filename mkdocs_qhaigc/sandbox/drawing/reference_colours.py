"""The colours of reference images, in which a drawing is painted again, so that one sees what it was drawn after."""

from __future__ import annotations

import io
from collections.abc import Sequence

from PIL import Image, ImageOps

from mkdocs_qhaigc.sandbox.drawing.colours import Colour, luminance, mix

_COLOURS = 8
"""Taken of each image."""
_SIDE = 96
"""Pixels: images are looked at in this size."""
_SHARE = 0.82
"""Of the reference's colours in the drawing; the rest stays as it was."""


def in_colours_of(image: Image.Image, references: Sequence[bytes]) -> Image.Image:
    """Return a drawing in the colours of other images: dark parts in their dark colours, light ones in their light."""
    colours = sorted(dict.fromkeys(colour for data in references for colour in palette(data)), key=luminance)
    ramp = [_at(colours, level / 255) for level in range(256)]
    grey = ImageOps.autocontrast(image.convert("L"), cutoff=1)
    channels = [grey.point([colour[channel] for colour in ramp]) for channel in range(3)]
    return Image.blend(image, Image.merge("RGB", channels), _SHARE)


def palette(data: bytes) -> list[Colour]:
    """Return the colours that an image has most of, transparent parts left out."""
    with Image.open(io.BytesIO(data), formats=("PNG", "JPEG", "WEBP")) as opened:
        small = opened.convert("RGBA")
    small.thumbnail((_SIDE, _SIDE), Image.Resampling.BOX)
    ground = Image.new("RGBA", small.size, "white")
    ground.alpha_composite(small)
    reduced = ground.convert("RGB").quantize(_COLOURS, method=Image.Quantize.MAXCOVERAGE)
    flat = reduced.getpalette() or []
    counts = reduced.getcolors() or []
    used = [index for _, index in sorted(counts, reverse=True) if isinstance(index, int)]
    return [Colour(*flat[3 * index : 3 * index + 3]) for index in used]


def _at(colours: Sequence[Colour], level: float) -> Colour:
    """Return the colour at a lightness from 0 to 1 of a row from dark to light."""
    place = level * (len(colours) - 1)
    below = min(int(place), len(colours) - 1)
    return mix(colours[below], colours[min(below + 1, len(colours) - 1)], place - below)
