"""A site's pages, read without its engine: front matter, defaults of folders, posts of blogs."""

from __future__ import annotations

import os
import posixpath
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timezone
from fnmatch import fnmatchcase
from pathlib import Path, PurePosixPath
from typing import Any

from pathspec import GitIgnoreSpec

from mkdocs_qhaigc._util import yaml
from mkdocs_qhaigc._util.files import unreadable_folders
from mkdocs_qhaigc.directives.front_matter import FRONT_MATTER, PAGE_ENDINGS, read_front_matter
from mkdocs_qhaigc.engines.zensical.config import Configuration, merged
from mkdocs_qhaigc.errors import SiteError

_NEVER_BUILT = "/templates/"
"""Excluded by every engine, unless `exclude_docs` includes it."""
_WORTH_READING = re.compile(r"draft|date|haigc|^\{? *[\"']?q", re.MULTILINE | re.IGNORECASE)
"""Matches front matter that has to be parsed: with our key, or one like it, or a post's `draft` or `date`."""
_BLOG_DIR, _POST_DIR, _SEPARATOR = "blog", "{blog}/posts", "<!-- more -->"
"""Defaults of the plugin blog in Zensical and Material."""


@dataclass(frozen=True, slots=True)
class SourcePage:
    """One page."""

    src_uri: str
    """Its file, relative to docs_dir, with `/`."""
    meta: dict[str, Any]
    """Its front matter; empty if nothing in it matters here, see `_WORTH_READING`."""
    text: str
    """The whole file."""


def pages(site: Configuration, among: Iterable[str] | None = None) -> Iterator[SourcePage]:
    """Yield the pages that are built: all of them, sorted by name, or those `among` names of files in docs_dir.

    Raises:
        SiteError: a page, or a folder of pages, cannot be read.
    """
    now = datetime.now(timezone.utc)
    not_built = GitIgnoreSpec.from_lines([_NEVER_BUILT, *site.not_built.splitlines()])
    endings = PAGE_ENDINGS[:1] if site.zensical else PAGE_ENDINGS
    if among is None:
        for error in unreadable_folders(site.docs_dir, without=site.docs_dir / site.options.assets_dir):
            raise SiteError(f"{error.filename} cannot be read ({error.strerror})") from error  # it would seem unused
        files = _files(site.docs_dir, endings, outside=not site.zensical)
        among = (path.relative_to(site.docs_dir).as_posix() for path in files)
    else:
        among = (name for name in among if name.endswith(endings) and not re.search(r"(^|/)\.", name))
    for src_uri in among:
        if not_built.match_file(src_uri) or _excluded(src_uri, site):
            continue
        page = read_page(site, src_uri)
        blog = blog_of(src_uri, site.blogs)
        if blog is None or not is_left_out(blog, page.meta, now=now):
            yield page


def read_page(site: Configuration, src_uri: str) -> SourcePage:
    """Return one page.

    Raises:
        SiteError: it cannot be read.
    """
    text = _read(site.docs_dir / src_uri)
    front = FRONT_MATTER.match(text)
    worth = _WORTH_READING.search(front[1] if front else text.partition("\n\n")[0])
    meta = read_front_matter(text, headers=not site.zensical) if worth else {}
    if folder_file := _folder_file(site.plugins):
        meta = merged(_of_folders(site.docs_dir, src_uri, folder_file), meta)
    return SourcePage(src_uri, meta, text)


def blog_of(src_uri: str, blogs: Iterable[Mapping[str, Any]]) -> Mapping[str, Any] | None:
    """Return the options of the blog that has a page as a post; `None` if the page is no post.

    `blogs` are the options of each blog in the site's configuration.
    """
    for blog in blogs:
        blog_dir = str(blog.get("blog_dir") or _BLOG_DIR)
        post_dir = str(blog.get("post_dir") or _POST_DIR).replace("{blog}", blog_dir)
        if blog.get("enabled", True) and src_uri.startswith(posixpath.normpath(post_dir).strip("/") + "/"):
            return blog
    return None


def is_left_out(blog: Mapping[str, Any], meta: Mapping[str, Any], *, now: datetime) -> bool:
    """Return whether a build leaves a post out: a draft, or one with a future date if the blog excludes those."""
    if blog.get("draft"):
        return False
    draft = meta.get("draft")
    if isinstance(draft, bool) or not blog.get("draft_if_future_date"):
        return draft is True
    created = meta["date"].get("created") if isinstance(meta.get("date"), Mapping) else meta.get("date")
    if isinstance(created, date) and not isinstance(created, datetime):
        created = datetime.combine(created, time())
    if not isinstance(created, datetime):
        return False  # the blog itself warns of it
    return (created if created.tzinfo else created.replace(tzinfo=timezone.utc)) > now


def excerpt_separator(blog: Mapping[str, Any]) -> str:
    """Return the separator that ends the excerpt of a blog's posts."""
    return str(blog.get("post_excerpt_separator") or _SEPARATOR)


def _excluded(src_uri: str, site: Configuration) -> bool:
    """Return whether the plugin exclude leaves a page out."""
    options = site.plugins.get("exclude", {})
    if not options.get("enabled", True):
        return False
    try:
        return any(fnmatchcase(src_uri, pattern) for pattern in _texts(options.get("glob"))) or any(
            re.match(pattern, src_uri) for pattern in _texts(options.get("regex"))
        )
    except re.error as error:
        raise SiteError(f"{site.file}, plugin exclude: {error.pattern!r} is no regular expression ({error})") from error


def _texts(value: Any) -> list[str]:
    return [str(item) for item in (value if isinstance(value, list) else [value]) if item]


def _files(docs_dir: Path, endings: tuple[str, ...], *, outside: bool) -> Iterator[Path]:
    """Yield the files of pages. Every engine skips names that begin with a dot.

    `outside`: also follow links to folders outside `docs_dir`, as MkDocs does.
    """
    root = docs_dir.resolve()
    for folder, folders, names in os.walk(docs_dir, followlinks=True):
        visible = sorted(name for name in folders if not name.startswith("."))
        folders[:] = [name for name in visible if _leads_on(Path(folder, name), docs_dir, root, outside=outside)]
        yield from (Path(folder, name) for name in sorted(names) if name.endswith(endings) and not name.startswith("."))


def _leads_on(folder: Path, docs_dir: Path, root: Path, *, outside: bool) -> bool:
    """Return whether to read a folder: not a link to a folder above it, or outside of `docs_dir` unless `outside`."""
    if not folder.is_symlink():
        return True
    target = folder.resolve()
    above = (parent for parent in folder.parents if docs_dir in (parent, *parent.parents))
    return (outside or root in target.parents) and target not in {parent.resolve() for parent in above}


def _folder_file(plugins: Mapping[str, Mapping[str, Any]]) -> str | None:
    """Return the name of the files with the defaults of folders; `None` without the plugin meta."""
    for name in ("meta", "material/meta"):
        if name in plugins and plugins[name].get("enabled", True):
            return str(plugins[name].get("meta_file") or ".meta.yml")
    return None


def _of_folders(docs_dir: Path, src_uri: str, folder_file: str) -> dict[str, Any]:
    """Return the defaults of a page from its folders; the nearest one wins."""
    meta: dict[str, Any] = {}
    for folder in reversed(PurePosixPath(src_uri).parents):
        path = docs_dir / folder / folder_file
        if path.is_file():
            try:
                found = yaml.load(_read(path))
            except yaml.ERRORS as error:
                raise SiteError(f"{path} cannot be read: {error}") from error
            meta = merged(meta, found if isinstance(found, dict) else {})
    return meta


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise SiteError(f"{path} cannot be read ({error})") from error
