"""References in front matter, and front matter that cannot be read. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable, MutableMapping
from typing import Any

import yaml

from mkdocs_qhaigc import html

META_KEY = "qhaigc"
_FRONT_MATTER = re.compile(r"\ufeff?---[ \t]*\r?\n(.*?)^(?:---|\.\.\.)[ \t]*\r?$", re.DOTALL | re.MULTILINE)
_DEEPEST_VALUE = 8
"""Lists and mappings within each other; YAML anchors can nest a value in itself."""


def holds_reference(value: Any) -> bool:
    """Whether a front matter value is exactly a reference, or has one somewhere in its lists and mappings."""
    return _any_reference(value, depth=0)


def _any_reference(value: Any, depth: int) -> bool:
    if isinstance(value, str):
        return value.startswith(html.SCHEME) and html.whole_reference(value) is not None
    if depth > _DEEPEST_VALUE:
        return False
    if isinstance(value, dict):
        return any(_any_reference(item, depth + 1) for item in value.values())
    return isinstance(value, list) and any(_any_reference(item, depth + 1) for item in value)


def resolve_references(value: Any, address: Callable[[str], str], depth: int = 0) -> Any:
    """Return a front matter value with its references replaced; the value itself stays: pages may share it."""
    if isinstance(value, str) and value.startswith(html.SCHEME):
        name = html.whole_reference(value)
        return value if name is None else address(name)
    if depth > _DEEPEST_VALUE:
        return value
    if isinstance(value, dict):
        return {key: resolve_references(item, address, depth + 1) for key, item in value.items()}
    if isinstance(value, list):
        return [resolve_references(item, address, depth + 1) for item in value]
    return value


def strip_meta(meta: MutableMapping[str, Any]) -> None:
    """Take the references out of the front matter: the plugin is switched off."""
    for key, value in list(meta.items()):
        if key == META_KEY or not holds_reference(value):
            continue
        if isinstance(value, str):
            del meta[key]
        else:
            meta[key] = resolve_references(value, lambda _: "")


def broken_front_matter(text: str) -> str | None:
    """Return where and why a page's front matter is no YAML, if it was meant for us; else None.

    MkDocs takes such front matter for text, without a word.
    """
    match = _FRONT_MATTER.match(text)
    if not match or not re.search(rf"^{META_KEY}\s*:", match[1], re.MULTILINE):
        return None
    try:
        yaml.safe_load(match[1])
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = f"line {mark.line + 2}" if mark else "line 1"
        what = getattr(error, "problem", None) or "it cannot be read"
        return f"{line}: the front matter is no YAML ({what})"
    return None
