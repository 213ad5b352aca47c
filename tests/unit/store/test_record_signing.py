"""Signatures of records: right for the record and the secret that they were made of, and for no others."""

from __future__ import annotations

import pytest

from mkdocs_qhaigc.store.record_signing import FIELD, is_signed, sign

RECORD = {"key": "ab" * 32, "sha256": "cd" * 32, "width": 96, "revised_prompt": "a caf\u00e9 \ud83d"}


def test_a_signed_record_is_signed_by_that_secret_alone() -> None:
    signed = sign(RECORD, b"secret")
    assert {name: value for name, value in signed.items() if name != FIELD} == RECORD
    assert is_signed(signed, b"secret")
    assert not is_signed(signed, b"another")
    assert sign(signed, b"secret") == signed


@pytest.mark.parametrize("change", [{"key": "ef" * 32}, {"sha256": "ef" * 32}, {"width": 97}, {"more": 1}])
def test_a_change_breaks_the_signature(change: dict[str, object]) -> None:
    assert not is_signed({**sign(RECORD, b"secret"), **change}, b"secret")


@pytest.mark.parametrize("signature", [None, 7, "", "hmac-sha256:", "é", ["hmac-sha256:"]])
def test_anything_else_is_no_signature(signature: object) -> None:
    assert not is_signed(RECORD, b"secret")
    assert not is_signed({**RECORD, FIELD: signature}, b"secret")
