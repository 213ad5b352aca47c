"""Planets and stars."""

from __future__ import annotations

from PIL import Image, ImageChops, ImageDraw, ImageFilter

from mkdocs_qhaigc.sandbox.drawing.canvas import ACROSS, DOWN, WHITE, Canvas, Pen
from mkdocs_qhaigc.sandbox.drawing.colours import Colour, mix
from mkdocs_qhaigc.sandbox.drawing.land import land, line
from mkdocs_qhaigc.sandbox.drawing.sky import disc, stars


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
