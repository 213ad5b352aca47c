"""Parses responses of an Images API: from status, media type and body to images or an error. Pure.

Servers that call themselves OpenAI-compatible differ in what they send; everything accepted here was seen from one.
"""

from __future__ import annotations

import binascii
import contextlib
import json
import re
import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from itertools import zip_longest
from typing import Any
from urllib.parse import unquote_to_bytes, urljoin, urlsplit

from mkdocs_qhaigc.api.error_codes import (
    ACCOUNT_STATES,
    NO_SUCH_MODEL,
    REFUSALS,
    code_among,
    says_account_state,
    says_refusal,
    says_unknown_key,
)
from mkdocs_qhaigc.api.task_fields import Task, is_done, read_results, read_task, read_task_under_way
from mkdocs_qhaigc.errors import ApiError, GenerationStopped, ImageUrlRefused, PromptRejected
from mkdocs_qhaigc.imaging.formats import LARGEST_IMAGE, format_of
from mkdocs_qhaigc.imaging.non_image_content import name_of

LARGEST_BODY = LARGEST_IMAGE // 3 * 4 + (1 << 20)
"""Bytes of a response's JSON with one image in base64."""
MOST_IN_ONE_CALL = 10
"""The largest `n` that the Images API accepts."""
ECHOED_FIELDS = ("size", "quality", "background", "output_format", "seed")
"""Fields of the request that services repeat in their answers, as they have understood them."""
_GATEWAY_GAVE_UP = frozenset((504, 524))
_BUSY = (429, 503)
"""Statuses of services that can do the same later."""
_MOST_WORDS = 4000
"""Characters of an error that are looked at."""


@dataclass(frozen=True, slots=True)
class Answer:
    """One image of a response: its bytes, the URL to download them from, or the task that makes it."""

    data: bytes | None
    url: str
    """Absolute, http or https; empty if the bytes came with the response, or will come from a task."""
    revised_prompt: str | None
    echo: Mapping[str, str] = field(default_factory=dict)
    """Those of `ECHOED_FIELDS` that the service says it has used, as texts."""
    task: Task | None = None
    """The task to ask for; then there are neither bytes nor a URL."""
    usage: Mapping[str, Any] | None = None
    """This image's share of what the service says it has counted: tokens or images; `None` if it says nothing."""


@dataclass(frozen=True, slots=True)
class ServerError:
    """An error response of a server."""

    status: int
    code: str
    """The error's code, else its type; empty if it has neither."""
    message: str
    param: str
    """The field of the request that the error is about; empty if it names none."""
    words: str = field(default="", repr=False, compare=False)
    """The whole message, and the names of all fields that the error is about."""

    @property
    def refused(self) -> bool:
        """Whether the prompt is rejected for good."""
        if self.status == 451 or code_among([self.code], REFUSALS):
            return True
        return self.status not in _BUSY and says_refusal(self.message)  # which may speak of what checks prompts

    @property
    def account(self) -> bool:
        """Whether no further call can succeed: key, permission, balance, or a limit of the account."""
        if self.refused:
            return False
        if self.status in (401, 402, 403) or code_among([self.code], ACCOUNT_STATES):
            return True
        return says_account_state(self.message) or (self.status == 400 and says_unknown_key(self.message))

    @property
    def has_no_model(self) -> bool:
        """Whether the service, or the account, does not have the model: no later call succeeds, whatever the status."""
        return bool(code_among([self.code], NO_SUCH_MODEL))

    @property
    def invalid(self) -> bool:
        """Whether the call was rejected for one of its fields, before anything was generated."""
        return self.status in (400, 422) and not self.refused and not self.account

    @property
    def gave_up(self) -> bool:
        """Whether a gateway between has waited too long for the API, which may go on."""
        return self.status in _GATEWAY_GAVE_UP

    def names(self, name: str) -> bool:
        """Whether the error is about a field of the request, or speaks of it."""
        return name == self.param or re.search(rf"(?<![\w-]){re.escape(name)}(?![\w-])", self.words) is not None

    def __str__(self) -> str:
        code = f" ({self.code})" if self.code and self.code not in self.message else ""
        return f"{self.status}{code}: {self.message}"

    def as_exception(self) -> ApiError | GenerationStopped:
        """Return the error to raise."""
        said = str(self).rstrip(".")
        if self.refused:
            return PromptRejected.because(self.message)
        if self.account:
            return GenerationStopped(f"the API answered {said}. Check the key and the account, then build again")
        if self.names("response_format") and self.status < 500:
            return ApiError(f"the API answered {said}. Write `response_format: none`, and it is not sent")
        if self.gave_up:
            return ApiError(
                f"the API answered {said}. A gateway gave up before the image was there. Ask for a smaller image or a "
                "quicker model, or raise `timeout` for another try"
            )
        advice = self._advice()
        if not advice and (self.status == 405 or (self.status == 404 and self.code in ("", _ANY_MISTAKE))):
            advice = f". {_CHECK_ADDRESS}"
        return ApiError(f"the API answered {said}{advice}")

    def _advice(self) -> str:
        """Return what to check, if the call was rejected for one of its fields."""
        if self.has_no_model:
            return ". Check `model`"
        if not (self.invalid or self.status == 404):
            return ""
        for name in ("model", "size"):
            if name == self.param or name in self.code or (name == "size" and self.names(name)):
                return f". Check `{name}`"
        return f". Check `{self.param}` under `params`" if self.param and self.param not in ("n", "prompt") else ""


# Errors


def read_error(status: int, media_type: str, body: bytes) -> ServerError:
    """Return the error in a response with an error status, or with an `error` in its body."""
    try:
        parsed = read_json(body)
    except (ValueError, RecursionError):
        return ServerError(status, "", _no_json(media_type, body), "")
    return _error_in(status, parsed)


def _error_in(status: int, parsed: Any) -> ServerError:
    """Return the error that a body's JSON, or a part of it, describes."""
    parsed = _unfolded(parsed)
    words = list(_words(parsed))
    codes = [code for code in _codes(parsed) if not code.lstrip("-").isdigit() or _is_known(code)]
    code = next(filter(_is_known, codes), codes[0] if codes else "")
    if not words and parsed:
        words = [json.dumps(parsed, ensure_ascii=False)]
    message = _clean("; ".join(dict.fromkeys(words))) or "no reason given"
    params = [name for name in _params(parsed) if name and not name.isdigit()]
    return ServerError(
        status,
        _clean(code),
        message,
        params[0] if params else "",
        words=" ".join(("; ".join(words)[:_MOST_WORDS], *params)),
    )


def _is_known(code: str) -> bool:
    return bool(code_among([code], REFUSALS) or code_among([code], ACCOUNT_STATES))


_WITHIN = ("error", "errors", "detail", "validation", "innererror", "inner_error", "base_resp", "metadata", "raw")
"""Where the description of an error has a description within."""
_MOST_LEVELS = 5
"""Of objects and lists in one another that are looked at in an error."""
_WORDS = ("message", "msg", "validation", "detail", "error", "errors", "title", "description", "reason", "status_msg")
"""Where the words of an error are, the best first."""


def _unfolded(value: Any, levels: int = _MOST_LEVELS) -> Any:
    """Return a body with the JSON within its texts parsed: relays send what their service says on as a text."""
    if levels and isinstance(value, str) and value.lstrip().startswith("{"):
        with contextlib.suppress(ValueError, RecursionError):
            return _unfolded(json.loads(value, strict=False), levels - 1)
    if levels and isinstance(value, Mapping):
        return {name: _unfolded(inner, levels - 1) for name, inner in value.items()}
    if levels and isinstance(value, list):
        return [_unfolded(inner, levels - 1) for inner in value]
    return value


def _words(value: Any, depth: int = 0) -> Iterator[str]:
    """Yield the words of an error: those of its message, or of each of several errors."""
    if depth >= _MOST_LEVELS:
        return
    if isinstance(value, str):
        if value.strip():
            yield value.strip()
    elif isinstance(value, list):
        for one in value[:5]:
            yield from _words(one, depth + 1)
    elif isinstance(value, Mapping):
        for field_name, texts in _errors_by_field(value).items():
            yield f"{field_name}: {'; '.join(texts)}"
        if _errors_by_field(value):
            return
        place = _place(value)
        first = () if depth or isinstance(value.get("error"), str) else ("error",)
        for name in (*first, *_WORDS):
            found = list(_words(value.get(name), depth + 1))
            if found:
                yield from (f"{place}: {words}" if place else words for words in found)
                if isinstance(value.get("metadata"), Mapping):  # what a relay's service has said
                    yield from _words(value["metadata"].get("raw"), depth + 1)
                return
        if value.get("base_resp"):
            yield from _words(value["base_resp"], depth + 1)


def _errors_by_field(value: Mapping[str, Any]) -> dict[str, list[str]]:
    """Return what an error says of each field: `{"errors": {"size": ["is not valid"]}}`; empty if it is no such one."""
    errors = value.get("errors")
    if not isinstance(errors, Mapping):
        return {}
    lists = [texts if isinstance(texts, list) else [] for texts in errors.values()]
    return dict(errors) if all(texts and all(isinstance(text, str) for text in texts) for texts in lists) else {}


def _place(value: Mapping[str, Any]) -> str:
    """Return the field that an entry of a list of errors is about, as `body.size`; empty if it names none."""
    where = value.get("loc", value.get("location"))
    return ".".join(map(str, where)) if isinstance(where, list) else where if isinstance(where, str) else ""


def _codes(value: Any, depth: int = 0) -> Iterator[str]:
    """Yield the codes and the types of an error, the outermost first."""
    if isinstance(value, list):
        for one in value[:5]:
            yield from _codes(one, depth + 1)
    elif isinstance(value, Mapping) and depth < _MOST_LEVELS:
        for name in ("code", "type", "status_code", "name", "error"):
            code = value.get(name)
            if isinstance(code, int) and not isinstance(code, bool):
                code = str(code)
            if name == "error" and not (isinstance(code, str) and _is_known(code)):
                continue
            if isinstance(code, str) and code and "/" not in code and len(code) <= 100:
                yield code
        for name in _WITHIN:
            yield from _codes(value.get(name), depth + 1)
        if isinstance(value.get("message"), Mapping):
            yield from _codes(value["message"], depth + 1)


def _params(value: Any, depth: int = 0) -> Iterator[str]:
    """Yield the names of the fields that an error is about."""
    if isinstance(value, list):
        for one in value[:5]:
            yield from _params(one, depth + 1)
    elif isinstance(value, Mapping) and depth < _MOST_LEVELS:
        if isinstance(value.get("param"), str):
            yield value["param"]
        yield from _errors_by_field(value)
        place = _place(value).rpartition(".")[2]
        yield "" if place == "body" else place
        for name in (*_WITHIN, "message"):
            yield from _params(value.get(name), depth + 1)


def is_error(body: bytes) -> bool:
    """Whether a body states in a usual form why there is no image."""
    try:
        parsed = read_json(body)
    except (ValueError, RecursionError):
        return False
    return isinstance(parsed, dict) and bool(parsed.get("error") or parsed.get("errors") or _denies(parsed))


def _denies(parsed: Mapping[str, Any]) -> bool:
    """Whether a body says itself that nothing was made."""
    code = parsed.get("code")
    failed = isinstance(code, int) and not isinstance(code, bool) and (code < 0 or 400 <= code < 600)
    return (parsed.get("success") is False or failed) and any(_words(parsed)) and not parsed.get("data")


# Images


def read_answers(
    body: bytes,
    *,
    status: int,
    media_type: str,
    base_url: str,
    wanted: int = MOST_IN_ONE_CALL,
    anywhere: bool = True,
) -> list[Answer]:
    """Return the images of a response with a success status, in the server's order.

    They are paid for, so everything that can be read as an image counts, even beside an error. `wanted` is the number
    of images that were asked for: only these are used, so they share the whole usage. `anywhere`: whether images are
    looked for in all of the body if they are in no place that is known.

    Raises:
        ApiError: there are none; the message says what came instead. `GenerationStopped` likewise.
    """
    if format_of(body):
        return [Answer(body, "", None)]
    try:
        parsed = read_json(body)
    except (ValueError, RecursionError):
        raise ApiError(f"the API answered {status} with {_no_json(media_type, body)}. {_CHECK_ADDRESS}") from None
    if isinstance(parsed, str):
        parsed = _unfolded(parsed)
    if isinstance(parsed, list) and parsed:
        only_errors = all(isinstance(one, dict) and one.get("error") for one in parsed)
        parsed = {"error" if only_errors else "data": parsed}
    if not isinstance(parsed, dict):
        raise ApiError(f"the API answered {status} with JSON that is no object")
    errors: list[ApiError | GenerationStopped] = []
    waiting: list[Answer] = []
    """Those that name tasks."""
    for entries in _lists_of_entries(parsed):
        answers = []
        for entry in entries:
            try:
                answers.append(_read_entry(entry, base_url, parsed))
            except (ApiError, GenerationStopped) as error:
                errors.append(error)
        if any(answer.task is None for answer in answers):
            return _with_usage(answers, parsed, wanted)
        waiting = waiting or answers
    if is_done(parsed):
        found = read_results(parsed, partial(_read_result, base_url=base_url, whole=parsed))
        if found or (anywhere and (found := list(_images_elsewhere(parsed, base_url)))):
            return _with_usage(found, parsed, wanted)
    if waiting:
        return waiting
    if parsed.get("error"):
        raise _error_in(status, parsed).as_exception()
    if task := read_task(parsed, base_url=base_url, accepted=status == 202):
        return [Answer(None, "", None, task=task)]
    if anywhere and (found := list(_images_elsewhere(parsed, base_url))):
        return _with_usage(found, parsed, wanted)
    if "choices" in parsed:
        what = f"the API answered {status} with a chat's words: there is no Images API at this address"
        raise ApiError(f"{what}. {_CHAT}")
    raise next((error for error in errors if not isinstance(error, _NoImage)), _without_image(status, parsed, errors))


def _with_usage(answers: Sequence[Answer], parsed: Mapping[str, Any], wanted: int) -> list[Answer]:
    """Return answers, each with its share of the usage that the body tells."""
    shares = shared_usage(parsed.get("usage"), min(len(answers), wanted))
    return [replace(answer, usage=share or None) for answer, share in zip_longest(answers, shares)]


def shared_usage(usage: object, images: int) -> list[dict[str, Any]]:
    """Return each image's share of the `usage` of one response. The shares add up to the whole, token by token.

    Only numbers are kept, by their names, in objects at most two deep:
    `{input_tokens: 50, output_tokens: 4160, input_tokens_details: {text_tokens: 50, image_tokens: 0}}`. The shares are
    empty if nothing was counted: proxies write zeros for services that say nothing.
    """
    counted = _share(usage, 1, 0, depth=1)
    return [_share(usage, images, position, depth=2) if any(counted.values()) else {} for position in range(images)]


def _share(usage: object, images: int, position: int, *, depth: int) -> dict[str, Any]:
    share: dict[str, Any] = {}
    for name, value in usage.items() if isinstance(usage, dict) else ():
        if not _USAGE_NAME.fullmatch(name) or len(share) == _MOST_USAGE_NAMES:
            continue
        if isinstance(value, dict) and depth > 1:
            share[name] = _share(value, images, position, depth=depth - 1)
        elif type(value) is int and 0 <= value < _MOST_USAGE:
            share[name] = value // images + (position < value % images)
        elif type(value) is float and 0 <= value < _MOST_USAGE:
            share[name] = value / images
    return {name: value for name, value in share.items() if value != {}}


_USAGE_NAME = re.compile("[A-Za-z][A-Za-z0-9_]{0,39}")
_MOST_USAGE_NAMES = 20
_MOST_USAGE = 1 << 53
_ANY_MISTAKE = "invalid_request_error"
"""The code that OpenAI gives to every mistake in a request, a wrong address among them."""
_CHECK_ADDRESS = "Check `base_url`: it mostly ends in /v1, and /images/generations is added to it"
_CHAT = "Check `base_url`, or choose a `model` that the service lists for its Images API"


class _NoImage(ApiError):  # noqa: N818 - an entry, not a failure
    """An entry of a list of images holds none, and no reason."""


def _without_image(
    status: int, parsed: Mapping[str, Any], errors: list[ApiError | GenerationStopped]
) -> ApiError | GenerationStopped:
    """Return the error for a body without an image: with its own words, where it has some."""
    if any(_words(parsed)):
        return _error_in(status, parsed).as_exception()
    return errors[0] if errors else ApiError(f"the API answered {status} without an image")


def share_task(answers: Sequence[Answer], images: int) -> Sequence[Answer]:
    """Return an answer for each of several images if the only one names a task: that makes them all."""
    if len(answers) == 1 and (task := answers[0].task):
        return [replace(answers[0], task=task._replace(position=position)) for position in range(images)]
    return answers


_PLACES = ("data", "images", "image_urls", "predictions", "artifacts", "output", "results")
"""Where the list of images is, or the object that has it."""
_FIELDS = ("b64_json", "url", "image_url", "base64", "b64", "bytesBase64Encoded", "image", "")
"""Where an entry has its image; an entry that is a text is under the empty name."""
_IN_BASE64 = ("b64_json", "base64", "b64", "bytesBase64Encoded")
_IMAGE_IN_WORDS = re.compile(
    r"""!\[[^\]]{0,1000}\]\(\s*<?(?P<markdown>[^\s<>)]+)"""
    r"""|<img\s[^<>]{0,1000}?\bsrc=["'](?P<html>[^"'>]+)"""
    r"""|(?P<address>https?://[^\s<>()"']{1,1000}\.(?:png|jpe?g|webp|avif)(?:\?[^\s<>()"']{0,4000})?)(?=$|[\s<>()"'])"""
    r"""|\A\s*(?P<all>(?:https?://|data:image/)\S+)\s*\Z""",
    re.IGNORECASE,
)
"""Matches an image in the words of a chat: in Markdown or HTML, an address of one, or an address without a word.

What stands before it is bounded: else a text that only begins as one, again and again, takes minutes.
"""
_NAME_OF_IMAGE = re.compile(
    r"(?i)(?:ur[il]|src|link)s?|.*(?:image|img|picture|output|result|download|sample|file|asset|media).*"
)
"""Matches the names of fields that may have an image's address, whatever its form."""
_ADDRESS_OF_IMAGE = re.compile(r"(?i)https?://[^?#]+\.(?:png|jpe?g|webp|avif)(?:[?#].*)?")
_NAME_OF_ADDRESS = re.compile(r"(?i).*(?:ur[il]|src|link)s?")
"""Matches the names of fields that may have an image's address, if that ends as an image's file."""
_NAME_OF_OTHERS = re.compile(
    r"(?i).*(?:input|request|refer|init|mask|(?<!re)source|control|param|payload|argument|option|setting|config|error|status|poll"
    r"|callback|webhook|preview|thumb|doc|help|avatar|logo|icon|user|author(?!i)|profile|qr_?code).*"
)
"""Matches the names of fields with what was sent, or with addresses of something else."""
_MOST_LEVELS_ELSEWHERE = 8
"""Of objects and lists in one another in which an image is looked for."""


def _lists_of_entries(value: Any, depth: int = 0) -> Iterator[list[Any]]:
    """Yield what may be the list of a body's images, the likeliest first."""
    if isinstance(value, list):
        yield value
    elif isinstance(value, dict) and depth < 3:
        for name in _PLACES:
            if value.get(name):
                yield from _lists_of_entries(value[name], depth + 1)
        if "choices" in value:
            yield list(_images_of_chat(value["choices"]))
        if depth or any(isinstance(value.get(name), str) for name in ("b64_json", "url")):
            yield [value]
    elif value:
        yield [value]


def _images_of_chat(choices: Any) -> Iterator[Any]:
    """Yield the entries of the images in a chat's answer.

    Of each message those in parts of their own, else those in its Markdown or HTML, else the addresses in its words:
    beside an image, words may have the address of another one.
    """
    for choice in choices if isinstance(choices, list) else ():
        message = choice.get("message", choice.get("delta")) if isinstance(choice, dict) else None
        if not isinstance(message, dict):
            continue
        content, images = message.get("content"), message.get("images")
        parts = [*(content if isinstance(content, list) else [content]), *(images if isinstance(images, list) else ())]
        own, marked, addresses, others = list[Any](), list[Any](), list[Any](), list[Any]()
        for part in parts:
            text = part.get("text") if isinstance(part, dict) else part
            if isinstance(text, str):
                for found in _IMAGE_IN_WORDS.finditer(text):
                    kind = found.lastgroup or ""
                    (marked if kind in ("markdown", "html") else addresses).append(found[kind])
            elif isinstance(part, dict):
                has_text = any(isinstance(_text_of(part.get(name)), str) for name in _FIELDS)
                (own if has_text else others).append(part)
        yield from own or marked or addresses
        yield from others


def _images_elsewhere(whole: Mapping[str, Any], base_url: str) -> Iterator[Answer]:
    """Yield the images of a body whose form is not known: texts that begin as one, and addresses named as an image's.

    There is no other use for what was paid for. What the body repeats of the request is none of it.
    """
    for text in dict.fromkeys(_texts_of_images(_unfolded(whole), "", _MOST_LEVELS_ELSEWHERE)):  # some come twice
        with contextlib.suppress(ApiError):
            yield _read_image(text, base_url, whole)


def _texts_of_images(value: Any, name: str, levels: int) -> Iterator[str]:
    if isinstance(value, str):
        text = value.strip()
        is_address = text[:8].lower().startswith(("http://", "https://"))
        if (
            (is_address and _may_be_address_of_image(text, name))
            or text[:11].lower() == "data:image/"
            or _begins_as_image(text)
        ):
            yield text
    elif levels and isinstance(value, list):
        for one in value:
            yield from _texts_of_images(one, name, levels - 1)
    elif levels and isinstance(value, Mapping) and not _denies(value):
        for inner, one in value.items():
            if not _NAME_OF_OTHERS.fullmatch(inner):
                yield from _texts_of_images(one, inner, levels - 1)


def _may_be_address_of_image(address: str, name: str) -> bool:
    """Whether an address may be an image's, by the name of its field: not that of a page about the task or account."""
    if _NAME_OF_IMAGE.fullmatch(name):
        return True
    return bool(_NAME_OF_ADDRESS.fullmatch(name) and _ADDRESS_OF_IMAGE.fullmatch(address))


def _read_entry(entry: Any, base_url: str, whole: Mapping[str, Any]) -> Answer:
    """Return the image of an entry, or the task that makes it. `whole`: see `_read_image`."""
    if task := read_task_under_way(entry, base_url=base_url):  # its `url` may be the task's own
        return Answer(None, "", None, task=task)
    try:
        return _read_image(entry, base_url, whole)
    except ApiError:
        if isinstance(entry, dict) and (task := read_task(entry, base_url=base_url)):
            return Answer(None, "", None, task=task)
        raise


def _read_result(entry: Any, base_url: str, whole: Mapping[str, Any]) -> Answer:
    """Return the image of an entry of a task's result. Raises `ApiError` for whatever holds none."""
    try:
        return _read_image(entry, base_url, whole)
    except GenerationStopped as error:
        raise ApiError(str(error)) from error


def _read_image(entry: Any, base_url: str, whole: Mapping[str, Any]) -> Answer:
    """Return the image of an entry. `whole` is the body, in which a service may say what holds for all images."""
    if not isinstance(entry, dict | str):
        raise _NoImage("the API sent an image's entry that is no object")
    fields = entry if isinstance(entry, dict) else {"": entry}
    revised = fields.get("revised_prompt")
    revised = revised.encode(errors="replace").decode() if isinstance(revised, str) else None  # no halves of emoji
    echo = {
        name: str(value)[:100].encode(errors="replace").decode()
        for name in ECHOED_FIELDS
        if isinstance(value := fields.get(name, whole.get(name)), str | int) and not isinstance(value, bool)
    }
    texts = {key: text.strip() for key in _FIELDS if isinstance(text := _text_of(fields.get(key)), str)}
    for text in texts.values():  # under any key: some servers confuse them, or fill one with a word
        if _is_data_url(text):
            return Answer(_decode_data_url(text), "", revised, echo)
        if _begins_as_image(text):
            return Answer(_decode_base64(text), "", revised, echo)
    for text in texts.values():
        if text[:8].lower().startswith(("http://", "https://")):
            return Answer(None, _absolute(text, base_url), revised, echo)
    for name in ("url", "image_url"):
        if texts.get(name):
            return Answer(None, _absolute(texts[name], base_url), revised, echo)
    for name in _IN_BASE64:
        if texts.get(name):
            return Answer(_decode_base64(texts[name]), "", revised, echo)
    if fields.get("error"):
        raise _error_in(200, entry).as_exception()
    raise _NoImage("the API sent an image's entry with neither `url` nor `b64_json`")


def _text_of(value: Any) -> Any:
    """Return a field's text; of an object, that of its own address or base64; of a list, that of its first item."""
    if isinstance(value, list) and value:
        value = value[0]
    if isinstance(value, dict):
        return next((value[name] for name in _FIELDS if isinstance(value.get(name), str)), None)
    return value


def _is_data_url(text: str) -> bool:
    return text[:5].lower() == "data:"


def _begins_as_image(encoded: str) -> bool:
    try:
        return format_of(_decode_base64("".join(encoded[:96].split())[:32])) is not None
    except ApiError:
        return False


def _absolute(url: str, base_url: str) -> str:
    try:
        absolute = urljoin(base_url + "/", url.strip())
        parts = urlsplit(absolute)
        usable = parts.port != 0 and absolute.isprintable()
    except ValueError:
        usable = False
    if not usable:
        raise ApiError("the API sent an image's address that is none")
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ImageUrlRefused(f"the API sent an image's address that is not http or https ({parts.scheme or 'none'}:)")
    return absolute


def _decode_data_url(url: str) -> bytes:
    head, comma, payload = url.partition(",")
    if not comma:
        raise ApiError("the API sent a `data:` address without data")
    if head.lower().endswith(";base64"):
        return _decode_base64(payload)
    return unquote_to_bytes(payload.encode(errors="replace"))


_STANDARD_BASE64 = str.maketrans("-_", "+/")
"""From the alphabet for URLs, which some servers use."""


def _decode_base64(text: str) -> bytes:
    """Return the bytes of base64 with or without padding, with any characters between its digits; make no copy."""
    digits = text.translate(_STANDARD_BASE64) if "-" in text or "_" in text else text
    try:
        try:
            return binascii.a2b_base64(digits)
        except binascii.Error:
            return binascii.a2b_base64(digits + "==")
    except ValueError:
        raise ApiError("the API sent an image whose base64 cannot be decoded") from None


def _clean(text: object) -> str:
    """Return a server's text as one printable line of at most 300 characters."""
    line = " ".join(str(text).split())
    printable = "".join(char for char in line if char.isprintable())
    return printable if len(printable) <= 300 else printable[:299] + "…"


def _no_json(media_type: str, body: bytes) -> str:
    """Return what a body is that is no JSON: its media type and size, and what it begins as."""
    what = _clean(media_type.partition(";")[0]) or "no media type"
    name = name_of(body)
    known = f": {name}" if name and name != "a web page" else ""
    return f"a body that is no JSON ({what}, {len(body)} bytes{known})"


def unpacked(body: bytes, most: int = LARGEST_BODY) -> bytes:
    """Return a body without gzip around it that no header names.

    A body that would unpack to more than `most` bytes is returned unchanged, and then cannot be parsed.
    """
    if not body.startswith(b"\x1f\x8b"):
        return body
    unpacker = zlib.decompressobj(wbits=31)
    try:
        content = unpacker.decompress(body, most)
    except zlib.error:
        return body
    return body if unpacker.unconsumed_tail else content


_EVENTS = ("data:", "event:", "id:", "retry:", ":")
"""How the lines of a stream of events begin."""
_HAS_IMAGE = ("b64_json", "url")


def read_json(body: bytes) -> Any:
    """Return a body's JSON, even in an encoding that JSON does not allow, or cut within a character.

    A stream of events is one object: its images under `data`, as the API sends them to those who ask for no stream;
    without an image it is the event of an error, else the last one. The pieces of a chat are joined. Several objects
    one after the other are a stream, too; what follows them is left out.

    Raises:
        ValueError: there is no JSON.
        RecursionError: it is nested too deeply.
    """
    text = _text(body)
    if not text.startswith(_EVENTS):
        try:
            return json.loads(text, strict=False)  # line breaks within words
        except json.JSONDecodeError:
            events = list(_objects(text))
            if not events:
                raise
    else:
        events = list(_events(text))
    images = [event for event in events if _is_image_event(event)]
    if images:
        return {**events[-1], "data": images}
    if any(event.get("choices") for event in events):
        return _joined_chat(events)
    return next((event for event in events if event.get("error")), events[-1] if events else json.loads(""))


def _objects(text: str) -> Iterator[dict[str, Any]]:
    """Yield the objects at the beginning of a text, up to the first thing that is none."""
    decoder, at = json.JSONDecoder(strict=False), 0
    with contextlib.suppress(json.JSONDecodeError):
        while text[at : at + 1] == "{":
            found, at = decoder.raw_decode(text, at)
            while text[at : at + 1].isspace():
                at += 1
            yield found


def _joined_chat(events: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Return a chat's answer of which a stream sends the pieces."""
    words, images = "", list[Any]()
    error = next((event["error"] for event in events if event.get("error")), None)
    for event in events:
        choices = event.get("choices")
        for choice in choices if isinstance(choices, list) else ():
            piece = choice.get("delta", choice.get("message")) if isinstance(choice, dict) else None
            if isinstance(piece, dict):
                words += piece["content"] if isinstance(piece.get("content"), str) else ""
                images += piece["images"] if isinstance(piece.get("images"), list) else []
    return {**events[-1], "error": error, "choices": [{"message": {"content": words, "images": images}}]}


def _text(body: bytes) -> str:
    for encoding in (json.detect_encoding(body), "gb18030"):
        try:
            return body.decode(encoding).lstrip()
        except UnicodeDecodeError:
            continue
    return body.decode(errors="replace").lstrip()


def _events(text: str) -> Iterator[dict[str, Any]]:
    """Yield the objects that a stream of events carries, each of which may take several lines."""
    for event in re.split(r"(?:\r\n|\n|\r){2,}", text):
        lines = (line for line in re.split(r"\r\n|\n|\r", event) if line.startswith("data:"))
        data = "\n".join(line.removeprefix("data:").strip() for line in lines)
        if data.startswith("{"):
            with contextlib.suppress(ValueError, RecursionError):  # the last one may be cut
                yield json.loads(data, strict=False)


def _is_image_event(event: Mapping[str, Any]) -> bool:
    """Whether an event is a whole image: previews of one that is being made are not."""
    kind = event.get("type")
    is_preview = isinstance(kind, str) and kind.endswith("partial_image")
    return not is_preview and any(isinstance(event.get(name), str) and event[name] for name in _HAS_IMAGE)


def is_whole(body: bytes) -> bool:
    """Whether a body is a complete response, although nothing marks its end."""
    try:
        text = _text(body)
        if not text.startswith(_EVENTS):
            return isinstance(json.loads(text, strict=False), dict)
    except (ValueError, RecursionError):
        return False
    last: dict[str, Any] = next(reversed(list(_events(text))), {})
    return (
        "\ndata: [DONE]" in text
        or str(last.get("type")).endswith(".completed")
        or bool(last.get("data") or last.get("error"))
    )
