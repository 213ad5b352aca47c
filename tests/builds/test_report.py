"""The file that the option `report` names: what a build did for each image, for machines."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import Project
from tests.helpers.api import ImagesApi, answer, error

FIELDS = [
    *(
        "page",
        "name",
        "dark",
        "model",
        "references",
        "key",
        "state",
        "reason",
        "seconds",
        "bytes",
        "requests",
        "warnings",
    ),
]


@pytest.fixture
def reporting(project: Project) -> Project:
    project.options["report"] = "ci/qhaigc-report.json"
    return project


def read(project: Project) -> dict[str, Any]:
    report: dict[str, Any] = json.loads((project.folder / "ci/qhaigc-report.json").read_text(encoding="utf-8"))
    assert list(report) == ["schema", "images", "warnings"]
    assert report["schema"] == 1
    assert all(list(row) == FIELDS for row in report["images"])
    return report


def rows(project: Project, *fields: str) -> list[tuple[Any, ...]]:
    return [tuple(row[field] for field in fields) for row in read(project)["images"]]


def test_report_has_the_outcome_for_each_image(reporting: Project, api: ImagesApi) -> None:
    api.by_prompt["two"] = [error(503, "busy", **{"retry-after": "0"}), error(503, "busy", **{"retry-after": "0"})]
    pair = {"prompt": "one", "dark": "two", "alt": "x"}
    reporting.page("index.md", "![](qhaigc:pair)\n", qhaigc={"pair": pair})
    reporting.page("b.md", "![y](qhaigc:again)\n", qhaigc={"again": "one"})
    assert reporting.build("--strict").code == 0
    assert rows(reporting, "page", "name", "dark", "state", "requests") == [
        ("index.md", "pair", False, "generated", 1),
        ("index.md", "pair", True, "generated", 3),
        ("b.md", "again", False, "generated", 0),
    ]
    first, second, third = read(reporting)["images"]
    assert (first["seconds"] > 0, second["seconds"] > 0, third["seconds"]) == (True, True, None)
    assert first["key"] == third["key"]
    (original,) = (reporting.cache / "originals").glob(f"*-{first['key'][:16]}.png")
    assert first["bytes"] == original.stat().st_size
    assert sum(row["requests"] for row in read(reporting)["images"]) == len(api.calls)


def test_report_of_an_unchanged_site_has_the_same_bytes(reporting: Project) -> None:
    reporting.page("index.md", "![x](qhaigc:hero)\n", qhaigc="one")
    reporting.build("--strict")
    file = reporting.folder / "ci/qhaigc-report.json"
    reporting.build("--strict")
    warm = file.read_bytes()
    assert rows(reporting, "state", "seconds", "requests") == [("cached", None, 0)]
    reporting.build("--strict")
    assert file.read_bytes() == warm
    (reporting.folder / "generated-images").mkdir()
    for path in (reporting.cache / "originals").iterdir():
        path.replace(reporting.folder / "generated-images" / path.name)
    reporting.build("--strict")
    assert rows(reporting, "state", "seconds", "requests") == [("pinned", None, 0)]


def test_warnings_are_listed_with_their_images(reporting: Project, api: ImagesApi) -> None:
    api.by_prompt["refused"] = [answer(400, {"error": {"message": "not this", "code": "content_policy_violation"}})]
    reporting.options["images"] = {"shared": "three"}
    reporting.page("index.md", "![](qhaigc:hero) ![](qhaigc:shared) ![x](qhaigc:nobody)\n", qhaigc="one")
    reporting.page("b.md", "![x](qhaigc:bad)\n", qhaigc={"bad": "refused"})
    assert reporting.build().code == 0
    shared, hero, bad = read(reporting)["images"]
    (told,) = hero["warnings"]
    assert "image 'hero' has no alternative text" in told
    (told,) = shared["warnings"]
    assert "image 'shared' has no alternative text" in told
    (told,) = bad["warnings"]
    assert "b.md#bad" in told
    assert (bad["state"], bad["bytes"], bad["requests"]) == ("refused", None, 1)
    assert "refuses this prompt (not this)" in bad["reason"]
    assert hero["reason"] is None
    (other,) = read(reporting)["warnings"]
    assert "there is no image 'nobody'" in other


def test_common_reason_is_listed_with_each_image(reporting: Project) -> None:
    reporting.take_key()
    reporting.page("index.md", "![x](qhaigc:a) ![x](qhaigc:b)\n", qhaigc={"a": "one", "b": "two"})
    assert reporting.build().code == 0
    assert rows(reporting, "state", "seconds", "requests") == [("placeholder", None, 0)] * 2
    assert all("no API key" in row["warnings"][0] for row in read(reporting)["images"])
    assert all(row["reason"].startswith("no API key") for row in read(reporting)["images"])
    assert read(reporting)["warnings"] == []


def test_report_of_a_build_that_fails_lists_missing_images(reporting: Project) -> None:
    reporting.options["missing"] = "error"
    reporting.page("index.md", "![x](qhaigc:hero)\n", qhaigc="one")
    assert reporting.build().code == 1
    assert rows(reporting, "name", "state") == [("hero", "placeholder")]


def test_old_report_is_removed_by_a_build_that_ends_early(reporting: Project) -> None:
    reporting.page("index.md", "![x](qhaigc:hero)\n", qhaigc="one")
    reporting.build("--strict")
    hook = "def on_page_markdown(markdown, **_):\n    raise SystemExit(3)\n"
    reporting.config["hooks"] = [str(reporting.write("hook.py", hook))]
    assert reporting.build().code == 3
    assert not (reporting.folder / "ci/qhaigc-report.json").exists()


def test_report_of_a_site_without_images_is_empty(reporting: Project) -> None:
    reporting.page("index.md", "# Home\n")
    reporting.build("--strict")
    assert read(reporting) == {"schema": 1, "images": [], "warnings": []}


@pytest.mark.parametrize("report", ["docs/report.json", "site/report.json"])
def test_a_report_within_docs_or_site_is_refused(project: Project, report: str) -> None:
    project.options["report"] = report
    project.page("index.md", "# Home\n")
    built = project.build()
    assert built.code == 1
    assert "qhaigc: option `report`: it is inside" in built.output
    assert not (project.folder / report).exists()


def test_unwritable_report_is_an_error(project: Project, tmp_path: Path) -> None:
    project.options["report"] = str(project.write("blocked", "x") / "report.json")
    project.page("index.md", "# Home\n")
    built = project.build()
    assert built.code == 1
    assert "cannot be written" in built.output
    assert "Traceback" not in built.output
