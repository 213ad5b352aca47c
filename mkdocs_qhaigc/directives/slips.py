"""Slips in a page's source: references with a misspelt scheme (`Qhiagc:hero`), and keys that are written twice. Pure.

Looked for where a page may mean an image that it does not show, and by commands: a build with nothing wrong in it does
without.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from mkdocs_qhaigc._util import yaml
from mkdocs_qhaigc._util.text import is_typo
from mkdocs_qhaigc.directives.front_matter import FRONT_MATTER, META_KEY
from mkdocs_qhaigc.html.rewrite import SCHEME, TEXT_ATTRIBUTES
from mkdocs_qhaigc.html.tags import parse, tags_with

_LIKE_ONE = re.compile(r"""\b([A-Za-z]{5,7}):[^\s"'()<>#?,&/]+""")


def misspelt_in(text: str) -> Iterator[tuple[int, str]]:
    """Yield (start, what is written) of what would be a reference, in text of any kind."""
    for match in _LIKE_ONE.finditer(text):
        if is_typo(match[1], SCHEME.removesuffix(":")):
            yield match.start(), match[0]


def misspelt_references(html: str, name: str) -> list[str]:
    """Return what would refer to a name, in the tags of a page's HTML."""
    return [
        written
        for tag, *_ in tags_with(html, f":{name}")
        for key, value in parse(tag)[1].items()
        if value and key not in TEXT_ATTRIBUTES
        for _, written in misspelt_in(value)
        if written.endswith(f":{name}")
    ]


class Twice(NamedTuple):
    """A key that stands twice in one mapping, of which YAML keeps the last, without a word."""

    key: str
    line: int
    """Of the page, from 1."""
    before: int
    """The line on which it stands before that."""


def written_twice(source: str) -> list[Twice]:
    """Return the names and fields that a page declares twice, and where it has our key twice."""
    front = FRONT_MATTER.match(source)
    if not front or META_KEY not in front[1]:
        return []
    try:
        root = yaml.compose(front[1])
    except yaml.ERRORS:
        return []  # `broken_front_matter` tells
    ours = [(key, value) for key, value in _pairs(root) if key.value == META_KEY]
    mappings = [ours]
    for _, declared in ours:
        mappings += [_pairs(declared), *(_pairs(image) for _, image in _pairs(declared))]
    return [twice for pairs in mappings for twice in _twice([key for key, _ in pairs])]


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
