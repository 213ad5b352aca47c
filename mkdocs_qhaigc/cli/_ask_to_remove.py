"""The question before images are removed for good, whichever way."""

from __future__ import annotations

import sys

import click


def ask_to_remove(what: str, *, place: str = "") -> None:
    """Go on only if somebody agrees that `what` is removed; `place` says from where.

    Raises:
        click.UsageError: nobody can be asked.
        click.Abort: the answer is no.
    """
    if not sys.stdin.isatty():
        raise click.UsageError(f"{what} would be removed, and there is nobody to ask. Add --yes, or --dry-run to look")
    click.confirm(f"Remove {what}{place} for good?", abort=True, err=True)
