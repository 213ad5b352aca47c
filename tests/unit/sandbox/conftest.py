"""A sandbox server, and a client of it."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest

from mkdocs_qhaigc.sandbox import Sandbox


@pytest.fixture(scope="module")
def server() -> Iterator[Sandbox]:
    with Sandbox() as running:
        yield running


@pytest.fixture(scope="module")
def client(server: Sandbox) -> Iterator[httpx.Client]:
    headers = {"Authorization": "Bearer any-key"}
    with httpx.Client(base_url=server.base_url, headers=headers, trust_env=False, timeout=20) as opened:
        yield opened
