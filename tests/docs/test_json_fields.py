"""What commands print with `--json`, and the report, have the fields that the reference names, and no others."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from mkdocs_qhaigc.cli.json_field_docs import JSON_FIELDS, REPORT_FIELDS
from tests.conftest import Project
from tests.helpers.api import ImagesApi
from tests.helpers.commands import answer, run


def paths(value: Any, path: str = "") -> Iterator[str]:
    """Yield the path of each field of JSON values that holds no fields itself."""
    if isinstance(value, dict):
        for name, content in value.items():
            yield from paths(content, f"{path}.{name}" if path else name)
    elif isinstance(value, list) and any(isinstance(item, dict) for item in value):
        for item in value:
            yield from paths(item, f"{path}[]")
    else:
        yield path


def named(fields: dict[str, str]) -> set[str]:
    """Return the paths of a table that are no others' beginnings: `cost` is there for what is within it."""
    return {path for path in fields if not any(other.startswith(f"{path}.") for other in fields)}


@pytest.fixture
def site(project: Project) -> Project:
    """A site whose commands have something to say in every field."""
    project.options |= {"prices": {"qh-draw-x2-preview": 0.5}, "report": "report.json"}
    project.page("index.md", "![x](qhaigc:hero)", qhaigc={"hero": {"prompt": "fog", "dark": "night", "alt": "x"}})
    project.page("other.md", qhaigc={"prompt": "stars", "model": "of unknown price"})
    return project


def test_every_command_prints_the_fields_of_its_table(site: Project, api: ImagesApi, tmp_path: Path) -> None:
    photo = tmp_path / "photo.png"
    Image.new("RGB", (96, 54)).save(photo)
    printed = {"check": answer(site, "check"), "plan": answer(site, "plan")}
    printed["generate"] = answer(site, "generate", "--yes")
    report = site.build()
    assert report.code == 0, report.output
    printed["candidates"] = answer(site, "candidates", "index.md#hero", "-n", "2", "--yes")
    printed["gallery"] = answer(site, "gallery")
    printed["pin"] = answer(site, "pin")
    printed["pin --adopt"] = answer(site, "pin", "--adopt", str(photo), "index.md#hero")
    (site.cache / "originals" / "hero-0123456789abcdef.webp").write_bytes(b"a remnant")
    printed["prune"] = answer(site, "prune", "--older-than", "0d", "--yes")
    printed["cost"] = answer(site, "cost")
    (tmp_path / "team").mkdir()
    site.options["shared"] = f"file://{tmp_path / 'team'}"
    printed["share"] = answer(site, "share")
    page = (site.docs / "index.md").read_text(encoding="utf-8")
    site.page("index.md", "# Without images")
    printed["prune --shared"] = answer(site, "prune", "--shared", "--older-than", "0d", "--yes")
    site.write("docs/index.md", page)
    del site.options["shared"]
    printed["sync"] = answer(site, "sync", "--out", "docs/images")
    assert set(printed) == set(JSON_FIELDS)
    for command, fields in JSON_FIELDS.items():
        assert printed[command].pop("schema") == 1
        assert set(paths(printed[command])) == named(dict(fields)), command
    written = json.loads((site.folder / "report.json").read_text(encoding="utf-8"))
    assert written.pop("schema") == 1
    assert set(paths(written)) == named(dict(REPORT_FIELDS))


def test_no_other_command_prints_json(site: Project) -> None:
    for command in ("regenerate", "init", "schema"):
        assert "--json" not in run(site, command, "--help").stdout
