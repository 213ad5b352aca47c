"""Generation requests of the sandbox: their checks, as strict as the real API's, and the drawings for them."""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import dataclass
from typing import Any

from mkdocs_qhaigc.sandbox.model_rules import Family, family_of
from mkdocs_qhaigc.sandbox.replies import Rejection

VARIANT_HEADER = "X-Qhaigc-Variant"
"""A real API generates another image each time; the sandbox draws another one for each number in this header."""
_FIELDS = ("model", "prompt", "n", "size")
"""Taken by all models."""
_TOKENS = {"low": 272, "medium": 1056, "high": 4160, "xhigh": 6240, "max": 8320}
"""Output tokens of an image of 1024x1024, by quality."""
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
    format: str
    """png, webp or jpeg."""
    transparent: bool
    watermark: bool
    first: int
    """Index of the first image, from 0: variants of one prompt may be requested one by one."""
    digest: str
    """SHA-256 over the canonical JSON of the body and its reference images, in hex."""
    references: tuple[bytes, ...] = ()
    """Reference images, whose colours the drawing takes."""

    def draw(self, index: int) -> bytes:
        """Return the bytes of one image, which differ by index and seed: both become part of the prompt."""
        from mkdocs_qhaigc.sandbox.drawing import draw as drawing

        seeded = self.prompt if self.seed is None else f"{self.prompt} [seed {self.seed}]"
        prompt = f"{seeded} ({index + 1})" if index else seeded
        try:
            return drawing.draw_image(
                prompt,
                width=self.width,
                height=self.height,
                label="sandbox, AI generated" if self.watermark else "sandbox",
                format=self.format.upper(),
                references=self.references,
                transparent=self.transparent,
            )
        except Exception as error:  # the client must get an answer
            raise Rejection(500, f"The image could not be drawn: {type(error).__name__}.") from error

    def file_name(self, index: int) -> str:
        """Return the name under which an image is hosted."""
        identity = hashlib.sha256(f"{self.digest}/{index}".encode()).hexdigest()
        return f"{identity}.{self.format}"

    def about(self, fields: dict[str, Any]) -> dict[str, Any]:
        """Return what an answer says beside its images; `fields`: the body of the request."""
        usage = family_of(self.model).usage
        pixels = self.n * self.width * self.height
        if usage == "images":
            tokens = pixels // 256
            counted = {"generated_images": self.n, "output_tokens": tokens, "total_tokens": tokens}
            return {"model": self.model, "usage": counted}
        if usage is None:
            return {}
        asked = fields.get("quality") or "auto"
        quality = "high" if asked == "auto" else asked
        text, image = len(self.prompt.encode()) // 4 + 1, 256 * len(self.references)
        output = max(1, pixels * _TOKENS[quality] // 2**20)
        return {
            "background": "transparent" if self.transparent else "opaque",
            "output_format": self.format,
            "quality": quality,
            "size": f"{self.width}x{self.height}",
            "usage": {
                "input_tokens": text + image,
                "input_tokens_details": {"image_tokens": image, "text_tokens": text},
                "output_tokens": output,
                "total_tokens": text + image + output,
            },
        }


def checked(body: dict[str, Any], variant: str, references: tuple[bytes, ...] = ()) -> GenerationRequest:
    """Return the request in a body with these reference images; `variant` is the value of `VARIANT_HEADER`.

    Raises:
        Rejection: the API does not accept it.
    """
    if not re.fullmatch(r"[1-9][0-9]{0,4}", variant):
        raise _invalid(VARIANT_HEADER, "expected a whole number from 1")
    family = family_of(body["model"]) if isinstance(body.get("model"), str) else family_of("")
    for name in body:
        if name not in _FIELDS and name not in family.fields:
            raise Rejection(400, f"Unknown parameter: '{name}'.", code="unknown_parameter", param=name)
    model, prompt, size = (_text(body, name) for name in ("model", "prompt", "size"))
    if len(prompt) > _MAX_PROMPT:
        message = f"Invalid 'prompt': {len(prompt)} characters, and at most {_MAX_PROMPT} are taken."
        raise Rejection(400, message, code="string_above_max_length", param="prompt")
    width, height = _pixels(size, family)
    n = _integer(body, "n")
    n = 1 if n is None else n
    if not 1 <= n <= 10:
        raise _invalid("n", "expected an integer from 1 to 10")
    if n > family.most_n:
        raise _invalid("n", f"the model {model!r} takes only {family.most_n}")
    _integer(body, "seed")
    for name, check in family.fields.items():
        if why := check(body.get(name)):
            raise _invalid(name, why)
    format_ = _format(body, family)
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
        as_base64=(body.get("response_format") or family.answers) == "b64_json",
        format=format_,
        transparent=body.get("background") == "transparent",
        watermark=family.watermark and body.get("watermark") is not False,
        digest=_digest(body, references),
        references=references,
    )


def _digest(body: dict[str, Any], references: tuple[bytes, ...]) -> str:
    digest = hashlib.sha256(json.dumps(body, sort_keys=True).encode())
    for data in references:
        digest.update(hashlib.sha256(data).digest())
    return digest.hexdigest()


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


def _pixels(size: str, family: Family) -> tuple[int, int]:
    if size in family.words:
        return family.words[size]
    match = re.fullmatch(r"([1-9][0-9]{1,3})x([1-9][0-9]{1,3})", size)
    if not match:
        words = "".join(f", or {word}" for word in family.words)
        raise _invalid("size", f"expected WIDTHxHEIGHT in pixels, such as 1280x720{words}")
    width, height = int(match[1]), int(match[2])
    if why := family.sizes(width, height):
        raise _invalid("size", why)
    return width, height


def _format(body: dict[str, Any], family: Family) -> str:
    """Return the format of the images: png, webp or jpeg."""
    asked = body.get("output_format")
    format_ = asked if asked in family.formats else family.formats[0]
    if body.get("background") == "transparent" and format_ == "jpeg":
        message = "Transparent background is not supported for JPEG output format."
        raise Rejection(400, message, code="invalid_value", param="background")
    return str(format_)
