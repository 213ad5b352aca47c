"""Markup that was written before its picture was there, put right in the finished page. Pure.

By then other plugins may have taken the page apart and written it anew: a lightbox wraps pictures in links, a parser
writes `&#x27;` as `'`. So what is not found as it was written is looked for tag by tag.
"""

from __future__ import annotations

from collections.abc import Iterable

from mkdocs_qhaigc.tags import Attributes, parse, start_tag, tags_with

_ADDRESSES = ("src", "srcset", "href", "poster", "style")
"""Attributes of which one at least tells which picture a tag shows."""


def mend(html: str, changes: Iterable[tuple[str, str]]) -> str:
    """Return the page with each markup that was written replaced by what should stand there."""
    scattered: list[tuple[str, str]] = []
    for written, right in changes:
        if written in html:
            html = html.replace(written, right)
        else:
            scattered.append((written, right))
    return _mend_tags(html, scattered) if scattered else html


def _mend_tags(html: str, changes: Iterable[tuple[str, str]]) -> str:
    """Return the page with each tag of a markup replaced whose addresses and changed attributes are as written."""
    wanted: list[tuple[str, Attributes, Attributes]] = []
    for written, right in changes:
        for (old, *_), (new, *_) in zip(tags_with(written, ""), tags_with(right, ""), strict=False):
            (element, before), (same, after) = parse(old), parse(new)
            if element == same and before != after:
                wanted.append((element, before, after))
    pieces: list[str] = []
    end = 0
    for tag, start, _ in tags_with(html, ""):
        element, attributes = parse(tag)
        for name, before, after in wanted:
            if name == element and _is(attributes, before, after):
                pieces += html[end:start], start_tag(element, _changed(attributes, before, after))
                end = start + len(tag)
                break
    pieces.append(html[end:])
    return "".join(pieces)


def _is(attributes: Attributes, before: Attributes, after: Attributes) -> bool:
    changed = [key for key in (*before, *after) if before.get(key) != after.get(key) or key in _ADDRESSES]
    shared = any(key in _ADDRESSES and before.get(key) for key in changed)
    return shared and all(attributes.get(key) == before.get(key) for key in changed)


def _changed(attributes: Attributes, before: Attributes, after: Attributes) -> Attributes:
    """Return a tag's attributes in their order; a new one stands behind the one that it follows in `after`."""
    changed = list(attributes.items())
    changed = [
        (key, after[key] if key in after and before.get(key) != after[key] else value)
        for key, value in changed
        if key in after or key not in before
    ]
    previous = ""
    for key, value in after.items():
        if key not in attributes and key not in before:
            at = next((at for at, (other, _) in enumerate(changed, 1) if other == previous), len(changed))
            changed.insert(at, (key, value))
        previous = key
    return dict(changed)
