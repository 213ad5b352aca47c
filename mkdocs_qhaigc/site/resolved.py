"""What is known of a wanted image: where it is or why there is none, what is encoded of it, what its files say."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, NamedTuple
from urllib.parse import urlsplit

from mkdocs_qhaigc.config.options import SANDBOX
from mkdocs_qhaigc.errors import QhaigcError
from mkdocs_qhaigc.generation.job import ImageJob, failure_of
from mkdocs_qhaigc.imaging.renditions import Encoding, SourceImage
from mkdocs_qhaigc.store.record import ADOPTED, StoredImage

if TYPE_CHECKING:
    from concurrent.futures import Future

    from mkdocs_qhaigc.imaging.metadata import Provenance

LARGEST_PLACEHOLDER = 2560
"""Pixels of the longer side; what is wider stands in the page's width anyway."""
SANDBOX_SYSTEM = "mkdocs-qhaigc sandbox"
"""What stands in a published file for the system that made it."""
PLACEHOLDER_SCHEMA = 2
"""Raised when the drawing of placeholders changes on purpose."""

State = Literal["pinned", "cached", "generated", "under way", "placeholder"]


class ResolvedImage(NamedTuple):
    """What is known of a wanted image."""

    order: ImageJob
    state: State
    source: SourceImage
    original: StoredImage | None = None
    reason: QhaigcError | None = None
    """Why a placeholder stands there; None where nothing was tried, or it is still under way."""
    colour: str | None = None
    """What stands in its place while a page loads; something of the kind until it is known."""


def asked_for(order: ImageJob) -> ResolvedImage:
    """Return an image that is not there yet, on the guess that it comes, and in the size that was asked for."""
    request = order.request
    source = SourceImage(f"asked:{request.key}", request.width, request.height)
    return ResolvedImage(order, "under way", source, colour="transparent")


def placeholder(order: ImageJob, reason: QhaigcError | None = None) -> ResolvedImage:
    """Return the image that stands where there is none."""
    width, height = order.request.width, order.request.height
    scale = min(1.0, LARGEST_PLACEHOLDER / max(width, height))
    source = SourceImage(
        f"placeholder:{PLACEHOLDER_SCHEMA}:{order.request.key}",
        max(1, round(width * scale)),
        max(1, round(height * scale)),
        placeholder=True,
    )
    return ResolvedImage(order, "placeholder", source, reason=reason)


def there(order: ImageJob, state: State, original: StoredImage) -> ResolvedImage:
    """Return an image that is saved."""
    return ResolvedImage(order, state, source_of(original), original, colour=original.colour)


def bought(order: ImageJob, future: Future[StoredImage]) -> ResolvedImage:
    """Return what became of an order, whose future is done."""
    reason = failure_of(future)
    if reason:
        return placeholder(order, reason)
    return there(order, "generated", future.result())


def source_of(original: StoredImage) -> SourceImage:
    """Return what is encoded of an original."""
    return SourceImage(f"{original.sha256}:{original.key}", original.width, original.height)


def draw_placeholder(wanted: ResolvedImage) -> bytes:
    """Return the bytes of an image that stands where there is none."""
    from mkdocs_qhaigc.imaging import placeholder as drawing  # a warm build needs no Pillow

    source = wanted.source
    return drawing.draw_placeholder(wanted.order.request.prompt, width=source.width, height=source.height)


def provenance_of(original: StoredImage, encoding: Encoding) -> Provenance | None:
    """Return what a published file says of how its image came to be; None where the site wants no such words."""
    if not encoding.marked:
        return None
    from mkdocs_qhaigc.imaging.metadata import ALGORITHMIC, TRAINED, Provenance  # a warm build encodes nothing

    record = original.record
    request, api = record.get("request"), record.get("api")
    if api == ADOPTED:
        return Provenance()
    request = request if isinstance(request, dict) else {}
    prompt = request.get("prompt") if encoding.with_prompt else None
    if api == SANDBOX:
        return Provenance(ALGORITHMIC, SANDBOX_SYSTEM, prompt)
    host = urlsplit(api).hostname if isinstance(api, str) else None
    system = " at ".join(str(part) for part in (request.get("model"), host) if part)
    return Provenance(TRAINED, system or "unknown", prompt)
