"""Generation of images by a command: it prints the cost, asks for consent, and prints the outcome."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, TypeVar

import click

from mkdocs_qhaigc._util.threads import wait_for
from mkdocs_qhaigc.cli._common import count, note, print_hindrances
from mkdocs_qhaigc.config.options import Options
from mkdocs_qhaigc.config.prices import Cost
from mkdocs_qhaigc.errors import GenerationStopped, ImageUnavailable, OptionError, QhaigcError
from mkdocs_qhaigc.generation.answer_journal import Journal
from mkdocs_qhaigc.generation.job import ImageJob, Observer, by_reason, failure_of
from mkdocs_qhaigc.generation.progress import LineProgress, LiveProgress
from mkdocs_qhaigc.generation.queue import GenerationQueue
from mkdocs_qhaigc.generation.when_to_stop import Budget
from mkdocs_qhaigc.store.image_store import open_cache
from mkdocs_qhaigc.store.record import StoredImage
from mkdocs_qhaigc.store.shared_images import open_shared

_Command = TypeVar("_Command", bound=Callable[..., Any])


@dataclass(frozen=True, slots=True)
class Result:
    """The outcome of a job."""

    job: ImageJob
    image: StoredImage | None
    reason: QhaigcError | None
    """The reason why there is no image; `None` if there is one, or if its job was not waited for."""
    called: bool = False
    """Whether the API was called: not for an image that an earlier command has paid for."""


def yes_option(command: _Command) -> _Command:
    """Add `--yes`."""
    return click.option("-y", "--yes", is_flag=True, help="Buy without asking; needed where nobody can be asked.")(
        command
    )


def agree(jobs: Sequence[ImageJob], options: Options, *, most: int, limit: str, yes: bool) -> None:
    """Print which images are going to be generated at what cost, and ask for consent.

    `limit` is the name of the option that allows at most `most` images.

    Raises:
        click.Abort: consent was refused.
        click.ClickException: nothing can be generated.
        click.UsageError: nobody can be asked.
    """
    seller = "the sandbox, which sells nothing" if options.sandboxed else options.base_url
    to_buy, ordered = split_ordered(jobs, options)
    if to_buy:
        note(f"To buy from {seller}: {count(len(to_buy), 'image')} ({models_and_cost(to_buy, options)}).")
    if ordered:
        note(f"Ordered already: {count(len(ordered), 'image')}.")
    if len(to_buy) > most:
        note(f"Of these at most {most} now ({limit}).")
    print_hindrances(jobs, options)
    require_sandbox_within_sandbox(options)
    if options.needs_key and not options.api_key(os.environ):
        raise click.ClickException(
            f"no API key: the environment variable {options.api_key_env} is not set. "
            "Set it, or choose `base_url: sandbox` to try things out"
        )
    if yes or not to_buy:
        return
    if not (sys.stdin.isatty() and sys.stderr.isatty()):
        raise click.UsageError(
            "Nothing was bought, because nobody can be asked here. Add --yes to buy without a question."
        )
    click.confirm("Buy now?", err=True, abort=True)


def split_ordered(jobs: Sequence[ImageJob], options: Options) -> tuple[list[ImageJob], list[ImageJob]]:
    """Return the jobs that buy an image, and those that collect one: an earlier call has asked for it.

    Its answer is kept until then: a task that was under way, for example.
    """
    journal = Journal(options.cache.answers)
    kept = [(job, journal.find(job.request.key) is not None) for job in jobs]
    return [job for job, is_kept in kept if not is_kept], [job for job, is_kept in kept if is_kept]


def require_sandbox_within_sandbox(options: Options) -> None:
    """Refuse to generate real images in a command that `mkdocs-qhaigc sandbox` runs.

    Raises:
        click.ClickException: the options name a real API.
    """
    try:
        options.require_sandbox_within(os.environ)
    except OptionError as error:
        raise click.ClickException(f"option `{error.option}`: {error}") from error


@contextmanager
def opened_queue(options: Options, budget: Budget, *, observers: Sequence[Observer] = ()) -> Iterator[GenerationQueue]:
    """Yield a queue that saves into this machine's cache, and show its progress to people and to `observers`.

    At the end, images that have arrived are saved. After an error, jobs under way are waited for: they are paid for.
    """
    progress = LiveProgress() if sys.stderr.isatty() else LineProgress()
    store = open_cache(options)
    shared = open_shared(options, store)
    queue = GenerationQueue(
        options,
        api_key=options.api_key(os.environ),
        store=store,
        observers=[progress, *observers],
        shared=shared,
    )
    queue.budget = budget
    try:
        yield queue
    except Exception:  # a page that cannot be read, for example
        queue.finish()
        raise
    finally:
        queue.close()
        progress.close()
        if shared:
            shared.close()


def wait_for_all(futures: Iterable[Future[StoredImage]]) -> None:
    """Wait until every job has ended, or until Ctrl-C."""
    try:
        for future in futures:
            wait_for(future)
    except KeyboardInterrupt:
        click.echo(err=True)


def results(submitted: Sequence[tuple[ImageJob, Future[StoredImage]]], queue: GenerationQueue) -> list[Result]:
    """Return the outcomes of jobs so far."""
    found = []
    for job, future in submitted:
        reason = failure_of(future) if future.done() else None
        image = future.result() if future.done() and reason is None else None
        found.append(Result(job, image, reason, called=queue.stats(job.request.key).requests > 0))
    return found


def print_failures(found: Sequence[Result]) -> bool:
    """Print why images could not be generated; return whether every job has an image."""
    for message in _failures(found):
        note(f"Error: {message.rstrip('.')}.")
    unfinished = [result.job.where for result in found if not result.image and not result.reason]
    if unfinished:
        note(
            f"Stopped. Not waited for: {', '.join(unfinished)}. Calls under way may have been billed; "
            "no image that has arrived is lost, and the next run uses it."
        )
    return all(result.image for result in found)


def outcome(found: Sequence[Result], options: Options) -> str:
    """Return how many images were generated, at what cost, and how many were not.

    `2 images generated for 0.04 USD, 1 not`
    """
    came = sum(1 for result in found if result.image)
    cost = cost_of(found, options)
    said = f"{count(came, 'image')} generated" + (f" for {cost}" if came and cost else "")
    return said + (f", {len(found) - came} not" if came < len(found) else "")


def cost_of(found: Sequence[Result], options: Options) -> Cost | None:
    """Return the cost of images, without those that were paid for earlier; `None` if it is not known."""
    return options.spent(result.image.bought for result in found if result.image and result.called)


def models_and_cost(jobs: Sequence[ImageJob], options: Options) -> str:
    """Return the number of images by model, and their cost if it is known; `nothing` without jobs.

    `2 by dall-e-3, 1 by qh-draw-x1-pro, for 0.11 USD`
    """
    if not jobs:
        return "nothing"
    models: dict[str, int] = {}
    for job in jobs:
        models[job.request.model] = models.get(job.request.model, 0) + 1
    listed = ", ".join(f"{number} by {model}" for model, number in models.items())
    cost = options.cost(job.request for job in jobs)
    return f"{listed}, for {cost}" if cost else listed


def _failures(found: Iterable[Result]) -> list[str]:
    """Return why images could not be generated: a message for each image, or for all that share a reason."""
    messages = []
    for reason, jobs in by_reason((result.job, result.reason) for result in found if result.reason):
        stopped = isinstance(reason, (GenerationStopped, ImageUnavailable))
        names = ", ".join(job.where for job in jobs)
        where = f"{count(len(jobs), 'image')} ({names})" if stopped or len(jobs) > 1 else names
        messages.append(f"{where}: {reason}")
    return messages
