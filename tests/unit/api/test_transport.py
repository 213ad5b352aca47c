"""Which connections are used: direct ones, or a proxy's, as the environment says."""

from __future__ import annotations

import contextlib
import socket
import socketserver
import threading

import httpx
import pytest

from mkdocs_qhaigc.api.proxies_and_certificates import NO_PROXIES, read_proxies
from mkdocs_qhaigc.api.transport import open_client
from tests.helpers.api import ImagesApi


def proxies(monkeypatch: pytest.MonkeyPatch, **variables: str) -> None:
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
        if name in variables:
            monkeypatch.setenv(name, variables[name])


def answers(url: str, *, use_proxies: bool) -> bool:
    with open_client(None, proxies=read_proxies() if use_proxies else NO_PROXIES) as client:
        try:
            client.get(url, timeout=5)
        except httpx.ConnectError:
            return False
        return True


class Socks(socketserver.ThreadingTCPServer):
    """A SOCKS 5 proxy that connects to 127.0.0.1, or what answers in its place."""

    daemon_threads = True
    allow_reuse_address = True

    def __init__(self, says: bytes | None = None) -> None:
        super().__init__(("127.0.0.1", 0), SocksHandler)
        self.says = says
        self.asked: list[bytes] = []

    @property
    def address(self) -> str:
        return f"socks5://127.0.0.1:{self.server_address[1]}"

    def __enter__(self) -> Socks:
        threading.Thread(target=self.serve_forever, args=(0.02,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self.shutdown()
        self.server_close()


class SocksHandler(socketserver.BaseRequestHandler):
    server: Socks

    def handle(self) -> None:
        greeting = self.request.recv(99)
        if self.server.says is not None:
            self.request.sendall(self.server.says)
            return
        assert greeting.startswith(b"\5")
        self.request.sendall(b"\5\0")
        wanted = self.request.recv(99)
        self.server.asked.append(wanted)
        with socket.create_connection(("127.0.0.1", int.from_bytes(wanted[-2:], "big"))) as target:
            self.request.sendall(b"\5\0\0\1" + bytes(6))
            target.sendall(self.request.recv(65536))
            with contextlib.suppress(OSError):  # the client has gone
                while data := target.recv(65536):
                    self.request.sendall(data)


def test_a_socks_proxy_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    with Socks() as socks, ImagesApi() as api:
        proxies(monkeypatch, all_proxy=socks.address)
        assert answers(api.base_url, use_proxies=True)
        assert len(socks.asked) == 1


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # httpcore leaves the socket open
@pytest.mark.parametrize("says", [b"HTTP/1.1 400 Bad Request\r\n\r\n", b"", b"\5", b"\5\7", b"\4\0", b"\5\2"])
def test_what_speaks_no_socks_is_an_error_of_the_connection(monkeypatch: pytest.MonkeyPatch, says: bytes) -> None:
    with Socks(says) as socks:
        proxies(monkeypatch, all_proxy=socks.address)
        with pytest.raises(httpx.TransportError):
            answers("http://127.0.0.1:9/", use_proxies=True)


@pytest.mark.parametrize(
    ("variables", "use_proxies", "direct"),
    [
        ({}, True, True),
        ({"http_proxy": "http://127.0.0.1:1"}, True, False),
        ({"http_proxy": "127.0.0.1:1"}, True, False),
        ({"all_proxy": "http://127.0.0.1:1"}, True, False),
        ({"https_proxy": "http://127.0.0.1:1"}, True, True),
        ({"http_proxy": "http://127.0.0.1:1", "no_proxy": "127.0.0.1"}, True, True),
        ({"all_proxy": "http://127.0.0.1:1", "no_proxy": "*"}, True, True),
        ({"http_proxy": "http://127.0.0.1:1", "no_proxy": "example.org"}, True, False),
        ({"http_proxy": "http://127.0.0.1:1"}, False, True),
    ],
)
def test_proxies_of_the_environment_are_used_but_for_hosts_without(
    monkeypatch: pytest.MonkeyPatch, variables: dict[str, str], use_proxies: bool, direct: bool
) -> None:
    proxies(monkeypatch, **variables)
    with ImagesApi() as api:
        assert answers(api.base_url, use_proxies=use_proxies) is direct
