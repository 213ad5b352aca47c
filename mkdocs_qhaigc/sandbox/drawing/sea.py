"""Sea and harbours: boats, lighthouses, lights on the shore."""

from __future__ import annotations

from mkdocs_qhaigc.sandbox.drawing.canvas import WHITE, Canvas, Pen
from mkdocs_qhaigc.sandbox.drawing.colours import Colour, luminance, mix
from mkdocs_qhaigc.sandbox.drawing.land import land, line, treeline
from mkdocs_qhaigc.sandbox.drawing.sky import birds, sky
from mkdocs_qhaigc.sandbox.drawing.water import water


def sailboat(canvas: Canvas, x: float, y: float, size: float) -> None:
    """A small boat with two sails, and its shadow on the water."""
    light = canvas.light
    hull = mix(light.near, light.far, 0.15)
    sail = mix(light.glow if "ink" not in canvas.mood.words else WHITE, light.middle, 0.15)

    def body(pen: Pen) -> None:
        pen.polygon(
            [
                (x - size * 0.5, y - size * 0.12),
                (x + size * 0.58, y - size * 0.14),
                (x + size * 0.4, y + size * 0.05),
                (x - size * 0.38, y + size * 0.05),
            ]
        )
        pen.box(x - size * 0.012, y - size * 1.25, x + size * 0.012, y - size * 0.1)

    def sails(pen: Pen) -> None:
        pen.polygon(
            [
                (x + size * 0.04, y - size * 1.2),
                (x + size * 0.5, y - size * 0.2),
                (x + size * 0.04, y - size * 0.2),
            ],
            240,
        )
        pen.polygon(
            [
                (x - size * 0.04, y - size * 1.05),
                (x - size * 0.4, y - size * 0.2),
                (x - size * 0.04, y - size * 0.2),
            ],
            200,
        )

    bounds = (y - size * 1.3, y + size * 0.8, x - size * 0.8, x + size * 0.8)
    canvas.paint(
        light.near,
        lambda pen: pen.polygon([(x - size * 0.4, y), (x + size * 0.45, y), (x + size * 0.1, y + size * 0.6)], 70),
        *bounds,
    )
    canvas.paint(sail, sails, *bounds)
    canvas.paint(hull, body, *bounds)


def beams(pen: Pen, x: float, y: float, reach: float, tall: float) -> None:
    """Two beams from a lamp, brightest in their middle."""
    for k in range(8):
        thin = 1 - k / 8
        for side in (-1, 1):
            far, centre = x + side * reach, y - tall * 0.2
            pen.polygon([(x, y), (far, centre - tall * 0.36 * thin), (far, centre + tall * 0.36 * thin)], 18 + 11 * k)


def lighthouse(canvas: Canvas, x: float, foot: float, tall: float) -> None:
    """A banded tower with a lamp, its beams, and the rock it stands on."""
    light, dark = canvas.light, luminance(canvas.light.zenith) < 0.55
    lamp_y, half = foot - tall, tall * 0.085
    lamp = mix(Colour(255, 226, 150), light.glow, 0.3)
    if dark or "fog" in canvas.mood.words:
        canvas.paint(lamp, lambda pen: beams(pen, x, lamp_y, canvas.width, tall), 0, foot)
        canvas.glow(x, lamp_y, tall * 0.75, lamp, 0.8)
    rock = [
        (
            x + (k / 10) * tall * 0.8,
            foot + tall * (0.02 + 0.2 * abs(k / 10) ** 1.7) + canvas.between(-0.012, 0.02) * tall,
        )
        for k in range(-10, 11)
    ]
    canvas.paint(
        (canvas.depth(0.75), light.near),
        lambda pen: pen.polygon([*rock, (x + tall, foot + tall * 0.34), (x - tall, foot + tall * 0.34)]),
        foot - tall * 0.1,
        foot + tall * 0.28,
    )
    white, red = (
        mix(Colour(244, 238, 228), light.near, 0.3 if dark else 0.06),
        mix(Colour(196, 52, 46), light.near, 0.25),
    )

    def tower(pen: Pen, low: float, high: float, shade: float = -1, value: int = 255) -> None:
        a, b = half * (1.25 - 0.5 * low), half * (1.25 - 0.5 * high)
        pen.polygon(
            [
                (x + shade * a, foot - tall * 0.92 * low),
                (x + a, foot - tall * 0.92 * low),
                (x + b, foot - tall * 0.92 * high),
                (x + shade * b, foot - tall * 0.92 * high),
            ],
            value,
        )

    bounds = (lamp_y - tall * 0.2, foot + tall * 0.1, x - tall * 0.3, x + tall * 0.3)
    canvas.paint(white, lambda pen: tower(pen, -0.05, 1), *bounds)

    def stripes(pen: Pen) -> None:
        for k in range(5):
            tower(pen, k / 5, k / 5 + 0.1)

    def gallery(pen: Pen) -> None:
        wide, eaves = half * 0.85, lamp_y - tall * 0.04
        pen.box(x - half * 1.15, lamp_y + tall * 0.065, x + half * 1.15, lamp_y + tall * 0.085)
        pen.polygon([(x - wide, eaves), (x, lamp_y - tall * 0.12), (x + wide, eaves)])

    canvas.paint(red, stripes, *bounds)
    canvas.paint(light.near, lambda pen: tower(pen, -0.05, 1, 0.15, 105), *bounds)
    canvas.paint(light.near, gallery, *bounds)
    canvas.paint(
        mix(lamp, WHITE, 0.4),
        lambda pen: pen.box(x - half * 0.6, lamp_y - tall * 0.04, x + half * 0.6, lamp_y + tall * 0.065),
        *bounds,
    )


def sea(canvas: Canvas) -> None:
    """Open water under a wide sky: headlands, boats, a lighthouse where the prompt has one."""
    w, h, unit, words = canvas.width, canvas.height, canvas.unit, canvas.mood.words
    horizon = h * canvas.between(0.52, 0.62)
    sky(canvas, horizon)
    for k in range(2 if "minimal" in words else 3):
        coast = line(canvas, horizon, unit * (0.17 - 0.04 * k), bumps=1.3 + k, sharp=True)
        turn, side = canvas.between(0.25, 0.75), canvas.dice.random() < 0.5
        shape = [
            (
                x,
                min(
                    y + unit * 0.17 * max(0.0, min(((x / w - turn) if side else (turn - x / w)) * 4 + 0.6, 1.0)),
                    horizon,
                ),
            )
            for x, y in coast
        ]
        land(canvas, shape, canvas.depth(0.12 + 0.2 * k), 0.45 - 0.1 * k, horizon)
        canvas.mist(horizon, unit * 0.1, 0.8 if "fog" in words else 0.4)
    if canvas.light.lit >= 0.25 and {"boat", "city"} & words:
        lamps(canvas, horizon)
    water(canvas, horizon, darker=0.4)
    if "fog" in words:
        canvas.mist(horizon, unit * 0.3, 0.7)
    boats = canvas.dice.randrange(2, 5) if "boat" in words else canvas.dice.randrange(0, 3)
    lanes = canvas.dice.sample(range(6), boats)
    for lane, near in zip(lanes, sorted(canvas.between(0.08, 0.55) for _ in range(boats)), strict=True):
        sailboat(
            canvas,
            w * (0.12 + 0.13 * lane + canvas.between(0, 0.1)),
            horizon + (h - horizon) * near,
            unit * (0.03 + 0.16 * near),
        )
    if "lighthouse" in words:
        x = canvas.between(0.2, 0.32) if canvas.sun[0] > w / 2 else canvas.between(0.68, 0.8)
        x, tall = (0.5, 0.54) if "emblem" in words else (x, 0.46)
        lighthouse(canvas, w * x, horizon + (h - horizon) * 0.3, min(unit * tall, h * 0.42))
    elif canvas.dice.random() < 0.5 or "mountains" in words:
        treeline(canvas, h * 0.99, 0.13)
    birds(canvas, horizon)


def lamps(canvas: Canvas, shore: float) -> None:
    """The lights of a small town on the shore; painted before the water, they are mirrored in it."""
    unit, centre = canvas.unit, canvas.width * canvas.between(0.3, 0.7)
    spots = []
    for _ in range(90):
        x = centre + canvas.width * 0.26 * (canvas.dice.random() + canvas.dice.random() - 1)
        spots.append((x, shore - unit * (0.004 + 0.05 * canvas.dice.random() ** 2.5)))

    def houses(pen: Pen) -> None:
        pen.disc(centre, shore, canvas.width * 0.34, unit * 0.018)
        for x, y in spots:
            wide = unit * canvas.between(0.012, 0.026)
            roof = y - wide * canvas.between(0.4, 0.8)
            pen.polygon(
                [(x - wide, shore), (x - wide, roof), (x, roof - wide * 0.7), (x + wide, roof), (x + wide, shore)]
            )

    def windows(pen: Pen) -> None:
        for x, y in spots:
            size = unit * canvas.between(0.0015, 0.0032)
            pen.box(x - size, y - size * 1.3, x + size, y + size * 1.3, round(canvas.between(150, 255)))

    canvas.paint(canvas.depth(0.62), houses, shore - unit * 0.15, shore)
    for x, y in spots[::9]:
        canvas.glow(x, y, unit * 0.035, Colour(255, 196, 110), 0.4)
    canvas.paint(Colour(255, 218, 146), windows, shore - unit * 0.15, shore)
