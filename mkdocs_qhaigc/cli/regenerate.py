"""`mkdocs-qhaigc regenerate`: generates the next variant of one image, and writes its number into the page."""

from __future__ import annotations

import sys
from itertools import count
from pathlib import Path

import click

from mkdocs_qhaigc.cli._common import (
    as_argument,
    chosen,
    config_option,
    failing,
    print_dependents,
    print_warnings,
    survey_of,
    with_shared,
)
from mkdocs_qhaigc.cli._generation import agree, opened_queue, print_failures, results, wait_for_all, yes_option
from mkdocs_qhaigc.cli._selection import select_one
from mkdocs_qhaigc.config.options import Options
from mkdocs_qhaigc.generation.job import ImageJob
from mkdocs_qhaigc.generation.refusals import Refusals
from mkdocs_qhaigc.generation.when_to_stop import Budget
from mkdocs_qhaigc.site.candidates import edited_page, find_candidates, pick, renew_sheets
from mkdocs_qhaigc.site.survey import SurveyEntry

_USED_UP = "this command may buy {most} new images (`max_new_images`)"


@click.command(short_help="Buy another image of the same prompt.")
@click.argument("image", metavar="PAGE#NAME")
@yes_option
@config_option
def regenerate(image: str, yes: bool, config_file: Path) -> None:
    """Buy another image of the same prompt: the next variant, which is written into the page when it has arrived.

    Says first what it buys by which model, and asks. The image that the page had stays in the cache or among the pins.
    A dark image without a variant of its own goes with its light one; PAGE#NAME-dark is another of the dark one alone.
    """
    survey = with_shared(survey_of(config_file))
    print_warnings(survey)
    options = survey.options
    declared = chosen(lambda: select_one(survey, image))
    dark = None if declared.dark else survey.dark_image_of(declared)
    both = [declared, dark] if dark and dark.follows else [declared]
    with failing():
        jobs = _next_variant(both, options)
    variant = jobs[0].request.variant
    if skipped := range(declared.request.variant + 1, variant):
        there = f"Variant {skipped[0]} is" if len(skipped) == 1 else f"Variants {skipped[0]} to {skipped[-1]} are"
        pick_one = f"mkdocs-qhaigc candidates {as_argument(declared.target)} --pick {skipped[0]}"
        click.echo(f"{there} bought already; `{pick_one}` takes one of them.", err=True)
    with failing():  # before anything is bought
        edited_page(declared, variant, docs_dir=survey.docs_dir, defaults=options.defaults)
    first = [one.image.job for one in survey.missing_for(job.request for job in jobs)]
    print_dependents(declared, survey)  # before consent: they are a cost of it
    agree([*first, *jobs], options, most=options.max_new_images, limit="max_new_images", yes=yes)
    for job in jobs:
        Refusals(options).forget(job.request.key)  # half a pair may have been refused
    with opened_queue(options, Budget(options.max_new_images, used_up=_USED_UP)) as queue:
        submitted = [(job, queue.submit(job)) for job in jobs]
        wait_for_all(future for _, future in submitted)
    if not print_failures(results(submitted, queue)):
        sys.exit(1)
    with failing():
        file = pick(declared, variant, docs_dir=survey.docs_dir, defaults=options.defaults)
    click.echo(f"{file}: {declared.name}{' (dark)' if declared.dark else ''} is variant {variant} now.")
    for one in both:
        back = f"mkdocs-qhaigc candidates {as_argument(one.target)} --pick {one.request.variant}"
        click.echo(f"To have the one before again: {back}")
    with failing():
        renew_sheets((one.of_variant(variant) for one in both), survey)


def _next_variant(images: list[SurveyEntry], options: Options) -> list[ImageJob]:
    """Return the jobs of the first variant after the present one that lacks an image: those that are missing.

    Of a light and a dark image one may have come when the other one failed. One that was refused is asked for again
    then: it is cheaper than another pair. A variant of which nothing has come is not.
    """
    for variant in count(images[0].request.variant + 1):
        found = [candidate for one in images for candidate in find_candidates(one, options, [variant])]
        if missing := [candidate.job for candidate in found if candidate.state == "missing"]:
            return missing
        refused = [candidate.job for candidate in found if candidate.state == "refused"]
        if refused and len(refused) < len(found):
            return refused
    raise AssertionError("count() never ends")
