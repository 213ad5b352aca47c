"""`mkdocs-qhaigc` and git, as a shell runs them in a documentation project: with pipes, or on a terminal of its own."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import re
import select
import struct
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from mkdocs_qhaigc.cli import main
from tests.conftest import Project, require_posix
from tests.helpers.api import ImagesApi
from tests.helpers.in_process import run_command

if sys.platform != "win32":
    import fcntl
    import pty
    import termios

COMMAND = str(Path(sys.executable).with_name("mkdocs-qhaigc"))


def run(project: Project, *arguments: str, stdin: Any = subprocess.DEVNULL) -> subprocess.CompletedProcess[str]:
    """Run a command in the project's folder, where its configuration is written anew."""
    project.write_config()
    return run_in(project.folder, project, *arguments, stdin=stdin)


def run_in(
    folder: Path, project: Project, *arguments: str, stdin: Any = subprocess.DEVNULL
) -> subprocess.CompletedProcess[str]:
    """Run a command in a folder, with the project's environment."""
    others = arguments[:1] == ("sandbox",) or any(Path(folder).glob("properdocs.y*ml"))
    if project.within_process and not others and stdin == subprocess.DEVNULL:
        return run_command(main, arguments, folder=project.folder, working_folder=folder, environment=project.environ())
    return subprocess.run(
        [str(Path(project.python).with_name("mkdocs-qhaigc")), *arguments],
        cwd=folder,
        env=project.environ(),
        stdin=stdin,
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=120,
        check=False,
    )


@contextlib.contextmanager
def watching(project: Project) -> Iterator[Callable[[str], str]]:
    """Run `sync --watch`; yield what waits for words that it prints, and returns the line that holds them."""
    project.write_config()
    process = subprocess.Popen(
        [COMMAND, "sync", "--watch"],
        cwd=project.folder,
        env=project.environ(),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        encoding="utf-8",
    )
    patience = threading.Timer(60, process.kill)
    patience.start()
    said: list[str] = []

    def wait_for(words: str) -> str:
        assert process.stdout
        for line in process.stdout:
            said.append(line)
            if words in line:
                return line
        raise AssertionError("".join(said))

    try:
        yield wait_for
    finally:
        patience.cancel()
        process.terminate()
        process.communicate(timeout=30)


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
    """Build the site, which buys its images."""
    built = project.build()
    assert built.code == 0, built.output
    assert "placeholder" not in built.summary
    api.calls.clear()


def names(folder: Path) -> list[str]:
    """Return the files of a folder, hidden ones too."""
    return sorted(path.name for path in folder.iterdir()) if folder.exists() else []


def contents(*folders: Path) -> set[str]:
    """Return the sha256 of every file in these folders."""
    return {
        hashlib.sha256(path.read_bytes()).hexdigest()
        for folder in folders
        for path in folder.rglob("*")
        if path.is_file()
    }


class Terminal:
    """A command on a terminal of 80 columns: `mkdocs-qhaigc` with what is given, or another one."""

    def __init__(self, project: Project, *given: str, program: tuple[str, ...] = (COMMAND,)) -> None:
        require_posix("terminals that a program can have")
        project.write_config()
        self._ours, theirs = pty.openpty()
        fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
        self.process = subprocess.Popen(
            [*program, *given],
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
            env={**project.environ(), "TERM": "xterm"},
            cwd=project.folder,
            start_new_session=True,
            preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),  # noqa: PLW1509 - so that Ctrl-C reaches it
        )
        os.close(theirs)
        self.seen = ""

    def until(self, words: str) -> str:
        """Read until the words are on the screen; return all that was printed so far."""
        ends = time.monotonic() + 60
        while words not in self.seen:
            assert time.monotonic() < ends, self.seen
            assert self._read(), self.seen
        return self.seen

    def type(self, keys: str) -> None:
        os.write(self._ours, keys.encode())

    def interrupt(self) -> None:
        """Press Ctrl-C until it is heard: Python may miss it in the moment before it waits for a line."""
        for _ in range(10):
            self.type("\x03")
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.process.wait(2)
                return

    def end(self) -> tuple[int, str]:
        """Wait for the end; return the exit code and all that was printed, without its colours and movements."""
        while self._read():
            pass
        code = self.process.wait(60)
        os.close(self._ours)
        return code, re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", self.seen).replace("\r\n", "\n")

    def _read(self) -> bool:
        ready, _, _ = select.select([self._ours], [], [], 60)
        assert ready, self.seen
        try:
            read = os.read(self._ours, 65536)
        except OSError:  # on Linux, the end
            return False
        self.seen += read.decode(errors="replace")
        return bool(read)
