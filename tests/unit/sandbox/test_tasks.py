"""The sandbox that delivers later: orders, reports, and a build that collects what it has ordered."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from mkdocs_qhaigc.sandbox import Sandbox
from tests.conftest import Project
from tests.helpers.commands import COMMAND

SMALL: dict[str, Any] = {"model": "qh-draw-x2-preview", "prompt": "A lighthouse in fog", "size": "64x48"}
KEY = {"Authorization": "Bearer any"}


@pytest.fixture
def client() -> Iterator[httpx.Client]:
    with (
        Sandbox(tasks=True) as server,
        httpx.Client(base_url=server.base_url, headers=KEY, trust_env=False, timeout=20) as opened,
    ):
        yield opened


def ordered(client: httpx.Client, **fields: Any) -> list[str]:
    answer = client.post("/images/generations", json=SMALL | fields)
    assert answer.status_code == 200
    assert {entry["status"] for entry in answer.json()["data"]} == {"submitted"}
    return [entry["task_id"] for entry in answer.json()["data"]]


def test_each_image_is_a_task_and_the_image_is_that_of_the_sandbox_without_tasks(client: httpx.Client) -> None:
    first, second = ordered(client, n=2, response_format="b64_json")
    images = []
    for name in (first, second, first):
        report = client.get(f"/tasks/{name}").json()
        assert report["status"] == "completed"
        images += [entry["b64_json"] for entry in report["result"]["data"]]
    assert images[0] == images[2] != images[1]
    with Sandbox() as server:
        body = {**SMALL, "n": 2, "response_format": "b64_json"}
        plain = httpx.post(f"{server.base_url}/images/generations", headers=KEY, json=body, trust_env=False, timeout=20)
    assert [entry["b64_json"] for entry in plain.json()["data"]] == images[:2]


def test_a_task_takes_the_latency_and_asks_for_patience() -> None:
    with Sandbox(tasks=True, latency=60) as server, httpx.Client(base_url=server.base_url, headers=KEY) as client:
        (name,) = ordered(client)
        report = client.get(f"/tasks/{name}")
    assert (report.json()["status"], report.json()["progress"]) == ("processing", 0)
    assert report.headers["retry-after"] == "1"


def test_a_task_may_fail(client: httpx.Client) -> None:
    (name,) = ordered(client, prompt="fog [fail]")
    assert client.get(f"/tasks/{name}").json()["error"]["code"] == "generation_failed"


def test_a_task_is_told_to_who_has_a_key_and_knows_its_name(client: httpx.Client) -> None:
    (name,) = ordered(client)
    unknown = client.get("/tasks/task_0")
    assert (unknown.status_code, unknown.json()["error"]["code"]) == (404, "task_not_found")
    assert client.get(f"/tasks/{name}", headers={"Authorization": ""}).status_code == 401
    assert client.post(f"/tasks/{name}", json={}).status_code == 405
    assert client.get(f"/tasks/{name}/x").status_code == 404


def test_a_sandbox_without_tasks_knows_no_address_for_them() -> None:
    with Sandbox() as server:
        answer = httpx.get(f"{server.base_url}/tasks/x", headers=KEY, trust_env=False)
    assert (answer.status_code, "Invalid URL" in answer.text) == (404, True)


def test_a_build_collects_its_tasks(project: Project) -> None:
    with Sandbox(tasks=True) as server:
        project.options["base_url"] = server.base_url
        project.page("index.md", "![x](qhaigc:a)\n\n![x](qhaigc:b)", qhaigc={"a": "A harbor", "b": "Rain [fail]"})
        built = project.build()
        asked = [request.path.rpartition("/")[0].rpartition("/")[2] for request in server.received]
    assert "2 images of the sandbox: 1 generated, 1 placeholder" in built.output
    assert "The image could not be generated (generation_failed)" in built.output
    assert sorted(asked) == ["files", "images", "images", "tasks", "tasks"]


def test_the_command_offers_tasks(project: Project) -> None:
    project.page("index.md", "![x](qhaigc:a)", qhaigc={"a": "A harbor"})
    project.options["base_url"] = "!ENV QHAIGC_BASE_URL"
    config = project.write_config()
    config.write_text(config.read_text().replace('"!ENV QHAIGC_BASE_URL"', "!ENV QHAIGC_BASE_URL"))
    finished = subprocess.run(
        [COMMAND, "sandbox", "--tasks", "--", COMMAND, "generate", "--yes", "-f", str(config)],
        capture_output=True,
        text=True,
        env=project.environ(),
        timeout=120,
        check=False,
    )
    assert finished.returncode == 0, finished.stderr
    assert "a task is under way" in finished.stderr + finished.stdout
