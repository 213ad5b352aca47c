"""What answers say of tasks, in the forms of the services that deliver later."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from mkdocs_qhaigc.api.response import Answer, read_answers, share_task
from mkdocs_qhaigc.api.task_fields import Task, TaskState, read_report
from mkdocs_qhaigc.errors import QhaigcError

BASE_URL = "https://api.example.com/v1"
OWN = "https://api.example.com"
IMAGE = "https://files.example.com/a.png"


def read(body: object, status: int = 200) -> list[Answer]:
    return read_answers(json.dumps(body).encode(), status=status, media_type="", base_url=BASE_URL)


@pytest.mark.parametrize(
    ("body", "status", "tasks"),
    [
        ({"data": [{"task_id": "t1", "status": "submitted"}]}, 200, [Task("t1")]),
        ({"data": [{"task_id": "t1", "status": "submitted"}, {"task_id": "t2"}]}, 200, [Task("t1"), Task("t2")]),
        ({"status": "success", "data": [{"task_id": "t1"}, {"task_id": "t2"}]}, 200, [Task("t1"), Task("t2")]),
        ({"task_id": "t1"}, 200, [Task("t1")]),
        ({"task_id": 17, "status": "PENDING"}, 200, [Task("17")]),
        ({"id": "t1", "status": "queued"}, 200, [Task("t1")]),
        ({"id": "t1", "state": "In Progress"}, 200, [Task("t1")]),
        ({"id": "t1"}, 202, [Task("t1")]),
        ({"data": [], "taskId": "t1"}, 200, [Task("t1")]),
        ({"code": 200, "msg": "success", "data": {"taskId": "t1"}}, 200, [Task("t1")]),
        ({"code": 0, "data": {"task_id": "t1", "task_status": "submitted"}, "request_id": "r"}, 200, [Task("t1")]),
        ({"output": {"task_id": "t1", "task_status": "PENDING"}, "request_id": "r"}, 200, [Task("t1")]),
        ({"task": {"task_id": "t1", "status": "TASK_STATUS_QUEUED"}}, 200, [Task("t1")]),
        ({"id": "t1", "request_id": "r", "task_status": "PROCESSING"}, 200, [Task("t1")]),
        ({"job_id": "t1", "status": "succeeded"}, 200, [Task("t1")]),
        ({"data": [{"id": "t1", "status": "queued", "url": f"{OWN}/v1/tasks/t1"}]}, 200, [Task("t1")]),
        (
            {"status": "IN_QUEUE", "request_id": "t1", "response_url": f"{OWN}/r/1", "status_url": f"{OWN}/r/1/status"},
            200,
            [Task("t1", f"{OWN}/r/1/status", f"{OWN}/r/1")],
        ),
        (
            {"code": 200, "data": {"id": "t1", "status": "created", "outputs": [], "urls": {"get": f"{OWN}/v3/t1"}}},
            200,
            [Task("t1", f"{OWN}/v3/t1")],
        ),
        ({"id": "t1", "status": "starting", "urls": {"get": "/v1/x/t1"}}, 201, [Task("t1", f"{OWN}/v1/x/t1")]),
        ({"id": "t1", "polling_url": f"{OWN}/v1/get_result?id=t1"}, 200, [Task("t1", f"{OWN}/v1/get_result?id=t1")]),
        # an address elsewhere gets no key
        ({"task_id": "t1", "status_url": "https://evil.example/t1"}, 200, [Task("t1")]),
        ({"task_id": "t1", "status_url": "http://api.example.com/t1"}, 200, [Task("t1")]),
        ({"task_id": "t1", "status_url": "https://api.example.com:8443/t1"}, 200, [Task("t1")]),
        ({"task_id": "t1", "status_url": "https://x@api.example.com/t1"}, 200, [Task("t1")]),
        ({"task_id": "t1", "status_url": "https://[/t1"}, 200, [Task("t1")]),
    ],
)
def test_a_task_is_found(body: object, status: int, tasks: list[Task]) -> None:
    assert [answer.task for answer in read(body, status)] == tasks


@pytest.mark.parametrize(
    "body",
    [
        {"id": "x"},
        {"id": "x", "status": "completed"},
        {"request_id": "r", "status": "success", "data": []},
        {"id": "x", "object": "chat.completion", "status": "queued", "choices": []},
        {"id": "x", "object": "response", "status": "queued"},
        {"id": "x", "status": "queued", "choices": []},
        {"task_id": ""},
        {"task_id": None, "status": "queued"},
        {"task_id": True},
        {"task_id": "x" * 501},
        {"error": {"message": "no"}, "task_id": "t1"},
    ],
)
def test_what_names_no_task_is_an_error(body: object) -> None:
    with pytest.raises(QhaigcError):
        read(body)


def test_an_image_beside_a_task_is_an_image() -> None:
    (answer,) = read({"data": [{"url": IMAGE}], "task_id": "t1", "status": "succeeded"})
    assert (answer.url, answer.task) == (IMAGE, None)


def test_a_task_that_is_alone_makes_all_images_of_its_call() -> None:
    shared = share_task(read({"task_id": "t1"}), 3)
    assert [answer.task for answer in shared] == [Task("t1", position=position) for position in range(3)]
    two = read({"data": [{"task_id": "t1"}, {"task_id": "t2"}]})
    assert share_task(two, 3) == two


@pytest.mark.parametrize(
    "body",
    [
        {"status": "completed", "data": [{"url": IMAGE}]},
        {"id": "t1", "status": "completed", "result": {"images": [{"url": [IMAGE], "expires_at": 1}]}},
        {"code": 200, "data": {"id": "t1", "status": "completed", "result": {"images": [{"url": [IMAGE]}]}}},
        {"code": "success", "data": {"task_id": "t1", "status": "SUCCESS", "data": {"result": {"images": [IMAGE]}}}},
        {"task_id": "t1", "status": "SUCCESS", "result_url": IMAGE},
        {"id": "t1", "status": "succeeded", "input": {"image": "https://x.example/in.png"}, "output": [IMAGE]},
        {"id": "t1", "status": "succeeded", "urls": {"get": f"{OWN}/t1"}, "output": IMAGE},
        {"id": "t1", "status": "completed", "results": [IMAGE], "task_info": {"can_cancel": False}},
        {"request_id": "r", "output": {"task_id": "t1", "task_status": "SUCCEEDED", "results": [{"url": IMAGE}]}},
        {"output": {"task_status": "SUCCEEDED", "choices": [{"message": {"content": [{"image": IMAGE}]}}]}},
        {"code": 0, "data": {"task_id": "t1", "task_status": "succeed", "task_result": {"images": [{"url": IMAGE}]}}},
        {"task_status": "SUCCESS", "image_result": [{"url": IMAGE}], "id": "t1", "request_id": "r"},
        {"task_status": "SUCCEED", "task_id": "t1", "output_images": [IMAGE]},
        {"task": {"task_id": "t1", "status": "TASK_STATUS_SUCCEED"}, "images": [{"image_url": IMAGE}]},
        {"id": "t1", "status": "Ready", "result": {"sample": IMAGE, "prompt": "fog"}},
        {
            "data": {"task_id": "t1", "status": "completed", "output": {"resultUrls": [IMAGE]}, "image_url": IMAGE},
        },
        {"data": {"id": "t1", "status": "completed", "outputs": [IMAGE], "urls": {"get": f"{OWN}/t1"}}},
        {"data": {"taskId": "t1", "state": "success", "resultJson": json.dumps({"resultUrls": [IMAGE]})}},
        {"taskId": "t1", "status": "done", "pictures": {"large_url": [IMAGE]}, "input": {"image_url": "https://x/in"}},
    ],
)
def test_the_images_of_a_finished_task_are_found(body: Any) -> None:
    assert read_report(body, base_url=BASE_URL).state is TaskState.DONE
    assert [answer.url for answer in read(body)] == [IMAGE]


@pytest.mark.parametrize(
    ("body", "state", "word"),
    [
        ({"status": "IN_PROGRESS", "request_id": "r"}, TaskState.UNDER_WAY, "IN_PROGRESS"),
        ({"code": "success", "data": {"task_id": "t", "status": "NOT_START"}}, TaskState.UNDER_WAY, "NOT_START"),
        ({"status": "success", "data": {"status": "processing"}}, TaskState.UNDER_WAY, "processing"),
        ({"status": "success", "data": {"id": "t", "status": "failed"}}, TaskState.FAILED, "failed"),
        (
            {"data": {"task_id": "t", "status": "SUCCESS", "data": {"status": "processing"}}},
            TaskState.DONE,
            "SUCCESS",
        ),
        ({"output": {"task_id": "t", "task_status": "CANCELED"}}, TaskState.FAILED, "CANCELED"),
        ({"output": {"task_id": "t", "task_status": "UNKNOWN"}}, TaskState.UNKNOWN, "UNKNOWN"),
        ({"id": "t", "status": "Task not found"}, TaskState.UNKNOWN, "Task not found"),
        ({"id": "t", "status": "Request Moderated"}, TaskState.FAILED, "Request Moderated"),
        ({"id": "t", "status": "rendering"}, None, "rendering"),
        ({"status": 200}, None, ""),
        ({"status": 0, "msg": "task not found"}, None, ""),
        ({"status": 1, "progress": 30}, None, "1"),
        ({"status": 1, "msg": "ok", "data": {"status": 2}}, None, "2"),
        ({"code": 0, "data": {"task_id": "t", "status": 2}}, None, "2"),
        ({"id": "t", "state": "Successful"}, TaskState.DONE, "Successful"),
        ([{"status": "queued"}], TaskState.UNDER_WAY, "queued"),
        ("queued", None, ""),
    ],
)
def test_the_state_of_a_task_is_read(body: object, state: TaskState | None, word: str) -> None:
    assert read_report(body, base_url=BASE_URL)[:2] == (state, word)


@pytest.mark.parametrize(
    ("body", "code", "message"),
    [
        ({"status": "failed", "error": {"code": "c", "message": "m"}}, "c", "m"),
        ({"status": "failed", "error": "m"}, None, "m"),
        ({"code": "success", "message": "", "data": {"status": "FAILURE", "fail_reason": "m"}}, None, "m"),
        ({"code": 0, "message": "SUCCEED", "data": {"task_status": "failed", "task_status_msg": "m"}}, None, "m"),
        ({"output": {"task_status": "FAILED", "code": "c", "message": "m"}, "request_id": "r"}, "c", "m"),
        ({"status": "Content Moderated", "id": "t"}, "moderation_blocked", "Content Moderated"),
    ],
)
def test_the_reason_of_a_failure_is_read(body: object, code: str | None, message: str) -> None:
    error = read_report(body, base_url=BASE_URL).error
    assert error
    assert error["error"]["message"] == message
    assert error["error"].get("code") == code


def test_a_word_that_is_not_known_and_a_message_are_no_failure() -> None:
    assert read_report({"status": "rendering", "message": "half done"}, base_url=BASE_URL).error is None
    assert read_report({"status": "rendering", "error": "GPU lost"}, base_url=BASE_URL).error


words = st.sampled_from(["queued", "success", "failed", IMAGE, BASE_URL])
names = st.sampled_from(
    ["id", "task_id", "status", "data", "output", "result", "urls", "get", "status_url", "error", "url"]
)
any_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text() | words,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(names, inner, max_size=4),
    max_leaves=20,
)


@given(any_json)
@example({"status": "success", "data": json.loads("[" * 400 + "]" * 400)})
def test_any_json_is_read(body: Any) -> None:
    report = read_report(body, base_url=BASE_URL)
    assert report.state is None or isinstance(report.state, TaskState)
    try:
        answers = read(body)
    except QhaigcError:
        return
    for answer in answers:
        if answer.task:
            assert answer.task.id
            assert answer.task.url.startswith(OWN) or not answer.task.url
