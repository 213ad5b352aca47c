"""A reference image as it is sent: the file itself, or upright, small enough and in a format that services read."""

from __future__ import annotations

import io
from typing import Any

import pytest
from PIL import Image

from mkdocs_qhaigc.errors import ImageError
from mkdocs_qhaigc.imaging.reference_image import LONGEST_SIDE, prepare


def encoded(width: int, height: int, format: str, mode: str = "RGB", **settings: Any) -> bytes:
    image = Image.linear_gradient("L").resize((width, height)).convert(mode)
    if mode == "RGBA":
        image.putalpha(Image.linear_gradient("L").resize((width, height)))
    target = io.BytesIO()
    image.save(target, format, **settings)
    return target.getvalue()


def opened(data: bytes) -> Image.Image:
    image: Image.Image = Image.open(io.BytesIO(data))
    image.load()
    return image


@pytest.mark.parametrize("format", ["PNG", "JPEG", "WEBP"])
def test_bytes_that_need_no_change_are_sent_as_they_are(format: str) -> None:
    data = encoded(LONGEST_SIDE, 64, format)

    assert prepare(data) == (data, format.lower())


@pytest.mark.parametrize("format", ["PNG", "JPEG", "WEBP", "AVIF"])
@pytest.mark.parametrize("orientation", [2, 3, 6, 8])
def test_an_image_is_turned_upright(format: str, orientation: int) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    sent, sent_format = prepare(encoded(60, 40, format, exif=exif))
    image = opened(sent)

    assert sent_format == "jpeg"
    assert image.size == ((60, 40) if orientation in (2, 3) else (40, 60))
    assert image.getexif().get(0x0112, 1) == 1


def test_a_large_image_is_scaled_down_to_the_limit() -> None:
    sent, _ = prepare(encoded(LONGEST_SIDE * 2, LONGEST_SIDE // 2, "JPEG"))

    assert opened(sent).size == (LONGEST_SIDE, LONGEST_SIDE // 4)


def test_transparency_is_kept() -> None:
    sent, format_ = prepare(encoded(LONGEST_SIDE + 2, 64, "WEBP", "RGBA", lossless=True))
    image = opened(sent)

    assert (format_, image.mode) == ("png", "RGBA")
    assert image.getchannel("A").getextrema() == (2, 253)  # scaled, at its ends


def test_avif_is_sent_in_a_format_that_services_read() -> None:
    assert prepare(encoded(64, 64, "AVIF"))[1] == "jpeg"


def test_the_same_image_gives_the_same_bytes() -> None:
    data = encoded(LONGEST_SIDE + 10, 100, "PNG")

    assert prepare(data) == prepare(data)


@pytest.mark.parametrize("data", [b"", b"GIF89a", encoded(64, 64, "JPEG")[:300], b"\x89PNG\r\n\x1a\n"])
def test_what_cannot_be_decoded_is_refused(data: bytes) -> None:
    with pytest.raises(ImageError):
        prepare(data)
