"""Warnings about replies that show that a service has not done what was asked: the image is kept, and used."""

from __future__ import annotations

import logging
import re
from collections.abc import Mapping

from mkdocs_qhaigc.api.response import ECHOED_FIELDS
from mkdocs_qhaigc.directives.request import ImageRequest
from mkdocs_qhaigc.generation.job import ImageJob
from mkdocs_qhaigc.store.image_store import ImageStore
from mkdocs_qhaigc.store.record import StoredImage

log = logging.getLogger(__name__)
_SIZE = re.compile(r"\d+x\d+")
_SAME = {"hd": "high", "jpg": "jpeg"}
"""Words that services use for one thing."""


def warn_of_dropped_fields(job: ImageJob, echo: Mapping[str, str]) -> None:
    """Warn of fields of a request that the service says it has not followed."""
    for name, asked, used in dropped_fields(job.request, echo):
        log.warning(
            "%s: `%s` is %s in the request, and the service says that it has used %s. The image is kept. Look up what "
            "the model takes: a field that is dropped changes nothing but the image's key",
            job.where,
            name,
            asked,
            used,
        )


def dropped_fields(request: ImageRequest, echo: Mapping[str, str]) -> list[tuple[str, str, str]]:
    """Return (field, what was asked for, what the service says) of each field that the service has not followed."""
    found = []
    for name in ECHOED_FIELDS:
        asked, used = request.size if name == "size" else request.params.get(name), echo.get(name)
        if used is None or asked is None or isinstance(asked, (bool, Mapping, list)):
            continue
        if name == "size" and not (_SIZE.fullmatch(str(asked)) and _SIZE.fullmatch(used.lower())):
            continue
        if str(asked).lower() != "auto" and _plain(asked) != _plain(used):
            found.append((name, str(asked), used))
    return found


def warn_of_equal_image(job: ImageJob, image: StoredImage, store: ImageStore) -> None:
    """Warn of an image that is byte for byte the one of another request."""
    if other := store.find_equal(image):
        log.warning(
            "%s: the image is byte for byte that of another request (%s). The service seems to drop what differs, or "
            "its `seed` never changes. Look up what the model takes",
            job.where,
            other.path.name,
        )


def _plain(value: object) -> str:
    text = str(value).lower()
    return _SAME.get(text, text)
