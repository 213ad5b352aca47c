"""What tests of whole builds share: a documentation project in a temporary folder, and an Images API to buy from."""

from __future__ import annotations

import atexit
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import hypothesis
import pytest

from tests.helpers.api import KEY, ImagesApi
from tests.helpers.engines import COLUMNS, table
from tests.helpers.in_process import run_mkdocs

if TYPE_CHECKING:
    from _pytest.terminal import TerminalReporter
    from playwright.sync_api import Browser

if os.environ.pop("PYTHONDONTWRITEBYTECODE", None) and "PYTHONPYCACHEPREFIX" not in os.environ:
    # each process that a test starts would compile every module anew; workers find the folder in their environment
    os.environ["PYTHONPYCACHEPREFIX"] = tempfile.mkdtemp(prefix="qhaigc-compiled-")
    atexit.register(shutil.rmtree, os.environ["PYTHONPYCACHEPREFIX"], ignore_errors=True)

for profile, derandomize in (("suite", True), ("random", False)):  # `--hypothesis-profile=random`: other examples
    hypothesis.settings.register_profile(
        profile,
        derandomize=derandomize,
        deadline=None,  # how long an example takes says how busy the machine is
        suppress_health_check=[hypothesis.HealthCheck.too_slow],
    )
hypothesis.settings.load_profile("suite")

SYNCED = "docs/assets/qhaigc/.qhaigc.json"
"""What `sync` writes beside the images."""
SMALL = "96x54"
"""A size that draws quickly."""


@dataclass(frozen=True)
class Built:
    """What a build left behind."""

    code: int
    output: str
    """Everything it printed."""
    site: Path

    def html(self, path: str = "index.html") -> str:
        return (self.site / path).read_text(encoding="utf-8")

    def images(self) -> list[str]:
        """Names of the image files in the site."""
        return sorted(p.name for p in (self.site / "assets/qhaigc").glob("*") if p.suffix != ".css")

    def digest(self) -> dict[str, str]:
        """sha256 of every file of the site."""
        return {
            str(path.relative_to(self.site)): hashlib.sha256(path.read_bytes()).hexdigest()
            for path in sorted(self.site.rglob("*"))
            if path.is_file()
        }

    @property
    def warnings(self) -> list[str]:
        return [line for line in self.output.splitlines() if line.startswith("WARNING")]

    @property
    def summary(self) -> str:
        """What the one line about the build's images counts; empty where there is none."""
        found = re.search(r"^INFO .*qhaigc: \d+ images?[^:\n]*: (.*)", self.output, re.MULTILINE)
        return found[1] if found else ""


class Project:
    """A documentation project that a test writes and builds."""

    def __init__(self, folder: Path, base_url: str) -> None:
        self.folder = folder
        self.options: dict[str, Any] = {"base_url": base_url, "size": SMALL, "widths": [], "timeout": 20}
        self.options["models"] = {"qh-draw-x2-preview": {"sizes": {"max_side": 16383}}}  # else SMALL is warned of
        self.config: dict[str, Any] = {
            "site_name": "Test",
            "site_url": "https://example.com/docs/",
            "theme": {"name": "mkdocs", "highlightjs": False},
        }
        self.environment: dict[str, str] = {
            "QHAIGC_API_KEY": KEY,
            "NO_MKDOCS_2_WARNING": "1",
            "SOURCE_DATE_EPOCH": "1700000000",  # the date that MkDocs writes into pages
        }
        self.engine = "mkdocs"
        """The module that builds it."""
        self.python = sys.executable
        """The Python that runs it."""
        self.own_process = os.environ.get("QHAIGC_TEST_PROCESSES") == "1"
        """Whether each build and each command gets a process of its own: for hooks that change or look at what all
        modules share. Other engines than MkDocs, another Python and one with settings of its own always get one."""
        self.config_file = "mkdocs.yml"
        self.ours_last = False
        """Whether mkdocs.yml lists our plugin behind the others, and not before them."""
        self.yaml: str | None = None
        """The whole of the configuration, for what JSON cannot say; `config` and `options` then mean nothing."""
        self.docs = folder / "docs"
        self.docs.mkdir(parents=True)

    def take_key(self) -> None:
        """Let nothing be bought for want of a key: a server of this machine would need none."""
        self.environment["QHAIGC_API_KEY"] = ""
        self.options["base_url"] = "https://api.invalid/v1"

    @property
    def within_process(self) -> bool:
        """Whether this process may run what is asked for."""
        settings = any(name.startswith("PYTHON") for name in self.environment)
        return not self.own_process and not settings and self.python == sys.executable

    @property
    def cache(self) -> Path:
        return self.folder / ".qhaigc"

    @property
    def originals(self) -> list[str]:
        """Names of the saved images and records."""
        return sorted(p.name for p in (self.cache / "originals").glob("*") if p.is_file())

    def page(self, path: str, body: str = "", **front: Any) -> Path:
        """Write a page; keywords are its front matter."""
        head = f"---\n{json.dumps(front, ensure_ascii=False)}\n---\n" if front else ""
        return self.write(f"docs/{path}", head + body)

    def write(self, path: str, content: str | bytes) -> Path:
        """Write any file of the project, its bytes as they are given."""
        file = self.folder / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content.encode() if isinstance(content, str) else content)
        return file

    def write_config(self) -> Path:
        plugins: list[Any] = list(self.config.get("plugins", ["search"]))
        plugins.insert(len(plugins) if self.ours_last else 0, {"qhaigc": self.options})
        config = json.dumps({**self.config, "plugins": plugins}, ensure_ascii=False)
        return self.write(self.config_file, self.yaml or config)

    def environ(self) -> dict[str, str]:
        inherited = {
            k: v for k, v in os.environ.items() if not k.upper().endswith("_PROXY") and not k.startswith("SSL")
        }
        for name in ("QHAIGC_API_KEY", "QHAIGC_BASE_URL"):
            inherited.pop(name, None)
        return {**inherited, **self.environment}

    def command(self, *arguments: str) -> list[str]:
        return [self.python, "-m", self.engine, arguments[0], "-f", str(self.write_config()), *arguments[1:]]

    def build(self, *arguments: str, site: str = "site") -> Built:
        folder = self.folder / site
        if self.engine == "zensical":
            return self._build_with_zensical(*arguments, site=folder)
        command = [*self.command("build"), "-d", str(folder), *arguments]
        if self.within_process and self.engine == "mkdocs":
            finished = run_mkdocs(command[3:], folder=self.folder, environment=self.environ())
        else:
            finished = subprocess.run(
                command,
                capture_output=True,
                text=True,
                encoding="utf-8",
                env=self.environ(),
                timeout=120,
                check=False,
            )
        return Built(finished.returncode, finished.stdout + finished.stderr, folder)

    def write_zensical_config(self, site: str = "site") -> Path:
        """Write the site's configuration for Zensical, in the form of an mkdocs.yml."""
        extensions = [*self.config.get("markdown_extensions", []), "mkdocs_qhaigc.markdown"]
        extra_css = [*self.config.get("extra_css", []), "assets/qhaigc/qhaigc.css"]
        lists = {"markdown_extensions": extensions, "extra_css": extra_css, "watch": [SYNCED]}
        plugins: list[Any] = [{"qhaigc": self.options}, *self.config.get("plugins", [])]
        config = {**self.config, **lists, "plugins": plugins, "site_dir": site}
        return self.write("zensical.yml", json.dumps(config, ensure_ascii=False))

    def _build_with_zensical(self, *arguments: str, site: Path) -> Built:
        """Sync and build. What the two printed is the output; the code is that of the first that failed."""
        config = str(self.write_zensical_config(site.name))
        output = ""
        for command in (
            [str(Path(sys.executable).with_name("mkdocs-qhaigc")), "sync", "-f", config],
            [sys.executable, "-m", "zensical", "build", "-f", config, *arguments],
        ):
            finished = subprocess.run(
                command,
                cwd=self.folder,
                capture_output=True,
                text=True,
                encoding="utf-8",
                env=self.environ(),
                timeout=120,
                check=False,
            )
            output += finished.stdout + finished.stderr
            if finished.returncode:
                break
        return Built(finished.returncode, output, site)

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        """Start an MkDocs command and return its process."""
        return subprocess.Popen(
            self.command(*arguments),
            cwd=self.folder,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            encoding="utf-8",
            env=self.environ(),
        )


def require_posix(what: str) -> None:
    """Skip a test on Windows, which lacks this."""
    if os.name == "nt":
        pytest.skip(f"Windows lacks {what}")


Machine = Callable[[str], Project]
"""Makes a machine of a team by its name."""


@pytest.fixture
def api() -> Iterator[ImagesApi]:
    with ImagesApi() as server:
        yield server


@pytest.fixture
def project(tmp_path: Path, api: ImagesApi, request: pytest.FixtureRequest) -> Project:
    """A project that buys from `api`."""
    made = Project(tmp_path / "project", api.base_url)
    if "compat" in request.path.parts:  # some plugins change MkDocs itself, for the rest of the process
        made.own_process = True
    return made


@pytest.fixture
def team(tmp_path: Path) -> Path:
    """The folder of a shared store."""
    folder = tmp_path / "team"
    folder.mkdir()
    return folder


@pytest.fixture
def machine(tmp_path: Path, api: ImagesApi, team: Path) -> Machine:
    """Return a function that makes a machine: its own copy of one site, its own cache, and the store `team`."""

    def make(name: str) -> Project:
        project = Project(tmp_path / name, api.base_url)
        project.options["shared"] = f"file://{team}"
        directives = {name: {"prompt": prompt, "alt": name} for name, prompt in (("a", "first"), ("b", "second"))}
        project.page("index.md", "![A](qhaigc:a) ![B](qhaigc:b)", qhaigc=directives)
        return project

    return make


@pytest.fixture
def column(request: pytest.FixtureRequest, project: Project, record_property: Callable[[str, object], None]) -> str:
    """The engine and the theme that `beside` chose: `project` is built with them."""
    row, name, cell = request.param
    record_property("cell", [row, name, cell])
    project.engine = COLUMNS[name].engine
    project.config["theme"] = dict(COLUMNS[name].theme)
    return str(name)


def pytest_terminal_summary(terminalreporter: TerminalReporter) -> None:
    """Print the table of what works where, as far as it was run."""
    cells: dict[tuple[str, str], str] = {}
    for outcome in ("passed", "failed"):
        for report in terminalreporter.stats.get(outcome, []):
            for row, name, cell in (value for key, value in report.user_properties if key == "cell"):
                if outcome == "failed":
                    cells[row, name] = "FAILED"
                elif cells.get((row, name), "yes") == "yes":
                    cells[row, name] = cell
    if cells:
        terminalreporter.section("what works where")
        terminalreporter.write_line(table(cells.items()))


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """The Chromium that is installed; for tests marked `browser`."""
    from playwright.sync_api import sync_playwright

    names = ("chromium", "chromium-browser", "google-chrome")
    path = next(filter(None, map(shutil.which, names)), None)  # None: the one that playwright installed
    rights = ["--no-sandbox"] if hasattr(os, "geteuid") and os.geteuid() == 0 else []
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=path, args=rights)
        yield chromium
        chromium.close()
