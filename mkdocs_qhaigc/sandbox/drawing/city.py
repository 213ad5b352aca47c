"""Skylines."""

from __future__ import annotations

import math

from mkdocs_qhaigc.sandbox.drawing.canvas import Canvas, Pen
from mkdocs_qhaigc.sandbox.drawing.colours import Colour, mix
from mkdocs_qhaigc.sandbox.drawing.land import land, line
from mkdocs_qhaigc.sandbox.drawing.sky import sky
from mkdocs_qhaigc.sandbox.drawing.water import water


def city(canvas: Canvas) -> None:
    """Skylines behind skylines with lit windows, often at the water."""
    w, h, unit, words = canvas.width, canvas.height, canvas.unit, canvas.mood.words
    quay = canvas.dice.random() < 0.55 or "sea" in words
    ground = h * (canvas.between(0.68, 0.76) if quay else 1.0)
    sky(canvas, min(ground, h * 0.82), big="neon" in words)
    if "mountains" in words:
        land(canvas, line(canvas, ground * 0.8, unit * 0.3, bumps=2, sharp=True), canvas.depth(0.1), 0.4)
    layers = 3 if "minimal" in words else 4
    for k in range(layers):
        share = (k + 0.4) / layers
        blocks(canvas, ground, share, unit * (0.52 - 0.2 * share) * (1.25 if h > w else 1))
        canvas.mist(ground - unit * 0.02, unit * 0.24, (0.9 if "fog" in words else 0.55) * (1 - share))
    if quay:
        water(canvas, ground)


def blocks(canvas: Canvas, ground: float, share: float, tall: float) -> None:
    """One row of buildings, its shaded sides and its windows."""
    w, unit, light = canvas.width, canvas.unit, canvas.light
    houses: list[tuple[float, float, float, int]] = []
    x = -unit * 0.05
    centre = w * canvas.between(0.3, 0.7)
    while x < w:
        wide = unit * canvas.between(0.045, 0.1) * (0.75 + 0.6 * share)
        crowd = math.exp(-(((x + wide / 2 - centre) / (w * 0.33)) ** 2))
        houses.append(
            (
                x,
                wide,
                tall * canvas.between(0.3, 0.62) * (0.55 + 1.05 * crowd * canvas.between(0.55, 1)),
                canvas.dice.randrange(7),
            )
        )
        x += wide + unit * max(canvas.between(-0.015, 0.02), 0) * (1 + share)
    high = max(house[2] for house in houses) * 1.4
    fill = canvas.depth(0.16 + 0.84 * share)
    away = 1 if canvas.sun[0] < w / 2 else -1

    def walls(pen: Pen) -> None:
        for left, wide, up, kind in houses:
            top, mid = ground - up, left + wide / 2
            pen.box(left, top, left + wide, ground + 1)
            if kind == 0:
                pen.polygon([(left, top), (mid, top - wide * 0.7), (left + wide, top)])
            elif kind == 1:
                pen.polygon([(left, top), (left + wide, top - wide * 0.6), (left + wide, top)])
            elif kind in (2, 3):
                pen.box(left + wide * 0.2, top - wide * 0.35, left + wide * 0.8, top)
                pen.box(left + wide * 0.36, top - wide * 0.6, left + wide * 0.64, top)
                pen.box(mid - unit * 0.0015, top - wide * (1.0 + kind * 0.2), mid + unit * 0.0015, top)
            elif kind == 4:
                pen.disc(mid, top, wide / 2, wide * 0.4)

    def sides(pen: Pen) -> None:
        for left, wide, up, _ in houses:
            edge = left + wide * (0.58 if away > 0 else 0)
            pen.box(edge, ground - up, edge + wide * 0.42, ground, 70)

    def windows(pen: Pen) -> None:
        column, row = unit * 0.0125 * (0.6 + 0.7 * share), unit * 0.017 * (0.6 + 0.7 * share)
        for left, wide, up, _ in houses:
            across = max(int((wide - column * 0.8) / column), 1)
            pad = (wide - across * column) / 2
            busy = light.lit * canvas.between(0.3, 1.5)
            for floor in range(1, int(up / row)):
                for n in range(across):
                    if canvas.dice.random() < busy:
                        wx, wy = left + pad + n * column + column * 0.2, ground - up + floor * row
                        pen.box(wx, wy, wx + column * 0.6, wy + row * 0.5, round(canvas.between(90, 255)))

    foot = mix(fill, light.horizon, 0.5 * (1 - share))
    canvas.paint((fill, fill, foot), walls, ground - high, ground)
    canvas.paint(light.near, sides, ground - high, ground)
    if share > 0.2 and light.lit > 0.1:
        lamp = light.glow if "neon" in canvas.mood.words and share < 0.7 else Colour(255, 206, 122)
        canvas.paint(mix(fill, mix(lamp, light.glow, 0.2), 0.45 + 0.5 * share), windows, ground - high, ground)
