"""Reading pictures that came from outside, and encoding those that are published."""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from PIL import Image, ImageCms, ImageOps, UnidentifiedImageError
from PIL.PngImagePlugin import PngInfo

from mkdocs_qhaigc.errors import PictureError
from mkdocs_qhaigc.provenance import Provenance, label_in_xmp, usable_label
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


def inspect(data: bytes) -> PictureInfo:
    """Return what a picture is, after decoding it whole.

    Raises:
        PictureError: it is no PNG, JPEG, WebP or AVIF picture, is cut short, too large, or moves.
    """
    with _decoded(data) as image:
        return PictureInfo(str(image.format).lower(), image.width, image.height)


def encode_all(
    data: bytes, wanted: Sequence[tuple[str, int, int]], provenance: Provenance | None = None
) -> Iterator[bytes]:
    """Yield the picture re-encoded for each (format, width in pixels, quality), decoded once.

    Nothing that was in the file but the picture is carried over, with one exception: with a `provenance`, which is
    written into every file, an AIGC label that the generating service put there stays beside it.

    Raises:
        PictureError: the bytes cannot be read.
    """
    with _decoded(data) as image:
        packet = provenance.as_xmp(_label(image)) if provenance else None
        picture = _in_srgb(image)
    for format_, width, quality in wanted:
        yield _encode(picture, format_, width, quality, packet)


def _encode(picture: Image.Image, format_: str, width: int, quality: int, packet: bytes | None) -> bytes:
    if width < picture.width:
        height = max(1, round(picture.height * width / picture.width))
        picture = picture.resize((width, height), Image.Resampling.LANCZOS, reducing_gap=3.0)
    if format_ == "jpeg" and picture.mode != "RGB":
        ground = Image.new("RGB", picture.size, "white")
        ground.paste(picture, mask=picture.getchannel("A"))
        picture = ground
    options: dict[str, Any] = {} if format_ == "png" else {"quality": quality}
    if format_ == "webp":
        options["method"] = 4
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


def _label(image: Image.Image) -> str | None:
    """Return the AIGC label of an original, from any of the places where GB 45438-2025 lets it stand."""
    packet = image.info.get("xmp") or image.info.get(_XMP_KEYWORD)
    if isinstance(packet, str):
        packet = packet.encode(errors="replace")
    label = label_in_xmp(packet) if isinstance(packet, bytes) else None
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
