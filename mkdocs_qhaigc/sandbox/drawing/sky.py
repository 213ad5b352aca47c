"""Skies: gradients, sun and moon, stars, clouds, birds."""

from __future__ import annotations

import math

from PIL import Image, ImageChops

from mkdocs_qhaigc.sandbox.drawing.canvas import WHITE, Canvas, Pen
from mkdocs_qhaigc.sandbox.drawing.colours import Colour, mix


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
