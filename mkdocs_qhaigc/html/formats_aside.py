"""Our images as plain `<img>`, while other plugins look at a page. Pure.

A plugin that wraps every `<img>` in a link would put the link into the `<picture>`, where browsers then ignore the
other formats; one that puts a page elsewhere corrects its `src` and leaves `srcset` behind, of which browsers then load
what is not there. So what only browsers need is set aside before such plugins run, and put back when they are done.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from mkdocs_qhaigc.html.image_tag import COLOUR_ATTRIBUTE, CSS_CLASS
from mkdocs_qhaigc.html.tags import parse, tags_with, with_changes

MARK = "data-qhaigc-formats"

_OPENING = f'<picture class="{CSS_CLASS}">'
_IMAGE = re.compile(rf"{_OPENING}((?:<source [^>]*>)+)<img ([^>]*)></picture>")
_IMG = re.compile(rf"<img (?!{MARK})([^>]*)>")
_FOR_BROWSERS = re.compile(rf'((?: {COLOUR_ATTRIBUTE}="[^"]*")?)((?: srcset="[^"]*")?(?: sizes="[^"]*")?)\Z')
_OURS = re.compile(rf'(?:^| )class="[^"]*\b{CSS_CLASS}"')


@dataclass(frozen=True, slots=True)
class Aside:
    """What stands aside of one image."""

    src: str | None
    """Its address: where another plugin gives it another one, our other files do not show it any more."""
    sources: str
    """Its other formats; empty where it has one."""
    colour: str
    """An attribute, or nothing."""
    srcset: str
    """Attributes, or nothing."""


def set_aside(html: str) -> tuple[str, list[Aside]]:
    """Return the page with a marked plain `<img>` for each of our images, and what was taken from them."""
    asides: list[Aside] = []
    if CSS_CLASS not in html:
        return html, asides

    def plain(sources: str, attributes: str) -> str:
        seen, colour, srcset = _FOR_BROWSERS.split(attributes)[:3]
        src = parse(f"<img {seen}>")[1].get("src")
        asides.append(Aside(src, sources, colour, srcset))
        return f'<img {MARK}="{len(asides) - 1}" {seen}>'

    def from_img(match: re.Match[str]) -> str:
        found = _FOR_BROWSERS.search(match[1])
        return plain("", match[1]) if found and found[0] and (found[1] or _OURS.search(match[1])) else match[0]

    if _OPENING in html:
        html = _IMAGE.sub(lambda match: plain(match[1], match[2]), html)
    return _IMG.sub(from_img, html), asides


def put_back(html: str, asides: list[Aside]) -> str:
    """Return the page with all of each marked `<img>` again, wherever and however it stands now."""
    if MARK not in html:
        return html
    pieces: list[str] = []
    end = 0
    for tag, start, _ in tags_with(html, MARK):
        attributes = parse(tag)[1]
        mark = attributes.get(MARK)
        img = with_changes(tag, {MARK: (mark or "", None)})
        if mark is not None and mark.isdecimal() and int(mark) < len(asides):
            aside = asides[int(mark)]
            body = img.rstrip("/> \n\t")
            same = attributes.get("src") == aside.src
            img = f"{body}{aside.colour}{aside.srcset if same else ''}{img[len(body) :]}"
            if aside.sources and same:
                img = f"{_OPENING}{aside.sources}{img}</picture>"
        pieces += html[end:start], img
        end = start + len(tag)
    pieces.append(html[end:])
    return "".join(pieces)
