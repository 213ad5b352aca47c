"""YAML, read with safe loaders only; the one owner of PyYAML.

PyYAML has two parsers, one of them in C, which do not accept the same texts: a tab between a key and its value, or
`"\\ud83d\\ude00"` for one character. Engines read front matter by the one in C, and so does all that is here.
"""

from __future__ import annotations

import re
from typing import Any

import yaml
from yaml import AliasEvent, MappingNode, Node, SafeLoader, ScalarNode, SequenceNode
from yaml.composer import Composer

__all__ = [
    "ERRORS",
    "AliasEvent",
    "MappingNode",
    "Node",
    "PlacesLoader",
    "SafeLoader",
    "ScalarNode",
    "SequenceNode",
    "compose",
    "fault",
    "load",
    "pairs",
]

ERRORS = (yaml.YAMLError, ValueError, RecursionError, LookupError, AttributeError)
"""PyYAML lets others than its own pass: invalid dates, invalid numbers, wrong explicit tags, lists without end."""
_Loader: Any = getattr(yaml, "CSafeLoader", SafeLoader)  # in C where PyYAML was built with it: ten times as fast
_CONTROL = r"[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]"
"""Characters that cannot stand in YAML."""
_INVISIBLE_BREAK = re.compile("[\x85\u2028\u2029]")
"""Ends a line of YAML, and none in an editor."""


class PlacesLoader(Composer, _Loader):  # type: ignore[misc]  # whichever PyYAML has
    """A loader whose `compose_node` may be overridden, to learn the places of nodes."""

    def __init__(self, text: str) -> None:
        _Loader.__init__(self, text)
        Composer.__init__(self)


def load(text: str, *, loader: type[SafeLoader] | None = None) -> Any:
    """Return the value of a YAML text. `loader`: a safe one with tags of its own.

    Raises:
        ERRORS: the text is no YAML.
    """
    return yaml.load(text, Loader=loader or _Loader)  # noqa: S506 - a safe one


def compose(text: str) -> Node | None:
    """Return the root of a YAML text's nodes, which know their places; `None` if the text is empty.

    Raises:
        ERRORS: the text is no YAML.
    """
    root: Node | None = yaml.compose(text, Loader=_Loader)
    return root


def pairs(node: Node | None) -> list[tuple[ScalarNode, Node]]:
    """Return the (key, value) pairs of a node that is a mapping, without keys that are lists or mappings themselves."""
    pairs = node.value if isinstance(node, MappingNode) else ()
    return [(key, value) for key, value in pairs if isinstance(key, ScalarNode) and key.value != "<<"]


def fault(text: str, error: Exception) -> tuple[int | None, str]:
    """Return the line (from 0; `None` if unknown) on which a text is no YAML, and why, with a remedy.

    `error` is what `load` raised for the text.
    """
    mark = getattr(error, "problem_mark", None)
    problem = str(getattr(error, "problem", None) or "it cannot be read")
    if mark is not None:
        if "expected ':'" in problem:  # the mark is where the key has ended for certain
            mark = getattr(error, "context_mark", None) or mark
            begin = text.rfind("\n", 0, mark.index) + 1
            if found := _INVISIBLE_BREAK.search(text, begin, mark.index):
                return text.count("\n", 0, begin), f"it holds the line break U+{ord(found[0]):04X}: remove it"
        return text.count("\n", 0, mark.index), f"{problem}{_remedy(problem, text[mark.index : mark.index + 1])}"
    if control := re.search(_CONTROL, text):
        return text.count("\n", 0, control.start()), f"it holds the character U+{ord(control[0]):04X}: remove it"
    if scalar := _unreadable(text):
        kind = scalar.tag.rpartition(":")[2]
        return scalar.start_mark.line, f"{scalar.value!r:.60} is no {kind}: put it in quotes"
    return None, problem


def _remedy(problem: str, at: str) -> str:
    """Return what to do about a problem that PyYAML has found; `at`: the character where it has."""
    if "tab" in problem or at == "\t":
        return ": a tab stands where blanks must"
    if "escape" in problem or "hexdecimal" in problem:
        return (
            "; a backslash in double quotes begins an escape, and this one means no whole character: write the "
            "character itself, or use single quotes"
        )
    if "expected ':'" in problem:
        return ": behind a key there must be a colon and a blank"
    if any(word in problem for word in ("merging", "base64", "document", "nesting")):
        return ""
    return "; a text that holds `: ` or begins with a sign needs quotes"


def _unreadable(text: str) -> ScalarNode | None:
    """Return the scalar of a text that has no value, as a date in month 13; `None` if there is none."""
    try:
        waiting = [compose(text)]
    except ERRORS:
        return None
    seen: set[int] = set()
    loader = SafeLoader("")
    while waiting:
        node = waiting.pop()
        if node is None or id(node) in seen:
            continue
        seen.add(id(node))
        if isinstance(node, ScalarNode):
            try:
                loader.construct_object(node)
            except ERRORS:
                return node
        elif isinstance(node, SequenceNode):
            waiting += reversed(node.value)
        elif isinstance(node, MappingNode):
            waiting += [one for pair in reversed(node.value) for one in reversed(pair)]
    return None
