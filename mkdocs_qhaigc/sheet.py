"""A contact sheet: pictures with what is known of them, as one HTML file that opens from disk. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape


@dataclass(frozen=True, slots=True)
class Card:
    """One picture on a sheet."""

    title: str
    image: str | None
    """URL relative to the sheet; None where there is no picture."""
    width: int
    height: int
    prompt: str
    facts: tuple[tuple[str, str], ...]
    line: str | None
    """Text to copy, such as `variant: 3`."""
    state: str
    pages: tuple[tuple[str, str | None], ...]
    """Label and, where there is one, the address."""


def render_sheet(title: str, cards: Sequence[Card], *, intro: str) -> str:
    """Return the HTML of a sheet."""
    shown = "".join(
        f"<h2>{escape(card.title)}</h2><p>{escape(card.state)}</p>"
        + (f'<img src="{escape(card.image)}" width="{card.width}" height="{card.height}" alt="">' if card.image else "")
        + (f"<code>{escape(card.line)}</code>" if card.line else "")
        for card in cards
    )
    return f"<!doctype html><meta charset=utf-8><title>{escape(title)}</title><p>{escape(intro)}</p>{shown}"
