"""`mkdocs-qhaigc prune --shared`: removes images from the shared store that no given site uses."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass

import click

from mkdocs_qhaigc.cli._ask_to_remove import ask_to_remove
from mkdocs_qhaigc.cli._common import count, days, failing, print_json, size_in_words, total
from mkdocs_qhaigc.errors import OptionError, SiteError
from mkdocs_qhaigc.site.survey import Survey
from mkdocs_qhaigc.store.image_store import open_cache
from mkdocs_qhaigc.store.object_store import ListedObject
from mkdocs_qhaigc.store.shared_images import SharedImages, age_of

_LEASE_SECONDS = 86400
"""Seconds after which a lease is over, whatever it says."""


@dataclass(frozen=True, slots=True)
class _Unused:
    """An image of the store that no given site uses: its record and its bytes, or what is left of them."""

    key: str
    objects: tuple[ListedObject, ...]

    @property
    def size(self) -> int:
        """Bytes."""
        return sum(one.size for one in self.objects)

    @property
    def age(self) -> float:
        """Seconds since the last of its objects was written."""
        return min(age_of(one) for one in self.objects)


def prune_shared(surveys: Sequence[Survey], *, seconds: float, dry_run: bool, yes: bool, as_json: bool) -> None:
    """Remove images that these sites do not use, and that are old; list them, and ask first."""
    with failing(), closing(_opened(surveys)) as shared:
        used = {one.request.key for survey in surveys for one in survey.entries}
        listing = sorted(shared.listing().items())
        unused = [_Unused(key, tuple(objects)) for key, objects in listing if key not in used]
        old = [one for one in unused if one.age >= seconds]
        young = [one for one in unused if one.age < seconds]
        leases = shared.old_leases(seconds=_LEASE_SECONDS)
        if not as_json:
            _print(old, young)
        if old and not dry_run and not yes:
            ask_to_remove(total(one.size for one in old), place=" from the shared store")
        if not dry_run:
            for one in old:
                shared.remove(one.objects)
            shared.remove(leases)
    removed = [] if dry_run else old
    if as_json:
        state = "to remove" if dry_run else "removed"
        print_json(
            {
                "images": [*(_as_fields(one, state) for one in old), *(_as_fields(one, "young") for one in young)],
                "leases": 0 if dry_run else len(leases),
                "removed": len(removed),
                "removed_bytes": sum(one.size for one in removed),
            }
        )
    elif removed:
        click.echo(f"Removed {total(one.size for one in removed)}.")
    elif old:
        click.echo("Nothing was removed: --dry-run.")


def _opened(surveys: Sequence[Survey]) -> SharedImages:
    """Return the shared images of sites.

    Raises:
        OptionError: there are none, or not the same ones for all.
        SiteError: it is not known which images are used.
    """
    options = surveys[0].options
    stores = {(survey.options.shared, survey.options.sandboxed) for survey in surveys}  # drawings have another place
    if not options.shared or len(stores) > 1:
        raise OptionError("shared", "option `shared`: these sites do not all name one shared store")
    problems = [problem for survey in surveys for problem in (*survey.problems, *survey.unresolved)]
    if problems:
        listed = "".join(f"\n  {problem}" for problem in problems)
        raise SiteError(
            "nothing is removed while directives or references cannot be used, for their images seem unused:" + listed
        )
    shared = SharedImages(options, open_cache(options, quiet=True))
    shared.require_client()
    return shared


def _print(old: Sequence[_Unused], young: Sequence[_Unused]) -> None:
    for one in old:
        click.echo(f"{one.key[:16]}: {size_in_words(one.size)}, {count(days(one.age), 'day')} old")
    if old:
        click.echo(f"\nNo given site uses {'these' if len(old) > 1 else 'this'}: {total(one.size for one in old)}.")
        click.echo("All other sites, branches and drafts that share the store may use them: give each site by -f.")
    else:
        click.echo("The shared store has nothing that is old enough and that no given site uses.")
    if young:
        click.echo(f"{count(len(young), 'younger one')} that no given site uses: kept for now.")


def _as_fields(one: _Unused, state: str) -> dict[str, object]:
    return {"state": state, "key": one.key, "bytes": one.size, "days": days(one.age)}
