"""The key of an image, which must stay what it is for ever, and what it is computed from."""

from __future__ import annotations

import hashlib
import json
import unicodedata
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mkdocs_qhaigc.directives.directive import Defaults
from mkdocs_qhaigc.directives.parse import read_directives
from mkdocs_qhaigc.directives.request import ImageRequest, final_prompt
from mkdocs_qhaigc.directives.sizes import SIZE_LIMITS, parse_size

DEFAULTS = Defaults("qh-draw-x2-preview", "1280x720")
LIGHTHOUSE: dict[str, Any] = {"prompt": "A lighthouse in fog"}
CAFE = {"prompt": "Café at dusk", "model": "qh-draw-x1-pro", "size": "1024x1024"}
CITY = {"prompt": "赛博朋克城市,霓虹灯光", "model": "即梦4.0", "size": "1024x1024"}

GOLDEN = [
    (LIGHTHOUSE, "4e96ebfcd164177aa720e54f74b3fbf6f3621f6f7f19ef7f87f0c0d1ea9b0fa9"),
    ({**LIGHTHOUSE, "model": "qh-draw-x1-pro"}, "4b6ebdad2586d732703e26b61cf405c344adf8f3cfa0d41767130305e1421075"),
    ({**LIGHTHOUSE, "model": "dall-e-3"}, "c7b2792ef1cacfaf1fe84c41e82a1636c8d36e0d1d51c7337f2ea6db79b17b5d"),
    ({**LIGHTHOUSE, "model": "即梦4.0"}, "c7c57df658da62064e1894175faf9f4b56fefcd7f41732658bc879db3ecdba09"),
    ({**LIGHTHOUSE, "size": "1792x1024"}, "64e0007b6ab1732dc599712958ba624ad3f87483679e2c360de7374fe1f6e0ee"),
    ({**LIGHTHOUSE, "variant": 2}, "8534d2f5e763031b2a5fecc51efba8e15cebf0bc545bb814d4a04250b6564841"),
    ({**LIGHTHOUSE, "style": "ink"}, "71625f4a089cbdb202d1a2a4956a911f7cc1a0b9e0f8a1e0be9c2825ef00a6bc"),
    (
        {**LIGHTHOUSE, "params": {"quality": "hd", "seed": 7}},
        "120c25fa1e6b7eda6d0b081270e8a42e2821909fbe19950a7b2773ff29f83995",
    ),
    (
        {**LIGHTHOUSE, "params": {"nested": {"b": [1, 2.5, None], "a": True}}},
        "a15c0e93dbc24ab0583c8f075bc643ba83591c11f6b3a6149a00539133c3890d",
    ),
    (CAFE, "88487fafd107362f578fcd63b77f14ecddc12fcd6194aa7fc97c5aa73cece522"),
    (CITY, "48f223919cb8c7e8b2658c1c025e8345f9b2f585dcd07a1af94daf266ed2e7be"),
    # as with `params: {background: transparent}`
    ({**LIGHTHOUSE, "background": "transparent"}, "ccad886962b8fa3464a5ad0ac93073ffdd0983938d46472524fee8d366884042"),
    (
        {**LIGHTHOUSE, "model": "doubao-seedream-4-0-250828", "size": "2K"},
        "a537e367ae77a284da26b1cc5d42495695cc91a91e6212de21fee3b767a97d56",
    ),
    (
        {"prompt": "\U0001f5fc “Tower”\nat night\t\\"},
        "dc286061f6193eaca23938c12fd7ef472a94d2adca39e6629d3dfc23f6cfc67c",
    ),
]


SANDBOX_KEY = "233a801496255fb478cfad0bcdf9926aedb870cc3100bcfbb7de5757eaecfe4a"
"""The key of `LIGHTHOUSE` as a sandbox draws it."""


def key_of(**fields: Any) -> str:
    directives, problems = read_directives({"hero": fields}, DEFAULTS)
    assert problems == []
    return directives["hero"].request.key


@pytest.mark.parametrize(("fields", "key"), GOLDEN)
def test_the_key_of_a_known_request_never_changes(fields: dict[str, Any], key: str) -> None:
    """Every saved image in the world stands under such a key.

    Changing one of these literals buys everybody's images again: a change that makes this test fail is wrong, unless
    it comes with a new `KEY_SCHEMA` and a way for old images to be found.
    """
    assert key_of(**fields) == key


NIGHT = {
    1: "738cdd19470b9e1d48710c6c3decfc89d68f5c0fa8aac9f8793f5493ffbe93a3",
    2: "dc8460c8b0db0e021d2d61b0fcfd80ed0f2cff882a616170f9e94fbf6d843125",
}
"""Keys of the dark image "Night" of `LIGHTHOUSE`, by variant."""


@pytest.mark.parametrize(
    ("fields", "dark", "same_as"),
    [
        ({}, "Night", 1),
        ({"variant": 2}, "Night", 2),
        ({"variant": 2}, {"prompt": "Night"}, 2),
        ({}, {"prompt": "Night", "variant": 2}, 2),
        ({"variant": 2}, {"prompt": "Night", "variant": 1}, 1),
        ({"variant": 2}, {"prompt": "Night", "variant": 2}, 2),
    ],
)
def test_the_key_of_a_dark_image_is_that_of_its_prompt_and_variant(
    fields: dict[str, Any], dark: Any, same_as: int
) -> None:
    directives, problems = read_directives({"hero": {**LIGHTHOUSE, **fields, "dark": dark}}, DEFAULTS)
    assert problems == []
    hero = directives["hero"]
    assert hero.dark
    assert hero.dark.key == NIGHT[same_as]
    assert hero.request.key == key_of(**LIGHTHOUSE, **fields)
    assert hero.dark_follows is ("variant" not in dark)


@pytest.mark.parametrize("fields", [{"size": "16:9"}, {"size": 969}, {"size": "16:9", "focus": "top", "crop": "2:1"}])
def test_a_ratio_is_in_the_key_as_the_size_that_is_asked_for(fields: dict[str, Any]) -> None:
    """The crop is made when the image is published: the original, and so the key, knows nothing of it."""
    assert key_of(**LIGHTHOUSE, **fields) == GOLDEN[0][1]


def test_the_golden_requests_have_different_keys() -> None:
    assert len({key for _, key in GOLDEN}) == len(GOLDEN)


@pytest.mark.parametrize("form", ["NFC", "NFD"])
def test_the_key_does_not_depend_on_how_an_editor_writes_accents(form: Any) -> None:
    prompt = unicodedata.normalize(form, "Café at dusk")

    assert key_of(**{**CAFE, "prompt": prompt}) == GOLDEN[9][1]


@pytest.mark.parametrize(
    "fields",
    [
        {"alt": "A lighthouse"},
        {"alt": ""},
        {"place": "top"},
        {"priority": True},
        {"variant": 1},
        {"params": {}},
        {"params": None},
        {"style": None},
        {"size": " 1280 × 720 "},
        {"size": "01280X0720"},
        {"model": " qh-draw-x2-preview "},
        {"prompt": "\n A lighthouse in fog\t\n"},
    ],
)
def test_what_does_not_change_the_image_does_not_change_the_key(fields: dict[str, Any]) -> None:
    assert key_of(**{**LIGHTHOUSE, **fields}) == GOLDEN[0][1]


def test_the_key_does_not_depend_on_the_image_s_name() -> None:
    directives, _ = read_directives({"hero": "A lighthouse in fog", "other": "A lighthouse in fog"}, DEFAULTS)

    assert directives["hero"].request == directives["other"].request
    assert len({directive.request for directive in directives.values()}) == 1


@pytest.mark.parametrize(
    "fields",
    [
        {"prompt": "A lighthouse in Fog"},
        {"model": "dall-e-2"},
        {"size": "720x1280"},
        {"variant": 3},
        {"style": "pencil"},
        {"params": {"quality": "hd"}},
        {"params": {"quality": None}},
    ],
)
def test_what_changes_the_image_changes_the_key(fields: dict[str, Any]) -> None:
    assert key_of(**{**LIGHTHOUSE, **fields}) not in {key for _, key in GOLDEN}


def test_the_order_of_params_does_not_change_the_key() -> None:
    first = key_of(**LIGHTHOUSE, params={"quality": "hd", "more": {"a": 1, "b": 2}})
    second = key_of(**LIGHTHOUSE, params={"more": {"b": 2, "a": 1}, "quality": "hd"})

    assert first == second


def test_a_style_from_the_options_is_part_of_the_prompt() -> None:
    defaults = DEFAULTS._replace(style="wash", styles={"wash": "ink wash"})
    directives, _ = read_directives({"hero": {**LIGHTHOUSE, "style": "wide angle"}}, defaults)

    assert directives["hero"].request.prompt == "A lighthouse in fog, wide angle, ink wash"


def test_the_record_holds_all_that_the_key_is_computed_from() -> None:
    request = ImageRequest("dall-e-3", "A lighthouse", "1024x768", 2, {"quality": "hd"})
    record = request.as_record()

    assert record.pop("schema") == 1
    assert ImageRequest(**record).key == request.key
    assert (request.width, request.height) == (1024, 768)


TEXTS = st.text(st.characters(exclude_categories=["Cs"]))
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | TEXTS,
    lambda values: st.lists(values) | st.dictionaries(TEXTS, values),
    max_leaves=5,
)


@given(TEXTS, TEXTS, TEXTS, st.integers(1), st.dictionaries(TEXTS, VALUES, max_size=3))
def test_the_key_is_the_digest_of_the_record_as_canonical_json(
    model: str, prompt: str, size: str, variant: int, params: dict[str, Any]
) -> None:
    request = ImageRequest(model, prompt, size, variant, params)
    record = json.dumps(request.as_record(), ensure_ascii=False, sort_keys=True, separators=(",", ":"))

    assert request.key == hashlib.sha256(record.encode()).hexdigest()


@pytest.mark.parametrize(
    ("text", "size"),
    [
        ("1280x720", "1280x720"),
        ("1280X720", "1280x720"),
        ("1280×720", "1280x720"),
        (" 1280 x 720\n", "1280x720"),
        ("0064x0048", "64x48"),
        ("16x16383", "16x16383"),
    ],
)
def test_a_size_is_read_in_the_ways_that_people_write_it(text: str, size: str) -> None:
    assert parse_size(text) == size


@pytest.mark.parametrize(
    "text",
    [
        *(
            "",
            "x",
            "12",
            "1280",
            "1280x",
            "x720",
            "1280*720",
            "1280x720x3",
            "-1280x720",
            "12.5x20",
            "16:9",
            "1280x720px",
        ),
        *(
            "0x0",
            f"{SIZE_LIMITS[0] - 1}x100",
            f"100x{SIZE_LIMITS[1] + 1}",
            "1000000x1000000",
            "9" * 9999 + "x10",
            "٣٢x٣٢",
        ),
    ],
)
def test_a_text_that_is_no_size_within_the_limits_is_none(text: str) -> None:
    assert parse_size(text) is None


@pytest.mark.parametrize(
    ("prompt", "styles", "sent"),
    [
        ("A tower", [], "A tower"),
        ("  A tower \n", [], "A tower"),
        ("A tower", ["ink"], "A tower, ink"),
        ("A tower.", ["ink"], "A tower. ink"),
        ("A tower,", ["ink"], "A tower, ink"),
        ("一座塔。", ["水墨"], "一座塔。 水墨"),
        ("A tower", ["ink.", "wide"], "A tower, ink. wide"),
        ("A tower", ["", "  ", "ink"], "A tower, ink"),
        ("Cafe\u0301", ["e\u0301tude"], "Caf\u00e9, \u00e9tude"),
    ],
)
def test_styles_are_appended_as_a_reader_would_write_them(prompt: str, styles: list[str], sent: str) -> None:
    assert final_prompt(prompt, *styles) == sent


def test_a_request_for_a_sandbox_says_so_in_its_key_and_in_its_record() -> None:
    directives, _ = read_directives({"hero": {**LIGHTHOUSE, "dark": "Night"}}, DEFAULTS._replace(sandbox=True))
    for (_, request), fields in zip(directives["hero"].requests, (LIGHTHOUSE, {"prompt": "Night"}), strict=True):
        record = request.as_record()
        canonical = json.dumps(record, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
        assert record["sandbox"] is True
        assert request.key == hashlib.sha256(canonical.encode()).hexdigest() != key_of(**fields)
        assert request.of_variant(2).as_record() == {**record, "variant": 2}
    assert directives["hero"].request.key == SANDBOX_KEY
    assert "sandbox" not in ImageRequest("m", "p", "64x64").as_record()
