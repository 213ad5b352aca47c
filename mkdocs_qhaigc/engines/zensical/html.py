"""A page's HTML as Zensical wants it, which moves some of its URLs and leaves others where they are. Pure.

Zensical 0.0.73 takes `src`, `href` and `srcset` for relative to the page's file. Of a blog's posts it cuts excerpts out
of the finished HTML, and makes `src` and `href` right for the page on which they are shown, but no other attribute: a
`srcset` would lead nowhere there, and browsers prefer it.
"""

from __future__ import annotations

from mkdocs_qhaigc.html.tags import parse, tags_with, with_changes

_REBASED = ("src", "href", "srcset")
_ONLY_ON_ITS_PAGE = ("srcset", "sizes", "fetchpriority")
"""Attributes of an image that are right on the post's own page alone: a list has several main images."""


def relative_to_source(html: str, by_url: str, by_file: str) -> str:
    """Return a page's HTML as Zensical wants it: it takes these attributes for relative to the page's file.

    The two are how URLs of images begin, relative to the page and to its file.
    """
    if by_url == by_file:
        return html
    pieces: list[str] = []
    end = 0
    for tag, start, _ in tags_with(html, by_url):
        attributes = parse(tag)[1]
        changes = {
            key: (value, value.replace(by_url, by_file))
            for key, value in attributes.items()
            if key in _REBASED and value and by_url in value
        }
        pieces += html[end:start], with_changes(tag, changes)
        end = start + len(tag)
    return "".join((*pieces, html[end:]))


def with_plain_excerpt(html: str, end: str, *, images: str) -> str:
    """Return a post whose HTML up to `end`, or the whole of it, has each image in the one form that lists can show.

    `images`: how URLs of images begin.
    """
    excerpt, found, rest = html.partition(end)
    pieces: list[str] = []
    position = 0
    for tag, start, _ in tags_with(excerpt, images):
        name, attributes = parse(tag)
        changes = {key: (attributes[key], None) for key in _ONLY_ON_ITS_PAGE if attributes.get(key)}
        other_format = name.lower() == "source" and "src" not in attributes
        plain = "" if other_format else with_changes(tag, changes) if name.lower() == "img" else tag
        pieces += excerpt[position:start], plain
        position = start + len(tag)
    return "".join((*pieces, excerpt[position:], found, rest))
