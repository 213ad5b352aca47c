"""The fields of a request body that depend on what is known of its model, and on the variant. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mkdocs_qhaigc.directives.known_models import TRANSPARENT_FORMATS, KnownModel

_LONGEST_SEED = 20
"""Digits of a seed that is a text."""


def fit(body: Mapping[str, Any], *, variant: int, model: KnownModel) -> dict[str, Any]:
    """Return a request body as its model takes it.

    `response_format` and `size` are left out where the model takes none. A transparent background comes in a format
    that has one, if the model is known to make one and no `output_format` is asked for.

    Two variants never send the same bytes where there is a `seed`: it is counted up, from that of variant 1 as it is
    written. A negative one is a service's own word for one at random, and stays.
    """
    fitted = dict(body)
    if not model.response_format:
        fitted.pop("response_format", None)
    if not model.sends_size:
        fitted.pop("size", None)
    seed = fitted.get("seed")
    if isinstance(seed, int) and not isinstance(seed, bool) and seed >= 0:
        fitted["seed"] = seed + variant - 1
    elif isinstance(seed, str) and seed.isdecimal() and len(seed) <= _LONGEST_SEED:
        fitted["seed"] = str(int(seed) + variant - 1)
    if fitted.get("background") == "transparent" and model.transparent and "output_format" not in fitted:
        format_ = next((name for name in TRANSPARENT_FORMATS if name in (model.formats or ())), None)
        fitted |= {"output_format": format_} if format_ else {}
    return fitted
