"""Buying pictures: one owner per key, within a budget, saved the moment they arrive.

A key is bought by one thread of one process at a time (a file lock beside the cache); whoever waits for the lock finds
the picture in the library afterwards. The API's answer is kept while it arrives and until its picture is saved: what
was paid for is taken in by a later build if this one is ended in between.
"""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from functools import partial
from typing import TYPE_CHECKING

from mkdocs_qhaigc.budget import Budget
from mkdocs_qhaigc.errors import (
    LibraryError,
    NoFurtherCalls,
    NotSoMany,
    OverBudget,
    QhaigcError,
)
from mkdocs_qhaigc.importing import import_what_buys
from mkdocs_qhaigc.keeping import Writer
from mkdocs_qhaigc.library import Library
from mkdocs_qhaigc.locks import owning
from mkdocs_qhaigc.options import Options
from mkdocs_qhaigc.orders import Effort, Order, Progress
from mkdocs_qhaigc.original import SANDBOX, Original
from mkdocs_qhaigc.saving import Saver
from mkdocs_qhaigc.wording import plural
from mkdocs_qhaigc.workers import Workers, give_up, pass_on, wait_for

if TYPE_CHECKING:
    from mkdocs_qhaigc.client import ImagesClient
    from mkdocs_qhaigc.sandbox import Sandbox
    from mkdocs_qhaigc.till import Till

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
        self._stopped = threading.Event()
        self._lock = threading.Lock()
        self._writer = Writer(library)
        self._saver = Saver(options, self._writer, say=say)
        self._futures: dict[str, Future[Original]] = {}
        self._requests: Counter[str] = Counter()
        self._seconds: dict[str, float] = {}
        self._no_further: NoFurtherCalls | None = None
        self._client: ImagesClient | None = None
        self._till: Till | None = None
        self._server: Sandbox | None = None
        at_once = options.concurrency  # and as many pictures are fetched and saved, while others are asked for
        self._workers: Workers[Original] = Workers(at_once, "qhaigc-buyer", aside=at_once)
        self._together: Workers[None] = Workers(1, "qhaigc-buyer-of-several")
        self._held: dict[str, tuple[Order, Future[Original]]] = {}
        """By key: orders for which the API is not asked before they are released."""
        self._ripe: set[str] = set()
        """Keys of orders that had been released, and were dropped before they began."""
        self.budget = Budget(options.max_new_images)
        self.holds = False
        """Whether new orders wait to be released."""

    def buy(self, order: Order) -> Future[Original]:
        """Return the future of a picture: under way already, or ordered now. It failed once: it is not asked again."""
        with self._lock:
            future = self._futures.get(order.request.key)
            if future is None and (refusal := self._refusal()):
                future = self._futures[order.request.key] = Future()
                future.set_exception(refusal)
            if future is None:
                import_what_buys()
                self._progress.ordered(order)
                future = self._futures[order.request.key] = Future()
                future.add_done_callback(self._tell_arrived)
                if self.holds and order.request.key not in self._ripe:
                    self._held[order.request.key] = order, future
                else:
                    self._workers.submit(self._have, order, future=future)
            return future

    def release(self) -> None:
        """Ask for the orders that were held."""
        with self._lock:
            for order, future in self._held.values():
                self._workers.submit(self._have, order, future=future)
            self._held.clear()

    def buy_together(self, orders: Sequence[Order]) -> list[Future[Original]]:
        """Return the futures of variants of one request, ordered in one call; one by one where that is not taken.

        Where the budget is too small for all, too: then some of them are had.
        """
        with self._lock:
            import_what_buys()
            futures: dict[str, Future[Original]] = {order.request.key: Future() for order in orders}
            self._futures |= futures
            for order in orders:
                self._progress.ordered(order)
            job = self._together.submit(self._have_together, orders, futures)
            job.add_done_callback(partial(give_up, futures.values()))
            return list(futures.values())

    def new_build(self) -> None:
        """Begin another build: of what is not begun, it may want other pictures."""
        held = set(self._held)
        self.drop()
        with self._lock:
            dropped = {key for key, future in self._futures.items() if future.cancelled()}
            for key in dropped:
                del self._futures[key]
            self._ripe = dropped - held

    def renew(self) -> None:
        """Begin a build of the author's: its own budget, and what another was not allowed is asked for again."""
        with self._lock:
            self.budget = Budget(self._options.max_new_images)
            self._no_further = None
            for key, future in list(self._futures.items()):
                if future.done() and not future.cancelled() and isinstance(future.exception(), NoFurtherCalls):
                    del self._futures[key]

    def drop(self) -> None:
        """Forget what was ordered and has not begun: who still wants it orders it again."""
        self._together.drop()
        self._workers.drop()
        with self._lock:
            for _, future in self._held.values():
                future.cancel()
            self._held.clear()

    def forget(self, key: str) -> None:
        """Let a picture be ordered again: the one that was bought is there no more."""
        with self._lock:
            self._futures.pop(key, None)

    def effort(self, key: str) -> Effort:
        """Return what a picture has taken so far."""
        requests = self._requests[key]
        return Effort(requests, self._seconds.get(key) if requests else None)

    def under_way(self) -> list[Future[Original]]:
        """Return the futures of what is neither there nor given up, nor held."""
        with self._lock:
            return [future for key, future in self._futures.items() if not future.done() and key not in self._held]

    @property
    def held(self) -> int:
        """How many orders wait to be released."""
        return len(self._held)

    def finish(self) -> None:
        """Wait for what is under way, which is paid for, whatever has become of the build; drop what has not begun."""
        self.drop()
        under_way = self.under_way()
        if under_way:
            pictures = plural(len(under_way), "picture", "pictures")
            self._say(
                f"the build has failed; waiting for {len(under_way)} {pictures} under way, which cost what they cost "
                "(Ctrl-C does not wait)"
            )
        for future in under_way:
            wait_for(future)

    def close(self) -> None:
        """Stop buying; pictures that have arrived are still written."""
        self._stopped.set()
        self._together.close()
        self._workers.close()
        self._saver.wait(_TIME_TO_SAVE)
        if self._client:
            self._client.close()
        if self._server:
            self._server.close()

    def _tell_arrived(self, future: Future[Original]) -> None:
        if self._arrived and not future.cancelled():
            self._arrived()

    def _have(self, order: Order) -> Original:
        started = time.monotonic()
        original = None
        try:
            till = self._open_till()
            with owning(self._locks, [order.request.key], timeout=self._options.timeout + 5):
                original = self._saved(order.request.key) or self._saver.leftover(order)
                if original is None:
                    self._writer.make_room(order.request.key)
                    self._progress.began(order)
                    original = till.buy(order, self.budget, answered=self._workers.step_aside)
            return original
        except OverBudget:
            raise  # a call under way may yet turn out not to have been billed
        except NoFurtherCalls as error:
            self._no_further = error
            raise
        finally:
            seconds = time.monotonic() - started
            self._seconds[order.request.key] = self._seconds.get(order.request.key, 0) + seconds
            self._progress.ended(order, seconds=seconds if original else None)

    def _saved(self, key: str) -> Original | None:
        """Return what another process has saved since; never a sandbox's drawing for a real picture."""
        found = self._library.find_all(key, fresh=True)
        return next((one for one in found if self._options.sandboxed or not one.sandbox), None)

    def _have_together(self, orders: Sequence[Order], futures: Mapping[str, Future[Original]]) -> None:
        """Bring each future its picture, or why there is none."""
        started = time.monotonic()

        def end(order: Order, result: Original | QhaigcError) -> None:
            future = futures[order.request.key]
            bought = not isinstance(result, QhaigcError)
            self._progress.ended(order, seconds=time.monotonic() - started if bought else None)
            if isinstance(result, QhaigcError):
                future.set_exception(result)
            else:
                future.set_result(result)

        try:
            till = self._open_till()
            keys = [order.request.key for order in orders]
            with owning(self._locks, keys, timeout=self._options.timeout + 5):
                wanted = []
                for order in orders:
                    original = self._saved(order.request.key) or self._saver.leftover(order)
                    if original:
                        end(order, original)
                        continue
                    self._writer.make_room(order.request.key)
                    self._progress.began(order)
                    wanted.append(order)
                for order, result in till.buy_together(wanted, self.budget) if wanted else ():
                    end(order, result)
        except (NotSoMany, OverBudget):
            pass  # what is not there yet is asked for one by one
        except QhaigcError as error:
            if isinstance(error, NoFurtherCalls):
                self._no_further = error
            for order in orders:
                if not futures[order.request.key].done():
                    end(order, error)
        for order in orders:
            if not futures[order.request.key].done():
                self._workers.submit(self._have, order).add_done_callback(partial(pass_on, futures[order.request.key]))

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

    def _open_till(self) -> Till:
        """Return what buys.

        Raises:
            NoFurtherCalls: nothing can be bought, or nothing could be saved.
        """
        if refusal := self._refusal():
            raise refusal
        assert self._api_key
        with self._lock:
            try:
                self._writer.require_writable()  # each time: the disk may have filled up since
            except LibraryError as error:
                raise NoFurtherCalls(f"{error}. Nothing is bought that could not be saved") from error
            if self._client is None:
                from mkdocs_qhaigc.till import Till  # a build that buys nothing needs none

                try:
                    self._client = self._connect(self._api_key)
                    self._till = Till(self._client, self._saver, self._options, asked=self._count)
                except (ImportError, ValueError, TypeError) as error:  # httpx on proxies that it cannot use
                    raise NoFurtherCalls(
                        f"no connection can be made ({error}). Look at the variables HTTP_PROXY, HTTPS_PROXY, ALL_PROXY"
                    ) from error
            assert self._till
            return self._till

    def _count(self, orders: Sequence[Order]) -> None:
        """Take note of a call."""
        self._requests.update(order.request.key for order in orders)

    def _connect(self, api_key: str) -> ImagesClient:
        from mkdocs_qhaigc.client import ImagesClient  # a build that buys nothing needs no httpx
        from mkdocs_qhaigc.retrying import Pace

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
