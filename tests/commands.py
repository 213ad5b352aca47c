"""`mkdocs-qhaigc` and git, as a shell runs them in a documentation project."""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

from tests.api import ImagesApi
from tests.conftest import Project

COMMAND = str(Path(sys.executable).with_name("mkdocs-qhaigc"))


def run(project: Project, *arguments: str, stdin: Any = subprocess.DEVNULL) -> subprocess.CompletedProcess[str]:
    """Run a command in the project's folder, where its mkdocs.yml is written anew."""
    project.write_config()
    return run_in(project.folder, project, *arguments, stdin=stdin)


def run_in(
    folder: Path, project: Project, *arguments: str, stdin: Any = subprocess.DEVNULL
) -> subprocess.CompletedProcess[str]:
    """Run a command in a folder, with the project's environment."""
    return subprocess.run(
        [COMMAND, *arguments],
        cwd=folder,
        env=project.environ(),
        stdin=stdin,
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=120,
        check=False,
    )


def answer(project: Project, *arguments: str) -> Any:
    """Return what a command prints as JSON."""
    finished = run(project, *arguments, "--json")
    assert finished.stdout, finished.stderr
    return json.loads(finished.stdout)


def git(folder: Path, *arguments: str, code: int = 0) -> str:
    """Run git; return what it prints."""
    options = ["-c", "user.name=x", "-c", "user.email=x@example.com", "-c", "init.defaultBranch=main"]
    finished = subprocess.run(
        ["git", *options, *arguments], cwd=folder, capture_output=True, text=True, timeout=60, check=False
    )
    assert finished.returncode == code, finished.stdout + finished.stderr
    return finished.stdout


def buy(project: Project, api: ImagesApi) -> None:
    """Build the site, which buys its pictures."""
    built = project.build()
    assert built.code == 0, built.output
    assert "placeholder" not in built.summary
    api.calls.clear()


def names(folder: Path) -> list[str]:
    """Return what lies in a folder, hidden files too."""
    return sorted(path.name for path in folder.iterdir()) if folder.exists() else []


def contents(*folders: Path) -> set[str]:
    """Return the sha256 of every file in these folders."""
    return {
        hashlib.sha256(path.read_bytes()).hexdigest()
        for folder in folders
        for path in folder.rglob("*")
        if path.is_file()
    }
