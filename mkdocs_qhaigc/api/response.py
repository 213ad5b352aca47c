"""Parses responses of an Images API: from status, media type and body to images or an error. Pure.

Servers that call themselves OpenAI-compatible differ in what they send; everything accepted here was seen from one.
"""

from __future__ import annotations

import binascii
import json
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote_to_bytes, urljoin, urlsplit

from mkdocs_qhaigc.errors import ApiError, GenerationStopped, PromptRejected
from mkdocs_qhaigc.imaging.formats import LARGEST_IMAGE, format_of

LARGEST_BODY = LARGEST_IMAGE // 3 * 4 + (1 << 20)
"""Bytes of a response's JSON with one image in base64."""
MOST_IN_ONE_CALL = 10
"""The largest `n` that the Images API accepts."""
REFUSAL_CODES = frozenset(
    ("content_policy_violation", "moderation_blocked", "content_filter", "sensitive_words_detected")
)
QUOTA_CODES = frozenset(("insufficient_quota", "billing_hard_limit_reached", "insufficient_user_quota"))


@dataclass(frozen=True, slots=True)
class Answer:
    """One image of a response: its bytes, or the URL to download them from."""

    data: bytes | None
    url: str
    """Absolute, http or https; empty if the bytes came with the response."""
    revised_prompt: str | None


@dataclass(frozen=True, slots=True)
class ServerError:
    """An error response of a server."""

    status: int
    code: str
    """The error's code, else its type; empty if it has neither."""
    message: str
    param: str

    @property
    def refused(self) -> bool:
        """Whether the prompt is rejected for good."""
        return self.status == 451 or self.code in REFUSAL_CODES

    @property
    def account(self) -> bool:
        """Whether no further call can succeed: key, permission or quota."""
        return not self.refused and (self.status in (401, 403) or self.code in QUOTA_CODES)

    @property
    def invalid(self) -> bool:
        """Whether the call was rejected for one of its fields, before anything was generated."""
        return self.status in (400, 422) and not self.refused and not self.account

    def __str__(self) -> str:
        code = f" ({self.code})" if self.code and self.code not in self.message else ""
        return f"{self.status}{code}: {self.message}"

    def as_exception(self) -> ApiError | GenerationStopped:
        """Return the error to raise."""
        said = str(self).rstrip(".")
        if self.refused:
            return PromptRejected(f"the API refuses this prompt ({self.message}). Change the prompt")
        if self.account:
            return GenerationStopped(f"the API answered {said}. Check the key and the account, then build again")
        if self.param == "response_format":
            return ApiError(f"the API answered {said}. Write `response_format: none`, and it is not sent")
        if self.status in (404, 405) and not self.code:
            return ApiError(f"the API answered {said}. {_CHECK_ADDRESS}")
        return ApiError(f"the API answered {said}{self._advice()}")

    def _advice(self) -> str:
        """Return what to check, if the call was rejected for one of its fields."""
        if not (self.invalid or self.status == 404):
            return ""
        for field in ("model", "size"):
            if field == self.param or field in self.code:
                return f". Check `{field}`"
        return f". Check `{self.param}` under `params`" if self.param and self.param not in ("n", "prompt") else ""


def read_error(status: int, media_type: str, body: bytes) -> ServerError:
    """Return the error in a response with an error status, or with an `error` in its body."""
    try:
        parsed = read_json(body)
    except (ValueError, RecursionError):
        what = _clean(media_type.partition(";")[0]) or "no media type"
        return ServerError(status, "", f"a body that is no JSON ({what}, {len(body)} bytes)", "")
    error = (parsed.get("error") or parsed) if isinstance(parsed, dict) else parsed
    if not isinstance(error, Mapping):
        return ServerError(status, "", _clean(error), "")
    given = (error.get("code"), error.get("type"))
    codes = [text for text in given if isinstance(text, str) and not text.isdigit()]
    known = (code for code in codes if code in REFUSAL_CODES | QUOTA_CODES)
    code = next(known, codes[0] if codes else "")
    message = next((error[k] for k in ("message", "msg", "detail") if isinstance(error.get(k), str)), "no reason given")
    param = error.get("param")
    return ServerError(status, _clean(code), _clean(message), param if isinstance(param, str) else "")


def is_error(body: bytes) -> bool:
    """Whether a body states in the usual form why there is no image."""
    try:
        parsed = read_json(body)
    except (ValueError, RecursionError):
        return False
    return isinstance(parsed, dict) and bool(parsed.get("error"))


def read_answers(body: bytes, *, status: int, media_type: str, base_url: str) -> list[Answer]:
    """Return the images of a response with a success status, in the server's order.

    They are paid for, so everything that can be read as an image counts, even beside an error.

    Raises:
        ApiError: there are none; the message says what came instead. `GenerationStopped` likewise.
    """
    if format_of(body):
        return [Answer(body, "", None)]
    try:
        parsed = read_json(body)
    except (ValueError, RecursionError):
        what = _clean(media_type.partition(";")[0]) or "no media type"
        came = f"a body that is no JSON ({what}, {len(body)} bytes)"
        raise ApiError(f"the API answered {status} with {came}. {_CHECK_ADDRESS}") from None
    if not isinstance(parsed, dict):
        raise ApiError(f"the API answered {status} with JSON that is no object")
    found = parsed.get("data") or parsed.get("images")
    if isinstance(found, dict):
        found = found.get("data") or found.get("images") or found
    answers, errors = [], []
    for entry in found if isinstance(found, list) else [found] if found else ():
        try:
            answers.append(_read_entry(entry, base_url))
        except ApiError as error:
            errors.append(error)
    if answers:
        return answers
    if parsed.get("error"):
        raise read_error(status, media_type, body).as_exception()
    if status == 202 or "id" in parsed or _names_task(parsed) or _names_task(found):
        raise ApiError(_LATER)
    raise errors[0] if errors else ApiError(f"the API answered {status} without an image")


_CHECK_ADDRESS = "Check `base_url`: it mostly ends in /v1, and /images/generations is added to it"
_LATER = (
    "the API wants to deliver the image later (an asynchronous task), which is not supported. "
    "Choose another model or base_url"
)


def _names_task(value: object) -> bool:
    return isinstance(value, dict) and any(key in value for key in ("task_id", "taskId", "job_id"))


def _read_entry(entry: Any, base_url: str) -> Answer:
    if not isinstance(entry, dict | str):
        raise ApiError("the API sent an image's entry that is no object")
    fields = entry if isinstance(entry, dict) else {"": entry}
    revised = fields.get("revised_prompt")
    revised = revised.encode(errors="replace").decode() if isinstance(revised, str) else None  # no halves of emoji
    texts = {key: text.strip() for key in ("b64_json", "url", "") if isinstance(text := fields.get(key), str)}
    for text in texts.values():  # under either key: some servers confuse them, or fill one with a word
        if _is_data_url(text):
            return Answer(_decode_data_url(text), "", revised)
        if _begins_as_image(text):
            return Answer(_decode_base64(text), "", revised)
    for text in texts.values():
        if text[:8].lower().startswith(("http://", "https://")):
            return Answer(None, _absolute(text, base_url), revised)
    if texts.get("url"):
        return Answer(None, _absolute(texts["url"], base_url), revised)
    if texts.get("b64_json"):
        return Answer(_decode_base64(texts["b64_json"]), "", revised)
    raise ApiError(_LATER if _names_task(entry) else "the API sent an image's entry with neither `url` nor `b64_json`")


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
        raise ApiError("the API sent an image's address that is not http or https")
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


def read_json(body: bytes) -> Any:
    """Return a body's JSON, even in an encoding that JSON does not allow, or cut within a character.

    Of a stream of events the last object is returned.

    Raises:
        ValueError: there is no JSON.
        RecursionError: it is nested too deeply.
    """
    for encoding in (json.detect_encoding(body), "gb18030"):
        try:
            text = body.decode(encoding)
            break
        except UnicodeDecodeError:
            continue
    else:
        text = body.decode(errors="replace")
    if text.startswith(("data:", "event:")):
        events = (line.removeprefix("data:").strip() for line in reversed(text.split("\n")))
        text = next((event for event in events if event.startswith("{")), "")
    return json.loads(text, strict=False)  # line breaks within words


def is_whole(body: bytes) -> bool:
    """Whether a body is a complete response, although nothing marks its end."""
    try:
        return isinstance(read_json(body), dict)
    except (ValueError, RecursionError):
        return False
