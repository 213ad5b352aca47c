"""`mkdocs-qhaigc prune`: makes room in the cache. What it removes was paid for, so it says what, and asks."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import Any

import click

from mkdocs_qhaigc.cli import _pruning as pruning
from mkdocs_qhaigc.cli._pruning import Prunable, Unused
from mkdocs_qhaigc.cli.common import (
    config_files_option,
    count,
    failing,
    json_option,
    print_json,
    shown_path,
    surveys_of,
)
from mkdocs_qhaigc.errors import QhaigcError

_UNITS = {"h": 3600, "d": 86400, "w": 7 * 86400}
_OTHERS = "Other branches, drafts, languages and sites that share this cache may use them: then they are bought again."


def _seconds(context: click.Context, parameter: click.Parameter, value: str) -> int:
    """Return the seconds of `90d`, `12w`, `6h`."""
    match = re.fullmatch(r"([0-9]{1,6})([hdw])", value)
    if not match:
        raise click.BadParameter(f"{value!r} is no age. Write a number and h, d or w, for example 90d")
    return int(match[1]) * _UNITS[match[2]]


@click.command(short_help="Remove images that the site does not use.")
@config_files_option
@click.option(
    "--older-than",
    callback=_seconds,
    metavar="AGE",
    default="90d",
    show_default=True,
    help="Hours, days or weeks: 6h, 90d, 12w.",
)
@click.option("--dry-run", is_flag=True, help="Only say what would be removed.")
@click.option("-y", "--yes", is_flag=True, help="Do not ask.")
@json_option
def prune(config_files: tuple[Path, ...], older_than: int, dry_run: bool, yes: bool, as_json: bool) -> None:
    """Remove saved images from the cache that the site does not use, and that have been there for a while.

    Pins are never touched. Says what and how much, and asks; where nobody can be asked, it needs --yes.
    """
    surveys = surveys_of(*config_files)
    with failing():
        found = pruning.find_unused(surveys, seconds=older_than)
    if not as_json:
        _print(found)
    if found.old and not dry_run and not yes:
        _ask(found)
    removed: list[Unused] = []
    try:
        for one in found.old if not dry_run else ():
            pruning.prune(one)
            removed.append(one)
    except QhaigcError as error:
        raise click.ClickException(f"{error}. {_done(removed)}") from error
    if as_json:
        print_json(_as_fields(found, removed))
    elif removed:
        click.echo(_done(removed))
    elif found.old:
        click.echo("Nothing was removed: --dry-run.")


def _print(found: Prunable) -> None:
    """Print what may go and what stays."""
    for one in found.old:
        sandbox = ", of the sandbox" if one.original.sandbox else ""
        click.echo(f"{shown_path(one.original.path)}: {_size(one.size)}, {_days(one.age)} old{sandbox}")
    if found.old:
        click.echo(f"\nNo image of the site uses {'these' if len(found.old) > 1 else 'this'}: {_total(found.old)}.")
        click.echo(_OTHERS)
    else:
        click.echo("The cache has nothing that is old enough and that no image of the site uses.")
    if found.young:
        younger = count(len(found.young), "younger one")
        click.echo(f"{younger} that no image uses: kept for now (`--older-than 0d` takes all).")
    if found.remnants:
        click.echo("Kept, for people to look at; remove by hand what nobody needs:")
        for path in found.remnants:
            click.echo(f"  {shown_path(path)}: {_size(path.stat().st_size)}")


def _ask(found: Prunable) -> None:
    """Go on only if somebody says so.

    Raises:
        click.UsageError: nobody can be asked.
        click.Abort: the answer is no.
    """
    if not sys.stdin.isatty():
        raise click.UsageError(
            f"{_total(found.old)} would be removed, and there is nobody to ask. Add --yes, or --dry-run to look"
        )
    click.confirm(f"Remove {_total(found.old)} for good?", abort=True, err=True)


def _total(images: tuple[Unused, ...] | list[Unused]) -> str:
    return f"{count(len(images), 'image')}, {_size(sum(one.size for one in images))}"


def _done(removed: list[Unused]) -> str:
    return f"Removed {_total(removed)}."


def _size(size: int) -> str:
    from rich.filesize import decimal

    return decimal(size)


def _days(seconds: float) -> str:
    return count(max(0, int(seconds // 86400)), "day")


def _as_fields(found: Prunable, removed: list[Unused]) -> dict[str, Any]:
    """Return what was found and done as JSON values."""

    def one_of(one: Unused, state: str) -> dict[str, Any]:
        return {
            "state": state,
            "file": str(one.original.path),
            "key": one.original.key,
            "bytes": one.size,
            "days": int(one.age // 86400),
            "sandbox": one.original.sandbox,
        }

    old = [one_of(one, "removed" if one in removed else "to remove") for one in found.old]
    return {
        "images": [*old, *(one_of(one, "young") for one in found.young)],
        "removed": len(removed),
        "removed_bytes": sum(one.size for one in removed),
        "kept": [{"file": str(path), "bytes": path.stat().st_size} for path in found.remnants],
    }
