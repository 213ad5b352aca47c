"""The command `mkdocs-qhaigc`, as a shell runs it."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from pathlib import Path
from urllib.request import Request, urlopen

import pytest

from mkdocs_qhaigc import __version__
from mkdocs_qhaigc.sandbox import Sandbox
from tests.conftest import require_posix

COMMAND = str(Path(sys.executable).with_name("mkdocs-qhaigc"))
ASK = """
import json, os, sys, urllib.error, urllib.request as web
request = web.Request(
    os.environ["QHAIGC_BASE_URL"] + sys.argv.pop(1),
    json.dumps({"model": "any", "prompt": "fog", "size": "32x32"}).encode(),
    {"Authorization": "Bearer " + os.environ["QHAIGC_API_KEY"], "Content-Type": "application/json"},
)
try:
    print(len(json.load(web.build_opener(web.ProxyHandler({})).open(request))["data"]), sys.argv[1:])
except urllib.error.HTTPError as error:
    print(error.code)
sys.exit(7)
"""


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [COMMAND, *arguments], capture_output=True, text=True, encoding="utf-8", timeout=60, check=False
    )


@pytest.mark.parametrize(("path", "printed"), [("/images/generations", "1 ['--port', '-x']"), ("/images/edits", "400")])
def test_sandbox_runs_a_command_against_the_server_and_ends_with_its_exit_code(path: str, printed: str) -> None:
    finished = run("sandbox", "--", sys.executable, "-c", ASK, path, "--port", "-x")
    assert finished.returncode == 7, finished.stderr
    assert finished.stdout == f"{printed}\n"
    assert "asked for images once" in finished.stderr


def test_sandbox_without_a_command_serves_until_ctrl_c() -> None:
    require_posix("signals")
    environment = {**os.environ, "PYTHONUNBUFFERED": "1"}
    with subprocess.Popen([COMMAND, "sandbox"], stdout=subprocess.PIPE, text=True, env=environment) as process:
        try:
            assert process.stdout
            line = next(line for line in process.stdout if "export" in line)
            found = re.search(r"QHAIGC_BASE_URL=(\S+) QHAIGC_API_KEY=(\S+)", line)
            assert found
            request = Request(f"{found[1]}/models", headers={"Authorization": f"Bearer {found[2]}"})
            with urlopen(request, timeout=10) as response:
                assert "即梦4.0" in {model["id"] for model in json.load(response)["data"]}
            process.send_signal(signal.SIGINT)
            rest = process.stdout.read()
            assert process.wait(5) == 0
            assert "Traceback" not in rest
        finally:
            process.kill()


def test_a_port_that_is_taken_and_a_command_that_is_none_are_told() -> None:
    with Sandbox() as other:
        port = other.base_url.split(":")[2].split("/")[0]
        taken = run("sandbox", "--port", port)
    unknown = run("sandbox", "--", "no-such-command-here")
    assert (taken.returncode, unknown.returncode) == (1, 1)
    assert f"port {port} cannot be used" in taken.stderr
    assert "no-such-command-here cannot be run" in unknown.stderr
    assert "Traceback" not in taken.stderr + unknown.stderr


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["--help"], 0, "sandbox"),
        (["-h"], 0, "sandbox"),
        (["sandbox", "--help"], 0, "--latency"),
        (["--version"], 0, __version__),
        (["sandbocks"], 2, "No such command"),
        (["sandbox", "--port", "x"], 2, "--port"),
    ],
)
def test_help_is_given_and_wrong_usage_is_exit_code_2(arguments: list[str], code: int, words: str) -> None:
    finished = run(*arguments)
    assert finished.returncode == code
    assert words in finished.stdout + finished.stderr


@pytest.mark.slow
@pytest.mark.parametrize("command", ["plan", "generate", "candidates a", "pin", "check", "gallery", "prune", "sync"])
def test_where_there_is_no_configuration_it_is_said_what_was_looked_for_and_what_to_do(
    tmp_path: Path, command: str
) -> None:
    def said(*arguments: str) -> str:
        words = [COMMAND, *command.split(), *arguments]
        finished = subprocess.run(words, cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False)
        assert finished.returncode == 1
        assert finished.stdout == ""
        return finished.stderr

    looked_for = "mkdocs.yml, nor any of properdocs.yml, zensical.toml, zensical.yml"
    assert said() == (
        f"Error: {tmp_path} has no {looked_for}. Go to the folder of the site's configuration, or name it: "
        "-f FOLDER/mkdocs.yml\n"
    )
    (tmp_path / "zensical.yml").touch()
    for name in ("mkdocs.yml", "docs/site.yml"):
        assert said("-f", name).startswith(
            f"Error: {Path(name)} does not exist. Name the site's configuration: -f FOLDER/"
        )


@pytest.mark.parametrize("command", ["mkdocs build", "mkdocs-qhaigc sync", "mkdocs-qhaigc generate"])
def test_under_the_sandbox_nothing_is_bought_elsewhere(tmp_path: Path, command: str) -> None:
    config = {"site_name": "x", "plugins": [{"qhaigc": {"base_url": "http://127.0.0.1:9/v1"}}]}
    (tmp_path / "mkdocs.yml").write_text(json.dumps(config), encoding="utf-8")
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs/index.md").write_text("---\nqhaigc: fog\n---\n", encoding="utf-8")
    program, subcommand = command.split()
    path = str(Path(sys.executable).with_name(program))
    finished = run("sandbox", "--", path, subcommand, "-f", str(tmp_path / "mkdocs.yml"))
    assert finished.returncode == 1
    assert "Write `base_url: !ENV [QHAIGC_BASE_URL, http://127.0.0.1:9/v1]`" in finished.stderr


def test_a_shell_completes_commands() -> None:
    line = {"COMP_WORDS": "mkdocs-qhaigc ca", "COMP_CWORD": "1", "_MKDOCS_QHAIGC_COMPLETE": "bash_complete"}
    finished = subprocess.run(
        [COMMAND], env={**os.environ, **line}, capture_output=True, text=True, timeout=60, check=False
    )
    assert finished.stdout == "plain,candidates\n"
