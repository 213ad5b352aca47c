"""What other plugins see of a page while it is rendered: plain images, and their addresses in its Markdown."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from mkdocs_qhaigc.html.rewrite import SCHEME

if TYPE_CHECKING:
    from mkdocs_qhaigc.html.formats_aside import Aside


class Onlookers:
    """Of one page at a time: the engine renders them one after the other."""

    def __init__(self) -> None:
        self._asides: list[Aside] = []
        self._markdown: tuple[str, str] | None = None
        """Its Markdown, and what other plugins see of it; None where that is the same."""

    def show_plain(self, page: Any, content: str, *, in_source: Callable[[str], str]) -> str:
        """Return a page's HTML as other plugins see it; `in_source` returns their view of its Markdown."""
        from mkdocs_qhaigc.html.formats_aside import set_aside  # most sites have nobody who looks

        self._markdown = None
        page.content, self._asides = set_aside(content)
        if page.markdown and SCHEME in page.markdown:
            shown = in_source(page.markdown)
            self._markdown, page.markdown = (page.markdown, shown), shown
        return str(page.content)

    def show_whole(self, page: Any, content: str) -> str:
        """Return the HTML that they have made of it with every format again."""
        from mkdocs_qhaigc.html.formats_aside import put_back

        if self._markdown and page.markdown == self._markdown[1]:
            page.markdown = self._markdown[0]  # excerpts are made of it later
        return put_back(content, self._asides)
