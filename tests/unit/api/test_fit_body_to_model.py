"""Request bodies as models take them."""

from __future__ import annotations

from typing import Any

import pytest

from mkdocs_qhaigc.api.fit_body_to_model import fit
from mkdocs_qhaigc.directives.known_models import ModelTable, known_model

OWN: ModelTable = {"sizeless": {"size": "none"}, "webp-only": {"transparent": True, "formats": ["jpeg", "webp"]}}
BODY = {"model": "m", "prompt": "A lighthouse", "size": "1024x1024", "n": 1, "response_format": "url"}
WITHOUT_FORMAT = {name: value for name, value in BODY.items() if name != "response_format"}


@pytest.mark.parametrize(
    ("model", "params", "variant", "sent"),
    [
        ("flux", {}, 1, BODY),
        ("flux", {"seed": 42}, 1, {**BODY, "seed": 42}),
        ("flux", {"seed": 42}, 3, {**BODY, "seed": 44}),
        ("flux", {"seed": 0}, 2, {**BODY, "seed": 1}),
        ("flux", {"seed": -1}, 2, {**BODY, "seed": -1}),
        ("flux", {"seed": "abc"}, 2, {**BODY, "seed": "abc"}),
        ("flux", {"seed": "42"}, 2, {**BODY, "seed": "43"}),
        ("flux", {"seed": "9" * 5000}, 2, {**BODY, "seed": "9" * 5000}),
        ("flux", {"seed": True}, 2, {**BODY, "seed": True}),
        ("flux", {"background": "transparent"}, 1, {**BODY, "background": "transparent"}),
        ("gpt-image-2", {}, 1, WITHOUT_FORMAT),
        (
            "gpt-image-2",
            {"background": "transparent"},
            1,
            {**WITHOUT_FORMAT, "background": "transparent", "output_format": "png"},
        ),
        (
            "gpt-image-2",
            {"background": "transparent", "output_format": "webp"},
            1,
            {**WITHOUT_FORMAT, "background": "transparent", "output_format": "webp"},
        ),
        ("gpt-image-2", {"background": "opaque"}, 1, {**WITHOUT_FORMAT, "background": "opaque"}),
        ("webp-only", {"background": "transparent"}, 1, {**BODY, "background": "transparent", "output_format": "webp"}),
        ("sizeless", {}, 1, {name: value for name, value in BODY.items() if name != "size"}),
    ],
)
def test_a_body_is_what_its_model_takes(model: str, params: dict[str, Any], variant: int, sent: dict[str, Any]) -> None:
    assert fit({**BODY, **params}, variant=variant, model=known_model(model, OWN)) == sent
