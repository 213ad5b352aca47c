"""Replaces references in front matter, and finds misspelt keys and front matter that cannot be read. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable, MutableMapping
from typing import Any

from mkdocs_qhaigc._util import yaml
from mkdocs_qhaigc._util.text import is_typo
from mkdocs_qhaigc.html.reference import SCHEME, whole_reference

META_KEY = "qhaigc"
PAGE_ENDINGS = (".md", ".markdown", ".mdown", ".mkdn", ".mkd")
"""Endings of the files of which MkDocs reads front matter; Zensical has only the first."""
FRONT_MATTER = re.compile(r"\ufeff?---[ \t]*\r?\n(.*?)^(?:---|\.\.\.)[ \t]*\r?$", re.DOTALL | re.MULTILINE)
"""A page that begins with front matter in YAML; the group is the text between the lines of `---`."""
_MOST_LINES = 1000
"""Front matter is looked for in as many lines."""
_NOT_READ = (
    "line 1: the front matter is not read as such: `---` must be the whole first line, with nothing before it, and "
    "another line `---` must end it"
)


def holds_reference(value: Any) -> bool:
    """Whether a front matter value is a reference, or contains one in its lists and mappings."""
    if isinstance(value, str):  # as most are
        return value.startswith(SCHEME) and whole_reference(value) is not None
    waiting, seen = [value], set()
    while waiting:
        item = waiting.pop()
        if isinstance(item, str):
            if item.startswith(SCHEME) and whole_reference(item) is not None:
                return True
        elif isinstance(item, (dict, list)) and id(item) not in seen:  # YAML anchors: one value in many places
            seen.add(id(item))
            waiting.extend(item.values() if isinstance(item, dict) else item)
    return False


def resolve_references(value: Any, address: Callable[[str], str], made: dict[int, Any] | None = None) -> Any:
    """Return a copy of a front matter value with its references replaced; pages may share the value itself."""
    if isinstance(value, str):
        name = whole_reference(value) if value.startswith(SCHEME) else None
        return value if name is None else address(name)
    if not isinstance(value, (dict, list)):
        return value
    made = {} if made is None else made
    if id(value) not in made:
        copy: Any = {} if isinstance(value, dict) else []
        made[id(value)] = copy
        if isinstance(value, dict):
            copy.update({key: resolve_references(item, address, made) for key, item in value.items()})
        else:
            copy.extend(resolve_references(item, address, made) for item in value)
    return made[id(value)]


def strip_meta(meta: MutableMapping[str, Any]) -> None:
    """Remove the references from front matter, for a plugin that is switched off."""
    for key, value in list(meta.items()):
        if key == META_KEY or not holds_reference(value):
            continue
        if isinstance(value, str):
            del meta[key]
        else:
            meta[key] = resolve_references(value, lambda _: "")


def is_misspelt_key(key: object) -> bool:
    """Whether a key of the front matter is a probable misspelling of `qhaigc`."""
    return isinstance(key, str) and (key[:1] in "qQ" or "haigc" in key) and is_typo(key, META_KEY)


def may_begin_front_matter(text: str) -> bool:
    """Whether a page's text may begin with front matter that was not read as such, judging by its first characters."""
    return text.lstrip("\ufeff \t\r\n").startswith("--")


def broken_front_matter(text: str) -> str | None:
    """Return where and why front matter with our key was not read, or `None` if there is no such front matter.

    MkDocs takes it for the page's text, without a warning: `text` is the text that MkDocs found.
    """
    if not may_begin_front_matter(text) or not _is_ours(text):
        return None
    match = FRONT_MATTER.match(text)
    try:
        if match is None:
            return _NOT_READ
        yaml.load(match[1])
    except yaml.ERRORS as error:
        mark = getattr(error, "problem_mark", None)
        line = f"line {mark.line + 2}" if mark else "line 1"
        what = getattr(error, "problem", None) or "it cannot be read"
        return (
            f"{line}: the front matter is no YAML ({what}; a text that holds `: ` or begins with a sign needs quotes)"
        )
    return _NOT_READ


def _is_ours(text: str) -> bool:
    """Whether a page begins with lines as in front matter, our key among them."""
    signs, *lines = text.lstrip("\ufeff \t\r\n").splitlines()[:_MOST_LINES]
    if signs.strip("-").strip():
        return False
    for line in lines:
        if re.match(rf"{META_KEY}\s*:", line):
            return True
        if not re.match(r"\s|#|- |[\w-]+\s*:|$", line):
            return False
    return False
