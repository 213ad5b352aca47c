"""The tools of scenes: a pen, and a canvas with its light and its dice.

Every length is a share of the canvas, so that a composition is the same at any size. Shapes are drawn as masks several
times larger than the canvas and reduced, which gives them smooth edges for little time.
"""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Sequence

from PIL import Image, ImageDraw

from mkdocs_qhaigc.sandbox.drawing.colours import Colour, mix
from mkdocs_qhaigc.sandbox.drawing.prompt_words import Mood

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
    """An image in the making: its pixels, its mood and its dice."""

    def __init__(self, width: int, height: int, mood: Mood) -> None:
        self.width, self.height, self.mood, self.light = width, height, mood, mood.light
        self.unit = min(width, height * 1.1)
        """Pixels; what a thing of size 1 would measure."""
        self.dice = random.Random(mood.seed ^ 0x5CE1E)  # noqa: S311 (images, not secrets)
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
        """Return smooth grey clouds with `columns` times `rows` humps."""
        grains = Image.frombytes("L", (columns, rows), self.dice.randbytes(columns * rows))
        return grains.resize(size, Image.Resampling.BICUBIC)

    def mist(self, y: float, height: float, strength: float) -> None:
        """A veil of haze that is densest at `y` and gone `height` above and below it."""
        rows = bytes(round(255 * strength * (1 - abs(i - 32) / 32) ** 1.6) for i in range(65))
        veil = Image.frombytes("L", (1, 65), rows).resize((1, max(round(height * 2), 2)), Image.Resampling.BICUBIC)
        veil = veil.resize((self.width, veil.height), Image.Resampling.NEAREST)
        self.wash(mix(self.light.horizon, self.light.far, 0.25), veil, 0, y - height)
