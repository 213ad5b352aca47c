"""Where in a page's source something stands that only shows for certain in its finished HTML. Pure."""

from __future__ import annotations

import re
from typing import NamedTuple

from mkdocs_qhaigc.directives.front_matter import FRONT_MATTER, META_KEY
from mkdocs_qhaigc.directives.slips import misspelt_in
from mkdocs_qhaigc.html.rewrite import references_in

_NOT_SHOWN = re.compile(
    r"^[ \t]*(?P<fence>`{3,}|~{3,}).*?(?:^[ \t]*(?P=fence)[`~]*[ \t]*\r?$|\Z)"
    r"|<!--.*?(?:-->|\Z)|<(?P<text>script|style|textarea)\b.*?(?:</(?P=text)|\Z)"
    r"|(?<!`)(?P<code>`+)(?!`)[^\n]*?(?<!`)(?P=code)(?!`)|\\!\[|^(?: {4}|\t)[ \t]*!\[(?=[^\n]*\n\s*\n|[^\n]*\n?\Z)",
    re.DOTALL | re.MULTILINE | re.IGNORECASE,
)
"""Code, comments and what is escaped; an image that is indented and stands alone is taken for code, mostly rightly."""
_IN_LINE = re.compile(r"(!?)\[([^\[\]\n]*)\]\(\s*<?\Z")
_IN_TAG = re.compile(r"<img\b[^<>]*\Z", re.IGNORECASE)
_BEFORE_URL = re.compile(
    r"""(?:(?:\[[^\[\]\n]*|\))\]\(\s*<?|\]:\s*<?|\b(?:src|href|srcset|poster)\s*=\s*["']?|\burl\(\s*["']?)\Z""",
    re.IGNORECASE,
)
_BEFORE_VALUE = re.compile(r"""(?::|-)[ \t]+["']?\Z""")
_LABEL = re.compile(
    r"""\b(?:(?:alt|aria-label|aria-labelledby|aria-hidden)\s*=\s*(?:"[^"]|'[^']|[^\s"'>])"""
    r"""|role\s*=\s*["']?(?:none|presentation)\b)""",
    re.IGNORECASE,
)
_EMPTY_ALT = re.compile(r"\balt(?![\w-])", re.IGNORECASE)


class Place(NamedTuple):
    """A reference in a page's source."""

    name: str
    line: int
    is_image: bool | None
    """None: it cannot be told, of a definition for instance."""
    described: bool | None
    """Whether it says itself what the image shows; None: `alt=""` in HTML says that it needs no words."""


def places(source: str) -> list[Place]:
    """Return the references of a page, as far as its source tells: without those in code and comments."""
    front = FRONT_MATTER.match(source)
    text = without_code(_blank(front) + source[front.end() :] if front else source)
    found = []
    for start, end, name in references_in(text):
        before = text[max(0, start - 1000) : start]
        in_line, in_tag = _IN_LINE.search(before), _IN_TAG.search(before)
        described: bool | None = True
        if in_line:
            described = not in_line[1] or bool(in_line[2].strip())
        elif in_tag:
            tag = in_tag[0] + text[end : text.find(">", end) + 1]
            described = bool(_LABEL.search(tag)) or (None if _EMPTY_ALT.search(tag) else False)
        is_image = bool(in_line[1]) if in_line else bool(in_tag) or None
        found.append(Place(name, text.count("\n", 0, start) + 1, is_image, described))
    return found


def misspelt_places(source: str) -> list[tuple[str, int]]:
    """Return (what is written, line) of what would be a reference of a page but for its scheme: `Qhaigc:hero`."""
    front = FRONT_MATTER.match(source)
    ends = front.end() if front else 0
    text = source[:ends] + without_code(source[ends:])
    found = []
    for start, written in misspelt_in(text):
        before = _BEFORE_VALUE if start < ends else _BEFORE_URL
        if before.search(text[max(0, start - 1000) : start]):
            found.append((written, text.count("\n", 0, start) + 1))
    return found


def lines_without_alt(source: str, name: str) -> tuple[list[int], int]:
    """Return the lines on which an image is shown without an alternative text of the reference's own.

    Where none can be told for certain, those that refer to it in any other way: a definition of a link, say. And how
    often its tag, as the author wrote it, says that it needs none: `alt=""` in HTML is a decision, in Markdown none.
    """
    own = [place for place in places(source) if place.name == name]
    certain = [place.line for place in own if place.is_image and place.described is False]
    possible = [place.line for place in own if place.is_image is None]
    return certain or possible, sum(place.described is None for place in own)


def directive_line(source: str, name: str) -> int | None:
    """Return the line on which a page's front matter declares an image; None where it does not."""
    text, key = _find_key(source, META_KEY)
    if not key:
        return None
    own = re.compile(rf"^[ \t]+[\"']?{re.escape(name)}[\"']?[ \t]*:", re.MULTILINE).search(text, key.end())
    return text.count("\n", 0, own.start() if own else key.start()) + 1


def key_line(source: str, key: str) -> int | None:
    """Return the line on which a key of a page's front matter stands; None where it does not."""
    text, found = _find_key(source, key)
    return text.count("\n", 0, found.start()) + 1 if found else None


def without_code(text: str) -> str:
    """Return a page's Markdown with blanks in place of code, comments and what is escaped."""
    return _NOT_SHOWN.sub(_blank, text)


def _find_key(source: str, key: str) -> tuple[str, re.Match[str] | None]:
    """Return a page's front matter, or what stands in its place, and where one of its keys stands there."""
    front = FRONT_MATTER.match(source)
    text = front[0] if front else source.partition("\n\n")[0]
    return text, re.compile(rf"^[\"']?{re.escape(key)}[\"']?[ \t]*:", re.MULTILINE).search(text)


def _blank(match: re.Match[str]) -> str:
    return re.sub(r"[^\n]", " ", match[0])
