"""The client of an OpenAI-compatible Images API: `POST {base_url}/images/generations`.

With `fetching.py` and `transport.py`, the owner of httpx. The key goes to the configured address alone.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Callable
from dataclasses import replace
from typing import Any, Protocol

import httpx

from mkdocs_qhaigc.api.bodies import LARGEST_BODY, is_whole, unpacked
from mkdocs_qhaigc.api.download import Fetcher
from mkdocs_qhaigc.api.response import Answer, ServerError, read_answers, read_error
from mkdocs_qhaigc.api.retry import Billing, Deadline, Failed, RateLimiter, retry, retry_after
from mkdocs_qhaigc.api.transport import connections, is_no_http, read_body, said, timeout, within
from mkdocs_qhaigc.directives.request import ImageRequest
from mkdocs_qhaigc.errors import ApiError, GenerationStopped, TooManyPerCall

SANDBOX_HEADER = "x-qhaigc-sandbox"
"""Sent by sandbox servers with every answer."""
_SHORTEST_SECRET = 8
"""Characters of a key."""
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
    """Where the body of a successful answer is kept while it arrives. Its methods raise OSError."""

    def begin(self) -> None:
        """The body of an answer follows."""

    def add(self, chunk: bytes) -> None:
        """Keep the next bytes."""


class Purse(Protocol):
    """What a build may still spend."""

    def take(self, images: int) -> None:
        """Set the price of so many images aside. Raises an error of this package where the budget is used up."""

    def give_back(self, images: int) -> None:
        """Put the price of so many images back: they were surely not billed."""


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
        pace: RateLimiter,
        say: Callable[[str], None],
    ) -> None:
        """`sandboxed`: whether images are kept as a sandbox's. `say` is told of calls that may be billed twice."""
        logging.getLogger("httpx").setLevel(logging.WARNING)  # its INFO prints whole addresses, signatures included
        self._base_url = base_url
        self._secret = "" if len(api_key) < _SHORTEST_SECRET else api_key
        """What is cut out of every message: a server may repeat the key. Shorter ones are words like any other."""
        self._retries = retries
        self._response_format = response_format
        self._sandboxed = sandboxed
        self._pace = pace
        self._say = say
        tls = httpx.create_ssl_context()  # one for both: reading the certificates takes longer than all the rest
        keyed = {"Authorization": f"Bearer {api_key}"}
        self._api = connections(tls, sandboxed=sandboxed, headers=keyed)
        own_host = (httpx.URL(base_url).host or "").lower()
        self.images = Fetcher(
            own_host=own_host, tls=tls, sandboxed=sandboxed, retries=retries, pace=pace, say=self._tell
        )
        """What fetches the images that answers name."""

    def __repr__(self) -> str:
        return f"ImagesClient({self._base_url!r})"

    def close(self) -> None:
        """Close all connections."""
        self._api.close()
        self.images.close()

    def generate(
        self,
        request: ImageRequest,
        *,
        deadline: Deadline,
        purse: Purse,
        keeper: ResponseSink | None = None,
        asked: Callable[[], None] = lambda: None,
        n: int = 1,
    ) -> list[Answer]:
        """Ask for `n` images of one request; one call where nothing fails. `asked` is called before each call.

        A call for several that may have been billed is not made again: it would cost more than was agreed to.

        Raises:
            TooManyPerCall: the API turns the call down, and may take one for a single image.
            ApiError: there is no image; its kind says whether it is worth asking for others.
        """

        def attempt() -> list[Answer]:
            purse.take(n)
            try:
                return self._post(request, n, deadline, keeper, asked)
            except Failed as failed:
                if not failed.may_be_billed:
                    purse.give_back(n)
                raise

        return retry(
            attempt,
            retries=self._retries,
            deadline=deadline,
            pace=self._pace,
            say=self._tell,
            repeat_billed=1 if n == 1 else 0,
        )

    def redacted(self, body: bytes) -> bytes:
        """Return a body without the key, which a server may repeat."""
        return body.replace(self._secret.encode(), b"[key]") if self._secret else body

    def _post(
        self, request: ImageRequest, n: int, deadline: Deadline, keeper: ResponseSink | None, asked: Callable[[], None]
    ) -> list[Answer]:
        body: dict[str, Any] = {
            "model": request.model,
            "prompt": request.prompt,
            "size": request.size,
            "n": n,
        }
        if self._response_format != "none":
            body["response_format"] = self._response_format
        body |= request.params
        asked()
        status, headers, content = self._exchange(body, n, request.variant, deadline, keeper)
        if status >= 400 and "response_format" in body:
            refused = read_error(status, headers.get("content-type", ""), content)
            if status == 400 and "response_format" in (refused.param, *refused.message.replace("'", " ").split()):
                self._response_format = "none"
                del body["response_format"]
                asked()
                status, headers, content = self._exchange(body, n, request.variant, deadline, keeper)
        if self._sandboxed != (SANDBOX_HEADER in headers):
            raise Failed(GenerationStopped(self._sandbox_mismatch()), Billing.NEVER_AGAIN, may_be_billed=status < 400)
        media_type = headers.get("content-type", "")
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

    def _exchange(
        self, body: dict[str, Any], n: int, variant: int, deadline: Deadline, keeper: ResponseSink | None
    ) -> tuple[int, httpx.Headers, bytes]:
        content = json.dumps(body, ensure_ascii=False).encode()
        headers = {"Content-Type": "application/json", "Accept": "application/json"}
        if self._sandboxed:
            headers["X-Qhaigc-Variant"] = str(variant)
        try:
            with (
                within(deadline),
                self._api.stream(
                    "POST",
                    f"{self._base_url}/images/generations",
                    content=content,
                    headers=headers,
                    timeout=timeout(deadline),
                ) as response,
            ):
                keep = _begun(keeper) if response.is_success else None
                body_read = read_body(response, n * LARGEST_BODY, keep, is_whole=is_whole, closing=b"}")
                return response.status_code, response.headers, unpacked(body_read, n * LARGEST_BODY)
        except _NO_CONNECTION as error:
            advice = "Check the network and `base_url`"
            if "CERTIFICATE_VERIFY_FAILED" in str(error):  # companies' proxies sign for everyone
                advice += "; certificates that only your network trusts go into a file that SSL_CERT_FILE names"
            what = f"the API at {self._base_url} cannot be reached ({said(error)}). {advice}"
            raise Failed(GenerationStopped(what), Billing.NO) from error
        except httpx.HTTPError as error:
            if is_no_http(error):
                what = f"the API's answer cannot be read ({said(error)}). Look at the gateway or proxy before it"
                raise Failed(ApiError(what), Billing.NEVER_AGAIN, may_be_billed=True) from error
            raise Failed(ApiError(f"the API did not answer ({said(error)})"), Billing.PERHAPS) from error

    def _too_many(self, error: ServerError) -> Failed:
        """Return the failure of a call for several images whose fields the API does not take: `n`, or any other."""
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

    def _sandbox_mismatch(self) -> str:
        if self._sandboxed:
            return f"{self._base_url} is no sandbox server. Its address must not begin with /sandbox/"
        return f"{self._base_url} is a sandbox server. Use the address that it prints, or base_url: sandbox"

    def _tell(self, message: str) -> None:
        self._say(self._redacted(message))

    def _redacted(self, text: str) -> str:
        return text.replace(self._secret, "[key]") if self._secret else text


def _begun(keeper: ResponseSink | None) -> Callable[[bytes], None] | None:
    """Return what keeps the body that follows; None where nothing can be written, which is said later."""
    try:
        if keeper:
            keeper.begin()
            return keeper.add
    except OSError:
        return None
    return None
