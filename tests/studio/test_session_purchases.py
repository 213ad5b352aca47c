"""Purchases of the studio: what is ordered, arrives, costs and is refused."""

from __future__ import annotations

import contextlib
import json
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from mkdocs_qhaigc.studio.operations import Session
from mkdocs_qhaigc.studio.problem import Problem
from tests.conftest import Project
from tests.helpers.api import ImagesApi, by_url, error, several, waits_for
from tests.helpers.commands import run
from tests.helpers.studio_host import Events, SiteHost, studio, wait_until

HERO = "guide/start.md#hero"


@pytest.fixture
def site(project: Project, api: ImagesApi, monkeypatch: pytest.MonkeyPatch) -> Project:
    monkeypatch.setenv("QHAIGC_API_KEY", project.environment["QHAIGC_API_KEY"])
    api.default = several
    project.options["prices"] = {"currency": "USD", "qh-draw-x2-preview": 0.04}
    project.page("guide/start.md", "![x](qhaigc:hero)", qhaigc={"hero": {"prompt": "Fog", "dark": "Night"}})
    project.page("other.md", "![x](qhaigc:hero)", qhaigc="Sea")
    return project


@contextlib.contextmanager
def three_ordered(site: Project, api: ImagesApi) -> Iterator[tuple[SiteHost, Session, Events, threading.Event]]:
    """Yield a studio that has ordered three images one after the other, and what lets the service answer."""
    go = threading.Event()
    api.default = waits_for(go)
    site.options["concurrency"] = 1
    with studio(site) as (host, session, events):
        session.buy_missing({"ids": None})
        events.wait_for("called")
        yield host, session, events, go


def states(session: Any, identity: str = HERO) -> dict[int, str]:
    return {one["variant"]: one["state"] for one in session.image(identity)["variants"]}


def test_the_next_variants_come_in_one_call_and_each_is_told_of(site: Project, api: ImagesApi) -> None:
    with studio(site) as (_, session, events):
        assert states(session) == dict.fromkeys((1, 2, 3, 4), "missing")
        jobs = session.buy({"id": HERO, "count": 1})["jobs"]
        assert [job["variant"] for job in jobs] == [1]
        events.wait_for("saved", 1)
        jobs = session.buy({"id": HERO, "count": 4})["jobs"]
        assert [job["variant"] for job in jobs] == [2, 3, 4, 5]
        told = events.wait_for("saved", 5)
        assert {one["id"] for one in told} == {HERO}
        assert [job["key"] for job in jobs] == [one["key"] for one in sorted(told[1:], key=lambda one: one["variant"])]
        assert [call["n"] for call in api.calls] == [1, 4]
        assert states(session) == dict.fromkeys(range(1, 6), "cached")
        bar = session.state(None)["bar"]
        assert (bar["spent"], bar["under_way"]) == ("0.20 USD for 5 images", 0)
        assert bar["budget"] == {"most": 25, "left": 20}
        assert (bar["missing"], bar["fresh"], bar["unpinned"]) == (2, 1, 1)
        assert any(event == "bar" for event, _ in events.all)


def test_the_dark_image_of_a_pair_has_variants_of_its_own(site: Project, api: ImagesApi) -> None:
    with studio(site) as (_, session, events):
        session.buy({"id": f"{HERO}-dark", "count": 1})
        [told] = events.wait_for("saved", 1)
        assert told["id"] == f"{HERO}-dark"
        assert api.prompts == ["Night"]
        assert states(session, f"{HERO}-dark")[1] == "cached"
        assert states(session)[1] == "missing"


def test_an_image_under_way_says_for_how_long(site: Project, api: ImagesApi) -> None:
    go = threading.Event()
    api.default = waits_for(go)
    with studio(site) as (_, session, events):
        session.buy_missing({"ids": [HERO]})
        events.wait_for("called")
        wait_until(lambda: session.state("/guide/start/")["images"][0]["since"] > 0)
        [image] = [one for one in session.state(None)["images"] if one["id"] == HERO]
        assert (image["state"], image["why"]) == ("making", None)
        assert session.state(None)["bar"]["under_way"] == 1
        assert session.state(None)["bar"]["missing"] == 2
        go.set()
        events.wait_for("saved")
        assert session.state("/guide/start/")["images"][0]["state"] == "cached"


def test_missing_images_are_bought_once_as_they_are_declared(site: Project, api: ImagesApi) -> None:
    with studio(site) as (_, session, events):
        assert len(session.buy_missing({"ids": None})["jobs"]) == 3
        events.wait_for("saved", 3)
        assert session.buy_missing({})["jobs"] == []
        assert sorted(api.prompts) == ["Fog", "Night", "Sea"]
        assert site.build().summary == "3 cached"
        assert len(api.calls) == 3


def test_two_tabs_that_order_at_once_get_different_variants_and_none_twice(site: Project, api: ImagesApi) -> None:
    with studio(site) as (_, session, events):
        with ThreadPoolExecutor(6) as tabs:
            asked = [tabs.submit(session.buy, {"id": HERO, "count": 1}) for _ in range(4)]
            again = [tabs.submit(session.buy_missing, {"ids": ["other.md#hero"]}) for _ in range(2)]
            variants = [one.result()["jobs"][0]["variant"] for one in asked]
            assert sum(len(one.result()["jobs"]) for one in again) == 1
        assert sorted(variants) == [1, 2, 3, 4]
        events.wait_for("saved", 5)
        assert sorted(api.prompts) == ["Fog"] * 4 + ["Sea"]


def test_the_budget_of_the_run_can_be_raised(site: Project, api: ImagesApi) -> None:
    site.options["max_new_images"] = 2
    with studio(site) as (_, session, events):
        with pytest.raises(Problem, match="max_new_images") as problem:
            session.buy({"id": HERO, "count": 4})
        assert (problem.value.status, problem.value.kind) == (409, "budget")
        session.buy({"id": HERO, "count": 1})
        session.buy({"id": HERO, "count": 1})
        events.wait_for("saved", 2)
        with pytest.raises(Problem, match="0 are left"):
            session.buy({"id": HERO, "count": 1})
        [image] = [one for one in session.state(None)["images"] if one["id"] == "other.md#hero"]
        assert "over the limit" in image["why"]
        assert session.raise_budget({"by": 1})["budget"] == {"most": 3, "left": 1}
        session.buy({"id": HERO, "count": 1})
        events.wait_for("saved", 3)
        assert len(api.calls) == 3


def test_what_failed_can_be_ordered_again(site: Project, api: ImagesApi) -> None:
    site.options["retries"] = 0
    with studio(site) as (_, session, events):
        api.script = [error(500, "server_error", "out of order")]
        session.buy_missing({"ids": [HERO]})
        [failed] = events.wait_for("failed")
        assert failed["kind"] == "failed"
        [image] = [one for one in session.state(None)["images"] if one["id"] == HERO]
        assert image["state"] == "missing"
        assert "out of order" in image["why"] + str(image["remedy"])
        session.buy_missing({"ids": [HERO]})
        events.wait_for("saved")


def test_jobs_that_a_build_drops_are_ordered_again(site: Project, api: ImagesApi) -> None:
    with three_ordered(site, api) as (host, session, events, go):
        host.queue().new_build()
        assert session.state(None)["bar"]["under_way"] == 3
        go.set()
        events.wait_for("saved", 3)
        assert len(api.calls) == 3


def test_jobs_of_a_retired_queue_are_ordered_again_by_the_next_one(site: Project, api: ImagesApi) -> None:
    with three_ordered(site, api) as (host, session, events, go):
        host.new_queue()
        events.wait_for("called", 2)
        go.set()
        events.wait_for("saved", 3)
        wait_until(lambda: session.state(None)["bar"]["under_way"] == 0)
        assert sorted(api.prompts) == ["Fog", "Night", "Sea"]


def test_a_session_that_has_ended_orders_nothing_again(site: Project, api: ImagesApi) -> None:
    with three_ordered(site, api) as (host, session, _, go):
        session.close()
        host.new_queue()
        go.set()
    assert len(api.calls) == 1


def test_a_session_that_has_ended_takes_no_orders(site: Project, api: ImagesApi) -> None:
    with studio(site) as (_, session, _):
        session.close()
        with pytest.raises(Problem, match="ended"):
            session.buy_missing({"ids": None})
    assert api.calls == []


def test_trying_out_buys_and_writes_nothing(site: Project, api: ImagesApi) -> None:
    page = site.docs / "guide/start.md"
    before = page.read_bytes()
    with studio(site) as (_, session, events):
        [job] = session.try_out({"id": HERO, "fields": {"prompt": "Rain", "size": "64x64"}})["jobs"]
        assert job["request"]["prompt"] == "Rain"
        assert "state" not in job
        [told] = events.wait_for("saved")
        assert (told["key"], told["id"]) == (job["key"], HERO)
        assert [(call["prompt"], call["size"]) for call in api.calls] == [("Rain", "64x64")]
        assert page.read_bytes() == before
        [again] = session.try_out({"id": HERO, "fields": {"prompt": "Rain", "size": "64x64"}})["jobs"]
        assert (again["state"], again["key"]) == ("there", job["key"])
        [row] = session.image(HERO)["history"]
        assert (row["prompt"], row["size"], row["key"]) == ("Rain", "64x64", job["key"])
        version = session.image(HERO)["image"]["version"]
        saved = session.save({"id": HERO, "fields": {"prompt": "Rain", "size": "64x64"}, "version": version})
        image = session.image(HERO)["image"]
        assert (image["key"], image["state"], image["version"]) == (job["key"], "cached", saved["version"])
        assert len(api.calls) == 1


def test_the_price_of_a_try_is_that_of_its_model_and_size(site: Project, api: ImagesApi) -> None:
    prices = site.options["prices"]
    assert isinstance(prices, dict)
    prices |= {"qh-draw-x2-preview": {"64x64": 0.08, "default": 0.04}, "other": 0.5}
    with studio(site) as (_, session, _):

        def price(**fields: object) -> object:
            return session.price({"id": HERO, "fields": fields})["price"]

        assert price(prompt="Rain") == "0.04 USD"
        assert price(size="64x64") == price(size="64 x 64", prompt="Rain") == "0.08 USD"
        assert price(model="other") == price(model="other", size="64x64") == "0.50 USD"
        assert price(model="unheard-of") == "a call to unheard-of"
        for wrong in ({"size": "huge"}, {"alt": "x"}, {}):
            with pytest.raises(Problem):
                price(**wrong)
        assert api.calls == []


def test_what_the_sandbox_draws_is_free(site: Project) -> None:
    site.options["base_url"] = "sandbox"
    with studio(site) as (_, session, _):
        assert session.image(HERO)["image"]["price"] == "free in the sandbox"
        assert session.price({"id": HERO, "fields": {"size": "64x64"}})["price"] == "free in the sandbox"


def test_a_seed_gets_a_call_for_each_variant(site: Project, api: ImagesApi) -> None:
    api.default = by_url
    site.page("seed.md", "![](qhaigc:hero)", qhaigc={"prompt": "Tree", "params": {"seed": 7}})
    with studio(site) as (_, session, events):
        session.buy({"id": "seed.md#hero", "count": 4})
        events.wait_for("saved", 4)
        assert len({call["seed"] for call in api.calls}) == 4


def test_an_image_that_was_lost_is_bought_again(site: Project, api: ImagesApi) -> None:
    with studio(site) as (_, session, events):
        session.buy_missing({"ids": [HERO]})
        events.wait_for("saved")
        for path in (site.cache / "originals").glob("hero-*"):
            path.unlink()
        [image] = [one for one in session.state(None)["images"] if one["id"] == HERO]
        assert image["state"] == "missing"
        session.buy_missing({"ids": [HERO]})
        events.wait_for("saved", 2)
        assert len(api.calls) == 2


def test_the_record_says_for_which_image_it_was_made(site: Project) -> None:
    with studio(site) as (_, session, events):
        session.buy_missing({"ids": [f"{HERO}-dark"]})
        events.wait_for("saved")
    [record] = (site.cache / "originals").glob("*.json")
    assert json.loads(record.read_bytes())["where"] == f"{HERO} (dark)"


def test_what_a_build_orders_is_shown_as_well(site: Project, api: ImagesApi) -> None:
    site.options["retries"] = 0
    with studio(site) as (host, session, events):
        job = next(entry.image.job for entry in host.survey().entries if entry.target == HERO)
        api.script = [error(500, "server_error", "out of order")]
        host.queue().submit(job)
        [failed] = events.wait_for("failed")
        assert failed["id"] == HERO
        wait_until(lambda: "out of order" in str(session.image(HERO)["image"]["why"]))
        host.queue().forget(job.request.key)
        host.queue().submit(job)
        events.wait_for("saved")
        assert session.state(None)["bar"]["spent"] == "0.04 USD for 1 image"
        assert session.image(HERO)["image"]["fresh"] is True


def test_what_a_build_has_dropped_is_not_under_way(site: Project, api: ImagesApi) -> None:
    go = threading.Event()
    api.default = waits_for(go)
    site.options["concurrency"] = 1
    with studio(site) as (host, session, events):
        for entry in host.survey().entries:
            host.queue().submit(entry.image.job)
        assert api.called.wait(60)
        assert session.state(None)["bar"]["under_way"] == 3
        host.queue().new_build()
        assert session.state(None)["bar"]["under_way"] == 1
        go.set()
        events.wait_for("saved")
        assert len(api.calls) == 1


def test_what_was_under_way_before_the_session_began_is_not_bought_twice(site: Project, api: ImagesApi) -> None:
    go = threading.Event()
    api.default = waits_for(go)
    with studio(site) as (host, first, _):
        first.close()
        job = next(entry.image.job for entry in host.survey().entries if entry.target == HERO)
        host.queue().submit(job)
        assert api.called.wait(60)
        events = Events()
        session = Session(host, events.publish)
        assert session.image(HERO)["image"]["state"] == "making"
        assert session.state(None)["bar"]["under_way"] == 1
        assert session.buy_missing({"ids": [HERO]})["jobs"] == []
        assert [job["variant"] for job in session.buy({"id": HERO, "count": 1})["jobs"]] == [2]
        go.set()
        events.wait_for("saved", 2)
        assert session.state(None)["bar"]["spent"] == "0.08 USD for 2 images"
        assert len(api.calls) == 2
        session.close()


def test_what_came_before_the_session_began_is_new_and_counts(site: Project, api: ImagesApi) -> None:
    with studio(site) as (host, first, _):
        first.close()
        job = next(entry.image.job for entry in host.survey().entries if entry.target == HERO)
        host.queue().submit(job).result(60)
        session = Session(host, Events().publish)
        bar = session.state(None)["bar"]
        assert (bar["fresh"], bar["spent"], bar["under_way"]) == (1, "0.04 USD for 1 image", 0)
        assert session.image(HERO)["image"]["fresh"] is True
        session.close()


def test_what_a_command_beside_the_server_buys_is_new_and_costs_the_run_nothing(site: Project) -> None:
    with studio(site) as (_, session, _):
        assert run(site, "generate", HERO, "--yes").returncode == 0
        image = session.image(HERO)["image"]
        assert (image["state"], image["fresh"]) == ("cached", True)  # so that the page shows it
        assert session.state(None)["bar"]["spent"] == "0 images"


def test_tabs_that_ask_while_images_arrive_and_pages_are_written_are_all_answered(
    site: Project, api: ImagesApi
) -> None:
    page = site.docs / "guide/start.md"
    before = page.read_bytes()
    with studio(site) as (host, session, events):
        ended = threading.Event()

        def ask() -> int:
            asked = 0
            while not ended.is_set():
                assert len(session.state(None)["images"]) == 3
                assert session.state("/guide/start/")["page"] == "guide/start.md"
                assert session.image(HERO)["image"]["id"] == HERO
                asked += 1
            return asked

        with ThreadPoolExecutor(4) as tabs:
            asking = [tabs.submit(ask) for _ in range(4)]
            try:
                for number in range(3):
                    session.buy({"id": HERO, "count": 4})
                    version = session.image(HERO)["image"]["version"]
                    session.save({"id": HERO, "fields": {"alt": f"Fog {number}"}, "version": version})
                    host.build()
                    events.wait_for("saved", 4 * (number + 1))
                for _ in range(3):
                    session.undo({})
            finally:
                ended.set()
            assert all(one.result() for one in asking)
        assert page.read_bytes() == before
        assert session.state(None)["bar"]["under_way"] == 0
        assert sum(call["n"] for call in api.calls) == 12
