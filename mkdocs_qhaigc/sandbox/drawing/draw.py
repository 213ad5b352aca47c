"""A drawing made from a prompt alone, with which the sandbox server answers.

`prompt_words` (words to colours) → `scenes` (motif) → here: the manner (pencil, watercolour …), grain and `lettering`.
"""

from __future__ import annotations

import io
import math
import random
from collections.abc import Sequence

from PIL import Image, ImageChops, ImageDraw, ImageFilter, ImageOps

from mkdocs_qhaigc.sandbox.drawing.colours import Colour
from mkdocs_qhaigc.sandbox.drawing.lettering import draw_band, draw_title
from mkdocs_qhaigc.sandbox.drawing.prompt_words import Mood, mood
from mkdocs_qhaigc.sandbox.drawing.reference_colours import in_colours_of
from mkdocs_qhaigc.sandbox.drawing.scenes import scene

_MOST_PIXELS = 2_000_000
"""Larger images are drawn at this size and enlarged; grain and band are always at full size."""
_SETTINGS: dict[str, dict[str, int | bool]] = {
    "WEBP": {"quality": 82, "method": 2},
    "JPEG": {"quality": 86},
    "PNG": {"compress_level": 4},
}


def draw_image(
    prompt: str,
    *,
    width: int,
    height: int,
    label: str,
    format: str = "WEBP",
    references: Sequence[bytes] = (),
    transparent: bool = False,
) -> bytes:
    """Encoded image: deterministic for the same arguments with the same Pillow and the same fonts of the machine.

    A prompt of which no word names a scene has its words written large on a neutral motif.

    Args:
        prompt: any text.
        width: pixels.
        height: pixels.
        label: opens the strip at the bottom.
        format: a name of Pillow's.
        references: images whose colours the drawing takes.
        transparent: whether it is a badge on no ground.
    """
    about = mood(prompt)
    image = _finish(_drawn(width, height, about), about)
    if references:
        image = in_colours_of(image, references)
    if about.motif == "abstract":
        draw_title(image, prompt, about.light)
        tall = draw_band(image, "", label, about.light)
    else:
        tall = draw_band(image, prompt, label, about.light)
    if transparent:
        image.putalpha(_badge(image.size, tall))
    stream = io.BytesIO()
    image.save(stream, format=format, **_SETTINGS.get(format, {}))
    return stream.getvalue()


def _badge(size: tuple[int, int], tall: int) -> Image.Image:
    """How opaque each pixel of a transparent drawing is: an oval, and the strip at the bottom, `tall` pixels high."""
    width, height = size
    fine = 4  # times: smooth edges
    mask = Image.new("L", (max(width // 2, 1) * fine, max(height // 2, 1) * fine))
    across, down = mask.size
    ImageDraw.Draw(mask).ellipse((across * 0.04, down * 0.04, across * 0.96, down * 0.96), fill=255)
    mask = mask.resize(size, Image.Resampling.BOX)
    mask.paste(255, (0, height - tall, width, height))
    return mask


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
