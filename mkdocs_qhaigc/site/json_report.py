"""The report of a site's builds for machines: the file that the option `report` names.

It has no time in it: if nothing is generated, the same site gives the same bytes.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mkdocs_qhaigc._util.files import atomic_write, reason_of
from mkdocs_qhaigc.errors import OptionError
from mkdocs_qhaigc.generation.job import JobStats
from mkdocs_qhaigc.site.survey import SurveyEntry

SCHEMA = 1
"""Raised when a field changes its meaning or goes."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """The outcome of one build for one declared image."""

    entry: SurveyEntry
    stats: JobStats
    warnings: Sequence[str]


class Report:
    """The report of one site. A plugin may build it several times, once for each language."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._outcomes: list[Outcome] = []
        self._warnings: list[str] = []

    def remove_old(self) -> None:
        """Remove the file of an earlier build: after a build that fails, no report is better than a wrong one.

        Raises:
            OptionError: the file cannot be removed.
        """
        try:
            self._path.unlink(missing_ok=True)
        except OSError as error:
            raise _unusable(self._path, error) from error

    def add(self, outcomes: Iterable[Outcome], warnings: Iterable[str]) -> None:
        """Write the report with the outcome of one more build, and all its warnings.

        Raises:
            OptionError: the file cannot be written.
        """
        self._outcomes += outcomes
        self._warnings += warnings
        text = json.dumps(_as_json(self._outcomes, self._warnings), ensure_ascii=False, indent=2) + "\n"
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            atomic_write(self._path, text.encode(errors="backslashreplace"))
        except OSError as error:
            raise _unusable(self._path, error) from error


def _as_json(outcomes: Iterable[Outcome], warnings: Iterable[str]) -> dict[str, Any]:
    """Return a report as JSON values; `warnings` are all of the builds.

    An image that is declared twice is two rows with one key, and was generated for the first of them. A page that
    several builds of one site have, because it is not translated, is in it once: with the outcome of the first build.
    """
    rows: list[dict[str, Any]] = []
    in_rows: set[str] = set()
    keys: set[str] = set()
    seen: set[tuple[str, str, bool, str]] = set()
    for outcome in outcomes:
        entry, key = outcome.entry, outcome.entry.request.key
        identity = (entry.page, entry.name, entry.dark, key)
        if identity in seen:
            continue
        seen.add(identity)
        stats = JobStats() if key in keys else outcome.stats
        keys.add(key)
        in_rows.update(outcome.warnings)
        rows.append(
            {
                "page": entry.page,
                "name": entry.name,
                "dark": entry.dark,
                "model": entry.request.model,
                "references": list(entry.references),
                "key": key,
                "state": "refused" if entry.state == "refused" else entry.image.state,
                "reason": str(entry.image.reason) if entry.image.reason else None,
                "seconds": None if stats.seconds is None else round(stats.seconds, 3),
                "bytes": entry.stored.size if entry.stored else None,
                "requests": stats.requests,
                "warnings": sorted(outcome.warnings),
            }
        )
    return {"schema": SCHEMA, "images": rows, "warnings": sorted(set(warnings) - in_rows)}


def _unusable(path: Path, error: OSError) -> OptionError:
    return OptionError("report", f"{path} cannot be written ({reason_of(error)}). Name another file")
