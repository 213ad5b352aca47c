"""To which addresses the key may be sent."""

from __future__ import annotations

import pytest

from mkdocs_qhaigc.generation.connection import is_readable_on_its_way


@pytest.mark.parametrize(
    "url",
    [
        "https://api.example/v1",
        "sandbox",
        "http://localhost:8080/v1",
        "http://api.localhost/v1",
        "http://127.0.0.1/v1",
        "http://127.8.0.1:1/v1",
        "http://[::1]:8080/v1",
    ],
)
def test_what_is_encrypted_or_stays_on_this_machine_cannot_be_read_on_its_way(url: str) -> None:
    assert not is_readable_on_its_way(url)


@pytest.mark.parametrize(
    "url",
    [
        "http://api.example/v1",
        "http://192.168.0.2:8080/v1",
        "http://localhost.example/v1",
        "http://0.0.0.0/v1",
        "http://[2001:db8::1]/v1",
    ],
)
def test_what_leaves_this_machine_without_encryption_can(url: str) -> None:
    assert is_readable_on_its_way(url)
