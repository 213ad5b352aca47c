"""`mkdocs-qhaigc regenerate`: generates the next variant of an image, and picks it."""

from __future__ import annotations

import sys
from itertools import count
from pathlib import Path

import click

from mkdocs_qhaigc.cli._candidates import edited_page, find_candidates, pick
from mkdocs_qhaigc.cli._common import as_argument, chosen, config_option, failing, print_warnings, survey_of
from mkdocs_qhaigc.cli._generation import agree, opened_queue, print_failures, results, wait_for_all, yes_option
from mkdocs_qhaigc.cli._selection import select, select_one
from mkdocs_qhaigc.config.options import Options
from mkdocs_qhaigc.generation.budget import Budget
from mkdocs_qhaigc.generation.job import ImageJob
from mkdocs_qhaigc.site.survey import SurveyEntry

_USED_UP = "this command may buy {most} new images (`max_new_images`)"


@click.command(short_help="Buy another image of the same prompt.")
@click.argument("image", metavar="PAGE#NAME")
@yes_option
@config_option
def regenerate(image: str, yes: bool, config_file: Path) -> None:
    """Buy another image of the same prompt: the next variant, which is written into the page when it has arrived.

    Says first what it buys by which model, and asks. The image that the page had stays in the cache or among the pins.
    An image with a dark one gets another of that, too.
    """
    survey = survey_of(config_file)
    print_warnings(survey)
    options = survey.options
    declared = chosen(lambda: select_one(survey, image))
    both = [one for one in select(survey, [declared.where]) if one.page == declared.page and one.name == declared.name]
    jobs = _next_variant(both, options)
    variant = jobs[0].request.variant
    with failing():  # before anything is bought
        edited_page(declared, variant, docs_dir=survey.docs_dir, defaults=options.defaults)
    agree(jobs, options, most=options.max_new_images, limit="max_new_images", yes=yes)
    with opened_queue(options, Budget(options.max_new_images, used_up=_USED_UP)) as queue:
        submitted = [(job, queue.submit(job)) for job in jobs]
        wait_for_all(future for _, future in submitted)
    if not print_failures(results(submitted, queue)):
        sys.exit(1)
    with failing():
        file = pick(declared, variant, docs_dir=survey.docs_dir, defaults=options.defaults)
    click.echo(f"{file}: {declared.name} is variant {variant} now.")
    back = f"mkdocs-qhaigc candidates {as_argument(declared.where)} --pick {declared.request.variant}"
    click.echo(f"To have the one before again: {back}")


def _next_variant(images: list[SurveyEntry], options: Options) -> list[ImageJob]:
    """Return the jobs of the first variant after the present one that lacks an image: those that are missing.

    Of a light and a dark image one may have come when the other one failed.
    """
    for variant in count(images[0].request.variant + 1):
        found = [candidate for one in images for candidate in find_candidates(one, options, [variant])]
        if missing := [candidate.job for candidate in found if candidate.state == "missing"]:
            return missing
    raise AssertionError("count() never ends")
