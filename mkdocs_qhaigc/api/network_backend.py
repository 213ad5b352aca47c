"""Network backend of httpcore: every operation is bound by a deadline, and private addresses are refused.

httpx' own timeouts are for single reads, so a server that sends a byte a second never exceeds them; and httpx resolves
host names after any check of them. This backend makes and reads the sockets itself, so it can settle both.
"""

from __future__ import annotations

import contextlib
import socket
import ssl
import threading
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import httpcore

from mkdocs_qhaigc.api.public_addresses import is_public
from mkdocs_qhaigc.api.retry import Deadline

_GRACE = 2.0
"""Seconds after the first moment past a deadline in which this process runs: bytes that have arrived are read."""
_AT_ONCE = 0.1
"""Seconds to read bytes that have arrived."""
_current = threading.local()


@contextlib.contextmanager
def within(deadline: Deadline) -> Iterator[None]:
    """Bound everything that this thread sends and receives by a deadline."""
    before: Deadline | None = getattr(_current, "deadline", None)
    _current.deadline, _current.last = deadline, None
    try:
        yield
    finally:
        _current.deadline = before


class NetworkBackend(httpcore.NetworkBackend):
    """Makes connections to allowed addresses only, and never past the current deadline."""

    def __init__(self, allowed: Callable[[str], bool] | None) -> None:
        """Allow private addresses to the hosts for which `allowed` is true; `None` allows them to every host."""
        self._inner = httpcore.SyncBackend()
        self._allowed = allowed

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.NetworkStream:
        """Connect to one of the checked addresses of a host, and to no other."""
        error: Exception | None = None
        for address in [host] if self._allowed is None or self._allowed(host) else _public_addresses(host, port):
            try:
                stream = self._inner.connect_tcp(address, port, _left(timeout), local_address, socket_options)
                return _Stream(stream)
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as failed:
                error = failed
            except (UnicodeError, OverflowError) as failed:  # a host or a port that cannot exist
                raise httpcore.ConnectError(str(failed)) from failed
        raise error or httpcore.ConnectError(f"{host} has no address")

    def sleep(self, seconds: float) -> None:
        """Wait."""
        self._inner.sleep(seconds)


class _Stream(httpcore.NetworkStream):
    def __init__(self, inner: httpcore.NetworkStream) -> None:
        self._inner = inner

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        try:
            return self._inner.read(max_bytes, _left(timeout, httpcore.ReadTimeout))
        except httpcore.ReadTimeout:
            if not _is_within_grace():
                raise
        return self._inner.read(max_bytes, _AT_ONCE)

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        if buffer:  # httpcore writes nothing once more after a body: by then the server may have it, and bills
            self._inner.write(buffer, _left(timeout, httpcore.WriteTimeout))

    def close(self) -> None:
        self._inner.close()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        try:
            return _Stream(self._inner.start_tls(ssl_context, server_hostname, _left(timeout)))
        except ValueError as error:  # a name that no certificate can have
            raise httpcore.ConnectError(str(error)) from error

    def get_extra_info(self, info: str) -> Any:
        return self._inner.get_extra_info(info)


def _left(timeout: float | None, error: type[Exception] = httpcore.ConnectTimeout) -> float | None:
    """Return the seconds that an operation may take: its timeout, or what the deadline leaves if that is less."""
    deadline: Deadline | None = getattr(_current, "deadline", None)
    if deadline is None:
        return timeout
    if not deadline.left:
        raise error("the time for this image is over")
    return deadline.left if timeout is None else min(timeout, deadline.left)


def _is_within_grace() -> bool:
    """Whether bytes that have arrived may be read although the deadline is over.

    The clock runs on while a process is stopped or its machine sleeps; meanwhile the server has answered and billed.
    """
    deadline: Deadline | None = getattr(_current, "deadline", None)
    if deadline is None or deadline.left:
        return False
    if _current.last is None:
        _current.last = Deadline.after(_GRACE)
    return bool(_current.last.left)


def _public_addresses(host: str, port: int) -> list[str]:
    """Return the addresses of a host.

    Raises:
        httpcore.UnsupportedProtocol: one of them is private.
        httpcore.ConnectError: the host is unknown.
    """
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise httpcore.ConnectError(str(error)) from error
    addresses = [str(entry[4][0]) for entry in found]
    if not all(is_public(address) for address in addresses):
        raise httpcore.UnsupportedProtocol(f"{host} is not on the public internet")
    return addresses
