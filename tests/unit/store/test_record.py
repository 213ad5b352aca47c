"""Names of stored files."""

from __future__ import annotations

import pytest

from mkdocs_qhaigc.store.record import digits_in, digits_in_any, is_unfinished

HEX = "4e96ebfcd164177a"


@pytest.mark.parametrize(
    ("name", "stored", "ours", "unfinished"),
    [
        (f"hero-{HEX}.json", True, True, False),
        (f"two-words-{HEX}.avif", True, True, False),
        (f"hero.sandbox-{HEX}.png", True, True, False),
        (f"hero-{HEX}.png.damaged", False, True, False),
        (f"hero-{HEX}.json.replaced-12", False, True, False),
        (f".hero-{HEX}.png.1a2b3c4d.part", False, False, True),
        (f"hero-{HEX}.png.damaged.1", False, False, False),
        (f"hero-{HEX}.gif", False, False, False),
        (f"hero-{HEX.upper()}.png", False, False, False),
        (f"hero-{HEX}.json\n", False, False, False),
        (f".hero-{HEX}.json", False, False, False),
        (f"-{HEX}.json", False, False, False),
        (".qhaigc.png.1a2b3c4d.part", False, False, False),
    ],
)
def test_names_say_whose_files_they_are(name: str, stored: bool, ours: bool, unfinished: bool) -> None:
    assert digits_in(name) == (HEX if stored else "")
    assert digits_in_any(name) == (HEX if ours else "")
    assert is_unfinished(name) == unfinished
