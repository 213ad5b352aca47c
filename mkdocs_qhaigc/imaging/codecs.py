"""Reading pictures that came from outside, and encoding those that are published."""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from PIL import Image

from mkdocs_qhaigc.errors import PictureError

MOST_PIXELS = 50_000_000
"""Width times height of the largest picture that is read."""
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


def encode_all(data: bytes, wanted: Sequence[tuple[str, int, int]]) -> Iterator[bytes]:
    """Yield the picture re-encoded for each (format, width in pixels, quality), decoded once.

    Nothing else that was in the file is carried over.

    Raises:
        PictureError: the bytes cannot be read.
    """
    with _decoded(data) as image:
        transparent = image.mode in ("RGBA", "LA", "PA") or "transparency" in image.info
        picture = image.convert("RGBA" if transparent else "RGB")
    for format_, width, quality in wanted:
        yield _encode(picture, format_, width, quality)


def _encode(picture: Image.Image, format_: str, width: int, quality: int) -> bytes:
    if width < picture.width:
        height = max(1, round(picture.height * width / picture.width))
        picture = picture.resize((width, height), Image.Resampling.LANCZOS, reducing_gap=3.0)
    if format_ == "jpeg" and picture.mode != "RGB":
        ground = Image.new("RGB", picture.size, "white")
        ground.paste(picture, mask=picture.getchannel("A"))
        picture = ground
    options: dict[str, int] = {} if format_ == "png" else {"quality": quality}
    if format_ == "webp":
        options["method"] = 4
    target = io.BytesIO()
    picture.save(target, format=format_.upper(), **options)
    return target.getvalue()


def _decoded(data: bytes) -> Image.Image:
    try:
        image = Image.open(io.BytesIO(data), formats=_FORMATS)
        if image.width * image.height > MOST_PIXELS:
            raise PictureError(f"the picture has {image.width}x{image.height} pixels: more than is read")
        if getattr(image, "n_frames", 1) > 1:
            raise PictureError("the picture moves: only still pictures are used")
        image.load()
    except PictureError:
        raise
    except Exception as error:
        raise PictureError(
            f"the bytes are no picture that can be read ({type(error).__name__}: {error:.120})"
        ) from error
    return image
