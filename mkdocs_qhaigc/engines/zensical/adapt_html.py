"""A page's HTML prepared for Zensical, which changes some of its URLs and not others. Pure.

Zensical 0.0.73 reads `src`, `href` and `srcset` as relative to the page's file. It cuts the excerpts of a blog's posts
out of the finished HTML, and adapts `src` and `href` to the page that shows them, but no other attribute: a `srcset`
would lead nowhere there, and browsers prefer it.
"""

from __future__ import annotations

from mkdocs_qhaigc.html.tags import parse, tags_with, with_changes

_REBASED = ("src", "href", "srcset")
_ONLY_ON_ITS_PAGE = ("srcset", "sizes", "fetchpriority")
"""Attributes of an image that are right only on the post's own page: a list has several main images."""


def relative_to_source(html: str, by_url: str, by_file: str) -> str:
    """Return a page's HTML with the URLs of images relative to the page's file.

    Args:
        by_url: the beginning of the URLs of images, relative to the page.
        by_file: the same, relative to the page's file.
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
    """Return a post with images of one file each in its excerpt: up to `end`, or the whole post.

    `images`: the beginning of the URLs of images.
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
