"""Encoding of published files."""

from __future__ import annotations

import io
from collections.abc import Iterable, Iterator
from typing import Any

from PIL import Image, ImageOps, PngImagePlugin

from mkdocs_qhaigc.errors import ImageError
from mkdocs_qhaigc.imaging.colour_space import in_srgb
from mkdocs_qhaigc.imaging.decode import decoded
from mkdocs_qhaigc.imaging.plan_published_files import RenditionSpec
from mkdocs_qhaigc.imaging.provenance import xmp_packet
from mkdocs_qhaigc.imaging.xmp import PNG_KEYWORD, Provenance


def encode_all(
    data: bytes, wanted: Iterable[RenditionSpec], provenance: Provenance | None = None
) -> Iterator[tuple[RenditionSpec, bytes]]:
    """Yield each wanted encoding with its bytes; the image is decoded once.

    Of the copies of one format, none is larger in bytes than a wider one: readers with small screens never pay more.
    Where that would cost a copy too much of its quality (drawings of flat squares, whose narrower copies are the
    harder ones), it is the wider one under its own name: browsers draw what they get at the size they know.
    Nothing that was in the file but the image is carried over, with one exception: with a `provenance`, which is
    written into every file, an AIGC label that the generating service put there stays beside it.

    Raises:
        ImageError: the bytes cannot be read.
    """
    with decoded(data) as image:
        packet = xmp_packet(image, provenance) if provenance else None
        pixels = in_srgb(image)
    wider: dict[tuple[str, bool], bytes] = {}
    for spec in sorted(wanted, key=lambda spec: -spec.width):
        copies = spec.format, spec.cropped
        wider[copies] = _encode(_scaled(pixels, spec), spec, packet, wider.get(copies))
        yield spec, wider[copies]


def _scaled(image: Image.Image, spec: RenditionSpec) -> Image.Image:
    size = (spec.width, spec.height)
    if spec.cropped:
        across, down = spec.focus
        image = ImageOps.fit(image, size, Image.Resampling.LANCZOS, centering=(across / 100, down / 100))
    elif size != image.size:
        image = image.resize(size, Image.Resampling.LANCZOS, reducing_gap=3.0)
    if spec.format == "jpeg" and image.mode != "RGB":
        ground = Image.new("RGB", image.size, "white")
        ground.paste(image, mask=image.getchannel("A"))
        image = ground
    if spec.label:
        from mkdocs_qhaigc.imaging.card_label import draw_label  # few cards have one

        image = draw_label(image, spec.label)
    return image


def _encode(image: Image.Image, spec: RenditionSpec, packet: bytes | None, wider: bytes | None) -> bytes:
    """Return an image's bytes, or those of the `wider` copy, if only a great loss would make it smaller than that."""
    encoded = _written(image, spec.format, spec.quality, packet)
    if wider is None or len(encoded) <= len(wider):
        return encoded
    for coarser, quality in _coarser(image, spec):
        encoded = _written(coarser, spec.format, quality, packet)
        if len(encoded) <= len(wider):
            return encoded
    return wider


def _coarser(image: Image.Image, spec: RenditionSpec) -> Iterator[tuple[Image.Image, int]]:
    """Yield (image, quality) with a little less each time: PNG in fewer colours, the others in lower quality."""
    if spec.format == "png":
        for colours in (256, 128, 64):
            yield image.quantize(colours, method=Image.Quantize.FASTOCTREE), spec.quality
        return
    for eighths in (7, 6, 5):
        yield image, max(1, spec.quality * eighths // 8)


def _written(image: Image.Image, format_: str, quality: int, packet: bytes | None) -> bytes:
    options: dict[str, Any] = {} if format_ == "png" else {"quality": quality}
    if format_ == "webp":
        options["method"] = 4
    if format_ == "avif":
        options["max_threads"] = 1  # the bytes depend on it; the images share the processors instead
    if packet and format_ == "png":
        options["pnginfo"] = PngImagePlugin.PngInfo()
        options["pnginfo"].add_itxt(PNG_KEYWORD, packet.decode())
    elif packet:
        options["xmp"] = packet
    target = io.BytesIO()
    try:
        image.save(target, format=format_.upper(), **options)
    except (OSError, ValueError) as error:
        raise ImageError(f"the image cannot be written as {format_} ({error})") from error
    return target.getvalue()
