"""Captions and labels: the place of the figure in a page's HTML, and the words of a caption that is there. Pure.

An image alone in a paragraph becomes a figure in its place; alone in a cell, a list item or a block, a
figure within. A figure that is there is kept and gets the caption if it has no words yet, and the label after them. In
a line of text there is no room for a figure, so no caption either; a label stands behind the image.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from html import unescape
from typing import NamedTuple

from mkdocs_qhaigc.html.image_tag import CSS_CLASS, caption_content, render_label
from mkdocs_qhaigc.html.tags import parse, start_tag

_START = re.compile(r"<([a-zA-Z][a-zA-Z0-9]*)(\s[^<>]*)?>\s*\Z")
_END = re.compile(r"\s*</([a-zA-Z][a-zA-Z0-9]*)\s*>")
_FIGURE = re.compile(r"<(/?)fig(ure|caption)(?=[\s>])[^>]*>", re.IGNORECASE)
_BREAK = re.compile(r"</?(?:p|br|div|li|ul|ol)\b[^>]*>", re.IGNORECASE)
_TAG = re.compile(r"<!--.*?-->|<[^>]*>", re.DOTALL)
_PICTURE, _PICTURE_END = (re.compile(rf"<{slash}picture\b[^>]*>", re.IGNORECASE) for slash in ("", "/"))
_LONGEST_TAG = 2000
"""Characters that are searched backwards for the start of an element."""
_CONTAINERS = frozenset(
    ("article", "aside", "blockquote", "body", "center", "dd", "details", "div", "li", "main", "section", "td", "th")
)
"""Elements that may contain a figure."""


class Captioned(NamedTuple):
    """The caption and the label of an image, and the place of the image's markup in a page's HTML."""

    start: int
    end: int
    caption: str | None
    """Plain text."""
    label: str = ""
    """Plain text; empty for none."""
    in_picture: bool = False
    """Whether it is inside a `<picture>` of the author."""


class _Edit(NamedTuple):
    start: int
    end: int
    text: str
    """Replaces the text from `start` to `end`."""


class _Span(NamedTuple):
    start: int
    end: int


class _Figure(NamedTuple):
    """A figure that an author or another plugin has made."""

    start: int
    end: int
    caption: _Span | None
    """The content of its `<figcaption>`; `None` without one."""
    words: str
    """The text of its caption."""


class _Element(NamedTuple):
    """An element, and its places in a page's HTML."""

    name: str
    attributes: str
    start: int
    inner_start: int
    inner_end: int
    end: int


def with_captions(html: str, images: Iterable[Captioned]) -> str:
    """Return the page with the captions of its images, in page order, if there is room, and with their labels."""
    figures = find_figures(html)
    edits: dict[tuple[int, int], str] = {}
    for image in images:
        for edit in _edits(html, image, _innermost(figures, image.start)):
            edits.setdefault((edit.start, edit.end), edit.text)  # a figure of two images has the caption of the first
    pieces: list[str] = []
    end = 0
    for (start, stop), text in sorted(edits.items()):
        pieces += html[end:start], text
        end = stop
    pieces.append(html[end:])
    return "".join(pieces)


def caption_words(figures: Iterable[_Figure], position: int) -> str:
    """Return the text of the caption of the figure that contains a position of the page; empty if there is none."""
    own = _innermost(figures, position)
    return own.words if own else ""


def _edits(html: str, image: Captioned, own: _Figure | None) -> Iterator[_Edit]:
    """Yield the edits around one image; `own` is the figure on the page that contains it."""
    content = caption_content(image.caption, image.label)
    if own and own.caption:
        if not own.words:
            yield _Edit(*own.caption, content)
        elif image.label:
            yield _Edit(own.caption.end, own.caption.end, f" {render_label(image.label)}")
        return
    caption = f"<figcaption>{content}</figcaption>"
    left, right = image.start, image.end
    if image.label and image.in_picture:
        left, right = _picture(html, left, right)
    around = _around(html, left, right)
    while around and around.name == "a":
        left, right = around.start, around.end
        around = _around(html, left, right)
    if around and around.name == "p" and not own:
        if "admonition-title" not in around.attributes:
            yield _Edit(around.start, around.inner_start, _figure(around.attributes))
            yield _Edit(around.inner_end, around.end, f"{caption}</figure>")
            return
    elif own:
        inner = right
        while around and around.name in ("p", "div"):
            left, right = around.start, around.end
            around = _around(html, left, right)
        if around and around.name == "figure":
            yield _Edit(right, right, caption)
            return
        right = inner
    elif around and around.name in _CONTAINERS:
        yield _Edit(left, left, _figure(""))
        yield _Edit(right, right, f"{caption}</figure>")
        return
    if image.label:
        yield _Edit(right, right, f" {render_label(image.label)}")


def find_figures(html: str) -> list[_Figure]:
    """Return the figures of a page, or of its Markdown."""
    found: list[_Figure] = []
    opened: list[tuple[int, list[_Span]]] = []
    caption_start: int | None = None
    for match in _FIGURE.finditer(html):
        closing, is_caption = bool(match[1]), match[2].lower() == "caption"
        if is_caption and not closing:
            caption_start = match.end()
        elif is_caption:
            if opened and caption_start is not None:
                opened[-1][1].append(_Span(caption_start, match.start()))
            caption_start = None
        elif not closing:
            opened.append((match.start(), []))
        elif opened:
            start, captions = opened.pop()
            caption = captions[0] if captions else None
            words = _words(html[caption.start : caption.end]) if caption else ""
            found.append(_Figure(start, match.end(), caption, words))
    return found


def _innermost(figures: Iterable[_Figure], position: int) -> _Figure | None:
    around = (figure for figure in figures if figure.start < position < figure.end)
    return max(around, default=None, key=lambda figure: figure.start)


def _words(html: str) -> str:
    """Return the text of some HTML, in one line."""
    return " ".join(unescape(_TAG.sub("", _BREAK.sub(" ", html))).split())


def _picture(html: str, left: int, right: int) -> _Span:
    """Return the `<picture>` that contains `html[left:right]`; these places themselves if it is not to be found."""
    openings, closing = list(_PICTURE.finditer(html, 0, left)), _PICTURE_END.search(html, right)
    return _Span(openings[-1].start(), closing.end()) if openings and closing else _Span(left, right)


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
