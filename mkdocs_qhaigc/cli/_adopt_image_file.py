"""`mkdocs-qhaigc pin --adopt`: an image made elsewhere becomes the pin of a directive. Its record names no model."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from mkdocs_qhaigc.config.options import SANDBOX, Options
from mkdocs_qhaigc.errors import ImageError, StoreError
from mkdocs_qhaigc.site.image_pipeline import SANDBOX_SYSTEM
from mkdocs_qhaigc.site.reconcile_pins import take_away
from mkdocs_qhaigc.site.survey import SurveyEntry
from mkdocs_qhaigc.store.image_store import open_pins
from mkdocs_qhaigc.store.move_between_pins_and_cache import archive_orphan
from mkdocs_qhaigc.store.record import ADOPTED, StoredImage, read_record


def adopt(file: Path, one: SurveyEntry, options: Options) -> tuple[StoredImage, list[Path]]:
    """Make a file the pin of an image; return the pin, and the paths in the cache of the pins that it replaces.

    If the file is a stored image beside its record, the new record says the same about its origin.

    Raises:
        ImageError: it is not an image.
        StoreError: it cannot be read, or the pins cannot be written.
    """
    from mkdocs_qhaigc.imaging.inspect_image import inspect  # only this needs Pillow
    from mkdocs_qhaigc.imaging.provenance import origin  # as above

    try:
        data = file.read_bytes()
    except OSError as error:
        raise StoreError(f"{file} cannot be read ({error.strerror or error})") from error
    try:
        info = inspect(data)
    except ImageError as error:
        raise ImageError(f"{file} cannot be adopted: {error}") from error
    about = _origin(file, one)
    if about["api"] == ADOPTED and origin(data).system == SANDBOX_SYSTEM:  # a drawing of the sandbox, as published
        about = {**about, "api": SANDBOX}
    key = one.request.key
    pins = open_pins(options, quiet=True)
    there = pins.contents()
    same = next((pin for pin in there.of(key) if pin.read_if_whole() == data), None)
    if same:
        return same, []
    replaced: list[Path] = []
    for pin in reversed(there.of(key)):  # the one in use last, so that the cache finds it first
        replaced.append(take_away(pin, options))
    for path in there.remnants_of(key):
        replaced.append(archive_orphan(path, options))
    pin = pins.save(
        name=one.image.job.name,
        key=key,
        data=data,
        format=info.format,
        width=info.width,
        height=info.height,
        colour=info.colour,
        about=about,
    )
    return pin, replaced


def _origin(file: Path, one: SurveyEntry) -> Mapping[str, Any]:
    """Return the fields of the new record about who made a file, and when it was adopted."""
    now = datetime.now(timezone.utc).isoformat(timespec="seconds")
    adopted = {"file": file.name, "when": now}
    record = file.with_suffix(".json")
    try:
        original = read_record(record)
        if original.path == file:
            original.read()
            kept = {field: original.record.get(field) for field in ("created", "api", "request", "revised_prompt")}
            return {**kept, "adopted": adopted}
    except (OSError, ValueError, StoreError):
        pass  # an image without a record of ours
    return {
        "created": now,
        "api": ADOPTED,
        "request": one.request.as_record(),
        "revised_prompt": None,
        "adopted": adopted,
    }
