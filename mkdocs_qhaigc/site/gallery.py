"""The gallery: every image of a site with its prompt, its state and the pages that show it.

Of two forms: a contact sheet that opens from the disk, with links to the stored images, and a page of the site. On that
page an image is there or missing: where it is stored is of no use to readers, and would change the page's bytes from
one machine to another.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote

from mkdocs_qhaigc._util.files import atomic_write
from mkdocs_qhaigc._util.text import plural
from mkdocs_qhaigc.assets import asset
from mkdocs_qhaigc.directives.sizes import sides_of
from mkdocs_qhaigc.html.image_tag import ImageTag, render_image
from mkdocs_qhaigc.imaging.plan_published_files import relative_url
from mkdocs_qhaigc.site.page_rendering import image_tag, page_crop
from mkdocs_qhaigc.site.survey import Survey, SurveyEntry

if TYPE_CHECKING:
    from mkdocs_qhaigc.site.build import SiteBuild
    from mkdocs_qhaigc.site.contact_sheet import Card
    from mkdocs_qhaigc.store.record import StoredImage

MARKER = "<!-- qhaigc-gallery -->"
"""The place of the gallery in a page that an author wrote; without it, the gallery is at the page's end."""
NEW_PAGE = asset("gallery.md")
"""The page for a site whose author wrote none: a file, because other plugins ask for the path of a page's source."""
STYLE, SCRIPT = asset("gallery.css"), asset("find.js")
"""The files that the page needs beside its images; they are in `assets_dir`."""
SIZES = "(min-width: 45em) 18em, 100vw"
"""The attribute `sizes` of its images."""
_NO_BREAK = "\N{NO-BREAK SPACE}"

Link = Callable[[str], tuple[str, str] | None]
"""Returns the title and URL (relative to the site) of a page by its `src_uri`; `None` if it has none."""


@dataclass(frozen=True, slots=True)
class Collected:
    """One image with all entries that declare it."""

    entries: tuple[SurveyEntry, ...]
    """More than one if it is declared elsewhere, or under another name, with the same request."""

    @property
    def first(self) -> SurveyEntry:
        """The entry whose name the image has here."""
        return self.entries[0]

    @property
    def pages(self) -> tuple[str, ...]:
        """The pages that show it, under any name."""
        return tuple(dict.fromkeys(page for entry in self.entries for page in entry.users))


def collect(entries: Iterable[SurveyEntry]) -> list[Collected]:
    """Return every image once, in the site's order."""
    by_key: dict[str, list[SurveyEntry]] = {}
    for entry in entries:
        by_key.setdefault(entry.request.key, []).append(entry)
    return [Collected(tuple(each)) for each in by_key.values()]


# The contact sheet


def write_gallery(survey: Survey, file: Path) -> None:
    """Write the contact sheet of a site's images; the stored images are linked where they are.

    Raises:
        OSError: the file cannot be written.
    """
    from mkdocs_qhaigc.site.contact_sheet import render_sheet  # the page of the site needs none, as below

    images = collect(survey.entries)
    cards = [card_of(collected, folder=file.parent, addresses=survey.addresses) for collected in images]
    intro = totals(images)
    if survey.options.sandboxed:
        intro += ", drawn by the sandbox"
    page = render_sheet("Images of the site", cards, intro=f"{intro}. Written by mkdocs-qhaigc gallery.")
    file.parent.mkdir(parents=True, exist_ok=True)
    atomic_write(file, page.encode())


def totals(images: Sequence[Collected]) -> str:
    """Return `12 images, 3.4 MB, 1 missing`: the bytes are those of the stored images."""
    stored = [one.first.stored.size for one in images if one.first.stored]
    parts = [f"{len(images)} {plural(len(images), 'image', 'images')}"]
    if stored:
        parts.append(in_bytes(sum(stored)))
    if len(stored) < len(images):
        parts.append(f"{len(images) - len(stored)} missing")
    return ", ".join(parts)


def revised_prompt(stored: StoredImage | None, prompt: str) -> str | None:
    """Return what the API has made of a prompt; `None` if it is not known, or is the same."""
    revised = stored.record.get("revised_prompt") if stored else None
    return revised if isinstance(revised, str) and revised.strip() not in ("", prompt) else None


def card_of(collected: Collected, *, folder: Path, addresses: Mapping[str, str]) -> Card:
    """Return the card of an image, for a sheet in a folder. `addresses`: see `Survey`."""
    from mkdocs_qhaigc.site.contact_sheet import Card

    one, stored = collected.first, collected.first.stored
    return Card(
        title=one.title,
        image=url_of(stored.path, folder=folder) if stored else None,
        width=stored.width if stored else one.request.width,
        height=stored.height if stored else one.request.height,
        prompt=one.request.prompt,
        facts=facts_of(collected),
        line=None,
        state=one.state,
        pages=tuple((page, addresses.get(page)) for page in collected.pages) or (("none", None),),
    )


def facts_of(collected: Collected) -> tuple[tuple[str, str], ...]:
    """Return the facts about an image beside its prompt: (what, value)."""
    one, stored = collected.first, collected.first.stored
    request = one.request
    facts = [("model", request.model), ("size", _shown_size(request.size))]
    if stored:
        came = f"{stored.width}x{stored.height}"
        if came != request.size:
            facts.append(("came as", _shown_size(came)))
        facts.append(("file", f"{stored.format}, {in_bytes(stored.size)}"))
    if request.variant != 1:
        facts.append(("variant", str(request.variant)))
    if request.params:
        facts.append(("params", json.dumps(request.params, ensure_ascii=False)))
    if one.references:
        facts.append(("references", ", ".join(one.references)))
    if revised := revised_prompt(stored, request.prompt):
        facts.append(("revised prompt", revised))
    if len(collected.entries) > 1:
        facts.append(("also", ", ".join(one.title for one in collected.entries[1:])))
    return tuple(facts)


def _shown_size(size: str) -> str:
    sides = sides_of(size)
    return f"{sides[0]} × {sides[1]}" if sides else size


def in_bytes(number: int) -> str:
    """Return `812 bytes`, `88.5 KB`, `1.2 MB`, for people."""
    if number < 1000:
        return f"{number} bytes"
    return f"{number / 1000:.1f} KB" if number < 999_950 else f"{number / 1_000_000:.1f} MB"


def url_of(path: Path, *, folder: Path) -> str:
    """Return the URL of a file for a page in a folder: relative, or absolute if it is on another drive."""
    path, folder = path.absolute(), folder.absolute()
    try:
        return quote(Path(os.path.relpath(path, folder)).as_posix())
    except ValueError:
        return path.as_uri()


# The page of the site


def place_gallery(content: str, markup: str) -> str:
    """Return a page's HTML with the gallery in it."""
    before, marker, after = content.partition(MARKER)
    return f"{before}{markup}{after}" if marker else f"{content}\n{markup}"


def site_gallery(build: SiteBuild, *, page_url: str, link: Link, is_listed: Callable[[str], bool]) -> str:
    """Return the gallery of a site for the page at `page_url`. For a build that has settled.

    `is_listed`: whether a page (`src_uri`) is for every reader. Of images that only others show, it publishes nothing.
    """
    pages = build.pages
    images = []
    for collected in collect(_listed(build.entries(), is_listed)):
        entry = collected.first
        scope = pages.scopes[entry.page] if entry.page else pages.site
        file_name = f"{entry.name}-dark" if entry.dark else entry.name
        directive = scope.directives[entry.name]
        published, image = pages.files.publish(file_name, entry.request, page_crop(directive))
        alt = directive.alt or entry.where
        tag = image_tag(published, page_url=page_url, alt=alt, sizes=SIZES, colour=image.colour)
        images.append((collected, tag))
    return render_gallery(images, page_url=page_url, assets_dir=build.options.assets_dir, link=link)


def _listed(entries: Iterable[SurveyEntry], is_listed: Callable[[str], bool]) -> Iterator[SurveyEntry]:
    """Yield the entries that every reader may see, each with the pages that every reader may see."""
    for entry in entries:
        users = tuple(filter(is_listed, entry.users))
        if is_listed(entry.page) if entry.page else users or not entry.users:
            yield replace(entry, users=users)


def render_gallery(images: Iterable[tuple[Collected, ImageTag]], *, page_url: str, assets_dir: str, link: Link) -> str:
    """Return the gallery for the page at `page_url` (relative to the site)."""
    shown = list(images)
    items = "".join(_item(collected, image, page_url, link) for collected, image in shown)
    if not items:
        return ""
    summary = totals([collected for collected, _ in shown]).replace(" ", _NO_BREAK).replace(f",{_NO_BREAK}", ", ")
    style, script = (escape(relative_url(f"{assets_dir}/{file.name}", page_url)) for file in (STYLE, SCRIPT))
    return (
        f'<link rel="stylesheet" href="{style}">\n<div class="qhaigc-gallery">\n'
        f'<p class="totals">{escape(summary)}</p>\n'
        '<form class="qhaigc-find" role="search" hidden><input type="search" name="words" '
        'aria-label="Search the images" placeholder="Search the images" autocomplete="off"> '
        f'<output></output></form>\n<div class="images" role="list">\n{items}</div>\n'
        f'<script src="{script}"></script>\n</div>\n'
    )


def _item(collected: Collected, image: ImageTag, page_url: str, link: Link) -> str:
    one = collected.first
    facts = [f"{image.width} × {image.height}", in_bytes(one.stored.size) if one.stored else "missing"]
    if all(entry.dark for entry in collected.entries):
        facts.append("on dark pages")
    facts = [one.request.model, *(fact.replace(" ", _NO_BREAK) for fact in facts)]
    pages = [found for page in collected.pages or (one.page,) if (found := link(page))]
    links = ", ".join(f'<a href="{escape(relative_page(url, page_url))}">{escape(title)}</a>' for title, url in pages)
    revised = revised_prompt(one.stored, one.request.prompt) or ""
    if revised:
        text = escape(revised.encode(errors="replace").decode())
        revised = f'<p class="prompt" dir="auto"><em>Revised by the API:</em> {text}</p>\n'
    return (
        f'<div role="listitem" data-state="{"there" if one.stored else "missing"}">\n'
        f'<a href="{escape(image.url)}">{render_image(image)}</a>\n'
        f'<p class="prompt" dir="auto">{escape(one.request.prompt)}</p>\n{revised}<p class="facts">'
        f"{escape(' · '.join(facts))}{'<br>' if links else ''}{links}</p>\n</div>\n"
    )


def relative_page(url: str, page_url: str) -> str:
    """Return the URL by which a page refers to another; both as MkDocs has them, relative to the site."""
    steps = "" if page_url in ("", ".", "./") else "../" * page_url.count("/")
    return steps + ("" if url in (".", "./") else url) or "./"
