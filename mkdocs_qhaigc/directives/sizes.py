"""Sizes of images as authors write them: pixels, ratios of sides, and services' own words. Pure."""

from __future__ import annotations

import math
import re
from functools import lru_cache

MOST_PIXELS = 50_000_000
"""Width times height of the largest image that is requested and read."""
SIZE_LIMITS = (16, 16383)
"""Pixels: the shortest and the longest side that can be requested."""
SIZE_PATTERN = r"\s*([0-9]{1,6})\s*[xX×]\s*([0-9]{1,6})\s*"
"""A regular expression for the whole of a size in pixels."""
RATIO_PATTERN = r"\s*([0-9]{1,2})\s*:\s*([0-9]{1,2})\s*"
"""A regular expression for the whole of a ratio."""
SERVICE_SIZE_PATTERN = r"\s*(?:auto|[0-9]{1,2}(?:\.[0-9])?[KkMm][A-Za-z]?)\s*"
"""A regular expression for the whole of a service's own word for a size: `2K`, `auto`."""
_SIZE = re.compile(SIZE_PATTERN)
_RATIO = re.compile(RATIO_PATTERN)
_BASE = 60
"""Of the numbers that YAML makes of `16:9`."""
_RATIOS = frozenset(
    ratio
    for wide in (
        *((1, 1), (5, 4), (4, 3), (7, 5), (3, 2), (8, 5), (16, 10), (16, 9), (18, 9), (2, 1), (21, 9), (3, 1)),
        (32, 9),
    )
    for ratio in (wide, wide[::-1])
)
"""Usual proportions, as (width, height): of other numbers it is not certain that YAML has made them of a ratio."""
USUAL_RATIOS = sorted(width * _BASE + height for width, height in _RATIOS)
"""The numbers that YAML makes of them."""
USUAL_PIXELS = 1024 * 1024
"""Width times height that the size of a ratio comes near to."""
USUAL_SIDES = (1024, 1024)
"""Pixels: what is expected for a service's word for a size of which nothing is known."""


def parse_size(text: str) -> str | None:
    """Return the size as `WIDTHxHEIGHT`, or `None` if the text is no size within `SIZE_LIMITS`."""
    match = _SIZE.fullmatch(text)
    if not match:
        return None
    width, height = int(match[1]), int(match[2])
    least, most = SIZE_LIMITS
    if not (least <= width <= most and least <= height <= most and width * height <= MOST_PIXELS):
        return None
    return f"{width}x{height}"


@lru_cache  # most images of a site are of one size
def sides_of(size: str) -> tuple[int, int] | None:
    """Return width and height of a size in pixels; `None` for a ratio, and for a service's own word."""
    read = parse_size(size)
    if read is None:
        return None
    width, _, height = read.partition("x")
    return int(width), int(height)


def read_size(value: object) -> str | None:
    """Return a size as `WIDTHxHEIGHT`, as a ratio (`16:9`), or as a service's own word; `None` if it is none of them.

    A ratio without quotes is the number that YAML makes of it: 969.
    """
    if ratio := ratio_of(value):
        return f"{ratio[0]}:{ratio[1]}"
    if not isinstance(value, str):
        return None
    return parse_size(value) or (value.strip() if re.fullmatch(SERVICE_SIZE_PATTERN, value) else None)


def ratio_of(value: object) -> tuple[int, int] | None:
    """Return the ratio that an author wrote as a size: a text (`16:9`), or the number that YAML reads from it (969)."""
    if isinstance(value, str):
        match = _RATIO.fullmatch(value)
        ratio = (int(match[1]), int(match[2])) if match else (0, 0)
        return ratio if all(ratio) else None
    if isinstance(value, int) and not isinstance(value, bool):
        ratio = divmod(value, _BASE)
        return ratio if ratio in _RATIOS else None
    return None


def size_of_ratio(width: int, height: int) -> str:
    """Return a usual size of these proportions, with sides that are multiples of 16: `1280x720` for 16 and 9."""
    factor = max(16, round(math.sqrt(USUAL_PIXELS / (width * height)) / 16) * 16)
    return f"{width * factor}x{height * factor}"
