"""Operations on sockets, each bound by the deadline of its image."""

from __future__ import annotations

import socket

import httpcore
import httpx
import pytest

from mkdocs_qhaigc.api.network_backend import _Stream, within
from mkdocs_qhaigc.api.proxies_and_certificates import NO_PROXIES
from mkdocs_qhaigc.api.retry import Deadline
from mkdocs_qhaigc.api.transport import open_client


class Written(httpcore.NetworkStream):
    """A stream to a socket of a pair."""

    def __init__(self, end: socket.socket) -> None:
        self._end = end

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._end.sendall(buffer)


def test_after_the_deadline_nothing_is_written_and_writing_nothing_is_no_error() -> None:
    """The end of a request is written as no bytes: then the server may have all of it, and bill."""
    ours, theirs = socket.socketpair()
    with ours, theirs, within(Deadline.after(0)):
        stream = _Stream(Written(ours))
        stream.write(b"")
        with pytest.raises(httpcore.WriteTimeout):
            stream.write(b"x")
        theirs.setblocking(False)
        with pytest.raises(BlockingIOError):
            theirs.recv(1)


@pytest.mark.parametrize("url", ["http://a..b/", f"https://{'x' * 64}/", "http://a..b:80/"])
def test_a_host_that_cannot_exist_is_an_error_before_any_connection(url: str) -> None:
    """Such a call was surely not billed."""
    with open_client(None, proxies=NO_PROXIES) as client, pytest.raises(httpx.ConnectError):
        client.get(url)
