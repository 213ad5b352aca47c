"""A light core. Layers and owners of libraries: `lint-imports`."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import mkdocs_qhaigc

PACKAGE = Path(mkdocs_qhaigc.__file__).parent
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
