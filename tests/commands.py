"""Running `mkdocs-qhaigc` on a project as a shell does: with pipes, or on a terminal of its own."""

from __future__ import annotations

import contextlib
import fcntl
import os
import pty
import re
import select
import struct
import subprocess
import sys
import termios
import time
from pathlib import Path

from tests.conftest import Project

COMMAND = str(Path(sys.executable).with_name("mkdocs-qhaigc"))


def arguments(project: Project, *given: str) -> list[str]:
    return [COMMAND, *given, "-f", str(project.write_config())]


def run(project: Project, *given: str) -> subprocess.CompletedProcess[str]:
    """Run a command without a terminal."""
    return subprocess.run(
        arguments(project, *given),
        capture_output=True,
        stdin=subprocess.DEVNULL,
        text=True,
        encoding="utf-8",
        env=project.environ(),
        cwd=project.folder,
        timeout=120,
        check=False,
    )


class Terminal:
    """A command on a terminal of 80 columns."""

    def __init__(self, project: Project, *given: str) -> None:
        self._ours, theirs = pty.openpty()
        fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
        self.process = subprocess.Popen(
            arguments(project, *given),
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
