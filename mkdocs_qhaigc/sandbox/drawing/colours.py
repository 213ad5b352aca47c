"""Colours of drawings: mixed, lighter or darker."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    pass


class Colour(NamedTuple):
    """Red, green and blue, 0-255 each."""

    red: int
    green: int
    blue: int


def mix(a: Colour, b: Colour, share: float) -> Colour:
    """`a` with `share` (0-1) of `b` in it."""
    return Colour(*(round(x + (y - x) * share) for x, y in zip(a, b, strict=True)))


def ramp(colour: Colour, level: float) -> Colour:
    """`colour` at a lightness `level`: 0 is black, 0.5 the colour, 1 white."""
    if level < 0.5:
        return mix(Colour(0, 0, 0), colour, level * 2)
    return mix(colour, Colour(255, 255, 255), level * 2 - 1)


def luminance(colour: Colour) -> float:
    """How light a colour looks, 0-1."""
    return (0.299 * colour.red + 0.587 * colour.green + 0.114 * colour.blue) / 255
