"""The gallery as a page of the site: every image, as the site's pages show it. Pure.

On it an image is there or missing: where its original lies is no business of readers, and would change the page's
bytes from one machine to another.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from html import escape

from mkdocs_qhaigc.assets import asset
from mkdocs_qhaigc.html.image_tag import ImageTag, render_image
from mkdocs_qhaigc.imaging.renditions import relative_url
from mkdocs_qhaigc.site.gallery import Collected, in_bytes

MARKER = "<!-- qhaigc-gallery -->"
"""Where the gallery stands in a page that an author wrote; else it stands at its end."""
NEW_PAGE = asset("gallery.md")
"""The page where no author wrote one: a file, for other plugins want to know where a page's is."""
STYLE, SCRIPT = asset("gallery.css"), asset("find.js")
"""What the page needs beside its images; they stand in `assets_dir`."""
SIZES = "(min-width: 45em) 18em, 100vw"
"""Of its images."""

_NO_BREAK = "\N{NO-BREAK SPACE}"

Link = Callable[[str], tuple[str, str] | None]
"""The title and URL (relative to the site) of a page by its `src_uri`; None where it has none."""


def place_gallery(content: str, markup: str) -> str:
    """Return a page's HTML with the gallery in it."""
    before, marker, after = content.partition(MARKER)
    return f"{before}{markup}{after}" if marker else f"{content}\n{markup}"


def render_gallery(images: Iterable[tuple[Collected, ImageTag]], *, page_url: str, assets_dir: str, link: Link) -> str:
    """Return the gallery for the page at `page_url` (relative to the site)."""
    items = "".join(_item(collected, image, page_url, link) for collected, image in images)
    if not items:
        return ""
    style, script = (escape(relative_url(f"{assets_dir}/{file.name}", page_url)) for file in (STYLE, SCRIPT))
    return (
        f'<link rel="stylesheet" href="{style}">\n<div class="qhaigc-gallery">\n'
        '<form class="qhaigc-find" role="search" hidden><input type="search" name="words" '
        'aria-label="Search the images" placeholder="Search the images" autocomplete="off"> '
        f'<output></output></form>\n<div class="images" role="list">\n{items}</div>\n'
        f'<script src="{script}"></script>\n</div>\n'
    )


def _item(collected: Collected, image: ImageTag, page_url: str, link: Link) -> str:
    one = collected.first
    facts = [f"{image.width} × {image.height}", in_bytes(one.original.size) if one.original else "missing"]
    if all(declared.dark for declared in collected.declared):
        facts.append("on dark pages")
    facts = [one.request.model, *(fact.replace(" ", _NO_BREAK) for fact in facts)]
    pages = [found for page in collected.pages or (one.page,) if (found := link(page))]
    links = ", ".join(f'<a href="{escape(relative_page(url, page_url))}">{escape(title)}</a>' for title, url in pages)
    return (
        f'<div role="listitem" data-state="{"there" if one.original else "missing"}">\n'
        f'<a href="{escape(image.url)}">{render_image(image)}</a>\n'
        f'<p class="prompt" dir="auto">{escape(one.request.prompt)}</p>\n<p class="facts">'
        f"{escape(' · '.join(facts))}{'<br>' if links else ''}{links}</p>\n</div>\n"
    )


def relative_page(url: str, page_url: str) -> str:
    """Return the URL by which a page refers to another; both as MkDocs has them, relative to the site."""
    steps = "" if page_url in ("", ".", "./") else "../" * page_url.count("/")
    return steps + ("" if url in (".", "./") else url) or "./"
