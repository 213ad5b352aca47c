"""The option `models`: what it takes, and what is said of the rest."""

from __future__ import annotations

import datetime
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from mkdocs_qhaigc.config.json_schema import options_schema
from mkdocs_qhaigc.config.option_types import Models
from mkdocs_qhaigc.config.options import read_options
from mkdocs_qhaigc.directives.known_models import SizeLimits, known_model
from mkdocs_qhaigc.errors import OptionError


def is_valid(models: Any) -> bool:
    document = {"plugins": [{"qhaigc": {"models": models}}]}
    return jsonschema.Draft202012Validator(options_schema()).is_valid(document)


def test_an_entry_is_what_is_known_of_its_model() -> None:
    models = {
        "house": {
            "sizes": ["1024x1024", "1344 x 768"],
            "size_tokens": {"2K": "2048x2048"},
            "most_n": 2,
            "response_format": False,
            "references": "json",
            "most_references": 3,
            "transparent": True,
            "formats": ["webp"],
            "ended": {"api.example.com": "2026-05-12"},
        },
        "limited": {"sizes": {"multiple_of": 64, "max_ratio": 2}, "size": "none"},
        "like-gpt": {"like": "gpt-image-2", "most_n": None},
    }
    assert is_valid(models)
    options = read_options({"models": models, "model": "house", "size": "16:9"}, folder=Path(), docs_dir=Path("docs"))
    table = options.defaults.models or {}
    house = known_model("house", table)
    assert house.sizes == ("1024x1024", "1344x768")
    assert (house.most_n, house.references, house.formats, house.pixels("2K")) == (2, "json", ("webp",), (2048, 2048))
    assert known_model("limited", table).sizes == SizeLimits(multiple_of=64, max_ratio=2)
    assert not known_model("limited", table).sends_size
    assert (known_model("like-gpt", table).most_n, known_model("like-gpt", table).most_references) == (None, 16)
    assert (
        options.buying != read_options({"model": "house"}, folder=Path(), docs_dir=Path("docs")).buying
    )  # another queue


def test_a_day_may_be_the_date_that_yaml_makes_of_it() -> None:
    checked = Models().check("models", {"m": {"ended": {"h.example": datetime.date(2026, 5, 12)}}})
    assert checked == {"m": {"ended": {"h.example": "2026-05-12"}}}
    assert Models().check("models", "{m: {most_n: 1}}") == {"m": {"most_n": 1}}  # from `!ENV`
    assert Models().check("models", checked) == checked


@pytest.mark.parametrize(
    ("models", "words"),
    [
        ([], "Write a mapping of models to what they take"),
        ({3: {}}, "the model 3 is no text"),
        ({"m": "1024x1024"}, "'m' is '1024x1024'. Write what it takes"),
        ({"m": {"size_token": {}}}, "Did you mean `size_tokens`?"),
        ({"m": {"x": 1}}, "Known are like, sizes"),
        ({"m": {"sizes": []}}, "`sizes` of 'm' is []. Write a list of sizes"),
        ({"m": {"sizes": ["2K"]}}, "`sizes` of 'm'"),
        ({"m": {"sizes": "1024x1024"}}, "`sizes` of 'm'"),
        ({"m": {"sizes": {"multiple": 16}}}, "or limits: multiple_of"),
        ({"m": {"sizes": {"multiple_of": 0}}}, "`sizes` of 'm'"),
        ({"m": {"sizes": {"max_side": 2048.5}}}, "`sizes` of 'm'"),  # pixels, which `range` counts in
        ({"m": {"size_tokens": {"big": "1024x1024"}}}, "Write the size to expect"),
        ({"m": {"size_tokens": {"2K": "big"}}}, "Write the size to expect"),
        ({"m": {"size": "1024x1024"}}, "Write none where the field"),
        ({"m": {"most_n": 0}}, "how many images one call"),
        ({"m": {"response_format": "url"}}, "Write false where"),
        ({"m": {"references": "files"}}, "Write edits, json or none"),
        ({"m": {"transparent": "yes"}}, "Write true or false"),
        ({"m": {"formats": ["gif"]}}, "Write a list of png, webp, jpeg"),
        ({"m": {"ended": "2026-05-12"}}, "Write the day for each host"),
        ({"m": {"like": 3}}, "Write the name of a model"),
        ({"m": {"like": "seedreem-4"}}, "Did you mean `"),
        ({"m": {"like": "m"}}, "of which nothing is known"),
    ],
)
def test_what_cannot_be_read_says_what_to_write(models: Any, words: str) -> None:
    with pytest.raises(OptionError) as caught:
        Models().check("models", models)
    assert words in str(caught.value)
    names_a_model = models in ({3: {}}, {"m": {"like": "seedreem-4"}}, {"m": {"like": "m"}})  # a schema knows no table
    assert not is_valid(models) or names_a_model
