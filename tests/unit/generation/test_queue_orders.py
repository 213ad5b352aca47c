"""The queue of a preview: what builds may have, what a person orders, and the one budget of both."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import pytest

from mkdocs_qhaigc.directives.request import ImageRequest
from mkdocs_qhaigc.errors import BudgetExceeded, GenerationStopped, NotBought
from mkdocs_qhaigc.generation.job import ImageJob, JobState, Relay
from mkdocs_qhaigc.generation.when_to_stop import Budget
from tests.helpers.api import Handler, ImagesApi, by_url, error, several, waits_for
from tests.unit.generation.test_queue_references import PATIENCE, job, outcome, queue_of


def test_a_queue_that_asks_buys_nothing_that_nobody_ordered(api: ImagesApi, tmp_path: Path) -> None:
    with queue_of(api, tmp_path) as queue:
        queue.asks = True
        hero = job("hero", job("fox"))
        assert isinstance(outcome(queue.submit(hero)), NotBought)
        assert api.calls == []
        assert outcome(queue.order(hero)) is None
        assert outcome(queue.submit(hero)) is None
        assert isinstance(outcome(queue.submit(job("other"))), NotBought)
    assert api.prompts == ["fox", "hero"]


def test_a_queue_that_asks_collects_what_is_paid_for(api: ImagesApi, tmp_path: Path) -> None:
    api.fetch_script = [error(503, "busy")]
    with queue_of(api, tmp_path) as queue:
        assert outcome(queue.submit(job("hero")))
    with queue_of(api, tmp_path) as queue:
        queue.asks = True
        assert outcome(queue.submit(job("hero"))) is None
    assert len(api.calls) == 1


def test_an_order_is_not_held(api: ImagesApi, tmp_path: Path) -> None:
    with queue_of(api, tmp_path) as queue:
        queue.holds = True
        held = queue.submit(job("hero", job("fox")))
        queue.submit(job("other"))
        assert queue.held == 3
        assert outcome(queue.order(job("hero", job("fox")))) is None
        assert held.done()
        assert queue.held == 1
    assert api.prompts == ["fox", "hero"]


def test_another_build_drops_its_jobs_and_keeps_orders(api: ImagesApi, tmp_path: Path) -> None:
    allowed = threading.Event()
    api.default = waits_for(allowed, by_url)
    with queue_of(api, tmp_path, concurrency=1) as queue:
        first = queue.submit(job("first"))
        assert api.called.wait(PATIENCE)
        dropped, ordered = queue.submit(job("dropped")), queue.order(job("ordered"))
        queue.new_build()
        assert dropped.cancelled()
        assert ordered.cancelled()
        again = queue.submit(job("ordered"))
        assert again is not ordered
        allowed.set()
        assert outcome(first) is None
        assert outcome(again) is None
    assert api.prompts == ["first", "ordered"]


def test_who_hears_of_a_dropped_job_may_order_it_at_once(api: ImagesApi, tmp_path: Path) -> None:
    """Once, and not for ever: dropping goes on with what was there when it began."""
    allowed = threading.Event()
    api.default = waits_for(allowed, by_url)
    with queue_of(api, tmp_path, concurrency=1) as queue:
        queue.submit(job("first"))
        assert api.called.wait(PATIENCE)
        queue.order(job("ordered")).add_done_callback(lambda _: queue.order(job("ordered")))
        queue.new_build()
        again = queue.submit(job("ordered"))
        allowed.set()
        assert outcome(again) is None
    assert api.prompts == ["first", "ordered"]


def test_what_has_failed_is_tried_again_when_it_is_ordered(api: ImagesApi, tmp_path: Path) -> None:
    api.script = [error(500, "broken")]
    with queue_of(api, tmp_path) as queue:
        hero = job("hero")
        failed = outcome(queue.submit(hero))
        assert failed
        assert queue.failure(hero.request.key) is failed
        assert outcome(queue.submit(hero)) is failed
        assert outcome(queue.order(hero)) is None
        assert queue.failure(hero.request.key) is None
    assert len(api.calls) == 2


def test_variants_are_ordered_again_after_an_error_that_stopped_all(api: ImagesApi, tmp_path: Path) -> None:
    api.script = [error(401, "invalid_api_key")]
    with queue_of(api, tmp_path) as queue:
        variants = [ImageJob("index.md#hero", "hero", job("hero").request.of_variant(number)) for number in (1, 2)]
        assert all(isinstance(outcome(future), GenerationStopped) for future in queue.submit_together(variants))
        assert [outcome(future) for future in queue.submit_together(variants)] == [None, None]


def test_a_variant_that_is_under_way_is_not_ordered_again_with_others(api: ImagesApi, tmp_path: Path) -> None:
    allowed = threading.Event()
    api.default = waits_for(allowed, several)
    with queue_of(api, tmp_path) as queue:
        variants = [ImageJob("index.md#hero", "hero", job("hero").request.of_variant(number)) for number in (1, 2, 3)]
        first = queue.order(variants[0])
        together = queue.submit_together(variants)
        allowed.set()
        assert together[0] is first
        assert [outcome(future) for future in together] == [None, None, None]
    assert sorted(call["n"] for call in api.calls) == [1, 2]


def test_what_was_ordered_of_the_sandbox_is_not_bought_elsewhere(api: ImagesApi, tmp_path: Path) -> None:
    """It has a key of its own, under which no build would look for a real image."""
    request = ImageRequest(model="m", prompt="Fog", size="64x64", variant=1, params={}, sandbox=True)
    with queue_of(api, tmp_path) as queue:
        assert "base_url" in str(outcome(queue.order(ImageJob("index.md#hero", "hero", request))))
        assert outcome(queue.order(job("hero"))) is None
    assert api.prompts == ["hero"]


def test_who_observes_late_gets_what_has_happened_before() -> None:
    class Seen(list[JobState]):
        def changed(self, job: ImageJob, state: JobState) -> None:
            self.append(state)

    relay, hero, first, second = Relay(), job("hero"), Seen(), Seen()
    relay.changed(hero, JobState.QUEUED)
    relay.observe(first)
    relay.changed(hero, JobState.SAVED)
    relay.observe(second)
    relay.changed(hero, JobState.DONE)
    assert first == [JobState.QUEUED, JobState.SAVED]
    assert second == [JobState.DONE]


def test_a_raised_budget_lets_builds_go_on(api: ImagesApi, tmp_path: Path) -> None:
    with queue_of(api, tmp_path, max_new_images=1) as queue:
        assert outcome(queue.submit(job("first"))) is None
        assert isinstance(outcome(queue.submit(job("second"))), BudgetExceeded)
        queue.renew()
        assert isinstance(outcome(queue.submit(job("second"))), BudgetExceeded)
        queue.budget.raise_by(1)
        assert outcome(queue.submit(job("second"))) is None
    assert len(api.calls) == 2


def test_a_budget_that_is_raised_and_lowered() -> None:
    budget = Budget(2)
    budget.reserve(2)
    assert budget.left == 0
    budget.raise_by(3)
    assert budget.left == 3
    budget.raise_by(-4)
    assert (budget.most, budget.left) == (1, 0)
    with pytest.raises(BudgetExceeded):
        budget.reserve()


@pytest.mark.parametrize("last_is_whole", [True, False])
def test_images_of_one_call_that_are_no_use_count_as_one_call(
    api: ImagesApi, tmp_path: Path, last_is_whole: bool
) -> None:
    def behave(handler: Handler, body: dict[str, Any]) -> None:
        images = [b"none", b"none", b"none", api.draw(body) if last_is_whole else b"none"]
        handler.send(200, {"data": [{"url": api.origin + api.host(data)} for data in images]})

    api.script = [behave]
    with queue_of(api, tmp_path) as queue:
        hero = job("hero")
        variants = [hero._replace(request=hero.request.of_variant(number)) for number in range(1, 5)]
        outcomes = [outcome(future) for future in queue.submit_together(variants)]
        assert outcome(queue.submit(job("next"))) is None
    assert (outcomes[3] is None) == last_is_whole
    assert "calls in a row" not in str(outcomes)
    assert api.prompts == ["hero", "next"]
