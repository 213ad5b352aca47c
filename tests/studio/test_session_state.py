"""The state of a site's images, as the studio tells a browser."""

from __future__ import annotations

import json
import os
import time
from typing import Any

import pytest

from mkdocs_qhaigc.studio.problem import Problem
from tests.conftest import Project
from tests.helpers.api import ImagesApi, error
from tests.helpers.commands import run
from tests.helpers.studio_host import studio


@pytest.fixture
def site(project: Project, monkeypatch: pytest.MonkeyPatch) -> Project:
    monkeypatch.setenv("QHAIGC_API_KEY", project.environment["QHAIGC_API_KEY"])
    project.options |= {"style": "in pencil", "styles": {"ink": "black ink, no colours"}}
    project.options["images"] = {"logo": {"prompt": "A fox.", "alt": "Fox", "style": "ink"}}
    project.page("index.md", "![x](qhaigc:logo)", title="Home")
    project.write(
        "docs/guide/start.md",
        "---\ntitle: Start\nqhaigc:\n  hero:\n    prompt: A lighthouse\n    style: ink\n    alt: Tower\n"
        "    dark: At night\n  other: Fog\n---\n![](qhaigc:hero) ![](qhaigc:logo)\n",
    )
    return project


def one(images: list[dict[str, Any]], identity: str) -> dict[str, Any]:
    [found] = [image for image in images if image["id"] == identity]
    return found


def test_a_page_has_the_images_that_it_declares_and_shows(site: Project) -> None:
    with studio(site) as (_, session, _):
        state = session.state("/guide/start/")
        assert (state["page"], state["engine"], state["undo"]) == ("guide/start.md", "mkdocs", None)
        ids = [image["id"] for image in state["images"]]
        assert ids == ["mkdocs.yml#logo", "guide/start.md#hero", "guide/start.md#hero-dark", "guide/start.md#other"]
        assert state["styles"] == ["ink"]
        assert state["models"][0] == "qh-draw-x2-preview"
        assert [image["id"] for image in session.state("/")["images"]] == ["mkdocs.yml#logo"]
        assert len(session.state(None)["images"]) == 4
        assert session.state("/nowhere/")["images"] == []
        assert session.state("/nowhere/")["page"] is None
        json.dumps(state)


@pytest.mark.parametrize("path", ["/guide/start/", "guide/start", "/guide/start/index.html", "/guide/st%61rt/"])
def test_a_page_is_found_by_each_form_of_its_address(site: Project, path: str) -> None:
    with studio(site) as (_, session, _):
        assert session.state(path)["page"] == "guide/start.md"


def test_a_page_is_found_without_folders_of_its_own(site: Project) -> None:
    site.config["use_directory_urls"] = False
    with studio(site) as (_, session, _):
        assert session.state("/guide/start.html")["page"] == "guide/start.md"
        assert session.state("/index.html")["page"] == "index.md"


def test_an_image_lacks_alt_where_neither_the_page_nor_its_directive_has_one(site: Project) -> None:
    images = {"said": "A fox", "mute": "A bear", "decoration": {"prompt": "A line", "alt": ""}}
    site.page("alt.md", "![Fox](qhaigc:said) ![](qhaigc:mute) ![](qhaigc:decoration)", qhaigc=images)
    with studio(site) as (_, session, _):
        lacking = {image["name"]: (image["alt"], image["lacks_alt"]) for image in session.state("/alt/")["images"]}
    assert lacking == {"said": (None, False), "mute": (None, True), "decoration": ("", False)}


def test_an_image_has_its_authors_words_and_the_style_behind_them(site: Project) -> None:
    with studio(site) as (_, session, _):
        images = session.state("/guide/start/")["images"]
        hero, dark = one(images, "guide/start.md#hero"), one(images, "guide/start.md#hero-dark")
        assert (hero["prompt"], hero["style"]) == ("A lighthouse", "black ink, no colours, in pencil")
        assert (hero["style_name"], hero["alt"], hero["variant"]) == ("ink", "Tower", 1)
        assert (dark["prompt"], dark["pair"], hero["pair"]) == ("At night", hero["id"], dark["id"])
        assert (hero["file"], hero["line"], one(images, "guide/start.md#other")["line"]) == (
            "docs/guide/start.md",
            4,
            9,
        )
        assert hero["pages"] == [{"src_uri": "guide/start.md", "url": "/guide/start/"}]
        assert (hero["editable"], hero["by_hand"]) == (True, None)
        assert (hero["width"], hero["height"], hero["size"]) == (96, 54, "96x54")
        assert hero["price"] == "a call to qh-draw-x2-preview"
        assert all(place.startswith("assets/qhaigc/hero-") for place in hero["files"])
        assert hero["files"]
        assert one(images, "guide/start.md#other")["shown"] is False
        logo = one(images, "mkdocs.yml#logo")
        assert (logo["prompt"], logo["style"], logo["alt"]) == ("A fox.", "black ink, no colours, in pencil", "Fox")
        assert logo["editable"] is False
        assert "`images`" in logo["by_hand"]
        assert logo["version"] is logo["line"] is None


def test_the_size_is_as_it_is_published(site: Project) -> None:
    site.page("index.md", "![](qhaigc:hero)", qhaigc={"prompt": "Sea", "size": "2:1"})
    with studio(site) as (_, session, _):
        [hero] = [image for image in session.state("/")["images"] if image["name"] == "hero"]
        assert hero["size"] == "2:1"
        assert hero["width"] == 2 * hero["height"]


def test_states_follow_the_stores_without_a_build(site: Project, api: ImagesApi) -> None:
    with studio(site) as (_, session, events):
        before = session.state(None)
        assert {image["state"] for image in before["images"]} == {"missing"}
        assert before["images"][0]["why"] == "it is not bought yet"
        assert before["bar"]["missing"] == 4
        session.buy({"id": "guide/start.md#hero", "count": 1})
        events.wait_for("saved")
        hero = one(session.state(None)["images"], "guide/start.md#hero")
        assert (hero["state"], hero["fresh"], hero["why"]) == ("cached", True, None)
        assert session.state(None)["bar"]["unpinned"] == 1
        assert run(site, "pin").returncode == 1  # others are missing
        after = session.state(None)
        assert one(after["images"], "guide/start.md#hero")["state"] == "pinned"
        assert (after["bar"]["unpinned"], after["bar"]["missing"], after["bar"]["fresh"]) == (0, 3, 1)
        for path in (site.folder / "generated-images").iterdir():
            path.unlink()
        assert one(session.state(None)["images"], "guide/start.md#hero")["state"] == "cached"


def test_a_refused_prompt_says_why_and_is_not_asked_for_again(site: Project, api: ImagesApi) -> None:
    with studio(site) as (_, session, events):
        api.default = error(400, "content_policy_violation", "no lighthouses")
        session.buy({"id": "guide/start.md#hero", "count": 1})
        [failed] = events.wait_for("failed")
        assert (failed["id"], failed["kind"]) == ("guide/start.md#hero", "refused")
        assert "no lighthouses" in failed["reason"]
        hero = one(session.state(None)["images"], "guide/start.md#hero")
        assert hero["state"] == "refused"
        assert "no lighthouses" in hero["why"]
        assert "Change the prompt" in hero["remedy"]
        for order, body in (
            (session.buy, {"id": "guide/start.md#hero", "count": 4}),
            (session.buy_missing, {"ids": ["guide/start.md#hero"]}),
            (session.try_out, {"id": "guide/start.md#hero", "fields": {"model": hero["model"]}}),
        ):
            with pytest.raises(Problem, match="no lighthouses") as problem:
                order(body)
            assert (problem.value.status, problem.value.kind) == (409, "stopped")
        assert len(api.calls) == 1


def test_without_a_key_nothing_is_bought_and_the_image_says_so(site: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    site.take_key()
    monkeypatch.setenv("QHAIGC_API_KEY", "")
    with studio(site) as (_, session, _):
        assert "QHAIGC_API_KEY is not set" in session.state(None)["images"][0]["why"]
        with pytest.raises(Problem, match="no API key") as problem:
            session.buy({"id": "guide/start.md#hero", "count": 1})
        assert problem.value.kind == "stopped"


def test_pages_that_a_plugin_makes_are_not_editable(site: Project) -> None:
    site.write(
        "hook.py",
        "from mkdocs.structure.files import File\n"
        "def on_files(files, config):\n"
        "    files.append(File.generated(config, 'made.md', content='---\\nqhaigc: Fog\\n---\\n![](qhaigc:hero)'))\n"
        "def on_page_markdown(markdown, page, config, files):\n"
        "    if page.file.src_uri == 'guide/merged.md':\n"
        "        page.meta['qhaigc'] = {'hero': {'prompt': 'Merged', 'variant': 3}}\n",
    )
    site.config["hooks"] = ["hook.py"]
    site.page("guide/merged.md", "![](qhaigc:hero)", qhaigc="Own")
    past = time.time() - 60
    for path in (site.folder / "docs").rglob("*.md"):
        os.utime(path, (past, past))
    with studio(site) as (_, session, _):
        [made] = session.state("/made/")["images"]
        assert made["editable"] is False
        assert "plugin" in made["by_hand"]
        [merged] = session.state("/guide/merged/")["images"]
        assert (merged["prompt"], merged["editable"], merged["version"]) == ("Merged", False, None)
        with pytest.raises(Problem) as problem:
            session.save({"id": merged["id"], "fields": {"alt": "x"}, "version": "x"})
        assert (problem.value.status, problem.value.kind) == (422, "edit")


def test_a_link_out_of_the_pages_folder_is_not_written(site: Project) -> None:
    outside = site.write("outside.md", "---\nqhaigc: Fog\n---\n![](qhaigc:hero)\n")
    (site.folder / "docs/linked.md").symlink_to(outside)
    with studio(site) as (_, session, _):
        [hero] = session.state("/linked/")["images"]
        assert hero["editable"] is False
        with pytest.raises(Problem, match="leads out") as problem:
            session.save({"id": hero["id"], "fields": {"alt": "x"}, "version": "x"})
        assert problem.value.kind == "edit"
    assert outside.read_text() == "---\nqhaigc: Fog\n---\n![](qhaigc:hero)\n"


@pytest.mark.parametrize(
    ("operation", "body"),
    [
        ("buy", {"id": "guide/start.md#hero", "count": 2}),
        ("buy", {"id": "guide/start.md#hero", "count": True}),
        ("buy", {"id": "guide/start.md#hero", "count": 1, "more": 1}),
        ("buy_missing", {"ids": "guide/start.md#hero"}),
        ("try_out", {"id": "guide/start.md#hero", "fields": {}}),
        ("try_out", {"id": "guide/start.md#hero", "fields": {"variant": 2}}),
        ("try_out", {"id": "guide/start.md#hero", "fields": {"size": "large"}}),
        ("try_out", {"id": "guide/start.md#hero", "fields": {"style": "unknown"}}),
        ("try_out", {"id": "guide/start.md#hero", "fields": {"prompt": None}}),
        ("try_out", {"id": "guide/start.md#hero", "fields": {"prompt": "x" * 40_000}}),
        ("try_out", {"id": "guide/start.md#hero", "fields": {"prompt": ["x"]}}),
        ("save", {"id": "guide/start.md#hero", "fields": {"alt": "x"}}),
        ("pick", {"id": "guide/start.md#hero", "variant": "2", "version": "x"}),
        ("pick", {"id": "guide/start.md#hero", "variant": 0, "version": "x"}),
        ("review", {"id": "guide/start.md#hero", "verdict": "good"}),
        ("raise_budget", {"by": 101}),
        ("raise_budget", {"by": 0}),
        ("raise_budget", {"by": 1.0}),
        ("undo", {"file": "x"}),
    ],
)
def test_requests_that_are_wrong_are_refused(
    site: Project, api: ImagesApi, operation: str, body: dict[str, Any]
) -> None:
    pages = {path: path.read_bytes() for path in site.docs.rglob("*.md")}
    with studio(site) as (_, session, _):
        with pytest.raises(Problem) as problem:
            getattr(session, operation)(body)
        assert (problem.value.status, problem.value.kind) == (400, "value")
    assert not api.calls
    assert {path: path.read_bytes() for path in site.docs.rglob("*.md")} == pages


@pytest.mark.parametrize("identity", ["../x.md#hero", "guide/start.md#none", "", None, 3, "x" * 5000])
def test_an_unknown_image_is_an_error(site: Project, identity: Any) -> None:
    with studio(site) as (_, session, _):
        with pytest.raises(Problem) as problem:
            session.image(identity)
        assert (problem.value.status, problem.value.kind) == (404, "unknown")
        with pytest.raises(Problem) as problem:
            session.review({"id": identity, "verdict": None})
        assert (problem.value.status, problem.value.kind) == (404, "unknown")
