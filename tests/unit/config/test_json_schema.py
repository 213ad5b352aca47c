"""The JSON Schemas for editors: all that the plugin takes is valid, and what it refuses is not."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from jsonschema import Draft202012Validator

from mkdocs_qhaigc.config.json_schema import front_matter_schema, options_schema
from mkdocs_qhaigc.config.option_definitions import OPTIONS
from mkdocs_qhaigc.directives.directive import FIELDS, Defaults
from mkdocs_qhaigc.directives.parse import read_directives
from mkdocs_qhaigc.errors import OptionError
from tests.helpers.documentation import PAGES, blocks
from tests.unit.config import check_option

COMMAND = str(Path(sys.executable).with_name("mkdocs-qhaigc"))
ROOT = Path(__file__).parents[3]
MKDOCS_YML = Draft202012Validator(options_schema())
FRONT_MATTER = Draft202012Validator(front_matter_schema())
DEFAULTS = Defaults("m", "1280x720", "", {"ink": "ink wash"})


class Loader(yaml.SafeLoader):
    """Reads YAML as editors do: a tag that they do not know leaves the value as it is."""


def _untagged(loader: yaml.SafeLoader, _: str, node: yaml.Node) -> Any:
    if isinstance(node, yaml.SequenceNode):
        return loader.construct_sequence(node, deep=True)
    return loader.construct_scalar(node) if isinstance(node, yaml.ScalarNode) else None


Loader.add_multi_constructor("!", _untagged)
Loader.add_multi_constructor("tag:yaml.org,2002:python/", _untagged)


def read(text: str) -> Any:
    return yaml.load(text, Loader)


def errors(validator: Draft202012Validator, document: object) -> list[str]:
    return [f"{error.json_path}: {error.message}" for error in validator.iter_errors(document)]


def with_options(options: object) -> dict[str, Any]:
    return {"site_name": "x", "plugins": ["search", {"qhaigc": options}]}


def examples(title: str) -> list[Any]:
    """Return the documentation's blocks of a title, as editors read them."""
    return [read(block.text) for page in PAGES for block in blocks(page) if block.title == title]


def test_both_are_schemas() -> None:
    for schema in (options_schema(), front_matter_schema()):
        Draft202012Validator.check_schema(schema)


@pytest.mark.parametrize(
    ("arguments", "schema"),
    [([], options_schema()), (["options"], options_schema()), (["front-matter"], front_matter_schema())],
)
def test_the_command_prints_them(arguments: list[str], schema: dict[str, Any]) -> None:
    finished = subprocess.run(
        [COMMAND, "schema", *arguments], capture_output=True, encoding="utf-8", timeout=60, check=True
    )
    assert json.loads(finished.stdout) == json.loads(json.dumps(schema))


def test_every_example_of_the_documentation_is_valid() -> None:
    configurations, front_matter = examples("mkdocs.yml"), examples("front matter")
    assert len(configurations) > 10
    assert len(front_matter) > 10
    assert [errors(MKDOCS_YML, one) for one in configurations if errors(MKDOCS_YML, one)] == []
    assert [errors(FRONT_MATTER, one) for one in front_matter if errors(FRONT_MATTER, one)] == []


def test_the_example_site_is_valid() -> None:
    site = ROOT / "example_site"
    config = read((site / "mkdocs.yml").read_text(encoding="utf-8"))
    assert any("qhaigc" in plugin for plugin in config["plugins"])
    assert errors(MKDOCS_YML, config) == []
    declared = 0
    for page in sorted((site / "docs").rglob("*.md")):
        text = page.read_text(encoding="utf-8")
        front = read(text.split("---\n")[1]) if text.startswith("---\n") else None
        declared += "qhaigc" in (front or {})
        assert errors(FRONT_MATTER, front) == [], page
    assert declared >= 8


VALUES: list[Any] = [
    *(None, True, False, 0, 1, 4, 80, 480, 0.5, 5000, -1, 20_000),
    *("", " ", "x", "ink", "a b", "1280x720", "1024 × 768", "sandbox", "https://api.example.com/v1", "QHAIGC_API_KEY"),
    *(
        "{base_url}/jobs/{id}",
        "https://api.example.com/t?id={id}",
        "{base_url}/jobs",
        "/jobs/{id}",
        "{base_url}/{x}/{id}",
    ),
    *("s3://bucket/prefix", "file:///mnt/images", "file://host/x", "ftp://x", "auto", "read-only"),
    *("generate", "placeholder", "error", "url", "b64_json", "none", "webp", "jpg", "bmp", "top", "after-title"),
    *("a/b", "a.md", " b/c.md ", "a.json", "100vw", "not a size", "my_key"),
    *([], ["webp"], ["avif", "jpg"], ["webp", "webp"], [480, 800], [480, 480], [0], ["x"]),
    *({}, {"ink": "ink wash"}, {"ink": 7}, {"webp": 80}, {"webp": 0}, {"bmp": 80}, {"prompt": True}, {"prompt": "x"}),
    *({"hero": "A lighthouse"}, {"hero": {"prompt": "x"}}, {"prompt": "x", "variant": 2}, {"quality": "hd"}, {"n": 4}),
    *("auto", "edits", "json", ["a.png", "hero"], {"ink": {"text": "x", "references": "a.png"}}, {"ink": {"text": 3}}),
    *({"X-Project": "handbook"}, {"X-Project": 7}, {"X Project": "x"}),
]


@pytest.mark.parametrize("name", OPTIONS)
def test_what_the_check_of_an_option_takes_is_valid(name: str) -> None:
    taken = []
    for value in VALUES:
        try:
            check_option(name, value)
            if name == "images":
                read_directives(value, DEFAULTS)
        except OptionError:
            continue
        if isinstance(value, str) and name in ("images", "styles", "quality", "provenance", "widths"):
            continue  # a text in the place of a mapping or a number is what `!ENV` gives
        if name == "images" and read_directives(value, DEFAULTS)[1]:
            continue
        taken.append(value)
        assert errors(MKDOCS_YML, with_options({name: value})) == [], value
    assert taken
    assert errors(MKDOCS_YML, with_options({name: OPTIONS[name].default})) == [] or name in ("formats", "widths")
    assert errors(MKDOCS_YML, with_options({name: json.loads(json.dumps(OPTIONS[name].default))})) == []


@pytest.mark.parametrize("field", FIELDS)
def test_what_a_directive_takes_is_valid(field: str) -> None:
    taken = refused = 0
    for value in VALUES:
        front = {"qhaigc": {"hero": {"prompt": "A lighthouse", field: value}}}
        if read_directives(front["qhaigc"], DEFAULTS)[1]:
            refused += bool(errors(FRONT_MATTER, front))
            continue
        taken += 1
        assert errors(FRONT_MATTER, front) == [], value
    assert taken
    assert refused


@pytest.mark.parametrize(
    "options",
    [
        {"enabled": "yes"},
        {"size": "big"},
        {"missing": "ERROR"},
        {"missing": "generat"},
        {"max_new_images": -1},
        {"concurrency": 65},
        {"timeout": 0},
        {"formats": ["bmp"]},
        {"formats": ["webp", "webp"]},
        {"widths": [8]},
        {"quality": {"bmp": 80}},
        {"quality": 101},
        {"provenance": {"prompts": True}},
        {"gallery": "gallery"},
        {"report": "report.txt"},
        {"styles": {"ink": 7}},
        {"images": {"hero": {"promt": "x"}}},
        {"modle": "x"},
        {"api_key": "sk-1"},
        ["model"],
        "x",
    ],
)
def test_wrong_options_are_invalid(options: object) -> None:
    assert errors(MKDOCS_YML, with_options(options))
    assert errors(MKDOCS_YML, {"plugins": {"qhaigc": options}})


@pytest.mark.parametrize(
    "text",
    [
        "",
        "''",
        "7",
        "[a, b]",
        "{}",
        "{alt: x}",
        "{prompt: x, colour: red}",
        "{prompt: ''}",
        "{hero: 7}",
        "{hero: {alt: x}}",
        "{hero: {prompt: x, size: big}}",
        "{hero: {prompt: x, variant: 0}}",
        "{hero: {prompt: x, variant: '2'}}",
        "{hero: {prompt: x, dark: {variant: 2}}}",
        "{hero: {prompt: x, dark: {prompt: y, variant: 0}}}",
        "{hero: {prompt: x, dark: {prompt: y, alt: z}}}",
        "{hero: {prompt: x, place: below}}",
        "{hero: {prompt: x, priority: 1}}",
        "{hero: {prompt: x, params: {n: 2}}}",
        "{hero: {prompt: x, params: hd}}",
        "{a b: x}",
        "{a.b: x}",
        "{hero: x, caption: y}",
        f"{{{'n' * 65}: x}}",
    ],
)
def test_wrong_front_matter_is_invalid_as_it_is_for_the_plugin(text: str) -> None:
    front = read(f"qhaigc: {text}")
    assert read_directives(front["qhaigc"], DEFAULTS)[1]
    assert errors(FRONT_MATTER, front)


@pytest.mark.parametrize(
    "text",
    [
        "A lighthouse",
        "{prompt: A lighthouse, alt: ''}",
        "{hero: A lighthouse, 灯塔: {prompt: x, dark: y, crop: 1200x630}}",
        "{caption: {prompt: an image that is called so}}",
        "{hero: {prompt: x, variant: 3, dark: {prompt: y, variant: 2}}}",
        "{dark: {prompt: an image that is called so}}",
        "{hero: {prompt: x, alt: , caption: , params: {quality: hd}}}",
    ],
)
def test_right_front_matter_is_valid_as_it_is_for_the_plugin(text: str) -> None:
    front = read(f"title: x\nqhaigc: {text}")
    assert read_directives(front["qhaigc"], DEFAULTS)[1] == []
    assert errors(FRONT_MATTER, front) == []


def test_environment_variables_are_let_through_as_editors_see_them() -> None:
    options = read("{formats: !ENV [FORMATS, 'avif, webp'], base_url: !ENV [URL, sandbox], retries: !ENV QHAIGC_TRIES}")
    assert errors(MKDOCS_YML, with_options(options)) == []
    assert errors(MKDOCS_YML, {"plugins": ["search", "qhaigc"]}) == []
    assert errors(MKDOCS_YML, with_options(None)) == []
