"""The release: built as for an upload, judged by the tools for that, installed in an environment that has nothing."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tarfile
import venv
from pathlib import Path

import pytest
import yaml

import mkdocs_qhaigc

pytest.importorskip("build")  # the extra `release`

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]
TOOLS = Path(sys.executable).parent


def run(*command: str | Path, folder: Path | None = None) -> str:
    """Run a command without this environment's variables; return what it printed."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("QHAIGC", "PYTHON"))}
    finished = subprocess.run(
        [str(part) for part in command],
        cwd=folder,
        env={**environment, "NO_MKDOCS_2_WARNING": "1", "PIP_DISABLE_PIP_VERSION_CHECK": "1"},
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=600,
        check=False,
    )
    output = finished.stdout + finished.stderr
    assert finished.returncode == 0, output
    return output


@pytest.fixture(scope="module")
def dist(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """The sdist, and the wheel that was built from it."""
    folder = tmp_path_factory.mktemp("dist")
    run(sys.executable, "-m", "build", "--outdir", folder, ROOT)
    (sdist,), (wheel,) = folder.glob("*.tar.gz"), folder.glob("*.whl")
    return sdist, wheel


def test_tools_for_releases_find_nothing_wrong(dist: tuple[Path, Path]) -> None:
    sdist, wheel = dist
    run(TOOLS / "twine", "check", "--strict", sdist, wheel)
    run(TOOLS / "check-wheel-contents", wheel)
    # the project has no mail address
    assert run(TOOLS / "pyroma", "--min", "10", "--skip-tests", "AuthorEmail", "--quiet", sdist).split()[-1] == "10"


def test_the_version_stands_in_one_place(dist: tuple[Path, Path]) -> None:
    version = mkdocs_qhaigc.__version__
    assert [path.name.split("-")[1].removesuffix(".tar.gz") for path in dist] == [version, version]
    changelog = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    newest = re.findall(r"^## \[(.+?)\]", changelog, re.MULTILINE)[0]
    assert newest == version
    assert f'"{version}"' not in (ROOT / "pyproject.toml").read_text(encoding="utf-8")


def test_wheel_and_sdist_install_anywhere_and_build_the_example_from_the_sdist_alone(
    dist: tuple[Path, Path], tmp_path: Path
) -> None:
    sdist, wheel = dist
    with tarfile.open(sdist) as archive:
        archive.extractall(tmp_path, filter="data")
    (source,) = tmp_path.iterdir()
    venv.create(tmp_path / "venv", with_pip=True)
    programs = tmp_path / "venv" / ("Scripts" if os.name == "nt" else "bin")
    run(programs / "python", "-m", "pip", "install", "--quiet", f"{wheel}[example]")
    shutil.rmtree(source / "mkdocs_qhaigc")  # what is installed is used
    build = (programs / "mkdocs", "build", "--strict", "-f", "example_site/mkdocs.yml")  # as the README has it
    assert re.search(r"\d+ images of the sandbox: \d+ generated", run(*build, folder=source))
    assert list((source / "example_site/site/assets/qhaigc").glob("hero-*.webp"))
    run(programs / "python", "-m", "pip", "install", "--quiet", "--force-reinstall", "--no-deps", sdist)
    assert mkdocs_qhaigc.__version__ in run(programs / "mkdocs-qhaigc", "--version")
    assert re.search(r"\d+ images of the sandbox: \d+ cached", run(*build, folder=source))
    run(programs / "python", "-m", "pip", "check")


@pytest.mark.parametrize(
    "path", sorted((ROOT / ".github/ISSUE_TEMPLATE").glob("[!c]*.yml")), ids=lambda path: path.stem
)
def test_issue_forms_have_what_github_asks_for(path: Path) -> None:
    form = yaml.safe_load(path.read_text(encoding="utf-8"))
    assert {"name", "description", "body"} <= form.keys()
    fields = [part for part in form["body"] if part["type"] != "markdown"]
    assert len({part["id"] for part in fields}) == len(fields)
    assert {part["type"] for part in fields} <= {"textarea", "input", "checkboxes", "dropdown"}
    assert all(part["attributes"]["label"] for part in fields)
