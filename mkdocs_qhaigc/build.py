"""One build of a site: which page declares what, what its references become, and what there is to say about it.

Knows pages only by what every engine gives them (`src_uri`, URL, front matter), so that each engine has a thin adapter.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, MutableMapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import quote, urljoin

from mkdocs_qhaigc import html
from mkdocs_qhaigc.directives import Directive, nearest, read_directives
from mkdocs_qhaigc.errors import MissingPictures, NoFurtherCalls
from mkdocs_qhaigc.front_matter import META_KEY, broken_front_matter, holds_reference, resolve_references
from mkdocs_qhaigc.img import Image, render_image
from mkdocs_qhaigc.options import Options
from mkdocs_qhaigc.orders import Order
from mkdocs_qhaigc.pipeline import Picture, Pipeline
from mkdocs_qhaigc.publication import Drawn, Publication, publish, relative_url
from mkdocs_qhaigc.request import ImageRequest

_NAMES_SHOWN = 12


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

    def where(self, name: str) -> str:
        """Return how messages call a picture of this page."""
        return f"{self.src_uri or 'mkdocs.yml'}#{name}"


@dataclass(frozen=True, slots=True)
class Emitted:
    """Markup that was written into a page before its pictures were there."""

    content: Any
    """The page: its `.content` holds the markup."""
    markup: str
    again: Callable[[], str]


class SiteBuild:
    """The state of one build."""

    def __init__(
        self, options: Options, pipeline: Pipeline, *, site_url: str | None, warn: Callable[[str], None]
    ) -> None:
        """`site_url`: the site's absolute address, for front matter. `warn` is told each message once."""
        self._options = options
        self._pipeline = pipeline
        self._site_url = site_url
        self._tell = warn
        self._told: set[str] = set()
        self._scopes: dict[str, Scope] = {}
        self._emitted: list[Emitted] = []
        self._meta_values: list[tuple[MutableMapping[str, Any], str, Callable[[], Any]]] = []
        self._published: dict[str, tuple[Publication, Picture]] = {}
        self._publications: dict[tuple[str, Drawn], Publication] = {}
        self._handed_out: set[str] = set()
        directives, _ = read_directives(options.images, options.defaults) if options.images else ({}, [])
        self._site = Scope("", directives)

    def read_page(self, page: Any, *, src_uri: str, url: str, text: str) -> None:
        """Take in a page's front matter: order its pictures, resolve its values that are references."""
        scope = self._scopes[src_uri] = self._read_scope(page.meta, src_uri)
        if META_KEY not in page.meta and (problem := broken_front_matter(text)):
            self._warn(f"{src_uri}, {problem}. Its pictures are not made; correct that line")
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
        if html.SCHEME in text:
            rewritten = html.rewrite(text, resolve)
            text = rewritten.html
            for value in rewritten.unread:
                self._warn(
                    f"{src_uri}: {value!r:.80} is no reference. Write `{html.SCHEME}` and a picture's name, no more"
                )
            for change in rewritten.changes if self._pipeline.under_way else ():
                self._emitted.append(Emitted(page, change.markup, partial(change.again, resolve)))
        for directive in reversed(placed):
            name = directive.name

            def markup(name: str = name) -> str:
                return f"<p>{render_image(resolve(name))}</p>"

            text = html.place(text, markup(), after_title=directive.place == "after-title")
            if self._pipeline.under_way:
                self._emitted.append(Emitted(page, markup(), markup))
        return text

    def settle(self, *, wait: bool) -> int:
        """Wait for the pictures, mend what was written before they came, and say what is missing.

        Return how many are still under way (none, if `wait`).

        Raises:
            MissingPictures: some are, in a build that was told never to buy any.
        """
        guessed = {stem: shown for stem, shown in self._published.items() if shown[1].state == "under way"}
        under_way = self._pipeline.settle(wait=wait)
        if guessed:
            self._published = {stem: shown for stem, shown in self._published.items() if stem not in guessed}
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
                f"{len(missing)} {_plural(len(missing), 'picture is', 'pictures are')} missing, and `missing: error` "
                f"forbids buying any:{names}\nBuild where it may buy them, and copy each picture with its record from "
                f"{self._options.cache_dir / 'originals'} to {self._options.pins_dir}; or correct the names"
            )
        may_be_under_way = self._options.missing == "generate"
        self._tell_of_missing([picture for picture in declared if picture.reason or not may_be_under_way])
        return under_way

    def files(self) -> dict[str, Path]:
        """Return the files that the site needs: place in the site -> where the bytes are."""
        for scope in (self._site, *self._scopes.values()):
            for name in [name for name in scope.directives if name not in scope.shown]:
                self._show(scope, name)
        return self.further_files()

    def further_files(self) -> dict[str, Path]:
        """Return the files that are needed since the last call: of names that only a template knows."""
        new = {stem: shown for stem, shown in self._published.items() if stem not in self._handed_out}
        self._handed_out.update(new)
        return self._pipeline.files(new.values())

    def summary(self) -> str | None:
        """Return the one line that says how many pictures came from where; None where the site has none."""
        states = [picture.state for picture in self._pipeline.pictures()]
        if not states:
            return None
        counts = [(states.count(state), state) for state in ("generated", "cached", "pinned")]
        said = [f"{count} {state}" for count, state in counts if count]
        missing = states.count("placeholder")
        if missing:
            said.append(f"{missing} {_plural(missing, 'placeholder', 'placeholders')}")
        total = f"{len(states)} {_plural(len(states), 'picture', 'pictures')}"
        return f"{total}{' of the sandbox' if self._options.sandboxed else ''}: {', '.join(said)}"

    def template_image(self, page: Any, name: str) -> str:
        """Return the whole HTML of a picture, for a template."""
        scope, url = self._scope_of(page)
        return render_image(self.image(scope, name, url))

    def template_url(self, page: Any, name: str) -> str:
        """Return the URL of a picture relative to the page, for a template."""
        scope, url = self._scope_of(page)
        return self.image(scope, name, url).url

    def image(self, scope: Scope, name: str, page_url: str) -> Image:
        """Return what a name stands for on a page."""
        publication, directive = self._show(scope, name)
        return publication.as_image(
            page_url=page_url,
            alt=directive.alt if directive else f"No picture is called {name}",
            sizes=self._options.sizes,
            priority=bool(directive and directive.priority),
        )

    def _read_scope(self, meta: Mapping[str, Any], src_uri: str) -> Scope:
        if META_KEY not in meta:
            return Scope(src_uri)
        directives, problems = read_directives(meta[META_KEY], self._options.defaults)
        for problem in problems:
            self._warn(f"{src_uri}, {problem}" if problem.name else f"{src_uri}: {problem}")
        scope = Scope(src_uri, directives, frozenset(problem.name for problem in problems if problem.name))
        self._want(scope)
        return scope

    def _want(self, scope: Scope) -> None:
        for name, directive in scope.directives.items():
            self._pipeline.want(Order(scope.where(name), name, directive.request))

    def _scope_of(self, page: Any) -> tuple[Scope, str]:
        if page is None:
            return self._site, ""
        return self._scopes.get(page.file.src_uri) or Scope(page.file.src_uri), page.url

    def _show(self, scope: Scope, name: str) -> tuple[Publication, Directive | None]:
        """Return the files that show a name on a page; those of a placeholder where it means nothing there."""
        directive = scope.directives.get(name) or self._site.directives.get(name)
        if directive:
            picture = self._pipeline.picture(directive.request)
        else:
            if name not in scope.broken:
                self._warn(self._unknown(scope, name))
            request = ImageRequest("", f"No picture is called {name}", self._options.defaults.size)
            picture = self._pipeline.stand_in(Order(scope.where(name), name, request))
        file_name = directive.name if directive else "missing"
        publication = self._publications.get((file_name, picture.drawn))
        if publication is None:
            publication = self._publish(file_name, picture)
            self._publications[file_name, picture.drawn] = publication
        self._published[publication.stem] = (publication, picture)
        scope.shown.add(name)
        return publication, directive

    def _publish(self, name: str, picture: Picture) -> Publication:
        return publish(
            name=name,
            key=picture.order.request.key,
            drawn=picture.drawn,
            encoding=self._options.encoding,
            assets_dir=self._options.assets_dir,
        )

    def _address(self, scope: Scope, name: str, page_url: str) -> str:
        """Return a picture's absolute address; the one relative to the page where the site has none."""
        publication, _ = self._show(scope, name)
        dest_uri = publication.variants[-1].dest_uri
        if self._site_url:
            return urljoin(self._site_url.rstrip("/") + "/", quote(dest_uri))
        return relative_url(dest_uri, page_url)

    def _mend(self, guessed: Mapping[str, tuple[Publication, Picture]]) -> None:
        """Write again what was written on the guess that each picture comes, and in the size that was asked for."""
        for emitted in self._emitted:
            markup = emitted.again()
            if markup != emitted.markup and emitted.content.content:
                emitted.content.content = emitted.content.content.replace(emitted.markup, markup)
        for meta, key, resolve in self._meta_values:
            meta[key] = resolve()
        stems = {
            stem: self._stem_now(publication, picture)
            for stem, (publication, picture) in guessed.items()
            if self._stem_now(publication, picture) != stem
        }
        for page in {id(emitted.content): emitted.content for emitted in self._emitted}.values():
            for stem, now in stems.items():  # where another plugin has repeated or rewritten the markup
                if page.content and stem in page.content:
                    page.content = page.content.replace(stem, now)

    def _stem_now(self, publication: Publication, picture: Picture) -> str:
        now = self._pipeline.picture(picture.order.request)
        return self._publish(publication.stem.rpartition("-")[0], now).stem

    def _tell_of_missing(self, missing: list[Picture]) -> None:
        common: dict[str, list[str]] = {}
        for picture in missing:
            if isinstance(picture.reason, NoFurtherCalls):
                common.setdefault(str(picture.reason), []).append(picture.order.where)
            elif picture.reason:
                self._warn(f"{picture.order.where}: {picture.reason}. A placeholder stands there")
            else:
                self._warn(
                    f"{picture.order.where}: the picture is not generated yet, and `missing: placeholder` "
                    "keeps it so. A placeholder stands there"
                )
        for reason, places in common.items():
            count = len(places)
            shown = ", ".join(places[:_NAMES_SHOWN]) + (" …" if count > _NAMES_SHOWN else "")
            self._warn(
                f"{count} {_plural(count, 'picture is a placeholder', 'pictures are placeholders')} ({shown}): {reason}"
            )

    def _unknown(self, scope: Scope, name: str) -> str:
        known = [
            *scope.directives,
            *(other for other in self._site.directives if other not in scope.directives),
        ]
        meant = nearest(name, known)
        names = ", ".join(known[:_NAMES_SHOWN]) or "none"
        advice = f"Did you mean {meant!r}? " if meant else ""
        return (
            f"{scope.src_uri or 'a template'}: there is no picture {name!r}. {advice}"
            f"Known on this page: {names}. Declare it under `{META_KEY}` in the front matter, or correct the reference"
        )

    def _warn(self, message: str) -> None:
        if message not in self._told:
            self._told.add(message)
            self._tell(message)


def _plural(count: int, one: str, many: str) -> str:
    return one if count == 1 else many
