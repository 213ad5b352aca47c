"""The sandbox over real sockets: with httpx, with the official client, with bytes that no client sends."""

from __future__ import annotations

import base64
import io
import json
import logging
import socket
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from functools import partial
from typing import TYPE_CHECKING, Any

import httpx
import openai
import pytest
from PIL import Image

from mkdocs_qhaigc.sandbox import Sandbox
from mkdocs_qhaigc.sandbox import api as sandbox_api
from mkdocs_qhaigc.sandbox import server as sandbox_server
from mkdocs_qhaigc.sandbox.api import MODELS

if TYPE_CHECKING:
    from collections.abc import Iterator

KEY = "sk-secret-of-the-test"
SMALL: dict[str, Any] = {"model": "qh-draw-x2-preview", "prompt": "A lighthouse in fog", "size": "64x48"}


@pytest.fixture(scope="module")
def server() -> Iterator[Sandbox]:
    with Sandbox(api_key=KEY) as running:
        yield running


@pytest.fixture(scope="module")
def client(server: Sandbox) -> Iterator[httpx.Client]:
    with client_of(server) as opened:
        yield opened


@pytest.fixture(scope="module")
def official(server: Sandbox) -> Iterator[openai.OpenAI]:
    with openai.OpenAI(base_url=server.base_url, api_key=KEY, max_retries=0, timeout=20) as opened:
        yield opened


def client_of(server: Sandbox) -> httpx.Client:
    headers = {"Authorization": f"Bearer {KEY}"}
    return httpx.Client(base_url=server.base_url, headers=headers, trust_env=False, timeout=20)


def generate(client: httpx.Client, **fields: Any) -> httpx.Response:
    return client.post("/images/generations", json=SMALL | fields)


def opened(content: bytes) -> Image.Image:
    image: Image.Image = Image.open(io.BytesIO(content))
    image.load()
    return image


def error_of(response: httpx.Response) -> dict[str, Any]:
    body = response.json()
    assert list(body) == ["error"]
    assert set(body["error"]) == {"message", "type", "param", "code"}
    error: dict[str, Any] = body["error"]
    return error


def connected(server: Sandbox) -> socket.socket:
    url = httpx.URL(server.base_url)
    return socket.create_connection((url.host, url.port or 0), timeout=10)


def exchange(server: Sandbox, sent: bytes) -> bytes:
    """All that the server answers to some bytes, until it ends the connection."""
    with connected(server) as raw:
        raw.sendall(sent)
        return b"".join(iter(lambda: raw.recv(65536), b""))


def post(body: bytes, *head: str) -> bytes:
    lines = [
        "POST /sandbox/v1/images/generations HTTP/1.1",
        "Host: 127.0.0.1",
        f"Authorization: Bearer {KEY}",
        "Content-Type: application/json",
        "Connection: close",
        *head,
    ]
    return "\r\n".join([*lines, "", ""]).encode() + body


# Images


def test_a_url_leads_to_a_webp_of_the_size_asked_and_needs_no_key(official: openai.OpenAI, server: Sandbox) -> None:
    before = int(time.time())
    answer = official.images.generate(model="qh-draw-x2-preview", prompt="Fog", size="1280x720")
    assert before <= answer.created <= time.time()
    assert answer.data is not None
    [entry] = answer.data
    assert entry.b64_json is None
    assert entry.revised_prompt is None
    assert entry.url is not None
    assert entry.url.startswith(f"{server.base_url}/files/")
    download = httpx.get(entry.url, trust_env=False)
    assert download.headers["content-type"] == "image/webp"
    image = opened(download.content)
    assert (image.format, image.size) == ("WEBP", (1280, 720))


def test_base64_is_the_same_image_as_behind_the_url(client: httpx.Client) -> None:
    [encoded] = generate(client, response_format="b64_json").json()["data"]
    [hosted] = generate(client, response_format="url").json()["data"]
    assert list(encoded) == ["b64_json"]
    assert base64.b64decode(encoded["b64_json"], validate=True) == client.get(hosted["url"]).content


def test_dall_e_3_answers_png_with_the_revised_prompt(official: openai.OpenAI) -> None:
    answer = official.images.generate(model="dall-e-3", prompt="Fog", size="1024x1024", response_format="b64_json")
    assert answer.data is not None
    [entry] = answer.data
    assert entry.revised_prompt == "Fog"
    assert entry.b64_json is not None
    image = opened(base64.b64decode(entry.b64_json))
    assert (image.format, image.size) == ("PNG", (1024, 1024))


@pytest.mark.parametrize("model", ["即梦4.0", "qh-draw-x1-pro", "a-model-of-tomorrow"])
def test_other_models_answer_webp(client: httpx.Client, model: str) -> None:
    [entry] = generate(client, model=model).json()["data"]
    assert entry["url"].endswith(".webp")
    assert opened(client.get(entry["url"]).content).format == "WEBP"


def test_n_images_differ_and_the_next_request_gives_the_same_ones(client: httpx.Client) -> None:
    first, again = (generate(client, n=2).json()["data"] for _ in range(2))
    assert first == again
    one, two = (client.get(entry["url"]).content for entry in first)
    assert one != two


def test_the_prompt_the_size_and_the_seed_each_change_the_image(client: httpx.Client) -> None:
    bodies: list[dict[str, Any]] = [{}, {"prompt": "Sun"}, {"size": "48x64"}, {"seed": 1}, {"seed": 2}]
    images = {client.get(generate(client, **body).json()["data"][0]["url"]).content for body in bodies}
    assert len(images) == len(bodies)


@pytest.mark.parametrize(
    "fields",
    [
        {"n": None, "response_format": None},
        {"quality": "hd", "style": "vivid", "user": "u", "background": "opaque", "moderation": "low"},
        {"output_format": "webp", "output_compression": 80, "seed": 7, "negative_prompt": "text"},
        {"size": "16x16"},
        {"prompt": "灯塔 \U0001f4a1 \x00"},
        {"prompt": "x" * 32_000},
    ],
)
def test_what_the_api_documents_is_taken(client: httpx.Client, fields: dict[str, Any]) -> None:
    assert generate(client, **fields).status_code == 200


def test_images_longest_unused_expire_when_there_are_too_many(
    client: httpx.Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept, expired = (generate(client, prompt=prompt).json()["data"][0]["url"] for prompt in ("a", "b"))
    together = sum(len(client.get(url).content) for url in (kept, expired))
    monkeypatch.setattr(sandbox_api, "_MAX_HOSTED", together - 1)
    generate(client, prompt="a")
    assert client.get(kept).status_code == 200
    gone = client.get(expired)
    assert gone.status_code == 404
    assert error_of(gone)["code"] == "not_found"


# Strictness


@pytest.mark.parametrize(
    ("fields", "code", "param"),
    [
        ({"prompt": None}, "missing_required_parameter", "prompt"),
        ({"prompt": " "}, "invalid_value", "prompt"),
        ({"prompt": ["Fog"]}, "invalid_type", "prompt"),
        ({"prompt": "x" * 32_001}, "string_above_max_length", "prompt"),
        ({"prompt": "A [refuse] image"}, "content_policy_violation", None),
        ({"model": None}, "missing_required_parameter", "model"),
        ({"model": 3}, "invalid_type", "model"),
        ({"size": None}, "missing_required_parameter", "size"),
        ({"size": 1024}, "invalid_type", "size"),
        ({"size": "1024"}, "invalid_value", "size"),
        ({"size": "1024×1024"}, "invalid_value", "size"),
        ({"size": "١٠٢٤x1024"}, "invalid_value", "size"),
        ({"size": "64x48\n"}, "invalid_value", "size"),
        ({"size": "15x64"}, "invalid_value", "size"),
        ({"size": "64x4097"}, "invalid_value", "size"),
        ({"size": "9" * 5000 + "x64"}, "invalid_value", "size"),
        ({"n": "2"}, "invalid_type", "n"),
        ({"n": True}, "invalid_type", "n"),
        ({"n": 1.0}, "invalid_type", "n"),
        ({"n": 0}, "invalid_value", "n"),
        ({"n": 11}, "invalid_value", "n"),
        ({"n": 10**4000}, "invalid_value", "n"),
        ({"n": 2, "model": "dall-e-3"}, "invalid_value", "n"),
        ({"seed": "7"}, "invalid_type", "seed"),
        ({"response_format": "png"}, "invalid_value", "response_format"),
        ({"response_format": ["url"]}, "invalid_value", "response_format"),
        ({"steps": 30}, "unknown_parameter", "steps"),
        ({"步数": None}, "unknown_parameter", "步数"),
    ],
)
def test_a_wrong_field_is_named(client: httpx.Client, fields: dict[str, Any], code: str, param: str | None) -> None:
    response = generate(client, **fields)
    assert response.status_code == 400
    error = error_of(response)
    assert (error["type"], error["code"], error["param"]) == ("invalid_request_error", code, param)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        b"\xff\xfe{}",
        b'{"prompt": "\xc3\x28"}',
        b"[]",
        b'"prompt"',
        b"null",
        rb'{"model": "m", "size": "64x48", "prompt": "\ud800"}',
        b'{"seed": NaN}',
        b'{"seed": 1e999}',
        b'{"n": ' + b"9" * 10_000 + b"}",
        b'{"prompt": ' + b"[" * 400_000,
        b'{"prompt": ' + b"[" * 200_000 + b"]" * 200_000 + b"}",
    ],
    ids=lambda content: repr(content[:24]),
)
def test_a_body_that_is_no_json_object_is_answered_400(client: httpx.Client, content: bytes) -> None:
    headers = {"Content-Type": "application/json"}
    response = client.post("/images/generations", content=content, headers=headers)
    assert response.status_code == 400
    assert error_of(response)["type"] == "invalid_request_error"
    assert generate(client).status_code == 200  # and the connection is still good


@pytest.mark.parametrize("media_type", ["text/plain", "multipart/form-data; boundary=x", "nonsense", ""])
def test_another_content_type_is_unsupported(client: httpx.Client, media_type: str) -> None:
    response = client.post("/images/generations", content=b"{}", headers={"Content-Type": media_type})
    assert response.status_code == 400
    assert error_of(response)["code"] == "unsupported_content_type"


def test_a_content_type_with_a_charset_is_taken(client: httpx.Client) -> None:
    headers = {"Content-Type": "Application/JSON; charset=utf-8"}
    assert client.post("/images/generations", json=SMALL, headers=headers).status_code == 200


@pytest.mark.parametrize("authorization", ["", "Bearer", f"Basic {KEY}", "Bearer other", KEY])
def test_without_the_right_key_nothing_is_drawn(server: Sandbox, authorization: str) -> None:
    with httpx.Client(base_url=server.base_url, trust_env=False) as stranger:
        headers = {"Authorization": authorization}
        responses = [
            stranger.post("/images/generations", json=SMALL, headers=headers),
            stranger.get("/models", headers=headers),
            stranger.get("/models", headers={}),
        ]
    for response in responses:
        assert response.status_code == 401
        assert error_of(response)["code"] == "invalid_api_key"
        assert error_of(response)["type"] == "invalid_request_error"


def test_without_a_key_of_its_own_the_sandbox_takes_any() -> None:
    with Sandbox() as server, httpx.Client(base_url=server.base_url, trust_env=False) as client:
        assert client.get("/models", headers={"Authorization": "bearer anything"}).status_code == 200
        assert client.get("/models", headers={"Authorization": "Bearer"}).status_code == 401
        assert client.get("/models").status_code == 401


@pytest.mark.parametrize(
    "url", ["/", "/sandbox", "/v1/models", "/sandbox/v1/images", "/sandbox/v1/files/", "/sandbox/v1models"]
)
def test_an_unknown_url_is_answered_404_in_openais_form(server: Sandbox, url: str) -> None:
    response = httpx.get(server.base_url.removesuffix("/sandbox/v1") + url, trust_env=False)
    assert response.status_code == 404
    assert error_of(response)["type"] == "invalid_request_error"


@pytest.mark.parametrize(
    ("method", "path", "allow"),
    [
        ("GET", "/images/generations", "POST"),
        ("DELETE", "/images/generations", "POST"),
        ("OPTIONS", "/images/generations", "POST"),
        ("POST", "/models", "GET, HEAD"),
        ("PUT", "/files/x.webp", "GET, HEAD"),
    ],
)
def test_another_method_is_answered_405_with_those_allowed(
    client: httpx.Client, method: str, path: str, allow: str
) -> None:
    response = client.request(method, path)
    assert response.status_code == 405
    assert response.headers["allow"] == allow
    assert error_of(response)["code"] == "method_not_allowed"


def test_every_response_says_that_it_comes_from_the_sandbox(client: httpx.Client) -> None:
    answer = generate(client)
    url = answer.json()["data"][0]["url"]
    responses = [answer, client.get(url), client.head(url), client.get("/models"), client.get("/nothing")]
    assert {response.headers["x-qhaigc-sandbox"] for response in responses} == {"true"}
    assert len({response.headers["x-request-id"] for response in responses}) == len(responses)
    assert responses[2].content == b""


# The official client


def test_the_official_client_lists_and_finds_the_models(official: openai.OpenAI) -> None:
    assert [model.id for model in official.models.list()] == list(MODELS)
    assert official.models.retrieve("即梦4.0").object == "model"
    with pytest.raises(openai.NotFoundError) as caught:
        official.models.retrieve("sd-1.5")
    assert caught.value.code == "model_not_found"


def test_the_official_client_gets_n_images(official: openai.OpenAI) -> None:
    answer = official.images.generate(model="qh-draw-x1-pro", prompt="Fog", size="1024x1024", n=2)
    assert answer.data is not None
    assert len({entry.url for entry in answer.data}) == 2


def test_the_official_client_raises_what_it_raises_for_the_real_api(official: openai.OpenAI, server: Sandbox) -> None:
    with pytest.raises(openai.BadRequestError) as refused:
        official.images.generate(model="dall-e-3", prompt="A [refuse] sign", size="1024x1024")
    assert refused.value.code == "content_policy_violation"
    with pytest.raises(openai.BadRequestError) as wrong:
        official.images.generate(model="dall-e-3", prompt="Fog", size="1024x1024", n=2)
    assert (wrong.value.code, wrong.value.param) == ("invalid_value", "n")
    with pytest.raises(openai.BadRequestError) as unknown:
        official.images.generate(model="dall-e-3", prompt="Fog", size="1024x1024", extra_body={"steps": 3})
    assert (unknown.value.code, unknown.value.param) == ("unknown_parameter", "steps")
    with (
        openai.OpenAI(base_url=server.base_url, api_key="sk-wrong", max_retries=0) as stranger,
        pytest.raises(openai.AuthenticationError) as unauthorized,
    ):
        stranger.images.generate(model="dall-e-3", prompt="Fog", size="1024x1024")
    assert unauthorized.value.code == "invalid_api_key"
    assert "sk-wrong" not in str(unauthorized.value)


# Bytes that no client sends


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        (post(b"{}"), 411),
        (post(b"2\r\n{}\r\n0\r\n\r\n", "Transfer-Encoding: chunked"), 411),
        (post(b"{}", "Transfer-Encoding: chunked", "Content-Length: 2"), 411),
        (post(b"{}", "Content-Length: -2"), 400),
        (post(b"{}", "Content-Length: +2"), 400),
        (post(b"{}", "Content-Length: two"), 400),
        (post(b"{}", "Content-Length: 2", "Content-Length: 3"), 400),
        (post(b"{}", f"Content-Length: {sandbox_api.MAX_BODY + 1}"), 413),
        (post(b"{}", "Content-Length: " + "9" * 5000), 413),
        (post(b" " * 4_000_000, f"Content-Length: {sandbox_api.MAX_BODY + 1}"), 413),
        (b"nonsense and more of it\r\n\r\n", 400),
        (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n", 400),
        (b"GET " + b"/" * 70_000 + b" HTTP/1.1\r\n\r\n", 414),
        (b"GET / HTTP/1.1\r\nX: " + b"x" * 70_000 + b"\r\n\r\n", 431),
        (b"GET / HTTP/1.1\r\n" + b"X: x\r\n" * 200 + b"\r\n", 431),
        (b"GET / HTTP/7.0\r\n\r\n", 505),
        (b"BREW /sandbox/v1/models HTTP/1.1\r\n\r\n", 501),
        (b"GET http://[/ HTTP/1.1\r\nConnection: close\r\n\r\n", 404),
        (b"GET /sandbox/v1/files/%ff%00\xff HTTP/1.1\r\nConnection: close\r\n\r\n", 404),
        (b"GET /sandbox/v1/files/../../etc/passwd HTTP/1.1\r\nConnection: close\r\n\r\n", 404),
        (b"GET /sandbox/v1/models HTTP/1.0\r\nAuthorization: Bearer  \r\n\r\n", 401),
        (b"GET /sandbox/v1/models HTTP/1.0\r\nAuthorization: Bearer \xe9\xff\r\n\r\n", 401),
    ],
    ids=lambda value: repr(value[:60]) if isinstance(value, bytes) else None,
)
def test_garbage_gets_a_plain_answer_and_harms_nobody(
    server: Sandbox, client: httpx.Client, sent: bytes, status: int, capfd: pytest.CaptureFixture[str]
) -> None:
    head, _, body = exchange(server, sent).partition(b"\r\n\r\n")
    assert head.startswith(f"HTTP/1.1 {status} ".encode())
    assert b"X-Qhaigc-Sandbox: true" in head
    assert body.startswith(b'{"error": {')
    assert generate(client).status_code == 200
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("sent", [b"", b"POST /sand", post(b'{"pro', "Content-Length: 50")])
def test_a_client_that_hangs_up_is_passed_over_quietly(
    server: Sandbox, client: httpx.Client, sent: bytes, capfd: pytest.CaptureFixture[str]
) -> None:
    before = len(server.received)
    with connected(server) as raw:
        raw.sendall(sent)
    assert generate(client).status_code == 200
    assert len(server.received) == before + 1
    assert capfd.readouterr() == ("", "")


def test_a_client_that_hangs_up_before_the_image_is_ready_is_passed_over_quietly(
    capfd: pytest.CaptureFixture[str],
) -> None:
    with Sandbox(latency=0.2) as server, client_of(server) as client:
        with pytest.raises(httpx.ReadTimeout):
            client.post("/images/generations", json=SMALL, timeout=httpx.Timeout(60, read=0.05))
        assert generate(client).status_code == 200
    assert [request.status for request in server.received] == [200, 200]
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("sent", [b"", b"POST /sand", post(b'{"pro', "Content-Length: 50")])
def test_a_client_that_stalls_is_let_go(server: Sandbox, sent: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sandbox_server._Handler, "timeout", 0.1)
    assert exchange(server, sent) == b""


# Many at once, and its life


def test_requests_are_answered_at_the_same_time(server: Sandbox) -> None:
    body = json.dumps(SMALL).encode()
    sent = post(body, f"Content-Length: {len(body)}")
    with ExitStack() as stack:
        connections = [stack.enter_context(connected(server)) for _ in range(8)]
        for connection in connections:
            connection.sendall(sent[:-1])
        for connection in reversed(connections):  # those before it are in the middle of theirs
            connection.sendall(sent[-1:])
            answer = b"".join(iter(partial(connection.recv, 65536), b""))
            assert answer.startswith(b"HTTP/1.1 200 ")


def test_one_generation_does_not_wait_for_another() -> None:
    together = threading.Barrier(8)
    with Sandbox(latency=1) as server, client_of(server) as client:

        def call(number: int) -> tuple[float, float, str]:
            together.wait()
            start = time.monotonic()
            answer = generate(client, prompt=f"Fog {number}")
            return start, time.monotonic(), answer.json()["data"][0]["url"]

        with ThreadPoolExecutor(8) as pool:
            calls = list(pool.map(call, range(8)))
    starts, ends, urls = zip(*calls, strict=True)
    assert max(starts) < min(ends)  # there was a moment of all
    assert len(set(urls)) == 8


def test_the_requests_that_arrived_can_be_read(client: httpx.Client, server: Sandbox) -> None:
    before = len(server.received)
    generate(client)
    generate(client, steps=3)
    client.get("/models?api_key=in-the-wrong-place")
    client.post("/images/generations", content=b"{", headers={"Content-Type": "application/json"})
    path = "/sandbox/v1/images/generations"
    assert [(r.method, r.path, r.body, r.status) for r in server.received[before:]] == [
        ("POST", path, SMALL, 200),
        ("POST", path, SMALL | {"steps": 3}, 400),
        ("GET", "/sandbox/v1/models", None, 200),
        ("POST", path, None, 400),
    ]
    assert isinstance(server.received, tuple)


def test_the_key_and_the_prompt_stay_out_of_all_that_is_written(
    client: httpx.Client,
    server: Sandbox,
    caplog: pytest.LogCaptureFixture,
    capfd: pytest.CaptureFixture[str],
) -> None:
    caplog.set_level(logging.DEBUG)
    answers = [generate(client), generate(client, n=0)]
    answers.append(client.get("/models", headers={"Authorization": f"Bearer {KEY}-and-more"}))
    answers.append(client.get("/nothing"))
    exchange(server, f"nonsense\r\nAuthorization: Bearer {KEY}\r\n\r\n".encode())
    logged = [r.getMessage() for r in caplog.records if r.name == "mkdocs.plugins.mkdocs_qhaigc.sandbox"]
    assert "Sandbox: POST '/sandbox/v1/images/generations' 200" in logged
    assert "lighthouse" not in " ".join(logged)
    written = [*logged, *capfd.readouterr(), repr(server.received), repr(server)]
    assert KEY not in " ".join(written + [answer.text for answer in answers])


def test_close_ends_kept_alive_connections_too() -> None:
    with Sandbox() as server, client_of(server) as client:
        assert generate(client).status_code == 200
        server.close()
        with pytest.raises(httpx.TransportError):
            generate(client)
        server.close()
        server.start()  # on the same port
        assert generate(client).status_code == 200


def test_close_leaves_no_thread_behind_to_wait_for_the_latency() -> None:
    before = set(threading.enumerate())
    with Sandbox(latency=60) as server, connected(server) as raw:
        body = json.dumps(SMALL).encode()
        raw.sendall(post(body, f"Content-Length: {len(body)}", "Expect: 100-continue"))
        assert raw.recv(100).startswith(b"HTTP/1.1 100 ")  # the request is being answered
        server.close()
        for thread in set(threading.enumerate()) - before:
            thread.join(10)
            assert not thread.is_alive()


def test_a_port_that_is_taken_is_an_error(server: Sandbox) -> None:
    port = httpx.URL(server.base_url).port or 0
    with pytest.raises(OSError, match="in use"):
        Sandbox(port=port).start()


def test_without_a_port_there_is_no_url_before_the_start() -> None:
    with pytest.raises(RuntimeError, match="start"):
        _ = Sandbox().base_url
    assert Sandbox(port=8123).base_url == "http://127.0.0.1:8123/sandbox/v1"


def test_importing_the_sandbox_loads_no_images_library() -> None:
    code = "import sys, mkdocs_qhaigc.sandbox; sys.exit('PIL' in sys.modules or 'httpx' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
