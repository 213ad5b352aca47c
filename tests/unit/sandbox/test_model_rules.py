"""What the sandbox takes and answers for each family of models; and that the table of known models agrees."""

from __future__ import annotations

import base64
import io
from typing import Any

import httpx
import openai
import pytest
from PIL import Image

from mkdocs_qhaigc.directives.known_models import known_model
from mkdocs_qhaigc.sandbox import Sandbox
from mkdocs_qhaigc.sandbox.model_rules import family_of

GPT = {"model": "gpt-image-2", "prompt": "Fog", "size": "96x64"}
ARK = {"model": "doubao-seedream-4-0-250828", "prompt": "Fog", "size": "1280x720"}
DALL_E = {"model": "dall-e-3", "prompt": "Fog", "size": "96x64"}
QHAIGC = {"model": "nano-banana-2", "prompt": "Fog", "size": "96x64"}


def post(client: httpx.Client, body: dict[str, Any], **fields: Any) -> httpx.Response:
    return client.post("/images/generations", json=body | fields)


def image_of(client: httpx.Client, response: httpx.Response) -> Image.Image:
    assert response.status_code == 200, response.text
    [entry] = response.json()["data"]
    data = base64.b64decode(entry["b64_json"]) if "b64_json" in entry else client.get(entry["url"]).content
    image: Image.Image = Image.open(io.BytesIO(data))
    image.load()
    return image


@pytest.mark.slow
@pytest.mark.parametrize(
    ("body", "fields"),
    [
        (GPT, {"quality": "max", "background": "transparent", "output_format": "webp", "output_compression": 80}),
        (GPT, {"moderation": "low", "safety_identifier": "x", "user": "u", "stream": False, "background": None}),
        (GPT, {"size": "auto", "output_format": "jpeg"}),
        (GPT, {"size": "1536x864"}),
        (GPT, {"model": "gpt-image-2.5-flare-2026-09-08", "n": 2}),
        (GPT, {"model": "gpt-image-1.5", "size": "1536x1024"}),
        (ARK, {"watermark": False, "guidance_scale": 2.5, "seed": -1, "sequential_image_generation": "disabled"}),
        (ARK, {"sequential_image_generation_options": {"max_images": 1}, "optimize_prompt_options": {"mode": "fast"}}),
        (ARK, {"response_format": "b64_json", "size": "1K", "stream": False}),
        (ARK, {"model": "doubao-seedream-5-0-260128", "size": "2560x1440", "output_format": "png"}),
        (DALL_E, {"quality": "hd", "style": "vivid", "user": "u", "response_format": "b64_json"}),
        (QHAIGC, {"quality": "anything", "seed": 3, "negative_prompt": "text"}),
    ],
)
def test_a_model_s_own_fields_are_taken(client: httpx.Client, body: dict[str, Any], fields: dict[str, Any]) -> None:
    response = post(client, body, **fields)
    assert response.status_code == 200, response.text


@pytest.mark.parametrize(
    ("body", "fields", "code", "param"),
    [
        (GPT, {"response_format": "url"}, "unknown_parameter", "response_format"),
        (GPT, {"response_format": None}, "unknown_parameter", "response_format"),
        (GPT, {"seed": 1}, "unknown_parameter", "seed"),
        (GPT, {"style": "vivid"}, "unknown_parameter", "style"),
        (GPT, {"watermark": False}, "unknown_parameter", "watermark"),
        (GPT, {"quality": "hd"}, "invalid_value", "quality"),
        (GPT, {"output_format": "svg"}, "invalid_value", "output_format"),
        (GPT, {"background": "transparent", "output_format": "jpeg"}, "invalid_value", "background"),
        (GPT, {"output_compression": 101}, "invalid_value", "output_compression"),
        (GPT, {"stream": True}, "invalid_value", "stream"),
        (GPT, {"size": "1920x1080"}, "invalid_value", "size"),
        (GPT, {"size": "1600x512"}, "invalid_value", "size"),
        (GPT, {"size": "3856x2144"}, "invalid_value", "size"),
        (GPT, {"size": "2K"}, "invalid_value", "size"),
        (GPT, {"model": "gpt-image-1-mini", "size": "1280x720"}, "invalid_value", "size"),
        (ARK, {"background": "transparent"}, "unknown_parameter", "background"),
        (ARK, {"quality": "high"}, "unknown_parameter", "quality"),
        (ARK, {"output_format": "png"}, "unknown_parameter", "output_format"),
        (ARK, {"watermark": "false"}, "invalid_value", "watermark"),
        (ARK, {"guidance_scale": 11}, "invalid_value", "guidance_scale"),
        (ARK, {"sequential_image_generation": True}, "invalid_value", "sequential_image_generation"),
        (ARK, {"size": "3K"}, "invalid_value", "size"),
        (ARK, {"size": "auto"}, "invalid_value", "size"),
        (ARK, {"size": "96x64"}, "invalid_value", "size"),
        (ARK, {"n": 2}, "invalid_value", "n"),
        (ARK, {"model": "doubao-seedream-4-5-251128", "size": "1280x720"}, "invalid_value", "size"),
        (ARK, {"model": "doubao-seedream-3-0-t2i-250415", "size": "2K"}, "invalid_value", "size"),
        (DALL_E, {"background": "transparent"}, "unknown_parameter", "background"),
        (DALL_E, {"seed": 1}, "unknown_parameter", "seed"),
        (DALL_E, {"quality": "max"}, "invalid_value", "quality"),
        (QHAIGC, {"watermark": False}, "unknown_parameter", "watermark"),
        (QHAIGC, {"size": "2K"}, "invalid_value", "size"),
    ],
)
def test_what_a_model_does_not_take_is_refused_by_name(
    client: httpx.Client, body: dict[str, Any], fields: dict[str, Any], code: str, param: str
) -> None:
    response = post(client, body, **fields)
    assert response.status_code == 400, response.text
    error = response.json()["error"]
    assert (error["type"], error["code"], error["param"]) == ("invalid_request_error", code, param)


def test_gpt_image_answers_base64_with_what_it_did_and_tokens(server: Sandbox) -> None:
    with openai.OpenAI(base_url=server.base_url, api_key="any-key", max_retries=0, timeout=20) as official:
        answer = official.images.generate(
            model="gpt-image-2", prompt="Fog", size="96x64", background="transparent", quality="low"
        )
        plain = official.images.generate(model="gpt-image-2", prompt="Fog", size="auto")
    assert answer.data is not None
    assert answer.data[0].url is None
    assert (answer.size, answer.quality, answer.background, answer.output_format) == (
        "96x64",
        "low",
        "transparent",
        "png",
    )
    assert answer.usage is not None
    assert answer.usage.total_tokens == answer.usage.input_tokens + answer.usage.output_tokens
    assert answer.usage.input_tokens_details.image_tokens == 0
    assert (plain.size, plain.quality, plain.background, plain.output_format) == (
        "1024x1024",
        "high",
        "opaque",
        "png",
    )


@pytest.mark.parametrize(("format_", "pillow"), [("png", "PNG"), ("webp", "WEBP")])
def test_a_transparent_image_is_a_badge_on_no_ground(client: httpx.Client, format_: str, pillow: str) -> None:
    image = image_of(client, post(client, GPT, background="transparent", output_format=format_))
    assert (image.format, image.mode, image.size) == (pillow, "RGBA", (96, 64))
    corner, middle, strip = (image.getpixel(at) for at in ((1, 1), (48, 30), (1, 62)))
    assert isinstance(corner, tuple)
    assert isinstance(middle, tuple)
    assert isinstance(strip, tuple)
    assert (corner[3], middle[3], strip[3]) == (0, 255, 255)


def test_seedream_answers_a_jpeg_at_an_address_and_counts_images(client: httpx.Client) -> None:
    response = post(client, ARK, watermark=False)
    image = image_of(client, response)
    assert (image.format, image.size) == ("JPEG", (1280, 720))
    answer = response.json()
    assert answer["model"] == ARK["model"]
    assert answer["usage"]["generated_images"] == 1
    assert image.tobytes() != image_of(client, post(client, ARK)).tobytes()  # which has a watermark


@pytest.mark.parametrize(
    "model",
    [
        "gpt-image-1.5",
        "gpt-image-1-mini",
        "gpt-image-2",
        "gpt-image-2-2026-04-21",
        "gpt-image-2.5-sunburst",
        "gpt-image-2.6-flare",
        "doubao-seedream-3-0-t2i-250415",
        "doubao-seedream-4-0-250828",
        "doubao-seedream-4-5-251128",
        "doubao-seedream-5-0-260128",
        "seedream-6",
    ],
)
def test_the_table_of_known_models_says_what_the_sandbox_takes(model: str) -> None:
    """The two are written apart, so that one mistake is not made twice."""
    known, family = known_model(model), family_of(model)
    assert known.response_format == ("response_format" in family.fields)
    assert {word: known.pixels(word) for word in known.size_tokens} == dict(family.words)
    assert known.most_n == family.most_n
    assert known.transparent == ("background" in family.fields)
    if known.formats is not None:
        assert set(known.formats) == set(family.formats)
    for width, height in ((96, 64), (1024, 1024), (1280, 720), (1920, 1080), (2560, 1440), (512, 2048), (4096, 4096)):
        assert known.takes(f"{width}x{height}") == (not family.sizes(width, height)), (width, height)
    for ratio in ((1, 1), (16, 9), (9, 16), (4, 3), (21, 9), (4, 1), (1, 4)):
        sides = [int(side) for side in known.size_of_ratio(*ratio).split("x")]
        assert family.sizes(*sides) == ""
