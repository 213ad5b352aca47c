"""`mkdocs serve`: writing is never blocked, images come when they are there, and then it is quiet."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.request import urlopen

import pytest

from tests.conftest import Project, require_posix
from tests.helpers.api import ImagesApi, by_prompt, by_url, error, waits_for
from tests.helpers.pages import elements

PATIENCE = 20.0
"""Seconds after which something that should have happened will not."""
QUIET = 3.0
"""Seconds without a line of output; rebuilds follow a change within one, and arrivals are told within two."""
ASKED_AFTER = 3.0
"""Seconds for which a new prompt has to stay as it is."""


class Server:
    """A running `mkdocs serve`, and what it has printed."""

    def __init__(self, process: subprocess.Popen[str], port: int) -> None:
        self.process = process
        self.lines: list[str] = []
        self.last_line = time.monotonic()
        self._origin = f"http://127.0.0.1:{port}"
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    @property
    def output(self) -> str:
        return "".join(self.lines)

    @property
    def builds(self) -> int:
        return sum("Building documentation" in line for line in self.lines)

    def get(self, path: str = "/") -> bytes:
        with urlopen(self._origin + path, timeout=PATIENCE) as response:
            body: bytes = response.read()
            return body

    def page(self, path: str = "/") -> str:
        """Return a page; empty while nobody answers yet."""
        try:
            return self.get(path).decode()
        except OSError:
            return ""

    def image(self) -> str:
        """Return the address of the first page's image."""
        return next((element.attributes["src"] or "" for element in elements(self.page(), "img")), "")

    def shown(self) -> bytes:
        """Return the first page's image: a placeholder has the address of what comes in its place."""
        address = self.image()
        try:
            return self.get(f"/{address}") if address else b""
        except OSError:
            return b""

    def wait_until(self, condition: Callable[[], object]) -> None:
        deadline = time.monotonic() + PATIENCE
        while not condition():
            assert time.monotonic() < deadline, self.output
            assert self.process.poll() is None, self.output
            time.sleep(0.05)

    def wait_until_quiet(self, seconds: float = QUIET) -> None:
        self.wait_until(lambda: time.monotonic() - self.last_line > seconds)

    def end(self) -> int:
        """Press Ctrl-C and return the exit code."""
        require_posix("signals")
        self.process.send_signal(signal.SIGINT)
        code = self.process.wait(5)
        self._reader.join(5)
        return code

    def _read(self) -> None:
        assert self.process.stdout
        for line in self.process.stdout:
            self.lines.append(line)
            self.last_line = time.monotonic()


@contextmanager
def serving(project: Project, *arguments: str) -> Iterator[Server]:
    project.config["site_url"] = None
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    with project.start("serve", "-a", f"127.0.0.1:{port}", *arguments) as process:
        try:
            yield Server(process, port)
        finally:
            process.kill()


def write(project: Project, prompts: str | dict[str, str], words: str = "Words") -> None:
    project.page("index.md", f"# Home\n\n{words}.\n\n![A tower](qhaigc:hero)\n", qhaigc=prompts)


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
                project.environment.pop("QHAIGC_API_KEY")
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
        ("refused", [2, 2], "refuses this prompt"),
        ("wrong key", [1, 2], "Check the key"),
        ("used-up quota", [1, 3], "Check the key and the account"),
        ("no key", [0, 0], "QHAIGC_API_KEY is not set"),
        ("budget of 1", [1, 2], "raise `max_new_images`"),
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


def test_ctrl_c_ends_serve_with_an_image_under_way(project: Project, api: ImagesApi) -> None:
    never = threading.Event()
    api.default = waits_for(never, by_url)
    write(project, "A lighthouse in fog")
    with serving(project) as server:
        server.wait_until(server.image)
        assert api.called.wait(PATIENCE)
        started = time.monotonic()
        server.end()
        assert time.monotonic() - started < 5
        assert "Traceback" not in server.output
    never.set()
