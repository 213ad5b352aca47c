"""The connections of the API client and of downloads: bound by deadlines, and kept away from private addresses.

httpx' timeouts are for single reads, so a server that sends a byte a second never exceeds them; and httpx resolves host
names itself, after any check. Both are settled in a network backend of httpcore, which makes and reads the sockets.
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
from urllib.request import getproxies, proxy_bypass

import httpcore
import httpx

from mkdocs_qhaigc import __version__
from mkdocs_qhaigc.api.retry import Billing, Deadline, Failed
from mkdocs_qhaigc.api.ssrf import is_public
from mkdocs_qhaigc.errors import ApiError

_CONNECT_TIMEOUT = 15.0
_POOL: dict[str, Any] = {"max_connections": None, "max_keepalive_connections": 64, "keepalive_expiry": 5.0}
"""Limits of a connection pool; the expiry of idle connections in seconds, as httpx has it."""
_CUT = re.compile("disconnected|closed connection|ConnectionClosed")
"""In messages of httpcore and h11 about a connection that ended too early."""
_QUOTED = re.compile(r": b(?:ytearray\(b)?['\"]")
"""Where h11 begins to quote what it could not read."""
_GRACE = 2.0
"""Seconds after the first moment past a deadline in which this process runs: what has arrived by then is read."""
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


def open_client(
    tls: ssl.SSLContext,
    *,
    use_proxies: bool,
    headers: Mapping[str, str] = MappingProxyType({}),
    allowed: Callable[[str], bool] | None = None,
) -> httpx.Client:
    """Return an HTTP client whose connections keep to deadlines (see `within`).

    Args:
        use_proxies: use the proxies that the environment names. Those may be at any address.
        allowed: whether a host may be at a private address. `None` allows it to all.

    Raises:
        ValueError: a proxy's address cannot be used. ImportError: its protocol needs another package.
    """
    agent = {"User-Agent": f"mkdocs-qhaigc/{__version__}", "Accept-Encoding": "identity"}
    transport = _Transport(tls, use_proxies=use_proxies, allowed=allowed)
    return httpx.Client(headers={**agent, **headers}, transport=transport, trust_env=False)


def timeout(deadline: Deadline) -> httpx.Timeout:
    """Return httpx' timeouts for a request that must end by a deadline."""
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
    """Return the body, read piece by piece, so that neither its size nor its slowness does harm.

    Args:
        most: bytes.
        keep: gets each piece. If it cannot keep one (OSError), the body is read all the same.
        is_whole: whether the bytes so far are the whole body: gateways lose its end, or leave the connection open.
        closing: the last bytes of a body, blanks aside. When they arrive, `is_whole` is asked; without them, when
            nothing more arrives.

    Raises:
        Failed: it is too large.
        httpx.HTTPError: it does not arrive, or not in time.
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
                with contextlib.suppress(OSError):  # reported when the image is saved
                    keep(chunk)
            if not ends and closing and chunk.rstrip().endswith(closing) and is_whole(read.getvalue()):
                break
    except httpx.HTTPError:
        if not is_whole(read.getvalue()):
            raise
    return read.getvalue()


def is_no_http(error: httpx.HTTPError) -> bool:
    """Whether the response was not in HTTP's form. The next one will be no better."""
    return isinstance(error, httpx.RemoteProtocolError) and not _CUT.search(str(error))


def describe(error: httpx.HTTPError) -> str:
    """Return what went wrong, without URLs: they may hold a signature."""
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


class _Transport(httpx.BaseTransport):
    """Sends requests through connection pools of httpcore, which take our network backend."""

    def __init__(self, tls: ssl.SSLContext, *, use_proxies: bool, allowed: Callable[[str], bool] | None) -> None:
        self._direct = httpcore.ConnectionPool(tls, network_backend=_Backend(allowed), **_POOL)
        proxies = getproxies() if use_proxies else {}
        self._proxies = {
            scheme: _proxy_pool(proxies[scheme], tls) for scheme in ("http", "https", "all") if proxies.get(scheme)
        }

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Send a request; return its response, the body of which is still to be read."""
        assert isinstance(request.stream, httpx.SyncByteStream)
        url = request.url
        target = httpcore.URL(scheme=url.raw_scheme, host=url.raw_host, port=url.port, target=url.raw_path)
        with _httpx_errors():
            response = self._pool(url).handle_request(
                httpcore.Request(
                    request.method,
                    target,
                    headers=request.headers.raw,
                    content=request.stream,
                    extensions=request.extensions,
                )
            )
        assert isinstance(response.stream, Iterable)
        return httpx.Response(
            response.status, headers=response.headers, stream=_Body(response), extensions=response.extensions
        )

    def close(self) -> None:
        """Close all connections."""
        for pool in (self._direct, *self._proxies.values()):
            pool.close()

    def _pool(self, url: httpx.URL) -> httpcore.ConnectionPool:
        proxy = self._proxies.get(url.scheme) or self._proxies.get("all")
        return self._direct if proxy is None or proxy_bypass(url.host) else proxy


def _proxy_pool(address: str, tls: ssl.SSLContext) -> httpcore.ConnectionPool:
    """Return the connections by way of a proxy."""
    proxy = httpx.Proxy(address if "://" in address else f"http://{address}")
    host = proxy.url
    url = httpcore.URL(scheme=host.raw_scheme, host=host.raw_host, port=host.port, target=host.raw_path)
    settings: dict[str, Any] = {
        "proxy_auth": proxy.raw_auth,
        "ssl_context": tls,
        "network_backend": _Backend(None),
        **_POOL,
    }
    if host.scheme in ("http", "https"):
        return httpcore.HTTPProxy(url, proxy_headers=proxy.headers.raw, **settings)
    try:
        return httpcore.SOCKSProxy(url, **settings)
    except (ImportError, RuntimeError) as error:
        raise ImportError("a SOCKS proxy needs the package socksio: pip install socksio") from error


class _Body(httpx.SyncByteStream):
    """The body of a response, as it arrives."""

    def __init__(self, response: httpcore.Response) -> None:
        self._response = response

    def __iter__(self) -> Iterator[bytes]:
        with _httpx_errors():
            yield from self._response.iter_stream()

    def close(self) -> None:
        """Give the connection back."""
        self._response.close()


@contextlib.contextmanager
def _httpx_errors() -> Iterator[None]:
    """Raise httpcore's errors as those of the same name that httpx has."""
    try:
        yield
    except (
        httpcore.TimeoutException,
        httpcore.NetworkError,
        httpcore.ProtocolError,
        httpcore.ProxyError,
        httpcore.UnsupportedProtocol,
    ) as error:
        names = (kind.__name__ for kind in type(error).__mro__ if kind.__module__.startswith("httpcore"))
        kind: type[httpx.TransportError] = getattr(httpx, next(names))
        raise kind(str(error)) from error


class _Backend(httpcore.NetworkBackend):
    """Makes connections: to allowed addresses only, and never past the current deadline."""

    def __init__(self, allowed: Callable[[str], bool] | None) -> None:
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
        """Connect to a host by an address that was checked, and by no other."""
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
            if not _is_within_grace():
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
    """Return the seconds that an operation may take: its timeout, but never more than the deadline leaves."""
    deadline: Deadline | None = getattr(_current, "deadline", None)
    if deadline is None:
        return timeout
    if not deadline.left:
        raise error("the time for this image is over")
    return deadline.left if timeout is None else min(timeout, deadline.left)


def _is_within_grace() -> bool:
    """Whether what has arrived may be read although the deadline is over.

    The deadline's clock runs on while a process is stopped or its machine sleeps; meanwhile the server has answered,
    and billed.
    """
    deadline: Deadline | None = getattr(_current, "deadline", None)
    if deadline is None or deadline.left:
        return False
    if _current.last is None:
        _current.last = Deadline.after(_GRACE)
    return bool(_current.last.left)


def _public_addresses(host: str, port: int) -> list[str]:
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise httpcore.ConnectError(str(error)) from error
    addresses = [str(entry[4][0]) for entry in found]
    if not all(is_public(address) for address in addresses):
        raise httpcore.UnsupportedProtocol(f"{host} is not on the public internet")
    return addresses
