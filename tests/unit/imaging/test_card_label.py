"""The label in the corner of a card: there, legible, and in letters that this machine has."""

from __future__ import annotations

import io
import logging

import pytest
from PIL import Image, ImageChops

from mkdocs_qhaigc.imaging.card_label import draw_label
from mkdocs_qhaigc.imaging.encode import encode_all
from mkdocs_qhaigc.imaging.plan_published_files import Card, Crop, Encoding, SourceImage, card_spec, card_stem

ENCODING = Encoding(("webp",), (), {"avif": 58, "webp": 80, "jpeg": 80, "png": 80})


def drawn(text: str, size: tuple[int, int] = (1200, 630)) -> tuple[int, int, int, int]:
    """Return where a label has changed an image."""
    plain = Image.new("RGB", size, "white")
    box = ImageChops.difference(plain, draw_label(plain, text)).getbbox()
    assert box
    return box


@pytest.mark.parametrize("size", [(1200, 630), (300, 158), (600, 1200)])
@pytest.mark.parametrize("text", ["AI", "AI-generated", "Image made by artificial intelligence, edited by hand"])
def test_a_label_lies_within_the_lower_right_corner(text: str, size: tuple[int, int]) -> None:
    left, top, right, bottom = drawn(text, size)
    assert size[0] * 0.97 < right < size[0]
    assert size[1] * 0.9 < bottom < size[1]
    assert top > size[1] * 0.75
    assert left > 0


def test_it_is_light_on_dark_whatever_the_image() -> None:
    for ground in ("white", "black", "#777777"):
        labelled = draw_label(Image.new("RGB", (1200, 630), ground), "AI-generated")
        corner = labelled.crop((1000, 570, 1190, 625)).convert("L")
        levels = corner.tobytes()
        assert max(levels) > 240  # the letters
        assert min(levels) < 90  # what they lie on


def test_letters_that_no_font_here_has_are_replaced_by_a_label_that_says_so_too(
    caplog: pytest.LogCaptureFixture,
) -> None:
    with caplog.at_level(logging.INFO):
        box = drawn("\U0001e100\U0001e101")  # Nyiakeng Puachue Hmong
    assert "no font of this machine has the letters" in caplog.text
    assert box == drawn("AI")


def test_the_labelled_card_is_another_file() -> None:
    source = SourceImage("1" * 64, 1200, 675)
    cards = (Card(), Card(label="AI"), Card(label="KI"))
    assert len({card_stem("hero", "ab", ENCODING, card) for card in cards}) == 3
    assert len({card_spec(source, ENCODING, card).cache_key for card in cards}) == 3


def test_an_encoded_card_shows_it() -> None:
    target = io.BytesIO()
    Image.new("RGBA", (1200, 630), (255, 255, 255, 0)).save(target, "PNG")
    pixels = []
    for card in (Card(Crop(1200, 630)), Card(Crop(1200, 630), "AI-generated")):
        spec = card_spec(SourceImage("x", 1200, 630), ENCODING, card)
        ((_, data),) = encode_all(target.getvalue(), [spec])
        with Image.open(io.BytesIO(data)) as image:
            pixels.append(image.convert("RGB"))
    left, top, _, _ = ImageChops.difference(*pixels).point(lambda value: 255 * (value > 20)).getbbox() or (0, 0, 0, 0)
    assert left > 800
    assert top > 550
