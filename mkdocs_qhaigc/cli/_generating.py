"""Buying images without building the site: what `generate` and `candidates` do. Knows no terminal."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import dataclass

from mkdocs_qhaigc._util.importing import import_what_saves
from mkdocs_qhaigc._util.text import plural
from mkdocs_qhaigc._util.threads import wait_for
from mkdocs_qhaigc.config.options import Options
from mkdocs_qhaigc.errors import GenerationStopped, ImageUnavailable, QhaigcError
from mkdocs_qhaigc.generation.budget import Budget
from mkdocs_qhaigc.generation.job import ImageJob, Progress, failure_of
from mkdocs_qhaigc.generation.queue import GenerationQueue
from mkdocs_qhaigc.store.image_store import open_cache
from mkdocs_qhaigc.store.record import StoredImage


@dataclass(frozen=True, slots=True)
class Result:
    """What became of an order."""

    order: ImageJob
    original: StoredImage | None
    reason: QhaigcError | None
    """Why there is no image; None where there is one, or where nobody has waited for it."""
    asked: bool = False
    """Whether the API was asked: it was not where what an earlier command had paid for was taken in."""


@contextmanager
def opened_buyer(
    options: Options, *, api_key: str | None, budget: Budget, progress: Progress, say: Callable[[str], None]
) -> Iterator[GenerationQueue]:
    """Yield a buyer into this machine's images. On leaving, what has arrived is saved, whatever the reason is."""
    library = open_cache(options)
    buyer = GenerationQueue(options, api_key=api_key, library=library, progress=progress, say=say)
    buyer.budget = budget
    try:
        yield buyer
    except Exception:  # a page that cannot be read, say: what is under way is paid for all the same
        buyer.finish()
        raise
    finally:
        buyer.close()


def wait_for_all(futures: Iterable[Future[StoredImage]]) -> None:
    """Wait until all images are there, or cannot be had."""
    import_what_saves()
    for future in futures:
        wait_for(future)


def results(ordered: Sequence[tuple[ImageJob, Future[StoredImage]]], buyer: GenerationQueue) -> list[Result]:
    """Return what has become of orders by now."""
    found = []
    for order, future in ordered:
        reason = failure_of(future) if future.done() else None
        original = future.result() if future.done() and reason is None else None
        found.append(Result(order, original, reason, asked=buyer.effort(order.request.key).requests > 0))
    return found


def failures(found: Iterable[Result]) -> list[str]:
    """Return why images could not be had: one message an image; one for all that share what keeps them all away."""
    common: dict[str, list[str]] = {}
    said = []
    for result in found:
        if isinstance(result.reason, (GenerationStopped, ImageUnavailable)):
            common.setdefault(str(result.reason), []).append(result.order.where)
        elif result.reason:
            said.append(f"{result.order.where}: {result.reason}")
    for reason, places in common.items():
        count = len(places)
        said.append(f"{count} {plural(count, 'image', 'images')} ({', '.join(places)}): {reason}")
    return said


def purchase(orders: Sequence[ImageJob], options: Options) -> str:
    """Return how many images of which model, and what they cost where that is known; `nothing` for none.

    `2 by dall-e-3, 1 by qh-draw-x1-pro, for 0.11 USD`
    """
    if not orders:
        return "nothing"
    models: dict[str, int] = {}
    for order in orders:
        models[order.request.model] = models.get(order.request.model, 0) + 1
    said = ", ".join(f"{number} by {model}" for model, number in models.items())
    cost = options.cost(order.request for order in orders)
    return f"{said}, for {cost}" if cost else said
