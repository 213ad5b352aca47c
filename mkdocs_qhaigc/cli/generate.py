"""`mkdocs-qhaigc generate`: generates the images that are missing, without building the site."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

from mkdocs_qhaigc.cli._common import (
    chosen,
    config_option,
    count,
    json_option,
    print_json,
    print_warnings,
    survey_of,
    with_shared,
)
from mkdocs_qhaigc.cli._generation import (
    Result,
    agree,
    cost_of,
    models_and_cost,
    opened_queue,
    outcome,
    print_failures,
    results,
    split_ordered,
    wait_for_all,
    yes_option,
)
from mkdocs_qhaigc.cli._selection import select
from mkdocs_qhaigc.cli.plan import as_fields
from mkdocs_qhaigc.config.options import Options
from mkdocs_qhaigc.errors import ImageDamaged, PromptRejected, StoreError
from mkdocs_qhaigc.generation.refusals import Refusals
from mkdocs_qhaigc.generation.when_to_stop import Budget
from mkdocs_qhaigc.site.survey import SurveyEntry
from mkdocs_qhaigc.store.local_finder import ImageFinder

_USED_UP = "this command may buy {most} new images (`%s`). Run it again for the next ones, or give a higher --max-new"


@click.command(short_help="Buy the images that are missing.")
@click.argument("pages", nargs=-1, metavar="[PAGE[#NAME]]...")
@click.option("--max-new", type=click.IntRange(0), help="The most images to buy.  [default: option max_new_images]")
@click.option("--retry-refused", is_flag=True, help="Ask again for what the service has refused.")
@click.option("--dry-run", is_flag=True, help="Say which images it would buy, and buy nothing.")
@yes_option
@json_option
@config_option
def generate(
    pages: Sequence[str],
    max_new: int | None,
    retry_refused: bool,
    dry_run: bool,
    yes: bool,
    as_json: bool,
    config_file: Path,
) -> None:
    """Buy the images that are missing, without building the site.

    All of the site, or those of the given pages (guide/start.md), or single ones (guide/start.md#hero;
    mkdocs.yml#logo for the option `images`), with those that are references for them. Says first how many it buys by
    which model, and asks.

    What the option `missing` forbids to builds, this command does: it is asked to. What the service has refused for its
    content is not asked for again, unless its prompt has changed, or with --retry-refused.
    """
    if dry_run and as_json:
        raise click.UsageError("--dry-run goes without --json: `mkdocs-qhaigc plan --json` lists every image.")
    survey = with_shared(survey_of(config_file))
    print_warnings(survey)
    selected = chosen(lambda: select(survey, pages))
    needed = survey.missing_for(one.request for one in selected if one.state == "missing")
    wanted = {one.request.key for one in (*selected, *needed)}
    damaged = [
        (one, error) for one in survey.each_once() if one.request.key in wanted and (error := _damage(one)) is not None
    ]
    refused = [one for one in survey.each_once() if one.state == "refused" and one.request.key in wanted]
    again = refused if retry_refused else []
    missing = [*(one for one in survey.missing() if one.request.key in wanted), *(one for one, _ in damaged), *again]
    unreadable = [one for one in survey.each_once() if one.state == "unreadable" and one.request.key in wanted]
    unreadable += [] if retry_refused else refused
    kept = [Result(one.image.job, None, one.image.reason) for one in unreadable]
    complete = print_failures(kept)
    if not missing:
        if as_json:
            _print_as_json(unreadable, kept, survey.options)
        else:
            click.echo("Nothing to buy" + (": every image is there." if complete else "."))
        if not complete:
            sys.exit(1)
        return
    if dry_run:
        for one in missing:
            click.echo(f"{one.title}: {one.request.model}, {one.size}")
        to_buy, ordered = split_ordered([one.image.job for one in missing], survey.options)
        collected = f" Ordered already: {count(len(ordered), 'image')}." if ordered else ""
        click.echo(f"Would buy {models_and_cost(to_buy, survey.options)}.{collected}")
        return
    limit = "max_new_images" if max_new is None else "--max-new"
    most = survey.options.max_new_images if max_new is None else max_new
    agree([one.image.job for one in missing], survey.options, most=most, limit=limit, yes=yes)
    refusals = Refusals(survey.options)
    for one in again:
        refusals.forget(one.request.key)
    finder = ImageFinder(survey.options)
    for one, error in damaged:
        if one.stored:
            finder.set_aside(one.stored, error, where=one.title)
    with opened_queue(survey.options, Budget(most, used_up=_USED_UP % limit)) as queue:
        submitted = [(one.image.job, queue.submit(one.image.job)) for one in missing]
        wait_for_all(future for _, future in submitted)
    found = results(submitted, queue)
    complete = print_failures(found) and complete
    if as_json:
        _print_as_json([*missing, *unreadable], [*found, *kept], survey.options)
    else:
        click.echo(f"{outcome(found, survey.options)}.")
    if not complete:
        sys.exit(1)


def _damage(one: SurveyEntry) -> ImageDamaged | None:
    """Return why the cached bytes of an image are not those that were saved. Damaged pins are to be restored."""
    if one.stored is None or one.state != "cached":
        return None
    try:
        one.stored.read()
    except ImageDamaged as error:
        return error
    except StoreError:  # it may be whole: `check` names it
        return None
    return None


def _state(result: Result) -> str:
    if result.image:
        return "generated"
    return "refused" if isinstance(result.reason, PromptRejected) else "missing"


def _print_as_json(missing: Sequence[SurveyEntry], found: Sequence[Result], options: Options) -> None:
    images: list[dict[str, Any]] = [
        {
            **as_fields(one),
            "state": _state(result),
            "file": str(result.image.path) if result.image else None,
            "reason": str(result.reason) if result.reason else None,
        }
        for one, result in zip(missing, found, strict=True)
    ]
    generated = [result for result in found if result.image]
    cost = cost_of(found, options)
    counts = {"generated": len(generated), "failed": len(found) - len(generated)}
    print_json({"images": images, **counts, "cost": cost and cost.as_fields()})
