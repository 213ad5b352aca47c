"""`check`, which says whether a site may be shipped, and `prune`, which makes room."""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from pathlib import Path

import pytest

from tests.conftest import Project, require_posix
from tests.helpers.api import ImagesApi
from tests.helpers.commands import COMMAND, answer, buy, contents, names, run

pytestmark = pytest.mark.slow

DAY = 86400


@pytest.fixture
def bought(project: Project, api: ImagesApi) -> Project:
    """A project with two images in its cache, `hero` and `boat`; its page then shows `hero` alone."""
    project.page("index.md", "![Fog](qhaigc:hero) ![A boat](qhaigc:boat)", qhaigc={"hero": "fog", "boat": "a boat"})
    project.own_process = True  # with it ends every connection to the cache, which would still change its files
    buy(project, api)
    project.page("index.md", "![Fog](qhaigc:hero)", qhaigc="fog")
    return project


def originals(project: Project) -> Path:
    return project.cache / "originals"


def age(project: Project, pattern: str, days: float) -> None:
    """Have images bought, and come into the cache, so many days ago."""
    then = time.time() - days * DAY
    moment = time.strftime("%Y-%m-%dT%H:%M:%S+00:00", time.gmtime(then))
    for record in originals(project).glob(f"{pattern}.json"):
        text = record.read_text(encoding="utf-8")
        start = text.index('"created": "') + len('"created": "')
        record.write_text(text[:start] + moment + text[start + len(moment) :], encoding="utf-8")
        os.utime(record, (then, then))


def test_a_whole_site_passes_without_key_network_and_pillow(bought: Project, tmp_path: Path) -> None:
    del bought.environment["QHAIGC_API_KEY"]
    bought.options["base_url"] = "http://127.0.0.1:9/v1"
    bought.write("shadow/PIL/__init__.py", "raise RuntimeError('Pillow is not needed')")
    bought.write("shadow/httpx/__init__.py", "raise RuntimeError('httpx is not needed')")
    bought.environment["PYTHONPATH"] = str(bought.folder / "shadow")
    finished = run(bought, "check")
    assert finished.returncode == 0, finished.stderr
    assert finished.stdout == "1 image: nothing is missing, damaged or without a description.\n"
    assert answer(bought, "check") == {"schema": 1, "images": 1, "shared": 0, "findings": []}


def test_check_says_where_what_and_what_to_do(bought: Project, api: ImagesApi) -> None:
    bought.page("b.md", "![x](qhaigc:hero)", qhaigc="never bought")
    bought.page("c.md", "# C\n\n![](qhaigc:hero)", qhaigc="fog")
    bought.page("d.md", "![x](qhaigc:boot)", qhaigc={"boat": "a boat", "bad": {"prompt": "x", "sise": "1x1"}})
    (damaged,) = originals(bought).glob("boat-*.png")
    whole = damaged.read_bytes()
    damaged.write_bytes(whole[:-4] + b"oops")
    before = contents(bought.folder / ".qhaigc")
    finished = run(bought, "check")
    assert finished.returncode == 1
    assert contents(bought.folder / ".qhaigc") == before
    lines = finished.stdout.splitlines()
    assert lines[0] == ("b.md#hero: its image is missing. Run `mkdocs-qhaigc generate`, then `mkdocs-qhaigc pin`")
    assert lines[1].startswith(
        "d.md#boat: the stored image is damaged, its bytes are not those that were saved. Restore"
    )
    assert lines[1].endswith(f": {damaged}")
    assert any(line.startswith("c.md, line 6: image 'hero' has no alternative text. Write") for line in lines)
    assert any(
        line.startswith("d.md, line 2, image 'bad': there is no field 'sise'. Did you mean `size`?") for line in lines
    )
    assert any(line.startswith("d.md, line 4: there is no image 'boot'. Did you mean 'boat'?") for line in lines)
    assert lines[-1] == "Found 5 problems in 3 images."
    found = answer(bought, "check")["findings"]
    assert [one["kind"] for one in found] == ["missing", "damaged", "alt", "directive", "reference"]
    assert [(one["page"], one["name"]) for one in found[:2]] == [("b.md", "hero"), ("d.md", "boat")]
    assert api.calls == []


def test_check_of_files_reads_these_pages_alone_and_builds_nothing(bought: Project, tmp_path: Path) -> None:
    """As a hook before a commit runs it: with every file of the commit, from the folder of the repository."""
    bought.options["images"] = {"logo": "A kite", "unused": "A badge"}
    bought.write("hook.py", "raise RuntimeError('the site is built')")
    bought.config |= {"hooks": ["hook.py"], "exclude_docs": "drafts/"}
    bought.page("b.md", "![x](qhaigc:hero) ![y](qhaigc:logo) ![](qhaigc:hero)", qhaigc={"hero": {"prompt": "new"}})
    bought.page("drafts/c.md", "![x](qhaigc:nowhere)", qhaigc="never bought")
    bought.page("other.md", "![x](qhaigc:nowhere)", qhaigc="never bought")
    bought.write("README.md", "![x](qhaigc:nowhere)")
    given = ["docs/b.md", "docs/index.md", "docs/drafts/c.md", "README.md", "hook.py"]
    finished = run(bought, "check", *given)
    assert finished.returncode == 1
    lines = finished.stdout.splitlines()
    remedy = "its image is missing. Run `mkdocs-qhaigc generate`, then `mkdocs-qhaigc pin`"
    assert lines[:2] == [f"mkdocs.yml#logo: {remedy}", f"b.md#hero: {remedy}"]
    assert lines[2].startswith("b.md, line 4: image 'hero' has no alternative text.")
    assert lines[3:5] == ["", "Found 3 problems in 3 images."]
    found = answer(bought, "check", *given)["findings"]
    assert [(one["kind"], one["page"], one["name"]) for one in found[:2]] == [
        ("missing", "", "logo"),
        ("missing", "b.md", "hero"),
    ]
    finished = run(bought, "check", "docs/index.md")
    assert finished.returncode == 0
    assert finished.stdout.startswith(
        "1 image: nothing is missing, damaged or without a description.\nOnly these files"
    )
    assert run(bought, "check", "docs").returncode == 2
    require_posix("links that anybody may make")
    (bought.docs / "link.md").symlink_to(bought.folder / "README.md")
    assert run(bought, "check", "docs/link.md").returncode == 1
    elsewhere = tmp_path / "elsewhere.md"
    assert run(bought, "check", str(elsewhere)).returncode == 2
    elsewhere.write_text("![](qhaigc:nowhere)", encoding="utf-8")
    assert run(bought, "check", str(elsewhere)).returncode == 0


def test_check_of_files_says_each_mistake_once(project: Project) -> None:
    project.page("index.md", "![](Qhaigc:hero) ![](<qhaigc:front door>)", qhaigc={"hero": {"prompt": "x", "alt": "x"}})
    said = run(project, "check", "docs/index.md").stdout.splitlines()
    assert [sum(word in line for line in said) for word in ("'Qhaigc:hero'", "'qhaigc:front door'", "'front'")] == [
        1,
        1,
        0,
    ]


def test_check_pinned_refuses_what_only_this_machine_has(bought: Project) -> None:
    for pages in ((), ("docs/index.md",)):
        finished = run(bought, "check", "--pinned", *pages)
        assert finished.returncode == 1
        assert (
            "index.md#hero: its image is in the cache of this machine alone. Run `mkdocs-qhaigc pin`" in finished.stdout
        )
    assert answer(bought, "check", "--pinned")["findings"][0]["kind"] == "unpinned"
    run(bought, "pin")
    assert run(bought, "check", "--pinned").returncode == 0


def test_plan_never_breaks_a_name_that_is_copied_into_the_next_command(project: Project) -> None:
    name = "a_name_that_is_as_long_as_names_of_images_may_well_be"
    project.page("guide/a-page-with-a-long-name.md", f"![x](qhaigc:{name})", qhaigc={name: "fog " * 20})
    project.environment["COLUMNS"] = "40"
    assert f"guide/a-page-with-a-long-name.md#{name}" in run(project, "plan").stdout


def test_check_changes_no_damaged_pin_where_missing_is_an_error(bought: Project) -> None:
    run(bought, "pin")
    shutil.rmtree(bought.cache)
    (pin,) = (bought.folder / "generated-images").glob("*.png")
    pin.write_bytes(pin.read_bytes()[:-4] + b"oops")
    bought.options["missing"] = "error"
    before = names(pin.parent)
    finished = run(bought, "check")
    assert finished.returncode == 1
    assert "is damaged" in finished.stdout
    assert names(pin.parent) == before


def test_a_site_that_cannot_be_built_is_no_site_that_passes(bought: Project) -> None:
    bought.options["size"] = "large"
    finished = run(bought, "check")
    assert finished.returncode == 1
    assert "size" in finished.stderr
    assert "Traceback" not in finished.stderr


def test_prune_removes_old_images_that_nothing_uses(bought: Project) -> None:
    age(bought, "*", 100)
    finished = run(bought, "prune", "--yes")
    assert finished.returncode == 0, finished.stderr
    assert "originals/boat-" in finished.stdout
    assert "100 days old" in finished.stdout
    assert "Other branches, drafts, languages and sites" in finished.stdout
    assert finished.stdout.splitlines()[-1].startswith("Removed 1 image, ")
    assert [name.partition("-")[0] for name in names(originals(bought))] == ["hero", "hero"]
    assert bought.build("--strict").summary == "1 cached"


@pytest.mark.parametrize(("older_than", "days", "gone"), [("90d", 89, 0), ("12w", 85, 1), ("30h", 2, 1), ("0d", 0, 1)])
def test_prune_leaves_the_young(bought: Project, older_than: str, days: float, gone: int) -> None:
    age(bought, "*", days)
    finished = answer(bought, "prune", "--older-than", older_than, "--yes")
    assert finished["removed"] == gone
    assert len(names(originals(bought))) == 4 - 2 * gone
    if not gone:
        assert "1 younger one that no image uses: kept for now" in run(bought, "prune").stdout


def test_what_came_into_the_cache_of_late_is_young_however_long_ago_it_was_bought(bought: Project) -> None:
    age(bought, "boat-*", 1000)
    (record,) = originals(bought).glob("boat-*.json")
    os.utime(record)
    assert answer(bought, "prune", "--yes")["removed"] == 0


def test_prune_asks_and_where_nobody_is_there_it_removes_nothing(bought: Project) -> None:
    arguments = ("prune", "--older-than", "0d")
    piped = run(bought, *arguments)
    assert piped.returncode == 2
    assert "there is nobody to ask. Add --yes, or --dry-run" in piped.stderr
    looked = run(bought, *arguments, "--dry-run")
    assert (looked.returncode, looked.stdout.splitlines()[-1]) == (0, "Nothing was removed: --dry-run.")
    assert answer(bought, *arguments, "--dry-run")["images"][0]["state"] == "to remove"
    assert len(names(originals(bought))) == 4
    require_posix("terminals that a program can have")
    import pty

    for word, code, left in ((b"n\n", 1, 4), (b"\n", 1, 4), (b"y\n", 0, 2)):
        terminal, side = pty.openpty()
        os.write(terminal, word)
        process = subprocess.run(
            [COMMAND, *arguments],
            cwd=bought.folder,
            env=bought.environ(),
            stdin=side,
            capture_output=True,
            timeout=60,
            check=False,
        )
        os.close(terminal)
        os.close(side)
        assert process.returncode == code
        assert b"for good? [y/N]" in process.stderr
        assert len(names(originals(bought))) == left


def test_pins_and_what_is_left_of_images_are_never_pruned(bought: Project) -> None:
    bought.page("index.md", "![Fog](qhaigc:hero) ![A boat](qhaigc:boat)", qhaigc={"hero": "fog", "boat": "a boat"})
    run(bought, "pin")
    bought.page("index.md", "hello")
    for record in originals(bought).glob("hero-*.json"):
        record.unlink()
    bought.write(".qhaigc/originals/x-0123456789abcdef.png.damaged", "y")
    bought.write(".qhaigc/rejected/x-0123456789abcdef.rejected", "y")
    finished = run(bought, "prune", "--older-than", "0d", "--yes")
    assert finished.returncode == 0
    left = names(originals(bought))
    assert [name.partition("-")[0] for name in left] == ["hero", "x"]
    assert len(names(bought.folder / "generated-images")) == 4
    for name in (*left, "x-0123456789abcdef.rejected"):
        assert name in finished.stdout


def test_links_that_lead_nowhere_are_named_among_what_is_left(bought: Project) -> None:
    for folder, name in (("originals", "x-0123456789abcdef.png"), ("rejected", "x-0123456789abcdef.rejected")):
        (bought.cache / folder).mkdir(exist_ok=True)
        (bought.cache / folder / name).symlink_to("nowhere")
    finished = run(bought, "prune", "--older-than", "0d", "--yes")
    assert finished.returncode == 0, finished.stderr
    assert "x-0123456789abcdef.png: 7 bytes" in finished.stdout
    assert [one["bytes"] for one in answer(bought, "prune")["kept"]] == [7, 7]


@pytest.mark.parametrize("value", ["90", "d", "-1d", "1y", ""])
def test_an_age_that_is_none_is_wrong_usage(bought: Project, value: str) -> None:
    finished = run(bought, "prune", f"--older-than={value}")
    assert finished.returncode == 2
    assert "Write a number and h, d or w, for example 90d" in finished.stderr


def test_the_help_of_each_command_says_what_it_does() -> None:
    for command in ("pin", "check", "prune"):
        finished = subprocess.run([COMMAND, command, "--help"], capture_output=True, text=True, timeout=60, check=True)
        assert "-f, --config-file FILE" in finished.stdout
        assert "--json" in finished.stdout


def test_a_pipe_that_takes_few_letters_ends_no_command(project: Project) -> None:
    """As pipes on Windows are."""
    project.environment |= {"PYTHONIOENCODING": "cp1252", "QHAIGC_API_KEY": ""}
    project.page("灯塔.md", "![](qhaigc:灯塔)\n", qhaigc={"灯塔": "黄昏的灯塔"})
    for arguments in (["plan"], ["plan", "--format", "markdown"], ["plan", "--json"], ["check"], ["pin", "--check"]):
        finished = run(project, *arguments)
        assert finished.returncode == (0 if arguments[0] == "plan" else 1), finished.stderr
        assert r"\u706f\u5854.md" in finished.stdout
        assert "Traceback" not in finished.stderr
