"""What authors see of each kind of answer that real services give, how many calls it costs, and what is kept of it."""

from __future__ import annotations

import base64
import json
import os
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import Project
from tests.helpers.api import (
    KEY,
    Behaviour,
    Handler,
    ImagesApi,
    answer,
    by_base64,
    by_prompt,
    by_url,
    bytes_by_url,
    draw,
    error,
    hang,
    raw,
    redirect,
)
from tests.helpers.commands import answer as answer_of
from tests.helpers.commands import run
from tests.helpers.pages import elements

pytestmark = pytest.mark.slow

SVG = b'<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg"/>'
GIF = b"GIF89a\x01\x00\x01\x00\x00\x00\x00;"
LOGIN = b"<!DOCTYPE html><html><head><title>Sign in &amp; go on</title>"


def shaped(make: Callable[[str, str], Any], *, status: int = 200, media_type: str = "application/json") -> Behaviour:
    """Answer with what `make` makes of an image's address and its base64: JSON, or the text of a stream."""

    def behave(handler: Handler, body: dict[str, Any]) -> None:
        api = handler.server.api
        data = api.draw({"size": "96x54", **body})
        made = make(api.origin + api.host(data), base64.b64encode(data).decode())
        sent = made.encode() if isinstance(made, str) else json.dumps(made).encode()
        handler.send_bytes(status, sent, media_type)

    return behave


def events(*bodies: Any, before: str = "") -> str:
    """Return a stream of events."""
    return before + "".join(f"event: x\ndata: {json.dumps(body)}\n\n" for body in bodies)


CHAT = {"id": "chatcmpl-1", "object": "chat.completion", "created": 1}
IMAGES: dict[str, Behaviour] = {
    "an error beside it": shaped(lambda url, _: {"data": [{"error": {"code": "x", "message": "no"}}, {"url": url}]}),
    "predictions": shaped(lambda _, b64: {"predictions": [{"mimeType": "image/png", "bytesBase64Encoded": b64}]}),
    "artifacts": shaped(lambda _, b64: {"artifacts": [{"base64": b64, "seed": 1, "finishReason": "SUCCESS"}]}),
    "output": shaped(lambda url, _: {"id": "p1", "status": "succeeded", "output": [url]}),
    "one output": shaped(lambda url, _: {"id": "p1", "status": "succeeded", "output": url}),
    "image_urls": shaped(lambda url, _: {"data": {"image_urls": [url]}, "base_resp": {"status_code": 0}}),
    "image_url.url": shaped(lambda url, _: {"data": [{"image_url": {"url": url}}]}),
    "base64": shaped(lambda _, b64: {"data": [{"base64": b64}]}),
    "output.results": shaped(lambda url, _: {"output": {"task_status": "SUCCEEDED", "results": [{"url": url}]}}),
    "in a chat's Markdown": shaped(
        lambda url, _: {**CHAT, "choices": [{"message": {"role": "assistant", "content": f"Here: ![it]({url}) !"}}]}
    ),
    "in a chat as data": shaped(
        lambda _, b64: {**CHAT, "choices": [{"message": {"content": f"![](data:image/png;base64,{b64})"}}]}
    ),
    "on a chat's own line": shaped(lambda url, _: {**CHAT, "choices": [{"message": {"content": f"Here:\n{url}"}}]}),
    "in a form that is not known": shaped(lambda _, b64: {"result": {"image": b64}, "success": True, "errors": []}),
    "line by line": shaped(lambda _, b64: f'{{"completed": 1}}\n{json.dumps({"image": b64, "done": True})}\n'),
    "beside a chat's words": shaped(
        lambda _, b64: {
            **CHAT,
            "choices": [
                {"message": {"content": "", "images": [{"image_url": {"url": f"data:image/png;base64,{b64}"}}]}}
            ],
        }
    ),
    "a stream of previews": shaped(
        lambda _, b64: events(
            {"type": "image_generation.partial_image", "b64_json": base64.b64encode(draw("half", 96, 54)).decode()},
            {"type": "image_generation.completed", "b64_json": b64, "size": "96x54"},
        ),
        media_type="text/event-stream",
    ),
    "a stream that ends without one": shaped(
        lambda url, _: (
            events(
                {"type": "image_generation.partial_succeeded", "image_index": 0, "url": url},
                {"type": "image_generation.completed", "usage": {"generated_images": 1}},
            )
            + "data: [DONE]\n\n"
        ),
        media_type="text/event-stream",
    ),
    "a stream that begins with a comment": shaped(
        lambda url, _: events({"data": [{"url": url}]}, before=": keep-alive\n\n"), media_type="text/event-stream"
    ),
}


@dataclass(frozen=True)
class Row:
    """An answer without an image that can be used."""

    answers: Behaviour
    says: str
    """Words of the warning."""
    kept: bool = False
    """Whether it is kept for people to look at."""
    calls: int = 1


LOC = {"loc": ["body", "size"], "msg": "field required", "type": "missing"}
ROWS: dict[str, Row] = {
    # errors in all forms
    "detail-list": Row(answer(422, {"detail": [LOC]}), "422 (missing): body.size: field required. Check `size`"),
    "detail-object": Row(answer(400, {"detail": {"code": "bad", "message": "too long"}}), "400 (bad): too long"),
    "errors-object": Row(answer(400, {"errors": {"message": "too long"}}), "400: too long"),
    "errors-list": Row(answer(400, {"errors": [{"message": "a"}, {"message": "b"}]}), "400: a; b"),
    "message-object": Row(answer(400, {"error": {"message": {"message": "inner"}}}), "400: inner"),
    "list-of-one": Row(answer(400, [{"error": {"code": 400, "message": "listed", "status": "X"}}]), "400: listed"),
    "problem": Row(
        raw(
            422,
            json.dumps(
                {
                    "type": "https://stoplight.io/prism/errors#UNPROCESSABLE_ENTITY",
                    "title": "Invalid request",
                    "detail": "Your request is not valid",
                    "validation": [{"location": ["body", "size"], "message": "must be equal to", "code": "enum"}],
                }
            ).encode(),
            "application/problem+json",
        ),
        "422 (enum): body.size: must be equal to",
    ),
    "no-form": Row(answer(400, {"oops": "unheard of"}), '400: {"oops": "unheard of"}'),
    # errors with status 200
    "code-message": Row(answer(200, {"code": -1, "message": "no capacity"}), "200: no capacity"),
    "success-false": Row(answer(200, {"success": False, "message": "no room"}), "200: no room"),
    "msg": Row(answer(200, {"data": [], "msg": "no capacity"}), "200: no capacity", kept=True),
    "description": Row(answer(200, {"description": "no capacity"}), "200: no capacity", kept=True),
    "entry-error": Row(answer(200, {"data": [{"error": {"code": "busy", "message": "one"}}]}), "200 (busy): one", True),
    # chats
    "chat": Row(
        answer(200, {**CHAT, "choices": [{"message": {"content": "A lighthouse stands"}}]}),
        "there is no Images API at this address. Check `base_url`",
        kept=True,
    ),
    "id-alone": Row(answer(200, {"id": "x1", "object": "image"}), "without an image", kept=True),
    # no images, though files
    "svg": Row(bytes_by_url(SVG), "image, but an SVG drawing. What came is kept in", kept=True),
    "gif": Row(bytes_by_url(GIF), "image, but a GIF. What came is kept in", kept=True),
    "svg-itself": Row(raw(200, SVG, "image/svg+xml"), "no JSON (image/svg+xml, 62 bytes: an SVG drawing)", kept=True),
    "html-itself": Row(raw(200, LOGIN, "text/html"), "bytes: a web page titled 'Sign in & go on')", kept=True),
    "html-image": Row(bytes_by_url(LOGIN), "answered with a web page titled 'Sign in & go on'"),
    # gateways
    "524": Row(raw(524, b"<html>", "text/html"), "A gateway gave up before the image was there", calls=2),
    # refusals
    **{
        f"refusal-{code.lower().replace('.', '-').replace('_', '-')}": Row(
            answer(status, body), "the API refuses this prompt (words)"
        )
        for code, status, body in (
            (code, status, {"error": {"code": code, "message": "words"}})
            for code, status in (
                ("InputTextSensitiveContentDetected.PolicyViolation", 400),
                ("OutputImageSensitiveContentDetected", 400),
                ("data_inspection_failed", 400),
                ("1301", 400),
                ("sensitive_words_detected", 500),
                ("content_filter", 400),
            )
        )
    },
    "refusal-dashscope": Row(
        answer(400, {"request_id": "r", "code": "DataInspectionFailed", "message": "words"}),
        "refuses this prompt (words)",
    ),
    "refusal-azure": Row(
        answer(
            400,
            {"error": {"code": "400", "message": "words", "innererror": {"code": "ResponsibleAIPolicyViolation"}}},
        ),
        "refuses this prompt (words)",
    ),
    "refusal-openrouter": Row(
        answer(403, {"error": {"code": 403, "message": 'Your input was flagged for "violence".'}}),
        'refuses this prompt (Your input was flagged for "violence")',
    ),
    "refusal-of-the-entry": Row(
        answer(200, {"data": [{"error": {"code": "OutputImageSensitiveContentDetected", "message": "words"}}]}),
        "refuses this prompt (words)",
        kept=True,
    ),
}


@dataclass(frozen=True)
class Shown:
    project: Project
    api: ImagesApi
    warnings: list[str]


@pytest.fixture(scope="module")
def shown(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shown]:
    """A site on which each row is an image, and one image is fine."""
    with ImagesApi(by_prompt({"fine": [by_url], **{name: [row.answers] for name, row in ROWS.items()}})) as api:
        project = Project(tmp_path_factory.mktemp("answers") / "project", api.base_url)
        project.options |= {"images": {"fine": "fine"}, "retries": 1, "max_new_images": 100}
        project.page("index.md", "![x](qhaigc:fine)", qhaigc={name: name for name in ROWS})
        built = project.build()
        assert built.code == 0, built.output
        yield Shown(project, api, built.warnings)


@pytest.mark.parametrize("name", ROWS)
def test_an_answer_without_an_image_is_told_in_the_service_s_words(shown: Shown, name: str) -> None:
    row = ROWS[name]
    (told,) = [line for line in shown.warnings if f"index.md#{name}: " in line]
    assert row.says in told
    assert shown.api.prompts.count(name) == row.calls
    kept = [path.name for path in (shown.project.cache / "rejected").iterdir() if path.name.startswith(f"{name}-")]
    exact = [one for one in kept if len(one.partition(".")[0]) == len(name) + 17]
    assert bool(exact) is row.kept


def test_an_image_is_read_wherever_a_service_puts_it(project: Project, api: ImagesApi) -> None:
    api.by_prompt = {name: [behaviour] for name, behaviour in IMAGES.items()}
    project.options["retries"] = 0
    project.page("index.md", qhaigc={f"p{number}": name for number, name in enumerate(IMAGES)})
    built = project.build("--strict")
    assert built.code == 0, built.output
    assert sorted(api.prompts) == sorted(IMAGES)
    saved = {path.read_bytes() for path in (project.cache / "originals").glob("*.png")}
    assert saved == {data for drawn in api.drawn.values() for data in drawn}


# What is wrong with a field of the call


def without(field: str, wrong: Behaviour, then: Behaviour = by_url) -> Behaviour:
    """Answer calls that have a field with an error."""

    def behave(handler: Handler, body: dict[str, Any]) -> None:
        (wrong if field in body else then)(handler, {"size": "96x54", **body})

    return behave


UNKNOWN = {"detail": [{"type": "extra_forbidden", "loc": ["body", "response_format"], "msg": "Extra inputs"}]}


@pytest.mark.parametrize(
    ("field", "wrong", "sent"),
    [
        ("response_format", answer(422, UNKNOWN), [None, None]),
        ("response_format", answer(422, {"message": "we do not know `response_format`"}), [None, None]),
        ("response_format", answer(400, {"error": {"message": 'drop "response_format".'}}), [None, None]),
        ("response_format", answer(400, {"error": "no response_format."}), [None, None]),
        ("size", answer(400, {"error": "Argument not supported: size", "code": "x"}), [None, None]),
        (
            "size",
            answer(400, {"error": {"code": "unknown_parameter", "param": "size", "message": "Unknown"}}),
            [None] * 2,
        ),
        ("size", answer(400, {"error": {"message": "This model does not support the size parameter"}}), [None, None]),
        ("size", answer(422, {"error": {"message": "不支持的参数：size"}}), [None, None]),
        ("n", answer(400, {"error": {"message": "Unknown parameter: 'n'.", "param": "n"}}), [None, None]),
        (
            "response_format",
            answer(422, {"message": "The data was invalid.", "errors": {"response_format": ["is invalid"]}}),
            [None, None],
        ),
        (
            "response_format",
            answer(400, {"error": {"message": json.dumps({"error": {"message": "?", "param": "response_format"}})}}),
            [None, None],
        ),
    ],
)
def test_a_field_that_the_service_does_not_take_is_left_out_for_the_rest_of_the_build(
    project: Project, api: ImagesApi, field: str, wrong: Behaviour, sent: list[None]
) -> None:
    api.default = without(field, wrong)
    project.options["concurrency"] = 1
    project.page("index.md", qhaigc={"one": "fog", "two": "dusk"})
    built = project.build("--strict")
    assert built.code == 0, built.output
    first, *later = [call.get(field) for call in api.calls]
    assert first is not None
    assert later == sent


def test_where_no_address_can_be_given_the_image_is_asked_for_in_the_answer(project: Project, api: ImagesApi) -> None:
    def behave(handler: Handler, body: dict[str, Any]) -> None:
        words = "response_format 'url' needs object storage, which is not configured"
        (by_base64 if body.get("response_format") == "b64_json" else answer(400, {"error": words}))(handler, body)

    api.default = behave
    project.options["concurrency"] = 1
    project.page("index.md", qhaigc={"one": "fog", "two": "dusk"})
    assert project.build("--strict").code == 0
    assert [call.get("response_format") for call in api.calls] == ["url", "b64_json", "b64_json"]


def test_a_size_that_a_model_does_not_make_is_no_reason_to_leave_it_out(project: Project, api: ImagesApi) -> None:
    api.default = answer(
        400, {"error": {"param": "size", "message": "Size 96x54 is not supported. Supported: 1024x1024"}}
    )
    project.page("index.md", qhaigc="fog")
    assert "Check `size`" in project.build().output
    assert [call.get("size") for call in api.calls] == ["96x54"]


def test_a_busy_service_has_not_accepted_a_call_without_a_field(project: Project, api: ImagesApi) -> None:
    """One image is refused for another field, in an error that mentions `size`; the next call is asked to wait."""

    def behave(handler: Handler, body: dict[str, Any]) -> None:
        if "look" not in body:
            by_url(handler, body)
        elif "size" in body:
            words = "Unsupported parameter: 'look'. Use prompt, size or n"
            answer(400, {"error": {"param": "look", "message": words}})(handler, body)
        else:
            answer(429, retry_after="300")(handler, body)

    api.default = behave
    project.options |= {"concurrency": 1, "retries": 0}
    project.page("index.md", qhaigc={"one": {"prompt": "fog", "params": {"look": "bold"}}, "two": "dusk"})
    project.build()
    assert [(call["prompt"], call.get("size")) for call in api.calls] == [
        ("fog", "96x54"),
        ("fog", None),
        ("dusk", "96x54"),
    ]


def test_an_error_that_stays_without_the_field_changes_nothing_for_later_calls(
    project: Project, api: ImagesApi
) -> None:
    api.by_prompt["fog"] = [answer(400, {"error": {"message": "response_format and size are wrong"}})] * 2
    project.options["concurrency"] = 1
    project.page("index.md", qhaigc={"one": "fog", "two": "dusk"})
    project.build()
    assert [call.get("response_format") for call in api.calls] == ["url", None, "url"]


# Accounts


@pytest.mark.parametrize(
    "state",
    [
        answer(402, {"message": "Payment required"}),
        error(429, "SetLimitExceeded"),
        error(403, "AccountOverdueError"),
        error(400, "Arrearage"),
        error(429, "1113"),
        answer(403, {"code": 30001, "message": "balance"}),
        answer(400, [{"error": {"code": 400, "message": "API key not valid. Please pass a valid API key."}}]),
        answer(400, {"code": "Client specified an invalid argument", "error": "Incorrect API key provided: xai-1."}),
    ],
)
def test_an_account_that_can_buy_nothing_is_one_call_and_one_message(
    project: Project, api: ImagesApi, state: Behaviour
) -> None:
    api.default = state
    project.options["concurrency"] = 1
    project.page("index.md", qhaigc={name: name for name in ("one", "two", "three")})
    built = project.build()
    (told,) = built.warnings
    assert "3 images are placeholders (index.md#one, index.md#two, index.md#three)" in told
    assert "Check the key and the account" in told
    assert len(api.calls) == 1


# Busy services


def test_a_busy_service_is_asked_until_it_has_time(project: Project, api: ImagesApi) -> None:
    api.script = [answer(429, {"error": {"message": "Please try again in 50ms."}})] * 6
    project.options |= {"retries": 2, "timeout": 60, "concurrency": 2}
    project.page("index.md", qhaigc={"one": "fog", "two": "dusk"})
    built = project.build("--strict")
    assert built.code == 0, built.output
    assert len(api.calls) == 8


def test_a_service_that_stays_busy_ends_the_calls_of_a_build_with_one_message(project: Project, api: ImagesApi) -> None:
    api.default = answer(429, {"error": {"message": "Slow down."}})
    project.options |= {"timeout": 1.5, "concurrency": 2}
    project.page("index.md", qhaigc={f"p{number}": f"number {number}" for number in range(6)})
    began = time.monotonic()
    built = project.build()
    assert time.monotonic() - began < 20
    (told,) = built.warnings
    assert "6 images are placeholders" in told
    assert "It stayed busy until `timeout` was over, for all images. Lower `concurrency`, raise `timeout`" in told
    assert len(api.calls) <= 6


def test_no_image_is_ordered_for_which_nobody_would_wait_any_more(project: Project, api: ImagesApi) -> None:
    api.script = [answer(429, {"error": {"message": "Please try again in 3.5s."}})]
    api.default = hang  # it makes the image, and bills it
    project.options["timeout"] = 4
    project.page("index.md", qhaigc="fog")
    assert "It stayed busy until `timeout` was over" in project.build().output
    assert len(api.calls) == 1


def test_without_retries_a_busy_service_is_asked_once(project: Project, api: ImagesApi) -> None:
    api.default = answer(429, {"error": {"message": "Slow down."}})
    project.options["retries"] = 0
    project.page("index.md", qhaigc="fog")
    assert "`retries` allows no other try. Lower `concurrency`, raise `retries`" in project.build().output
    assert len(api.calls) == 1


def test_what_a_gateway_gave_up_late_is_not_asked_for_again(project: Project, api: ImagesApi) -> None:
    def late(handler: Handler, body: dict[str, Any]) -> None:
        handler.server.api.closed.wait(2.5)
        answer(504)(handler, body)

    api.default = late
    project.options["timeout"] = 4
    project.page("index.md", qhaigc="fog")
    built = project.build()
    assert "A gateway gave up before the image was there" in built.output
    assert "raise `timeout` for another try" in built.output
    assert len(api.calls) == 1


# Addresses


def at(make: Callable[[ImagesApi, str], str]) -> Behaviour:
    """Answer with an address that `make` makes of the path of an image."""

    def behave(handler: Handler, body: dict[str, Any]) -> None:
        api = handler.server.api
        handler.send(200, {"data": [{"url": make(api, api.host(api.draw(body)))}]})

    return behave


@pytest.mark.parametrize(
    ("address", "says"),
    [
        ("http://images.example/a.png", "the image's address at images.example is not https"),
        ("https://10.0.0.7/a.png", "the image's address 10.0.0.7 is not on the internet"),
        ("http://minio:9000/a.png", "the image's address at minio is not https"),
        ("https://minio:9000/a.png", "the image's address minio is not on the internet"),
        ("file:///tmp/a.png", "an image's address that is not http or https (file:)"),
    ],
)
def test_an_address_that_is_never_fetched_ends_the_calls_and_is_no_hope_for_later(
    project: Project, api: ImagesApi, address: str, says: str
) -> None:
    api.default = answer(200, {"data": [{"url": address}]})
    project.options["concurrency"] = 1
    project.page("index.md", qhaigc={"one": "fog", "two": "dusk", "three": "dawn"})
    built = project.build()
    (told,) = built.warnings
    assert "3 images are placeholders" in told
    assert says in told
    assert "Write `response_format: b64_json`" in told
    assert len(api.calls) <= 2  # the next one is asked for while the first is fetched
    assert not list((project.cache / "answers").iterdir())
    assert list((project.cache / "rejected").glob("*.answer"))
    api.default = by_base64
    project.options["response_format"] = "b64_json"
    assert project.build("--strict").code == 0


@pytest.mark.parametrize("host", ["0.0.0.0", "[::]"])
def test_what_a_server_listens_on_is_this_machine(project: Project, api: ImagesApi, host: str) -> None:
    api.default = at(lambda api, path: api.origin.replace("127.0.0.1", host) + path)
    project.page("index.md", qhaigc="fog")
    built = project.build("--strict")
    assert built.code == 0, built.output
    assert len(api.calls) == 1


def wants_key(handler: Handler, given: dict[str, Any]) -> None:
    if handler.headers.get("Authorization") == f"Bearer {KEY}":
        handler.send_bytes(200, given["data"], "image/png")
    else:
        handler.send(401, {"error": {"message": "no key"}})


def test_an_address_of_the_service_that_wants_the_key_gets_it(project: Project, api: ImagesApi) -> None:
    api.fetch_script = [wants_key, wants_key]
    project.options["headers"] = {"X-Project": "handbook"}
    project.page("index.md", qhaigc="fog")
    built = project.build("--strict")
    assert built.code == 0, built.output
    assert [headers.get("Authorization") for headers in api.fetch_headers] == [None, f"Bearer {KEY}"]
    assert [headers.get("X-Project") for headers in api.fetch_headers] == [None, "handbook"]


def test_the_key_goes_to_no_other_origin_and_nowhere_after_a_redirection(project: Project, api: ImagesApi) -> None:
    with ImagesApi() as other:
        path = other.host(draw("elsewhere", 96, 54))
        other.by_path[path] = [wants_key] * 9
        api.by_prompt = {
            "fog": [answer(200, {"data": [{"url": other.origin + path}]})],
            "dusk": [answer(200, {"data": [{"url": f"{api.origin}/sent-on"}]})],
        }
        api.by_path["/sent-on"] = [redirect(other.origin + path)] * 9
        project.options |= {"retries": 0, "concurrency": 1}
        project.page("index.md", qhaigc={"two": "dusk"})
        assert "wants a key (401)" in project.build().output
        project.page("index.md", qhaigc={"one": "fog"})
        built = project.build()
        assert "wants a key (401), and yours is for the API's own address only" in built.output
        assert "Write `response_format: b64_json`" in built.output
        assert other.fetches
        assert all("Authorization" not in headers for headers in (*other.fetch_headers, *api.fetch_headers))


def test_a_kept_answer_goes_when_its_settings_have_changed_and_its_image_cannot_be_had(
    project: Project, api: ImagesApi
) -> None:
    api.by_path = {}
    api.default = at(lambda api, path: f"{api.origin}/gone{path}")
    api.fetch_script = [answer(403)] * 99
    project.options["retries"] = 0
    project.page("index.md", qhaigc="fog")
    project.build()
    project.build()
    assert len(api.calls) == 1
    api.default = by_base64
    project.options["response_format"] = "b64_json"
    assert project.build("--strict").code == 0
    assert len(api.calls) == 2


def test_a_kept_answer_is_used_though_the_settings_have_changed(project: Project, api: ImagesApi) -> None:
    api.fetch_script = [answer(503)] * 3
    project.options["retries"] = 0
    project.page("index.md", qhaigc="fog")
    project.build()
    api.fetch_script = []
    project.options["response_format"] = "b64_json"
    assert project.build("--strict").code == 0
    assert len(api.calls) == 1


# Refusals


def refusing(project: Project, api: ImagesApi) -> None:
    api.by_prompt["fog"] = [error(400, "content_policy_violation", f"No fog for {KEY}.")]
    project.page("index.md", "![x](qhaigc:bad) ![x](qhaigc:good)", qhaigc={"bad": "fog", "good": "dusk"})
    built = project.build()
    assert "refuses this prompt (No fog for [key]). Change the prompt; until then it is not asked" in built.output


def test_what_was_refused_is_not_asked_again_until_the_request_changes(project: Project, api: ImagesApi) -> None:
    refusing(project, api)
    again = project.build()
    (told,) = again.warnings
    assert "index.md#bad: the API has refused this prompt (No fog for [key].), on 20" in told
    assert "`mkdocs-qhaigc generate --retry-refused` asks again" in told
    assert api.prompts.count("fog") == 1
    assert not [path for path in project.cache.rglob("*") if path.is_file() and KEY.encode() in path.read_bytes()]
    project.page("index.md", "![x](qhaigc:bad)", qhaigc={"bad": "thin fog"})
    assert project.build("--strict").code == 0


def test_commands_name_what_was_refused_and_why(project: Project, api: ImagesApi) -> None:
    project.options["report"] = "report.json"
    refusing(project, api)
    bad, good = answer_of(project, "plan")["images"]
    assert (bad["state"], good["state"]) == ("refused", "cached")
    assert "No fog" in bad["reason"]
    assert "To buy: nothing" in run(project, "plan").stdout
    assert "No fog" in run(project, "plan").stdout
    (found,) = answer_of(project, "check")["findings"]
    assert (found["kind"], found["name"]) == ("refused", "bad")
    report = json.loads((project.folder / "report.json").read_bytes())
    assert [(row["state"], bool(row["reason"])) for row in report["images"]] == [
        ("refused", True),
        ("generated", False),
    ]
    assert len(api.calls) == 2


def test_a_refused_request_is_asked_again_when_it_is_wanted(project: Project, api: ImagesApi) -> None:
    refusing(project, api)
    nothing = run(project, "generate", "--yes")
    assert nothing.returncode == 1
    assert "No fog" in nothing.stderr
    assert api.prompts.count("fog") == 1
    done = run(project, "generate", "--yes", "--retry-refused", "index.md#bad")
    assert done.returncode == 0, done.stderr
    assert api.prompts.count("fog") == 2
    assert not list((project.cache / "refusals").iterdir())
    assert project.build("--strict").code == 0


def test_another_service_is_asked_what_one_has_refused(project: Project, api: ImagesApi) -> None:
    refusing(project, api)
    with ImagesApi() as other:
        project.options["base_url"] = other.base_url
        assert project.build("--strict").code == 0
        assert other.prompts == ["fog"]


def test_refusals_stop_no_other_images_and_nobody_else_is_told_to_change_a_prompt(
    project: Project, api: ImagesApi
) -> None:
    refused = {f"bad{number}": f"bad {number}" for number in range(5)}
    api.by_prompt = {prompt: [error(400, "moderation_blocked")] for prompt in refused.values()}
    project.options["concurrency"] = 1
    project.page("index.md", qhaigc={**refused, "good": "fog"})
    built = project.build()
    assert built.summary == "1 generated, 5 placeholders"
    assert len(api.calls) == 6
    assert built.output.count("Change the prompt") == 5


def test_a_refused_candidate_is_not_asked_again(project: Project, api: ImagesApi) -> None:
    project.page("index.md", "![x](qhaigc:hero)", qhaigc="fog")
    api.default = error(400, "content_policy_violation", "No fog.")
    assert run(project, "candidates", "index.md#hero", "-n", "2", "--yes").returncode == 1
    asked = len(api.calls)
    api.default = by_url
    rows = answer_of(project, "candidates", "index.md#hero", "-n", "2", "--yes")["candidates"]
    assert [row["state"] for row in rows] == ["refused", "refused"]
    assert all("No fog" in row["reason"] for row in rows)
    assert len(api.calls) == asked


def test_refusals_of_requests_that_no_image_makes_are_pruned(project: Project, api: ImagesApi) -> None:
    refusing(project, api)
    (kept,) = (project.cache / "refusals").iterdir()
    os.utime(kept, (time.time() - 9 * 86_400,) * 2)
    run(project, "prune", "--older-than", "1d", "--yes")
    assert kept.exists()
    project.page("index.md", qhaigc={"good": "dusk"})
    assert answer_of(project, "prune", "--older-than", "1d", "--dry-run")["refusals"] == 1
    assert kept.exists()
    run(project, "prune", "--older-than", "1d", "--yes")
    assert not kept.exists()


# Keys and headers


def test_a_server_of_this_machine_needs_no_key(project: Project, api: ImagesApi) -> None:
    del project.environment["QHAIGC_API_KEY"]
    project.page("index.md", qhaigc={"one": "fog"})
    assert project.build("--strict").code == 0
    project.page("index.md", qhaigc={"one": "dusk"})
    assert run(project, "generate", "--yes").returncode == 0
    assert api.keys == ["", ""]


def test_no_key_is_sent_where_the_option_says_so(project: Project, api: ImagesApi) -> None:
    project.environment["none"] = project.environment["NONE"] = KEY
    project.options |= {"api_key_env": "none", "headers": {"X-Project": "handbook"}}
    project.page("index.md", qhaigc="fog")
    assert project.build("--strict").code == 0
    assert api.keys == [""]


def test_headers_change_no_key_and_reach_no_other_host(project: Project, api: ImagesApi) -> None:
    sent: list[str] = []

    def behave(handler: Handler, body: dict[str, Any]) -> None:
        sent.append(handler.headers["X-Project"])
        by_url(handler, body)

    api.default = behave
    project.page("index.md", qhaigc="fog")
    project.options["headers"] = {"X-Project": "handbook"}
    assert project.build("--strict", "-v").code == 0
    assert sent == ["handbook"]
    assert all("X-Project" not in headers for headers in api.fetch_headers)
    project.options["headers"] = {"X-Project": "other"}
    assert project.build("--strict").summary == "1 cached"


# Replies that show that something was dropped


def test_a_field_that_the_service_has_not_followed_is_told(project: Project, api: ImagesApi) -> None:
    api.default = shaped(
        lambda _, b64: {"data": [{"b64_json": b64, "size": "96x54"}], "quality": "medium", "output_format": "png"}
    )
    params = {"quality": "high", "output_format": "png"}
    project.page("index.md", "![x](qhaigc:hero)", qhaigc={"hero": {"prompt": "fog", "params": params}})
    built = project.build()
    (told,) = built.warnings
    assert "index.md#hero: `quality` is high in the request, and the service says that it has used medium" in told
    assert built.summary == "1 generated"
    assert project.build("--strict").code == 0


def test_the_same_bytes_for_another_request_are_told(project: Project, api: ImagesApi) -> None:
    api.default = bytes_by_url(draw("fixed", 96, 54))
    project.options["concurrency"] = 1
    variants = {f"v{number}": {"prompt": "fog", "variant": number} for number in (1, 2)}
    project.page("index.md", "![x](qhaigc:v1) ![x](qhaigc:v2)", qhaigc=variants)
    built = project.build()
    (told,) = built.warnings
    assert "index.md#v2: the image is byte for byte that of another request (v1-" in told
    assert built.summary == "2 generated"


# Placeholders


def test_a_placeholder_says_why_it_is_there(project: Project, api: ImagesApi) -> None:
    refusing(project, api)
    bad, good = (image.attributes for image in elements(project.build().html(), "img"))
    assert bad["title"] == "Placeholder: the service refuses this prompt"
    assert "title" not in good
    project.take_key()
    project.page("index.md", "![x](qhaigc:a) ![x](qhaigc:b 'mine')", qhaigc={"a": "snow", "b": "hail"})
    first, second = (image.attributes for image in elements(project.build().html(), "img"))
    assert first["title"] == "Placeholder: no API key: the environment variable QHAIGC_API_KEY is not set"
    assert second["title"] == "mine"


def test_nothing_on_a_page_says_where_the_site_is_built(project: Project, api: ImagesApi) -> None:
    api.default = bytes_by_url(GIF)
    project.page("index.md", "![x](qhaigc:hero)", qhaigc="fog")
    built = project.build()
    assert "a GIF" in built.html()
    assert str(Path(project.folder)) not in built.html()
