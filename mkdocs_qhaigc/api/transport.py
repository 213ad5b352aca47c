"""The connections beneath client and fetcher: none outlives its deadline or leads where an answer must not lead us.

httpx' timeouts are for single reads, so a server that drips a byte a second is never too slow for them; and httpx looks
up a host's addresses itself, after anybody could have checked them. Both are settled where sockets are made and read.
"""

from __future__ import annotations

import contextlib
import io
import re
import socket
import ssl
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from types import MappingProxyType
from typing import Any

import httpcore
import httpx

from mkdocs_qhaigc import __version__
from mkdocs_qhaigc.api.retry import Billing, Deadline, Failed
from mkdocs_qhaigc.api.ssrf import is_public
from mkdocs_qhaigc.errors import ApiError

_CONNECT_TIMEOUT = 15.0
_CUT = re.compile("disconnected|closed connection|ConnectionClosed")
"""In what httpcore and h11 say of a connection that ended too early."""
_QUOTED = re.compile(r": b(?:ytearray\(b)?['\"]")
"""Where h11 begins to quote what it could not read."""
_LATE = 2.0
"""Seconds from the first moment after a deadline in which this process runs: what has arrived by then is read."""
_AT_ONCE = 0.1
"""Seconds for what has arrived to be read."""
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


def connections(
    tls: ssl.SSLContext,
    *,
    sandboxed: bool,
    headers: Mapping[str, str] = MappingProxyType({}),
    allowed: Callable[[str], bool] | None = None,
) -> httpx.Client:
    """Return connections that keep to deadlines (`within`); with `allowed`, also to public addresses.

    `allowed(host)` names the hosts that may be anywhere. A proxy from the environment is where its owner says; a
    sandbox is reached without one.
    """
    agent = {"User-Agent": f"mkdocs-qhaigc/{__version__}", "Accept-Encoding": "identity"}
    limits = httpx.Limits(max_connections=None, max_keepalive_connections=64)
    client = httpx.Client(headers={**agent, **headers}, limits=limits, verify=tls, trust_env=not sandboxed)
    pools = [(client._transport, allowed), *((mount, None) for mount in client._mounts.values() if mount)]  # noqa: SLF001
    for transport, rule in pools:
        # httpx has no public way to say how its connections are made; an attribute that is gone fails loudly here.
        pool = transport._pool  # type: ignore[attr-defined]  # noqa: SLF001
        pool._network_backend = _Backend(pool._network_backend, rule)  # noqa: SLF001
    return client


def timeout(deadline: Deadline) -> httpx.Timeout:
    """Return what httpx may wait for, when all has to be there by a deadline."""
    left = max(deadline.left, 0.001)
    return httpx.Timeout(left, connect=min(left, _CONNECT_TIMEOUT), pool=None)


def read_body(
    response: httpx.Response,
    most: int,
    keep: Callable[[bytes], None] | None = None,
    *,
    is_whole: Callable[[bytes], bool] = lambda _: False,
    closing: bytes = b"",
) -> bytes:
    """Return the body, read piece by piece so that neither its size nor its slowness can hurt.

    `most`: bytes. `keep` is given each piece; where it cannot keep it (OSError), the body is read all the same.
    `is_whole` is asked of what has come where its end does not: gateways lose it, or leave the connection open. Of a
    body that ends with `closing`, blanks aside, it is asked when these bytes have come, else when nothing more does.

    Raises:
        Failed: it is too large.
        httpx.HTTPError: it does not come, or not in time.
    """
    read = io.BytesIO()  # large images would be in memory twice when a list of pieces is joined
    ends = "content-length" in response.headers or "transfer-encoding" in response.headers  # else with the connection
    try:
        for chunk in response.iter_raw():
            if read.tell() + len(chunk) > most:
                raise Failed(
                    ApiError(f"the answer is larger than {most >> 20} MiB"),
                    Billing.NEVER_AGAIN,
                    may_be_billed=True,
                )
            read.write(chunk)
            if keep:
                with contextlib.suppress(OSError):  # which is said when the image is saved
                    keep(chunk)
            if not ends and closing and chunk.rstrip().endswith(closing) and is_whole(read.getvalue()):
                break
    except httpx.HTTPError:
        if not is_whole(read.getvalue()):
            raise
    return read.getvalue()


def is_no_http(error: httpx.HTTPError) -> bool:
    """Whether an answer came that is not in HTTP's form. The next one will be no better."""
    return isinstance(error, httpx.RemoteProtocolError) and not _CUT.search(str(error))


def said(error: httpx.HTTPError) -> str:
    """Return what went wrong, without addresses: they may hold a signature."""
    if is_no_http(error):
        return f"not in HTTP's form: {_QUOTED.split(str(error))[0]}"
    kinds: dict[type[httpx.HTTPError], str] = {
        httpx.ConnectTimeout: "no connection in time",
        httpx.ReadTimeout: "no answer in time",
        httpx.RemoteProtocolError: "the connection was cut",
    }
    return kinds.get(
        type(error),
        f"{type(error).__name__}: {error}" if isinstance(error, httpx.ConnectError) else type(error).__name__,
    )


class _Backend(httpcore.NetworkBackend):
    def __init__(self, inner: httpcore.NetworkBackend, allowed: Callable[[str], bool] | None) -> None:
        self._inner = inner
        self._allowed = allowed

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.NetworkStream:
        """Connect to a host by an address that was looked at, and by no other."""
        error: Exception | None = None
        for address in [host] if self._allowed is None or self._allowed(host) else _public_addresses(host, port):
            try:
                stream = self._inner.connect_tcp(address, port, _left(timeout), local_address, socket_options)
                return _Stream(stream)
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as failed:
                error = failed
        raise error or httpcore.ConnectError(f"{host} has no address")

    def sleep(self, seconds: float) -> None:
        self._inner.sleep(seconds)


class _Stream(httpcore.NetworkStream):
    def __init__(self, inner: httpcore.NetworkStream) -> None:
        self._inner = inner

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        try:
            return self._inner.read(max_bytes, _left(timeout, httpcore.ReadTimeout))
        except httpcore.ReadTimeout:
            if not _may_be_late():
                raise
        return self._inner.read(max_bytes, _AT_ONCE)

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._inner.write(buffer, _left(timeout, httpcore.WriteTimeout))

    def close(self) -> None:
        self._inner.close()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        return _Stream(self._inner.start_tls(ssl_context, server_hostname, _left(timeout)))

    def get_extra_info(self, info: str) -> Any:
        return self._inner.get_extra_info(info)


def _left(timeout: float | None, error: type[Exception] = httpcore.ConnectTimeout) -> float | None:
    """Return the seconds that an operation may take: the timeout, but never more than is left to the deadline."""
    deadline: Deadline | None = getattr(_current, "deadline", None)
    if deadline is None:
        return timeout
    if not deadline.left:
        raise error("the time for this image is over")
    return deadline.left if timeout is None else min(timeout, deadline.left)


def _may_be_late() -> bool:
    """Whether what is there may be read though the deadline is over: this process was stopped, say, and it is paid for.

    The deadline's clock runs on while a process is stopped or its machine sleeps; the server has answered meanwhile.
    """
    deadline: Deadline | None = getattr(_current, "deadline", None)
    if deadline is None or deadline.left:
        return False
    if _current.last is None:
        _current.last = Deadline.after(_LATE)
    return bool(_current.last.left)


def _public_addresses(host: str, port: int) -> list[str]:
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise httpcore.ConnectError(str(error)) from error
    addresses = [str(entry[4][0]) for entry in found]
    if not all(is_public(address) for address in addresses):
        raise PrivateAddressError(host)
    return addresses


class PrivateAddressError(httpcore.UnsupportedProtocol):
    """A host that an answer named is on a private network: not asked, however often."""

    def __init__(self, host: str) -> None:
        super().__init__(f"{host} is not on the public internet")
