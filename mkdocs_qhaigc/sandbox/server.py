"""The sandbox's HTTP server: connections, framing, and the life of the server."""

from __future__ import annotations

import logging
import os
import re
import socket
import sys
import threading
import time
import uuid
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from socketserver import TCPServer
from typing import Any

from mkdocs_qhaigc.sandbox.api import MAX_BODY, PREFIX, Api, ReceivedRequest
from mkdocs_qhaigc.sandbox.replies import Rejection, Reply

log = logging.getLogger("mkdocs.plugins.mkdocs_qhaigc.sandbox")


class Sandbox:
    """The server: it answers from `start()` to `close()`, or inside `with`."""

    def __init__(self, *, port: int = 0, latency: float = 0.0, api_key: str | None = None, tasks: bool = False) -> None:
        """Prepare a server.

        Args:
            port: 0 for a free one.
            latency: seconds that a generation takes, drawing included.
            api_key: the only key that is accepted; `None` accepts any that is not empty.
            tasks: answer with a task for each image, which then takes `latency`.
        """
        self._port = port
        self._api = Api(latency=latency, api_key=api_key, tasks=tasks)
        self._server: _Server | None = None

    @property
    def base_url(self) -> str:
        """The URL for clients; with port 0 it is known after `start()`."""
        if not self._port:
            raise RuntimeError("The sandbox has no port yet. Call start() first.")
        return f"http://127.0.0.1:{self._port}{PREFIX}"

    @property
    def received(self) -> tuple[ReceivedRequest, ...]:
        """The last 10,000 requests answered, in the order of their answers."""
        return self._api.records()

    def start(self) -> None:
        """Bind the port and answer from a thread; do nothing if it runs already.

        Raises:
            OSError: the port is in use.
        """
        if self._server is not None:
            return
        self._server = _Server(self._port, self._api)
        self._port = self._server.server_port
        self._api.base_url = self.base_url
        self._api.closing.clear()
        threading.Thread(target=self._server.serve_forever, args=(0.05,), name="qhaigc-sandbox", daemon=True).start()

    def close(self) -> None:
        """Stop answering, on open connections too; do nothing if it does not run."""
        server, self._server = self._server, None
        if server is not None:
            self._api.closing.set()
            server.shutdown()
            server.server_close()

    def __enter__(self) -> Sandbox:
        self.start()
        return self

    def __exit__(self, *_exc_info: object) -> None:
        self.close()


class _Handler(BaseHTTPRequestHandler):
    """Reads the requests of one connection, and writes the replies."""

    server: _Server
    protocol_version = "HTTP/1.1"
    server_version = "qhaigc-sandbox"
    sys_version = ""
    timeout = 20  # seconds that one read or write may take
    linger = 1.0  # seconds
    disable_nagle_algorithm = True  # head and body are two writes; Nagle would hold the second back for 40 ms

    def _answer(self) -> None:
        path = self.path.partition("?")[0]
        self._send(self.server.api.answer(self.command, path, self.headers, self._read_body))

    # The names that http.server looks for.
    do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = do_OPTIONS = _answer  # noqa: N815

    def _read_body(self) -> bytes:
        """Return the body. It is always read, so that the next bytes on the connection are the next request."""
        lengths = set(self.headers.get_all("Content-Length", []))
        length = lengths.pop() if lengths else ""
        if "Transfer-Encoding" in self.headers or (self.command == "POST" and not length):
            raise self._unreadable(411, "Send the body with a Content-Length, not in chunks.")
        if lengths or not re.fullmatch(r"[0-9]*", length):
            raise self._unreadable(400, "Content-Length is not one number.")
        if len(length) > 15 or int(length or "0") > MAX_BODY:
            raise self._unreadable(413, f"The body is larger than {MAX_BODY} bytes.")
        content = self.rfile.read(int(length or "0"))
        if len(content) < int(length or "0"):
            raise ConnectionResetError("The client hung up within the body.")
        return content

    def _unreadable(self, status: int, message: str) -> Rejection:
        self.close_connection = True
        return Rejection(status, message)

    def _send(self, reply: Reply) -> None:
        self.send_response(reply.status)
        self.send_header("Content-Type", reply.media_type)
        self.send_header("Content-Length", str(len(reply.content)))
        self.send_header("X-Qhaigc-Sandbox", "true")
        self.send_header("x-request-id", f"req_{uuid.uuid4().hex}")
        for name, value in reply.headers.items():
            self.send_header(name, value)
        if self.close_connection:
            self.send_header("Connection", "close")
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(reply.content)

    def send_error(self, code: int, message: str | None = None, explain: str | None = None) -> None:
        """Answer requests that http.server itself rejects: malformed or too long heads, unknown methods."""
        self.request_version = self.protocol_version  # a malformed line counts as HTTP/0.9: no status line
        self._send(self._unreadable(code, message or "Malformed request.").reply)

    def log_message(self, *_args: object) -> None:
        """Keep http.server's own lines off stderr."""

    def finish(self) -> None:
        """End the connection so that the last reply arrives: to close it with unread bytes would reset it."""
        super().finish()
        with suppress(OSError):
            self.connection.shutdown(socket.SHUT_WR)
            self.connection.settimeout(self.linger)
            until = time.monotonic() + self.linger
            while self.connection.recv(65536) and time.monotonic() < until:
                pass


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    allow_reuse_address = os.name != "nt"  # there it would give a port to two servers at once
    request_queue_size = 64

    def __init__(self, port: int, api: Api) -> None:
        self.api = api
        self._connections: set[socket.socket] = set()
        self._lock = threading.Lock()
        super().__init__(("127.0.0.1", port), _Handler)

    def server_bind(self) -> None:
        """Bind without HTTPServer's reverse look-up of the host name, which may take seconds."""
        TCPServer.server_bind(self)
        self.server_name, self.server_port = "127.0.0.1", self.server_address[1]

    def get_request(self) -> tuple[socket.socket, Any]:
        connection, address = super().get_request()
        with self._lock:
            self._connections.add(connection)
        return connection, address

    def shutdown_request(self, request: Any) -> None:
        with self._lock:
            self._connections.discard(request)
        super().shutdown_request(request)

    def server_close(self) -> None:
        """End the open connections too: kept-alive ones would still be answered."""
        super().server_close()
        with self._lock:
            for connection in self._connections:
                with suppress(OSError):
                    connection.shutdown(socket.SHUT_RDWR)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Log connections that clients ended, for which socketserver would print a traceback."""
        log.debug("Sandbox: a connection ended with %s", sys.exc_info()[0])
