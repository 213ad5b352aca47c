"""An Images API that answers with tasks: what their orders and their reports look like."""

from __future__ import annotations

import itertools
from typing import Any

from tests.helpers.api import Behaviour, Handler, ImagesApi

SOON = {"retry-after-ms": "5"}
_serial = itertools.count(1)


def by_task(*reports: Behaviour, path: str = "/v1/tasks/{id}", one_for_all: bool = False) -> Behaviour:
    """Answer with a task for each image, whose next questions meet these reports, and then `finished`.

    `one_for_all`: with a single task, whatever `n` is.
    """

    def behave(handler: Handler, body: dict[str, Any]) -> None:
        api = handler.server.api
        images = [api.draw(body) for _ in range(body.get("n", 1))]
        groups = [images] if one_for_all else [[data] for data in images]
        entries = []
        for group in groups:
            name = f"task-{next(_serial)}"
            order(api, path.format(id=name), group, *reports)
            entries.append({"task_id": name, "status": "submitted"})
        handler.send(200, {"code": 200, "data": entries})

    return behave


def order(api: ImagesApi, path: str, images: list[bytes], *reports: Behaviour) -> None:
    """Have the next questions at a path meet these reports, and all later ones `finished`."""
    with api.lock:
        api.by_path[path] = [*reports, *[finished(*images)] * 99]


def finished(*images: bytes) -> Behaviour:
    """Report images."""

    def behave(handler: Handler, _: dict[str, Any]) -> None:
        api = handler.server.api
        urls = [{"url": [api.origin + api.host(data)]} for data in images]
        handler.send(200, {"code": 200, "data": {"id": "t", "status": "completed", "result": {"images": urls}}})

    return behave


def says(status: str, **fields: Any) -> Behaviour:
    """Report a state."""

    def behave(handler: Handler, _: dict[str, Any]) -> None:
        handler.send(200, {"code": 200, "data": {"id": "t", "status": status, **fields}}, SOON)

    return behave


def polls(api: ImagesApi) -> list[str]:
    """The paths of the questions for tasks, in order."""
    return [path for path in api.fetches if "/tasks/" in path]
