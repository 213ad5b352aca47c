"""Finds the names and fields that a page's front matter declares twice. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from mkdocs_qhaigc._util import yaml
from mkdocs_qhaigc.directives.front_matter import FIRST_LINE, FRONT_MATTER, META_KEY

_OTHER_FORMS = re.compile(r"[{?*\\]")
"""Characters of the forms in which a key may have no colon behind it, or other letters than those that are read."""


class RepeatedKey(NamedTuple):
    """A key that is twice in one mapping: YAML keeps the last one, without a warning."""

    key: str
    line: int
    """Of the page, from 1."""
    before: int
    """The line on which the same key is before that."""


def repeated_keys(source: str) -> list[RepeatedKey]:
    """Return the names and fields that a page declares twice, and our own key if it is there twice."""
    front = FRONT_MATTER.match(source)
    if not front or META_KEY not in front[1] or _are_distinct(front[1]):
        return []
    try:
        root = yaml.compose(front[1])
    except yaml.ERRORS:
        return []  # a warning of `broken_front_matter` says so
    ours = [(key, value) for key, value in yaml.pairs(root) if key.value == META_KEY]
    mappings = [ours]
    for _, declared in ours:
        images = [yaml.pairs(image) for _, image in yaml.pairs(declared)]
        dark = [yaml.pairs(value) for image in images for field, value in image if field.value == "dark"]
        mappings += [yaml.pairs(declared), *images, *dark]
    return [repeated for pairs in mappings for repeated in _repeated([key for key, _ in pairs])]


def _are_distinct(front: str) -> bool:
    """Whether the last words of all keys differ, so that no parser is needed to see that no key is there twice.

    A word is compared without its quotes. Where nothing is left of one (`hero :`), they may differ or not.
    """
    words = [word.strip("\"':") for word in front.split() if word[-1] == ":"]
    return len(set(words)) == len(words) and all(words) and not _OTHER_FORMS.search(front)


def _repeated(keys: list[yaml.ScalarNode]) -> Iterator[RepeatedKey]:
    lines: dict[tuple[str, str], int] = {}
    for key in keys:
        line = key.start_mark.line + FIRST_LINE
        before = lines.get((key.tag, key.value))
        if before is not None:
            yield RepeatedKey(key.value, line, before)
        lines[key.tag, key.value] = line
