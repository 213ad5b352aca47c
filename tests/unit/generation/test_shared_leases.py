"""Leases: one machine at a time, taken over when they are over, whatever the clocks say."""

from __future__ import annotations

import json
import os
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from mkdocs_qhaigc.config.options import Options, read_options
from mkdocs_qhaigc.directives.request import ImageRequest
from mkdocs_qhaigc.errors import GenerationStopped
from mkdocs_qhaigc.generation.job import ImageJob
from mkdocs_qhaigc.generation.queue import GenerationQueue
from mkdocs_qhaigc.generation.shared_leases import Leases
from mkdocs_qhaigc.store.image_store import open_cache
from mkdocs_qhaigc.store.shared_images import SharedImages
from tests.helpers.api import KEY as API_KEY
from tests.helpers.api import ImagesApi, error

JOB = ImageJob("index.md#a", "a", ImageRequest("m", "first", "96x54"))
KEY = JOB.request.key


def machine(team: Path, name: str, *, stopped: threading.Event | None = None, **values: Any) -> Leases:
    folder, given = team.parent / name, {"shared": f"file://{team}", "timeout": 1, **values}
    options: Options = read_options(given, folder=folder, docs_dir=folder / "docs")
    return Leases(SharedImages(options, open_cache(options)), options, stopped=stopped or threading.Event())


def leases(team: Path) -> dict[str, dict[str, Any]]:
    return {path.name: json.loads(path.read_bytes()) for path in sorted((team / "leases" / KEY).glob("*.json"))}


def left_behind(team: Path, *, seconds: object, age: float = 0) -> Path:
    """Write the lease of a machine that was killed `age` seconds ago."""
    path = team / "leases" / KEY / "1.json"
    path.parent.mkdir(parents=True)
    path.write_text(json.dumps({"host": "gone", "pid": 7, "id": "x", "seconds": seconds}))
    written = time.time() - age
    os.utime(path, (written, written))
    return path


def test_a_lease_says_who_holds_it_and_is_given_up(team: Path) -> None:
    with machine(team, "one").held([JOB]) as bought:
        assert bought == {}
        (lease,) = leases(team).values()
        assert (lease["pid"], lease["seconds"]) == (os.getpid(), 31.5)
        assert lease["host"]
    assert [lease["seconds"] for lease in leases(team).values()] == [0]


def test_one_machine_at_a_time(team: Path) -> None:
    holding = 0

    def work(name: str) -> int:
        nonlocal holding
        with machine(team, name).held([JOB]):
            holding += 1
            seen = holding
            time.sleep(0.05)
            holding -= 1
        return seen

    with ThreadPoolExecutor(5) as pool:
        assert list(pool.map(work, [f"m{number}" for number in range(5)])) == [1] * 5
    assert sorted(leases(team)) == [f"{number}.json" for number in range(1, 6)]


@pytest.mark.parametrize(
    ("seconds", "age"),
    [
        (3600, 4000),  # by the store's clock, it was over before anybody looked
        (0.5, 0),
        (0.5, -86_400),  # that clock is off by a day: the machine that waits counts
        (0, -86_400),
    ],
)
def test_a_lease_that_is_over_is_taken_over(seconds: float, age: float, team: Path) -> None:
    left_behind(team, seconds=seconds, age=age)
    began = time.monotonic()
    with machine(team, "two").held([JOB]):
        assert list(leases(team)) == ["1.json", "2.json"]
    assert time.monotonic() - began < 5


@pytest.mark.parametrize("seconds", [3600, "nonsense", -1, 1e300, None])
def test_a_lease_that_is_not_over_is_waited_for(seconds: object, team: Path, caplog: pytest.LogCaptureFixture) -> None:
    left_behind(team, seconds=seconds)
    stopped = threading.Event()
    timer = threading.Timer(0.4, stopped.set)
    timer.start()
    with (
        caplog.at_level("INFO"),
        pytest.raises(GenerationStopped),
        machine(team, "two", stopped=stopped).held([JOB]),
    ):
        pass
    timer.join()
    assert list(leases(team)) == ["1.json"]
    assert caplog.text.count("index.md#a: waits for ") == 1


def test_two_machines_that_want_two_images_never_wait_for_each_other(team: Path) -> None:
    other = ImageJob("index.md#b", "b", ImageRequest("m", "second", "96x54"))
    orders: list[list[ImageJob]] = [[JOB, other], [other, JOB]]

    inside: list[int] = []
    held: list[int] = []

    def work(number: int) -> None:
        for _ in range(5):
            with machine(team, f"m{number}").held(orders[number]) as bought:
                assert bought == {}
                inside.append(number)
                assert len(inside) == 1, "both machines may buy"
                inside.remove(number)
                held.append(number)

    with ThreadPoolExecutor(2) as pool:
        list(pool.map(work, range(2)))
    assert sorted(held) == [0] * 5 + [1] * 5


@pytest.mark.parametrize("damage", [lambda team: team.rename(team.with_name("elsewhere")), lambda team: None])
def test_without_a_store_that_can_be_written_nobody_waits(damage: Callable[[Path], object], team: Path) -> None:
    damage(team)
    mode = "read-only" if team.exists() else "auto"
    with machine(team, "one", shared_mode=mode).held([JOB]) as bought:
        assert bought == {}
    assert not (team / "leases").exists()


def test_old_leases_on_an_image_stay_while_one_of_them_is_young(team: Path) -> None:
    """Without `1.json`, another machine would buy beside the holder of `2.json`."""
    first = left_behind(team, seconds=0, age=90_000)
    second = first.with_name("2.json")
    second.write_bytes(first.read_bytes())
    options = read_options({"shared": f"file://{team}"}, folder=team.parent, docs_dir=team.parent / "docs")
    shared = SharedImages(options, open_cache(options))
    with machine(team, "one").held([JOB._replace(request=JOB.request.of_variant(2))]):
        pass  # the store has what every store has
    assert shared.old_leases(seconds=86_400) == []
    os.utime(second, (time.time() - 90_000,) * 2)
    assert sorted(Path(one.path).name for one in shared.old_leases(seconds=86_400)) == ["1.json", "2.json"]


@pytest.mark.parametrize("number", [2, 3])
def test_a_first_lease_that_a_rule_of_the_store_has_removed_gives_no_second_buyer(number: int, team: Path) -> None:
    first = left_behind(team, seconds=3600)
    first.rename(first.with_name(f"{number}.json"))
    stopped = threading.Event()
    timer = threading.Timer(0.4, stopped.set)
    timer.start()
    with pytest.raises(GenerationStopped), machine(team, "two", stopped=stopped).held([JOB]):
        pass
    timer.join()
    assert {name: lease["seconds"] for name, lease in leases(team).items()} == {"1.json": 0, f"{number}.json": 3600}


def test_leases_that_grew_old_while_another_was_waited_for_are_taken_anew(
    team: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else they would be over in the middle of the purchase, and another machine would buy the same image."""
    monkeypatch.setattr("mkdocs_qhaigc.generation.shared_leases._MARGIN", 2)
    jobs = [JOB._replace(request=JOB.request.of_variant(number)) for number in (1, 2)]
    first, last = (team / "leases" / key for key in sorted(job.request.key for job in jobs))
    last.mkdir(parents=True)
    (last / "1.json").write_text(json.dumps({"host": "gone", "pid": 7, "id": "x", "seconds": 1.5}))
    began = time.time()
    with machine(team, "one").held(jobs) as bought:
        assert bought == {}
        held = [path for path in (first, last) for path in path.iterdir() if json.loads(path.read_bytes())["id"] != "x"]
        held = [path for path in held if json.loads(path.read_bytes())["seconds"]]
        assert sorted(path.parent for path in held) == [first, last]
        assert all(path.stat().st_mtime > began + 1.4 for path in held)


def test_what_stops_the_build_while_a_lease_is_waited_for_stops_that_job_too(team: Path, api: ImagesApi) -> None:
    left_behind(team, seconds=2)
    api.script = [error(402, "insufficient_quota")]
    given = {"shared": f"file://{team}", "timeout": 5, "base_url": api.base_url}
    options = read_options(given, folder=team.parent, docs_dir=team.parent / "docs")
    store = open_cache(options)
    queue = GenerationQueue(options, api_key=API_KEY, store=store, shared=SharedImages(options, store))
    other = ImageJob("index.md#b", "b", ImageRequest("m", "second", "96x54"))
    try:
        outcomes = [future.exception(20) for future in (queue.submit(JOB), queue.submit(other))]
    finally:
        queue.close()
    assert [type(outcome) for outcome in outcomes] == [GenerationStopped] * 2
    assert api.prompts == ["second"]
