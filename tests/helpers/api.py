"""A real HTTP server that answers as an Images API might, well or badly: what a test tells it to.

It is no sandbox: what it sells counts as real, so that tests see what happens to images that cost money. As every
real API does, it draws another image each time it is asked, for the same prompt too: `ImagesApi.drawn` has them all.
"""

from __future__ import annotations

import base64
import hashlib
import io
import itertools
import json
import socket
import ssl
import struct
import threading
import time
from collections import defaultdict
from collections.abc import Callable
from email.parser import BytesParser
from email.policy import HTTP
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from PIL import Image, ImageDraw

Behaviour = Callable[["Handler", dict[str, Any]], None]
KEY = "test-key-0123456789abcdef"
_serial = itertools.count(1)
"""Numbers of the drawings, of all servers of this process."""


def draw(words: str, width: int, height: int, format: str = "PNG") -> bytes:
    """A small image that differs by its words; the same for the same words. For an answer, see `ImagesApi.draw`."""
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
        raw = self.rfile.read(int(self.headers["Content-Length"]))
        body = _form(raw, self.headers["Content-Type"]) or json.loads(raw)
        api = self.server.api
        with api.lock:
            api.calls.append(body)
            api.sent.append((self.path, self.headers["Content-Type"], raw))
            api.moments.append(time.monotonic())
            api.keys.append(self.headers.get("Authorization", ""))
            script = api.by_prompt.get(body["prompt"], api.script)
            behaviour = script.pop(0) if script else api.default
        api.called.set()
        behaviour(self, body)

    def do_GET(self) -> None:
        api = self.server.api
        with api.lock:
            api.fetches.append(self.path)
            api.fetch_headers.append(dict(self.headers.items()))
            script = api.by_path.get(self.path, api.fetch_script)
            behaviour = script.pop(0) if script else None
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


def _form(raw: bytes, media_type: str) -> dict[str, Any]:
    """Return the fields of a multipart form, by the standard library's parser of mails; empty for another body."""
    head = f"MIME-Version: 1.0\r\nContent-Type: {media_type}\r\n\r\n".encode()
    form = BytesParser(policy=HTTP).parsebytes(head + raw)
    fields: dict[str, Any] = {}
    for part in form.iter_parts() if form.is_multipart() else ():
        content = part.get_payload(decode=True)
        assert isinstance(content, bytes)
        name = part.get_param("name", header="Content-Disposition")
        if part.get_filename():
            fields.setdefault(str(name), []).append(content)
        else:
            fields[str(name)] = int(content) if name == "n" else content.decode()
    return fields


class Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128  # the default of 5 lets connections wait that come at once
    api: ImagesApi

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that went away is what many tests are about."""


def asked_for(body: dict[str, Any]) -> str:
    """Return all fields of a request that distinguish its image from others."""
    return repr(sorted((name, value) for name, value in body.items() if name not in ("n", "response_format")))


class ImagesApi:
    """The server, what it was asked, and what it will do next."""

    def __init__(self, default: Behaviour | None = None, *, tls: ssl.SSLContext | None = None) -> None:
        """With `tls`, it talks nothing else."""
        self.lock = threading.Lock()
        self.calls: list[dict[str, Any]] = []
        """Bodies of the generation requests, in order of arrival; of a form, its fields, and the bytes of `image[]`."""
        self.sent: list[tuple[str, str, bytes]] = []
        """Path, media type and bytes of each of them."""
        self.moments: list[float] = []
        """When each of them arrived, on `time.monotonic()`'s clock."""
        self.keys: list[str] = []
        self.fetches: list[str] = []
        self.fetch_headers: list[dict[str, str]] = []
        self.hosted: dict[str, bytes] = {}
        """Path -> the bytes that every fetch of it gets."""
        self.drawn: defaultdict[str, list[bytes]] = defaultdict(list)
        """Prompt -> what was drawn for it, in order: no two images are the same."""
        self.sold: defaultdict[str, list[bytes]] = defaultdict(list)
        """What was asked for, as `asked_for` has it -> what was drawn for it."""
        self.script: list[Behaviour] = []
        """What the next generation requests meet; `default` after that."""
        self.by_prompt: dict[str, list[Behaviour]] = {}
        """What the next requests with a prompt meet; those with other prompts meet `script`."""
        self.fetch_script: list[Behaviour] = []
        self.by_path: dict[str, list[Behaviour]] = {}
        """What the next fetches of a path meet; those of other paths meet `fetch_script`."""
        self.closed = threading.Event()
        self.dripped: list[float] = []
        """Seconds for which each dripping answer was listened to."""
        self.called = threading.Event()
        self.default: Behaviour = default or by_url
        self._server = Server(("127.0.0.1", 0), Handler)
        self._server.api = self
        self._scheme = "https" if tls else "http"
        if tls:
            self._server.socket = tls.wrap_socket(self._server.socket, server_side=True)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)

    @property
    def origin(self) -> str:
        return f"{self._scheme}://127.0.0.1:{self._server.server_address[1]}"

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

    def draw(self, body: dict[str, Any], *, size: str = "", format: str = "PNG") -> bytes:
        """Return an image that nobody has seen before, in the size that is asked for or in another one."""
        width, height = (int(side) for side in (size or body["size"]).split("x"))
        data = draw(f"{body['prompt']} {next(_serial)}", width, height, format)
        with self.lock:
            self.drawn[body["prompt"]].append(data)
            self.sold[asked_for(body)].append(data)
        return data

    def __enter__(self) -> ImagesApi:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.closed.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


def by_url(handler: Handler, body: dict[str, Any]) -> None:
    api = handler.server.api
    url = api.origin + api.host(api.draw(body))
    handler.send(200, {"created": 1, "data": [{"url": url}]})


def by_base64(handler: Handler, body: dict[str, Any]) -> None:
    data = handler.server.api.draw(body)
    handler.send(200, {"created": 1, "data": [{"b64_json": base64.b64encode(data).decode()}]})


def in_size(size: str, format: str = "PNG") -> Behaviour:
    """Answer with images of this size, whatever was asked for."""

    def behave(handler: Handler, body: dict[str, Any]) -> None:
        api = handler.server.api
        url = api.origin + api.host(api.draw(body, size=size, format=format))
        handler.send(200, {"created": 1, "data": [{"url": url}]})

    return behave


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


def by_prompt(scripts: dict[str, list[Behaviour]]) -> Behaviour:
    """Answer each prompt with its own script, and with the script's last behaviour from then on."""
    left = {prompt: list(script) for prompt, script in scripts.items()}

    def behave(handler: Handler, body: dict[str, Any]) -> None:
        with handler.server.api.lock:
            script = left[body["prompt"]]
            behaviour = script.pop(0) if len(script) > 1 else script[0]
        behaviour(handler, body)

    return behave


def waits_for(event: threading.Event, then: Behaviour = by_url) -> Behaviour:
    """Answer when the event is set."""

    def behave(handler: Handler, body: dict[str, Any]) -> None:
        event.wait(60)
        then(handler, body)

    return behave


def served(*fetches: Behaviour) -> Behaviour:
    """Answer with an address whose next fetches meet these, and then the image."""

    def behave(handler: Handler, body: dict[str, Any]) -> None:
        api = handler.server.api
        path = api.host(api.draw(body))
        api.by_path[path] = list(fetches)
        handler.send(200, {"created": 1, "data": [{"url": api.origin + path}]})

    return behave


def hang(handler: Handler, _: dict[str, Any]) -> None:
    """Take the request and never answer."""
    handler.server.api.closed.wait(60)
    handler.close_connection = True


def drip(start: bytes) -> Behaviour:
    """Send a beginning, and then four bytes a second for a minute, or until nobody listens any more."""

    def behave(handler: Handler, _: dict[str, Any]) -> None:
        api = handler.server.api
        began = time.monotonic()
        handler.close_connection = True
        try:
            handler.wfile.write(start)
            while time.monotonic() < began + 60 and not api.closed.wait(0.25):
                handler.wfile.write(b"x")
        finally:
            api.dripped.append(time.monotonic() - began)

    return behave


def stream(media_type: str, size: int) -> Behaviour:
    """Answer with so many zero bytes, or as many of them as anybody takes."""

    def behave(handler: Handler, _: dict[str, Any]) -> None:
        handler.send_response(200)
        handler.send_header("Content-Type", media_type)
        handler.send_header("Content-Length", str(size))
        handler.end_headers()
        handler.close_connection = True
        for _mebibyte in range(size >> 20):
            handler.wfile.write(bytes(1 << 20))

    return behave


def redirect(location: str) -> Behaviour:
    """Send on to another address."""
    return raw(302, b"", "text/plain", Location=location)


def several(handler: Handler, body: dict[str, Any]) -> None:
    """Answer with as many images as `n` asks for, each another one."""
    api = handler.server.api
    images = [api.draw(body) for _ in range(body["n"])]
    handler.send(200, {"created": 1, "data": [{"url": api.origin + api.host(data)} for data in images]})


def one_at_a_time(handler: Handler, body: dict[str, Any]) -> None:
    """Answer as a model that takes only 1 image a call."""
    then = several if body["n"] == 1 else error(400, "invalid_value", "This model supports one image per request.")
    then(handler, body)
