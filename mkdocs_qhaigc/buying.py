"""Buying pictures: one owner per key, within a budget, saved the moment they arrive.

A key is bought by one thread of one process at a time (a file lock beside the cache); whoever waits for the lock finds
the picture in the library afterwards. Where the API answers with an address, that address is noted before it is
fetched: a picture that was paid for is fetched by a later build if this one is ended in between.
"""

from __future__ import annotations

import contextlib
import json
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import filelock

from mkdocs_qhaigc.errors import ApiError, Gone, LibraryError, NoFurtherCalls, PictureError, QhaigcError
from mkdocs_qhaigc.library import Library, Original, write_whole
from mkdocs_qhaigc.options import SANDBOX, Options
from mkdocs_qhaigc.request import ImageRequest
from mkdocs_qhaigc.retrying import Deadline, Pace
from mkdocs_qhaigc.workers import Workers

if TYPE_CHECKING:
    from mkdocs_qhaigc.client import ImagesClient
    from mkdocs_qhaigc.sandbox import Sandbox

_TIME_TO_SAVE = 1.5
"""Seconds that a program which ends gives to pictures that are just being written."""
_OLDEST_ADDRESS = 24 * 3600
"""Seconds after which a noted address is not tried any more."""


@dataclass(frozen=True, slots=True)
class Order:
    """A picture that a build wants, and for whom."""

    where: str
    """`guide/start.md#hero`"""
    name: str
    request: ImageRequest


class Progress(Protocol):
    """What is told about buying; called from several threads."""

    def ordered(self, order: Order) -> None:
        """A picture is to be bought."""

    def began(self, order: Order) -> None:
        """Its call is about to be made."""

    def ended(self, order: Order, *, seconds: float | None) -> None:
        """It is saved, after so many seconds; None: there is no picture."""


class Budget:
    """How many pictures may still be bought."""

    def __init__(self, most: int) -> None:
        self.most = most
        self._spent = 0
        self._lock = threading.Lock()

    def take(self) -> None:
        """Set one picture's price aside.

        Raises:
            NoFurtherCalls: the budget is used up.
        """
        with self._lock:
            if self._spent >= self.most:
                raise NoFurtherCalls(
                    f"the build may buy {self.most} new pictures (`max_new_images`). "
                    "Build again for the next ones, or raise `max_new_images`"
                )
            self._spent += 1

    def give_back(self) -> None:
        """Put one price back: the call was surely not billed."""
        with self._lock:
            self._spent -= 1


class Buyer:
    """Buys pictures into one library. Lives as long as the plugin: over all rebuilds of `mkdocs serve`."""

    def __init__(
        self,
        options: Options,
        *,
        api_key: str | None,
        library: Library,
        progress: Progress,
        say: Callable[[str], None],
        arrived: Callable[[int], None] | None = None,
    ) -> None:
        """`api_key` None: there is none, and nothing can be bought. `say` is told what who pays wants to know.

        `arrived` is called when a picture was saved, or could not be had, with how many are left.
        """
        self._options = options
        self._api_key = api_key
        self._library = library
        self._progress = progress
        self._say = say
        self._arrived = arrived
        self._left = 0
        self._locks = options.cache_dir / "locks"
        self._addresses = options.cache_dir / "addresses"
        self._stopped = threading.Event()
        self._lock = threading.Lock()
        self._futures: dict[str, Future[Original]] = {}
        self._no_further: NoFurtherCalls | None = None
        self._client: ImagesClient | None = None
        self._server: Sandbox | None = None
        self._workers: Workers[Original] = Workers(options.concurrency, "qhaigc-buyer")
        self.budget = Budget(options.max_new_images)

    def buy(self, order: Order) -> Future[Original]:
        """Return the future of a picture: under way already, or ordered now. It failed once: it is not asked again."""
        with self._lock:
            future = self._futures.get(order.request.key)
            if future is None:
                self._progress.ordered(order)
                self._left += 1
                future = self._futures[order.request.key] = self._workers.submit(self._have, order)
                if self._arrived:
                    future.add_done_callback(lambda _: self._arrived and self._arrived(self._left))
            return future

    def new_build(self) -> None:
        """Begin a build: its own budget, and what another build was not allowed is asked for again."""
        with self._lock:
            self.budget = Budget(self._options.max_new_images)
            for key, future in list(self._futures.items()):
                if future.done() and (future.cancelled() or isinstance(future.exception(), NoFurtherCalls)):
                    del self._futures[key]

    def close(self) -> None:
        """Stop buying; pictures that have arrived are still written."""
        self._stopped.set()
        self._workers.close(wait=_TIME_TO_SAVE if self._client else None)
        if self._client:
            self._client.close()
        if self._server:
            self._server.close()

    def _have(self, order: Order) -> Original:
        started = time.monotonic()
        original = None
        try:
            self._require_allowed()
            with self._owning(order.request.key):
                original = self._library.find(order.request.key, fresh=True)
                if original is None:
                    self._progress.began(order)
                    original = self._buy_and_save(order)
            return original
        except NoFurtherCalls as error:
            if "max_new_images" not in str(error):
                self._no_further = error
            raise
        finally:
            self._progress.ended(order, seconds=time.monotonic() - started if original else None)
            with self._lock:
                self._left -= 1

    def _require_allowed(self) -> None:
        if self._no_further:
            raise self._no_further
        if self._stopped.is_set():
            raise NoFurtherCalls("the build was stopped")
        if not self._api_key:
            raise NoFurtherCalls(
                f"no API key: the environment variable {self._options.api_key_env} is not set. "
                "Set it, or use `missing: placeholder` or `base_url: sandbox`"
            )
        with self._lock:
            if self._client is None:
                try:
                    self._library.require_writable()
                except LibraryError as error:
                    raise NoFurtherCalls(f"{error}. Nothing is bought that could not be saved") from error
                self._client = self._connect(self._api_key)

    def _connect(self, api_key: str) -> ImagesClient:
        from mkdocs_qhaigc.client import ImagesClient  # a build that buys nothing needs no httpx

        base_url = self._options.base_url
        if base_url == SANDBOX:
            from mkdocs_qhaigc.sandbox import Sandbox  # nor the sandbox

            self._server = Sandbox()
            self._server.start()
            base_url = self._server.base_url
        return ImagesClient(
            base_url=base_url,
            api_key=api_key,
            retries=self._options.retries,
            response_format=self._options.response_format,
            sandboxed=self._options.sandboxed,
            pace=Pace(self._stopped),
            say=self._say,
        )

    @contextlib.contextmanager
    def _owning(self, key: str) -> Any:
        """Hold a key against all other threads and processes that would buy it."""
        try:
            self._locks.mkdir(parents=True, exist_ok=True)
            with filelock.FileLock(self._locks / f"{key[:16]}.lock", timeout=self._options.timeout + 5):
                yield
        except filelock.Timeout as error:
            raise ApiError("another process has been buying this picture for too long. Build again later") from error
        except OSError as error:
            raise NoFurtherCalls(f"{self._locks} cannot be written ({error.strerror or error})") from error

    def _buy_and_save(self, order: Order) -> Original:
        assert self._client is not None
        deadline = Deadline.after(self._options.timeout)
        noted = self._noted_address(order.request.key)
        if noted:
            try:
                data = self._client.fetch(noted["url"], deadline=deadline)
                return self._save(order, data, noted.get("revised_prompt"))
            except (Gone, PictureError):
                self._forget_address(order.request.key)
        answer = self._client.generate(order.request, deadline=deadline, purse=self.budget)[0]
        data_ = answer.data
        if data_ is None:
            assert answer.url is not None
            self._note_address(order.request.key, answer.url, answer.revised_prompt)
            try:
                data_ = self._client.fetch(answer.url, deadline=deadline)
            except ApiError as error:
                raise ApiError(
                    f"the picture was made, but {error}. The next build fetches it again before it buys another"
                ) from error
        return self._save(order, data_, answer.revised_prompt)

    def _save(self, order: Order, data: bytes, revised_prompt: str | None) -> Original:
        from mkdocs_qhaigc.imaging.codecs import inspect  # a build that buys nothing needs no Pillow

        info = inspect(data)
        original = self._library.save(
            name=order.name,
            key=order.request.key,
            data=data,
            format=info.format,
            width=info.width,
            height=info.height,
            about={
                "created": datetime.now(timezone.utc).isoformat(timespec="seconds"),
                "api": SANDBOX if self._options.sandboxed else self._options.base_url,
                "request": order.request.as_record(),
                "revised_prompt": revised_prompt,
            },
        )
        self._forget_address(order.request.key)
        return original

    def _address_file(self, key: str) -> Path:
        return self._addresses / f"{key}.json"

    def _note_address(self, key: str, url: str, revised_prompt: str | None) -> None:
        note = {"url": url, "revised_prompt": revised_prompt, "noted": time.time()}
        try:
            self._addresses.mkdir(parents=True, exist_ok=True)
            write_whole(self._address_file(key), json.dumps(note).encode())
        except OSError as error:
            self._say(f"{self._addresses} cannot be written ({error.strerror or error})")

    def _noted_address(self, key: str) -> dict[str, Any] | None:
        try:
            note = json.loads(self._address_file(key).read_bytes())
            fresh = time.time() - note["noted"] < _OLDEST_ADDRESS
            return note if fresh and isinstance(note["url"], str) else None
        except FileNotFoundError:
            return None
        except (OSError, ValueError, TypeError, KeyError, RecursionError):
            self._forget_address(key)
            return None

    def _forget_address(self, key: str) -> None:
        with contextlib.suppress(OSError):
            self._address_file(key).unlink(missing_ok=True)


def failure_of(future: Future[Original]) -> QhaigcError | None:
    """Return why a finished future has no picture, or None where it has one. Other errors are raised."""
    if future.cancelled():
        return NoFurtherCalls("the build was stopped")
    error = future.exception()
    if error is None or isinstance(error, QhaigcError):
        return error
    raise error
