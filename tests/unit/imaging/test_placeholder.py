"""Placeholders: the same again, of the exact size, with words where there is room for them."""

from __future__ import annotations

import io

import pytest
from PIL import Image, ImageChops

from mkdocs_qhaigc.imaging.placeholder import draw_placeholder


def drawn(width: int, height: int) -> Image.Image:
    data = draw_placeholder(width=width, height=height)
    assert data == draw_placeholder(width=width, height=height)
    image = Image.open(io.BytesIO(data)).convert("RGB")
    assert image.size == (width, height)
    return image


def text_box(image: Image.Image) -> tuple[int, int, int, int] | None:
    """Return where something is written into an image of one colour."""
    return ImageChops.difference(image, Image.new("RGB", image.size, image.getpixel((0, 0)))).getbbox()


@pytest.mark.parametrize("size", [(96, 54), (480, 270), (720, 1280), (200, 60), (1024, 64), (64, 1024), (2560, 1440)])
def test_size_and_label_are_within_the_image(size: tuple[int, int]) -> None:
    image = drawn(*size)
    band = next(y for y in range(image.height) if image.getpixel((0, y)) != image.getpixel((0, 0)))
    for part in (image.crop((0, 0, image.width, band)), image.crop((0, band, *size))):
        box = text_box(part)
        assert box
        assert box[0] > 0
        assert box[1] > 0
        assert box[2] < part.width
        assert box[3] < part.height


@pytest.mark.parametrize("size", [(16, 16), (1, 1), (1, 300), (16, 1024), (1024, 16), (390, 844)])
def test_any_size_is_drawn(size: tuple[int, int]) -> None:
    assert drawn(*size).size == size
