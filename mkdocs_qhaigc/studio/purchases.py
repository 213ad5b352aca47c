"""The purchases of one run of a server: what is ordered in the studio, what is under way, and what has come.

Everything is bought by the queue of the site's builds, which reports each change of a job's state. It may do so while
it holds its own lock, so nothing here calls the queue from there.
"""

from __future__ import annotations

import logging
import os
import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from mkdocs_qhaigc._util.text import plural
from mkdocs_qhaigc.config.options import Options
from mkdocs_qhaigc.directives.request import ImageRequest
from mkdocs_qhaigc.errors import (
    BudgetExceeded,
    GenerationStopped,
    NotBought,
    OptionError,
    PromptRejected,
    QhaigcError,
)
from mkdocs_qhaigc.generation.connection import Connection
from mkdocs_qhaigc.generation.job import ImageJob, JobState, failure_of
from mkdocs_qhaigc.generation.queue import GenerationQueue
from mkdocs_qhaigc.site.candidates import order_jobs
from mkdocs_qhaigc.store.record import StoredImage
from mkdocs_qhaigc.studio.host_interface import Host
from mkdocs_qhaigc.studio.problem import Problem

log = logging.getLogger(__name__)
_STATES = {
    JobState.QUEUED: "queued",
    JobState.CALLED: "called",
    JobState.TASK: "task",
    JobState.ANSWERED: "answered",
    JobState.SAVED: "saved",
}
"""States of a job that is under way, of which the browser gets events."""
_PAUSES = (0.05, 0.2, 1.0, 5.0)
"""Seconds before the tries to order a job again that was dropped; the last one is repeated."""


@dataclass(slots=True)
class _Job:
    """A job under way."""

    identity: str
    """The image that it is for: `guide/start.md#hero-dark`."""
    variant: int
    since: float
    """When it was queued, or when it began, on `time.monotonic()`'s clock."""
    begun: bool = False
    called: bool = False
    ordered: bool = False
    """Whether it was ordered in the studio."""


class Purchases:
    """The purchases of one run of a server. Safe to use from several threads."""

    def __init__(self, host: Host, publish: Callable[[str, Mapping[str, Any]], None]) -> None:
        """`publish`: see `Session`."""
        self._host = host
        self._publish = publish
        self._ordering = threading.Lock()
        """Held while jobs are ordered, which makes no call."""
        self._lock = threading.Lock()
        """Held for moments, and never while the queue is called."""
        self._closed = threading.Event()
        self._jobs: dict[str, _Job] = {}
        """By key."""
        self._ordered: dict[str, tuple[str, ImageJob]] = {}
        """By key: the jobs that were ordered here, each with the image of the site that it is for."""
        self._awaited: set[str] = set()
        """Keys of those of them that have not ended."""
        self._arrived: set[str] = set()
        self._paid: list[str] = []
        """Keys of the images that were bought, one for each."""
        self._reasons: dict[str, QhaigcError] = {}
        """By key: why an image that was ordered here has not come."""
        self._failed: set[str] = set()
        """Keys of images that builds have ordered, and that have not come."""
        self._dropped: dict[str, ImageJob] = {}
        """By key: jobs that are to be ordered again."""
        self._thread: threading.Thread | None = None
        self._folder: Path | None = None
        """The site's, as of the last order."""

    # Orders

    def order(self, jobs: Sequence[tuple[ImageJob, str]], options: Options) -> bool:
        """Have images made, each for an image of the site; return `False` if some are under way already.

        Raises:
            Problem: nothing can be bought, or not that many. Nothing was ordered.
        """
        if refusal := _refusal(options):
            raise Problem(409, "stopped", str(refusal))
        queue = self._host.queue()
        self._folder = options.folder
        with self._ordering:
            if self._closed.is_set():
                raise Problem(409, "stopped", "the preview has ended")
            if any(self._future(queue, job.request.key) for job, _ in jobs):
                return False
            self._require_budget(len(jobs))
            with self._lock:
                for job, identity in jobs:
                    self._ordered[job.request.key] = identity, job
                    self._awaited.add(job.request.key)
                    self._reasons.pop(job.request.key, None)
            for job, _ in jobs:
                done = queue.future(job.request.key)
                if done and done.done() and not done.cancelled() and not done.exception():
                    queue.forget(job.request.key)  # its image is gone
            try:
                ordered = order_jobs([job for job, _ in jobs], queue)
            except BaseException:
                with self._lock:
                    self._awaited.difference_update(job.request.key for job, _ in jobs)
                raise
        for job, future in ordered:
            future.add_done_callback(partial(self._end, job))
        return True

    def _require_budget(self, images: int) -> None:
        with self._lock:
            waiting = sum(1 for job in self._jobs.values() if job.ordered and not job.called)
        left = max(0, self._host.budget.left - waiting)
        if images > left:
            most = self._host.budget.most
            raise Problem(
                409,
                "budget",
                f"this run of the server may buy {most} {plural(most, 'image', 'images')} (`max_new_images`), and "
                f"{left} {plural(left, 'is', 'are')} left. Raise the limit in the bar for more",
            )

    def _end(self, job: ImageJob, future: Future[StoredImage]) -> None:
        """Note the end of a job that was ordered here; have it ordered again if it was dropped."""
        key = job.request.key
        if future.cancelled():
            with self._lock:
                self._dropped[key] = job
                if self._thread is None and not self._closed.is_set():
                    self._thread = threading.Thread(target=self._order_again, name="qhaigc-studio", daemon=True)
                    self._thread.start()
            return
        try:
            reason = failure_of(future)
        except Exception as error:
            log.exception("%s: the job has failed", job.where)
            reason = QhaigcError(f"the job has failed ({type(error).__name__})")
        with self._lock:
            under_way = self._jobs.pop(key, None)
            self._awaited.discard(key)
            if reason:
                self._reasons[key] = reason
        if reason:
            self._tell(job, "failed", under_way, reason)

    def _order_again(self) -> None:
        """Order the jobs again that a change of the options has dropped, until each has a future."""
        tries = 0
        while not self._closed.wait(_PAUSES[min(tries, len(_PAUSES) - 1)]):
            tries += 1
            with self._lock:
                if not self._dropped:
                    self._thread = None
                    return
                dropped = list(self._dropped.items())
            for key, job in dropped:
                try:
                    future = self._host.queue().order(job)
                except QhaigcError as error:  # the options cannot be used at the moment
                    log.debug("%s: %s", job.where, error)
                    break
                with self._lock:
                    self._dropped.pop(key, None)
                future.add_done_callback(partial(self._end, job))

    # What the queue reports

    def changed(self, job: ImageJob, state: JobState) -> None:
        """Note that a job has reached a state, and tell the browser."""
        key, now = job.request.key, time.monotonic()
        with self._lock:
            ordered = key in self._awaited
            identity = self._identity_of(job)
            known = self._jobs.get(key)
            if state is JobState.SAVED or (state is JobState.DONE and not ordered):
                self._jobs.pop(key, None)
            elif state not in (JobState.FAILED, JobState.DONE):
                known = known or self._jobs.setdefault(key, _Job(identity, job.request.variant, now))
                known.ordered = ordered
            if state is JobState.QUEUED:
                self._failed.discard(key)
                self._reasons.pop(key, None)
            elif state is JobState.FAILED and not ordered:
                self._failed.add(key)
            if known and state is JobState.STARTED and not known.begun:
                known.begun, known.since = True, now
            if known and state is JobState.CALLED:
                known.called = True
            if state is JobState.SAVED:
                self._arrived.add(key)
                if known and known.called:
                    self._paid.append(key)
        if state in _STATES:
            self._tell(job, _STATES[state], known, None)
        elif state is JobState.FAILED and not ordered:  # else `_end` says why
            self._tell(job, "failed", known, None)

    def _tell(self, job: ImageJob, state: str, known: _Job | None, reason: QhaigcError | None) -> None:
        with self._lock:
            identity = self._identity_of(job)
        self._publish(
            "job",
            {
                "key": job.request.key,
                "id": identity,
                "variant": job.request.variant,
                "state": state,
                "seconds": round(time.monotonic() - known.since, 1) if known else 0.0,
                "reason": plain(reason, self._folder) if reason else None,
                "kind": kind_of(reason) if reason else None,
            },
        )

    def _identity_of(self, job: ImageJob) -> str:
        """Return the image of the site that a job is for."""
        if known := self._ordered.get(job.request.key):
            return known[0]
        where = job.where.removesuffix(" (dark)")
        return where if where == job.where else f"{where}-dark"

    # What is known

    def seconds(self, key: str) -> float | None:
        """Return for how many seconds an image has been under way; `None` if it is not."""
        with self._lock:
            job = self._jobs.get(key)
            return time.monotonic() - job.since if job else None

    def is_under_way(self, key: str) -> bool:
        """Whether an image is being made, or waits for that."""
        with self._lock:
            known = self._jobs.get(key)
            is_certain = key in self._awaited or (known is not None and known.begun)
        if is_certain:
            return True
        queue = self._usable_queue()
        if queue and self._future(queue, key):
            return True
        with self._lock:  # a build has dropped it, of which nobody is told
            if known and self._jobs.get(key) is known and not known.begun and key not in self._awaited:
                del self._jobs[key]
        return False

    def under_way(self) -> list[str]:
        """Return the keys of the images that are being made, or wait for that."""
        with self._lock:
            keys = list(self._jobs)
        return [key for key in keys if self.is_under_way(key)]

    def ordered_variants(self, request: ImageRequest) -> set[int]:
        """Return the variants of a request that were ordered here."""
        with self._lock:
            ordered = [job.request for _, job in self._ordered.values()]
        return {one.variant for one in ordered if request.of_variant(one.variant) == one}

    def has_arrived(self, key: str) -> bool:
        """Whether an image has come in this run of the server."""
        return key in self._arrived

    def paid(self) -> list[str]:
        """Return the keys of the images that were bought in this run of the server, one for each."""
        with self._lock:
            return list(self._paid)

    def reason(self, key: str) -> QhaigcError | None:
        """Return why an image has not come that was ordered, here or by a build; `None` if nothing is known."""
        with self._lock:
            reason, has_failed = self._reasons.get(key), key in self._failed
        queue = self._usable_queue() if has_failed and not reason else None
        return queue.failure(key) if queue else reason

    def obstacle(self, options: Options) -> QhaigcError | None:
        """Return why nothing can be bought at the moment; `None` if it can."""
        if refusal := _refusal(options):
            return refusal
        return None if self._host.budget.left else BudgetExceeded("the limit is reached")

    def close(self) -> None:
        """Order nothing from now on."""
        with self._ordering:
            self._closed.set()

    def _usable_queue(self) -> GenerationQueue | None:
        """Return the queue of the site's builds; `None` while the options cannot be used, and nothing is begun."""
        try:
            return self._host.queue()
        except OptionError:
            return None

    @staticmethod
    def _future(queue: GenerationQueue, key: str) -> Future[StoredImage] | None:
        """Return the future of a job that is under way."""
        future = queue.future(key)
        return future if future and not future.done() else None


def _refusal(options: Options) -> QhaigcError | None:
    """Return why no call can be made, as far as that is known without one; `None` if one can."""
    try:
        options.require_sandbox_within(os.environ)
    except OptionError as error:
        return error
    return Connection(options, api_key=options.api_key(os.environ), stopped=threading.Event()).refusal


def kind_of(reason: QhaigcError) -> str:
    """Return the kind of a reason why an image has not come: budget, refused, stopped or failed."""
    if isinstance(reason, PromptRejected):
        return "refused"
    if isinstance(reason, BudgetExceeded) and not isinstance(reason, NotBought):
        return "budget"
    return "stopped" if isinstance(reason, GenerationStopped) else "failed"


def plain(reason: QhaigcError, folder: object) -> str:
    """Return a reason in one line, without the path of the site's folder, which is nobody's business."""
    return " ".join(str(reason).split()).replace(f"{folder}{os.sep}", "")


def jobs_as_json(jobs: Iterable[ImageJob]) -> list[dict[str, Any]]:
    """Return the JSON fields of jobs."""
    return [{"key": job.request.key, "variant": job.request.variant} for job in jobs]
