"""The grammar of a reference, `qhaigc:NAME`, with a fragment behind it if the author wants one. Pure.

`html.rewrite` reads references in HTML, `directives.image_urls_in_front_matter` those in front matter,
and `directives.markdown_for_other_plugins` those in the Markdown of a page.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from functools import lru_cache
from urllib.parse import unquote

SCHEME = "qhaigc:"
_NAME = r"""[^\s"'()<>\[\]|#?,&]+"""
_FRAGMENT = r"""#[^\s"'()<>,]*"""
REFERENCE = rf"qhaigc:({_NAME})({_FRAGMENT})?"
"""A regular expression with two groups: the name as it is written, and the fragment."""
WHOLE = re.compile(rf"\s*{REFERENCE}\s*")

QUOTED = "qhaigc%3"
"""Is in every text that contains a quoted reference, see `unquote_reference`."""
QUOTED_REFERENCE = rf"""(?:\.{{1,2}}/)*qhaigc%3[Aa]([^\s"'()<>\[\]|#?,&.]+)(?:\.md)?({_FRAGMENT})?"""
"""A regular expression like `REFERENCE`, for quoted ones; where URLs of pages have endings, so have they."""


def whole_reference(value: str) -> str | None:
    """Return the name if the value is exactly one reference, else `None`."""
    match = WHOLE.fullmatch(value)
    return decode_name(match[1]) if match else None


def is_broken(value: str) -> bool:
    """Return whether a value begins as a reference does and is none: `qhaigc: hero`."""
    return value.startswith(SCHEME) and whole_reference(value) is None


def unquote_reference(value: str) -> str | None:
    """Return the reference that is meant by a URL as `../qhaigc%3Ahero`, or `None`.

    Plugins for wiki links take a reference for the name of a page's file, and so make a path of it, in a URL's escapes.
    """
    match = re.fullmatch(rf"\s*{QUOTED_REFERENCE}\s*", value)  # few sites have wiki links
    return f"{SCHEME}{match[1]}{match[2] or ''}" if match else None


def references_in(text: str) -> Iterator[tuple[int, int, str]]:
    """Yield (start, end, name) of everything that reads as a reference, in text of any kind."""
    for match in re.finditer(REFERENCE, text):
        yield match.start(), match.end(), decode_name(match[1])


@lru_cache  # pages refer to their images by the same few names
def decode_name(written: str) -> str:
    """Return a name as directives have it: in NFC, without the percent signs of a URL."""
    return unicodedata.normalize("NFC", unquote(written))
