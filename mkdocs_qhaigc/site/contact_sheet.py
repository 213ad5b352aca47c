"""A contact sheet: images with the facts about them, as one HTML page that opens from the disk.

It needs no network, and no files but the images. Without its scripts it is a plain list of them.
"""

from __future__ import annotations

import base64
import hashlib
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

from mkdocs_qhaigc.assets import asset

_PROPORTIONS = (0.8, 1.8)
"""Width divided by height of the highest and of the lowest frame; other images have room left beside them."""
_PROPORTIONS_OF_VARIANTS = (0.5, 3.0)

_CODE = re.compile("`([^`]+)`")


@dataclass(frozen=True, slots=True)
class Card:
    """One image of a contact sheet."""

    title: str
    image: str | None
    """URL relative to the sheet; `None` if there is no image."""
    width: int
    """Pixels."""
    height: int
    """Pixels."""
    prompt: str
    facts: tuple[tuple[str, str], ...]
    """(label, value): `("model", "qh-draw-x2-preview")`."""
    line: str | None
    """Text to copy: `variant: 3`."""
    state: str
    """One word, by which the sheet can be filtered."""
    pages: tuple[tuple[str, str | None], ...]
    """(label, href or `None`) of each page that shows it."""
    in_use: bool = False
    """Whether it is the one of the sheet's variants that the site shows."""


@dataclass(frozen=True, slots=True)
class Subject:
    """The image whose variants a sheet shows: what they have in common."""

    prompt: str
    facts: tuple[tuple[str, str], ...]
    """(label, value)."""
    pages: tuple[tuple[str, str | None], ...]
    """(label, href or `None`)."""
    command: str | None
    """The command that chooses one."""


def render_sheet(title: str, cards: Sequence[Card], *, intro: str, subject: Subject | None = None) -> str:
    """Return the whole page.

    Args:
        intro: the text below its title; what is in backticks is code.
        subject: of variants of one image, which are shown large, side by side.
    """
    about = _CODE.sub(r"<code>\1</code>", _text(intro))
    layout = _layout(cards) if subject else ""
    scripts = [_read("sheet.js")] if subject else [_read("find.js"), _read("sheet.js")]
    limits = _PROPORTIONS_OF_VARIANTS if subject else _PROPORTIONS
    frames = f".frame {{\n  aspect-ratio: {_proportion(cards, limits):.4g};\n}}\n"
    style = "\n".join([_read("colours.css"), _read("sheet.css"), frames])
    policy = (
        f"default-src 'none'; img-src 'self' file:; style-src {_hash(style)}; "
        f"script-src {' '.join(map(_hash, scripts))}; base-uri 'none'; form-action 'none'"
    )
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{escape(policy)}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        '<meta name="robots" content="noindex">\n'
        f"<title>{_text(title)}</title>\n<style>{style}</style>\n</head>\n<body>\n<header>\n"
        f'<h1>{_text(title)}</h1>\n<p class="intro">{about}</p>\n{_subject(subject)}'
        f"{_keys(cards, searched=subject is None)}</header>\n<main>\n{'' if subject else _form(cards)}"
        f'<ul class="cards{layout}">\n{"".join(map(_card, cards))}</ul>\n</main>\n{_DIALOG}'
        '<output class="quiet said"></output>\n'
        f"{''.join(f'<script>{script}</script>' for script in scripts)}\n</body>\n</html>\n"
    )


def _read(name: str) -> str:
    """Return the text of a file of this package."""
    return asset(name).read_text(encoding="utf-8")


_DIALOG = """<dialog aria-labelledby="large">
<header>
<h2 id="large"></h2>
<button value="-1" aria-label="The image before">←</button>
<button value="1" aria-label="The next image">→</button>
<button value="close">Close</button>
</header>
<img alt="">
<div class="about"></div>
</dialog>
"""


def _layout(cards: Sequence[Card]) -> str:
    """Return the classes of a list of variants: images that are higher than wide need less room beside each other."""
    return " variants" if _proportion(cards, _PROPORTIONS) >= 1 else " variants high"


def _subject(subject: Subject | None) -> str:
    if subject is None:
        return ""
    command = f'<p class="line"><code>{_text(subject.command)}</code></p>\n' if subject.command else ""
    facts = _facts((*subject.facts,), subject.pages)
    return f'{command}<p class="prompt" dir="auto">{_text(subject.prompt)}</p>\n<dl class="common">\n{facts}</dl>\n'


def _keys(cards: Sequence[Card], *, searched: bool) -> str:
    keys = [("← ↑ ↓ →", "go from card to card"), ("Enter", "large"), ("Esc", "back")]
    if searched:
        keys.append(("/", "search"))
    if any(card.line for card in cards):
        keys.append(("c", "copy the card's line"))
    shown = ", ".join(f"{' '.join(f'<kbd>{key}</kbd>' for key in names.split())} {does}" for names, does in keys)
    return f'<p class="keys" data-script hidden>Keys: {shown}</p>\n'


def _form(cards: Sequence[Card]) -> str:
    """Return the form: a search, and a choice by state if there are several."""
    states = Counter(card.state for card in cards)
    choices = "".join(
        f'<label><input type="radio" name="state" value="{_text(value)}"{"" if value else " checked"}>'
        f"{_text(value or 'all')} ({count})</label>\n"
        for value, count in (("", len(cards)), *states.items())
    )
    by_state = f'<fieldset>\n<legend class="quiet">State</legend>\n{choices}</fieldset>\n' if len(states) > 1 else ""
    return (
        '<form class="qhaigc-find" role="search" hidden>\n<label class="words"><span class="quiet">Search in titles, '
        'prompts, models and pages</span><input type="search" name="words" placeholder="Search" autocomplete="off">'
        f"</label>\n{by_state}<output></output>\n</form>\n"
    )


def _card(card: Card) -> str:
    size = f'width="{card.width}" height="{card.height}"'
    if card.image is None:
        frame = (
            f'<div class="frame empty" tabindex="0" role="img" aria-label="{_text(card.title)}: no image">'
            f"{card.width} × {card.height}</div>"
        )
    else:
        frame = (
            f'<a class="frame" href="{_text(card.image)}"><img src="{_text(card.image)}" alt="{_text(card.title)}" '
            f'{size} loading="lazy" decoding="async"></a>'
        )
    line = (
        f'<p class="line"><code>{_text(card.line)}</code><button class="copy" data-script hidden>Copy</button></p>\n'
        if card.line is not None
        else ""
    )
    used = ' <span class="used">in use</span>' if card.in_use else ""
    prompt = f'<p class="prompt" dir="auto">{_text(card.prompt)}</p>\n' if card.prompt else ""
    return (
        f'<li data-state="{_text(card.state)}"{" class=chosen" if card.in_use else ""}>\n'
        f'<div class="head"><h2>{_text(card.title)}{used}</h2>'
        f'<span class="state {_text(card.state)}">{_text(card.state)}</span></div>\n'
        f"{frame}\n{prompt}{line}<dl>\n{_facts(card.facts, card.pages)}</dl>\n</li>\n"
    )


def _facts(facts: Sequence[tuple[str, str]], pages: Sequence[tuple[str, str | None]]) -> str:
    """Return the rows of a list of facts."""
    rows = [(_text(what), _text(value)) for what, value in facts]
    links = (_text(page) if href is None else f'<a href="{_text(href)}">{_text(page)}</a>' for page, href in pages)
    rows += [("pages", ", ".join(links))] if pages else []
    return "".join(f"<dt>{what}</dt><dd>{value}</dd>\n" for what, value in rows)


def _proportion(cards: Sequence[Card], limits: tuple[float, float]) -> float:
    """Return width divided by height of the frames: that of most images."""
    common = Counter(card.width / max(card.height, 1) for card in cards).most_common(1)
    least, most = limits
    return min(max(common[0][0] if common else 1.5, least), most)


def _text(text: str) -> str:
    """Return text as HTML, for attributes too; a question mark replaces what UTF-8 cannot encode."""
    return escape(text.encode(errors="replace").decode())


def _hash(content: str) -> str:
    """Return an inline element's source expression for a content security policy."""
    return f"'sha256-{base64.b64encode(hashlib.sha256(content.encode()).digest()).decode()}'"
