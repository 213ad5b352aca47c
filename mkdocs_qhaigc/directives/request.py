"""The request for one image, as it is sent to the Images API, and the key under which the image is kept for ever.

A change to the key buys everybody's images again: `tests/unit/directives/test_request.py` has keys of known requests.
"""

from __future__ import annotations

import hashlib
import json
import unicodedata
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, NamedTuple

from mkdocs_qhaigc.directives.sizes import USUAL_SIDES, sides_of

KEY_SCHEMA = 1

_CANONICAL = json.JSONEncoder(ensure_ascii=False, sort_keys=True, separators=(",", ":"), allow_nan=False)
_SENTENCE_ENDS = ".!?,;:…。！？，；：、"


class Reference(NamedTuple):
    """A reference image: a file, or another image of the site, that the model is shown beside the prompt."""

    identity: str
    """`sha256:HEX` of a file's bytes; `key:HEX` of the request for another image, which is known before that is."""
    where: str
    """For messages: `docs/fox.png`, or `guide/start.md#fox` as a job has it."""
    path: str = ""
    """Of the file; empty for another image."""
    name: str = ""
    """In the names of the other image's files; empty for a file."""
    request: ImageRequest | None = None
    """For the other image; `None` for a file."""


class ImageRequest:
    """The request for one image: everything that changes the image, and nothing else. Immutable."""

    __slots__ = ("height", "key", "model", "params", "prompt", "references", "sandbox", "size", "variant", "width")

    def __init__(
        self,
        model: str,
        prompt: str,
        size: str,
        variant: int = 1,
        params: Mapping[str, Any] = MappingProxyType({}),
        *,
        references: tuple[Reference, ...] = (),
        sandbox: bool = False,
        pixels: tuple[int, int] | None = None,
    ) -> None:
        """Make a request.

        Args:
            prompt: the final one: NFC, trimmed, styles added.
            pixels: width and height that are expected where `size` is a service's own word. Not part of the key.
        """
        self.model = model
        self.prompt = prompt
        self.size = size
        """`WIDTHxHEIGHT` in pixels, or a service's own word for a size: `2K`."""
        self.width, self.height = sides_of(size) or pixels or USUAL_SIDES
        """Pixels that are expected."""
        self.variant = variant
        """1, 2, 3 …: independent images of one prompt."""
        self.params = params
        """Further fields of the request body; JSON values."""
        self.references = references
        """In the order in which they are sent: a prompt may speak of the first one."""
        self.sandbox = sandbox
        """Whether it is for the sandbox, whose drawings are never taken for images of a real API."""
        self.key = hashlib.sha256(self._canonical_json().encode()).hexdigest()
        """64 hex digits: the sha256 of the canonical JSON of all of the above."""

    def of_variant(self, variant: int) -> ImageRequest:
        """Return the request for another image of the same prompt."""
        return ImageRequest(
            self.model,
            self.prompt,
            self.size,
            variant,
            self.params,
            references=self.references,
            sandbox=self.sandbox,
            pixels=(self.width, self.height),
        )

    def __hash__(self) -> int:
        return hash(self.key)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, ImageRequest) and other.key == self.key

    @property
    def transparent(self) -> bool:
        """Whether a transparent background is asked for."""
        return self.params.get("background") == "transparent"

    def as_record(self) -> dict[str, Any]:
        """Return the request as JSON values, in the shape that the key is computed from."""
        return {
            "schema": KEY_SCHEMA,
            "model": self.model,
            "prompt": self.prompt,
            "size": self.size,
            "variant": self.variant,
            "params": dict(self.params),
            **({"references": [one.identity for one in self.references]} if self.references else {}),
            **({"sandbox": True} if self.sandbox else {}),
        }

    def _canonical_json(self) -> str:
        """Return the record as JSON without blanks, with the names in alphabetical order."""
        return _CANONICAL.encode(self.as_record())


def final_prompt(prompt: str, *styles: str) -> str:
    """Return the prompt with each style appended, as it is sent: NFC and trimmed."""
    text = unicodedata.normalize("NFC", prompt).strip()
    for style in styles:
        addition = unicodedata.normalize("NFC", style).strip()
        if addition:
            text += (" " if text[-1:] in _SENTENCE_ENDS else ", ") + addition
    return text
