"""Encoding of published files, and inspection of images from outside."""

from __future__ import annotations

import io
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from PIL import Image, ImageCms, ImageOps, ImageStat, PngImagePlugin

from mkdocs_qhaigc.errors import ImageError
from mkdocs_qhaigc.imaging.decode import SEVERAL_JPEGS, decoded
from mkdocs_qhaigc.imaging.metadata import Provenance, label_in_xmp, origin_in_xmp, usable_label
from mkdocs_qhaigc.imaging.rendition_names import RenditionSpec

_XMP_KEYWORD = "XML:com.adobe.xmp"
_EXIF, _USER_COMMENT = 0x8769, 0x9286


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


def encode_all(
    data: bytes, wanted: Iterable[RenditionSpec], provenance: Provenance | None = None
) -> Iterator[tuple[RenditionSpec, bytes]]:
    """Yield each wanted encoding with its bytes; the image is decoded once.

    Of the copies of one format, none is larger in bytes than a wider one: readers with small screens never pay more.
    Where that would cost a copy too much of its quality (drawings of flat squares, whose narrower copies are the
    harder ones), it is the wider one under its own name: browsers draw what they get at the size they know.
    Nothing that was in the file but the image is carried over, with one exception: with a `provenance`, which is
    written into every file, an AIGC label that the generating service put there stays beside it.

    Raises:
        ImageError: the bytes cannot be read.
    """
    with decoded(data) as image:
        packet = _about(image, provenance) if provenance else None
        pixels = _in_srgb(image)
    wider: dict[tuple[str, bool], bytes] = {}
    for spec in sorted(wanted, key=lambda spec: -spec.width):
        copies = spec.format, spec.cropped
        wider[copies] = _encode(_scaled(pixels, spec), spec, packet, wider.get(copies))
        yield spec, wider[copies]


def _scaled(image: Image.Image, spec: RenditionSpec) -> Image.Image:
    size = (spec.width, spec.height)
    if spec.cropped:
        image = ImageOps.fit(image, size, Image.Resampling.LANCZOS)
    elif size != image.size:
        image = image.resize(size, Image.Resampling.LANCZOS, reducing_gap=3.0)
    if spec.format == "jpeg" and image.mode != "RGB":
        ground = Image.new("RGB", image.size, "white")
        ground.paste(image, mask=image.getchannel("A"))
        image = ground
    return image


def _encode(image: Image.Image, spec: RenditionSpec, packet: bytes | None, wider: bytes | None) -> bytes:
    """Return an image's bytes, or those of the `wider` copy, if only a great loss would make it smaller than that."""
    encoded = _written(image, spec.format, spec.quality, packet)
    if wider is None or len(encoded) <= len(wider):
        return encoded
    for coarser, quality in _coarser(image, spec):
        encoded = _written(coarser, spec.format, quality, packet)
        if len(encoded) <= len(wider):
            return encoded
    return wider


def _coarser(image: Image.Image, spec: RenditionSpec) -> Iterator[tuple[Image.Image, int]]:
    """Yield (image, quality) with a little less each time: PNG in fewer colours, the others in lower quality."""
    if spec.format == "png":
        for colours in (256, 128, 64):
            yield image.quantize(colours, method=Image.Quantize.FASTOCTREE), spec.quality
        return
    for eighths in (7, 6, 5):
        yield image, max(1, spec.quality * eighths // 8)


def _written(image: Image.Image, format_: str, quality: int, packet: bytes | None) -> bytes:
    options: dict[str, Any] = {} if format_ == "png" else {"quality": quality}
    if format_ == "webp":
        options["method"] = 4
    if format_ == "avif":
        options["max_threads"] = 1  # the bytes depend on it; the images share the processors instead
    if packet and format_ == "png":
        options["pnginfo"] = PngImagePlugin.PngInfo()
        options["pnginfo"].add_itxt(_XMP_KEYWORD, packet.decode())
    elif packet:
        options["xmp"] = packet
    target = io.BytesIO()
    try:
        image.save(target, format=format_.upper(), **options)
    except (OSError, ValueError) as error:
        raise ImageError(f"the image cannot be written as {format_} ({error})") from error
    return target.getvalue()


def _in_srgb(image: Image.Image) -> Image.Image:
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


def _mean_colour(image: Image.Image) -> str | None:
    """Return the image's mean, near enough for a moment's view; `None` if it is transparent anywhere."""
    if "transparency" in image.info or image.mode == "PA":
        return None
    if "A" in image.getbands() and image.getchannel("A").getextrema() != (255, 255):
        return None
    small = _in_srgb(image.resize((64, 64), Image.Resampling.BOX))  # the whole would be in memory twice
    red, green, blue = (round(mean) for mean in ImageStat.Stat(small).mean[:3])
    return f"#{red:02x}{green:02x}{blue:02x}"


def origin(data: bytes) -> Provenance:
    """Return how an image came to be, from the metadata in its bytes.

    Raises:
        ImageError: see `inspect`.
    """
    with decoded(data) as image:
        return origin_in_xmp(_xmp(image))


def _about(image: Image.Image, provenance: Provenance) -> bytes:
    """Return the XMP packet of an image; with empty provenance, that in the metadata of its original."""
    if provenance == Provenance():
        provenance = origin_in_xmp(_xmp(image))
    return provenance.as_xmp(_label(image))


def _xmp(image: Image.Image) -> bytes:
    packet = image.info.get("xmp") or image.info.get(_XMP_KEYWORD)
    if isinstance(packet, str):
        packet = packet.encode(errors="replace")
    return packet if isinstance(packet, bytes) else b""


def _label(image: Image.Image) -> str | None:
    """Return the AIGC label of an original, from any of the places that GB 45438-2025 allows."""
    label = label_in_xmp(_xmp(image))
    text = image.info.get("AIGC")
    if label is None and isinstance(text, str):
        label = usable_label(text)
    if label is None:
        try:
            comment = image.getexif().get_ifd(_EXIF).get(_USER_COMMENT)
        except Exception:  # noqa: BLE001 - Pillow raises many kinds on damaged metadata, which has no label
            return None
        if isinstance(comment, bytes):
            comment = comment.removeprefix(b"ASCII\0\0\0").removeprefix(b"UNICODE\0").decode(errors="replace")
        if isinstance(comment, str) and "AIGC" in comment:
            label = usable_label(comment)
    return label
