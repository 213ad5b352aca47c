"""Commands that run without the right to read and write everything, which root has and tests may have."""

from __future__ import annotations

import importlib
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import Project, require_posix
from tests.helpers.in_process import run_command, run_mkdocs

_ROOT = Path(__file__).parents[2]


def unprivileged(command: list[str]) -> list[str]:
    """Return a command that runs without the right to read everything."""
    require_posix("permissions")
    if os.geteuid():
        return command
    if not shutil.which("setpriv"):
        pytest.skip("everything is readable for root")
    rights = "-dac_override,-dac_read_search"
    return ["setpriv", "--bounding-set", rights, "--inh-caps", rights, *command]


def run_unprivileged(
    project: Project, *commands: Sequence[str], wrapper: Sequence[str] = ()
) -> list[tuple[int, str, str]]:
    """Run `mkdocs …` and `mkdocs-qhaigc …` one after the other in one process; return exit codes, stdout and stderr.

    `wrapper` is a command that runs this process.
    """
    project.write_config()
    finished = subprocess.run(
        unprivileged([*wrapper, sys.executable, "-m", "tests.helpers.unprivileged", str(project.folder)]),
        input=json.dumps(commands),
        capture_output=True,
        text=True,
        encoding="utf-8",
        cwd=_ROOT,
        env={"PYTHONPATH": str(_ROOT), **project.environ()},
        timeout=300,
        check=False,
    )
    assert finished.returncode == 0, finished.stdout + finished.stderr
    return [tuple(one) for one in json.loads(finished.stdout)]


def _main() -> None:
    folder = Path(sys.argv[1])
    results: list[Any] = []
    for program, *arguments in json.load(sys.stdin):
        environment = dict(os.environ)
        if program == "mkdocs":
            finished = run_mkdocs(arguments, folder=folder, environment=environment)
        else:
            command = importlib.import_module("mkdocs_qhaigc.cli").main
            finished = run_command(command, arguments, folder=folder, working_folder=folder, environment=environment)
        results.append((finished.returncode, finished.stdout, finished.stderr))
    json.dump(results, sys.stdout)


if __name__ == "__main__":
    _main()
