"""One purchase: the call, its answer kept while it arrives, its images saved one by one.

Whoever buys owns the keys of the images meanwhile (`locks.py`).
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING

from mkdocs_qhaigc.api.bodies import LARGEST_BODY, MOST_IN_ONE_CALL, unpacked
from mkdocs_qhaigc.api.response import Answer, is_error, read_answers
from mkdocs_qhaigc.api.retry import Deadline
from mkdocs_qhaigc.config.options import Options
from mkdocs_qhaigc.errors import ApiError, GenerationStopped, ImageError, ImageUrlExpired, QhaigcError
from mkdocs_qhaigc.generation.budget import Budget, Spending
from mkdocs_qhaigc.generation.job import ImageJob
from mkdocs_qhaigc.generation.journal import ANSWERS, OLDEST, SETTLED, Arrival, Arrivals
from mkdocs_qhaigc.generation.recovery import Saver
from mkdocs_qhaigc.store.record import StoredImage

if TYPE_CHECKING:
    from mkdocs_qhaigc.api.client import ImagesClient

_MOST_USELESS = 3
"""Calls that may be paid for without an image, where there has been none yet, before no more are made."""
_LARGEST = MOST_IN_ONE_CALL * LARGEST_BODY
"""Bytes of an answer that was kept."""
_TO_FETCH = 10.0
"""Seconds in which an image is fetched whose answer has used up its time."""


class Till:
    """Buys with one client."""

    def __init__(
        self, client: ImagesClient, saver: Saver, options: Options, *, asked: Callable[[Sequence[ImageJob]], None]
    ) -> None:
        """`asked` is told before each call which images it is for."""
        self._client = client
        self._asked = asked
        self._saver = saver
        self._options = options
        self._folder = options.cache_dir / ANSWERS
        self._lock = threading.Lock()
        self._useless: list[str] = []
        """What became of the last calls that brought no image, since that was told: it may be the same each time."""
        self._useful = False
        """Whether one has."""

    def buy(self, order: ImageJob, budget: Budget, *, answered: Callable[[], None]) -> StoredImage:
        """Return an image, saved: from the answer that an earlier build was given, else from a new one.

        `answered` is called when the API has given its answer and nothing can take that away: another call may begin,
        while the image is fetched and saved.

        Raises:
            QhaigcError: it cannot be had.
        """
        [(_, result)] = self.buy_together([order], budget, answered=answered)
        if isinstance(result, QhaigcError):
            raise result
        return result

    def buy_together(
        self, orders: Sequence[ImageJob], budget: Budget, *, answered: Callable[[], None] = lambda: None
    ) -> Iterator[tuple[ImageJob, StoredImage | ApiError | ImageError | GenerationStopped]]:
        """Yield what became of each of several variants of one request, as soon as it is known; one call for all.

        Those that the API has left out of its answer are not among them, and their price is given back.

        Raises:
            QhaigcError: none of those that were not yielded can be had. It is `GenerationStopped` also where the last
                one that was yielded was one too many without use, or one of them could not be saved.
        """
        deadline = Deadline.after(self._options.timeout * len(orders))
        wanted = []
        for order in orders:
            result = self._take_kept(order, deadline)
            if result is None:
                wanted.append(order)
            else:
                yield order, result
        if not wanted:
            return
        arrivals = Arrivals([self._arrival(order) for order in wanted])
        spending = Spending(budget)
        keeper = None if self._options.sandboxed else arrivals
        try:
            answers = self._client.generate(
                wanted[0].request,
                deadline=deadline,
                purse=spending,
                keeper=keeper,
                n=len(wanted),
                asked=lambda: self._asked(wanted),
            )
        except QhaigcError as error:
            if arrivals.begun:
                error.args = (f"{error}{self._lay_aside(wanted[0])}",)
                arrivals.forget()
            if spending.images and isinstance(error, ApiError):
                self._require_use(error)
            raise
        if keeper is None or arrivals.kept:  # else the disk is in trouble, and no other image is paid for meanwhile
            answered()
        for order in wanted[len(answers) :]:
            self._arrival(order).forget()
            budget.give_back()
        unsaved: GenerationStopped | None = None
        for order, answer in zip(wanted, answers, strict=False):
            if len(orders) > 1:  # one that cannot be fetched must not take the time of the others
                deadline = Deadline.after(self._options.timeout)
            elif not deadline.left:  # the answer was read late, and its image may be had at once
                deadline = Deadline.after(_TO_FETCH)
            try:
                new = self._take_new(order, answer, deadline)
            except GenerationStopped as error:  # the disk is full, say; the others have come, too
                unsaved = unsaved or error
                yield order, error
                continue
            yield order, new
            self._require_use(None if isinstance(new, StoredImage) else new)
        if unsaved:
            raise unsaved

    def _lay_aside(self, order: ImageJob) -> str:
        """Let no build read an answer again in which no image is found, and keep it for people: it may be paid for.

        Return what to tell them. One that says itself why it has no image is not kept.
        """
        came = self._arrival(order).read()
        body = self._client.redacted(unpacked(came[1], _LARGEST)) if came else b""
        told = (
            f". What came is kept in {self._saver.keep(order, 'answer', body)}" if body and not is_error(body) else ""
        )
        self._arrival(order).forget()
        return told

    def _require_use(self, error: QhaigcError | None) -> None:
        """Take note of what became of money; None: an image.

        Raises:
            GenerationStopped: several times in a row nothing did, for one and the same reason, and never anything: it
                is something that all images share.
        """
        with self._lock:
            self._useful = self._useful or error is None
            self._useless.append(str(error).partition(". ")[0])
            del self._useless[:-_MOST_USELESS]
            if self._useful or len(self._useless) < _MOST_USELESS or len(set(self._useless)) > 1:
                return
            self._useless.clear()
        raise GenerationStopped(
            f"{_MOST_USELESS} calls in a row may have been billed, and none gave an image that can be used. No more "
            f"are made in this build: {error}"
        ) from error

    def _take_new(self, order: ImageJob, answer: Answer, deadline: Deadline) -> StoredImage | ApiError | ImageError:
        try:
            return self._take(order, answer, deadline)
        except ImageError as error:
            return error
        except ApiError as error:
            span = "an hour" if isinstance(error, ImageUrlExpired) else "a day"
            told = ApiError(
                f"the image was made, but {error}. The next builds fetch it, and for {span} they buy no other"
            )
            told.__cause__ = error
            return told

    def _take_kept(self, order: ImageJob, deadline: Deadline) -> StoredImage | ApiError | None:
        """Return the image of an answer that an earlier build could not finish with; None: there is none to be had.

        An address may lead to its image for longer than a day; from then on another is bought where it does not.
        Where it says that there is nothing, that is believed an hour after the answer.

        Raises:
            GenerationStopped: it cannot be saved.
        """
        answer = self._kept_answer(order)
        if answer is None:
            return None
        age = self._arrival(order).age
        old = age >= OLDEST
        if old:  # most likely it leads nowhere: that must leave time to buy
            deadline = Deadline.after(self._options.timeout / 2)
        try:
            return self._take(order, answer, deadline)
        except ImageError:
            self._arrival(order).forget()
            return None
        except ApiError as error:
            gone = isinstance(error, ImageUrlExpired) and age >= SETTLED
            if gone:
                self._arrival(order).forget()
            return None if old or gone else error

    def _kept_answer(self, order: ImageJob) -> Answer | None:
        kept = None if self._options.sandboxed else self._arrival(order).read()  # a sandbox's addresses end with it
        if kept is None:
            return None
        position, body = kept
        try:
            return read_answers(unpacked(body, _LARGEST), status=200, media_type="", base_url=self._options.base_url)[
                position
            ]
        except (ApiError, GenerationStopped, IndexError):
            self._lay_aside(order)
            return None

    def _take(self, order: ImageJob, answer: Answer, deadline: Deadline) -> StoredImage:
        """Return the saved image of an answer, fetched where it is hosted."""
        data = self._client.images.fetch(answer.url, deadline=deadline) if answer.data is None else answer.data
        original = self._saver.save(order, data, answer.revised_prompt)
        self._arrival(order).forget()
        return original

    def _arrival(self, order: ImageJob) -> Arrival:
        return Arrival(self._folder / f"{order.request.key}.json")
