"""Asks for tasks until they have ended: `GET {base_url}/tasks/{id}`, in the service's pace.

To ask costs nothing, and the image is paid for already: so whatever does not say for certain that a task has ended
leaves it to the next build, and no other image is ordered meanwhile.
"""

from __future__ import annotations

import json
import re
import threading
import time
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, NamedTuple
from urllib.parse import quote

import httpx

from mkdocs_qhaigc.api.content_coding import codings_in, decoded, require_decoded
from mkdocs_qhaigc.api.network_backend import within
from mkdocs_qhaigc.api.response import (
    LARGEST_BODY,
    MOST_IN_ONE_CALL,
    ServerError,
    is_whole,
    read_answers,
    read_error,
    read_json,
)
from mkdocs_qhaigc.api.retry import Billing, Deadline, Failed, RateLimiter, retry, retry_after
from mkdocs_qhaigc.api.task_fields import Task, TaskReport, TaskState, origin, read_report
from mkdocs_qhaigc.api.transport import describe, read_body, redirection_target, timeout
from mkdocs_qhaigc.errors import (
    AnswerUnreadable,
    ApiError,
    GenerationStopped,
    ImageUrlExpired,
    QhaigcError,
    TaskFailed,
    TaskPending,
)
from mkdocs_qhaigc.imaging.formats import format_of

_FIRST_PAUSE, _PAUSE_GROWS, _LONGEST_PAUSE = 1.0, 1.5, 10.0
"""Seconds between two questions, if the service does not say how many; and the factor by which they grow."""
_LAST_PAUSE = 1.0
"""Seconds before the deadline at which a task is asked for once more."""
_TIME_TO_ANSWER = 0.5
"""Seconds without which a question that is not answered says nothing about the server."""
_TOO_EARLY = 20.0
"""Seconds after its order during which a task may be unknown: not every server knows it at once."""
_FORGOTTEN = 3600.0
"""Seconds after its order from which a task that the service does not know counts as lost."""
_GIVEN_UP = 24 * 3600.0
"""Seconds after its order from which a task counts as lost if all that the service answers is an error."""
_LARGEST = MOST_IN_ONE_CALL * LARGEST_BODY
"""Bytes of an answer."""
_LATER = "The next build collects it, and orders no other"
_NO_SUCH_TASK = re.compile(r"(?<![/\w])(?:task|job|prediction)(?![\w ]*/)|任务", re.IGNORECASE)
"""Matches an error that speaks of a task, and not only of an address with that word."""
_MISSING = re.compile(
    r"not[_ ]?(?:found|exist)|no[_ ]such|unknown|does(?: not|n't) exist|invalid[_ ]id|不存在", re.IGNORECASE
)
"""Matches errors by which servers say that they do not know something, whatever the status."""
_BUSY = frozenset((408, 409, 425, 429))
_FAILED = frozenset((400, 410, 422, 451))
"""Statuses that fail a task where its result should be."""
_NO_TASKS = frozenset((401, 403, 405, 501))


class _Reply(NamedTuple):
    status: int
    headers: httpx.Headers
    body: bytes

    @property
    def error(self) -> ServerError:
        return read_error(self.status, self.headers.get("content-type", ""), self.body)


class Tasks:
    """The tasks of one API. Safe to use from several threads."""

    def __init__(
        self, http: httpx.Client, *, base_url: str, task_url: str, retries: int, stopped: threading.Event
    ) -> None:
        """Ask through a client that has the key.

        Args:
            task_url: the address of a task for which the service names none, with `{base_url}` and `{id}`; at
                `base_url`'s origin, for the key is sent to it.
            retries: further attempts of one question that meets a busy server, or none.
        """
        self._http = http
        self._base_url = base_url
        self._task_url = task_url
        self._retries = retries
        self._stopped = stopped
        self._limiter = RateLimiter(stopped)
        self._answered = False
        """Whether the service has told the state of any task."""

    def collect(self, task: Task, *, age: float, deadline: Deadline) -> bytes:
        """Return the body of the answer with a task's images, once it has ended.

        Args:
            age: seconds since the order.

        Raises:
            Failed: the task has ended without an image. Its error says why.
            TaskPending: it has not ended, as far as is known.
            ImageUrlExpired: the service does not know it any more.
            GenerationStopped: no task can be asked for. It is not lost.
        """
        began, pause = time.monotonic(), _FIRST_PAUSE
        own = {url for url in (task.url, task.result_url) if url and origin(url) == origin(self._base_url)}
        pattern = self._task_url.format(base_url=self._base_url, id=quote(task.id, safe=""))
        url = task.url if task.url in own else pattern  # the key is sent to no other server
        result_url = task.result_url if task.result_url in own else ""
        word = ""
        while True:
            reply = self._ask(url, task, deadline, word=word, age=age + time.monotonic() - began)
            known_for = age + time.monotonic() - began
            if format_of(reply.body):
                return reply.body
            may_wait = known_for < _TOO_EARLY and deadline.left > pause + _LAST_PAUSE
            report = self._read(reply, task, url, known_for, may_wait=may_wait)
            if report.state is TaskState.DONE:
                result_url = report.result_url or result_url
                if not result_url or result_url == url or _has_images(reply.body, self._base_url):
                    return reply.body
                return self._result(result_url, task, deadline, age=known_for)
            word = report.word
            wish = retry_after(reply.headers)
            seconds = wish or min(pause, deadline.left - _LAST_PAUSE)  # a wish of 0 is none
            if seconds <= 0 or seconds >= deadline.left:
                raise TaskPending(_pending(task, word, known_for))
            if self._stopped.wait(seconds):
                raise TaskPending(f"the build was stopped while a task ({_shown(task)}) was under way. {_LATER}")
            pause = min(pause * _PAUSE_GROWS, _LONGEST_PAUSE)

    def _result(self, url: str, task: Task, deadline: Deadline, *, age: float) -> bytes:
        """Return the body with the images of a task that has ended; some services have it at an address of its own."""
        reply = self._ask(url, task, deadline, word="", age=age)
        if reply.status in _FAILED or reply.error.refused:
            raise _failed(task, "", reply.error)
        if reply.status >= 300:
            raise TaskPending(f"the service's task has ended, and its result is not there ({reply.error}). {_LATER}")
        return reply.body

    def _read(self, reply: _Reply, task: Task, url: str, age: float, *, may_wait: bool) -> TaskReport:
        """Return what an answer says of a task that is under way, or done.

        Args:
            may_wait: whether a task that the service does not know yet counts as under way.

        Raises:
            Failed, GenerationStopped, TaskPending, ImageUrlExpired: as `collect`.
        """
        if reply.status in _NO_TASKS or 300 <= reply.status < 400:
            if reply.error.refused:
                raise _failed(task, "", reply.error)
            said = f"{reply.error}"
            if reply.status < 400 and "location" in reply.headers:
                target = redirection_target(httpx.URL(url), reply.headers["location"])
                said = f"{reply.status}, a redirection to {target}, which is not followed"
            raise self._impossible(url, task, said)
        if reply.status >= 400:
            error = reply.error
        else:
            try:
                report = read_report(read_json(reply.body), base_url=self._base_url)
            except (ValueError, RecursionError):
                raise self._impossible(url, task, f"{reply.error}") from None
            self._answered = self._answered or report.state is not None
            if report.state is TaskState.FAILED:
                raise _failed(task, report.word, _server_error(report.error))
            if report.state in (TaskState.DONE, TaskState.UNDER_WAY):
                return report
            if report.state is None and _has_images(reply.body, self._base_url, anywhere=not report.word):
                return report._replace(state=TaskState.DONE)
            if report.state is None and report.error is None:
                if report.word:
                    return report
                raise self._impossible(url, task, f"{reply.status} without a state")
            error = _server_error(report.error)
            if report.state is TaskState.UNKNOWN:
                error = replace(error, status=404)
        if error.status == 410:
            raise _failed(task, "", error)
        is_missing = error.status == 404 or bool(_MISSING.search(f"{error.code} {error.message}"))
        if may_wait and is_missing and not error.refused:
            return TaskReport(TaskState.UNDER_WAY, "not known yet", None, "")
        raise self._without_state(error, task, url, age, is_missing=is_missing)

    def _without_state(
        self, error: ServerError, task: Task, url: str, age: float, *, is_missing: bool
    ) -> Failed | QhaigcError:
        """Return what an error means that the service answers instead of a task's state."""
        if error.refused:
            return _failed(task, "", error)
        if error.account:
            return GenerationStopped(
                f"the API, asked for a task, answered {error}. Check the key and the account, then build again"
            )
        if not is_missing:
            if age >= _GIVEN_UP:
                return ImageUrlExpired(f"the service has no image for its task ({error}; {_shown(task)})")
            said = f"the service does not say how far its task is ({error}; {_shown(task)}). {_LATER}"
            return TaskPending(said, is_disowned=True)
        if (
            not (self._answered or task.url)
            and not _NO_SUCH_TASK.search(f"{error.code} {error.message}")
            and age < _GIVEN_UP
        ):
            return self._impossible(url, task, f"{error}")
        if age >= _FORGOTTEN:
            return ImageUrlExpired(f"the service does not know its task any more ({_shown(task)})")
        return TaskPending(
            f"the service does not know its own task ({error}; {_shown(task)}). The next builds ask for it again; from "
            "an hour after its order on they order another",
            is_disowned=True,
        )

    def _impossible(self, url: str, task: Task, said: str) -> GenerationStopped:
        """Return the error of an address at which no task can be asked for."""
        address = self._task_url.replace("{base_url}", self._base_url)  # one message for all tasks
        if url == task.url:
            own = url.partition("?")[0]  # its query may be signed
            before, has_id, behind = own.rpartition(quote(task.id, safe=""))
            address = f"{before}{{id}}{behind}" if has_id else own
        return GenerationStopped(
            f"the service makes its images as tasks, and its address of tasks, {address}, answered {said.rstrip('.')}. "
            "Set `task_url`, or check the key. What was ordered is kept, and the next build collects it"
        )

    def _ask(self, url: str, task: Task, deadline: Deadline, *, word: str, age: float) -> _Reply:
        """Return the answer to one question, which is repeated while the server is busy or away.

        Args:
            word: the state that the service has told last, or "".

        Raises:
            TaskPending: there was none. If only the deadline is to blame, as for any task that takes too long.
        """
        had_time = deadline.left > _TIME_TO_ANSWER
        try:
            return retry(
                lambda: self._get(url, deadline), retries=self._retries, deadline=deadline, limiter=self._limiter
            )
        except (AnswerUnreadable, TaskPending):
            raise
        except QhaigcError as error:
            if not deadline.left and (word or not had_time):
                raise TaskPending(_pending(task, word or "not known to have ended", age)) from error
            raise TaskPending(
                f"the service cannot be asked for its task ({error}; {_shown(task)}). {_LATER}"
            ) from error

    def _get(self, url: str, deadline: Deadline) -> _Reply:
        try:
            with (
                within(deadline),
                self._http.stream(
                    "GET", url, headers={"Accept": "application/json"}, timeout=timeout(deadline)
                ) as response,
            ):
                codings = codings_in(response.headers.get("content-encoding", ""))
                body = read_body(
                    response, _LARGEST, is_whole=lambda begun: is_whole(decoded(begun, codings, _LARGEST)), closing=b"}"
                )
                reply = _Reply(response.status_code, response.headers, decoded(body, codings, _LARGEST))
                if response.is_success:
                    require_decoded(reply.body, codings)
        except AnswerUnreadable as error:
            raise Failed(error, Billing.NEVER_AGAIN) from error
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            what = describe(error) if isinstance(error, httpx.HTTPError) else str(error)
            raise Failed(ApiError(f"no answer: {what}"), Billing.NO) from error
        if (reply.status in _BUSY or reply.status >= 500) and reply.status not in _NO_TASKS:
            said = reply.error
            if not said.refused and not said.account:
                raise Failed(
                    ApiError(f"the API answered {said}"),
                    Billing.NO,
                    retry_after=retry_after(reply.headers),
                    slow_all=reply.status == 429,
                )
        return reply


def _has_images(body: bytes, base_url: str, *, anywhere: bool = False) -> bool:
    """Whether images can be read from the body of a task's answer. `anywhere`: see `read_answers`."""
    try:
        answers = read_answers(body, status=200, media_type="", base_url=base_url, anywhere=anywhere)
        return any(not answer.task for answer in answers)
    except QhaigcError:
        return False


def _server_error(error: Mapping[str, Any] | None) -> ServerError:
    """Return an error of which a task's answer tells."""
    return read_error(200, "", json.dumps(error or {}).encode())


def _failed(task: Task, word: str, error: ServerError) -> Failed:
    """Return the failure of a task that has ended without an image."""
    said = error.message if error.message != "no reason given" else word or error.message
    code = f" ({error.code})" if error.code and error.code not in said else ""
    exception: ApiError | GenerationStopped
    if error.refused:
        exception = error.as_exception()
    elif error.account:
        exception = GenerationStopped(
            f"the service's task has failed: {said.rstrip('.')}{code}. Check the account, then build again"
        )
    else:
        how = f"has ended as {word}" if word.lower() not in ("", "failed", said.lower()) else "has failed"
        exception = TaskFailed(
            f"the service's task {how}: {said.rstrip('.')}{code}. It may be billed; the next build orders the image "
            f"anew ({_shown(task)})"
        )
    return Failed(exception, Billing.NEVER_AGAIN, may_be_billed=True)


def _pending(task: Task, word: str, age: float) -> str:
    """Return the message about a task that is under way when there is no more time to wait."""
    what = f"the image is ordered, and was not made within `timeout`. Its task ({_shown(task)}) is {word}"
    if age < _GIVEN_UP:
        return f"{what}. {_LATER}"
    return (
        f"{what}, {age / 3600:.0f} hours after the order. {_LATER}; to give it up, remove its file in the folder "
        "`answers` of `cache_dir`"
    )


def _shown(task: Task) -> str:
    """Return a task's id for messages."""
    return task.id if len(task.id) <= 80 else f"{task.id[:79]}…"
