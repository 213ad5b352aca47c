"""What the commands share that buy: it is said first what is bought, asked on a terminal, and told what came of it."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from shutil import get_terminal_size
from textwrap import fill
from typing import Any, TypeVar

import click

from mkdocs_qhaigc._util.log import forwarding
from mkdocs_qhaigc.cli._generating import Result, failures, opened_buyer, purchase
from mkdocs_qhaigc.cli.common import count, warn
from mkdocs_qhaigc.config.options import Options
from mkdocs_qhaigc.config.prices import Cost
from mkdocs_qhaigc.errors import OptionError
from mkdocs_qhaigc.generation.budget import Budget
from mkdocs_qhaigc.generation.job import ImageJob
from mkdocs_qhaigc.generation.progress import LineProgress, LiveProgress
from mkdocs_qhaigc.generation.queue import GenerationQueue

_Command = TypeVar("_Command", bound=Callable[..., Any])


def yes_option(command: _Command) -> _Command:
    """Add `--yes`."""
    return click.option("-y", "--yes", is_flag=True, help="Buy without asking; needed where nobody can be asked.")(
        command
    )


def agree(orders: Sequence[ImageJob], options: Options, *, most: int, limit: str, yes: bool) -> None:
    """Say what is going to be bought, and ask whether it may be.

    `limit` is the name of the option that says that at `most` so many may.

    Raises:
        click.Abort: it may not.
        click.ClickException: it could not be bought anyway.
        click.UsageError: nobody can be asked.
    """
    seller = "the sandbox, which sells nothing" if options.sandboxed else options.base_url
    _say(f"To buy from {seller}: {count(len(orders), 'image')} ({purchase(orders, options)}).")
    if len(orders) > most:
        _say(f"Of these at most {most} now ({limit}).")
    refuse_to_buy_within_sandbox(options)
    if not options.api_key(os.environ):
        raise click.ClickException(
            f"no API key: the environment variable {options.api_key_env} is not set. "
            "Set it, or choose `base_url: sandbox` to try things out"
        )
    if yes:
        return
    if not (sys.stdin.isatty() and sys.stderr.isatty()):
        raise click.UsageError(
            "Nothing was bought, for nobody can be asked here. Write --yes to buy without a question."
        )
    click.confirm("Buy now?", err=True, abort=True)


def refuse_to_buy_within_sandbox(options: Options) -> None:
    """Have nothing bought where `mkdocs-qhaigc sandbox` runs the command.

    Raises:
        click.ClickException: it would be.
    """
    try:
        options.require_sandbox_within(os.environ)
    except OptionError as error:
        raise click.ClickException(f"option `{error.option}`: {error}") from error


@contextmanager
def buying(options: Options, budget: Budget) -> Iterator[GenerationQueue]:
    """Yield a buyer whose progress is shown as that of a build; Ctrl-C ends the command after saving what has come."""
    progress = LiveProgress() if sys.stderr.isatty() else LineProgress(_say)
    try:
        with (
            forwarding(warn),
            opened_buyer(
                options, api_key=options.api_key(os.environ), budget=budget, progress=progress, say=_say
            ) as buyer,
        ):
            yield buyer
    finally:
        progress.close()


def tell(found: Sequence[Result]) -> bool:
    """Print why images could not be had; return whether all are there."""
    for message in failures(found):
        _say(f"Error: {message.rstrip('.')}.")
    unfinished = [result.order.where for result in found if not result.original and not result.reason]
    if unfinished:
        _say(
            f"Stopped. Not waited for: {', '.join(unfinished)}. What had been asked for may have been billed; "
            "of what has arrived nothing is lost, and the next run takes it in."
        )
    return all(result.original for result in found)


def outcome(found: Sequence[Result], options: Options) -> str:
    """Return how many images came, for how much, and how many did not: `2 images generated for 0.04 USD, 1 not`."""
    came = sum(1 for result in found if result.original)
    cost = cost_of(found, options)
    said = f"{count(came, 'image')} generated" + (f" for {cost}" if came and cost else "")
    return said + (f", {len(found) - came} not" if came < len(found) else "")


def cost_of(found: Sequence[Result], options: Options) -> Cost | None:
    """Return what images have cost; what had been paid for before and was only taken in costs nothing."""
    return options.cost(result.order.request for result in found if result.original and result.asked)


def _say(message: str) -> None:
    """Print beside the command's own output, above the bar where there is one; on a terminal by whole words."""
    if sys.stderr.isatty():
        message = fill(message, get_terminal_size().columns, break_on_hyphens=False)
    click.echo(message, err=True)
