"""The attribute `sizes` of an image as wide as the text column of a theme. Pure.

A browser chooses among the widths of an image before it has read any style sheet. An image that is loaded lazily can
wait for the layout (`sizes="auto"`); a page's main image must not wait, so its `sizes` has to be right beforehand.
"""

from __future__ import annotations

from collections.abc import Container
from functools import lru_cache

UNKNOWN = "100vw"
"""For a theme that is not known here: right on phones, more than needed on wide screens."""

_COLUMNS = {
    "mkdocs": (
        "(min-width: 1400px) 956px, (min-width: 1200px) 821px, (min-width: 992px) 686px, "
        "(min-width: 576px) 506px, calc(100vw - 34px)"
    ),
    "readthedocs": "(min-width: 1100px) 697px, (min-width: 769px) calc(100vw - 403px), calc(100vw - 51px)",
}


def column(theme: str | None, *, features: Container[object] = (), hidden: Container[object] = ()) -> str:
    """Return the attribute `sizes` for an image as wide as the text of a theme's pages.

    `features` are those of Material; `hidden` are the parts that a page of it hides: `navigation`, `toc`.
    """
    if theme == "material":
        return _material("navigation" not in hidden, "toc" not in hidden and "toc.integrate" not in features)
    return _COLUMNS.get(theme or "", UNKNOWN)


@lru_cache  # each page asks
def _material(navigation: bool, toc: bool) -> str:
    """Return Material's. Its grid is 61rem wide with its margins, a sidebar 12.5rem; a rem is 20, 22 or 24 pixels."""
    rem = 59.4 - 12.5 * (navigation + toc)
    breakpoints = (("125em", 24), ("100em", 22), ("76.25em", 20))
    wide = ", ".join(f"(min-width: {least}) {round(rem * pixels)}px" for least, pixels in breakpoints)
    return f"{wide}, (min-width: 60em) calc(100vw - {32 + 242 * toc}px), calc(100vw - 32px)"
