"""How reference images are sent: by what is known of a service or a model, else by what the author writes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from mkdocs_qhaigc.config.choose_reference_transport import reference_transport
from mkdocs_qhaigc.config.options import read_options
from mkdocs_qhaigc.directives.request import ImageRequest, Reference
from mkdocs_qhaigc.errors import OptionError


def transport(model: str, *, references: int = 1, **options: Any) -> str:
    shown = tuple(Reference(f"sha256:{number:064}", f"docs/{number}.png") for number in range(references))
    request = ImageRequest(model, "A fox", "1024x1024", references=shown)
    return reference_transport(request, read_options(options, folder=Path("/site"), docs_dir=Path("/site/docs")))


@pytest.mark.parametrize(
    ("base_url", "model", "by"),
    [
        ("https://api.openai.com/v1", "gpt-image-2", "edits"),
        ("https://api.openai.com/v1", "a-model-of-tomorrow", "edits"),
        ("https://mine.openai.azure.com/openai/v1", "my-deployment", "edits"),
        ("https://ark.cn-beijing.volces.com/api/v3", "doubao-seedream-4-0-250828", "json"),
        ("https://ark.cn-beijing.volces.com/api/v3", "ep-2026", "json"),
        ("https://ark.ap-southeast.bytepluses.com/api/v3", "seedream-5-0", "json"),
        ("https://relay.example.com/v1", "gpt-image-2-2026-04-21", "edits"),
        ("https://relay.example.com/v1", "doubao-seedream-4-5-251128", "json"),
        ("sandbox", "gpt-image-2", "edits"),
        ("sandbox", "qh-draw-x2-preview", "json"),
    ],
)
def test_what_is_known_of_a_service_or_a_model_decides(base_url: str, model: str, by: str) -> None:
    assert transport(model, base_url=base_url) == by


@pytest.mark.parametrize("by", ["edits", "json"])
@pytest.mark.parametrize("model", ["qh-draw-x2-preview", "gpt-image-2", "dall-e-3"])
def test_what_the_author_writes_counts(by: str, model: str) -> None:
    assert transport(model, references_by=by) == by


@pytest.mark.parametrize(
    ("model", "references", "words"),
    [
        (
            "qh-draw-x2-preview",
            1,
            ["not known how api.qhaigc.net takes", "`references_by: edits`", "by: json"],
        ),
        ("dall-e-3", 1, ["dall-e-3 takes no reference images"]),
        ("gpt-image-2", 17, ["at most 16 reference images, and these are 17"]),
        ("doubao-seedream-4-0-250828", 15, ["at most 14"]),
    ],
)
def test_what_cannot_be_sent_is_an_error_that_says_what_to_write(model: str, references: int, words: list[str]) -> None:
    with pytest.raises(OptionError) as caught:
        transport(model, references=references)

    assert all(word in str(caught.value) for word in words), caught.value


def test_a_host_that_only_ends_like_a_known_one_is_not_it() -> None:
    with pytest.raises(OptionError, match="evilvolces"):
        transport("m", base_url="https://evilvolces.com/v1")
