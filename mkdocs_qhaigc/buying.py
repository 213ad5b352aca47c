"""Buying pictures: one owner per key, within a budget, saved the moment they arrive.

A key is bought by one thread of one process at a time (a file lock beside the cache); whoever waits for the lock finds
the picture in the library afterwards. The API's answer is kept while it arrives and until its picture is saved: what
was paid for is taken in by a later build if this one is ended in between.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from importlib import import_module
from typing import TYPE_CHECKING

from mkdocs_qhaigc.answers import Answer, read_answers
from mkdocs_qhaigc.arrivals import Arrival
from mkdocs_qhaigc.budget import Budget
from mkdocs_qhaigc.errors import (
    ApiError,
    Gone,
    LibraryError,
    NoFurtherCalls,
    OverBudget,
    PictureError,
    QhaigcError,
    Unreachable,
)
from mkdocs_qhaigc.library import Library
from mkdocs_qhaigc.locks import owning
from mkdocs_qhaigc.options import Options
from mkdocs_qhaigc.orders import Order, Progress
from mkdocs_qhaigc.original import SANDBOX, Original
from mkdocs_qhaigc.retrying import Deadline, Pace
from mkdocs_qhaigc.saving import Saver
from mkdocs_qhaigc.workers import Workers

if TYPE_CHECKING:
    from mkdocs_qhaigc.client import ImagesClient
    from mkdocs_qhaigc.sandbox import Sandbox

_TIME_TO_SAVE = 1.5
"""Seconds that a program which ends gives to pictures that are just being written."""


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
        arrived: Callable[[], None] | None = None,
    ) -> None:
        """`api_key` None: there is none, and nothing can be bought. `say` is told what who pays wants to know.

        `arrived` is called when a picture was saved, or could not be had.
        """
        self._options = options
        self._api_key = api_key
        self._library = library
        self._progress = progress
        self._say = say
        self._arrived = arrived
        self._locks = options.cache_dir / "locks"
        self._answers = options.cache_dir / "answers"
        self._stopped = threading.Event()
        self._lock = threading.Lock()
        self._saver = Saver(options, library, say=say)
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
            if future is None and (refusal := self._refusal()):
                future = self._futures[order.request.key] = Future()
                future.set_exception(refusal)
            if future is None:
                self._progress.ordered(order)
                future = self._futures[order.request.key] = self._workers.submit(self._have, order)
                if self._arrived:
                    future.add_done_callback(lambda _: self._arrived and self._arrived())
            return future

    def new_build(self) -> None:
        """Begin a build of the author's: its own budget, and what another was not allowed is asked for again."""
        self.drop()
        with self._lock:
            self.budget = Budget(self._options.max_new_images)
            if isinstance(self._no_further, Unreachable):
                self._no_further = None
            for key, future in list(self._futures.items()):
                if future.done() and (future.cancelled() or isinstance(future.exception(), NoFurtherCalls)):
                    del self._futures[key]

    def drop(self) -> None:
        """Forget what was ordered and has not begun: who still wants it orders it again."""
        self._workers.drop()

    def forget(self, key: str) -> None:
        """Let a picture be ordered again: the one that was bought is there no more."""
        with self._lock:
            self._futures.pop(key, None)

    def close(self) -> None:
        """Stop buying; pictures that have arrived are still written."""
        self._stopped.set()
        self._workers.close()
        self._saver.wait(_TIME_TO_SAVE)
        if self._client:
            self._client.close()
        if self._server:
            self._server.close()

    def _have(self, order: Order) -> Original:
        started = time.monotonic()
        original = None
        try:
            self._require_allowed()
            with owning(self._locks, [order.request.key], timeout=self._options.timeout + 5):
                original = self._library.find(order.request.key, fresh=True) or self._saver.leftover(order)
                if original is None:
                    self._library.make_room(order.request.key)
                    self._progress.began(order)
                    original = self._buy_and_save(order)
            return original
        except OverBudget:
            raise  # a call under way may yet turn out not to have been billed
        except NoFurtherCalls as error:
            self._no_further = error
            raise
        finally:
            self._progress.ended(order, seconds=time.monotonic() - started if original else None)

    def _refusal(self) -> NoFurtherCalls | None:
        """Return why nothing can be bought, where that is known without a call."""
        if self._no_further:
            return self._no_further
        if self._stopped.is_set():
            return NoFurtherCalls("the build was stopped")
        if not self._api_key:
            return NoFurtherCalls(
                f"no API key: the environment variable {self._options.api_key_env} is not set. "
                "Set it, or use `missing: placeholder` or `base_url: sandbox`"
            )
        if not self._api_key.isascii() or not self._api_key.isprintable() or " " in self._api_key:
            return NoFurtherCalls(
                f"the environment variable {self._options.api_key_env} holds characters that no API key has. "
                "Set it to the key alone"
            )
        return None

    def _require_allowed(self) -> None:
        if refusal := self._refusal():
            raise refusal
        assert self._api_key
        with self._lock:
            try:
                self._library.require_writable()  # each time: the disk may have filled up since
            except LibraryError as error:
                raise NoFurtherCalls(f"{error}. Nothing is bought that could not be saved") from error
            if self._client is None:
                try:
                    self._client = self._connect(self._api_key)
                except (ImportError, ValueError, TypeError) as error:  # httpx on proxies that it cannot use
                    raise NoFurtherCalls(
                        f"no connection can be made ({error}). Look at the variables HTTP_PROXY, HTTPS_PROXY, ALL_PROXY"
                    ) from error

    def _connect(self, api_key: str) -> ImagesClient:
        from mkdocs_qhaigc.client import ImagesClient  # a build that buys nothing needs no httpx

        base_url = self._options.base_url
        if base_url == SANDBOX:
            from mkdocs_qhaigc.sandbox import Sandbox  # nor the sandbox

            self._server = Sandbox()
            self._server.start()
            base_url = self._server.base_url
        threading.Thread(target=import_module, args=("mkdocs_qhaigc.imaging.codecs",), daemon=True).start()
        return ImagesClient(
            base_url=base_url,
            api_key=api_key,
            retries=self._options.retries,
            response_format=self._options.response_format,
            sandboxed=self._options.sandboxed,
            pace=Pace(self._stopped),
            say=self._say,
        )

    def _buy_and_save(self, order: Order) -> Original:
        assert self._client is not None
        deadline = Deadline.after(self._options.timeout)
        arrival = Arrival(self._answers / f"{order.request.key}.json")
        kept = self._kept_answer(arrival)
        if kept:
            try:
                return self._take(order, kept, arrival, deadline)
            except (Gone, PictureError):
                arrival.forget()
        keeper = None if self._options.sandboxed else arrival
        try:
            answers = self._client.generate(order.request, deadline=deadline, purse=self.budget, keeper=keeper)
        except QhaigcError:
            arrival.forget()  # whatever came, no picture was in it
            raise
        try:
            return self._take(order, answers[0], arrival, deadline)
        except ApiError as error:
            raise ApiError(
                f"the picture was made, but {error}. The next builds, for a day, fetch it before they buy another"
            ) from error

    def _kept_answer(self, arrival: Arrival) -> Answer | None:
        """Return the answer that an earlier build was given and could not finish with."""
        body = None if self._options.sandboxed else arrival.read()  # a sandbox's addresses end with it
        if body is None:
            return None
        try:
            return read_answers(body, status=200, media_type="", base_url=self._options.base_url)[0]
        except (ApiError, NoFurtherCalls):
            arrival.forget()
            return None

    def _take(self, order: Order, answer: Answer, arrival: Arrival, deadline: Deadline) -> Original:
        """Return the saved picture of an answer, fetched where it is hosted."""
        assert self._client is not None
        data = self._client.fetch(answer.url, deadline=deadline) if answer.data is None else answer.data
        original = self._saver.save(order, data, answer.revised_prompt)
        arrival.forget()
        return original


def failure_of(future: Future[Original]) -> QhaigcError | None:
    """Return why a finished future has no picture, or None where it has one. Other errors are raised."""
    if future.cancelled():
        return NoFurtherCalls("the build was stopped")
    error = future.exception()
    if error is None or isinstance(error, QhaigcError):
        return error
    raise error
