"""The motifs that a drawing may have, and the canvas they are painted on.

Every length is a share of the canvas, so that a composition is the same at any size. Shapes are drawn as
masks several times larger than the canvas and reduced, which gives them smooth edges for little time.
"""

from __future__ import annotations

import math
import random
from typing import TYPE_CHECKING

from PIL import Image, ImageChops, ImageDraw, ImageFilter

from .palette import Colour, Mood, luminance, mix

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

Point = tuple[float, float]
ACROSS, DOWN = 2, 3
"""Mask pixels per canvas pixel: more downwards, since the long edges of a landscape lie nearly level."""
WHITE = Colour(255, 255, 255)


class Pen:
    """Draws on a mask in the canvas' own coordinates."""

    def __init__(self, mask: Image.Image, left: float, top: float) -> None:
        self._draw = ImageDraw.Draw(mask)
        self._left, self._top = left, top

    def _at(self, points: Sequence[Point]) -> list[Point]:
        return [((x - self._left) * ACROSS, (y - self._top) * DOWN) for x, y in points]

    def polygon(self, points: Sequence[Point], value: int = 255) -> None:
        """Fill the polygon."""
        self._draw.polygon(self._at(points), fill=value)

    def box(self, left: float, top: float, right: float, bottom: float, value: int = 255) -> None:
        """Fill the rectangle."""
        (x0, y0), (x1, y1) = self._at([(left, top), (right, bottom)])
        self._draw.rectangle((x0, y0, max(x1 - 1, x0), max(y1 - 1, y0)), fill=value)

    def disc(self, x: float, y: float, across: float, down: float, value: int = 255) -> None:
        """Fill the ellipse with these half axes."""
        self._draw.ellipse(self._at([(x - across, y - down), (x + across, y + down)]), fill=value)


class Canvas:
    """A picture in the making: its pixels, its mood and its dice."""

    def __init__(self, width: int, height: int, mood: Mood) -> None:
        self.width, self.height, self.mood, self.light = width, height, mood, mood.light
        self.unit = min(width, height * 1.1)
        """Pixels; what a thing of size 1 would measure."""
        self.dice = random.Random(mood.seed ^ 0x5CE1E)  # noqa: S311 (pictures, not secrets)
        self.image = Image.new("RGB", (width, height))
        self.sun: Point = (0.0, 0.0)

    def between(self, low: float, high: float) -> float:
        """A throw of the dice."""
        return self.dice.uniform(low, high)

    def depth(self, share: float) -> Colour:
        """Colour of land at a distance: 0 is the far horizon, 1 the foreground."""
        return mix(self.light.far, self.light.near, share)

    def gradient(self, colours: Sequence[Colour], width: int, height: int) -> Image.Image:
        """A smooth vertical run through `colours`."""
        height, spans = max(height, 1), len(colours) - 1
        rows = bytearray()
        for y in range(height):
            at = y / max(height - 1, 1) * spans
            i = min(int(at), spans - 1)
            rows += bytes(mix(colours[i], colours[i + 1], at - i))
        return Image.frombytes("RGB", (1, height), bytes(rows)).resize((width, height), Image.Resampling.NEAREST)

    def paint(
        self,
        fill: Colour | Sequence[Colour],
        draw: Callable[[Pen], None],
        top: float,
        bottom: float | None = None,
        left: float = 0,
        right: float | None = None,
    ) -> None:
        """Lay what `draw` draws within these bounds on the canvas, in one colour or a run from top to bottom."""
        x0, y0 = max(math.floor(left), 0), max(math.floor(top), 0)
        x1 = min(math.ceil(self.width if right is None else right), self.width)
        y1 = min(math.ceil(self.height if bottom is None else bottom), self.height)
        if x1 <= x0 or y1 <= y0:
            return
        mask = Image.new("L", ((x1 - x0) * ACROSS, (y1 - y0) * DOWN))
        draw(Pen(mask, x0, y0))
        mask = mask.reduce((ACROSS, DOWN))
        if isinstance(fill, Colour):
            self.image.paste(fill, (x0, y0, x1, y1), mask)
        else:
            self.image.paste(self.gradient(fill, x1 - x0, y1 - y0), (x0, y0), mask)

    def wash(self, fill: Colour, mask: Image.Image, x: float, y: float) -> None:
        """Lay a colour on the canvas through a ready mask whose corner is at (x, y)."""
        left, top = round(x), round(y)
        box = (
            max(-left, 0),
            max(-top, 0),
            min(self.width - left, mask.width),
            min(self.height - top, mask.height),
        )
        if box[0] < box[2] and box[1] < box[3]:
            part = mask if box == (0, 0, *mask.size) else mask.crop(box)
            self.image.paste(fill, (left + box[0], top + box[1]), part)

    def glow(self, x: float, y: float, radius: float, colour: Colour, strength: float, squash: float = 1) -> None:
        """A soft light around a point; `squash` below 1 makes it a lying oval."""
        # Pillow's gradient is 255 in the corners: 180 where the circle meets the box.
        fall = [round(255 * strength * max(1 - i / 180, 0) ** 2) for i in range(256)]
        across, down = max(radius, 1.0), max(radius * squash, 1.0)
        left, top = max(math.ceil(x - across), 0), max(math.ceil(y - down), 0)
        right, bottom = min(math.floor(x + across), self.width), min(math.floor(y + down), self.height)
        if left >= right or top >= bottom:
            return
        seen = (
            (left - x + across) * 128 / across,
            (top - y + down) * 128 / down,
            (right - x + across) * 128 / across,
            (bottom - y + down) * 128 / down,
        )
        light = Image.radial_gradient("L").point(fall)
        size = (right - left, bottom - top)
        self.image.paste(colour, (left, top), light.resize(size, Image.Resampling.BILINEAR, box=seen))

    def noise(self, columns: int, rows: int, size: tuple[int, int]) -> Image.Image:
        """Smooth grey clouds with so many humps."""
        grains = Image.frombytes("L", (columns, rows), self.dice.randbytes(columns * rows))
        return grains.resize(size, Image.Resampling.BICUBIC)

    def mist(self, y: float, height: float, strength: float) -> None:
        """A veil of haze that is densest at `y` and gone `height` above and below it."""
        rows = bytes(round(255 * strength * (1 - abs(i - 32) / 32) ** 1.6) for i in range(65))
        veil = Image.frombytes("L", (1, 65), rows).resize((1, max(round(height * 2), 2)), Image.Resampling.BICUBIC)
        veil = veil.resize((self.width, veil.height), Image.Resampling.NEAREST)
        self.wash(mix(self.light.horizon, self.light.far, 0.25), veil, 0, y - height)


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


def sky(canvas: Canvas, horizon: float, *, big: bool = False) -> None:
    """Sky, stars, sun or moon with its glow, and clouds, down to `horizon` (pixels)."""
    light, words, unit = canvas.light, canvas.mood.words, canvas.unit
    w, h = canvas.width, canvas.height
    reach = min(round(horizon * 1.06) + 1, h)
    colours = (light.zenith, mix(light.zenith, light.middle, 0.6), light.middle, light.horizon)
    canvas.image.paste(canvas.gradient(colours, w, reach), (0, 0))
    canvas.image.paste(light.horizon, (0, reach, w, h))
    low = not light.moon and light.lit >= 0.25
    x = w * (canvas.between(0.16, 0.4) if canvas.dice.random() < 0.5 else canvas.between(0.6, 0.84))
    y = horizon * (canvas.between(0.5, 0.78) if low else canvas.between(0.2, 0.42))
    radius = unit * (canvas.between(0.1, 0.15) if big or low else canvas.between(0.05, 0.085))
    if "ink" in words:  # the one red thing, clear of mountains and edge
        radius = unit * 0.075
        y = max(radius * 1.4, horizon * canvas.between(0.18, 0.28))
    canvas.sun = (x, y)
    if light.stars:
        stars(canvas, horizon, light.stars)
    if "ink" not in words:
        canvas.glow(x, y, max(w, h) * 0.75, mix(light.glow, light.horizon, 0.55), 0.5 if light.moon else 0.75)
        canvas.glow(x, y, radius * 4.2, light.glow, 0.5)
    if not {"minimal", "ink"} & words:
        clouds(canvas, horizon)
    disc(canvas, x, y, radius)


def disc(canvas: Canvas, x: float, y: float, radius: float) -> None:
    """The sun, or the moon: full, or a crescent."""
    light, crescent = canvas.light, canvas.light.moon and canvas.dice.random() < 0.4
    shift = radius * canvas.between(0.4, 0.6)

    def draw(pen: Pen) -> None:
        pen.disc(x, y, radius, radius, 245)
        if crescent:
            pen.disc(x + shift, y - shift * 0.5, radius * 0.92, radius * 0.92, 0)

    tone = (mix(light.glow, WHITE, 0.35), mix(light.glow, light.horizon, 0.0 if light.moon else 0.4))
    if "ink" in canvas.mood.words:
        tone = (light.glow, light.glow)
    canvas.paint(tone, draw, y - radius - 1, y + radius + 1, x - radius - 1, x + radius + 1)
    if light.moon and not crescent:

        def seas(pen: Pen) -> None:
            for _ in range(6):
                turn, out = canvas.between(0, 6.28), canvas.between(0.1, 0.62) * radius
                size = canvas.between(0.08, 0.24) * radius
                pen.disc(x + math.cos(turn) * out, y + math.sin(turn) * out, size, size * 0.85, 40)

        canvas.paint(light.middle, seas, y - radius, y + radius, x - radius, x + radius)


def stars(canvas: Canvas, horizon: float, density: float) -> None:
    """Stars of several sizes, fewer towards the horizon."""
    count = round(260 * density * min(max(canvas.width * horizon / canvas.unit**2, 0.3), 3))
    size = max(canvas.unit / 720, 0.5)

    def draw(pen: Pen) -> None:
        for _ in range(count):
            x, y = canvas.between(0, canvas.width), horizon * canvas.dice.random() ** 1.5
            bright = canvas.dice.random() ** 3
            r = size * (0.5 + 1.2 * bright)
            pen.disc(x, y, r, r, round(70 + 175 * bright * (1 - 0.7 * y / horizon)))

    canvas.paint(mix(WHITE, canvas.light.glow, 0.4), draw, 0, horizon)


def clouds(canvas: Canvas, horizon: float) -> None:
    """Long thin clouds, lit from below near the sun."""
    w, h = max(canvas.width // 4, 8), max(round(horizon) // 4, 8)
    broad = canvas.noise(3 + canvas.width // canvas.height, 10, (w, h))
    fine = canvas.noise(9 + canvas.width * 3 // canvas.height, 34, (w, h))
    start = canvas.dice.randrange(128, 165)
    mask = Image.blend(broad, fine, 0.32).point([round(min(max(i - start, 0) * 2.1, 120)) for i in range(256)])
    fade = canvas.gradient((Colour(70, 70, 70), Colour(255, 255, 255), Colour(40, 40, 40)), w, h).convert("L")
    mask = ImageChops.multiply(mask, fade).resize((canvas.width, max(round(horizon), 1)), Image.Resampling.BILINEAR)
    canvas.wash(mix(canvas.light.horizon, canvas.light.glow, 0.35), mask, 0, 0)


def birds(canvas: Canvas, horizon: float) -> None:
    """A small flock, high up."""
    x0, y0 = canvas.width * canvas.between(0.2, 0.75), horizon * canvas.between(0.25, 0.55)
    places = [
        (x0 + canvas.between(-0.1, 0.1) * canvas.unit, y0 + canvas.between(-0.06, 0.06) * canvas.unit) for _ in range(6)
    ]

    def draw(pen: Pen) -> None:
        for x, y in places:
            s = canvas.unit * canvas.between(0.007, 0.013)
            for side in (-1, 1):
                pen.polygon(
                    [
                        (x, y),
                        (x + side * s * 0.55, y - s * 0.55),
                        (x + side * s * 1.3, y - s * 0.25),
                        (x + side * s * 0.55, y - s * 0.3),
                    ],
                    190,
                )

    canvas.paint(canvas.depth(0.8), draw, y0 - 0.1 * canvas.unit, y0 + 0.1 * canvas.unit)


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


def water(canvas: Canvas, level: float, *, darker: float = 0.3) -> None:
    """Water from `level` (pixels) to the bottom that mirrors what is painted above it, with ripples and glitter."""
    w, h, light = canvas.width, canvas.height, canvas.light
    top = round(level)
    deep = h - top
    if deep < 2 or top < 2:
        return
    source = max(top - round(deep * 1.35), 0)
    mirror = canvas.image.crop((0, source, w, top)).transpose(Image.Transpose.FLIP_TOP_BOTTOM)
    mirror = mirror.resize((w, deep), Image.Resampling.BILINEAR).filter(ImageFilter.BoxBlur((max(w / 400, 1), 0.5)))
    body = canvas.gradient(
        (
            mix(light.horizon, light.far, 0.5),
            mix(light.middle, light.near, 0.4),
            mix(light.zenith, light.near, 0.7),
        ),
        w,
        deep,
    )
    mirror = Image.blend(mirror, body, darker)
    wave, strip = canvas.between(0, 6), max(round(canvas.unit / 360), 1)
    for y in range(0, deep, strip):
        near = y / deep
        shift = round(math.sin(wave + 90 * near**0.55) * canvas.unit * (0.002 + 0.011 * near))
        row = mirror.crop((0, y, w, min(y + strip, deep)))
        canvas.image.paste(row, (0, top + y))
        canvas.image.paste(row, (shift, top + y))
    count = round(150 * min(max(w / canvas.unit, 0.5), 3))

    def glitter(pen: Pen) -> None:
        for _ in range(90):
            near = canvas.dice.random() ** 1.4
            spread = canvas.unit * (0.03 + 0.16 * near)
            x = canvas.dice.gauss(canvas.sun[0], spread * 0.5)
            long = canvas.unit * (0.006 + 0.05 * near) * canvas.between(0.4, 1)
            pen.disc(
                x,
                top + deep * near,
                long,
                canvas.unit * (0.0006 + 0.0028 * near),
                round(canvas.between(90, 220)),
            )

    def ripples(pen: Pen) -> None:
        for _ in range(count):
            near = canvas.dice.random() ** 1.2
            long = canvas.unit * (0.01 + 0.12 * near) * canvas.between(0.3, 1)
            pen.disc(
                canvas.between(0, w),
                top + deep * near,
                long,
                canvas.unit * (0.0005 + 0.003 * near),
                round(canvas.between(20, 80)),
            )

    canvas.paint(mix(light.middle, light.near, 0.75), ripples, top, h)
    canvas.paint(mix(light.glow, light.horizon, 0.2), glitter, top, h)


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
        side = canvas.sun[0] > w / 2
        lighthouse(
            canvas,
            w * (canvas.between(0.2, 0.32) if side else canvas.between(0.68, 0.8)),
            horizon + (h - horizon) * 0.3,
            min(unit * 0.46, h * 0.42),
        )
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


def space(canvas: Canvas) -> None:
    """A deep sky with a band of stars, a planet, and a dark ridge below."""
    w, h, unit, light = canvas.width, canvas.height, canvas.unit, canvas.light
    canvas.image.paste(canvas.gradient((light.zenith, light.middle, light.horizon), w, h))
    small = (max(w // 5, 8), max(h // 5, 8))
    tilt, offset = canvas.between(-0.7, 0.7), canvas.between(0.3, 0.55)
    band = Image.new("L", small)
    ends = [(0, small[1] * (offset - tilt / 2)), (small[0], small[1] * (offset + tilt / 2))]
    ImageDraw.Draw(band).line(ends, fill=255, width=max(small[1] // 4, 2))
    band = band.filter(ImageFilter.GaussianBlur(small[1] / 9))
    for hue, (columns, rows), strength in (
        (mix(light.glow, Colour(150, 110, 220), 0.5), (7, 5), 0.75),
        (mix(light.glow, Colour(90, 200, 230), 0.4), (13, 9), 0.6),
    ):
        cloud = ImageChops.multiply(band, canvas.noise(columns, rows, small)).point(
            [round(min(i * strength * 1.3, 255)) for i in range(256)]
        )
        canvas.wash(hue, cloud.resize((w, h), Image.Resampling.BICUBIC), 0, 0)
    stars(canvas, h, 1.0)
    stars(canvas, h * 1.4, 1.0)
    canvas.sun = (w * canvas.between(0.15, 0.85), h * 0.3)
    if "night" not in canvas.mood.words or "space" in canvas.mood.words:
        planet(
            canvas,
            w * canvas.between(0.25, 0.75),
            h * canvas.between(0.28, 0.5),
            unit * canvas.between(0.13, 0.24),
        )
    else:
        canvas.glow(*canvas.sun, unit * 0.4, light.glow, 0.45)
        disc(canvas, *canvas.sun, unit * 0.06)
    canvas.glow(
        w * canvas.between(0.3, 0.7),
        h * 0.98,
        max(w, h) * 0.55,
        mix(light.horizon, light.glow, 0.4),
        0.6,
        0.5,
    )
    for k in range(3):
        land(
            canvas,
            line(canvas, h * (0.9 + 0.06 * k), unit * (0.22 - 0.05 * k), bumps=2 + k, sharp=True),
            canvas.depth(0.45 + 0.27 * k),
            0.18 - 0.08 * k,
        )


def planet(canvas: Canvas, x: float, y: float, radius: float) -> None:
    """A banded globe with a night side, sometimes ringed."""
    light, ringed = canvas.light, canvas.dice.random() < 0.6
    hue = Colour(*(round(v) for v in (canvas.between(150, 240), canvas.between(110, 190), canvas.between(110, 220))))
    bounds = (y - radius * 1.1, y + radius * 1.1, x - radius * 1.1, x + radius * 1.1)
    canvas.glow(x, y, radius * 1.9, mix(hue, light.glow, 0.5), 0.5)
    stripes = [mix(hue, light.near if k % 2 else WHITE, canvas.between(0.05, 0.35)) for k in range(9)]
    canvas.paint(stripes, lambda pen: pen.disc(x, y, radius, radius), *bounds)

    def shade(pen: Pen) -> None:
        for k in range(24):
            pen.disc(x, y, radius * 1.01, radius * 1.01, 225) if k == 0 else None
            reach = radius * (1.32 - k * 0.02)
            pen.disc(x - radius * 0.46, y - radius * 0.36, reach, reach, 225 - round(225 * (k + 1) / 24))

    night = Image.new("L", (round(radius * 2) * ACROSS, round(radius * 2) * DOWN))
    shade(Pen(night, x - radius, y - radius))
    globe = Image.new("L", night.size)
    Pen(globe, x - radius, y - radius).disc(x, y, radius, radius)
    canvas.wash(light.zenith, ImageChops.multiply(night, globe).reduce((ACROSS, DOWN)), x - radius, y - radius)
    if ringed:

        def ring(pen: Pen) -> None:
            for outer, value in ((2.0, 110), (1.86, 190), (1.66, 60), (1.6, 150), (1.38, 0)):
                pen.disc(x, y, radius * outer, radius * outer * 0.24, value)
            pen.polygon(
                [
                    (x - radius, y),
                    (x - radius * 0.9, y - radius * 0.44),
                    (x, y - radius),
                    (x + radius * 0.9, y - radius * 0.44),
                    (x + radius, y),
                ],
                0,
            )

        canvas.paint(
            mix(hue, WHITE, 0.45),
            ring,
            y - radius * 0.5,
            y + radius * 0.6,
            x - radius * 2.1,
            x + radius * 2.1,
        )


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


MOTIFS: dict[str, Callable[[Canvas], None]] = {
    "mountains": mountains,
    "city": city,
    "sea": sea,
    "forest": forest,
    "dunes": dunes,
    "space": space,
    "technical": technical,
    "machine": machine,
}


def scene(width: int, height: int, mood: Mood) -> Image.Image:
    """The drawing that a mood asks for, without grain or band."""
    canvas = Canvas(width, height, mood)
    MOTIFS[mood.motif](canvas)
    return canvas.image
