"""Bodies in codings that nobody asked for: read where a library here can, else as they are."""

from __future__ import annotations

import gzip
import sys
import zlib

import brotli
import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st

from mkdocs_qhaigc.api.content_coding import codings_in, decoded, missing_package, require_decoded
from mkdocs_qhaigc.errors import AnswerUnreadable
from tests.helpers.api import draw

JSON = b'{"data": [{"url": "https://example.com/a.png"}]}'
IMAGE = draw("x", 96, 54)
MOST = 1 << 20


def raw_deflate(data: bytes) -> bytes:
    packer = zlib.compressobj(wbits=-15)
    return packer.compress(data) + packer.flush()


CODED = {
    "gzip": gzip.compress,
    "deflate": zlib.compress,
    "br": brotli.compress,
    "zstd": zstandard.compress,
}


@pytest.mark.parametrize("content", [JSON, IMAGE, b""], ids=["json", "image", "nothing"])
@pytest.mark.parametrize("coding", CODED)
def test_codings_are_decoded(coding: str, content: bytes) -> None:
    assert decoded(CODED[coding](content), (coding,), MOST) == content


def test_so_are_several_and_the_other_form_of_deflate() -> None:
    assert decoded(raw_deflate(JSON), ("deflate",), MOST) == JSON
    assert decoded(brotli.compress(gzip.compress(JSON)), ("gzip", "br"), MOST) == JSON
    assert decoded(gzip.compress(JSON), (), MOST) == JSON  # no header names it


@pytest.mark.parametrize("content", [JSON, IMAGE, b"data: " + JSON + b"\n\n"], ids=["json", "image", "event"])
@pytest.mark.parametrize("coding", [*CODED, "aws-chunked", "br, gzip", "utf-8"])
def test_what_a_header_names_and_a_body_does_not_have_is_no_obstacle(coding: str, content: bytes) -> None:
    codings = codings_in(coding)
    assert decoded(content, codings, MOST) == content
    require_decoded(content, codings)


@pytest.mark.parametrize("coding", CODED)
def test_a_bomb_is_not_unpacked(coding: str) -> None:
    bomb = CODED[coding](bytes(8 * MOST))
    assert decoded(bomb, (coding,), MOST) == bomb


@given(st.binary(max_size=300), st.sampled_from([*CODED, "compress", ""]))
def test_any_bytes_are_no_exception(body: bytes, coding: str) -> None:
    assert isinstance(decoded(body, codings_in(coding), MOST), bytes)


@given(st.data(), st.sampled_from(list(CODED)))
def test_damaged_bytes_are_no_exception_and_no_larger_than_allowed(data: st.DataObject, coding: str) -> None:
    body = bytearray(CODED[coding](JSON))
    for _ in range(data.draw(st.integers(1, 3))):
        body[data.draw(st.integers(0, len(body) - 1))] = data.draw(st.integers(0, 255))
    given = bytes(body[: data.draw(st.integers(0, len(body)))])
    found = decoded(given, (coding,), MOST)
    assert found == given or len(found) <= MOST


@pytest.mark.parametrize(
    ("header", "codings"),
    [("", ()), ("identity", ()), ("BR", ("br",)), ("x-gzip", ("gzip",)), ("gzip, identity ,br,", ("gzip", "br"))],
)
def test_names_of_codings(header: str, codings: tuple[str, ...]) -> None:
    assert codings_in(header) == codings


def test_an_answer_in_a_coding_names_the_package_that_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    assert missing_package(("br", "zstd")) is None
    monkeypatch.setitem(sys.modules, "zstandard", None)
    assert missing_package(("br", "zstd")) == "zstandard"
    with pytest.raises(AnswerUnreadable, match=r"came in the coding br, zstd.*pip install zstandard"):
        require_decoded(b"(\xb5/\xfd", ("br", "zstd"))
