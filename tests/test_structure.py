"""A light core, and a README that names every option and command. Layers and owners of libraries: `lint-imports`."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

import mkdocs_qhaigc
from mkdocs_qhaigc.cli import main
from mkdocs_qhaigc.config.option_table import OPTIONS

PACKAGE = Path(mkdocs_qhaigc.__file__).parent
README = (PACKAGE.parent / "README.md").read_text(encoding="utf-8")
DEPENDENCIES = (
    "httpx",
    "httpcore",
    "certifi",
    "PIL",
    "diskcache",
    "click",
    "rich",
    "filelock",
    "markdown",
    "yaml",
    "jinja2",
)
ENGINES = ("mkdocs", "zensical", "properdocs")
CORE = ("api", "config", "directives", "generation", "html", "imaging", "site", "store")
"""The rooms that know no engine."""


def test_importing_the_package_imports_no_engine_and_no_dependency() -> None:
    code = "import sys, json, mkdocs_qhaigc; print(json.dumps(sorted(m.partition('.')[0] for m in sys.modules)))"
    finished = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)
    assert not set(json.loads(finished.stdout)) & {*DEPENDENCIES, *ENGINES}


def test_only_the_adapter_knows_mkdocs() -> None:
    core = [
        ".".join(path.relative_to(PACKAGE.parent).with_suffix("").parts)
        for room in CORE
        for path in (PACKAGE / room).glob("*.py")
    ]
    code = f"import sys, {', '.join(core)}; print(sorted({{*{ENGINES}}} & set(sys.modules)))"
    finished = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)
    assert finished.stdout == "[]\n"


@pytest.mark.parametrize("option", OPTIONS)
def test_the_readme_names_every_option(option: str) -> None:
    assert f"`{option}`" in README


@pytest.mark.parametrize("command", sorted(main.commands))
def test_the_readme_names_every_command(command: str) -> None:
    assert re.search(rf"mkdocs-qhaigc {command}\b", README)
