"""When a call is made again, how long is waited, and who waits."""

from __future__ import annotations

import email.utils
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta, timezone

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from mkdocs_qhaigc._util.log_routing import forwarding
from mkdocs_qhaigc.api.retry import (
    LONGEST_WAIT,
    Billing,
    Deadline,
    Failed,
    RateLimiter,
    retry,
    retry_after,
    wait_in_words,
)
from mkdocs_qhaigc.errors import ApiError, GenerationStopped, PromptRejected


def in_seconds(seconds: float) -> str:
    return email.utils.format_datetime(datetime.now(timezone.utc) + timedelta(seconds=seconds), usegmt=True)


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({}, None),
        ({"retry-after": "2"}, 2),
        ({"retry-after": "0"}, 0),
        ({"retry-after": " 1.5 "}, 1.5),
        ({"retry-after-ms": "250"}, 0.25),
        ({"retry-after-ms": "250", "retry-after": "9"}, 0.25),
        ({"retry-after-ms": "soon", "retry-after": "9"}, 9),
        ({"retry-after": "120"}, LONGEST_WAIT),
        ({"retry-after": "121"}, None),
        ({"retry-after-ms": "120001"}, None),
        ({"retry-after": "-1"}, None),
        ({"retry-after": "nan"}, None),
        ({"retry-after": "inf"}, None),
        ({"retry-after": "1e999"}, None),
        ({"retry-after": ""}, None),
        ({"retry-after": "soon"}, None),
        ({"retry-after": "Wed, 21 Oct 2015 07:28:00 GMT"}, None),
        ({"retry-after": "Fri, 31 Dec 9999 23:59:59 GMT"}, None),
        ({"retry-after": "Mon, 01 Jan 99999 00:00:00 GMT"}, None),
        ({"retry-after": "Mon, 99 Foo 2026 99:99:99 GMT"}, None),
    ],
)
def test_a_server_s_wish_is_seconds_up_to_two_minutes_or_nothing(
    headers: dict[str, str], seconds: float | None
) -> None:
    assert retry_after(headers) == seconds


@pytest.mark.parametrize(
    ("message", "seconds"),
    [
        ("Rate limit reached. Please try again in 12s.", 12),
        ("Please try again in 1.5s. Visit us", 1.5),
        ("Please try again in 250ms", 0.25),
        ("Please try again in 1m30s.", 90),
        ("Please retry after 27 seconds.", 27),
        ("Please retry in 34.07s.", 34.07),
        ("wait 5 seconds", 5),
        ("Please retry after 2 minutes.", 120),
        ("Please wait 1 minute 30 seconds", 90),
        ("try again in 3 minutes", None),
        ("请求过多，请在 12 秒后重试", 12),
        ("请于1分钟后再试", 60),
        ("try again in 3 months", None),
        ("try again in 6m0s", None),
        ("try again later", None),
        ("retry in a while; 5 s", None),
        ("96x54 is too small", None),
        ("", None),
    ],
)
def test_a_server_s_wish_may_stand_in_its_words(message: str, seconds: float | None) -> None:
    assert wait_in_words(message) == seconds


def test_a_server_s_wish_may_be_a_date() -> None:
    wish = retry_after({"retry-after": in_seconds(60)})

    assert wish is not None
    assert 55 < wish <= 60
    assert retry_after({"retry-after": in_seconds(500)}) is None


@settings(max_examples=200, deadline=None)
@given(
    st.dictionaries(
        st.sampled_from(["retry-after", "retry-after-ms"]),
        st.text() | st.from_regex(r"\A\w{3}, \d{1,2} (Jan|Feb|Foo) -?\d{1,6} \d\d:\d\d:\d\d (GMT|[+-]\d{1,9})\Z"),
    )
)
@example({"retry-after": "1 Jan 1 0:0:0"})
@example({"retry-after": "9" * 400})
def test_whatever_a_server_wishes_is_a_bearable_wait_or_none(headers: dict[str, str]) -> None:
    wish = retry_after(headers)

    assert wish is None or 0 <= wish <= LONGEST_WAIT


class Server:
    """Fails in the given ways, then answers."""

    def __init__(self, *failures: Failed) -> None:
        self.failures = list(failures)
        self.calls = 0
        self.said: list[str] = []

    def __call__(self) -> str:
        self.calls += 1
        if self.failures:
            raise self.failures.pop(0)
        return "an image"

    def asked(
        self, *, retries: int = 4, seconds: float = 20, stopped: threading.Event | None = None, repeat_billed: int = 1
    ) -> str:
        with forwarding(self.said.append, self.said.append):
            return retry(
                self,
                retries=retries,
                deadline=Deadline.after(seconds),
                limiter=RateLimiter(stopped or threading.Event()),
                repeat_billed=repeat_billed,
            )


def failed(billing: Billing, *, retry_after: float = 0, message: str = "no", slow_all: bool = False) -> Failed:
    return Failed(ApiError(message), billing, retry_after=retry_after, slow_all=slow_all)


def not_billed(message: str = "no") -> Failed:
    return failed(Billing.NO, message=message)


def perhaps_billed(message: str = "no") -> Failed:
    return failed(Billing.PERHAPS, message=message)


@pytest.mark.parametrize("retries", [0, 1, 4])
def test_what_was_surely_not_billed_is_tried_again_as_often_as_the_option_says(retries: int) -> None:
    server = Server(*(not_billed() for _ in range(retries)))

    assert server.asked(retries=retries) == "an image"
    assert server.calls == retries + 1
    assert server.said == []


@pytest.mark.parametrize("retries", [0, 1, 4])
def test_the_last_failure_is_what_is_told(retries: int) -> None:
    server = Server(*(not_billed(f"no {n}") for n in range(9)))

    with pytest.raises(ApiError, match=rf"^no {retries}$"):
        server.asked(retries=retries)
    assert server.calls == retries + 1


def test_what_may_have_been_billed_is_tried_once_more_and_it_is_said() -> None:
    server = Server(perhaps_billed("cut off"))

    assert server.asked() == "an image"
    assert server.said == ["cut off. That call may have been billed; asking once more"]


def test_what_may_have_been_billed_twice_is_not_tried_a_third_time() -> None:
    server = Server(perhaps_billed(), not_billed(), perhaps_billed("again"), perhaps_billed())

    with pytest.raises(ApiError, match="again"):
        server.asked()
    assert server.calls == 3
    assert len(server.said) == 1


def test_without_retries_what_may_have_been_billed_is_not_tried_again() -> None:
    server = Server(perhaps_billed())

    with pytest.raises(ApiError):
        server.asked(retries=0)
    assert server.said == []


def test_a_caller_can_forbid_to_pay_twice() -> None:
    server = Server(perhaps_billed())

    with pytest.raises(ApiError):
        server.asked(repeat_billed=0)
    assert server.calls == 1


def late(seconds: float) -> Callable[[], str]:
    """An attempt that fails after some seconds, as at a gateway that has waited for the server."""

    def attempt() -> str:
        time.sleep(seconds)  # that is what the failure is
        calls.append(seconds)
        raise Failed(ApiError("gave up"), Billing.PERHAPS, retry_after=0, timed_out=True)

    calls: list[float] = []
    attempt.calls = calls  # type: ignore[attr-defined]
    return attempt


@pytest.mark.parametrize(("seconds", "calls"), [(0.45, 1), (5, 2)])
def test_what_took_too_long_is_not_asked_again_where_another_try_could_not_end(seconds: float, calls: int) -> None:
    attempt = late(0.3)
    limiter = RateLimiter(threading.Event())
    with pytest.raises(ApiError, match="gave up"):
        retry(attempt, retries=4, deadline=Deadline.after(seconds), limiter=limiter)
    assert len(attempt.calls) == calls  # type: ignore[attr-defined]


def busy(*, times: int) -> Server:
    return Server(*(failed(Billing.NO, retry_after=0.01, slow_all=True, message="busy") for _ in range(times)))


@pytest.mark.slow
def test_a_busy_server_is_asked_more_often_than_retries_say_and_ever_more_seldom() -> None:
    server = busy(times=4)
    began = time.monotonic()
    assert server.asked(retries=1, seconds=60) == "an image"
    assert server.calls == 5
    assert time.monotonic() - began > 1  # what the server asks for has not helped after the first time


def test_a_server_that_is_busy_for_some_and_not_for_others_stops_nobody_else() -> None:
    limiter = RateLimiter(threading.Event())
    with ThreadPoolExecutor(1) as pool:
        stuck = pool.submit(lambda: retry(busy(times=99), retries=1, deadline=Deadline.after(1.5), limiter=limiter))
        while not stuck.done():
            limiter.note_success()
            time.sleep(0.05)  # between the successes of other threads
    with pytest.raises(ApiError, match=r"stayed busy until `timeout` was over\. Lower"):
        stuck.result()


@pytest.mark.parametrize("error", [PromptRejected("no"), GenerationStopped("no"), ApiError("no")])
def test_an_answer_that_will_not_change_is_not_asked_for_again(error: ApiError | GenerationStopped) -> None:
    server = Server(Failed(error, Billing.NEVER_AGAIN))

    with pytest.raises(type(error)) as caught:
        server.asked()
    assert caught.value is error
    assert server.calls == 1


@pytest.mark.parametrize(
    ("billing", "said_to_be_billed", "may_be_billed"),
    [
        (Billing.NO, False, False),
        (Billing.PERHAPS, False, True),
        (Billing.NEVER_AGAIN, False, False),
        (Billing.NEVER_AGAIN, True, True),
    ],
)
def test_a_failure_knows_whether_it_may_have_cost_money(
    billing: Billing, said_to_be_billed: bool, may_be_billed: bool
) -> None:
    assert Failed(ApiError("no"), billing, may_be_billed=said_to_be_billed).may_be_billed is may_be_billed


def test_another_error_than_a_failed_try_is_let_through() -> None:
    def attempt() -> str:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        retry(attempt, retries=4, deadline=Deadline.after(9), limiter=RateLimiter(threading.Event()))


@pytest.mark.parametrize("slow_all", [False, True])
def test_a_wait_beyond_the_deadline_is_not_begun(slow_all: bool) -> None:
    server = Server(failed(Billing.NO, retry_after=60, slow_all=slow_all))
    began = time.monotonic()

    with pytest.raises(GenerationStopped if slow_all else ApiError, match=r"^no(. It stayed busy.*`concurrency`.*)?$"):
        server.asked(seconds=5)
    assert time.monotonic() - began < 4
    assert server.calls == 1


def test_no_attempt_is_begun_with_less_time_than_one_takes() -> None:
    deadline, left = Deadline.after(2.5), []

    def attempt() -> str:
        left.append(deadline.left)
        raise failed(Billing.NO, retry_after=0.2, slow_all=True, message="busy")

    with pytest.raises(GenerationStopped, match="stayed busy"):
        retry(attempt, retries=1, deadline=deadline, limiter=RateLimiter(threading.Event()), least=1.5)
    assert len(left) > 1
    assert min(left) >= 1.5


def test_a_wait_for_others_that_leaves_no_time_is_not_followed_by_an_attempt() -> None:
    limiter, server = RateLimiter(threading.Event()), Server()
    limiter.note_busy(ApiError("busy"), 0.6)
    with pytest.raises(GenerationStopped, match="stayed busy"):
        retry(server, retries=1, deadline=Deadline.after(1), limiter=limiter, least=0.7)
    assert server.calls == 0


def test_a_wait_without_a_wish_grows_and_ends_with_the_deadline() -> None:
    server = Server(Failed(ApiError("no"), Billing.NO))

    with pytest.raises(ApiError, match=r"^no$"):
        server.asked(seconds=0.3)  # the first wait is 0.375 to 0.5 seconds
    assert server.calls == 1


def test_a_deadline_has_no_seconds_left_when_it_is_over() -> None:
    assert Deadline.after(-5).left == 0
    assert 0 < Deadline.after(5).left <= 5


def test_when_all_is_stopped_nothing_is_asked_for() -> None:
    stopped = threading.Event()
    stopped.set()
    server = Server()

    with pytest.raises(ApiError, match="stopped"):
        server.asked(stopped=stopped)
    assert server.calls == 0


def stopping_when_it_fails(server: Server, stopped: threading.Event) -> Callable[[], str]:
    def attempt() -> str:
        stopped.set()
        return server()

    return attempt


@pytest.mark.parametrize("slow_all", [False, True])
def test_a_stop_ends_a_wait_at_once(slow_all: bool) -> None:
    stopped = threading.Event()
    server = Server(failed(Billing.NO, retry_after=60, slow_all=slow_all))
    began = time.monotonic()

    with pytest.raises(ApiError):
        retry(
            stopping_when_it_fails(server, stopped),
            retries=4,
            deadline=Deadline.after(100),
            limiter=RateLimiter(stopped),
        )
    assert time.monotonic() - began < 20
    assert server.calls == 1


def test_a_busy_server_s_wait_holds_for_every_thread() -> None:
    pace = RateLimiter(threading.Event())
    pace.hold(0.2)
    pace.hold(0.01)  # a shorter wish does not shorten the wait
    began = time.monotonic()

    with ThreadPoolExecutor(3) as pool:
        waited = list(pool.map(lambda _: (pace.wait(Deadline.after(20)), time.monotonic() - began), range(3)))

    assert all(may_call and seconds >= 0.19 for may_call, seconds in waited)


def test_a_hold_beyond_the_deadline_is_not_waited_for() -> None:
    pace = RateLimiter(threading.Event())
    pace.hold(60)

    assert pace.wait(Deadline.after(1)) is False
    with pytest.raises(ApiError, match="wait longer than `timeout` allows"):
        retry(str, retries=4, deadline=Deadline.after(1), limiter=pace)


def test_one_thread_s_busy_server_holds_the_others_and_another_s_bad_luck_does_not() -> None:
    pace = RateLimiter(threading.Event())
    for failure in (not_billed(), failed(Billing.NO, retry_after=0.1, slow_all=True)):
        server = Server(failure)
        began = time.monotonic()
        retry(server, retries=1, deadline=Deadline.after(20), limiter=pace)
        assert (time.monotonic() - began >= 0.09) is failure.slow_all
