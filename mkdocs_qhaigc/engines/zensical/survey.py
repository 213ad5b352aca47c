"""The images that the front matter of a site's pages declares: read without an engine, for `sync` and the commands.

It misses all that plugins add to pages, and all that only rendered pages show.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from functools import partial

from mkdocs_qhaigc._util.log_routing import forwarding
from mkdocs_qhaigc.engines.zensical.config import Configuration
from mkdocs_qhaigc.engines.zensical.pages import pages
from mkdocs_qhaigc.errors import SiteError
from mkdocs_qhaigc.html.theme_sizes import UNKNOWN
from mkdocs_qhaigc.site.build import SiteBuild
from mkdocs_qhaigc.site.image_pipeline import SiteImages
from mkdocs_qhaigc.site.page_rendering import SitePages
from mkdocs_qhaigc.site.survey import Survey
from mkdocs_qhaigc.store.local_finder import ImageFinder


def survey_sources(site: Configuration, among: Iterable[str] | None = None) -> Survey:
    """Return the images that a site declares. Nothing is generated or written.

    `among`: look only at these pages, and at the images of the whole site that they show.

    Raises:
        SiteError: a page cannot be read, or the plugin is switched off.
    """
    if not site.options.enabled:
        raise SiteError(f"{site.file}: the plugin qhaigc is switched off (`enabled: false`)")
    warnings: list[str] = []
    with forwarding(warnings.append):
        images = SiteImages(site.options, finder=ImageFinder(site.options), open_queue=None)
        build = SiteBuild(
            site.options,
            images,
            site_url=lambda: site.site_url,
            column=lambda _: UNKNOWN,
            language=lambda: site.language,
        )
        read_pages(site, build.pages, among)
    survey = replace(build.survey(warnings, docs_dir=site.docs_dir), addresses={})  # the engine has them
    if among is None:
        return survey
    return replace(survey, entries=tuple(one for one in survey.entries if one.page or one.users))


def read_pages(site: Configuration, site_pages: SitePages, among: Iterable[str] | None = None) -> None:
    """Read the front matter and the references of every page of a site, or of those `among` these names.

    Raises:
        SiteError: a page cannot be read.
    """
    site_pages.want_shared_images()
    for page in pages(site, among):
        site_pages.read_page(page, src_uri=page.src_uri, url="", text=page.text, source=partial(str, page.text))
        site_pages.note_references(page.src_uri, page.text)
