"""The queue of jobs: each image is generated once, as many at a time as the options allow, within a budget."""

from __future__ import annotations

import contextlib
import logging
import threading
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from concurrent.futures import Future
from functools import partial
from typing import TYPE_CHECKING

from mkdocs_qhaigc._util.text import plural
from mkdocs_qhaigc._util.threads import Workers, give_up, wait_for
from mkdocs_qhaigc.config.options import Options
from mkdocs_qhaigc.directives.known_models import known_model
from mkdocs_qhaigc.directives.request import Reference
from mkdocs_qhaigc.errors import (
    ApiError,
    BudgetExceeded,
    GenerationStopped,
    NotBought,
    QhaigcError,
    StoreError,
    TaskPending,
    TooManyPerCall,
)
from mkdocs_qhaigc.generation.generate_image import Generator
from mkdocs_qhaigc.generation.job import ImageJob, JobState, JobStats, Observer, failure_of
from mkdocs_qhaigc.generation.reference_images import ReferenceImages
from mkdocs_qhaigc.generation.when_to_stop import Budget
from mkdocs_qhaigc.store.image_store import ImageStore
from mkdocs_qhaigc.store.record import StoredImage

if TYPE_CHECKING:
    from mkdocs_qhaigc.store.shared_images import SharedImages

log = logging.getLogger(__name__)
_NOT_BOUGHT = (
    "it is not bought yet: this preview buys only what you ask for, in the studio or by `mkdocs-qhaigc generate` "
    "(`serve_buys: ask`)"
)
_NO_BUDGET = Budget(0, used_up=_NOT_BOUGHT, error=NotBought)
_Futures = Mapping[ImageJob, Future[StoredImage]]


class GenerationQueue:
    """The jobs of one site. It lasts as long as the plugin: over all rebuilds of `mkdocs serve`."""

    def __init__(
        self,
        options: Options,
        *,
        api_key: str | None,
        store: ImageStore,
        observers: Sequence[Observer] = (),
        shared: SharedImages | None = None,
    ) -> None:
        """Begin without jobs.

        Args:
            api_key: `None` if there is none: then every job fails.
            observers: get each change of a job's state.
            shared: the team's images, which are bought once.
        """
        self._options = options
        self.shared = shared
        self._generator = Generator(options, api_key=api_key, store=store, observer=self, shared=shared)
        self._observers = observers
        self._lock = threading.Lock()
        self._futures: dict[str, Future[StoredImage]] = {}
        """By key."""
        self._requests: Counter[str] = Counter()
        self._seconds: dict[str, float] = {}
        at_once = options.concurrency  # and as many are downloaded and saved beside them
        self._workers: Workers[None] = Workers(at_once, "qhaigc-generation", aside=at_once)
        self._held: dict[str, tuple[ImageJob, Future[StoredImage]]] = {}
        """By key: jobs that do not begin before they are released."""
        self._references = ReferenceImages(options)
        self._waiting: dict[str, _Futures] = {}
        """By key of the first of them: jobs whose reference images are under way."""
        self._ripe: set[str] = set()
        """Keys of jobs that were released, and dropped before they began: they need not be released again."""
        self._ordered: dict[str, ImageJob] = {}
        """By key: jobs without a result that a person has asked for."""
        self.budget = Budget(options.max_new_images)
        self.holds = False
        """Whether new jobs wait to be released."""
        self.asks = False
        """Whether jobs get only what is paid for already, until a person asks for them."""

    # Jobs

    def submit(self, job: ImageJob) -> Future[StoredImage]:
        """Return the future of an image: of its present job, even if that failed, or of a new one.

        Images that are references for it are submitted, too, if they are missing, and made first.
        """
        with self._lock:
            return self._submit(job)

    def order(self, job: ImageJob) -> Future[StoredImage]:
        """Return the future of an image that a person asks for: as `submit`, but what has failed is tried again.

        Such a job is not held. If another build begins before it has, its key gets another future.
        """
        with self._lock:
            self._generator.renew()
            self._order(job)
            return self._submit(job)

    def _order(self, job: ImageJob) -> None:
        """Note that a person asks for a job, and with it for its references."""
        key = job.request.key
        present = self._futures.get(key)
        if present and present.done():
            if not present.cancelled() and not present.exception():
                return
            del self._futures[key]
        self._ordered[key] = job
        for reference in self._missing_references(job):
            self._order(reference)
        if key in self._held:
            held, future = self._held.pop(key)
            self._start({held: future})

    def _submit(self, job: ImageJob) -> Future[StoredImage]:
        key = job.request.key
        if key in self._futures:
            if not (isinstance(self.failure(key), BudgetExceeded) and self.budget.left and not self._needs_order(job)):
                return self._futures[key]
            del self._futures[key]  # the budget was raised since
        future: Future[StoredImage] = Future()
        refusal: QhaigcError | None = self._generator.refusal_for(job)
        if refusal is None and self._needs_order(job) and not self._generator.is_paid(job):
            refusal = NotBought(_NOT_BOUGHT)
        if refusal:
            self._ordered.pop(key, None)
            self._futures[key] = future
            future.set_exception(refusal)
            return future
        self._submit_references(job)
        self._futures[key] = future
        self._enqueue(job, future)
        if self.holds and key not in self._ripe and key not in self._ordered:
            self._held[key] = job, future
        else:
            self._start({job: future})
        return future

    def _needs_order(self, job: ImageJob) -> bool:
        """Return whether a job may buy nothing before a person asks for it."""
        return self.asks and job.request.key not in self._ordered

    def _submit_references(self, job: ImageJob) -> None:
        """Submit the jobs of other images that are references for a job and are missing."""
        for reference in self._missing_references(job):
            self._submit(reference)

    def _missing_references(self, job: ImageJob) -> list[ImageJob]:
        """Return the jobs of other images that are references for a job and are missing."""
        return [
            ImageJob(one.where, one.name, one.request)
            for one in job.request.references
            if one.request and not self._is_stored(one)
        ]

    def _is_stored(self, reference: Reference) -> bool:
        """Return whether the image of a reference is there, or may be: then the job itself finds why it is not."""
        assert reference.request
        try:
            return self._references.stored(reference.request, where=reference.where) is not None
        except StoreError:
            return True

    def submit_together(self, jobs: Sequence[ImageJob]) -> list[Future[StoredImage]]:
        """Return the futures of variants of one request, generated by one call, or as few as its model takes.

        One that is under way already is not generated again.
        They are generated one by one if the API rejects that, if the budget is too small for all of them, or if there
        is a seed: each variant has its own.
        """
        request = jobs[0].request
        known = known_model(request.model, self._options.defaults.models or {})
        at_once = 1 if "seed" in request.params else known.most_n or len(jobs)
        with self._lock:
            self._generator.renew()
            for job in jobs:
                self._order(job)
            self._submit_references(jobs[0])
            present = {job: self._futures.get(job.request.key) for job in jobs}
            under_way = {job: future for job, future in present.items() if future and not future.done()}
            new: dict[ImageJob, Future[StoredImage]] = {job: Future() for job in jobs if job not in under_way}
            for job, future in new.items():
                self._futures[job.request.key] = future
                self._enqueue(job, future)
            each = list(new.items())
            for first in range(0, len(each), at_once):
                self._start(dict(each[first : first + at_once]))
            return [{**under_way, **new}[job] for job in jobs]

    def future(self, key: str) -> Future[StoredImage] | None:
        """Return the future of the present job of a key, also if it is done; `None` if it has none."""
        return self._futures.get(key)

    def stats(self, key: str) -> JobStats:
        """Return the calls and the time that the job of a key has taken so far."""
        requests = self._requests[key]
        return JobStats(requests, self._seconds.get(key) if requests else None)

    def failure(self, key: str) -> QhaigcError | None:
        """Return the reason why the last job of a key brought no image; `None` without one."""
        future = self._futures.get(key)
        return failure_of(future) if future and future.done() else None

    def under_way(self) -> list[Future[StoredImage]]:
        """Return the futures without a result whose jobs are not held."""
        with self._lock:
            return [future for key, future in self._futures.items() if not future.done() and key not in self._held]

    @property
    def held(self) -> int:
        """Number of jobs that wait to be released."""
        return len(self._held)

    # Builds

    def release(self) -> None:
        """Start the jobs that are held."""
        with self._lock:
            for job, future in self._held.values():
                self._start({job: future})
            self._held.clear()

    def new_build(self) -> None:
        """Begin another build: it may need other images, so jobs that have not begun are dropped."""
        held = set(self._held)
        self.drop()
        with self._lock:
            dropped = {key for key, future in self._futures.items() if future.cancelled()}
            for key in dropped:
                del self._futures[key]
            self._ripe = dropped - held
            for key in dropped & self._ordered.keys():
                self._submit(self._ordered[key])

    def renew(self) -> None:
        """Allow again what was refused in an earlier build."""
        with self._lock:
            self._generator.renew()
            for key, future in list(self._futures.items()):
                if future.done() and not future.cancelled() and self._may_end_otherwise(future.exception()):
                    del self._futures[key]

    def _may_end_otherwise(self, error: BaseException | None) -> bool:
        """Return whether a job that has failed may bring its image in another build."""
        if isinstance(error, BudgetExceeded) and not isinstance(error, NotBought):
            return self.budget.left > 0
        return isinstance(error, (GenerationStopped, TaskPending))

    def drop(self) -> None:
        """Cancel the jobs that have not begun. A build that still needs their images submits them again."""
        self._drop_waiting()
        self._workers.drop()
        with self._lock:
            for _, future in self._held.values():
                future.cancel()
            self._held.clear()

    def forget(self, key: str) -> None:
        """Allow another job for a key, whose generated image has been lost."""
        with self._lock:
            self._futures.pop(key, None)

    def finish(self) -> None:
        """Drop the jobs that have not begun, and wait for the others, which are paid for although the build failed."""
        self.drop()
        under_way = self.under_way()
        if under_way:
            log.info(
                "the build has failed; waiting for %d %s under way, which cost what they cost (Ctrl-C does not wait)",
                len(under_way),
                plural(len(under_way), "image", "images"),
            )
        for future in under_way:
            wait_for(future)

    def close(self) -> None:
        """Make no further call. Images that have arrived are still saved."""
        self._generator.stop()
        self._drop_waiting()
        self._workers.close()
        self._generator.close()

    # Inside

    def changed(self, job: ImageJob, state: JobState) -> None:
        """Note a change of a job's state, and pass it to the observers. The generator calls this in its thread."""
        if state is JobState.CALLED:
            self._requests[job.request.key] += 1
        elif state is JobState.ANSWERED:
            self._workers.step_aside()  # another job may start, while this one's image is downloaded and saved
        for observer in self._observers:
            observer.changed(job, state)

    def _enqueue(self, job: ImageJob, future: Future[StoredImage]) -> None:
        self.changed(job, JobState.QUEUED)
        future.add_done_callback(partial(self._note_done, job))

    def _note_done(self, job: ImageJob, future: Future[StoredImage]) -> None:
        if not future.cancelled():
            self._ordered.pop(job.request.key, None)
            self.changed(job, JobState.DONE)

    def _start(self, futures: _Futures) -> None:
        """Have jobs done that share one call: once the images that are references for them have come.

        Called without the lock, too, by the thread that has brought one of these.
        """
        key = next(iter(futures)).request.key
        needed = self._references_of(futures)
        pending = next((future for future in needed.values() if not future.done()), None)
        if pending:
            self._waiting[key] = futures
            pending.add_done_callback(lambda _: self._go_on(key))
        elif reason := self._missing_reference(needed):
            for job, future in futures.items():
                self.changed(job, JobState.FAILED)
                future.set_exception(reason)
        else:
            self._begin(futures)

    def _go_on(self, key: str) -> None:
        """Start a job that has waited, unless it was dropped meanwhile."""
        if futures := self._waiting.pop(key, None):
            self._start(futures)

    def _drop_waiting(self) -> None:
        while self._waiting:
            with contextlib.suppress(KeyError):  # another thread has started the last one
                for future in self._waiting.popitem()[1].values():
                    future.cancel()

    def _references_of(self, futures: _Futures) -> dict[Reference, Future[StoredImage]]:
        """Return the futures of the images that are references for jobs, as far as they have any."""
        references = (one for job in futures for one in job.request.references if one.request)
        return {one: self._futures[key] for one in references if (key := _key_of(one)) in self._futures}

    def _missing_reference(self, needed: Mapping[Reference, Future[StoredImage]]) -> BaseException | None:
        """Return the reason why a job cannot begin, whose reference images are done; `None` if all are there."""
        for reference, future in needed.items():
            error = GenerationStopped("the build was stopped") if future.cancelled() else future.exception()
            if error is None or self._is_stored(reference):
                continue
            if isinstance(error, GenerationStopped) or not isinstance(error, QhaigcError):
                return error
            what = f"its reference image {reference.where} could not be had, so it is not bought either"
            kind = TaskPending if isinstance(error, TaskPending) else ApiError  # both may come in the next build
            return kind(f"{what} ({error})")
        return None

    def _begin(self, futures: _Futures) -> None:
        work = self._workers.submit(self._run, futures)
        work.add_done_callback(partial(give_up, futures.values()))

    def _run(self, futures: _Futures) -> None:
        """Set each job's future to its image, or to the error because of which there is none."""
        started = time.monotonic()

        def finish(job: ImageJob, result: StoredImage | QhaigcError) -> None:
            key = job.request.key
            self._seconds[key] = self._seconds.get(key, 0) + time.monotonic() - started
            failed = isinstance(result, QhaigcError)
            self.changed(job, JobState.FAILED if failed else JobState.SAVED)
            if isinstance(result, QhaigcError):
                futures[job].set_exception(result)
            else:
                futures[job].set_result(result)

        reason: QhaigcError | None = None
        try:
            budget = _NO_BUDGET if any(map(self._needs_order, futures)) else self.budget
            for job, result in self._generator.generate(list(futures), budget):
                finish(job, result)
        except QhaigcError as error:
            reason = error
        for job, future in futures.items():
            if future.done():
                continue
            asked_since = isinstance(reason, NotBought) and not self._needs_order(job)
            if asked_since or (
                len(futures) > 1 and (reason is None or isinstance(reason, (TooManyPerCall, BudgetExceeded)))
            ):
                self._start({job: future})
            else:
                finish(job, reason or GenerationStopped("the API's answer left this image out"))


def _key_of(reference: Reference) -> str:
    assert reference.request
    return reference.request.key
