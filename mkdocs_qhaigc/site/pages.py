"""The pages of a site while they are rendered: which names mean what on them, and what their references become.

Knows pages only by what every engine gives them (`src_uri`, URL, front matter), so that each engine has a thin adapter.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Mapping, MutableMapping
from functools import partial
from typing import Any, NamedTuple
from urllib.parse import quote, urljoin, urlsplit

from mkdocs_qhaigc.config.options import Options
from mkdocs_qhaigc.directives.front_matter import (
    META_KEY,
    broken_front_matter,
    holds_reference,
    is_misspelt_key,
    resolve_references,
)
from mkdocs_qhaigc.directives.model import Directive
from mkdocs_qhaigc.directives.parse import read_directives
from mkdocs_qhaigc.directives.request import ImageRequest
from mkdocs_qhaigc.generation.job import ImageJob
from mkdocs_qhaigc.html import rewrite as html
from mkdocs_qhaigc.html.image_tag import ImageTag, render_image
from mkdocs_qhaigc.imaging.renditions import relative_url
from mkdocs_qhaigc.site.publisher import Publisher, Shown
from mkdocs_qhaigc.site.resolved import ResolvedImage
from mkdocs_qhaigc.site.scope import Images, Scope
from mkdocs_qhaigc.site.warnings import Notices


class Emitted(NamedTuple):
    """Markup that was written into a page before its images were there."""

    content: Any
    """The page: its `.content` holds the markup."""
    markup: str
    again: Callable[[], str]


class Renderer:
    """The pages of one build."""

    def __init__(
        self,
        options: Options,
        images: Images,
        *,
        site_url: Callable[[], str | None],
        column: Callable[[Container[object]], str],
        warn: Callable[[str], None],
    ) -> None:
        """`site_url`: the site's absolute address, asked for when it is needed. `warn` is told each message once.

        `column` says how wide the text of a page is, from what its front matter says to `hide`.
        """
        self._options = options
        self._images = images
        self._site_url = site_url
        self._column = column
        self.notices = Notices(warn)
        self.publisher = Publisher(options)
        self.scopes: dict[str, Scope] = {}
        """By page: of those that were taken in."""
        self._order: list[str] = []
        """Pages as they were expected or taken in, some of them twice."""
        self.emitted: list[Emitted] = []
        self.meta_values: list[tuple[MutableMapping[str, Any], str, Callable[[], Any]]] = []
        """Front matter that holds addresses of images: where it is, under which name, and what makes it again."""
        self.users: dict[str, dict[str, None]] = {}
        """By key: the pages that show an image, in their order; an image of the whole site has all of them."""
        directives, _ = read_directives(options.images, options.defaults) if options.images else ({}, [])
        self.site = Scope("", directives, column=column(()))

    def expect_page(self, src_uri: str) -> None:
        """Keep a page's place in the order of the pages: it is taken in later, if at all."""
        self._order.append(src_uri)

    def read_page(self, page: Any, *, src_uri: str, url: str, text: str, source: Callable[[], str]) -> None:
        """Take in a page's front matter: order its images, resolve its values that are references.

        `text` is its Markdown; `source` gives the whole file, front matter included, for messages.
        """
        scope = self._read_scope(page.meta, src_uri)
        scope.source = source
        if META_KEY not in page.meta and (problem := broken_front_matter(text)):
            self.notices.directive(f"{src_uri}, {problem}. Its images are not made; correct that line")
        for key in [key for key in page.meta if is_misspelt_key(key)]:
            self.notices.misspelt_key(src_uri, source, key)
        for key in [key for key, value in page.meta.items() if key != META_KEY and holds_reference(value)]:
            resolve = partial(resolve_references, page.meta[key], partial(self._address, scope, page_url=url))
            page.meta[key] = resolve()
            self.meta_values.append((page.meta, key, resolve))

    def want_shared_images(self) -> None:
        """Order the images that the options declare for the whole site."""
        self._want(self.site)

    def note_references(self, src_uri: str, text: str) -> None:
        """Note that a page shows images, from its file alone: what it places, and what reads as a reference."""
        from mkdocs_qhaigc.directives.lines import places  # where pages are rendered, that tells it

        scope = self.scopes[src_uri]
        placed = [name for name, directive in scope.directives.items() if directive.place != "none"]
        for name in dict.fromkeys((*placed, *(name for _, _, name in html.references_in(text)))):
            directive = scope.directives.get(name) or self.site.directives.get(name)
            for _, request in directive.requests if directive else ():
                self._note_user(scope, self._images.image(request))
            if directive and directive.alt is None and name in placed:
                self.notices.image_without_alt(src_uri, scope.source, name)
        self.notices.look_at_source(src_uri, text)
        without_alt = []
        for place in places(text):
            directive = scope.directives.get(place.name) or self.site.directives.get(place.name)
            if place.is_image and directive is None and "{" not in place.name:  # which a plugin may fill in
                self._tell_unknown(scope, place.name)
            elif place.is_image and directive and directive.alt is None and place.described is False:
                without_alt.append(place.name)
        self.notices.references_without_alt(src_uri, scope.source, without_alt)

    def look_at_sources(self) -> None:
        """Tell what the files of the pages show, and neither their front matter nor their HTML."""
        for scope in self.in_order():
            self.notices.look_at_source(scope.src_uri, scope.source())

    def render(self, page: Any, text: str, *, src_uri: str, url: str, shown_at: str) -> str:
        """Return a page's HTML with its references resolved and its placed images put in.

        `url` is the page's own; `shown_at` that of the page on which the HTML will stand: an excerpt's is another.
        """
        scope = self._scope_to_render(page, src_uri)
        placed = [directive for directive in scope.directives.values() if directive.place != "none"]
        elsewhere = shown_at != url  # an excerpt among others
        main_shown = elsewhere or any(directive.priority for directive in placed)
        text = self._resolve(page, scope, shown_at, text, main_shown=main_shown)
        for name, directive in () if elsewhere else scope.directives.items():
            if name not in scope.shown and directive.place == "none":
                self._look_for(scope, name, text)
        for directive in reversed(placed):
            name = directive.name

            def markup(name: str = name) -> str:
                image = self.image(scope, name, shown_at)
                shown = render_image(image.among_others() if elsewhere else image)
                return shown if image.caption is not None else f"<p>{shown}</p>"

            if directive.alt is None:
                self.notices.image_without_alt(scope.src_uri, scope.source, name)
            after_title = directive.place == "after-title"
            text = html.place(text, markup(), after_title=after_title, excerpt=elsewhere)
            if self._images.under_way:
                self.emitted.append(Emitted(page, markup(), markup))
        return text

    def render_added(self, page: Any, text: str, *, src_uri: str, url: str) -> str:
        """Return a page's HTML with the references resolved that others have added since it was rendered."""
        return self._resolve(page, self._scope_to_render(page, src_uri), url, text, main_shown=True)

    def image(self, scope: Scope, name: str, page_url: str) -> ImageTag:
        """Return what a name stands for on a page."""
        directive, shown = self._show(scope, name)
        for one in shown:
            self._note_user(scope, one.image)
        sizes = (directive and directive.sizes) or self._options.sizes or scope.column
        images = [
            one.publication.as_image(
                page_url=page_url,
                alt=directive.alt if directive else f"No image is called {name}",
                sizes=sizes,
                priority=bool(directive and directive.priority),
                caption=directive.caption if directive else None,
                colour=one.image.colour,
            )
            for one in shown
        ]
        return images[0]._replace(dark=images[1]) if len(images) > 1 else images[0]

    @property
    def order(self) -> dict[str, int]:
        """The pages that were expected or taken in: the number of each."""
        return {src_uri: number for number, src_uri in enumerate(dict.fromkeys(self._order))}

    def in_order(self) -> list[Scope]:
        """Return the scopes of the pages that were taken in, in the order of the pages."""
        return [self.scopes[src_uri] for src_uri in self.order if src_uri in self.scopes]

    def scope_of(self, src_uri: str, meta: Mapping[str, Any]) -> Scope:
        """Return the scope of a page, and one without names for a page that was not taken in."""
        return self.scopes.get(src_uri) or Scope(src_uri, column=self._width(meta))

    @property
    def root(self) -> str:
        """The path of the site itself, for pages that are served at any address."""
        return urlsplit(self._site_url() or "").path.rstrip("/") + "/"

    def absolute(self, url: str) -> str | None:
        """Return the absolute address of a URL that is relative to the site; None where the site has none."""
        site_url = self._site_url()
        return urljoin(site_url.rstrip("/") + "/", url) if site_url else None

    def show_declared(self) -> None:
        """Have the files of what is declared, whether or not a page refers to it."""
        for scope in (self.site, *self.in_order()):
            for name in [name for name in scope.directives if name not in scope.shown]:
                self._show(scope, name)

    def _read_scope(self, meta: Mapping[str, Any], src_uri: str) -> Scope:
        self._order.append(src_uri)
        wide = self._width(meta)
        if META_KEY not in meta:
            scope = self.scopes[src_uri] = Scope(src_uri, column=wide)
            return scope
        directives, problems = read_directives(meta[META_KEY], self._options.defaults)
        for problem in problems:
            self.notices.directive(f"{src_uri}, {problem}" if problem.name else f"{src_uri}: {problem}")
        broken = frozenset(problem.name for problem in problems if problem.name)
        scope = self.scopes[src_uri] = Scope(src_uri, directives, broken, column=wide)
        self._want(scope)
        return scope

    def _width(self, meta: Mapping[str, Any]) -> str:
        hidden = meta.get("hide")
        return self._column(hidden if isinstance(hidden, list) else ())

    def _scope_to_render(self, page: Any, src_uri: str) -> Scope:
        if src_uri not in self.scopes:  # rendered without its events: by another plugin, or a page that has no file
            self._read_scope(page.meta, src_uri)
        return self.scopes[src_uri]

    def _resolve(self, page: Any, scope: Scope, url: str, text: str, *, main_shown: bool) -> str:
        """Return a page's HTML with its references resolved."""
        if html.SCHEME not in text:
            return text

        def resolve(name: str) -> ImageTag:
            return self.image(scope, name, url)

        rewritten = html.rewrite(text, resolve, main_shown=main_shown)
        if rewritten.unread or rewritten.without_alt:
            self.notices.unread(scope.src_uri, rewritten.unread)
            self.notices.references_without_alt(scope.src_uri, scope.source, rewritten.without_alt)
        for change in rewritten.changes if self._images.under_way else ():
            self.emitted.append(Emitted(page, change.markup, partial(change.again, resolve)))
        return rewritten.html

    def _want(self, scope: Scope) -> None:
        for name, directive in scope.directives.items():
            for file_name, request in directive.requests:
                where = scope.where(name) + (" (dark)" if request is directive.dark else "")
                self._images.want(ImageJob(where, file_name, request))

    def _show(self, scope: Scope, name: str) -> tuple[Directive | None, list[Shown]]:
        """Return what shows a name on a page, the dark image last; a placeholder where it means nothing there."""
        directive = scope.directives.get(name) or self.site.directives.get(name)
        if directive:
            images = [(stem, self._images.image(request)) for stem, request in directive.requests]
        else:
            images = [("missing", self._unknown_image(scope, name))]
        scope.shown.add(name)
        return directive, [self.publisher.show(stem, image) for stem, image in images]

    def _note_user(self, scope: Scope, image: ResolvedImage) -> None:
        self.users.setdefault(image.order.request.key, {})[scope.src_uri] = None

    def _tell_unknown(self, scope: Scope, name: str) -> None:
        if name not in scope.broken:
            others = [other for other in self.site.directives if other not in scope.directives]
            self.notices.unknown(scope.src_uri, scope.source, name, [*scope.directives, *others])

    def _look_for(self, scope: Scope, name: str, text: str) -> None:
        """Tell where an image that a page declares, and does not show, may be meant in its HTML."""
        if f":{name}" not in text:
            return
        from mkdocs_qhaigc.directives.slips import misspelt_references

        if written := misspelt_references(text, name):
            self.notices.misspelt(scope.src_uri, scope.source, written)

    def _unknown_image(self, scope: Scope, name: str) -> ResolvedImage:
        self._tell_unknown(scope, name)
        request = ImageRequest("", f"No image is called {name}", self._options.defaults.size)
        return self._images.stand_in(ImageJob(scope.where(name), name, request))

    def _address(self, scope: Scope, name: str, page_url: str) -> str:
        """Return the absolute address of an image's card; the one relative to the page where the site has none."""
        directive = scope.directives.get(name) or self.site.directives.get(name)
        crop = directive.crop if directive else None
        image = self._images.image(directive.request) if directive else self._unknown_image(scope, name)
        self._note_user(scope, image)
        file_name = directive.name if directive else "missing"
        self._images.want_card(file_name, image.order.request, crop)
        card = self.publisher.show_card(file_name, image, crop)
        dest_uri = card.publication.variants[-1].dest_uri
        return self.absolute(quote(dest_uri)) or relative_url(dest_uri, page_url)
