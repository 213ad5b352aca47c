"""A drawing made from a prompt alone, with which the sandbox server answers.

`prompt_words` (words to colours) → `scenes` (motif) → here: the manner (pencil, watercolour …), grain and the band.
"""

from __future__ import annotations

import functools
import io
import math
import random
import unicodedata

from PIL import Image, ImageChops, ImageDraw, ImageFilter, ImageFont, ImageOps

from mkdocs_qhaigc.sandbox.drawing.prompt_words import Colour, Light, Mood, mix, mood
from mkdocs_qhaigc.sandbox.drawing.scenes import scene

_MOST_PIXELS = 2_000_000
"""Larger images are drawn at this size and enlarged; grain and band are always at full size."""
_SETTINGS: dict[str, dict[str, int | bool]] = {
    "WEBP": {"quality": 82, "method": 2},
    "JPEG": {"quality": 86},
    "PNG": {"compress_level": 4},
}
_SHOWN = 200
"""Characters of a prompt that the band could show at most."""
_PLAIN = str.maketrans({"–": "-", "—": "-", "×": "x"})
"""What Pillow's own font lacks and has a plain form of."""


def draw_image(prompt: str, *, width: int, height: int, label: str, format: str = "WEBP") -> bytes:
    """Encoded image: deterministic for the same arguments on the same Pillow.

    `width` and `height` are pixels, `format` is a name of Pillow's. Any text will do for the prompt.
    """
    about = mood(prompt)
    image = _finish(_drawn(width, height, about), about)
    _band(image, prompt, label, about.light)
    stream = io.BytesIO()
    image.save(stream, format=format, **_SETTINGS.get(format, {}))
    return stream.getvalue()


def _drawn(width: int, height: int, about: Mood) -> Image.Image:
    """The scene at the size asked for, drawn larger or smaller where that is better or quicker."""
    scale = min(math.sqrt(_MOST_PIXELS / (width * height)), max(160 / min(width, height), 1.0), 6.0)
    if scale == 1:
        return scene(width, height, about)
    image = scene(max(round(width * scale), 1), max(round(height * scale), 1), about)
    return image.resize((width, height), Image.Resampling.BICUBIC)


def _finish(image: Image.Image, about: Mood) -> Image.Image:
    """The image in its manner, with a vignette and with grain, which also hides the steps of gradients."""
    if "pencil" in about.words:
        image = _pencil(image)
    else:
        shade = Image.radial_gradient("L").point([round(max(i - 150, 0) * 0.5) for i in range(256)])
        image.paste(about.light.near, (0, 0), shade.resize(image.size, Image.Resampling.BILINEAR))
    if {"watercolor", "ink"} & about.words:
        image = _paper(image, about)
    if "pencil" in about.words:
        return image  # hatching is grain enough
    return _grained(image, about.seed, 8 if "vintage" in about.words else 5)


def _tiled(tile: Image.Image, size: tuple[int, int]) -> Image.Image:
    """`tile` again and again until it fills `size`."""
    whole = Image.new(tile.mode, size)
    whole.paste(tile)
    width, height = tile.size
    while width < size[0]:
        whole.paste(whole.crop((0, 0, min(width, size[0] - width), height)), (width, 0))
        width *= 2
    while height < size[1]:
        whole.paste(whole.crop((0, 0, size[0], min(height, size[1] - height))), (0, height))
        height *= 2
    return whole


def _grained(image: Image.Image, seed: int, strength: int) -> Image.Image:
    """`image` with film grain of up to ±`strength`, most of it near zero."""
    dice = random.Random(seed)  # noqa: S311 (images, not secrets)
    tile = Image.frombytes("L", (256, 256), dice.randbytes(256 * 256))
    tile = tile.point([128 + round(strength * ((i - 127.5) / 127.5) ** 3) for i in range(256)])
    grain = _tiled(tile, image.size)
    return ImageChops.add(image, Image.merge("RGB", (grain, grain, grain)), 1, -128)


def _paper(image: Image.Image, about: Mood) -> Image.Image:
    """`image` as pigment on rough paper: blotches, soft runs, an uneven white margin."""
    dice = random.Random(about.seed + 1)  # noqa: S311 (images, not secrets)
    width, height = image.size
    blotch = Image.new("L", (max(width // 4, 1), max(height // 4, 1)), 128)
    for columns, share in ((160, 0.5), (26, 0.35), (5, 0.5)):
        rows = max(columns * height // width, 2)
        noise = Image.frombytes("L", (columns, rows), dice.randbytes(columns * rows))
        blotch = Image.blend(blotch, noise.resize(blotch.size, Image.Resampling.BICUBIC), share)
    lift = 0.24 if "watercolor" in about.words else 0.16
    paper = Colour(250, 246, 238)
    veil = blotch.point([round(min(max(i - 70, 0) * 2.2 * lift, 255)) for i in range(256)])
    if "watercolor" in about.words:
        margin = Image.new("L", blotch.size, 255)
        pad = max(min(blotch.size) // 16, 1)
        inner = (pad, pad, max(blotch.width - pad, pad), max(blotch.height - pad, pad))
        ImageDraw.Draw(margin).rectangle(inner, fill=0)
        margin = margin.filter(ImageFilter.BoxBlur(pad * 0.8))
        edge = ImageChops.add(margin, blotch, 1, -128).point([min(max(i - 100, 0) * 7, 255) for i in range(256)])
        veil = ImageChops.lighter(veil, edge)
    image.paste(paper, (0, 0), veil.resize(image.size, Image.Resampling.BICUBIC))
    return image


def _pencil(image: Image.Image) -> Image.Image:
    """`image` as a drawing: dark lines along its edges, hatching in its shadows."""
    grey = ImageOps.autocontrast(image.convert("L"))
    soft = grey.filter(ImageFilter.BoxBlur(max(min(image.size) / 240, 1)))
    lines = ImageChops.subtract(soft, grey).point([255 - min(i * 7, 225) for i in range(256)])
    sheet = Image.new("L", image.size, 246)
    step = max(min(image.size) // 64, 3)
    for limit, mirrored in ((150, False), (85, True)):
        hatch = _hatch(step, image.size, mirrored=mirrored)
        shadow = grey.point([min(max(limit - i, 0) * 3, 150) for i in range(256)])
        sheet.paste(84, (0, 0), ImageChops.multiply(hatch, shadow))
    sheet = ImageChops.multiply(sheet, lines)
    tint = ImageOps.colorize(sheet, (44, 44, 52), (251, 247, 238))
    return Image.blend(tint, ImageChops.multiply(tint, image), 0.16)


def _hatch(step: int, size: tuple[int, int], *, mirrored: bool = False) -> Image.Image:
    """A mask of diagonal lines, `step` pixels apart."""
    fine = 3
    tile = Image.new("L", (step * fine, step * fine))
    pen = ImageDraw.Draw(tile)
    for x in (-step * fine, 0, step * fine):
        pen.line(
            [(x - fine, step * fine + fine), (x + step * fine + fine, -fine)],
            fill=255,
            width=fine + step // 4,
        )
    tile = tile.reduce(fine)
    return _tiled(ImageOps.mirror(tile) if mirrored else tile, size)


def _band(image: Image.Image, prompt: str, label: str, light: Light) -> None:
    """Write into `image` a strip at the bottom: label and prompt, as far as they fit and can be drawn."""
    width, height = image.size
    text_size = max(min(width * 0.027, height * 0.09), min(9, height * 0.12))
    tall = min(max(round(text_size * 2), 1), height)
    strip = image.crop((0, height - tall, width, height))
    ink = mix(light.near, Colour(14, 17, 24), 0.6)
    strip = Image.blend(strip, Image.new("RGB", strip.size, ink), 0.56)
    pen = ImageDraw.Draw(strip)
    margin = round(text_size * 0.9)
    if text_size >= 6:
        font = _font(round(text_size))
        text = _line(prompt, label, f"{width}×{height}", font, width - 2 * margin)
        pen.text((margin, tall / 2), text, fill=(245, 246, 248), font=font, anchor="lm")
    image.paste(strip, (0, height - tall))


def _line(prompt: str, label: str, size: str, font: ImageFont.FreeTypeFont, room: float) -> str:
    """The band's text, no wider than `room` pixels."""
    opening = _drawable(label) or "sketch"
    if opening == "sandbox":
        opening = "sandbox image"
    words = _drawable(prompt) or _drawable(size)
    text = f"{opening} · {words}"
    if font.getlength(text) <= room:
        return text
    dots = "…" if _covered("…") else "..."
    low, high = 0, len(text)
    while low < high:
        middle = (low + high + 1) // 2
        if font.getlength(text[:middle].rstrip() + dots) <= room:
            low = middle
        else:
            high = middle - 1
    return text[:low].rstrip(" ·") + dots if low else ""


@functools.lru_cache(maxsize=16)
def _font(size: int) -> ImageFont.FreeTypeFont:
    """Pillow's own scalable font, so that machines agree and no font file is needed."""
    font = ImageFont.load_default(size)
    if not isinstance(font, ImageFont.FreeTypeFont):
        raise TypeError("Pillow was built without FreeType. Install it from its wheels: pip install Pillow.")
    return font


@functools.lru_cache(maxsize=4096)
def _covered(character: str) -> bool:
    """Whether the font has a glyph for `character` of its own, not the box that stands for all it lacks."""
    font = _font(24)
    mask, missing = font.getmask(character), font.getmask("\uffff")
    return character == " " or (mask.size, bytes(mask)) != (missing.size, bytes(missing))


def _drawable(text: str) -> str:
    """`text` on one line in what the font can draw; empty where a letter would come out as a box.

    Accents are dropped (é as e), and so are symbols and control characters: a text can be read without.
    """
    shown = []
    for raw in " ".join(text[: _SHOWN * 4].split())[:_SHOWN]:
        for character in raw if _covered(raw) else unicodedata.normalize("NFKD", raw.translate(_PLAIN)):
            if unicodedata.category(character)[0] == "C" or character.isspace():
                shown.append(" ")
            elif _covered(character):
                shown.append(character)
            elif character.isalnum():
                return ""
    return " ".join("".join(shown).split())
