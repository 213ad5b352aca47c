"""The body of a call: JSON, or a form that is the same on every machine."""

from __future__ import annotations

import base64
import json
from email.parser import BytesParser
from email.policy import HTTP
from typing import Any

import pytest

from mkdocs_qhaigc.api.request_body import Body, SentImage, build_body, request_fields
from mkdocs_qhaigc.directives.request import ImageRequest

PNG = SentImage(b"\x89PNG\r\n\x1a\n\r\n--\r\n\x00\xff", "png")
JPEG = SentImage(b"\xff\xd8\xff\r\n", "jpeg")
FIELDS = {"model": "gpt-image-2", "prompt": "Füchse\r\nlesen", "n": 2, "quality": "high", "deep": {"a": [1, None]}}


def parts(body: Body) -> list[tuple[str, str | None, str, bytes]]:
    """Name, file, media type and content of each part, as the standard library's parser of mails reads them."""
    head = f"MIME-Version: 1.0\r\nContent-Type: {body.media_type}\r\n\r\n".encode()
    form = BytesParser(policy=HTTP).parsebytes(head + body.content)
    assert form.defects == []
    found = []
    for part in form.iter_parts():
        content = part.get_payload(decode=True)
        assert isinstance(content, bytes)
        name = part.get_param("name", header="Content-Disposition")
        found.append((str(name), part.get_filename(), part.get_content_type(), content))
    return found


def test_the_fields_are_those_of_the_request_and_its_params() -> None:
    request = ImageRequest("m", "p", "64x64", params={"seed": 7})

    assert request_fields(request, n=2, response_format="url") == {
        "model": "m",
        "prompt": "p",
        "size": "64x64",
        "n": 2,
        "response_format": "url",
        "seed": 7,
    }
    assert "response_format" not in request_fields(request, n=1, response_format="none")


@pytest.mark.parametrize("by", ["json", "edits"])
def test_a_call_without_reference_images_is_json_for_generations(by: Any) -> None:
    body = build_body(FIELDS, by=by)

    assert (body.path, body.media_type) == ("/images/generations", "application/json")
    assert json.loads(body.content) == FIELDS


@pytest.mark.parametrize("images", [[PNG], [PNG, JPEG]])
def test_json_has_one_data_url_or_a_list_of_them(images: list[SentImage]) -> None:
    body = build_body(FIELDS, images, "json")
    urls = [f"data:image/{one.format};base64,{base64.b64encode(one.data).decode()}" for one in images]

    assert body.path == "/images/generations"
    assert json.loads(body.content) == {**FIELDS, "image": urls if len(urls) > 1 else urls[0]}


def test_a_form_has_the_fields_as_texts_and_the_images_as_files() -> None:
    body = build_body(FIELDS, [PNG, JPEG], "edits")

    assert body.path == "/images/edits"
    assert parts(body) == [
        ("model", None, "text/plain", b"gpt-image-2"),
        ("prompt", None, "text/plain", "Füchse\r\nlesen".encode()),
        ("n", None, "text/plain", b"2"),
        ("quality", None, "text/plain", b"high"),
        ("deep", None, "text/plain", b'{"a": [1, null]}'),
        ("image[]", "reference-1.png", "image/png", PNG.data),
        ("image[]", "reference-2.jpg", "image/jpeg", JPEG.data),
    ]


def test_a_form_is_the_same_each_time_and_another_one_has_another_boundary() -> None:
    first, again = (build_body(FIELDS, [PNG, JPEG], "edits") for _ in range(2))

    assert first == again
    others = [build_body(FIELDS, [JPEG, PNG], "edits"), build_body({**FIELDS, "n": 1}, [PNG, JPEG], "edits")]
    assert len({first.media_type, *(other.media_type for other in others)}) == 3


def test_a_name_with_quotes_and_line_breaks_stays_within_its_header() -> None:
    body = build_body({'a"\r\nX-Evil: 1': "x"}, [PNG], "edits")

    assert b'name="a%22%0D%0AX-Evil: 1"\r\n' in body.content
