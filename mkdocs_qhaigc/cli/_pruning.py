"""Originals in the cache that no image of the site uses: each was paid for, so they go only when they are old.

Pins are never touched, and neither is what is left of images: a build may yet take it in, and people may look at it.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from mkdocs_qhaigc.errors import SiteError, StoreError
from mkdocs_qhaigc.site.survey import Survey
from mkdocs_qhaigc.store.image_store import ImageStore
from mkdocs_qhaigc.store.record import StoredImage


@dataclass(frozen=True, slots=True)
class Unused:
    """An original that nothing uses."""

    original: StoredImage
    age: float
    """Seconds since it was bought, or came into this cache if that was later."""
    size: int
    """Bytes, with its record."""


@dataclass(frozen=True, slots=True)
class Prunable:
    """What a cache has that the site does not use."""

    old: tuple[Unused, ...]
    """Those that may go."""
    young: tuple[Unused, ...]
    """Those that stay for now."""
    remnants: tuple[Path, ...]
    """What is left of images; it stays."""

    @property
    def size(self) -> int:
        """Bytes that would be free."""
        return sum(one.size for one in self.old)


def find_unused(surveys: Sequence[Survey], *, seconds: float) -> Prunable:
    """Return what lies in the caches of these sites and none of them uses; `seconds`: the age from which it may go.

    Raises:
        SiteError: it cannot be said what is used.
        StoreError: a cache cannot be read.
    """
    problems = [problem for survey in surveys for problem in (*survey.problems, *survey.unresolved)]
    if problems:
        listed = "".join(f"\n  {problem}" for problem in problems)
        raise SiteError(
            "nothing is removed while directives or references cannot be used, for their images seem unused:" + listed
        )
    used = {one.request.key for survey in surveys for one in survey.entries}
    pins = {survey.options.pins_dir.resolve() for survey in surveys}
    folders = {survey.options.cache.originals for survey in surveys}
    stores = [ImageStore(folder, quiet=True).contents() for folder in sorted(folders) if folder.resolve() not in pins]
    rejected = sorted({path for survey in surveys for path in survey.options.cache.rejected.glob("*-*.*")})
    unused = [_unused(one) for store in stores for one in store.images if one.key not in used]
    return Prunable(
        tuple(one for one in unused if one.age >= seconds),
        tuple(one for one in unused if one.age < seconds),
        (*(path for store in stores for path in store.remnants), *rejected),
    )


def prune(unused: Unused) -> None:
    """Remove an original and its record.

    Raises:
        StoreError: it is not what it was when it was found, or cannot be removed.
    """
    if _unused(unused.original).age < unused.age:
        raise StoreError(f"{unused.original.path} was written again a moment ago. It stays")
    unused.original.remove()


def _unused(original: StoredImage) -> Unused:
    record = original.record_path
    try:
        status = record.stat()
    except OSError as error:
        raise StoreError(f"{record} cannot be read ({error.strerror or error})") from error
    return Unused(original, time.time() - max(status.st_mtime, _bought(original)), original.size + status.st_size)


def _bought(original: StoredImage) -> float:
    """Return when an image was bought, in seconds since the epoch; 0 where its record does not say."""
    try:
        return datetime.fromisoformat(str(original.record.get("created"))).timestamp()
    except (ValueError, OverflowError, OSError):
        return 0.0
