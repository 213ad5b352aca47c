"""`mkdocs-qhaigc schema`: JSON Schemas for editors."""

from __future__ import annotations

import click


@click.command(short_help="Print a JSON Schema for editors.")
@click.argument("of", type=click.Choice(["options", "front-matter"]), default="options")
def schema(of: str) -> None:
    """Print a JSON Schema for editors: of mkdocs.yml with this plugin's options, or of pages' front matter."""
    from mkdocs_qhaigc.config.json_schema import as_json, front_matter_schema, options_schema

    click.echo(as_json(options_schema() if of == "options" else front_matter_schema()))
