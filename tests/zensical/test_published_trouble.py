"""Images that are nowhere but among the pages: killed syncs, edits that are taken back, conflicts, a sandbox."""

from __future__ import annotations

import io
import json
import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from PIL import Image, ImageDraw

from mkdocs_qhaigc.imaging.encode import origin
from mkdocs_qhaigc.imaging.metadata import TRAINED
from tests.conftest import Project
from tests.helpers.api import ImagesApi, bytes_by_url, draw, error, in_size
from tests.helpers.commands import git, names, run, run_in
from tests.zensical.test_published import COMMITTED, best_file, clone, contents, lose_originals
from tests.zensical.test_sync import OUT, needs_toml, sync

__all__ = ["clone"]

pytestmark = pytest.mark.slow

HOME = "# Home\n\n![x](qhaigc:hero)"
DYING = """
import os, signal, sys
from mkdocs_qhaigc import syncing
from mkdocs_qhaigc.cli import main

name, after = sys.argv[1], sys.argv[2] == "after"
real = getattr(syncing, name)

def dying(*arguments, **others):
    if after:
        real(*arguments, **others)
    os.kill(os.getpid(), signal.SIGKILL)

setattr(syncing, name, dying)
sys.argv[1:] = ["sync"]
main()
"""
"""`sync`, killed in mid-step."""


def images(project: Project) -> dict[str, bytes]:
    return {name: data for name, data in contents(project).items() if name != ".qhaigc.json"}


def kill(project: Project, when: str, step: str) -> None:
    """Have `sync` killed before or after a step."""
    project.write_config()
    command = [sys.executable, "-c", DYING, step, when]
    finished = subprocess.run(command, cwd=project.folder, env=project.environ(), capture_output=True, check=False)
    assert finished.returncode == -signal.SIGKILL, finished.stderr


def encoded(image: Image.Image) -> bytes:
    target = io.BytesIO()
    image.save(target, "PNG")
    return target.getvalue()


# Ended in between


def rename(project: Project) -> None:
    project.page("index.md", "# Home\n\n![x](qhaigc:cover)", qhaigc={"cover": "fog"}, image="qhaigc:cover")


@pytest.mark.skipif(os.name == "nt", reason="kills a process by a signal")
@pytest.mark.parametrize(("when", "step"), [("before", "write_whole"), ("after", "write_whole"), ("after", "_remove")])
@pytest.mark.parametrize(
    "change",
    [
        rename,
        lambda project: project.options.update(widths=[32]),
        lambda project: project.options.update(quality=70),
        lambda project: project.options.update(formats=["webp"]),
    ],
    ids=["renamed", "widths", "quality", "formats"],
)
def test_a_sync_that_is_killed_while_it_writes_leaves_all_that_there_was(
    clone: Project, api: ImagesApi, change: Callable[[Project], None], when: str, step: str
) -> None:
    change(clone)
    kill(clone, when, step)
    assert json.loads(run(clone, "plan", "--json").stdout)["to_buy"] == 0
    sync(clone)
    assert "0 written" in sync(clone)
    assert not api.calls


def test_a_file_that_cannot_be_written_costs_nothing(clone: Project, api: ImagesApi) -> None:
    committed = contents(clone)
    clone.options["widths"] = [32]
    sync(clone)
    new = sorted(contents(clone).keys() - committed.keys())[0]
    for name in contents(clone):
        (clone.folder / OUT / name).unlink()
    for name, data in committed.items():
        clone.write(f"{OUT}/{name}", data)
    lose_originals(clone)
    (clone.folder / OUT / new).mkdir()
    assert "cannot be written" in sync(clone, code=1)
    (clone.folder / OUT / new).rmdir()
    sync(clone)
    assert not api.calls


# Taken back


def test_nothing_is_removed_while_a_directive_cannot_be_used(clone: Project, api: ImagesApi) -> None:
    whole, committed = (clone.docs / "index.md").read_text("utf-8"), images(clone)
    for broken in (
        "---\nqhaigc: a: b\n---\n# Home\n",
        '---\n{"qhaigc": {"hero": {"prompt": "fog", "sise": "9x9"}}}\n---\n',
    ):
        clone.write("docs/index.md", broken)
        assert "0 removed" in sync(clone, code=1)
        assert images(clone) == committed
    clone.write("docs/index.md", whole)
    assert "0 written, 14 unchanged, 0 removed" in sync(clone)
    assert not api.calls


@pytest.mark.parametrize("change", ["switched off", "another prompt", "another variant"])
def test_what_an_edit_takes_away_comes_back_with_it(clone: Project, api: ImagesApi, change: str) -> None:
    api.default = error(400, "content_policy_violation", "no")
    whole, committed = (clone.docs / "index.md").read_text("utf-8"), contents(clone)
    if change == "switched off":
        clone.options["enabled"] = False
        sync(clone)
        assert names(clone.folder / OUT) == [".qhaigc.json"]
    else:
        another = {"prompt": "a weapon"} if change == "another prompt" else {"prompt": "fog", "variant": 2}
        clone.page("index.md", HOME, qhaigc={"hero": another}, image="qhaigc:hero")
        sync(clone, code=1)
    asked = len(api.calls)
    clone.options["enabled"] = True
    clone.write("docs/index.md", whole)
    sync(clone)
    assert len(contents(clone)) == 15
    assert len(api.calls) == asked
    assert images(clone) == {name: data for name, data in committed.items() if name != ".qhaigc.json"}


def test_a_file_that_had_lost_nothing_is_kept(project: Project, api: ImagesApi) -> None:
    data = encoded(Image.effect_noise((96, 54), 60).convert("RGB"))
    api.default = bytes_by_url(data)
    project.options |= {"widths": [], "formats": ["png", "webp"], "cache_dir": ".qhaigc"}
    project.page("index.md", HOME, qhaigc={"hero": "fog"})
    sync(project)
    lose_originals(project)
    best = best_file(project, "hero").read_bytes()
    project.options["formats"] = ["webp"]
    assert "1 removed" in sync(project)
    project.options["formats"] = ["png", "webp"]
    sync(project)
    assert best_file(project, "hero").read_bytes() == best
    assert len(api.calls) == 1


def test_another_file_of_its_size_does_as_well(clone: Project, api: ImagesApi) -> None:
    best_file(clone, "hero").unlink()
    clone.options["missing"] = "error"
    sync(clone)
    assert not api.calls


# Two branches


def merge(project: Project, ours: Callable[[], Any], theirs: Callable[[], Any]) -> None:
    """Merge two branches that have the same new image, each after a change; git leaves our files."""
    project.options |= {"widths": [], "formats": ["webp", "jpeg"], "cache_dir": ".qhaigc"}
    project.page("index.md", "x")
    project.write(".gitignore", ".qhaigc/\nmkdocs.yml\n")
    git(project.folder, "init", "-q")
    git(project.folder, "add", "-A")
    git(project.folder, "commit", "-qm", "one")
    for branch, change in (("theirs", theirs), ("ours", ours)):
        git(project.folder, "checkout", "-q", "-b", branch, "main")
        project.page("own.md", qhaigc={"own": {"prompt": "fog", "alt": ""}})
        change()
        sync(project)
        lose_originals(project)
        git(project.folder, "add", "-A")
        git(project.folder, "commit", "-qm", branch)
    git(project.folder, "merge", "-q", "theirs", code=1)
    assert "<<<<<<<" in (project.folder / COMMITTED).read_text("utf-8")


@pytest.mark.parametrize("size", [(96, 54), (100, 56)])
def test_of_two_purchases_git_keeps_ours_and_so_do_we(project: Project, api: ImagesApi, size: tuple[int, int]) -> None:
    def bought(width: int, height: int) -> Callable[[], None]:
        return lambda: setattr(api, "default", in_size(f"{width}x{height}"))

    merge(project, bought(96, 54), bought(*size))
    ours, colours = images(project), re.findall(r'"(#\w+)"', (project.folder / COMMITTED).read_text("utf-8"))
    sync(project)
    assert images(project) == ours
    (one,) = json.loads((project.folder / COMMITTED).read_text("utf-8"))["images"].values()
    assert (one["colour"], one["width"]) == (colours[0], 96)
    assert len(api.calls) == 2


def test_a_purchase_of_theirs_stands_where_ours_is_a_placeholder(project: Project, api: ImagesApi) -> None:
    def choose(missing: str) -> Callable[[], None]:
        return lambda: project.options.update(missing=missing)

    merge(project, choose("placeholder"), choose("generate"))
    sync(project)
    project.options["missing"] = "generate"
    sync(project)
    assert len(api.calls) == 1


@pytest.mark.parametrize("drawn", ["ours", "theirs"])
def test_a_drawing_of_the_sandbox_is_no_purchase_after_a_merge(project: Project, api: ImagesApi, drawn: str) -> None:
    real = project.options["base_url"]

    def choose(base_url: str) -> Callable[[], None]:
        return lambda: project.options.update(base_url=base_url)

    merge(project, *map(choose, ("sandbox", real) if drawn == "ours" else (real, "sandbox")))
    project.options["base_url"] = real
    ours = images(project)
    sync(project)
    assert (images(project) == ours) == (drawn == "theirs")
    assert len(api.calls) == (2 if drawn == "ours" else 1)


# A sandbox


def test_what_the_sandbox_has_drawn_is_put_in_no_images_place(project: Project, api: ImagesApi) -> None:
    project.options |= {"widths": [], "formats": ["webp", "jpeg"], "cache_dir": ".qhaigc"}
    project.page("index.md", HOME, qhaigc={"hero": "fog"})
    real = project.options["base_url"]
    for base_url in ("sandbox", real):
        project.options["base_url"] = base_url
        sync(project)
    shutil.rmtree(project.folder / ".qhaigc/originals")
    bought = images(project)
    for base_url in ("sandbox", real):
        project.options["base_url"] = base_url
        sync(project)
        assert images(project) == bought
    assert len(api.calls) == 1


def test_a_real_build_publishes_no_drawing_that_lies_among_the_pages(project: Project, api: ImagesApi) -> None:
    project.options["cache_dir"] = ".qhaigc"
    project.page("index.md", HOME, qhaigc={"hero": "fog"}, image="qhaigc:hero")
    real = project.options["base_url"]
    project.options["base_url"] = "sandbox"
    sync(project)
    project.options["base_url"] = real
    built = project.build()
    assert built.code == 0, built.output
    assert len(api.calls) == 1
    published = [path for path in (built.site / "assets/qhaigc").iterdir() if path.suffix != ".css"]
    assert len(published) == 2
    assert {origin(path.read_bytes()).source_type for path in published} == {TRAINED}


@needs_toml
@pytest.mark.compatibility
def test_zensical_shows_no_drawing_on_a_real_site(project: Project, api: ImagesApi) -> None:
    project.engine = "zensical"
    project.config["theme"] = {"font": False}
    project.page("index.md", HOME, qhaigc={"hero": "fog"})
    real = project.options["base_url"]
    project.options["base_url"] = "sandbox"
    assert project.build().code == 0
    project.options["base_url"] = real
    config = str(project.write_zensical_config("another-site"))  # else pages that it has kept
    command = [sys.executable, "-m", "zensical", "build", "-f", config]
    built = subprocess.run(command, cwd=project.folder, env=project.environ(), capture_output=True, check=False)
    assert built.returncode != 0
    assert b"index.md#hero: not in " in built.stdout + built.stderr
    assert not api.calls


@pytest.mark.parametrize("pinned", ["by the sandbox", "by both"])
def test_a_pin_that_the_sandbox_drew_stands_in_no_ones_way(project: Project, api: ImagesApi, pinned: str) -> None:
    project.options |= {"widths": [], "formats": ["webp", "jpeg"], "cache_dir": ".qhaigc"}
    project.page("index.md", HOME, qhaigc={"hero": "fog"})
    real = project.options["base_url"]
    project.options["base_url"] = "sandbox"
    sync(project)
    assert run(project, "pin").returncode == 0
    project.options["base_url"] = real
    sync(project)
    if pinned == "by both":
        shutil.copytree(project.folder / ".qhaigc/originals", project.folder / "generated-images", dirs_exist_ok=True)
    bought = images(project)
    lose_originals(project)
    for prompt in ("rain", "fog"):
        project.page("index.md", HOME, qhaigc={"hero": prompt})
        sync(project)
    assert images(project) == bought
    assert api.prompts == ["fog", "rain"]


# Other folders, other images


@needs_toml
def test_the_folder_that_the_extension_names_is_that_of_the_commands(project: Project, api: ImagesApi) -> None:
    project.page("index.md", HOME, qhaigc={"hero": "fog"})
    project.write(
        "zensical.toml",
        f"""[project]
site_name = "x"
[project.plugins.qhaigc]
base_url = "{project.options["base_url"]}"
size = "96x54"
[project.markdown_extensions."mkdocs_qhaigc.markdown"]
out = "docs/images"
""",
    )

    def command(*arguments: str) -> str:
        finished = run_in(project.folder, project, *arguments, "-f", "zensical.toml")
        return finished.stdout + finished.stderr

    assert "docs/images: 1 image, 2 written" in command("sync")
    lose_originals(project)
    assert "1 published" in command("plan")
    assert "Nothing to buy" in command("generate", "--yes")
    assert len(api.calls) == 1


@pytest.mark.parametrize("formats", [["webp", "jpeg"], ["png", "jpeg"]])
def test_what_shines_through_does_so_still(project: Project, api: ImagesApi, formats: list[str]) -> None:
    image = Image.new("RGBA", (96, 54), (0, 0, 0, 0))
    ImageDraw.Draw(image).ellipse((10, 5, 80, 50), fill=(200, 30, 30, 255))
    api.default = bytes_by_url(encoded(image))
    project.options |= {"widths": [48], "formats": formats, "cache_dir": ".qhaigc"}
    project.page("index.md", HOME, qhaigc={"hero": "logo"})
    sync(project)
    lose_originals(project)
    project.options["widths"] = [32]
    sync(project)
    (file,) = (project.folder / OUT).glob(f"hero-*-32.{formats[0]}")
    with Image.open(file) as small:
        assert small.getchannel("A").getpixel((0, 0)) == 0
    assert len(api.calls) == 1


def test_what_people_made_is_not_said_to_be_a_models(project: Project, api: ImagesApi) -> None:
    project.options |= {"widths": [], "formats": ["webp"], "cache_dir": ".qhaigc"}
    project.page("index.md", HOME, qhaigc={"hero": "fog"})
    project.write("photo.png", draw("photo", 96, 54))
    assert run(project, "pin", "--adopt", "photo.png", "index.md#hero").returncode == 0
    sync(project)
    shutil.rmtree(project.folder / "generated-images")
    lose_originals(project)
    project.options["widths"] = [32]
    sync(project)
    (file,) = (project.folder / OUT).glob("hero-*-32.webp")
    assert origin(file.read_bytes()).source_type is None
    assert not api.calls


def test_a_build_publishes_the_pin_and_not_what_was_synced_before(project: Project, api: ImagesApi) -> None:
    project.options |= {"widths": [], "formats": ["webp"], "cache_dir": ".qhaigc"}
    project.page("index.md", HOME, qhaigc={"hero": "fog"})
    sync(project)
    (name,) = images(project).keys() - {"qhaigc.css"}
    project.write("photo.png", draw("photo", 100, 40))
    assert run(project, "pin", "--adopt", "photo.png", "index.md#hero").returncode == 0
    built = project.build("--strict")
    with Image.open(built.site / "assets/qhaigc" / name) as image:
        assert image.size == (100, 40)


@pytest.mark.skipif(os.name == "nt", reason="a folder in the place of a file is another error there")
def test_what_cannot_be_read_is_not_bought(clone: Project, api: ImagesApi) -> None:
    record = clone.folder / COMMITTED
    record.rename(record.with_name("aside"))
    record.mkdir()
    built = clone.build()
    assert ".qhaigc.json cannot be read" in built.output
    assert "Traceback" not in built.output
    assert "cannot be written" in sync(clone, code=1)
    record.rmdir()
    record.with_name("aside").rename(record)
    record.write_text(record.read_text("utf-8").replace('"files": {', '<<<<<<<\n  "a\tb": ""'), "utf-8")
    sync(clone)
    assert not api.calls


def test_names_with_capitals_and_of_any_script_are_found(project: Project, api: ImagesApi) -> None:
    project.options |= {"widths": [48], "formats": ["png", "webp"], "cache_dir": ".qhaigc", "images": {"Logo": "logo"}}
    front = {"Hero": {"prompt": "fog", "crop": "40x40"}, "山": "mountain"}
    project.page("a.md", HOME, qhaigc={"hero": "fog"})
    project.page("b.md", "![x](qhaigc:Hero) ![y](qhaigc:山) ![z](qhaigc:Logo)", qhaigc=front, image="qhaigc:Hero")
    sync(project)
    lose_originals(project)
    committed, asked = contents(project), len(api.calls)
    project.options |= {"missing": "error"}
    sync(project)
    assert contents(project) == committed
    assert project.build("--strict").summary == "3 published"
    assert not Path(project.folder, ".qhaigc/variants").exists()  # nothing was encoded
    assert len(api.calls) == asked
