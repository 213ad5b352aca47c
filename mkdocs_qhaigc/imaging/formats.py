"""The image formats that are read and written: names, file extensions, MIME types, first bytes. Needs no Pillow."""

from __future__ import annotations

import re

EXTENSIONS = {"png": "png", "jpeg": "jpg", "webp": "webp", "avif": "avif"}
"""Image format -> file extension, without the dot."""
MIME_TYPES = {"avif": "image/avif", "webp": "image/webp", "jpeg": "image/jpeg", "png": "image/png"}
"""Image format -> MIME type, in the order in which browsers are offered the formats."""
LARGEST_IMAGE = 160 << 20
"""Bytes: the uncompressed size of an image of the most pixels that are read, and a little more."""
COLOUR = re.compile(r"#[0-9a-f]{6}")
"""A colour in records, indexes and manifests."""
_STARTS = {
    "png": re.compile(rb"\x89PNG"),
    "jpeg": re.compile(rb"\xff\xd8\xff"),
    "webp": re.compile(rb"RIFF....WEBP", re.DOTALL),
    "avif": re.compile(rb"....ftyp", re.DOTALL),
}


def format_of(data: bytes | memoryview) -> str | None:
    """Return the format that begins with these bytes; `None` if none does."""
    return next((format_ for format_, start in _STARTS.items() if start.match(data)), None)
