"""Where images are bought: opened for the first of them, where there is a key and room to save what is bought.

A key is bought by one thread of one process at a time (a file lock beside the cache); whoever waits for the lock finds
the image in the library afterwards. The API's answer is kept while it arrives and until its image is saved: what
was paid for is taken in by a later build if this one is ended in between.
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

from mkdocs_qhaigc._util.locks import owning
from mkdocs_qhaigc.config.options import SANDBOX, Options
from mkdocs_qhaigc.errors import ApiError, BudgetExceeded, GenerationStopped, ImageError, StoreError
from mkdocs_qhaigc.generation.budget import Budget
from mkdocs_qhaigc.generation.job import ImageJob
from mkdocs_qhaigc.generation.recovery import Saver
from mkdocs_qhaigc.store.image_store import ImageStore
from mkdocs_qhaigc.store.record import StoredImage

if TYPE_CHECKING:
    from mkdocs_qhaigc.api.client import ImagesClient
    from mkdocs_qhaigc.generation.till import Till
    from mkdocs_qhaigc.sandbox import Sandbox

_TIME_TO_SAVE = 1.5
"""Seconds that a program which ends gives to images that are just being written."""


class Shop:
    """Buys images into one library. Safe to use from several threads."""

    def __init__(
        self,
        options: Options,
        *,
        api_key: str | None,
        library: ImageStore,
        asked: Callable[[Sequence[ImageJob]], None],
        say: Callable[[str], None],
    ) -> None:
        """`api_key` None: there is none, and nothing can be bought. `say` is told what who pays wants to know.

        `asked` is told before each call which images it is for.
        """
        self._options = options
        self._api_key = api_key
        self._library = library
        self._asked = asked
        self._say = say
        self._locks = options.cache.locks
        self._answers = () if options.sandboxed else (options.cache.answers,)
        self._saver = Saver(options, library, say=say)
        self._stopped = threading.Event()
        self._no_further: GenerationStopped | None = None
        self._opening = threading.Lock()
        self._client: ImagesClient | None = None
        self._till: Till | None = None
        self._server: Sandbox | None = None

    @property
    def refusal(self) -> GenerationStopped | None:
        """Why nothing can be bought, where that is known without a call."""
        if self._no_further:
            return self._no_further
        if self._stopped.is_set():
            return GenerationStopped("the build was stopped")
        if not self._api_key:
            return GenerationStopped(
                f"no API key: the environment variable {self._options.api_key_env} is not set. "
                "Set it, or use `missing: placeholder` or `base_url: sandbox`"
            )
        if not self._api_key.isascii() or not self._api_key.isprintable() or " " in self._api_key:
            return GenerationStopped(
                f"the environment variable {self._options.api_key_env} holds characters that no API key has. "
                "Set it to the key alone"
            )
        return None

    def renew(self) -> None:
        """Begin a build of the author's: what another was not allowed is tried again."""
        self._no_further = None

    def buy(
        self, order: ImageJob, budget: Budget, *, began: Callable[[ImageJob], None], answered: Callable[[], None]
    ) -> StoredImage:
        """Return an image: one that was paid for and is found now, or a new one, of which `began` is told.

        `answered` is called when another call may begin, while the image is fetched and saved.

        Raises:
            QhaigcError: it cannot be had.
        """
        with self._owning([order]) as till:
            original = self._paid_for(order)
            if original is None:
                began(order)
                original = till.buy(order, budget, answered=answered)
        return original

    def buy_together(
        self, orders: Sequence[ImageJob], budget: Budget, *, began: Callable[[ImageJob], None]
    ) -> Iterator[tuple[ImageJob, StoredImage | ApiError | ImageError | GenerationStopped]]:
        """Yield what became of each of several variants of one request, as soon as it is known; one call for all.

        Raises:
            QhaigcError: as of `Till.buy_together`, or the shop cannot be opened.
        """
        with self._owning(orders) as till:
            wanted = []
            for order in orders:
                original = self._paid_for(order)
                if original:
                    yield order, original
                    continue
                began(order)
                wanted.append(order)
            if wanted:
                yield from till.buy_together(wanted, budget)

    def stop(self) -> None:
        """Buy nothing more, and try nothing again."""
        self._stopped.set()

    def close(self) -> None:
        """Close the connections; images that have arrived are still written."""
        self._saver.wait(_TIME_TO_SAVE)
        if self._client:
            self._client.close()
        if self._server:
            self._server.close()

    @contextlib.contextmanager
    def _owning(self, orders: Iterable[ImageJob]) -> Iterator[Till]:
        """Hold orders' keys against all others that would buy them, and give what buys.

        What says meanwhile that nothing more can be bought is the refusal of all that come later.
        """
        try:
            till = self._open()
            keys = [order.request.key for order in orders]
            with owning(self._locks, keys, timeout=self._options.timeout + 5):
                yield till
        except BudgetExceeded:
            raise  # a call under way may yet turn out not to have been billed
        except GenerationStopped as error:
            self._no_further = error
            raise

    def _paid_for(self, order: ImageJob) -> StoredImage | None:
        """Return what another process has saved since, or what had lost its record; else make room for a new one."""
        original = self._saved(order.request.key) or self._saver.leftover(order)
        if original is None:
            self._library.make_room(order.request.key)
        return original

    def _saved(self, key: str) -> StoredImage | None:
        """Return what another process has saved since."""
        return self._library.find(key, fresh=True)

    def _open(self) -> Till:
        """Return what buys.

        Raises:
            GenerationStopped: nothing can be bought, or nothing could be saved.
        """
        if refusal := self.refusal:
            raise refusal
        assert self._api_key
        with self._opening:
            self._options.cache.prepare()
            try:
                self._library.require_writable(*self._answers)  # each time: the disk may have filled up since
            except StoreError as error:
                raise GenerationStopped(f"{error}. Nothing is bought that could not be saved") from error
            if self._client is None:
                from mkdocs_qhaigc.generation.till import Till  # a build that buys nothing needs none

                try:
                    self._client = self._connect(self._api_key)
                    self._till = Till(self._client, self._saver, self._options, asked=self._asked)
                except (ImportError, ValueError, TypeError) as error:  # httpx on proxies that it cannot use
                    raise GenerationStopped(
                        f"no connection can be made ({error}). Look at the variables HTTP_PROXY, HTTPS_PROXY, ALL_PROXY"
                    ) from error
            assert self._till
            return self._till

    def _connect(self, api_key: str) -> ImagesClient:
        from mkdocs_qhaigc.api.client import ImagesClient  # a build that buys nothing needs no httpx
        from mkdocs_qhaigc.api.retry import RateLimiter

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
            pace=RateLimiter(self._stopped),
            say=self._say,
        )
