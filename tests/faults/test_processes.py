"""Many processes at once, and processes that are ended in the middle: each image is bought once, and none is lost."""

from __future__ import annotations

import os
import random
import shutil
import signal
import subprocess
import sys
import threading
import time
from typing import Any

import pytest

from mkdocs_qhaigc._util.threads import Workers
from tests.conftest import Project
from tests.helpers.api import Behaviour, Handler, ImagesApi, by_base64, by_url, hang, waits_for

pytestmark = pytest.mark.slow

if sys.platform == "win32":
    pytest.skip("Windows ends programs without signals", allow_module_level=True)


def write_page(project: Project, images: int) -> list[str]:
    prompts = [f"number {index}" for index in range(images)]
    names = [f"p{index}" for index in range(images)]
    body = "\n\n".join(f"![x](qhaigc:{name})" for name in names)
    project.page("index.md", body, qhaigc=dict(zip(names, prompts, strict=True)))
    return prompts


def end(process: subprocess.Popen[str], how: signal.Signals) -> float:
    """Send a signal; return the seconds until the process has ended."""
    began = time.monotonic()
    process.send_signal(how)
    process.communicate(timeout=30)
    return time.monotonic() - began


def until_saved(project: Project, images: int) -> None:
    """Wait for images to be in the cache; the build under way puts them there."""
    ends = time.monotonic() + 60
    while len(list((project.cache / "originals").glob("*.json"))) < images:
        assert time.monotonic() < ends
        time.sleep(0.01)


def test_eight_builds_at_once_buy_each_image_once(project: Project, api: ImagesApi) -> None:
    prompts = write_page(project, 12)
    command = project.command("build", "--strict")
    builds = [
        subprocess.Popen(
            [*command, "-d", str(project.folder / f"site-{number}")],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            env=project.environ(),
        )
        for number in range(8)
    ]
    outputs = [build.communicate(timeout=120)[0] for build in builds]
    assert [build.returncode for build in builds] == [0] * 8, outputs
    assert sorted(api.prompts) == sorted(prompts)
    for number in range(8):
        assert len(list((project.folder / f"site-{number}/assets/qhaigc").glob("*.webp"))) == 12


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL], ids=lambda how: how.name)
def test_what_had_arrived_when_a_build_was_ended_is_not_bought_again(
    project: Project, api: ImagesApi, how: signal.Signals
) -> None:
    prompts = write_page(project, 6)
    api.by_prompt = {prompt: [hang] for prompt in prompts[3:]}
    project.options["concurrency"] = 6
    build = project.start("build")
    until_saved(project, 3)
    while len(api.calls) < 6:
        api.called.clear()
        api.called.wait(1)
    seconds = end(build, how)
    assert seconds < 10  # half of `timeout`
    assert build.returncode != 0
    built = project.build("--strict")
    assert built.code == 0, built.output
    assert sorted(api.prompts) == sorted([*prompts, *prompts[3:]])
    assert len(project.originals) == 12


def test_an_address_that_had_arrived_is_fetched_by_the_next_build(project: Project, api: ImagesApi) -> None:
    write_page(project, 1)
    api.fetch_script = [hang]
    build = project.start("build")
    ends = time.monotonic() + 60
    while not api.fetches:
        assert time.monotonic() < ends
        time.sleep(0.01)
    end(build, signal.SIGKILL)
    assert project.build("--strict").code == 0
    assert len(api.calls) == 1


def test_an_answer_that_came_while_a_build_was_stopped_is_read(project: Project, api: ImagesApi) -> None:
    """By Ctrl-Z, say, or by the lid of a laptop."""
    write_page(project, 2)
    go = threading.Event()
    api.default = waits_for(go)
    project.options |= {"timeout": 3, "concurrency": 2}
    build = project.start("build", "--strict")
    while len(api.calls) < 2:
        api.called.clear()
        api.called.wait(1)
    build.send_signal(signal.SIGSTOP)
    os.waitid(os.P_PID, build.pid, os.WSTOPPED)  # until then its threads may run on, and begin to fetch
    go.set()
    time.sleep(4)  # until the deadline is over
    build.send_signal(signal.SIGCONT)
    output, _ = build.communicate(timeout=60)
    assert build.returncode == 0, output
    assert len(api.calls) == 2


def test_a_killed_owner_frees_its_image(project: Project, api: ImagesApi) -> None:
    write_page(project, 1)
    api.script = [hang]
    owner = project.start("build")
    assert api.called.wait(60)
    api.called.clear()
    waiting = project.start("build", "-d", str(project.folder / "other"))
    assert not api.called.wait(2), "the second build waits for the first one's image"
    end(owner, signal.SIGKILL)
    output, _ = waiting.communicate(timeout=60)
    assert waiting.returncode == 0, output
    assert len(api.calls) == 2
    assert len(project.originals) == 2


def test_another_build_gets_what_the_owner_bought(project: Project, api: ImagesApi) -> None:
    write_page(project, 1)
    go = threading.Event()
    api.script = [waits_for(go)]
    owner = project.start("build")
    assert api.called.wait(60)
    api.called.clear()
    waiting = project.start("build", "-d", str(project.folder / "other"))
    assert not api.called.wait(1.5)
    go.set()
    assert owner.wait(60) == waiting.wait(60) == 0
    owner.communicate()
    waiting.communicate()
    assert len(api.calls) == 1


TOGETHER = """import os, time
from pathlib import Path

def on_page_content(html, **_):
    here = Path(__file__).parent / "here"
    here.mkdir(exist_ok=True)
    (here / str(os.getpid())).touch()
    ends = time.monotonic() + 60
    while len(list(here.iterdir())) < 2 and time.monotonic() < ends:
        time.sleep(0.01)
    return html
"""
"""Has two builds find their images, and only then see what becomes of them."""


def test_two_builds_that_find_the_same_damage_buy_each_image_once(project: Project, api: ImagesApi) -> None:
    prompts = write_page(project, 4)
    assert project.build("--strict").code == 0
    for original in (project.cache / "originals").glob("*.png"):
        data = original.read_bytes()
        original.write_bytes(data[:-1] + bytes([data[-1] ^ 1]))
    shutil.rmtree(project.cache / "variants")
    api.calls.clear()
    go = threading.Event()
    api.default = waits_for(go)
    project.write("hook.py", TOGETHER)
    project.config["hooks"] = ["hook.py"]
    builds = [project.start("build", "-d", str(project.folder / f"site-{number}")) for number in range(2)]
    for build in builds:
        assert build.stdout
        told = (line for line in build.stdout if "is damaged" in line or "is missing" in line)
        assert [next(told, "") for _ in prompts].count("") == 0
    go.set()
    for build in builds:
        output, _ = build.communicate(timeout=60)
        assert build.returncode == 0, output
        assert "4 images: 4 generated" in output
    assert sorted(api.prompts) == sorted(prompts)
    originals = [name for name in project.originals if ".damaged" not in name]
    assert len(originals) == 2 * len(prompts)


def held_until(event: threading.Event) -> Behaviour:
    """Serve an image when the event is set."""

    def behave(handler: Handler, body: dict[str, Any]) -> None:
        event.wait(60)
        handler.send_bytes(200, body["data"], "image/png")

    return behave


def until_asked(api: ImagesApi, calls: int, fetches: int) -> None:
    """Wait for so many requests; the build under way makes them."""
    ends = time.monotonic() + 60
    while len(api.calls) < calls or len(api.fetches) < fetches:
        assert time.monotonic() < ends, (api.calls, api.fetches)
        time.sleep(0.01)


def test_images_are_asked_for_while_others_are_fetched_and_never_more_at_once(project: Project, api: ImagesApi) -> None:
    go, full = threading.Event(), threading.Barrier(2)
    under_way: list[int] = [0, 0]
    """Calls: now, and the most there were."""

    def counted(handler: Handler, body: dict[str, Any]) -> None:
        with api.lock:
            under_way[0] += 1
            under_way[1] = max(under_way)
        full.wait(60)  # both are under way: a third, if there is one, comes before they have ended
        assert not api.closed.wait(0.3)
        with api.lock:
            under_way[0] -= 1
        by_url(handler, body)

    prompts = write_page(project, 8)
    api.default = counted
    api.fetch_script = [held_until(go)] * 8
    project.options["concurrency"] = 2
    build = project.start("build", "--strict")
    until_asked(api, calls=4, fetches=4)
    assert project.originals == []
    assert not go.wait(1)
    assert len(api.calls) == 4, "what is paid for and not saved stays within bounds"
    go.set()
    output, _ = build.communicate(timeout=60)
    assert build.returncode == 0, output
    assert sorted(api.prompts) == sorted(prompts)
    assert under_way == [0, 2]


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM], ids=lambda how: how.name)
def test_what_waited_for_its_turn_when_a_build_was_ended_is_not_bought(
    project: Project, api: ImagesApi, how: signal.Signals
) -> None:
    never = threading.Event()
    prompts = write_page(project, 8)
    api.by_prompt = {prompt: [hang] for prompt in prompts[2:4]}
    api.fetch_script = [held_until(never)] * 2
    project.options["concurrency"] = 2
    build = project.start("build")
    until_asked(api, calls=4, fetches=2)
    assert end(build, how) < 10  # half of `timeout`
    never.set()  # whoever is still there to hear it would go on
    assert sorted(api.prompts) == prompts[:4]
    built = project.build("--strict")
    assert built.code == 0, built.output
    assert sorted(api.prompts) == sorted([*prompts, *prompts[2:4]]), "what was answered is fetched, not bought again"


def test_a_job_that_waits_for_its_turn_can_be_dropped() -> None:
    begun, go = threading.Event(), threading.Event()
    workers: Workers[str] = Workers(1, "test", aside=1)

    def job(words: str) -> str:
        begun.set()
        go.wait(60)
        return words

    first, second = workers.submit(job, "first"), workers.submit(job, "second")
    assert begun.wait(60)
    workers.drop()
    third = workers.submit(job, "third")
    go.set()
    assert (first.result(60), second.cancelled(), third.result(60)) == ("first", True, "third")
    workers.close()


@pytest.mark.parametrize("answers", [by_url, by_base64], ids=["url", "base64"])
def test_random_kills_cost_no_more_than_what_was_in_flight(
    project: Project, api: ImagesApi, answers: Behaviour
) -> None:
    """The long form is `benchmarks/kill_builds.py`."""
    dice = random.Random(3)
    prompts = write_page(project, 20)

    def slowly(handler: Handler, body: dict[str, Any]) -> None:
        api.closed.wait(dice.uniform(0.02, 0.2))
        answers(handler, body)

    api.default = slowly
    in_flight = 0
    for _ in range(3):
        before = len(api.calls)
        build = project.start("build")
        wanted = before + dice.randint(1, 6)
        ends = time.monotonic() + 60
        while len(api.calls) < wanted and build.poll() is None:
            assert time.monotonic() < ends
            time.sleep(0.005)
        end(build, signal.SIGKILL)
        in_flight += project.options.get("concurrency", 4)
    built = project.build("--strict")
    assert built.code == 0, built.output
    assert set(api.prompts) == set(prompts)
    assert len(api.calls) <= 20 + in_flight
    assert len([name for name in project.originals if not name.endswith(".part")]) == 40
