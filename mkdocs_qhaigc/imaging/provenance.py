"""Provenance of an image and its service's label: read from its metadata, and packed for that of published files."""

from __future__ import annotations

from PIL import Image

from mkdocs_qhaigc.imaging.decode import decoded
from mkdocs_qhaigc.imaging.xmp import PNG_KEYWORD, Provenance, label_in_xmp, origin_in_xmp, usable_label

_EXIF, _USER_COMMENT = 0x8769, 0x9286


def origin(data: bytes) -> Provenance:
    """Return how an image came to be, from the metadata in its bytes.

    Raises:
        ImageError: see `inspect`.
    """
    with decoded(data) as image:
        return origin_in_xmp(_xmp(image))


def xmp_packet(image: Image.Image, provenance: Provenance) -> bytes:
    """Return the XMP packet of an image; with empty provenance, that in the metadata of its original."""
    if provenance == Provenance():
        provenance = origin_in_xmp(_xmp(image))
    return provenance.as_xmp(_label(image))


def _xmp(image: Image.Image) -> bytes:
    packet = image.info.get("xmp") or image.info.get(PNG_KEYWORD)
    if isinstance(packet, str):
        packet = packet.encode(errors="replace")
    return packet if isinstance(packet, bytes) else b""


def _label(image: Image.Image) -> str | None:
    """Return the AIGC label of an original, from any of the places that GB 45438-2025 allows."""
    label = label_in_xmp(_xmp(image))
    text = image.info.get("AIGC")
    if label is None and isinstance(text, str):
        label = usable_label(text)
    if label is None:
        try:
            comment = image.getexif().get_ifd(_EXIF).get(_USER_COMMENT)
        except Exception:  # noqa: BLE001 - Pillow raises many kinds on damaged metadata, which has no label
            return None
        if isinstance(comment, bytes):
            comment = comment.removeprefix(b"ASCII\0\0\0").removeprefix(b"UNICODE\0").decode(errors="replace")
        if isinstance(comment, str) and "AIGC" in comment:
            label = usable_label(comment)
    return label
