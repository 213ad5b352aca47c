"""A real HTTP server on this machine that answers as the Images API does, and as strictly.

It costs nothing, needs no network and takes any key: to try the plugin out, and to test it. Pictures are
drawn, not generated: the same request gives the same bytes; the index (of `n`) and `seed` vary them, other
fields do not. A prompt that contains `[refuse]` is answered with `content_policy_violation`, to see how a
refusal looks. The `/sandbox/` in every URL and the header `X-Qhaigc-Sandbox` say that this is no real API.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import logging
import re
import socket
import sys
import threading
import time
import uuid
from collections import OrderedDict, deque
from contextlib import suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from socketserver import TCPServer
from typing import TYPE_CHECKING, Any, Literal
from urllib.parse import unquote

if TYPE_CHECKING:
    from collections.abc import Callable
    from email.message import Message

log = logging.getLogger("mkdocs.plugins.mkdocs_qhaigc.sandbox")

PREFIX = "/sandbox/v1"
MODELS = ("qh-draw-x2-preview", "qh-draw-x1-pro", "dall-e-3", "即梦4.0")
"""What `GET /models` lists. A generation takes any other name too."""

_FIELDS = frozenset(
    {"model", "prompt", "n", "size", "response_format", "quality", "style", "user", "background"}
    | {"moderation", "output_format", "output_compression", "seed", "negative_prompt"}
)
_MAX_BODY = 1024 * 1024  # bytes
_MAX_HOSTED = 256 * 1024 * 1024  # bytes
_MAX_PROMPT = 32_000  # characters
_MAX_RECORDS = 10_000


@dataclass(frozen=True, slots=True)
class ReceivedRequest:
    """One request as it arrived, without its headers and so without the key."""

    method: str
    path: str
    """Without the query."""
    body: dict[str, Any] | None
    """The JSON object that was sent, also where it was rejected; None where there was none."""
    status: int
    """What was answered."""


class Sandbox:
    """The server: answers from `start()` to `close()`, or inside `with`.

    `port` 0 takes a free one; `start()` raises OSError where a given one is in use. `latency` is in seconds,
    waited before each generation. `api_key` is the one key accepted; None accepts any that is not empty.
    """

    def __init__(self, *, port: int = 0, latency: float = 0.0, api_key: str | None = None) -> None:
        self._port = port
        self._api = _Api(latency=latency, api_key=api_key)
        self._server: _Server | None = None

    @property
    def base_url(self) -> str:
        """The URL to give to clients; with port 0 it is known from `start()` on."""
        if not self._port:
            raise RuntimeError("The sandbox has no port yet. Call start() first.")
        return f"http://127.0.0.1:{self._port}{PREFIX}"

    @property
    def received(self) -> tuple[ReceivedRequest, ...]:
        """The requests answered so far, in the order of their answers; of very many the last 10,000."""
        return self._api.records()

    def start(self) -> None:
        """Binds the port and answers from a thread; does nothing where it already runs."""
        if self._server is not None:
            return
        self._server = _Server(self._port, self._api)
        self._port = self._server.server_port
        self._api.base_url = self.base_url
        self._api.closing.clear()
        threading.Thread(target=self._server.serve_forever, args=(0.05,), name="qhaigc-sandbox", daemon=True).start()

    def close(self) -> None:
        """Stops answering, open connections included; does nothing where it does not run."""
        server, self._server = self._server, None
        if server is not None:
            self._api.closing.set()
            server.shutdown()
            server.server_close()

    def __enter__(self) -> Sandbox:
        self.start()
        return self

    def __exit__(self, *_exc_info: object) -> None:
        self.close()


@dataclass(frozen=True, slots=True)
class _Reply:
    status: int
    content: bytes
    media_type: str = "application/json"
    headers: dict[str, str] = field(default_factory=dict)


class _ApiError(Exception):
    """What the API answers instead of a result, in OpenAI's error form."""

    def __init__(
        self, status: int, message: str, *, code: str | None = None, param: str | None = None, allow: str = ""
    ) -> None:
        super().__init__(message)
        kind = "server_error" if status >= 500 else "invalid_request_error"
        error = {"message": message, "type": kind, "param": param, "code": code}
        self.reply = _Reply(status, json.dumps({"error": error}).encode(), headers={"Allow": allow} if allow else {})


@dataclass(frozen=True, slots=True)
class _Order:
    """A generation request that passed every check."""

    prompt: str
    model: str
    width: int
    height: int
    n: int
    seed: int | None
    as_base64: bool
    digest: str
    """SHA-256 over the canonical JSON of the body, in hex."""

    @property
    def format(self) -> Literal["PNG", "WEBP"]:
        return "PNG" if self.model == "dall-e-3" else "WEBP"

    def draw(self, index: int) -> bytes:
        """One picture's bytes: others for each index and seed, which the prompt to draw from takes along."""
        from mkdocs_qhaigc.imaging import drawing

        seeded = self.prompt if self.seed is None else f"{self.prompt} [seed {self.seed}]"
        prompt = f"{seeded} ({index + 1})" if index else seeded
        try:
            return drawing.picture(prompt, width=self.width, height=self.height, label="sandbox", format=self.format)
        except Exception as error:  # whatever broke, the client gets an answer
            raise _ApiError(500, f"The picture could not be drawn: {type(error).__name__}.") from error

    def file_name(self, index: int) -> str:
        """The name that a picture is hosted under."""
        identity = hashlib.sha256(f"{self.digest}/{index}".encode()).hexdigest()
        return f"{identity}.{self.format.lower()}"


class _Hosted:
    """The pictures behind the URLs; those longest unused go when all together outgrow `_MAX_HOSTED`."""

    def __init__(self) -> None:
        self._files: OrderedDict[str, bytes] = OrderedDict()
        self._size = 0
        self._lock = threading.Lock()

    def put(self, name: str, content: bytes) -> None:
        with self._lock:
            self._size += len(content) - len(self._files.pop(name, b""))
            self._files[name] = content
            while self._size > _MAX_HOSTED:
                self._size -= len(self._files.popitem(last=False)[1])

    def get(self, name: str) -> bytes | None:
        with self._lock:
            if name in self._files:
                self._files.move_to_end(name)
            return self._files.get(name)


class _Api:
    """The API without its sockets."""

    def __init__(self, *, latency: float, api_key: str | None) -> None:
        self.base_url = ""
        self.closing = threading.Event()
        self._latency = latency
        self._api_key = api_key
        self._hosted = _Hosted()
        self._records: deque[ReceivedRequest] = deque(maxlen=_MAX_RECORDS)
        self._lock = threading.Lock()

    def records(self) -> tuple[ReceivedRequest, ...]:
        with self._lock:
            return tuple(self._records)

    def answer(self, method: str, path: str, headers: Message, read_body: Callable[[], bytes]) -> _Reply:
        """The reply to one request, recorded before it is sent; lets what `read_body` raises out."""
        body = None
        try:
            body = _json_object(read_body())
            reply = self._route(method, path, headers, body)
        except _ApiError as error:
            reply = error.reply
        with self._lock:
            self._records.append(ReceivedRequest(method, path, body, reply.status))
        log.debug("Sandbox: %s %r %d", method, path, reply.status)
        return reply

    def _route(self, method: str, path: str, headers: Message, body: dict[str, Any] | None) -> _Reply:
        route = path.removeprefix(PREFIX) if path.startswith(f"{PREFIX}/") else ""
        allowed = _methods(route)
        if not allowed:
            raise _ApiError(404, f"Invalid URL ({method} {path}). The API is under {PREFIX}.")
        if method not in allowed:
            message = f"Not allowed to {method} on {path}. Use {allowed[0]}."
            raise _ApiError(405, message, code="method_not_allowed", allow=", ".join(allowed))
        if route.startswith("/files/"):
            return self._file(route.removeprefix("/files/"))
        self._check_key(headers.get("Authorization", ""))
        if method != "POST":
            return _models(unquote(route.removeprefix("/models").removeprefix("/")))
        if headers.get_content_type() != "application/json":
            message = "Unsupported content type. This API method only accepts 'application/json' requests."
            raise _ApiError(400, message, code="unsupported_content_type")
        if body is None:
            raise _ApiError(400, "We could not parse the body of your request. Send one JSON object.")
        order = _checked(body)
        self.closing.wait(self._latency)
        return _Reply(200, json.dumps(self._generate(order)).encode())

    def _check_key(self, authorization: str) -> None:
        scheme, _, key = authorization.partition(" ")
        if scheme.lower() != "bearer" or not key.strip():
            message = "You didn't provide an API key. Send it as Authorization: Bearer YOUR_KEY."
            raise _ApiError(401, message, code="invalid_api_key")
        sent = key.strip().encode("latin-1", "replace")  # http.server decoded it so
        if self._api_key is not None and not hmac.compare_digest(sent, self._api_key.encode()):
            raise _ApiError(401, "Incorrect API key provided.", code="invalid_api_key")

    def _file(self, name: str) -> _Reply:
        content = self._hosted.get(name)
        if content is None:
            raise _ApiError(404, "There is no such file, or it has expired.", code="not_found")
        return _Reply(200, content, media_type="image/png" if name.endswith(".png") else "image/webp")

    def _generate(self, order: _Order) -> dict[str, Any]:
        data: list[dict[str, str]] = []
        for index in range(order.n):
            content = order.draw(index)
            if order.as_base64:
                entry = {"b64_json": base64.b64encode(content).decode()}
            else:
                self._hosted.put(order.file_name(index), content)
                entry = {"url": f"{self.base_url}/files/{order.file_name(index)}"}
            if order.model == "dall-e-3":
                entry["revised_prompt"] = order.prompt
            data.append(entry)
        return {"created": int(time.time()), "data": data}


def _methods(route: str) -> tuple[str, ...]:
    """The methods that a route takes; empty where there is no such route."""
    if route == "/images/generations":
        return ("POST",)
    return ("GET", "HEAD") if re.fullmatch(r"/models(/[^/]+)?|/files/[^/]+", route) else ()


def _models(name: str) -> _Reply:
    entries = {
        model: {"id": model, "object": "model", "created": 1_700_000_000, "owned_by": "sandbox"} for model in MODELS
    }
    if name and name not in entries:
        raise _ApiError(404, "The model does not exist.", code="model_not_found", param="model")
    answer = entries[name] if name else {"object": "list", "data": list(entries.values())}
    return _Reply(200, json.dumps(answer).encode())


def _json_object(content: bytes) -> dict[str, Any] | None:
    """The object in a body; None for all else, lone surrogates, NaN and endless nesting included."""
    try:
        value = json.loads(content.decode())
        # Python reads more than JSON allows; what it cannot write again was not JSON.
        json.dumps(value, ensure_ascii=False, allow_nan=False).encode()
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None


def _checked(body: dict[str, Any]) -> _Order:
    for name in body:
        if name not in _FIELDS:
            raise _ApiError(400, f"Unknown parameter: '{name}'.", code="unknown_parameter", param=name)
    model, prompt, size = (_text(body, name) for name in ("model", "prompt", "size"))
    if len(prompt) > _MAX_PROMPT:
        message = f"Invalid 'prompt': {len(prompt)} characters, and at most {_MAX_PROMPT} are taken."
        raise _ApiError(400, message, code="string_above_max_length", param="prompt")
    width, height = _pixels(size)
    n = _integer(body, "n")
    n = 1 if n is None else n
    if not 1 <= n <= 10:
        raise _invalid("n", "expected an integer from 1 to 10")
    if n > 1 and model == "dall-e-3":
        raise _invalid("n", "the model 'dall-e-3' takes only 1")
    if body.get("response_format") not in (None, "url", "b64_json"):
        raise _invalid("response_format", "expected 'url' or 'b64_json'")
    if "[refuse]" in prompt:
        message = "Your request was rejected as a result of our safety system."
        raise _ApiError(400, message, code="content_policy_violation")
    return _Order(
        prompt=prompt,
        model=model,
        width=width,
        height=height,
        n=n,
        seed=_integer(body, "seed"),
        as_base64=body.get("response_format") == "b64_json",
        digest=hashlib.sha256(json.dumps(body, sort_keys=True).encode()).hexdigest(),
    )


def _invalid(name: str, why: str, *, code: str = "invalid_value") -> _ApiError:
    return _ApiError(400, f"Invalid '{name}': {why}.", code=code, param=name)


def _text(body: dict[str, Any], name: str) -> str:
    value = body.get(name)
    if value is None:
        message = f"Missing required parameter: '{name}'."
        raise _ApiError(400, message, code="missing_required_parameter", param=name)
    if not isinstance(value, str):
        raise _invalid(name, "expected a string", code="invalid_type")
    if not value.strip():
        raise _invalid(name, "expected a string that is not empty")
    return value


def _integer(body: dict[str, Any], name: str) -> int | None:
    value = body.get(name)
    if value is not None and (isinstance(value, bool) or not isinstance(value, int)):
        raise _invalid(name, "expected an integer", code="invalid_type")
    return value


def _pixels(size: str) -> tuple[int, int]:
    match = re.fullmatch(r"([1-9][0-9]{1,3})x([1-9][0-9]{1,3})", size)
    width, height = map(int, match.groups()) if match else (0, 0)
    if not (16 <= width <= 4096 and 16 <= height <= 4096):
        raise _invalid("size", "expected WIDTHxHEIGHT, each from 16 to 4096 pixels, such as 1280x720")
    return width, height


class _Handler(BaseHTTPRequestHandler):
    """The framing: reads requests off one connection and writes the replies."""

    server: _Server
    protocol_version = "HTTP/1.1"
    server_version = "qhaigc-sandbox"
    sys_version = ""
    timeout = 20  # seconds that one read or write may take
    linger = 1.0  # seconds
    disable_nagle_algorithm = True  # head and body are two writes; Nagle would hold the second back for 40 ms

    def _answer(self) -> None:
        path = self.path.partition("?")[0]
        self._send(self.server.api.answer(self.command, path, self.headers, self._read_body))

    # The names that http.server looks for.
    do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = do_OPTIONS = _answer  # noqa: N815

    def _read_body(self) -> bytes:
        """The body, read whatever becomes of it: what follows on the connection is then the next request."""
        lengths = set(self.headers.get_all("Content-Length", []))
        length = lengths.pop() if lengths else ""
        if "Transfer-Encoding" in self.headers or (self.command == "POST" and not length):
            raise self._unreadable(411, "Send the body with a Content-Length, not in chunks.")
        if lengths or not re.fullmatch(r"[0-9]*", length):
            raise self._unreadable(400, "Content-Length is not one number.")
        if len(length) > 15 or int(length or "0") > _MAX_BODY:
            raise self._unreadable(413, f"The body is larger than {_MAX_BODY} bytes.")
        content = self.rfile.read(int(length or "0"))
        if len(content) < int(length or "0"):
            raise ConnectionResetError("The client hung up within the body.")
        return content

    def _unreadable(self, status: int, message: str) -> _ApiError:
        self.close_connection = True
        return _ApiError(status, message)

    def _send(self, reply: _Reply) -> None:
        self.send_response(reply.status)
        self.send_header("Content-Type", reply.media_type)
        self.send_header("Content-Length", str(len(reply.content)))
        self.send_header("X-Qhaigc-Sandbox", "true")
        self.send_header("x-request-id", f"req_{uuid.uuid4().hex}")
        for name, value in reply.headers.items():
            self.send_header(name, value)
        if self.close_connection:
            self.send_header("Connection", "close")
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(reply.content)

    def send_error(self, code: int, message: str | None = None, explain: str | None = None) -> None:
        """Answers what http.server itself turns away: heads malformed or too long, unknown methods."""
        self.request_version = self.protocol_version  # a malformed line counts as HTTP/0.9: no status line
        self._send(self._unreadable(code, message or "Malformed request.").reply)

    def log_message(self, *_args: object) -> None:
        """Keeps http.server's own lines off stderr."""

    def finish(self) -> None:
        """Ends the connection so that the last reply arrives: closing it over unread bytes would reset it."""
        super().finish()
        with suppress(OSError):
            self.connection.shutdown(socket.SHUT_WR)
            self.connection.settimeout(self.linger)
            until = time.monotonic() + self.linger
            while self.connection.recv(65536) and time.monotonic() < until:
                pass


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 64

    def __init__(self, port: int, api: _Api) -> None:
        self.api = api
        self._connections: set[socket.socket] = set()
        self._lock = threading.Lock()
        super().__init__(("127.0.0.1", port), _Handler)

    def server_bind(self) -> None:
        """Binds without HTTPServer's reverse look-up of the host name, which may take seconds."""
        TCPServer.server_bind(self)
        self.server_name, self.server_port = "127.0.0.1", self.server_address[1]

    def get_request(self) -> tuple[socket.socket, Any]:
        connection, address = super().get_request()
        with self._lock:
            self._connections.add(connection)
        return connection, address

    def shutdown_request(self, request: Any) -> None:
        with self._lock:
            self._connections.discard(request)
        super().shutdown_request(request)

    def server_close(self) -> None:
        """Ends the open connections too: kept-alive ones would go on being answered."""
        super().server_close()
        with self._lock:
            for connection in self._connections:
                with suppress(OSError):
                    connection.shutdown(socket.SHUT_RDWR)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Keeps clients that hang up off stderr, where socketserver would write a traceback."""
        log.debug("Sandbox: a connection ended with %s", sys.exc_info()[0])
