"""What stands in the body of an answer, though servers and what is before them do not write it as they should."""

from __future__ import annotations

import json
import zlib
from typing import Any

from mkdocs_qhaigc.imaging.formats import LARGEST_IMAGE

LARGEST_BODY = LARGEST_IMAGE // 3 * 4 + (1 << 20)
"""Bytes of an answer's JSON with one image in base64."""
MOST_IN_ONE_CALL = 10
"""What the Images API takes as `n`."""


def unpacked(body: bytes, most: int = LARGEST_BODY) -> bytes:
    """Return a body without the gzip around it that was not asked for; as it is where there is none.

    One that would be larger than any answer (`most`, in bytes) stays as it is: nothing can be read in it.
    """
    if not body.startswith(b"\x1f\x8b"):
        return body
    unpacker = zlib.decompressobj(wbits=31)
    try:
        content = unpacker.decompress(body, most)
    except zlib.error:
        return body
    return body if unpacker.unconsumed_tail else content


def read_json(body: bytes) -> Any:
    """Return what a body says, though its words may be in another encoding than JSON's, or cut in mid-character.

    Of a stream of events it is the last object that counts.

    Raises:
        ValueError: there is no JSON.
        RecursionError: it is nested too deeply.
    """
    for encoding in (json.detect_encoding(body), "gb18030"):
        try:
            text = body.decode(encoding)
            break
        except UnicodeDecodeError:
            continue
    else:
        text = body.decode(errors="replace")
    if text.startswith(("data:", "event:")):
        events = (line.removeprefix("data:").strip() for line in reversed(text.split("\n")))
        text = next((event for event in events if event.startswith("{")), "")
    return json.loads(text, strict=False)  # line breaks within words


def is_whole(body: bytes) -> bool:
    """Whether a body is all of an answer, though nothing says that it ends there."""
    try:
        return isinstance(read_json(body), dict)
    except (ValueError, RecursionError):
        return False
