"""A real HTTP server that answers as an Images API might, well or badly: what a test tells it to.

It is no sandbox: what it sells counts as real, so that tests see what happens to pictures that cost money.
"""

from __future__ import annotations

import base64
import hashlib
import io
import json
import socket
import struct
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from PIL import Image, ImageDraw

Behaviour = Callable[["Handler", dict[str, Any]], None]
KEY = "test-key-0123456789abcdef"


def picture(words: str, width: int, height: int, format: str = "PNG") -> bytes:
    """A small picture that differs by its words."""
    seed = hashlib.sha256(words.encode()).digest()
    image = Image.new("RGB", (width, height), tuple(seed[:3]))
    draw = ImageDraw.Draw(image)
    for index in range(3, 27, 4):
        x, y = seed[index] * width // 255, seed[index + 1] * height // 255
        draw.ellipse(
            (x - width // 5, y - height // 5, x + width // 5, y + height // 5), fill=tuple(seed[index : index + 3])
        )
    target = io.BytesIO()
    image.save(target, format)
    return target.getvalue()


class Handler(BaseHTTPRequestHandler):
    """One connection."""

    protocol_version = "HTTP/1.1"
    server: Server

    def log_message(self, format: str, *args: Any) -> None:
        pass

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        api = self.server.api
        with api.lock:
            api.calls.append(body)
            api.keys.append(self.headers.get("Authorization", ""))
            behaviour = api.script.pop(0) if api.script else api.default
        api.called.set()
        behaviour(self, body)

    def do_GET(self) -> None:
        api = self.server.api
        with api.lock:
            api.fetches.append(self.path)
            api.fetch_headers.append(dict(self.headers.items()))
            behaviour = api.fetch_script.pop(0) if api.fetch_script else None
            data = api.hosted.get(self.path)
        if behaviour:
            behaviour(self, {"data": data})
        elif data is None:
            self.send(404, {"error": {"message": "no such file"}})
        else:
            self.send_bytes(200, data, "image/png")

    def send(self, status: int, body: Any, headers: dict[str, str] | None = None) -> None:
        self.send_bytes(status, json.dumps(body).encode(), "application/json", headers)

    def send_bytes(self, status: int, data: bytes, media_type: str, headers: dict[str, str] | None = None) -> None:
        self.send_response(status)
        self.send_header("Content-Type", media_type)
        self.send_header("Content-Length", str(len(data)))
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(data)

    def reset(self) -> None:
        """Cut the connection as a crashed server does."""
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.connection.close()
        self.close_connection = True


class Server(ThreadingHTTPServer):
    daemon_threads = True
    api: ImagesApi

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that went away is what many tests are about."""


class ImagesApi:
    """The server, what it was asked, and what it will do next."""

    def __init__(self, default: Behaviour | None = None) -> None:
        self.lock = threading.Lock()
        self.calls: list[dict[str, Any]] = []
        """Bodies of the generation requests, in order of arrival."""
        self.keys: list[str] = []
        self.fetches: list[str] = []
        self.fetch_headers: list[dict[str, str]] = []
        self.hosted: dict[str, bytes] = {}
        self.script: list[Behaviour] = []
        """What the next generation requests meet; `default` after that."""
        self.fetch_script: list[Behaviour] = []
        self.called = threading.Event()
        self.default: Behaviour = default or by_url
        self._server = Server(("127.0.0.1", 0), Handler)
        self._server.api = self
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)

    @property
    def origin(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    @property
    def base_url(self) -> str:
        return f"{self.origin}/v1"

    @property
    def prompts(self) -> list[str]:
        return [call["prompt"] for call in self.calls]

    def host(self, data: bytes) -> str:
        """Return the path under which bytes are served from now on."""
        path = f"/files/{hashlib.sha256(data).hexdigest()[:16]}.png"
        self.hosted[path] = data
        return path

    def __enter__(self) -> ImagesApi:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


def _drawn(body: dict[str, Any]) -> bytes:
    width, height = (int(side) for side in body["size"].split("x"))
    return picture(body["prompt"], width, height)


def by_url(handler: Handler, body: dict[str, Any]) -> None:
    api = handler.server.api
    url = api.origin + api.host(_drawn(body))
    handler.send(200, {"created": 1, "data": [{"url": url}]})


def by_base64(handler: Handler, body: dict[str, Any]) -> None:
    handler.send(200, {"created": 1, "data": [{"b64_json": base64.b64encode(_drawn(body)).decode()}]})


def bytes_by_url(data: bytes) -> Behaviour:
    """Answer with the address of any bytes."""

    def behave(handler: Handler, body: dict[str, Any]) -> None:
        api = handler.server.api
        handler.send(200, {"created": 1, "data": [{"url": api.origin + api.host(data)}]})

    return behave


def answer(status: int, body: Any = None, **headers: str) -> Behaviour:
    """Answer with JSON; `retry_after="1"` becomes a header."""

    def behave(handler: Handler, _: dict[str, Any]) -> None:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        handler.send(status, body if body is not None else {"error": {"message": f"status {status}"}}, named)

    return behave


def raw(status: int, data: bytes, media_type: str, **headers: str) -> Behaviour:
    """Answer with any bytes."""

    def behave(handler: Handler, _: dict[str, Any]) -> None:
        handler.send_bytes(status, data, media_type, {n.replace("_", "-"): v for n, v in headers.items()})

    return behave


def error(status: int, code: str, message: str = "the server's words", **headers: str) -> Behaviour:
    """Answer with OpenAI's error body."""
    body = {"error": {"message": message, "type": "invalid_request_error", "code": code, "param": None}}
    return answer(status, body, **headers)


def disconnect(handler: Handler, _: dict[str, Any]) -> None:
    """Take the request and cut the connection."""
    handler.reset()


def waits_for(event: threading.Event, then: Behaviour = by_url) -> Behaviour:
    """Answer when the event is set."""

    def behave(handler: Handler, body: dict[str, Any]) -> None:
        event.wait(60)
        then(handler, body)

    return behave
