"""Bodies in a content coding (gzip, deflate, br, zstd), although none is requested: some gateways send nothing else."""

from __future__ import annotations

import importlib.util
import io
from collections.abc import Iterator

import httpx

from mkdocs_qhaigc.api.response import is_whole, unpacked
from mkdocs_qhaigc.errors import AnswerUnreadable
from mkdocs_qhaigc.imaging.formats import format_of

_PACKAGES = {"br": ("brotli", "brotlicffi"), "zstd": ("zstandard",)}
"""With one of them httpx decodes a coding. It decodes gzip and deflate by itself."""
_PIECE = 256
"""Bytes decoded at once: few, for each may become a thousand times as many."""


def codings_in(header: str) -> tuple[str, ...]:
    """Return the content codings of a header, in lower case and without `identity`."""
    names = (name.strip().lower().removeprefix("x-") for name in header.split(","))
    return tuple(name for name in names if name not in ("", "identity"))


def decoded(body: bytes, codings: tuple[str, ...], most: int) -> bytes:
    """Return a body without its content codings; unchanged if it cannot be decoded, or to no more than `most` bytes.

    Servers also name codings that a body does not have, and have some that they do not name.
    """
    if not codings or format_of(body) or is_whole(body):
        return unpacked(body, most)
    response = httpx.Response(200, headers={"Content-Encoding": ", ".join(codings)}, stream=_InPieces(body))
    content = io.BytesIO()
    try:
        for chunk in response.iter_bytes():
            if content.tell() + len(chunk) > most:
                return body
            content.write(chunk)
    except httpx.DecodingError:
        return unpacked(body, most)
    return unpacked(content.getvalue(), most)


def require_decoded(content: bytes, codings: tuple[str, ...]) -> None:
    """Check that an answer is readable, as far as it depends on what is installed here.

    Raises:
        AnswerUnreadable: it is not.
    """
    package = missing_package(codings)
    if package and not format_of(content) and not is_whole(content):
        raise AnswerUnreadable(
            f"the API's answer came in the coding {', '.join(codings)}, although none was requested. Install {package} "
            f"(`pip install {package}`): the next build reads the answer, which is kept, and buys nothing for it"
        )


def missing_package(codings: tuple[str, ...]) -> str | None:
    """Return the package that is needed to decode a body, and not installed; `None` if there is no such package."""
    for coding in codings:
        packages = _PACKAGES.get(coding, ())
        if packages and not any(map(importlib.util.find_spec, packages)):
            return packages[0]
    return None


class _InPieces(httpx.SyncByteStream):
    def __init__(self, body: bytes) -> None:
        self._body = memoryview(body)

    def __iter__(self) -> Iterator[bytes]:
        for start in range(0, len(self._body), _PIECE):
            yield bytes(self._body[start : start + _PIECE])
