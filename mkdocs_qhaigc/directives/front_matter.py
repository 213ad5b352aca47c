"""Reads front matter as engines do, finds misspelt keys, and says why it cannot be read. Pure."""

from __future__ import annotations

import re
from collections.abc import MutableMapping
from typing import Any

from mkdocs_qhaigc._util import yaml
from mkdocs_qhaigc._util.text import is_typo
from mkdocs_qhaigc.directives.image_urls_in_front_matter import holds_reference, resolve_references

META_KEY = "qhaigc"
PAGE_ENDINGS = (".md", ".markdown", ".mdown", ".mkdn", ".mkd")
"""Endings of the files of which MkDocs reads front matter; Zensical has only the first."""
FRONT_MATTER = re.compile(r"\ufeff?---[ \t]*\r?\n(.*?\n)(?:---|\.\.\.)[ \t]*\r?$", re.DOTALL | re.MULTILINE)
"""A page that begins with front matter in YAML; the group is the text between the lines of `---`."""
FIRST_LINE = 2
"""The line of a page on which its front matter begins: `---` is before it."""
_MOST_LINES = 1000
"""Front matter is looked for in as many lines."""
_NOT_READ = (
    "line 1: the front matter is not read as such: `---` must be the whole first line, with nothing before it, and "
    "another line `---` must end it, with a line break behind it"
)
_NO_MAPPING = "line 2: the front matter is no mapping of keys to values: behind a key there must be a colon and a blank"
_KEY = rf"[\"']?{META_KEY}[\"']?\s*:"
_OUR_LINE = rf"(?m)^(?:\{{[ \t]*)?{_KEY}"
_IN_BRACES = rf"[{{,]\s*{_KEY}"
"""Compiled where a page's text begins like front matter that was not read."""
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
    return bool(re.search(pattern, front))


def _is_ours(text: str) -> bool:
    """Whether a page begins with lines as in front matter, our key among them."""
    signs, *lines = text.lstrip("\ufeff \t\r\n").split("\n", _MOST_LINES)[:_MOST_LINES]
    if signs.strip().strip("-"):
        return False
    for line in lines:
        if re.match(_OUR_LINE, line):
            return True
        if not re.match(r"\s|#|- |[\w-]+\s*:|$", line):
            return False
    return False
