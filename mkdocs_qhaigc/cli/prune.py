"""`mkdocs-qhaigc prune`: removes images from the cache that no image of the site uses, once they are old.

They were paid for, so the command lists them and asks first. Pins are never touched, and neither are remnants of
images: a build may yet recover them, and people may look at them.
"""

from __future__ import annotations

import contextlib
import re
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import click

from mkdocs_qhaigc._util.files import real_path, reason_of
from mkdocs_qhaigc.cli._ask_to_remove import ask_to_remove
from mkdocs_qhaigc.cli._common import (
    config_files_option,
    count,
    days,
    failing,
    json_option,
    print_json,
    shown_path,
    size_in_words,
    surveys_of,
    total,
)
from mkdocs_qhaigc.cli._prune_shared import prune_shared
from mkdocs_qhaigc.config.options import SANDBOX
from mkdocs_qhaigc.errors import QhaigcError, SiteError, StoreError
from mkdocs_qhaigc.generation.refusals import unused_refusals
from mkdocs_qhaigc.site.survey import Survey
from mkdocs_qhaigc.store.image_store import ImageStore
from mkdocs_qhaigc.store.record import StoredImage

_UNITS = {"h": 3600, "d": 86400, "w": 7 * 86400}
_OTHERS = "Other branches, drafts, languages and sites that share this cache may use them: then they are bought again."


@dataclass(frozen=True, slots=True)
class Unused:
    """A stored image that nothing uses."""

    image: StoredImage
    age: float
    """Seconds since it was generated, or came into this cache if that was later."""
    size: int
    """Bytes, with its record."""
    prompt: str
    """Empty if the record does not say."""
    sandbox: bool
    """Whether a sandbox drew it."""


@dataclass(frozen=True, slots=True)
class Prunable:
    """The contents of caches that their sites do not use."""

    old: tuple[Unused, ...]
    """Images that may be removed."""
    young: tuple[Unused, ...]
    """Images that stay for now."""
    remnants: tuple[Path, ...]
    """Files of images that are not whole; they stay."""
    refusals: tuple[Path, ...]
    """Old refusals of requests that no image of the sites makes; they cost nothing, and go without a question."""


def _seconds(context: click.Context, parameter: click.Parameter, value: str) -> int:
    """Return the seconds of `90d`, `12w`, `6h`."""
    match = re.fullmatch(r"([0-9]{1,6})([hdw])", value)
    if not match:
        raise click.BadParameter(f"{value!r} is no age. Write a number and h, d or w, for example 90d")
    return int(match[1]) * _UNITS[match[2]]


@click.command(short_help="Remove images that the site does not use.")
@config_files_option
@click.option(
    "--older-than",
    callback=_seconds,
    metavar="AGE",
    default="90d",
    show_default=True,
    help="Hours, days or weeks: 6h, 90d, 12w.",
)
@click.option("--shared", is_flag=True, help="In the shared store, which all sites that use it must be given for.")
@click.option("--dry-run", is_flag=True, help="Only say what would be removed.")
@click.option("-y", "--yes", is_flag=True, help="Do not ask.")
@json_option
def prune(
    config_files: tuple[Path, ...], older_than: int, shared: bool, dry_run: bool, yes: bool, as_json: bool
) -> None:
    """Remove saved images from the cache that the site does not use, and that have been there for a while.

    What is known of refused requests that no image makes goes with them. Pins are never touched. Says what and how
    much, and asks; where nobody can be asked, it needs --yes.
    """
    surveys = surveys_of(*config_files)
    if shared:
        prune_shared(surveys, seconds=older_than, dry_run=dry_run, yes=yes, as_json=as_json)
        return
    with failing():
        found = find_unused(surveys, seconds=older_than)
    if not as_json:
        _print(found)
    if found.old and not dry_run and not yes:
        ask_to_remove(total(one.size for one in found.old))
    removed: list[Unused] = []
    for path in found.refusals if not dry_run else ():
        with contextlib.suppress(OSError):  # one that stays costs nothing
            path.unlink()
    try:
        for one in found.old if not dry_run else ():
            remove(one)
            removed.append(one)
    except QhaigcError as error:
        raise click.ClickException(f"{error}. {_done(removed)}") from error
    if as_json:
        print_json(_as_fields(found, removed))
    elif removed:
        click.echo(_done(removed))
    elif found.old:
        click.echo("Nothing was removed: --dry-run.")


def find_unused(surveys: Sequence[Survey], *, seconds: float) -> Prunable:
    """Return the contents of the caches of these sites that none of them uses.

    Args:
        seconds: the age from which an image counts as old.

    Raises:
        SiteError: it is not known which images are used.
        StoreError: a cache cannot be read.
    """
    problems = [problem for survey in surveys for problem in (*survey.problems, *survey.unresolved)]
    if problems:
        listed = "".join(f"\n  {problem}" for problem in problems)
        raise SiteError(
            "nothing is removed while directives or references cannot be used, for their images seem unused:" + listed
        )
    used = {one.request.key for survey in surveys for one in survey.entries}
    pins = {real_path(survey.options.pins_dir) for survey in surveys}
    folders = {survey.options.cache.originals for survey in surveys}
    stores = [ImageStore(folder, quiet=True).contents() for folder in sorted(folders) if real_path(folder) not in pins]
    rejected = sorted({path for survey in surveys for path in survey.options.cache.rejected.glob("*-*.*")})
    unused = [_unused(image) for store in stores for image in store.images if image.key not in used]
    return Prunable(
        tuple(one for one in unused if one.age >= seconds),
        tuple(one for one in unused if one.age < seconds),
        (*(path for store in stores for path in store.remnants), *rejected),
        tuple(
            path
            for folder in sorted({survey.options.cache.refusals for survey in surveys})
            for path in unused_refusals(folder, used, before=time.time() - seconds)
        ),
    )


def remove(unused: Unused) -> None:
    """Remove an image and its record.

    Raises:
        StoreError: it has been written again since it was found, or cannot be removed.
    """
    if _unused(unused.image).age < unused.age:
        raise StoreError(f"{unused.image.path} was written again a moment ago. It stays")
    unused.image.remove()


def _unused(image: StoredImage) -> Unused:
    try:
        status = image.record_path.stat()
    except OSError as error:
        raise StoreError(f"{image.record_path} cannot be read ({reason_of(error)})") from error
    record = image.record
    try:
        created = datetime.fromisoformat(str(record.get("created"))).timestamp()
    except (ValueError, OverflowError, OSError):  # the record does not say
        created = 0.0
    age = time.time() - max(status.st_mtime, created)
    request = record.get("request")
    prompt = str(request.get("prompt") or "") if isinstance(request, dict) else ""
    return Unused(image, age, image.size + status.st_size, prompt, sandbox=record.get("api") == SANDBOX)


def _print(found: Prunable) -> None:
    """Print which images may be removed and which stay."""
    for one in found.old:
        sandbox = ", of the sandbox" if one.sandbox else ""
        prompt = f": {one.prompt!r:.80}" if one.prompt else ""
        about = f"{size_in_words(one.size)}, {count(days(one.age), 'day')} old{sandbox}{prompt}"
        click.echo(f"{shown_path(one.image.path)}: {about}")
    if found.old:
        these = "these" if len(found.old) > 1 else "this"
        click.echo(f"\nNo image of the site uses {these}: {total(one.size for one in found.old)}.")
        click.echo(_OTHERS)
    else:
        click.echo("The cache has nothing that is old enough and that no image of the site uses.")
    if found.young:
        younger = count(len(found.young), "younger one")
        click.echo(f"{younger} that no image uses: kept for now (`--older-than 0d` takes all).")
    if found.refusals:
        click.echo(f"Refusals to forget, of requests that no image makes: {len(found.refusals)}.")
    if found.remnants:
        click.echo("Kept, for people to look at; remove by hand what nobody needs:")
        for path in found.remnants:
            click.echo(f"  {shown_path(path)}: {size_in_words(_size_of(path))}")


def _size_of(path: Path) -> int:
    """Return the bytes of a file, or of a link itself, which may lead nowhere; 0 if it is gone."""
    try:
        return path.lstat().st_size
    except OSError:
        return 0


def _done(removed: Sequence[Unused]) -> str:
    return f"Removed {total(one.size for one in removed)}."


def _as_fields(found: Prunable, removed: Sequence[Unused]) -> dict[str, Any]:
    """Return the images that were found, and those that were removed, as JSON values."""

    def one_of(one: Unused, state: str) -> dict[str, Any]:
        return {
            "state": state,
            "file": str(one.image.path),
            "key": one.image.key,
            "bytes": one.size,
            "days": int(one.age // 86400),
            "prompt": one.prompt,
            "sandbox": one.sandbox,
        }

    old = [one_of(one, "removed" if one in removed else "to remove") for one in found.old]
    return {
        "images": [*old, *(one_of(one, "young") for one in found.young)],
        "removed": len(removed),
        "removed_bytes": sum(one.size for one in removed),
        "refusals": len(found.refusals),
        "kept": [{"file": str(path), "bytes": _size_of(path)} for path in found.remnants],
    }
