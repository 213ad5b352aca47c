"""Pictures of several formats as plain `<img>`, while other plugins look at a page. Pure.

A plugin that wraps every `<img>` in a link would put the link into the `<picture>`, where browsers then ignore the
other formats. So the formats are set aside before such plugins run, and put back when they are done.
"""

from __future__ import annotations

import re

from mkdocs_qhaigc.img import CSS_CLASS

MARK = "data-qhaigc-formats"

_PICTURE = re.compile(rf'<picture class="{CSS_CLASS}">((?:<source [^>]*>)+)(<img) ([^>]*>)</picture>')
_IMG = re.compile(rf'<img[^>]*? {MARK}="(\d+)"[^>]*>')


def set_aside(html: str) -> tuple[str, list[str]]:
    """Return the page with a marked `<img>` for each of our pictures of several formats, and their formats."""
    sources: list[str] = []
    if f'<picture class="{CSS_CLASS}">' not in html:
        return html, sources

    def plain(match: re.Match[str]) -> str:
        sources.append(match[1])
        return f'{match[2]} {MARK}="{len(sources) - 1}" {match[3]}'

    return _PICTURE.sub(plain, html), sources


def put_back(html: str, sources: list[str]) -> str:
    """Return the page with the formats around each marked `<img>` again, wherever it stands now."""

    def whole(match: re.Match[str]) -> str:
        number = int(match[1])
        img = match[0].replace(f' {MARK}="{match[1]}"', "", 1)
        if number >= len(sources):
            return img
        return f'<picture class="{CSS_CLASS}">{sources[number]}{img}</picture>'

    return _IMG.sub(whole, html) if sources else html
