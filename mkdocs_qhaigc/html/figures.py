"""Captions: the place of the figure in a page's HTML. Pure.

An image alone in a paragraph becomes a figure in its place; alone in a cell, a list item or a block, a
figure within. An author's own figure is kept and gets the caption if it has none. In a line of text there is no
room for a figure, so no caption either.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from mkdocs_qhaigc.html.image_tag import CSS_CLASS, render_caption
from mkdocs_qhaigc.html.tags import parse, start_tag

_START = re.compile(r"<([a-zA-Z][a-zA-Z0-9]*)(\s[^<>]*)?>\s*\Z")
_END = re.compile(r"\s*</([a-zA-Z][a-zA-Z0-9]*)\s*>")
_FIGURE = re.compile(r"<(/?)figure(?=[\s>])", re.IGNORECASE)
_LONGEST_TAG = 2000
"""Characters that are searched backwards for the start of an element."""
_CONTAINERS = frozenset(
    ("article", "aside", "blockquote", "body", "center", "dd", "details", "div", "li", "main", "section", "td", "th")
)
"""Elements that may contain a figure."""


class Captioned(NamedTuple):
    """The caption of an image, and the place of the image's markup in a page's HTML."""

    start: int
    end: int
    caption: str
    """Plain text."""


class _Edit(NamedTuple):
    start: int
    end: int
    text: str
    """Replaces the text from `start` to `end`."""


class _Span(NamedTuple):
    start: int
    end: int


class _Element(NamedTuple):
    """An element, and its places in a page's HTML."""

    name: str
    attributes: str
    start: int
    inner_start: int
    inner_end: int
    end: int


def with_captions(html: str, images: Iterable[Captioned]) -> str:
    """Return the page with the captions of its images, in page order, if there is room for a figure."""
    pieces: list[str] = []
    end = 0
    figures = None
    for image in images:
        figures = _figures(html) if figures is None else figures
        own = next((figure for figure in figures if figure.start < image.start < figure.end), None)
        for edit in _edits(html, image, own):
            pieces += html[end : edit.start], edit.text
            end = edit.end
    pieces.append(html[end:])
    return "".join(pieces)


def _edits(html: str, image: Captioned, own: _Span | None) -> Iterator[_Edit]:
    """Yield the edits around one image; `own` is the author's figure that contains it."""
    if own and "<figcaption" in html[own.start : own.end].lower():
        return
    caption = render_caption(image.caption)
    left, right = image.start, image.end
    around = _around(html, left, right)
    while around and around.name == "a":
        left, right = around.start, around.end
        around = _around(html, left, right)
    if around and around.name == "p" and not own:
        if "admonition-title" not in around.attributes:
            yield _Edit(around.start, around.inner_start, _figure(around.attributes))
            yield _Edit(around.inner_end, around.end, f"{caption}</figure>")
        return
    if own:
        while around and around.name in ("p", "div"):
            left, right = around.start, around.end
            around = _around(html, left, right)
        if around and around.name == "figure":
            yield _Edit(right, right, caption)
    elif around and around.name in _CONTAINERS:
        yield _Edit(left, left, _figure(""))
        yield _Edit(right, right, f"{caption}</figure>")


def _figures(html: str) -> list[_Span]:
    """Return the spans of the author's figures; of nested ones the outermost."""
    spans: list[_Span] = []
    depth = start = 0
    for match in _FIGURE.finditer(html):
        if match[1]:
            depth = max(0, depth - 1)
            if not depth:
                spans.append(_Span(start, match.end()))
        else:
            start = start if depth else match.start()
            depth += 1
    return spans


def _figure(attributes: str) -> str:
    """Return the start tag of a figure with the attributes of a paragraph."""
    _, given = parse(f"<figure{attributes}>")
    classes = given.pop("class", None)
    return start_tag("figure", {"class": f"{classes} {CSS_CLASS}" if classes else CSS_CLASS, **given})


def _around(html: str, left: int, right: int) -> _Element | None:
    """Return the element that contains `html[left:right]` and nothing else, or `None`."""
    opening = _START.search(html, max(0, left - _LONGEST_TAG), left)
    closing = _END.match(html, right)
    if not opening or not closing or opening[1].lower() != closing[1].lower():
        return None
    inner_end = closing.start() + len(closing[0]) - len(closing[0].lstrip())
    return _Element(opening[1].lower(), opening[2] or "", opening.start(), opening.end(), inner_end, closing.end())
