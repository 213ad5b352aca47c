"""The sandbox's Images API without sockets: from a request to a reply, checked as strictly as by the real one."""

from __future__ import annotations

import base64
import hmac
import json
import logging
import re
import threading
import time
from collections import OrderedDict, deque
from collections.abc import Callable
from dataclasses import dataclass
from email.message import Message
from typing import Any
from urllib.parse import unquote

from mkdocs_qhaigc.sandbox.generation_request import VARIANT_HEADER, GenerationRequest, checked
from mkdocs_qhaigc.sandbox.read_reference_images import read_edit, recorded, take_images
from mkdocs_qhaigc.sandbox.replies import Rejection, Reply
from mkdocs_qhaigc.sandbox.tasks import Tasks

log = logging.getLogger("mkdocs.plugins.mkdocs_qhaigc.sandbox")

PREFIX = "/sandbox/v1"
MODELS = ("qh-draw-x2-preview", "qh-draw-x1-pro", "dall-e-3", "即梦4.0", "nano-banana-2")
"""Those of Qhaigc, listed by `GET /models`. A generation accepts any other name, too: see `models`."""

MAX_BODY = 64 * 1024 * 1024  # bytes: reference images are part of it
_MAX_HOSTED = 256 * 1024 * 1024  # bytes
_MAX_RECORDS = 10_000


@dataclass(frozen=True, slots=True)
class ReceivedRequest:
    """One request as it arrived, without its headers and so without the key."""

    method: str
    path: str
    """Without the query."""
    body: dict[str, Any] | None
    """The JSON object that was sent, even if it was rejected, or the fields of a form; `None` if there was none.

    Reference images are replaced by their digests: `sha256:HEX`.
    """
    status: int
    """Of the reply."""


@dataclass(slots=True)
class _Received:
    """A request as far as it has been read."""

    body: dict[str, Any] | None


class _Hosted:
    """The images behind the URLs; the least recently used are dropped when all exceed `_MAX_HOSTED` bytes."""

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


class Api:
    """The API without sockets."""

    def __init__(self, *, latency: float, api_key: str | None, tasks: bool) -> None:
        self.base_url = ""
        self.closing = threading.Event()
        self._latency = latency
        self._api_key = api_key
        self._tasks = Tasks(seconds=latency, generate=self._generate) if tasks else None
        self._hosted = _Hosted()
        self._records: deque[ReceivedRequest] = deque(maxlen=_MAX_RECORDS)
        self._lock = threading.Lock()

    def records(self) -> tuple[ReceivedRequest, ...]:
        """Return the requests answered so far."""
        with self._lock:
            return tuple(self._records)

    def answer(self, method: str, path: str, headers: Message, read_body: Callable[[], bytes]) -> Reply:
        """Return the reply to one request, which is recorded first. Raises what `read_body` raises."""
        received = _Received(None)
        try:
            content = read_body()
            received.body = _json_object(content)
            reply = self._route(method, path, headers, content, received)
        except Rejection as error:
            reply = error.reply
        with self._lock:
            self._records.append(ReceivedRequest(method, path, received.body, reply.status))
        log.debug("Sandbox: %s %r %d", method, path, reply.status)
        return reply

    def _route(self, method: str, path: str, headers: Message, content: bytes, received: _Received) -> Reply:
        route = path.removeprefix(PREFIX) if path.startswith(f"{PREFIX}/") else ""
        allowed = _methods(route, tasks=self._tasks is not None)
        if not allowed:
            raise Rejection(404, f"Invalid URL ({method} {path}). The API is under {PREFIX}.")
        if method not in allowed:
            message = f"Not allowed to {method} on {path}. Use {allowed[0]}."
            raise Rejection(405, message, code="method_not_allowed", allow=", ".join(allowed))
        if route.startswith("/files/"):
            return self._file(route.removeprefix("/files/"))
        self._check_key(headers.get("Authorization", ""))
        if route.startswith("/tasks/") and self._tasks:
            return self._tasks.report(unquote(route.removeprefix("/tasks/")))
        if method != "POST":
            return _models(unquote(route.removeprefix("/models").removeprefix("/")))
        edits = route == "/images/edits"
        accepted = "multipart/form-data" if edits else "application/json"
        if headers.get_content_type() != accepted:
            message = f"Unsupported content type. This API method only accepts '{accepted}' requests."
            raise Rejection(400, message, code="unsupported_content_type")
        if edits:
            fields, images = read_edit(headers, content)
            received.body = recorded(fields, images, "image[]")
        elif received.body is None:
            raise Rejection(400, "We could not parse the body of your request. Send one JSON object.")
        else:
            fields, images = take_images(received.body)
            received.body = recorded(fields, images, "image")
        generation = checked(fields, headers.get(VARIANT_HEADER, "1"), images)
        if self._tasks:
            return self._tasks.order(generation)
        began = time.monotonic()
        answer = json.dumps(self._generate(generation) | generation.about(fields)).encode()
        self.closing.wait(max(0.0, began + self._latency - time.monotonic()))
        return Reply(200, answer)

    def _check_key(self, authorization: str) -> None:
        scheme, _, key = authorization.partition(" ")
        if scheme.lower() != "bearer" or not key.strip():
            message = "You didn't provide an API key. Send it as Authorization: Bearer YOUR_KEY."
            raise Rejection(401, message, code="invalid_api_key")
        sent = key.strip().encode("latin-1", "replace")  # http.server decoded it so
        if self._api_key is not None and not hmac.compare_digest(sent, self._api_key.encode()):
            raise Rejection(401, "Incorrect API key provided.", code="invalid_api_key")

    def _file(self, name: str) -> Reply:
        content = self._hosted.get(name)
        if content is None:
            raise Rejection(404, "There is no such file, or it has expired.", code="not_found")
        return Reply(200, content, media_type=f"image/{name.rpartition('.')[2]}")

    def _generate(self, request: GenerationRequest) -> dict[str, Any]:
        data: list[dict[str, str]] = []
        for index in range(request.first, request.first + request.n):
            content = request.draw(index)
            if request.as_base64:
                entry = {"b64_json": base64.b64encode(content).decode()}
            else:
                self._hosted.put(request.file_name(index), content)
                entry = {"url": f"{self.base_url}/files/{request.file_name(index)}"}
            if request.model == "dall-e-3":
                entry["revised_prompt"] = request.prompt
            data.append(entry)
        return {"created": int(time.time()), "data": data}


def _methods(route: str, *, tasks: bool) -> tuple[str, ...]:
    """Return the methods that a route accepts; empty if there is no such route."""
    if route in ("/images/generations", "/images/edits"):
        return ("POST",)
    if tasks and re.fullmatch(r"/tasks/[^/]+", route):
        return ("GET",)
    return ("GET", "HEAD") if re.fullmatch(r"/models(/[^/]+)?|/files/[^/]+", route) else ()


def _models(name: str) -> Reply:
    entries = {
        model: {"id": model, "object": "model", "created": 1_700_000_000, "owned_by": "sandbox"} for model in MODELS
    }
    if name and name not in entries:
        raise Rejection(404, "The model does not exist.", code="model_not_found", param="model")
    answer = entries[name] if name else {"object": "list", "data": list(entries.values())}
    return Reply(200, json.dumps(answer).encode())


def _json_object(content: bytes) -> dict[str, Any] | None:
    """Return the JSON object in a body; `None` for anything else, lone surrogates, NaN and endless nesting included."""
    try:
        value = json.loads(content.decode())
        # Python reads more than JSON allows: a value that it cannot write again was not JSON.
        json.dumps(value, ensure_ascii=False, allow_nan=False).encode()
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None
