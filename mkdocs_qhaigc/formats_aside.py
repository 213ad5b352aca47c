"""Pictures of several formats as plain `<img>`, while other plugins look at a page. Pure.

A plugin that wraps every `<img>` in a link would put the link into the `<picture>`, where browsers then ignore the
other formats. So the formats are set aside before such plugins run, and put back when they are done.
"""

from __future__ import annotations

import re

from mkdocs_qhaigc.img import CSS_CLASS
from mkdocs_qhaigc.tags import parse, tags_with, with_changes

MARK = "data-qhaigc-formats"

_OPENING = f'<picture class="{CSS_CLASS}">'
_PICTURE = re.compile(rf"{_OPENING}((?:<source [^>]*>)+)(<img) ([^>]*>)</picture>")


def set_aside(html: str) -> tuple[str, list[str]]:
    """Return the page with a marked `<img>` for each of our pictures of several formats, and their formats."""
    sources: list[str] = []
    if _OPENING not in html:
        return html, sources

    def plain(match: re.Match[str]) -> str:
        sources.append(match[1])
        return f'{match[2]} {MARK}="{len(sources) - 1}" {match[3]}'

    return _PICTURE.sub(plain, html), sources


def put_back(html: str, sources: list[str]) -> str:
    """Return the page with the formats around each marked `<img>` again, wherever and however it stands now."""
    if MARK not in html:
        return html
    pieces: list[str] = []
    end = 0
    for tag, start, _ in tags_with(html, MARK):
        mark = parse(tag)[1].get(MARK)
        img = with_changes(tag, {MARK: (mark or "", None)})
        known = mark is not None and mark.isdecimal() and int(mark) < len(sources)
        pieces += html[end:start], f"{_OPENING}{sources[int(mark or 0)]}{img}</picture>" if known else img
        end = start + len(tag)
    pieces.append(html[end:])
    return "".join(pieces)
