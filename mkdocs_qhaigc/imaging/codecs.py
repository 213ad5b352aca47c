"""Reading pictures that came from outside, and encoding those that are published."""

from __future__ import annotations

import io
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Literal

from PIL import Image, ImageCms, ImageOps, ImageStat, UnidentifiedImageError
from PIL.PngImagePlugin import PngInfo

from mkdocs_qhaigc.errors import PictureError
from mkdocs_qhaigc.provenance import Provenance, label_in_xmp, origin_in_xmp, usable_label
from mkdocs_qhaigc.publication import VariantSpec
from mkdocs_qhaigc.request import MOST_PIXELS

_XMP_KEYWORD = "XML:com.adobe.xmp"
_EXIF, _USER_COMMENT = 0x8769, 0x9286
_FORMATS = ("PNG", "JPEG", "WEBP", "AVIF")


@dataclass(frozen=True, slots=True)
class PictureInfo:
    """What a picture is, found by decoding all of it."""

    format: str
    """png, jpeg, webp or avif."""
    width: int
    """Pixels."""
    height: int
    """Pixels."""
    colour: str | None
    """Its mean, `#rrggbb`: what stands in its place while it loads. None where it is transparent anywhere."""


def inspect(data: bytes) -> PictureInfo:
    """Return what a picture is, after decoding it whole.

    Raises:
        PictureError: it is no PNG, JPEG, WebP or AVIF picture, is cut short, too large, or moves.
    """
    with _decoded(data) as image:
        picture = _in_srgb(image)
        return PictureInfo(str(image.format).lower(), image.width, image.height, _mean_colour(picture))


def encode_all(
    data: bytes, wanted: Iterable[VariantSpec], provenance: Provenance | None = None
) -> Iterator[tuple[VariantSpec, bytes]]:
    """Yield each wanted encoding with its bytes; the picture is decoded once.

    Of the copies of one format, none is larger in bytes than a wider one: readers with small screens never pay more.
    Nothing that was in the file but the picture is carried over, with one exception: with a `provenance`, which is
    written into every file, an AIGC label that the generating service put there stays beside it.

    Raises:
        PictureError: the bytes cannot be read.
    """
    with _decoded(data) as image:
        packet = _about(image, provenance) if provenance else None
        picture = _in_srgb(image)
    limits: dict[tuple[str, bool], int] = {}
    for spec in sorted(wanted, key=lambda spec: -spec.width):
        copies = spec.format, spec.cropped
        encoded = _encode(_scaled(picture, spec), spec, packet, limits.get(copies))
        limits[copies] = len(encoded)
        yield spec, encoded


def _scaled(picture: Image.Image, spec: VariantSpec) -> Image.Image:
    size = (spec.width, spec.height)
    if spec.cropped:
        picture = ImageOps.fit(picture, size, Image.Resampling.LANCZOS)
    elif size != picture.size:
        picture = picture.resize(size, Image.Resampling.LANCZOS, reducing_gap=3.0)
    if spec.format == "jpeg" and picture.mode != "RGB":
        ground = Image.new("RGB", picture.size, "white")
        ground.paste(picture, mask=picture.getchannel("A"))
        picture = ground
    return picture


def _encode(picture: Image.Image, spec: VariantSpec, packet: bytes | None, limit: int | None) -> bytes:
    """Return a picture's bytes: no more than `limit`, if any loss of quality brings them there, else the fewest."""
    fewest = _written(picture, spec.format, spec.quality, packet)
    for picture_, quality in _coarser(picture, spec) if limit is not None and len(fewest) > limit else ():
        fewest = min(fewest, _written(picture_, spec.format, quality, packet), key=len)
        if len(fewest) <= (limit or 0):
            break
    return fewest


def _coarser(picture: Image.Image, spec: VariantSpec) -> Iterator[tuple[Image.Image, int]]:
    """Yield (picture, quality) of fewer and fewer bytes: PNG in fewer colours, the others in lower quality."""
    if spec.format == "png":
        for bits in range(8, 0, -1):
            yield picture.quantize(2**bits, method=Image.Quantize.FASTOCTREE), spec.quality
        return
    quality = spec.quality
    while quality > 1:
        quality = quality * 7 // 8
        yield picture, quality


def _written(picture: Image.Image, format_: str, quality: int, packet: bytes | None) -> bytes:
    options: dict[str, Any] = {} if format_ == "png" else {"quality": quality}
    if format_ == "webp":
        options["method"] = 4
    if format_ == "avif":
        options["max_threads"] = 1  # the bytes depend on it; the pictures share the processors instead
    if packet and format_ == "png":
        options["pnginfo"] = PngInfo()
        options["pnginfo"].add_itxt(_XMP_KEYWORD, packet.decode())
    elif packet:
        options["xmp"] = packet
    target = io.BytesIO()
    try:
        picture.save(target, format=format_.upper(), **options)
    except (OSError, ValueError) as error:
        raise PictureError(f"the picture cannot be written as {format_} ({error})") from error
    return target.getvalue()


def _in_srgb(image: Image.Image) -> Image.Image:
    """Return the pixels alone, in the colours that a browser assumes where a file names no profile."""
    profile = image.info.get("icc_profile")
    transparent = image.mode in ("RGBA", "LA", "PA") or "transparency" in image.info
    if profile and image.mode in ("RGB", "RGBA", "CMYK", "L"):
        try:
            source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
            mode: Literal["RGBA", "RGB"] = "RGBA" if image.mode == "RGBA" else "RGB"
            converted = ImageCms.profileToProfile(image, source, ImageCms.createProfile("sRGB"), outputMode=mode)
            image = converted or image
        except (ImageCms.PyCMSError, OSError, ValueError):
            pass  # a profile that cannot be read says nothing: the numbers are taken as sRGB
    picture = image.convert("RGBA" if transparent else "RGB")
    picture.info.clear()
    return picture


def _mean_colour(picture: Image.Image) -> str | None:
    if picture.mode == "RGBA" and picture.getchannel("A").getextrema() != (255, 255):
        return None
    red, green, blue = (round(mean) for mean in ImageStat.Stat(picture).mean[:3])
    return f"#{red:02x}{green:02x}{blue:02x}"


def _about(image: Image.Image, provenance: Provenance) -> bytes:
    """Return the packet that says how a picture came to be; where nobody knows, what its original says of it."""
    if provenance == Provenance():
        provenance = origin_in_xmp(_xmp(image))
    return provenance.as_xmp(_label(image))


def _xmp(image: Image.Image) -> bytes:
    packet = image.info.get("xmp") or image.info.get(_XMP_KEYWORD)
    if isinstance(packet, str):
        packet = packet.encode(errors="replace")
    return packet if isinstance(packet, bytes) else b""


def _label(image: Image.Image) -> str | None:
    """Return the AIGC label of an original, from any of the places where GB 45438-2025 lets it stand."""
    label = label_in_xmp(_xmp(image))
    text = image.info.get("AIGC")
    if label is None and isinstance(text, str):
        label = usable_label(text)
    if label is None:
        comment = image.getexif().get_ifd(_EXIF).get(_USER_COMMENT)
        if isinstance(comment, bytes):
            comment = comment.removeprefix(b"ASCII\0\0\0").removeprefix(b"UNICODE\0").decode(errors="replace")
        if isinstance(comment, str) and "AIGC" in comment:
            label = usable_label(comment)
    return label


def _decoded(data: bytes) -> Image.Image:
    try:
        image = Image.open(io.BytesIO(data), formats=_FORMATS)
        if image.width * image.height > MOST_PIXELS:
            raise PictureError(f"the picture has {image.width}x{image.height} pixels: more than is read")
        if getattr(image, "n_frames", 1) > 1:
            raise PictureError("the picture moves: only still pictures are used")
        image.load()
        ImageOps.exif_transpose(image, in_place=True)
    except PictureError:
        raise
    except UnidentifiedImageError as error:
        raise PictureError("the bytes are no PNG, JPEG, WebP or AVIF picture") from error
    except Exception as error:
        raise PictureError(
            f"the bytes are no picture that can be read ({type(error).__name__}: {error!s:.120})"
        ) from error
    return image
