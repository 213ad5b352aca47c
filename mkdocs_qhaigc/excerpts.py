"""The beginnings of a blog's posts, which Zensical shows on other pages too. Pure.

It cuts them out of the finished HTML of a post and makes `src` and `href` right for the page on which they are shown,
but no other attribute (0.0.73): a `srcset` would lead nowhere there, and browsers prefer it.
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterable, Mapping
from typing import Any

from mkdocs_qhaigc.tags import parse, tags_with, with_changes

_BLOG_DIR, _POST_DIR, _SEPARATOR = "blog", "{blog}/posts", "<!-- more -->"
"""As Zensical and Material have them, where the options of the plugin blog say nothing else."""
_ONLY_ON_ITS_PAGE = ("srcset", "sizes", "fetchpriority")
"""Attributes of a picture that are right on the post's own page alone: a list has several main pictures."""


def separator(src_uri: str, blogs: Iterable[Mapping[str, Any]]) -> str | None:
    """Return what ends the excerpt of a page; None where it is no post of any blog.

    `blogs` are the options of each blog, as the site's configuration has them.
    """
    for blog in blogs:
        blog_dir = str(blog.get("blog_dir") or _BLOG_DIR)
        post_dir = str(blog.get("post_dir") or _POST_DIR).replace("{blog}", blog_dir)
        if blog.get("enabled", True) and src_uri.startswith(posixpath.normpath(post_dir).strip("/") + "/"):
            return str(blog.get("post_excerpt_separator") or _SEPARATOR)
    return None


def with_plain_excerpt(html: str, end: str, *, pictures: str) -> str:
    """Return a post whose HTML up to `end`, or the whole of it, has each picture in the one form that lists can show.

    `pictures` is how URLs of pictures begin.
    """
    excerpt, found, rest = html.partition(end)
    pieces: list[str] = []
    position = 0
    for tag, start, _ in tags_with(excerpt, pictures):
        name, attributes = parse(tag)
        changes = {key: (attributes[key], None) for key in _ONLY_ON_ITS_PAGE if attributes.get(key)}
        other_format = name.lower() == "source" and "src" not in attributes
        plain = "" if other_format else with_changes(tag, changes) if name.lower() == "img" else tag
        pieces += excerpt[position:start], plain
        position = start + len(tag)
    return "".join((*pieces, excerpt[position:], found, rest))
