"""`mkdocs-qhaigc pin`: copies used images into the folder of pins, the images committed with the site's source."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

from mkdocs_qhaigc.cli._adopt_image_file import adopt
from mkdocs_qhaigc.cli._common import (
    chosen,
    config_files_option,
    count,
    failing,
    json_option,
    print_json,
    print_problems,
    shown_path,
    surveys_of,
    with_shared,
)
from mkdocs_qhaigc.cli._selection import select_target
from mkdocs_qhaigc.directives.sizes import sides_of
from mkdocs_qhaigc.site.reconcile_pins import Comparison, Pin, alone, compare, settle, sharing
from mkdocs_qhaigc.site.survey import Survey

_DONE = {"unpinned": "pinned", "unused": "taken away", "remnant": "taken away", "missing": "missing"}
_TO_DO = {"unpinned": "not pinned", "unused": "not used", "remnant": "not used", "missing": "missing"}


@click.command(short_help="Copy the site's images into the folder of pins.")
@config_files_option
@click.option("--check", "only_check", is_flag=True, help="Change nothing; exit code 1 where something differs.")
@click.option(
    "--adopt",
    "adopted",
    type=(click.Path(exists=True, dir_okay=False, path_type=Path), str),
    metavar="FILE PAGE#NAME",
    help="Make an image that was made elsewhere the pin of this one; NAME-dark is its dark image.",
)
@json_option
def pin(config_files: tuple[Path, ...], only_check: bool, adopted: tuple[Path, str] | None, as_json: bool) -> None:
    """Copy the images that the site uses into its folder of pins, to be committed.

    What the site no longer uses is moved from there into the cache, once no image of the site is missing: nothing is
    ever deleted, and nothing is bought. Exit code 1 where an image is missing.
    """
    if only_check and adopted:
        raise click.UsageError("--check changes nothing, and --adopt does. Use one of the two")
    surveys = [with_shared(survey, fetched=not only_check) for survey in surveys_of(*config_files)]
    if not as_json:
        print_problems(surveys)
    with failing():
        if adopted:
            _adopt(*adopted, surveys, as_json=as_json)
            return
        comparisons = [_compare(group, only_check=only_check, quiet=as_json) for group in sharing(surveys)]
    if as_json:
        print_json({"changed": not only_check, "folders": [_as_fields(one, only_check) for one in comparisons]})
    if any(one.differs if only_check else one.of("missing") or one.problems for one in comparisons):
        sys.exit(1)


def _compare(surveys: Sequence[Survey], *, only_check: bool, quiet: bool) -> Comparison:
    """Compare a folder of pins with its sites, and settle the differences unless `only_check`; print both."""
    if only_check:
        comparison = compare(surveys)
    else:
        with alone(surveys[0].options):
            comparison = compare(surveys)
            for one in comparison.changes:
                now = settle(one, comparison.options)
                if not quiet:
                    _print_done(one, now)
    if not quiet:
        _print(comparison, only_check=only_check)
    return comparison


def _print_done(one: Pin, now: Path) -> None:
    """Print that a difference is settled, and where the file is now."""
    if one.one and one.kind == "unpinned":
        _line(_DONE[one.kind], one.one.title, shown_path(now))
    else:
        _line(_DONE[one.kind], shown_path(one.path), f"{one.why}; kept in {shown_path(now.parent)}")


def _print(comparison: Comparison, *, only_check: bool) -> None:
    """Print what differs or is missing, and a summary."""
    for one in comparison.pins:
        if one.one and one.kind == "missing":
            _line("missing", one.one.title, one.why)
        elif one.one and only_check and one.kind == "unpinned":
            _line(_TO_DO[one.kind], one.one.title, "run `mkdocs-qhaigc pin`")
        elif only_check and one.kind != "pinned":
            _line(_TO_DO[one.kind], shown_path(one.path), f"{one.why}; `mkdocs-qhaigc pin` moves it to the cache")
    if comparison.keeps_unused and (comparison.problems or comparison.of("unused")):
        click.echo(f"Images that seem unused stay: {comparison.keeps_unused}.")
    click.echo(_summary(comparison, only_check=only_check))


def _summary(comparison: Comparison, *, only_check: bool) -> str:
    """Return the number of pins of each kind."""
    words = _TO_DO if only_check else _DONE
    said: dict[str, int] = {}
    shown = comparison.pins if only_check else [*comparison.changes, *comparison.of("missing")]
    for one in shown:
        if one.kind != "pinned":
            said[words[one.kind]] = said.get(words[one.kind], 0) + 1
    folder = shown_path(comparison.options.pins_dir) + (" (of the sandbox)" if comparison.options.sandboxed else "")
    already = f"{count(len(comparison.of('pinned')), 'image')} {'right' if only_check else 'right already'}"
    return f"{folder}: {', '.join([already, *(f'{number} {word}' for word, number in said.items())])}."


def _adopt(file: Path, target: str, surveys: Sequence[Survey], *, as_json: bool) -> None:
    """Make a file the pin of an image, and print which pins it replaces."""
    survey, one = chosen(lambda: select_target(surveys, target))
    with alone(survey.options):
        pinned, replaced = adopt(file, one, survey.options)
    if as_json:
        moved = [str(path) for path in replaced]
        print_json(
            {
                "adopted": {"page": one.page, "name": one.name, "dark": one.dark, "file": str(pinned.path)},
                "moved_to_cache": moved,
            }
        )
        return
    _line("adopted", one.target, shown_path(pinned.path))
    for path in replaced:
        _line("taken away", "what was pinned before", f"kept as {shown_path(path)}")
    if one.ratio is None and sides_of(one.request.size) not in (None, (pinned.width, pinned.height)):
        size = f"{pinned.width}x{pinned.height}"
        click.echo(f"It is {size}, and the directive says {one.request.size}: pages show it as {size}.", err=True)


def _line(word: str, subject: str, rest: str) -> None:
    click.echo(f"{word:<10}  {subject}: {rest}")


def _as_fields(comparison: Comparison, only_check: bool) -> dict[str, Any]:
    """Return a comparison, or what was done about it, as JSON values."""
    words = _TO_DO if only_check else _DONE
    left = [] if only_check else [one for one in comparison.pins if one.kind not in ("pinned", "missing")]
    done = comparison.changes
    return {
        "pins_dir": str(comparison.options.pins_dir),
        "differs": comparison.differs if only_check else bool(comparison.of("missing") or comparison.problems),
        "problems": list(comparison.problems),
        "pins": [
            {
                "state": "kept" if one in left and one not in done else words.get(one.kind, "as it should be"),
                "page": one.one.page if one.one else None,
                "name": one.one.name if one.one else None,
                "dark": one.one.dark if one.one else None,
                "key": one.one.request.key if one.one else one.stored.key if one.stored else None,
                "file": None if one.kind == "missing" else str(one.path),
                "why": one.why or None,
            }
            for one in comparison.pins
        ],
    }
