"""`mkdocs-qhaigc check`: whether a site may be shipped as it is. For CI and pre-commit."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import click

from mkdocs_qhaigc.cli import _checking as checking
from mkdocs_qhaigc.cli._checking import Finding
from mkdocs_qhaigc.cli.common import config_files_option, count, failing, json_option, print_json, surveys_of


@click.command(short_help="Exit with 1 where an image is missing or damaged.")
@config_files_option
@json_option
def check(config_files: tuple[Path, ...], as_json: bool) -> None:
    """Exit with 1 if an image is missing, damaged or not described, or if a directive cannot be used.

    Reads every image of the site and compares it with its record. Changes nothing, needs no key and no network.
    """
    surveys = surveys_of(*config_files)
    with failing():
        findings = list({found.message: found for survey in surveys for found in checking.check(survey)}.values())
    images = len({one.request.key for survey in surveys for one in survey.entries})
    if as_json:
        print_json({"images": images, "findings": [_as_fields(found) for found in findings]})
    else:
        for found in findings:
            click.echo(found.message)
        looked = count(images, "image")
        click.echo(
            f"\n{count(len(findings), 'thing')} to mend, {looked} looked at."
            if findings
            else f"{looked}: nothing is missing, damaged or without a description."
        )
    if findings:
        sys.exit(1)


def _as_fields(found: Finding) -> dict[str, Any]:
    """Return a finding as JSON values."""
    one = found.one
    return {
        "kind": found.kind,
        "page": one.page if one else None,
        "name": one.name if one else None,
        "dark": one.dark if one else None,
        "key": one.request.key if one else None,
        "message": found.message,
    }
