"""The queue and images that are references for others: their order, what is dropped, what fails."""

from __future__ import annotations

import os
import random
import threading
from collections.abc import Iterator
from concurrent.futures import Future, wait
from contextlib import contextmanager
from pathlib import Path

import pytest

from mkdocs_qhaigc.config.options import read_options
from mkdocs_qhaigc.directives.request import ImageRequest, Reference
from mkdocs_qhaigc.errors import QhaigcError, TaskPending
from mkdocs_qhaigc.generation.job import ImageJob
from mkdocs_qhaigc.generation.queue import GenerationQueue
from mkdocs_qhaigc.store.image_store import open_cache
from mkdocs_qhaigc.store.record import StoredImage
from tests.helpers.api import KEY, ImagesApi, by_url, error, waits_for
from tests.helpers.tasks import by_task, says

PATIENCE = 30.0
"""Seconds."""


@contextmanager
def queue_of(api: ImagesApi, folder: Path, **more: object) -> Iterator[GenerationQueue]:
    given = {"base_url": api.base_url, "references_by": "json", "max_new_images": 1000, "retries": 0, **more}
    options = read_options(given, folder=folder, docs_dir=folder / "docs")
    queue = GenerationQueue(options, api_key=KEY, store=open_cache(options))
    try:
        yield queue
    finally:
        queue.close()


def job(name: str, *references: ImageJob) -> ImageJob:
    shown = tuple(Reference(f"key:{one.request.key}", one.where, "", one.name, one.request) for one in references)
    return ImageJob(f"index.md#{name}", name, ImageRequest("m", name, "32x32", references=shown))


def outcome(future: Future[StoredImage]) -> QhaigcError | None:
    error = future.exception(PATIENCE)
    assert error is None or isinstance(error, QhaigcError)
    return error


def test_what_is_a_reference_is_submitted_with_the_job_and_made_first(api: ImagesApi, tmp_path: Path) -> None:
    fox = job("fox")
    with queue_of(api, tmp_path) as queue:
        future = queue.submit(job("hero", job("sheet", fox), fox))
        assert outcome(future) is None
        assert queue.submit(fox).done()
    assert api.prompts == ["fox", "sheet", "hero"]


@pytest.mark.parametrize("how", ["drop", "close", "new_build", "finish"])
def test_a_job_that_waits_for_its_reference_is_dropped_like_any_that_has_not_begun(
    api: ImagesApi, tmp_path: Path, how: str
) -> None:
    allowed = threading.Event()
    api.default = waits_for(allowed)
    with queue_of(api, tmp_path) as queue:
        hero = queue.submit(job("hero", job("fox")))
        fox = queue.submit(job("fox"))
        assert api.called.wait(PATIENCE)
        if how == "finish":  # which waits for what is under way
            threading.Timer(0.1, allowed.set).start()
        getattr(queue, how)()
        assert hero.cancelled()
        allowed.set()
        wait([fox], PATIENCE)
        if how == "new_build":
            assert outcome(queue.submit(job("hero", job("fox")))) is None
    assert api.prompts == (["fox", "hero"] if how == "new_build" else ["fox"])


def test_a_held_job_and_its_reference_begin_when_they_are_released(api: ImagesApi, tmp_path: Path) -> None:
    with queue_of(api, tmp_path) as queue:
        queue.holds = True
        hero = queue.submit(job("hero", job("fox")))
        assert queue.held == 2
        queue.release()
        assert outcome(hero) is None
    assert api.prompts == ["fox", "hero"]


def test_variants_of_one_request_wait_for_its_reference_together(api: ImagesApi, tmp_path: Path) -> None:
    hero = job("hero", job("fox"))
    variants = [hero._replace(request=hero.request.of_variant(number)) for number in (1, 2)]
    with queue_of(api, tmp_path) as queue:
        futures = queue.submit_together(variants)
        wait(futures, PATIENCE)
    assert api.prompts[0] == "fox"
    assert all("image" in call for call in api.calls[1:])


def test_an_image_that_came_from_elsewhere_since_is_a_reference_all_the_same(api: ImagesApi, tmp_path: Path) -> None:
    """Its own job has failed, and another process has saved it meanwhile."""
    fox = job("fox")
    api.script = [error(400, "bad_prompt")]
    with queue_of(api, tmp_path) as queue, queue_of(api, tmp_path) as other:
        assert outcome(queue.submit(fox)) is not None
        assert outcome(other.submit(fox)) is None
        assert outcome(queue.submit(job("hero", fox))) is None


def test_whatever_fails_every_job_ends_and_none_is_bought_without_its_references(
    api: ImagesApi, tmp_path: Path
) -> None:
    dice = random.Random(int(os.environ.get("QHAIGC_TEST_SEED", "7")))
    jobs: list[ImageJob] = []
    for number in range(60):
        references = dice.sample(jobs, min(len(jobs), dice.choice((0, 0, 1, 2, 3))))
        jobs.append(job(f"n{number}", *references))
    failing = {one.name for one in dice.sample(jobs, 8)}
    api.by_prompt = {name: [error(400, "content_policy_violation")] for name in failing}
    api.default = by_url
    order = dice.sample(jobs, len(jobs))
    with queue_of(api, tmp_path, concurrency=5) as queue:
        futures = {one.name: queue.submit(one) for one in order}
        reasons = {name: outcome(future) for name, future in futures.items()}
    asked: set[str] = set()
    missing: set[str] = set()
    for one in jobs:
        if any(reference.name in missing for reference in one.request.references):
            missing.add(one.name)
            continue
        asked.add(one.name)
        if one.name in failing:
            missing.add(one.name)
    assert {name for name, reason in reasons.items() if reason} == missing
    assert sorted(api.prompts) == sorted(asked)


def test_a_job_whose_reference_was_under_way_may_be_had_by_the_next_build(api: ImagesApi, tmp_path: Path) -> None:
    running = says("running")
    api.default = by_task(*[running] * 9999)
    with queue_of(api, tmp_path, timeout=2) as queue:
        hero = queue.submit(job("hero", job("fox")))
        assert isinstance(outcome(hero), TaskPending)
        (path,) = api.by_path
        api.by_path[path] = api.by_path[path][-9:]
        api.default = by_url
        queue.renew()
        assert outcome(queue.submit(job("hero", job("fox")))) is None
    assert api.prompts == ["fox", "hero"]
