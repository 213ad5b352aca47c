"""The tables of what works where, on the pages of Other plugins: each cell is a real build, or several."""

from __future__ import annotations

import re
from importlib import import_module
from pathlib import Path

from tests.helpers.engines import CELLS, COLUMNS, table

TESTS = Path(__file__).parents[1]
PAGES = sorted((TESTS.parent / "docs/plugins").glob("*.md"))


def test_each_row_of_what_works_where_stands_on_one_page() -> None:
    """Its cells: `pytest -m compatibility`."""
    for module in sorted(TESTS.glob("*/test_*.py"), key=lambda path: path.name):
        if "@beside(" in module.read_text(encoding="utf-8"):
            import_module(f"tests.{module.parent.name}.{module.stem}")
    head, line, *rows = table(CELLS.items()).splitlines()
    found: list[str] = []
    for page in PAGES:
        text = page.read_text(encoding="utf-8")
        assert f"{head}\n{line}\n" in text, page.name
        found += re.findall(rf"^\|(?:[^|\n]+\|){{{len(COLUMNS) + 1}}}$", text.replace(f"{head}\n{line}\n", ""), re.M)
    assert sorted(found) == sorted(rows), "a row belongs on the page of its family in docs/plugins"
