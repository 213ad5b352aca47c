"""The page of the gallery in a site of MkDocs: added if no author wrote one, filled when all images are settled."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from markupsafe import Markup
from mkdocs.structure.files import File, InclusionLevel

from mkdocs_qhaigc.engines.mkdocs.page_markup import encrypted_html
from mkdocs_qhaigc.site.gallery import NEW_PAGE, SCRIPT, STYLE, place_gallery, site_gallery

if TYPE_CHECKING:
    from mkdocs.config.defaults import MkDocsConfig
    from mkdocs.structure.files import Files
    from mkdocs.structure.pages import Page

    from mkdocs_qhaigc.site.build import SiteBuild

log = logging.getLogger(__name__)


def new_page(src_uri: str, config: MkDocsConfig) -> File:
    """Return a gallery's page that no author wrote."""
    level = InclusionLevel.INCLUDED if config.nav is None else InclusionLevel.NOT_IN_NAV
    file: Any = File.generated(config, src_uri, abs_src_path=str(NEW_PAGE), inclusion=level)
    file.alternates = {}  # static-i18n's sitemap reads the other languages of each page if Material has a blog
    return cast("File", file)


def fill(src_uri: str, build: SiteBuild, files: Files, *, dirty: bool) -> tuple[Path, ...]:
    """Put every image on the gallery's page, which is rendered by now. Return the other files that it needs."""

    def link(src_uri: str) -> tuple[str, str] | None:
        file = files.get_file_from_path(src_uri) if src_uri else None
        if not file or not file.page:
            return None
        return Markup(file.page.title).striptags(), file.page.url  # noqa: S704 - a heading's is HTML

    def is_listed(src_uri: str) -> bool:
        file = files.get_file_from_path(src_uri)
        return not file or not file.page or _is_listed(file.page)

    file = files.get_file_from_path(src_uri)
    page = file.page if file else None
    if page and page.content is None and dirty:
        return ()  # the page of the last build stays
    if page is None or page.content is None:
        log.warning("option `gallery`: %s is not part of the site. Name a page that is not left out of it", src_uri)
        return ()
    markup = site_gallery(build, page_url=page.url, link=link, is_listed=is_listed)
    before, page.content = page.content, place_gallery(page.content, markup)
    for holder, key, text in encrypted_html(page):
        if text == before:
            holder[key] = page.content
    return (STYLE, SCRIPT) if markup else ()


def _is_listed(page: Page) -> bool:
    """Whether a page is for every reader: neither encrypted (by encryptcontent), nor a draft, nor kept from search."""
    search = page.meta.get("search")
    kept_from_search = isinstance(search, Mapping) and search.get("exclude")
    hidden = getattr(page, "encrypted", False) or page.meta.get("draft") or kept_from_search
    return not hidden and page.file.inclusion is not InclusionLevel.DRAFT
