"""One build of a site: which page declares what, what its references become, and what there is to say about it.

Knows pages only by what every engine gives them (`src_uri`, URL, front matter), so that each engine has a thin adapter.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Iterable, Mapping, MutableMapping
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import quote, urljoin, urlsplit

from mkdocs_qhaigc import html
from mkdocs_qhaigc.columns import UNKNOWN
from mkdocs_qhaigc.directives import Directive, read_directives
from mkdocs_qhaigc.errors import MissingPictures
from mkdocs_qhaigc.front_matter import META_KEY, broken_front_matter, holds_reference, resolve_references
from mkdocs_qhaigc.img import Image, render_image
from mkdocs_qhaigc.notices import Kind, Notices, plural
from mkdocs_qhaigc.options import Options
from mkdocs_qhaigc.orders import Order
from mkdocs_qhaigc.pipeline import Picture, Pipeline
from mkdocs_qhaigc.publication import relative_url
from mkdocs_qhaigc.publisher import Publisher, Shown
from mkdocs_qhaigc.request import ImageRequest

if TYPE_CHECKING:
    from mkdocs_qhaigc.gallery_page import Link
    from mkdocs_qhaigc.survey import Declared


@dataclass(slots=True)
class Scope:
    """The names that mean something on one page."""

    src_uri: str
    """As MkDocs names the page; empty for the site itself."""
    directives: Mapping[str, Directive] = field(default_factory=dict)
    broken: frozenset[str] = frozenset()
    """Names whose directives cannot be used, of which was told already."""
    shown: set[str] = field(default_factory=set)
    """Names whose files are known to be needed."""
    column: str = UNKNOWN
    """`sizes` of a picture as wide as the page's text."""
    source: Callable[[], str] = str
    """The page as its file has it, for messages."""

    def where(self, name: str) -> str:
        """Return how messages call a picture of this page."""
        return f"{self.src_uri or 'mkdocs.yml'}#{name}"


class Emitted(NamedTuple):
    """Markup that was written into a page before its pictures were there."""

    content: Any
    """The page: its `.content` holds the markup."""
    markup: str
    again: Callable[[], str]


class SiteBuild:
    """The state of one build."""

    def __init__(
        self,
        options: Options,
        pipeline: Pipeline,
        *,
        site_url: str | None,
        column: Callable[[Container[object]], str],
        warn: Callable[[str], None],
    ) -> None:
        """`site_url`: the site's absolute address, for front matter. `warn` is told each message once.

        `column` says how wide the text of a page is, from what its front matter says to `hide`.
        """
        self._options = options
        self._pipeline = pipeline
        self._site_url = site_url
        self._column = column
        self._notices = Notices(warn)
        self._scopes: dict[str, Scope] = {}
        self._emitted: list[Emitted] = []
        self._meta_values: list[tuple[MutableMapping[str, Any], str, Callable[[], Any]]] = []
        self._publisher = Publisher(options)
        self._users: dict[str, dict[str, None]] = {}
        """By key: the pages that show a picture, in their order; a picture of the whole site has all of them."""
        directives, _ = read_directives(options.images, options.defaults) if options.images else ({}, [])
        self._site = Scope("", directives, column=column(()))

    def read_page(self, page: Any, *, src_uri: str, url: str, text: str, source: Callable[[], str]) -> None:
        """Take in a page's front matter: order its pictures, resolve its values that are references.

        `text` is its Markdown; `source` gives the whole file, front matter included, for messages.
        """
        scope = self._scopes[src_uri] = self._read_scope(page.meta, src_uri)
        scope.source = source
        if META_KEY not in page.meta and (problem := broken_front_matter(text)):
            self._notices.directive(f"{src_uri}, {problem}. Its pictures are not made; correct that line")
        for key, value in list(page.meta.items()):
            if key != META_KEY and holds_reference(value):
                resolve = partial(resolve_references, value, partial(self._address, scope, page_url=url))
                page.meta[key] = resolve()
                self._meta_values.append((page.meta, key, resolve))

    def want_shared_pictures(self) -> None:
        """Order the pictures that the options declare for the whole site."""
        self._want(self._site)

    def render(self, page: Any, url: str, text: str) -> str:
        """Return a page's HTML with its references resolved and its placed pictures put in."""
        src_uri = page.file.src_uri
        scope = self._scopes.get(src_uri)
        if scope is None:  # rendered without its events: by another plugin, or a page that has no file
            scope = self._scopes[src_uri] = self._read_scope(page.meta, src_uri)

        def resolve(name: str) -> Image:
            return self.image(scope, name, url)

        placed = [directive for directive in scope.directives.values() if directive.place != "none"]
        elsewhere = url != page.file.url  # an excerpt among others
        main_shown = elsewhere or any(directive.priority for directive in placed)
        if html.SCHEME in text:
            rewritten = html.rewrite(text, resolve, main_shown=main_shown)
            text = rewritten.html
            self._notices.unread(src_uri, rewritten.unread)
            self._notices.references_without_alt(src_uri, scope.source, rewritten.without_alt)
            for change in rewritten.changes if self._pipeline.under_way else ():
                self._emitted.append(Emitted(page, change.markup, partial(change.again, resolve)))
        for directive in reversed(placed):
            name = directive.name

            def markup(name: str = name) -> str:
                image = resolve(name)
                shown = render_image(replace(image, priority=False) if elsewhere else image)
                return shown if image.caption is not None else f"<p>{shown}</p>"

            if directive.alt is None:
                self._notices.picture_without_alt(scope.src_uri, scope.source, name)
            after_title = directive.place == "after-title"
            text = html.place(text, markup(), after_title=after_title, excerpt=elsewhere)
            if self._pipeline.under_way:
                self._emitted.append(Emitted(page, markup(), markup))
        return text

    def settle(self, *, wait: bool) -> int:
        """Wait for the pictures, mend what was written before they came, and say what is missing.

        Return how many are still under way (none, if `wait`).

        Raises:
            MissingPictures: some are, in a build that was told never to buy any.
        """
        under_way = self._pipeline.settle(wait=wait)
        guessed = self._publisher.take_back_guesses()
        if guessed:
            for scope in self._scopes.values():
                scope.shown.clear()
            self._mend(guessed)
        missing = [picture for picture in self._pipeline.pictures() if picture.state == "placeholder"]
        declared = [picture for picture in missing if picture.order.request.model]
        if self._options.missing == "error" and self._pipeline.damaged_pins():
            damage = "".join(f"\n  {message}" for message in self._pipeline.damaged_pins())
            raise MissingPictures(f"committed pictures are damaged, and `missing: error` accepts no others:{damage}")
        if self._options.missing == "error" and missing:
            names = "".join(f"\n  {picture.order.where}" for picture in missing)
            raise MissingPictures(
                f"{len(missing)} {plural(len(missing), 'picture is', 'pictures are')} missing, and `missing: error` "
                f"forbids buying any:{names}\nRun `mkdocs-qhaigc generate` and `mkdocs-qhaigc pin` where they may be "
                f"bought, and commit {self._options.pins_dir}; or correct the names"
            )
        may_be_under_way = self._options.missing == "generate"
        self._notices.missing([picture for picture in declared if picture.reason or not may_be_under_way])
        return under_way

    def files(self) -> dict[str, Path]:
        """Return the files that the site needs: place in the site -> where the bytes are."""
        for scope in (self._site, *self._scopes.values()):
            for name in [name for name in scope.directives if name not in scope.shown]:
                self._show(scope, name)
        return self.further_files()

    def further_files(self) -> dict[str, Path]:
        """Return the files that are needed since the last call: of names that only a template knows."""
        return self._pipeline.files(self._publisher.hand_out())

    def declared(self) -> list[Declared]:
        """Return every picture that the site declares, in its order, and what is known of it."""
        from mkdocs_qhaigc.survey import Declared  # as below: most builds are not asked for it

        return [
            Declared(
                page=scope.src_uri,
                name=directive.name,
                dark=request is directive.dark,
                request=request,
                picture=self._pipeline.picture(request),
                users=tuple(self._users.get(request.key, ())),
            )
            for scope in (self._site, *self._scopes.values())
            for directive in scope.directives.values()
            for _, request in directive.requests
        ]

    @property
    def told(self) -> Mapping[str, Kind]:
        """Every notice of this build, and what it is about."""
        return self._notices.kinds

    def gallery(self, *, page_url: str, link: Link) -> str:
        """Return the gallery of the site's pictures for the page at `page_url`. For a build that has settled."""
        from mkdocs_qhaigc.gallery import collect
        from mkdocs_qhaigc.gallery_page import SIZES, render_gallery

        pictures = []
        for collected in collect(self.declared()):
            one = collected.first
            directive = (self._scopes[one.page] if one.page else self._site).directives[one.name]
            shown = self._publisher.show(f"{one.name}-dark" if one.dark else one.name, one.picture)
            alt = directive.alt or one.where
            image = shown.publication.as_image(page_url=page_url, alt=alt, sizes=SIZES, colour=shown.colour)
            pictures.append((collected, image))
        return render_gallery(pictures, page_url=page_url, assets_dir=self._options.assets_dir, link=link)

    def report(self, warnings: Iterable[str]) -> dict[str, Any]:
        """Return what was done for each picture; `warnings` are all that the build told."""
        from mkdocs_qhaigc.report import Reported, as_report

        return as_report(
            [
                Reported(one, self._pipeline.effort(one.request), self._notices.about(self._subjects(one)))
                for one in self.declared()
            ],
            warnings=warnings,
        )

    def summary(self) -> str | None:
        """Return the one line that says how many pictures came from where; None where the site has none."""
        pictures = self._pipeline.pictures()
        states = [picture.state for picture in pictures]
        if not states:
            return None
        counts = [(states.count(state), state) for state in ("generated", "cached", "pinned")]
        said = [f"{count} {state}" for count, state in counts if count]
        bought = [picture.order.request for picture in pictures if picture.state == "generated"]
        if bought and (cost := self._options.cost(bought)):
            said[0] += f" for {cost}"
        missing = states.count("placeholder")
        if missing:
            said.append(f"{missing} {plural(missing, 'placeholder', 'placeholders')}")
        total = f"{len(states)} {plural(len(states), 'picture', 'pictures')}"
        return f"{total}{' of the sandbox' if self._options.sandboxed else ''}: {', '.join(said)}"

    def template_image(self, page: Any, name: str) -> str:
        """Return the whole HTML of a picture, for a template."""
        scope, url = self._scope_of(page)
        image = self.image(scope, name, url)
        if image.alt is None:
            own = scope if name in scope.directives else self._site
            self._notices.picture_without_alt(own.src_uri, own.source, name)
        return render_image(image)

    def template_url(self, page: Any, name: str) -> str:
        """Return the URL of a picture relative to the page, for a template."""
        scope, url = self._scope_of(page)
        return self.image(scope, name, url).url

    def image(self, scope: Scope, name: str, page_url: str) -> Image:
        """Return what a name stands for on a page."""
        directive, shown = self._show(scope, name)
        for one in shown:
            self._note_user(scope, one.picture)
        sizes = (directive and directive.sizes) or self._options.sizes or scope.column
        images = [
            one.publication.as_image(
                page_url=page_url,
                alt=directive.alt if directive else f"No picture is called {name}",
                sizes=sizes,
                priority=bool(directive and directive.priority),
                caption=directive.caption if directive else None,
                colour=one.colour,
            )
            for one in shown
        ]
        return replace(images[0], dark=images[1]) if len(images) > 1 else images[0]

    def _read_scope(self, meta: Mapping[str, Any], src_uri: str) -> Scope:
        hidden = meta.get("hide")
        wide = self._column(hidden if isinstance(hidden, list) else ())
        if META_KEY not in meta:
            return Scope(src_uri, column=wide)
        directives, problems = read_directives(meta[META_KEY], self._options.defaults)
        for problem in problems:
            self._notices.directive(f"{src_uri}, {problem}" if problem.name else f"{src_uri}: {problem}")
        broken = frozenset(problem.name for problem in problems if problem.name)
        scope = Scope(src_uri, directives, broken, column=wide)
        self._want(scope)
        return scope

    def _want(self, scope: Scope) -> None:
        for name, directive in scope.directives.items():
            for file_name, request in directive.requests:
                where = scope.where(name) + (" (dark)" if request is directive.dark else "")
                self._pipeline.want(Order(where, file_name, request))

    def _subjects(self, one: Declared) -> set[str]:
        """Return what messages about a picture are known by: its key, and where it is referred to."""
        if one.dark:
            return {one.request.key}
        if one.page:
            return {one.request.key, one.where}
        users = [
            page for page in one.users if page not in self._scopes or one.name not in self._scopes[page].directives
        ]
        return {one.request.key, one.where, *(f"{page}#{one.name}" for page in users)}

    def _scope_of(self, page: Any) -> tuple[Scope, str]:
        if page is None:  # the 404 page, say, which is served at any address
            return self._site, urlsplit(self._site_url or "").path.rstrip("/") + "/"
        return self._scopes.get(page.file.src_uri) or Scope(page.file.src_uri), page.url

    def _show(self, scope: Scope, name: str) -> tuple[Directive | None, list[Shown]]:
        """Return what shows a name on a page, the dark picture last; a placeholder where it means nothing there."""
        directive = scope.directives.get(name) or self._site.directives.get(name)
        if directive:
            pictures = [(stem, self._pipeline.picture(request)) for stem, request in directive.requests]
        else:
            pictures = [("missing", self._unknown_picture(scope, name))]
        scope.shown.add(name)
        return directive, [self._publisher.show(stem, picture) for stem, picture in pictures]

    def _note_user(self, scope: Scope, picture: Picture) -> None:
        self._users.setdefault(picture.order.request.key, {})[scope.src_uri] = None

    def _unknown_picture(self, scope: Scope, name: str) -> Picture:
        if name not in scope.broken:
            others = [other for other in self._site.directives if other not in scope.directives]
            self._notices.unknown(scope.src_uri, name, [*scope.directives, *others])
        request = ImageRequest("", f"No picture is called {name}", self._options.defaults.size)
        return self._pipeline.stand_in(Order(scope.where(name), name, request))

    def _address(self, scope: Scope, name: str, page_url: str) -> str:
        """Return the absolute address of a picture's card; the one relative to the page where the site has none."""
        directive = scope.directives.get(name) or self._site.directives.get(name)
        crop = directive.crop if directive else None
        picture = self._pipeline.picture(directive.request) if directive else self._unknown_picture(scope, name)
        self._note_user(scope, picture)
        self._pipeline.want_card(picture.order.request, crop)
        file_name = directive.name if directive else "missing"
        card = self._publisher.show_card(file_name, picture, crop)
        dest_uri = card.publication.variants[-1].dest_uri
        if self._site_url:
            return urljoin(self._site_url.rstrip("/") + "/", quote(dest_uri))
        return relative_url(dest_uri, page_url)

    def _mend(self, guessed: Mapping[str, Shown]) -> None:
        """Write again what was written on the guess that each picture comes, and in the size that was asked for."""
        from mkdocs_qhaigc.mending import mend  # a warm build guesses nothing

        changes: dict[int, list[tuple[str, str]]] = {}
        pages = {id(emitted.content): emitted.content for emitted in self._emitted}
        for emitted in self._emitted:
            markup = emitted.again()
            if markup != emitted.markup:
                changes.setdefault(id(emitted.content), []).append((emitted.markup, markup))
        for meta, key, resolve in self._meta_values:
            meta[key] = resolve()
        now = {
            stem: shown.publish(self._pipeline.picture(shown.picture.order.request)).stem
            for stem, shown in guessed.items()
        }
        for page in pages.values():
            if page.content:
                page.content = mend(page.content, changes.get(id(page), ()))
                for stem, right in now.items():  # in what another plugin has made of the markup
                    if stem != right:
                        page.content = page.content.replace(quote(stem), quote(right)).replace(stem, right)
