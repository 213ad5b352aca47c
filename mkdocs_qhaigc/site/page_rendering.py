"""The pages of one build: the images that each declares, and the markup that replaces its references.

Of a page it knows only `src_uri`, URL and front matter, which every engine has, so that each engine has a thin adapter.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Mapping
from functools import cache, partial
from types import MappingProxyType
from typing import Any, Protocol
from urllib.parse import quote, urljoin, urlsplit

from mkdocs_qhaigc.config.options import Options
from mkdocs_qhaigc.directives.directive import Directive
from mkdocs_qhaigc.directives.front_matter import META_KEY, broken_front_matter, is_misspelt_key
from mkdocs_qhaigc.directives.image_urls_in_front_matter import holds_reference, resolve_references
from mkdocs_qhaigc.directives.parse import read_directives, resolve_size
from mkdocs_qhaigc.directives.request import ImageRequest
from mkdocs_qhaigc.generation.job import ImageJob
from mkdocs_qhaigc.html import reference_syntax
from mkdocs_qhaigc.html import rewrite as html
from mkdocs_qhaigc.html.deferred_images import DeferredImages, ReferencedImage
from mkdocs_qhaigc.html.image_tag import FormatSource, ImageTag, figure
from mkdocs_qhaigc.html.theme_sizes import UNKNOWN
from mkdocs_qhaigc.imaging.formats import MIME_TYPES
from mkdocs_qhaigc.imaging.plan_published_files import CARD_WIDTH, CENTRE, Card, Crop, PublishedImage, relative_url
from mkdocs_qhaigc.site.image_pipeline import ImageFiles, ResolvedImage, placeholder_title
from mkdocs_qhaigc.site.warnings import Warnings


class Images(Protocol):
    """The images of the pages: those of a build (`SiteImages`), or those that `sync` has written."""

    def want(self, job: ImageJob, crop: Crop | None = None) -> ResolvedImage:
        """Return what is known of an image now. `crop`: what pages show it cropped to."""

    def want_card(self, request: ImageRequest, card: Card) -> None:
        """Have an image that was wanted also encoded for link previews."""

    def image(self, request: ImageRequest) -> ResolvedImage:
        """Return what is known of an image that was wanted."""

    def stand_in(self, job: ImageJob) -> ResolvedImage:
        """Return a placeholder for an image that no directive declares."""


class Scope:
    """The names of images that references on one page may use."""

    __slots__ = (
        *("broken", "column", "directives", "language", "misread", "rendered", "shown", "source", "src_uri", "unread"),
        "url",
    )

    def __init__(
        self,
        src_uri: str,
        directives: Mapping[str, Directive] = MappingProxyType({}),
        broken: frozenset[str] = frozenset(),
        *,
        column: str = UNKNOWN,
        source: Callable[[], str] = str,
    ) -> None:
        """Make the scope of a page.

        Args:
            column: the attribute `sizes` of an image as wide as the page's text.
            source: returns the page's file, for messages.
        """
        self.src_uri = src_uri
        """The page's file, relative to docs_dir (`guide/start.md`); empty for the site itself."""
        self.directives = directives
        self.broken = broken
        """Names whose directives cannot be used; a warning of each is logged already."""
        self.shown: set[str] = set()
        """Names whose files the site needs."""
        self.url = ""
        """The page's URL, relative to the site."""
        self.unread = False
        """Whether images of the page may be declared where nothing reads them; a warning of it is logged already."""
        self.misread = False
        """Whether a reference of the page names no image, or is none; a warning of it is logged already."""
        self.rendered = False
        """Whether the page itself, and not only an excerpt of it, was rendered."""
        self.column = column
        self.source = source
        self.language = ""
        """By the page's own front matter; empty for the site's."""

    def where(self, name: str) -> str:
        """Return the name that messages give an image of this page: `guide/start.md#hero`."""
        return f"{self.src_uri or 'mkdocs.yml'}#{name}"


class SitePages:
    """The pages of one build."""

    def __init__(
        self,
        options: Options,
        images: Images,
        *,
        site_url: Callable[[], str | None],
        column: Callable[[Container[object]], str],
        language: Callable[[], str] = str,
        warnings: Warnings | None = None,
        settled: bool = False,
    ) -> None:
        """Begin a build.

        Args:
            site_url: returns the site's absolute address; called when it is needed, because plugins may change it.
            column: returns the width of a page's text as a value of the attribute `sizes`; takes the value of `hide`
                in the page's front matter.
            language: returns the language of the pages (`en`), as the theme has it; called when it is needed, likewise.
            settled: whether every image is settled already.
        """
        self._options = options
        self._images = images
        self._site_url = site_url
        self._column = column
        self._language = language
        self.warnings = warnings or Warnings()
        self.files = ImageFiles(options, images.image)
        self.scopes: dict[str, Scope] = {}
        """By `src_uri`: of the pages that were read, in their order."""
        self.settled = settled
        """Whether every image is settled: pages rendered from then on have their final markup."""
        self._deferred = DeferredImages()
        self.users: dict[str, dict[str, None]] = {}
        """By key: the pages that show an image, in their order; an image of the whole site has all of them."""
        self.site = Scope("", options.defaults.images, column=column(()))

    def read_page(self, page: Any, *, src_uri: str, url: str, text: str, source: Callable[[], str]) -> None:
        """Read a page's front matter: want its images, replace its values that are references.

        Args:
            page: its `meta` is changed.
            text: its Markdown.
            source: returns the whole file, front matter included, for messages.
        """
        scope = self._read_scope(page.meta, src_uri, source)
        scope.url = url
        if META_KEY not in page.meta and (problem := broken_front_matter(text)):
            self.warnings.directive(f"{src_uri}, {problem}. Its images are not made; correct that line")
            scope.unread = True
        if META_KEY in page.meta:
            self.warnings.repeated_keys(src_uri, source())
        for key in [key for key in page.meta if is_misspelt_key(key)]:
            self.warnings.misspelt_key(src_uri, source, key)
            scope.unread = True
        for key, value in page.meta.items():
            if key != META_KEY and isinstance(value, str) and reference_syntax.is_broken(value):
                self.warnings.unread_value(src_uri, source, key, value, self._names(scope))
        for key in [key for key, value in page.meta.items() if key != META_KEY and holds_reference(value)]:
            address = partial(self._card_address, scope, page_url=url)
            page.meta[key] = resolve_references(page.meta[key], address)

    def want_shared_images(self) -> None:
        """Want the images that the option `images` declares for the whole site."""
        self._want(self.site)

    def note_references(self, src_uri: str, text: str) -> None:
        """Note the images that a page shows, from its file alone: those it places, and those it seems to refer to."""
        from mkdocs_qhaigc.directives.source_locations import (
            places,
            unread_places,
        )  # a build that renders pages does not need it

        scope = self.scopes[src_uri]
        placed = [name for name, directive in scope.directives.items() if directive.place != "none"]
        for name in dict.fromkeys((*placed, *(name for _, _, name in reference_syntax.references_in(text)))):
            directive = scope.directives.get(name) or self.site.directives.get(name)
            for _, request in directive.requests if directive else ():
                self._note_user(scope, request)
            if directive and directive.alt is None and name in placed:
                self.warnings.image_without_alt(src_uri, scope.source, name)
        self.warnings.source(src_uri, text)
        unread = [written for written, _ in unread_places(text)]
        self.warnings.unread(src_uri, scope.source, unread, self._names(scope))
        without_alt = []
        for place in places(text):
            directive = scope.directives.get(place.name) or self.site.directives.get(place.name)
            if any(written.startswith(f"{reference_syntax.SCHEME}{place.name} ") for written in unread):
                continue  # it is the first word of one that was warned of
            if place.is_image and directive is None and "{" not in place.name:  # which a plugin may fill in
                self._warn_of_unknown(scope, place.name)
            elif place.is_image and directive and directive.alt is None and place.described is False:
                without_alt.append(place.name)
        self.warnings.references_without_alt(src_uri, scope.source, without_alt)

    def check_sources(self) -> None:
        """Warn of what only the pages' files show, and neither their front matter nor their HTML."""
        for scope in self.scopes.values():
            self.warnings.source(scope.src_uri, scope.source())

    def render(self, page: Any, text: str, *, src_uri: str, url: str, shown_at: str) -> str:
        """Return a page's HTML with its references resolved and its placed images put in.

        Args:
            page: its `meta` is read if `read_page` was not called for it.
            url: the page's own, relative to the site.
            shown_at: the URL of the page that the HTML will be part of; another one for an excerpt.
        """
        scope = self._scope_to_render(page, src_uri)
        placed = [directive for directive in scope.directives.values() if directive.place != "none"]
        elsewhere = shown_at != url  # an excerpt among others
        scope.rendered = scope.rendered or not elsewhere
        main_shown = elsewhere or any(directive.priority for directive in placed)
        text = self._resolve(scope, shown_at, text, main_shown=main_shown)
        for name, directive in () if elsewhere else scope.directives.items():
            if name not in scope.shown and directive.place == "none":
                self._find_misspelt(scope, name, text)
        for directive in reversed(placed):
            referenced = self.referenced(scope, directive.name, shown_at)
            markup = self._deferred.mark({}, referenced, first=not elsewhere)
            label = referenced.label
            if directive.caption is not None or label:
                markup = figure(markup, directive.caption, label)
            else:
                markup = f"<p>{markup}</p>"
            if directive.alt is None:
                self.warnings.image_without_alt(scope.src_uri, scope.source, directive.name)
            after_title = directive.place == "after-title"
            text = html.place(text, markup, after_title=after_title, excerpt=elsewhere)
        return self._deferred.expand(text) if self.settled else text

    def finish(self, page: Any, text: str, *, src_uri: str, url: str) -> str:
        """Return a page's HTML with the final markup of its images, and of references that plugins have added since.

        For a build that has settled.
        """
        if reference_syntax.SCHEME in text:
            text = self._resolve(self._scope_to_render(page, src_uri), url, text, main_shown=True)
        return self.expand(text)

    def expand(self, text: str) -> str:
        """Return HTML that was rendered before with the final markup of its images. For a build that has settled."""
        return self._deferred.expand(text)

    def referenced(self, scope: Scope, name: str, page_url: str) -> ReferencedImage:
        """Return the image of a name on a page; a placeholder if no directive has that name."""
        scope.shown.add(name)
        directive = scope.directives.get(name) or self.site.directives.get(name)
        if directive is None:
            request = self._unknown_image(scope, name).job.request
            self._note_user(scope, request)
            alt = _absent(name)
            tag = partial(self.tag, "missing", request, page_url, alt, scope.column)
            return ReferencedImage(relative_url(self.files.address("missing", request), page_url), tag, alt)
        sizes = directive.sizes or self._options.sizes or scope.column
        dark, crop = None, page_crop(directive)
        label = self._label(scope, directive)
        for file_name, request in reversed(directive.requests):
            self._note_user(scope, request)
            url = relative_url(self.files.address(file_name, request, crop), page_url)
            shown = (file_name, request, page_url, directive.alt, sizes, directive.priority, directive.caption, crop)
            tag = partial(self.tag, *shown, directive.focus, label)
            dark = ReferencedImage(url, tag, directive.alt, directive.priority, directive.caption, dark, label)
        assert dark is not None
        return dark

    def tag(
        self,
        file_name: str,
        request: ImageRequest,
        page_url: str,
        alt: str | None,
        sizes: str,
        priority: bool = False,
        caption: str | None = None,
        crop: Crop | None = None,
        focus: tuple[int, int] | None = None,
        label: str = "",
    ) -> ImageTag:
        """Return an image as a page shows it. For a build that has settled."""
        published, image = self.files.publish(file_name, request, crop)
        return image_tag(
            published,
            page_url=page_url,
            alt=alt,
            sizes=sizes,
            priority=priority,
            caption=caption,
            label=label,
            colour=image.colour,
            focus=focus,
            title=placeholder_title(image, self._options.folder),
        )

    def scope_of(self, src_uri: str, meta: Mapping[str, Any]) -> Scope:
        """Return the scope of a page; one without names for a page that was not read."""
        return self.scopes.get(src_uri) or Scope(src_uri, column=self._width(meta))

    @property
    def root(self) -> str:
        """The path of the site, for pages that are served at any address: a 404 page."""
        return urlsplit(self._site_url() or "").path.rstrip("/") + "/"

    def absolute(self, url: str) -> str | None:
        """Return the absolute address of a URL that is relative to the site; `None` if `site_url` is not set."""
        site_url = self._site_url()
        return urljoin(site_url.rstrip("/") + "/", url) if site_url else None

    def reference_keys(self) -> set[str]:
        """Return the keys of the images that are references for declared ones."""
        return {
            reference.request.key
            for scope in (self.site, *self.scopes.values())
            for directive in scope.directives.values()
            for reference in directive.request.references
            if reference.request
        }

    def publish_declared(self) -> None:
        """Have the files of all declared images, whether or not a page refers to them."""
        for scope in (self.site, *self.scopes.values()):
            for name, directive in scope.directives.items():
                if name not in scope.shown:
                    scope.shown.add(name)
                    for file_name, request in directive.requests:
                        self.files.address(file_name, request, page_crop(directive))

    def _read_scope(self, meta: Mapping[str, Any], src_uri: str, source: Callable[[], str] = str) -> Scope:
        wide = self._width(meta)
        if META_KEY not in meta:
            scope = self.scopes[src_uri] = Scope(src_uri, column=wide, source=source)
            scope.language = _language_in(meta)
            return scope
        directives, problems = read_directives(meta[META_KEY], self._options.defaults, src_uri)
        for problem in problems:
            self.warnings.problem(src_uri, source, problem)
        broken = frozenset(problem.name for problem in problems if problem.name)
        scope = self.scopes[src_uri] = Scope(src_uri, directives, broken, column=wide, source=source)
        scope.unread = any(problem.name is None for problem in problems)
        scope.language = _language_in(meta)
        self._want(scope)
        return scope

    def _width(self, meta: Mapping[str, Any]) -> str:
        hidden = meta.get("hide")
        return self._column(hidden if isinstance(hidden, list) else ())

    def _scope_to_render(self, page: Any, src_uri: str) -> Scope:
        if src_uri not in self.scopes:  # another plugin renders it without its events, or it has no file
            self._read_scope(page.meta, src_uri)
        return self.scopes[src_uri]

    def _resolve(self, scope: Scope, url: str, text: str, *, main_shown: bool) -> str:
        """Return a page's HTML with its references resolved, and its images marked."""
        if not html.has_reference(text):
            return text
        resolve = cache(partial(self.referenced, scope, page_url=url))  # a page may show one image in many places
        rewritten = html.rewrite(text, resolve, self._deferred, main_shown=main_shown)
        scope.misread = scope.misread or bool(rewritten.unread)
        if rewritten.unread or rewritten.without_alt:
            self.warnings.unread(scope.src_uri, scope.source, rewritten.unread, self._names(scope))
            self.warnings.references_without_alt(scope.src_uri, scope.source, rewritten.without_alt)
        return rewritten.html

    def _want(self, scope: Scope) -> None:
        for name, directive in scope.directives.items():
            for file_name, request in directive.requests:
                where = scope.where(name) + (" (dark)" if request is directive.dark else "")
                self._images.want(ImageJob(where, file_name, request), page_crop(directive))

    def _note_user(self, scope: Scope, request: ImageRequest) -> None:
        self.users.setdefault(request.key, {})[scope.src_uri] = None

    def _warn_of_unknown(self, scope: Scope, name: str) -> None:
        scope.misread = True
        if name not in scope.broken and not scope.unread:
            self.warnings.unknown(scope.src_uri, scope.source, name, self._names(scope))

    def _label(self, scope: Scope, directive: Directive) -> str:
        """Return the visible label of an image on a page; empty for none."""
        if directive.label is not None:
            return directive.label
        site = self._options.label
        return site.text(scope.language or self._language()) if site.texts else ""

    def _names(self, scope: Scope) -> list[str]:
        """Return the names that references on a page may use."""
        return list(dict.fromkeys((*scope.directives, *self.site.directives)))

    def _find_misspelt(self, scope: Scope, name: str, text: str) -> None:
        """Warn where a page's HTML may mean an image that it declares, and does not show."""
        if f":{name}" not in text:
            return
        from mkdocs_qhaigc.directives.source_locations import misspelt_references

        if written := misspelt_references(text, name):
            scope.misread = True
            self.warnings.misspelt(scope.src_uri, scope.source, written)

    def _unknown_image(self, scope: Scope, name: str) -> ResolvedImage:
        self._warn_of_unknown(scope, name)
        size, _, _ = resolve_size(self._options.defaults.size, "", self._options.defaults)
        request = ImageRequest("", _absent(name), size)
        return self._images.stand_in(ImageJob(scope.where(name), name, request))

    def _card_address(self, scope: Scope, name: str, page_url: str) -> str:
        """Return the address of an image's card: absolute, but relative to the page if `site_url` is not set."""
        directive = scope.directives.get(name) or self.site.directives.get(name)
        if directive:
            label = self._label(scope, directive) if self._options.label.cards else ""
            file_name, request, card = directive.name, directive.request, Card(card_crop(directive), label)
        else:
            file_name, request, card = "missing", self._unknown_image(scope, name).job.request, Card()
        self._note_user(scope, request)
        self._images.want_card(request, card)
        dest_uri = self.files.card_address(file_name, request, card)
        return self.absolute(quote(dest_uri)) or relative_url(dest_uri, page_url)


def _absent(name: str) -> str:
    """Return the alternative text of an image that no directive declares, or none that can be used."""
    return f"There is no image {name} yet"


def page_crop(directive: Directive) -> Crop | None:
    """Return what pages show the images of a directive cropped to; `None` if they show them whole."""
    return Crop(*directive.ratio, directive.focus or CENTRE) if directive.ratio else None


def card_crop(directive: Directive) -> Crop | None:
    """Return what link previews show the image of a directive cropped to; `None` if they show it whole."""
    size = directive.crop
    if size is None and directive.ratio:
        size = CARD_WIDTH, max(1, round(CARD_WIDTH * directive.ratio[1] / directive.ratio[0]))
    return Crop(*size, directive.focus or CENTRE) if size else None


def _language_in(meta: Mapping[str, Any]) -> str:
    """Return the language that a page's front matter names; empty if it names none."""
    language = meta.get("lang")
    return language if isinstance(language, str) else ""


def image_tag(
    published: PublishedImage,
    *,
    page_url: str,
    alt: str | None,
    sizes: str,
    priority: bool = False,
    caption: str | None = None,
    label: str = "",
    colour: str | None = None,
    focus: tuple[int, int] | None = None,
    title: str | None = None,
) -> ImageTag:
    """Return an image as a page at `page_url` (relative to the site) shows it."""
    first = published.renditions[0].dest_uri
    length = first.rindex(published.stem) + len(published.stem)
    stem_url = relative_url(first[:length], page_url)  # nothing after it has to be escaped
    by_format: dict[str, list[tuple[str, int]]] = {}
    for dest_uri, spec in published.renditions:
        by_format.setdefault(spec.format, []).append((stem_url + dest_uri[length:], spec.width))
    sources = [FormatSource(MIME_TYPES[format_], tuple(urls)) for format_, urls in by_format.items()]
    return ImageTag(
        tuple(sources),
        published.width,
        published.height,
        alt,
        sizes,
        priority,
        caption,
        colour,
        label=label,
        title=title,
        focus=focus,
    )
