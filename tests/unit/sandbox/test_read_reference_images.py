"""Reference images at the sandbox: by the official client, in JSON, and what it refuses of both."""

from __future__ import annotations

import base64
import hashlib
import io
from typing import Any

import httpx
import openai
import pytest
from PIL import Image, ImageChops, ImageStat

from mkdocs_qhaigc.sandbox import Sandbox
from mkdocs_qhaigc.sandbox.drawing.draw import draw_image

FIELDS: dict[str, Any] = {"model": "gpt-image-2", "prompt": "A lighthouse in fog", "size": "96x64"}
ARK: dict[str, Any] = {**FIELDS, "model": "doubao-seedream-4-0-250828", "size": "1280x720"}
RELAY: dict[str, Any] = {**FIELDS, "model": "of-a-relay"}


def square(colour: str, *, size: tuple[int, int] = (32, 32), format: str = "PNG") -> bytes:
    target = io.BytesIO()
    Image.new("RGB", size, colour).save(target, format)
    return target.getvalue()


RED, TEAL = square("#c02010"), square("#108080")


def url(data: bytes, media_type: str = "image/png") -> str:
    return f"data:{media_type};base64,{base64.b64encode(data).decode()}"


def edit(client: httpx.Client, files: list[tuple[str, Any]], **fields: Any) -> httpx.Response:
    return client.post("/images/edits", data=FIELDS | fields, files=files)


def drawing(client: httpx.Client, response: httpx.Response) -> Image.Image:
    assert response.status_code == 200, response.text
    [entry] = response.json()["data"]
    data = base64.b64decode(entry["b64_json"]) if "b64_json" in entry else client.get(entry["url"]).content
    image: Image.Image = Image.open(io.BytesIO(data)).convert("RGB")
    return image


def difference(one: Image.Image, other: Image.Image) -> float:
    return sum(ImageStat.Stat(ImageChops.difference(one, other)).mean)


def test_the_official_client_edits_with_two_references(server: Sandbox) -> None:
    with openai.OpenAI(base_url=server.base_url, api_key="any-key", max_retries=0, timeout=20) as official:
        files = [("fox.png", RED, "image/png"), ("bear.png", TEAL, "image/png")]
        answer = official.images.edit(image=files, n=2, **FIELDS)
        single = official.images.edit(image=("fox.png", RED, "image/png"), **FIELDS)
    assert answer.data is not None
    assert single.data is not None
    assert (len(answer.data), len(single.data)) == (2, 1)
    first, second = server.received[-2:]
    digests = [f"sha256:{hashlib.sha256(data).hexdigest()}" for data in (RED, TEAL)]
    assert (first.path, first.status) == ("/sandbox/v1/images/edits", 200)
    assert first.body == {**FIELDS, "n": 2, "image[]": digests}
    assert second.body == {**FIELDS, "image[]": digests[:1]}


def test_both_transports_draw_in_the_colours_of_the_reference(client: httpx.Client) -> None:
    by_form = drawing(client, edit(client, [("image[]", ("a.png", RED, "image/png"))], model=RELAY["model"]))
    by_json = drawing(client, client.post("/images/generations", json={**RELAY, "image": url(RED)}))
    in_teal = drawing(client, client.post("/images/generations", json={**RELAY, "image": [url(TEAL)]}))
    without = drawing(client, client.post("/images/generations", json=RELAY))

    red, _, blue = ImageStat.Stat(by_form).mean
    assert red > 2 * blue
    assert difference(by_form, by_json) == 0
    assert difference(by_json, in_teal) > 50
    assert difference(by_json, without) > 20


def test_two_references_give_another_drawing_than_one(client: httpx.Client) -> None:
    both, one = (
        drawing(client, client.post("/images/generations", json={**RELAY, "image": images}))
        for images in ([url(RED), url(TEAL)], [url(RED)])
    )

    assert difference(both, one) > 20


def test_a_drawing_after_any_image_is_the_same_each_time() -> None:
    references = [square("#123456", format="JPEG"), square("#fedcba", format="WEBP")]
    first, again = (draw_image("Fog", width=64, height=48, label="x", references=references) for _ in range(2))

    assert first == again


@pytest.mark.parametrize(
    ("files", "fields", "words"),
    [
        ([("image[]", ("a.png", RED, "image/jpeg"))], {}, "its media type is image/jpeg, and it is image/png"),
        ([("image[]", ("a.png", b"no image", "image/png"))], {}, "cannot be decoded"),
        ([("image[]", ("a.gif", square("red", format="GIF"), "image/gif"))], {}, "cannot be decoded"),
        ([("image", ("a.png", RED, "image/png"))] * 2, {}, "one file `image`"),
        ([("image[]", ("a.png", RED, "image/png"))] * 17, {}, "up to 16 files"),
        ([("image[]", ("a.png", square("red", size=(8, 8)), "image/png"))], {}, "8x8 pixels"),
        ([("images", ("a.png", RED, "image/png"))], {}, "Unknown parameter: 'images'"),
        ([("image[]", ("a.png", RED, "image/png"))], {"watermark": "x"}, "Unknown parameter: 'watermark'"),
        ([("image[]", ("a.png", RED, "image/png"))], {"n": "two"}, "Invalid 'n'"),
        ([("image[]", ("a.png", RED, "image/png"))], {"model": "dall-e-3"}, "does not support image edits"),
        ([("image[]", ("a.png", RED, "image/png"))], {"model": ARK["model"]}, "does not support image edits"),
        ([("other", (None, b"x"))], {}, "Missing required parameter: 'image'"),
    ],
)
def test_a_form_that_the_service_would_not_take_is_refused(
    client: httpx.Client, files: list[tuple[str, Any]], fields: dict[str, Any], words: str
) -> None:
    response = edit(client, files, **fields)

    assert (response.status_code, words in response.json()["error"]["message"]) == (400, True), response.text


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"image": "https://example.com/fox.png"}, "fetches no addresses"),
        ({"image": url(RED).upper()}, "expected data:image/png"),
        ({"image": url(RED, "image/jpeg")}, "its media type is image/jpeg, and it is image/png"),
        ({"image": "data:image/png;base64,AAA"}, "cannot be decoded"),
        ({"image": []}, "expected 1 to 14 images"),
        ({"image": [url(RED)] * 15}, "expected 1 to 14 images"),
        ({"image": [3]}, "expected data:image/png"),
        ({"image": url(RED), "model": "gpt-image-2"}, "Unknown parameter: 'image'"),
        ({"image": url(RED), "model": "dall-e-3"}, "Unknown parameter: 'image'"),
    ],
)
def test_json_that_the_service_would_not_take_is_refused(
    client: httpx.Client, fields: dict[str, Any], words: str
) -> None:
    response = client.post("/images/generations", json=ARK | fields)

    assert (response.status_code, words in response.json()["error"]["message"]) == (400, True), response.text


FORM = b'--b\r\nContent-Disposition: form-data; name="prompt"\r\n\r\nFog\r\n--b--\r\n'


@pytest.mark.parametrize(
    ("media_type", "body", "words"),
    [
        ("application/json", b"{}", "only accepts 'multipart/form-data'"),
        ("multipart/form-data", FORM, "no boundary"),
        ("multipart/form-data; boundary=b", b"", "begin and end"),
        ("multipart/form-data; boundary=b", FORM[:-6], "begin and end"),
        ("multipart/form-data; boundary=b", b"preamble\r\n" + FORM, "begin and end"),
        ("multipart/form-data; boundary=b", FORM.replace(b"--b\r\n", b"--bc\r\n", 1), "not the whole of its line"),
        ("multipart/form-data; boundary=b", FORM.replace(b"\r\n\r\nFog", b"\r\nFog"), "no headers that end"),
        ("multipart/form-data; boundary=b", FORM.replace(b"; name", b"; nom"), "Content-Disposition"),
        ("multipart/form-data; boundary=b", FORM.replace(b'"prompt"', b'"\xff"'), "UTF-8"),
        (
            "multipart/form-data; boundary=b",
            FORM.replace(b"\r\n\r\nFog", b"\r\nContent-Transfer-Encoding: base64\r\n\r\nFog"),
            "Content-Transfer-Encoding",
        ),
        ("multipart/form-data; boundary=b", FORM[:-7] + FORM, "Duplicate parameter: 'prompt'"),
        ("multipart/form-data; boundary=b", FORM[:-7] + FORM.replace(b"Fog", b"\xff"), "Duplicate parameter"),
        ("multipart/form-data; boundary=b", FORM.replace(b"Fog", b"\xff"), "Invalid 'prompt': expected text"),
    ],
)
def test_what_is_no_form_gets_a_plain_answer(client: httpx.Client, media_type: str, body: bytes, words: str) -> None:
    response = client.post("/images/edits", content=body, headers={"Content-Type": media_type})

    assert (response.status_code, words in response.json()["error"]["message"]) == (400, True), response.text


def test_an_image_of_many_mebibytes_is_taken_and_one_that_is_too_large_is_not(client: httpx.Client) -> None:
    large = RED + bytes(9 << 20)  # behind the end of the image
    too_large = RED + bytes(10 << 20)

    assert client.post("/images/generations", json={**ARK, "image": url(large)}).status_code == 200
    assert client.post("/images/generations", json={**ARK, "image": url(too_large)}).status_code == 413
