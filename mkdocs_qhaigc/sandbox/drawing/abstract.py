"""An abstract motif, for a prompt of which no word names a scene: a wrong scene would mislead."""

from __future__ import annotations

import math

from mkdocs_qhaigc.sandbox.drawing.canvas import WHITE, Canvas, Pen
from mkdocs_qhaigc.sandbox.drawing.colours import Colour, mix


def abstract(canvas: Canvas) -> None:
    """Draw overlapping discs and steep flowing bands, on a gradient."""
    w, h, unit, light = canvas.width, canvas.height, canvas.unit, canvas.light
    grounds = [light.zenith, light.middle, light.horizon]
    if canvas.between(0, 1) < 0.5:
        grounds.reverse()
    canvas.image.paste(canvas.gradient(grounds, w, h))
    for colour in (light.glow, mix(light.horizon, light.glow, 0.5), light.far, mix(light.middle, WHITE, 0.3)):
        x, y, radius = w * canvas.between(0.05, 0.95), h * canvas.between(0.1, 0.9), unit * canvas.between(0.12, 0.42)
        _disc(canvas, x, y, radius, mix(colour, light.zenith, 0.15), round(canvas.between(110, 190)))
    turns, start = canvas.between(0.4, 0.9), canvas.between(0, math.tau)
    lean = math.copysign(canvas.between(1.1, 1.6), canvas.between(-1, 1))  # steep, or they would be hills
    for number in range(5):
        level = h * (0.55 + 0.2 * number)
        swing = unit * (0.11 - 0.012 * number)
        phase = start + number * 0.75
        edge = [
            (x, level + swing * math.sin(phase + math.tau * turns * x / w) + lean * h * (x / w - 0.5))
            for x in (w * step / 60 for step in range(61))
        ]
        _band(canvas, edge, number)


def _disc(canvas: Canvas, x: float, y: float, radius: float, colour: Colour, opacity: int) -> None:
    def draw(pen: Pen) -> None:
        pen.disc(x, y, radius, radius, opacity)

    canvas.paint(colour, draw, y - radius, y + radius, x - radius, x + radius)


def _band(canvas: Canvas, edge: list[tuple[float, float]], number: int) -> None:
    w, h = canvas.width, canvas.height
    top = min(y for _, y in edge)
    colour = canvas.depth(0.1 + 0.2 * number)

    def draw(pen: Pen) -> None:
        pen.polygon([*edge, (w, h), (0, h)], 215)

    canvas.paint((mix(colour, canvas.light.glow, 0.25), colour), draw, top)
