"""Images that somebody asks for by a page of MkDocs: templates, and who reads a page's Markdown.

Most sites have nobody who does.
"""

from __future__ import annotations

from typing import Any
from urllib.parse import urljoin

from mkdocs_qhaigc.directives import markdown_source as source_references
from mkdocs_qhaigc.html.image_tag import render_image
from mkdocs_qhaigc.site.pages import Renderer, Scope


def resolve_source(pages: Renderer, page: Any, text: str) -> str:
    """Return a page's Markdown with the addresses of its images, absolute where the site has one."""
    scope, page_url = _scope_of(pages, page)

    def resolve(name: str) -> tuple[str, str | None] | None:
        if name not in scope.directives and name not in pages.site.directives:
            return None  # in code that does not look like any; else the page itself has told of it
        image = pages.referenced(scope, name, page_url)
        return pages.absolute(urljoin(page_url, image.url)) or image.url, image.alt

    return source_references.resolve_source(text, resolve)


def image_of(pages: Renderer, page: Any, name: str) -> str:
    """Return the whole HTML of an image; of the site's own where `page` is None."""
    scope, page_url = _scope_of(pages, page)
    image = pages.referenced(scope, name, page_url).whole()
    if image.alt is None:
        own = scope if name in scope.directives else pages.site
        pages.notices.image_without_alt(own.src_uri, own.source, name)
    return render_image(image)


def url_of(pages: Renderer, page: Any, name: str) -> str:
    """Return the URL of an image, relative to the page; of the site's own where `page` is None."""
    scope, page_url = _scope_of(pages, page)
    return pages.referenced(scope, name, page_url).url


def _scope_of(pages: Renderer, page: Any) -> tuple[Scope, str]:
    """Return what names mean on a page, and its URL."""
    if page is None:  # the 404 page, say, which is served at any address
        return pages.site, pages.root
    return pages.scope_of(page.file.src_uri, page.meta), page.url
