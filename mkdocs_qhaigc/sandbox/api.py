"""The Images API of the sandbox without its sockets: from a request to a reply, checked as strictly as the real one."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import logging
import re
import threading
import time
from collections import OrderedDict, deque
from collections.abc import Callable
from dataclasses import dataclass, field
from email.message import Message
from typing import Any, Literal
from urllib.parse import unquote

log = logging.getLogger("mkdocs.plugins.mkdocs_qhaigc.sandbox")

PREFIX = "/sandbox/v1"
MODELS = ("qh-draw-x2-preview", "qh-draw-x1-pro", "dall-e-3", "即梦4.0")
"""What `GET /models` lists. A generation takes any other name too."""

VARIANT_HEADER = "X-Qhaigc-Variant"
"""What a real API gives by chance, another picture each time, the sandbox gives by this number: 1, 2, 3 …"""
_FIELDS = frozenset(
    {"model", "prompt", "n", "size", "response_format", "quality", "style", "user", "background"}
    | {"moderation", "output_format", "output_compression", "seed", "negative_prompt"}
)
MAX_BODY = 1024 * 1024  # bytes
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


@dataclass(frozen=True, slots=True)
class Reply:
    """What is sent back."""

    status: int
    content: bytes
    media_type: str = "application/json"
    headers: dict[str, str] = field(default_factory=dict)


class Rejection(Exception):  # noqa: N818 - an answer, not a fault
    """What the API answers instead of a result, in OpenAI's error form."""

    def __init__(
        self, status: int, message: str, *, code: str | None = None, param: str | None = None, allow: str = ""
    ) -> None:
        super().__init__(message)
        kind = "server_error" if status >= 500 else "invalid_request_error"
        error = {"message": message, "type": kind, "param": param, "code": code}
        self.reply = Reply(status, json.dumps({"error": error}).encode(), headers={"Allow": allow} if allow else {})


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
    first: int
    """Index of the first picture: independent pictures of one prompt are asked for one by one."""
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
            raise Rejection(500, f"The picture could not be drawn: {type(error).__name__}.") from error

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
        order = _checked(body, headers.get(VARIANT_HEADER, "1"))
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

    def _generate(self, order: _Order) -> dict[str, Any]:
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


def _checked(body: dict[str, Any], variant: str) -> _Order:
    if not re.fullmatch(r"[1-9][0-9]{0,4}", variant):
        raise _invalid(VARIANT_HEADER, "expected a whole number from 1")
    for name in body:
        if name not in _FIELDS:
            raise Rejection(400, f"Unknown parameter: '{name}'.", code="unknown_parameter", param=name)
    model, prompt, size = (_text(body, name) for name in ("model", "prompt", "size"))
    if len(prompt) > _MAX_PROMPT:
        message = f"Invalid 'prompt': {len(prompt)} characters, and at most {_MAX_PROMPT} are taken."
        raise Rejection(400, message, code="string_above_max_length", param="prompt")
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
        raise Rejection(400, message, code="content_policy_violation")
    return _Order(
        prompt=prompt,
        model=model,
        width=width,
        height=height,
        n=n,
        seed=_integer(body, "seed"),
        first=int(variant) - 1,
        as_base64=body.get("response_format") == "b64_json",
        digest=hashlib.sha256(json.dumps(body, sort_keys=True).encode()).hexdigest(),
    )


def _invalid(name: str, why: str, *, code: str = "invalid_value") -> Rejection:
    return Rejection(400, f"Invalid '{name}': {why}.", code=code, param=name)


def _text(body: dict[str, Any], name: str) -> str:
    value = body.get(name)
    if value is None:
        message = f"Missing required parameter: '{name}'."
        raise Rejection(400, message, code="missing_required_parameter", param=name)
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
