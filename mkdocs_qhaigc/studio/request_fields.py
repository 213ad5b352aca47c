"""Checks of what a browser has sent: the fields of its requests, and their values. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from mkdocs_qhaigc.directives.directive import MOST_VARIANTS
from mkdocs_qhaigc.studio.problem import Problem

TRIED = ("prompt", "size", "style", "model")
"""Fields of a directive that can be tried out without writing them."""
WRITTEN = ("prompt", "alt", "caption", "size", "style", "model", "variant")
"""Fields of a directive that can be written."""
_LONGEST = {"prompt": 32_000, "alt": 4_000, "caption": 4_000, "style": 8_000, "size": 40, "model": 200}
"""Characters of a field that a browser may send."""


def require_fields(body: object, *names: str) -> None:
    """Check that a request has no other fields than these.

    Raises:
        Problem: it has.
    """
    if not isinstance(body, dict):
        raise Problem(400, "value", "the request is no JSON object. Reload the page, and try again")
    if unknown := [name for name in body if name not in names]:
        raise Problem(
            400, "value", f"the request has the field {unknown[0]!r:.60}, which means nothing. Reload the page"
        )


def variant_of(value: object) -> int:
    """Return the number of a variant.

    Raises:
        Problem: it is none.
    """
    if type(value) is not int or not 1 <= value <= MOST_VARIANTS:
        raise Problem(400, "value", f"`variant` is {value!r:.40}. Send a whole number from 1 to {MOST_VARIANTS}")
    return value


def _text(name: str, value: object) -> str | None:
    """Return a text that a browser gives a field; `None` for an empty one, where that means nothing."""
    if not isinstance(value, str):
        raise Problem(400, "value", f"`{name}` is {value!r:.40}. Send a text, or null to remove it")
    if len(value) > _LONGEST[name]:
        raise Problem(400, "value", f"`{name}` is longer than {_LONGEST[name]:,} characters. Shorten it")
    return value.replace("\r\n", "\n").strip() or ("" if name == "alt" else None)


def given_fields(fields: object, allowed: Sequence[str]) -> dict[str, Any]:
    """Return the fields that a browser gives an image; `None` for those that are to be removed.

    Raises:
        Problem: they are no such fields.
    """
    if not isinstance(fields, dict) or not fields:
        raise Problem(400, "value", f"`fields` is empty or no object. Send some of {', '.join(allowed)}")
    given: dict[str, Any] = {}
    for name, value in fields.items():
        if name not in allowed:
            raise Problem(
                400, "value", f"`fields` has {name!r:.60}, which cannot be set here. Send some of {', '.join(allowed)}"
            )
        given[name] = None if value is None else variant_of(value) if name == "variant" else _text(name, value)
        if name == "prompt" and given[name] is None:
            raise Problem(400, "value", "`prompt` is empty. Write what the image shows")
    return given
