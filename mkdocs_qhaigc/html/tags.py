"""The start tags of finished HTML, as a browser finds them: read and written. Pure.

The scan is one pass over the page, in time linear to its length for any input. It skips text that only looks like a
tag, in a comment, a script or a style sheet.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import lru_cache
from html import escape, unescape

Attributes = dict[str, str | None]
"""Lower-case name -> value; `None` for an attribute without a value."""

_escape = lru_cache(maxsize=512)(escape)  # the same few values stand on every image
_OPENING = re.compile(r"<(?:!--|[a-zA-Z/])")
_REST_OF_PLAIN_TAG = r"""[^"'>]*(?:="[^"]*"[^"'>]*)*>"""
_PLAIN_TAG = re.compile(rf"<[a-zA-Z/]{_REST_OF_PLAIN_TAG}")
_DULL = re.compile(
    r"[^<]*(?:</?(?!picture|script|style|textarea|title|xmp|iframe|no)[a-z][a-z0-9-]*"
    rf"(?:>|[\s/]{_REST_OF_PLAIN_TAG})[^<]*){{0,500}}"
)
"""Text, and plain tags of most elements: a run of them is skipped in one step."""
_TAG_PART = re.compile(r"""[^"'>]*""")
_TAG_NAME = re.compile(r"<([a-zA-Z][^\s/>]*)")
_TEXT_ELEMENT = re.compile(r"(?i)<(script|style|textarea|title|xmp|iframe|noembed|noframes)[\s/>]")
_ATTRIBUTE = re.compile(r"""([^\s/>=][^\s/>=]*)(\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s>"']*)))?""")


def tags_with(html: str, text: str) -> Iterator[tuple[str, int, bool]]:
    """Yield (tag, its start, whether it is in a `<picture>`) of each start tag that contains the text."""
    position, images, at = 0, 0, html.find(text)
    while at >= 0:
        dull = _DULL.match(html, position, html.rfind("<", position, at))
        position = dull.end() if dull else position
        plain = _PLAIN_TAG.match(html, position)  # as it is nearly always
        opening = plain or _OPENING.search(html, position)
        if opening is None:
            return
        position = start = opening.start()
        if not plain and opening[0] == "<!--":
            end = html.find("-->", start + 2) + 3  # `<!-->` is whole
            if end == 2:
                return
            position = end
        elif start < at:
            plain = plain or _PLAIN_TAG.match(html, start)
            end = plain.end() if plain else _tag_end(html, start)
            if end < 0:
                return
            position = end
            tag = html[start:end]
            if tag[1] in "pP" and tag[1:8].lower() == "picture":
                images += 1
            elif tag[1] == "/" and tag[2:9].lower() == "picture":
                images = max(0, images - 1)
            elif (element := _TEXT_ELEMENT.match(tag)) and not tag.endswith("/>"):
                closing = re.compile(rf"</{element[1]}[\s/>]", re.IGNORECASE).search(html, end)
                position = closing.start() if closing else len(html)
            if at < end and tag[1] != "/":
                yield tag, start, images > 0
        if at < position:
            at = html.find(text, position)


def with_changes(tag: str, changes: Mapping[str, tuple[str | None, str | None]]) -> str:
    """Return a tag with some attributes changed, each from one value to another, and every other character as it was.

    `None` is no attribute: a new one is added behind all others.
    """
    name = _TAG_NAME.match(tag)
    pieces: list[str] = []
    end = 0
    for match in _ATTRIBUTE.finditer(tag, name.end() if name else 0, len(tag) - 1):
        old, new = changes.get(match[1].lower(), (None, None))
        if old is None:
            continue
        pieces.append(tag[end : match.start()])
        if new is None:
            pieces[-1] = pieces[-1].rstrip()
        else:
            quote = "'" if match[4] is not None else '"'
            pieces.append(f"{match[1]}={quote}{_escaped(new, quote)}{quote}")
        end = match.end()
    rest = tag[end:]
    body = rest.rstrip("/> \n\t")
    added = "".join(
        f' {key}="{_escaped(new, chr(34))}"' for key, (old, new) in changes.items() if old is None and new is not None
    )
    return "".join((*pieces, body, added, rest[len(body) :]))


def _escaped(value: str, quote: str) -> str:
    return value.replace("&", "&amp;").replace(quote, "&quot;" if quote == '"' else "&#39;")


def start_tag(name: str, attributes: Attributes, *, closed: bool = False) -> str:
    """Return a start tag; `closed`: with a slash at its end."""
    return f"<{name}{written(attributes)}{' /' if closed else ''}>"


def written(attributes: Attributes) -> str:
    """Return attributes as they stand in a tag behind its name."""
    return "".join([f" {key}" if value is None else f' {key}="{_escape(value)}"' for key, value in attributes.items()])


def _tag_end(html: str, start: int) -> int:
    """Return the end of a tag whose quotes need care, or -1 if it has none."""
    position = start + 1
    while True:
        position = _TAG_PART.match(html, position).end()  # type: ignore[union-attr]  # it matches the empty text too
        if position >= len(html):
            return -1
        if html[position] == ">":
            return position + 1
        before = position - 1
        while html[before].isspace():
            before -= 1
        if html[before] != "=":  # a stray quote is part of a name, not the start of a value
            position += 1
            continue
        position = html.find(html[position], position + 1) + 1
        if position == 0:
            return -1


def parse(tag: str) -> tuple[str, Attributes]:
    """Return the element's name as written and its attributes, the first of a kind winning as in browsers."""
    name = _TAG_NAME.match(tag)
    if not name:
        return "", {}
    attributes: Attributes = {}
    for key, assigned, double, single, bare in _ATTRIBUTE.findall(tag, name.end(), len(tag) - 1):
        attributes.setdefault(key.lower(), unescape(double or single or bare) if assigned else None)
    return name[1], attributes
