"""`mkdocs-qhaigc check`: finds missing, damaged and undescribed images. For CI and pre-commit."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import click

from mkdocs_qhaigc.cli._common import (
    config_files_option,
    count,
    failing,
    json_option,
    print_json,
    survey_of_sources,
    surveys_of,
    with_shared,
)
from mkdocs_qhaigc.errors import ImageDamaged, StoreError
from mkdocs_qhaigc.generation.reference_images import hindrances
from mkdocs_qhaigc.site import model_advice, warnings
from mkdocs_qhaigc.site.reconcile_pins import advice
from mkdocs_qhaigc.site.survey import Survey, SurveyEntry
from mkdocs_qhaigc.store.image_store import open_pins

_Kind = Literal["missing", "damaged", "unpinned", "refused", "service"] | warnings.Kind
_ADVICE = ("unshown", "service")
"""Kinds that fail no check."""


@dataclass(frozen=True, slots=True)
class Problem:
    """A reason not to ship a site."""

    kind: _Kind
    message: str
    """Where, what, and what to do."""
    one: SurveyEntry | None = None
    """The image, if the problem is about one that is declared."""


@click.command(short_help="Exit with 1 where an image is missing or damaged.")
@click.argument("pages", nargs=-1, metavar="[FILE]...", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--pinned", is_flag=True, help="An image that only this machine's cache has is a problem, too.")
@config_files_option
@json_option
def check(pages: tuple[Path, ...], pinned: bool, config_files: tuple[Path, ...], as_json: bool) -> None:
    """Exit with 1 if an image is missing, damaged or not described, or if a directive cannot be used.

    Reads every image of the site and compares it with its record. Changes nothing, needs no key, and no network but for
    the shared store, where an image counts as there.

    With FILEs, looks at those of them that are pages, and at nothing that other plugins add: for a hook before each
    commit, which has no time to build the site. Other files are passed over.
    """
    if pages:
        surveys = [survey_of_sources(config_file, pages) for config_file in config_files]
    else:
        surveys = surveys_of(*config_files)
    surveys = [with_shared(survey) for survey in surveys]
    with failing():
        found_by_survey = (find_problems(survey, pinned=pinned) for survey in surveys)
        problems = list({found.message: found for each in found_by_survey for found in each}.values())
    wrong = [found for found in problems if found.kind not in _ADVICE]
    shared = len({one.request.key for survey in surveys for one in survey.entries if one.state == "shared"})
    images = len({one.request.key for survey in surveys for one in survey.entries})
    if as_json:
        print_json({"images": images, "shared": shared, "findings": [_as_fields(found) for found in problems]})
    else:
        for found in problems:
            click.echo(found.message)
        looked = count(images, "image")
        if wrong:
            where = f" in {looked}" if images else ""  # none is known where no directive can be read
            click.echo(f"\nFound {count(len(wrong), 'problem')}{where}.")
        else:
            click.echo(f"{looked}: nothing is missing, damaged or without a description.")
        if shared:
            click.echo(f"{count(shared, 'image')} in the shared store alone: a build copies what it uses from there.")
        if pages:
            click.echo("Only these files were read, without the site's other plugins: run `mkdocs-qhaigc check` in CI.")
    if wrong:
        sys.exit(1)


def find_problems(survey: Survey, *, pinned: bool) -> Iterator[Problem]:
    """Yield the problems of a site. Every stored image that it uses is read, and compared with its record.

    Args:
        pinned: whether an image that only the cache has is a problem.

    Raises:
        StoreError: the folder of pins cannot be read.
    """
    pins = None
    used = {one.request.key for one in survey.entries}
    hindered = hindrances([one.request for one in survey.missing()], survey.options)
    for one in survey.each_once():
        where = one.title
        if one.image.reason:
            kind: _Kind = "refused" if one.state == "refused" else "damaged"
            yield Problem(kind, f"{where}: {one.image.reason}", one)
            continue
        if one.state == "shared":  # a build copies it from there, and looks at its bytes
            continue
        if one.stored is None:
            pins = pins or open_pins(survey.options, quiet=True).contents()
            remedy = advice(one, pins, survey.options, used=used)
            if one.request.key in hindered:
                remedy = f"It cannot be bought as it is declared: {hindered[one.request.key]}"
            yield Problem("missing", f"{where}: its image is missing. {remedy}", one)
            continue
        try:
            one.stored.read()
        except StoreError as error:
            remedy = (
                "Restore it from version control, or run `mkdocs-qhaigc pin`, which copies a whole one from the cache"
            )
            if one.state != "pinned":
                remedy = "Restore it if you can; `mkdocs-qhaigc generate` keeps it as `….damaged` and buys another"
            what, path = (error.what, error.path) if isinstance(error, ImageDamaged) else (str(error), None)
            yield Problem("damaged", f"{where}: {what}. {remedy}" + (f": {path}" if path else ""), one)
        else:
            if pinned and one.state == "cached":
                what = "its image is in the cache of this machine alone. Run `mkdocs-qhaigc pin`, and commit the pins"
                yield Problem("unpinned", f"{where}: {what}", one)
    for warning in survey.warnings:
        yield Problem(survey.kinds.get(warning, "file"), warning)
    for message in model_advice.advice(survey):
        yield Problem("service", message)


def _as_fields(found: Problem) -> dict[str, Any]:
    """Return a problem as JSON values."""
    one = found.one
    return {
        "kind": found.kind,
        "page": one.page if one else None,
        "name": one.name if one else None,
        "dark": one.dark if one else None,
        "key": one.request.key if one else None,
        "message": found.message,
    }
