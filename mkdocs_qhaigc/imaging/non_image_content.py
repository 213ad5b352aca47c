"""Names content that services send instead of an image, for messages. Pure; only errors need it."""

from __future__ import annotations

import html
import re

_WEB_PAGE = re.compile(rb"\s*(?:<!--.*?-->\s*)?<(?:!doctype html|html|head|body)\b", re.IGNORECASE | re.DOTALL)
_TITLE = re.compile(rb"<title[^>]*>(.{1,500}?)</title", re.IGNORECASE | re.DOTALL)
_SVG = rb"\s*(?:<\?xml[^>]*>\s*)?(?:<!--.*?-->\s*)?(?:<!doctype svg[^>]*>\s*)?<svg\b"
_OTHERS = (
    ("an SVG drawing", re.compile(_SVG, re.IGNORECASE | re.DOTALL)),
    ("a GIF", re.compile(rb"GIF8")),
    ("a BMP", re.compile(rb"BM....\0\0\0\0", re.DOTALL)),
    ("a TIFF", re.compile(rb"II\*\0|MM\0\*")),
    ("a PDF", re.compile(rb"%PDF-")),
    ("a video", re.compile(rb"\x1aE\xdf\xa3|....ftyp(?:mp4|isom|iso2|qt|M4V)", re.DOTALL)),
)
"""(Name, beginning)."""
_BEGINNING = 4096
"""Bytes that are enough to know what a file is."""


def is_web_page(data: bytes) -> bool:
    """Whether bytes begin as HTML does."""
    return _WEB_PAGE.match(data[:_BEGINNING]) is not None


def name_of(data: bytes) -> str:
    """Return what bytes are that are no image, as `a GIF`, a web page with its title; an empty text if unknown."""
    start = data[:_BEGINNING]
    if is_web_page(start):
        found = _TITLE.search(start)
        words = html.unescape(found[1].decode(errors="replace")) if found else ""
        title = "".join(char for char in " ".join(words.split()) if char.isprintable())
        return f"a web page titled {title[:80]!r}" if title else "a web page"
    return next((name for name, beginning in _OTHERS if beginning.match(start)), "")
