"""What `plan` and `check` say of a service before money is spent."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.conftest import Project
from tests.helpers.api import ImagesApi
from tests.helpers.commands import run


@pytest.fixture(autouse=True)
def _as_the_table_has_it(project: Project) -> None:
    del project.options["models"]


HERO = {"prompt": "A lighthouse", "alt": "x", "place": "top"}


def findings(project: Project) -> tuple[int, list[str]]:
    finished = run(project, "check", "--json")
    found = json.loads(finished.stdout)["findings"]
    return finished.returncode, [one["message"] for one in found if one["kind"] == "service"]


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"model": "gpt-image-2", "size": "1920x1080"}, "gpt-image-2 does not take the size 1920x1080, but sides that"),
        ({"model": "gpt-image-2", "size": "2K"}, "does not take the size 2K"),
        ({"size": "1000x1000"}, "does not take the size 1000x1000, but 1024x1024, 1280x720"),
        ({"model": "dall-e-3", "size": "1:1", "background": "transparent"}, "dall-e-3 makes no transparent background"),
        (
            {
                "model": "gpt-image-2",
                "size": "1:1",
                "background": "transparent",
                "params": {"output_format": "jpeg"},
            },
            "the `output_format` jpeg has no transparency",
        ),
        (
            {"model": "gpt-image-2", "size": "1:1", "params": {"output_format": "svg"}},
            "`output_format` svg, but png",
        ),
        ({"model": "dall-e-3", "size": "1:1", "params": {"output_format": "png"}}, "png, nor any other"),
        ({"model": "flux", "size": "2K"}, None),
        ({"model": "gpt-image-2", "size": "16:9", "background": "transparent"}, None),
    ],
)
def test_what_a_model_is_known_not_to_take_is_said_and_fails_nothing(
    project: Project, api: ImagesApi, fields: dict[str, Any], words: str | None
) -> None:
    project.page("index.md", "# Home\n", qhaigc={"hero": {**HERO, **fields}})
    plan = run(project, "plan")
    assert plan.returncode == 0, plan.stderr
    code, messages = findings(project)
    assert code == 1  # it is missing, too
    assert len(messages) == (1 if words else 0)
    assert messages == [] or (messages[0].startswith("index.md#hero: ") and words and words in messages[0])
    assert all(message in plan.stderr for message in messages)
    assert not api.calls


def test_a_model_that_has_ended_is_named_at_the_service_that_ended_it(project: Project) -> None:
    project.options["base_url"] = "https://api.openai.com/v1"
    project.page("index.md", "# Home\n", qhaigc={"hero": {**HERO, "model": "dall-e-3", "size": "1:1"}})
    _, messages = findings(project)
    assert messages == [
        "index.md#hero: api.openai.com has ended the model dall-e-3 on 2026-05-12. Write another `model`"
    ]
    project.options["base_url"] = "https://relay.example.com/v1"
    assert findings(project)[1] == []


def test_an_image_that_is_there_needs_no_advice_and_advice_alone_fails_no_check(
    project: Project, api: ImagesApi
) -> None:
    for number in range(8):
        project.page(f"p{number}.md", "# P\n", qhaigc={"hero": {**HERO, "prompt": f"Number {number}"}})
    project.page("index.md", "# Home\n")
    ((message,), code) = findings(project)[::-1]
    assert message.startswith("p0.md#hero, p1.md#hero,")
    assert "and 2 more: qh-draw-x2-preview does not take the size 96x54" in message
    assert code == 1
    project.build()
    assert findings(project) == (0, [])


def test_plan_shows_the_ratio_beside_the_size_that_is_asked_for(project: Project) -> None:
    project.page("index.md", "# Home\n", qhaigc={"hero": {**HERO, "size": "4:3"}})
    assert "1792x1024 for 4:3" in run(project, "plan", "--format", "markdown").stdout
