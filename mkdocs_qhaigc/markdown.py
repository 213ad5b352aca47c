"""The Python-Markdown extensions: where the references of a page become images.

It is a postprocessor, because the finished HTML is the one place where a reference inside a tag and the same letters
inside code can be told apart. Which page is being rendered, the Markdown instance itself knows; so it is right also for
the excerpts of a blog, which are rendered again on other pages.

MkDocs' plugin registers `QhaigcExtension`. In the configuration of a site the name of this module stands for
`LookupExtension`, which looks up what `mkdocs-qhaigc sync` has written, for Zensical.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any
from xml.etree.ElementTree import Element

from markdown import Markdown
from markdown.extensions import Extension
from markdown.util import Processor, Registry

Render = Callable[[Any, str, str], str]
"""(page, URL of the page that the HTML will stand on, HTML) -> HTML"""
_CONTEXT = "rendering_context"
"""Under which Zensical registers what tells the page."""
_UNDER_WAY: list[object] = []
"""The pages that Zensical is rendering: it makes an extension anew for each."""


class QhaigcExtension(Extension):
    """Hands the finished HTML of each page of MkDocs to `render`."""

    def __init__(self, render: Render, *, owner: object) -> None:
        """`owner` tells whose extension it is, where a site has several."""
        super().__init__()
        self._render = render
        self.leaves_next_out = False
        """Whether the next conversion is that of a page with which there is nothing to do yet."""
        self._under_way: list[object] = []
        self.owner = owner

    def extendMarkdown(self, md: Markdown) -> None:  # noqa: N802 - Python-Markdown's name
        """Register behind every other postprocessor."""
        if self.leaves_next_out:
            self.leaves_next_out = False
            return
        name = f"qhaigc-{id(self)}"  # one name each: several plugin instances of a site may each have an extension
        _register(md, _Conversion(partial(_file, md), self._render_page, self._under_way), name=name)

    def _render_page(self, file: Any, text: str) -> str:
        return self._render(file.page, file.url, text)


class LookupExtension(Extension):
    """Looks up the images of pages that Zensical renders. Does nothing in other engines."""

    def __init__(self, **kwargs: Any) -> None:
        """As Python-Markdown makes extensions from the site's configuration."""
        self.config = {"out": ["", "Where `mkdocs-qhaigc sync` writes, relative to the site's configuration"]}
        super().__init__(**kwargs)

    def extendMarkdown(self, md: Markdown) -> None:  # noqa: N802 - Python-Markdown's name
        """Register behind every other postprocessor."""
        if _CONTEXT in md.preprocessors:
            context: Any = md.preprocessors[_CONTEXT]
            render = partial(self._render_page, config=context.config)
            _register(md, _Conversion(lambda: context.page, render, _UNDER_WAY), name="qhaigc-lookup")

    def _render_page(self, page: Any, text: str, *, config: Mapping[str, Any]) -> str:
        from mkdocs_qhaigc.engines.zensical.lookup import lookup  # only Zensical's pages need it

        return lookup(self.getConfig("out") or None).render(page, text, config=config)


def makeExtension(**kwargs: Any) -> LookupExtension:  # noqa: N802 - Python-Markdown's name
    """Return the extension that a site's configuration names `mkdocs_qhaigc.markdown`."""
    return LookupExtension(**kwargs)


def _file(md: Markdown) -> Any:
    """Return the file of the page, from MkDocs' own treeprocessor; None for a conversion that belongs to no page."""
    return getattr(md.treeprocessors["relpath"], "file", None) if "relpath" in md.treeprocessors else None


def _register(md: Markdown, conversion: _Conversion, *, name: str) -> None:
    steps: tuple[tuple[Registry[Any], Callable[[Any], Any], int], ...] = (
        (md.preprocessors, conversion.begin, 1000),
        (md.treeprocessors, conversion.tree_is_done, -1000),
        (md.postprocessors, conversion.finish, -1000),
    )
    for registry, run, priority in steps:
        registry.register(_Step(run), name, priority)


class _Conversion:
    """The conversion of a page, or of a part of one (a docstring, say) while the page's own is under way."""

    __slots__ = ("_page", "_page_of", "_part", "_render", "_under_way", "_whole")

    def __init__(self, page_of: Callable[[], Any], render: Callable[[Any, str], str], under_way: list[object]) -> None:
        """`page_of` returns what tells the page; None: there is none. `under_way`: those of every instance."""
        self._page_of = page_of
        self._render = render
        self._under_way = under_way
        self._page: Any = None
        self._part = False
        self._whole = False

    def begin(self, lines: list[str]) -> list[str]:
        self._page = page = self._page_of()
        self._whole = False
        self._part = any(page is other for other in self._under_way)
        if page is not None and not self._part:
            self._under_way.append(page)
        return lines

    def tree_is_done(self, _: Element) -> None:
        """Until now the postprocessors ran for single headings (`toc` does that)."""
        self._whole = True

    def finish(self, text: str) -> str:
        if not self._whole:
            return text
        self._whole = False
        page, self._page = self._page, None
        if page is None or self._part:
            return text  # its page's own conversion follows
        self._under_way[:] = [other for other in self._under_way if other is not page]
        return self._render(page, text)


class _Step(Processor):
    """A step of a conversion: a preprocessor, a treeprocessor or a postprocessor."""

    def __init__(self, run: Callable[[Any], Any]) -> None:
        super().__init__()
        self.run = run
