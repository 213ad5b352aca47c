"""What shows through an image from outside still does in the published files, however the image says it."""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Iterable

import pytest
from PIL import Image, ImageCms

from mkdocs_qhaigc.imaging.encode import encode_all
from mkdocs_qhaigc.imaging.inspect_image import inspect
from mkdocs_qhaigc.imaging.plan_published_files import Encoding, SourceImage, rendition_specs
from tests.conftest import Project
from tests.helpers.api import ImagesApi, bytes_by_url

GREY, RGB, PALETTE, GREY_ALPHA, RGB_ALPHA = 0, 2, 3, 4, 6
"""PNG's colour types."""
SHOWN, HIDDEN = 0, 7
"""Columns of the test images."""
PROFILE = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
QUALITY = {"avif": 90, "webp": 90, "jpeg": 90, "png": 90}


def chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def packed(samples: Iterable[int], depth: int) -> bytes:
    """Return samples in PNG's bytes."""
    bits = "".join(f"{sample:0{depth}b}" for sample in samples)
    return int(bits, 2).to_bytes(len(bits) // 8, "big")


def png(
    kind: int, depth: int, left: tuple[int, ...], right: tuple[int, ...], *, transparent: bytes = b"", more: bytes = b""
) -> bytes:
    """Return a PNG of 8x8 pixels: one colour in its left half, another one in its right half."""
    row = b"\0" + packed((*left * 4, *right * 4), depth)
    head = chunk(b"IHDR", struct.pack(">IIBBBBB", 8, 8, depth, kind, 0, 0, 0))
    trns = chunk(b"tRNS", transparent) if transparent else b""
    return b"\x89PNG\r\n\x1a\n" + head + more + trns + chunk(b"IDAT", zlib.compress(row * 8)) + chunk(b"IEND", b"")


def grey(value: int) -> bytes:
    return struct.pack(">H", value)


def rgb(*values: int) -> bytes:
    return struct.pack(">3H", *values)


def saved(image: Image.Image, format_: str, **options: object) -> bytes:
    target = io.BytesIO()
    image.save(target, format_, **options)
    return target.getvalue()


def half_hidden(mode: str, profile: bytes | None = None) -> Image.Image:
    image = Image.new("RGBA", (8, 8), (200, 40, 20, 255))
    image.paste((10, 90, 30, 0), (4, 0, 8, 8))
    image = image.convert(mode)
    image.info = {"icc_profile": profile} if profile else {}
    return image


red_green = chunk(b"PLTE", bytes([255, 0, 0, 0, 255, 0]))
in_profile = chunk(b"iCCP", b"x\0\0" + zlib.compress(PROFILE))
deep = (40_000, 30_000, 20_000)

HALF_HIDDEN = {
    "grey-1": png(GREY, 1, (0,), (1,), transparent=grey(1)),
    "grey-1-black": png(GREY, 1, (1,), (0,), transparent=grey(0)),
    "grey-2": png(GREY, 2, (0,), (1,), transparent=grey(1)),
    "grey-4": png(GREY, 4, (3,), (7,), transparent=grey(7)),
    "grey-8": png(GREY, 8, (30,), (200,), transparent=grey(200)),
    "grey-16": png(GREY, 16, (1000,), (40_000,), transparent=grey(40_000)),
    "grey-16-black": png(GREY, 16, (1,), (0,), transparent=grey(0)),
    "grey-16-beside-its-neighbour": png(GREY, 16, (40_001,), (40_000,), transparent=grey(40_000)),
    "rgb-8": png(RGB, 8, (1, 2, 3), (9, 8, 7), transparent=rgb(9, 8, 7)),
    "rgb-8-with-a-profile": png(RGB, 8, (1, 2, 3), (9, 8, 7), transparent=rgb(9, 8, 7), more=in_profile),
    "rgb-16": png(RGB, 16, (1000, 2000, 3000), deep, transparent=rgb(*deep)),
    "rgb-16-beside-its-neighbour": png(RGB, 16, (40_000, 30_000, 20_001), deep, transparent=rgb(*deep)),
    **{
        f"palette-{depth}": png(PALETTE, depth, (0,), (1,), transparent=b"\xff\0", more=red_green)
        for depth in (1, 2, 4, 8)
    },
    "grey-and-alpha-8": png(GREY_ALPHA, 8, (10, 255), (20, 0)),
    "grey-and-alpha-16": png(GREY_ALPHA, 16, (1000, 65_535), (40_000, 0)),
    "rgb-and-alpha-8": png(RGB_ALPHA, 8, (1, 2, 3, 255), (9, 8, 7, 0)),
    "rgb-and-alpha-16": png(RGB_ALPHA, 16, (1, 2, 3, 65_535), (*deep, 0)),
    "rgb-and-alpha-with-a-profile": saved(half_hidden("RGBA"), "PNG", icc_profile=PROFILE),
    "grey-and-alpha-with-a-profile": saved(half_hidden("LA"), "PNG", icc_profile=PROFILE),
    "webp": saved(half_hidden("RGBA"), "WEBP", lossless=True),
    "avif": saved(half_hidden("RGBA"), "AVIF", quality=100),
}
OPAQUE = {
    "grey-8-without-its-colour": png(GREY, 8, (30,), (200,), transparent=grey(99)),
    "grey-16-without-its-colour": png(GREY, 16, (1000,), (40_000,), transparent=grey(41_000)),
    "rgb-16-without-its-colour": png(RGB, 16, (1000, 2000, 3000), deep, transparent=rgb(40_000, 30_000, 21_000)),
    "grey-16": png(GREY, 16, (1000,), (40_000,)),
    "jpeg": saved(half_hidden("RGB"), "JPEG"),
    "jpeg-grey": saved(half_hidden("L"), "JPEG"),
    "jpeg-in-cmyk": saved(half_hidden("RGB").convert("CMYK"), "JPEG"),
}


def published(data: bytes, format_: str) -> Image.Image:
    """Return the published file of an image."""
    ((_, encoded),) = encode_all(data, rendition_specs(SourceImage("x", 8, 8), Encoding((format_,), (), QUALITY))[:1])
    image: Image.Image
    with Image.open(io.BytesIO(encoded)) as image:
        return image.convert("RGBA")


def opacity(image: Image.Image) -> tuple[object, object]:
    alpha = image.getchannel("A")
    return alpha.getpixel((SHOWN, 3)), alpha.getpixel((HIDDEN, 3))


@pytest.mark.parametrize("format_", ["png", "webp", "avif"])
@pytest.mark.parametrize("name", HALF_HIDDEN)
def test_what_is_transparent_stays_so(name: str, format_: str) -> None:
    assert inspect(HALF_HIDDEN[name]).colour is None
    assert opacity(published(HALF_HIDDEN[name], format_)) == (255, 0)


@pytest.mark.parametrize("name", OPAQUE)
def test_and_nothing_else_becomes_transparent(name: str) -> None:
    assert opacity(published(OPAQUE[name], "png")) == (255, 255)


def test_a_palette_may_show_half_through() -> None:
    data = png(PALETTE, 8, (0,), (1,), transparent=b"\xff\x80", more=red_green)
    assert opacity(published(data, "png")) == (255, 128)


def test_16_bits_are_scaled_down_and_not_cut_off() -> None:
    image = published(png(GREY, 16, (100,), (65_535 - 100,), transparent=grey(7)), "png")
    assert [image.getpixel((x, 3)) for x in (SHOWN, HIDDEN)] == [(0, 0, 0, 255), (255, 255, 255, 255)]


def test_a_page_shows_through_a_logo_in_16_bits_of_grey(project: Project, api: ImagesApi) -> None:
    api.default = bytes_by_url(HALF_HIDDEN["grey-16"])
    project.options["formats"] = ["png"]
    project.page("index.md", "![x](qhaigc:hero)\n", qhaigc="A logo")
    built = project.build()
    assert built.code == 0, built.output
    (name,) = built.images()
    with Image.open(built.site / "assets/qhaigc" / name) as image:
        assert opacity(image.convert("RGBA")) == (255, 0)
