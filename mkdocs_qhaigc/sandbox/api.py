"""The Images API of the sandbox without its sockets: from a request to a reply, checked as strictly as the real one."""

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

from mkdocs_qhaigc.sandbox.replies import Rejection, Reply
from mkdocs_qhaigc.sandbox.requests import VARIANT_HEADER, GenerationRequest, checked

log = logging.getLogger("mkdocs.plugins.mkdocs_qhaigc.sandbox")

PREFIX = "/sandbox/v1"
MODELS = ("qh-draw-x2-preview", "qh-draw-x1-pro", "dall-e-3", "即梦4.0")
"""The models that `GET /models` lists. A generation accepts any other name, too."""

MAX_BODY = 1024 * 1024  # bytes
_MAX_HOSTED = 256 * 1024 * 1024  # bytes
_MAX_RECORDS = 10_000


@dataclass(frozen=True, slots=True)
class ReceivedRequest:
    """One request as it arrived, without its headers and so without the key."""

    method: str
    path: str
    """Without the query."""
    body: dict[str, Any] | None
    """The JSON object that was sent, also if it was rejected; `None` if there was none."""
    status: int
    """The HTTP status of the response."""


class _Hosted:
    """The images behind the URLs; those longest unused go when all together outgrow `_MAX_HOSTED`."""

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
        """The requests answered so far."""
        with self._lock:
            return tuple(self._records)

    def answer(self, method: str, path: str, headers: Message, read_body: Callable[[], bytes]) -> Reply:
        """The reply to one request, recorded before it is sent; lets what `read_body` raises out."""
        body = None
        try:
            body = _json_object(read_body())
            reply = self._route(method, path, headers, body)
        except Rejection as error:
            reply = error.reply
        with self._lock:
            self._records.append(ReceivedRequest(method, path, body, reply.status))
        log.debug("Sandbox: %s %r %d", method, path, reply.status)
        return reply

    def _route(self, method: str, path: str, headers: Message, body: dict[str, Any] | None) -> Reply:
        route = path.removeprefix(PREFIX) if path.startswith(f"{PREFIX}/") else ""
        allowed = _methods(route)
        if not allowed:
            raise Rejection(404, f"Invalid URL ({method} {path}). The API is under {PREFIX}.")
        if method not in allowed:
            message = f"Not allowed to {method} on {path}. Use {allowed[0]}."
            raise Rejection(405, message, code="method_not_allowed", allow=", ".join(allowed))
        if route.startswith("/files/"):
            return self._file(route.removeprefix("/files/"))
        self._check_key(headers.get("Authorization", ""))
        if method != "POST":
            return _models(unquote(route.removeprefix("/models").removeprefix("/")))
        if headers.get_content_type() != "application/json":
            message = "Unsupported content type. This API method only accepts 'application/json' requests."
            raise Rejection(400, message, code="unsupported_content_type")
        if body is None:
            raise Rejection(400, "We could not parse the body of your request. Send one JSON object.")
        order = checked(body, headers.get(VARIANT_HEADER, "1"))
        began = time.monotonic()
        content = json.dumps(self._generate(order)).encode()
        self.closing.wait(max(0.0, began + self._latency - time.monotonic()))
        return Reply(200, content)

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
        return Reply(200, content, media_type="image/png" if name.endswith(".png") else "image/webp")

    def _generate(self, order: GenerationRequest) -> dict[str, Any]:
        data: list[dict[str, str]] = []
        for index in range(order.first, order.first + order.n):
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


def _models(name: str) -> Reply:
    entries = {
        model: {"id": model, "object": "model", "created": 1_700_000_000, "owned_by": "sandbox"} for model in MODELS
    }
    if name and name not in entries:
        raise Rejection(404, "The model does not exist.", code="model_not_found", param="model")
    answer = entries[name] if name else {"object": "list", "data": list(entries.values())}
    return Reply(200, json.dumps(answer).encode())


def _json_object(content: bytes) -> dict[str, Any] | None:
    """The object in a body; None for all else, lone surrogates, NaN and endless nesting included."""
    try:
        value = json.loads(content.decode())
        # Python reads more than JSON allows; what it cannot write again was not JSON.
        json.dumps(value, ensure_ascii=False, allow_nan=False).encode()
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None
