"""The Markdown extension `mkdocs_qhaigc.markdown`: looks up what `mkdocs-qhaigc sync` has written, for Zensical.

MkDocs' plugin registers an extension of its own.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

from markdown import Markdown
from markdown.extensions import Extension

from mkdocs_qhaigc.engines.conversion import Conversion, register

_CONTEXT = "rendering_context"
"""Under which Zensical registers what tells the page."""
_UNDER_WAY: list[object] = []
"""The pages that Zensical is rendering: it makes an extension anew for each."""


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
            register(md, Conversion(lambda: context.page, render, _UNDER_WAY), name="qhaigc-lookup")

    def _render_page(self, page: Any, text: str, *, config: Mapping[str, Any]) -> str:
        from mkdocs_qhaigc.engines.zensical.lookup import lookup  # only Zensical's pages need it

        return lookup(self.getConfig("out") or None).render(page, text, config=config)


def makeExtension(**kwargs: Any) -> LookupExtension:  # noqa: N802 - Python-Markdown's name
    """Return the extension that a site's configuration names `mkdocs_qhaigc.markdown`."""
    return LookupExtension(**kwargs)
