"""Downloads the images that responses name by URL: without the key, and never from a private address."""

from __future__ import annotations

import contextlib
import re
import ssl
import threading

import httpx

from mkdocs_qhaigc.api.content_coding import codings_in, decoded, missing_package
from mkdocs_qhaigc.api.network_backend import within
from mkdocs_qhaigc.api.proxies_and_certificates import Proxies
from mkdocs_qhaigc.api.retry import Billing, Deadline, Failed, RateLimiter, retry, retry_after
from mkdocs_qhaigc.api.ssrf import is_loopback, is_public
from mkdocs_qhaigc.api.transport import describe, open_client, read_body, timeout
from mkdocs_qhaigc.errors import ApiError, ImageError, ImageUrlExpired
from mkdocs_qhaigc.imaging.formats import LARGEST_IMAGE, format_of

_MOST_REDIRECTS = 5
_THERE = frozenset((200, 203))
"""203: a proxy may have changed the image, to compress it for example; no better copy can be had."""
_WEB_PAGE = re.compile(rb"\s*<(?:!doctype html|html)\b", re.IGNORECASE)
_GONE = frozenset((404, 410))
"""Not 403: it may come from a firewall, and does not say that the image is gone."""


class Downloader:
    """Downloads hosted images. Safe to use from several threads."""

    def __init__(
        self, *, own_host: str, tls: ssl.SSLContext | None, proxies: Proxies, retries: int, stopped: threading.Event
    ) -> None:
        """Prepare connections. `own_host` is the API's and may have any address; others must be public, by https."""
        self._own_host = own_host
        self._retries = retries
        self._limiter = RateLimiter(stopped)
        self._http = open_client(tls, proxies=proxies, allowed=self._is_own_host)

    def close(self) -> None:
        """Close all connections."""
        self._http.close()

    def download(self, url: str, *, deadline: Deadline) -> bytes:
        """Return the bytes of a hosted image. To repeat a download costs nothing, so most failures are.

        Raises:
            ApiError: it cannot be downloaded; `ImageUrlExpired` if the server answers that it does not exist.
        """

        def attempt() -> bytes:
            try:
                return self._get(url, deadline)
            except (httpx.UnsupportedProtocol, httpx.InvalidURL) as error:
                raise Failed(
                    ApiError(f"the image is not fetched: {str(error).rstrip('.')}"), Billing.NEVER_AGAIN
                ) from error
            except httpx.HTTPError as error:
                raise Failed(ApiError(f"the image could not be fetched ({describe(error)})"), Billing.NO) from error

        return retry(attempt, retries=self._retries, deadline=deadline, limiter=self._limiter)

    def _get(self, url: str, deadline: Deadline) -> bytes:
        for _ in range(_MOST_REDIRECTS):
            self._check_address(url)
            with within(deadline), self._http.stream("GET", url, timeout=timeout(deadline)) as response:
                if response.next_request is not None:
                    url = str(response.next_request.url)
                    continue
                if response.status_code not in _THERE:
                    raise Failed(
                        ImageUrlExpired(f"the image's address answered {response.status_code}")
                        if response.status_code in _GONE
                        else ApiError(f"the image's address answered {response.status_code}"),
                        Billing.NO,
                        retry_after=retry_after(response.headers),
                    )
                data = _read(response)
                if not data or _WEB_PAGE.match(data):  # about maintenance, or a network's login
                    what = "a web page" if data else "no bytes"
                    raise Failed(ApiError(f"the image's address answered with {what}"), Billing.NO)
                return data
        raise Failed(ApiError("the image's address redirects too often"), Billing.NEVER_AGAIN)

    def _check_address(self, url: str) -> None:
        """Refuse a URL that a response must not name. The host's IP addresses are checked when connecting."""
        parsed = httpx.URL(url)
        host = (parsed.host or "").lower()
        if self._is_own_host(host):
            return
        if parsed.scheme != "https":
            raise Failed(ApiError(f"the image's address at {host} is not https"), Billing.NEVER_AGAIN)
        with contextlib.suppress(ValueError):
            if not is_public(host):
                raise Failed(ApiError(f"the image's address {host} is not on the internet"), Billing.NEVER_AGAIN)

    def _is_own_host(self, host: str) -> bool:
        """Whether a host is the API's, or on this machine as the API's is."""
        return host.lower() == self._own_host or (is_loopback(self._own_host) and is_loopback(host.lower()))


def _read(response: httpx.Response) -> bytes:
    """Return the bytes of an image. Storage servers send a file that was uploaded in a content coding as it is.

    Raises:
        Failed: they cannot be decoded here.
    """
    codings = codings_in(response.headers.get("content-encoding", ""))
    body = read_body(response, LARGEST_IMAGE, is_whole=lambda begun: _is_image(decoded(begun, codings, LARGEST_IMAGE)))
    data = decoded(body, codings, LARGEST_IMAGE)
    if codings and data == body and not format_of(data):
        package = missing_package(codings)
        advice = f". Install {package} (`pip install {package}`)" if package else ""
        what = f"the image came in the coding {', '.join(codings)}, which cannot be read here{advice}"
        raise Failed(ApiError(what), Billing.NEVER_AGAIN)
    return data


def _is_image(data: bytes) -> bool:
    """Whether bytes are a complete image, although the connection did not end as it should."""
    from mkdocs_qhaigc.imaging.encode import inspect  # nearly all end as they should

    try:
        inspect(data)
    except ImageError:
        return False
    return True
