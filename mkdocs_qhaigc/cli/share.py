"""`mkdocs-qhaigc share`: uploads the images of this machine that the shared store lacks."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Any

import click

from mkdocs_qhaigc.cli._common import config_option, count, failing, json_option, print_json, shown_path, survey_of
from mkdocs_qhaigc.config.options import Options
from mkdocs_qhaigc.errors import OptionError, StoreError
from mkdocs_qhaigc.store.image_store import open_cache, open_pins
from mkdocs_qhaigc.store.record import StoredImage
from mkdocs_qhaigc.store.shared_images import SharedImages, is_sandboxed


@click.command(short_help="Upload this machine's images to the shared store.")
@config_option
@click.option("--dry-run", is_flag=True, help="Only say what would be uploaded.")
@json_option
def share(config_file: Path, dry_run: bool, as_json: bool) -> None:
    """Upload the images of this machine's cache and pins that the shared store lacks.

    Replaces nothing there. Exit code 1 if an image could not be uploaded.
    """
    options = survey_of(config_file).options
    with failing(), closing(_opened(options)) as shared:
        there = shared.listing()
        whole = {
            key for key, objects in there.items() if {one.path.endswith(".json") for one in objects} == {True, False}
        }
        mine = _images(options)
        lacking = [image for image in mine if image.key not in whole]
        states = dict.fromkeys((image.key for image in lacking), "to upload")
        if not dry_run:
            states = _upload(lacking, shared)
    uploaded = sum(state == "uploaded" for state in states.values())
    if as_json:
        images = [{"key": one.key, "file": str(one.path), "state": states[one.key]} for one in lacking]
        print_json(
            {"shared": options.shared, "images": images, "there": len(mine) - len(lacking), "uploaded": uploaded}
        )
    else:
        for one in lacking:
            if dry_run or states[one.key] != "uploaded":
                click.echo(f"{shown_path(one.path)}: {_WORDS[states[one.key]]}")
        done = f"{count(len(lacking), 'image')} to upload" if dry_run else f"{count(uploaded, 'image')} uploaded"
        click.echo(f"{options.shared}: {len(mine) - len(lacking)} there already, {done}.")
    if "not uploaded" in states.values():
        sys.exit(1)


_WORDS = {
    "to upload": "would be uploaded",
    "taken": "the store has another image of this key, which stays",
    "not uploaded": "could not be uploaded",
}


def _opened(options: Options) -> SharedImages:
    """Return the shared images.

    Raises:
        OptionError: there are none, or they can only be read.
    """
    if not options.shared:
        raise OptionError("shared", "option `shared`: it names no store, or `shared_mode` is off. Write its address")
    shared = SharedImages(options, open_cache(options, quiet=True))
    shared.require_client()
    if not shared.writable:
        is_web = options.shared.startswith("http")
        advice = "Name the store itself: a web server can only be read" if is_web else "Set `shared_mode: auto`"
        raise OptionError("shared", f"option `shared`: nothing is uploaded there. {advice}")
    return shared


def _images(options: Options) -> list[StoredImage]:
    """Return the images of the pins and the cache, each key once; those of a sandbox only for a site that uses it."""
    found: dict[str, StoredImage] = {}
    for store in (open_pins(options, quiet=True), open_cache(options, quiet=True)):
        for image in store.contents().images:
            if image.key not in found and is_sandboxed(image.record) == options.sandboxed:
                found[image.key] = image
    return list(found.values())


def _upload(images: Sequence[StoredImage], shared: SharedImages) -> dict[str, str]:
    """Upload images, a few at once; return what became of each, by key."""
    futures: dict[str, Any] = {image.key: shared.start(shared.upload, image) for image in images}
    states: dict[str, str] = {}
    with ExitStack() as shown:
        steps: Any = futures.items()
        if sys.stderr.isatty():
            from rich.progress import Progress  # only a terminal shows a bar

            progress = shown.enter_context(Progress(transient=True))
            steps = progress.track(steps, total=len(futures), description="Uploading images")
        for key, future in steps:
            try:
                states[key] = future.result()
            except StoreError:  # the image is damaged here: `check` names it
                states[key] = "not uploaded"
    return {key: "uploaded" if state == "there" else state for key, state in states.items()}
