"""Decides whether a failed call is repeated: that depends on whether it may have been billed.

    surely not billed (no connection, 429 that is no quota, 503)           up to `retries` times
    possibly billed (no response in time, cut off, other 5xx, 408, 409)    at most once more, and it is logged
    final (400, 401, 403, 404, 413, 422, 451, refusals, quota, no HTTP)    never

The statuses, headers and delays are those of openai-python 3.54.
"""

from __future__ import annotations

import email.utils
import logging
import random
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
    ) -> None:
        super().__init__(str(error))
        self.error = error
        self.billing = billing
        self.may_be_billed = may_be_billed or billing is Billing.PERHAPS
        self.retry_after = retry_after
        """Seconds that the server asks to wait."""
        self.slow_all = slow_all
        """Whether all threads wait: the server is busy, not only this call."""


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
    """A pause that a busy server asked for, shared by all threads that call it."""

    def __init__(self, stopped: threading.Event) -> None:
        """Allow calls at once. `stopped` ends every wait."""
        self.stopped = stopped
        self._lock = threading.Lock()
        self._not_before = 0.0

    def hold(self, seconds: float) -> None:
        """Let no thread call for that many seconds."""
        with self._lock:
            self._not_before = max(self._not_before, time.monotonic() + seconds)

    def wait(self, deadline: Deadline) -> bool:
        """Wait until calls are allowed again; return `False` if they are not by the deadline, or all is stopped."""
        while True:
            with self._lock:
                seconds = self._not_before - time.monotonic()
            if seconds <= 0:
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
) -> T:
    """Return the result of the first attempt that does not raise `Failed`.

    Args:
        retries: the most further attempts.
        repeat_billed: the most further attempts after failures that may have been billed. Each is logged.

    Raises:
        ApiError: the error of the last attempt. `GenerationStopped` likewise.
    """
    done = 0
    billed_left = repeat_billed
    while True:
        if not limiter.wait(deadline):
            raise ApiError("the API asks to wait longer than `timeout` allows, or the build was stopped")
        try:
            return attempt()
        except Failed as failed:
            done += 1
            if failed.billing is Billing.NEVER_AGAIN or done > retries:
                raise failed.error from failed
            if failed.billing is Billing.PERHAPS:
                if not billed_left:
                    raise failed.error from failed
                billed_left -= 1
            delay = _delay(done, failed.retry_after)
            if delay >= deadline.left:
                raise failed.error from failed
            if failed.billing is Billing.PERHAPS:
                log.info("%s. That call may have been billed; asking once more", failed.error)
            if failed.slow_all and failed.retry_after is not None:
                limiter.hold(delay)
            elif limiter.stopped.wait(delay):
                raise failed.error from failed


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
