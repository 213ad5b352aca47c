"""Placeholders: the same again, at any size and for any text, and never with a box in place of a letter."""

from __future__ import annotations

import io

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageChops

from mkdocs_qhaigc.imaging.placeholder import draw_placeholder


def drawn(prompt: str, width: int = 480, height: int = 270) -> Image.Image:
    data = draw_placeholder(prompt, width=width, height=height)
    assert data == draw_placeholder(prompt, width=width, height=height)
    return Image.open(io.BytesIO(data)).convert("RGB")


def text_box(image: Image.Image) -> tuple[int, int, int, int] | None:
    """Return where the words of the prompt are."""
    panel = image.crop((0, 0, image.width, image.height * 2 // 3))
    return ImageChops.difference(panel, Image.new("RGB", panel.size, panel.getpixel((0, 0)))).getbbox()


def test_different_prompts_have_different_placeholders_with_one_label() -> None:
    one, other = drawn("A lighthouse in fog"), drawn("A harbour town at dusk")
    assert one != other
    band = (0, 230, 480, 270)
    assert one.crop(band) == other.crop(band)
    assert len(one.crop(band).getcolors() or ()) > 5  # letters


@pytest.mark.parametrize("prompt", ["夜晚的星空", "ночь ночь", "夜 starry night", "ليل night", "夜🙂", ""])
def test_a_prompt_that_the_font_lacks_is_replaced_by_the_size(prompt: str) -> None:
    assert drawn(prompt) == drawn("480 x 270")


@pytest.mark.parametrize("prompt", ["word " * 200, "A" * 5000, "a tall lighthouse " + "o" * 90, "Ärger – façade ×"])
@pytest.mark.parametrize("size", [(96, 54), (480, 270), (720, 1280), (200, 60)])
def test_words_stay_within_the_panel(prompt: str, size: tuple[int, int]) -> None:
    image = drawn(prompt, *size)
    box = text_box(image)
    assert image.size == size
    assert box
    assert box[0] > 0
    assert box[2] < size[0]


@pytest.mark.parametrize("size", [(16, 16), (1, 1), (1, 300), (16, 1024), (1024, 16), (390, 844), (2560, 1440)])
def test_the_size_is_exact(size: tuple[int, int]) -> None:
    assert drawn("boats in a harbour at dawn", *size).size == size


@settings(max_examples=25, deadline=None)
@given(text=st.text(alphabet=st.characters(), max_size=60))
def test_any_text_is_drawn(text: str) -> None:
    assert drawn(text, 96, 54).size == (96, 54)
