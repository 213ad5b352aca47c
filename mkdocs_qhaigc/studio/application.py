"""The studio's WSGI application: routes, JSON and headers. A `Session` does what they ask for."""

from __future__ import annotations

import json
import logging
import traceback
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from werkzeug.exceptions import HTTPException, MethodNotAllowed
from werkzeug.routing import Map, Rule
from werkzeug.wrappers import Request, Response

from mkdocs_qhaigc.assets import asset
from mkdocs_qhaigc.errors import BudgetExceeded, EditError, GenerationStopped, QhaigcError
from mkdocs_qhaigc.studio.access import Access
from mkdocs_qhaigc.studio.encode_on_demand import Previews
from mkdocs_qhaigc.studio.events import Events
from mkdocs_qhaigc.studio.mount import PREFIX
from mkdocs_qhaigc.studio.operations import Session
from mkdocs_qhaigc.studio.problem import Kind, Problem

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

    from mkdocs_qhaigc.studio.host_interface import Host

log = logging.getLogger(__name__)

STATIC, COLOURS = Path(__file__).parent / "static", asset("colours.css")
_REVIEW = "review.html"
_CSP = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; frame-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'self'"
)
_HEADERS = {
    "Cache-Control": "no-store",  # what has not changed costs a machine nothing, and MkDocs logs each 304 as a warning
    "Content-Security-Policy": _CSP,
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "SAMEORIGIN",
}
_TYPES = {".js": "text/javascript", ".css": "text/css", ".html": "text/html", ".svg": "image/svg+xml"}
"""By a file's ending: this machine's own table may say something else."""
_ROUTES = Map(
    [
        Rule("/", methods=["GET"], endpoint="root"),
        Rule("/static/<name>", methods=["GET"], endpoint="static"),
        Rule("/as/<key>/<path:dest_uri>", methods=["GET"], endpoint="as_file"),
        Rule("/stored/<key>/<int:width>", methods=["GET"], endpoint="stored"),
        Rule("/api/state", methods=["GET"], endpoint="state"),
        Rule("/api/image", methods=["GET"], endpoint="image"),
        Rule("/api/events", methods=["GET"], endpoint="stream"),
        Rule("/api/<name>", methods=["POST"], endpoint="change"),
    ],
    merge_slashes=False,
)
_CHANGES: Mapping[str, Callable[[Session, dict[str, Any]], Mapping[str, Any]]] = {
    "buy": Session.buy,
    "buy_missing": Session.buy_missing,
    "price": Session.price,
    "try": Session.try_out,
    "diff": Session.diff,
    "save": Session.save,
    "pick": Session.pick,
    "undo": Session.undo,
    "review": Session.review,
    "pin": Session.pin,
    "raise": Session.raise_budget,
}
"""By the last part of the path: what a POST of a JSON object does. It returns a JSON object."""
_OPEN = ("root", "static", "as_file", "stored")
"""Routes that need no token: an `<img>` and a `<script>` cannot send it."""


class Studio:
    """The application of one run of a server."""

    def __init__(self, host: Host, access: Access, events: Events) -> None:
        self._access = access
        self._events = events
        self._previews = Previews(host)
        self._session = Session(host, events.publish)

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answer a request under `PREFIX`."""
        request = Request(environ)
        try:
            self._access.require_own(environ)
            response = self._answer(request)
        except (Problem, HTTPException) as error:
            response = _refusal(error)
        except QhaigcError as error:
            response = _refusal(_problem_of(error))
        except Exception:  # noqa: BLE001 - the terminal has its traceback, and the server goes on
            log.error("the studio could not answer a request:\n%s", traceback.format_exc())  # noqa: TRY400 - see above
            response = _json({"error": "The studio failed. The terminal says how.", "kind": "server"}, 500)
        response.headers.update(_HEADERS)
        return response(environ, start_response)

    def _answer(self, request: Request) -> Response:
        path = request.path.removeprefix(PREFIX) or "/"
        endpoint, values = _ROUTES.bind("localhost").match(path, method=request.method)
        if endpoint not in _OPEN:
            self._access.require_token(request.environ)
        answer: Response = getattr(self, f"_{endpoint}")(request, **values)
        return answer

    # Without the token

    def _root(self, request: Request) -> Response:
        return self._static(request, _REVIEW)

    def _static(self, request: Request, name: str) -> Response:
        file = {path.name: path for path in (*STATIC.iterdir(), COLOURS)}.get(name)  # a name alone leads nowhere else
        if file is None or not file.is_file():
            raise Problem(404, "unknown", "there is no such file")
        type_ = _TYPES.get(file.suffix, "application/octet-stream")
        return Response(file.read_bytes(), content_type=f"{type_}; charset=utf-8")

    def _as_file(self, request: Request, key: str, dest_uri: str) -> Response:
        content, format_ = self._previews.as_file(key, dest_uri)
        return Response(content, content_type=f"image/{format_}")

    def _stored(self, request: Request, key: str, width: int) -> Response:
        content, format_ = self._previews.stored(key, width)
        return Response(content, content_type=f"image/{format_}")

    # With the token

    def _state(self, request: Request) -> Response:
        return _json(self._session.state(request.args.get("path")))

    def _image(self, request: Request) -> Response:
        return _json(self._session.image(request.args.get("id", "")))

    def _stream(self, request: Request) -> Response:
        return Response(self._events.stream(), content_type="text/event-stream; charset=utf-8")

    def _change(self, request: Request, name: str) -> Response:
        length = self._access.require_change(request.environ)
        change = _CHANGES.get(name)
        if change is None:
            raise Problem(404, "unknown", "there is nothing at this address")
        return _json(change(self._session, _body(request.environ["wsgi.input"].read(length))))

    def close(self) -> None:
        """End the session and all that listens."""
        self._events.close()
        self._session.close()


def _body(content: bytes) -> dict[str, Any]:
    """Return the object that a request's body is.

    Raises:
        Problem: it is none.
    """
    try:
        body = json.loads(content.decode(), parse_constant=_no_number)
        json.dumps(body, ensure_ascii=False).encode()  # half a character would fail where it is written
    except (ValueError, RecursionError) as error:
        raise Problem(400, "value", "the body is no JSON") from error
    if not isinstance(body, dict):
        raise Problem(400, "value", "the body must be a JSON object")
    return body


def _no_number(constant: str) -> None:
    raise ValueError(constant)


def _json(content: Mapping[str, Any], status: int = 200) -> Response:
    return Response(json.dumps(content), status, content_type="application/json; charset=utf-8")


def _refusal(error: Problem | HTTPException) -> Response:
    if isinstance(error, Problem):
        return _json({"error": str(error), "kind": error.kind}, error.status)
    if isinstance(error, MethodNotAllowed):
        response = _json({"error": "this address takes no such method", "kind": "method"}, 405)
        response.headers["Allow"] = ", ".join(error.valid_methods or ())
        return response
    return _json({"error": "there is nothing at this address", "kind": "unknown"}, error.code or 404)


def _problem_of(error: QhaigcError) -> Problem:
    kinds: list[tuple[type[QhaigcError], int, Kind]] = [
        (EditError, 422, "edit"),
        (BudgetExceeded, 409, "budget"),
        (GenerationStopped, 409, "stopped"),
    ]
    status, kind = next(((status, kind) for type_, status, kind in kinds if isinstance(error, type_)), (409, "stopped"))
    return Problem(status, kind, str(error))
