"""What servers that call themselves OpenAI-compatible answer, as FACTS has seen it, and whatever else they may."""

from __future__ import annotations

import base64
import gzip
import json
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from mkdocs_qhaigc.api.response import (
    LARGEST_BODY,
    Answer,
    is_error,
    is_whole,
    read_answers,
    read_error,
    shared_usage,
    unpacked,
)
from mkdocs_qhaigc.errors import ApiError, GenerationStopped, PromptRejected, QhaigcError

BASE_URL = "https://api.qhaigc.net/v1"
IMAGE = b"\x89PNG\r\n\x1a\nnot really"
BASE64 = base64.b64encode(IMAGE).decode()
HOSTED = "https://img.example.com/a.webp?sig=x"


def read(answer: object, *, status: int = 200, media_type: str = "application/json") -> list[Answer]:
    body = answer if isinstance(answer, bytes) else json.dumps(answer).encode()
    return read_answers(body, status=status, media_type=media_type, base_url=BASE_URL)


def read_one(entry: object) -> Answer:
    (answer,) = read({"created": 1700000000, "data": [entry]})
    return answer


@pytest.mark.parametrize(
    "entry",
    [
        {"url": HOSTED},
        {"url": HOSTED, "b64_json": None},
        {"url": HOSTED, "b64_json": ""},
        {"url": f" {HOSTED}\n"},
        {"url": HOSTED, "revised_prompt": None},
        {"url": HOSTED, "b64_json": "<omitted>"},
        {"b64_json": HOSTED},
        HOSTED,
    ],
)
def test_a_hosted_image_is_where_its_address_says(entry: object) -> None:
    assert read_one(entry) == Answer(None, HOSTED, None)


@pytest.mark.parametrize(
    "entry",
    [
        {"b64_json": BASE64},
        {"b64_json": BASE64, "url": None},
        {"b64_json": BASE64, "url": ""},
        {"b64_json": BASE64, "url": HOSTED},
        {"b64_json": f"data:image/png;base64,{BASE64}"},
        {"b64_json": "\n".join(BASE64)},
        {"url": BASE64},
        {"url": BASE64, "b64_json": "<omitted>"},
        BASE64,
        {"url": f"data:image/png;base64,{BASE64}"},
        {"url": f"DATA:image/png;BASE64,{BASE64}"},
        {"url": "data:image/png,%89PNG%0D%0A%1A%0Anot%20really"},
    ],
)
def test_an_embedded_image_is_decoded_whichever_was_asked_for(entry: object) -> None:
    assert read_one(entry) == Answer(IMAGE, "", None)


@pytest.mark.parametrize(
    ("url", "absolute"),
    [
        ("/files/a.webp", "https://api.qhaigc.net/files/a.webp"),
        ("files/a.webp", "https://api.qhaigc.net/v1/files/a.webp"),
        ("//cdn.example.com/a.webp", "https://cdn.example.com/a.webp"),
        ("HTTP://127.0.0.1:8080/a.webp", "HTTP://127.0.0.1:8080/a.webp"),
        ("https://example.com/图.webp", "https://example.com/图.webp"),
    ],
)
def test_an_address_that_is_not_absolute_is_joined_with_the_api_s(url: str, absolute: str) -> None:
    assert read_one({"url": url}).url.lower() == absolute.lower()


IN_JSON = json.dumps({"data": [{"url": HOSTED}]})
WORDS = '{"data": [{"url": "%s", "revised_prompt": "%s"}]}'


@pytest.mark.parametrize(
    "answer",
    [
        {"data": {"url": HOSTED}},
        {"data": HOSTED},
        {"images": [{"url": HOSTED}]},
        {"images": [HOSTED]},
        {"code": 200, "data": {"images": [{"url": HOSTED}]}},
        {"code": 200, "data": {"created": 1, "data": [{"url": HOSTED}]}},
        {"error": {"code": 0, "message": "success"}, "data": [{"url": HOSTED}]},
        f"data: {IN_JSON}\n\ndata: [DONE]\n\n".encode(),
        f'event: start\ndata: {{"data": []}}\n\nevent: end\r\ndata: {IN_JSON}\r\n\r\n'.encode(),
        f": ping\n\ndata: {IN_JSON}\n\n".encode(),
        f'data: {{"type": "image_generation.partial_image", "b64_json": "{BASE64}"}}\n\n'
        f'data: {{"type": "image_generation.completed", "url": "{HOSTED}"}}\n\n'.encode(),
        f'data: {{"type": "x.partial_succeeded", "url": "{HOSTED}"}}\n\ndata: {{"type": "x.completed"}}'.encode(),
        f'data: {{"type": "x.partial_succeeded", "url": "{HOSTED}"}}\n\ndata: {{"type": "x.comp'.encode(),
        {"output": [HOSTED]},
        {"output": HOSTED, "status": "succeeded", "id": "x"},
        {"output": {"task_id": "t", "results": [{"url": HOSTED}]}},
        {"data": {"image_urls": [HOSTED]}},
        {"data": [{"image_url": {"url": HOSTED}}]},
        {"data": [{"id": "x"}], "images": [HOSTED]},
        {"choices": [{"message": {"content": f"Done: ![a]({HOSTED})"}}]},
        {"choices": [{"message": {"content": [{"type": "image_url", "image_url": {"url": HOSTED}}]}}]},
        b"\xef\xbb\xbf" + IN_JSON.encode(),
        IN_JSON.encode("utf-16"),
    ],
)
def test_an_image_is_found_wherever_a_server_puts_it(answer: object) -> None:
    assert [one.url for one in read(answer)] == [HOSTED]


CHUNK = '{"choices": [{"delta": %s}]}'


@pytest.mark.parametrize(
    "answer",
    [
        # in places of their own
        {"image": {"url": HOSTED, "content_type": "image/png"}, "seed": 1},  # fal
        {"result": {"image": HOSTED}, "success": True, "errors": [], "messages": []},  # Cloudflare
        {"result": {"data": [{"url": HOSTED}]}},
        {"response": {"data": [{"url": HOSTED}]}},
        {"imageUrl": HOSTED, "status": "SUCCESS"},  # proxies of Midjourney
        {"data": [{"taskType": "imageInference", "imageURL": HOSTED}]},  # Runware
        {"data": {"sub_task_result_list": [{"final_image_list": [{"img_url": HOSTED}]}]}},  # Baidu
        {"Response": {"ResultImage": HOSTED, "RequestId": "x"}},  # Hunyuan
        {"outputs": [{"url": HOSTED}]},
        {"output_url": HOSTED, "status": "ok"},
        {"data": [{"url": [HOSTED]}]},
        {"data": {"url": [HOSTED]}},
        {"data": [[{"url": HOSTED}]]},
        {"images": {"0": {"src": HOSTED}}},
        {"data": {"state": "success", "resultJson": json.dumps({"resultUrls": [HOSTED]})}},  # Kie
        [{"url": HOSTED}],
        [HOSTED],
        {"result": {"url": HOSTED}, "input": {"image": "https://x.example/in.png"}, "status_url": "https://x.example/"},
        {"preview_url": "https://x.example/p.png", "webhook": "https://x.example/", "result": {"url": HOSTED}},
        # in the words of a chat
        {"choices": [{"message": {"content": f'<p><img alt="" src="{HOSTED}"></p>'}}]},
        {"choices": [{"message": {"content": f"[It]({HOSTED}), as you wished: https://x.example/help"}}]},
        {"choices": [{"message": {"content": f"Your image: {HOSTED}"}}]},
        {"choices": [{"message": {"content": f" {HOSTED} "}}]},
        f"data: {CHUNK % json.dumps({'content': '![it]('})}\n\n"
        f"data: {CHUNK % json.dumps({'content': HOSTED})}\n\ndata: {CHUNK % json.dumps({'content': ')'})}\n\n"
        'data: {"choices": []}\n\ndata: [DONE]\n\n'.encode(),
        {"choices": [{"message": {"content": f"![It]({HOSTED}) [Download](https://x.example/a.png)"}}]},
        {
            "choices": [
                {
                    "message": {
                        "content": "As in https://x.example/harbor.jpg",
                        "images": [{"type": "image_url", "image_url": {"url": HOSTED}}],
                    }
                }
            ]
        },
        {"choices": [{"message": {"content": [{"type": "reasoning"}, {"type": "text", "text": f"![It]({HOSTED})"}]}}]},
        # several objects, or something behind one
        f'{{"completed": 1, "total": 4}}\n{{"url": "{HOSTED}", "done": true}}\n'.encode(),
        IN_JSON.encode() * 2,
        IN_JSON,
        f"{IN_JSON}\n<!-- served in 3 s -->".encode(),
        f" \n : waiting\n\ndata: {IN_JSON}\n\n".encode(),
    ],
)
def test_what_was_paid_for_is_found_in_forms_that_nobody_has_written_down(answer: object) -> None:
    assert [one.url for one in read(answer)] == [HOSTED]


@pytest.mark.parametrize(
    "answer",
    [
        {"image": BASE64, "finish_reason": "SUCCESS", "seed": 1},  # Stability
        {"model": "x", "image": BASE64, "done": True},  # Ollama
        {"data": [{"b64_image": BASE64}]},  # Baidu
        {
            "data": {"binary_data_base64": [BASE64], "image_urls": None},
            "code": 10000,
            "message": "Success",
        },  # Volcengine
        {"data": {"image_base64": [BASE64]}, "base_resp": {"status_code": 0, "status_msg": "success"}},  # MiniMax
        {"images": [{"image_file": BASE64, "image_type": "png"}]},  # Novita
        {"candidates": [{"content": {"parts": [{"text": "It:"}, {"inlineData": {"data": BASE64}}]}}]},  # Google
        {"generatedImages": [{"image": {"imageBytes": BASE64}}]},
        {"choices": [{"message": {"content": f"data:image/png;base64,{BASE64}"}}]},
        {"choices": [{"message": {"content": [{"type": "image", "inline_data": {"data": BASE64}}]}}]},
        f"data: {CHUNK % json.dumps({'images': [{'image_url': {'url': f'data:image/png;base64,{BASE64}'}}]})}\n\n"
        f"data: {CHUNK % json.dumps({'content': 'There.'})}\n\ndata: [DONE]\n\n".encode(),
    ],
)
def test_what_begins_as_an_image_is_one_under_any_name(answer: object) -> None:
    assert [one.data for one in read(answer)] == [IMAGE]


@pytest.mark.parametrize(
    "answer",
    [
        {"code": -1, "message": "no", "help_link": "https://x.example/help"},
        {"success": False, "message": "no", "image": "https://x.example/no.png"},
        {"input": {"image": f"data:image/png;base64,{BASE64}"}, "message": "no"},
        {"reference_images": [HOSTED], "message": "no"},
        {"choices": [{"message": {"content": "no: see https://x.example/help and https://x.example/a.png.html"}}]},
        {"title": HOSTED},
        {"message": "no credits", "recharge_url": "https://x.example/pay", "user": {"avatar_image": HOSTED}},
        {"parameters": {"image": f"data:image/png;base64,{BASE64}"}, "source_image": HOSTED, "message": "no"},
    ],
)
def test_what_is_no_image_of_the_answer_is_not_taken_for_one(answer: object) -> None:
    with pytest.raises(ApiError):
        read(answer)


def test_an_address_that_ends_as_an_image_is_one_under_any_name_of_an_address() -> None:
    assert [one.url for one in read({"resources": {"signed_url": HOSTED, "page_url": "https://x.example/7"}})] == [
        HOSTED
    ]


def test_an_error_between_the_pieces_of_a_chat_is_the_error_of_the_answer() -> None:
    pieces = CHUNK % json.dumps({"content": "It"}), '{"error": {"message": "Out of memory"}}', '{"usage": {}}'
    with pytest.raises(ApiError, match="Out of memory"):
        read("".join(f"data: {piece}\n\n" for piece in pieces).encode())


def test_an_address_that_comes_twice_is_one_image() -> None:
    assert [one.url for one in read({"x": [{"image_url": HOSTED, "download_url": HOSTED}]})] == [HOSTED]


def test_an_echoed_image_does_not_come_before_that_of_the_answer() -> None:
    answer = {"params": {"image": "https://x.example/in.png"}, "files": [{"image": HOSTED}]}
    assert [one.url for one in read(answer)] == [HOSTED]


@pytest.mark.parametrize(
    "answer",
    [
        {"status": "success", "data": [{"task_id": "t", "detail_link": "https://x.example/tasks/t"}]},
        {"status": "success", "task_id": "t", "web_url": "https://x.example/tasks/t"},
    ],
)
def test_the_page_of_an_ordered_task_is_not_taken_for_its_image(answer: object) -> None:
    (found,) = read(answer)
    assert found.task
    assert found.task.id == "t"


@pytest.mark.parametrize(
    ("body", "revised"),
    [
        (WORDS % (HOSTED, "A tower.\nAt dusk."), "A tower.\nAt dusk."),
        ((WORDS % (HOSTED, "灯塔")).encode("gbk"), "灯塔"),
        ((WORDS % (HOSTED, "灯塔")).encode().replace(b'\x94"', b'"'), None),
    ],
    ids=["a line break", "GBK", "cut in mid-character"],
)
def test_words_that_are_no_json_do_not_cost_the_image(body: bytes | str, revised: str | None) -> None:
    (answer,) = read(body if isinstance(body, bytes) else body.encode())
    assert answer.url == HOSTED
    assert revised is None or answer.revised_prompt == revised


@pytest.mark.parametrize(
    ("answer", "echo"),
    [
        ({"data": [{"url": HOSTED}]}, {}),
        ({"data": [{"url": HOSTED}], "size": "96x54", "quality": "low"}, {"size": "96x54", "quality": "low"}),
        ({"data": [{"url": HOSTED, "seed": 7}], "seed": 8, "background": None}, {"seed": "7"}),
        ({"data": [{"url": HOSTED, "size": ["x"], "seed": True}]}, {}),
    ],
)
def test_what_a_service_says_it_has_done_is_read(answer: object, echo: dict[str, str]) -> None:
    (one,) = read(answer)
    assert one.echo == echo


@pytest.mark.parametrize(
    ("body", "whole"),
    [
        (b'{"data": []}', True),
        (b'{"data": [', False),
        (b'data: {"type": "image_generation.partial_image", "b64_json": "x"}\n\n', False),
        (b'data: {"type": "image_generation.completed", "b64_json": "x"}\n\n', True),
        (b'data: {"type": "x.partial_succeeded", "url": "x"}\n\n', False),
        (b'data: {"type": "x.partial_succeeded", "url": "x"}\n\ndata: [DONE]\n\n', True),
        (b'data: {"data": [{"url": "x"}]}\n\n', True),
        (b'data: {"data": []}\n\n', False),
        (b'data: {"error": "no"}\n\n', True),
        (b": ping\n\n", False),
    ],
)
def test_a_stream_is_whole_when_it_has_ended(body: bytes, whole: bool) -> None:
    assert is_whole(body) is whole


def test_a_body_that_is_an_image_is_the_image() -> None:
    assert read(IMAGE, media_type="image/png") == [Answer(IMAGE, "", None)]


def test_what_gzip_is_around_is_read_and_a_bomb_is_not() -> None:
    assert unpacked(gzip.compress(b"{}")) == unpacked(b"{}") == b"{}"
    bomb = gzip.compress(bytes(LARGEST_BODY + 1))
    assert unpacked(bomb) == bomb
    assert unpacked(bomb[:9]) == b""
    assert unpacked(b"\x1f\x8bnone") == b"\x1f\x8bnone"


def test_several_images_come_in_the_server_s_order() -> None:
    answers = read({"data": [{"url": HOSTED}, {"b64_json": BASE64}, {"url": "/b"}]})

    assert [answer.data for answer in answers] == [None, IMAGE, None]


def test_an_entry_without_an_image_does_not_lose_the_others_which_are_paid_for() -> None:
    assert [answer.url for answer in read({"data": [{"error": "filtered"}, {"url": HOSTED}, None]})] == [HOSTED]


@pytest.mark.parametrize(
    ("revised", "kept"),
    [("A tower", "A tower"), (None, None), (3, None), ("half \ud83d of an emoji", "half ? of an emoji")],
)
def test_a_revised_prompt_is_kept_where_it_is_a_text(revised: object, kept: str | None) -> None:
    assert read_one({"url": HOSTED, "revised_prompt": revised}).revised_prompt == kept


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (b"", "200 with a body that is no JSON (application/json, 0 bytes)"),
        (b"<html>", "no JSON"),
        (b"\xff\xfe\x00", "no JSON"),
        (b"[" * 100_000, "no JSON"),
        ([], "JSON that is no object"),
        (b"data: [DONE]\n\n", "no JSON"),
        (gzip.compress(b"{}", mtime=0), "no JSON"),
        (None, "JSON that is no object"),
        ({}, "without an image"),
        ({"data": []}, "without an image"),
        ({"data": None}, "without an image"),
        ({"data": {"images": []}}, "neither `url` nor `b64_json`"),
        ({"data": "x"}, "neither `url` nor `b64_json`"),
        ({"data": [None]}, "no object"),
        ({"data": [{}]}, "neither `url` nor `b64_json`"),
        ({"data": [{"url": 3, "b64_json": []}]}, "neither `url` nor `b64_json`"),
        ({"data": [{"b64_json": "a"}]}, "base64 cannot be decoded"),
        ({"data": [{"b64_json": "\ud83d"}]}, "base64 cannot be decoded"),
        ({"data": [{"url": "data:image/png;base64"}]}, "without data"),
        ({"data": [{"url": "ftp://example.com/a"}]}, "not http or https"),
        ({"data": [{"url": "javascript:alert(1)"}]}, "not http or https"),
        ({"data": [{"url": "file:///etc/passwd"}]}, "not http or https"),
        ({"data": [{"url": "http:///a.webp"}]}, "address"),
        ({"data": [{"url": "http://[::1/a"}]}, "address that is none"),
        ({"data": [{"url": "http://host:port/a"}]}, "address that is none"),
        ({"data": [{"url": "http://host/\x01"}]}, "address that is none"),
        ({"data": [{"url": "http://host/\ud83d"}]}, "address that is none"),
        ({"error": {"message": "Try later", "code": "busy"}}, "200 (busy): Try later"),
        ({"error": "Try later", "data": []}, "200: Try later"),
    ],
)
def test_an_answer_without_an_image_is_an_error_that_says_what_came(answer: object, said: str) -> None:
    with pytest.raises(ApiError) as caught:
        read(answer)

    assert said in str(caught.value)
    assert HOSTED not in str(caught.value)
    assert not isinstance(caught.value, PromptRejected)


@pytest.mark.parametrize("status", [200, 202])
@pytest.mark.parametrize(
    "answer",
    [
        {},
        {"data": []},
        {"id": "x", "object": "chat.completion", "choices": [{"message": {"content": "hello"}}]},
        {"id": "x", "object": "response", "status": "in_progress", "output": []},
    ],
)
def test_an_answer_without_a_task_s_signs_is_none(status: int, answer: dict[str, object]) -> None:
    with pytest.raises(ApiError):
        read(answer, status=status)


def test_of_a_page_in_html_only_its_media_type_is_told() -> None:
    error = read_error(502, "text/html; charset=utf-8", b"<html><b>Bad gateway</b></html>")

    assert str(error) == "502: a body that is no JSON (text/html, 31 bytes)"


@pytest.mark.parametrize(
    ("status", "error", "kind"),
    [
        (400, {"code": "content_policy_violation", "message": "No"}, PromptRejected),
        (400, {"code": "moderation_blocked", "message": "No"}, PromptRejected),
        (400, {"code": None, "type": "content_policy_violation", "message": "No"}, PromptRejected),
        (400, {"code": "invalid_request", "type": "content_policy_violation", "message": "No"}, PromptRejected),
        (400, {"code": 400, "type": "moderation_blocked", "message": "No"}, PromptRejected),
        (403, {"code": "content_policy_violation", "message": "No"}, PromptRejected),
        (451, {"message": "No"}, PromptRejected),
        (200, {"code": "content_policy_violation", "message": "No"}, PromptRejected),
        (401, {"message": "No"}, GenerationStopped),
        (403, {"message": "No"}, GenerationStopped),
        (429, {"code": "insufficient_quota", "message": "No"}, GenerationStopped),
        (429, {"type": "insufficient_quota", "message": "No"}, GenerationStopped),
        (429, {"code": "429", "type": "insufficient_quota", "message": "No"}, GenerationStopped),
        (429, {"code": "rate_limit_exceeded", "type": "insufficient_quota", "message": "No"}, GenerationStopped),
        (200, {"code": "insufficient_quota", "message": "No"}, GenerationStopped),
        (429, {"code": "rate_limit_exceeded", "message": "No"}, ApiError),
        (500, {"message": "No"}, ApiError),
        (400, {"message": "No"}, ApiError),
    ],
)
def test_an_error_is_a_refusal_an_account_s_or_one_call_s(status: int, error: dict[str, Any], kind: type) -> None:
    body = json.dumps({"error": error}).encode()
    exception = read_error(status, "application/json", body).as_exception()

    assert type(exception) is kind
    assert "No" in str(exception)
    if status == 200:
        with pytest.raises(kind):
            read(body)


@pytest.mark.parametrize(
    ("body", "code", "message"),
    [
        ({"error": {"code": "busy", "type": "server", "message": "Wait"}}, "busy", "Wait"),
        ({"error": {"code": 503, "type": "server", "message": "Wait"}}, "server", "Wait"),
        ({"error": {"code": "503", "type": "server", "message": "Wait"}}, "server", "Wait"),
        ({"error": {"code": 503, "message": "Wait"}}, "", "Wait"),
        ({"error": {"msg": "Wait"}}, "", "Wait"),
        ({"error": {"message": ["Wait"], "detail": "Sleep"}}, "", "Wait"),
        ({"error": {}, "message": "Wait"}, "", "Wait"),
        ({"error": None, "message": "Wait"}, "", "Wait"),
        ({"error": "Wait"}, "", "Wait"),
        ({"code": 503, "message": "Wait"}, "", "Wait"),
        ({"detail": "Wait"}, "", "Wait"),
        ({}, "", "no reason given"),
        ("Wait", "", "Wait"),
        ({"error": {"message": "two\r\nlines\x1b[31m \ud83d"}}, "", "two lines[31m "),
        ({"error": {"message": "x" * 5000}}, "", "x" * 299 + "…"),
    ],
)
def test_a_code_is_text_and_a_message_one_line(body: object, code: str, message: str) -> None:
    error = read_error(503, "application/json", json.dumps(body).encode())

    assert (error.code, error.message) == (code, message)


@pytest.mark.parametrize(
    ("body", "code", "message", "param"),
    [
        (
            {"error": {"message": json.dumps({"error": {"code": "busy", "message": "Wait", "param": "size"}})}},
            "busy",
            "Wait",
            "size",
        ),
        (
            {
                "error": {
                    "message": "Provider returned error",
                    "code": 400,
                    "metadata": {"raw": '{"error": {"message": "No such size", "code": "bad_size"}}'},
                }
            },
            "bad_size",
            "Provider returned error; No such size",
            "",
        ),
        (
            {"message": "The data was invalid.", "errors": {"size": ["is unknown", "is large"], "n": ["is large"]}},
            "",
            "size: is unknown; is large; n: is large",
            "size",
        ),
        ({"errors": {"message": ["a", 1]}}, "", "a", ""),
    ],
    ids=["JSON in a text", "OpenRouter", "by field", "no field"],
)
def test_an_error_that_a_relay_sends_on_is_read(body: object, code: str, message: str, param: str) -> None:
    error = read_error(400, "application/json", json.dumps(body).encode())
    assert (error.code, error.message, error.param) == (code, message, param)


def test_the_field_that_a_server_does_not_know_is_told() -> None:
    body = {"error": {"code": "unknown_parameter", "param": "response_format", "message": "Unknown"}}
    error = read_error(400, "application/json", json.dumps(body).encode())

    assert error.param == "response_format"
    assert not error.refused
    assert not error.account


json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(st.characters(exclude_categories=()), max_size=20)
    | st.sampled_from([HOSTED, BASE64, "data:,\ud83d", "data:;base64,%", "//", "http://[", "\ud83d", "data:x,%f"]),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(
                ["error", "data", "images", "url", "b64_json", "code", "type", "message", "task_id", "param", "x"]
            )
            | st.text(max_size=3),
            inner,
            max_size=5,
        )
    ),
    max_leaves=15,
)
json_bodies = (json_values | st.fixed_dictionaries({"data": st.lists(json_values)})).map(
    lambda value: json.dumps(value).encode()
)


@settings(max_examples=200, deadline=None)
@given(st.binary() | json_bodies, st.sampled_from([200, 201, 202, 400, 401, 429, 451, 502, 999]), st.text())
@example(b'{"data": [{"url": "data:,\\ud83d"}]}', 200, "")
@example(b"[" * 900 + b"]" * 900, 500, "")
@example(b"9" * 5000, 500, "")
@example(b'{"data": {"data": ["data:,x", ["", 1]]}}', 200, "")
@example(b"data:", 200, "")
@example(b'\xef\xbb\xbf{"data": []}', 200, "")
def test_any_body_is_images_or_an_error_of_ours(body: bytes, status: int, media_type: str) -> None:
    assert is_error(unpacked(body)) in (True, False)
    error = read_error(status, media_type, body)
    assert isinstance(error.as_exception(), QhaigcError)
    assert len(str(error).splitlines()) <= 1
    try:
        answers = read_answers(body, status=status, media_type=media_type, base_url=BASE_URL)
    except (ApiError, GenerationStopped):
        return
    assert answers
    for answer in answers:
        assert [answer.data is None, not answer.url, answer.task is None].count(False) == 1
        if answer.url:
            assert answer.url.lower().startswith(("http://", "https://"))
            answer.url.encode()
        (answer.revised_prompt or "").encode()


@pytest.mark.parametrize(
    ("usage", "shares"),
    [
        ({"output_tokens": 10, "input_tokens": 4}, [(4, 2), (3, 1), (3, 1)]),
        ({"output_tokens": 0, "input_tokens": 1}, [(0, 1), (0, 0), (0, 0)]),
    ],
)
def test_the_shares_of_a_usage_add_up_to_the_whole(usage: dict[str, int], shares: list[tuple[int, int]]) -> None:
    found = shared_usage(usage, 3)
    assert [(one["output_tokens"], one["input_tokens"]) for one in found] == shares


@pytest.mark.parametrize(
    ("usage", "share"),
    [
        ({"generated_images": 1, "output_tokens": 4096, "total_tokens": 4096}, None),
        ({"input_tokens_details": {"text_tokens": 5, "deep": {"x": 1}}, "input_tokens": 5}, {"input_tokens": 5}),
        ({"cost": 0.5}, {"cost": 0.5}),
        ({"total_tokens": 0, "input_tokens": 0, "output_tokens": 0}, {}),  # LiteLLM's, for services that count nothing
        ({"output_tokens": "many", "input_tokens": True, "total_tokens": -1, "a b": 3, "x": None, "y": 1 << 60}, {}),
        ({"output_tokens": float("nan")}, {}),
        ("usage", {}),
        ([3], {}),
        (None, {}),
    ],
)
def test_of_a_usage_only_numbers_are_kept(usage: object, share: dict[str, Any] | None) -> None:
    (found,) = shared_usage(usage, 1)
    found.pop("input_tokens_details", None)
    assert found == (usage if share is None else share)


def test_images_that_nobody_asked_for_take_no_share() -> None:
    body = json.dumps({"data": [{"url": "https://x.example/1"}] * 3, "usage": {"output_tokens": 9}}).encode()
    answers = read_answers(body, status=200, media_type="", base_url="https://x.example", wanted=1)
    assert [answer.usage for answer in answers] == [{"output_tokens": 9}, None, None]
