"""Downloads the images that responses name by URL: without the key, and never from a private address.

The key goes to the API's own origin alone, and only where that asks for it.
"""

from __future__ import annotations

import contextlib
import ipaddress
import ssl
import threading
from collections.abc import Mapping

import httpx

from mkdocs_qhaigc._util.loopback import is_loopback
from mkdocs_qhaigc.api.content_coding import codings_in, decoded, missing_package
from mkdocs_qhaigc.api.network_backend import within
from mkdocs_qhaigc.api.proxies_and_certificates import Proxies
from mkdocs_qhaigc.api.public_addresses import is_public
from mkdocs_qhaigc.api.retry import Billing, Deadline, Failed, RateLimiter, retry, retry_after
from mkdocs_qhaigc.api.transport import describe, open_client, read_body, timeout
from mkdocs_qhaigc.errors import ApiError, ImageError, ImageUrlExpired, ImageUrlRefused
from mkdocs_qhaigc.imaging.formats import LARGEST_IMAGE, format_of
from mkdocs_qhaigc.imaging.non_image_content import is_web_page, name_of

_MOST_REDIRECTS = 5
_THERE = frozenset((200, 203))
"""203: a proxy may have changed the image, to compress it for example; no better copy can be had."""
_WANTS_KEY = 401
_GONE = frozenset((404, 410))
"""Not 403: it may come from a firewall, and does not say that the image is gone."""


class Downloader:
    """Downloads hosted images. Safe to use from several threads."""

    def __init__(
        self,
        api: httpx.URL,
        *,
        own_headers: Mapping[str, str],
        tls: ssl.SSLContext | None,
        proxies: Proxies,
        retries: int,
        stopped: threading.Event,
    ) -> None:
        """Prepare connections.

        Args:
            api: its host may have any address; others must be public, by https.
            own_headers: sent to the API's own origin where it answers 401.
        """
        self._api = api
        self._own_host = api.host.lower()
        self._own_headers = own_headers
        self._retries = retries
        self._limiter = RateLimiter(stopped)
        self._http = open_client(tls, proxies=proxies, allowed=self._is_own_host)

    def close(self) -> None:
        """Close all connections."""
        self._http.close()

    def download(self, url: str, *, deadline: Deadline) -> bytes:
        """Return the bytes of a hosted image. To repeat a download costs nothing, so most failures are.

        Raises:
            ApiError: it cannot be downloaded; `ImageUrlExpired` if the server answers that it does not exist,
                `ImageUrlRefused` if it will never be.
        """
        url = self._reachable(url)

        def attempt() -> bytes:
            try:
                return self._get(url, deadline)
            except (httpx.UnsupportedProtocol, httpx.InvalidURL) as error:
                what = f"the image is not fetched: {str(error).rstrip('.')}"
                raise Failed(ImageUrlRefused(what), Billing.NEVER_AGAIN) from error
            except httpx.HTTPError as error:
                raise Failed(ApiError(f"the image could not be fetched ({describe(error)})"), Billing.NO) from error

        return retry(attempt, retries=self._retries, deadline=deadline, limiter=self._limiter)

    def _get(self, url: str, deadline: Deadline) -> bytes:
        headers: dict[str, str] = {}
        first = url
        for _ in range(_MOST_REDIRECTS):
            try:
                self._check_address(url)
            except ImageUrlRefused as error:  # a redirection may be of a network's login, and pass
                raise Failed(error if url == first else ApiError(str(error)), Billing.NEVER_AGAIN) from error
            try:
                data = self._get_once(url, headers, deadline)
            except httpx.UnsupportedProtocol as error:
                if url == first:
                    raise
                what = f"the image is not fetched: {str(error).rstrip('.')}"
                raise Failed(ApiError(what), Billing.NEVER_AGAIN) from error
            if isinstance(data, bytes):
                return data
            if isinstance(data, str):
                url, headers = data, {}
            elif url == first and not headers and self._is_own_origin(url):
                headers = dict(self._own_headers)
            else:
                what = "the image's address wants a key (401), and yours is for the API's own address only"
                raise Failed(ImageUrlRefused(what) if url == first else ApiError(what), Billing.NEVER_AGAIN)
        raise Failed(ApiError("the image's address redirects too often"), Billing.NEVER_AGAIN)

    def _get_once(self, url: str, headers: Mapping[str, str], deadline: Deadline) -> bytes | str | None:
        """Return the bytes at a URL, or the URL to which it redirects; `None` if it wants a key."""
        with (
            within(deadline),
            self._http.stream("GET", url, headers=headers, timeout=timeout(deadline)) as response,
        ):
            if response.next_request is not None:
                return str(response.next_request.url)
            if response.status_code == _WANTS_KEY:
                return None
            if response.status_code not in _THERE:
                raise Failed(
                    ImageUrlExpired(f"the image's address answered {response.status_code}")
                    if response.status_code in _GONE
                    else ApiError(f"the image's address answered {response.status_code}"),
                    Billing.NO,
                    retry_after=retry_after(response.headers),
                )
            data = _read(response)
            if not data or is_web_page(data):  # about maintenance, or a network's login
                what = name_of(data) if data else "no bytes"
                raise Failed(ApiError(f"the image's address answered with {what}"), Billing.NO)
            return data

    def _check_address(self, url: str) -> None:
        """Refuse a URL that a response must not name. The host's IP addresses are checked when connecting.

        Raises:
            ImageUrlRefused: it is not fetched.
        """
        parsed = httpx.URL(url)
        host = (parsed.host or "").lower()
        if self._is_own_host(host):
            return
        if parsed.scheme != "https":
            raise ImageUrlRefused(f"the image's address at {host} is not https")
        try:
            known = is_public(host)
        except ValueError:
            known = "." in host.strip(".")  # else it is a name within a network, of a container for example
        if not known:
            raise ImageUrlRefused(f"the image's address {host} is not on the internet")

    def _reachable(self, url: str) -> str:
        """Return a URL with a host to connect to, where a server on this machine names what it listens on."""
        with contextlib.suppress(httpx.InvalidURL, ValueError):
            parsed = httpx.URL(url)
            if is_loopback(self._own_host) and ipaddress.ip_address(parsed.host).is_unspecified:
                return str(parsed.copy_with(host=self._own_host))
        return url

    def _is_own_origin(self, url: str) -> bool:
        parsed = httpx.URL(url)
        return (parsed.scheme, parsed.host.lower(), parsed.port) == (self._api.scheme, self._own_host, self._api.port)

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
    from mkdocs_qhaigc.imaging.inspect_image import inspect  # nearly all end as they should

    try:
        inspect(data)
    except ImageError:
        return False
    return True
