"""Services that deliver later: each task is ordered once, and collected by this build or the next."""

from __future__ import annotations

import base64
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import Project, require_posix
from tests.helpers.api import KEY, Behaviour, Handler, ImagesApi, answer, draw, error, hang, raw, redirect
from tests.helpers.commands import Terminal, run
from tests.helpers.serving import serving
from tests.helpers.tasks import by_task, order, polls, says

pytestmark = pytest.mark.slow

QUEUED, RUNNING = says("queued"), says("IN_PROGRESS")


def write_page(project: Project, *prompts: str) -> None:
    names = [f"p{index}" for index in range(len(prompts))]
    project.page(
        "index.md", "\n\n".join(f"![x](qhaigc:{name})" for name in names), qhaigc=dict(zip(names, prompts, strict=True))
    )


def kept(project: Project) -> list[str]:
    folder = project.cache / "answers"
    return sorted(path.name for path in folder.iterdir()) if folder.exists() else []


def make_older(project: Project, hours: float) -> None:
    for path in (project.cache / "answers").iterdir():
        os.utime(path, (time.time() - hours * 3600,) * 2)


def test_a_task_is_asked_for_until_it_has_ended_and_nothing_is_left_of_it(project: Project, api: ImagesApi) -> None:
    api.default = by_task(QUEUED, RUNNING, RUNNING)
    write_page(project, "fog")
    built = project.build("--strict")
    assert built.code == 0, built.output
    assert len(api.calls) == 1
    assert len(polls(api)) == 4
    assert "a task is under way" in built.output
    assert not kept(project)
    asked = [headers for path, headers in zip(api.fetches, api.fetch_headers, strict=True) if "/tasks/" in path]
    assert {headers["Authorization"] for headers in asked} == {f"Bearer {KEY}"}
    fetched = [headers for path, headers in zip(api.fetches, api.fetch_headers, strict=True) if "/files/" in path]
    assert fetched
    assert not any("Authorization" in headers for headers in fetched)


def test_a_task_that_takes_longer_than_a_build_is_collected_by_the_next_one(project: Project, api: ImagesApi) -> None:
    api.default = by_task(*[RUNNING] * 9999)
    project.options["timeout"] = 2
    write_page(project, "fog")
    built = project.build("--strict")
    assert built.code == 1
    assert "the image is ordered, and was not made within `timeout`" in built.output
    assert "is IN_PROGRESS. The next build collects it, and orders no other" in built.output
    (name,) = kept(project)
    (path,) = api.by_path
    assert path.rpartition("/")[2] in (project.cache / "answers" / name).read_text()
    api.by_path[path] = api.by_path[path][-3:]
    assert "1 image: 1 missing. To buy: nothing. Ordered already: 1 image." in run(project, "plan").stdout
    assert json.loads(run(project, "plan", "--json").stdout)["to_buy"] == 0
    project.options |= {"max_new_images": 0, "timeout": 20}  # collecting is not buying
    built = project.build("--strict")
    assert built.code == 0, built.output
    assert len(api.calls) == 1
    assert not kept(project)


def test_commands_ask_for_no_money_for_what_is_ordered(project: Project, api: ImagesApi) -> None:
    api.default = by_task(*[RUNNING] * 9999)
    project.options["timeout"] = 2
    write_page(project, "fog")
    project.build()
    assert "Would buy nothing. Ordered already: 1 image." in run(project, "generate", "--dry-run").stdout
    project.options["timeout"] = 20
    for path in api.by_path:
        api.by_path[path] = api.by_path[path][-3:]
    collected = run(project, "candidates", "index.md#p0", "-n", "1")  # nothing is bought: nobody is asked
    assert "Ordered already: 1 image.\n" in collected.stderr
    assert "To buy" not in collected.stderr
    assert len(api.calls) == 1
    write_page(project, "dusk", "dawn")
    project.options["timeout"] = 2
    done = run(project, "generate", "--yes")
    assert "2 images" in done.stderr.partition("To buy from")[2]
    assert "Ordered already" not in done.stderr


@pytest.mark.parametrize("hours", [0.5, 25, 99])
def test_while_the_service_knows_a_task_no_other_is_ordered(project: Project, api: ImagesApi, hours: float) -> None:
    api.default = by_task(*[answer(200, {"status": "running"}, retry_after="99")] * 9)
    project.options["timeout"] = 30
    write_page(project, "fog")
    project.build()
    make_older(project, hours)
    built = project.build()
    assert len(api.calls) == 1
    assert ("to give it up, remove its file in the folder `answers`" in built.output) == (hours > 24)
    assert len(kept(project)) == 1


@pytest.mark.parametrize(
    ("report", "message", "calls"),
    [
        pytest.param(
            says("FAILED", error={"message": "GPU lost", "code": "internal_error"}),
            "the service's task has failed: GPU lost (internal_error). It may be billed; the next build orders",
            2,
            id="failed",
        ),
        pytest.param(says("failure", fail_reason="upstream"), "has ended as failure: upstream.", 2, id="fail_reason"),
        pytest.param(says("expired"), "the service's task has failed: expired.", 2, id="expired"),
        pytest.param(says("canceled", message="by its owner"), "ended as canceled: by its owner.", 2, id="canceled"),
        pytest.param(
            says("failed", error={"code": "content_policy_violation", "message": "no weapons"}),
            "the API refuses this prompt (no weapons). Change the prompt",
            1,
            id="refused",
        ),
        pytest.param(says("Content Moderated"), "the API refuses this prompt", 1, id="moderated"),
        pytest.param(
            says("failed", error={"code": "insufficient_quota", "message": "no credit"}),
            "the service's task has failed: no credit (insufficient_quota). Check the account",
            2,
            id="quota",
        ),
        pytest.param(
            error(400, "content_policy_violation", "no weapons"),
            "the API refuses this prompt",
            1,
            id="refused by status",
        ),
        pytest.param(
            says("completed", result={"text": "none"}), "ended without an image that can be read", 2, id="empty"
        ),
    ],
)
def test_a_task_that_fails_is_ordered_anew_by_the_next_build_alone(
    project: Project, api: ImagesApi, report: Behaviour, message: str, calls: int
) -> None:
    api.script = [by_task(RUNNING, report)]
    api.default = by_task()
    write_page(project, "fog")
    built = project.build()
    assert message in built.output
    assert len(api.calls) == 1
    assert not kept(project)
    assert project.build("--strict").code == (0 if calls == 2 else 1)
    assert len(api.calls) == calls


def test_a_task_found_failed_by_a_later_build_is_not_ordered_anew_by_that_one(project: Project, api: ImagesApi) -> None:
    api.script = [by_task(*[RUNNING] * 9999)]
    api.default = by_task()
    project.options["timeout"] = 2
    write_page(project, "fog")
    project.build()
    (path,) = api.by_path
    api.by_path[path] = [says("failed", error="GPU lost")]
    project.options["timeout"] = 20
    built = project.build()
    assert "the service's task has failed: GPU lost" in built.output
    assert len(api.calls) == 1
    assert project.build("--strict").code == 0
    assert len(api.calls) == 2


@pytest.mark.parametrize(
    ("report", "message"),
    [
        pytest.param(answer(401), "answered 401: status 401. Set `task_url`, or check the key", id="401"),
        pytest.param(answer(403), "answered 403", id="403"),
        pytest.param(answer(405), "answered 405", id="405"),
        pytest.param(answer(404), "answered 404", id="404"),
        pytest.param(redirect("https://example.com/"), "answered 302", id="redirected"),
        pytest.param(raw(200, b"<!doctype html><p>hello", "text/html"), "a body that is no JSON (text/html", id="page"),
        pytest.param(answer(200, {"hello": 1}), "answered 200 without a state", id="another API"),
    ],
)
def test_where_no_task_can_be_asked_for_nothing_more_is_ordered_and_nothing_is_lost(
    project: Project, api: ImagesApi, report: Behaviour, message: str
) -> None:
    api.default = by_task(*[report] * 99)
    project.options |= {"concurrency": 1, "timeout": 2}
    write_page(project, "fog", "rain", "snow")
    built = project.build()
    assert len(api.calls) == 1
    assert message in built.output
    assert "its address of tasks, " + api.base_url + "/tasks/{id}, answered" in built.output
    assert "What was ordered is kept, and the next build collects it" in built.output
    (path,) = api.by_path
    images = [data for drawn in api.drawn.values() for data in drawn]
    order(api, path.replace("/v1/tasks/", "/api/jobs/"), images)
    api.default = by_task(path="/api/jobs/{id}")
    project.options["task_url"] = f"{api.origin}/api/jobs/{{id}}"
    assert project.build("--strict").code == 0
    assert len(api.calls) == 3


def test_a_task_that_the_server_does_not_know_at_once_is_asked_for_again(project: Project, api: ImagesApi) -> None:
    api.default = by_task(answer(404, retry_after_ms="5"), answer(404, retry_after_ms="5"))
    write_page(project, "fog")
    assert project.build("--strict").code == 0
    assert len(api.calls) == 1


@pytest.mark.parametrize(
    ("hours", "report", "calls"),
    [
        (0.1, error(404, "task_not_exist"), 1),
        (2, error(404, "task_not_exist"), 2),
        (2, answer(404), 1),  # nobody knows whether that is where tasks are
        (25, answer(404), 2),
        (0.1, answer(410), 1),  # the next build does
        (2, says("UNKNOWN"), 2),
        (99, answer(500), 1),
        (99, says("failed"), 1),
    ],
)
def test_another_is_ordered_only_when_the_service_has_forgotten_the_task(
    project: Project, api: ImagesApi, hours: float, report: Behaviour, calls: int
) -> None:
    api.script = [by_task(*[RUNNING] * 9999)]
    api.default = by_task()
    project.options |= {"timeout": 2, "retries": 0}
    write_page(project, "fog")
    project.build()
    make_older(project, hours)
    (path,) = api.by_path
    api.by_path[path] = [report] * 99
    built = project.build()
    assert (built.code, len(api.calls)) == (0, calls), built.output


def test_a_busy_server_is_asked_again_and_a_lost_one_by_the_next_build(project: Project, api: ImagesApi) -> None:
    api.default = by_task(answer(503, retry_after_ms="5"), answer(429, retry_after="0"), answer(500), RUNNING)
    write_page(project, "fog")
    assert project.build("--strict").code == 0
    api.default = by_task(*[answer(502)] * 3)
    project.options["retries"] = 1
    write_page(project, "rain")
    built = project.build()
    assert "the service cannot be asked for its task (the API answered 502" in built.output
    assert project.build("--strict").code == 0
    assert len(api.calls) == 2


def test_the_server_s_pace_is_kept(project: Project, api: ImagesApi) -> None:
    api.default = by_task(answer(200, {"status": "queued"}, retry_after="30"))
    write_page(project, "fog")
    began = time.monotonic()
    built = project.build()
    assert time.monotonic() - began < 15  # and neither `timeout` nor the server's 30 seconds
    assert "was not made within `timeout`" in built.output
    assert len(polls(api)) == 1


@pytest.mark.parametrize("one_for_all", [False, True], ids=["a task for each", "one task for all"])
def test_variants_of_one_call_come_from_tasks_even_if_that_was_ended(
    project: Project, api: ImagesApi, one_for_all: bool
) -> None:
    api.default = by_task(*[RUNNING] * 9999, one_for_all=one_for_all)
    project.options["timeout"] = 2
    write_page(project, "fog")
    run(project, "candidates", "index.md#p0", "-n", "3", "--yes")
    assert [call["n"] for call in api.calls] == [3]
    assert len(kept(project)) == 1
    for path, script in api.by_path.items():
        api.by_path[path] = script[-9:]
    run(project, "candidates", "index.md#p0", "-n", "3", "--yes")
    assert [call["n"] for call in api.calls] == [3]
    originals = [path.read_bytes() for path in (project.cache / "originals").glob("*.png")]
    assert sorted(originals) == sorted(api.drawn["fog"])
    assert not kept(project)


def test_a_result_is_kept_before_its_images_are_fetched(project: Project, api: ImagesApi) -> None:
    """Some services forget a task once they have delivered it."""
    api.default = by_task()
    api.fetch_script = [answer(500)] * 9
    project.options["retries"] = 0
    write_page(project, "fog")
    built = project.build()
    assert "the image was made, but the image's address answered 500" in built.output
    (name,) = kept(project)
    assert b"/files/" in (project.cache / "answers" / name).read_bytes()
    api.by_path = {path: [error(404, "task_not_found")] * 9 for path in api.by_path}
    api.fetch_script = []
    assert project.build("--strict").code == 0
    assert len(api.calls) == 1
    assert len(polls(api)) == 1


def test_a_task_s_own_address_is_used_and_never_one_elsewhere(project: Project, api: ImagesApi) -> None:
    with ImagesApi() as other:

        def replicate(handler: Handler, body: dict[str, Any]) -> None:
            order(api, "/v1/predictions/own", [api.draw(body)], RUNNING)
            get = {"fog": "/v1/predictions/own", "rain": f"{other.origin}/v1/predictions/x"}[body["prompt"]]
            handler.send(201, {"id": "own", "status": "starting", "urls": {"get": get}, "output": None})

        api.default = replicate
        write_page(project, "fog")
        assert project.build("--strict").code == 0
        write_page(project, "rain")
        order(api, "/v1/tasks/own", [draw("rain", 96, 54)])
        assert project.build("--strict").code == 0
        assert not other.fetches


def test_a_result_at_an_address_of_its_own_is_read(project: Project, api: ImagesApi) -> None:
    """As fal has it."""

    def queued(handler: Handler, body: dict[str, Any]) -> None:
        data = base64.b64encode(api.draw(body)).decode()
        urls = {"response_url": f"{api.origin}/requests/1", "status_url": f"{api.origin}/requests/1/status"}
        api.by_path["/requests/1/status"] = [
            answer(200, {"status": "IN_QUEUE", "request_id": "1"}, retry_after_ms="5"),
            answer(200, {"status": "COMPLETED", "request_id": "1", **urls}),
        ]
        api.by_path["/requests/1"] = [answer(200, {"images": [{"url": f"data:image/png;base64,{data}"}], "seed": 1})]
        handler.send(200, {"status": "IN_QUEUE", "request_id": "1", "queue_position": 0, **urls})

    api.default = queued
    write_page(project, "fog")
    assert project.build("--strict").code == 0


@pytest.mark.parametrize("form", ["numbers for states", "the result as a text"])
def test_a_task_in_a_form_that_is_not_known_is_not_ordered_again(project: Project, api: ImagesApi, form: str) -> None:
    def behave(handler: Handler, body: dict[str, Any]) -> None:
        url = api.origin + api.host(api.draw(body))
        waiting: dict[str, Any] = {"taskId": "q1", "state": 1}
        done: dict[str, Any] = {"taskId": "q1", "state": 3, "images": [url]}
        if form == "the result as a text":
            waiting = {"taskId": "q1", "state": "generating", "resultJson": ""}
            done = {"taskId": "q1", "state": "success", "resultJson": json.dumps({"resultUrls": [url]})}
        api.by_path["/v1/tasks/q1"] = [answer(200, {"code": 200, "data": data}) for data in (waiting, done)]
        handler.send(200, {"code": 200, "msg": "success", "data": {"taskId": "q1"}})

    api.default = behave
    write_page(project, "fog")
    assert project.build("--strict").code == 0
    assert len(api.calls) == 1
    assert not kept(project)


def test_a_build_that_is_stopped_does_not_wait_for_its_tasks(project: Project, api: ImagesApi) -> None:
    require_posix("signals")
    api.default = by_task(*[answer(200, {"status": "queued"}, retry_after="60")] * 9)
    project.own_process = True
    write_page(project, "fog")
    build = project.start("build")
    ends = time.monotonic() + 60
    while not polls(api):
        assert time.monotonic() < ends
        time.sleep(0.01)
    began = time.monotonic()
    build.send_signal(signal.SIGTERM)
    build.communicate(timeout=30)
    assert time.monotonic() - began < 10  # half of `timeout`
    api.by_path.update({path: script[-9:] for path, script in api.by_path.items()})
    for path in api.by_path:
        order(api, path, api.drawn["fog"])
    assert project.build("--strict").code == 0
    assert len(api.calls) == 1


@pytest.mark.parametrize(
    "body",
    [
        {"id": "chatcmpl-1", "object": "chat.completion", "choices": [{"message": {"content": "hello"}}]},
        {"id": "x", "created": 1, "data": []},
        {"request_id": "r", "status": "success", "data": []},
    ],
)
def test_an_id_alone_is_no_task(project: Project, api: ImagesApi, body: dict[str, Any]) -> None:
    api.default = answer(200, body)
    write_page(project, "fog")
    built = project.build()
    assert not api.fetches
    assert " task" not in built.output


def test_a_journal_s_key_echoed_by_a_task_is_in_no_message(project: Project, api: ImagesApi) -> None:
    api.default = by_task(says("failed", error={"message": f"key {KEY} has no credit"}))
    write_page(project, "fog")
    built = project.build()
    assert "key [key] has no credit" in built.output
    assert KEY not in built.output


def test_a_task_whose_server_hangs_leaves_it_to_the_next_build(project: Project, api: ImagesApi) -> None:
    api.default = by_task(hang)
    project.options |= {"timeout": 2, "retries": 0}
    write_page(project, "fog")
    built = project.build()
    assert "the service cannot be asked for its task (no answer: no answer in time" in built.output
    assert project.build("--strict").code == 0
    assert len(api.calls) == 1


@pytest.mark.parametrize("task", [[RUNNING] * 9999, [hang] * 9999], ids=["slow", "mute"])
def test_three_tasks_in_a_row_that_are_not_made_in_time_end_the_orders(
    project: Project, api: ImagesApi, task: list[Any]
) -> None:
    api.default = by_task(*task)
    project.options |= {"timeout": 2, "retries": 0, "concurrency": 1}
    write_page(project, *(f"number {number}" for number in range(6)))
    built = project.build()
    assert len(api.calls) == 3
    assert "3 calls in a row may have been billed" in built.output
    assert len(kept(project)) == 3


@pytest.mark.parametrize("concurrency", [1, 4])
def test_what_was_ordered_is_collected_though_the_account_is_empty(
    project: Project, api: ImagesApi, concurrency: int
) -> None:
    api.default = by_task(*[RUNNING] * 9999)
    project.options |= {"timeout": 2, "concurrency": concurrency}
    write_page(project, "fog")
    project.build()
    (path,) = api.by_path
    order(api, path, api.drawn["fog"])
    api.default = error(429, "insufficient_quota", "no credit")
    project.options["timeout"] = 9
    project.page("index.md", "![x](qhaigc:a)\n\n![x](qhaigc:p0)", qhaigc={"a": "rain", "p0": "fog"})
    built = project.build()
    assert "no credit" in built.output
    assert "2 images: 1 generated, 1 placeholder" in built.output
    assert api.prompts == ["fog", "rain"]


def test_a_refusal_within_a_task_is_remembered(project: Project, api: ImagesApi) -> None:
    api.default = by_task(says("failed", error={"code": "content_policy_violation", "message": "no weapons"}))
    write_page(project, *(f"number {number}" for number in range(5)))
    project.options["concurrency"] = 1
    for _ in range(2):
        built = project.build()
        assert "no weapons" in built.output
    assert len(api.calls) == 5  # which is more than what stops a build, and none of them a second time


@pytest.mark.parametrize("knows", [True, False], ids=["the same service", "another service"])
def test_a_task_at_an_address_that_has_changed_is_asked_for_at_the_new_one(
    project: Project, api: ImagesApi, knows: bool
) -> None:
    api.default = by_task(*[RUNNING] * 9999)
    project.options["timeout"] = 2
    write_page(project, "fog")
    project.build()
    (path,) = api.by_path
    project.options |= {"timeout": 9, "base_url": f"{api.origin}/v2"}
    if knows:
        order(api, path.replace("/v1/", "/v2/"), api.drawn["fog"])
    api.default = by_task(path="/v2/tasks/{id}")
    make_older(project, 0.1)
    assert project.build("--strict").code == 0
    assert len(api.calls) == (1 if knows else 2)


def test_a_task_that_the_new_address_knows_and_works_on_is_waited_for(project: Project, api: ImagesApi) -> None:
    api.default = by_task(*[RUNNING] * 9999)
    project.options["timeout"] = 2
    write_page(project, "fog")
    project.build()
    (path,) = api.by_path
    project.options["base_url"] = f"{api.origin}/v2"
    order(api, path.replace("/v1/", "/v2/"), api.drawn["fog"], *[RUNNING] * 9999)
    built = project.build()
    assert "The next build collects it, and orders no other" in built.output
    assert len(api.calls) == 1
    order(api, path.replace("/v1/", "/v2/"), api.drawn["fog"])
    project.options["timeout"] = 9
    assert project.build("--strict").code == 0
    assert len(api.calls) == 1


def test_a_new_address_that_cannot_be_reached_loses_no_task(project: Project, api: ImagesApi) -> None:
    api.default = by_task(*[RUNNING] * 9999)
    project.options["timeout"] = 2
    write_page(project, "fog")
    project.build()
    project.options["base_url"] = "http://127.0.0.1:9/v1"
    project.build()
    assert len(kept(project)) == 1


def test_a_service_that_asks_for_no_pause_is_asked_until_its_task_has_ended(project: Project, api: ImagesApi) -> None:
    def running(handler: Handler, _: dict[str, Any]) -> None:
        handler.send(200, {"id": "t", "status": "running"}, {"Retry-After": "0"})

    api.default = by_task(running)
    write_page(project, "fog")
    assert project.build("--strict").code == 0
    assert len(api.calls) == 1


def test_an_address_that_is_never_fetched_ends_the_orders(project: Project, api: ImagesApi) -> None:
    api.default = by_task(*[says("completed", result={"images": ["http://10.0.0.1/a.png"]})] * 9)
    project.options["concurrency"] = 1
    write_page(project, "fog", "rain", "snow", "hail")
    built = project.build()
    assert "response_format: b64_json" in built.output
    assert len(api.calls) in (1, 2)  # the next one is ordered while the last is looked at


def test_a_preview_collects_a_task_after_the_next_edit(project: Project, api: ImagesApi) -> None:
    api.default = by_task(*[RUNNING] * 9999)
    project.options["timeout"] = 2
    write_page(project, "fog")
    with serving(project) as server:
        server.wait_until(lambda: "was not made within `timeout`" in server.output)
        (path,) = api.by_path
        order(api, path, api.drawn["fog"])
        server.wait_until_quiet()
        page = project.docs / "index.md"
        page.write_text(f"{page.read_text()}\n\nAn edit.\n")
        server.wait_until(lambda: any("/files/" in fetched for fetched in api.fetches))
        server.wait_until(lambda: "[1/" in server.output)
    assert len(api.calls) == 1


def test_a_terminal_shows_that_a_task_is_under_way(project: Project, api: ImagesApi) -> None:
    api.default = by_task(answer(200, {"status": "queued"}, retry_after="1"))
    project.own_process = True
    write_page(project, "fog")
    command, *arguments = project.command("build")
    terminal = Terminal(project, *arguments, program=(command,))
    terminal.until("index.md#p0 · a task is under way")
    assert terminal.end()[0] == 0


def test_kills_between_order_and_image_cost_no_more_than_what_was_in_flight() -> None:
    """The long form is `benchmarks/kill_builds.py --answers tasks --kills 40`."""
    script = Path(__file__).parents[2] / "benchmarks/kill_builds.py"
    finished = subprocess.run(
        [sys.executable, str(script), "--answers", "tasks", "--kills", "8", "--seed", "5"],
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert finished.returncode == 0, finished.stdout + finished.stderr
