"""Drawings from prompts: the same again, different for others, at any size and for any text."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageChops, ImageStat

from mkdocs_qhaigc.sandbox.drawing import lettering
from mkdocs_qhaigc.sandbox.drawing.draw import draw_image
from mkdocs_qhaigc.sandbox.drawing.prompt_words import LIGHTS, MOTIF_WORDS, mood, tags
from mkdocs_qhaigc.sandbox.drawing.scenes import MOTIFS
from tests.helpers.font import write_font

CHINESE_FONT = "NotoSansSC-Regular.ttf"
"""A name under which a font with Chinese letters is looked for."""


@pytest.fixture
def fonts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The folder of a machine's fonts, without any. Elsewhere than on Linux its place cannot be chosen."""
    monkeypatch.setattr("sys.platform", "linux")
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    monkeypatch.setenv("XDG_DATA_DIRS", str(tmp_path))
    caches = (lettering._installed, lettering._font, lettering._covered)
    for cache in caches:
        cache.cache_clear()
    yield tmp_path / "fonts"
    for cache in caches:
        cache.cache_clear()


def strip_text(prompt: str, size: int = 13, room: float = 400) -> str:
    return lettering.band_line(prompt, "sandbox", "480 x 270", size, room)[0]


def large_words(image: Image.Image) -> tuple[int, int, int, int] | None:
    """Box of what differs clearly from the middle's usual tone: the large words, if there are any."""
    box = (0, image.height // 4, image.width, image.height * 3 // 4)
    middle = image.crop(box).convert("L")
    usual = ImageStat.Stat(middle).median[0]
    return middle.point([255 if abs(level - usual) > 90 else 0 for level in range(256)]).getbbox()


def drawn(prompt: str, width: int = 240, height: int = 135, label: str = "sandbox") -> Image.Image:
    data = draw_image(prompt, width=width, height=height, label=label, format="PNG")
    return Image.open(io.BytesIO(data)).convert("RGB")


def distance(one: Image.Image, other: Image.Image) -> float:
    """Mean difference of two images' pixels, 0-255."""
    return sum(ImageStat.Stat(ImageChops.difference(one, other)).mean) / 3


def band(image: Image.Image) -> Image.Image:
    """Where text of the band is bright: only that, whatever lies beneath."""
    strip = image.crop((0, round(image.height * 0.9), image.width, image.height)).convert("L")
    return strip.point([255 if level > 215 else 0 for level in range(256)])


@pytest.mark.parametrize("format", ["WEBP", "PNG", "JPEG"])
def test_the_same_arguments_give_the_same_bytes_in_the_format_asked_for(format: str) -> None:
    first = draw_image("A lighthouse in fog", width=240, height=135, label="sandbox", format=format)
    assert first == draw_image("A lighthouse in fog", width=240, height=135, label="sandbox", format=format)
    image = Image.open(io.BytesIO(first))
    assert (image.format, image.size) == (format, (240, 135))
    assert not {"exif", "xmp", "icc_profile"} & image.info.keys()


def test_different_prompts_are_clearly_different_also_without_a_known_word() -> None:
    images = [drawn(f"thing number {n}") for n in range(5)]
    for i, one in enumerate(images):
        for other in images[i + 1 :]:
            assert distance(one, other) > 5


@pytest.mark.parametrize("prompt", ["A quiet thought", "Тихая мысль", "安静的想法", "A red kite", ""])
def test_a_prompt_of_which_no_word_is_known_gets_no_scene(prompt: str) -> None:
    assert mood(prompt).motif == "abstract"
    assert drawn(prompt) == drawn(prompt)
    assert len(drawn(prompt, 96, 54).getcolors(96 * 54) or ()) > 300


def test_dusk_is_darker_and_redder_than_snow() -> None:
    dusk = ImageStat.Stat(drawn("mountains at dusk")).mean
    snow = ImageStat.Stat(drawn("mountains in snow")).mean
    assert sum(dusk) < sum(snow) - 90
    assert dusk[0] - dusk[2] > snow[0] - snow[2] + 20


@pytest.mark.parametrize(
    ("english", "chinese"),
    [
        ("city skyline at dusk", "黄昏的城市天际线"),
        ("mountain in snow", "雪山"),
        ("forest, autumn", "秋天的森林"),
        ("desert, golden", "金色的沙漠"),
        ("lighthouse at night", "夜晚的灯塔"),
        ("neon city", "霓虹城市"),
        ("ink mountain, fog", "水墨山，雾"),
        ("server, diagram", "服务器示意图"),
        ("red machine, pencil", "红色机器，铅笔"),
    ],
)
def test_chinese_words_act_as_their_english_ones(english: str, chinese: str) -> None:
    assert set(tags(english)) == set(tags(chinese))
    assert mood(english).motif == mood(chinese).motif


def test_the_longer_word_is_read_first() -> None:
    assert tags("上海") == ("city",)
    assert tags("黄昏") == ("dusk",)
    assert tags("a starfish in the seashell") == ()


def test_every_motif_has_words_and_is_drawn_in_every_proportion() -> None:
    assert MOTIFS.keys() == {*MOTIF_WORDS, "abstract"}
    for motif in MOTIFS:
        word = MOTIF_WORDS.get(motif, "quiddity").split()[0]
        assert mood(word).motif == motif
        for size in ((96, 54), (54, 96)):
            assert len(drawn(word, *size).getcolors(96 * 54) or ()) > 300  # an image, not a flat rectangle


@pytest.mark.parametrize("light", sorted(LIGHTS))
def test_every_light_draws(light: str) -> None:
    assert drawn(f"{light} mountain", 64, 36).size == (64, 36)


@pytest.mark.parametrize("size", [(16, 16), (17, 31), (333, 77), (16, 1024), (1024, 16), (1, 1), (390, 844)])
def test_the_size_is_exact(size: tuple[int, int]) -> None:
    assert drawn("boats in a harbor at dawn", *size).size == size


def test_the_largest_size_works() -> None:
    data = draw_image("dunes", width=4096, height=512, label="sandbox", format="JPEG")
    assert Image.open(io.BytesIO(data)).size == (4096, 512)


def test_the_band_says_the_prompt() -> None:
    one, other = "night sky over the valley", "night sky upon the valley"
    assert band(drawn(one, 480, 270)).getbbox()
    assert distance(band(drawn(one, 480, 270)).convert("RGB"), band(drawn(other, 480, 270)).convert("RGB")) > 0.5


@pytest.mark.usefixtures("fonts")
@pytest.mark.parametrize("prompt", ["夜晚的星空", "ночь ночь", "夜 starry night", "ليل night", "夜🙂", "", "🙂"])
def test_without_a_font_for_its_letters_a_prompt_s_size_is_shown(prompt: str) -> None:
    assert strip_text(prompt) == "sandbox image · 480 x 270"


def test_chinese_words_are_shown_where_the_machine_has_a_font_for_them(fonts: Path) -> None:
    write_font(fonts / "truetype" / CHINESE_FONT, "sandbox image·…夜晚的星空，")
    assert strip_text("夜晚的星空") == "sandbox image · 夜晚的星空"
    assert strip_text("夜晚的星空🙂") == "sandbox image · 夜晚的星空"
    assert strip_text("夜晚的星空，" * 20).endswith("…")
    assert strip_text("A boat at night") == "sandbox image · A boat at night"  # Pillow's own font has these letters
    assert strip_text("黄昏的星空") == "sandbox image · 480 x 270"
    assert large_words(drawn("安静", 480, 270)) == large_words(drawn("安宁", 480, 270))  # the size, twice
    write_font(fonts / "msyh.ttc", "安静")
    lettering._installed.cache_clear()
    left, top, right, bottom = large_words(drawn("安静", 480, 270)) or (0, 0, 0, 0)
    assert (right - left) / (bottom - top) == pytest.approx(2, rel=0.2)  # two square letters


def test_a_prompt_of_which_no_word_is_known_shows_its_words_large() -> None:
    for prompt in ("Kubernetes", "A quiet thought", "A kettle, watercolour"):
        for size in ((480, 270), (270, 480), (1024, 1024)):
            image = drawn(prompt, *size)
            left, top, right, bottom = large_words(image) or (0, 0, 0, 0)
            assert bottom - top > image.height * 0.03, (prompt, size)
            assert left > 0, (prompt, size)
            assert image.width * 0.3 < right - left < image.width * 0.9, (prompt, size)


def test_large_words_are_broken_into_lines_that_fit_and_cut_where_they_do_not() -> None:
    for prompt in ("Onboarding a new colleague in the first week, people around a table", "word " * 400, "W" * 400):
        for size in ((480, 270), (1280, 220), (220, 1280)):
            left, _, right, _ = large_words(drawn(prompt, *size)) or (0, 0, 0, 0)
            assert size[0] * 0.03 < left < right < size[0] * 0.97, (prompt, size)


def test_lines_of_chinese_break_anywhere_but_before_punctuation() -> None:
    font = lettering._font(lettering._OWN, 20)
    lines = lettering._wrapped("清晨，的灯塔 at dawn", font, font.getlength("清晨") * 1.2)
    assert lines[0] in ("清晨，", "清")
    assert not [line for line in lines if line[0] in "，。 "]
    assert "".join(lines).replace(" ", "") == "清晨，的灯塔atdawn"


@pytest.mark.parametrize(
    ("prompt", "motif"),
    [
        ("A kettle with wide empty space above", "abstract"),
        ("Plenty of white space, a leaf", "abstract"),
        ("Open port 8080", "abstract"),
        ("The watch runs in the background", "abstract"),
        ("A pocket watch", "machine"),
        ("Outer space", "space"),
        ("The port of a fishing harbour", "sea"),
    ],
)
def test_words_of_two_meanings_do_not_bring_in_a_wrong_scene(prompt: str, motif: str) -> None:
    assert mood(prompt).motif == motif


def test_a_long_prompt_is_cut_behind_a_word() -> None:
    assert strip_text("A lighthouse at the end of a granite breakwater in a small harbour", 13, 300) in (
        "sandbox image · A lighthouse at the end of…",
        "sandbox image · A lighthouse at the end…",
        "sandbox image · A lighthouse at the end of a…",
    )


def test_a_long_prompt_stays_inside_the_band() -> None:
    strip = band(drawn("night " * 20_000, 480, 270))
    box = strip.getbbox()
    assert box
    assert box[2] < 480


@pytest.mark.parametrize(
    "text", ["", " \n\t", "\x00\x1b[0m", "\ud800", "👩‍👩‍👧", "שלום", "é e\u0301", "夜" * 30_000, "\uffff"]
)
def test_nasty_text_never_raises(text: str) -> None:
    assert drawn(text, 96, 54, label="sandbox").size == (96, 54)
    assert drawn("night", 96, 54, label=text).size == (96, 54)


@settings(max_examples=15, deadline=None)
@given(text=st.text(alphabet=st.characters(), max_size=60))
def test_any_text_is_drawn(text: str) -> None:
    assert drawn(text, 48, 32).size == (48, 32)


def test_the_circle_of_the_example_s_emblem_leaves_the_label_out() -> None:
    css = (Path(__file__).parents[3] / "example_site/docs/stylesheets/extra.css").read_text(encoding="utf-8")
    radius, middle = map(int, re.findall(r"\.round \{[^}]*clip-path: circle\((\d+)% at 50% (\d+)%\)", css)[0])
    labelled, other = (drawn("A lighthouse emblem", 1024, 1024, label=label) for label in ("sandbox", "x"))
    _, top, _, _ = ImageChops.difference(labelled, other).getbbox() or (0, 0, 0, 0)
    assert (radius + middle) / 100 * 1024 < top
