"""Published files: bytes by width, cards, colours, and the metadata in every file."""

from __future__ import annotations

import io
import json
import random
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageChops, ImageColor, ImageDraw, ImageStat

from mkdocs_qhaigc.imaging.encode import encode_all
from mkdocs_qhaigc.imaging.inspect_image import inspect
from mkdocs_qhaigc.imaging.plan_published_files import (
    Card,
    Crop,
    Encoding,
    RenditionSpec,
    SourceImage,
    card_spec,
    rendition_specs,
)
from mkdocs_qhaigc.imaging.xmp import TRAINED, Provenance
from tests.conftest import Project
from tests.helpers.api import ImagesApi, bytes_by_url

LABEL = '{"Label":"1","ContentProducer":"qhaigc"}'
QUALITY = {"avif": 80, "webp": 80, "jpeg": 80, "png": 80}


def png(image: Image.Image) -> bytes:
    target = io.BytesIO()
    image.save(target, "PNG")
    return target.getvalue()


def lines(width: int, height: int, seed: int) -> Image.Image:
    """A flat drawing: narrower copies of such a one, with their new in-between colours, need more bytes than it."""
    dice = random.Random(seed)
    image = Image.new("RGB", (width, height), "white")
    pen = ImageDraw.Draw(image)
    for _ in range(12):
        ends = [(dice.randrange(width), dice.randrange(height)) for _ in range(2)]
        pen.line(ends, fill=dice.choice(["black", "red", "navy"]), width=dice.randint(1, 3))
    return image


def bytes_by_width(data: bytes, encoding: Encoding, size: tuple[int, int]) -> dict[str, list[int]]:
    """Return the bytes of each format's copies, the widest first."""
    found: dict[str, list[int]] = {}
    for spec, encoded in encode_all(data, rendition_specs(SourceImage("x", *size), encoding)):
        with Image.open(io.BytesIO(encoded)) as image:
            assert image.width >= spec.width  # the wider copy itself, where a narrower one would need more bytes
            assert abs(image.width / image.height * spec.height / spec.width - 1) < 0.1
        found.setdefault(spec.format, []).append(len(encoded))
    return found


@pytest.mark.parametrize("format_", ["png", "webp", "jpeg", "avif"])
@pytest.mark.slow
def test_no_copy_is_larger_than_a_wider_one(format_: str) -> None:
    widths = (90, 120, 200, 300, 380, 390)
    encoding = Encoding((format_,), widths, {**QUALITY, format_: 95})
    for seed in range(3):
        sizes = bytes_by_width(png(lines(400, 220, seed)), encoding, (400, 220))[format_]
        assert sizes == sorted(sizes, reverse=True)
        assert len(sizes) == 7


@settings(max_examples=25, deadline=None)
@given(
    st.integers(0, 10_000),
    st.sets(st.integers(16, 260), max_size=4),
    st.sampled_from(["png", "webp", "jpeg"]),
    st.sampled_from(["RGB", "RGBA", "L", "P"]),
)
def test_nor_is_one_of_any_drawing_at_any_widths(seed: int, widths: set[int], format_: str, mode: str) -> None:
    data = png(lines(260, 140, seed).convert(mode))
    sizes = bytes_by_width(data, Encoding((format_,), tuple(widths), QUALITY), (260, 140))[format_]

    assert sizes == sorted(sizes, reverse=True)


@pytest.mark.parametrize("format_", ["png", "webp", "jpeg"])
def test_a_drawing_of_flat_squares_keeps_its_quality_at_every_width(format_: str) -> None:
    """Its narrower copies are the harder ones: they are not spoilt to become smaller than it."""
    dice = random.Random(1)
    squares = Image.frombytes("RGB", (80, 45), dice.randbytes(80 * 45 * 3)).quantize(16).convert("RGB")
    original = squares.resize((640, 360), Image.Resampling.NEAREST)
    specs = rendition_specs(SourceImage("x", 640, 360), Encoding((format_,), (240, 400), QUALITY))
    copies = dict(encode_all(png(original), specs))

    def loss(data: bytes, spec: RenditionSpec) -> float:
        with Image.open(io.BytesIO(data)) as copy:
            shown = copy.convert("RGB").resize((spec.width, spec.height), Image.Resampling.BOX)
        wanted = original.resize((spec.width, spec.height), Image.Resampling.BOX)
        return max(ImageStat.Stat(ImageChops.difference(shown, wanted)).rms)

    for spec, data in copies.items():
        alone = spec._replace(quality=spec.quality * 5 // 8)
        ((_, worst),) = encode_all(png(original), [alone])
        assert loss(data, spec) <= loss(worst, spec) + 2
    sizes = [len(copies[spec]) for spec in specs]
    assert sizes == sorted(sizes)


def test_an_image_s_copies_are_the_same_whether_one_or_all_are_missing(project: Project, api: ImagesApi) -> None:
    """The narrower copies are measured by the wider ones, which must not depend on what was encoded before."""
    api.default = bytes_by_url(png(lines(400, 220, 1)))
    project.options |= {"formats": ["png", "webp"], "widths": [200, 300, 390]}
    project.page("index.md", "![x](qhaigc:hero)\n", qhaigc="A tower")
    whole = project.build("--strict", site="whole")
    for number, value in enumerate(sorted((project.cache / "variants").rglob("*.val"))):
        if number % 3 == 0:
            value.unlink()
    assert project.build("--strict", site="again").digest() == whole.digest()
    assert len(whole.images()) == 8
    shutil.rmtree(project.cache / "variants")
    assert project.build("--strict", site="anew").digest() == whole.digest()


def test_a_card_shows_the_middle_of_an_image() -> None:
    image = Image.new("RGB", (300, 100), "red")
    image.paste("blue", (100, 0, 200, 100))
    spec = card_spec(SourceImage("x", 300, 100), Encoding(("webp",), (), QUALITY), Card(Crop(100, 100)))
    ((_, data),) = encode_all(png(image), [spec])
    with Image.open(io.BytesIO(data)) as card:
        assert card.size == (100, 100)
        corners = [card.convert("RGB").getpixel(at) for at in ((2, 2), (97, 97))]
    assert all(isinstance(corner, tuple) and corner[2] > 200 and corner[0] < 60 for corner in corners)


def three_squares(width: int, height: int) -> bytes:
    """Return a PNG: red, blue and green side by side, or from top to bottom."""
    image = Image.new("RGB", (width, height), "red")
    third = (width // 3, 0, 2 * width // 3, height) if width > height else (0, height // 3, width, 2 * height // 3)
    last = (2 * width // 3, 0, width, height) if width > height else (0, 2 * height // 3, width, height)
    image.paste("blue", third)
    image.paste("lime", last)
    return png(image)


@pytest.mark.parametrize(
    ("size", "focus", "shown"),
    [
        ((300, 100), (0, 50), "red"),
        ((300, 100), (50, 50), "blue"),
        ((300, 100), (100, 0), "lime"),
        ((100, 300), (50, 0), "red"),
        ((100, 300), (0, 50), "blue"),
        ((100, 300), (50, 100), "lime"),
    ],
)
@pytest.mark.parametrize("kind", ["page", "card"])
def test_a_crop_keeps_the_point_in_focus(size: tuple[int, int], focus: tuple[int, int], shown: str, kind: str) -> None:
    encoding, source = Encoding(("png",), (50,), QUALITY), SourceImage("x", *size)
    crop = Crop(1, 1, focus) if kind == "page" else Crop(100, 100, focus)
    specs = rendition_specs(source, encoding, crop) if kind == "page" else (card_spec(source, encoding, Card(crop)),)
    for spec, data in encode_all(three_squares(*size), specs):
        with Image.open(io.BytesIO(data)) as image:
            assert image.size == (spec.width, spec.height)
            mean = ImageStat.Stat(image.convert("RGB")).mean
        expected = ImageColor.getrgb(shown)
        assert all(abs(one - other) < 12 for one, other in zip(mean, expected, strict=True)), (mean, shown)
    assert {(spec.width, spec.height) for spec in specs} <= {(100, 100), (50, 50)}


@pytest.mark.parametrize("format_", ["png", "webp", "avif"])
@pytest.mark.parametrize("crop", [None, Crop(1, 1), Crop(2, 1, (0, 100))])
def test_transparency_is_kept_in_every_format_that_has_it(format_: str, crop: Crop | None) -> None:
    image = Image.new("RGBA", (120, 90), (10, 200, 30, 0))
    image.paste((10, 200, 30, 255), (30, 20, 90, 70))
    source = SourceImage("x", 120, 90, transparent=True)
    specs = rendition_specs(source, Encoding((format_, "jpeg"), (60,), QUALITY), crop)
    assert {spec.format for spec in specs} == {format_}
    for spec, data in encode_all(png(image), specs):
        with Image.open(io.BytesIO(data)) as published:
            rgba = published.convert("RGBA")
            assert rgba.getpixel((0, 0))[3] == 0, spec
            assert rgba.getpixel((spec.width // 2, spec.height // 2))[3] == 255, spec
            assert published.mode == "RGBA"


def test_a_jpeg_or_a_card_of_a_transparent_image_is_on_white() -> None:
    image = Image.new("RGBA", (120, 90), (10, 200, 30, 0))
    source = SourceImage("x", 120, 90, transparent=True)
    alone = Encoding(("jpeg",), (), QUALITY)
    for _, data in encode_all(png(image), [*rendition_specs(source, alone), card_spec(source, alone, Card())]):
        with Image.open(io.BytesIO(data)) as published:
            assert published.convert("RGB").getpixel((5, 5)) == (255, 255, 255)


@pytest.mark.parametrize(
    ("mode", "colour", "found"),
    [
        ("RGB", (16, 32, 48), "#102030"),
        ("L", 128, "#808080"),
        ("RGBA", (16, 32, 48, 255), "#102030"),
        ("RGBA", (16, 32, 48, 254), None),
    ],
)
def test_an_image_s_colour_is_its_mean_unless_something_shows_through(
    mode: str, colour: Any, found: str | None
) -> None:
    assert inspect(png(Image.new(mode, (40, 30), colour))).colour == found


def labelled(format_: str, tmp_path: Path) -> bytes:
    """Return an image in which a generating service has put its label."""
    path = tmp_path / f"labelled.{format_}"
    Image.new("RGB", (64, 48), "navy").save(path)
    packet = Provenance(TRAINED, "service").as_xmp(LABEL)
    if format_ == "png":
        from PIL.PngImagePlugin import PngInfo

        info = PngInfo()
        info.add_itxt("XML:com.adobe.xmp", packet.decode())
        Image.new("RGB", (64, 48), "navy").save(path, pnginfo=info)
    else:
        Image.new("RGB", (64, 48), "navy").save(path, xmp=packet)
    return path.read_bytes()


def said_by(path: Path) -> dict[str, Any]:
    """Return what exiftool reads in a file, by lower-case name: its versions differ in capitals."""
    command = ["exiftool", "-json", "-n", "-G1", "-XMP:all", str(path)]
    finished = subprocess.run(command, capture_output=True, check=True, timeout=60)
    (said,) = json.loads(finished.stdout)
    return {name.rpartition(":")[2].lower(): value for name, value in said.items() if name.startswith("XMP-")}


@pytest.mark.exiftool
@pytest.mark.parametrize("provenance", [True, {"prompt": True}, False])
@pytest.mark.parametrize("came_as", ["png", "webp"])
def test_every_published_file_says_how_it_was_made(
    project: Project, api: ImagesApi, tmp_path: Path, came_as: str, provenance: Any
) -> None:
    api.default = bytes_by_url(labelled(came_as, tmp_path))
    project.options |= {"formats": ["avif", "webp", "png", "jpeg"], "widths": [32], "provenance": provenance}
    prompt = "A tower <in> fog & 雾"
    project.page("index.md", "![x](qhaigc:hero)\n", qhaigc=prompt, image="qhaigc:hero")
    built = project.build("--strict")
    assert built.code == 0, built.output
    names = built.images()
    assert sorted(Path(name).suffix for name in names) == sorted([".avif", ".webp", ".png", ".jpg"] * 2 + [".jpg"])
    for name in names:
        said = said_by(built.site / "assets/qhaigc" / name)
        if provenance is False:
            assert said == {}
            continue
        assert said["digitalsourcetype"] == TRAINED
        assert said["aisystemused"] == "qh-draw-x2-preview at 127.0.0.1"
        assert said.get("aipromptinformation") == (prompt if provenance is not True else None)
        assert said["aigc"] == LABEL
