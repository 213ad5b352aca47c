"""A hook of MkDocs: generates the reference pages of the documentation from the code, so that they cannot drift."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import click
from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files

from mkdocs_qhaigc.cli import main
from mkdocs_qhaigc.cli.json_field_docs import JSON_FIELDS, REPORT_FIELDS
from mkdocs_qhaigc.config.option_definitions import OPTIONS
from mkdocs_qhaigc.directives.directive import FIELDS

_OPTIONS = """
# Options

What stands below `qhaigc` in `plugins` of mkdocs.yml. Every option works with MkDocs' `!ENV`, lists and mappings
included: `formats: !ENV [FORMATS, "avif, webp"]`. Paths are relative to mkdocs.yml, and may begin with `~/`. A name
that is no option is refused: it may have been to keep a build from buying. All invalid options are reported at once.

For completion and checks in an editor: `mkdocs-qhaigc schema`.
"""
_DIRECTIVES = """
# Directives

What stands below `qhaigc` in a page's front matter, and below the option [`images`](options.md#images) for the whole
site. The value is a prompt, or the fields of one image (either is named `hero`), or a mapping of names to prompts or
fields. A name is letters, digits, `_` and `-` of any script, at most 64.

Everywhere a field that is left out has its default. For completion and checks in an editor:
`mkdocs-qhaigc schema front-matter`.
"""
_COMMANDS = """
# Commands

They use `mkdocs.yml`, or where there is none `properdocs.yml` (which ProperDocs reads), `zensical.toml` or
`zensical.yml`; `-f` names another. Exit codes: 0 done, 1 the answer is no or something failed, 2 wrong usage.

`PAGE` is a page as MkDocs names it (`guide/start.md`) or the path of its file; `PAGE#NAME` is one image of it, and
`mkdocs.yml#logo` an image of the option `images`.

Completion, in bash: `eval "$(_MKDOCS_QHAIGC_COMPLETE=bash_source mkdocs-qhaigc)"`; for other shells `zsh_source` or
`fish_source`.
"""
_JSON = """
# JSON for machines

With `--json`, a command prints one object, and nothing else, on the standard output. Its field `schema` is 1; a field
that changes its meaning or goes raises that number. `images[].page` is the field `page` of each entry of `images`.
"""
_REPORT = """
## The file of the option `report` { #report }

With `report: qhaigc-report.json`, a build writes what it did. Where nothing was bought, the file has the same bytes
each time.
"""


def on_files(files: Files, *, config: MkDocsConfig) -> Files:
    """Add the reference pages."""
    pages = {"options": options_page, "directives": directives_page, "commands": commands_page, "json": json_page}
    for name, content in pages.items():
        files.append(File.generated(config, f"reference/{name}.md", content=content()))
    return files


def options_page() -> str:
    """Return the page of the plugin's options."""
    sections = [
        _section(f"`{name}`", name, option.about, _default(option.default), option.type.json_schema)
        for name, option in OPTIONS.items()
    ]
    return "\n".join([_OPTIONS, *sections])


def directives_page() -> str:
    """Return the page of a directive's fields."""
    sections = [_section(f"`{name}`", name, field.about, field.default, field.schema) for name, field in FIELDS.items()]
    return "\n".join([_DIRECTIVES, *sections])


def commands_page() -> str:
    """Return the page of the commands."""
    return "\n".join([_COMMANDS, *(_command(name, command) for name, command in main.commands.items())])


def json_page() -> str:
    """Return the page of what commands print with `--json`, and of the report."""
    sections = [
        f"## `{name} --json` {{ #{name.replace(' --', '-')} }}\n\n{_table(('field', 'meaning'), _fields(fields))}"
        for name, fields in JSON_FIELDS.items()
    ]
    return "\n".join([_JSON, *sections, _REPORT, _table(("field", "meaning"), _fields(REPORT_FIELDS))])


def _section(title: str, anchor: str, about: str, default: str, schema: Mapping[str, Any]) -> str:
    """Return the section of one option or field."""
    values = _values(schema)
    facts = f"Default: {default}." + (f" Values: {values}." if values else "")
    return f"## {title} {{ #{anchor} }}\n\n{about[0].upper()}{about[1:]}.\n\n{facts}\n"


def _default(value: Any) -> str:
    """Return an option's default, in Markdown."""
    if value is None:
        return "none"
    if isinstance(value, bool):
        return f"`{str(value).lower()}`"
    return f"`[{', '.join(map(str, value))}]`" if isinstance(value, tuple) else f"`{value}`"


def _values(schema: Mapping[str, Any]) -> str:
    """Return the values that a schema takes, in Markdown; an empty text where their meaning says it."""
    if "enum" in schema:
        return ", ".join(f"`{value}`" for value in schema["enum"] if value is not None)
    if schema.get("type") == "boolean":
        return "`true` or `false`"
    if schema.get("type") == "integer":
        return f"a whole number from {schema['minimum']:,} to {schema['maximum']:,}"
    if schema.get("type") == "number":
        return f"a number up to {schema['maximum']:,}"
    return ""


def _command(name: str, command: click.Command) -> str:
    """Return the section of one command."""
    context = click.Context(command, info_name=f"mkdocs-qhaigc {name}")
    usage = re.sub(r"^Usage: ", "", command.get_usage(context))
    rows = [
        (f"`{declaration}`", _escaped(text))
        for parameter in command.get_params(context)
        if (record := parameter.get_help_record(context))
        for declaration, text in [record]
        if "--help" not in declaration and text
    ]
    options = _table(("option", "meaning"), rows) if rows else ""
    about = _escaped(inspect.cleandoc(command.help or ""))
    return f"## `mkdocs-qhaigc {name}` {{ #{name} }}\n\n```text\n{' '.join(usage.split())}\n```\n\n{about}\n\n{options}"


def _fields(fields: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    return ((f"`{path}`", about) for path, about in fields.items())


def _table(titles: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    """Return a table in Markdown."""
    lines = [list(titles), None, *(list(row) for row in rows)]
    cells = ["|---|---|" if line is None else f"| {' | '.join(line)} |" for line in lines]
    return "\n".join(cells) + "\n"


def _escaped(text: str) -> str:
    """Return help of click as Markdown: its square brackets are no links."""
    return re.sub(r"\[default: \((.*)\)\]", r"[default: \1]", text).replace("[", "\\[")
