"""What the commands share that look at a site: the options, the survey, and how it is printed."""

from __future__ import annotations

import json
import shlex
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, redirect_stdout
from pathlib import Path
from shutil import get_terminal_size
from textwrap import fill
from typing import Any, TypeVar

import click

from mkdocs_qhaigc.engines.detect import require_config_file, use_engine_of, usual_config_file
from mkdocs_qhaigc.engines.zensical.config import is_zensicals, read_configuration
from mkdocs_qhaigc.engines.zensical.survey import survey_sources
from mkdocs_qhaigc.errors import QhaigcError, SelectionError
from mkdocs_qhaigc.site.survey import Survey

_Chosen = TypeVar("_Chosen")
_Command = TypeVar("_Command", bound=Callable[..., Any])

SCHEMA = 1
"""Of what `--json` prints; raised when a field changes its meaning or goes."""


def config_option(command: _Command) -> _Command:
    """Add `-f mkdocs.yml`."""
    return click.option(
        "-f",
        "--config-file",
        type=click.Path(dir_okay=False, path_type=Path),
        default=usual_config_file,
        show_default="mkdocs.yml, else properdocs.yml, else zensical.toml or .yml",
        help="The site's configuration.",
    )(command)


def config_files_option(command: _Command) -> _Command:
    """Add `-f mkdocs.yml`, once or more."""
    return click.option(
        "-f",
        "--config-file",
        "config_files",
        type=click.Path(dir_okay=False, path_type=Path),
        multiple=True,
        default=lambda: [usual_config_file()],
        show_default="mkdocs.yml, else properdocs.yml, else zensical.toml or .yml",
        help="The site's configuration; once for each, where several sites share the images.",
    )(command)


def json_option(command: _Command) -> _Command:
    """Add `--json`."""
    return click.option("--json", "as_json", is_flag=True, help="Print JSON instead of a table.")(command)


def survey_of(config_file: Path) -> Survey:
    """Return what a site declares; what its build would warn of is told.

    Raises:
        click.ClickException: the site cannot be read.
    """
    with failing():
        require_config_file(config_file)
        if is_zensicals(config_file):
            return survey_sources(read_configuration(config_file))
        use_engine_of(config_file)
        from mkdocs_qhaigc.engines.mkdocs.survey import survey

        with redirect_stdout(sys.stderr):  # what a site's scripts and hooks print is not the command's answer
            return survey(config_file)


@contextmanager
def failing() -> Iterator[None]:
    """Turn an error of ours into the command line's.

    Raises:
        click.ClickException: there was one.
    """
    try:
        yield
    except QhaigcError as error:
        raise click.ClickException(str(error)) from error


def chosen(choose: Callable[[], _Chosen]) -> _Chosen:
    """Return what arguments mean on a site.

    Raises:
        click.UsageError: they mean nothing.
    """
    try:
        return choose()
    except SelectionError as error:
        raise click.UsageError(str(error)) from error


def surveys_of(*config_files: Path) -> list[Survey]:
    """Return what sites declare that may share their folders.

    Raises:
        click.ClickException: a site cannot be read.
    """
    return [survey_of(config_file) for config_file in config_files]


def warn(message: str) -> None:
    """Print a warning beside the command's own output."""
    click.echo(f"Warning: {message}", err=True)


def note(message: str) -> None:
    """Print a note beside the command's own output, above the bar if there is one; on a terminal, wrap its words."""
    if sys.stderr.isatty():
        message = fill(message, get_terminal_size().columns, break_on_hyphens=False)
    click.echo(message, err=True)


def tell_problems(surveys: Sequence[Survey]) -> None:
    """Print which directives cannot be used, beside the command's own output."""
    for problem in dict.fromkeys(problem for survey in surveys for problem in survey.problems):
        warn(problem)


def shown_path(path: Path) -> str:
    """Return a path as short as can be typed: relative to the working directory where it lies in it."""
    here = Path.cwd()
    return str(path.relative_to(here) if path.is_relative_to(here) else path)


def tell_notices(survey: Survey) -> None:
    """Print what the site's build would warn of, beside the command's own output."""
    for notice in survey.warnings:
        warn(notice)


def print_json(content: dict[str, Any]) -> None:
    """Print one JSON object, as text that any terminal and pipe takes."""
    json.dump({"schema": SCHEMA, **content}, sys.stdout, ensure_ascii=sys.stdout.encoding.lower() != "utf-8", indent=2)
    click.echo()


def as_argument(where: str) -> str:
    """Return `PAGE#NAME` as a shell takes it: in quotes where it has more than most."""
    plain = where.replace("#", "")  # which begins no comment within a word
    return where if shlex.quote(plain) == plain else shlex.quote(where)


def count(number: int, one: str, many: str | None = None) -> str:
    """Return `1 image`, `2 images`."""
    return f"{number} {one if number == 1 else many or one + 's'}"
