"""`mkdocs-qhaigc plan`: lists every image that the site declares, and those that a build would buy."""

from __future__ import annotations

import textwrap
from pathlib import Path
from typing import Any

import click

from mkdocs_qhaigc.cli._common import config_option, count, json_option, print_json, print_warnings, survey_of
from mkdocs_qhaigc.cli._generation import models_and_cost
from mkdocs_qhaigc.site.survey import Survey, SurveyEntry

_LONGEST_PROMPT = 40
"""Characters in the table."""


@click.command(short_help="List every image of the site; buys nothing.")
@config_option
@json_option
@click.option("--format", "format_", type=click.Choice(["table", "markdown"]), default="table", show_default=True)
def plan(config_file: Path, as_json: bool, format_: str) -> None:
    """List every image of the site: page, name, model, size, and whether it is pinned, cached, missing, or
    unreadable (it may be there, and is not bought: Git LFS has it, say).

    Buys nothing, needs no key and no network.
    """
    survey = survey_of(config_file)
    print_warnings(survey)
    if as_json:
        missing = survey.missing()
        cost = survey.options.cost(one.request for one in missing)
        images = [as_fields(one) for one in survey.entries]
        print_json({"images": images, "to_buy": len(missing), "cost": cost and cost.as_fields()})
    elif format_ == "markdown":
        click.echo(as_markdown(survey))
    else:
        print_table(survey)


def as_fields(one: SurveyEntry) -> dict[str, Any]:
    """Return an image as JSON values."""
    request = one.request
    return {
        "page": one.page,
        "name": one.name,
        "dark": one.dark,
        "model": request.model,
        "size": request.size,
        "variant": request.variant,
        "prompt": request.prompt,
        "key": request.key,
        "state": one.state,
        "file": str(one.stored.path) if one.stored else None,
        "pages": list(one.users),
    }


def print_table(survey: Survey) -> None:
    """Print the images as a table as wide as the terminal, and a summary."""
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table

    table = Table(box=None, pad_edge=False, header_style="bold")
    for title, options in (
        ("image", {"overflow": "fold"}),
        ("state", {"no_wrap": True}),
        ("model, size", {}),
        ("shown on", {"no_wrap": True}),
        ("prompt", {"min_width": 12}),
    ):
        table.add_column(title, **options)
    for one in survey.entries:
        style = {"missing": "yellow", "pinned": "green", "unreadable": "red"}.get(one.state, "")
        state = f"[{style}]{one.state}[/]" if style else one.state
        prompt = textwrap.shorten(one.request.prompt, _LONGEST_PROMPT, placeholder=" ...")
        model = f"{one.request.model} {one.request.size}"
        table.add_row(escape(one.title), state, escape(model), _shown_on(one), escape(prompt or "..."))
    console = Console(highlight=False)
    if survey.entries:
        console.print(table)
        console.print()
    console.print(summary(survey), markup=False)


def _shown_on(one: SurveyEntry) -> str:
    if list(one.users) == [one.page]:
        return "its page"
    return count(len(one.users), "page") if one.users else "no page"


def as_markdown(survey: Survey) -> str:
    """Return a report that can be posted as a comment."""
    lines = [f"**{summary(survey)}**", ""]
    if survey.missing():
        lines += ["| image | model | size | prompt |", "|---|---|---|---|"]
        for one in survey.missing():
            declared = [same for same in survey.entries if same.request.key == one.request.key]
            where = ", ".join(f"`{same.where}`" + (" (dark)" if same.dark else "") for same in declared)
            lines.append(f"| {where} | {_cell(one.request.model)} | {one.request.size} | {_cell(one.request.prompt)} |")
        lines.append("")
    lines += [f"- {_cell(notice)}" for notice in survey.warnings]
    return "\n".join(lines).rstrip()


def summary(survey: Survey) -> str:
    """Return how many images there are, and how many of which model a build would buy."""
    once = survey.each_once()
    states = [one.state for one in once]
    said = [
        f"{states.count(state)} {state}" for state in ("pinned", "cached", "missing", "unreadable") if state in states
    ]
    missing = survey.missing()
    buys = models_and_cost([one.image.job for one in missing], survey.options)
    sandbox = " (of the sandbox, which sells nothing)" if survey.options.sandboxed else ""
    total = count(len(once), "image")
    return f"{total}{': ' + ', '.join(said) if said else ''}. To buy: {buys}{sandbox if missing else ''}."


def _cell(text: str) -> str:
    """Return text for a cell of a Markdown table: one line, with its own markup escaped."""
    escaped = "".join(f"\\{char}" if char in "\\`*_[]<>|#@" else char for char in " ".join(text.split()))
    return escaped if len(escaped) <= 200 else escaped[:199].rstrip("\\") + "…"
