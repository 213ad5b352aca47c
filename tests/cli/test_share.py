"""Commands of a site with a shared store: what they say of it, put into it, take from it and remove from it."""

from __future__ import annotations

import json
import os
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import Machine, Project
from tests.helpers.api import ImagesApi, draw, error
from tests.helpers.commands import Terminal, run


@pytest.fixture
def bought(machine: Machine) -> Project:
    """A machine that has bought both images while it shared nothing."""
    project = machine("first")
    project.options["shared_mode"] = "off"
    assert project.build().summary == "2 generated"
    project.options["shared_mode"] = "auto"
    return project


def printed(finished: subprocess.CompletedProcess[str], code: int = 0) -> dict[str, Any]:
    assert finished.returncode == code, finished.stdout + finished.stderr
    found: dict[str, Any] = json.loads(finished.stdout)
    return found


def records(team: Path) -> list[Path]:
    return sorted(team.glob("??/*.json"))


def test_share_uploads_what_the_store_lacks(bought: Project, team: Path) -> None:
    dry = printed(run(bought, "share", "--dry-run", "--json"))
    assert [image["state"] for image in dry["images"]] == ["to upload"] * 2
    assert records(team) == []
    done = printed(run(bought, "share", "--json"))
    assert ([image["state"] for image in done["images"]], done["uploaded"], done["there"]) == (["uploaded"] * 2, 2, 0)
    assert len(records(team)) == 2
    again = run(bought, "share")
    assert again.stdout == f"file://{team}: 2 there already, 0 images uploaded.\n"


@pytest.mark.slow
def test_share_shows_its_progress_on_a_terminal(bought: Project, team: Path) -> None:
    terminal = Terminal(bought, "share")
    code, said = terminal.end()
    assert (code, "Uploading images" in said, "2 images uploaded." in said) == (0, True, True), said
    assert len(records(team)) == 2


def test_share_puts_back_an_image_whose_record_is_there(bought: Project, team: Path) -> None:
    run(bought, "share")
    image = next(team.glob("??/*.png"))
    data = image.read_bytes()
    image.unlink()
    assert printed(run(bought, "share", "--json"))["uploaded"] == 1
    assert image.read_bytes() == data


def test_share_replaces_nothing(bought: Project, machine: Machine, team: Path) -> None:
    other = machine("other")
    assert other.build().summary == "2 generated"
    before = {path: path.read_bytes() for path in records(team)}
    next(team.glob("??/*.png")).unlink()
    done = printed(run(bought, "share", "--json"))
    assert [image["state"] for image in done["images"]] == ["taken"]
    assert {path: path.read_bytes() for path in records(team)} == before


def test_share_needs_a_store_that_it_may_write(bought: Project) -> None:
    bought.options["shared_mode"] = "read-only"
    finished = run(bought, "share")
    assert (finished.returncode, "shared_mode: auto" in finished.stderr) == (1, True)
    del bought.options["shared"]
    finished = run(bought, "share")
    assert (finished.returncode, "it names no store" in finished.stderr) == (1, True)


def test_commands_know_what_only_the_store_has(bought: Project, machine: Machine, api: ImagesApi) -> None:
    run(bought, "share")
    project = machine("second")
    plan = printed(run(project, "plan", "--json"))
    assert ([image["state"] for image in plan["images"]], plan["to_buy"]) == (["shared"] * 2, 0)
    assert "2 images: 2 shared. To buy: nothing." in run(project, "plan").stdout
    assert printed(run(project, "check", "--json"))["shared"] == 2
    assert "Nothing to buy" in run(project, "generate", "--yes").stdout
    assert project.originals == []  # they were looked for, and not copied
    differs = printed(run(project, "pin", "--check", "--json"), 1)
    assert "run `mkdocs-qhaigc pin`" in differs["folders"][0]["pins"][0]["why"]
    pinned = printed(run(project, "pin", "--json"))
    assert {pin["state"] for pin in pinned["folders"][0]["pins"]} == {"pinned"}
    assert len(list((project.folder / "generated-images").glob("*.png"))) == 2
    assert project.build().summary == "2 pinned"
    assert len(api.calls) == 2


def test_the_gallery_shows_what_only_the_store_has(bought: Project, machine: Machine) -> None:
    run(bought, "share")
    project = machine("second")
    images = printed(run(project, "gallery", "--json"))["images"]
    assert [(image["state"], Path(image["file"]).exists()) for image in images] == [("shared", True)] * 2


def test_the_report_names_what_came_from_the_store(bought: Project, machine: Machine) -> None:
    run(bought, "share")
    project = machine("second")
    project.options["report"] = "report.json"
    assert project.build().summary == "2 shared"
    report = json.loads((project.folder / "report.json").read_bytes())
    assert [(image["state"], image["requests"]) for image in report["images"]] == [("shared", 0)] * 2


@pytest.mark.parametrize("missing", ["placeholder", "error"])
def test_builds_that_must_not_buy_take_images_from_the_store(missing: str, bought: Project, machine: Machine) -> None:
    run(bought, "share")
    project = machine("second")
    project.options["missing"] = missing
    assert project.build("--strict").summary == "2 shared"


def test_an_image_that_does_not_come_is_missing(bought: Project, machine: Machine, team: Path) -> None:
    run(bought, "share")
    next(team.glob("??/*.png")).write_bytes(b"something else")
    project = machine("second")
    project.options["missing"] = "error"
    built = project.build()
    assert built.code == 1
    assert "1 image is missing" in built.output


def test_prune_removes_from_the_store_what_no_site_uses(bought: Project, team: Path) -> None:
    run(bought, "share")
    bought.page("index.md", "![A](qhaigc:a)", qhaigc={"a": {"prompt": "first", "alt": "A"}})
    kept = printed(run(bought, "prune", "--shared", "--yes", "--json"))
    assert [image["state"] for image in kept["images"]] == ["young"]
    long_ago = time.time() - 100 * 86400
    for path in team.rglob("*.*"):
        os.utime(path, (long_ago, long_ago))
    dry = printed(run(bought, "prune", "--shared", "--dry-run", "--json"))
    assert ([image["state"] for image in dry["images"]], dry["removed"]) == (["to remove"], 0)
    assert run(bought, "prune", "--shared").returncode == 2  # nobody can be asked
    assert len(records(team)) == 2
    done = printed(run(bought, "prune", "--shared", "--yes", "--json"))
    assert (done["removed"], len(records(team)), len(list(team.glob("??/*.png")))) == (1, 1, 1)
    assert len(list((bought.cache / "originals").glob("*.png"))) == 2  # the cache is another matter


def test_prune_removes_nothing_that_one_of_several_sites_uses(machine: Machine, team: Path) -> None:
    one, two = machine("one"), machine("two")
    one.page("index.md", "![A](qhaigc:a)", qhaigc={"a": {"prompt": "first", "alt": "A", "dark": "first by night"}})
    two.page("index.md", "![B](qhaigc:b)", qhaigc={"b": {"prompt": "second", "alt": "B"}})
    for project in (one, two):
        assert project.build().code == 0
    long_ago = time.time() - 100 * 86400
    for path in team.rglob("*.*"):
        os.utime(path, (long_ago, long_ago))
    both = [part for project in (one, two) for part in ("-f", str(project.write_config()))]
    assert printed(run(one, "prune", "--shared", "--yes", "--json", *both))["removed"] == 0
    alone = printed(run(one, "prune", "--shared", "--dry-run", "--json"))
    assert [image["state"] for image in alone["images"]] == ["to remove"]  # that of the site which is not given
    two.options["base_url"] = "sandbox"  # the drawings that it uses are elsewhere; what it uses here is not known
    two.write_config()
    refused = run(one, "prune", "--shared", "--yes", *both)
    assert (refused.returncode, "do not all name one shared store" in refused.stderr) == (1, True)
    assert len(records(team)) == 3


def test_share_uploads_what_was_adopted(machine: Machine, team: Path, api: ImagesApi) -> None:
    project = machine("first")
    project.options["missing"] = "placeholder"
    project.write("mine.png", draw("mine", 96, 54))
    adopted = run(project, "pin", "--adopt", "mine.png", "index.md#a")
    assert adopted.returncode == 0, adopted.stderr
    assert printed(run(project, "share", "--json"))["uploaded"] == 1
    (record,) = records(team)
    assert json.loads(record.read_bytes())["api"] == "adopted"
    other = machine("second")
    other.options["missing"] = "placeholder"
    assert other.build().summary == "1 shared, 1 placeholder"
    assert api.calls == []


def test_an_image_whose_prompt_was_refused_here_is_taken_from_the_store(
    bought: Project, machine: Machine, api: ImagesApi
) -> None:
    project = machine("second")
    api.script = [error(400, "content_policy_violation")] * 2
    assert project.build().summary == "2 placeholders"
    assert printed(run(project, "check", "--json"), 1)["shared"] == 0
    run(bought, "share")
    plan = printed(run(project, "plan", "--json"))
    assert [image["state"] for image in plan["images"]] == ["shared"] * 2
    assert printed(run(project, "check", "--json"))["shared"] == 2
    assert run(project, "candidates", "index.md#a", "-n", "1").returncode == 0
    assert run(project, "pin").returncode == 0
    assert project.build("--strict").summary == "2 pinned"
    assert len(api.calls) == 4


def test_sync_takes_images_from_the_store(bought: Project, machine: Machine, api: ImagesApi) -> None:
    run(bought, "share")
    project = machine("second")
    project.environment["QHAIGC_API_KEY"] = ""
    synced = run(project, "sync", "--no-pin")
    assert (synced.returncode, "not pinned" in synced.stderr) == (0, False), synced.stderr
    assert len(list((project.folder / "docs/assets/qhaigc").glob("*.webp"))) == 2
    assert not (project.folder / "generated-images").exists()
    project.options["shared_mode"] = "read-only"  # what is bought here stays here
    assert "2 of the images are not pinned" in run(project, "sync", "--no-pin").stderr
    assert "Pinned: 2 images" in run(project, "sync").stdout
    assert len(api.calls) == 2


def test_drawings_of_the_sandbox_have_a_place_of_their_own(bought: Project, machine: Machine, team: Path) -> None:
    project = machine("second")
    project.options["base_url"] = "sandbox"
    assert project.build().summary == "2 generated"
    assert records(team) == []
    assert len(list((team / "sandbox").glob("??/*.json"))) == 2
    other = machine("third")
    other.options.update(base_url="sandbox", missing="placeholder")
    assert other.build().summary == "2 shared"
    assert printed(run(bought, "share", "--json"))["uploaded"] == 2  # this site's own, and none of the drawings
    assert len(records(team)) == 2


def test_candidates_and_regenerate_take_variants_from_the_store(machine: Machine, api: ImagesApi) -> None:
    assert run(machine("first"), "candidates", "index.md#a", "-n", "2", "--yes").returncode == 0
    other, calls = machine("other"), len(api.calls)
    picked = run(other, "candidates", "index.md#a", "--pick", "2")
    assert picked.returncode == 0, picked.stderr

    third = machine("third")
    sheet = run(third, "candidates", "index.md#a", "-n", "2")  # nothing to buy, so nothing to ask
    assert sheet.returncode == 0, sheet.stderr
    assert len(api.calls) == calls
    again = run(machine("fourth"), "regenerate", "index.md#a", "--yes")
    assert "Variant 2 is bought already" in again.stderr
    assert "index.md: a is variant 3 now." in again.stdout
    assert len(api.calls) == calls + 1
