"""References in the finished HTML of a page -> pictures. Pure: it is handed what a name stands for.

`qhaigc:NAME` inside a tag is a reference; inside text, a comment, a script or a style sheet it is text and stays.
The scan is one pass over the page, in time linear to its length for any input.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from html import escape, unescape
from urllib.parse import unquote

from mkdocs_qhaigc.img import Image, render_img, start_tag

SCHEME = "qhaigc:"

_OPENING = re.compile(r"<(?:!--|[a-zA-Z/])")
_DULL = re.compile(
    r"(?:[^<]+|</?(?:a|b|blockquote|br|code|dd|div|dl|dt|em|h[1-6]|hr|i|kbd|li|nav|ol|p|pre|section|small|span"
    r"|strong|table|tbody|td|th|thead|tr|ul)(?=[\s/>])[^\"'<>=]*>){0,500}"
)
"""Text, and tags without attributes: a run of them is passed over in one step."""
_PLAIN_TAG = re.compile(r"""<[a-zA-Z/][^"'>]*(?:="[^"]*"[^"'>]*)*>""")
_TAG_PART = re.compile(r"""[^"'>]*""")
_TAG_NAME = re.compile(r"<([a-zA-Z][^\s/>]*)")
_TEXT_ELEMENTS = frozenset(("script", "style", "textarea", "title", "xmp", "iframe", "noembed", "noframes"))
_ATTRIBUTE = re.compile(r"""([^\s/>=][^\s/>=]*)(\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s>"']*)))?""")
_TEXT_ATTRIBUTES = frozenset(
    ("alt", "title", "class", "id", "name", "value", "label", "placeholder", "summary", "content")
)
_URL_ATTRIBUTES = frozenset(("src", "href", "poster"))
_NAME = r"""qhaigc:([^\s"'()<>#?,&]+)(#[^\s"'()<>,]*)?"""
_WHOLE = re.compile(rf"\s*{_NAME}\s*")
_IN_SRCSET = re.compile(rf"(?<![^\s,]){_NAME}")
_IN_STYLE = re.compile(rf"""\burl\(\s*(["']?){_NAME}\1\s*\)""", re.IGNORECASE)
_FIRST_TITLE_END = re.compile(r"</h1\s*>", re.IGNORECASE)


Resolve = Callable[[str], Image]


@dataclass(frozen=True, slots=True)
class Change:
    """One tag that held references."""

    tag: str
    """As the author wrote it."""
    markup: str
    """What stands there now."""
    in_picture: bool
    """Whether it stands in an author's own `<picture>`."""

    def again(self, resolve: Resolve) -> str:
        """Return what would stand there if names stood for something else."""
        return render_tag(self.tag, resolve, in_picture=self.in_picture)


@dataclass(slots=True)
class Rewritten:
    """A page's HTML with its references resolved."""

    html: str
    changes: list[Change]
    """In page order."""
    unread: list[str]
    """Values that begin as a reference does and are none."""


def rewrite(html: str, resolve: Resolve) -> Rewritten:
    """Return the page with every reference resolved by `resolve(name)`."""
    pieces: list[str] = []
    changes: list[Change] = []
    unread: list[str] = []
    end = 0
    for tag, start, in_picture in _tags_with_references(html, unread):
        markup = render_tag(tag, resolve, in_picture=in_picture)
        pieces += html[end:start], markup
        changes.append(Change(tag, markup, in_picture))
        end = start + len(tag)
    pieces.append(html[end:])
    return Rewritten("".join(pieces), changes, unread)


def strip(html: str) -> str:
    """Return the page with every picture reduced to its alt text and every other reference gone."""
    pieces: list[str] = []
    end = 0
    for tag, start, _ in _tags_with_references(html, []):
        name, attributes = _parse(tag)
        source = attributes.get("src")
        if name.lower() == "img" and source is not None and _WHOLE.fullmatch(source):
            markup = escape(attributes.get("alt") or "")
        else:
            kept = {key: value for key, value in attributes.items() if not _refers(key, value)}
            if "style" in attributes and "style" not in kept:
                kept["style"] = _IN_STYLE.sub("none", attributes["style"] or "")
            markup = start_tag(name, kept, closed=tag.endswith("/>"))
        pieces += html[end:start], markup
        end = start + len(tag)
    pieces.append(html[end:])
    return "".join(pieces)


def place(html: str, markup: str, *, after_title: bool) -> str:
    """Return the page with the markup after its first title, or on top where it has none or that was asked."""
    match = _FIRST_TITLE_END.search(html) if after_title else None
    at = match.end() if match else 0
    before, after = html[:at], html[at:]
    return f"{before}\n{markup}{after}" if before else f"{markup}\n{after}"


def whole_reference(value: str) -> str | None:
    """Return the name where the value is exactly one reference, else None."""
    match = _WHOLE.fullmatch(value)
    return _name(match[1]) if match else None


def render_tag(tag: str, resolve: Resolve, *, in_picture: bool = False) -> str:
    """Return the markup for one start tag that holds references."""
    name, attributes = _parse(tag)
    source = _WHOLE.fullmatch(attributes.get("src") or "") if name.lower() == "img" else None
    if source:
        image = resolve(_name(source[1]))
        others = {key: _resolved(key, value, resolve) for key, value in attributes.items() if key != "src"}
        return render_img(others, image, fragment=source[2] or "", in_picture=in_picture)
    resolved = {key: _resolved(key, value, resolve) for key, value in attributes.items()}
    return start_tag(name, resolved, closed=tag.endswith("/>"))


def _tags_with_references(html: str, unread: list[str]) -> Iterator[tuple[str, int, bool]]:
    """Yield (tag, where it starts, whether it stands in a `<picture>`) for each start tag that names the scheme."""
    if SCHEME not in html:
        return
    position, last, pictures = 0, html.rfind(SCHEME), 0
    while opening := _OPENING.search(html, _dull_end(html, position)):
        start = opening.start()
        if start > last:
            return
        if opening[0] == "<!--":
            end = html.find("-->", start + 2) + 3  # `<!-->` is whole
            if end == 2:
                return
            position = end
            continue
        plain = _PLAIN_TAG.match(html, start)
        end = plain.end() if plain else _tag_end(html, start)
        if end < 0:
            return
        position = end
        tag = html[start:end]
        if tag[1] in "pP" and tag[1:8].lower() == "picture":
            pictures += 1
        elif tag[1] == "/":
            if tag[2:9].lower() == "picture":
                pictures = max(0, pictures - 1)
            continue
        elif tag[1] in "sStTxXiInN":
            element = _element(tag)
            if element in _TEXT_ELEMENTS and not tag.endswith("/>"):
                closing = re.compile(rf"</{element}[\s/>]", re.IGNORECASE).search(html, end)
                position = closing.start() if closing else len(html)
        if SCHEME not in tag:
            continue
        attributes = _parse(tag)[1]
        unread += (
            value
            for key, value in attributes.items()
            if key in _URL_ATTRIBUTES and value and value.strip().startswith(SCHEME) and not _WHOLE.fullmatch(value)
        )
        if any(_refers(key, value) for key, value in attributes.items()):
            yield tag, start, pictures > 0


def _dull_end(html: str, position: int) -> int:
    """Return where the run of dull text and tags ends that begins here."""
    match = _DULL.match(html, position)
    return match.end() if match else position


def _tag_end(html: str, start: int) -> int:
    """Return where a tag ends whose quotes need care, or -1 where it never does."""
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


def _element(tag: str) -> str:
    match = _TAG_NAME.match(tag)
    return match[1].lower() if match else ""


def _parse(tag: str) -> tuple[str, dict[str, str | None]]:
    """Return the element's name as written and its attributes, the first of a kind winning as in browsers."""
    name = _TAG_NAME.match(tag)
    if not name:
        return "", {}
    attributes: dict[str, str | None] = {}
    for match in _ATTRIBUTE.finditer(tag, name.end(), len(tag) - 1):
        value = next((group for group in match.group(3, 4, 5) if group is not None), None)
        attributes.setdefault(match[1].lower(), None if match[2] is None else unescape(value or ""))
    return name[1], attributes


def _refers(key: str, value: str | None) -> bool:
    if not value or SCHEME not in value:
        return False
    if key == "style":
        return bool(_IN_STYLE.search(value))
    if key in ("srcset", "imagesrcset", "data-srcset"):
        return bool(_IN_SRCSET.search(value))
    if key in _TEXT_ATTRIBUTES or key.startswith("aria-"):
        return False
    return bool(_WHOLE.fullmatch(value))


def _resolved(key: str, value: str | None, resolve: Resolve) -> str | None:
    if value is None or not _refers(key, value):
        return value
    if key == "style":
        return _IN_STYLE.sub(lambda m: f"url({m[1]}{resolve(_name(m[2])).url}{m[3] or ''}{m[1]})", value)
    pattern = _IN_SRCSET if key.endswith("srcset") else _WHOLE
    return pattern.sub(lambda m: resolve(_name(m[1])).url + (m[2] or ""), value)


def _name(written: str) -> str:
    return unicodedata.normalize("NFC", unquote(written))
