"""Pixels in sRGB, the colours that a browser assumes for a file without a profile; transparency is kept."""

from __future__ import annotations

import io

from PIL import Image, ImageCms


def in_srgb(image: Image.Image) -> Image.Image:
    """Return the pixels alone, in the colours that a browser assumes for a file without a profile."""
    profile = image.info.get("icc_profile")
    alpha = _alpha(image)
    image.info.pop("transparency", None)
    if image.mode.startswith("I"):  # 16 bits of grey, which Pillow would cut off instead of scaling down
        image = image.convert("I").point([(value + 128) // 257 for value in range(1 << 16)], "L")
    elif alpha:  # apart, for a profile changes the colours, and the transparent one among them
        image = image.convert("L" if image.mode in ("1", "L", "LA") else "RGB")
    if profile and image.mode in ("RGB", "CMYK", "L"):
        try:
            source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
            converted = ImageCms.profileToProfile(image, source, ImageCms.createProfile("sRGB"), outputMode="RGB")
            image = converted or image
        except (ImageCms.PyCMSError, OSError, ValueError):
            pass  # an invalid profile is ignored: the numbers are taken as sRGB
    image = image.convert("RGB")
    if alpha:
        image.putalpha(alpha)
    image.info.clear()
    return image


def _alpha(image: Image.Image) -> Image.Image | None:
    """Return how opaque each pixel is; `None` if the image has no transparency."""
    colour = image.info.get("transparency")
    if image.mode.startswith("I") and colour is not None:
        return image.convert("I").point([0 if value == colour else 255 for value in range(1 << 16)], "L")
    if colour is not None or image.mode in ("RGBA", "LA", "PA"):
        return image.convert("RGBA").getchannel("A")
    return None
