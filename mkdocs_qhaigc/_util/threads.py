"""Daemon threads that do jobs in the order of submission. The end of the program does not wait for them."""

from __future__ import annotations

import contextlib
import queue
import threading
from collections.abc import Callable, Iterable
from concurrent import futures
from concurrent.futures import Future
from typing import Any, Generic, TypeVar

T = TypeVar("T")


class Workers(Generic[T]):
    """At most `at_once` jobs at once. Unlike an executor's, the threads are daemons: Ctrl-C ends at once."""

    def __init__(self, at_once: int, name: str, *, aside: int = 0, on_exit: Callable[[], None] = lambda: None) -> None:
        """`aside`: the number of further jobs that may run after `step_aside`. Each thread ends with `on_exit`."""
        self._most = at_once + aside
        self._turns = threading.Semaphore(at_once)
        self._turn = threading.local()
        self._name = name
        self._on_exit = on_exit
        self._jobs: queue.SimpleQueue[tuple[Future[T], Callable[..., T], tuple[Any, ...]] | None]
        self._jobs = queue.SimpleQueue()
        self._threads: list[threading.Thread] = []

    def submit(self, job: Callable[..., T], *args: Any) -> Future[T]:
        """Return the future of a job that is now queued."""
        future: Future[T] = Future()
        self._jobs.put((future, job, args))
        if len(self._threads) < self._most:
            thread = threading.Thread(target=self._work, name=f"{self._name}-{len(self._threads)}", daemon=True)
            self._threads.append(thread)
            thread.start()
        return future

    def step_aside(self) -> None:
        """Let the next job begin before the calling one has ended. A second call in a job does nothing."""
        if getattr(self._turn, "held", False):
            self._turn.held = False
            self._turns.release()

    def drop(self) -> None:
        """Drop the jobs that have not begun: their futures are cancelled."""
        dropped = []
        with contextlib.suppress(queue.Empty):
            while True:
                dropped.append(self._jobs.get_nowait())
        for job in dropped:  # all are out by now: who hears of one may submit it again
            if job:
                job[0].cancel()

    def close(self) -> None:
        """Drop the jobs that have not begun, and end each thread after its current job. Does not wait."""
        self.drop()
        for _ in self._threads:
            self._jobs.put(None)

    def _work(self) -> None:
        try:
            while self._work_once():
                pass
        finally:
            self._on_exit()

    def _work_once(self) -> bool:
        """Wait for the next job and do it; return `False` if there will be none."""
        self._turns.acquire()  # before the job is taken: one that waits for its turn can be dropped
        self._turn.held = True
        try:
            job = self._jobs.get()
            if job is None:
                return False
            future, function, args = job
            if future.set_running_or_notify_cancel():
                try:
                    result = function(*args)
                except BaseException as error:  # noqa: BLE001 - the future raises it
                    future.set_exception(error)
                else:
                    future.set_result(result)
            return True
        finally:
            self.step_aside()


def give_up(futures: Iterable[Future[T]], done: Future[None]) -> None:
    """End the futures of a job that was cancelled or failed with an unexpected error."""
    error = None if done.cancelled() else done.exception()
    for future in futures:
        if error and not future.done():
            future.set_exception(error)
        elif done.cancelled():
            future.cancel()


def wait_for(future: Future[Any]) -> None:
    """Wait until a future is done, however it ends."""
    while not future.done():  # in steps, for a wait without end hears no Ctrl-C on Windows
        futures.wait([future], timeout=0.5)
