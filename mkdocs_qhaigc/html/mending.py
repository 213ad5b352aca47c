"""Markup that was written before its image was there, put right in the finished page. Pure.

By then other plugins may have taken the page apart and written it anew: a lightbox wraps images in links, a parser
writes `&#x27;` as `'`, and attributes in an order of its own. So each tag is looked for by the addresses in it, and
only the values that were guessed are changed: the page is, character by character, what it would have been without.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from mkdocs_qhaigc.html.tags import Attributes, parse, tags_with, with_changes

_ADDRESSES = ("src", "srcset", "href", "poster", "style")
"""Attributes of which one at least tells which image a tag shows."""

_Identity = tuple[str, tuple[str | None, ...]]
_Changes = dict[str, tuple[str | None, str | None]]


def mend(html: str, changes: Iterable[tuple[str, str]]) -> str:
    """Return the page with the tags of each markup that was written as they are in what should stand there."""
    wanted: dict[_Identity, list[_Changes]] = {}
    for written, right in dict.fromkeys(changes):
        for element, before, after in _changed_tags(written, right):
            keys = dict.fromkeys((*before, *after))
            found = {key: (before.get(key), after.get(key)) for key in keys if before.get(key) != after.get(key)}
            wanted.setdefault(_identity(element, before), []).append(found)
    if not wanted:
        return html
    pieces: list[str] = []
    end = 0
    for tag, start, _ in tags_with(html, "="):
        element, attributes = parse(tag)
        for found in wanted.get(_identity(element, attributes), ()):
            if all(attributes.get(key) == old for key, (old, _) in found.items()):
                pieces += html[end:start], with_changes(tag, found)
                end = start + len(tag)
                break
    pieces.append(html[end:])
    return "".join(pieces)


def _changed_tags(written: str, right: str) -> Iterator[tuple[str, Attributes, Attributes]]:
    """Yield (element, attributes as written, as they should be) of each tag that was guessed wrong."""
    for (old, *_), (new, *_) in zip(tags_with(written, "="), tags_with(right, "="), strict=False):
        (element, before), (same, after) = parse(old), parse(new)
        if element == same and before != after and any(before.get(key) for key in _ADDRESSES):
            yield element, before, after


def _identity(element: str, attributes: Attributes) -> _Identity:
    return element.lower(), tuple(attributes.get(key) for key in _ADDRESSES)
