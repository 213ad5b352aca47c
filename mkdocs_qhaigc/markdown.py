"""The Python-Markdown extension: where the references of a page become pictures.

It is a postprocessor, because the finished HTML is the one place where a reference inside a tag and the same letters
inside code can be told apart. Which page is being rendered, the Markdown instance itself knows; so it is right also for
the excerpts of a blog, which are rendered again on other pages.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from xml.etree.ElementTree import Element

from markdown import Markdown
from markdown.extensions import Extension
from markdown.postprocessors import Postprocessor
from markdown.preprocessors import Preprocessor
from markdown.treeprocessors import Treeprocessor

Render = Callable[[Any, str, str], str]
"""(page, URL of the page that the HTML will stand on, HTML) -> HTML"""


class QhaigcExtension(Extension):
    """Hands the finished HTML of each page to `render`."""

    def __init__(self, render: Render, *, owner: object) -> None:
        """`owner` tells whose extension it is, where a site has several."""
        super().__init__()
        self._render = render
        self._under_way: list[object] = []
        self.owner = owner

    def extendMarkdown(self, md: Markdown) -> None:  # noqa: N802 - Python-Markdown's name
        """Register behind every other postprocessor."""
        postprocessor = _ReferencePostprocessor(md, self._render, self._under_way)
        name = f"qhaigc-{id(self)}"  # one name each: several plugin instances of a site may each have an extension
        md.preprocessors.register(_FirstPreprocessor(md, postprocessor), name, 1000)
        md.treeprocessors.register(_LastTreeprocessor(md, postprocessor), name, -1000)
        md.postprocessors.register(postprocessor, name, -10)


class _FirstPreprocessor(Preprocessor):
    """Says that a conversion begins."""

    def __init__(self, md: Markdown, postprocessor: _ReferencePostprocessor) -> None:
        super().__init__(md)
        self._postprocessor = postprocessor

    def run(self, lines: list[str]) -> list[str]:
        self._postprocessor.begin()
        return lines


class _LastTreeprocessor(Treeprocessor):
    """Says that the tree is done: until now the postprocessors ran for single headings (`toc` does that)."""

    def __init__(self, md: Markdown, postprocessor: _ReferencePostprocessor) -> None:
        super().__init__(md)
        self._postprocessor = postprocessor

    def run(self, root: Element) -> None:
        self._postprocessor.whole_page = True


class _ReferencePostprocessor(Postprocessor):
    def __init__(self, md: Markdown, render: Render, under_way: list[object]) -> None:
        """`under_way`: the files of the pages that are being converted, also by other instances."""
        super().__init__(md)
        self._render = render
        self._under_way = under_way
        self._part = False
        self.whole_page = False

    def begin(self) -> None:
        file = self._file
        self._part = any(file is other for other in self._under_way)
        if not self._part:
            self._under_way.append(file)

    def run(self, text: str) -> str:
        if not self.whole_page:
            return text
        self.whole_page = False
        file = self._file
        if file is None or self._part:
            return text  # a conversion of a part (a docstring, say): its page's own conversion follows
        self._under_way[:] = [other for other in self._under_way if other is not file]
        return self._render(file.page, file.url, text)

    @property
    def _file(self) -> Any:
        """The page's, from MkDocs' own treeprocessor; None for a conversion that belongs to no page."""
        return getattr(self.md.treeprocessors["relpath"], "file", None) if "relpath" in self.md.treeprocessors else None
