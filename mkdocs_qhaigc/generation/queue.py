"""Buying images: what is ordered and what has become of it, each image once, within a budget.

Threads take the orders to the shop (`shop.py`), so many at once as the options allow.
"""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from functools import partial

from mkdocs_qhaigc._util.importing import import_what_buys
from mkdocs_qhaigc._util.text import plural
from mkdocs_qhaigc._util.threads import Workers, give_up, pass_on, wait_for
from mkdocs_qhaigc.config.options import Options
from mkdocs_qhaigc.errors import BudgetExceeded, GenerationStopped, QhaigcError, TooManyPerCall
from mkdocs_qhaigc.generation.budget import Budget
from mkdocs_qhaigc.generation.job import ImageJob, JobStats, Progress
from mkdocs_qhaigc.generation.shop import Shop
from mkdocs_qhaigc.store.image_store import ImageStore
from mkdocs_qhaigc.store.record import StoredImage


class GenerationQueue:
    """Buys images into one library. Lives as long as the plugin: over all rebuilds of `mkdocs serve`."""

    def __init__(
        self,
        options: Options,
        *,
        api_key: str | None,
        library: ImageStore,
        progress: Progress,
        say: Callable[[str], None],
        arrived: Callable[[], None] | None = None,
    ) -> None:
        """`api_key` None: there is none, and nothing can be bought. `say` is told what who pays wants to know.

        `arrived` is called when an image was saved, or could not be had.
        """
        self._options = options
        self._shop = Shop(options, api_key=api_key, library=library, asked=self._count, say=say)
        self._progress = progress
        self._say = say
        self._arrived = arrived
        self._lock = threading.Lock()
        self._futures: dict[str, Future[StoredImage]] = {}
        self._requests: Counter[str] = Counter()
        self._seconds: dict[str, float] = {}
        at_once = options.concurrency  # and as many images are fetched and saved, while others are asked for
        self._workers: Workers[StoredImage] = Workers(at_once, "qhaigc-buyer", aside=at_once)
        self._together: Workers[None] = Workers(1, "qhaigc-buyer-of-several")
        self._held: dict[str, tuple[ImageJob, Future[StoredImage]]] = {}
        """By key: orders for which the API is not asked before they are released."""
        self._ripe: set[str] = set()
        """Keys of orders that had been released, and were dropped before they began."""
        self.budget = Budget(options.max_new_images)
        self.holds = False
        """Whether new orders wait to be released."""

    def buy(self, order: ImageJob) -> Future[StoredImage]:
        """Return the future of an image: under way already, or ordered now. It failed once: it is not asked again."""
        with self._lock:
            future = self._futures.get(order.request.key)
            if future is None and (refusal := self._shop.refusal):
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

    def buy_together(self, orders: Sequence[ImageJob]) -> list[Future[StoredImage]]:
        """Return the futures of variants of one request, ordered in one call; one by one where that is not taken.

        Where the budget is too small for all, too: then some of them are had.
        """
        with self._lock:
            import_what_buys()
            futures: dict[str, Future[StoredImage]] = {order.request.key: Future() for order in orders}
            self._futures |= futures
            for order in orders:
                self._progress.ordered(order)
            job = self._together.submit(self._have_together, orders, futures)
            job.add_done_callback(partial(give_up, futures.values()))
            return list(futures.values())

    def new_build(self) -> None:
        """Begin another build: of what is not begun, it may want other images."""
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
            self._shop.renew()
            for key, future in list(self._futures.items()):
                if future.done() and not future.cancelled() and isinstance(future.exception(), GenerationStopped):
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
        """Let an image be ordered again: the one that was bought is there no more."""
        with self._lock:
            self._futures.pop(key, None)

    def effort(self, key: str) -> JobStats:
        """Return what an image has taken so far."""
        requests = self._requests[key]
        return JobStats(requests, self._seconds.get(key) if requests else None)

    def under_way(self) -> list[Future[StoredImage]]:
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
            images = plural(len(under_way), "image", "images")
            self._say(
                f"the build has failed; waiting for {len(under_way)} {images} under way, which cost what they cost "
                "(Ctrl-C does not wait)"
            )
        for future in under_way:
            wait_for(future)

    def close(self) -> None:
        """Stop buying; images that have arrived are still written."""
        self._shop.stop()
        self._together.close()
        self._workers.close()
        self._shop.close()

    def _tell_arrived(self, future: Future[StoredImage]) -> None:
        if self._arrived and not future.cancelled():
            self._arrived()

    def _have(self, order: ImageJob) -> StoredImage:
        started = time.monotonic()
        original = None
        try:
            began, answered = self._progress.began, self._workers.step_aside
            original = self._shop.buy(order, self.budget, began=began, answered=answered)
            return original
        finally:
            seconds = time.monotonic() - started
            self._seconds[order.request.key] = self._seconds.get(order.request.key, 0) + seconds
            self._progress.ended(order, seconds=seconds if original else None)

    def _have_together(self, orders: Sequence[ImageJob], futures: Mapping[str, Future[StoredImage]]) -> None:
        """Bring each future its image, or why there is none."""
        started = time.monotonic()

        def end(order: ImageJob, result: StoredImage | QhaigcError) -> None:
            future = futures[order.request.key]
            bought = not isinstance(result, QhaigcError)
            self._progress.ended(order, seconds=time.monotonic() - started if bought else None)
            if isinstance(result, QhaigcError):
                future.set_exception(result)
            else:
                future.set_result(result)

        try:
            for order, result in self._shop.buy_together(orders, self.budget, began=self._progress.began):
                end(order, result)
        except (TooManyPerCall, BudgetExceeded):
            pass  # what is not there yet is asked for one by one
        except QhaigcError as error:
            for order in orders:
                if not futures[order.request.key].done():
                    end(order, error)
        for order in orders:
            if not futures[order.request.key].done():
                self._workers.submit(self._have, order).add_done_callback(partial(pass_on, futures[order.request.key]))

    def _count(self, orders: Sequence[ImageJob]) -> None:
        """Take note of a call."""
        self._requests.update(order.request.key for order in orders)
