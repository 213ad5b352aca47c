"""The site as a studio sees it: its images by page and address, and each as the file of its page declares it now."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import unquote

from mkdocs_qhaigc.directives.directive import Directive
from mkdocs_qhaigc.directives.request import ImageRequest
from mkdocs_qhaigc.errors import EditError
from mkdocs_qhaigc.site.survey import Survey, SurveyEntry
from mkdocs_qhaigc.studio.editing import PageFiles
from mkdocs_qhaigc.studio.host_interface import Host
from mkdocs_qhaigc.studio.image_fields import Declared
from mkdocs_qhaigc.studio.problem import Problem

if TYPE_CHECKING:
    from mkdocs_qhaigc.site.image_pipeline import WantedFile

_LONGEST_ID = 2_000
"""Characters of an image's id that a browser may send."""
_JUST_NOW = 50_000_000
"""Nanoseconds by which a file's time of writing may be behind the clock."""


@dataclass(frozen=True, slots=True)
class SeenSite:
    """The site as its last build has seen it."""

    survey: Survey
    by_id: dict[str, SurveyEntry]
    by_page: dict[str, list[SurveyEntry]]
    """By page: the images that it declares or shows."""
    urls: Mapping[str, str]
    """By page: its address in the site, as far as it is known."""
    files: Mapping[str, Sequence[str]]
    """By key: the places in the site of an image's files."""
    pages: Mapping[str, str]
    """By the address of a page, as `_plain_url` has it: its `src_uri`."""

    def entry(self, identity: object) -> SurveyEntry:
        """Return the image of an id.

        Raises:
            Problem: there is none.
        """
        entry = self.by_id.get(identity) if isinstance(identity, str) and len(identity) <= _LONGEST_ID else None
        if entry is None:
            named = f" {identity:.80}" if isinstance(identity, str) else ""
            raise Problem(404, "unknown", f"the site has no image{named} any more. Reload the page")
        return entry

    def page_at(self, path: str) -> str | None:
        """Return the page at an address; `None` if it is not known."""
        return self.pages.get(_plain_url(path))

    def url(self, src_uri: str) -> str:
        """Return the address of a page, without the path under which the site is served."""
        known = self.urls.get(src_uri)
        if known is None:
            usual = _usual_urls(src_uri)[0]
            known = f"{usual}/" if usual else ""
        return f"/{known.removeprefix('./')}" if known != "." else "/"


class DeclaredImages:
    """The images of a site as their pages declare them now. Safe to use from several threads."""

    def __init__(self, host: Host) -> None:
        self._host = host
        self._lock = threading.Lock()
        """Held for moments."""
        self.last: SeenSite | None = None
        """The site as it was seen last."""
        self._pages = PageFiles()
        self._written: dict[str, str] = {}
        """By page: the version of its file that the studio has written."""

    def now(self) -> SeenSite:
        """Return the site as its last build has seen it."""
        survey = self._host.survey()
        site = self.last
        if site is None or site.survey is not survey:
            site = _read(survey, self._host.urls(), self._host.wanted())
            self._pages.renew(survey.options.defaults)
            self.last = site
        return site

    def declared(self, entry: SurveyEntry, site: SeenSite) -> Declared:
        """Return an image as the file of its page declares it now."""
        options = site.survey.options
        if not entry.page:
            why = "The option `images` declares it. Change it in the site's configuration, under `images`"
            return Declared(entry, entry.directive, entry.request, None, f"{why}, `{entry.name}`")
        try:
            page = self._pages.read(
                entry.page, docs_dir=site.survey.docs_dir, folder=options.folder, defaults=options.defaults
            )
        except EditError as error:
            return Declared(
                entry, entry.directive, entry.request, None, f"{error}. Change the image where it is declared"
            )
        directive = page.directives.get(entry.name)
        request = request_of(directive, dark=entry.dark) if directive else None
        if directive and request:
            with self._lock:
                is_ours = self._written.get(entry.page) == page.version
            is_later = is_ours or page.written_at > site.survey.begun_at - _JUST_NOW
            if request == entry.request or is_later:
                return Declared(entry, directive, request, page, None)
        why = f"{page.shown} does not declare it as the site shows it: another file or a plugin does"
        return Declared(entry, entry.directive, entry.request, None, f"{why}. Change it there")

    def editable(self, entry: SurveyEntry, site: SeenSite) -> Declared:
        """Return an image that can be edited here.

        Raises:
            Problem: it cannot.
        """
        one = self.declared(entry, site)
        if one.by_hand or one.page is None:
            raise Problem(422, "edit", f"{entry.title} cannot be edited here. {one.by_hand}")
        return one

    def note_written(self, src_uri: str, version: str) -> None:
        """Note that the studio has written the file of a page."""
        with self._lock:
            self._written[src_uri] = version

    def written_pages(self) -> set[str]:
        """Return the pages that the studio has written."""
        with self._lock:
            return set(self._written)


def request_of(directive: Directive, *, dark: bool) -> ImageRequest | None:
    """Return the request of a directive's light or dark image; `None` if it has no dark one."""
    return directive.dark if dark else directive.request


def _read(survey: Survey, urls: Mapping[str, str], wanted: Mapping[str, WantedFile]) -> SeenSite:
    by_id: dict[str, SurveyEntry] = {}
    by_page: dict[str, list[SurveyEntry]] = {}
    for entry in sorted(survey.entries, key=lambda entry: entry.dark):
        by_id.setdefault(entry.target, entry)  # an image `hero-dark` is before the dark one of `hero`
    own = {(entry.page, entry.name) for entry in survey.entries}
    for entry in survey.entries:
        for page in (entry.page,) if entry.page else entry.users:
            if entry.page or (page, entry.name) not in own:  # a page's own name wins
                by_page.setdefault(page, []).append(entry)
    pages = {_plain_url(url): src_uri for src_uri, url in urls.items()}
    for src_uri in by_page.keys() - urls.keys():
        for url in _usual_urls(src_uri):
            pages.setdefault(url, src_uri)
    files: dict[str, list[str]] = {}
    for dest_uri, file in wanted.items():
        files.setdefault(file.request.key, []).append(dest_uri)
    return SeenSite(survey, by_id, by_page, dict(urls), files, pages)


def _plain_url(path: str) -> str:
    """Return the path of a page as it is compared: `guide/start` for `/guide/start/` and `guide/start/index.html`."""
    plain_path = unquote(path).removeprefix("/").removeprefix("./")
    if plain_path.rpartition("/")[2] == "index.html":
        plain_path = plain_path[: -len("index.html")]
    return plain_path.rstrip("/")


def _usual_urls(src_uri: str) -> tuple[str, ...]:
    """Return the addresses that a page may have, with and without folders of their own, as they are compared."""
    stem = src_uri.rpartition(".")[0]
    folder, _, name = stem.rpartition("/")
    return (folder,) if name in ("index", "README") else (stem, f"{stem}.html")
