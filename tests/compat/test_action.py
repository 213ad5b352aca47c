"""The composite action of action.yml: its shell steps are run as GitHub runs them, against a server with its API."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import yaml

from tests.conftest import Project, require_posix
from tests.helpers.api import KEY, ImagesApi

pytestmark = pytest.mark.compatibility

ROOT = Path(__file__).parents[2]
ACTION: dict[str, Any] = yaml.safe_load((ROOT / "action.yml").read_text(encoding="utf-8"))
STEPS: list[dict[str, Any]] = ACTION["runs"]["steps"]
MARK = "<!-- mkdocs-qhaigc -->"


class Comments(ThreadingHTTPServer):
    """GitHub's API of the comments on pull request 7."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), CommentHandler)
        self.comments: list[dict[str, Any]] = []
        self.writable = True
        self.writes: list[str] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"

    def add(self, login: str, body: str) -> dict[str, Any]:
        self.comments.append({"id": 100 + len(self.comments), "user": {"login": login}, "body": body})
        return self.comments[-1]


class CommentHandler(BaseHTTPRequestHandler):
    server: Comments

    def log_message(self, format: str, *args: Any) -> None:
        pass

    def answer(self, status: int, content: Any) -> None:
        self.send_response(status)
        self.end_headers()
        self.wfile.write(json.dumps(content).encode())

    def do_GET(self) -> None:
        url = urlsplit(self.path)
        assert url.path == "/repos/owner/site/issues/7/comments"
        page, size = (int(parse_qs(url.query)[name][0]) for name in ("page", "per_page"))
        self.answer(200, self.server.comments[(page - 1) * size : page * size])

    def write(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))["body"]
        assert self.headers["Authorization"] == "Bearer workflow-token"
        if not self.server.writable:
            self.answer(403, {"message": "Resource not accessible by integration"})
            return
        self.server.writes.append(self.command)
        if self.command == "POST":
            assert self.path == "/repos/owner/site/issues/7/comments"
            self.answer(201, self.server.add("github-actions[bot]", body))
            return
        number = int(self.path.removeprefix("/repos/owner/site/issues/comments/"))
        (comment,) = (one for one in self.server.comments if one["id"] == number)
        comment["body"] = body
        self.answer(200, comment)

    def do_POST(self) -> None:
        self.write()

    def do_PATCH(self) -> None:
        self.write()


@pytest.fixture
def comments() -> Iterator[Comments]:
    server = Comments()
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


@dataclass
class Run:
    """One run of the action."""

    folder: Path
    comments: Comments
    event: str
    inputs: dict[str, str]
    environment: dict[str, str]
    said: str = ""
    code: int = 0
    """Exit code of the first step that failed."""
    cached: list[tuple[str, str, str]] = field(default_factory=list)
    """Which cache action, path and key of each step that uses one and is reached."""

    @property
    def summary(self) -> str:
        return (self.folder.parent / "summary.md").read_text(encoding="utf-8")

    def value(self, name: str) -> str:
        contexts: dict[str, str] = {
            "github.event_name": self.event,
            "github.event.pull_request.number": "7" if self.event.startswith("pull_request") else "",
            "github.token": "workflow-token",
            "github.run_id": "4711",
            "github.run_attempt": "1",
            "github.job": "images",
        }
        kind, _, rest = name.partition(".")
        if kind == "inputs":
            return self.inputs.get(rest, str(ACTION["inputs"][rest]["default"]))
        return self.environment.get(rest, "") if kind == "env" else contexts[name]

    def evaluate(self, expression: str) -> Any:
        """Value of one of the expressions that the action is written in."""
        python = expression.replace("&&", " and ").replace("||", " or ").replace("!", " not ")
        python = re.sub(r"\b(?:inputs|github|env)\.[\w.-]+", lambda match: repr(self.value(match[0])), python)
        functions = {"always": lambda: True, "startsWith": lambda text, start: text.startswith(start)}
        return eval(python.strip(), {"__builtins__": {}}, functions)

    def filled(self, text: str) -> str:
        return re.sub(r"\$\{\{ (.*?) \}\}", lambda match: str(self.evaluate(match[1])), text)

    def step(self, step: dict[str, Any]) -> None:
        condition = step.get("if", "'always'")
        if (self.code and "always()" not in condition) or not self.evaluate(condition):
            return
        if "uses" in step:
            settings = {name: self.filled(value) for name, value in step["with"].items()}
            self.cached.append((step["uses"].partition("@")[0], settings["path"], settings["key"]))
            return
        assert step["shell"] == "bash"
        assert "${{" not in step["run"]  # what others write reaches the shell as variables alone
        finished = subprocess.run(
            ["bash", "--noprofile", "--norc", "-e", "-o", "pipefail", "-c", step["run"]],
            cwd=self.folder,
            env={**self.environment, **{name: self.filled(value) for name, value in step.get("env", {}).items()}},
            capture_output=True,
            text=True,
            encoding="utf-8",
            timeout=120,
            check=False,
        )
        self.said += finished.stdout + finished.stderr
        self.code = self.code or finished.returncode


def run(project: Project, comments: Comments, event: str, *, key: str = "", **inputs: str) -> Run:
    """Run the action's steps in a project, as on GitHub's Linux machines."""
    require_posix("a shell as the action is written for")
    environment = {name: value for name, value in project.environ().items() if not name.startswith("QHAIGC")}
    environment |= {
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{environment['PATH']}",
        "RUNNER_TEMP": str(project.folder.parent),
        "GITHUB_STEP_SUMMARY": str(project.folder.parent / "summary.md"),
        "GITHUB_ACTION_PATH": str(ROOT),
        "GITHUB_API_URL": comments.url,
        "GITHUB_REPOSITORY": "owner/site",
    }
    given = {name.replace("_", "-"): value for name, value in inputs.items()}
    given |= {"api-key": key} if key else {}
    one = Run(project.folder, comments, event, given, environment)
    for step in STEPS:
        one.step(step)
    return one


@pytest.fixture
def site(project: Project) -> Project:
    project.write_config()
    project.page("index.md", "# Home\n\n![A tower](qhaigc:hero)\n", qhaigc="A lighthouse in fog")
    return project


def test_a_pull_request_gets_one_comment_that_is_kept_up_to_date(
    site: Project, api: ImagesApi, comments: Comments
) -> None:
    for number in range(120):  # more than one page of them
        comments.add("someone", f"{MARK} {number}")
    first = run(site, comments, "pull_request")
    assert first.code == 1, first.said
    assert "its image is missing" in first.said
    assert "To buy: 1 by qh-draw-x2-preview" in first.summary
    site.page("other.md", "![A boat](qhaigc:hero)\n", qhaigc="A boat")
    run(site, comments, "pull_request")
    assert comments.writes == ["POST", "PATCH"]
    (comment,) = (one["body"] for one in comments.comments if one["user"]["login"] == "github-actions[bot]")
    assert comment.startswith(f"{MARK}\n**2 images: 2 missing. To buy: 2")
    assert [one["body"] for one in comments.comments[:120]] == [f"{MARK} {number}" for number in range(120)]
    assert api.calls == []


def test_a_token_that_may_not_comment_is_no_error(site: Project, comments: Comments) -> None:
    comments.writable = False
    forked = run(site, comments, "pull_request", run="generate")
    assert forked.code == 0, forked.said
    assert "::notice::mkdocs-qhaigc: no comment" in forked.said
    assert "index.md#hero" in forked.summary


def test_generate_buys_on_pushes_alone_and_keeps_what_it_bought(
    site: Project, api: ImagesApi, comments: Comments
) -> None:
    for event in ("pull_request", "pull_request_target"):
        looked = run(site, comments, event, key=KEY, run="generate", comment="false")
        assert looked.code == 0, looked.said
        assert looked.cached == [("actions/cache/restore", ".qhaigc", "qhaigc-mkdocs.yml-4711-1-images")]
    assert api.calls == []
    assert comments.writes == []
    pushed = run(site, comments, "push", key=KEY, run="generate")
    assert pushed.code == 0, pushed.said
    assert len(api.calls) == 1
    assert pushed.cached == [
        ("actions/cache/restore", ".qhaigc", "qhaigc-mkdocs.yml-4711-1-images"),
        ("actions/cache/save", ".qhaigc", "qhaigc-mkdocs.yml-4711-1-images"),
    ]
    assert (site.folder / ".qhaigc/originals").is_dir()
    assert run(site, comments, "push", run="generate").code == 0  # nothing to buy needs no key
    assert run(site, comments, "push").code == 0
    shutil.rmtree(site.folder / ".qhaigc")
    site.take_key()
    site.write_config()
    failed = run(site, comments, "push", run="generate")
    assert failed.code == 1
    assert "QHAIGC_API_KEY is not set" in failed.said
    assert failed.cached[-1][0] == "actions/cache/save"  # also what a failed run bought is kept
    assert len(api.calls) == 1


def test_generate_buys_no_more_than_it_may(site: Project, api: ImagesApi, comments: Comments) -> None:
    site.page("other.md", "![A boat](qhaigc:hero)\n", qhaigc="A boat")
    run(site, comments, "push", key=KEY, run="generate", max_new="1")
    assert len(api.calls) == 1


def test_a_misspelt_input_says_what_to_write(site: Project, api: ImagesApi, comments: Comments) -> None:
    wrong = run(site, comments, "push", key=KEY, run="generates")
    assert wrong.code == 1
    assert wrong.said.strip() == "::error::mkdocs-qhaigc: the input run is 'generates'. Write check or generate."
    assert wrong.cached == []
    assert api.calls == []


def test_a_long_report_is_cut_between_lines(site: Project, comments: Comments) -> None:
    for number in range(300):
        site.page(f"page-{number}.md", "![A boat](qhaigc:hero)\n", qhaigc=f"{number} {'very ' * 180}long")
    run(site, comments, "pull_request")
    (comment,) = comments.comments
    report = (site.folder.parent / "qhaigc-report.md").read_text(encoding="utf-8")
    assert len(report) > 60_000
    assert len(comment["body"]) < 65_536
    mark, *rows, empty, last = comment["body"].splitlines()
    assert (mark, empty, last) == (MARK, "", "… The whole report is in the summary of the run.")
    assert rows == report.splitlines()[: len(rows)]
