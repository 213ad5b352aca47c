"""A site's images as its pages' front matter declares them: read without an engine, as `sync` reads them.

What plugins add to pages is not seen, nor is anything that shows only when pages are rendered.
"""

from __future__ import annotations

from functools import partial

from mkdocs_qhaigc._util.log import forwarding
from mkdocs_qhaigc.engines.zensical.config import Configuration
from mkdocs_qhaigc.engines.zensical.pages import pages
from mkdocs_qhaigc.errors import SiteError
from mkdocs_qhaigc.html.theme_sizes import UNKNOWN
from mkdocs_qhaigc.site.build import SiteBuild
from mkdocs_qhaigc.site.images import Pipeline
from mkdocs_qhaigc.site.pages import Renderer
from mkdocs_qhaigc.site.survey import Survey
from mkdocs_qhaigc.store.finder import ImageFinder


def survey_sources(site: Configuration) -> Survey:
    """Return what a site declares. Nothing is bought or written.

    Raises:
        SiteError: a page cannot be read, or the plugin is switched off.
    """
    if not site.options.enabled:
        raise SiteError(f"{site.file}: the plugin qhaigc is switched off (`enabled: false`)")
    notices: list[str] = []
    finder = ImageFinder(site.options)
    pipeline = Pipeline(site.options, finder=finder, open_buyer=None, report=notices.append)
    build = SiteBuild(
        site.options, pipeline, site_url=lambda: site.site_url, column=lambda _: UNKNOWN, warn=notices.append
    )
    with forwarding(notices.append):
        read_pages(site, build.pages)
    return build.survey(notices, docs_dir=site.docs_dir)


def read_pages(site: Configuration, renderer: Renderer) -> None:
    """Take in the front matter of every page of a site.

    Raises:
        SiteError: one cannot be read.
    """
    renderer.want_shared_images()
    for page in pages(site):
        renderer.read_page(page, src_uri=page.src_uri, url="", text=page.text, source=partial(str, page.text))
        renderer.note_references(page.src_uri, page.text)
