"""References in the Markdown of a page, resolved for plugins that make something of it themselves: a feed. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable

from mkdocs_qhaigc.directives.lines import without_code
from mkdocs_qhaigc.html.rewrite import SCHEME, references_in

Resolve = Callable[[str], "tuple[str, str | None] | None"]
"""name -> (address, alternative text); None where a name means nothing"""

_NO_TEXT = re.compile(r"!\[(?=\]\(\s*<?\Z)")
_IN_LINE = re.compile(rf"!?\[([^\[\]\n]*)\]\(\s*<?{SCHEME}[^\n()]*\)")
_SPECIAL, _ESCAPED = re.compile(r"([\\\[\]])"), r"\\\1"


def resolve_source(text: str, resolve: Resolve) -> str:
    """Return the Markdown with an address for each reference that is not in code, described where the author has not.

    Code is told apart as for messages: by what it looks like in the source.
    """
    pieces: list[str] = []
    end = 0
    for start, stop, name in references_in(without_code(text)):
        if not (found := resolve(name)):
            continue
        url, alt = found
        before = text[end:start]
        if alt and (empty := _NO_TEXT.search(before)):
            before = f"{before[: empty.end()]}{_SPECIAL.sub(_ESCAPED, alt)}{before[empty.end() :]}"
        pieces += before, url
        end = stop
    pieces.append(text[end:])
    return "".join(pieces)


def strip_source(text: str) -> str:
    """Return the Markdown with nothing but the text of each image and link that is a reference, outside of code."""
    pieces: list[str] = []
    end = 0
    for match in _IN_LINE.finditer(without_code(text)):
        pieces += text[end : match.start()], text[match.start(1) : match.end(1)]
        end = match.end()
    pieces.append(text[end:])
    return "".join(pieces)
