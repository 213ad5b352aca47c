"""The table of known models: names, sizes of ratios, the option `models` over it."""

from __future__ import annotations

import json
from importlib.resources import files

import pytest

from mkdocs_qhaigc.directives.known_models import KnownModel, ModelTable, SizeLimits, known_model

TABLE = json.loads(files("mkdocs_qhaigc.directives").joinpath("known_models.json").read_text(encoding="utf-8"))
RATIOS = ((1, 1), (16, 9), (9, 16), (4, 3), (3, 2), (21, 9), (4, 1))
QHAIGC = ["1024x1024", "1280x720", "720x1280", "1792x1024", "1792x1024", "1280x720", "1280x720"]
GPT_IMAGE = ["1024x1024", "1280x720", "720x1280", "1152x864", "1248x832", "1568x672", "1776x592"]
GPT_IMAGE_1 = ["1024x1024", "1536x1024", "1024x1536", "1536x1024", "1536x1024", "1536x1024", "1536x1024"]
SEEDREAM = ["1920x1920", "2560x1440", "1440x2560", "2240x1680", "2352x1568", "2912x1248", "3840x960"]
SEEDREAM_5 = [*SEEDREAM[:5], "3024x1296", "3840x960"]
UNKNOWN = ["1024x1024", "1280x720", "720x1280", "1152x864", "1248x832", "1680x720", "2048x512"]


@pytest.mark.parametrize(
    ("model", "sizes"),
    [
        ("qh-draw-x2-preview", QHAIGC),
        ("qh-draw-x1-pro", QHAIGC),
        ("即梦4.0", QHAIGC),
        ("nano-banana-2", QHAIGC),
        ("dall-e-3", QHAIGC),
        ("dall-e-2", ["1024x1024"] * 7),
        ("gpt-image-1", GPT_IMAGE_1),
        ("gpt-image-1-mini", GPT_IMAGE_1),
        ("gpt-image-1.5", GPT_IMAGE_1),
        ("chatgpt-image-latest", GPT_IMAGE_1),
        ("gpt-image-2", GPT_IMAGE),
        ("gpt-image-2.5-flare", GPT_IMAGE),
        ("gpt-image-2.6-sunburst", GPT_IMAGE),
        ("doubao-seedream-3-0-t2i-250415", [*UNKNOWN[:5], "1568x672", "2048x512"]),
        ("doubao-seedream-4-0-250828", SEEDREAM),
        ("doubao-seedream-4-5-251128", SEEDREAM_5),
        ("doubao-seedream-5-0-260128", SEEDREAM_5),
        ("seedream-6", SEEDREAM),
        ("flux-2", UNKNOWN),
    ],
)
def test_sizes_of_ratios_never_change_for_they_are_part_of_keys(model: str, sizes: list[str]) -> None:
    known = known_model(model)
    assert [known.size_of_ratio(*ratio) for ratio in RATIOS] == sizes
    assert known.sizes is None or all(known.takes(size) for size in sizes)


def test_every_entry_of_the_table_can_be_read() -> None:
    for name in TABLE:
        known = known_model(name)
        assert known != KnownModel(), name
        assert all(known.pixels(size) for size in known.size_tokens), name


@pytest.mark.parametrize(
    ("name", "entry"),
    [
        ("gpt-image-2-2026-04-21", "gpt-image"),
        ("gpt-image-2.7", "gpt-image"),
        ("gpt-image-1.7", "gpt-image"),  # a name that goes on with a dot is another model
        ("gpt-image-1-mini-2026-01-01", "gpt-image-1-mini"),
        ("openai/gpt-image-1.5", "gpt-image-1.5"),
        ("doubao-seedream-4-0-250828", "doubao-seedream-4-0"),
        ("dall-e-3", "dall-e-3"),
        ("dall-e-30", None),
        ("flux", None),
        ("", None),
    ],
)
def test_a_name_fits_the_longest_entry_that_it_begins_with(name: str, entry: str | None) -> None:
    assert known_model(name) == (known_model(entry) if entry else KnownModel())


def test_own_entries_win_over_the_table_field_by_field() -> None:
    own: ModelTable = {
        "gpt-image-2": {"most_n": 4, "size_tokens": {"big": "2048x2048"}, "response_format": None},
        "my-deployment": {"like": "gpt-image-2", "sizes": ["1024x1024"]},
        "ep-2026": {"like": "doubao-seedream-4-0"},
        "round": {"like": "about", "most_n": 2},
        "about": {"like": "round", "most_references": 3},
        "house": {"size": "none", "response_format": False, "sizes": {"multiple_of": 64}},
    }
    gpt = known_model("gpt-image-2-2026-04-21", own)
    assert (gpt.most_n, gpt.response_format, gpt.references) == (4, True, "edits")
    assert gpt.pixels("big") == (2048, 2048)
    deployed = known_model("my-deployment", own)
    assert (deployed.sizes, deployed.most_n, deployed.references) == (("1024x1024",), 4, "edits")
    assert known_model("ep-2026", own) == known_model("doubao-seedream-4-0")
    house = known_model("house", own)
    assert (house.sends_size, house.response_format, house.sizes) == (False, False, SizeLimits(multiple_of=64))
    assert known_model("round", own) == KnownModel(most_n=2, most_references=3)
    assert known_model("flux", own) == KnownModel()


def test_limits_beyond_what_can_be_asked_for_take_no_time() -> None:
    model = KnownModel(sizes=SizeLimits(max_side=10**12, max_pixels=10**24))
    assert model.size_of_ratio(16, 9) == "1280x720"
    assert model.size_of_ratio(97, 89) == "1552x1424"


@pytest.mark.parametrize(
    ("model", "size", "taken"),
    [
        ("gpt-image-2", "1920x1080", False),
        ("gpt-image-2", "1920x1088", True),
        ("gpt-image-2", "3840x2160", True),
        ("gpt-image-2", "3856x2144", False),
        ("gpt-image-2", "1600x512", False),
        ("gpt-image-2", "auto", True),
        ("gpt-image-2", "2K", False),
        ("gpt-image-1.5", "1280x720", False),
        ("doubao-seedream-4-0-250828", "2K", True),
        ("doubao-seedream-4-0-250828", "3K", False),
        ("doubao-seedream-4-5-251128", "1280x720", False),
        ("qh-draw-x2-preview", "1280x720", True),
        ("qh-draw-x2-preview", "auto", False),
        ("flux", "1280x720", None),
        ("flux", "2K", None),
    ],
)
def test_what_a_model_takes_is_known_or_unknown(model: str, size: str, taken: bool | None) -> None:
    assert known_model(model).takes(size) is taken


def test_limits_are_put_into_words() -> None:
    assert str(known_model("gpt-image-2").sizes) == (
        "sides that are multiples of 16, at most 3840 pixels a side, at most 8,294,400 pixels in all, at most 3:1"
    )
