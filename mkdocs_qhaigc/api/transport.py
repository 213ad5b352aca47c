"""HTTP for the API client and for downloads: clients over our network backend, whole bodies, and words for errors."""

from __future__ import annotations

import contextlib
import io
import re
import ssl
from collections.abc import Callable, Iterable, Iterator, Mapping
from types import MappingProxyType
from typing import Any

import httpcore
import httpx

from mkdocs_qhaigc import __version__
from mkdocs_qhaigc.api.network_backend import NetworkBackend
from mkdocs_qhaigc.api.proxies_and_certificates import Proxies
from mkdocs_qhaigc.api.retry import Billing, Deadline, Failed
from mkdocs_qhaigc.errors import ApiError

_CONNECT_TIMEOUT = 15.0
_POOL: dict[str, Any] = {"max_connections": None, "max_keepalive_connections": 64, "keepalive_expiry": 5.0}
"""Limits of a connection pool; the expiry of idle connections in seconds, as httpx has it."""
_CUT = re.compile("disconnected|closed connection|ConnectionClosed")
"""Matches messages of httpcore and h11 about a connection that ended too early."""
_QUOTED = re.compile(r": b(?:ytearray\(b)?['\"]")
"""Matches the beginning of h11's quotation of bytes that it could not read."""


def open_client(
    tls: ssl.SSLContext | None,
    *,
    proxies: Proxies,
    headers: Mapping[str, str] = MappingProxyType({}),
    allowed: Callable[[str], bool] | None = None,
) -> httpx.Client:
    """Return an HTTP client whose connections end at deadlines (see `network_backend.within`).

    Args:
        tls: how servers are checked; `None` for a client that connects to no address with https.
        proxies: a proxy may have any address.
        allowed: whether a host may have a private address. `None` allows it to every host.
    """
    agent = {"User-Agent": f"mkdocs-qhaigc/{__version__}", "Accept-Encoding": "identity"}
    transport = _Transport(tls, proxies=proxies, allowed=allowed)
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
    """Return the body, read piece by piece: reading stops when it is too large.

    Args:
        most: bytes.
        keep: gets each piece. If it cannot keep one (OSError), the body is read nevertheless.
        is_whole: whether the bytes so far are the whole body: some gateways lose its end, or leave the connection open.
        closing: the last bytes of a body, apart from white space. `is_whole` is called when they arrive, and when
            nothing more arrives.

    Raises:
        Failed: it is too large.
        httpx.HTTPError: it does not arrive, or not in time.
    """
    read = io.BytesIO()  # to join a list of pieces would need twice the memory
    ends = (
        "content-length" in response.headers or "transfer-encoding" in response.headers
    )  # else when the connection ends
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


def redirection_target(url: httpx.URL, location: str) -> httpx.URL:
    """Return where a redirection of a URL leads, for messages: without what may be secret.

    Raises:
        httpx.InvalidURL: it leads nowhere.
    """
    return url.join(location).copy_with(username=None, password=None, query=None, fragment=None)


def is_no_http(error: httpx.HTTPError) -> bool:
    """Whether the response was not HTTP. The next one will not be, either."""
    return isinstance(error, httpx.RemoteProtocolError) and not _CUT.search(str(error))


def describe(error: httpx.HTTPError) -> str:
    """Return what went wrong, without URLs, which may contain a signature."""
    if is_no_http(error):
        return f"not in HTTP's form: {_QUOTED.split(str(error))[0]}"
    kinds: dict[type[httpx.HTTPError], str] = {
        httpx.ConnectTimeout: "no connection in time",
        httpx.ReadTimeout: "no answer in time",
        httpx.WriteTimeout: "the request could not be sent in time",
        httpx.RemoteProtocolError: "the connection was cut",
        httpx.ProxyError: f"the proxy refuses: {error}",
        httpx.TransportError: str(error),
    }
    return kinds.get(
        type(error),
        f"{type(error).__name__}: {error}" if isinstance(error, httpx.ConnectError) else type(error).__name__,
    )


class _Transport(httpx.BaseTransport):
    """Sends requests through httpcore's connection pools, which accept a network backend of our own."""

    def __init__(self, tls: ssl.SSLContext | None, *, proxies: Proxies, allowed: Callable[[str], bool] | None) -> None:
        self._direct = httpcore.ConnectionPool(tls, network_backend=NetworkBackend(allowed), **_POOL)
        self._proxies = proxies
        self._pools = {scheme: _proxy_pool(proxy, tls) for scheme, proxy in proxies.by_scheme.items()}

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Send a request; return its response, whose body is still to be read."""
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
        for pool in (self._direct, *self._pools.values()):
            pool.close()

    def _pool(self, url: httpx.URL) -> httpcore.ConnectionPool:
        return self._pools[url.scheme] if self._proxies.is_used_for(url) else self._direct


def _proxy_pool(proxy: httpx.Proxy, tls: ssl.SSLContext | None) -> httpcore.ConnectionPool:
    """Return the connection pool that uses a proxy."""
    host = proxy.url
    url = httpcore.URL(scheme=host.raw_scheme, host=host.raw_host, port=host.port, target=host.raw_path)
    settings: dict[str, Any] = {
        "proxy_auth": proxy.raw_auth,
        "ssl_context": tls,
        "network_backend": NetworkBackend(None),
        **_POOL,
    }
    if host.scheme not in ("http", "https"):
        return httpcore.SOCKSProxy(url, **settings)
    own_tls = tls if host.scheme == "https" else None
    return httpcore.HTTPProxy(url, proxy_headers=proxy.headers.raw, proxy_ssl_context=own_tls, **settings)


class _Body(httpx.SyncByteStream):
    """The body of a response, read as it arrives."""

    def __init__(self, response: httpcore.Response) -> None:
        self._response = response

    def __iter__(self) -> Iterator[bytes]:
        with _httpx_errors():
            yield from self._response.iter_stream()

    def close(self) -> None:
        """Return the connection to its pool."""
        self._response.close()


@contextlib.contextmanager
def _httpx_errors() -> Iterator[None]:
    """Raise httpcore's errors as httpx's errors of the same names, and all that it lets through as another one."""
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
    except Exception as error:  # for example what answers at the address of a SOCKS proxy, and speaks no SOCKS
        raise httpx.TransportError(f"the connection failed with {type(error).__name__}") from error
