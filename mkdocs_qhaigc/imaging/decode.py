"""Decoding of images from outside: four formats, whole, and within bounds."""

from __future__ import annotations

import contextlib
import io
import threading
from collections.abc import Iterator

from PIL import (
    AvifImagePlugin,
    Image,
    ImageChops,
    ImageOps,
    JpegImagePlugin,
    PngImagePlugin,
    UnidentifiedImageError,
    WebPImagePlugin,
)

from mkdocs_qhaigc.directives.sizes import MOST_PIXELS
from mkdocs_qhaigc.errors import ImageError
from mkdocs_qhaigc.imaging.non_image_content import name_of

SEVERAL_JPEGS = "MPO"
"""Pillow's name for a JPEG behind which others stand: a gain map for bright screens, say, or the other eye's view."""
_LARGEST_TEXT = 16 << 20
"""Bytes of a text or a colour profile that a PNG holds compressed: generators may write a long log there."""
_PNG_DEPTH = 24
"""Offset of the byte that gives the bits of a sample in a PNG."""
_ORIENTATION, _UPRIGHT, _TURNED = 0x0112, 1, range(2, 9)
"""EXIF's field, and its values."""
_one_with_large_texts = threading.Lock()
_FORMATS = tuple(
    plugin.format
    for plugin in (
        PngImagePlugin.PngImageFile,
        JpegImagePlugin.JpegImageFile,
        WebPImagePlugin.WebPImageFile,
        AvifImagePlugin.AvifImageFile,
    )
)
"""Their modules are imported here: Pillow would import those of forty other formats to find them."""


def decoded(data: bytes) -> Image.Image:
    """Return an image, decoded whole and turned upright.

    Raises:
        ImageError: it is no PNG, JPEG, WebP or AVIF image, is cut short, too large, or moves.
    """
    data = data.lstrip(b"\r\n")  # some servers send them first
    if data.startswith(b"RIFF") and len(data) % 2:
        data += b"\0"  # the last byte of a WebP of odd length, which some encoders omit
    try:
        try:
            image = _loaded(data)
        except ValueError as error:
            if "MAX_TEXT_CHUNK" not in str(error):
                raise
            with _large_texts():
                image = _loaded(data)
    except ImageError:
        raise
    except UnidentifiedImageError as error:
        name = name_of(data)
        but = f", but {name}" if name else ""
        raise ImageError(f"the bytes are no PNG, JPEG, WebP or AVIF image{but}") from error
    except Exception as error:
        raise ImageError(f"the bytes are no image that can be read ({type(error).__name__}: {error!s:.120})") from error
    with contextlib.suppress(Exception):  # damaged metadata; the pixels are whole, and were paid for
        ImageOps.exif_transpose(image, in_place=True)
    return image


def is_turned(data: bytes) -> bool:
    """Return whether the pixels in an image's bytes lie otherwise than it is shown, by its metadata."""
    try:
        with Image.open(io.BytesIO(data), formats=_FORMATS) as image:
            return image.getexif().get(_ORIENTATION, _UPRIGHT) in _TURNED
    except Exception:  # noqa: BLE001 - damaged metadata, of many kinds: then nothing turns it
        return False


def _loaded(data: bytes) -> Image.Image:
    image = Image.open(io.BytesIO(data), formats=_FORMATS)
    if image.width * image.height > MOST_PIXELS:
        raise ImageError(f"the image has {image.width}x{image.height} pixels: more than is read")
    if image.format != SEVERAL_JPEGS and getattr(image, "n_frames", 1) > 1:
        raise ImageError("the image moves: only still images are used")
    image.load()
    if image.format == "PNG" and "transparency" in image.info:
        _correct_transparency(image, data, depth=data[_PNG_DEPTH])
    return image


def _correct_transparency(image: Image.Image, data: bytes, depth: int) -> None:
    """Make the transparent colour of a PNG fit its pixels.

    A file gives the colour in as many bits as its samples have (PNG, 11.3.2.1). Pillow widens grey samples of 2 and 4
    bits to 8 and cuts 16 bits of red, green and blue down to 8, but leaves the colour as it was.
    """
    colour = image.info["transparency"]
    if image.mode in ("1", "L"):
        most = (1 << depth) - 1
        image.info["transparency"] = min(colour, most) * 255 // most
    elif image.mode == "RGB" and depth == 16:
        del image.info["transparency"]
        with Image.open(io.BytesIO(data), formats=_FORMATS) as low:
            low.tile = [tile._replace(args="RGB;16L") for tile in low.tile]  # the other byte of each sample
            image.putalpha(ImageChops.lighter(_difference(image, colour, 8), _difference(low, colour, 0)))


def _difference(image: Image.Image, colour: tuple[int, ...], shift: int) -> Image.Image:
    """Return 0 for the pixels that have a byte of a colour in each channel, 255 for the others."""
    masks = [
        channel.point([0 if value == (sample >> shift) & 255 else 255 for value in range(256)])
        for channel, sample in zip(image.split(), colour, strict=True)
    ]
    return ImageChops.lighter(ImageChops.lighter(masks[0], masks[1]), masks[2])


@contextlib.contextmanager
def _large_texts() -> Iterator[None]:
    """Raise Pillow's bound on texts in a PNG, which is one for all threads."""
    with _one_with_large_texts:
        usual = PngImagePlugin.MAX_TEXT_CHUNK
        PngImagePlugin.MAX_TEXT_CHUNK = max(usual, _LARGEST_TEXT)
        try:
            yield
        finally:
            PngImagePlugin.MAX_TEXT_CHUNK = usual
