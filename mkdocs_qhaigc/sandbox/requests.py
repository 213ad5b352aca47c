"""A generation request of the sandbox: what it may say, checked as strictly as the real API does, and what is drawn."""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import dataclass
from typing import Any, Literal

from mkdocs_qhaigc.sandbox.replies import Rejection

VARIANT_HEADER = "X-Qhaigc-Variant"
"""Header with a number, 1, 2, 3 …, by which the sandbox draws another image; a real API does so by chance."""
_FIELDS = frozenset(
    {"model", "prompt", "n", "size", "response_format", "quality", "style", "user", "background"}
    | {"moderation", "output_format", "output_compression", "seed", "negative_prompt"}
)
_MAX_PROMPT = 32_000  # characters


@dataclass(frozen=True, slots=True)
class GenerationRequest:
    """A generation request that passed every check."""

    prompt: str
    model: str
    width: int
    height: int
    n: int
    seed: int | None
    as_base64: bool
    first: int
    """Index of the first image: independent images of one prompt are asked for one by one."""
    digest: str
    """SHA-256 over the canonical JSON of the body, in hex."""

    @property
    def format(self) -> Literal["PNG", "WEBP"]:
        """The format that the model makes, as Pillow names it."""
        return "PNG" if self.model == "dall-e-3" else "WEBP"

    def draw(self, index: int) -> bytes:
        """One image's bytes: others for each index and seed, which the prompt to draw from takes along."""
        from mkdocs_qhaigc.sandbox.drawing import draw as drawing

        seeded = self.prompt if self.seed is None else f"{self.prompt} [seed {self.seed}]"
        prompt = f"{seeded} ({index + 1})" if index else seeded
        try:
            return drawing.draw_image(prompt, width=self.width, height=self.height, label="sandbox", format=self.format)
        except Exception as error:  # whatever broke, the client gets an answer
            raise Rejection(500, f"The image could not be drawn: {type(error).__name__}.") from error

    def file_name(self, index: int) -> str:
        """The name that an image is hosted under."""
        identity = hashlib.sha256(f"{self.digest}/{index}".encode()).hexdigest()
        return f"{identity}.{self.format.lower()}"


def checked(body: dict[str, Any], variant: str) -> GenerationRequest:
    """Return what a request asks for; `variant` is the value of `VARIANT_HEADER`.

    Raises:
        Rejection: the API does not take it.
    """
    if not re.fullmatch(r"[1-9][0-9]{0,4}", variant):
        raise _invalid(VARIANT_HEADER, "expected a whole number from 1")
    for name in body:
        if name not in _FIELDS:
            raise Rejection(400, f"Unknown parameter: '{name}'.", code="unknown_parameter", param=name)
    model, prompt, size = (_text(body, name) for name in ("model", "prompt", "size"))
    if len(prompt) > _MAX_PROMPT:
        message = f"Invalid 'prompt': {len(prompt)} characters, and at most {_MAX_PROMPT} are taken."
        raise Rejection(400, message, code="string_above_max_length", param="prompt")
    width, height = _pixels(size)
    n = _integer(body, "n")
    n = 1 if n is None else n
    if not 1 <= n <= 10:
        raise _invalid("n", "expected an integer from 1 to 10")
    if n > 1 and model == "dall-e-3":
        raise _invalid("n", "the model 'dall-e-3' takes only 1")
    if body.get("response_format") not in (None, "url", "b64_json"):
        raise _invalid("response_format", "expected 'url' or 'b64_json'")
    if "[refuse]" in prompt:
        message = "Your request was rejected as a result of our safety system."
        raise Rejection(400, message, code="content_policy_violation")
    return GenerationRequest(
        prompt=prompt,
        model=model,
        width=width,
        height=height,
        n=n,
        seed=_integer(body, "seed"),
        first=int(variant) - 1,
        as_base64=body.get("response_format") == "b64_json",
        digest=hashlib.sha256(json.dumps(body, sort_keys=True).encode()).hexdigest(),
    )


def _invalid(name: str, why: str, *, code: str = "invalid_value") -> Rejection:
    return Rejection(400, f"Invalid '{name}': {why}.", code=code, param=name)


def _text(body: dict[str, Any], name: str) -> str:
    value = body.get(name)
    if value is None:
        message = f"Missing required parameter: '{name}'."
        raise Rejection(400, message, code="missing_required_parameter", param=name)
    if not isinstance(value, str):
        raise _invalid(name, "expected a string", code="invalid_type")
    if not value.strip():
        raise _invalid(name, "expected a string that is not empty")
    return value


def _integer(body: dict[str, Any], name: str) -> int | None:
    value = body.get(name)
    if value is not None and (isinstance(value, bool) or not isinstance(value, int)):
        raise _invalid(name, "expected an integer", code="invalid_type")
    return value


def _pixels(size: str) -> tuple[int, int]:
    match = re.fullmatch(r"([1-9][0-9]{1,3})x([1-9][0-9]{1,3})", size)
    width, height = map(int, match.groups()) if match else (0, 0)
    if not (16 <= width <= 4096 and 16 <= height <= 4096):
        raise _invalid("size", "expected WIDTHxHEIGHT, each from 16 to 4096 pixels, such as 1280x720")
    return width, height
