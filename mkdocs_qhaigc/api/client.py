"""Client of an OpenAI-compatible Images API: `POST {base_url}/images/generations`.

The key is sent to the configured address only.
"""

from __future__ import annotations

import json
import logging
import threading
from collections.abc import Callable
from dataclasses import replace
from typing import Any, Protocol

import httpx

from mkdocs_qhaigc.api.content_coding import codings_in, decoded, require_decoded
from mkdocs_qhaigc.api.download import Downloader
from mkdocs_qhaigc.api.network_backend import within
from mkdocs_qhaigc.api.proxies_and_certificates import NO_PROXIES, create_tls_context, read_proxies
from mkdocs_qhaigc.api.response import LARGEST_BODY, Answer, ServerError, is_whole, read_answers, read_error
from mkdocs_qhaigc.api.retry import Billing, Deadline, Failed, retry_after
from mkdocs_qhaigc.api.transport import describe, is_no_http, open_client, read_body, timeout
from mkdocs_qhaigc.directives.request import ImageRequest
from mkdocs_qhaigc.errors import AnswerUnreadable, ApiError, GenerationStopped, TooManyPerCall

SANDBOX_HEADER = "x-qhaigc-sandbox"
"""Sent by sandbox servers with every answer."""
_SHORTEST_SECRET = 8
"""Characters."""
_NEVER_AGAIN = frozenset((400, 401, 402, 403, 404, 405, 413, 414, 415, 422, 451))
_NOT_BILLED = frozenset((429, 503))
_NO_CONNECTION = (
    httpx.ConnectError,
    httpx.ConnectTimeout,
    httpx.PoolTimeout,
    httpx.ProxyError,
    httpx.UnsupportedProtocol,
)


class ResponseSink(Protocol):
    """A place where the body of a successful response is kept while it arrives. Its methods raise OSError."""

    def begin(self, codings: tuple[str, ...]) -> None:
        """Start anew: the body of a response follows, in these content codings."""

    def add(self, chunk: bytes) -> None:
        """Keep the next bytes."""


class ImagesClient:
    """Calls one API with one key. Safe to use from several threads."""

    def __init__(
        self,
        *,
        base_url: str,
        api_key: str,
        retries: int,
        response_format: str,
        sandboxed: bool,
        stopped: threading.Event,
    ) -> None:
        """Prepare connections.

        Args:
            retries: further attempts of a download. Calls are repeated by the caller.
            sandboxed: whether the API must be a sandbox server, which is reached without a proxy.
            stopped: an event that ends every wait.

        Raises:
            GenerationStopped: no connection to `base_url` can be made.
        """
        logging.getLogger("httpx").setLevel(logging.WARNING)  # its INFO prints whole addresses, signatures included
        self._base_url = base_url
        self._secret = "" if len(api_key) < _SHORTEST_SECRET else api_key
        """Removed from every message: a server may repeat the key. Empty for a key that is too short to be secret."""
        self._response_format = response_format
        self._sandboxed = sandboxed
        try:
            self._url = httpx.URL(base_url)
            # one for both clients: reading the certificates is slow
            tls = None if sandboxed and self._url.scheme == "http" else create_tls_context()
        except httpx.InvalidURL as error:
            raise GenerationStopped("`base_url` is an address to which nobody can connect. Correct it") from error
        except OSError as error:
            raise GenerationStopped(
                f"the certificates of certifi cannot be read ({error}). Install it again"
            ) from error
        self._proxies = NO_PROXIES if sandboxed else read_proxies()
        self._http = open_client(tls, proxies=self._proxies, headers={"Authorization": f"Bearer {api_key}"})
        self._downloader = Downloader(
            own_host=self._url.host.lower(), tls=tls, proxies=self._proxies, retries=retries, stopped=stopped
        )

    def __repr__(self) -> str:
        return f"ImagesClient({self._base_url!r})"

    def close(self) -> None:
        """Close all connections."""
        self._http.close()
        self._downloader.close()

    def download(self, url: str, *, deadline: Deadline) -> bytes:
        """Return the bytes of an image that a response named. Raises as `Downloader.download`."""
        return self._downloader.download(url, deadline=deadline)

    def generate(
        self, request: ImageRequest, *, n: int, deadline: Deadline, sink: ResponseSink | None = None
    ) -> list[Answer]:
        """Call the API once for `n` images of one request; call again without `response_format` if it rejects that.

        Raises:
            Failed: this attempt failed. Its error is `TooManyPerCall` if the API rejects the call, but may accept one
                for a single image.
        """
        body: dict[str, Any] = {
            "model": request.model,
            "prompt": request.prompt,
            "size": request.size,
            "n": n,
        }
        if self._response_format != "none":
            body["response_format"] = self._response_format
        body |= request.params
        status, headers, content = self._exchange(body, n, request.variant, deadline, sink)
        if status >= 400 and "response_format" in body:
            refused = read_error(status, headers.get("content-type", ""), content)
            if status == 400 and "response_format" in (refused.param, *refused.message.replace("'", " ").split()):
                self._response_format = "none"
                del body["response_format"]
                status, headers, content = self._exchange(body, n, request.variant, deadline, sink)
        if self._sandboxed != (SANDBOX_HEADER in headers):
            raise Failed(GenerationStopped(self._sandbox_mismatch()), Billing.NEVER_AGAIN, may_be_billed=status < 400)
        media_type = _described_type(headers)
        if 300 <= status < 400 and "location" in headers:
            raise Failed(GenerationStopped(self._redacted(self._redirection(status, headers))), Billing.NEVER_AGAIN)
        if status >= 300:
            error = read_error(status, media_type, self.redacted(content))
            raise self._too_many(error) if n > 1 and error.invalid else self._failed(error, headers)
        try:
            answers = read_answers(content, status=status, media_type=media_type, base_url=self._base_url)
            return [
                replace(answer, revised_prompt=answer.revised_prompt and self._redacted(answer.revised_prompt))
                for answer in answers
            ]
        except (ApiError, GenerationStopped) as wrong:
            wrong.args = (self._redacted(str(wrong)),)
            raise Failed(wrong, Billing.NEVER_AGAIN, may_be_billed=isinstance(wrong, ApiError)) from wrong

    def redacted(self, body: bytes) -> bytes:
        """Return a body without the key, which a server may repeat."""
        return body.replace(self._secret.encode(), b"[key]") if self._secret else body

    def _exchange(
        self, body: dict[str, Any], n: int, variant: int, deadline: Deadline, sink: ResponseSink | None
    ) -> tuple[int, httpx.Headers, bytes]:
        content = json.dumps(body, ensure_ascii=False).encode()
        headers = {"Content-Type": "application/json", "Accept": "application/json"}
        if self._sandboxed:
            headers["X-Qhaigc-Variant"] = str(variant)
        try:
            with (
                within(deadline),
                self._http.stream(
                    "POST",
                    f"{self._base_url}/images/generations",
                    content=content,
                    headers=headers,
                    timeout=timeout(deadline),
                ) as response,
            ):
                codings, most = codings_in(response.headers.get("content-encoding", "")), n * LARGEST_BODY
                keep = _begin(sink, codings) if response.is_success else None
                body_read = read_body(
                    response,
                    most,
                    keep,
                    is_whole=lambda begun: is_whole(decoded(begun, codings, most)),
                    closing=b"}",
                )
                answer = decoded(body_read, codings, most)
                if response.is_success:
                    require_decoded(answer, codings)
                return response.status_code, response.headers, answer
        except AnswerUnreadable as error:
            raise Failed(error, Billing.NEVER_AGAIN, may_be_billed=True) from error
        except _NO_CONNECTION as error:
            proxied = self._proxies.is_used_for(self._url)
            advice = f"Check the network{', the proxy that the environment names,' if proxied else ''} and `base_url`"
            if "CERTIFICATE_VERIFY_FAILED" in str(error):  # a company's proxy signs with its own
                advice += "; certificates that only your network trusts go into a file that SSL_CERT_FILE names"
            what = f"the API at {self._base_url} cannot be reached ({describe(error)}). {advice}"
            raise Failed(GenerationStopped(what), Billing.NO) from error
        except httpx.HTTPError as error:
            if is_no_http(error):
                what = f"the API's answer cannot be read ({describe(error)}). Look at the gateway or proxy before it"
                raise Failed(ApiError(what), Billing.NEVER_AGAIN, may_be_billed=True) from error
            raise Failed(ApiError(f"the API did not answer ({describe(error)})"), Billing.PERHAPS) from error

    def _too_many(self, error: ServerError) -> Failed:
        """Return the failure of a call for several images of which the API rejects a field: `n`, or another."""
        return Failed(TooManyPerCall(self._redacted(f"the API answered {error}")), Billing.NEVER_AGAIN)

    def _failed(self, error: ServerError, headers: httpx.Headers) -> Failed:
        wish = retry_after(headers)
        advice = headers.get("x-should-retry", "").lower()
        exception = error.as_exception()
        exception.args = (self._redacted(str(exception)),)
        if error.refused or error.account or error.status in _NEVER_AGAIN or error.status < 400 or advice == "false":
            return Failed(exception, Billing.NEVER_AGAIN, may_be_billed=error.refused or error.status >= 500)
        if error.status in _NOT_BILLED:
            return Failed(exception, Billing.NO, retry_after=wish, slow_all=True)
        retried = error.status >= 500 or error.status in (408, 409) or advice == "true"
        return Failed(exception, Billing.PERHAPS if retried else Billing.NEVER_AGAIN, retry_after=wish)

    def _redirection(self, status: int, headers: httpx.Headers) -> str:
        """Return what a redirection means. None is followed: the key and the prompt are for the configured address."""
        said = f"the API at {self._base_url} answered {status}"
        try:
            target = self._url.copy_with(path=f"{self._url.path}/images/generations").join(headers["location"])
        except httpx.InvalidURL:
            return f"{said}, a redirection to no address. Check `base_url`"
        named = target.copy_with(username=None, password=None, query=None, fragment=None)
        said += f", a redirection to {named}, which is not followed: the key is for the configured address only"
        if self._url.scheme == "https" and target.scheme != "https":
            return f"{said}, and that one is not https. Check `base_url`"
        base = str(named).removesuffix("/images/generations")
        if base != str(named) and base != self._base_url:
            return f"{said}. If that is the API's new address, write `base_url: {base}`"
        return f"{said}. Check `base_url`"

    def _sandbox_mismatch(self) -> str:
        if self._sandboxed:
            return f"{self._base_url} is no sandbox server. Its address must not begin with /sandbox/"
        return f"{self._base_url} is a sandbox server. Use the address that it prints, or base_url: sandbox"

    def _redacted(self, text: str) -> str:
        return text.replace(self._secret, "[key]") if self._secret else text


def _described_type(headers: httpx.Headers) -> str:
    """Return the media type of a response, with its content codings."""
    media_type = headers.get("content-type", "").partition(";")[0]
    codings = codings_in(headers.get("content-encoding", ""))
    return f"{media_type or 'no media type'} in {', '.join(codings)}" if codings else media_type


def _begin(sink: ResponseSink | None, codings: tuple[str, ...]) -> Callable[[bytes], None] | None:
    """Return the function that keeps the body that follows; `None` if it cannot be kept, which is reported later."""
    try:
        if sink:
            sink.begin(codings)
            return sink.add
    except OSError:
        return None
    return None
