"""What the code promises about itself: one owner for each dependency, a light core, and a README that names all."""

from __future__ import annotations

import ast
import json
import re
import subprocess
import sys
from collections.abc import Iterator
from fnmatch import fnmatch
from importlib import import_module
from pathlib import Path

import pytest

import mkdocs_qhaigc
from mkdocs_qhaigc.cli import main
from mkdocs_qhaigc.config.option_table import OPTIONS
from tests.helpers.engines import CELLS, table

PACKAGE = Path(mkdocs_qhaigc.__file__).parent
README = (PACKAGE.parent / "README.md").read_text(encoding="utf-8")
OWNERS = {
    "httpx": ["api/*"],
    "httpcore": ["api/transport.py"],
    "PIL": ["imaging/*"],
    "diskcache": ["imaging/cache.py"],
    "mkdocs": ["engines/mkdocs/*"],
    "properdocs": ["which_engine.py"],
    "markupsafe": ["engines/mkdocs/*"],
    "jinja2": ["engines/mkdocs/*"],
    "click": ["cli/*"],
    "rich": ["generation/progress.py", "cli/*"],
    "filelock": ["locks.py"],
    "markdown": ["engines/*"],
    "yaml": ["engines/zensical/*", "slips.py", "config/option_types.py", "front_matter.py", "front_matter_edit.py"],
    "pathspec": ["engines/zensical/pages.py"],
    "watchdog": ["engines/zensical/watch.py"],
    "tomllib": ["engines/zensical/config.py"],  # of the standard library from Python 3.11 on
}
ENGINES = ("mkdocs", "zensical", "properdocs")


def imports(module: Path) -> Iterator[str]:
    """Yield the top-level name of everything that a module imports, inside functions too."""
    for node in ast.walk(ast.parse(module.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and not node.level:
            yield (node.module or "").partition(".")[0]


@pytest.mark.parametrize("module", sorted(PACKAGE.rglob("*.py")), ids=lambda path: path.relative_to(PACKAGE).as_posix())
def test_each_dependency_has_its_owner(module: Path) -> None:
    name = module.relative_to(PACKAGE).as_posix()
    foreign = {found for found in imports(module) if found not in sys.stdlib_module_names} - {"mkdocs_qhaigc"}
    assert foreign <= OWNERS.keys()
    assert {found for found in foreign if not any(fnmatch(name, owner) for owner in OWNERS[found])} == set()


def test_importing_the_package_imports_no_engine_and_no_dependency() -> None:
    code = "import sys, json, mkdocs_qhaigc; print(json.dumps(sorted(m.partition('.')[0] for m in sys.modules)))"
    finished = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)
    assert not set(json.loads(finished.stdout)) & {*OWNERS, *ENGINES}


def test_only_the_adapter_knows_mkdocs() -> None:
    core = [
        f"mkdocs_qhaigc.{path.stem}"
        for path in PACKAGE.glob("*.py")
        if not any(fnmatch(path.name, owner) for owner in ("__init__.py", *OWNERS["mkdocs"]))
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


def test_the_readme_has_the_table_of_what_works_where() -> None:
    """Each of its cells is a real build, or several: `pytest -m compatibility`."""
    for module in sorted(Path(__file__).parent.glob("test_*.py")):
        if "@beside(" in module.read_text(encoding="utf-8"):
            import_module(f"tests.{module.stem}")
    assert table(CELLS.items()) in README
