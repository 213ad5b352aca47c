"""ProperDocs, which goes on with MkDocs 1.x: beside MkDocs, and alone in an environment that has no MkDocs."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import threading
from dataclasses import dataclass
from pathlib import Path

import pytest

import mkdocs_qhaigc
from tests.builds.test_serve import write
from tests.conftest import Built, Project
from tests.helpers.api import ImagesApi, disconnect, in_size, waits_for
from tests.helpers.commands import Terminal, answer, run
from tests.helpers.engines import EVERY_MKDOCS, beside
from tests.helpers.pages import Element, broken_urls, elements
from tests.helpers.serving import serving

pytestmark = pytest.mark.compatibility

PACKAGE = Path(mkdocs_qhaigc.__file__).parent
SHOWS_ENGINE = """
from pathlib import Path

from mkdocs.commands import build


def on_config(config):
    Path(config.config_file_path).with_name("engine.txt").write_text(build.__name__)
"""


@dataclass(frozen=True)
class Environment:
    """A virtual environment."""

    python: str
    without_engine: subprocess.CompletedProcess[str]
    """What a command said before an engine was installed."""


@pytest.fixture(scope="module")
def alone(tmp_path_factory: pytest.TempPathFactory) -> Environment:
    """The package as `pip install` makes it, with ProperDocs, its themes and nothing of MkDocs."""
    folder = tmp_path_factory.mktemp("alone")
    python = str(folder / "venv" / ("Scripts" if os.name == "nt" else "bin") / "python")

    def finish(*command: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            command, cwd=folder, capture_output=True, text=True, encoding="utf-8", timeout=300, check=False
        )

    def install(*packages: str) -> None:
        finished = finish(python, "-m", "pip", "install", "--quiet", "--no-compile", *packages)
        assert finished.returncode == 0, finished.stderr

    assert finish(sys.executable, "-m", "venv", "venv").returncode == 0
    (folder / "mkdocs.yml").write_text("site_name: x", encoding="utf-8")
    install(str(PACKAGE.parent))
    without_engine = finish(str(Path(python).with_name("mkdocs-qhaigc")), "plan")
    install(f"{PACKAGE.parent}[properdocs]", "properdocs-theme-readthedocs")
    assert "No module named 'mkdocs'" in finish(python, "-c", "import mkdocs").stderr
    return Environment(python, without_engine)


@pytest.fixture
def proper(project: Project, alone: Environment) -> Project:
    """A project that ProperDocs builds, alone."""
    project.python = alone.python
    project.engine = "properdocs"
    project.config_file = "properdocs.yml"
    return project


def write_site(project: Project) -> None:
    """Write pages that show images in many ways."""
    project.options |= {"widths": [48], "formats": ["avif", "webp"], "images": {"logo": "A badge"}}
    hero = {"prompt": "A tower", "alt": "A tower", "place": "after-title", "caption": "The tower", "dark": "At night"}
    project.page("index.md", "# Home\n\nWords ![x](qhaigc:logo)\n", qhaigc={"hero": hero}, image="qhaigc:hero")
    project.page("guide/a.md", '# A\n\n<img src="qhaigc:fog" alt="Fog" width="40">\n', qhaigc={"fog": "fog"})


def ours(built: Built) -> dict[str, list[Element]]:
    """Return the elements of every page that show images."""
    tags = ("img", "picture", "source", "figure", "figcaption")
    return {
        str(page.relative_to(built.site)): [
            element for element in elements(page.read_text(encoding="utf-8")) if element.tag in tags
        ]
        for page in sorted(built.site.rglob("*.html"))
    }


@beside("no other plugin", *EVERY_MKDOCS)
def test_a_site_is_built_again_with_the_same_bytes_and_no_call(project: Project, api: ImagesApi, column: str) -> None:
    write_site(project)
    cold = project.build("--strict", site="cold")
    assert cold.code == 0, cold.output
    assert cold.summary == "4 generated"
    calls = len(api.calls)
    warm = project.build("--strict", site="warm")
    assert warm.code == 0, warm.output
    assert warm.summary == "4 cached"
    assert cold.digest() == warm.digest()
    assert broken_urls(cold.site) == []
    assert len(api.calls) == calls == 4


@pytest.mark.parametrize("theme", ["mkdocs", "readthedocs"])
def test_alone_it_shows_images_as_mkdocs_does(proper: Project, api: ImagesApi, theme: str) -> None:
    api.default = in_size("80x60", "WEBP")
    proper.config["theme"]["name"] = theme
    write_site(proper)
    cold = proper.build("--strict", site="cold")
    assert cold.code == 0, cold.output
    assert cold.summary == "4 generated"
    warm = proper.build("--strict", site="warm")
    assert warm.code == 0, warm.output
    assert cold.digest() == warm.digest()
    assert broken_urls(cold.site) == []
    assert [len(found) for found in ours(cold).values() if found] == [3, 11]
    proper.engine, proper.python, proper.config_file = "mkdocs", sys.executable, "mkdocs.yml"
    by_mkdocs = proper.build("--strict", site="by-mkdocs")
    assert by_mkdocs.code == 0, by_mkdocs.output
    assert ours(by_mkdocs) == ours(cold)
    assert by_mkdocs.images() == cold.images()
    assert len(api.calls) == 4


def test_alone_its_warnings_are_shown_and_refuse_a_strict_build(proper: Project, api: ImagesApi) -> None:
    proper.options["missing"] = "placeholder"
    proper.page("index.md", "![Fog](qhaigc:hero)\n", qhaigc="fog")
    strict = proper.build("--strict")
    assert strict.code == 1
    assert "Aborted with 1 warnings in strict mode" in strict.output
    lenient = proper.build()
    assert lenient.code == 0, lenient.output
    (warning,) = lenient.warnings
    assert "qhaigc: index.md#hero" in warning
    assert lenient.summary == "1 placeholder"


@pytest.mark.parametrize("config_file", ["properdocs.yml", "mkdocs.yml"])
def test_alone_the_commands_find_the_site_and_work(proper: Project, api: ImagesApi, config_file: str) -> None:
    proper.config_file = config_file
    hero = {"prompt": "A tower", "alt": "A tower"}
    proper.page("index.md", "![](qhaigc:hero)\n", qhaigc={"hero": hero})
    plan = answer(proper, "plan")
    assert [(one["page"], one["name"], one["state"]) for one in plan["images"]] == [("index.md", "hero", "missing")]
    bought = run(proper, "generate", "--yes")
    assert (bought.returncode, bought.stdout) == (0, "1 image generated.\n"), bought.stderr
    assert run(proper, "pin").returncode == 0
    shutil.rmtree(proper.folder / ".qhaigc")
    assert answer(proper, "plan")["images"][0]["state"] == "pinned"
    checked = run(proper, "check")
    assert (checked.returncode, checked.stderr) == (0, "")
    assert run(proper, "gallery").returncode == 0
    assert len(api.calls) == 1


def test_alone_its_server_shows_an_image_that_arrives(proper: Project, api: ImagesApi) -> None:
    drawn = threading.Event()
    api.default = waits_for(drawn)
    write(proper, "A lighthouse in fog")
    with serving(proper) as server:
        server.wait_until(server.shown)
        placeholder = server.shown()
        assert server.studio("api/state").json["engine"] == "properdocs"
        drawn.set()
        server.wait_until(lambda: server.shown() not in (b"", placeholder))
        server.wait_until_quiet()
        assert "Traceback" not in server.output
        assert server.end() == 0
    assert api.prompts == ["A lighthouse in fog"]


def test_without_an_engine_the_commands_say_what_to_install(alone: Environment) -> None:
    said = alone.without_engine
    assert said.returncode == 1
    assert "no engine is installed" in said.stderr
    assert "`pip install 'mkdocs-qhaigc[properdocs]'`" in said.stderr
    assert "Traceback" not in said.stderr


def test_alone_only_the_adapter_and_the_survey_import_it(alone: Environment) -> None:
    modules = [
        ".".join(path.relative_to(PACKAGE.parent).with_suffix("").parts)
        for path in PACKAGE.rglob("*.py")
        if path.parent.name != "mkdocs" and path.stem != "__init__"
    ]
    code = f"import sys, {', '.join(modules)}; print(sorted({{'mkdocs', 'properdocs', 'zensical'}} & set(sys.modules)))"
    finished = subprocess.run([alone.python, "-c", code], capture_output=True, text=True, timeout=60, check=False)
    assert finished.stdout == "[]\n", finished.stderr


@pytest.mark.parametrize("engine", ["mkdocs", "properdocs"])
def test_on_a_terminal_log_lines_pass_above_the_bar(project: Project, api: ImagesApi, engine: str) -> None:
    api.script = [disconnect]
    project.page("index.md", "![Fog](qhaigc:hero)\n", qhaigc="fog")
    command, *arguments = project.command("build")
    terminal = Terminal(project, "-m", engine, *arguments[2:], program=(command,))
    terminal.until("1 generated")
    code, _ = terminal.end()
    assert code == 0
    assert "Generating images" in terminal.seen
    before, line, _ = terminal.seen.partition("INFO    -  qhaigc: the API did not answer")
    assert line
    assert before.endswith(("\n", "\x1b[2K")), repr(before)  # at the beginning of a line, where nothing else is


@pytest.mark.parametrize(
    ("config_file", "module"),
    [("mkdocs.yml", "mkdocs.commands.build"), ("properdocs.yml", "properdocs.commands.build")],
)
def test_where_both_are_installed_the_configurations_name_chooses(
    project: Project, config_file: str, module: str
) -> None:
    project.config_file = config_file
    project.config["hooks"] = [str(project.write("hooks.py", SHOWS_ENGINE))]
    project.page("index.md", "# Home\n")
    assert answer(project, "plan")["images"] == []
    assert (project.folder / "engine.txt").read_text(encoding="utf-8") == module
