"""Engines and themes that a site is built with, and the table of what was seen to work where.

A test says by `beside` which row of the table it is about and which columns it builds; each of its passing runs is a
cell. The table is printed at the end of a run (`conftest.py`); its rows stand in
docs/plugins, on the page of their family.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import pytest


@dataclass(frozen=True)
class Column:
    """An engine with a theme."""

    engine: str
    """The module that is run: `mkdocs`, `properdocs`, `zensical`."""
    theme: dict[str, Any]
    """As it stands in the site's configuration."""


MKDOCS, READTHEDOCS, MATERIAL = "MkDocs, mkdocs", "MkDocs, readthedocs", "MkDocs, Material"
PROPERDOCS, PROPER_MATERIAL = "ProperDocs, mkdocs", "ProperDocs, Material"
ZENSICAL = "Zensical"
COLUMNS = {
    MKDOCS: Column("mkdocs", {"name": "mkdocs", "highlightjs": False}),
    READTHEDOCS: Column("mkdocs", {"name": "readthedocs", "highlightjs": False}),
    MATERIAL: Column("mkdocs", {"name": "material", "font": False}),
    PROPERDOCS: Column("properdocs", {"name": "mkdocs", "highlightjs": False}),
    PROPER_MATERIAL: Column("properdocs", {"name": "material", "font": False}),
    ZENSICAL: Column("zensical", {"font": False}),
}
"""In the order of the table."""
EVERY_MATERIAL = (MATERIAL, PROPER_MATERIAL)
"""For plugins that come with Material."""
EVERY_MKDOCS = (MKDOCS, READTHEDOCS, MATERIAL, PROPERDOCS, PROPER_MATERIAL)
"""For plugins that work with any theme."""

CELLS: dict[tuple[str, str], str] = {}
"""(row, column) -> what the table says where the tests pass: of all test modules that were imported."""


def beside(row: str, *columns: str, cell: str = "yes") -> pytest.MarkDecorator:
    """Run a test once a column, as part of a row of the table: a plugin's name, as a rule.

    `cell` is what the table says where it passes: other than `yes` for a test that shows what does not work.
    """
    for name in columns:
        if CELLS.setdefault((row, name), cell) == "yes":
            CELLS[row, name] = cell
    parameters = [pytest.param((row, name, cell), id=name) for name in columns]
    return pytest.mark.parametrize("column", parameters, indirect=True)


def table(cells: Iterable[tuple[tuple[str, str], str]]) -> str:
    """Return a table in Markdown; what nothing was built for is a dash."""
    found = dict(cells)
    rows = sorted({row for row, _ in found}, key=str.lower)
    head = ["", *COLUMNS]
    lines = [head, ["---"] * len(head), *([row, *(found.get((row, name), "–") for name in COLUMNS)] for row in rows)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)
