"""Style sheets, scripts and texts that are written into sites."""

from __future__ import annotations

from pathlib import Path


def asset(name: str) -> Path:
    """Return the path of one of these files."""
    return Path(__file__).with_name(name)
