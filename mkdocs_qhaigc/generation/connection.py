"""The connection to the API: opened for the first missing image, if there is a usable key."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from mkdocs_qhaigc._util.loopback import is_loopback
from mkdocs_qhaigc.config.option_types import DEFAULT_TASK_URL
from mkdocs_qhaigc.config.options import SANDBOX, Options
from mkdocs_qhaigc.errors import GenerationStopped

if TYPE_CHECKING:
    from mkdocs_qhaigc.api.client import ImagesClient
    from mkdocs_qhaigc.sandbox import Sandbox


class Connection:
    """One client for all threads, and the sandbox server if that is the API."""

    def __init__(self, options: Options, *, api_key: str | None, stopped: threading.Event) -> None:
        """Open nothing yet. `stopped` ends every wait."""
        self._options = options
        self._api_key = api_key
        self._stopped = stopped
        self._lock = threading.Lock()
        self._client: ImagesClient | None = None
        self._server: Sandbox | None = None

    @property
    def refusal(self) -> GenerationStopped | None:
        """The reason why no call can be made, as far as it is known without one; `None` if there is none."""
        if not self._api_key:
            if not self._options.needs_key:
                return None
            return GenerationStopped(
                f"no API key: the environment variable {self._options.api_key_env} is not set. "
                "Set it, or use `missing: placeholder` or `base_url: sandbox`"
            )
        if not self._api_key.isascii() or not self._api_key.isprintable() or " " in self._api_key:
            return GenerationStopped(
                f"the environment variable {self._options.api_key_env} holds characters that no API key has. "
                "Set it to the key alone"
            )
        if self._api_key != SANDBOX and not self._options.allow_http and is_readable_on_its_way(self._options.base_url):
            return GenerationStopped(
                f"the key is not sent to {self._options.base_url}, for everybody on the way could read it. Write "
                "`https://` in `base_url`, or, within a network that you trust, `allow_http: true`"
            )
        return None

    def open(self) -> ImagesClient:
        """Return the client.

        Raises:
            GenerationStopped: there is no usable key, or no connection can be made.
        """
        if refusal := self.refusal:
            raise refusal
        with self._lock:
            if self._client is None:
                self._client = self._connect()
            return self._client

    def close(self) -> None:
        """Close the connections, and the sandbox server."""
        if self._client:
            self._client.close()
        if self._server:
            self._server.close()

    def _connect(self) -> ImagesClient:
        from mkdocs_qhaigc.api.client import ImagesClient  # without a key, httpx is not needed

        base_url = self._options.base_url
        if base_url == SANDBOX:
            from mkdocs_qhaigc.sandbox import Sandbox

            server = Sandbox()
            try:
                server.start()
            except OSError as error:
                what = f"the embedded server cannot listen at 127.0.0.1 ({error.strerror or error})"
                raise GenerationStopped(f"{what}. Use another `base_url`, or `missing: placeholder`") from error
            self._server, base_url = server, server.base_url
        return ImagesClient(
            base_url=base_url,
            api_key=self._api_key or "",
            headers={} if self._options.sandboxed else self._options.headers,
            retries=self._options.retries,
            response_format=self._options.response_format,
            models=self._options.defaults.models or {},
            task_url=DEFAULT_TASK_URL if self._options.sandboxed else self._options.task_url,
            sandboxed=self._options.sandboxed,
            stopped=self._stopped,
        )


def is_readable_on_its_way(url: str) -> bool:
    """Return whether what is sent to a URL leaves this machine without encryption."""
    parts = urlsplit(url)
    return parts.scheme == "http" and not is_loopback(parts.hostname or "")
