"""A running `mkdocs serve`, and requests to the studio on it."""

from __future__ import annotations

import http.client
import json
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple
from urllib.request import urlopen

from tests.conftest import Project, require_posix
from tests.helpers.pages import elements

PATIENCE = 60.0
"""Seconds after which something that should have happened will not."""
QUIET = 3.0
"""Seconds without a line of output; rebuilds follow a change within one, and arrivals are told within two."""


class Reply(NamedTuple):
    """What a server answered."""

    status: int
    headers: dict[str, str]
    """Their names in small letters."""
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


class Server:
    """A running `mkdocs serve`, and what it has printed."""

    def __init__(self, process: subprocess.Popen[str], port: int) -> None:
        self.process = process
        self.lines: list[str] = []
        self.last_line = time.monotonic()
        self.port = port
        self.origin = f"http://127.0.0.1:{port}"
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    @property
    def output(self) -> str:
        return "".join(self.lines)

    @property
    def builds(self) -> int:
        return sum("Building documentation" in line for line in self.lines)

    def get(self, path: str = "/") -> bytes:
        with urlopen(self.origin + path, timeout=PATIENCE) as response:
            body: bytes = response.read()
            return body

    def page(self, path: str = "/") -> str:
        """Return a page; empty while nobody answers yet."""
        try:
            return self.get(path).decode()
        except OSError:
            return ""

    def image(self) -> str:
        """Return the address of the first page's image."""
        return next((element.attributes["src"] or "" for element in elements(self.page(), "img")), "")

    def shown(self) -> bytes:
        """Return the first page's image: a placeholder has the address of what comes in its place."""
        address = self.image()
        try:
            return self.get(f"/{address}") if address else b""
        except OSError:
            return b""

    @property
    def link(self) -> str:
        """The address of the studio that the server has printed, with its token."""
        found = re.search(r"Studio: (http://\S+)", self.output)
        return found[1] if found else ""

    @property
    def token(self) -> str:
        return self.link.partition("#qhaigc=")[2]

    def wait_for_studio(self) -> None:
        self.wait_until(lambda: self.token and self.page())

    def request(
        self, method: str, path: str, body: bytes | None = None, headers: dict[str, str] | None = None
    ) -> Reply:
        """Send a request as it is: no header is added but `Host` and `Content-Length`."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE)
        try:
            connection.putrequest(method, path, skip_host="Host" in (headers or {}), skip_accept_encoding=True)
            sent = {} if body is None else {"Content-Length": str(len(body))}
            for name, value in {**sent, **(headers or {})}.items():
                connection.putheader(name, value)
            connection.endheaders(body)
            answer = connection.getresponse()
            headers_ = {name.lower(): value for name, value in answer.getheaders()}
            return Reply(answer.status, headers_, answer.read())
        finally:
            connection.close()

    def studio(self, path: str, body: object = None, **headers: str) -> Reply:
        """Send a request to the studio as its page does: a POST where there is a body."""
        own = {"X-Qhaigc-Token": self.token, **headers}
        if body is None:
            return self.request("GET", f"/-/qhaigc/{path}", headers=own)
        own = {"Origin": self.origin, "Content-Type": "application/json", **own}
        return self.request("POST", f"/-/qhaigc/{path}", json.dumps(body).encode(), own)

    def wait_until(self, condition: Callable[[], object]) -> None:
        deadline = time.monotonic() + PATIENCE
        while not condition():
            assert time.monotonic() < deadline, self.output
            assert self.process.poll() is None, self.output
            time.sleep(0.05)

    def wait_until_quiet(self, seconds: float = QUIET) -> None:
        self.wait_until(lambda: time.monotonic() - self.last_line > seconds)

    def end(self) -> int:
        """Press Ctrl-C and return the exit code."""
        require_posix("signals")
        self.process.send_signal(signal.SIGINT)
        code = self.process.wait(5)
        self._reader.join(5)
        return code

    def kill(self) -> None:
        self.process.kill()
        self.process.wait(PATIENCE)
        self._reader.join(PATIENCE)  # before the stream is closed that it reads
        assert self.process.stdout
        self.process.stdout.close()

    def _read(self) -> None:
        assert self.process.stdout
        for line in self.process.stdout:
            self.lines.append(line)
            self.last_line = time.monotonic()


@contextmanager
def serving(
    project: Project,
    *arguments: str,
    host: str = "127.0.0.1",
    buys: str | None = "auto",
    site_url: str | None = None,
) -> Iterator[Server]:
    """Run a preview. `buys`: the option `serve_buys`, unless the project has it; `None` for its default.

    Most tests wait for images that the preview buys by itself.
    """
    project.config["site_url"] = site_url
    if buys:
        project.options.setdefault("serve_buys", buys)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    server = Server(project.start("serve", "-a", f"{host}:{port}", *arguments), port)
    try:
        yield server
    finally:
        server.kill()


@contextmanager
def studio_of(project: Project, config: Path) -> Iterator[Server]:
    """Run `mkdocs-qhaigc studio`."""
    command = [str(Path(sys.executable).with_name("mkdocs-qhaigc")), "studio", "-f", str(config), "--port", "0"]
    process = subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        encoding="utf-8",
        cwd=project.folder,
        env={**project.environ(), "PYTHONUNBUFFERED": "1"},
    )
    server = Server(process, 0)
    try:
        server.wait_until(lambda: server.link)
        found = re.search(r":(\d+)/", server.link)
        assert found
        server.port = int(found[1])
        server.origin = f"http://127.0.0.1:{server.port}"
        yield server
    finally:
        server.kill()
