"""What a build did for each picture, for machines: the file that the option `report` names.

Nothing in it tells the time: where nothing is bought, the same site gives the same bytes.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mkdocs_qhaigc.errors import OptionError
from mkdocs_qhaigc.files import write_whole
from mkdocs_qhaigc.orders import Effort
from mkdocs_qhaigc.survey import Declared

SCHEMA = 1
"""Raised when a field changes its meaning or goes."""


@dataclass(frozen=True, slots=True)
class Reported:
    """A declared picture, and what a build did for it."""

    declared: Declared
    effort: Effort
    warnings: Sequence[str]


def as_report(reported: Iterable[Reported], *, warnings: Iterable[str]) -> dict[str, Any]:
    """Return the report as JSON values; `warnings` are all that the build told.

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
        effort = Effort() if key in keys else one.effort
        keys.add(key)
        told.update(one.warnings)
        rows.append(
            {
                "page": declared.page,
                "name": declared.name,
                "dark": declared.dark,
                "model": declared.request.model,
                "key": key,
                "state": declared.picture.state,
                "seconds": None if effort.seconds is None else round(effort.seconds, 3),
                "bytes": declared.original.size if declared.original else None,
                "requests": effort.requests,
                "warnings": list(one.warnings),
            }
        )
    others = [warning for warning in dict.fromkeys(warnings) if warning not in told]
    return {"schema": SCHEMA, "pictures": rows, "warnings": others}


def write_report(path: Path, report: dict[str, Any]) -> None:
    """Write a report.

    Raises:
        OptionError: the file cannot be written.
    """
    text = json.dumps(report, ensure_ascii=False, indent=2) + "\n"
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_whole(path, text.encode(errors="backslashreplace"))
    except OSError as error:
        raise _unusable(path, error) from error


def forget_report(path: Path) -> None:
    """Remove what an earlier build wrote: after one that fails, no report is better than a wrong one.

    Raises:
        OptionError: the file cannot be removed.
    """
    try:
        path.unlink(missing_ok=True)
    except OSError as error:
        raise _unusable(path, error) from error


def _unusable(path: Path, error: OSError) -> OptionError:
    return OptionError("report", f"{path} cannot be written ({error.strerror or error}). Name another file")
