"""How much of a machine's processors the encoding of a site's images uses.

Nothing is bought: the originals are drawn beforehand, and only what a build does with them is timed.
`python benchmarks/encoding.py --help`
"""

from __future__ import annotations

import argparse
import os
import tempfile
import time
from collections.abc import Sequence
from functools import partial
from pathlib import Path

from sites import median, spread

from mkdocs_qhaigc.imaging.background_encoder import Encoder, EncoderInput
from mkdocs_qhaigc.imaging.encode import encode_all
from mkdocs_qhaigc.imaging.plan_published_files import Encoding, SourceImage, rendition_specs
from mkdocs_qhaigc.sandbox.drawing.draw import draw_image

WIDTH, HEIGHT = 1280, 720
ENCODING = Encoding(("avif", "webp"), (480, 800, 1280), {"avif": 58, "webp": 80, "jpeg": 80, "png": 80})
PLACES = ("a harbour town", "a lighthouse", "a mountain lake", "a city street", "a forest", "a night sky", "a valley")
LIGHTS = ("at dusk", "in fog", "at dawn", "at night", "in the rain", "at noon")


def main() -> None:
    parser = argparse.ArgumentParser(description="Encode images in one thread, and as a build does; compare.")
    parser.add_argument("--images", type=int, default=40, help="originals of 1280x720 (default: %(default)s)")
    parser.add_argument("--runs", type=int, default=3, help="timed runs of each (default: %(default)s)")
    arguments = parser.parse_args()
    originals = [draw(number) for number in range(arguments.images)]
    pairs = [(in_one_thread(originals), as_a_build(originals)) for _ in range(arguments.runs)]
    ratios = [one / build for one, build in pairs]
    count = len(rendition_specs(SourceImage("x", WIDTH, HEIGHT), ENCODING))
    print(f"{len(originals)} originals of {WIDTH}x{HEIGHT} into {count} files each: avif and webp at three widths")
    print(f"one thread     {median([one for one, _ in pairs]):7.2f} s")
    print(f"as a build     {median([build for _, build in pairs]):7.2f} s, on {os.cpu_count()} processors")
    print(f"ratio          {median(ratios):7.2f}   {spread(ratios)}")


def draw(number: int) -> bytes:
    """Return one of many different originals, as WebP."""
    prompt = f"{PLACES[number % len(PLACES)]} {LIGHTS[number % len(LIGHTS)]}, {number}"
    return draw_image(prompt, width=WIDTH, height=HEIGHT, label="sandbox")


def in_one_thread(originals: Sequence[bytes]) -> float:
    """Return how many seconds it takes to encode one image after another."""
    began = time.perf_counter()
    for data in originals:
        for _ in encode_all(data, rendition_specs(SourceImage("x", WIDTH, HEIGHT), ENCODING)):
            pass
    return time.perf_counter() - began


def as_a_build(originals: Sequence[bytes]) -> float:
    """Return how many seconds it takes the encoder of a build, which also writes the files to its cache."""
    with tempfile.TemporaryDirectory(prefix="qhaigc-benchmark-") as folder:
        encoder = Encoder(ENCODING, Path(folder))
        began = time.perf_counter()
        subjects = [
            EncoderInput(f"{number}", SourceImage(f"{number}", WIDTH, HEIGHT), partial(bytes, data), lambda: None)
            for number, data in enumerate(originals)
        ]
        for subject in subjects:
            encoder.encode(subject)
        errors = [error for error in map(encoder.error, subjects) if error]
        took = time.perf_counter() - began
        encoder.close()
    if errors:
        raise errors[0]
    return took


if __name__ == "__main__":
    main()
