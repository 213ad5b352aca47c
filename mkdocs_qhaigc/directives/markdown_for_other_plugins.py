"""References in the Markdown of a page, resolved for plugins that read it themselves, as feeds do. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable

from mkdocs_qhaigc.html.reference_syntax import QUOTED, QUOTED_REFERENCE, SCHEME, references_in, whole_reference

Resolve = Callable[[str], "tuple[str, str | None] | None"]
"""Name -> (address, alternative text), or `None` if the name is unknown."""

_NOT_SHOWN = re.compile(
    r"^[ \t]*(?P<fence>`{3,}|~{3,}).*?(?:^[ \t]*(?P=fence)[`~]*[ \t]*\r?$|\Z)"
    r"|<!--.*?(?:-->|\Z)|<(?P<text>script|style|textarea)\b.*?(?:</(?P=text)|\Z)"
    r"|(?<!`)(?P<code>`+)(?!`)[^\n]*?(?<!`)(?P=code)(?!`)|\\!\[|^(?: {4}|\t)[ \t]*!\[(?=[^\n]*\n\s*\n|[^\n]*\n?\Z)",
    re.DOTALL | re.MULTILINE | re.IGNORECASE,
)
"""Code, comments and escaped signs; an indented image in a paragraph of its own is taken for code, mostly rightly."""
_NO_TEXT = re.compile(r"!\[(?=\]\(\s*<?\Z)")
_IN_LINE = re.compile(rf"!?\[([^\[\]\n]*)\]\(\s*<?{SCHEME}[^\n()]*\)")
_QUOTED = re.compile(rf"(?:(?<=!\[)([^\[\]\n]*))?\](\(\s*<?|:\s*<?){QUOTED_REFERENCE}")
_SPECIAL, _ESCAPED = re.compile(r"([\\\[\]])"), r"\\\1"


def resolve_source(text: str, resolve: Resolve) -> str:
    """Return the Markdown with the address of each reference, and with its alternative text if the author gave none.

    References in code stay. Code is recognized by its look in the source, as for messages.
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


def unquote_source(text: str) -> str:
    """Return the Markdown with references as authors write them, which plugins for wiki links have quoted.

    See `unquote_reference`. An image that such a plugin describes by its reference (`![qhaigc:hero](…)`) has no words.
    """
    if QUOTED not in text:
        return text
    pieces: list[str] = []
    end = 0
    for match in _QUOTED.finditer(without_code(text)):
        _, opening, name, fragment = match.groups(default="")
        words = text[match.start() : match.start(2) - 1]
        words = "" if whole_reference(words) else words
        pieces += text[end : match.start()], f"{words}]{opening}{SCHEME}{name}{fragment}"
        end = match.end()
    pieces.append(text[end:])
    return "".join(pieces)


def strip_source(text: str) -> str:
    """Return the Markdown with each image or link that is a reference, outside of code, reduced to its text."""
    pieces: list[str] = []
    end = 0
    for match in _IN_LINE.finditer(without_code(text)):
        pieces += text[end : match.start()], text[match.start(1) : match.end(1)]
        end = match.end()
    pieces.append(text[end:])
    return "".join(pieces)


def without_code(text: str) -> str:
    """Return a page's Markdown with blanks in place of code, comments and escaped signs."""
    return _NOT_SHOWN.sub(blank, text)


def blank(match: re.Match[str]) -> str:
    """Return as many blanks as a match has characters; its lines stay."""
    return re.sub(r"[^\n]", " ", match[0])
