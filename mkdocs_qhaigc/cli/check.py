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
)
from mkdocs_qhaigc.cli._reconcile_pins import advice
from mkdocs_qhaigc.errors import ImageDamaged, StoreError
from mkdocs_qhaigc.site import warnings
from mkdocs_qhaigc.site.survey import Survey, SurveyEntry
from mkdocs_qhaigc.store.image_store import open_pins

_Kind = Literal["missing", "damaged"] | warnings.Kind


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
@config_files_option
@json_option
def check(pages: tuple[Path, ...], config_files: tuple[Path, ...], as_json: bool) -> None:
    """Exit with 1 if an image is missing, damaged or not described, or if a directive cannot be used.

    Reads every image of the site and compares it with its record. Changes nothing, needs no key and no network.

    With FILEs, looks at those of them that are pages, and at nothing that other plugins add: for a hook before each
    commit, which has no time to build the site. Other files are passed over.
    """
    if pages:
        surveys = [survey_of_sources(config_file, pages) for config_file in config_files]
    else:
        surveys = surveys_of(*config_files)
    with failing():
        problems = list({found.message: found for survey in surveys for found in find_problems(survey)}.values())
    wrong = [found for found in problems if found.kind != "unshown"]  # which is advice
    images = len({one.request.key for survey in surveys for one in survey.entries})
    if as_json:
        print_json({"images": images, "findings": [_as_fields(found) for found in problems]})
    else:
        for found in problems:
            click.echo(found.message)
        looked = count(images, "image")
        click.echo(
            f"\nFound {count(len(wrong), 'problem')} in {looked}."
            if wrong
            else f"{looked}: nothing is missing, damaged or without a description."
        )
        if pages:
            click.echo("Only these files were read, without the site's other plugins: run `mkdocs-qhaigc check` in CI.")
    if wrong:
        sys.exit(1)


def find_problems(survey: Survey) -> Iterator[Problem]:
    """Yield the problems of a site. Every stored image that it uses is read, and compared with its record.

    Raises:
        StoreError: the folder of pins cannot be read.
    """
    pins = None
    used = {one.request.key for one in survey.entries}
    for one in survey.each_once():
        where = one.title
        if one.image.reason:
            yield Problem("damaged", f"{where}: {one.image.reason}", one)
            continue
        if one.stored is None:
            pins = pins or open_pins(survey.options, quiet=True).contents()
            remedy = advice(one, pins, survey.options, used=used)
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
    for warning in survey.warnings:
        yield Problem(survey.kinds.get(warning, "file"), warning)


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
