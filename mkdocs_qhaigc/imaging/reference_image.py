"""A reference image as it is sent: upright, no larger than services take, in a format that they read."""

from __future__ import annotations

import io

from PIL import Image

from mkdocs_qhaigc.imaging.colour_space import in_srgb
from mkdocs_qhaigc.imaging.decode import decoded, is_turned

LONGEST_SIDE = 2048
"""Pixels. Larger images are scaled down to it: services do so themselves, and take no more than some MiB."""
_AS_THEY_ARE = ("PNG", "JPEG", "WEBP")
"""Formats that services read, by Pillow's names."""
_QUALITY = 92


def prepare(data: bytes) -> tuple[bytes, str]:
    """Return the bytes that are sent for an image, and their format: png, jpeg or webp.

    They are the same bytes where nothing has to change; else a PNG if the image is transparent, or a JPEG.

    Raises:
        ImageError: it is no PNG, JPEG, WebP or AVIF image, is cut short, too large, or moves.
    """
    with decoded(data) as image:
        if image.format in _AS_THEY_ARE and max(image.size) <= LONGEST_SIDE and not is_turned(data):
            return data, str(image.format).lower()
        pixels = in_srgb(image)
    if max(pixels.size) > LONGEST_SIDE:
        pixels.thumbnail((LONGEST_SIDE, LONGEST_SIDE), Image.Resampling.LANCZOS)
    target = io.BytesIO()
    if pixels.mode == "RGBA":
        pixels.save(target, "PNG")
        return target.getvalue(), "png"
    pixels.save(target, "JPEG", quality=_QUALITY, subsampling=0)
    return target.getvalue(), "jpeg"
