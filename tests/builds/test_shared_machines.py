"""Many machines and one store: each image is bought once, whatever they do at the same time."""

from __future__ import annotations

import hashlib
import json
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from mkdocs_qhaigc.store.object_store import ObjectStore as Objects
from mkdocs_qhaigc.store.shared_images import key_of
from tests.conftest import Project
from tests.helpers.api import Handler, ImagesApi, by_url
from tests.helpers.commands import run
from tests.helpers.container import clock
from tests.helpers.object_stores import ObjectStore, azurite, folder_store, rclone, seaweedfs

pytestmark = pytest.mark.shared
STORES = ("folder", "seaweedfs", "azurite", "rclone")


@pytest.fixture(scope="module", params=STORES)
def store(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ObjectStore]:
    folder = tmp_path_factory.mktemp(request.param)
    if request.param == "folder":
        yield folder_store(folder)
        return
    with {"seaweedfs": seaweedfs, "azurite": azurite, "rclone": rclone}[request.param](folder) as running:
        yield running


def machine(folder: Path, api: ImagesApi, store: ObjectStore, prefix: str, images: int) -> Project:
    project = Project(folder, api.base_url)
    project.options["shared"] = f"{store.url}/{prefix}"
    if store.name == "folder":
        Path(f"{store.url.removeprefix('file://')}/{prefix}").mkdir(exist_ok=True)
    project.options["max_new_images"] = images
    project.environment.update(store.environment)
    for page in range(images // 4):
        directives = {f"i{page}-{number}": f"image {page} {number}" for number in range(4)}
        body = " ".join(f"![{name}](qhaigc:{name})" for name in directives)
        project.page(f"p{page}.md", body, qhaigc=directives)
    project.page("index.md", "# Start")
    return project


def finish(processes: list[subprocess.Popen[str]]) -> list[str]:
    outputs = [process.communicate(timeout=300)[0] for process in processes]
    assert [process.returncode for process in processes] == [0] * len(processes), outputs
    return outputs


def start(project: Project) -> subprocess.Popen[str]:
    return project.start("build", "-d", str(project.folder / "site"))


def digest(project: Project) -> dict[str, str]:
    from tests.conftest import Built

    return Built(0, "", project.folder / "site").digest()


def test_eight_machines_that_build_at_once_buy_each_image_once(store: ObjectStore, tmp_path: Path) -> None:
    with ImagesApi() as api:
        machines = [machine(tmp_path / f"m{number}", api, store, "eight", 40) for number in range(8)]
        outputs = finish([start(project) for project in machines])
        sys.stdout.write(f"{store.name}: {len(api.calls)} calls for 40 images on 8 machines\n")
        for project, output in zip(machines, outputs, strict=True):
            assert "WARNING" not in output
            assert len(list((project.folder / "site/assets/qhaigc").glob("*.webp"))) == 40, output
        if store.conditional:
            assert len(api.calls) == 40
            assert len({tuple(digest(project).items()) for project in machines}) == 1
        else:
            assert any("ignores conditions on writes" in output for output in outputs)
        api_calls = len(api.calls)
    empty = machine(tmp_path / "empty", api, store, "eight", 40)  # the API is shut down, and there is no key
    empty.environment.pop("QHAIGC_API_KEY")
    built = empty.build()
    assert (built.code, built.warnings, built.summary) == (0, [], "40 shared")
    if store.conditional:
        assert digest(empty) == digest(machines[0])
    assert len(api.calls) == api_calls


def objects_of(store: ObjectStore, prefix: str, monkeypatch: pytest.MonkeyPatch) -> Objects:
    """Return the objects of a store, for a test to look at and to remove."""
    for name, value in store.environment.items():
        monkeypatch.setenv(name, value)
    return Objects(f"{store.url}/{prefix}")


def test_share_puts_back_an_image_whose_record_is_there(
    store: ObjectStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with ImagesApi() as api:
        project = machine(tmp_path / "one", api, store, "back", 4)
        assert project.build().summary == "4 generated"
        objects = objects_of(store, "back", monkeypatch)
        images = [one.path for one in objects.list() if one.path.endswith(".png")]
        assert len(images) == 4
        objects.delete(images[0])
        shared = run(project, "share")
        assert (shared.returncode, "3 there already, 1 image uploaded." in shared.stdout) == (0, True), shared.stdout
        assert sorted(one.path for one in objects.list() if one.path.endswith(".png")) == sorted(images)


def test_an_image_that_was_bought_beside_the_store_replaces_none(
    store: ObjectStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where conditions are ignored, by a look before the write."""
    with ImagesApi() as api:
        first, second = (machine(tmp_path / name, api, store, "replaced", 4) for name in ("first", "second"))
        second.options["shared_mode"] = "off"
        assert [project.build().summary for project in (first, second)] == ["4 generated"] * 2
        objects = objects_of(store, "replaced", monkeypatch)
        before = {one.path: bytes(content(objects, one.path)) for one in objects.list() if key_of(one.path)}
        assert len(before) == 8
        second.options["shared_mode"] = "auto"
        told = [image["state"] for image in json.loads(run(second, "share", "--json").stdout)["images"]]
        assert told == []  # they are there already
        for path in sorted(path for path in before if path.endswith(".png"))[:2]:
            objects.delete(path)  # then they are looked at
            del before[path]
        told = [image["state"] for image in json.loads(run(second, "share", "--json").stdout)["images"]]
        assert told == ["taken"] * 2
        assert {path: bytes(content(objects, path)) for path in before} == before


def test_prune_removes_what_none_of_two_sites_uses(
    store: ObjectStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with ImagesApi() as api:
        one, two = (
            machine(tmp_path / "one", api, store, "pruned", 4),
            machine(tmp_path / "two", api, store, "pruned", 8),
        )
        (two.docs / "p0.md").unlink()
        assert [project.build().summary for project in (one, two)] == ["4 generated"] * 2
    objects = objects_of(store, "pruned", monkeypatch)
    files = [part for project in (one, two) for part in ("-f", str(project.write_config()))]
    prune = ("prune", "--shared", "--older-than", "0h", "--yes", "--json")
    assert json.loads(run(one, *prune, *files).stdout)["removed"] == 0
    two.page("p1.md", "# Without images")
    assert json.loads(run(one, *prune, *files).stdout)["removed"] == 4
    left = {key_of(one.path) for one in objects.list()} - {None}
    assert len(left) == 4
    assert len(shared_prompts(objects)) == 4
    empty = machine(tmp_path / "empty", api, store, "pruned", 4)
    empty.options["missing"] = "error"
    assert empty.build("--strict").summary == "4 shared"
    assert run(empty, "pin").returncode == 0


@pytest.mark.parametrize("days", [1, -1])
def test_a_machine_whose_clock_is_off_by_a_day_waits_like_the_others_or_says_that_it_is_refused(
    store: ObjectStore, tmp_path: Path, days: int
) -> None:
    """Stores of S3's kind refuse requests whose signatures have another time than theirs."""
    prefix = f"clock{days}"

    def slowly(handler: Handler, body: dict[str, Any]) -> None:
        time.sleep(0.3)
        by_url(handler, body)

    with ImagesApi(slowly) as api:
        right, wrong = (machine(tmp_path / name, api, store, prefix, 8) for name in ("right", "wrong"))
        wrong.environment.update(clock(f"{days:+}d"))
        outputs = finish([start(project) for project in (right, wrong)])
        for project in (right, wrong):
            assert len(list((project.folder / "site/assets/qhaigc").glob("*.webp"))) == 8
        if "refuses access" in outputs[1]:
            assert "(RequestTimeTooSkewed)" in outputs[1]
        elif store.conditional:
            assert len(api.calls) == 8
            assert digest(right) == digest(wrong)


def shared_prompts(objects: Objects) -> set[str]:
    """Return the prompts whose images are in a store; each record must have its image, with the bytes that it says."""
    found = set()
    records = [one.path for one in objects.list() if key_of(one.path) and one.path.endswith(".json")]
    images = {one.path for one in objects.list() if one.path.endswith(".png")}  # machines still write, a record last
    for path in records:
        record = json.loads(bytes(content(objects, path)))
        image = path.replace(".json", f"-{record['sha256'][:16]}.png")
        assert image in images
        assert hashlib.sha256(content(objects, image)).hexdigest() == record["sha256"]
        found.add(record["request"]["prompt"])
    return found


def content(objects: Objects, path: str) -> memoryview:
    found = objects.get(path, most=1 << 20)
    assert found
    return found.data


@pytest.mark.parametrize(("store", "most_kills"), [("folder", 60), ("seaweedfs", 24)], indirect=["store"])
def test_machines_that_are_killed_lose_nothing_and_buy_only_what_was_in_flight_again(
    store: ObjectStore, most_kills: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    chance = random.Random(20)
    objects = objects_of(store, "killed", monkeypatch)

    def slowly(handler: Handler, body: dict[str, Any]) -> None:
        time.sleep(0.3)
        by_url(handler, body)

    in_flight = kills = 0
    with ImagesApi(slowly) as api:
        machines = [machine(tmp_path / f"m{number}", api, store, "killed", 40) for number in range(4)]
        for number, project in enumerate(machines):
            project.options["timeout"] = 3
            project.environment["QHAIGC_API_KEY"] = f"key-of-machine-{number}"
        while kills < most_kills:
            before = len(api.calls)
            running = [(chance.uniform(0.5, 4.5), number, start(project)) for number, project in enumerate(machines)]
            began = time.monotonic()
            for moment, number, process in sorted(running, key=lambda one: one[0]):
                time.sleep(max(0, began + moment - time.monotonic()))
                process.send_signal(signal.SIGKILL)
                process.communicate()
                kills += 1
                there = shared_prompts(objects)
                called = zip(api.calls[before:], api.keys[before:], strict=False)
                mine = {call["prompt"] for call, key in called if key.endswith(f"-{number}")}
                in_flight += len(mine - there)
        began = time.monotonic()
        finish([start(project) for project in machines])
        waited = time.monotonic() - began
        calls = len(api.calls)
    sys.stdout.write(
        f"{kills} kills: {calls} calls for 40 images, {in_flight} in flight at a kill; "
        f"the last builds took {waited:.0f} s\n"
    )
    assert len(shared_prompts(objects)) == 40
    assert calls <= 40 + in_flight
    for project in machines:  # what they had bought and another one had uploaded before is replaced by then
        assert len(list((project.folder / "site/assets/qhaigc").glob("*.webp"))) == 40
        assert project.build().warnings == []
    assert len({tuple(digest(project).items()) for project in machines}) == 1
