"""Machines and diagrams: isometric blocks, gears."""

from __future__ import annotations

import math
from collections.abc import Callable

from PIL import Image, ImageDraw

from mkdocs_qhaigc.sandbox.drawing.canvas import WHITE, Canvas, Pen, Point
from mkdocs_qhaigc.sandbox.drawing.colours import Colour, mix


def technical(canvas: Canvas) -> None:
    """An isometric plan: racks, bars and drums on a lit floor, joined by lines."""
    w, h, light, dice = canvas.width, canvas.height, canvas.light, canvas.dice
    plan = "blueprint" in canvas.mood.words
    canvas.sun = (w * 0.3, h * 0.1)
    floor = mix(light.middle, light.far, 0.5)
    canvas.image.paste(canvas.gradient((light.zenith, floor, mix(floor, light.horizon, 0.5)), w, h))
    canvas.glow(w * 0.5, h * 0.5, max(w, h) * 0.7, light.horizon, 0.6)
    board = canvas.image.resize((w * 2, h * 2), Image.Resampling.BILINEAR)
    pen = ImageDraw.Draw(board, "RGBA")
    size = canvas.unit * (0.3 if "minimal" in canvas.mood.words else 0.25)
    reach = math.ceil(2 * max(w, h) / size) + 2

    def at(i: float, j: float, up: float = 0) -> Point:
        return (w + (i - j) * size * 0.866, h * 1.05 + (i + j) * size * 0.5 - up * size)

    hair = max(round(canvas.unit / 400), 1)
    for n in range(-reach, reach):
        tint = (*light.glow, 46 if n % 4 == 0 else 20)
        pen.line([at(n, -reach), at(n, reach)], fill=tint, width=hair)
        pen.line([at(-reach, n), at(reach, n)], fill=tint, width=hair)
    around = range(-reach, reach)
    cells = sorted(((i, j) for i in around for j in around), key=lambda cell: (sum(cell), cell))
    sites = []
    for cell in cells:
        x, y = at(*cell)
        if -size < x < 2 * w + size and size * 0.5 < y < 2 * h + size * 2.5:
            middle = math.hypot((x - w) / w, (y - h) / h)
            if dice.random() < 0.62 - 0.34 * min(middle, 1.2):
                sites.append(cell)
    for i, j in sites:
        if dice.random() < 0.6:
            turn, stop = (
                at(i + 0.5, j + dice.randrange(1, 4) + 0.5),
                at(i + dice.randrange(2, 5) + 0.5, j + 1.5),
            )
            pen.line(
                [at(i + 0.5, j + 0.5), turn, stop],
                fill=(*mix(light.glow, WHITE, 0.3), 150),
                width=hair * 2,
                joint="curve",
            )
            pen.ellipse(
                (stop[0] - hair * 4, stop[1] - hair * 2, stop[0] + hair * 4, stop[1] + hair * 2),
                fill=(*light.glow, 230),
            )
    base = mix(light.middle, light.glow, 0.25)
    accent = mix(Colour(244, 140, 80), light.glow, 0.25)
    for i, j in sites:
        tall, kind = dice.choice((0.35, 0.6, 1.0, 1.5, 2.1)), dice.randrange(4)
        tone = accent if dice.random() < 0.2 else mix(base, light.near, canvas.between(0, 0.45))
        faces = (mix(tone, WHITE, 0.5), mix(tone, light.near, 0.12), mix(tone, light.near, 0.55))
        block(pen, at, (i + 0.12, j + 0.12), 0.76, tall, faces, light.glow, hair, plan=plan, drum=kind == 0)
        rows = int(tall / 0.22)
        for n in range(rows if kind in (1, 2) else 0):
            up, long = 0.14 + n * 0.22, canvas.between(0.2, 0.58)
            pen.line(
                [at(i + 0.2, j + 0.88, up), at(i + 0.2 + long, j + 0.88, up)],
                fill=(*light.glow, 190),
                width=hair * 2,
            )
            if kind == 2:
                pen.line(
                    [at(i + 0.88, j + 0.2, up), at(i + 0.88, j + 0.2 + canvas.between(0.2, 0.58), up)],
                    fill=(*accent, 170),
                    width=hair * 2,
                )
    canvas.image = board.reduce(2)


def block(
    pen: ImageDraw.ImageDraw,
    at: Callable[[float, float, float], Point],
    corner: Point,
    wide: float,
    tall: float,
    faces: tuple[Colour, Colour, Colour],
    edge: Colour,
    hair: int,
    *,
    plan: bool,
    drum: bool,
) -> None:
    """One isometric box (or drum), with its shadow; a plan has outlines instead of faces."""
    (i, j), top, left, right = corner, *faces
    shadow = [
        at(i, j + wide, 0),
        at(i + wide, j + wide, 0),
        at(i + wide + tall * 0.7, j + wide, 0),
        at(i + wide + tall * 0.7, j + wide * 0.4, 0),
        at(i + wide, j, 0),
    ]
    outline = (*edge, 210) if plan else None
    if not plan:
        pen.polygon(shadow, fill=(*right, 70))
    alpha = 120 if plan else 255
    if drum:
        (x, y), (_, y_top) = at(i + wide / 2, j + wide / 2, 0), at(i + wide / 2, j + wide / 2, tall)
        a = at(i + wide, j, 0)[0] - x
        for half, tone in ((1.0, left), (0.4, right)):
            pen.rectangle((x + a * (1 - 2 * half) if half == 1 else x + a * 0.2, y_top, x + a, y), fill=(*tone, alpha))
            pen.pieslice((x - a, y - a * 0.577, x + a, y + a * 0.577), 0, 180 if half == 1 else 78, fill=(*tone, alpha))
        bands = [y_top + (y - y_top) * n / 3 for n in (1, 2)]
        for level in bands:
            pen.arc(
                (x - a, level - a * 0.577, x + a, level + a * 0.577),
                0,
                180,
                fill=(*edge, 150),
                width=hair * 2,
            )
        pen.ellipse(
            (x - a, y_top - a * 0.577, x + a, y_top + a * 0.577),
            fill=(*top, alpha),
            outline=outline,
            width=hair * 2,
        )
        return
    sides = (
        (
            [
                at(i, j + wide, 0),
                at(i + wide, j + wide, 0),
                at(i + wide, j + wide, tall),
                at(i, j + wide, tall),
            ],
            left,
        ),
        (
            [
                at(i + wide, j, 0),
                at(i + wide, j + wide, 0),
                at(i + wide, j + wide, tall),
                at(i + wide, j, tall),
            ],
            right,
        ),
        ([at(i, j, tall), at(i + wide, j, tall), at(i + wide, j + wide, tall), at(i, j + wide, tall)], top),
    )
    for points, tone in sides:
        pen.polygon(points, fill=(*tone, alpha))
        if outline:
            pen.line([*points, points[0]], fill=outline, width=hair * 2)


def machine(canvas: Canvas) -> None:
    """Meshing gears, the far ones pale, on a lit wall."""
    w, h, unit, light = canvas.width, canvas.height, canvas.unit, canvas.light
    canvas.sun = (w * canvas.between(0.25, 0.75), h * 0.25)
    canvas.image.paste(canvas.gradient((light.middle, light.horizon, mix(light.far, light.horizon, 0.4)), w, h))
    canvas.glow(*canvas.sun, max(w, h) * 0.8, light.glow, 0.7)
    for share, count in ((0.08, 5), (0.34, 5), (0.75, 4)):
        pitch = unit * 0.022 * (1.3 - 0.3 * share)
        teeth = canvas.dice.randrange(18, 34)
        x, y = w * canvas.between(0.1, 0.35), h * canvas.between(0.25, 0.8)
        for _ in range(count):
            radius = teeth * pitch / 2
            gear(canvas, x, y, radius, teeth, pitch, share)
            teeth_next = canvas.dice.randrange(9, 30)
            turn = canvas.between(-0.9, 0.9)
            gap = radius + teeth_next * pitch / 2 + pitch * 0.1
            x, y, teeth = (
                x + math.cos(turn) * gap,
                y + math.sin(turn) * gap * (1 if y < h / 2 else -1),
                teeth_next,
            )


def gear(canvas: Canvas, x: float, y: float, radius: float, teeth: int, pitch: float, share: float) -> None:
    """A spoked wheel with teeth, a bevel and a shadow."""
    fill, turn = canvas.depth(share), canvas.between(0, 1)
    rim: list[Point] = []
    for n in range(teeth):
        for part, out in ((0.0, -0.42), (0.18, 0.5), (0.5, 0.5), (0.68, -0.42)):
            angle = (n + part + turn) / teeth * math.tau
            rim.append((x + math.cos(angle) * (radius + out * pitch), y + math.sin(angle) * (radius + out * pitch)))
    holes = canvas.dice.randrange(4, 7)

    def wheel(pen: Pen, dx: float = 0, dy: float = 0, value: int = 255) -> None:
        pen.polygon([(px + dx, py + dy) for px, py in rim], value)
        for n in range(holes):
            angle = (n + turn) / holes * math.tau
            size = radius * 0.2 * (5 / holes)
            pen.disc(
                x + dx + math.cos(angle) * radius * 0.54,
                y + dy + math.sin(angle) * radius * 0.54,
                size,
                size,
                0,
            )
        pen.disc(x + dx, y + dy, radius * 0.11, radius * 0.11, 0)

    def bevel(pen: Pen) -> None:
        for outer, value in ((0.9, 90), (0.87, 0), (0.24, 110), (0.2, 0)):
            pen.disc(x, y, radius * outer, radius * outer, value)

    reach = radius + pitch * 2
    bounds = (y - reach, y + reach, x - reach, x + reach)
    canvas.paint(canvas.light.near, lambda pen: wheel(pen, pitch * 0.5, pitch * 0.7, 70), *bounds)
    canvas.paint((mix(fill, canvas.light.glow, 0.35), fill, mix(fill, canvas.light.near, 0.4)), wheel, *bounds)
    canvas.paint(mix(fill, canvas.light.glow, 0.7), bevel, *bounds)
