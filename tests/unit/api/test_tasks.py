"""Questions for tasks: their pace, what ends them, and which server gets them."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator

import pytest

from mkdocs_qhaigc.api.client import ImagesClient
from mkdocs_qhaigc.api.retry import Deadline, Failed
from mkdocs_qhaigc.api.task_fields import Task
from mkdocs_qhaigc.errors import GenerationStopped, ImageUrlExpired, PromptRejected, TaskFailed, TaskPending
from tests.helpers.api import KEY, Behaviour, ImagesApi, answer, draw, error, hang, raw
from tests.helpers.tasks import order, says

PATH = "/v1/tasks/t%2F1"
TASK = Task("t/1")
PNG = draw("fog", 8, 8)


@pytest.fixture
def api() -> Iterator[ImagesApi]:
    with ImagesApi() as server:
        yield server


@pytest.fixture
def stopped() -> threading.Event:
    return threading.Event()


@pytest.fixture
def client(api: ImagesApi, stopped: threading.Event) -> Iterator[ImagesClient]:
    opened = ImagesClient(
        base_url=api.base_url,
        api_key=KEY,
        retries=0,
        response_format="url",
        models={},
        task_url="{base_url}/tasks/{id}",
        sandboxed=False,
        stopped=stopped,
    )
    yield opened
    opened.close()


def collect(client: ImagesClient, task: Task = TASK, *, age: float = 0.0, seconds: float = 20) -> bytes:
    return client.collect(task, age=age, deadline=Deadline.after(seconds))


@pytest.mark.slow
def test_the_pause_grows_where_the_server_names_none(api: ImagesApi, client: ImagesClient) -> None:
    order(api, PATH, [PNG], *[answer(200, {"status": "queued"})] * 2)
    began = time.monotonic()
    assert b"/files/" in collect(client)
    assert 2.4 < time.monotonic() - began < 6  # 1 and 1.5 seconds
    assert api.fetches == [PATH] * 3


def test_a_stop_ends_the_wait(api: ImagesApi, client: ImagesClient, stopped: threading.Event) -> None:
    order(api, PATH, [PNG], answer(200, {"status": "queued"}, retry_after="15"))
    threading.Timer(0.2, stopped.set).start()
    began = time.monotonic()
    with pytest.raises(TaskPending, match="the build was stopped"):
        collect(client)
    assert time.monotonic() - began < 5


@pytest.mark.parametrize(
    ("report", "age", "kind", "message"),
    [
        (answer(200, {"status": "queued"}, retry_after="9"), 0, TaskPending, "is queued. The next build collects it"),
        (answer(200, {"status": "rendering"}, retry_after="9"), 0, TaskPending, "is rendering"),
        (answer(404), 99, GenerationStopped, "answered 404: status 404. Set `task_url`"),
        (answer(404), 86_401, ImageUrlExpired, "does not know its task any more"),
        (error(404, "task_not_found"), 99, TaskPending, "does not know its own task"),
        (error(404, "x", "the task has expired"), 3601, ImageUrlExpired, "does not know its task any more"),
        (error(404, "x", "Invalid URL (GET /v1/tasks/t)"), 3601, GenerationStopped, "Set `task_url`"),
        (answer(200, {"code": 404, "message": "task not exist"}), 99, TaskPending, "does not know its own task"),
        (answer(200, {"error": {"message": "upstream is gone"}}), 99, TaskPending, "does not say how far its task is"),
        (answer(200, {"error": {"message": "upstream is gone"}}), 86_401, ImageUrlExpired, "has no image for its task"),
        (answer(400), 99, TaskPending, "does not say how far its task is"),
        (error(429, "insufficient_quota", "empty"), 99, GenerationStopped, "the API, asked for a task, answered 429"),
        (answer(500), 99, TaskPending, "cannot be asked for its task"),
        (raw(200, b"<p>hi", "text/html"), 99, GenerationStopped, "a body that is no JSON"),
        (answer(200, {}), 99, GenerationStopped, "without a state"),
        (answer(401), 0, GenerationStopped, "answered 401"),
        (answer(302, None, location="https://example.com/"), 0, GenerationStopped, "answered 302"),
    ],
)
def test_what_does_not_end_a_task_is_left_to_the_next_build(
    api: ImagesApi, client: ImagesClient, report: Behaviour, age: float, kind: type[Exception], message: str
) -> None:
    order(api, PATH, [PNG], report)
    with pytest.raises(kind) as raised:
        collect(client, age=age, seconds=8)
    assert message in str(raised.value)
    assert len(api.fetches) == 1


@pytest.mark.parametrize(
    ("report", "kind", "message"),
    [
        (says("failed", error="GPU lost"), TaskFailed, "has failed: GPU lost. It may be billed"),
        (says("FAILURE", fail_reason="GPU lost."), TaskFailed, "has ended as FAILURE: GPU lost. It may be billed"),
        (says("expired"), TaskFailed, "has failed: expired."),
        (answer(410), TaskFailed, "has failed: status 410"),
        (says("failed", error={"code": "content_policy_violation", "message": "no"}), PromptRejected, "refuses this"),
        (error(500, "content_policy_violation", "no"), PromptRejected, "refuses this prompt (no)"),
        (error(403, "moderation_blocked", "no"), PromptRejected, "refuses this prompt (no)"),
        (says("failed", error={"code": "insufficient_quota", "message": "0"}), GenerationStopped, "Check the account"),
    ],
)
def test_a_task_that_has_ended_without_an_image_says_why(
    api: ImagesApi, client: ImagesClient, report: Behaviour, kind: type[Exception], message: str
) -> None:
    order(api, PATH, [PNG], report)
    with pytest.raises(Failed) as raised:
        collect(client)
    assert type(raised.value.error) is kind
    assert raised.value.may_be_billed
    assert message in str(raised.value.error)


def test_a_question_for_which_there_is_no_time_says_nothing_about_the_service(
    api: ImagesApi, client: ImagesClient
) -> None:
    order(api, PATH, [PNG], says("queued"))
    with pytest.raises(TaskPending, match=r"not made within `timeout`. Its task \(t/1\) is not known to have ended"):
        collect(client, seconds=0)
    order(api, PATH, [PNG], says("queued"), hang)
    with pytest.raises(TaskPending, match="is queued"):
        collect(client, seconds=2.5)


def test_once_a_task_is_known_another_one_that_is_not_has_been_forgotten(api: ImagesApi, client: ImagesClient) -> None:
    order(api, PATH, [PNG])
    collect(client)
    with pytest.raises(ImageUrlExpired):
        collect(client, Task("lost"), age=3601)


def test_a_server_that_is_late_to_know_a_task_is_asked_again(api: ImagesApi, client: ImagesClient) -> None:
    order(api, PATH, [PNG], answer(404, retry_after_ms="5"), says("UNKNOWN"))
    collect(client)
    assert len(api.fetches) == 3


def test_addresses_elsewhere_are_never_asked(api: ImagesApi, client: ImagesClient) -> None:
    """As of a task that was ordered when `base_url` was another."""
    order(api, PATH, [PNG])
    with ImagesApi() as other:
        collect(client, Task("t/1", f"{other.origin}/t", f"{other.origin}/r"))
        assert other.fetches == []
    assert api.fetches == [PATH]


def test_an_address_that_answers_with_the_image_itself_is_read(api: ImagesApi, client: ImagesClient) -> None:
    api.by_path[PATH] = [raw(200, PNG, "image/png")]
    body = collect(client)
    assert client.read_collected(body, TASK).data == PNG


def test_an_image_that_a_result_leaves_out_is_a_failure(api: ImagesApi, client: ImagesClient) -> None:
    order(api, PATH, [PNG])
    body = collect(client)
    assert client.read_collected(body, TASK).url
    with pytest.raises(TaskFailed, match="without an image that can be read"):
        client.read_collected(body, TASK._replace(position=1))


def test_an_address_where_no_task_can_be_asked_for_is_told_without_the_task(
    api: ImagesApi, client: ImagesClient
) -> None:
    api.fetch_script = [answer(405)] * 2
    for task, address in ((Task("p"), "/v1/tasks/{id}"), (Task("p", f"{api.origin}/p/p?sig=1"), "/p/{id}")):
        with pytest.raises(GenerationStopped) as raised:
            collect(client, task, age=99)
        assert f"its address of tasks, {api.origin}{address}, answered 405" in str(raised.value)
