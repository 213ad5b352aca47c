"""A shared store behind a web server: read alone, by a certificate that is trusted, and never written to."""

from __future__ import annotations

import ssl
import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
import trustme

from tests.conftest import Machine, Project
from tests.helpers.api import ImagesApi
from tests.helpers.commands import run

REQUESTS: list[str] = []


class _Files(SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: object) -> None:
        REQUESTS.append(self.requestline)


@pytest.fixture
def web(tmp_path: Path) -> Iterator[tuple[str, Path]]:
    """The address of a web server for `tmp_path`, and the file with the certificate of its authority."""
    authority = trustme.CA()
    certificate = tmp_path / "authority.pem"
    authority.cert_pem.write_to_path(str(certificate))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    REQUESTS.clear()
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(_Files, directory=str(tmp_path))) as server:
        server.socket = context.wrap_socket(server.socket, server_side=True)
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        yield f"https://127.0.0.1:{server.server_address[1]}", certificate
        server.shutdown()
        thread.join()


@pytest.fixture
def reader(machine: Machine, web: tuple[str, Path]) -> Project:
    project = machine("reader")
    project.options["shared"] = f"{web[0]}/team"
    project.environment["SSL_CERT_FILE"] = str(web[1])
    return project


def test_images_are_read_and_none_is_uploaded(machine: Machine, reader: Project, api: ImagesApi) -> None:
    bought = machine("first").build("--strict")
    assert bought.code == 0, bought.output
    assert "2 images: 2 shared. To buy: nothing." in run(reader, "plan").stdout
    found = reader.build("--strict")
    assert (found.summary, found.digest()) == ("2 shared", bought.digest())
    reader.page("index.md", "![C](qhaigc:c)", qhaigc={"c": {"prompt": "third", "alt": "C"}})
    assert reader.build("--strict").summary == "1 generated"
    assert not list((reader.cache / "originals").glob("*.unshared"))
    assert {request.partition(" ")[0] for request in REQUESTS} == {"GET"}
    shared = run(reader, "share")
    assert (shared.returncode, "a web server can only be read" in shared.stderr) == (1, True)
    assert run(reader, "prune", "--shared", "--dry-run").returncode == 1
    assert len(api.calls) == 3


def test_an_address_without_a_store_is_no_empty_one(reader: Project) -> None:
    reader.options["shared"] += "-misspelt"
    built = reader.build()
    assert (built.code, built.summary) == (0, "2 generated")
    (warning,) = built.warnings
    assert "there is no mkdocs-qhaigc.json, which every shared store has. Correct the address" in warning


def test_a_certificate_that_nobody_vouches_for_is_named(machine: Machine, reader: Project) -> None:
    assert machine("first").build("--strict").code == 0
    del reader.environment["SSL_CERT_FILE"]
    built = reader.build()
    assert (built.code, built.summary) == (0, "2 generated")
    (warning,) = built.warnings
    assert "its certificate is not trusted" in warning
