"""YAML, read with safe loaders only; the one owner of PyYAML."""

from __future__ import annotations

from typing import Any

import yaml
from yaml import AliasEvent, MappingNode, Node, SafeLoader, ScalarNode, SequenceNode

__all__ = ["ERRORS", "AliasEvent", "MappingNode", "Node", "SafeLoader", "ScalarNode", "SequenceNode", "compose", "load"]

ERRORS = (yaml.YAMLError, ValueError, RecursionError, LookupError, AttributeError)
"""PyYAML lets others than its own pass: invalid dates, invalid numbers, wrong explicit tags, lists without end."""
_Loader: Any = getattr(yaml, "CSafeLoader", SafeLoader)  # in C where PyYAML was built with it: ten times as fast


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
