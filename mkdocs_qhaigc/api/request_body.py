"""The body of a call to the Images API: JSON, or a multipart form where reference images are sent as files. Pure.

The same request gives the same bytes on every machine: the boundary of a form is made from its content.
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from mkdocs_qhaigc.config.choose_reference_transport import Transport
from mkdocs_qhaigc.directives.request import ImageRequest
from mkdocs_qhaigc.imaging.formats import EXTENSIONS, MIME_TYPES


class SentImage(NamedTuple):
    """A reference image as it is sent."""

    data: bytes
    format: str
    """png, jpeg or webp."""


class Body(NamedTuple):
    """The body of a call, and where it goes."""

    path: str
    """Behind `base_url`."""
    media_type: str
    content: bytes


def request_fields(request: ImageRequest, *, n: int, response_format: str) -> dict[str, Any]:
    """Return the fields of a call for `n` images of a request, without its reference images."""
    fields: dict[str, Any] = {"model": request.model, "prompt": request.prompt, "size": request.size, "n": n}
    if response_format != "none":
        fields["response_format"] = response_format
    return fields | dict(request.params)


def build_body(fields: Mapping[str, Any], images: Sequence[SentImage] = (), by: Transport = "json") -> Body:
    """Return the body of a call with these fields and reference images, which are sent `by` one transport."""
    if images and by == "edits":
        return _form(fields, images)
    if images:
        urls = [f"data:{MIME_TYPES[one.format]};base64,{base64.b64encode(one.data).decode()}" for one in images]
        fields = {**fields, "image": urls if len(urls) > 1 else urls[0]}
    return Body("/images/generations", "application/json", json.dumps(fields, ensure_ascii=False).encode())


def _form(fields: Mapping[str, Any], images: Sequence[SentImage]) -> Body:
    """Return a multipart form (RFC 7578), as OpenAI's clients send it."""
    parts = [(f'form-data; name="{_quoted(name)}"', "", _text(value).encode()) for name, value in fields.items()]
    for number, one in enumerate(images, 1):
        file = f"reference-{number}.{EXTENSIONS[one.format]}"
        parts.append((f'form-data; name="image[]"; filename="{file}"', MIME_TYPES[one.format], one.data))
    digest = hashlib.sha256()
    for disposition, media_type, content in parts:
        digest.update(f"{disposition}\n{media_type}\n{len(content)}\n".encode())
        digest.update(content)
    boundary = f"qhaigc-{digest.hexdigest()[:32]}"
    form = bytearray()
    for disposition, media_type, content in parts:
        form += f"--{boundary}\r\nContent-Disposition: {disposition}\r\n".encode()
        form += f"Content-Type: {media_type}\r\n\r\n".encode() if media_type else b"\r\n"
        form += content
        form += b"\r\n"
    form += f"--{boundary}--\r\n".encode()
    return Body("/images/edits", f"multipart/form-data; boundary={boundary}", bytes(form))


def _text(value: Any) -> str:
    """Return the value of a field as a form has it: texts as they are, all else in JSON's words."""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _quoted(name: str) -> str:
    """Return a field's name as it stands in quotes (RFC 7578, section 2; HTML's rules for escapes)."""
    return name.replace("\r", "%0D").replace("\n", "%0A").replace('"', "%22")
