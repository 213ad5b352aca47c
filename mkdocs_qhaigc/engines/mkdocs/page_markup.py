"""Changes MkDocs' page objects: addresses in their Markdown for other plugins, then the final markup in their HTML."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from mkdocs_qhaigc.html import reference_syntax, rewrite
from mkdocs_qhaigc.html.deferred_images import MARK

if TYPE_CHECKING:
    from mkdocs.structure.files import Files
    from mkdocs.structure.pages import Page

    from mkdocs_qhaigc.site.build import SiteBuild


class PageSources:
    """The Markdown of pages with references, while other plugins see it with the addresses of the images.

    Feeds and `llms.txt` are made from `page.markdown`. So are excerpts, later, and those need the references.
    """

    def __init__(self) -> None:
        self.watched = True
        """Whether other plugins look at rendered pages. If not, `show` does nothing: it takes as long as rendering."""
        self._sources: dict[str, str] = {}
        """By `src_uri`."""

    def show(self, page: Page, build: SiteBuild | None) -> None:
        """Replace the references in a page's Markdown; without a build, by their alternative texts."""
        if not self.watched or not page.markdown or reference_syntax.SCHEME not in page.markdown:
            return
        from mkdocs_qhaigc.directives.markdown_for_other_plugins import strip_source  # most sites have no such plugin
        from mkdocs_qhaigc.engines.mkdocs.templates import resolve_source

        self._sources[page.file.src_uri] = page.markdown
        page.markdown = resolve_source(build.pages, page, page.markdown) if build else strip_source(page.markdown)

    def restore(self, page: Page) -> None:
        """Give a page its own Markdown again."""
        if page.file.src_uri in self._sources:
            page.markdown = self._sources.pop(page.file.src_uri)


def finish_pages(files: Files, build: SiteBuild | None, sources: PageSources) -> None:
    """Give each page its own Markdown again, and its images their final markup. Without a build it loses references."""
    for file in files.documentation_pages():
        page = file.page
        if page is None or page.content is None:
            continue
        sources.restore(page)
        if not build:
            page.content = rewrite.strip(page.content)
            continue
        if MARK in page.content or reference_syntax.SCHEME in page.content:
            page.content = build.pages.finish(page, page.content, src_uri=file.src_uri, url=page.url)
        for holder, key, text in encrypted_html(page):
            if MARK in text:
                holder[key] = build.pages.expand(text)


def encrypted_html(page: Page) -> Iterator[tuple[dict[Any, Any], Any, str]]:
    """Yield (mapping, key, text) of all that may be a page's HTML before it is encrypted: in mappings on its object.

    Only of pages that encryptcontent marks as `encrypted`: it encrypts what it has seen in `on_page_content`, and shows
    it on that very page. What other plugins keep there they may show elsewhere, where only `src` is moved.
    """
    if not getattr(page, "encrypted", False):
        return
    for holder in vars(page).values():
        if isinstance(holder, dict) and holder is not page.meta:
            yield from ((holder, key, text) for key, text in list(holder.items()) if isinstance(text, str))


def source_of(page: Page) -> str:
    """Return a page's file; its Markdown alone if the file cannot be read."""
    try:
        return page.file.content_string
    except OSError:
        return page.markdown or ""
