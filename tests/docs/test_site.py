"""The documentation's site: it is built without a warning, and its reference has everything that the code has."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from mkdocs_qhaigc.cli import main
from mkdocs_qhaigc.cli.json_field_docs import JSON_FIELDS
from mkdocs_qhaigc.config.option_definitions import OPTIONS
from mkdocs_qhaigc.directives.directive import FIELDS, Defaults
from mkdocs_qhaigc.directives.parse import read_directives
from tests.helpers.documentation import DOCS, PAGES, README, ROOT, blocks
from tests.helpers.pages import broken_urls, elements, text_of


@pytest.mark.parametrize(
    ("page", "names"),
    [("options", OPTIONS), ("directives", FIELDS), ("commands", main.commands), ("json", JSON_FIELDS)],
)
def test_reference_names_all_that_the_code_has(documentation: Path, page: str, names: list[str]) -> None:
    html = (documentation / "reference" / page / "index.html").read_text(encoding="utf-8")
    anchors = {element.attributes.get("id") for element in elements(html, "h2")}
    assert {name.replace(" --", "-") for name in names} - anchors == set()
    for command in main.commands.values() if page == "commands" else ():
        for parameter in command.params:
            assert all(name in text_of(html) for name in parameter.opts if name.startswith("--")), parameter


def test_directive_without_fields_has_the_defaults_that_the_reference_tells() -> None:
    [directive] = read_directives("A lighthouse", Defaults("m", "96x54"))[0].values()
    told = {name: field.default for name, field in FIELDS.items()}
    assert told["variant"] == f"`{directive.request.variant}`"
    assert told["place"] == f"`{directive.place}`"
    assert told["priority"] == f"`{str(directive.priority).lower()}`"
    for name in ("alt", "caption", "crop", "dark"):
        assert (told[name], getattr(directive, name)) == ("none", None)


def test_every_option_and_every_command_is_explained_outside_the_reference() -> None:
    prose = "".join((DOCS / page).read_text(encoding="utf-8") for page in PAGES if page != README)
    assert [option for option in OPTIONS if not re.search(rf"\b{option}\b", prose)] == []
    assert [command for command in main.commands if f"mkdocs-qhaigc {command}" not in prose] == []


def test_every_address_of_the_site_has_its_file(documentation: Path) -> None:
    assert broken_urls(documentation, "http://site.invalid/") == []


def test_readme_is_one_page_with_the_example_of_the_home_page() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    assert len(readme.splitlines()) <= 130
    for target in re.findall(r"\]\((?!https?:|qhaigc:)([^)#]+)", readme):
        assert (ROOT / target).is_file(), target
    commands = re.findall(r"mkdocs-qhaigc (\w+)", readme)
    assert set(commands) <= set(main.commands)
    assert {"plan", "generate", "pin"} <= set(commands)
    [example] = [block.text for block in blocks(README) if block.language == "markdown"]
    [home] = [block.text for block in blocks("index.md") if block.language == "markdown"]
    assert example.startswith(home)
