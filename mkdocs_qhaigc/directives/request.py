"""The request for one image, as it is sent to the Images API, and the key under which the image is kept for ever.

A change to the key buys everybody's images again: `tests/unit/directives/test_request.py` has keys of known requests.
"""

from __future__ import annotations

import hashlib
import json
import math
import re
import unicodedata
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

KEY_SCHEMA = 1
MOST_PIXELS = 50_000_000
"""Width times height of the largest image that is requested and read."""
SIZE_LIMITS = (16, 16383)
"""Pixels: the shortest and the longest side that can be requested."""

SIZE_PATTERN = r"\s*([0-9]{1,6})\s*[xX×]\s*([0-9]{1,6})\s*"
"""A regular expression for the whole of a size."""
_SIZE = re.compile(SIZE_PATTERN)
_RATIO = re.compile(r"\s*([0-9]{1,2})\s*:\s*([0-9]{1,2})\s*")
_RATIOS = frozenset(
    ratio
    for wide in ((1, 1), (5, 4), (4, 3), (7, 5), (3, 2), (8, 5), (16, 10), (16, 9), (18, 9), (2, 1), (21, 9), (3, 1))
    for ratio in (wide, wide[::-1])
)
"""Usual proportions, as (width, height)."""
_BASE = 60
"""Of the numbers that YAML makes of `16:9`."""
_USUAL_PIXELS = 1024 * 1024
_SENTENCE_ENDS = ".!?,;:…。！？，；：、"


class ImageRequest:
    """The request for one image: everything that changes the image, and nothing else. Immutable."""

    __slots__ = ("key", "model", "params", "prompt", "sandbox", "size", "variant")

    def __init__(
        self,
        model: str,
        prompt: str,
        size: str,
        variant: int = 1,
        params: Mapping[str, Any] = MappingProxyType({}),
        *,
        sandbox: bool = False,
    ) -> None:
        """`prompt` is the final one: NFC, trimmed, styles added."""
        self.model = model
        self.prompt = prompt
        self.size = size
        """`WIDTHxHEIGHT` in pixels."""
        self.variant = variant
        """1, 2, 3 …: independent images of one prompt."""
        self.params = params
        """Further fields of the request body; JSON values."""
        self.sandbox = sandbox
        """Whether it is for the sandbox, whose drawings are never taken for images of a real API."""
        self.key = hashlib.sha256(self._canonical_json().encode()).hexdigest()
        """64 hex digits: the sha256 of the canonical JSON of all of the above."""

    def of_variant(self, variant: int) -> ImageRequest:
        """Return the request for another image of the same prompt."""
        return ImageRequest(self.model, self.prompt, self.size, variant, self.params, sandbox=self.sandbox)

    def __hash__(self) -> int:
        return hash(self.key)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, ImageRequest) and other.key == self.key

    @property
    def width(self) -> int:
        """Pixels."""
        return int(self.size.partition("x")[0])

    @property
    def height(self) -> int:
        """Pixels."""
        return int(self.size.partition("x")[2])

    def as_record(self) -> dict[str, Any]:
        """Return the request as JSON values, in the shape that the key is computed from."""
        return {
            "schema": KEY_SCHEMA,
            "model": self.model,
            "prompt": self.prompt,
            "size": self.size,
            "variant": self.variant,
            "params": dict(self.params),
            **({"sandbox": True} if self.sandbox else {}),
        }

    def _canonical_json(self) -> str:
        """Return the record as JSON without blanks, with the names in alphabetical order."""
        return json.dumps(self.as_record(), ensure_ascii=False, sort_keys=True, separators=(",", ":"), allow_nan=False)


def final_prompt(prompt: str, *styles: str) -> str:
    """Return the prompt with each style appended, as it is sent: NFC and trimmed."""
    text = unicodedata.normalize("NFC", prompt).strip()
    for style in styles:
        addition = unicodedata.normalize("NFC", style).strip()
        if addition:
            text += (" " if text[-1:] in _SENTENCE_ENDS else ", ") + addition
    return text


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
    factor = max(16, round(math.sqrt(_USUAL_PIXELS / (width * height)) / 16) * 16)
    return f"{width * factor}x{height * factor}"
