"""What the builds of a site did for each image, for machines: the file that the option `report` names.

Nothing in it tells the time: where nothing is bought, the same site gives the same bytes.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mkdocs_qhaigc._util.files import atomic_write
from mkdocs_qhaigc.errors import OptionError
from mkdocs_qhaigc.generation.job import JobStats
from mkdocs_qhaigc.site.survey import Declared

SCHEMA = 1
"""Raised when a field changes its meaning or goes."""


@dataclass(frozen=True, slots=True)
class Reported:
    """A declared image, and what a build did for it."""

    declared: Declared
    effort: JobStats
    warnings: Sequence[str]


class Report:
    """The report of one site: a plugin may build it several times, once for each language."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._reported: list[Reported] = []
        self._warnings: list[str] = []

    def remove_old(self) -> None:
        """Remove what was written before: after a build that fails, no report is better than a wrong one.

        Raises:
            OptionError: the file cannot be removed.
        """
        try:
            self._path.unlink(missing_ok=True)
        except OSError as error:
            raise _unusable(self._path, error) from error

    def add(self, reported: Iterable[Reported], warnings: Iterable[str]) -> None:
        """Write the report, with what one more build did, and all that it has warned of.

        Raises:
            OptionError: the file cannot be written.
        """
        self._reported += reported
        self._warnings += warnings
        text = json.dumps(_as_json(self._reported, self._warnings), ensure_ascii=False, indent=2) + "\n"
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            atomic_write(self._path, text.encode(errors="backslashreplace"))
        except OSError as error:
            raise _unusable(self._path, error) from error


def _as_json(reported: Iterable[Reported], warnings: Iterable[str]) -> dict[str, Any]:
    """Return a report as JSON values; `warnings` are all that the builds told.

    What is declared twice is two rows with one key, and was bought for the first of them. What several builds of one
    site have (pages that are not translated) is one row: what the first of them did.
    """
    rows: list[dict[str, Any]] = []
    told: set[str] = set()
    keys: set[str] = set()
    seen: set[tuple[str, str, bool, str]] = set()
    for one in reported:
        declared, key = one.declared, one.declared.request.key
        identity = (declared.page, declared.name, declared.dark, key)
        if identity in seen:
            continue
        seen.add(identity)
        effort = JobStats() if key in keys else one.effort
        keys.add(key)
        told.update(one.warnings)
        rows.append(
            {
                "page": declared.page,
                "name": declared.name,
                "dark": declared.dark,
                "model": declared.request.model,
                "key": key,
                "state": declared.image.state,
                "seconds": None if effort.seconds is None else round(effort.seconds, 3),
                "bytes": declared.original.size if declared.original else None,
                "requests": effort.requests,
                "warnings": sorted(one.warnings),
            }
        )
    others = sorted(set(warnings) - told)  # pages that wait are told of last
    return {"schema": SCHEMA, "images": rows, "warnings": others}


def _unusable(path: Path, error: OSError) -> OptionError:
    return OptionError("report", f"{path} cannot be written ({error.strerror or error}). Name another file")
