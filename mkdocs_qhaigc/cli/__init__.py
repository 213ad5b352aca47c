"""The command line `mkdocs-qhaigc`: a module for each command; what several use begins with `_`. Owns click."""

from __future__ import annotations

import sys
from io import TextIOWrapper

import click

from mkdocs_qhaigc import __version__
from mkdocs_qhaigc._util.log_routing import forwarding
from mkdocs_qhaigc.cli._common import note, warn
from mkdocs_qhaigc.cli.candidates import candidates
from mkdocs_qhaigc.cli.check import check
from mkdocs_qhaigc.cli.cost import cost
from mkdocs_qhaigc.cli.gallery import gallery
from mkdocs_qhaigc.cli.generate import generate
from mkdocs_qhaigc.cli.init import init
from mkdocs_qhaigc.cli.pin import pin
from mkdocs_qhaigc.cli.plan import plan
from mkdocs_qhaigc.cli.prune import prune
from mkdocs_qhaigc.cli.regenerate import regenerate
from mkdocs_qhaigc.cli.sandbox import sandbox
from mkdocs_qhaigc.cli.schema import schema
from mkdocs_qhaigc.cli.share import share
from mkdocs_qhaigc.cli.studio import studio
from mkdocs_qhaigc.cli.sync import sync


class _InOrder(click.Group):
    """Lists its commands in the order in which they are used."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(self.commands)


@click.group(cls=_InOrder, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__, prog_name="mkdocs-qhaigc")
@click.pass_context
def main(context: click.Context) -> None:
    """Images for MkDocs pages from prompts in their front matter."""
    if isinstance(sys.stdout, TextIOWrapper):  # on Windows a pipe may have few letters: better \u706f than a traceback
        sys.stdout.reconfigure(errors="backslashreplace")
    context.with_resource(forwarding(warn, note))


for command in (
    *(init, plan, generate, regenerate, candidates, studio, pin, check),
    *(gallery, cost, share, prune, sync, schema, sandbox),
):
    main.add_command(command)
