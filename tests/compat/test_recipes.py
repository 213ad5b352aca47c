"""The documentation's recipes for CI, run step by step in fresh clones: what stands there is what is executed."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.conftest import SMALL, Project, require_posix
from tests.helpers.api import KEY, ImagesApi
from tests.helpers.documentation import blocks

pytestmark = pytest.mark.compatibility

DEPLOY, PULL_REQUESTS = "deploy.md", "pull-requests.md"
SITE = """
site_name: Test
theme: {{name: mkdocs, highlightjs: false}}
plugins:
  - qhaigc:
      missing: !ENV [QHAIGC_MISSING, generate]
      base_url: {base_url}
      size: {size}
      timeout: 20
"""


@dataclass(frozen=True)
class Recipe:
    """One block of a page, as its machine would run it."""

    steps: list[tuple[str, Mapping[str, str]]]
    """Shell line, and what it is run with."""
    kept: list[str] = field(default_factory=list)
    """Folders that it keeps from run to run."""


def texts(page: str, section: str, language: str) -> list[str]:
    """Return the code blocks of a language in a section of a page."""
    return [block.text for block in blocks(page, section) if block.language == language]


def recipe(page: str, section: str, machine: str) -> Recipe:
    if machine == "shell":
        (script,) = texts(page, section, "bash")
        return Recipe([(script, {})], kept=[".qhaigc"])
    for text in texts(page, section, "yaml"):
        content: dict[str, Any] = yaml.load(text, Loader=yaml.BaseLoader)
        if machine == "github" and "jobs" in content:
            (job,) = content["jobs"].values()
            steps = job["steps"]
            kept = [step["with"]["path"] for step in steps if "cache/save" in step.get("uses", "")]
            assert [step["with"]["path"] for step in steps if "cache/restore" in step.get("uses", "")] == kept
            return Recipe([(step["run"], step.get("env", {})) for step in steps if "run" in step], kept)
        if machine == "gitlab" and "jobs" not in content:
            (job,) = content.values()
            return Recipe(
                [(line, job.get("variables", {})) for line in job["script"]], job.get("cache", {}).get("paths", [])
            )
    raise AssertionError(f"{section} has no recipe for {machine}")


class Repository:
    """A documentation project in git."""

    def __init__(self, project: Project) -> None:
        self.project = project
        self.folder = project.folder
        for block in [*blocks(DEPLOY), *blocks("keep-images.md")]:
            if block.title in (".gitignore", ".gitattributes"):
                project.write(block.title, block.text)
        project.write("requirements.txt", "")
        self.git("init", "--quiet", "--initial-branch=main")

    def git(self, *arguments: str, folder: Path | None = None) -> str:
        identity = ["-c", "user.name=Test", "-c", "user.email=test@example.com", "-c", "commit.gpgsign=false"]
        command = ["git", *identity, *arguments]
        where = folder or self.folder
        return subprocess.run(command, cwd=where, check=True, capture_output=True, text=True, timeout=60).stdout

    def commit(self) -> None:
        self.git("add", "--all")
        self.git("commit", "--quiet", "--message=x")

    def clone(self, name: str) -> Path:
        folder = self.folder.parent / name
        self.git("clone", "--quiet", str(self.folder), str(folder))
        return folder

    def run(self, line: str, folder: Path, **environment: str) -> subprocess.CompletedProcess[str]:
        """Run a shell line as CI does, with this Python's programs first, and no key but one that is given."""
        require_posix("a shell as the recipes are written for")
        inherited = {name: value for name, value in self.project.environ().items() if not name.startswith("QHAIGC")}
        path = f"{Path(sys.executable).parent}:{inherited['PATH']}"
        return subprocess.run(
            ["bash", "-euo", "pipefail", "-c", line],
            cwd=folder,
            env={**inherited, "PATH": path, "PIP_DISABLE_PIP_VERSION_CHECK": "1", **environment},
            capture_output=True,
            text=True,
            encoding="utf-8",
            timeout=120,
            check=False,
        )


@pytest.fixture
def repository(project: Project, api: ImagesApi) -> Repository:
    project.write("mkdocs.yml", SITE.format(base_url=api.base_url, size=SMALL))
    project.page("index.md", "# Home\n\n![A tower](qhaigc:hero)\n", qhaigc="A lighthouse in fog")
    repository = Repository(project)
    repository.commit()
    return repository


MACHINES = ["github", "gitlab", "shell"]


def site_of(folder: Path) -> Path:
    return folder / "public" if (folder / "public").is_dir() else folder / "site"


def run_steps(repository: Repository, folder: Path, of: Recipe, **secrets: str) -> str:
    """Run a recipe's steps; return what they printed. The first that fails ends the test."""
    said = ""
    for line, variables in of.steps:
        given = {name: value for name, value in variables.items() if not value.startswith("${{")}
        finished = repository.run(line, folder, **secrets, **given)
        assert finished.returncode == 0, f"{line}\n{finished.stdout}{finished.stderr}"
        said += finished.stdout + finished.stderr
    return said


@pytest.mark.parametrize("machine", MACHINES)
def test_a_deploy_of_committed_images_needs_no_key_and_no_network(
    repository: Repository, api: ImagesApi, machine: str
) -> None:
    bought = repository.run("mkdocs build --strict && mkdocs-qhaigc pin", repository.folder, QHAIGC_API_KEY=KEY)
    assert bought.returncode == 0, bought.stdout + bought.stderr
    repository.commit()
    assert len(api.calls) == 1
    clone = repository.clone("clone")
    api.default = lambda handler, body: handler.send(500, {})
    run_steps(repository, clone, recipe(DEPLOY, "Deploy the committed images", machine))
    assert len(list((site_of(clone) / "assets/qhaigc").glob("hero-*.webp"))) == 1
    assert len(api.calls) == 1
    page = clone / "docs/index.md"
    page.write_text(page.read_text(encoding="utf-8").replace("fog", "rain"), encoding="utf-8")
    line, variables = recipe(DEPLOY, "Deploy the committed images", machine).steps[-1]
    refused = repository.run(line, clone, **variables)
    assert refused.returncode == 1
    assert "index.md#hero" in refused.stdout + refused.stderr
    assert len(api.calls) == 1


@pytest.mark.parametrize("machine", MACHINES)
def test_a_deploy_that_generates_keeps_what_it_bought(repository: Repository, api: ImagesApi, machine: str) -> None:
    generates = recipe(DEPLOY, "Generate in the deploy", machine)
    assert generates.kept
    first, second = repository.clone("first"), repository.clone("second")
    run_steps(repository, first, generates, QHAIGC_API_KEY=KEY)
    assert len(api.calls) == 1
    for kept in generates.kept:
        shutil.copytree(first / kept, second / kept)
    run_steps(repository, second, generates, QHAIGC_API_KEY=KEY)
    assert len(api.calls) == 1
    names = [sorted(path.name for path in site_of(folder).rglob("hero-*")) for folder in (first, second)]
    assert names[0] == names[1] != []


@pytest.mark.parametrize("machine", MACHINES)
def test_a_fork_s_pull_request_shows_placeholders_and_what_merging_would_buy(
    repository: Repository, api: ImagesApi, machine: str
) -> None:
    clone = repository.clone("fork")
    report = clone / ("summary.md" if machine == "github" else "images.md")
    said = run_steps(
        repository, clone, recipe(PULL_REQUESTS, "Preview with placeholders", machine), GITHUB_STEP_SUMMARY=str(report)
    )
    assert "1 placeholder" in said
    assert "index.md#hero" in report.read_text(encoding="utf-8")
    assert "To buy: 1 by qh-draw-x2-preview" in report.read_text(encoding="utf-8")
    assert api.calls == []


@pytest.mark.parametrize("machine", ["pre-commit", "shell"])
def test_a_commit_without_its_images_is_refused(repository: Repository, machine: str) -> None:
    if machine == "shell":
        (line,) = texts(PULL_REQUESTS, "Before each commit", "bash")
    else:
        (block,) = texts(PULL_REQUESTS, "Before each commit", "yaml")
        (hook,) = yaml.safe_load(block)["repos"][0]["hooks"]
        assert hook["language"] == "system"
        assert hook["types"] == ["markdown"]
        line = f"git diff --cached --name-only --diff-filter=d -- '*.md' | xargs {hook['entry']}"  # as pre-commit does
    hook_file = repository.folder / ".git/hooks/pre-commit"
    hook_file.write_text(f"#!/usr/bin/env bash\nset -euo pipefail\n{line}\n", encoding="utf-8")
    hook_file.chmod(0o755)
    commit = (
        "echo >> docs/index.md; git -c user.name=Test -c user.email=test@example.com commit --quiet --all --message=x"
    )
    refused = repository.run(commit, repository.folder)
    assert refused.returncode != 0
    assert "index.md#hero" in refused.stdout + refused.stderr
    assert repository.run("mkdocs build --strict", repository.folder, QHAIGC_API_KEY=KEY).returncode == 0
    unpinned = repository.run(commit, repository.folder)
    assert unpinned.returncode != 0
    assert "in the cache of this machine alone" in unpinned.stdout + unpinned.stderr
    assert repository.run("mkdocs-qhaigc pin", repository.folder, QHAIGC_API_KEY=KEY).returncode == 0
    accepted = repository.run(commit, repository.folder)
    assert accepted.returncode == 0, accepted.stdout + accepted.stderr
