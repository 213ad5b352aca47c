"""OpenAI's own client and ours ask the sandbox for the same, and get the same: every model, size, format and answer."""

from __future__ import annotations

import base64
import io
import json
import re
import urllib.request
from collections.abc import Iterator
from typing import Any

import openai
import pytest
from PIL import Image

from mkdocs_qhaigc.sandbox import Sandbox
from tests.conftest import Project
from tests.helpers.api import KEY, draw

pytestmark = pytest.mark.compatibility

ANSWERS = ("url", "b64_json", None)
"""Values of `response_format`; `None` where it is left out."""
Outcomes = tuple[str, str, str]


def either(image: str) -> Outcomes:
    """A model that answers as it is asked to, and by address if it is not asked."""
    return f"{image} by address", f"{image} in base64", f"{image} by address"


def in_base64(outcome: str, *, image: bool = True) -> Outcomes:
    """A model that refuses `response_format`, and always answers in base64."""
    refused = "400 unknown_parameter (response_format)"
    return refused, refused, f"{outcome} in base64" if image else outcome


def never(error: str) -> Outcomes:
    return f"400 {error}", f"400 {error}", f"400 {error}"


TABLE: dict[tuple[str, str, str | None], Outcomes] = {
    ("qh-draw-x2-preview", "96x64", None): either("WEBP 96x64"),
    ("qh-draw-x2-preview", "1024x1024", None): either("WEBP 1024x1024"),
    ("qh-draw-x1-pro", "96x64", None): either("WEBP 96x64"),
    ("qh-draw-x1-pro", "1024x1024", None): either("WEBP 1024x1024"),
    ("dall-e-3", "96x64", None): either("PNG 96x64"),
    ("dall-e-3", "1024x1024", None): either("PNG 1024x1024"),
    ("即梦4.0", "96x64", None): either("WEBP 96x64"),
    ("即梦4.0", "1024x1024", None): either("WEBP 1024x1024"),
    ("nano-banana-2", "96x64", None): either("WEBP 96x64"),
    ("nano-banana-2", "1024x1024", None): either("WEBP 1024x1024"),
    ("gpt-image-1", "1024x1024", None): in_base64("PNG 1024x1024"),
    ("gpt-image-1", "1280x720", None): in_base64("400 invalid_value (size)", image=False),
    ("gpt-image-1", "auto", None): in_base64("PNG 1024x1024"),
    ("gpt-image-1", "2K", None): in_base64("400 invalid_value (size)", image=False),
    ("gpt-image-2", "1024x1024", None): in_base64("PNG 1024x1024"),
    ("gpt-image-2", "1280x720", None): in_base64("PNG 1280x720"),
    ("gpt-image-2", "auto", None): in_base64("PNG 1024x1024"),
    ("gpt-image-2", "2K", None): in_base64("400 invalid_value (size)", image=False),
    ("gpt-image-2.5", "1024x1024", None): in_base64("PNG 1024x1024"),
    ("gpt-image-2.5", "1280x720", None): in_base64("PNG 1280x720"),
    ("gpt-image-2.5", "auto", None): in_base64("PNG 1024x1024"),
    ("gpt-image-2.5", "2K", None): in_base64("400 invalid_value (size)", image=False),
    ("doubao-seedream-4-0-250828", "1024x1024", None): either("JPEG 1024x1024"),
    ("doubao-seedream-4-0-250828", "1280x720", None): either("JPEG 1280x720"),
    ("doubao-seedream-4-0-250828", "auto", None): never("invalid_value (size)"),
    ("doubao-seedream-4-0-250828", "2K", None): either("JPEG 2048x2048"),
    ("doubao-seedream-5-0", "1024x1024", None): never("invalid_value (size)"),
    ("doubao-seedream-5-0", "1280x720", None): never("invalid_value (size)"),
    ("doubao-seedream-5-0", "auto", None): never("invalid_value (size)"),
    ("doubao-seedream-5-0", "2K", None): either("JPEG 2048x2048"),
    ("gpt-image-2", "1024x1024", "png"): in_base64("PNG 1024x1024"),
    ("gpt-image-2", "1024x1024", "webp"): in_base64("WEBP 1024x1024"),
    ("gpt-image-2", "1024x1024", "jpeg"): in_base64("JPEG 1024x1024"),
    ("gpt-image-2", "1024x1024", "gif"): in_base64("400 invalid_value (output_format)", image=False),
    ("doubao-seedream-5-0", "2K", "png"): either("PNG 2048x2048"),
    ("doubao-seedream-4-0-250828", "2K", "png"): never("unknown_parameter (output_format)"),
    ("dall-e-3", "96x64", "png"): never("unknown_parameter (output_format)"),
    ("qh-draw-x2-preview", "96x64", "png"): either("WEBP 96x64"),
}
"""Model, size and `output_format` -> what both clients get for each of `ANSWERS`."""


@pytest.fixture(scope="module")
def server() -> Iterator[Sandbox]:
    with Sandbox(api_key=KEY) as running:
        yield running


@pytest.fixture(scope="module")
def official(server: Sandbox) -> Iterator[openai.OpenAI]:
    with openai.OpenAI(base_url=server.base_url, api_key=KEY, max_retries=0, timeout=60) as opened:
        yield opened


def bytes_of(answer: Any) -> tuple[bytes, str]:
    """Return the bytes of an answer's one image, and how it came."""
    (entry,) = answer.data
    if entry.url is None:
        return base64.b64decode(entry.b64_json, validate=True), "in base64"
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with opener.open(entry.url, timeout=30) as response:
        return bytes(response.read()), "by address"


def described(data: bytes) -> str:
    with Image.open(io.BytesIO(data)) as image:
        return f"{image.format} {image.width}x{image.height}"


def by_official(client: openai.OpenAI, **fields: Any) -> tuple[str, bytes | str]:
    """Return what the official client gets: in words, and the image's bytes or the error's message."""
    try:
        data, how = bytes_of(client.images.generate(**fields))
    except openai.APIStatusError as error:
        body: Any = error.body
        return f"{error.status_code} {error.code} ({error.param})", body["message"]
    return f"{described(data)} {how}", data


def by_ours(project: Project, server: Sandbox, answer: str | None, images: dict[str, Any]) -> dict[str, bytes | str]:
    """Return what a build gets, by the image's name: its bytes, or the words of the warnings."""
    project.options |= {"base_url": server.base_url, "response_format": answer or "none", "max_new_images": 100}
    project.options |= {"timeout": 120, "missing": "generate"}
    project.page("index.md", "# T", qhaigc=images)
    built = project.build()
    assert built.code == 0, built.output
    saved: dict[str, bytes | str] = {}
    for path in (project.cache / "originals").glob("*.json"):
        name, _, _ = path.stem.rpartition("-")
        stored = next(other for other in path.parent.glob(f"{path.stem}.*") if other != path)
        saved[name] = stored.read_bytes()
    return {name: saved.get(name, "\n".join(built.warnings)) for name in images}


@pytest.mark.parametrize("answer", ANSWERS)
def test_both_clients_get_the_same(
    project: Project, server: Sandbox, official: openai.OpenAI, answer: str | None
) -> None:
    images: dict[str, Any] = {}
    found: dict[str, tuple[str, bytes | str]] = {}
    for number, (model, size, format_) in enumerate(TABLE):
        params = {"output_format": format_} if format_ else {}
        images[f"i{number}"] = {"prompt": "Fog", "model": model, "size": size, "params": params, "alt": ""}
        asked = {"response_format": answer} if answer else {}
        outcome = by_official(official, model=model, prompt="Fog", size=size, **asked, **params)
        assert outcome[0] == TABLE[model, size, format_][ANSWERS.index(answer)], (model, size, format_, outcome)
        if answer and "(response_format)" in outcome[0]:  # ours asks again without it, as the error says
            outcome = by_official(official, model=model, prompt="Fog", size=size, **params)
        found[f"i{number}"] = outcome
    ours = by_ours(project, server, answer, images)
    for (name, (_, theirs)), row in zip(found.items(), TABLE, strict=True):
        if isinstance(theirs, bytes):
            assert ours[name] == theirs, (row, ours[name][:300])
        else:
            said = ours[name]
            assert isinstance(said, str), row
            assert re.escape(theirs.rstrip(".")) in re.escape(said), (row, theirs, said)


def test_an_image_with_two_references_is_the_same_by_both_clients(
    project: Project, server: Sandbox, official: openai.OpenAI
) -> None:
    look, palette = draw("a look", 96, 64), draw("a palette", 64, 96)
    project.write("docs/look.png", look)
    project.write("docs/palette.png", palette)
    files = [("look.png", look, "image/png"), ("palette.png", palette, "image/png")]
    answer = official.images.edit(model="gpt-image-2", prompt="Fog", size="1024x1024", image=files)
    theirs, how = bytes_of(answer)
    assert (described(theirs), how) == ("PNG 1024x1024", "in base64")
    alone, _ = bytes_of(official.images.generate(model="gpt-image-2", prompt="Fog", size="1024x1024"))
    assert alone != theirs
    hero = {"prompt": "Fog", "model": "gpt-image-2", "size": "1024x1024", "references": ["look.png", "palette.png"]}
    project.options["references_by"] = "edits"
    ours = by_ours(project, server, None, {"hero": {**hero, "alt": ""}})
    assert ours["hero"] == theirs
    assert answer.usage is not None
    record = next((project.cache / "originals").glob("hero-*.json"))
    counted = json.loads(record.read_bytes())["usage"]
    assert counted["input_tokens_details"]["image_tokens"] == answer.usage.input_tokens_details.image_tokens > 0


def test_streams_are_refused_in_words(official: openai.OpenAI) -> None:
    for model in ("gpt-image-2", "doubao-seedream-4-0-250828"):
        with pytest.raises(openai.BadRequestError, match="sends no event streams") as caught:
            official.images.generate(model=model, prompt="Fog", size="1280x720", stream=True)
        assert caught.value.param == "stream"


def test_the_official_client_s_errors_are_of_the_right_kind(server: Sandbox, official: openai.OpenAI) -> None:
    with pytest.raises(openai.BadRequestError) as refused:
        official.images.generate(model="dall-e-3", prompt="[refuse]", size="1024x1024")
    assert refused.value.code == "content_policy_violation"
    with pytest.raises(openai.NotFoundError):
        official.models.retrieve("no-such-model")
    with (
        openai.OpenAI(base_url=server.base_url, api_key="another", max_retries=0) as stranger,
        pytest.raises(openai.AuthenticationError),
    ):
        stranger.images.generate(model="dall-e-3", prompt="Fog", size="1024x1024")
    assert "dall-e-3" in [model.id for model in official.models.list()]
