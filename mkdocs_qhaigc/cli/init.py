"""`mkdocs-qhaigc init`: adds the plugin to a site's configuration, and says what comes next."""

from __future__ import annotations

import re
import stat
from pathlib import Path

import click

from mkdocs_qhaigc._util.files import atomic_write
from mkdocs_qhaigc.cli._common import config_option, failing
from mkdocs_qhaigc.config.add_plugin import ENTRY, add_plugin
from mkdocs_qhaigc.engines.choose_engine import is_zensicals, require_config_file
from mkdocs_qhaigc.errors import EditError, SiteError

_NEXT = """
Next:
  1. Write a prompt at the top of a page, for example docs/index.md:

       ---
       qhaigc: A lighthouse in fog
       ---

     and show the image where you like: ![A lighthouse in fog](qhaigc:hero)
  2. """
_TRY_OUT = """Run `{engine} serve`, and look at the page. The sandbox has drawn the image: no key, no cost.
  3. For images of a model, set QHAIGC_API_KEY in your shell, and take `base_url: sandbox` out of {file}."""
_BUY = """Run `mkdocs-qhaigc plan`, which lists the image, and buys nothing.
  3. Run `mkdocs-qhaigc generate`, which says what it buys, and asks. Then build your site."""


@click.command(short_help="Add the plugin to mkdocs.yml.")
@config_option
def init(config_file: Path) -> None:
    """Add the plugin to the site's configuration, with the sandbox, and say what comes next.

    Nothing else of the file changes.
    """
    with failing():
        require_config_file(config_file)
        if is_zensicals(config_file):
            raise SiteError(
                f"{config_file} is a site of Zensical. The documentation's page on Zensical says what to add"
            )
        try:
            config_file = config_file.resolve() if config_file.is_symlink() else config_file
            text = config_file.read_bytes().decode("utf-8")
            edited = add_plugin(text)
            if edited is not None:
                atomic_write(config_file, edited.encode(), mode=stat.S_IMODE(config_file.stat().st_mode))
        except (OSError, UnicodeDecodeError) as error:
            raise SiteError(
                f"{config_file} cannot be changed ({error}). Add `- {ENTRY}` to `plugins` yourself"
            ) from error
        except EditError as error:
            raise EditError(f"{config_file} was not changed: {error}") from error
    said = "lists the plugin already" if edited is None else f"lists the plugin now: `{ENTRY}`"
    click.echo(f"{config_file} {said}.")
    engine = "properdocs" if config_file.name.startswith("properdocs") else "mkdocs"
    drawn = edited is not None or re.search(r"^[^#\n]*\bbase_url: *[\"']?sandbox\b", text, re.MULTILINE)
    click.echo(_NEXT + (_TRY_OUT if drawn else _BUY).format(engine=engine, file=config_file))
