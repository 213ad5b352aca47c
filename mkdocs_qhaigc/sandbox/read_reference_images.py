"""Reference images as services take them: files of a form (OpenAI), or data URLs in JSON (Volcengine Ark, relays)."""

from __future__ import annotations

import base64
import binascii
import hashlib
import io
import re
from collections.abc import Sequence
from email.message import Message
from typing import Any

from mkdocs_qhaigc.sandbox.multipart import Part, read_form
from mkdocs_qhaigc.sandbox.replies import Rejection

OPENAI_MODELS = re.compile(r"gpt-image|chatgpt-image|dall-e")
"""Matches the names of models that take reference images at `/images/edits` alone, or not at all."""
ARK_MODELS = re.compile(r"(?:doubao-)?see(?:dream|dedit)")
"""Matches the names of models that take them in JSON alone."""
MOST_FILES, LARGEST_FILE = 16, 50 * 1024 * 1024
"""Of a form; bytes."""
_MOST_URLS, _LARGEST_URL = 14, 10 * 1024 * 1024
"""Of the field `image` in JSON; bytes of the image in one."""
_LEAST_SIDE, _MOST_PIXELS, _MOST_RATIO = 14, 36_000_000, 16
_URL = re.compile(r"data:(image/(?:png|jpeg|webp));base64,([0-9A-Za-z+/]+={0,2})")
_NUMBERS = frozenset(("n", "seed", "output_compression"))
"""Fields that are whole numbers, which a form has as text."""


def read_edit(headers: Message, content: bytes) -> tuple[dict[str, Any], tuple[bytes, ...]]:
    """Return the fields and the images of a form for `/images/edits`.

    Raises:
        Rejection: the API does not accept it.
    """
    fields: dict[str, Any] = {}
    images: list[Part] = []
    for part in read_form(headers, content):
        if part.name in ("image", "image[]"):
            images.append(part)
        elif part.file is not None:
            raise Rejection(400, f"Unknown parameter: '{part.name}'.", code="unknown_parameter", param=part.name)
        elif part.name in fields:
            raise Rejection(400, f"Duplicate parameter: '{part.name}'.", code="duplicate_parameter", param=part.name)
        else:
            fields[part.name] = _value(part)
    model = str(fields.get("model", ""))
    if ARK_MODELS.match(model) or model == "dall-e-3":
        raise Rejection(400, f"The model '{model}' does not support image edits.", code="invalid_value", param="model")
    if not images:
        message = "Missing required parameter: 'image'."
        raise Rejection(400, message, code="missing_required_parameter", param="image")
    if len(images) > MOST_FILES or (len(images) > 1 and any(part.name == "image" for part in images)):
        raise _invalid(f"expected one file `image`, or up to {MOST_FILES} files `image[]`")
    for part in images:
        if part.file is None:
            raise _invalid("expected a file, which has a `filename`")
        _require_image(part.content, part.media_type, LARGEST_FILE)
    return fields, tuple(part.content for part in images)


def take_images(body: dict[str, Any]) -> tuple[dict[str, Any], tuple[bytes, ...]]:
    """Return the fields of a JSON body without `image`, and the images in that.

    Raises:
        Rejection: the API does not accept it.
    """
    fields = {name: value for name, value in body.items() if name != "image"}
    if "image" not in body:
        return fields, ()
    if OPENAI_MODELS.match(str(body.get("model", ""))):
        raise Rejection(400, "Unknown parameter: 'image'.", code="unknown_parameter", param="image")
    given = body["image"]
    urls = given if isinstance(given, list) else [given]
    if not 1 <= len(urls) <= _MOST_URLS:
        raise _invalid(f"expected 1 to {_MOST_URLS} images")
    return fields, tuple(map(_data_of, urls))


def recorded(fields: dict[str, Any], images: Sequence[bytes], name: str) -> dict[str, Any]:
    """Return a body for the record of a request: its fields, and the digests of its images under the name they had."""
    return {**fields, name: [f"sha256:{hashlib.sha256(data).hexdigest()}" for data in images]} if images else fields


def _value(part: Part) -> Any:
    try:
        text = part.content.decode()
    except UnicodeDecodeError:
        message = f"Invalid '{part.name}': expected text in UTF-8."
        raise Rejection(400, message, code="invalid_type", param=part.name) from None
    return int(text) if part.name in _NUMBERS and re.fullmatch(r"-?[0-9]{1,9}", text) else text


def _data_of(url: object) -> bytes:
    match = _URL.fullmatch(url) if isinstance(url, str) else None
    if not match:
        raise _invalid("expected data:image/png;base64,… (or jpeg, webp); the sandbox fetches no addresses")
    try:
        data = base64.b64decode(match[2], validate=True)
    except binascii.Error:
        raise _invalid("its base64 cannot be decoded") from None
    _require_image(data, match[1], _LARGEST_URL)
    return data


def _require_image(data: bytes, media_type: str, most: int) -> None:
    if len(data) >= most:
        raise Rejection(413, f"An image has to be smaller than {most >> 20} MiB.", param="image")
    from PIL import Image  # most requests have no image

    try:
        with Image.open(io.BytesIO(data), formats=("PNG", "JPEG", "WEBP")) as image:
            image.load()
            width, height = image.size
            actual = f"image/{str(image.format).lower()}"
    except Exception as error:
        message = f"it cannot be decoded ({type(error).__name__})"
        raise _invalid(message, code="invalid_image_file") from error
    if media_type != actual:
        raise _invalid(f"its media type is {media_type or 'missing'}, and it is {actual}")
    short, long = sorted((width, height))
    if short <= _LEAST_SIDE or long > _MOST_RATIO * short or width * height > _MOST_PIXELS:
        raise _invalid(f"{width}x{height} pixels are outside what is taken")


def _invalid(why: str, *, code: str = "invalid_value") -> Rejection:
    return Rejection(400, f"Invalid 'image': {why}.", code=code, param="image")
