"""Finds what messages name in a page's text: lines of references and directives, misspelt schemes. Pure.

Commands read every page so. A build does only for a page with a mistake in it, to name the line.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from mkdocs_qhaigc._util import yaml
from mkdocs_qhaigc._util.text import is_typo
from mkdocs_qhaigc.directives.directive import Problem
from mkdocs_qhaigc.directives.front_matter import FIRST_LINE, FRONT_MATTER, META_KEY
from mkdocs_qhaigc.directives.markdown_for_other_plugins import blank, without_code
from mkdocs_qhaigc.html.captions import caption_words, find_figures
from mkdocs_qhaigc.html.reference_syntax import SCHEME, WHOLE, references_in
from mkdocs_qhaigc.html.rewrite import TEXT_ATTRIBUTES
from mkdocs_qhaigc.html.tags import parse, tags_with

_IN_LINE = re.compile(r"(!?)\[([^\[\]\n]*)\]\(\s*<?\Z")
_IN_TAG = re.compile(r"<img\b[^<>]*\Z", re.IGNORECASE)
_BEFORE_URL = re.compile(
    r"""(?:(?:\[[^\[\]\n]*|\))\]\(\s*<?|\]:\s*<?|\b(?:src|href|srcset|poster)\s*=\s*["']?|\burl\(\s*["']?)\Z""",
    re.IGNORECASE,
)
_URL = re.compile(
    rf"""\]\(\s*(?:<({SCHEME}[^<>\n]*)>|({SCHEME}(?:\([^()\n]*\)|[^()"'\n])*?))\s*(?:["'][^\n]*?["']\s*)?\)"""
    rf"""|\b(?:src|href|poster)\s*=\s*(?:"\s*({SCHEME}[^"\n]*)"|'\s*({SCHEME}[^'\n]*)')""",
    re.IGNORECASE,
)
"""A URL with our scheme, in each of the places of a page where there may be one; the URL is the last group."""
_BEFORE_VALUE = re.compile(r"""(?::|-)[ \t]+["']?\Z""")
_LABEL = re.compile(
    r"""\b(?:(?:alt|aria-label|aria-labelledby|aria-hidden)\s*=\s*(?:"[^"]|'[^']|[^\s"'>])"""
    r"""|role\s*=\s*["']?(?:none|presentation)\b)""",
    re.IGNORECASE,
)
_EMPTY_ALT = re.compile(r"\balt(?![\w-])", re.IGNORECASE)
_LIKE_ONE = re.compile(r"""\b([A-Za-z]{5,7}):[^\s"'()<>#?,&/]+""")


class Place(NamedTuple):
    """A reference in a page's source."""

    name: str
    line: int
    is_image: bool | None
    """`None` if that cannot be known: of a definition of a link, for instance."""
    described: bool | None
    """Whether it has an alternative text of its own, or a figure's caption; `None` for `alt=""` in HTML, by which it
    needs none."""


def places(source: str) -> list[Place]:
    """Return the references in a page's source, without those in code and comments."""
    front = FRONT_MATTER.match(source)
    text = without_code(blank(front) + source[front.end() :] if front else source)
    figures = find_figures(text)
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
        if not described and caption_words(figures, start):
            described = True
        is_image = bool(in_line[1]) if in_line else bool(in_tag) or None
        found.append(Place(name, text.count("\n", 0, start) + 1, is_image, described))
    return found


def misspelt_places(source: str) -> list[tuple[str, int]]:
    """Return (text, line) of each reference of a page with a misspelt scheme: `Qhaigc:hero`."""
    front = FRONT_MATTER.match(source)
    ends = front.end() if front else 0
    text = source[:ends] + without_code(source[ends:])
    found = []
    for start, written in misspelt_in(text):
        before = _BEFORE_VALUE if start < ends else _BEFORE_URL
        if before.search(text[max(0, start - 1000) : start]):
            found.append((written, text.count("\n", 0, start) + 1))
    return found


def unread_places(source: str) -> list[tuple[str, int]]:
    """Return (text, line) of each URL of a page that begins as a reference does and is none: `qhaigc: hero`.

    Blanks in the text are single ones.
    """
    if SCHEME not in source:
        return []
    front = FRONT_MATTER.match(source)
    text = without_code(blank(front) + source[front.end() :] if front else source)
    return [
        (" ".join(url.split()), text.count("\n", 0, match.start(match.lastindex or 0)) + 1)
        for match in _URL.finditer(text)
        if not WHOLE.fullmatch(url := match[match.lastindex or 0])
        and "{" not in url  # which a plugin may fill in
        and not any(written == url for _, written in misspelt_in(url))  # which `misspelt_places` finds
    ]


def lines_without_alt(source: str, name: str) -> tuple[list[int], int]:
    """Return the lines on which an image is shown by a reference without an alternative text, and a number.

    If there are no such lines for certain, those that refer to it in another way, as the definition of a link does.
    The number is how often its tag says that it needs no text: `alt=""` in HTML is a decision, in Markdown it is none.
    """
    own = [place for place in places(source) if place.name == name]
    certain = [place.line for place in own if place.is_image and place.described is False]
    possible = [place.line for place in own if place.is_image is None]
    return certain or possible, sum(place.described is None for place in own)


def problem_line(source: str, problem: Problem) -> int | None:
    """Return the line of a page that a problem is about: that of the field, else of the image, else of our key.

    `None` if the front matter does not declare it.
    """
    front = FRONT_MATTER.match(source)
    try:
        root = yaml.compose(front[1]) if front else None
    except yaml.ERRORS:
        root = None
    ours = _last(root, META_KEY)
    if ours is None:
        return directive_line(source, problem.name or "")
    key, declared = ours
    image = _last(declared, problem.name) if problem.name else None
    if image:
        key, declared = image
    field = _last(declared, problem.field) if problem.field else None
    if problem.field and not field and (outer := _last(declared, problem.field.partition(".")[0])):
        field = _last(outer[1], problem.field.partition(".")[2]) or outer
    return (field[0] if field else key).start_mark.line + FIRST_LINE


def _last(node: yaml.Node | None, key: str) -> tuple[yaml.ScalarNode, yaml.Node] | None:
    """Return the (key, value) pair of a mapping that counts; `None` if it has no such key."""
    return next((pair for pair in reversed(yaml.pairs(node)) if pair[0].value == key), None)


def directive_line(source: str, name: str) -> int | None:
    """Return the line on which a page's front matter declares an image; `None` if it does not."""
    text, key = _find_key(source, META_KEY)
    if not key:
        return None
    own = re.compile(rf"^[ \t]+[\"']?{re.escape(name)}[\"']?[ \t]*:", re.MULTILINE).search(text, key.end())
    return text.count("\n", 0, own.start() if own else key.start()) + 1


def key_line(source: str, key: str) -> int | None:
    """Return the line of a key in a page's front matter; `None` if it is absent."""
    text, found = _find_key(source, key)
    return text.count("\n", 0, found.start()) + 1 if found else None


def misspelt_in(text: str) -> Iterator[tuple[int, str]]:
    """Yield (start, text) of each reference with a misspelt scheme, in text of any kind."""
    for match in _LIKE_ONE.finditer(text):
        if is_typo(match[1], SCHEME.removesuffix(":")):
            yield match.start(), match[0]


def misspelt_references(html: str, name: str) -> list[str]:
    """Return the references to a name with a misspelt scheme, in the tags of a page's HTML."""
    return [
        written
        for tag, *_ in tags_with(html, f":{name}")
        for key, value in parse(tag)[1].items()
        if value and key not in TEXT_ATTRIBUTES
        for _, written in misspelt_in(value)
        if written.endswith(f":{name}")
    ]


def _find_key(source: str, key: str) -> tuple[str, re.Match[str] | None]:
    """Return a page's front matter, or the paragraph in its place, and the match of one of its keys there."""
    front = FRONT_MATTER.match(source)
    text = front[0] if front else source.partition("\n\n")[0]
    return text, re.compile(rf"^[\"']?{re.escape(key)}[\"']?[ \t]*:", re.MULTILINE).search(text)
