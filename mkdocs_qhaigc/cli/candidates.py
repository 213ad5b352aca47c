"""`mkdocs-qhaigc candidates`: generates variants of an image, writes a sheet of them, and picks one."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import click

from mkdocs_qhaigc.cli._common import (
    as_argument,
    chosen,
    config_option,
    count,
    failing,
    json_option,
    print_dependents,
    print_json,
    print_warnings,
    survey_of,
    with_shared,
)
from mkdocs_qhaigc.cli._generation import Result, agree, opened_queue, print_failures, results, wait_for_all, yes_option
from mkdocs_qhaigc.cli._selection import select_one
from mkdocs_qhaigc.errors import PromptRejected
from mkdocs_qhaigc.generation.when_to_stop import Budget
from mkdocs_qhaigc.site.candidates import (
    Candidate,
    find_candidates,
    kept_dark,
    line_of,
    order_jobs,
    pick,
    renew_sheets,
    write_sheet,
)
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

    --pick writes `variant: NUMBER` into the page's front matter and changes nothing else of the file. The dark image
    of a pair is PAGE#NAME-dark, and is picked separately: it stays as it is where it is there.
    """
    if picked and (variants or as_json):
        raise click.UsageError("--pick goes with neither -n nor --json.")
    survey = with_shared(survey_of(config_file))
    print_warnings(survey)
    declared = chosen(lambda: select_one(survey, image))
    if picked:
        _pick(declared, survey, picked)
        return
    with failing():
        found = find_candidates(declared, survey.options, range(1, (variants or 4) + 1))
    unreadable = [Result(one.job, None, one.reason) for one in found if one.reason]
    complete = print_failures(unreadable)
    missing = [candidate.job for candidate in found if candidate.state == "missing"]
    if missing:
        most = survey.options.max_new_images
        first = [one.image.job for one in survey.missing_for(job.request for job in missing)]
        agree([*first, *missing], survey.options, most=most, limit="max_new_images", yes=yes)
        found, generated = _generate(found, survey, Budget(most, used_up=_USED_UP))
        complete = complete and generated
    with failing():
        sheet = write_sheet(found, declared, survey.options, address=survey.addresses.get(declared.page))
    _print(found, declared, sheet, as_json)
    if not complete:
        sys.exit(1)


def _pick(declared: SurveyEntry, survey: Survey, variant: int) -> None:
    """Write an existing variant into its page."""
    with failing():
        [candidate] = find_candidates(declared, survey.options, [variant])
    if candidate.reason:
        raise click.ClickException(f"variant {variant} of {declared.title}: {candidate.reason}")
    if not candidate.stored:
        raise click.ClickException(
            f"there is no variant {variant} of {declared.title}. "
            f"To have variants 1 to {variant}: mkdocs-qhaigc candidates {as_argument(declared.target)} -n {variant}"
        )
    with failing():
        dark_variant = kept_dark(declared, survey)
        file = pick(
            declared,
            variant,
            docs_dir=survey.docs_dir,
            defaults=survey.options.defaults,
            dark_variant=dark_variant,
        )
    dark = None if declared.dark else survey.dark_image_of(declared)
    if file is None:
        click.echo(f"{declared.title} is variant {variant} already.")
    else:
        click.echo(f"{file}: {declared.name}{' (dark)' if declared.dark else ''} is variant {variant} now.")
        print_dependents(declared, survey)
        if dark and (not dark.follows or dark_variant):
            if dark.request.variant != variant:
                click.echo(f"Its dark image has a variant of its own, and stays variant {dark.request.variant}.")
        elif dark:
            command = f"mkdocs-qhaigc generate {as_argument(dark.where)}"
            click.echo(f"Its dark image is not there. To buy it: {command}")
    changed = [declared, *([dark] if dark and dark.follows and not dark_variant else [])]
    with failing():
        renew_sheets((one.of_variant(variant) for one in changed), survey)


def _generate(found: list[Candidate], survey: Survey, budget: Budget) -> tuple[list[Candidate], bool]:
    """Generate the missing candidates; return all of them, and whether every one has an image."""
    with opened_queue(survey.options, budget) as queue:
        submitted = order_jobs([one.job for one in found if one.state == "missing"], queue)
        wait_for_all(future for _, future in submitted)
    outcomes = {result.job.request.key: result for result in results(submitted, queue)}
    complete = print_failures(list(outcomes.values()))
    after = []
    for candidate in found:
        result = outcomes.get(candidate.job.request.key)
        if result and result.image:
            candidate = replace(candidate, stored=result.image, state="generated")  # noqa: PLW2901
        elif result:
            state = "refused" if isinstance(result.reason, PromptRejected) else candidate.state
            candidate = replace(candidate, reason=result.reason, state=state)  # noqa: PLW2901
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
                "file": str(candidate.stored.path) if candidate.stored else None,
                "reason": str(candidate.reason) if candidate.reason else None,
            }
            for candidate in found
        ]
        print_json({"image": declared.target, "candidates": rows, "sheet": str(sheet)})
        return
    there = sum(1 for candidate in found if candidate.stored)
    click.echo(f"{count(there, 'variant')} of {declared.title} to choose from:")
    click.echo(f"  {sheet}")
    if declared.page:
        click.echo(f"To choose: mkdocs-qhaigc candidates {as_argument(declared.target)} --pick NUMBER")
    else:
        click.echo(f"To choose: write `{line_of(declared, 'NUMBER')}` below it, under `images` in mkdocs.yml")
