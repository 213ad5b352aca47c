"""Which connections are used: direct ones, or a proxy's, as the environment says."""

from __future__ import annotations

import httpx
import pytest

from mkdocs_qhaigc.api.environment import NO_PROXIES, read_proxies
from mkdocs_qhaigc.api.transport import open_client
from tests.helpers.api import ImagesApi


def proxies(monkeypatch: pytest.MonkeyPatch, **variables: str) -> None:
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
        if name in variables:
            monkeypatch.setenv(name, variables[name])


def answers(url: str, *, use_proxies: bool) -> bool:
    with open_client(None, proxies=read_proxies() if use_proxies else NO_PROXIES) as client:
        try:
            client.get(url, timeout=5)
        except httpx.ConnectError:
            return False
        return True


@pytest.mark.parametrize(
    ("variables", "use_proxies", "direct"),
    [
        ({}, True, True),
        ({"http_proxy": "http://127.0.0.1:1"}, True, False),
        ({"http_proxy": "127.0.0.1:1"}, True, False),
        ({"all_proxy": "http://127.0.0.1:1"}, True, False),
        ({"https_proxy": "http://127.0.0.1:1"}, True, True),
        ({"http_proxy": "http://127.0.0.1:1", "no_proxy": "127.0.0.1"}, True, True),
        ({"all_proxy": "http://127.0.0.1:1", "no_proxy": "*"}, True, True),
        ({"http_proxy": "http://127.0.0.1:1", "no_proxy": "example.org"}, True, False),
        ({"http_proxy": "http://127.0.0.1:1"}, False, True),
    ],
)
def test_proxies_of_the_environment_are_used_but_for_hosts_without(
    monkeypatch: pytest.MonkeyPatch, variables: dict[str, str], use_proxies: bool, direct: bool
) -> None:
    proxies(monkeypatch, **variables)
    with ImagesApi() as api:
        assert answers(api.base_url, use_proxies=use_proxies) is direct
