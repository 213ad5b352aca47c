"""Builds and commands read the front matter of a page alike, and say the same where it cannot be read."""

from __future__ import annotations

import json

import pytest

from tests.conftest import Project
from tests.helpers.api import ImagesApi
from tests.helpers.commands import answer, run

UNREADABLE = {
    "halves of a character": (
        json.dumps({"qhaigc": "A 😀"}),
        "line 2: the front matter is no YAML (found invalid Unicode",
    ),
    "control character": (
        "title: x\nqhaigc: a\x07b",
        "line 3: the front matter is no YAML (it holds the character U+0007",
    ),
    "no such date": (
        "date: 2024-13-01\nqhaigc: x",
        "line 2: the front matter is no YAML ('2024-13-01' is no timestamp",
    ),
    "line break of its own": (
        "title: a\x85b\nqhaigc: x",
        "line 2: the front matter is no YAML (it holds the line break",
    ),
}


@pytest.mark.parametrize(("front", "says"), UNREADABLE.values(), ids=UNREADABLE)
def test_what_cannot_be_read_is_called_the_same_everywhere(
    project: Project, api: ImagesApi, front: str, says: str
) -> None:
    file = project.write("docs/index.md", f"---\n{front}\n---\n# Page\n")
    built = project.build()
    assert [line for line in built.warnings if f"index.md, {says}" in line] == built.warnings != []
    for command in (("check",), ("check", str(file)), ("sync", "--out", "docs/images")):
        finished = run(project, *command)
        assert finished.returncode == 1
        assert f"index.md, {says}" in finished.stdout + finished.stderr
    assert api.calls == []


@pytest.mark.parametrize(
    "text",
    [
        "---\nqhaigc:\tfog\n---\n",
        "---\nqhaigc: fog\n...\n",
        "qhaigc: fog\ntitle: Fog\n\n",
        "Qhaigc: fog\n\n",
        '---\n{"qhaigc": "fog"}\n---\n',
        "\ufeff---\nqhaigc: fog\n---\n",
        "---\r\nqhaigc: fog\r\n---\r\n",
    ],
)
def test_what_a_build_reads_commands_read_from_the_file(project: Project, api: ImagesApi, text: str) -> None:
    file = project.write("docs/index.md", f"{text}# Page\n")
    (planned,) = answer(project, "plan")["images"]
    assert planned["prompt"] == "fog"
    assert run(project, "sync", "--out", "docs/images", "--no-pin").returncode == 0
    assert api.prompts == ["fog"]
    assert "index.md#hero" not in run(project, "check", str(file)).stdout
    assert project.build().summary == "1 cached"


def test_front_matter_that_ends_the_page_without_a_line_break_is_no_front_matter_of_mkdocs(project: Project) -> None:
    file = project.write("docs/index.md", "---\nqhaigc: fog\n---")
    says = "index.md, line 1: the front matter is not read as such"
    assert says in project.build().output
    finished = run(project, "check", str(file))
    assert finished.returncode == 1
    assert says in finished.stdout + finished.stderr
