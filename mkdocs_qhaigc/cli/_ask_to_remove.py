"""What the ways of removing images have in common: how much it is, in words, and the question before."""

from __future__ import annotations

import sys
from collections.abc import Iterable

import click

from mkdocs_qhaigc.cli._common import count


def ask_to_remove(what: str, *, place: str = "") -> None:
    """Go on only if somebody agrees that `what` is removed; `place` says from where.

    Raises:
        click.UsageError: nobody can be asked.
        click.Abort: the answer is no.
    """
    if not sys.stdin.isatty():
        raise click.UsageError(f"{what} would be removed, and there is nobody to ask. Add --yes, or --dry-run to look")
    click.confirm(f"Remove {what}{place} for good?", abort=True, err=True)


def total(sizes: Iterable[int]) -> str:
    """Return the number and the size of images of so many bytes each: `2 images, 1.2 MB`."""
    sizes = list(sizes)
    return f"{count(len(sizes), 'image')}, {size_in_words(sum(sizes))}"


def size_in_words(size: int) -> str:
    """Return a number of bytes as people read it."""
    from rich.filesize import decimal

    return decimal(size)


def days(seconds: float) -> int:
    """Return the whole days of an age."""
    return max(0, int(seconds // 86400))
