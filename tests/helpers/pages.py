"""Reading a built site as a browser does: its elements, and where its URLs lead."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import quote, unquote, urljoin, urlsplit

_URL_ATTRIBUTES = frozenset(("src", "href", "poster", "data", "content"))
_IN_STYLE = re.compile(r"""url\(\s*["']?([^"')]+)""")


@dataclass
class Element:
    """One start tag."""

    tag: str
    attributes: dict[str, str | None] = field(default_factory=dict)

    def urls(self) -> Iterator[str]:
        """Return every URL that a browser may load or lead to."""
        for name, value in self.attributes.items():
            if not value:
                continue
            if name == "srcset":
                yield from (candidate.split()[0] for candidate in value.split(",") if candidate.strip())
            elif name == "style":
                yield from _IN_STYLE.findall(value)
            elif name in _URL_ATTRIBUTES and (name != "content" or value.startswith("http")):
                yield value.strip()


class _Parser(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.elements: list[Element] = []
        self.text: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append(Element(tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text.append(data)


def elements(html: str, tag: str | None = None) -> list[Element]:
    """Return the start tags of some HTML, in its order."""
    parser = _Parser()
    parser.feed(html)
    parser.close()
    return [element for element in parser.elements if tag in (None, element.tag)]


def text_of(html: str) -> str:
    """Return what a reader sees of some HTML."""
    parser = _Parser()
    parser.feed(html)
    parser.close()
    return "".join(parser.text)


def broken_urls(site: Path, site_url: str = "https://example.com/docs/") -> list[str]:
    """Return `page -> URL` for each URL of the site's pages that leads into the site, and to no file there."""
    pages = sorted(site.rglob("*.html"))
    assert pages, f"{site} holds no page"
    broken = []
    for page in pages:
        name = page.relative_to(site).as_posix()
        urls = broken_urls_in(page.read_text(encoding="utf-8"), site, site_url, shown_at=quote(name))
        broken += [f"{name} -> {url}" for url in urls]
    return broken


def broken_urls_in(html: str, site: Path, site_url: str, *, shown_at: str) -> list[str]:
    """Return each URL of some HTML that leads into the site, and to no file there; `shown_at` is its page's URL."""
    address = urljoin(site_url, shown_at)
    urls = (url for element in elements(html) for url in element.urls())
    return [url for url in urls if not _leads_to_a_file(site, site_url, urljoin(address, url))]


def _leads_to_a_file(site: Path, site_url: str, target: str) -> bool:
    here, there = urlsplit(site_url), urlsplit(target)
    if there.scheme not in ("http", "https", "qhaigc") or (there.netloc and there.netloc != here.netloc):
        return True  # another site: not ours to judge
    if there.scheme == "qhaigc" or not there.path.startswith(here.path):
        return False
    file = site / unquote(there.path.removeprefix(here.path))
    return (file / "index.html" if file.is_dir() else file).is_file()
