"""Images APIs that are not ours: programs that are installed and started, and two services as they answer.

`Ark` and the relay are written after what those services were seen to do, and are as strict. What is installed is
looked for in the folder that QHAIGC_TEST_SERVICES names (`bin/litellm`, `node_modules/.bin/prism`), then in PATH.
"""

from __future__ import annotations

import base64
import contextlib
import json
import os
import re
import shutil
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from tests.helpers.api import KEY, Behaviour, Handler, ImagesApi

STARTS_WITHIN = 240
"""Seconds: LiteLLM imports for half a minute on a busy machine."""

# Programs


def program(name: str, *, package: str) -> str:
    """Return the path of a program, or skip the test if its package is not installed."""
    folder = os.environ.get("QHAIGC_TEST_SERVICES", "")
    for place in (f"{folder}/bin", f"{folder}/node_modules/.bin") if folder else ():
        if found := shutil.which(name, path=place):
            return found
    found = shutil.which(name)
    if not found:
        pytest.skip(f"{package} is not installed: see QHAIGC_TEST_SERVICES in .ci/run")
    return found


@contextlib.contextmanager
def running(command: Sequence[str], folder: Path, *, ready: str, port: int) -> Iterator[str]:
    """Run a server until the end; yield its origin once something answers at the path `ready`."""
    origin = f"http://127.0.0.1:{port}"
    environment = {key: value for key, value in os.environ.items() if not key.upper().endswith("_PROXY")}
    environment |= {"LITELLM_LOCAL_MODEL_COST_MAP": "True", "LITELLM_TELEMETRY": "False"}
    log = folder / "server.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            command, cwd=folder, env=environment, stdout=output, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL
        )
    try:
        ends = time.monotonic() + STARTS_WITHIN
        while not answers(origin + ready):
            assert process.poll() is None, log.read_text(encoding="utf-8", errors="replace")[-3000:]
            assert time.monotonic() < ends, log.read_text(encoding="utf-8", errors="replace")[-3000:]
            time.sleep(0.1)
        yield origin
    finally:
        process.terminate()
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait(20)


def answers(url: str) -> bool:
    """Whether anything answers at an address, be it an error."""
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        opener.open(url, timeout=5).close()
    except urllib.error.HTTPError:
        return True
    except OSError:
        return False
    return True


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


@contextlib.contextmanager
def litellm(folder: Path, models: Mapping[str, tuple[str, dict[str, Any]]]) -> Iterator[str]:
    """Run LiteLLM's proxy before other servers; yield its base URL.

    `models`: the `base_url` behind each, and further parameters.
    """
    command = program("litellm", package="litellm[proxy]")
    listed = [
        {
            "model_name": name,
            "litellm_params": {"model": f"openai/{name}", "api_base": base_url, "api_key": KEY, **more},
        }
        for name, (base_url, more) in models.items()
    ]
    config = {
        "model_list": listed,
        "general_settings": {"master_key": f"sk-{KEY}"},
        "litellm_settings": {"num_retries": 0},  # else it asks again by itself, for longer than a test can wait
    }
    (folder / "config.yaml").write_text(json.dumps(config), encoding="utf-8")
    port = free_port()
    arguments = ["--config", "config.yaml", "--host", "127.0.0.1", "--port", str(port), "--telemetry", "False"]
    with running([command, *arguments], folder, ready="/health/liveliness", port=port) as origin:
        yield f"{origin}/v1"


@contextlib.contextmanager
def aimock(folder: Path, answers_by_prompt: Mapping[str, dict[str, Any]]) -> Iterator[str]:
    """Run aimock, which gives the prompts of images these answers; yield its base URL."""
    command = program("aimock", package="@copilotkit/aimock (npm)")
    fixtures = [
        {"match": {"userMessage": prompt, "endpoint": "image"}, "response": response}
        for prompt, response in answers_by_prompt.items()
    ]
    (folder / "fixtures.json").write_text(json.dumps({"fixtures": fixtures}), encoding="utf-8")
    (folder / "aimock.json").write_text(json.dumps({"llm": {"fixtures": "fixtures.json"}}), encoding="utf-8")
    port = free_port()
    with running(
        [command, "--config", "aimock.json", "--port", str(port)], folder, ready="/v1/models", port=port
    ) as origin:
        yield f"{origin}/v1"


@contextlib.contextmanager
def prism(folder: Path, document: Mapping[str, Any]) -> Iterator[str]:
    """Run Prism with an OpenAPI document, which refuses what is not in it; yield its base URL."""
    command = program("prism", package="@stoplight/prism-cli (npm)")
    (folder / "openapi.json").write_text(json.dumps(document), encoding="utf-8")
    port = free_port()
    arguments = ["mock", "openapi.json", "--host", "127.0.0.1", "--port", str(port), "--errors"]
    with running([command, *arguments], folder, ready="/", port=port) as origin:
        yield f"{origin}/v1"


def images_document(image_url: str, image: bytes) -> dict[str, Any]:
    """Return the part about images of OpenAI's published OpenAPI document, with examples that can be decoded.

    That describes no errors. `/failing/v1` does: a request names one by the header `Prefer: code=429`.
    """
    fields: dict[str, Any] = {
        "prompt": {"type": "string"},
        "model": {"type": "string"},
        "n": {"type": "integer", "minimum": 1, "maximum": 10, "nullable": True},
        "quality": {"type": "string", "enum": ["standard", "hd", "low", "medium", "high", "auto"], "nullable": True},
        "response_format": {"type": "string", "enum": ["url", "b64_json"], "nullable": True},
        "output_format": {"type": "string", "enum": ["png", "jpeg", "webp"], "nullable": True},
        "output_compression": {"type": "integer", "nullable": True},
        "stream": {"type": "boolean", "nullable": True},
        "size": {"type": "string", "pattern": "^(auto|[0-9]+x[0-9]+)$", "nullable": True},
        "moderation": {"type": "string", "enum": ["low", "auto"], "nullable": True},
        "background": {"type": "string", "enum": ["transparent", "opaque", "auto"], "nullable": True},
        "style": {"type": "string", "enum": ["vivid", "natural"], "nullable": True},
        "user": {"type": "string"},
    }
    file = {"type": "string", "format": "binary"}
    edit = {**fields, "image": {"anyOf": [file, {"type": "array", "items": file, "maxItems": 16}]}, "mask": file}
    encoded = base64.b64encode(image).decode()
    counted = {
        "input_tokens": 8,
        "output_tokens": 1056,
        "total_tokens": 1064,
        "input_tokens_details": {"text_tokens": 8, "image_tokens": 0},
    }
    images = {
        "b64_json": {"value": {"created": 1713833628, "data": [{"b64_json": encoded}], "usage": counted}},
        "url": {"value": {"created": 1713833628, "data": [{"url": image_url}]}},
    }

    def failure(code: str, message: str, kind: str = "invalid_request_error") -> dict[str, Any]:
        body = {"error": {"code": code, "message": message, "param": None, "type": kind}}
        return {"description": message, "content": {"application/json": {"example": body}}}

    success = {"200": {"description": "OK", "content": {"application/json": {"schema": {}, "examples": images}}}}
    blocked = "Your request was rejected by the safety system."
    failures = {
        "400": failure("moderation_blocked", blocked, "image_generation_user_error"),
        "401": failure("invalid_api_key", "Incorrect API key provided."),
        "429": failure("insufficient_quota", "You exceeded your current quota.", "insufficient_quota"),
    }

    def operation(media_type: str, properties: dict[str, Any], responses: dict[str, Any]) -> dict[str, Any]:
        schema = {"type": "object", "required": ["prompt"], "properties": properties, "additionalProperties": False}
        body = {"required": True, "content": {media_type: {"schema": schema}}}
        return {"post": {"requestBody": body, "responses": responses, "security": [{"ApiKeyAuth": []}]}}

    edits = {**edit, "image[]": edit["image"]}
    return {
        "openapi": "3.0.0",
        "info": {"title": "OpenAI API", "version": "2.3.0"},
        "paths": {
            "/v1/images/generations": operation("application/json", fields, success),
            "/v1/images/edits": operation("multipart/form-data", edits, success),
            "/failing/v1/images/generations": operation("application/json", fields, {**success, **failures}),
        },
        "components": {"securitySchemes": {"ApiKeyAuth": {"type": "http", "scheme": "bearer"}}},
    }


# Services

_ARK_FIELDS = frozenset(
    {"model", "prompt", "image", "size", "seed", "guidance_scale", "watermark", "output_format", "response_format"}
    | {"sequential_image_generation", "sequential_image_generation_options", "optimize_prompt_options", "stream"}
)
_RELAYED = frozenset(
    {"model", "prompt", "n", "size", "quality", "response_format", "style", "user", "background", "moderation"}
    | {"output_format", "output_compression", "partial_images", "stream", "image", "images", "mask", "watermark"}
)
"""Fields that a relay sends on."""


def ark(handler: Handler, body: dict[str, Any]) -> None:
    """Answer as Volcengine Ark does for Seedream 4: references in the JSON, sizes from 921,600 pixels, `usage`."""
    api = handler.server.api

    def refuse(status: int, code: str, message: str, kind: str = "BadRequest", param: str = "") -> None:
        words = f"{message} Request id: 0217{len(api.calls):012d}"
        handler.send(status, {"error": {"code": code, "message": words, "param": param, "type": kind}})

    if handler.path != "/api/v3/images/generations":
        return refuse(404, "InvalidEndpoint.NotFound", "The requested endpoint is not found.", "NotFound")
    if handler.headers.get("Authorization") != f"Bearer {KEY}":
        return refuse(
            401, "AuthenticationError", "The API key or AK/SK in the request is missing or invalid.", "Unauthorized"
        )
    if "[overdue]" in body["prompt"]:
        message = "The request failed because your account has an overdue balance."
        return refuse(403, "AccountOverdueError", message, "Forbidden")
    if "[limit]" in body["prompt"]:
        message = "Your account has reached the set inference limit for the model, and the model service is paused."
        return refuse(429, "SetLimitExceeded", message, "TooManyRequests")
    if "[refuse]" in body["prompt"]:
        message = "The request failed because the input text may contain sensitive information."
        return refuse(400, "InputTextSensitiveContentDetected", message)
    for name in body:
        if name not in _ARK_FIELDS and (name, body[name]) != ("n", 1):  # clients of OpenAI's API send that
            return refuse(
                400, "InvalidParameter", f"The parameter `{name}` specified in the request is not valid.", param=name
            )
    size = re.fullmatch(r"([0-9]+)x([0-9]+)", body["size"])
    pixels = int(size[1]) * int(size[2]) if size else {"1K": 1 << 20, "2K": 1 << 22, "4K": 1 << 24}.get(body["size"], 0)
    if not 1280 * 720 <= pixels <= 4096 * 4096:
        message = (
            "The parameter `size` specified in the request is not valid: image size must be at least 921600 pixels."
        )
        return refuse(400, "InvalidParameter", message, param="size")
    given = body.get("image", [])
    for one in given if isinstance(given, list) else [given]:
        if not re.match(r"https?://|data:image/(png|jpeg|webp);base64,", one):
            return refuse(
                400, "InvalidParameter", "The parameter `image` specified in the request is not valid.", param="image"
            )
    data = api.draw({**body, "size": body["size"] if size else "2048x2048"}, format="JPEG")
    entry: dict[str, Any] = {"size": "1280x720"}
    if body.get("response_format", "url") == "url":
        entry["url"] = api.origin + api.host(data)
    else:
        entry["b64_json"] = base64.b64encode(data).decode()
    tokens = pixels // 256
    usage = {"generated_images": 1, "output_tokens": tokens, "total_tokens": tokens}
    handler.send(200, {"model": body["model"], "created": 1, "data": [entry], "usage": usage})
    return None


def relay(upstream: str, *, upstream_key: str = KEY) -> Behaviour:
    """Answer as new-api does: what it knows of a request is sent on to `upstream`, the rest vanishes without a word."""

    def behave(handler: Handler, body: dict[str, Any]) -> None:
        def refuse(status: int, code: str, message: str) -> None:
            words = f"{message} (request id: 20261129{len(handler.server.api.calls):08d})"
            handler.send(status, {"error": {"code": code, "message": words, "param": "", "type": "new_api_error"}})

        if handler.headers.get("Authorization") != f"Bearer {KEY}":
            return refuse(401, "", "无效的令牌")
        if "[quota]" in body["prompt"]:
            return refuse(403, "insufficient_user_quota", "用户额度不足, 剩余额度: ＄0.000000")
        if "[words]" in body["prompt"]:
            return refuse(400, "sensitive_words_detected", "user sensitive words detected")
        if "[nobody]" in body["model"]:
            return refuse(503, "model_not_found", f"No available channel for model {body['model']} under group default")
        known = {name: value for name, value in body.items() if name in _RELAYED} | body.get("extra_fields", {})
        sent = urllib.request.Request(
            f"{upstream}/images/generations",
            json.dumps(known).encode(),
            {"Content-Type": "application/json", "Authorization": f"Bearer {upstream_key}"},
        )
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        try:
            with opener.open(sent, timeout=30) as response:
                return handler.send_bytes(200, response.read(), "application/json")
        except urllib.error.HTTPError as error:
            failure = json.load(error)["error"]
            return refuse(error.code, failure.get("code") or "", failure["message"])

    return behave


def ark_url(api: ImagesApi) -> str:
    """Return the base URL of a server that answers as Ark does."""
    return f"{api.origin}/api/v3"
