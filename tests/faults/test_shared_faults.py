"""A shared store in trouble, or with something in it that nobody may trust: no build fails for it."""

from __future__ import annotations

import hashlib
import hmac
import json
import socket
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from email.utils import format_datetime, parsedate_to_datetime
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import Built, Project
from tests.helpers.api import ImagesApi
from tests.helpers.object_stores import READER, Fault, ObjectStore, Proxy, Reply, seaweedfs

pytestmark = pytest.mark.shared


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ObjectStore]:
    with seaweedfs(tmp_path_factory.mktemp("seaweedfs")) as running:
        yield running


@pytest.fixture
def proxy(store: ObjectStore) -> Iterator[Proxy]:
    with Proxy(store) as running:
        yield running


@pytest.fixture
def machine(tmp_path: Path, api: ImagesApi, store: ObjectStore, proxy: Proxy) -> Callable[[str], Project]:
    """Return a machine that reaches the store by the proxy, each test with a prefix of its own."""
    prefix = hashlib.sha256(str(tmp_path).encode()).hexdigest()[:12]

    def make(name: str) -> Project:
        project = Project(tmp_path / name, api.base_url)
        project.options["shared"] = f"{store.url}/{prefix}"
        project.environment.update(store.at(proxy.endpoint).environment)
        project.page("index.md", "![A](qhaigc:a) ![B](qhaigc:b)", qhaigc={"a": "first", "b": "second"})
        return project

    return make


Machine = Callable[[str], Project]


def is_image(request: str) -> bool:
    return request.startswith("GET") and request.endswith(".png")


def is_record(request: str) -> bool:
    return (
        request.startswith("GET")
        and request.endswith(".json")
        and "/leases/" not in request
        and "mkdocs" not in request
    )


def whole(built: Built) -> Built:
    """Assert that every image is on the page, whatever was warned of."""
    assert built.code == 0, built.output
    assert len(built.images()) == 2
    assert "placeholder" not in built.summary
    return built


def no_secret_in(built: Built, project: Project) -> None:
    for name in ("AWS_SECRET_ACCESS_KEY", "AWS_ACCESS_KEY_ID"):
        assert project.environment[name] not in built.output


def refused(project: Project, proxy: Proxy) -> None:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        project.environment["AWS_ENDPOINT"] = f"http://127.0.0.1:{listener.getsockname()[1]}"


def black_hole(project: Project, proxy: Proxy) -> None:
    proxy.spoil = lambda request: Fault(hang=True)


def denied(project: Project, proxy: Proxy) -> None:
    proxy.spoil = lambda request: Fault(status=403)


def line_break(project: Project, proxy: Proxy) -> None:
    project.environment["AWS_ACCESS_KEY_ID"] += "\n"  # as secrets have it that were pasted


def no_bucket(project: Project, proxy: Proxy) -> None:
    project.options["shared"] = "s3://misspelt/prefix"


def errors(project: Project, proxy: Proxy) -> None:
    proxy.spoil = lambda request: Fault(status=500)


def wrong_key(project: Project, proxy: Proxy) -> None:
    project.environment["AWS_SECRET_ACCESS_KEY"] = "another-secret-key"


def nonsense(project: Project, proxy: Proxy) -> None:
    def change(reply: Reply) -> None:
        reply.status, reply.body = 200, b"<html>Log in to the network</html>"

    proxy.spoil = lambda request: Fault(change=change)


def half_a_record(project: Project, proxy: Proxy) -> None:
    proxy.spoil = lambda request: Fault(half=True) if is_record(request) else None


def half_an_image(project: Project, proxy: Proxy) -> None:
    proxy.spoil = lambda request: Fault(half=True) if is_image(request) else None


@pytest.mark.parametrize(
    ("fault", "says"),
    [
        (refused, "it refuses connections"),
        (black_hole, "it does not answer in time"),
        (denied, "it refuses access (Spoilt)"),
        (line_break, "Look for a line break or a blank in its variables"),
        (wrong_key, "it refuses access (SignatureDoesNotMatch)"),
        (no_bucket, "there is no such bucket"),
        (errors, "it answers with the status 500 (Spoilt)"),
        (nonsense, "something else than was stored there"),
        (half_a_record, "it breaks the connection off"),
        (half_an_image, "it breaks the connection off"),
    ],
)
def test_trouble_is_one_warning_and_the_build_goes_on(
    fault: Callable[[Project, Proxy], None], says: str, machine: Machine, proxy: Proxy, api: ImagesApi
) -> None:
    assert whole(machine("first").build()).warnings == []
    project = machine("second")
    fault(project, proxy)
    began = time.monotonic()
    built = whole(project.build())
    assert time.monotonic() - began < 25
    (warning,) = built.warnings
    assert says in warning
    assert "goes on without it" in warning
    assert built.summary == "2 generated"
    assert len(api.calls) == 4
    no_secret_in(built, project)


def test_a_misspelt_bucket_is_not_made(machine: Machine, proxy: Proxy) -> None:
    project = machine("first")
    no_bucket(project, proxy)
    whole(project.build())
    assert not [request for request in proxy.requests if not request.startswith("GET")]


def test_what_could_not_be_uploaded_is_uploaded_by_the_next_build(
    machine: Machine, proxy: Proxy, api: ImagesApi
) -> None:
    project = machine("first")
    errors(project, proxy)
    bought = whole(project.build())
    proxy.spoil = lambda request: None
    built = whole(project.build())
    assert (built.summary, built.warnings) == ("2 cached", [])
    assert built.digest() == bought.digest()
    proxy.requests.clear()
    assert whole(project.build()).summary == "2 cached"
    assert proxy.requests == []  # what is here and there needs no connection
    found = whole(machine("second").build())
    assert (found.summary, found.digest()) == ("2 shared", bought.digest())
    assert len(api.calls) == 2


def test_the_machine_that_was_late_takes_the_image_that_all_others_have(machine: Machine, proxy: Proxy) -> None:
    late, first = machine("late"), machine("first")
    proxy.spoil = lambda request: Fault(status=500)
    own = whole(late.build()).digest()
    proxy.spoil = lambda request: None
    of_all = whole(first.build()).digest()
    built = whole(late.build())
    assert built.digest() == of_all
    assert own != of_all
    assert built.summary == "2 shared"
    replaced = [name for name in late.originals if name.endswith(".png.replaced")]
    assert len(replaced) == 2  # what it had bought is kept


def test_who_may_not_write_goes_on_reading_and_says_so(machine: Machine, proxy: Proxy, api: ImagesApi) -> None:
    project = machine("reader")
    project.environment["AWS_ACCESS_KEY_ID"] = READER
    built = whole(project.build())
    assert (built.summary, built.warnings) == ("2 generated", [])
    assert built.output.count("for writing. Images are read from there") == 1
    bought = whole(machine("writer").build())
    other = machine("another reader")
    other.environment["AWS_ACCESS_KEY_ID"] = READER
    built = whole(other.build())
    assert (built.summary, built.digest()) == ("2 shared", bought.digest())
    assert len(api.calls) == 4


def test_whether_a_store_keeps_conditions_is_tried_once(machine: Machine, proxy: Proxy) -> None:
    project = machine("first")
    whole(project.build())
    probe = [request for request in proxy.requests if request.startswith("PUT") and "mkdocs-qhaigc.json" in request]
    assert len(probe) == 2
    proxy.requests.clear()
    project.page("index.md", "![C](qhaigc:c)", qhaigc={"c": {"prompt": "third", "alt": "C"}})
    assert project.build().summary == "1 generated"
    assert not [request for request in proxy.requests if request.startswith("PUT") and "mkdocs-" in request]


def test_a_store_that_answers_conditions_on_writes_with_an_error_is_read(
    machine: Machine, proxy: Proxy, api: ImagesApi
) -> None:
    bought = whole(machine("first").build())
    proxy.spoil = lambda request: Fault(status=501) if request.startswith("PUT") else None
    project = machine("second")
    project.page("more.md", "![C](qhaigc:c)", qhaigc={"c": {"prompt": "third", "alt": "C"}})
    built = project.build()
    assert (built.code, built.summary, built.warnings) == (0, "1 generated, 2 shared", [])
    assert built.output.count("it answers with the status 501, for writing. Images are read from there") == 1
    assert set(bought.images()) < set(built.images())
    assert len(api.calls) == 3


def changed_object(
    machine: Machine, proxy: Proxy, path: Callable[[str], bool], change: Callable[[Reply], None]
) -> Project:
    """Return a machine that finds something else in the store than the first one has put there."""
    whole(machine("first").build())
    proxy.spoil = lambda request: Fault(change=change) if path(request) else None
    return machine("second")


def test_wrong_bytes_with_a_right_record_are_not_used(machine: Machine, proxy: Proxy, api: ImagesApi) -> None:
    def change(reply: Reply) -> None:
        if reply.status == 200:
            reply.body = reply.body[:-1] + bytes([reply.body[-1] ^ 1])

    project = changed_object(machine, proxy, is_image, change)
    built = whole(project.build())
    assert len(built.warnings) == 2
    assert all("its bytes are not those that its record says" in warning for warning in built.warnings)
    assert built.summary == "2 generated"
    proxy.spoil = lambda request: None
    assert whole(project.build()).warnings == []  # it keeps its own
    assert len(api.calls) == 4


def test_the_record_of_another_key_is_not_used(machine: Machine, proxy: Proxy) -> None:
    def change(reply: Reply) -> None:
        if reply.status == 200:
            reply.body = json.dumps({**json.loads(reply.body), "key": "0" * 64}).encode()

    built = whole(changed_object(machine, proxy, is_record, change).build())
    assert len(built.warnings) == 2
    assert all("is the record of another image" in warning for warning in built.warnings)
    assert built.summary == "2 generated"


def test_a_record_without_its_image_is_not_used(machine: Machine, proxy: Proxy) -> None:
    def change(reply: Reply) -> None:
        reply.status, reply.body = 404, b"<Error><Code>NoSuchKey</Code></Error>"

    built = whole(changed_object(machine, proxy, is_image, change).build())
    assert len(built.warnings) == 2
    assert all("is missing, and its record is there" in warning for warning in built.warnings)
    assert built.summary == "2 generated"


def plant(project: Project, secret: str) -> None:
    """Put what an attacker has drawn where the images of a project are looked for, signed with a secret or not."""
    attacker = Project(project.folder.with_name("attacker"), project.options["base_url"])
    attacker.options.update(project.options)
    attacker.environment.update(project.environment)
    del attacker.environment["QHAIGC_SHARED_SECRET"]
    if secret:
        attacker.environment["QHAIGC_SHARED_SECRET"] = secret
    attacker.page("index.md", "![A](qhaigc:a) ![B](qhaigc:b)", qhaigc={"a": "first", "b": "second"})
    whole(attacker.build())


@pytest.mark.parametrize("forged", ["", "a guess"])
def test_planted_records_without_the_teams_signature_are_not_used(
    forged: str, machine: Machine, api: ImagesApi
) -> None:
    project = machine("main")
    project.environment["QHAIGC_SHARED_SECRET"] = "the team's own"
    plant(project, forged)
    built = whole(project.build())
    (warning,) = built.warnings
    assert "QHAIGC_SHARED_SECRET" in warning
    assert built.summary == "2 generated"
    assert len(api.calls) == 4
    assert "the team's own" not in built.output


def last_record(proxy: Proxy) -> dict[str, Any]:
    """Return the record that was uploaded last."""
    puts = [request for request in proxy.bodies if request.endswith(".json") and "/leases/" not in request]
    record: dict[str, Any] = json.loads(proxy.bodies[puts[-1]])
    return record


def test_signed_records_are_used_by_who_has_the_secret(machine: Machine, proxy: Proxy) -> None:
    first, second = machine("first"), machine("second")
    for project in (first, second):
        project.environment["QHAIGC_SHARED_SECRET"] = "the team's own"
    bought = whole(first.build())
    found = whole(second.build())
    assert (found.summary, found.warnings, found.digest()) == ("2 shared", [], bought.digest())
    record = last_record(proxy)
    signature = record.pop("signature")
    text = json.dumps(record, sort_keys=True, separators=(",", ":")).encode()
    assert signature == "hmac-sha256:" + hmac.new(b"the team's own", text, hashlib.sha256).hexdigest()
    assert whole(machine("without").build()).summary == "2 shared"  # and by who asks for none


@pytest.mark.parametrize("days", [1, -1])
def test_a_stores_clock_that_is_off_by_a_day_changes_nothing(
    days: int, machine: Machine, proxy: Proxy, api: ImagesApi
) -> None:
    def change(reply: Reply) -> None:
        for name in ("Date", "Last-Modified"):
            if name in reply.headers:
                moment = parsedate_to_datetime(reply.headers[name]) + timedelta(days=days)
                reply.headers[name] = format_datetime(moment, usegmt=True)

    proxy.spoil = lambda request: Fault(change=change)
    machines = [machine(name) for name in ("first", "second")]
    processes = [project.start("build", "-d", str(project.folder / "site")) for project in machines]
    outputs: list[Any] = [process.communicate(timeout=100)[0] for process in processes]
    assert [process.returncode for process in processes] == [0, 0], outputs
    assert "WARNING" not in "".join(outputs)
    assert len(api.calls) == 2


def test_a_lease_whose_confirmation_is_lost_is_ones_own(machine: Machine, proxy: Proxy, api: ImagesApi) -> None:
    """The client asks again, and the store answers that the lease is there."""
    spoilt: set[str] = set()

    def spoil(request: str) -> Fault | None:
        if not request.startswith("PUT") or not request.endswith("/1.json") or request in spoilt:
            return None
        spoilt.add(request)
        return Fault(change=lambda reply: setattr(reply, "status", 500))

    proxy.spoil = spoil
    built = whole(machine("one").build("--strict"))
    assert len(spoilt) == 2
    assert "waits for" not in built.output
    assert not [request for request in proxy.requests if request.endswith("/2.json")]
    assert len(api.calls) == 2
