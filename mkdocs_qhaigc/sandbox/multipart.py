"""Reads multipart forms (RFC 7578), strictly: what a lenient server would guess is rejected here."""

from __future__ import annotations

import re
from collections.abc import Iterator
from email.message import Message
from typing import NamedTuple

from mkdocs_qhaigc.sandbox.replies import Rejection

_BOUNDARY = re.compile(r"[0-9A-Za-z'()+_,./:=? -]{0,69}[0-9A-Za-z'()+_,./:=?-]")
_MOST_PARTS = 64
_LARGEST_HEAD = 4096
"""Bytes of the headers of a part."""
_HEADER = re.compile(rb"([A-Za-z-]+):[ \t]*([^\r\n]*?)[ \t]*")
_DISPOSITION = re.compile(rb'form-data; ?name="([^"\r\n]+)"(?:; ?filename="([^"\r\n]*)")?')


class Part(NamedTuple):
    """One part of a form."""

    name: str
    file: str | None
    """The name of a file; `None` for a field."""
    media_type: str
    """Empty if the part has none."""
    content: bytes


def read_form(headers: Message, body: bytes) -> list[Part]:
    """Return the parts of a form, in their order.

    Raises:
        Rejection: it is none.
    """
    boundary = headers.get_param("boundary")
    if not isinstance(boundary, str) or not _BOUNDARY.fullmatch(boundary):
        raise _malformed("its Content-Type has no boundary")
    delimiter = b"\r\n--" + boundary.encode()
    first, *parts = (b"\r\n" + body).split(delimiter)
    if first or len(parts) < 2 or parts[-1] not in (b"--", b"--\r\n"):
        raise _malformed("it does not begin and end with its boundary")
    if len(parts) > _MOST_PARTS:
        raise _malformed(f"it has more than {_MOST_PARTS} parts")
    return list(map(_read_part, parts[:-1]))


def _read_part(part: bytes) -> Part:
    if not part.startswith(b"\r\n"):
        raise _malformed("a boundary is not the whole of its line")
    head, separator, content = part.partition(b"\r\n\r\n")
    if not separator or len(head) > _LARGEST_HEAD:
        raise _malformed("a part has no headers that end")
    headers = dict(_headers(head[2:]))
    disposition = _DISPOSITION.fullmatch(headers.get("content-disposition", b""))
    if not disposition:
        raise _malformed("a part has no Content-Disposition: form-data with a name")
    if "content-transfer-encoding" in headers:
        raise _malformed("a part has a Content-Transfer-Encoding, which forms have not (RFC 7578, section 4.7)")
    try:
        name, file = (text if text is None else text.decode() for text in disposition.groups())
        media_type = headers.get("content-type", b"").decode()
    except UnicodeDecodeError:
        raise _malformed("the headers of a part are not in UTF-8") from None
    assert name is not None
    return Part(name, file, media_type, content)


def _headers(head: bytes) -> Iterator[tuple[str, bytes]]:
    for line in head.split(b"\r\n"):
        header = _HEADER.fullmatch(line)
        if not header:
            raise _malformed("a part has a line that is no header")
        yield header[1].decode().lower(), header[2]


def _malformed(why: str) -> Rejection:
    return Rejection(400, f"We could not parse the form of your request: {why}.", code="invalid_multipart")
