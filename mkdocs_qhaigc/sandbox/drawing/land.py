"""Land: ridges, snow, trees, dunes."""

from __future__ import annotations

import math

from PIL import Image, ImageDraw, ImageFilter

from mkdocs_qhaigc.sandbox.drawing.canvas import WHITE, Canvas, Pen, Point
from mkdocs_qhaigc.sandbox.drawing.colours import Colour, mix
from mkdocs_qhaigc.sandbox.drawing.sky import birds, sky
from mkdocs_qhaigc.sandbox.drawing.water import water


def line(canvas: Canvas, base: float, rise: float, *, bumps: float, sharp: bool) -> list[Point]:
    """A skyline of land from left to right: at `base` (pixels), rising up to `rise`; `sharp` has peaks."""
    dice, steps = canvas.dice, 200 if sharp else 90
    heights = [0.0] * (steps + 1)
    weight, across = 1.0, bumps * max(canvas.width / canvas.unit, 0.6)
    for octave in range(5 if sharp else 2):
        knots = [dice.random() for _ in range(math.ceil(across) + 3)]
        if octave == 0:  # summits and valleys take turns
            knots = [0.5 * knot + 0.5 * (k % 2) for k, knot in enumerate(knots)]
        phase = dice.random()
        for i in range(steps + 1):
            at = i / steps * across + phase
            k, t = int(at), at - int(at)
            if not sharp:
                t = t * t * (3 - 2 * t)
            heights[i] += weight * (knots[k] + (knots[k + 1] - knots[k]) * t)
        weight *= 0.3 if octave == 0 else 0.5
        if not sharp:
            weight *= 0.4
        across = across * 2.6 + 1
    low, high = min(heights), max(heights)
    return [(canvas.width * i / steps, base - rise * ((h - low) / (high - low))) for i, h in enumerate(heights)]


def land(
    canvas: Canvas,
    skyline: list[Point],
    fill: Colour,
    fade: float = 0.4,
    floor: float | None = None,
    reach: float = 0,
) -> Colour:
    """Land under a skyline, paling into the haze by `fade` over `reach` pixels; returns its colour there."""
    bottom = canvas.height if floor is None else floor
    foot = mix(fill, canvas.light.horizon, fade)
    top, low = min(y for _, y in skyline) - 1, max(y for _, y in skyline) + 2
    turn = min(max(low, top + reach) if reach else bottom, bottom)

    def draw(pen: Pen) -> None:
        pen.polygon([*skyline, (canvas.width, bottom + 2), (0, bottom + 2)])

    canvas.paint((fill, mix(fill, foot, 0.55), foot), draw, top, turn)
    if turn < bottom:
        canvas.image.paste(foot, (0, math.ceil(turn), canvas.width, math.ceil(bottom)))
    return foot


def summits(skyline: list[Point], around: int) -> list[int]:
    """Where a skyline is higher than all within `around` steps."""
    inside = range(around, len(skyline) - around)
    return [i for i in inside if skyline[i][1] == min(y for _, y in skyline[i - around : i + around + 1])]


def relief(canvas: Canvas, skyline: list[Point], fill: Colour, foot: Colour, drop: float) -> None:
    """The shaded flanks of a mountain range, on the side that looks away from the sun."""
    away = 1 if canvas.sun[0] < canvas.width / 2 else -1
    top = min(y for _, y in skyline)
    low = top + drop

    def flanks(pen: Pen) -> None:
        for peak in summits(skyline, 9):
            end = peak
            lowest = skyline[peak][1]
            while 0 <= end + away < len(skyline) and skyline[end + away][1] > lowest - drop * 0.12:
                end += away
                lowest = max(lowest, skyline[end][1])
            x, y = skyline[peak]
            spine, fall = [], low - y
            for k in range(1, 9):
                jag = canvas.between(0.01, 0.06) * (1 if k % 2 else -1)
                spine.append((x + away * fall * (0.1 * k / 8 + jag), y + fall * k / 8))
            back = [skyline[i] for i in range(end, peak, -away)]
            pen.polygon([(x, y), *spine, (skyline[end][0] + away * fall * 0.2, low), *back])

    shade = mix(fill, canvas.light.near, 0.38)
    canvas.paint((shade, mix(shade, foot, 0.55), foot), flanks, top - 1, low)


def snowcaps(canvas: Canvas, skyline: list[Point], colour: Colour) -> None:
    """Snow on the upper part of a range, with a ragged lower edge."""
    top, low = min(y for _, y in skyline), max(y for _, y in skyline)
    cuts = [(low - top) * canvas.between(0.2, 0.5) for _ in range(len(skyline) // 3 + 2)]
    under = []
    for i, (x, y) in enumerate(skyline):
        k, t = i // 3, i % 3 / 3
        under.append((x, max(y, top + cuts[k] + (cuts[k + 1] - cuts[k]) * t)))
    canvas.paint(colour, lambda pen: pen.polygon([*skyline, *reversed(under)], 225), top - 1, low)


def conifer(pen: Pen, x: float, foot: float, tall: float, value: int = 255) -> None:
    """A fir with ragged tiers."""
    half, tiers = tall * 0.2, 6
    side: list[Point] = []
    for k in range(tiers):
        y = foot - tall * (1 - (k + 1) / tiers) * 0.94 - tall * 0.06
        out = half * ((k + 1) / tiers) ** 0.9
        side += [(out, y + tall * 0.02), (out * 0.55, y - tall * 0.015)]
    right = [(x + dx, y) for dx, y in side]
    left = [(x - dx * 0.94, y) for dx, y in reversed(side)]
    pen.polygon([(x, foot - tall), *right, *left], value)
    pen.box(x - half * 0.1, foot - tall * 0.1, x + half * 0.1, foot + tall * 0.02, value)


def treeline(canvas: Canvas, base: float, tall: float) -> None:
    """Dark firs along the lower edge, higher at the sides, that frame the view."""
    w, unit = canvas.width, canvas.unit
    ground = line(canvas, base + unit * 0.02, unit * 0.06, bumps=2, sharp=False)

    def draw(pen: Pen) -> None:
        pen.polygon([*ground, (w, canvas.height + 2), (0, canvas.height + 2)])
        x = -unit * 0.02
        while x < w * 1.02:
            side = abs(x / w - 0.5) * 2
            size = unit * tall * canvas.between(0.45, 1.0) * (0.45 + 0.9 * side**2)
            spot = ground[min(max(round(x / w * (len(ground) - 1)), 0), len(ground) - 1)][1]
            conifer(pen, x, spot + unit * 0.01, size)
            x += unit * canvas.between(0.012, 0.05) * (1.6 - side)

    canvas.paint((canvas.depth(0.9), canvas.light.near), draw, base - unit * (tall * 1.5 + 0.1))


def mountains(canvas: Canvas) -> None:
    """Ranges behind ranges, sometimes over a lake."""
    h, words = canvas.height, canvas.mood.words
    lake = canvas.dice.random() < 0.4
    horizon = h * canvas.between(0.56, 0.66)
    sky(canvas, horizon)
    layers = 3 if "minimal" in words else canvas.dice.randrange(4, 6)
    rise = min(h * (0.28 if "ink" in words else 0.36), canvas.unit * 0.5)
    snowy = canvas.dice.choice((0, 0, 2))
    floor = horizon + h * 0.1 if lake else None
    for k in range(layers):
        share = (k / layers) ** 1.15
        base = horizon + ((floor or h) - horizon) * share * 0.75
        fill = canvas.depth(0.06 + share * 0.85)
        skyline = line(canvas, base + rise * 0.12, rise * (1.15 - 0.62 * share), bumps=2.2 + k * 0.7, sharp=True)
        drop = rise * (1.25 - 0.6 * share)
        foot = land(canvas, skyline, fill, 0.6 - 0.4 * share, floor, drop)
        if k < layers - 1 and ("snow" in words or k < snowy):
            snowcaps(canvas, skyline, mix(fill, mix(WHITE, canvas.light.glow, 0.3), 0.8 - 0.3 * share))
        if "ink" not in words and k < layers - 1:
            relief(canvas, skyline, fill, foot, min(drop, (floor or h) - min(y for _, y in skyline)))
        canvas.mist(base + rise * 0.1, rise * 0.42, 0.75 if {"fog", "ink"} & words else 0.42 * (1 - share))
    if lake and floor:
        water(canvas, floor)
    elif "minimal" not in words:
        birds(canvas, horizon)
    treeline(canvas, h * (0.98 if lake else 0.93), 0.11)


def forest(canvas: Canvas) -> None:
    """Rows of firs that lose themselves in the mist, with shafts of light."""
    w, h, unit = canvas.width, canvas.height, canvas.unit
    horizon = h * canvas.between(0.5, 0.62)
    sky(canvas, horizon)
    land(canvas, line(canvas, horizon, unit * 0.24, bumps=1.5, sharp=True), canvas.depth(0.08), 0.5)
    rows = 5
    for k in range(rows):
        share = (k + 0.6) / rows
        base = horizon + (h - horizon) * (k / (rows - 1)) ** 1.3 * 0.92
        ground = line(canvas, base, unit * 0.09, bumps=1.4, sharp=False)
        tall = unit * (0.09 + 0.3 * share**1.6)
        gap = canvas.between(0.3, 0.7) * w

        def draw(
            pen: Pen, ground: list[Point] = ground, tall: float = tall, gap: float = gap, share: float = share
        ) -> None:
            pen.polygon([*ground, (w, h + 2), (0, h + 2)])
            x = -tall * 0.2
            while x < w + tall * 0.2:
                spot = ground[min(max(round(x / w * (len(ground) - 1)), 0), len(ground) - 1)][1]
                clear = min(abs(x - gap) / (unit * 0.5), 1) if share > 0.5 else 1.0
                conifer(pen, x, spot + tall * 0.05, tall * canvas.between(0.55, 1.0) * (0.35 + 0.65 * clear))
                x += tall * canvas.between(0.1, 0.3) * (1 + share * 0.5)

        fill = canvas.depth(0.12 + 0.88 * share**1.1)
        foot = mix(fill, canvas.light.horizon, 0.55 - 0.5 * share)
        canvas.paint((fill, mix(fill, foot, 0.6), foot), draw, base - tall - unit * 0.1)
        canvas.mist(
            base + tall * 0.25,
            tall * 0.9,
            (0.85 if {"fog", "ink"} & canvas.mood.words else 0.5) * (1 - share),
        )
        if k == 2 and not {"ink", "minimal"} & canvas.mood.words:
            shafts(canvas)


def shafts(canvas: Canvas) -> None:
    """Beams that fan out from the sun through the trees."""
    x, y = canvas.sun
    reach = max(canvas.width, canvas.height) * 1.2
    mask = Image.new("L", (canvas.width // 4 + 1, canvas.height // 4 + 1))
    draw = ImageDraw.Draw(mask)
    for _ in range(9):
        turn, wide = canvas.between(0.25, 2.9), canvas.between(0.012, 0.05)
        tips = [((x + math.cos(t) * reach) / 4, (y + math.sin(t) * reach) / 4) for t in (turn - wide, turn + wide)]
        draw.polygon([(x / 4, y / 4), *tips], fill=round(canvas.between(22, 58)))
    mask = mask.filter(ImageFilter.BoxBlur(canvas.unit / 220)).resize(
        (canvas.width, canvas.height), Image.Resampling.BILINEAR
    )
    canvas.wash(canvas.light.glow, mask, 0, 0)


def dunes(canvas: Canvas) -> None:
    """Sweeping sand: lit windward slopes, dark lee slopes."""
    h, unit = canvas.height, canvas.unit
    horizon = h * canvas.between(0.48, 0.58)
    sky(canvas, horizon, big=True)
    sand = mix(mix(canvas.light.horizon, canvas.light.far, 0.5), Colour(226, 158, 92), 0.3)
    land(
        canvas,
        line(canvas, horizon + unit * 0.04, unit * 0.1, bumps=2.5, sharp=True),
        mix(sand, canvas.light.horizon, 0.55),
        0.5,
    )
    layers = 3 if "minimal" in canvas.mood.words else 4
    for k in range(layers):
        share = (k + 1) / layers
        base = horizon + (h - horizon) * (share - 0.5 / layers) * 0.9
        crest = line(canvas, base + unit * 0.08, unit * (0.14 + 0.16 * share), bumps=1.5 - 0.5 * share, sharp=False)
        bright = mix(sand, canvas.light.near, 0.05 + 0.38 * share**1.3)
        foot = land(canvas, crest, bright, 0.22, None, unit * 0.5)
        lee(canvas, crest, mix(bright, canvas.light.near, 0.5), foot, unit * (0.3 + 0.3 * share))
        canvas.mist(base + unit * 0.1, unit * 0.14, 0.3 * (1 - share))


def lee(canvas: Canvas, crest: list[Point], shade: Colour, foot: Colour, drop: float) -> None:
    """The shadow of each summit of a dune, behind an S-shaped edge that runs down from it."""
    away = 1 if canvas.sun[0] < canvas.width / 2 else -1

    def draw(pen: Pen) -> None:
        for top in summits(crest, 4):
            end = top
            while 0 <= end + away < len(crest) and crest[end + away][1] >= crest[end][1]:
                end += away
            x, y = crest[top]
            bend = drop * canvas.between(0.16, 0.3)
            edge = [
                (x - away * (bend * math.sin(t / 20 * 4.4) - drop * 0.5 * (t / 20) ** 2), y + drop * t / 20)
                for t in range(21)
            ]
            far_x, far_y = crest[end]
            foot_x, foot_y = edge[-1]
            for t in range(1, 13):  # from the foot up to the valley, hollow
                u = t / 12
                edge.append((foot_x + (far_x - foot_x) * u, foot_y + (far_y - foot_y) * u**0.6))
            pen.polygon([*edge, *(crest[i] for i in range(end, top, -away))])

    top = min(y for _, y in crest)
    canvas.paint((shade, mix(shade, foot, 0.3), mix(shade, foot, 0.8)), draw, top - 1, top + drop * 1.6)
