"""`mkdocs-qhaigc plan`: lists every image that the site declares, and those that a build would buy."""

from __future__ import annotations

import textwrap
from pathlib import Path
from typing import Any, get_args

import click

from mkdocs_qhaigc.cli._common import (
    config_option,
    count,
    json_option,
    print_hindrances,
    print_json,
    print_warnings,
    survey_of,
    warn,
    with_shared,
)
from mkdocs_qhaigc.cli._generation import models_and_cost, split_ordered
from mkdocs_qhaigc.site.model_advice import advice
from mkdocs_qhaigc.site.survey import State, Survey, SurveyEntry

_LONGEST_PROMPT = 40
"""Characters in the table."""
_BESIDE_IMAGE = 40
"""Characters that the other columns need at the least."""


@click.command(short_help="List every image of the site; buys nothing.")
@config_option
@json_option
@click.option("--format", "format_", type=click.Choice(["table", "markdown"]), default="table", show_default=True)
def plan(config_file: Path, as_json: bool, format_: str) -> None:
    """List every image of the site: page, name, model, size, and whether it is pinned, cached, in the shared store,
    missing, refused (by the service, for its content: it is not asked for again), or unreadable (it may be there, and
    is not bought: Git LFS has it, say).

    Buys nothing, needs no key, and no network but for the shared store.
    """
    survey = with_shared(survey_of(config_file))
    print_warnings(survey)
    for message in advice(survey):
        warn(message)
    print_hindrances([one.image.job for one in survey.missing()], survey.options)
    if as_json:
        to_buy, _ = split_ordered([one.image.job for one in survey.missing()], survey.options)
        cost = survey.options.cost(job.request for job in to_buy)
        images = [as_fields(one) for one in survey.entries]
        print_json({"images": images, "to_buy": len(to_buy), "cost": cost and cost.as_fields()})
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
        "references": list(one.references),
        "key": request.key,
        "state": one.state,
        "file": str(one.stored.path) if one.stored else None,
        "reason": str(one.image.reason) if one.image.reason else None,
        "pages": list(one.users),
    }


def print_table(survey: Survey) -> None:
    """Print the images as a table as wide as the terminal, and a summary."""
    from rich.cells import cell_len
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table

    longest = max((cell_len(one.title) for one in survey.entries), default=0)  # names are copied into commands
    table = Table(box=None, pad_edge=False, header_style="bold")
    has_references = any(one.references for one in survey.entries)
    for title, options in (
        ("image", {"no_wrap": True, "min_width": longest}),
        ("state", {"no_wrap": True}),
        ("model, size", {}),
        ("shown on", {"no_wrap": True}),
        *((("references", {"overflow": "fold"}),) if has_references else ()),
        ("prompt", {"min_width": 12}),
    ):
        table.add_column(title, **options)
    for one in survey.entries:
        styles = {"missing": "yellow", "pinned": "green", "shared": "cyan", "refused": "red", "unreadable": "red"}
        style = styles.get(one.state, "")
        state = f"[{style}]{one.state}[/]" if style else one.state
        prompt = textwrap.shorten(one.request.prompt, _LONGEST_PROMPT, placeholder=" ...")
        model = f"{one.request.model} {one.size}"
        references = [escape(", ".join(one.references))] if has_references else []
        table.add_row(escape(one.title), state, escape(model), _shown_on(one), *references, escape(prompt or "..."))
    console = Console(highlight=False)
    console.width = max(console.width, longest + _BESIDE_IMAGE)
    if survey.entries:
        console.print(table)
        console.print()
    for one in survey.each_once():
        if one.state == "refused":
            console.print(f"{one.title}: {one.image.reason}.", markup=False)
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
            prompt = one.request.prompt + (f" (with {', '.join(one.references)})" if one.references else "")
            lines.append(f"| {where} | {_cell(one.request.model)} | {one.size} | {_cell(prompt)} |")
        lines.append("")
    refused = [one for one in survey.each_once() if one.state == "refused"]
    lines += [f"- {_cell(f'{one.title}: {one.image.reason}')}" for one in refused]
    lines += [f"- {_cell(notice)}" for notice in (*survey.warnings, *advice(survey))]
    return "\n".join(lines).rstrip()


def summary(survey: Survey) -> str:
    """Return how many images there are, and how many of which model a build would buy."""
    once = survey.each_once()
    states = [one.state for one in once]
    said = [f"{states.count(state)} {state}" for state in get_args(State) if state in states]
    to_buy, ordered = split_ordered([one.image.job for one in survey.missing()], survey.options)
    buys = models_and_cost(to_buy, survey.options)
    sandbox = " (of the sandbox, which sells nothing)" if survey.options.sandboxed else ""
    total = count(len(once), "image")
    collected = f" Ordered already: {count(len(ordered), 'image')}." if ordered else ""
    return f"{total}{': ' + ', '.join(said) if said else ''}. To buy: {buys}{sandbox if to_buy else ''}.{collected}"


def _cell(text: str) -> str:
    """Return text for a cell of a Markdown table: one line, with its own markup escaped."""
    escaped = "".join(f"\\{char}" if char in "\\`*_[]<>|#@" else char for char in " ".join(text.split()))
    return escaped if len(escaped) <= 200 else escaped[:199].rstrip("\\") + "…"
