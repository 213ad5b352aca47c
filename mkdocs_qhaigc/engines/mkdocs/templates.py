"""Images in templates, and in the Markdown that other plugins read: looked up by a page of MkDocs."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any
from urllib.parse import urljoin

from markupsafe import Markup

from mkdocs_qhaigc.html.image_tag import render_image
from mkdocs_qhaigc.site.page_rendering import Scope, SitePages

if TYPE_CHECKING:
    from mkdocs_qhaigc.site.build import SiteBuild


def functions(build: SiteBuild | None) -> dict[str, Callable[[Any, str], str]]:
    """Return the functions for templates by name: `qhaigc_image(page, "hero")` and `qhaigc_url(page, "hero")`.

    Without a build they return nothing. Their `page` is `None` on a page without a file, a 404 page for example.
    """
    if build is None:
        return {"qhaigc_image": lambda page, name: Markup(), "qhaigc_url": lambda page, name: ""}
    return {"qhaigc_image": partial(_image, build.pages), "qhaigc_url": partial(_url, build.pages)}


def resolve_source(pages: SitePages, page: Any, text: str) -> str:
    """Return a page's Markdown with the addresses of its images; absolute, if `site_url` is set."""
    from mkdocs_qhaigc.directives import markdown_for_other_plugins  # most sites have none that reads it

    scope, page_url = _scope_of(pages, page)

    def resolve(name: str) -> tuple[str, str | None] | None:
        if name not in scope.directives and name not in pages.site.directives:
            return None  # in code that does not look like code; else there is a warning already
        image = pages.referenced(scope, name, page_url)
        return pages.absolute(urljoin(page_url, image.url)) or image.url, image.alt

    return markdown_for_other_plugins.resolve_source(text, resolve)


def _image(pages: SitePages, page: Any, name: str) -> Markup:
    """Return the whole HTML of an image."""
    scope, page_url = _scope_of(pages, page)
    image = pages.referenced(scope, name, page_url).whole()
    if image.alt is None:
        own = scope if name in scope.directives else pages.site
        pages.warnings.image_without_alt(own.src_uri, own.source, name)
    return Markup(render_image(image))  # noqa: S704 - it escapes


def _url(pages: SitePages, page: Any, name: str) -> str:
    """Return the URL of an image, relative to the page."""
    scope, page_url = _scope_of(pages, page)
    return pages.referenced(scope, name, page_url).url


def _scope_of(pages: SitePages, page: Any) -> tuple[Scope, str]:
    """Return the scope and the URL of a page; those of the site itself if `page` is `None`."""
    if page is None:  # it may be served at any address
        return pages.site, pages.root
    return pages.scope_of(page.file.src_uri, page.meta), page.url
