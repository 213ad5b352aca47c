"""Requests that a service has refused for their content: kept, so that nobody pays to be refused again.

One file a key in `cache_dir/refusals`:

    {"schema": 1, "key": …, "api": …, "reason": …, "refused": "2026-11-29", "where": "start.md#hero", "request": …}

Another request has another key; another service may not refuse it, so a refusal counts for its own alone.
"""

from __future__ import annotations

import contextlib
import json
from datetime import datetime, timezone
from pathlib import Path

from mkdocs_qhaigc._util.files import atomic_write
from mkdocs_qhaigc.config.options import SANDBOX, Options
from mkdocs_qhaigc.errors import PromptRejected
from mkdocs_qhaigc.generation.job import ImageJob

_SCHEMA = 1
_LARGEST = 1 << 20
"""Bytes."""


class Refusals:
    """The refusals of the service of one site."""

    def __init__(self, options: Options) -> None:
        self._folder = options.cache.refusals
        self._api = SANDBOX if options.sandboxed else options.base_url

    def find(self, key: str) -> PromptRejected | None:
        """Return the error for a request that was refused; `None` if it was not."""
        try:
            path = self._path(key)
            kept = json.loads(path.read_bytes()) if path.stat().st_size <= _LARGEST else None
        except (OSError, ValueError, RecursionError):
            return None
        if not isinstance(kept, dict) or kept.get("key") != key or kept.get("api") != self._api:
            return None
        reason = " ".join(str(kept.get("reason")).split())
        return PromptRejected(
            f"the API has refused this prompt ({reason}), on {kept.get('refused')!s:.10}. It is not asked for again "
            "until the request changes; `mkdocs-qhaigc generate --retry-refused` asks again",
            reason,
        )

    def note(self, job: ImageJob, error: PromptRejected) -> None:
        """Keep the refusal of a job's request. For the owner of the key."""
        kept = {
            "schema": _SCHEMA,
            "key": job.request.key,
            "api": self._api,
            "reason": error.reason,
            "refused": datetime.now(timezone.utc).date().isoformat(),
            "where": job.where,
            "request": job.request.as_record(),
        }
        with contextlib.suppress(OSError):  # then the next build asks again, as it must without a cache
            self._folder.mkdir(parents=True, exist_ok=True)
            text = json.dumps(kept, ensure_ascii=False, indent=2) + "\n"
            atomic_write(self._path(job.request.key), text.encode(errors="backslashreplace"))

    def forget(self, key: str) -> None:
        """Allow the request of a key to be asked again."""
        with contextlib.suppress(OSError):
            self._path(key).unlink(missing_ok=True)

    def _path(self, key: str) -> Path:
        return self._folder / f"{key}.json"


def unused_refusals(folder: Path, used: set[str], *, before: float) -> list[Path]:
    """Return the files in a folder of refusals whose keys are not among the used ones.

    `before`: the moment, in seconds since 1970, before which they must have been written.
    """
    found = []
    for path in sorted(folder.glob("*.json")):
        with contextlib.suppress(OSError):
            if path.stem not in used and path.stat().st_mtime <= before:
                found.append(path)
    return found
