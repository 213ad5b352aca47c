"""What is sent to the Images API for one picture, and the key under which the picture is kept for ever.

A change to the key buys everybody's pictures again: `tests/test_request.py` holds the keys of known requests.
"""

from __future__ import annotations

import hashlib
import json
import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

KEY_SCHEMA = 1
MOST_PIXELS = 50_000_000
"""Width times height of the largest picture that is asked for and read."""
SIZE_LIMITS = (16, 16383)
"""The least and the most pixels of a side that can be asked for."""

SIZE_PATTERN = r"\s*([0-9]{1,6})\s*[xX×]\s*([0-9]{1,6})\s*"
"""A regular expression for the whole of a size."""
_CANONICAL = json.JSONEncoder(ensure_ascii=False, sort_keys=True, separators=(",", ":"), allow_nan=False)
_SIZE = re.compile(SIZE_PATTERN)
_SENTENCE_ENDS = ".!?,;:…。！？，；：、"


@dataclass(frozen=True, slots=True)
class ImageRequest:
    """One picture to be had: everything that changes it, and nothing else."""

    model: str
    prompt: str
    """The final prompt: NFC, trimmed, styles added."""
    size: str
    """`WIDTHxHEIGHT` in pixels."""
    variant: int = 1
    """1, 2, 3 …: independent pictures of one prompt."""
    params: Mapping[str, Any] = field(default_factory=dict)
    """Further fields of the request body; JSON values."""
    key: str = field(init=False)
    """64 hex digits: the sha256 of the canonical JSON of all of the above."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "key", hashlib.sha256(self._canonical_json().encode()).hexdigest())

    def __hash__(self) -> int:
        return hash(self.key)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, ImageRequest) and other.key == self.key

    @property
    def width(self) -> int:
        """Pixels asked for."""
        return int(self.size.partition("x")[0])

    @property
    def height(self) -> int:
        """Pixels asked for."""
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
        }

    def _canonical_json(self) -> str:
        return _CANONICAL.encode(self.as_record())


def final_prompt(prompt: str, *styles: str) -> str:
    """Return the prompt with each style appended, as it is sent: NFC and trimmed."""
    text = unicodedata.normalize("NFC", prompt).strip()
    for style in styles:
        addition = unicodedata.normalize("NFC", style).strip()
        if addition:
            text += (" " if text[-1:] in _SENTENCE_ENDS else ", ") + addition
    return text


def parse_size(text: str) -> str | None:
    """Return the size as `WIDTHxHEIGHT`, or None where the text is no size within `SIZE_LIMITS`."""
    match = _SIZE.fullmatch(text)
    if not match:
        return None
    width, height = int(match[1]), int(match[2])
    least, most = SIZE_LIMITS
    if not (least <= width <= most and least <= height <= most and width * height <= MOST_PIXELS):
        return None
    return f"{width}x{height}"
