"""The author's words in a prompt that was sent, and the fields that give an earlier image again."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from mkdocs_qhaigc.directives.directive import Defaults
from mkdocs_qhaigc.directives.parse import read_directives
from mkdocs_qhaigc.directives.request import final_prompt
from mkdocs_qhaigc.store.record import StoredImage
from mkdocs_qhaigc.studio.stored_images_snapshot import Recorded, earlier_fields, words_of


@pytest.mark.parametrize("styles", [(), ("ink",), ("ink", "in pencil"), ("", "in pencil"), ("Ink. ", "pencil!")])
@pytest.mark.parametrize("words", ["Fog", "Fog.", "Fog, ink", "ink", "Nebel\nüber dem Meer", "霧。"])
def test_the_words_are_found_behind_which_styles_were_added(words: str, styles: tuple[str, ...]) -> None:
    prompt = final_prompt(words, *styles)
    found = words_of(prompt, *styles)
    assert found is not None
    assert final_prompt(found, *styles) == prompt
    assert found == words


@pytest.mark.parametrize("prompt", ["Fog", "Fog, pencil", "in pencil"])
def test_a_prompt_without_the_style_has_no_words(prompt: str) -> None:
    assert words_of(prompt, "in pencil") is None


STYLES: dict[str, str | Mapping[str, Any]] = {"ink": "black ink", "oil": {"text": "oil on canvas"}}


@pytest.mark.parametrize(
    ("then", "now"),
    [
        ({"prompt": "Fog"}, {"prompt": "Rain"}),
        ({"prompt": "Fog", "style": "ink"}, {"prompt": "Rain", "style": "oil"}),
        ({"prompt": "Fog", "style": "oil"}, {"prompt": "Rain"}),
        ({"prompt": "Fog", "style": "on old paper"}, {"prompt": "Rain", "style": "ink"}),
        ({"prompt": "Fog", "variant": 3, "size": "16:9"}, {"prompt": "Rain", "size": "16:9"}),
        ({"prompt": "Fog", "size": "64x64", "model": "other"}, {"prompt": "Rain", "size": "4:3"}),
    ],
)
@pytest.mark.parametrize("look", ["", "in pencil"])
def test_earlier_fields_give_the_earlier_image_again(then: dict[str, Any], now: dict[str, Any], look: str) -> None:
    defaults = Defaults("model", "1280x720", look, STYLES)
    request = read_directives({"hero": then}, defaults)[0]["hero"].request
    stored = StoredImage("hero.png", request.key, "", "png", 1, 1, 1)
    fields = earlier_fields(Recorded(stored, "hero", "", "", request.as_record(), None), now, defaults)
    assert fields is not None
    written = {name: value for name, value in {**now, **fields}.items() if value is not None}
    assert read_directives({"hero": written}, defaults)[0]["hero"].request.key == request.key


def test_a_look_of_the_site_that_has_changed_since_cannot_be_had_again() -> None:
    request = read_directives({"hero": "Fog"}, Defaults("model", "64x64", "in pencil"))[0]["hero"].request
    stored = StoredImage("hero.png", request.key, "", "png", 1, 1, 1)
    recorded = Recorded(stored, "hero", "", "", request.as_record(), None)
    assert earlier_fields(recorded, {"prompt": "Rain"}, Defaults("model", "64x64", "in oil")) is None
