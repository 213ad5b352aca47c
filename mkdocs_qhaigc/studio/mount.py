"""The studio mounted on a WSGI server of a site: its addresses, and its script on the pages that this server sends.

Nothing of it is ever in the built site.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator
from html import escape
from itertools import chain
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from mkdocs_qhaigc.studio.access import Access, bracketed
from mkdocs_qhaigc.studio.events import Events

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

    from mkdocs_qhaigc.studio.application import Studio
    from mkdocs_qhaigc.studio.host_interface import Host

PREFIX = "/-/qhaigc"
"""The studio's path on the server."""


class Mount:
    """A site's application with the studio on it."""

    def __init__(
        self,
        site: WSGIApplication,
        host: Host,
        *,
        address: str,
        path: str = "/",
        is_on: Callable[[], bool] = lambda: True,
        before_page: Callable[[str], None] = lambda _: None,
    ) -> None:
        """Begin without a session: the browser's first request opens it.

        Args:
            address: the name or address of this machine that the server listens at.
            path: of the site on its server, with `/` at both ends.
            is_on: whether the site has the studio now.
            before_page: called with the path of a page within the site before it is sent.
        """
        self._site, self._host = site, host
        self._path = path
        self._is_on, self._before_page = is_on, before_page
        self._access = Access(address)
        self._address = bracketed(address)
        self._lock = threading.Lock()
        self._studio: Studio | None = None
        self.events = Events()

    def link(self, port: int) -> str:
        """Return the address with the token, which lets its reader use the studio."""
        return f"http://{self._address}:{port}{quote(self._path)}#qhaigc={self._access.token}"

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answer a request: the studio's, or one for the site."""
        path = environ.get("PATH_INFO", "")
        if not self._is_on():
            return self._site(environ, start_response)
        if path == PREFIX or path.startswith(f"{PREFIX}/"):
            return self._opened()(environ, start_response)
        if environ.get("REQUEST_METHOD") != "GET" or not self._access.admits_page(environ):
            return self._site(environ, start_response)
        if path.startswith(self._path):
            self._before_page(path.removeprefix(self._path))
        return _with_script(self._site, environ, start_response, self._script())

    def close(self) -> None:
        """End the session, and open no other."""
        self._is_on = lambda: False
        self.events.close()
        with self._lock:
            if self._studio:
                self._studio.close()

    def _opened(self) -> Studio:
        with self._lock:
            if self._studio is None:
                from mkdocs_qhaigc.studio.application import Studio  # most previews never use it

                self._studio = Studio(self._host, self._access, self.events)
            return self._studio

    def _script(self) -> bytes:
        source, path = f"{PREFIX}/static/studio.js", escape(quote(self._path))
        return f'<script type="module" src="{source}" data-qhaigc-mount="{path}"></script>'.encode()


def _with_script(
    site: WSGIApplication, environ: WSGIEnvironment, start_response: StartResponse, script: bytes
) -> Iterable[bytes]:
    """Return a site's answer, with a script in it if it is a page."""
    begun: list[Any] = []
    written: list[bytes] = []

    def begin(status: str, headers: list[tuple[str, str]], exc_info: Any = None) -> Callable[[bytes], object]:
        begun[:] = status, headers, exc_info
        return written.append

    answer = site(environ, begin)
    parts = iter(answer)
    if not begun:  # the application is a generator
        written.append(next(parts, b""))
    status, headers, exc_info = begun
    content = _Content(chain(written, parts), answer)
    types = [value for name, value in headers if name.lower() == "content-type"]
    if not types or not types[0].lower().startswith("text/html"):
        start_response(status, headers, exc_info)
        return content
    try:
        page = _inserted(b"".join(content), script)
    finally:
        content.close()
    headers = [(name, value) for name, value in headers if name.lower() != "content-length"]
    start_response(status, [*headers, ("Content-Length", str(len(page)))], exc_info)
    return [page]


class _Content:
    """An answer's content as it is sent, which is closed at the end."""

    def __init__(self, parts: Iterator[bytes], answer: Iterable[bytes]) -> None:
        self._parts, self._answer = parts, answer

    def __iter__(self) -> Iterator[bytes]:
        return self._parts

    def close(self) -> None:
        """Close what the application returned."""
        if close := getattr(self._answer, "close", None):
            close()


def _inserted(page: bytes, script: bytes) -> bytes:
    """Return a page with a script at the end of its head, or at its own end where it has none."""
    at = page.lower().find(b"</head>")
    at = len(page) if at < 0 else at
    return page[:at] + script + page[at:]
