"""What has to be true of any site that was built: every address leads to a file, and nothing of ours is left undone."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache
from io import BytesIO
from pathlib import Path
from urllib.parse import quote, unquote, urljoin, urlsplit

from PIL import Image

from tests.helpers.pages import elements

_CODE = re.compile(r"<(code|pre|script)\b.*?</\1>", re.DOTALL)
_CSS_URL = re.compile(r"""url\(\s*["']?([^"')]+)""")
_FEED_URL = re.compile(r"""(?:<(?:link|loc|url)>|\b(?:href|src|url)=["'])\s*(https?://[^<"'\s]+)""")
_IMAGES = frozenset((".png", ".jpg", ".jpeg", ".webp", ".avif"))


def problems(site: Path, site_url: str | None) -> list[str]:
    """Return what is wrong in a site, one sentence each: addresses without a file, references and marks that are left.

    Looks at every HTML, style sheet and feed. An address that leads to an image must lead to one that can be decoded.
    """
    home = site_url or "https://site.invalid/"
    found = []
    for page in sorted(site.rglob("*")):
        if page.suffix not in (".html", ".css", ".xml"):
            continue
        path, text = page.relative_to(site).as_posix(), page.read_text(encoding="utf-8")
        if page.suffix == ".html":
            found += [f"{path} {what}" for what in _left_undone(text)]
        for url in dict.fromkeys(_urls(page.suffix, text)):
            if why := _wrong(site, home, urljoin(urljoin(home, quote(path)), url)):
                found.append(f"{path} -> {url} {why}")
    return found


def undecodable(folder: Path) -> list[str]:
    """Return the images of a folder, and of those below it, that cannot be decoded."""
    images = (path for path in sorted(folder.rglob("*")) if path.suffix in _IMAGES)
    return [str(path.relative_to(folder)) for path in images if not _decodes(path.read_bytes())]


def _left_undone(html: str) -> Iterator[str]:
    if "qhaigc:" in _CODE.sub("", html):
        yield "has a reference that was not resolved"
    for element in elements(html):
        for name in element.attributes:
            if name.startswith("data-qhaigc"):
                yield f"has the internal attribute {name}"


def _urls(suffix: str, text: str) -> Iterator[str]:
    if suffix == ".html":
        for element in elements(text):
            yield from element.urls()
    elif suffix == ".css":
        yield from (url for url in _CSS_URL.findall(text) if not url.startswith("data:"))
    else:
        yield from _FEED_URL.findall(text)


def _wrong(site: Path, home: str, target: str) -> str:
    """Return what is wrong with an absolute URL; empty where nothing is, or where it leads to another site."""
    here, there = urlsplit(home), urlsplit(target)
    if there.scheme not in ("http", "https") or there.netloc != here.netloc:
        return ""
    if not there.path.startswith(here.path):
        return "leads out of the site"
    file = site / unquote(there.path.removeprefix(here.path))
    file = file / "index.html" if file.is_dir() else file
    if not file.is_file():
        return "has no file"
    if file.suffix in _IMAGES and not _decodes(file.read_bytes()):
        return "cannot be decoded"
    return ""


@lru_cache(maxsize=4096)
def _decodes(data: bytes) -> bool:
    try:
        with Image.open(BytesIO(data)) as image:
            image.load()
    except (OSError, SyntaxError, ValueError):
        return False
    return True
