"""Which pages are posts of a blog, and where their beginnings end, which are shown on other pages too. Pure."""

from __future__ import annotations

import posixpath
from collections.abc import Iterable, Mapping
from datetime import date, datetime, time, timezone
from typing import Any

_BLOG_DIR, _POST_DIR, _SEPARATOR = "blog", "{blog}/posts", "<!-- more -->"
"""As Zensical and Material have them, where the options of the plugin blog say nothing else."""


def blog_of(src_uri: str, blogs: Iterable[Mapping[str, Any]]) -> Mapping[str, Any] | None:
    """Return the options of the blog of which a page is a post; None where it is none.

    `blogs` are the options of each, as the site's configuration has them.
    """
    for blog in blogs:
        blog_dir = str(blog.get("blog_dir") or _BLOG_DIR)
        post_dir = str(blog.get("post_dir") or _POST_DIR).replace("{blog}", blog_dir)
        if blog.get("enabled", True) and src_uri.startswith(posixpath.normpath(post_dir).strip("/") + "/"):
            return blog
    return None


def is_left_out(blog: Mapping[str, Any], meta: Mapping[str, Any], *, now: datetime) -> bool:
    """Whether a build has no page of a post: a draft, or one of a later day, where the blog holds those back."""
    if blog.get("draft"):
        return False
    draft = meta.get("draft")
    if isinstance(draft, bool) or not blog.get("draft_if_future_date"):
        return draft is True
    created = meta["date"].get("created") if isinstance(meta.get("date"), Mapping) else meta.get("date")
    if isinstance(created, date) and not isinstance(created, datetime):
        created = datetime.combine(created, time())
    if not isinstance(created, datetime):
        return False  # the blog itself tells of it
    return (created if created.tzinfo else created.replace(tzinfo=timezone.utc)) > now


def separator(blog: Mapping[str, Any]) -> str:
    """Return what ends the excerpt of a blog's posts."""
    return str(blog.get("post_excerpt_separator") or _SEPARATOR)
