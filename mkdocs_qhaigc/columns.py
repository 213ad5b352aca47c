"""How wide the text column of a theme is: what a picture as wide as its page is drawn at. Pure.

A browser chooses among the widths of a picture before it has read any style sheet. A picture that is loaded lazily can
wait for the layout (`sizes="auto"`); a page's main picture must not wait, so its `sizes` has to be right beforehand.
"""

from __future__ import annotations

from collections.abc import Container

UNKNOWN = "100vw"
"""For a theme that is not known here: right on phones, more than needed on wide screens."""

_MKDOCS = (
    "(min-width: 1400px) 966px, (min-width: 1200px) 831px, (min-width: 992px) 696px, "
    "(min-width: 576px) 516px, calc(100vw - 24px)"
)
_READTHEDOCS = "(min-width: 1100px) 697px, (min-width: 769px) calc(100vw - 404px), calc(100vw - 52px)"


def column(theme: str | None, hidden: Container[object] = ()) -> str:
    """Return the attribute `sizes` for a picture as wide as the text of a theme's pages.

    `hidden` holds what a page of Material says not to show: `navigation`, `toc`.
    """
    if theme == "material":
        return _material("navigation" not in hidden, "toc" not in hidden)
    return {"mkdocs": _MKDOCS, "readthedocs": _READTHEDOCS}.get(theme or "", UNKNOWN)


def _material(navigation: bool, toc: bool) -> str:
    """Material's grid is 61rem wide, a sidebar 12.1rem, the margins 2.4rem; a rem is 20, 22 or 24 pixels."""
    rem = 58.6 - 12.1 * (navigation + toc)
    wide = ", ".join(
        f"(min-width: {least}) {round(rem * pixels)}px"
        for least, pixels in (("125em", 24), ("100em", 22), ("76.25em", 20))
    )
    middle = 32 + 242 * toc
    return f"{wide}, (min-width: 60em) calc(100vw - {middle}px), calc(100vw - 32px)"
