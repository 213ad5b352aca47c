"""Edits of the studio: what is written into a page's file, and what never is."""

from __future__ import annotations

import os
import re
import stat
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from mkdocs_qhaigc.studio.operations import Session
from mkdocs_qhaigc.studio.problem import Problem
from tests.conftest import Project, require_posix
from tests.helpers.api import ImagesApi, several
from tests.helpers.commands import run
from tests.helpers.studio_host import studio

HERO = "guide/start.md#hero"
PAGE = """---
title: Start  # the title
qhaigc:
  hero:
    prompt: 'Fog'  # of the sea
    alt: Fog
  other: A tower
---
# Start

![](qhaigc:hero) ![](qhaigc:other)
"""


@pytest.fixture
def site(project: Project, api: ImagesApi, monkeypatch: pytest.MonkeyPatch) -> Project:
    monkeypatch.setenv("QHAIGC_API_KEY", project.environment["QHAIGC_API_KEY"])
    api.default = several
    project.options["styles"] = {"ink": "black ink, no colours", "oil": "oil on canvas"}
    project.page("index.md")
    project.write("docs/guide/start.md", PAGE)
    return project


def page_of(site: Project) -> Path:
    return site.docs / "guide/start.md"


def version(session: Session, identity: str = HERO) -> Any:
    return session.image(identity)["image"]["version"]


def added(diff: str) -> list[str]:
    return [line for line in diff.splitlines() if line[:1] in "+-" and line[:3] not in ("+++", "---")]


def test_a_variant_is_picked_by_one_line_and_taken_back_byte_for_byte(site: Project) -> None:
    before = page_of(site).read_bytes()
    with studio(site) as (host, session, events):
        session.buy({"id": HERO, "count": 4})
        events.wait_for("saved", 4)
        picked = session.pick({"id": HERO, "variant": 3, "version": version(session)})
        assert picked["file"] == "docs/guide/start.md"
        assert added(picked["diff"]) == ["+    variant: 3"]
        assert host.told_of_arrivals == 1
        image = session.image(HERO)["image"]
        assert (image["variant"], image["state"], image["version"]) == (3, "cached", picked["version"])
        assert session.state("/guide/start/")["undo"] == {"file": "docs/guide/start.md"}
        assert session.state(None)["bar"]["missing"] == 1
        undone = session.undo({})
        assert added(undone["diff"]) == ["-    variant: 3"]
        assert page_of(site).read_bytes() == before
        assert session.image(HERO)["image"]["variant"] == 1
        assert session.state(None)["undo"] is None


def test_a_variant_that_is_not_there_is_not_picked(site: Project) -> None:
    before = page_of(site).read_bytes()
    with studio(site) as (_, session, _):
        with pytest.raises(Problem, match="no variant 2") as problem:
            session.pick({"id": HERO, "variant": 2, "version": version(session)})
        assert problem.value.kind == "unknown"
    assert page_of(site).read_bytes() == before


def test_a_diff_writes_nothing_and_a_save_writes_just_that(site: Project) -> None:
    before = page_of(site).read_bytes()
    with studio(site) as (_, session, _):
        asked = {
            "id": HERO,
            "fields": {
                "prompt": "Rain",
                "alt": "",
                "caption": "At sea",
                "size": "64x64",
                "style": "ink",
                "model": "m1",
            },
            "version": version(session),
        }
        planned = session.diff(asked)
        assert page_of(site).read_bytes() == before
        saved = session.save(asked)
        assert saved["diff"] == planned["diff"]
        image = session.image(HERO)["image"]
        assert (image["prompt"], image["alt"], image["caption"], image["model"]) == ("Rain", "", "At sea", "m1")
        assert (image["size"], image["style_name"], image["style"]) == ("64x64", "ink", "black ink, no colours")
        assert image["state"] == "missing"
        text = page_of(site).read_text()
        assert "# of the sea" in text
        assert "other: A tower" in text
        removed = session.save({"id": HERO, "fields": {"caption": None, "style": ""}, "version": saved["version"]})
        assert sorted(added(removed["diff"])) == ["-    caption: At sea", "-    style: ink"]
        host_image = session.image(HERO)["image"]
        assert (host_image["caption"], host_image["style_name"]) == (None, None)


def test_what_is_so_already_is_not_written(site: Project) -> None:
    before = page_of(site).read_bytes()
    with studio(site) as (_, session, _):
        fields = {"prompt": "Fog", "model": "qh-draw-x2-preview", "size": "96x54", "variant": 1, "style": None}
        saved = session.save({"id": HERO, "fields": fields, "version": version(session)})
        assert saved["diff"] == ""
        assert saved["undo"] is False
    assert page_of(site).read_bytes() == before


def test_the_state_is_right_after_the_site_was_built_again(site: Project) -> None:
    with studio(site) as (host, session, _):
        session.save({"id": HERO, "fields": {"prompt": "Rain"}, "version": version(session)})
        before = session.image(HERO)["image"]
        assert before["files"]  # those that the page shows until it is built again
        host.build()
        after = session.image(HERO)["image"]
        assert (after["key"], after["prompt"], after["editable"]) == (before["key"], "Rain", True)
        assert after["files"] != before["files"]


def test_a_file_that_was_edited_meanwhile_is_not_written(site: Project) -> None:
    with studio(site) as (_, session, events):
        session.buy({"id": HERO, "count": 4})
        events.wait_for("saved", 4)
        shown = version(session)
        edited = PAGE.replace("# Start", "# A better start")
        page_of(site).write_text(edited)
        for operation, body in (
            (session.pick, {"id": HERO, "variant": 2, "version": shown}),
            (session.save, {"id": HERO, "fields": {"prompt": "Rain"}, "version": shown}),
            (session.diff, {"id": HERO, "fields": {"prompt": "Rain"}, "version": shown}),
        ):
            with pytest.raises(Problem, match=r"docs/guide/start\.md was edited elsewhere") as problem:
                operation(body)
            assert (problem.value.status, problem.value.kind) == (409, "changed")
        assert page_of(site).read_text() == edited
        session.pick({"id": HERO, "variant": 2, "version": version(session)})
        assert page_of(site).read_text() == edited.replace("of the sea\n", "of the sea\n    variant: 2\n")


def test_an_author_who_edits_a_page_sees_it_before_the_build(site: Project) -> None:
    with studio(site) as (_, session, _):
        assert session.image(HERO)["image"]["prompt"] == "Fog"
        page_of(site).write_text(PAGE.replace("'Fog'", "Hail"))
        image = session.image(HERO)["image"]
        assert (image["prompt"], image["editable"]) == ("Hail", True)


def test_undo_takes_back_write_by_write_and_stops_where_somebody_else_has_written(site: Project) -> None:
    first = page_of(site).read_bytes()
    with studio(site) as (_, session, _):
        session.save({"id": HERO, "fields": {"alt": "One"}, "version": version(session)})
        second = page_of(site).read_bytes()
        session.save({"id": HERO, "fields": {"alt": "Two"}, "version": version(session)})
        third = page_of(site).read_bytes()
        page_of(site).write_bytes(third + b"more\n")
        assert session.state(None)["undo"] is None
        with pytest.raises(Problem, match="edited elsewhere") as problem:
            session.undo({})
        assert problem.value.kind == "changed"
        assert page_of(site).read_bytes() == third + b"more\n"
        page_of(site).write_bytes(third)
        session.undo({})
        assert page_of(site).read_bytes() == second
        session.undo({})
        assert page_of(site).read_bytes() == first
        with pytest.raises(Problem, match="nothing that could be taken back"):
            session.undo({})


@pytest.mark.parametrize("text", [PAGE.replace("\n", "\r\n"), "\ufeff" + PAGE, PAGE.rstrip("\n")])
def test_line_ends_and_marks_of_a_file_stay(site: Project, text: str) -> None:
    page_of(site).write_bytes(text.encode())
    with studio(site) as (_, session, _):
        session.save({"id": HERO, "fields": {"alt": "Sea"}, "version": version(session)})
        assert page_of(site).read_bytes() == text.replace("alt: Fog", "alt: Sea").encode()
        session.undo({})
        assert page_of(site).read_bytes() == text.encode()


def test_the_mode_stays_and_links_are_followed_within_the_pages(site: Project) -> None:
    require_posix("file modes")
    real = site.write("docs/shared/real.md", PAGE)
    real.chmod(0o640)
    link = site.docs / "linked.md"
    link.symlink_to(Path("shared/real.md"))
    with studio(site) as (_, session, _):
        session.save({"id": "linked.md#hero", "fields": {"alt": "Sea"}, "version": version(session, "linked.md#hero")})
    assert link.is_symlink()
    assert real.read_text() == PAGE.replace("alt: Fog", "alt: Sea")
    assert stat.S_IMODE(real.stat().st_mode) == 0o640
    assert not list(real.parent.glob("*.part"))


def test_of_two_tabs_that_save_at_once_one_is_told_of_the_other(site: Project) -> None:
    with studio(site) as (_, session, _):
        shown, start, kinds = version(session), threading.Barrier(4), list[str]()

        def save(alt: str) -> bool:
            start.wait()
            try:
                session.save({"id": HERO, "fields": {"alt": alt}, "version": shown})
            except Problem as problem:
                kinds.append(problem.kind)
                return False
            return True

        words = ["One", "Two", "Three", "Four"]
        with ThreadPoolExecutor(4) as tabs:
            written = [word for word, done in zip(words, tabs.map(save, words), strict=True) if done]
        assert len(written) == 1
        assert kinds == ["changed"] * 3
        assert page_of(site).read_text() == PAGE.replace("alt: Fog", f"alt: {written[0]}")


def test_a_page_that_cannot_be_edited_says_what_to_write(site: Project) -> None:
    site.write("docs/headers.md", "qhaigc: Fog at sea\n\n![](qhaigc:hero)\n")
    with studio(site) as (_, session, _):
        identity = "headers.md#hero"
        with pytest.raises(Problem, match="front matter") as problem:
            session.save({"id": identity, "fields": {"alt": "Fog"}, "version": version(session, identity)})
        assert (problem.value.status, problem.value.kind) == (422, "edit")
        assert 'Write `alt: "Fog"` into the directive yourself' in str(problem.value)


def test_the_history_has_earlier_prompts_and_takes_them_back(site: Project, api: ImagesApi) -> None:
    with studio(site) as (host, session, events):
        first = session.buy_missing({"ids": None})["jobs"][0]["key"]
        events.wait_for("saved", 2)
        session.save({"id": HERO, "fields": {"prompt": "Rain", "style": "ink"}, "version": version(session)})
        session.buy_missing({"ids": [HERO]})
        events.wait_for("saved", 3)
        rain = session.image(HERO)["image"]["key"]
        session.save({"id": HERO, "fields": {"prompt": "Hail", "style": "oil"}, "version": version(session)})
        host.build()
        history = session.image(HERO)["history"]
        assert {row["key"] for row in history} == {first, rain}
        assert [row["made"] for row in history] == sorted((row["made"] for row in history), reverse=True)
        for row in history:
            fields = {name: row[name] for name in ("prompt", "style", "model", "size", "variant")}
            session.save({"id": HERO, "fields": fields, "version": version(session)})
            image = session.image(HERO)["image"]
            assert (image["key"], image["state"]) == (row["key"], "cached")
        other = session.image("guide/start.md#other")
        assert other["history"] == []  # what was made for `hero` is none of it


def test_a_history_without_names_in_its_records_is_found_by_a_name_that_is_only_here(
    site: Project, api: ImagesApi
) -> None:
    with studio(site) as (_, session, events):
        session.buy_missing({"ids": None})
        events.wait_for("saved", 2)
        for path in (site.cache / "originals").glob("*.json"):
            text = path.read_text().replace('"where"', '"was"')
            path.write_text(text)
        session.save({"id": HERO, "fields": {"prompt": "Rain"}, "version": version(session)})
        assert [row["prompt"] for row in session.image(HERO)["history"]] == ["Fog"]


def test_approved_images_are_pinned_and_nothing_is_taken_away(site: Project, api: ImagesApi) -> None:
    with studio(site) as (_, session, events):
        session.buy_missing({"ids": [HERO]})
        events.wait_for("saved")
        stray = site.write("generated-images/old-0123456789abcdef.png", b"x")
        other = "guide/start.md#other"
        assert session.review({"id": HERO, "verdict": "approved"})["review"] == "approved"
        assert session.review({"id": other, "verdict": "approved"})["review"] == "approved"
        assert session.state(None)["bar"]["approved"] == 2
        pinned = session.pin({"ids": None})
        [path] = pinned["pinned"]
        assert (site.folder / path).is_file()
        assert [one["id"] for one in pinned["left"]] == [other]
        assert "mkdocs-qhaigc generate" in pinned["left"][0]["why"]
        assert stray.exists()
        assert session.image(HERO)["image"]["state"] == "pinned"
        assert session.state(None)["bar"]["unpinned"] == 0
        assert session.pin({"ids": [HERO]}) == {"pinned": [], "left": []}
        assert session.review({"id": HERO, "verdict": None})["review"] is None
        assert site.build().summary == "1 generated, 1 pinned"


def test_the_sheet_of_variants_is_true_after_a_pick_and_after_it_is_taken_back(site: Project) -> None:
    assert run(site, "candidates", HERO, "--yes", "-n", "3").returncode == 0
    [sheet] = (site.cache / "candidates").glob("*.html")

    def used() -> list[str]:
        titles = re.findall(r"<h2>(Variant.*?)</h2>", sheet.read_text(encoding="utf-8"))
        return [title for title in titles if "in use" in title]

    with studio(site) as (_, session, _):
        session.pick({"id": HERO, "variant": 2, "version": version(session)})
        assert [title[:9] for title in used()] == ["Variant 2"]
        session.undo({})
        assert [title[:9] for title in used()] == ["Variant 1"]


def test_a_page_that_was_edited_while_it_was_built_can_be_edited_here(site: Project) -> None:
    with studio(site) as (host, session, _):
        survey = host.survey()
        begun = survey.begun_at + 50_000_000_000
        page_of(site).write_text(PAGE.replace("Fog'", "Rain'"))
        os.utime(page_of(site), ns=(begun, begun))  # it was read before, and the build has ended later
        image = session.image(HERO)["image"]
        assert (image["prompt"], image["editable"]) == ("Rain", True)


def test_an_edit_that_is_saved_while_the_studio_writes_is_not_lost(
    site: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    sync = os.fsync

    def slow(descriptor: int) -> None:
        monkeypatch.setattr(os, "fsync", sync)
        page_of(site).write_text(PAGE + "What an author has typed\n")
        sync(descriptor)

    with studio(site) as (_, session, _):
        shown = version(session)
        monkeypatch.setattr(os, "fsync", slow)
        with pytest.raises(Problem, match="edited elsewhere"):
            session.save({"id": HERO, "fields": {"alt": "Sea"}, "version": shown})
        assert page_of(site).read_text() == PAGE + "What an author has typed\n"
        assert [path.name for path in page_of(site).parent.iterdir()] == ["start.md"]


def test_a_dark_image_that_is_not_there_goes_with_the_light_one(site: Project, api: ImagesApi) -> None:
    page_of(site).write_text(PAGE.replace("    alt: Fog\n", "    alt: Fog\n    dark: Night\n"))
    with studio(site) as (_, session, events):
        session.buy({"id": HERO, "count": 4})
        events.wait_for("saved", 4)
        picked = session.pick({"id": HERO, "variant": 2, "version": version(session)})
        assert added(picked["diff"]) == ["+    variant: 2"]
        assert session.image(f"{HERO}-dark")["image"]["variant"] == 2


def test_light_and_dark_are_picked_separately(site: Project, api: ImagesApi) -> None:
    text = PAGE.replace("    alt: Fog\n", "    alt: Fog\n    dark: Night\n")
    page_of(site).write_text(text)
    dark = f"{HERO}-dark"
    with studio(site) as (host, session, events):
        session.buy_missing({"ids": [HERO, dark]})
        session.buy({"id": HERO, "count": 4})
        session.buy({"id": dark, "count": 4})
        events.wait_for("saved", 10)
        session.pick({"id": HERO, "variant": 3, "version": version(session)})
        light_picked = page_of(site).read_bytes()
        assert (session.image(HERO)["image"]["variant"], session.image(dark)["image"]["variant"]) == (3, 1)
        picked = session.pick({"id": dark, "variant": 4, "version": version(session, dark)})
        assert len(added(picked["diff"])) == 2
        assert (session.image(HERO)["image"]["variant"], session.image(dark)["image"]["variant"]) == (3, 4)
        assert {image["state"] for image in session.state("/guide/start/")["images"][:2]} == {"cached"}
        saved = session.save({"id": dark, "fields": {"prompt": "Late"}, "version": picked["version"]})
        assert len(added(saved["diff"])) == 2
        image = session.image(dark)["image"]
        assert (image["prompt"], image["state"], image["variant"]) == ("Late", "missing", 4)
        assert session.image(HERO)["image"]["prompt"] == "Fog"
        assert "Night" in [row["prompt"] for row in session.image(dark)["history"]]
        session.undo({})
        session.undo({})
        assert page_of(site).read_bytes() == light_picked
        session.undo({})
        assert page_of(site).read_text() == text
        host.build()
        assert {image["state"] for image in session.state("/guide/start/")["images"][:2]} == {"cached"}
