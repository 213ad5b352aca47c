"""The Python-Markdown extensions: where the references of a page become pictures.

It is a postprocessor, because the finished HTML is the one place where a reference inside a tag and the same letters
inside code can be told apart. Which page is being rendered, the Markdown instance itself knows; so it is right also for
the excerpts of a blog, which are rendered again on other pages.

MkDocs' plugin registers `QhaigcExtension`. In the configuration of a site the name of this module stands for
`LookupExtension`, which looks up what `mkdocs-qhaigc sync` has written, for Zensical.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from weakref import WeakKeyDictionary
from xml.etree.ElementTree import Element

from markdown import Markdown
from markdown.extensions import Extension
from markdown.postprocessors import Postprocessor
from markdown.preprocessors import Preprocessor
from markdown.treeprocessors import Treeprocessor

Render = Callable[[Any, str, str], str]
"""(page, URL of the page that the HTML will stand on, HTML) -> HTML"""
_OfMarkdown = Callable[[Markdown, str], str]
"""(the instance that has rendered a whole page, or a part of one; HTML) -> HTML"""
_CONTEXT = "rendering_context"
"""Under which Zensical registers what tells the page."""
_FIRST: WeakKeyDictionary[Any, int] = WeakKeyDictionary()
"""By page of Zensical: which Markdown instance began first; others render parts of it (docstrings, say)."""


class QhaigcExtension(Extension):
    """Hands the finished HTML of each page of MkDocs to `render`."""

    def __init__(self, render: Render, *, owner: object) -> None:
        """`owner` tells whose extension it is, where a site has several."""
        super().__init__()
        self._render = render
        self.owner = owner

    def extendMarkdown(self, md: Markdown) -> None:  # noqa: N802 - Python-Markdown's name
        """Register behind every other postprocessor."""
        _register(md, self._render_page, name=f"qhaigc-{id(self)}")  # a site may have several plugin instances

    def _render_page(self, md: Markdown, text: str) -> str:
        if "relpath" not in md.treeprocessors:
            return text  # a conversion of a part (a docstring, say): its page's own conversion follows
        file = md.treeprocessors["relpath"].file  # type: ignore[attr-defined]  # MkDocs' own treeprocessor
        return self._render(file.page, file.url, text)


class LookupExtension(Extension):
    """Looks up the pictures of pages that Zensical renders. Does nothing in other engines."""

    def __init__(self, **kwargs: Any) -> None:
        """As Python-Markdown makes extensions from the site's configuration."""
        self.config = {"out": ["", "Where `mkdocs-qhaigc sync` writes, relative to the site's configuration"]}
        super().__init__(**kwargs)

    def extendMarkdown(self, md: Markdown) -> None:  # noqa: N802 - Python-Markdown's name
        """Register behind every other postprocessor."""
        if _CONTEXT in md.preprocessors:
            md.preprocessors.register(_FirstPreprocessor(md), "qhaigc-first", 1000)
            _register(md, self._render_page, name="qhaigc-lookup")

    def _render_page(self, md: Markdown, text: str) -> str:
        context: Any = md.preprocessors[_CONTEXT]
        if _FIRST.get(context.page) != id(md):
            return text
        from mkdocs_qhaigc.lookup import lookup  # only Zensical's pages need it

        return lookup(self.getConfig("out") or None).render(context.page, text, config=context.config)


def makeExtension(**kwargs: Any) -> LookupExtension:  # noqa: N802 - Python-Markdown's name
    """Return the extension that a site's configuration names `mkdocs_qhaigc.markdown`."""
    return LookupExtension(**kwargs)


def _register(md: Markdown, render: _OfMarkdown, *, name: str) -> None:
    postprocessor = _ReferencePostprocessor(md, render)
    md.treeprocessors.register(_LastTreeprocessor(md, postprocessor), name, -1000)
    md.postprocessors.register(postprocessor, name, -10)


class _FirstPreprocessor(Preprocessor):
    def run(self, lines: list[str]) -> list[str]:
        context: Any = self.md.preprocessors[_CONTEXT]
        _FIRST.setdefault(context.page, id(self.md))
        return lines


class _LastTreeprocessor(Treeprocessor):
    """Says that the tree is done: until now the postprocessors ran for single headings (`toc` does that)."""

    def __init__(self, md: Markdown, postprocessor: _ReferencePostprocessor) -> None:
        super().__init__(md)
        self._postprocessor = postprocessor

    def run(self, root: Element) -> None:
        self._postprocessor.whole_page = True


class _ReferencePostprocessor(Postprocessor):
    def __init__(self, md: Markdown, render: _OfMarkdown) -> None:
        super().__init__(md)
        self._render = render
        self.whole_page = False

    def run(self, text: str) -> str:
        if not self.whole_page:
            return text
        self.whole_page = False
        return self._render(self.md, text)
