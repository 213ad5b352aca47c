"""References `qhaigc:NAME` in the values of a page's front matter: found, and replaced by the images' URLs. Pure."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from mkdocs_qhaigc.html.reference_syntax import SCHEME, whole_reference


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
