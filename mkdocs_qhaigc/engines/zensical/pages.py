"""A site's pages, read without its engine: what their front matter says, and the defaults of their folders."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timezone
from fnmatch import fnmatchcase
from pathlib import Path, PurePosixPath
from typing import Any, NamedTuple

import yaml
from pathspec import GitIgnoreSpec

from mkdocs_qhaigc.directives.front_matter import FRONT_MATTER, META_KEY
from mkdocs_qhaigc.engines.zensical.blogs import blog_of, is_left_out
from mkdocs_qhaigc.engines.zensical.config import Configuration, merged
from mkdocs_qhaigc.errors import SiteError

_ENDINGS = (".md", ".markdown", ".mdown", ".mkdn", ".mkd")
"""As MkDocs has them; Zensical knows but the first."""
_NEVER_BUILT = "/templates/"
"""What every engine leaves out, unless `exclude_docs` says otherwise."""
_WORTH_READING = re.compile(r"draft|date|haigc|^\{? *[\"']?q", re.MULTILINE | re.IGNORECASE)
"""What front matter has that matters here: our key or one nearly so, and what says whether its page is built."""
_Loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


@dataclass(frozen=True, slots=True)
class SourcePage:
    """One page."""

    src_uri: str
    """Its file, relative to docs_dir, with `/`."""
    meta: dict[str, Any]
    """Its front matter; empty where it says nothing that matters here."""
    text: str
    """The whole file."""


class Twice(NamedTuple):
    """A key that stands twice in one mapping, of which YAML keeps the last, without a word."""

    key: str
    line: int
    """Of the page, from 1."""
    before: int
    """The line on which it stands before that."""


def pages(site: Configuration) -> Iterator[SourcePage]:
    """Yield the pages that are built, by name.

    Raises:
        SiteError: one cannot be read.
    """
    now = datetime.now(timezone.utc)
    not_built = GitIgnoreSpec.from_lines([_NEVER_BUILT, *site.not_built.splitlines()])
    for path in _files(site.docs_dir, _ENDINGS[:1] if site.zensical else _ENDINGS, outside=not site.zensical):
        src_uri = path.relative_to(site.docs_dir).as_posix()
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
    meta = _front_matter(text)
    if folder_file := _folder_file(site.plugins):
        meta = merged(_of_folders(site.docs_dir, src_uri, folder_file), meta)
    return SourcePage(src_uri, meta, text)


def written_twice(source: str) -> list[Twice]:
    """Return the names and fields that a page declares twice, and where it has our key twice."""
    front = FRONT_MATTER.match(source)
    if not front or META_KEY not in front[1]:
        return []
    try:
        root = yaml.compose(front[1], Loader=_Loader)
    except (yaml.YAMLError, ValueError, RecursionError, LookupError):
        return []  # `broken_front_matter` tells
    ours = [(key, value) for key, value in _pairs(root) if key.value == META_KEY]
    mappings = [ours]
    for _, declared in ours:
        mappings += [_pairs(declared), *(_pairs(image) for _, image in _pairs(declared))]
    return [twice for pairs in mappings for twice in _twice([key for key, _ in pairs])]


def _excluded(src_uri: str, site: Configuration) -> bool:
    """Whether the plugin exclude leaves a page out."""
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
    """Yield the files of pages; names that begin with a dot are none, as everywhere.

    `outside`: also those in folders that links lead to out of `docs_dir`, as MkDocs follows them.
    """
    root = docs_dir.resolve()
    for folder, folders, names in os.walk(docs_dir, followlinks=True):
        visible = sorted(name for name in folders if not name.startswith("."))
        folders[:] = [name for name in visible if _leads_on(Path(folder, name), docs_dir, root, outside=outside)]
        yield from (Path(folder, name) for name in sorted(names) if name.endswith(endings) and not name.startswith("."))


def _leads_on(folder: Path, docs_dir: Path, root: Path, *, outside: bool) -> bool:
    """Whether a folder has pages that are no other folder's: not where links go in a circle."""
    if not folder.is_symlink():
        return True
    target = folder.resolve()
    above = (parent for parent in folder.parents if docs_dir in (parent, *parent.parents))
    return (outside or root in target.parents) and target not in {parent.resolve() for parent in above}


def _front_matter(text: str) -> dict[str, Any]:
    match = FRONT_MATTER.match(text)
    if not match or not _WORTH_READING.search(match[1]):
        return {}
    try:
        meta = yaml.load(match[1], Loader=_Loader)  # noqa: S506 - a safe one
    except (yaml.YAMLError, ValueError, RecursionError, LookupError):
        return {}  # `broken_front_matter` finds the line, and tells
    return meta if isinstance(meta, dict) else {}


def _pairs(node: yaml.Node | None) -> list[tuple[yaml.ScalarNode, yaml.Node]]:
    """Return the keys that are texts or numbers, and their values, of a node that is a mapping."""
    pairs = node.value if isinstance(node, yaml.MappingNode) else ()
    return [(key, value) for key, value in pairs if isinstance(key, yaml.ScalarNode) and key.value != "<<"]


def _twice(keys: list[yaml.ScalarNode]) -> Iterator[Twice]:
    lines: dict[tuple[str, str], int] = {}
    for key in keys:
        line = key.start_mark.line + 2  # counted from 0, and `---` stands before it
        before = lines.get((key.tag, key.value))
        if before is not None:
            yield Twice(key.value, line, before)
        lines[key.tag, key.value] = line


def _folder_file(plugins: Mapping[str, Mapping[str, Any]]) -> str | None:
    """Return the name of the files with the defaults of a folder; None where the plugin meta is not used."""
    for name in ("meta", "material/meta"):
        if name in plugins and plugins[name].get("enabled", True):
            return str(plugins[name].get("meta_file") or ".meta.yml")
    return None


def _of_folders(docs_dir: Path, src_uri: str, folder_file: str) -> dict[str, Any]:
    """Return the defaults of a page, those of the nearest folder last."""
    meta: dict[str, Any] = {}
    for folder in reversed(PurePosixPath(src_uri).parents):
        path = docs_dir / folder / folder_file
        if path.is_file():
            try:
                found = yaml.load(_read(path), Loader=_Loader)  # noqa: S506 - a safe one
            except (yaml.YAMLError, ValueError, RecursionError, LookupError) as error:
                raise SiteError(f"{path} cannot be read: {error}") from error
            meta = merged(meta, found if isinstance(found, dict) else {})
    return meta


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise SiteError(f"{path} cannot be read ({error})") from error
