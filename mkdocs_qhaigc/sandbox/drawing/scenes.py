"""The motifs of drawings."""

from __future__ import annotations

from collections.abc import Callable

from PIL import Image

from mkdocs_qhaigc.sandbox.drawing.abstract import abstract
from mkdocs_qhaigc.sandbox.drawing.canvas import Canvas
from mkdocs_qhaigc.sandbox.drawing.city import city
from mkdocs_qhaigc.sandbox.drawing.land import dunes, forest, mountains
from mkdocs_qhaigc.sandbox.drawing.prompt_words import Mood
from mkdocs_qhaigc.sandbox.drawing.sea import sea
from mkdocs_qhaigc.sandbox.drawing.space import space
from mkdocs_qhaigc.sandbox.drawing.technical import machine, technical

MOTIFS: dict[str, Callable[[Canvas], None]] = {
    "mountains": mountains,
    "city": city,
    "sea": sea,
    "forest": forest,
    "dunes": dunes,
    "space": space,
    "technical": technical,
    "machine": machine,
    "abstract": abstract,
}


def scene(width: int, height: int, mood: Mood) -> Image.Image:
    """Return the drawing of a mood, without grain or band."""
    canvas = Canvas(width, height, mood)
    MOTIFS[mood.motif](canvas)
    return canvas.image
