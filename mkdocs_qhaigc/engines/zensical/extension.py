"""The Markdown extension for Zensical: references on its pages become the images that `sync` has written.

Generates nothing. A page is rendered by the code that renders it in a build of MkDocs, with the manifest of the synced
folder in the place of a pipeline.
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
from mkdocs_qhaigc.config.option_table import OPTIONS
from mkdocs_qhaigc.directives.front_matter import META_KEY, strip_meta
from mkdocs_qhaigc.engines.conversion import Conversion, register
from mkdocs_qhaigc.engines.zensical.config import Configuration
from mkdocs_qhaigc.engines.zensical.html import relative_to_source, with_plain_excerpt
from mkdocs_qhaigc.engines.zensical.images import SyncedFolder, SyncedImages, read_folder
from mkdocs_qhaigc.engines.zensical.manifest import MANIFEST
from mkdocs_qhaigc.engines.zensical.pages import blog_of, excerpt_separator, read_page
from mkdocs_qhaigc.errors import NotSynced, QhaigcError
from mkdocs_qhaigc.html import rewrite as html
from mkdocs_qhaigc.html.image_tag import render_image
from mkdocs_qhaigc.html.theme_sizes import column
from mkdocs_qhaigc.imaging.renditions import relative_url
from mkdocs_qhaigc.site.pages import Renderer

log = logging.getLogger("mkdocs_qhaigc")
FOR_TEMPLATES = "qhaigc_images"
"""The name in a page's front matter under which templates find its images."""
_CONTEXT = "rendering_context"
"""The name of the preprocessor by which Zensical hands its page to extensions."""
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
    """Return the one lookup of all pages. `out`: see `Lookup`."""
    return Lookup(out)


class Lookup:
    """The images of one site that `sync` has written."""

    def __init__(self, out: str | None) -> None:
        """`out`: the folder, relative to that of the site's configuration; `None`: the default of `assets_dir`."""
        self._out = out
        self._folder: SyncedFolder | None = None
        self._said = ""
        self._serving = "serve" in sys.argv[1:]
        """`zensical serve` would end with an error, where the image may be on its way."""

    def render(self, page: Page, text: str, *, config: Mapping[str, Any]) -> str:
        """Return a page's HTML with its references resolved; those of its front matter are resolved in their places.

        `config` is Zensical's configuration of the site.

        Raises:
            NotSynced: an image of the page is not there, or a directive or reference of it cannot be used.
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
            self._say_once(str(error))
        if not self._folder.site.options.enabled:
            strip_meta(page.meta)
            return html.strip(text)
        return self._render(page, text, self._folder, site_url=config["site_url"])

    def _render(self, page: Page, text: str, folder: SyncedFolder, *, site_url: str | None) -> str:
        """`site_url` is Zensical's: mike puts the version into it."""
        site = folder.site
        images = SyncedImages(folder.manifest)
        renderer = Renderer(
            site.options,
            images,
            site_url=lambda: site_url,
            column=partial(_column, site),
            warn=lambda _: None,  # told below
            settled=True,
        )
        renderer.want_shared_images()
        source = partial((site.docs_dir / page.path).read_text, encoding="utf-8-sig")
        text_of_file = _take_front_matter(page, site) if META_KEY in page.meta else ""
        renderer.read_page(page, src_uri=page.path, url=page.url, text=text_of_file, source=source)
        rendered = renderer.render(page, text, src_uri=page.path, url=page.url, shown_at=page.url)
        self._tell(page, renderer, images, folder)
        page.meta[FOR_TEMPLATES] = _for_templates(page, renderer, images)
        by_url = relative_url(site.options.assets_dir, page.url) + "/"
        blog = blog_of(page.path, site.blogs)
        if blog is not None:
            rendered = with_plain_excerpt(rendered, excerpt_separator(blog), images=by_url)
        return relative_to_source(rendered, by_url, relative_url(site.options.assets_dir, page.path) + "/")

    def _say_once(self, message: str) -> None:
        """Say what is wrong with the site, of which every page would tell."""
        if message != self._said:
            self._said = message
            log.warning("qhaigc: %s", message)

    def _tell(self, page: Page, renderer: Renderer, images: SyncedImages, folder: SyncedFolder) -> None:
        """Raise what keeps a page from showing its images; for a server, and of what has no alt, only say it."""
        kinds = renderer.notices.kinds
        problems = [message for message, kind in kinds.items() if kind in ("directive", "reference")]
        missing = dict.fromkeys(_missing(page, renderer, images, folder))
        if missing:
            run = f"Run `mkdocs-qhaigc sync --out {folder.shown}`, then build again"
            problems.append(f"{', '.join(missing)}: not in {folder.shown}, or not as the options are now. {run}")
        placeholders = [image.order.where for image in images.known.values() if image.state == "placeholder"]
        if placeholders:
            said = f"{', '.join(placeholders)}: `sync` has written placeholders. Run it where images can be bought"
            if folder.site.options.missing == "error":
                problems.append(said)
            else:
                log.warning("qhaigc: %s", said)
        for message, kind in kinds.items():
            if kind == "alt":
                log.warning("qhaigc: %s", message)
        if problems and not self._serving:
            raise NotSynced("; ".join(problems))
        for message in problems:
            log.warning("qhaigc: %s", message)


def _take_front_matter(page: Page, site: Configuration) -> str:
    """Have a page's directives as `sync` reads them, and return the page's file; empty where there is none.

    Zensical reads YAML 1.2, where `yes` is a text and 1e-3 a number: another request than the one that was bought.
    """
    if not (site.docs_dir / page.path).is_file():
        return ""
    source = read_page(site, page.path)
    page.meta.pop(META_KEY)
    if META_KEY in source.meta:
        page.meta[META_KEY] = source.meta[META_KEY]
    return source.text


def _missing(page: Page, renderer: Renderer, images: SyncedImages, folder: SyncedFolder) -> Iterator[str]:
    """Yield where a page declares or shows an image that was not written as it should stand there."""
    for image in images.known.values():
        if image.state == "under way" and image.order.where.startswith(f"{page.path}#"):
            yield image.order.where
    for publication, image in renderer.publisher.published():
        declared = image.order.request.model  # else it means nothing on this page, which is told already
        if declared and not folder.has(publication):
            yield image.order.where


def _for_templates(page: Page, renderer: Renderer, images: SyncedImages) -> dict[str, dict[str, str]]:
    """Return the HTML and the URL of each image that has a name on a page: Zensical's templates call no functions."""
    scope = renderer.scopes[page.path]
    names = {**renderer.site.directives, **scope.directives}
    found = {
        name: renderer.referenced(scope, name, page.url).whole()
        for name, directive in names.items()
        if all(request.key in images.manifest.images for _, request in directive.requests)
    }
    return {name: {"html": render_image(image), "url": image.url} for name, image in found.items()}


def _require_watch(root: Path, out: Path, watch: Iterable[str]) -> None:
    """Have Zensical render pages anew that it has kept, when other images are written.

    Raises:
        NotSynced: it would not.
    """
    wanted = (out / MANIFEST).resolve()
    if not any(path in (wanted, *wanted.parents) for path in ((root / name).resolve() for name in watch)):
        name = within(wanted, root.resolve())
        raise NotSynced(
            f"the site's `watch` does not name {name}: Zensical would go on with pages as it rendered them before "
            f'other images were written. Add it: `watch: [{name}]`, in zensical.toml `watch = ["{name}"]`'
        )


def _column(site: Configuration, hidden: Container[object]) -> str:
    """Return how wide the text of a page is in Zensical's own theme, which has Material's measures."""
    theme = "material" if site.theme in (None, "zensical") else site.theme
    return column(theme, features=site.features, hidden=hidden)
