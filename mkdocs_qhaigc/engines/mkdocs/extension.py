"""The plugin's Markdown extension: passes it the finished HTML of each page."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from markdown import Markdown
from markdown.extensions import Extension

from mkdocs_qhaigc.engines.markdown_processors import Conversion, register

Render = Callable[[Any, str, str], str]
"""(page, URL of the page that the HTML will be shown on, HTML) -> HTML"""


class QhaigcExtension(Extension):
    """Passes the finished HTML of each page of MkDocs through `render`."""

    def __init__(self, render: Render) -> None:
        super().__init__()
        self._render = render
        self._under_way: list[object] = []

    def extendMarkdown(self, md: Markdown) -> None:  # noqa: N802 - Python-Markdown's name
        """Register behind every other postprocessor."""
        register(md, Conversion(partial(_file, md), self._render_page, self._under_way), name="qhaigc")

    def _render_page(self, file: Any, text: str) -> str:
        return self._render(file.page, file.url, text)


def _file(md: Markdown) -> Any:
    """Return the file of the page, from MkDocs' own treeprocessor; `None` for a conversion without a page."""
    return getattr(md.treeprocessors["relpath"], "file", None) if "relpath" in md.treeprocessors else None
