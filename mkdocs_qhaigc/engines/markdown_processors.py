"""Python-Markdown's processors for extensions that need the finished HTML of a page: pre-, tree- and postprocessor.

The postprocessor does the work, because only the finished HTML tells a reference inside a tag from the same letters
inside code. The page comes from the Markdown instance itself, so it is right also for the excerpts of a blog, which are
rendered again on other pages.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from xml.etree.ElementTree import Element

from markdown import Markdown
from markdown.util import Processor, Registry


def register(md: Markdown, conversion: Conversion, *, name: str) -> None:
    """Register the processors of a conversion so that its last one runs after those of all other extensions."""
    processors: tuple[tuple[Registry[Any], Callable[[Any], Any], int], ...] = (
        (md.preprocessors, conversion.begin, 1000),
        (md.treeprocessors, conversion.tree_is_done, -1000),
        (md.postprocessors, conversion.finish, -1000),
    )
    for registry, run, priority in processors:
        registry.register(_Processor(run), name, priority)


class Conversion:
    """The conversion of a page, or of a part of one (a docstring, say) while the page's own is under way."""

    __slots__ = ("_page", "_page_of", "_part", "_render", "_under_way", "_whole")

    def __init__(self, page_of: Callable[[], Any], render: Callable[[Any, str], str], under_way: list[object]) -> None:
        """Make the conversion for one Markdown instance.

        Args:
            page_of: returns the page, or `None` for a conversion without a page.
            render: takes the page and its finished HTML, returns the HTML to use.
            under_way: the pages of all instances that are being converted.
        """
        self._page_of = page_of
        self._render = render
        self._under_way = under_way
        self._page: Any = None
        self._part = False
        self._whole = False

    def begin(self, lines: list[str]) -> list[str]:
        """Note the page whose conversion begins; a preprocessor."""
        self._page = page = self._page_of()
        self._whole = False
        self._part = any(page is other for other in self._under_way)
        if page is not None and not self._part:
            self._under_way.append(page)
        return lines

    def tree_is_done(self, _: Element) -> None:
        """Note that the page is parsed: until now postprocessors ran for single headings (`toc` does that)."""
        self._whole = True

    def finish(self, text: str) -> str:
        """Return the rendered HTML of the page; a postprocessor."""
        if not self._whole:
            return text
        self._whole = False
        page, self._page = self._page, None
        if page is None or self._part:
            return text  # its page's own conversion follows
        self._under_way[:] = [other for other in self._under_way if other is not page]
        return self._render(page, text)


class _Processor(Processor):
    """A preprocessor, a treeprocessor or a postprocessor, as it is registered."""

    def __init__(self, run: Callable[[Any], Any]) -> None:
        super().__init__()
        self.run = run
