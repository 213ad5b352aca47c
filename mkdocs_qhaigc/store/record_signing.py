"""Signatures of records in a shared store: an HMAC by which a team knows that one of its own machines wrote them."""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Mapping
from typing import Any

FIELD = "signature"
"""The record's field."""
SECRET_VARIABLE = "QHAIGC_SHARED_SECRET"  # noqa: S105 - the name of the environment variable that has it
_METHOD = "hmac-sha256:"


def sign(record: Mapping[str, Any], secret: bytes) -> dict[str, Any]:
    """Return a record with its signature: over its key and digest, and over all its other fields."""
    return {**record, FIELD: _METHOD + _digest(record, secret)}


def is_signed(record: Mapping[str, Any], secret: bytes) -> bool:
    """Whether a record has the signature that this secret gives it."""
    signature = record.get(FIELD)
    return isinstance(signature, str) and hmac.compare_digest(
        signature.encode(errors="replace"), (_METHOD + _digest(record, secret)).encode()
    )


def _digest(record: Mapping[str, Any], secret: bytes) -> str:
    """Return the HMAC, in hex, of the record as JSON in ASCII, with sorted names and no blanks."""
    signed = {name: value for name, value in record.items() if name != FIELD}
    text = json.dumps(signed, sort_keys=True, separators=(",", ":"))
    return hmac.new(secret, text.encode("ascii"), hashlib.sha256).hexdigest()
