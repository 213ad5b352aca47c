"""Who may use the studio: the author's own browser on this machine, with the link that the terminal has printed.

Any web page that an author has open can send requests to this machine, so each request is checked:

- it comes from this machine, to a name of this machine (else a foreign name may lead here: DNS rebinding);
- the browser says that no other site has caused it, where it says anything;
- all that tells or does anything has the token of this run in a header, which no other site's page can send;
- all that does anything is a POST of JSON whose origin is the server's own.
"""

from __future__ import annotations

import hmac
import ipaddress
import re
import secrets
from collections.abc import Mapping
from typing import Any

from mkdocs_qhaigc.studio.problem import Problem

MOST_BYTES = 64 << 10
"""Of a request's body."""
_NAMES = ("127.0.0.1", "localhost", "[::1]")
_JSON = re.compile(r'application/json\s*(;\s*charset="?utf-8"?\s*)?', re.IGNORECASE)
_FRAMES = ("iframe", "frame", "embed", "object", "fencedframe")
"""Destinations of a request whose answer is shown within another page."""
_TOKEN = "HTTP_X_QHAIGC_TOKEN"  # noqa: S105 - a header's name

Environ = Mapping[str, Any]
"""A request as WSGI has it."""


class Access:
    """The checks of one run of a server."""

    def __init__(self, host: str) -> None:
        """`host` is the name or address of this machine that the server listens at."""
        self.token = secrets.token_urlsafe(32)
        self._names = {*_NAMES, bracketed(host)}

    def require_own(self, environ: Environ) -> None:
        """Require that a request comes from this machine, for this machine, and that no other site has caused it.

        Raises:
            Problem: it does not.
        """
        if not _is_loopback(environ.get("REMOTE_ADDR")):
            raise _refused("The studio answers this machine alone")
        if environ.get("HTTP_HOST") not in self._hosts(environ):
            raise _refused("The studio answers at the address alone that the terminal shows")
        if environ.get("HTTP_SEC_FETCH_SITE", "none") not in ("none", "same-origin"):
            raise _refused("The studio answers no other site")

    def admits_page(self, environ: Environ) -> bool:
        """Return whether a request for a page of the site comes from a browser that may use the studio.

        A link from another site may lead to the page, but none may show it within its own: a page in a frame has no
        studio, whoever has caused the request, for the frame's own links and reloads are of the same origin.
        """
        destination = environ.get("HTTP_SEC_FETCH_DEST")
        if destination in _FRAMES:
            return False
        by_link = destination == "document"
        try:
            self.require_own({**environ, "HTTP_SEC_FETCH_SITE": "none"} if by_link else environ)
        except Problem:
            return False
        return True

    def require_token(self, environ: Environ) -> None:
        """Require the token of this run.

        Raises:
            Problem: it is another one, or none.
        """
        given = str(environ.get(_TOKEN, "")).encode(errors="replace")
        if not hmac.compare_digest(given, self.token.encode()):
            raise _refused("The link is of another run of the server. Open the one that the terminal shows now")

    def require_change(self, environ: Environ) -> int:
        """Require that a request may change something: JSON of our own page. Return the bytes of its body.

        Raises:
            Problem: it may not.
        """
        host = environ.get("HTTP_HOST")
        if environ.get("HTTP_ORIGIN") != f"http://{host}":
            raise _refused("The studio takes changes from its own pages alone")
        if not _JSON.fullmatch(environ.get("CONTENT_TYPE") or ""):
            raise Problem(415, "value", "the body must be JSON (`Content-Type: application/json`)")
        length = environ.get("CONTENT_LENGTH") or ""
        if not re.fullmatch(r"[0-9]{1,30}", length) or "HTTP_TRANSFER_ENCODING" in environ:
            raise Problem(411, "size", "the request must say how long its body is (`Content-Length`)")
        if int(length) > MOST_BYTES:
            raise Problem(413, "size", f"the body is longer than {MOST_BYTES >> 10} KiB")
        return int(length)

    def _hosts(self, environ: Environ) -> set[str]:
        """Return all values of the header `Host` that name this server. A browser leaves out port 80."""
        port = environ.get("SERVER_PORT")
        return {f"{name}:{port}" for name in self._names} | (self._names if str(port) == "80" else set())


def bracketed(host: str) -> str:
    """Return a host as addresses have it: one of IPv6 in brackets."""
    return f"[{host}]" if ":" in host else host.lower()


def _is_loopback(address: object) -> bool:
    try:
        ip = ipaddress.ip_address(str(address))
    except ValueError:
        return False
    mapped = ip.ipv4_mapped if isinstance(ip, ipaddress.IPv6Address) else None
    return (mapped or ip).is_loopback


def _refused(message: str) -> Problem:
    return Problem(403, "access", message)
