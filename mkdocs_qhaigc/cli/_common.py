"""Shared by the commands that read a site: common options, the survey, errors, printing, and words for numbers."""

from __future__ import annotations

import json
import shlex
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, redirect_stdout
from pathlib import Path
from shutil import get_terminal_size
from textwrap import fill
from typing import Any, TypeVar

import click

from mkdocs_qhaigc.config.options import Options
from mkdocs_qhaigc.engines.choose_engine import is_zensicals, require_config_file, use_engine_of, usual_config_file
from mkdocs_qhaigc.engines.zensical.config import read_configuration
from mkdocs_qhaigc.engines.zensical.survey import survey_sources
from mkdocs_qhaigc.errors import QhaigcError, SelectionError
from mkdocs_qhaigc.generation.job import ImageJob
from mkdocs_qhaigc.generation.reference_images import hindrances
from mkdocs_qhaigc.site.add_shared_images_to_survey import fetch_shared, look_up_shared
from mkdocs_qhaigc.site.survey import Survey, SurveyEntry

_Chosen = TypeVar("_Chosen")
_Command = TypeVar("_Command", bound=Callable[..., Any])

SCHEMA = 1
"""Version of the output of `--json`; raised when a field changes its meaning or is removed."""


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
    """Add `-f mkdocs.yml`, which may be repeated."""
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
    """Return the survey of a site.

    Raises:
        click.ClickException: the site cannot be read.
    """
    with failing():
        require_config_file(config_file)
        if is_zensicals(config_file):
            return survey_sources(read_configuration(config_file))
        use_engine_of(config_file)
        from mkdocs_qhaigc.engines.mkdocs.dry_run import survey

        with redirect_stdout(sys.stderr):  # the site's scripts and hooks may print, which is not the command's output
            return survey(config_file)


def survey_of_sources(config_file: Path, files: Iterable[Path]) -> Survey:
    """Return the survey of a site as far as these files show it: those that are its pages. Its engine does not run.

    Raises:
        click.ClickException: the site cannot be read.
    """
    with failing():
        require_config_file(config_file)
        site = read_configuration(config_file)
        docs_dir = site.docs_dir.resolve()
        places = [file.parent.resolve() / file.name for file in files]  # a page may itself be a link to elsewhere
        inside = [file for file in places if docs_dir in file.parents]
        return survey_sources(site, [file.relative_to(docs_dir).as_posix() for file in inside])


def with_shared(survey: Survey, *, fetched: bool = False) -> Survey:
    """Return a survey with what the shared store has, if the site has one; `fetched`: copied into the cache.

    Raises:
        click.ClickException: its client is not installed, or the cache cannot be written.
    """
    with failing():
        return fetch_shared(survey) if fetched else look_up_shared(survey)


@contextmanager
def failing() -> Iterator[None]:
    """Raise errors of this package as errors of the command line.

    Raises:
        click.ClickException: the body raised a `QhaigcError`.
    """
    try:
        yield
    except QhaigcError as error:
        raise click.ClickException(str(error)) from error


def chosen(choose: Callable[[], _Chosen]) -> _Chosen:
    """Return the images that the arguments name on a site.

    Raises:
        click.UsageError: they name none.
    """
    try:
        return choose()
    except SelectionError as error:
        raise click.UsageError(str(error)) from error


def surveys_of(*config_files: Path) -> list[Survey]:
    """Return the surveys of sites, which may share their folders.

    Raises:
        click.ClickException: a site cannot be read.
    """
    return [survey_of(config_file) for config_file in config_files]


def warn(message: str) -> None:
    """Print a warning on stderr."""
    click.echo(f"Warning: {message}", err=True)


def note(message: str) -> None:
    """Print a note on stderr, above the bar if there is one; on a terminal, wrap its words."""
    if sys.stderr.isatty():
        message = fill(message, get_terminal_size().columns, break_on_hyphens=False)
    click.echo(message, err=True)


def print_problems(surveys: Sequence[Survey]) -> None:
    """Print on stderr which directives cannot be used."""
    for problem in dict.fromkeys(problem for survey in surveys for problem in survey.problems):
        warn(problem)


def print_dependents(one: SurveyEntry, survey: Survey) -> None:
    """Print on stderr which images another variant of one makes others of: those that it is a reference for."""
    dependents = [each.title for each in survey.each_once() if one.where in each.references]
    if dependents:
        note(
            f"{one.title} is a reference image of {', '.join(dependents)}: another variant makes "
            f"{count(len(dependents), 'other image')} of {'it' if len(dependents) == 1 else 'them'}, to be bought anew."
        )


def print_hindrances(jobs: Sequence[ImageJob], options: Options) -> None:
    """Print on stderr which images cannot be bought as they are declared, and why."""
    found = hindrances([job.request for job in jobs], options)
    for reason in dict.fromkeys(found.values()):
        names = ", ".join(job.where for job in jobs if found.get(job.request.key) == reason)
        warn(f"{names} cannot be bought: {reason}")


def shown_path(path: Path) -> str:
    """Return a path relative to the working directory if it is inside, else the whole path."""
    here = Path.cwd()
    return str(path.relative_to(here) if path.is_relative_to(here) else path)


def print_warnings(survey: Survey) -> None:
    """Print on stderr the warnings that a build of the site would log."""
    for notice in survey.warnings:
        warn(notice)


def print_json(content: dict[str, Any]) -> None:
    """Print one JSON object, in characters that the terminal or pipe can encode."""
    json.dump({"schema": SCHEMA, **content}, sys.stdout, ensure_ascii=sys.stdout.encoding.lower() != "utf-8", indent=2)
    click.echo()


def as_argument(where: str) -> str:
    """Return `PAGE#NAME` as a shell reads it: in quotes if it has special characters."""
    plain = where.replace("#", "")  # within a word it does not begin a comment
    return where if shlex.quote(plain) == plain else shlex.quote(where)


def count(number: int, one: str, many: str | None = None) -> str:
    """Return `1 image`, `2 images`."""
    return f"{number} {one if number == 1 else many or one + 's'}"


def total(sizes: Iterable[int]) -> str:
    """Return the number and the size of images of that many bytes each: `2 images, 1.2 MB`."""
    sizes = list(sizes)
    return f"{count(len(sizes), 'image')}, {size_in_words(sum(sizes))}"


def size_in_words(size: int) -> str:
    """Return a number of bytes as people read it."""
    from rich.filesize import decimal

    return decimal(size)


def days(seconds: float) -> int:
    """Return the whole days of an age."""
    return max(0, int(seconds // 86400))
