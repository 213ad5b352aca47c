"""Decides whether a failed call is repeated: that depends on whether it may have been billed.

    surely not billed: the API is busy (429 that is no quota, 503)         until the deadline, unless `retries` is 0
    surely not billed: no connection                                       up to `retries` times
    possibly billed (no response in time, cut off, other 5xx, 408, 409)    at most once more, and it is logged
    final (400, 401, 403, 404, 413, 422, 451, refusals, quota, no HTTP)    never

The statuses, headers and delays are those of openai-python 3.54. A busy API is busy for all threads: they wait
together, and call one after the other from then on, as far apart as it takes.
"""

from __future__ import annotations

import email.utils
import logging
import random
import re
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import TypeVar

from mkdocs_qhaigc.errors import ApiError, GenerationStopped

log = logging.getLogger(__name__)
T = TypeVar("T")

LONGEST_WAIT = 120.0
"""Seconds; a longer `Retry-After` is ignored."""
_FIRST_DELAY, _LONGEST_DELAY = 0.5, 8.0
"""Seconds between attempts, if the server does not say how many."""
_FIRST_GAP, _LONGEST_GAP = 0.25, 8.0
"""Seconds between the calls of all threads, after the first time that the API was busy, and at the most."""
_WISH = re.compile(
    r"(?i)\b(?:again|retry|wait)\b[^.;]{0,40}?\b(?:(?P<minutes>\d+)\s?m(?:in(?:ute)?s?)?\s?)?"
    r"(?P<number>\d+(?:\.\d+)?)\s?(?P<unit>ms|milliseconds?|m|min|minutes?|s|sec|seconds?)\b"
    r"|(?P<number_before>\d+)\s?(?P<unit_before>秒|分钟)后"
)
"""Matches `Please try again in 6m0.5s`, or `请在 12 秒后重试`, in the words of an error."""


class Billing(Enum):
    """How likely a failed call was billed, and whether to repeat it."""

    NO = "surely not billed"
    PERHAPS = "possibly billed"
    NEVER_AGAIN = "a response that will not change"


class Failed(Exception):  # noqa: N818 - one attempt, not an error that leaves this package
    """One attempt failed."""

    def __init__(
        self,
        error: ApiError | GenerationStopped,
        billing: Billing,
        *,
        retry_after: float | None = None,
        slow_all: bool = False,
        may_be_billed: bool = False,
        timed_out: bool = False,
    ) -> None:
        super().__init__(str(error))
        self.error = error
        self.billing = billing
        self.may_be_billed = may_be_billed or billing is Billing.PERHAPS
        self.retry_after = retry_after
        """Seconds that the server asks to wait."""
        self.slow_all = slow_all
        """Whether all threads wait: the server is busy, not only this call."""
        self.timed_out = timed_out
        """Whether the time was over, here or at a gateway: another attempt will take as long."""


@dataclass(frozen=True, slots=True)
class Deadline:
    """The moment by which an image must have arrived, all attempts included."""

    at: float
    """On `time.monotonic()`'s clock."""

    @classmethod
    def after(cls, seconds: float) -> Deadline:
        """Return the deadline that many seconds from now."""
        return cls(time.monotonic() + seconds)

    @property
    def left(self) -> float:
        """Seconds; never below 0."""
        return max(0.0, self.at - time.monotonic())


class RateLimiter:
    """The pace of all threads that call one server: none before a pause is over, and none too close to another."""

    def __init__(self, stopped: threading.Event) -> None:
        """Allow calls at once. `stopped` ends every wait."""
        self.stopped = stopped
        self._lock = threading.Lock()
        self._not_before = 0.0
        self._gap = 0.0
        """Seconds between two calls."""
        self.busy: Exception | None = None
        """The server's last error that said that it is busy; `None` if a call has had a result since."""
        self._succeeded = 0.0
        """When a call last had a result, on `time.monotonic()`'s clock."""

    def hold(self, seconds: float) -> None:
        """Let no thread call for that many seconds."""
        with self._lock:
            self._not_before = max(self._not_before, time.monotonic() + seconds)

    def note_busy(self, error: Exception, seconds: float) -> None:
        """Let no thread call for that many seconds, and all call further apart from then on."""
        with self._lock:
            self.busy = error
            self._gap = min(max(2 * self._gap, _FIRST_GAP), _LONGEST_GAP)
        self.hold(seconds)

    def note_success(self) -> None:
        """Let threads call closer together again, if they were slowed."""
        with self._lock:
            self.busy, self._succeeded = None, time.monotonic()
            self._gap = self._gap / 2 if self._gap > _FIRST_GAP else 0.0

    def is_stuck(self, since: float) -> bool:
        """Whether no call of any thread has had a result since a moment on `time.monotonic()`'s clock."""
        return self._succeeded < since

    def wait(self, deadline: Deadline) -> bool:
        """Wait until calls are allowed again; return `False` if they are not by the deadline, or all is stopped."""
        while True:
            with self._lock:
                now = time.monotonic()
                seconds = self._not_before - now
                if seconds <= 0:
                    self._not_before = now + self._gap
                    return not self.stopped.is_set()
            if seconds > deadline.left or self.stopped.wait(seconds):
                return False


def retry(
    attempt: Callable[[], T],
    *,
    retries: int,
    deadline: Deadline,
    limiter: RateLimiter,
    repeat_billed: int = 1,
    least: float = 0.0,
) -> T:
    """Return the result of the first attempt that does not raise `Failed`.

    Args:
        retries: the most further attempts; where the server is busy, 0 for none, else until the deadline.
        repeat_billed: the most further attempts after failures that may have been billed. Each is logged.
        least: seconds that an attempt takes at least. None is begun with less before the deadline: it would be billed,
            and its result lost.

    Raises:
        ApiError: the error of the last attempt. `GenerationStopped` likewise, and where the server was busy for all.
    """
    started = time.monotonic()
    done, busy = 0, 0
    billed_left = repeat_billed
    while True:
        if not limiter.wait(deadline) or deadline.left < least:
            if limiter.busy and not limiter.stopped.is_set():
                raise _still_busy(limiter.busy, retries, stuck=limiter.is_stuck(started)) from limiter.busy
            raise ApiError("the API asks to wait longer than `timeout` allows, or the build was stopped")
        began = time.monotonic()
        try:
            result = attempt()
        except Failed as failed:
            waits = failed.slow_all and failed.billing is Billing.NO
            done, busy = (done, busy + 1) if waits else (done + 1, busy)
            if waits and not retries:
                raise _still_busy(failed.error, retries, stuck=False) from failed
            if failed.billing is Billing.NEVER_AGAIN or done > retries:
                raise failed.error from failed
            delay = _delay(done + busy, failed.retry_after)
            if failed.billing is Billing.PERHAPS:
                took = time.monotonic() - began
                if not billed_left or (failed.timed_out and took + delay >= deadline.left):
                    raise failed.error from failed  # it would be billed twice, and could not end
                billed_left -= 1
            if busy > max(retries, 1):  # what the server asks for has not helped
                delay = max(delay, _delay(busy, None))
            if delay + least >= deadline.left:
                if waits:
                    raise _still_busy(failed.error, retries, stuck=limiter.is_stuck(started)) from failed
                raise failed.error from failed
            if failed.billing is Billing.PERHAPS:
                log.info("%s. That call may have been billed; asking once more", failed.error)
            if waits:
                limiter.note_busy(failed.error, delay)
            elif limiter.stopped.wait(delay):
                raise failed.error from failed
        else:
            limiter.note_success()
            return result


def _still_busy(error: Exception, retries: int, *, stuck: bool) -> ApiError | GenerationStopped:
    """Return the error for an API that is busy. `stuck`: no call of any thread has had a result meanwhile."""
    if not retries:
        advice = "`retries` allows no other try. Lower `concurrency`, raise `retries`, or build again later"
        return ApiError(f"{error}. {advice}")
    what = f"{error}. It stayed busy until `timeout` was over"
    advice = "Lower `concurrency`, raise `timeout`, or build again later"
    return GenerationStopped(f"{what}, for all images. {advice}") if stuck else ApiError(f"{what}. {advice}")


def retry_after(headers: Mapping[str, str]) -> float | None:
    """Return the seconds that a server asks to wait; `None` if it does not, or if they are too many."""
    seconds: float | None = None
    try:
        seconds = float(headers["retry-after-ms"]) / 1000
    except (KeyError, ValueError):
        value = headers.get("retry-after", "")
        try:
            seconds = float(value)
        except ValueError:
            seconds = _seconds_until(value)
    return seconds if seconds is not None and 0 <= seconds <= LONGEST_WAIT else None


def wait_in_words(message: str) -> float | None:
    """Return the seconds that the words of an error ask to wait; `None` if they do not, or if they are too many."""
    found = _WISH.search(message)
    if not found:
        return None
    unit = (found["unit"] or found["unit_before"]).lower()
    factor = 0.001 if unit.startswith(("ms", "mil")) else 60 if unit.startswith(("m", "分")) else 1
    seconds = float(found["number"] or found["number_before"]) * factor + 60 * int(found["minutes"] or 0)
    return seconds if seconds <= LONGEST_WAIT else None


def _seconds_until(date: str) -> float | None:
    try:
        parsed = email.utils.parsedate_tz(date)
        return email.utils.mktime_tz(parsed) - time.time() if parsed else None
    except (ValueError, OverflowError):  # a date that does not exist
        return None


def _delay(done: int, wish: float | None) -> float:
    if wish is not None:
        return wish
    return min(_FIRST_DELAY * 2.0 ** (done - 1), _LONGEST_DELAY) * (1 - 0.25 * random.random())  # noqa: S311 - jitter
