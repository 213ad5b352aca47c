"""Water that mirrors what is above it."""

from __future__ import annotations

import math

from PIL import Image, ImageFilter

from mkdocs_qhaigc.sandbox.drawing.canvas import Canvas, Pen
from mkdocs_qhaigc.sandbox.drawing.colours import mix


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
