"""MkDocs before 1.6, which lacks what the plugin needs: builds and commands say so in one line."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

import mkdocs_qhaigc
from tests.conftest import Project
from tests.helpers.commands import run

pytestmark = pytest.mark.compatibility

PACKAGE = Path(mkdocs_qhaigc.__file__).parent


@pytest.fixture(scope="module")
def python(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The Python of an environment with the package and MkDocs 1.5.3."""
    folder = tmp_path_factory.mktemp("old")
    python = str(folder / ("Scripts" if os.name == "nt" else "bin") / "python")
    install = [python, "-m", "pip", "install", "--quiet", "--no-compile", "mkdocs==1.5.3", str(PACKAGE.parent)]
    for command in ([sys.executable, "-m", "venv", str(folder)], install):
        subprocess.run(command, capture_output=True, timeout=300, check=True)
    return python


@pytest.fixture
def old(project: Project, python: str) -> Project:
    """A project that MkDocs 1.5.3 builds."""
    project.python = python
    project.page("index.md", "![Fog](qhaigc:hero)\n", qhaigc="fog")
    return project


def is_one_line(said: str) -> bool:
    return said.count("\n") == 1 and "this is MkDocs 1.5.3" in said and "needs MkDocs 1.6 or later" in said


def test_a_build_ends_in_one_line_that_names_both_versions(old: Project) -> None:
    built = old.build()
    assert built.code == 1
    assert is_one_line(built.output), built.output


@pytest.mark.parametrize(
    "command", ["plan", "check", "generate", "pin", "prune", "gallery", "candidates", "regenerate"]
)
def test_so_does_each_command_that_builds_the_site(old: Project, command: str) -> None:
    finished = run(old, command, *(["index.md#hero"] if command in ("candidates", "regenerate") else []))
    assert (finished.returncode, finished.stdout) == (1, "")
    assert is_one_line(finished.stderr), finished.stderr


@pytest.mark.parametrize(
    "arguments", [("sync", "--out", "docs/images"), ("check", "docs/index.md"), ("schema",), ("init",)]
)
def test_what_builds_nothing_works(old: Project, arguments: tuple[str, ...]) -> None:
    finished = run(old, *arguments)
    assert finished.returncode in (0, 1), finished.stderr
    assert "MkDocs 1.5.3" not in finished.stdout + finished.stderr
    assert "Traceback" not in finished.stderr


@pytest.mark.parametrize(
    ("number", "is_refused"), [("1.5.3", True), ("1.6.1", False), ("1.7b1", False), ("1.10.dev3", False)]
)
def test_numbers_are_read_also_those_of_what_is_no_release_yet(number: str, is_refused: bool) -> None:
    program = f"import mkdocs; mkdocs.__version__ = {number!r}; import mkdocs_qhaigc.engines.mkdocs"
    imported = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=False)
    assert bool(imported.returncode) is is_refused, imported.stderr
    assert (f"this is MkDocs {number}, and the plugin needs MkDocs 1.6" in imported.stderr) is is_refused
