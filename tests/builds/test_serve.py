"""`mkdocs serve`: writing is never blocked, images come when they are there, and then it is quiet."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.conftest import Project
from tests.helpers.api import ImagesApi, by_prompt, by_url, draw, error, waits_for
from tests.helpers.serving import PATIENCE, QUIET, Server, serving

ASKED_AFTER = 3.0
"""Seconds for which a new prompt has to stay as it is."""


def write(project: Project, prompts: str | dict[str, str], words: str = "Words") -> None:
    project.page("index.md", f"# Home\n\n{words}.\n\n![A tower](qhaigc:hero)\n", qhaigc=prompts)


@pytest.mark.slow
def test_serve_shows_placeholders_at_once_and_images_when_they_arrive(project: Project, api: ImagesApi) -> None:
    first, second = threading.Event(), threading.Event()
    api.script = [waits_for(first), waits_for(second)]
    write(project, "A lighthouse in fog")
    with serving(project) as server:
        server.wait_until(server.shown)
        address, placeholder = server.image(), server.shown()
        assert project.originals == []
        first.set()
        server.wait_until(lambda: server.shown() not in (b"", placeholder))
        assert server.image() == address
        assert len(project.originals) == 2

        write(project, "A lighthouse in rain", "Other words")
        server.wait_until(lambda: "Other words." in server.page())
        next_placeholder = server.shown()
        assert next_placeholder == placeholder
        second.set()
        server.wait_until(lambda: server.shown() not in (b"", next_placeholder))
        last_image = server.image()

        server.wait_until_quiet()
        assert server.builds <= 5, server.output
        assert "Traceback" not in server.output
        assert server.end() == 0
    assert api.prompts == ["A lighthouse in fog", "A lighthouse in rain"]
    built = project.build("--strict")
    assert [f"assets/qhaigc/{name}" for name in built.images()] == [last_image]
    assert len(api.calls) == 2


@pytest.mark.slow
def test_serve_generates_an_image_added_later(project: Project, api: ImagesApi) -> None:
    write(project, "A lighthouse in fog")
    project.build("--strict")
    with serving(project) as server:
        server.wait_until(server.image)
        first = server.image()
        assert len(api.calls) == 1
        write(project, "A lighthouse in rain")
        server.wait_until(lambda: len(project.originals) == 4)
        (name,) = project.build("--strict", site="beside").images()
        server.wait_until(lambda: server.image() == f"assets/qhaigc/{name}")
        assert server.end() == 0, server.output
    assert first != f"assets/qhaigc/{name}"
    assert len(api.calls) == 2


PROMPTS_ELSEWHERE = """import json, pathlib
def on_page_markdown(markdown, page, config, **_):
    page.meta["qhaigc"] = (pathlib.Path(config.config_file_path).parent / "prompts/hero.txt").read_text()
"""
SLOW = """import threading
def on_env(env, **_):
    threading.Event().wait(4)
    return env
"""


@pytest.mark.slow
def test_serve_requests_a_prompt_once_editing_has_paused(tmp_path: Path) -> None:
    """Editors save after each pause; each state of a prompt would be an image of its own. Sites of several kinds."""
    prompt = "A lighthouse at the end of a pier"
    hooks = {"slow builds": SLOW, "prompts in a watched folder": PROMPTS_ELSEWHERE}
    with ExitStack() as stack:
        running: dict[str, tuple[Project, ImagesApi, Server]] = {}

        def type_(text: str) -> None:
            for how, (project, _, _) in running.items():
                if how == "prompts in a watched folder":
                    project.write("prompts/hero.txt", text)
                else:
                    write(project, text)

        for how in ("as usual", "slow builds", "a file of a later time", "prompts in a watched folder"):
            api = stack.enter_context(ImagesApi())
            project = Project(tmp_path / how.replace(" ", "-"), api.base_url)
            write(project, "A lighthouse")
            if how in hooks:
                project.write("hook.py", hooks[how])
                project.config["hooks"] = ["hook.py"]
            if how == "prompts in a watched folder":
                project.page("index.md", "![A tower](qhaigc:hero)\n")
                project.write("prompts/hero.txt", "A lighthouse")
                project.config["watch"] = ["prompts"]
            if how == "a file of a later time":
                os.utime(project.write("docs/later.txt", "unpacked by a clock that is fast"), (2**31, 2**31))
            running[how] = project, api, stack.enter_context(serving(project))
        for project, _, server in running.values():
            server.wait_until(lambda project=project: len(project.originals) == 2)  # type: ignore[misc]
            server.wait_until_quiet()
        for end in (15, 18, 21, 24, 27, 30, len(prompt)):
            type_(prompt[:end])
            time.sleep(1)  # between two saves
        for how, (project, api, server) in running.items():
            server.wait_until(lambda project=project: len(project.originals) == 4)  # type: ignore[misc]
            assert server.end() == 0, server.output
            assert api.prompts == ["A lighthouse", prompt], how


COPIED = """import shutil, tempfile
def on_config(config):
    copy = tempfile.mkdtemp(dir=config.docs_dir + "/..")
    shutil.copytree(config.docs_dir, copy, copy_function=shutil.copy, dirs_exist_ok=True)
    config.docs_dir = copy
on_config.mkdocs_priority = 100
"""


@pytest.mark.slow
def test_serve_has_one_budget_for_docs_copied_for_each_build(project: Project, api: ImagesApi) -> None:
    """What shows an image that has arrived is no edit, though every file is new."""
    project.write("hook.py", COPIED)
    project.config["hooks"] = ["hook.py"]
    project.options |= {"max_new_images": 1, "concurrency": 1}
    write(project, {"hero": "fog", "second": "rain", "third": "snow"})
    with serving(project) as server:
        server.wait_until(lambda: len(project.originals) == 2)
        server.wait_until_quiet(2 * QUIET + ASKED_AFTER)
        assert server.end() == 0, server.output
    assert len(api.calls) == 1


@dataclass
class Session:
    """What one `mkdocs serve` did: when left alone, and after one edit of the page's words."""

    calls: list[int]
    builds: list[int]
    warnings: list[str]
    output: str


@pytest.fixture(scope="module")
def sessions(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Session]]:
    """Several servers that run side by side, for most of the time is spent in waiting for nothing to happen."""
    troubles = {
        "refused": error(400, "content_policy_violation"),
        "wrong key": error(401, "invalid_api_key"),
        "used-up quota": by_prompt({"fog": [error(429, "insufficient_quota"), by_url], "dusk": [by_url]}),
        "no key": by_url,
        "budget of 1": by_url,
    }
    with ExitStack() as stack:
        running: dict[str, tuple[Project, ImagesApi, Server]] = {}
        for name, behaviour in troubles.items():
            api = stack.enter_context(ImagesApi(behaviour))
            project = Project(tmp_path_factory.mktemp("serve") / "project", api.base_url)
            project.options["concurrency"] = 1
            if name == "no key":
                project.take_key()
            if name == "budget of 1":
                project.options["max_new_images"] = 1
            write(project, {"hero": "fog", "second": "dusk"})
            running[name] = project, api, stack.enter_context(serving(project))
        done = {name: Session([], [], [], "") for name in troubles}
        for words in ("Words", "Other words"):
            for project, _, _ in running.values():
                write(project, {"hero": "fog", "second": "dusk"}, words)
            for name, (_, api, server) in running.items():
                server.wait_until(lambda server=server, words=words: f"{words}." in server.page())  # type: ignore[misc]
                server.wait_until_quiet(QUIET + ASKED_AFTER)
                done[name].calls.append(len(api.calls))
                done[name].builds.append(server.builds)
        for name, (_, _, server) in running.items():
            assert server.end() == 0, server.output
            done[name].output = server.output
            done[name].warnings = [line for line in server.lines if line.startswith("WARNING")]
        yield done


@pytest.mark.slow
@pytest.mark.parametrize(
    ("trouble", "calls", "words"),
    [
        ("refused", [2, 2], "refused this prompt"),
        ("wrong key", [1, 2], "Check the key"),
        ("used-up quota", [1, 3], "Check the key and the account"),
        ("no key", [0, 0], "QHAIGC_API_KEY is not set"),
        ("budget of 1", [1, 1], "raise `max_new_images`"),
    ],
)
def test_serve_warns_once_of_images_that_cannot_be_generated(
    sessions: dict[str, Session], trouble: str, calls: list[int], words: str
) -> None:
    session = sessions[trouble]
    assert session.calls == calls, session.output
    assert any(words in line for line in session.warnings), session.output
    assert session.builds[0] <= 3, session.output
    assert session.builds[1] <= session.builds[0] + 2, session.output
    assert "Traceback" not in session.output


@pytest.mark.slow
def test_ctrl_c_ends_serve_with_an_image_under_way(project: Project, api: ImagesApi) -> None:
    never = threading.Event()
    api.default = waits_for(never, by_url)
    write(project, "A lighthouse in fog")
    with serving(project) as server:
        server.wait_until(server.image)
        assert api.called.wait(PATIENCE)
        started = time.monotonic()
        server.end()
        assert time.monotonic() - started < 10  # half of `timeout`
        assert "Traceback" not in server.output
    never.set()


@pytest.mark.slow
def test_serve_builds_again_when_a_reference_image_beside_mkdocs_yml_has_changed(
    project: Project, api: ImagesApi
) -> None:
    project.options |= {"references_by": "json"}
    hero = {"prompt": "A fox", "alt": "A fox", "references": "fox.png"}
    project.write("fox.png", draw("fox", 32, 32))
    project.page("index.md", "# Home\n\n![A fox](qhaigc:hero)\n", qhaigc={"hero": hero})
    with serving(project) as server:
        server.wait_until(lambda: len(project.originals) == 2)
        server.wait_until_quiet()
        project.write("fox.png", draw("another fox", 32, 32))
        server.wait_until(lambda: len(project.originals) == 4)
        server.wait_until_quiet()  # a build that shows what has arrived has no budget of its own

        second = {"prompt": "A bear", "alt": "A bear", "references": "bear.png"}
        project.write("bear.png", draw("bear", 32, 32))
        project.page("bear.md", "![A bear](qhaigc:hero)\n", qhaigc={"hero": second})
        server.wait_until(lambda: len(project.originals) == 6)
        server.wait_until_quiet()
        project.write("bear.png", draw("another bear", 32, 32))
        server.wait_until(lambda: len(project.originals) == 8)
        assert server.end() == 0, server.output
    assert api.prompts == ["A fox", "A fox", "A bear", "A bear"]


@pytest.mark.slow
def test_serve_does_not_build_again_for_its_own_cache_in_a_folder_that_the_site_watches(
    project: Project, api: ImagesApi
) -> None:
    project.config["watch"] = ["."]
    project.write("snippets/part.md", "One\n")
    write(project, "A lighthouse in fog")
    with serving(project) as server:
        server.wait_until(lambda: server.builds == 2)  # the second one shows what has arrived
        server.wait_until_quiet()
        assert server.builds == 2, server.output
        project.write("snippets/part.md", "Two\n")
        server.wait_until(lambda: server.builds == 3)
        server.wait_until_quiet()
        assert server.builds == 3, server.output
    assert len(api.calls) == 1
