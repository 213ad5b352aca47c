"""Reads front matter as engines do, replaces references in it, finds misspelt keys, and why it cannot be read. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable, MutableMapping
from typing import Any

from mkdocs_qhaigc._util import yaml
from mkdocs_qhaigc._util.text import is_typo
from mkdocs_qhaigc.html.reference_syntax import SCHEME, whole_reference

META_KEY = "qhaigc"
PAGE_ENDINGS = (".md", ".markdown", ".mdown", ".mkdn", ".mkd")
"""Endings of the files of which MkDocs reads front matter; Zensical has only the first."""
FRONT_MATTER = re.compile(r"\ufeff?---[ \t]*\r?\n(.*?\n)(?:---|\.\.\.)[ \t]*\r?$", re.DOTALL | re.MULTILINE)
"""A page that begins with front matter in YAML; the group is the text between the lines of `---`."""
_MOST_LINES = 1000
"""Front matter is looked for in as many lines."""
_NOT_READ = (
    "line 1: the front matter is not read as such: `---` must be the whole first line, with nothing before it, and "
    "another line `---` must end it, with a line break behind it"
)
_NO_MAPPING = "line 2: the front matter is no mapping of keys to values: behind a key there must be a colon and a blank"
_KEY = re.compile(rf"[\"']?{META_KEY}[\"']?\s*:")
_OUR_LINE = re.compile(rf"^(?:\{{[ \t]*)?{_KEY.pattern}", re.MULTILINE)
_IN_BRACES = re.compile(rf"[{{,]\s*{_KEY.pattern}")
_HEADER = re.compile(r" {0,3}([A-Za-z0-9_-]+):\s*(.*)")
_HEADER_GOES_ON = re.compile(r"(?: {4}|\t)\s*(.*)")


def read_front_matter(text: str, *, headers: bool) -> dict[Any, Any]:
    """Return the front matter of a page's text as engines read it; empty if they read none.

    `headers`: as MkDocs, which also reads lines `key: text` without `---` (MultiMarkdown), and no front matter that
    ends the page without a line break behind its last line.
    """
    match = FRONT_MATTER.match(text)
    if not match:
        return _read_headers(text) if headers else {}
    if text.startswith("\ufeff") or (headers and match.end() == len(text)):
        return {}
    try:
        meta = yaml.load(match[1])
    except yaml.ERRORS:
        return {}  # `broken_front_matter` finds the line for the warning
    return meta if isinstance(meta, dict) else {}


def _read_headers(text: str) -> dict[Any, Any]:
    """Return the MultiMarkdown headers of a text: the lines before the first one that is none."""
    headers: dict[Any, Any] = {}
    key = ""
    for line in text.split("\n"):
        if header := _HEADER.match(line):
            key = header[1].lower()
            headers[key] = f"{headers[key]} {header[2].strip()}" if key in headers else header[2].strip()
        elif key and line.strip() and (more := _HEADER_GOES_ON.match(line)):
            headers[key] += f" {more[1].strip()}"
        else:
            break
    return headers


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
    if not may_begin_front_matter(text):
        return None
    match = FRONT_MATTER.match(text)
    if match is None:
        return _NOT_READ if _is_ours(text) else None
    if not _declares(match[1]):
        return None
    try:
        meta = yaml.load(match[1])
    except yaml.ERRORS as error:
        line, what = yaml.fault(match[1], error)
        return f"line {1 if line is None else line + 2}: the front matter is no YAML ({what})"
    return _NOT_READ if isinstance(meta, dict) else _NO_MAPPING


def _declares(front: str) -> bool:
    """Whether the text between lines of `---` seems to have our key."""
    pattern = _IN_BRACES if front.lstrip().startswith("{") else _OUR_LINE
    return bool(pattern.search(front))


def _is_ours(text: str) -> bool:
    """Whether a page begins with lines as in front matter, our key among them."""
    signs, *lines = text.lstrip("\ufeff \t\r\n").split("\n", _MOST_LINES)[:_MOST_LINES]
    if signs.strip().strip("-"):
        return False
    for line in lines:
        if _OUR_LINE.match(line):
            return True
        if not re.match(r"\s|#|- |[\w-]+\s*:|$", line):
            return False
    return False
