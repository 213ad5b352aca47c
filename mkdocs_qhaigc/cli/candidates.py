"""`mkdocs-qhaigc candidates`: several images of one prompt, a sheet to look at them, and the choice of one."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import click

from mkdocs_qhaigc.cli._candidates import Candidate, find_candidates, order_missing, pick, write_sheet
from mkdocs_qhaigc.cli._generation import Result, agree, opened_queue, print_failures, results, wait_for_all, yes_option
from mkdocs_qhaigc.cli.common import (
    as_argument,
    chosen,
    config_option,
    count,
    failing,
    json_option,
    print_json,
    survey_of,
    tell_notices,
    warn,
)
from mkdocs_qhaigc.cli.selection import select_one
from mkdocs_qhaigc.generation.budget import Budget
from mkdocs_qhaigc.site.survey import Survey, SurveyEntry

_USED_UP = "this command may buy {most} new images (`max_new_images`). Ask for fewer, or run it again for the next ones"


@click.command(short_help="Buy variants of an image, and pick one.")
@click.argument("image", metavar="PAGE#NAME")
@click.option("-n", "variants", type=click.IntRange(1, 100), help="How many variants.  [default: 4]")
@click.option("--pick", "picked", type=click.IntRange(1, 10_000), help="Write this variant into the page; buy nothing.")
@yes_option
@json_option
@config_option
def candidates(
    image: str, variants: int | None, picked: int | None, yes: bool, as_json: bool, config_file: Path
) -> None:
    """Buy variants 1 to N of an image, and write a contact sheet to choose from; then --pick one.

    Variants that are there already are not bought again. Those that are not come in one call, where the model takes
    it. Says first how many it buys by which model, and asks.

    --pick writes `variant: NUMBER` into the page's front matter and changes nothing else of the file.
    """
    if picked and (variants or as_json):
        raise click.UsageError("--pick goes with neither -n nor --json.")
    survey = survey_of(config_file)
    tell_notices(survey)
    declared = chosen(lambda: select_one(survey, image))
    if picked:
        _pick(declared, survey, picked)
        return
    found = find_candidates(declared, survey.options, range(1, (variants or 4) + 1), report=warn)
    unreadable = [Result(one.job, None, one.reason) for one in found if one.reason]
    complete = print_failures(unreadable)
    missing = [candidate.job for candidate in found if candidate.state == "missing"]
    if missing:
        most = survey.options.max_new_images
        agree(missing, survey.options, most=most, limit="max_new_images", yes=yes)
        found, bought = _buy(found, survey, Budget(most, used_up=_USED_UP))
        complete = complete and bought
    with failing():
        sheet = write_sheet(found, declared, survey.options)
    _print(found, declared, sheet, as_json)
    if not complete:
        sys.exit(1)


def _pick(declared: SurveyEntry, survey: Survey, variant: int) -> None:
    """Write a variant that is there into its page."""
    [candidate] = find_candidates(declared, survey.options, [variant], report=warn)
    if candidate.reason:
        raise click.ClickException(f"variant {variant} of {declared.where}: {candidate.reason}")
    if not candidate.original:
        raise click.ClickException(
            f"there is no variant {variant} of {declared.where}. "
            f"To have variants 1 to {variant}: mkdocs-qhaigc candidates {as_argument(declared.where)} -n {variant}"
        )
    with failing():
        file = pick(declared, variant, docs_dir=survey.docs_dir, defaults=survey.options.defaults)
    if file is None:
        click.echo(f"{declared.where} is variant {variant} already.")
        return
    click.echo(f"{file}: {declared.name} is variant {variant} now.")
    dark = next(
        (one for one in survey.entries if one.dark and (one.page, one.name) == (declared.page, declared.name)), None
    )
    if dark:
        [beside] = find_candidates(dark, survey.options, [variant], report=warn)
        if not beside.original:
            command = f"mkdocs-qhaigc generate {as_argument(dark.where)}"
            click.echo(f"Its dark image of that variant is not there. To buy it: {command}")


def _buy(found: list[Candidate], survey: Survey, budget: Budget) -> tuple[list[Candidate], bool]:
    """Return the candidates after buying, and whether all are there."""
    with opened_queue(survey.options, budget) as queue:
        ordered = order_missing(found, queue)
        wait_for_all(future for _, future in ordered)
    bought = {result.job.request.key: result for result in results(ordered, queue)}
    complete = print_failures(list(bought.values()))
    after = []
    for candidate in found:
        result = bought.get(candidate.job.request.key)
        if result and result.image:
            candidate = replace(candidate, original=result.image, state="generated")  # noqa: PLW2901
        elif result:
            candidate = replace(candidate, reason=result.reason)  # noqa: PLW2901
        after.append(candidate)
    return after, complete


def _print(found: list[Candidate], declared: SurveyEntry, sheet: Path, as_json: bool) -> None:
    if as_json:
        rows: list[dict[str, Any]] = [
            {
                "variant": candidate.variant,
                "state": candidate.state,
                "in_use": candidate.variant == declared.request.variant,
                "key": candidate.job.request.key,
                "file": str(candidate.original.path) if candidate.original else None,
                "reason": str(candidate.reason) if candidate.reason else None,
            }
            for candidate in found
        ]
        print_json({"image": declared.where, "candidates": rows, "sheet": str(sheet)})
        return
    there = sum(1 for candidate in found if candidate.original)
    click.echo(f"{count(there, 'variant')} of {declared.where} to choose from:")
    click.echo(f"  {sheet}")
    if declared.page:
        click.echo(f"To choose: mkdocs-qhaigc candidates {as_argument(declared.where)} --pick NUMBER")
    else:
        click.echo("To choose: write `variant: NUMBER` below it, under `images` in mkdocs.yml")
