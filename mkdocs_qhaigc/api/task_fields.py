"""Reads what answers say of tasks: which one an answer names, how far it is, and where its images are. Pure.

A task is how a service delivers an image later: the answer to a call names it, and it is asked for until it has ended.
The names of fields and states are those of relays, DashScope, fal, Kling, Novita, Replicate, Zhipu and others.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from enum import Enum
from typing import Any, NamedTuple, TypeVar
from urllib.parse import urljoin, urlsplit

from mkdocs_qhaigc.errors import ApiError

T = TypeVar("T")

_IDS = ("task_id", "taskId", "job_id", "jobId", "prediction_id", "generation_id")
"""Fields that name a task wherever they are."""
_OTHER_IDS = ("id", "request_id", "requestId", "uuid")
"""Fields that name a task only beside another sign of one."""
_STATES = ("task_status", "taskStatus", "status", "state", "job_status")
_ADDRESSES = ("status_url", "poll_url", "polling_url")
_REASONS = ("fail_reason", "failure_reason", "task_status_msg", "error_message", "error_msg", "reason")
_MESSAGES = ("message", "msg", "detail", "description")
_INNER = ("data", "output", "task", "result", "response")
"""Fields whose objects may describe the task, from the outermost."""
_RESULTS = (
    *("data", "result", "results", "output", "outputs", "task_result", "image_result", "response"),
    *("images", "output_images", "image", "image_urls", "image_url", "result_urls", "result_url", "resultUrls"),
    *("url", "urls", "sample", "choices", "message", "content"),
)
"""Fields below which the images of a finished task may be; the first that has any counts."""
_NO_TASKS = ("chat.completion", "text_completion", "response")
"""Beginnings of `object` in answers of other APIs, which have an `id`, too."""
_MOST_LEVELS = 10
"""Of objects and lists in one another that are looked at."""
_FIRST_STATUS = 100
"""Numbers from this one on are statuses of HTTP, not states of tasks."""
_LONGEST_ID = 500
"""Characters."""


class TaskState(Enum):
    """How far a task is."""

    UNDER_WAY = "the service works on it, or will"
    DONE = "it has ended, with images"
    FAILED = "it has ended without an image"
    UNKNOWN = "the service does not know it"


_WORDS = {
    TaskState.UNDER_WAY: "pending queued queueing queuing in_queue processing running in_progress submitted starting "
    "started created accepted scheduled waiting generating not_start preparing initialized retrying",
    TaskState.DONE: "completed complete succeeded succeed success successful finished finish done ready",
    TaskState.FAILED: "failed failure fail error expired canceled cancelled timeout timed_out rejected aborted "
    "terminated nsfw content_moderated request_moderated",
    TaskState.UNKNOWN: "unknown not_found task_not_found",
}
"""The words of services for each state, in small letters, with `_` between words."""
_STATE_OF = {word: state for state, words in _WORDS.items() for word in words.split()}
_MODERATED = re.compile("moderated|nsfw", re.IGNORECASE)
"""Matches states that are refusals."""


class Task(NamedTuple):
    """A task that an answer names."""

    id: str
    url: str = ""
    """Where the service says that it is asked for, absolute and at `base_url`'s origin; empty if it does not say."""
    result_url: str = ""
    """Where the service says that its result is, likewise."""
    position: int = 0
    """Of the image among those of the task, from 0."""


class TaskReport(NamedTuple):
    """The state of a task, as the answer to one poll tells it."""

    state: TaskState | None
    """`None` if the word for it is not known, or missing."""
    word: str
    """The state in the service's own word; empty if there is none."""
    error: Mapping[str, Any] | None
    """The reason why there is no image, in the form of an error's body; `None` if there is none."""
    result_url: str
    """Where the result is, absolute and at `base_url`'s origin; empty if the answer does not say."""


def read_task(parsed: object, *, base_url: str, accepted: bool = False) -> Task | None:
    """Return the task that an answer, or an entry of one, names; `None` if it names none.

    `accepted`: the answer's status was 202, so any id is a task's.
    """
    levels = list(_levels(parsed))
    url = next(filter(None, (_address(level, base_url) for level in levels)), "")
    result_url = next(filter(None, (_own(level.get("response_url"), base_url) for level in levels)), "")
    for level in levels:
        if found := _id(level, _IDS):
            return Task(found, url, result_url)
    for level in levels:
        found = _id(level, _OTHER_IDS)
        if found and not str(level.get("object", "")).startswith(_NO_TASKS) and "choices" not in level:
            state = _state(level)[0]
            if accepted or state is TaskState.UNDER_WAY or _address(level, base_url):
                return Task(found, url, result_url)
    return None


def read_task_under_way(entry: object, *, base_url: str) -> Task | None:
    """Return the task that an answer's entry names, if the entry says that the task has not ended."""
    if isinstance(entry, dict) and _state(entry)[0] is TaskState.UNDER_WAY:
        return read_task(entry, base_url=base_url)
    return None


def read_report(parsed: object, *, base_url: str) -> TaskReport:
    """Return what the answer about a task says of it."""
    levels = list(_levels(parsed))
    described = [level for level in levels if _state(level)[0]]
    with_id = [level for level in described if _id(level, (*_IDS, "id"))]
    unfinished = [level for level in described if _state(level)[0] is not TaskState.DONE]
    # The outermost object may only say that the request has succeeded.
    level = next(iter(with_id or unfinished or described), None)
    if level is None:
        word = next(filter(None, (_state(level)[1] for level in levels)), "")
        state = None
    else:
        state, word = _state(level)
    result_url = next(filter(None, (_own(level.get("response_url"), base_url) for level in levels)), "")
    may_be_message = state in (TaskState.FAILED, TaskState.UNKNOWN) or not word
    return TaskReport(state, word, _error(levels, level, word, may_be_message=may_be_message), result_url)


def read_results(value: object, read_image: Callable[[Any], T], *, levels: int = _MOST_LEVELS) -> list[T]:
    """Return the images in the result of a finished task; `read_image` reads one, and raises `ApiError` for none."""
    if not levels or not isinstance(value, dict | list | str):
        return []
    if isinstance(value, list):
        return [image for item in value for image in read_results(item, read_image, levels=levels - 1)]
    try:
        return [read_image(value)]
    except ApiError:
        inner = (value.get(name) for name in _RESULTS) if isinstance(value, dict) else ()
    return next(filter(None, (read_results(found, read_image, levels=levels - 1) for found in inner)), [])


def is_done(parsed: object) -> bool:
    """Whether an answer says that a task has ended with images."""
    return read_report(parsed, base_url="").state is TaskState.DONE


def _levels(value: object, left: int = 4) -> Iterator[Mapping[str, Any]]:
    """Yield the objects of an answer that may describe its task, the outer ones first."""
    waiting = [value]
    for _ in range(left):
        found = [item[0] if isinstance(item, list) and item else item for item in waiting]
        objects = [item for item in found if isinstance(item, dict)]
        yield from objects
        waiting = [item.get(name) for item in objects for name in _INNER]


def _id(level: Mapping[str, Any], names: tuple[str, ...]) -> str:
    for name in names:
        value = level.get(name)
        text = str(value).strip() if isinstance(value, str | int) and not isinstance(value, bool) else ""
        if text and text.isprintable() and len(text) <= _LONGEST_ID:
            return text
    return ""


def _state(level: Mapping[str, Any]) -> tuple[TaskState | None, str]:
    """Return the state that an object names, and its word. Some services number their states, each in its own way."""
    given = [level.get(name) for name in _STATES]
    words = [word.strip() for word in given if isinstance(word, str) and word.strip()]
    if _id(level, (*_IDS, "id")) or not any(level.get(name) for name in _MESSAGES):  # else it is that of the request
        words += [str(number) for number in given if type(number) is int and abs(number) < _FIRST_STATUS]
    for word in words:
        plain = re.sub(r"[^a-z]+", "_", word.lower()).strip("_").removeprefix("task_status_")
        if state := _STATE_OF.get(plain):
            return state, word
    return None, words[0] if words else ""


def _error(
    levels: list[Mapping[str, Any]], described: Mapping[str, Any] | None, word: str, *, may_be_message: bool
) -> Mapping[str, Any] | None:
    """Return the reason of a failure as an error's body; `may_be_message`: whether any message is one."""
    code = "moderation_blocked" if _MODERATED.search(word) else None
    for level in levels:
        error = level.get("error")
        if isinstance(error, dict | list) and error:
            return {"error": {"code": code, **error}} if isinstance(error, dict) else {"error": error}
    for level in levels:
        for name in ("error", *_REASONS):
            if isinstance(text := level.get(name), str) and text.strip():
                return {"error": {"code": code or level.get("error_code") or level.get("code"), "message": text}}
    for level in (described, *levels) if described else levels:
        for name in _MESSAGES if may_be_message else ():
            if isinstance(text := level.get(name), str) and text.strip():
                return {"error": {"code": code or level.get("code"), "message": text}}
    return {"error": {"code": code, "message": word}} if code else None


def _address(level: Mapping[str, Any], base_url: str) -> str:
    """Return the address at which the service says that a task is asked for, if that is at its own origin."""
    urls = level.get("urls")
    given = (urls.get("get") if isinstance(urls, dict) else None, *(level.get(name) for name in _ADDRESSES))
    own = filter(None, (_own(url, base_url) for url in given))
    return next(own, "") or ("" if any(given) else _own(level.get("response_url"), base_url))


def _own(url: object, base_url: str) -> str:
    """Return an address as an absolute one; empty if it is none, or at another origin, to which no key is sent."""
    if not isinstance(url, str) or not url.strip() or not url.isprintable():
        return ""
    try:
        absolute = urljoin(f"{base_url}/", url.strip())
        return absolute if origin(absolute) == origin(base_url) else ""
    except ValueError:
        return ""


def origin(url: str) -> tuple[str, str, int | None]:
    """Return scheme, host and port of an address.

    Raises:
        ValueError: it is none.
    """
    parts = urlsplit(url)
    if parts.username is not None:
        raise ValueError("an address with a user name")
    return parts.scheme, (parts.hostname or "").lower(), parts.port or {"http": 80, "https": 443}.get(parts.scheme)
