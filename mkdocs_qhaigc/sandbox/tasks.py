"""Tasks of the sandbox: what a service answers that delivers its images later."""

from __future__ import annotations

import json
import secrets
import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from mkdocs_qhaigc.sandbox.generation_request import GenerationRequest
from mkdocs_qhaigc.sandbox.replies import Rejection, Reply

_MOST = 10_000
_PAUSE = "1"
"""Seconds that a client is asked to wait before it asks again."""


class Tasks:
    """The tasks that were ordered; the oldest are forgotten when there are more than `_MOST`."""

    def __init__(self, *, seconds: float, generate: Callable[[GenerationRequest], dict[str, Any]]) -> None:
        """Each task takes `seconds`; `generate` returns the answer with a request's images."""
        self._seconds = seconds
        self._generate = generate
        self._lock = threading.Lock()
        self._ordered: OrderedDict[str, tuple[GenerationRequest, float]] = OrderedDict()
        """By id: the request for one image, and when it was ordered, on `time.monotonic()`'s clock."""

    def order(self, request: GenerationRequest) -> Reply:
        """Return the answer to a request: a task for each of its images."""
        entries = []
        with self._lock:
            for index in range(request.first, request.first + request.n):
                name = f"task_{secrets.token_hex(12)}"
                self._ordered[name] = replace(request, n=1, first=index), time.monotonic()
                entries.append({"task_id": name, "status": "submitted"})
            while len(self._ordered) > _MOST:
                self._ordered.popitem(last=False)
        return Reply(200, json.dumps({"created": int(time.time()), "data": entries}).encode())

    def report(self, name: str) -> Reply:
        """Return the answer about a task.

        Raises:
            Rejection: there is no such task.
        """
        with self._lock:
            request, ordered = self._ordered.get(name, (None, 0.0))
        if request is None:
            raise Rejection(404, "The task does not exist, or it has expired.", code="task_not_found")
        passed = time.monotonic() - ordered
        if passed < self._seconds:
            progress = int(100 * passed / self._seconds)
            body: dict[str, Any] = {"id": name, "status": "processing", "progress": progress}
            return Reply(200, json.dumps(body).encode(), headers={"Retry-After": _PAUSE})
        if "[fail]" in request.prompt:
            error = {"code": "generation_failed", "message": "The image could not be generated."}
            body = {"id": name, "status": "failed", "error": error}
        else:
            body = {"id": name, "status": "completed", "progress": 100, "result": self._generate(request)}
        return Reply(200, json.dumps(body).encode())
