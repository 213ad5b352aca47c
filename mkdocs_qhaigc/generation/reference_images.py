"""The reference images of a request, as they are sent: read, checked, and encoded where something has to change."""

from __future__ import annotations

import contextlib
import hashlib
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from mkdocs_qhaigc._util.files import atomic_write, reason_of
from mkdocs_qhaigc.config.choose_reference_transport import reference_transport
from mkdocs_qhaigc.config.options import Options
from mkdocs_qhaigc.directives.request import ImageRequest, Reference
from mkdocs_qhaigc.errors import ImageDamaged, ImageError, QhaigcError
from mkdocs_qhaigc.generation.refusals import Refusals
from mkdocs_qhaigc.imaging.formats import EXTENSIONS, format_of
from mkdocs_qhaigc.store.image_store import open_cache, open_pins

if TYPE_CHECKING:
    from mkdocs_qhaigc.api.request_body import SentImage
    from mkdocs_qhaigc.store.record import StoredImage

_DIGITS = 32
"""Hex digits of a digest in the names of the cache's files."""


class ReferenceImages:
    """The reference images of one site's requests. Safe to use from several threads."""

    def __init__(self, options: Options) -> None:
        self._options = options
        self._stores = (open_pins(options, quiet=True), open_cache(options))

    def stored(self, request: ImageRequest, *, where: str) -> StoredImage | None:
        """Return the stored image of a request, pinned or cached, as it is now; `None` if there is none.

        Raises:
            StoreError: it may exist and cannot be read.
        """
        for store in self._stores:
            if image := store.find(request.key, fresh=True, where=where):
                return image
        for store in self._stores:
            if reason := store.explain_absence(request.key):
                raise reason
        return None

    def to_send(self, request: ImageRequest) -> list[SentImage]:
        """Return the reference images of a request, in their order.

        Raises:
            ImageError: one is missing, has changed, or cannot be decoded.
            StoreError: one cannot be read.
        """
        return [self._prepared(one) for one in request.references]

    def _prepared(self, reference: Reference) -> SentImage:
        from mkdocs_qhaigc.api.request_body import SentImage

        data = self._bytes_of_image(reference) if reference.request else _bytes_of_file(reference)
        digest = hashlib.sha256(data).hexdigest()
        if known := self._encoded_before(digest):
            return SentImage(*known)
        from mkdocs_qhaigc.imaging.reference_image import prepare  # most builds send nothing

        try:
            sent, format_ = prepare(data)
        except ImageError as error:
            raise _unusable(reference, error) from error
        if sent != data:
            own = hashlib.sha256(sent).hexdigest()
            path = self._folder / f"{digest[:_DIGITS]}-{own[:_DIGITS]}.{EXTENSIONS[format_]}"
            with contextlib.suppress(OSError):  # then it is encoded each time
                self._folder.mkdir(parents=True, exist_ok=True)
                atomic_write(path, sent)
        return SentImage(sent, format_)

    @property
    def _folder(self) -> Path:
        return self._options.cache.references

    def _encoded_before(self, digest: str) -> tuple[bytes, str] | None:
        """Return bytes and format of an image as it was sent before: another Pillow might encode it otherwise."""
        for path in sorted(self._folder.glob(f"{digest[:_DIGITS]}-*.*")):
            with contextlib.suppress(OSError):
                data = path.read_bytes()
                format_ = format_of(data)
                if format_ and path.stem.endswith(f"-{hashlib.sha256(data).hexdigest()[:_DIGITS]}"):
                    return data, format_
        return None

    def _bytes_of_image(self, reference: Reference) -> bytes:
        assert reference.request
        damage: ImageDamaged | None = None
        for store in self._stores:
            for image in store.find_all(reference.request.key, fresh=True, where=reference.where):
                try:
                    return image.read()
                except ImageDamaged as error:
                    damage = error
        if damage:
            remedy = "Restore it, or run `mkdocs-qhaigc generate`, which buys another"
            raise _unusable(reference, ImageError(f"{damage}. {remedy}")) from damage
        self.stored(reference.request, where=reference.where)  # it may exist, and raises why it cannot be read
        raise ImageError(f"its reference image {reference.where} is missing. Generate that one first")


def _bytes_of_file(reference: Reference) -> bytes:
    """Return the bytes of a file.

    Raises:
        ImageError: they are gone, or not those by which the request was made.
    """
    where = f"its reference image {reference.where}"
    try:
        data = Path(reference.path).read_bytes()
    except OSError as error:
        raise ImageError(f"{where} cannot be read ({reason_of(error)}). Put it back") from error
    if f"sha256:{hashlib.sha256(data).hexdigest()}" == reference.identity:
        return data
    if data.startswith(b"version https://git-lfs"):
        raise ImageError(f"{where} is a pointer of Git LFS. Run `git lfs pull`")
    raise ImageError(f"{where} has changed since the build began. Build again")


def hindrances(requests: Iterable[ImageRequest], options: Options) -> dict[str, str]:
    """Return why images cannot be bought with their reference images, by key: as far as it is known without a call.

    Reference images that are to be generated first are no hindrance, unless the service has refused them before.
    """
    requests = list(requests)
    asked_for = {request.key for request in requests}
    stores = ReferenceImages(options)
    refusals = Refusals(options)

    @cache  # many images have the same ones
    def fault(reference: Reference) -> str | None:
        try:
            if reference.request:
                stored = stores.stored(reference.request, where=reference.where)
                if stored is None and reference.request.key not in asked_for:
                    refused = refusals.find(reference.request.key)
                    return f"its reference image {reference.where} could not be had ({refused})" if refused else None
            else:
                _require_image(reference)
        except QhaigcError as error:
            return str(error)
        return None

    found: dict[str, str] = {}
    for request in requests:
        try:
            if request.references:
                reference_transport(request, options)
        except QhaigcError as error:
            found[request.key] = str(error)
            continue
        if faults := list(filter(None, map(fault, request.references))):
            found[request.key] = faults[0]
    return found


def _require_image(reference: Reference) -> None:
    """Require that a file can be sent.

    Raises:
        ImageError: it cannot.
    """
    from mkdocs_qhaigc.imaging.inspect_image import inspect  # only an image that is missing needs it

    data = _bytes_of_file(reference)
    try:
        inspect(data)
    except ImageError as error:
        raise _unusable(reference, error) from error


def _unusable(reference: Reference, error: ImageError) -> ImageError:
    return ImageError(f"its reference image {reference.where} cannot be used: {error}")
