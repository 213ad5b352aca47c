"""The option `label`: its forms, and the text of a page's language."""

from __future__ import annotations

from typing import Any

import pytest

from mkdocs_qhaigc.config.label import Label, read_label
from mkdocs_qhaigc.errors import OptionError

BY_LANGUAGE = {"en": "AI-generated", "de": "KI-generiert", "zh": "AI 生成", "zh-TW": "AI 產生"}


@pytest.mark.parametrize(
    ("value", "language", "text"),
    [
        ("AI-generated", "de", "AI-generated"),
        ("AI-generated", "", "AI-generated"),
        ("  AI\n  generated ", "en", "AI generated"),
        (BY_LANGUAGE, "de", "KI-generiert"),
        (BY_LANGUAGE, "de_AT", "KI-generiert"),
        (BY_LANGUAGE, "zh-Hans-CN", "AI 生成"),
        (BY_LANGUAGE, "zh_tw", "AI 產生"),
        (BY_LANGUAGE, "fr", "AI-generated"),  # the first
        (BY_LANGUAGE, "", "AI-generated"),
        ({False: "KI-generert"}, "no", "KI-generert"),  # what YAML makes of `no`
        ({"text": BY_LANGUAGE, "cards": True}, "de", "KI-generiert"),
    ],
)
def test_a_page_has_the_label_of_its_language(value: Any, language: str, text: str) -> None:
    assert read_label(value).text(language) == text


def test_cards_have_it_only_if_asked() -> None:
    assert not read_label(BY_LANGUAGE).cards
    assert not read_label({"text": "AI"}).cards
    assert read_label({"text": "AI", "cards": True}).cards
    assert Label().text("en") == ""


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (True, "it is True. Write a text, or one for each language"),
        ("", "it is ''. Write a text"),
        ({}, "it is {}. Write a text"),
        ({"en": ""}, "it is ''. Write a text"),
        ({"en": {"text": "x"}}, "Write a text"),
        ({"english!": "x"}, "'english!' is no language. Write its tag"),
        ({"cards": True}, "it is None. Write a text"),
        ({"text": "x", "cards": "yes"}, "on cards too"),
        ({"text": "x", "en": "y"}, "on cards too"),
        ("a\0b", "Write a text"),
    ],
)
def test_a_value_that_cannot_be_read_says_what_to_write(value: Any, words: str) -> None:
    with pytest.raises(OptionError) as caught:
        read_label(value)
    assert words in str(caught.value)
