"""Where in a page's source something stands that only shows in its finished HTML. Pure; for messages."""

from __future__ import annotations

import re

from mkdocs_qhaigc.html import references_in

_FENCED = re.compile(r"^[ \t]*(`{3,}|~{3,}).*?(?:^[ \t]*\1[`~]*[ \t]*$|\Z)", re.DOTALL | re.MULTILINE)
_IN_LINE = re.compile(r"(!?)\[([^\[\]\n]*)\]\(\s*<?\Z")
_IN_TAG = re.compile(r"<img\b[^<>]*\Z", re.IGNORECASE)
_ALT = re.compile(
    r"""\b(?:alt|aria-label|aria-labelledby|aria-hidden)\s*=\s*(?:"[^"]+"|'[^']+'|[^\s"'>]+)""", re.IGNORECASE
)


def lines_without_alt(source: str, name: str) -> list[int]:
    """Return the lines on which a picture is shown without an alternative text of the reference's own.

    Where none can be told for certain, those that refer to it in any other way: a definition of a link, say.
    """
    text = _FENCED.sub(lambda fenced: re.sub(r"[^\n]", " ", fenced[0]), source)
    certain: list[int] = []
    possible: list[int] = []
    for start, end, referred in references_in(text):
        if referred != name:
            continue
        line = text.count("\n", 0, start) + 1
        before = text[max(0, start - 1000) : start]
        in_line, in_tag = _IN_LINE.search(before), _IN_TAG.search(before)
        if in_line:
            if in_line[1] and not in_line[2].strip():
                certain.append(line)
        elif in_tag:
            if not _ALT.search(in_tag[0] + text[end : text.find(">", end) + 1]):
                certain.append(line)
        else:
            possible.append(line)
    return certain or possible


def directive_line(source: str, name: str) -> int | None:
    """Return the line on which a page's front matter declares a picture; None where it does not."""
    for word in (re.escape(name), "qhaigc"):
        match = re.search(rf"^[ \t]*[\"']?{word}[\"']?[ \t]*:", source, re.MULTILINE)
        if match:
            return source.count("\n", 0, match.start()) + 1
    return None
