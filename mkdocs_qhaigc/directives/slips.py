"""What would be a reference but for a slip in its scheme: `Qhaigc:hero`, `qhiagc:hero`. Pure.

Looked for where a page may mean an image that it does not show, and by commands: a build with nothing wrong in it does
without.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from mkdocs_qhaigc._util.text import is_typo
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
