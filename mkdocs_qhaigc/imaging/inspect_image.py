"""Inspection of images from outside, by decoding them whole: format, size and mean colour."""

from __future__ import annotations

from dataclasses import dataclass

from PIL import Image, ImageStat

from mkdocs_qhaigc.imaging.colour_space import in_srgb
from mkdocs_qhaigc.imaging.decode import SEVERAL_JPEGS, decoded


@dataclass(frozen=True, slots=True)
class ImageInfo:
    """Facts about an image, found by decoding all of it."""

    format: str
    """png, jpeg, webp or avif."""
    width: int
    """Pixels."""
    height: int
    """Pixels."""
    colour: str | None
    """Its mean, `#rrggbb`, shown in its place while it loads; `None` if it is transparent anywhere."""


def inspect(data: bytes) -> ImageInfo:
    """Return the facts about an image, after decoding it whole.

    Raises:
        ImageError: it is no PNG, JPEG, WebP or AVIF image, is cut short, too large, or moves.
    """
    with decoded(data) as image:
        format_ = "jpeg" if image.format == SEVERAL_JPEGS else str(image.format).lower()
        return ImageInfo(format_, image.width, image.height, _mean_colour(image))


def _mean_colour(image: Image.Image) -> str | None:
    """Return the image's mean, near enough for a moment's view; `None` if it is transparent anywhere."""
    if "transparency" in image.info or image.mode == "PA":
        return None
    if "A" in image.getbands() and image.getchannel("A").getextrema() != (255, 255):
        return None
    small = in_srgb(image.resize((64, 64), Image.Resampling.BOX))  # the whole would be in memory twice
    red, green, blue = (round(mean) for mean in ImageStat.Stat(small).mean[:3])
    return f"#{red:02x}{green:02x}{blue:02x}"
