"""Proxies, hosts without one, and certificates, as the environment names them; and what it says that cannot be used."""

from __future__ import annotations

import os
import ssl
import sys
from collections.abc import Iterator
from pathlib import Path

import certifi
import httpx
import pytest
import trustme

from mkdocs_qhaigc._util.log_routing import forwarding
from mkdocs_qhaigc.api.proxies_and_certificates import create_tls_context, read_proxies

PROXY = "http://user:hush@127.0.0.1:1"
LEFT_OUT = "the environment variable {} is left out: "
NO_PEM = "the file cannot be read as certificates in PEM"


@pytest.fixture
def variables(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """The environment, without anything that is read here."""
    for name in list(os.environ):
        if name.lower().endswith("_proxy") or name.startswith("SSL"):
            monkeypatch.delenv(name)
    return monkeypatch


@pytest.fixture
def warnings() -> Iterator[list[str]]:
    """What a user sees."""
    said: list[str] = []
    with forwarding(said.append):
        yield said
    assert "hush" not in "".join(said)  # nor any other part of a proxy's address


@pytest.mark.parametrize(
    ("no_proxy", "url", "proxied"),
    [
        ("", "https://api.example.org/v1", True),
        ("example.org", "https://api.example.org/v1", False),
        ("EXAMPLE.org", "https://example.ORG/v1", False),
        (".example.org", "https://api.example.org/v1", False),
        ("*.example.org", "https://api.example.org/v1", False),
        ("example.org", "https://anexample.org/v1", True),
        ("localhost example.org", "https://example.org/v1", False),
        ("a, ,b,,example.org,", "https://example.org/v1", False),
        ("a;10.0.0.0/8; example.org", "https://example.org/v1", False),
        ("a,*", "https://example.org/v1", False),
        ("example.org:443", "https://example.org/v1", False),
        ("example.org:8443", "https://example.org/v1", True),
        ("example.org:8443", "https://example.org:8443/v1", False),
        ("127.0.0.1", "http://127.0.0.1:8080/v1", False),
        ("127.0.0.1:8080", "http://127.0.0.1:8080/v1", False),
        ("127.0.0.1:8080", "http://127.0.0.1/v1", True),
        ("10.0.0.0/8", "http://10.20.30.40/v1", False),
        ("10.0.0.1/8", "http://10.20.30.40/v1", False),
        ("10.0.0.0/8", "http://11.0.0.1/v1", True),
        ("10.0.0.0/8", "http://[::1]/v1", True),
        ("::1", "http://[::1]/v1", False),
        ("0:0:0:0:0:0:0:1", "http://[::1]/v1", False),
        ("[::1]", "http://[::1]:8080/v1", False),
        ("[::1]:8080", "http://[::1]:8080/v1", False),
        ("[::1]:8080", "http://[::1]/v1", True),
        ("fe80::/10", "http://[fe80::1]/v1", False),
        ("bücher.example", "https://bücher.example/v1", False),
    ],
)
def test_hosts_of_no_proxy_are_reached_without_one(
    variables: pytest.MonkeyPatch, warnings: list[str], no_proxy: str, url: str, proxied: bool
) -> None:
    variables.setenv("ALL_PROXY", PROXY)
    variables.setenv("NO_PROXY", no_proxy)
    assert read_proxies().is_used_for(httpx.URL(url)) is proxied
    assert warnings == []


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "[::1]"])
@pytest.mark.parametrize(("proxy", "used"), [("proxy.example.org:3128", False), ("127.0.0.1:3128", True)])
def test_what_is_for_this_machine_is_not_sent_to_a_proxy_on_another(
    variables: pytest.MonkeyPatch, host: str, proxy: str, used: bool
) -> None:
    variables.setenv("HTTP_PROXY", f"http://{proxy}")
    assert read_proxies().is_used_for(httpx.URL(f"http://{host}:8080/v1")) is used


def test_a_password_in_no_proxy_is_not_shown(variables: pytest.MonkeyPatch, warnings: list[str]) -> None:
    variables.setenv("HTTPS_PROXY", PROXY)
    variables.setenv("NO_PROXY", "http://user:hush@example.org")
    read_proxies()
    (warning,) = warnings
    assert "example.org: not a host name" in warning


@pytest.mark.parametrize(
    "entry", ["10.0.0.0/99", "[::1", "::1]", "[::1]:http", "http://example.org", "a@b", "1:2:3", "/"]
)
def test_what_cannot_be_read_of_no_proxy_is_left_out_and_the_rest_is_used(
    variables: pytest.MonkeyPatch, warnings: list[str], entry: str
) -> None:
    variables.setenv("HTTPS_PROXY", PROXY)
    variables.setenv("NO_PROXY", f"one.example.org,{entry},two.example.org")
    proxies = read_proxies()
    (warning,) = warnings
    assert f"the environment variable NO_PROXY is left out in part: {entry}: not a host name" in warning
    urls = [httpx.URL(f"https://{host}.example.org/") for host in ("one", "two", "three")]
    assert [proxies.is_used_for(url) for url in urls] == [False, False, True]


@pytest.mark.parametrize(
    "address",
    [
        "http://127.0.0.1:hush",
        "http://127.0.0.1:99999",
        "http://127.0.0.1:0",
        "http://user:hu/sh@127.0.0.1:8080",
        "http://[::1",
        "http://",
        "://hush",
        "http://a..b:8080",
        "http://hush hush:8080",
        "http://" + "hush" * 20 + ":8080",
        "http://\nhush:8080",
        "ftp://127.0.0.1:8080",
        "socks://127.0.0.1:1080",  # as GNOME writes it
        "socks4://127.0.0.1:1080",
        "socks5://127.0.0.1:1080",
        "socks5h://user:hush@127.0.0.1:1080",
    ],
)
@pytest.mark.parametrize("name", ["HTTPS_PROXY", "https_proxy", "ALL_PROXY"])
def test_an_address_of_a_proxy_that_cannot_be_used_is_left_out_with_one_warning(
    variables: pytest.MonkeyPatch, warnings: list[str], name: str, address: str
) -> None:
    variables.setenv(name, address)
    variables.setitem(sys.modules, "socksio", None)  # not installed
    proxies = read_proxies()
    (warning,) = warnings
    assert warning.startswith(LEFT_OUT.format(name))
    assert ("socksio" in warning) is address.startswith("socks5")
    assert not proxies.is_used_for(httpx.URL("https://api.example.org/v1"))


def test_the_proxy_for_all_replaces_one_that_cannot_be_used(variables: pytest.MonkeyPatch, warnings: list[str]) -> None:
    variables.setenv("HTTPS_PROXY", "http://127.0.0.1:port")
    variables.setenv("ALL_PROXY", PROXY)
    proxies = read_proxies()
    assert {proxies.is_used_for(httpx.URL(f"{scheme}://example.org/")) for scheme in ("http", "https")} == {True}
    assert len(warnings) == 1


@pytest.mark.parametrize(
    "used", [{"HTTP_PROXY": PROXY, "HTTPS_PROXY": "127.0.0.1:1"}, {"NO_PROXY": "*"}, {"NO_PROXY": "a, *"}]
)
def test_a_proxy_that_no_connection_needs_is_not_looked_at(
    variables: pytest.MonkeyPatch, warnings: list[str], used: dict[str, str]
) -> None:
    """GNOME sets ALL_PROXY to a form that few programs know, beside proxies for both schemes."""
    for name, value in {"ALL_PROXY": "socks://127.0.0.1:1080", **used}.items():
        variables.setenv(name, value)
    read_proxies()
    assert warnings == []


def trusts(context: ssl.SSLContext, authority: trustme.CA) -> bool:
    pem = authority.cert_pem.bytes().decode()
    return ssl.PEM_cert_to_DER_cert(pem) in context.get_ca_certs(binary_form=True)


def of_certifi(context: ssl.SSLContext) -> bool:
    usual = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    usual.load_verify_locations(certifi.where())
    return len(context.get_ca_certs()) == len(usual.get_ca_certs())


def test_the_certificates_of_ssl_cert_file_are_trusted_and_no_others(
    variables: pytest.MonkeyPatch, warnings: list[str], tmp_path: Path
) -> None:
    authority = trustme.CA()
    authority.cert_pem.write_to_path(str(tmp_path / "authority.pem"))
    variables.setenv("SSL_CERT_FILE", str(tmp_path / "authority.pem"))
    context = create_tls_context()
    assert trusts(context, authority)
    assert len(context.get_ca_certs()) == 1
    assert warnings == []


def test_certificates_and_host_names_are_checked_as_strictly_as_python_does(variables: pytest.MonkeyPatch) -> None:
    context, usual = create_tls_context(), ssl.create_default_context()
    assert (context.check_hostname, context.verify_mode) == (True, ssl.CERT_REQUIRED)
    assert (context.verify_flags, context.options) == (usual.verify_flags, usual.options)
    assert of_certifi(context)


@pytest.mark.parametrize(
    ("name", "value", "why"),
    [
        ("SSL_CERT_FILE", "missing.pem", NO_PEM),
        ("SSL_CERT_FILE", "words.pem", NO_PEM),
        ("SSL_CERT_FILE", "empty.pem", NO_PEM),
        ("SSL_CERT_FILE", "cut.pem", NO_PEM),
        ("SSL_CERT_FILE", "", NO_PEM),
        ("SSL_CERT_DIR", "missing", "no certificate is in it under a name that `openssl rehash` gives"),
        ("SSL_CERT_DIR", "", "no certificate is in it under a name that `openssl rehash` gives"),
        ("SSL_CERT_DIR", "words.pem", "no certificate is in it under a name that `openssl rehash` gives"),
        ("SSLKEYLOGFILE", "missing/keys.log", "the file cannot be written (No such file or directory)"),
        ("SSLKEYLOGFILE", "", "the file cannot be written"),
    ],
)
def test_other_certificates_are_trusted_in_the_place_of_those_that_cannot_be_read(
    variables: pytest.MonkeyPatch, warnings: list[str], tmp_path: Path, name: str, value: str, why: str
) -> None:
    (tmp_path / "words.pem").write_text("no certificate")
    (tmp_path / "empty.pem").touch()
    (tmp_path / "cut.pem").write_bytes(trustme.CA().cert_pem.bytes()[:300])
    variables.setenv(name, str(tmp_path / value))
    context = create_tls_context()
    (warning,) = warnings
    assert warning.startswith(LEFT_OUT.format(name) + why)
    assert of_certifi(context)


def test_keys_of_connections_are_logged_where_that_is_wanted(
    variables: pytest.MonkeyPatch, warnings: list[str], tmp_path: Path
) -> None:
    variables.setenv("SSLKEYLOGFILE", str(tmp_path / "keys.log"))
    assert create_tls_context().keylog_filename == str(tmp_path / "keys.log")
    assert warnings == []
