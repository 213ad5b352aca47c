"""Real object stores for tests: SeaweedFS, Azurite, `rclone serve s3` and a folder; and a proxy that spoils answers."""

from __future__ import annotations

import base64
import hashlib
import hmac
import http.client
import json
import shutil
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

BUCKET = "team"
_BIN = Path(sys.executable).parent
_KEY, _SECRET = "AKIDTESTAKID", "SECRETTESTSECRET"
READER = "AKIDREADER"
"""A key of SeaweedFS that may read only; its secret is the same."""
_AZURITE_KEY = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=="
_AZURITE = "azurite@3.35"


@dataclass(frozen=True)
class ObjectStore:
    """A store that runs."""

    name: str
    url: str
    """For the option `shared`, without a prefix."""
    environment: Mapping[str, str] = field(default_factory=dict)
    """What a machine's client needs."""
    conditional: bool = True

    def at(self, endpoint: str) -> ObjectStore:
        """Return the same store, as it is reached by a proxy."""
        return ObjectStore(self.name, self.url, {**self.environment, "AWS_ENDPOINT": endpoint}, self.conditional)

    @property
    def endpoint(self) -> str:
        return self.environment["AWS_ENDPOINT"]


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


@contextmanager
def seaweedfs(folder: Path) -> Iterator[ObjectStore]:
    s3, filer, volume, master = (free_port() for _ in range(4))
    grpc = {name: free_port() for name in ("s3", "filer", "volume", "master")}
    config = folder / "s3.json"
    everything = ["Admin", "Read", "Write", "List", "Tagging"]
    identities = [("writer", _KEY, everything), ("reader", READER, ["Read", "List"])]
    config.write_text(
        json.dumps(
            {
                "identities": [
                    {"name": name, "credentials": [{"accessKey": key, "secretKey": _SECRET}], "actions": actions}
                    for name, key, actions in identities
                ]
            }
        )
    )
    data = folder / "data"
    data.mkdir()
    command = [
        *(str(_BIN / "weed"), "server", "-dir", str(data), "-ip", "127.0.0.1", "-ip.bind", "127.0.0.1"),
        *("-master.telemetry=false", "-master.volumeSizeLimitMB", "64", "-volume.max", "40"),
        *("-filer", "-filer.port", str(filer), "-s3", "-s3.port", str(s3), "-s3.config", str(config)),
        *("-s3.port.iceberg", str(free_port()), "-s3.port.lance", str(free_port())),
        *("-volume.port", str(volume), "-master.port", str(master)),
        *(part for name, port in grpc.items() for part in (f"-{name}.port.grpc", str(port))),
    ]
    with _running(command, folder):
        _wait_for(f"http://127.0.0.1:{s3}/")
        request = urllib.request.Request(f"http://127.0.0.1:{filer}/buckets/{BUCKET}/", method="PUT")
        _until(lambda: urllib.request.urlopen(request, timeout=5).status < 300)
        yield ObjectStore("seaweedfs", f"s3://{BUCKET}", _aws(s3))


@contextmanager
def rclone(folder: Path) -> Iterator[ObjectStore]:
    port = free_port()
    (folder / BUCKET).mkdir()
    command = [str(_BIN / "rclone"), "serve", "s3", "--auth-key", f"{_KEY},{_SECRET}"]
    with _running([*command, "--addr", f"127.0.0.1:{port}", str(folder)], folder):
        _wait_for(f"http://127.0.0.1:{port}/")
        yield ObjectStore("rclone", f"s3://{BUCKET}", _aws(port), conditional=False)


@contextmanager
def azurite(folder: Path) -> Iterator[ObjectStore]:
    npm = shutil.which("npm")
    if npm is None:
        pytest.skip("there is no npm, which brings Azurite")
    command = [npm, "install", "--no-audit", "--no-fund", "--silent", _AZURITE]
    installed = subprocess.run(command, cwd=folder, check=False, capture_output=True, text=True)
    if installed.returncode:
        pytest.skip(f"npm cannot install Azurite here: {installed.stderr[-300:]}")
    port = free_port()
    program = folder / "node_modules/.bin/azurite-blob"
    command = [str(program), "--silent", "--blobPort", str(port), "--location", str(folder / "data")]
    with _running([*command, "--skipApiVersionCheck", "--disableTelemetry"], folder):
        _wait_for(f"http://127.0.0.1:{port}/")
        _make_container(port)
        url = f"http://127.0.0.1:{port}"
        yield ObjectStore(
            "azurite", f"az://{BUCKET}", {"AZURE_STORAGE_USE_EMULATOR": "true", "AZURITE_BLOB_STORAGE_URL": url}
        )


class Proxy:
    """A server before a store of S3's kind, which passes everything on but what a test spoils."""

    def __init__(self, store: ObjectStore) -> None:
        self.requests: list[str] = []
        """`GET /team/prefix/…` of every request, in order of arrival."""
        self.bodies: dict[str, bytes] = {}
        """What was written last, by `PUT /team/prefix/…`."""
        self.spoil: Spoil = lambda request: None
        self._target = urlsplit(store.endpoint).netloc
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _Passing)
        self._server.daemon_threads = True
        self._server.proxy = self  # type: ignore[attr-defined]
        self.closed = threading.Event()
        self.endpoint = f"http://127.0.0.1:{self._server.server_address[1]}"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)

    def ask(self, method: str, path: str, body: bytes, headers: dict[str, str]) -> Reply:
        connection = http.client.HTTPConnection(self._target, timeout=30)
        try:
            connection.request(method, path, body, headers)
            response = connection.getresponse()
            return Reply(response.status, response.read(), dict(response.getheaders()))
        finally:
            connection.close()

    def __enter__(self) -> Proxy:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.closed.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


@dataclass
class Reply:
    """What a store answers."""

    status: int
    body: bytes
    headers: dict[str, str]


@dataclass(frozen=True)
class Fault:
    """What a request meets instead of the store, or what becomes of the store's answer."""

    status: int = 0
    hang: bool = False
    change: Callable[[Reply], None] = lambda reply: None
    half: bool = False
    """Whether the connection breaks off in the middle of the body."""


Spoil = Callable[[str], "Fault | None"]


class _Passing(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, format: str, *args: Any) -> None:
        pass

    def _pass(self) -> None:
        proxy: Proxy = self.server.proxy  # type: ignore[attr-defined]
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        request = f"{self.command} {self.path}"
        proxy.requests.append(request)
        if self.command == "PUT":
            proxy.bodies[request] = body
        fault = proxy.spoil(request) or Fault()
        if fault.hang:
            proxy.closed.wait(60)
            self.close_connection = True
            return
        if fault.status:
            text = b"<Error><Code>Spoilt</Code><Message>no</Message></Error>"
            reply = Reply(fault.status, text, {"Content-Type": "application/xml"})
        else:
            reply = proxy.ask(self.command, self.path, body, dict(self.headers.items()))
        fault.change(reply)
        self.send_response_only(reply.status)
        for name, value in reply.headers.items():
            if name.lower() not in ("content-length", "transfer-encoding", "connection"):
                self.send_header(name, value)
        length = reply.headers.get("Content-Length") if self.command == "HEAD" else str(len(reply.body))
        self.send_header("Content-Length", length or "0")
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(reply.body[: len(reply.body) // 2] if fault.half else reply.body)
        if fault.half:
            self.close_connection = True

    def __getattr__(self, name: str) -> Any:
        if name.startswith("do_"):
            return self._pass
        raise AttributeError(name)


def folder_store(folder: Path) -> ObjectStore:
    return ObjectStore("folder", f"file://{folder}")


def _aws(port: int) -> dict[str, str]:
    return {
        "AWS_ENDPOINT": f"http://127.0.0.1:{port}",
        "AWS_ALLOW_HTTP": "true",
        "AWS_REGION": "us-east-1",
        "AWS_ACCESS_KEY_ID": _KEY,
        "AWS_SECRET_ACCESS_KEY": _SECRET,
    }


def _make_container(port: int) -> None:
    date, path = formatdate(usegmt=True), f"/devstoreaccount1/{BUCKET}"
    version = "2021-08-06"
    signed = f"PUT{chr(10) * 12}x-ms-date:{date}\nx-ms-version:{version}\n/devstoreaccount1{path}\nrestype:container"
    digest = hmac.new(base64.b64decode(_AZURITE_KEY), signed.encode(), hashlib.sha256).digest()
    headers = {
        "x-ms-date": date,
        "x-ms-version": version,
        "Authorization": f"SharedKey devstoreaccount1:{base64.b64encode(digest).decode()}",
        "Content-Length": "0",
    }
    url = f"http://127.0.0.1:{port}{path}?restype=container"
    urllib.request.urlopen(urllib.request.Request(url, method="PUT", headers=headers), timeout=5)


@contextmanager
def _running(command: list[str], folder: Path) -> Iterator[None]:
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(command, cwd=folder, stdout=log, stderr=subprocess.STDOUT)
        try:
            yield
        finally:
            process.terminate()
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def _wait_for(url: str) -> None:
    def answers() -> bool:
        with suppress(urllib.error.HTTPError):
            urllib.request.urlopen(url, timeout=5)
        return True

    _until(answers)


def _until(done: Callable[[], object]) -> None:
    """Call until it returns a true value without an error of the network, for at most a minute."""
    end = time.monotonic() + 60
    while True:
        with suppress(OSError):
            if done():
                return
        assert time.monotonic() < end, done
        time.sleep(0.2)
