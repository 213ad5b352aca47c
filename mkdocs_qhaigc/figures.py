"""A picture's caption: where in a page's HTML the figure goes. Pure.

A picture that stands alone in a paragraph becomes a figure in its place; alone in a cell, a list item or a block, a
figure within. An author's own figure is kept and gets the caption where it has none. In a line of text there is no
room for a figure, so no caption either.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from mkdocs_qhaigc.img import CSS_CLASS
from mkdocs_qhaigc.tags import parse, start_tag

_START = re.compile(r"<([a-zA-Z][a-zA-Z0-9]*)(\s[^<>]*)?>\s*\Z")
_END = re.compile(r"\s*</([a-zA-Z][a-zA-Z0-9]*)\s*>")
_LONGEST_TAG = 2000
"""Characters looked back for the start of an element."""
_CONTAINERS = frozenset(
    ("article", "aside", "blockquote", "body", "center", "dd", "details", "div", "li", "main", "section", "td", "th")
)
"""Elements in which a figure may stand."""


class Captioned(NamedTuple):
    """What stands around a picture instead of what stood there."""

    before: str
    """From where the caller asked, up to the picture."""
    after: str
    """Behind the picture."""
    end: int
    """Where the page goes on."""


class _Element(NamedTuple):
    """An element that holds what was asked for, and nothing else."""

    name: str
    attributes: str
    start: int
    inner_start: int
    inner_end: int
    end: int


def with_caption(html: str, floor: int, start: int, end: int, caption: str) -> Captioned:
    """Return what stands around the picture's tag, `html[start:end]`, when it has the caption.

    `caption` is HTML; nothing before `floor` changes, and nothing at all where no figure can stand.
    """
    left, right = start, end
    around = _around(html, floor, left, right)
    while around and around.name == "a":
        left, right = around.start, around.end
        around = _around(html, floor, left, right)
    if around and around.name == "p":
        own = _START.search(html, max(floor, around.start - _LONGEST_TAG), around.start)
        if not own or own[1].lower() != "figure":
            before = f"{html[floor : around.start]}{_figure(around.attributes)}{html[around.inner_start : start]}"
            after = f"{html[end : around.inner_end]}{caption}</figure>"
            return Captioned(before, after, around.end)
        left, right = around.start, around.end
        around = _around(html, floor, left, right)
    if around and around.name == "figure":
        return Captioned(html[floor:start], html[end:right] + caption, right)
    if around and around.name in _CONTAINERS:
        return Captioned(
            f"{html[floor:left]}{_figure('')}{html[left:start]}", f"{html[end:right]}{caption}</figure>", right
        )
    return Captioned(html[floor:start], "", end)


def _figure(attributes: str) -> str:
    """Return the start tag of a figure with the attributes that a paragraph had."""
    _, given = parse(f"<figure{attributes}>")
    classes = given.pop("class", None)
    return start_tag("figure", {"class": f"{classes} {CSS_CLASS}" if classes else CSS_CLASS, **given})


def _around(html: str, floor: int, left: int, right: int) -> _Element | None:
    """Return the element that holds `html[left:right]` and nothing else, if it begins behind `floor`."""
    opening = _START.search(html, max(floor, left - _LONGEST_TAG), left)
    closing = _END.match(html, right)
    if not opening or not closing or opening[1].lower() != closing[1].lower():
        return None
    inner_end = closing.start() + len(closing[0]) - len(closing[0].lstrip())
    return _Element(opening[1].lower(), opening[2] or "", opening.start(), opening.end(), inner_end, closing.end())
