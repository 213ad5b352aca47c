"""Images that are paid for and not all here: pointers of Git LFS, pins without records, links."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import Project, require_posix
from tests.helpers.api import ImagesApi, draw
from tests.helpers.commands import buy, contents, run
from tests.zensical.test_sync import sync

pytestmark = pytest.mark.slow

PULL = "Run `git lfs pull`"


@pytest.fixture
def pinned(project: Project, api: ImagesApi) -> Project:
    """A project with two pins, `hero` and `boat`, and nothing else; whoever asks the API gets others."""
    project.page("index.md", "![Fog](qhaigc:hero) ![A boat](qhaigc:boat)", qhaigc={"hero": "fog", "boat": "a boat"})
    buy(project, api)
    assert run(project, "pin").returncode == 0
    shutil.rmtree(project.cache)
    api.calls.clear()
    return project


def to_pointers(folder: Path, pattern: str) -> Callable[[], None]:
    """Leave of files what a checkout without Git LFS has; return what fetches them."""
    before = {path: path.read_bytes() for path in folder.glob(pattern)}
    assert before
    for path, data in before.items():
        path.write_bytes(
            b"version https://git-lfs.github.com/spec/v1\noid sha256:%064d\nsize %d\n" % (len(data), len(data))
        )

    def fetch() -> None:
        for path, data in before.items():
            path.write_bytes(data)

    return fetch


@pytest.mark.parametrize("pattern", ["*.png", "*"])
def test_pins_that_git_lfs_has_are_not_bought_again(pinned: Project, api: ImagesApi, pattern: str) -> None:
    """Also where the records are pointers, too."""
    folder = pinned.folder / "generated-images"
    fetch = to_pointers(folder, pattern)
    committed = contents(folder)
    built = pinned.build()
    assert built.summary == "2 placeholders"
    (warning,) = built.warnings
    assert "2 images are placeholders (index.md#hero, index.md#boat)" in warning
    assert PULL in warning

    plan = json.loads(run(pinned, "plan", "--json").stdout)
    assert (plan["to_buy"], {one["state"] for one in plan["images"]}) == (0, {"unreadable"})
    for arguments in (("generate", "--yes"), ("check",), ("pin",), ("candidates", "index.md#hero", "-n", "1", "--yes")):
        finished = run(pinned, *arguments)
        assert finished.returncode == 1, arguments
        assert PULL in finished.stdout + finished.stderr, arguments
    generated = json.loads(run(pinned, "generate", "index.md#hero", "--yes", "--json").stdout)
    assert (generated["failed"], PULL in generated["images"][0]["reason"]) == (1, True)

    pinned.options["missing"] = "error"
    built = pinned.build()
    assert built.code == 1
    assert PULL in built.output
    assert contents(folder) == committed

    fetch()
    assert pinned.build("--strict").summary == "2 pinned"
    assert not api.calls


def test_what_is_missing_beside_what_git_lfs_has_is_bought(pinned: Project, api: ImagesApi) -> None:
    to_pointers(pinned.folder / "generated-images", "hero-*.png")
    pinned.page("more.md", "![New](qhaigc:hero)", qhaigc="something new")
    finished = run(pinned, "generate", "--yes")
    assert finished.returncode == 1
    assert "1 image generated" in finished.stdout
    assert PULL in finished.stderr
    assert api.prompts == ["something new"]


def test_a_cache_stands_in_for_pins_that_git_lfs_has(pinned: Project, api: ImagesApi) -> None:
    shutil.copytree(pinned.folder / "generated-images", pinned.cache / "originals")
    to_pointers(pinned.folder / "generated-images", "*.png")
    assert pinned.build("--strict").summary == "2 cached"
    assert not api.calls


def test_pointers_without_records_are_not_bought_either(pinned: Project, api: ImagesApi) -> None:
    folder = pinned.folder / "generated-images"
    fetch = to_pointers(folder, "*.png")
    for record in folder.glob("*.json"):
        record.unlink()
    built = pinned.build()
    assert built.summary == "2 placeholders"
    assert PULL in built.output
    fetch()
    assert pinned.build("--strict").summary == "2 generated"  # as any pin without its record
    assert not api.calls


def test_pins_that_git_lfs_has_are_not_taken_away(pinned: Project, api: ImagesApi) -> None:
    """Of the image the cache would have its pointer."""
    folder = pinned.folder / "generated-images"
    fetch = to_pointers(folder, "*.png")
    committed = contents(folder)
    pinned.page("index.md", "![A boat](qhaigc:boat)", qhaigc={"boat": "a boat"})
    finished = run(pinned, "pin")
    assert (finished.returncode, PULL in finished.stdout + finished.stderr) == (1, True)
    assert contents(folder) == committed
    fetch()
    assert run(pinned, "pin").returncode == 0
    pinned.page("index.md", "![Fog](qhaigc:hero) ![A boat](qhaigc:boat)", qhaigc={"hero": "fog", "boat": "a boat"})
    assert pinned.build("--strict").summary == "1 cached, 1 pinned"
    assert not api.calls


def test_a_variant_that_git_lfs_has_is_not_said_to_be_missing(pinned: Project) -> None:
    to_pointers(pinned.folder / "generated-images", "*.png")
    finished = run(pinned, "candidates", "index.md#hero", "--pick", "1")
    assert (finished.returncode, PULL in finished.stderr) == (1, True)
    assert "To buy it" not in finished.stderr


def _gone(record: Path) -> None:
    record.unlink()


def _cut(record: Path) -> None:
    record.write_bytes(record.read_bytes()[:40])


@pytest.mark.parametrize("damage", [_gone, _cut])
def test_a_pin_without_its_record_is_used_and_has_one_again(
    pinned: Project, api: ImagesApi, damage: Callable[[Path], Any]
) -> None:
    folder = pinned.folder / "generated-images"
    (record,) = folder.glob("hero-*.json")
    bytes_before = record.with_suffix(".png").read_bytes()
    damage(record)
    built = pinned.build()
    assert built.summary == "1 generated, 1 pinned"
    assert f"{record.with_suffix('.png').name} had no record that can be used" in built.output
    assert run(pinned, "pin").returncode == 0
    assert record.with_suffix(".png").read_bytes() == bytes_before
    shutil.rmtree(pinned.cache)
    assert pinned.build("--strict").summary == "2 pinned"
    assert not api.calls


def test_links_in_the_place_of_images_are_neither_followed_nor_bought(
    project: Project, api: ImagesApi, tmp_path: Path
) -> None:
    """As git-annex and DVC leave them."""
    require_posix("links that anybody may make")
    project.page("index.md", "![x](qhaigc:hero)", qhaigc={"hero": "fog"})
    sync(project)
    shutil.rmtree(project.cache)
    for path in (project.folder / "generated-images").glob("hero-*"):
        if path.suffix != ".json":
            path.rename(tmp_path / path.name)
            path.symlink_to(tmp_path / path.name)
    built = project.build()
    assert built.summary == "1 placeholder"
    assert "is a link, which may lead anywhere" in built.output
    assert "is a link" in run(project, "generate", "--yes").stderr
    assert len(api.calls) == 1


def test_a_pin_that_somebody_has_compressed_is_not_bought_again(pinned: Project, api: ImagesApi) -> None:
    """As oxipng in a pre-commit hook does, or ImgBot."""
    folder = pinned.folder / "generated-images"
    (path,) = folder.glob("hero-*.png")
    created = "2020-01-01T00:00:00+00:00"
    record = json.loads(path.with_suffix(".json").read_bytes())
    path.with_suffix(".json").write_text(json.dumps({**record, "created": created}), "utf-8")
    compressed = draw("fog, in fewer bytes", 96, 54)
    path.write_bytes(compressed)
    built = pinned.build()
    assert built.summary == "1 generated, 1 pinned"
    assert run(pinned, "pin").returncode == 0
    assert path.read_bytes() == compressed
    assert json.loads(path.with_suffix(".json").read_bytes())["created"] == created
    shutil.rmtree(pinned.cache)
    assert pinned.build("--strict").summary == "2 pinned"
    assert not api.calls
