"""`mkdocs-qhaigc sync`: writes the images as files among the pages, for engines that run no MkDocs plugins."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import click

from mkdocs_qhaigc.cli._common import count, failing, json_option, note, print_json, shown_path
from mkdocs_qhaigc.cli._generation import opened_queue, require_sandbox_within_sandbox
from mkdocs_qhaigc.engines.choose_engine import require_config_file, usual_config_file
from mkdocs_qhaigc.engines.zensical.config import Configuration, read_configuration
from mkdocs_qhaigc.engines.zensical.manifest import MANIFEST
from mkdocs_qhaigc.engines.zensical.sync import Synced
from mkdocs_qhaigc.engines.zensical.sync import sync as sync_site
from mkdocs_qhaigc.generation.when_to_stop import Budget


@click.command(short_help="Write the images into the docs folder.")
@click.option(
    "--out",
    type=click.Path(file_okay=False, path_type=Path),
    help="The folder, within docs_dir.  [default: option assets_dir]",
)
@click.option("--pin/--no-pin", default=True, show_default=True, help="Copy what is published into the pins.")
@click.option("--watch", is_flag=True, help="Go on, and sync again when a page or the configuration has changed.")
@click.option("-y", "--yes", is_flag=True, help="Do not ask, on a site that MkDocs builds.")
@json_option
@click.option(
    "-f",
    "--config-file",
    type=click.Path(dir_okay=False, path_type=Path),
    default=lambda: usual_config_file(zensical_first=True),
    show_default="zensical.toml, else zensical.yml, else mkdocs.yml",
    help="The site's configuration.",
)
def sync(out: Path | None, pin: bool, watch: bool, yes: bool, as_json: bool, config_file: Path) -> None:
    """Write the site's images into a folder of its pages, for Zensical, which runs no MkDocs plugins.

    Reads mkdocs.yml or zensical.toml and the front matter of every page itself, buys what is missing as a build does
    (options `missing` and `max_new_images`), copies the originals into the pins, to be committed, encodes, writes only
    what changed, and removes what is no longer used: only files that it wrote.

    Exit code 1 where a placeholder replaces an image, or a directive cannot be used.
    """
    if watch and as_json:
        raise click.UsageError("--watch goes on, and --json prints one object. Leave one of them out.")

    def read() -> Configuration:
        site = read_configuration(config_file)
        if site.zensical:  # which follows no links from there
            return site.publishing_to(out or site.images_dir)
        return site.publishing_to(out) if out else site

    with failing():
        require_config_file(config_file)
        site = read()
        if not site.zensical and not yes:
            _ask(site)
        if watch:
            _watch(site, read, pin=pin)
            return
        synced = _once(site, pin=pin, as_json=as_json)
    wanted = site.options.missing == "placeholder"
    if synced.problems or (synced.missing and not wanted):
        sys.exit(1)


def _ask(site: Configuration) -> None:
    """Ask on a terminal before the first images are written among pages that MkDocs builds: it needs none there.

    Raises:
        click.Abort: the answer is no.
    """
    on_terminal = sys.stdin.isatty() and sys.stderr.isatty()
    if not on_terminal or os.path.exists(site.images_dir / MANIFEST):  # noqa: PTH110 - false where it may not look
        return
    note("MkDocs builds this site, and needs no images among its pages.")
    click.confirm(f"Write them into {shown_path(site.images_dir)}?", err=True, abort=True)


def _once(site: Configuration, *, pin: bool, as_json: bool = False) -> Synced:
    """Sync and print what was done."""
    if site.options.missing == "generate":
        require_sandbox_within_sandbox(site.options)
    with opened_queue(site.options, Budget(site.options.max_new_images)) as queue:
        synced = sync_site(site, queue=queue, pin=pin)
    if as_json:
        print_json(
            {
                "out": str(site.images_dir),
                "images": len(synced.images),
                "missing": [image.job.where for image in synced.missing],
                "files": [{"image": image, "file": name} for image, name in synced.shown.items()],
                "pinned": [str(path) for path in synced.pinned],
                "written": synced.written,
                "removed": synced.removed,
                "kept": synced.kept,
                "unchanged": synced.unchanged,
            }
        )
    else:
        click.echo(_said(synced, site))
    return synced


def _said(synced: Synced, site: Configuration) -> str:
    files = [f"{len(synced.written)} written", f"{synced.unchanged} unchanged", f"{len(synced.removed)} removed"]
    lines = [f"{shown_path(site.images_dir)}: {count(len(synced.images), 'image')}, {', '.join(files)}."]
    if synced.pinned:
        pinned = count(len(synced.pinned), "image")
        lines.append(f"Pinned: {pinned} in {shown_path(site.options.pins_dir)}, to be committed.")
    lines += [f"Kept: {name} is no longer used, but was changed after it was written." for name in synced.kept]
    return "\n".join(lines)


def _watch(site: Configuration, read: Callable[[], Configuration], *, pin: bool) -> None:
    """Sync now and after each change of a page or the configuration, until Ctrl-C."""
    from mkdocs_qhaigc.engines.zensical.file_watcher import watching  # watchdog is only needed here

    own = (site.images_dir, site.options.cache_dir, site.options.pins_dir)
    with watching(site.docs_dir, site.files, without=own) as changes:
        with _printing_errors():
            changes.watch(_once(site, pin=pin).reference_files)
        click.echo(f"Watching {shown_path(site.docs_dir)} and {shown_path(site.file)}. Ctrl-C ends it.", err=True)
        for _ in changes:
            with _printing_errors():
                changes.watch(_once(read(), pin=pin).reference_files)


@contextmanager
def _printing_errors() -> Iterator[None]:
    """Print an error of this package and go on: the next edit may correct it."""
    try:
        with failing():
            yield
    except click.ClickException as error:
        error.show()
