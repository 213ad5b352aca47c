"""A font file with the letters that a test wants, each a black square: what a machine has installed differs."""

from __future__ import annotations

import struct
from pathlib import Path

_EM = 1000
"""Units per em."""


def write_font(path: Path, characters: str) -> None:
    """Write a TrueType font that has `characters` and the space."""
    box, square = _rectangle(100, 0, 300, 700), _rectangle(50, 0, 950, 800)
    glyphs = [box, square, b""]  # the first stands for all that the font lacks
    groups = [(ord(c), 2 if c == " " else 1) for c in sorted({*characters, " "})]
    subtable = struct.pack(">HHLLL", 12, 0, 16 + 12 * len(groups), 0, len(groups))
    subtable += b"".join(struct.pack(">LLL", code, code, glyph) for code, glyph in groups)
    offsets = [sum(map(len, glyphs[:n])) for n in range(len(glyphs) + 1)]
    tables = {
        b"cmap": struct.pack(">HHHHL", 0, 1, 3, 10, 12) + subtable,
        b"glyf": b"".join(glyphs),
        b"head": struct.pack(
            ">LLLLHHqqhhhhHHhhh", 0x10000, 0, 0, 0x5F0F3CF5, 0, _EM, 0, 0, 0, 0, _EM, _EM, 0, 8, 2, 1, 0
        ),
        b"hhea": struct.pack(">LhhhHhhhhhhhhhhhH", 0x10000, 800, -200, 0, _EM, *[0] * 11, len(glyphs)),
        b"hmtx": struct.pack(">Hh", _EM, 0) * len(glyphs),
        b"loca": struct.pack(f">{len(offsets)}L", *offsets),
        b"maxp": struct.pack(">LH13H", 0x10000, len(glyphs), 4, 1, *[0] * 11),
    }
    at, directory, content = 12 + 16 * len(tables), b"", b""
    for tag, table in tables.items():
        directory += struct.pack(">4sLLL", tag, 0, at + len(content), len(table))
        content += table + b"\0" * (-len(table) % 4)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(struct.pack(">LHHHH", 0x10000, len(tables), 0, 0, 0) + directory + content)


def _rectangle(left: int, bottom: int, right: int, top: int) -> bytes:
    """Return a glyph of one contour; all of its points are on the curve, their steps in two bytes each."""
    across, up = (left, 0, right - left, 0), (bottom, top - bottom, 0, bottom - top)
    glyph = struct.pack(">hhhhhHH", 1, left, bottom, right, top, 3, 0) + bytes([1] * 4)
    glyph += struct.pack(">4h4h", *across, *up)
    return glyph + b"\0" * (-len(glyph) % 4)
