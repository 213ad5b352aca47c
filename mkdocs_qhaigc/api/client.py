"""Client of an OpenAI-compatible Images API: `POST {base_url}/images/generations`, or `/images/edits`.

The key is sent to the configured address only.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType
from typing import Any, Protocol

import httpx

from mkdocs_qhaigc.api.content_coding import codings_in, decoded, require_decoded
from mkdocs_qhaigc.api.download import Downloader
from mkdocs_qhaigc.api.error_codes import says_no_such_field
from mkdocs_qhaigc.api.fit_body_to_model import fit
from mkdocs_qhaigc.api.network_backend import within
from mkdocs_qhaigc.api.proxies_and_certificates import NO_PROXIES, create_tls_context, read_proxies
from mkdocs_qhaigc.api.request_body import Body, SentImage, build_body, request_fields
from mkdocs_qhaigc.api.response import LARGEST_BODY, Answer, ServerError, is_whole, read_answers, read_error, share_task
from mkdocs_qhaigc.api.retry import Billing, Deadline, Failed, retry_after, wait_in_words
from mkdocs_qhaigc.api.task_fields import Task
from mkdocs_qhaigc.api.tasks import Tasks
from mkdocs_qhaigc.api.transport import describe, is_no_http, open_client, read_body, redirection_target, timeout
from mkdocs_qhaigc.config.choose_reference_transport import Transport
from mkdocs_qhaigc.directives.known_models import ModelTable, known_model
from mkdocs_qhaigc.directives.request import ImageRequest
from mkdocs_qhaigc.errors import (
    AnswerUnreadable,
    ApiError,
    GenerationStopped,
    PromptRejected,
    QhaigcError,
    TaskFailed,
    TooManyPerCall,
)

log = logging.getLogger(__name__)
SANDBOX_HEADER = "x-qhaigc-sandbox"
"""Sent by sandbox servers with every answer."""
_SHORTEST_SECRET = 8
"""Characters."""
_NEVER_AGAIN = frozenset((400, 401, 402, 403, 404, 405, 413, 414, 415, 422, 451))
_NOT_BILLED = frozenset((429, 503))
_MAY_BE_LEFT_OUT = ("size", "n")
"""Fields without which a call means the same, or nearly so; `n` where it is 1."""
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
        models: ModelTable,
        task_url: str,
        sandboxed: bool,
        stopped: threading.Event,
        headers: Mapping[str, str] = MappingProxyType({}),
    ) -> None:
        """Prepare connections.

        Args:
            api_key: empty for a server that takes none: then no `Authorization` is sent.
            headers: further ones, for this API only.
            retries: further attempts of a download, or of a question for a task. Calls are repeated by the caller.
            models: what the author adds to the table of known models.
            task_url: the address of a task, with `{base_url}` and `{id}`.
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
        self._models = models
        self._response_formats: dict[str, str] = {}
        """By model: the format that is asked for, where the API has rejected the option's."""
        self._left_out: set[tuple[str, str]] = set()
        """Models, each with a field that the API does not take for it: `size`, or `n`."""
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
        own = {**headers, "Authorization": f"Bearer {api_key}"} if api_key else dict(headers)
        self._http = open_client(tls, proxies=self._proxies, headers=own)
        self._tasks = Tasks(self._http, base_url=base_url, task_url=task_url, retries=retries, stopped=stopped)
        self._downloader = Downloader(
            self._url, own_headers=own, tls=tls, proxies=self._proxies, retries=retries, stopped=stopped
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
        self,
        request: ImageRequest,
        *,
        n: int,
        deadline: Deadline,
        references: Sequence[SentImage] = (),
        references_by: Transport = "json",
        sink: ResponseSink | None = None,
    ) -> list[Answer]:
        """Call the API once for `n` images of one request; call again without a field that it does not take.

        Args:
            references: the request's reference images.
            references_by: how they are sent.

        Raises:
            Failed: this attempt failed. Its error is `TooManyPerCall` if the API rejects the call, but may accept one
                for a single image.
        """
        asked = fields = self._fields(request, n)
        body = build_body(fields, references, references_by)
        status, headers, content = self._exchange(body, n, request.variant, deadline, sink)
        while status in (400, 422):
            error = read_error(status, headers.get("content-type", ""), content)
            if not (other := self._without_rejected(fields, error)):
                break
            fields = other
            body = build_body(fields, references, references_by)
            status, headers, content = self._exchange(body, n, request.variant, deadline, sink)
        if status < 300 and fields is not asked:
            self._note_accepted(request.model, fields)
        if self._sandboxed != (SANDBOX_HEADER in headers):
            raise Failed(GenerationStopped(self._sandbox_mismatch()), Billing.NEVER_AGAIN, may_be_billed=status < 400)
        media_type = _described_type(headers)
        if 300 <= status < 400 and "location" in headers:
            redirected = self._redacted(self._redirection(body.path, status, headers))
            raise Failed(GenerationStopped(redirected), Billing.NEVER_AGAIN)
        if status >= 300:
            error = read_error(status, media_type, self.redacted(content))
            if references and _takes_none_so(error, references_by):
                raise Failed(ApiError(self._redacted(_other_transport(error, references_by))), Billing.NEVER_AGAIN)
            raise self._too_many(error) if n > 1 and error.invalid else self._failed(error, headers)
        try:
            answers = read_answers(content, status=status, media_type=media_type, base_url=self._base_url, wanted=n)
            return [self.redacted_answer(answer) for answer in share_task(answers, n)]
        except (ApiError, GenerationStopped) as wrong:
            self._redact(wrong)
            raise Failed(wrong, Billing.NEVER_AGAIN, may_be_billed=isinstance(wrong, ApiError)) from wrong

    def _fields(self, request: ImageRequest, n: int) -> dict[str, Any]:
        """Return the fields of a call, without those that its model is known not to take."""
        response_format = self._response_formats.get(request.model, self._response_format)
        fields = request_fields(request, n=n, response_format=response_format)
        for name in _MAY_BE_LEFT_OUT:
            if (request.model, name) in self._left_out and (name != "n" or n == 1):
                del fields[name]
        return fit(fields, variant=request.variant, model=known_model(request.model, self._models))

    def _without_rejected(self, fields: Mapping[str, Any], error: ServerError) -> dict[str, Any] | None:
        """Return the fields of a call without the one that the API has rejected; `None` if it is another error."""
        if "response_format" in fields and error.invalid and error.names("response_format"):
            if fields["response_format"] == "url" and (error.names("url") or "storage" in error.words.lower()):
                return {**fields, "response_format": "b64_json"}
            return {name: value for name, value in fields.items() if name != "response_format"}
        no_such_field = says_no_such_field(error.code, error.words)
        for name in _MAY_BE_LEFT_OUT:
            is_needed = name == "n" and fields.get(name) != 1
            if name in fields and not is_needed and error.invalid and error.names(name) and no_such_field:
                return {other: value for other, value in fields.items() if other != name}
        return None

    def _note_accepted(self, model: str, fields: Mapping[str, Any]) -> None:
        """Leave out of later calls for a model what the API has rejected in a call that it has accepted now."""
        response_format = fields.get("response_format", "none")
        if response_format != self._response_format:
            self._response_formats[model] = response_format
        if "size" not in fields and (model, "size") not in self._left_out:
            log.info("the API takes no `size` for %s, and chooses one itself", model)
        self._left_out |= {(model, name) for name in _MAY_BE_LEFT_OUT if name not in fields}

    def collect(self, task: Task, *, age: float, deadline: Deadline) -> bytes:
        """Return the body of the answer with a task's images. See `Tasks.collect`."""
        try:
            return self._tasks.collect(task, age=age, deadline=deadline)
        except Failed as failed:
            self._redact(failed.error)
            raise
        except QhaigcError as error:
            self._redact(error)
            raise

    def read_collected(self, body: bytes, task: Task) -> Answer:
        """Return a task's image from the body that `collect` returned.

        Raises:
            TaskFailed: there is none that can be read.
        """
        answer, reason = None, ""
        try:
            answers = read_answers(body, status=200, media_type="", base_url=self._base_url)
            answer = next(iter(answers[task.position :]), None)
        except QhaigcError as error:
            reason = f": {self._redacted(str(error))}"
        if answer is None or answer.task:
            raise TaskFailed(f"the service's task has ended without an image that can be read{reason}")
        return self.redacted_answer(answer)

    def redacted(self, body: bytes) -> bytes:
        """Return a body without the key, which a server may repeat."""
        return body.replace(self._secret.encode(), b"[key]") if self._secret else body

    def redacted_answer(self, answer: Answer) -> Answer:
        """Return an answer without the key, likewise."""
        return replace(
            answer,
            revised_prompt=answer.revised_prompt and self._redacted(answer.revised_prompt),
            echo={name: self._redacted(value) for name, value in answer.echo.items()},
        )

    def _exchange(
        self, body: Body, n: int, variant: int, deadline: Deadline, sink: ResponseSink | None
    ) -> tuple[int, httpx.Headers, bytes]:
        headers = {"Content-Type": body.media_type, "Accept": "application/json"}
        if self._sandboxed:
            headers["X-Qhaigc-Variant"] = str(variant)
        try:
            with (
                within(deadline),
                self._http.stream(
                    "POST",
                    f"{self._base_url}{body.path}",
                    content=body.content,
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
        except httpx.InvalidURL as error:  # httpx looks at a redirection's address before it hands out the answer
            what = f"the API at {self._base_url} answered with a redirection to no address. Check `base_url`"
            raise Failed(GenerationStopped(what), Billing.NEVER_AGAIN) from error
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
            late = isinstance(error, httpx.ReadTimeout)
            what = f"the API did not answer ({describe(error)})"
            what += ". Raise `timeout` if the model takes longer" if late else ""
            raise Failed(ApiError(what), Billing.PERHAPS, timed_out=late) from error

    def _too_many(self, error: ServerError) -> Failed:
        """Return the failure of a call for several images of which the API rejects a field: `n`, or another."""
        return Failed(TooManyPerCall(self._redacted(f"the API answered {error}")), Billing.NEVER_AGAIN)

    def _failed(self, error: ServerError, headers: httpx.Headers) -> Failed:
        wish = retry_after(headers)
        if wish is None and error.status in _NOT_BILLED:
            wish = wait_in_words(error.words)
        advice = headers.get("x-should-retry", "").lower()
        exception = error.as_exception()
        self._redact(exception)
        final = error.refused or error.account or error.has_no_model or error.status in _NEVER_AGAIN
        if final or error.status < 400 or advice == "false":
            may_be_billed = error.refused or (error.status >= 500 and error.status not in _NOT_BILLED)
            return Failed(exception, Billing.NEVER_AGAIN, may_be_billed=may_be_billed)
        if error.status in _NOT_BILLED:
            return Failed(exception, Billing.NO, retry_after=wish, slow_all=True)
        retried = error.status >= 500 or error.status in (408, 409) or advice == "true"
        billing = Billing.PERHAPS if retried else Billing.NEVER_AGAIN
        return Failed(exception, billing, retry_after=wish, timed_out=error.gave_up)

    def _redirection(self, path: str, status: int, headers: httpx.Headers) -> str:
        """Return what a redirection means. None is followed: the key and the prompt are for the configured address."""
        said = f"the API at {self._base_url} answered {status}"
        target = redirection_target(self._url.copy_with(path=f"{self._url.path}{path}"), headers["location"])
        said += f", a redirection to {target}, which is not followed: the key is for the configured address only"
        if self._url.scheme == "https" and target.scheme != "https":
            return f"{said}, and that one is not https. Check `base_url`"
        base = str(target).removesuffix(path)
        if base != str(target) and base != self._base_url:
            return f"{said}. If that is the API's new address, write `base_url: {base}`"
        return f"{said}. Check `base_url`"

    def _sandbox_mismatch(self) -> str:
        if self._sandboxed:
            return f"{self._base_url} is no sandbox server. Its address must not begin with /sandbox/"
        return f"{self._base_url} is a sandbox server. Use the address that it prints, or base_url: sandbox"

    def _redact(self, error: QhaigcError) -> None:
        """Remove the key from an error."""
        error.args = (self._redacted(str(error)),)
        if isinstance(error, PromptRejected):
            error.reason = self._redacted(error.reason)

    def _redacted(self, text: str) -> str:
        return text.replace(self._secret, "[key]") if self._secret else text


def _takes_none_so(error: ServerError, references_by: Transport) -> bool:
    """Return whether an error says that the service does not take reference images as they were sent."""
    if references_by == "edits":
        return error.status in (404, 405) and not error.has_no_model and not error.names("model")
    return error.invalid and error.names("image") and says_no_such_field(error.code, error.words)


def _other_transport(error: ServerError, references_by: Transport) -> str:
    other = "json" if references_by == "edits" else "edits"
    said = str(error).rstrip(".")
    return (
        f"the API answered {said}. It does not take reference images as they are sent (`references_by: "
        f"{references_by}`). Write `references_by: {other}`, or remove `references`"
    )


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
