"""A server of the studio's own, for sites whose engine has no place for it: it sends the built site's files, too."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from werkzeug.exceptions import NotFound
from werkzeug.serving import WSGIRequestHandler, make_server
from werkzeug.utils import redirect, send_from_directory
from werkzeug.wrappers import Request, Response

from mkdocs_qhaigc.studio.mount import PREFIX, Mount

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

    from mkdocs_qhaigc.studio.host_interface import Host

log = logging.getLogger(__name__)
ADDRESS = "127.0.0.1"


class StudioServer:
    """A studio with a server, at this machine alone."""

    def __init__(self, host: Host, *, site_dir: Path, port: int) -> None:
        """Listen at a port of this machine; 0 finds a free one. `site_dir`: the built site, which need not exist.

        Raises:
            OSError: the port cannot be used.
        """
        self._mount = Mount(_BuiltSite(site_dir), host, address=ADDRESS)
        try:
            self._server = make_server(ADDRESS, port, self._mount, threaded=True, request_handler=_Handler)
        except SystemExit as error:  # it prints why, and ends the program
            raise OSError("it is in use") from error
        self._server.daemon_threads = True  # type: ignore[attr-defined]  # of a mixin
        self._thread = threading.Thread(target=self._server.serve_forever, name="qhaigc-studio-server", daemon=True)

    @property
    def link(self) -> str:
        """The address with the token, which lets its reader use the studio."""
        return self._mount.link(self._server.server_port)

    def start(self) -> None:
        """Serve, in a thread, until `close`."""
        self._thread.start()

    def close(self) -> None:
        """End the session and the server."""
        self._mount.close()
        self._server.shutdown()
        self._server.server_close()


class _Handler(WSGIRequestHandler):
    """Notes requests where nobody looks unless something is wrong."""

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        log.debug("%s %s", self.requestline, code)

    def log(self, type: str, message: str, *args: Any) -> None:
        getattr(log, type if type == "error" else "debug")(message, *args)


class _BuiltSite:
    """The files of a built site; a site that is not built leads to the studio."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answer a request for a file."""
        return self._answer(Request(environ))(environ, start_response)

    def _answer(self, request: Request) -> Response:
        if request.method not in ("GET", "HEAD"):
            return Response("Method not allowed", 405, content_type="text/plain")
        path = request.path.lstrip("/")
        if not path and not (self._folder / "index.html").is_file():
            return redirect(f"{PREFIX}/")
        try:
            return self._file(request, path + "index.html" if not path or path.endswith("/") else path)
        except NotFound:
            if not path.endswith("/") and self._is_there(request, f"{path}/index.html"):
                return redirect(f"/{path}/")
        try:
            missing = self._file(request, "404.html")
            missing.status_code = 404
        except NotFound:
            return Response("Not found", 404, content_type="text/plain")
        return missing

    def _file(self, request: Request, path: str) -> Response:
        """Return a file of the site.

        Raises:
            NotFound: there is none, or it is outside.
        """
        response = send_from_directory(self._folder, path, request.environ)
        response.headers["Cache-Control"] = "no-cache"
        return response

    def _is_there(self, request: Request, path: str) -> bool:
        try:
            self._file(request, path).close()
        except NotFound:
            return False
        return True
