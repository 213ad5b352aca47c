"""`mkdocs-qhaigc candidates`: several pictures of one prompt, a sheet to look at them, and the choice of one."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import click

from mkdocs_qhaigc.budget import Budget
from mkdocs_qhaigc.candidates import Candidate, find_candidates, order_missing, write_sheet
from mkdocs_qhaigc.cli.purchase import agree, buying, tell, yes_option
from mkdocs_qhaigc.cli.site import (
    chosen,
    config_option,
    count,
    failing,
    json_option,
    print_json,
    survey_of,
    tell_notices,
)
from mkdocs_qhaigc.generating import results, wait_for_all
from mkdocs_qhaigc.selection import select_one
from mkdocs_qhaigc.survey import Declared, Survey

_USED_UP = (
    "this command may buy {most} new pictures (`max_new_images`). Ask for fewer, or run it again for the next ones"
)


@click.command()
@click.argument("picture", metavar="PAGE#NAME")
@click.option("-n", "variants", type=click.IntRange(1, 100), default=4, show_default=True, help="How many variants.")
@yes_option
@json_option
@config_option
def candidates(picture: str, variants: int, yes: bool, as_json: bool, config_file: Path) -> None:
    """Buy variants 1 to N of a picture, and write a contact sheet to choose from.

    Variants that are there already are not bought again. Those that are not come in one call, where the model takes
    it. Says first how many it buys by which model, and asks.
    """
    survey = survey_of(config_file)
    tell_notices(survey)
    declared = chosen(lambda: select_one(survey, picture))
    found = find_candidates(declared, survey.options, variants, report=lambda text: click.echo(text, err=True))
    complete = True
    missing = [candidate.order for candidate in found if candidate.state == "missing"]
    if missing:
        most = survey.options.max_new_images
        agree(missing, survey.options, most=most, limit="max_new_images", yes=yes)
        found, complete = _buy(found, survey, Budget(most, used_up=_USED_UP))
    with failing():
        sheet = write_sheet(found, declared, survey.options)
    _print(found, declared, sheet, as_json)
    if not complete:
        sys.exit(1)


def _buy(found: list[Candidate], survey: Survey, budget: Budget) -> tuple[list[Candidate], bool]:
    """Return the candidates after buying, and whether all are there."""
    with buying(survey.options, budget) as buyer:
        ordered = order_missing(found, buyer)
        try:
            wait_for_all(future for _, future in ordered)
        except KeyboardInterrupt:
            click.echo(err=True)
    bought = {result.order.request.key: result for result in results(ordered)}
    complete = tell(list(bought.values()))
    after = []
    for candidate in found:
        result = bought.get(candidate.order.request.key)
        if result and result.original:
            candidate = replace(candidate, original=result.original, state="generated")  # noqa: PLW2901
        elif result:
            candidate = replace(candidate, reason=result.reason)  # noqa: PLW2901
        after.append(candidate)
    return after, complete


def _print(found: list[Candidate], declared: Declared, sheet: Path, as_json: bool) -> None:
    if as_json:
        rows: list[dict[str, Any]] = [
            {
                "variant": candidate.variant,
                "state": candidate.state,
                "in_use": candidate.variant == declared.request.variant,
                "key": candidate.order.request.key,
                "file": str(candidate.original.path) if candidate.original else None,
                "reason": str(candidate.reason) if candidate.reason else None,
            }
            for candidate in found
        ]
        print_json({"picture": declared.where, "candidates": rows, "sheet": str(sheet)})
        return
    there = sum(1 for candidate in found if candidate.original)
    click.echo(f"{count(there, 'variant')} of {declared.where} to choose from:")
    click.echo(f"  {sheet}")
    click.echo(f"To choose: mkdocs-qhaigc candidates {declared.where} --pick NUMBER")
