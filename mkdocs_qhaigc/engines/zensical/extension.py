"""The Markdown extension for Zensical: references on its pages become the images that `sync` has written.

Generates nothing. Pages are rendered by the same code as in a build of MkDocs, with the manifest of the synced folder
instead of the images of a build.
"""

from __future__ import annotations

import logging
import sys
from collections.abc import Container, Iterable, Iterator, Mapping
from functools import cache, partial
from pathlib import Path
from typing import Any, Protocol

from markdown import Markdown
from markdown.extensions import Extension

from mkdocs_qhaigc._util.files import within
from mkdocs_qhaigc.config.option_definitions import OPTIONS
from mkdocs_qhaigc.directives.front_matter import META_KEY, strip_meta
from mkdocs_qhaigc.engines.markdown_processors import Conversion, register
from mkdocs_qhaigc.engines.zensical.adapt_html import relative_to_source, with_plain_excerpt
from mkdocs_qhaigc.engines.zensical.config import Configuration
from mkdocs_qhaigc.engines.zensical.manifest import MANIFEST
from mkdocs_qhaigc.engines.zensical.pages import blog_of, excerpt_separator, read_page
from mkdocs_qhaigc.engines.zensical.synced_lookup import SyncedFolder, SyncedImages, read_folder
from mkdocs_qhaigc.errors import NotSynced, QhaigcError
from mkdocs_qhaigc.html import rewrite as html
from mkdocs_qhaigc.html.image_tag import render_image
from mkdocs_qhaigc.html.theme_sizes import column
from mkdocs_qhaigc.imaging.plan_published_files import relative_url
from mkdocs_qhaigc.site.page_rendering import SitePages
from mkdocs_qhaigc.site.warnings import Warnings

log = logging.getLogger("mkdocs_qhaigc")
FOR_TEMPLATES = "qhaigc_images"
"""The key of a page's front matter by which templates find its images."""
_CONTEXT = "rendering_context"
"""The name of Zensical's preprocessor that has the page, for extensions."""
_UNDER_WAY: list[object] = []
"""The pages that Zensical is rendering; global, because it makes a new extension for each."""


class LookupExtension(Extension):
    """Looks up the images of pages that Zensical renders. Does nothing in other engines."""

    def __init__(self, **kwargs: Any) -> None:
        """Take the options that the site's configuration gives the extension."""
        self.config = {"out": ["", "Where `mkdocs-qhaigc sync` writes, relative to the site's configuration"]}
        super().__init__(**kwargs)

    def extendMarkdown(self, md: Markdown) -> None:  # noqa: N802 - Python-Markdown's name
        """Register behind every other postprocessor."""
        if _CONTEXT in md.preprocessors:
            context: Any = md.preprocessors[_CONTEXT]
            render = partial(lookup(self.getConfig("out") or None).render, config=context.config)
            register(md, Conversion(lambda: context.page, render, _UNDER_WAY), name="qhaigc-lookup")


class Page(Protocol):
    """A page, as Zensical hands it to Markdown extensions."""

    path: str
    """Its file, relative to docs_dir, with `/`."""
    url: str
    meta: dict[str, Any]


@cache
def lookup(out: str | None) -> Lookup:
    """Return the lookup that all pages share. `out`: see `Lookup`."""
    return Lookup(out)


class Lookup:
    """The images of one site that `sync` has written."""

    def __init__(self, out: str | None) -> None:
        """`out`: the folder, relative to that of the site's configuration; `None`: the default of `assets_dir`."""
        self._out = out
        self._folder: SyncedFolder | None = None
        self._last_warning = ""
        self._serving = "serve" in sys.argv[1:]
        """Whether errors are only logged: they would end `zensical serve`, and the image may be on its way."""

    def render(self, page: Page, text: str, *, config: Mapping[str, Any]) -> str:
        """Return a page's HTML with its references resolved; those in its front matter are replaced there.

        `config` is Zensical's configuration of the site.

        Raises:
            NotSynced: an image of the page is missing, or one of its directives or references cannot be used.
            SiteError: the configuration, or what `sync` wrote, cannot be read.
        """
        root = Path(config["root_dir"])
        out = root / self._out if self._out else root / config["docs_dir"] / OPTIONS["assets_dir"].default
        try:
            _require_watch(root, out, config["watch"])
            self._folder = read_folder(out, self._folder)
        except (QhaigcError, OSError) as error:  # the configuration may be half written
            if not self._serving or self._folder is None:
                raise
            self._warn_once(str(error))
        if not self._folder.site.options.enabled:
            strip_meta(page.meta)
            return html.strip(text)
        return self._render(page, text, self._folder, site_url=config["site_url"])

    def _render(self, page: Page, text: str, folder: SyncedFolder, *, site_url: str | None) -> str:
        """Return a page's HTML. `site_url` is Zensical's, because mike puts the version into it."""
        site = folder.site
        images = SyncedImages(folder.manifest)
        pages = SitePages(
            site.options,
            images,
            site_url=lambda: site_url,
            column=partial(_column, site),
            language=lambda: site.language,
            warnings=Warnings(logged=False),  # `_report` sees to them
            settled=True,
        )
        pages.want_shared_images()
        source = partial((site.docs_dir / page.path).read_text, encoding="utf-8-sig")
        text_of_file = _take_front_matter(page, site) if META_KEY in page.meta else ""
        pages.read_page(page, src_uri=page.path, url=page.url, text=text_of_file, source=source)
        rendered = pages.render(page, text, src_uri=page.path, url=page.url, shown_at=page.url)
        page.meta[FOR_TEMPLATES] = _for_templates(page, pages, images)
        self._report(page, pages, images, folder)  # last: it looks at every address that the page was given
        by_url = relative_url(site.options.assets_dir, page.url) + "/"
        blog = blog_of(page.path, site.blogs)
        if blog is not None:
            rendered = with_plain_excerpt(rendered, excerpt_separator(blog), images=by_url)
        return relative_to_source(rendered, by_url, relative_url(site.options.assets_dir, page.path) + "/")

    def _warn_once(self, message: str) -> None:
        """Log a problem of the whole site, which every page would repeat."""
        if message != self._last_warning:
            self._last_warning = message
            log.warning("qhaigc: %s", message)

    def _report(self, page: Page, pages: SitePages, images: SyncedImages, folder: SyncedFolder) -> None:
        """Raise the problems that keep a page from showing its images; only log minor ones, and all while serving."""
        kinds = pages.warnings.kinds
        problems = [message for message, kind in kinds.items() if kind in ("directive", "reference")]
        missing = dict.fromkeys(_missing(page, pages, images, folder))
        if missing:
            run = f"Run `mkdocs-qhaigc sync --out {folder.shown}`, then build again"
            problems.append(f"{', '.join(missing)}: not in {folder.shown}, or not as the options are now. {run}")
        placeholders = [image.job.where for image in images.known.values() if image.state == "placeholder"]
        if placeholders:
            message = f"{', '.join(placeholders)}: `sync` has written placeholders. Run it where images can be bought"
            if folder.site.options.missing == "error":
                problems.append(message)
            else:
                log.warning("qhaigc: %s", message)
        for message, kind in kinds.items():
            if kind == "alt":
                log.warning("qhaigc: %s", message)
        if problems and not self._serving:
            raise NotSynced("; ".join(problems))
        for message in problems:
            log.warning("qhaigc: %s", message)


def _take_front_matter(page: Page, site: Configuration) -> str:
    """Replace a page's directives by those that `sync` reads; return the page's file, empty if there is none.

    Zensical reads YAML 1.2, in which `yes` is a text and 1e-3 a number: another request than the one `sync` has made.
    """
    if not (site.docs_dir / page.path).is_file():
        return ""
    source = read_page(site, page.path)
    page.meta.pop(META_KEY)
    if META_KEY in source.meta:
        page.meta[META_KEY] = source.meta[META_KEY]
    return source.text


def _missing(page: Page, pages: SitePages, images: SyncedImages, folder: SyncedFolder) -> Iterator[str]:
    """Yield the images (`PAGE#NAME`) that a page declares or shows, and that `sync` has not written as they are now."""
    for image in images.known.values():
        if image.state == "under way" and image.job.where.startswith(f"{page.path}#"):
            yield image.job.where
    for published, image in pages.files.published():
        declared = image.job.request.model  # other names are a problem of their own
        if declared and not folder.has(published):
            yield image.job.where


def _for_templates(page: Page, pages: SitePages, images: SyncedImages) -> dict[str, dict[str, str]]:
    """Return HTML and URL of each image by its name on a page: Zensical's templates cannot call functions."""
    scope = pages.scopes[page.path]
    names = {**pages.site.directives, **scope.directives}
    found = {
        name: pages.referenced(scope, name, page.url).whole()
        for name, directive in names.items()
        if all(request.key in images.manifest.images for _, request in directive.requests)
    }
    return {name: {"html": render_image(image), "url": image.url} for name, image in found.items()}


def _require_watch(root: Path, out: Path, watch: Iterable[str]) -> None:
    """Require that Zensical watches the manifest: else it keeps pages as they were before other images were written.

    Raises:
        NotSynced: it does not.
    """
    wanted = (out / MANIFEST).resolve()
    if not any(path in (wanted, *wanted.parents) for path in ((root / name).resolve() for name in watch)):
        name = within(wanted, root.resolve())
        raise NotSynced(
            f"the site's `watch` does not name {name}: Zensical would go on with pages as it rendered them before "
            f'other images were written. Add it: `watch: [{name}]`, in zensical.toml `watch = ["{name}"]`'
        )


def _column(site: Configuration, hidden: Container[object]) -> str:
    """Return the width of a page's text as a value of `sizes`. Zensical's own theme has Material's measures."""
    theme = "material" if site.theme in (None, "zensical") else site.theme
    return column(theme, features=site.features, hidden=hidden)
