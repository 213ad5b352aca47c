"""An API behind TLS, as real ones are: whose certificate somebody trusts, or nobody."""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from pathlib import Path

import pytest
import trustme

from tests.conftest import Project
from tests.helpers.api import ImagesApi, by_base64, redirect


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture
def secure(authority: trustme.CA) -> Iterator[ImagesApi]:
    """An API for 127.0.0.1 with a certificate of that authority."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    with ImagesApi(tls=context) as api:
        yield api


@pytest.fixture
def site(project: Project, secure: ImagesApi) -> Project:
    project.options |= {"base_url": secure.base_url, "retries": 0}
    project.page("index.md", "![x](qhaigc:hero)\n", qhaigc="A harbor")
    return project


@pytest.mark.parametrize("form", ["url", "b64_json"])
def test_images_come_through_tls(
    site: Project, secure: ImagesApi, authority: trustme.CA, tmp_path: Path, form: str
) -> None:
    authority.cert_pem.write_to_path(str(tmp_path / "authority.pem"))
    site.environment["SSL_CERT_FILE"] = str(tmp_path / "authority.pem")
    site.options["response_format"] = form
    if form == "b64_json":
        secure.default = by_base64
    built = site.build("--strict")
    assert built.code == 0, built.output
    assert built.summary == "1 generated"
    assert (len(secure.calls), len(secure.fetches)) == (1, int(form == "url"))


def test_a_server_whose_certificate_nobody_vouches_for_gets_no_key_and_no_prompt(
    site: Project, secure: ImagesApi
) -> None:
    built = site.build()
    assert built.code == 0, built.output
    (warning,) = built.warnings
    assert "certificate verify failed" in warning
    assert "Check the network and `base_url`; certificates that only your network trusts go into a file" in warning
    assert "SSL_CERT_FILE" in warning
    assert (secure.calls, secure.fetches) == ([], [])
    assert site.originals == []


def test_nothing_is_sent_on_without_tls(
    site: Project, secure: ImagesApi, api: ImagesApi, authority: trustme.CA, tmp_path: Path
) -> None:
    authority.cert_pem.write_to_path(str(tmp_path / "authority.pem"))
    site.environment["SSL_CERT_FILE"] = str(tmp_path / "authority.pem")
    secure.default = redirect(f"{api.base_url}/images/generations")
    (warning,) = site.build().warnings
    assert f"a redirection to {api.base_url}/images/generations, which is not followed" in warning
    assert "and that one is not https. Check `base_url`" in warning
    assert f"`base_url: {api.base_url}`" not in warning
    assert (len(secure.calls), api.calls) == (1, [])


@pytest.mark.parametrize("unusable", ["SSL_CERT_DIR", "SSLKEYLOGFILE"])
def test_certificates_that_can_be_read_are_used_beside_a_variable_that_cannot(
    site: Project, authority: trustme.CA, tmp_path: Path, unusable: str
) -> None:
    authority.cert_pem.write_to_path(str(tmp_path / "authority.pem"))
    site.environment |= {"SSL_CERT_FILE": str(tmp_path / "authority.pem"), unusable: "/nowhere/at/all"}
    assert site.build().summary == "1 generated"
