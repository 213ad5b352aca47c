"""Answers and images in codings that nobody asked for, and an API that sends us elsewhere."""

from __future__ import annotations

import json
import sys
import zlib
from collections.abc import Callable
from typing import Any

import brotli
import httpx
import pytest
import zstandard

from tests.conftest import Project
from tests.helpers.api import KEY, Behaviour, Handler, ImagesApi, answer, hang, raw, redirect, served
from tests.helpers.commands import run

PACK: dict[str, Callable[[bytes], bytes]] = {
    "br": brotli.compress,
    "deflate": zlib.compress,
    "zstd": zstandard.compress,
}


@pytest.fixture
def site(project: Project) -> Project:
    project.options |= {"retries": 0}
    project.page("index.md", "![x](qhaigc:hero)\n", qhaigc="A harbor")
    return project


@pytest.fixture
def without_brotli(site: Project, monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """A machine on which brotli is not installed, until the changes are undone."""
    monkeypatch.setitem(sys.modules, "brotli", None)
    monkeypatch.setitem(sys.modules, "brotlicffi", None)
    monkeypatch.delitem(httpx._decoders.SUPPORTED_DECODERS, "br")
    site.own_process = False
    return monkeypatch


def packed_answer(coding: str) -> Behaviour:
    """Answer by address, in a coding."""

    def behave(handler: Handler, body: dict[str, Any]) -> None:
        api = handler.server.api
        content = json.dumps({"data": [{"url": api.origin + api.host(api.draw(body))}]}).encode()
        handler.send_bytes(200, PACK[coding](content), "application/json", {"Content-Encoding": coding})

    return behave


def packed_image(coding: str) -> Behaviour:
    def behave(handler: Handler, given: dict[str, Any]) -> None:
        handler.send_bytes(200, PACK[coding](given["data"]), "image/png", {"Content-Encoding": coding})

    return behave


def test_no_coding_is_asked_for(site: Project, api: ImagesApi) -> None:
    seen: list[str] = []

    def look(handler: Handler, body: dict[str, Any]) -> None:
        seen.append(handler.headers["Accept-Encoding"])
        packed_answer("deflate")(handler, body)

    api.default = look
    assert site.build("--strict").code == 0
    assert [*seen, *(headers["Accept-Encoding"] for headers in api.fetch_headers)] == ["identity", "identity"]


@pytest.mark.parametrize("coding", PACK)
def test_answers_and_images_in_a_coding_are_read(site: Project, api: ImagesApi, coding: str) -> None:
    api.default = packed_answer(coding)
    api.fetch_script = [packed_image(coding)]
    built = site.build("--strict")
    assert built.code == 0, built.output
    assert built.summary == "1 generated"


@pytest.mark.parametrize("coding", PACK)
@pytest.mark.slow
def test_an_answer_that_was_kept_in_its_coding_is_read_by_the_next_build(
    site: Project, api: ImagesApi, coding: str
) -> None:
    api.default = packed_answer(coding)
    api.fetch_script = [hang]
    site.options["timeout"] = 4
    assert site.build().summary == "1 placeholder"
    assert site.build("--strict").code == 0
    assert len(api.calls) == 1


def test_an_answer_that_cannot_be_read_here_is_kept_until_it_can(
    site: Project, api: ImagesApi, without_brotli: pytest.MonkeyPatch
) -> None:
    api.default = packed_answer("br")
    site.page("other.md", "![x](qhaigc:hero)\n", qhaigc="A boat")
    site.options["concurrency"] = 1
    for _ in range(2):
        built = site.build()
        (warning,) = built.warnings
        assert "2 images are placeholders" in warning
        assert "came in the coding br, although none was requested. Install brotli (`pip install brotli`)" in warning
        assert len(api.calls) == 1
    assert not (site.cache / "rejected").exists()
    generated = run(site, "generate", "--yes")
    assert generated.returncode == 1
    assert "pip install brotli" in generated.stdout + generated.stderr
    without_brotli.undo()
    built = site.build("--strict")
    assert built.code == 0, built.output
    assert len(api.calls) == 2


def test_an_image_that_cannot_be_read_here_is_fetched_again_when_it_can(
    site: Project, api: ImagesApi, without_brotli: pytest.MonkeyPatch
) -> None:
    api.default = served(packed_image("br"), packed_image("br"))
    (warning,) = site.build().warnings
    assert (
        "the image came in the coding br, which cannot be read here. Install brotli (`pip install brotli`)" in warning
    )
    without_brotli.undo()
    assert site.build("--strict").code == 0
    assert len(api.calls) == 1


def test_an_image_in_a_coding_that_nobody_knows_is_called_that(site: Project, api: ImagesApi) -> None:
    api.default = served(raw(200, b"\x1f\x9d\x90", "image/png", Content_Encoding="compress"))
    (warning,) = site.build().warnings
    assert "the image came in the coding compress, which cannot be read here. The next builds fetch it" in warning


@pytest.mark.parametrize("status", [200, 500])
def test_an_answer_of_which_nothing_can_be_read_is_called_what_it_is(
    site: Project, api: ImagesApi, status: int
) -> None:
    api.default = raw(status, b"\x1f\x9d\x90", "text/html; charset=x", Content_Encoding="compress")
    (warning,) = site.build().warnings
    assert f"the API answered {status}" in warning
    assert "a body that is no JSON (text/html in compress, 3 bytes)" in warning


# Redirections


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_the_key_is_never_sent_on(site: Project, api: ImagesApi, status: int) -> None:
    with ImagesApi() as other:
        api.default = raw(status, b"", "text/plain", Location=f"{other.base_url}/images/generations?token={KEY}")
        site.page("other.md", "![x](qhaigc:hero)\n", qhaigc="A boat")
        site.options["concurrency"] = 1
        built = site.build()
        assert (other.calls, other.fetches) == ([], [])
    (warning,) = built.warnings
    assert "2 images are placeholders" in warning
    assert f"answered {status}, a redirection to {other.base_url}/images/generations, which is not followed" in warning
    assert f"write `base_url: {other.base_url}`" in warning
    assert KEY not in built.output
    assert "token" not in built.output
    assert len(api.calls) == 1  # all others would be sent on, too
    assert (site.cache / "rejected").exists() is False


@pytest.mark.parametrize(
    ("location", "says"),
    [
        ("/v2/images/generations", "redirection to {origin}/v2/images/generations, which is not followed"),
        ("/v2/images/generations", "write `base_url: {origin}/v2`"),
        ("../../login?next=x", "redirection to {origin}/login, which is not followed"),
        ("https://user:pass@login.example/", "redirection to https://login.example/, which is not followed"),
        ("//login.example/", "redirection to http://login.example/, which is not followed"),
        ("", "redirection to {origin}/v1/images/generations, which is not followed"),
    ],
)
def test_the_target_of_a_redirection_is_named(site: Project, api: ImagesApi, location: str, says: str) -> None:
    api.default = redirect(location)
    (warning,) = site.build().warnings
    assert says.format(origin=api.origin) in warning
    assert len(api.calls) == 1


@pytest.mark.parametrize("location", ["mailto:admin@example.org", "data:text/plain,x", "about:blank"])
def test_a_redirection_to_what_is_no_address_of_the_web_is_told(site: Project, api: ImagesApi, location: str) -> None:
    api.default = redirect(location)
    site.page("other.md", "![x](qhaigc:hero)\n", qhaigc="A boat")
    site.options["concurrency"] = 1
    built = site.build()
    assert built.code == 0, built.output
    (warning,) = built.warnings
    assert "2 images are placeholders" in warning
    assert f"the API at {api.base_url} answered with a redirection to no address. Check `base_url`" in warning
    assert len(api.calls) == 1


def test_where_a_task_s_address_leads_is_told_and_the_key_is_not_sent_there(site: Project, api: ImagesApi) -> None:
    api.default = answer(200, {"data": [{"task_id": "t1", "status": "submitted"}]})
    with ImagesApi() as other:
        api.by_path["/v1/tasks/t1"] = [redirect(f"{other.base_url}/tasks/t1?token={KEY}")]
        built = site.build()
        assert (other.calls, other.fetches) == ([], [])
    (warning,) = built.warnings
    assert f"answered 302, a redirection to {other.base_url}/tasks/t1, which is not followed. Set `task_url`" in warning
    assert KEY not in built.output


def test_an_address_that_is_none_is_no_traceback(site: Project, api: ImagesApi) -> None:
    api.default = redirect("http://[::1")
    built = site.build()
    (warning,) = built.warnings
    assert "cannot be read" in warning or "redirection to no address" in warning
    assert "Traceback" not in built.output


def test_a_budget_is_not_spent_on_a_redirection(site: Project, api: ImagesApi) -> None:
    api.script = [answer(302, Location=f"{api.origin}/v2/images/generations")]
    site.options["max_new_images"] = 1
    assert site.build().summary == "1 placeholder"
    assert site.build("--strict").summary == "1 generated"
