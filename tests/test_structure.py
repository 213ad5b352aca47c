"""A light core. Layers and owners of libraries: `lint-imports`."""

from __future__ import annotations

import ast
import json
import re
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


def test_modules_that_a_room_s_docstring_names_are_there() -> None:
    unknown = []
    for name_of_room in CORE:
        room = PACKAGE / name_of_room / "__init__.py"
        docstring = ast.get_docstring(ast.parse(room.read_text())) or ""
        for module, name in re.findall(r"`([a-z_]+)(?:\.(\w+))?`", docstring):
            file = room.with_name(f"{module}.py")
            if not file.is_file() or name not in ("", *_names_in(file)):
                unknown.append(f"{room.parent.name}: {module}.{name}")
    assert not unknown


def _names_in(file: Path) -> set[str]:
    return {node.name for node in ast.parse(file.read_text()).body if isinstance(node, (ast.ClassDef, ast.FunctionDef))}
