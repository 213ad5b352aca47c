"""Pins: the images that a site uses, committed with its docs, the same everywhere."""

from __future__ import annotations

import json
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from mkdocs_qhaigc.config.options import read_options
from mkdocs_qhaigc.errors import StoreError
from mkdocs_qhaigc.site.reconcile_pins import alone
from tests.conftest import Built, Project, require_posix
from tests.helpers.api import ImagesApi, draw
from tests.helpers.commands import COMMAND, answer, buy, contents, git, names, run, run_in

pytestmark = pytest.mark.slow


@pytest.fixture
def bought(project: Project, api: ImagesApi) -> Project:
    """A project with two images in its cache, `hero` and `boat`."""
    project.page("index.md", "![Fog](qhaigc:hero) ![A boat](qhaigc:boat)", qhaigc={"hero": "fog", "boat": "a boat"})
    buy(project, api)
    return project


def pins(project: Project) -> Path:
    return project.folder / "generated-images"


def originals(project: Project) -> Path:
    return project.cache / "originals"


def the_one(folder: Path, pattern: str) -> Path:
    (found,) = folder.glob(pattern)
    return found


def build_in(folder: Path, project: Project) -> Built:
    command = [sys.executable, "-m", "mkdocs", "build", "--strict"]
    finished = subprocess.run(
        command, cwd=folder, env=project.environ(), capture_output=True, text=True, timeout=120, check=False
    )
    return Built(finished.returncode, finished.stdout + finished.stderr, folder / "site")


def test_pin_copies_what_the_site_uses_with_every_byte(bought: Project) -> None:
    before = contents(originals(bought))
    assert run(bought, "pin", "--check").returncode == 1
    finished = run(bought, "pin")
    assert finished.returncode == 0, finished.stderr
    assert [line.split()[:2] for line in finished.stdout.splitlines()[:2]] == [
        ["pinned", "index.md#hero:"],
        ["pinned", "index.md#boat:"],
    ]
    assert finished.stdout.endswith("generated-images: 0 images right already, 2 pinned.\n")
    assert names(pins(bought)) == names(originals(bought))
    assert contents(pins(bought)) == before
    again = run(bought, "pin")
    assert (again.returncode, again.stdout) == (0, "generated-images: 2 images right already.\n")
    checked = run(bought, "pin", "--check")
    assert (checked.returncode, checked.stdout) == (0, "generated-images: 2 images right.\n")


def test_two_clones_of_which_one_has_no_cache_and_no_key_build_the_same_bytes(tmp_path: Path) -> None:
    with ImagesApi() as api:
        project = Project(tmp_path / "project", api.base_url)
        project.options |= {"formats": ["avif", "webp"], "widths": [48], "missing": "error"}
        project.config["plugins"] = []
        front = {"qhaigc": {"hero": {"prompt": "fog", "dark": "night fog"}}, "image": "qhaigc:hero"}
        project.page("index.md", "![Fog](qhaigc:hero)", **front)
        project.page("指南/b.md", "![A boat](qhaigc:灯塔)", qhaigc={"灯塔": {"prompt": "a boat", "size": "64x64"}})
        buy_options, project.options = project.options, {**project.options, "missing": "generate"}
        buy(project, api)
        project.options = buy_options
        assert run(project, "pin").returncode == 0
    project.write(".gitignore", "site/\n")
    git(project.folder, "init", "-q")
    git(project.folder, "add", "-A")
    git(project.folder, "commit", "-qm", "images")
    clones = [tmp_path / "one", tmp_path / "other"]
    for clone in clones:
        git(tmp_path, "clone", "-q", str(project.folder), str(clone))
    shutil.copytree(project.cache, clones[0] / ".qhaigc")
    builds = [build_in(clones[0], project)]
    del project.environment["QHAIGC_API_KEY"]
    checked = run_in(clones[1], project, "check")
    assert checked.returncode == 0, checked.stdout
    builds.append(build_in(clones[1], project))
    assert [built.code for built in builds] == [0, 0], builds[1].output
    assert [built.summary for built in builds] == ["3 pinned", "3 pinned"]
    assert len(builds[0].images()) == 3 * 4 + 1
    assert builds[0].digest() == builds[1].digest()


def test_branches_that_pinned_different_images_merge_by_themselves(project: Project, api: ImagesApi) -> None:
    project.config["plugins"] = []
    project.write(".gitignore", "site/\n")
    project.page("index.md", "![Fog](qhaigc:hero)", qhaigc="fog")
    buy(project, api)
    run(project, "pin")
    git(project.folder, "init", "-q")
    git(project.folder, "add", "-A")
    git(project.folder, "commit", "-qm", "fog")
    for branch, prompt in (("one", "a boat"), ("two", "a tower")):
        git(project.folder, "checkout", "-q", "-b", branch, "main")
        project.page(f"{branch}.md", "![x](qhaigc:hero)", qhaigc=prompt)
        buy(project, api)
        assert run(project, "pin").returncode == 0
        git(project.folder, "add", "-A")
        git(project.folder, "commit", "-qm", prompt)
    git(project.folder, "merge", "-q", "--no-edit", "one")
    assert git(project.folder, "status", "--porcelain") == ""
    shutil.rmtree(project.cache)
    assert run(project, "pin", "--check").returncode == 0
    assert len(list(pins(project).glob("hero-*.json"))) == 3


def test_one_image_bought_on_two_branches_is_a_whole_one_while_git_asks_which(project: Project, api: ImagesApi) -> None:
    """With the lines of .gitattributes that the README has."""
    project.config["plugins"] = []
    project.write(".gitignore", "site/\n")
    project.write(".gitattributes", "generated-images/* -text -merge\n")
    project.page("index.md", "hello")
    git(project.folder, "init", "-q")
    project.write_config()
    git(project.folder, "add", "-A")
    git(project.folder, "commit", "-qm", "start")
    project.page("index.md", "![Fog](qhaigc:hero)", qhaigc="fog")
    for branch in ("one", "two"):
        git(project.folder, "checkout", "-q", "-f", "-b", branch, "main")
        project.page("index.md", "![Fog](qhaigc:hero)", qhaigc="fog")
        shutil.rmtree(project.cache, ignore_errors=True)
        buy(project, api)
        assert run(project, "pin").returncode == 0
        git(project.folder, "add", "-A")
        git(project.folder, "commit", "-qm", branch)
    git(project.folder, "merge", "-q", "--no-edit", "one", code=1)
    assert run(project, "pin", "--check").returncode == 0
    git(project.folder, "checkout", "--theirs", "generated-images")
    shutil.rmtree(project.cache)
    assert run(project, "pin", "--check").returncode == 0
    assert the_one(pins(project), "*.png").read_bytes() == api.drawn["fog"][0]


def test_pins_that_could_not_be_changed_can_be_later(bought: Project) -> None:
    unfinished = pins(bought) / ".hero-0123456789abcdef.json.aabbccdd.part"
    unfinished.mkdir(parents=True)
    options = read_options({**bought.options, "timeout": 0.5}, folder=bought.folder, docs_dir=bought.docs)
    with pytest.raises(StoreError, match="cannot be written"), alone(options):
        pytest.fail("it is not held")
    unfinished.rmdir()
    with alone(options):  # in the same process, which has let go
        pass


def test_what_the_site_no_longer_uses_goes_into_the_cache(bought: Project) -> None:
    run(bought, "pin")
    shutil.rmtree(bought.cache)
    everything = contents(pins(bought))
    bought.page("index.md", "![Fog](qhaigc:hero)", qhaigc="fog")
    checked = run(bought, "pin", "--check")
    assert checked.returncode == 1
    assert "nothing uses it; `mkdocs-qhaigc pin` moves it to the cache" in checked.stdout
    finished = run(bought, "pin")
    assert finished.returncode == 0
    assert "taken away  generated-images/boat-" in finished.stdout
    assert [name.partition("-")[0] for name in names(pins(bought))] == ["hero", "hero"]
    assert [name.partition("-")[0] for name in names(originals(bought))] == ["boat", "boat"]
    assert contents(pins(bought), originals(bought)) == everything


def test_a_new_prompt_does_not_empty_the_pins_before_its_image_is_there(bought: Project, api: ImagesApi) -> None:
    run(bought, "pin")
    before = contents(pins(bought))
    bought.page("index.md", "![Fog](qhaigc:hero)", qhaigc="fog at night")
    finished = run(bought, "pin")
    assert finished.returncode == 1
    assert "Images that seem unused stay: others are missing, which may replace them." in finished.stdout
    assert contents(pins(bought)) == before
    buy(bought, api)
    assert run(bought, "pin").returncode == 0
    assert [name.partition("-")[0] for name in names(pins(bought))] == ["hero", "hero"]


def test_another_image_that_the_cache_has_for_the_key_is_kept_beside_the_one_that_was_pinned(
    bought: Project, api: ImagesApi
) -> None:
    run(bought, "pin")
    pinned = the_one(pins(bought), "boat-*.png").read_bytes()
    shutil.rmtree(bought.cache)
    pins(bought).rename(bought.folder / "elsewhere")
    buy(bought, api)
    (bought.folder / "elsewhere").rename(pins(bought))
    everything = contents(pins(bought), originals(bought))
    bought.page("index.md", "![Fog](qhaigc:hero)", qhaigc="fog")
    assert run(bought, "pin").returncode == 0
    assert contents(pins(bought), originals(bought)) == everything
    assert the_one(originals(bought), "boat-*.png").read_bytes() == pinned
    assert the_one(originals(bought), "boat-*.png.replaced").read_bytes() == api.drawn["a boat"][-1]


def test_what_is_missing_is_named_and_what_is_there_is_pinned(bought: Project, api: ImagesApi) -> None:
    run(bought, "pin")
    front = {"hero": "fog", "boat": "a larger boat", "tower": "a tower"}
    bought.page("index.md", "![Fog](qhaigc:hero) ![x](qhaigc:boat) ![x](qhaigc:tower)", qhaigc=front)
    finished = run(bought, "pin")
    assert finished.returncode == 1
    lines = [line for line in finished.stdout.splitlines() if line.startswith("missing")]
    assert [line.split()[1] for line in lines] == ["index.md#boat:", "index.md#tower:"]
    assert "is of another prompt. Run `mkdocs-qhaigc generate`, then `mkdocs-qhaigc pin`" in lines[0]
    assert "another" not in lines[1]
    bought.page("later.md", "![x](qhaigc:hero)", qhaigc={"hero": "a hero of its own"})
    (line,) = [line for line in run(bought, "pin").stdout.splitlines() if "later.md#hero" in line]
    assert "another" not in line  # the pin of that name is of index.md, and in use
    assert [name.partition("-")[0] for name in names(pins(bought))] == ["boat", "boat", "hero", "hero"]
    assert api.calls == []


def test_a_pin_copied_by_hand_from_another_repository_is_used(bought: Project, tmp_path: Path) -> None:
    other = Project(tmp_path / "other", "http://127.0.0.1:9/v1")
    other.page("x.md", "![A boat](qhaigc:vessel)", qhaigc={"vessel": "a boat"})
    for file in originals(bought).glob("boat-*"):
        other.write(f"generated-images/{file.name.replace('boat', 'our boat')}", file.read_bytes())
    assert run(other, "pin", "--check").returncode == 0
    other.options["missing"] = "error"
    assert other.build("--strict").summary == "1 pinned"
    assert run(other, "pin").stdout == "generated-images: 1 image right already.\n"
    assert len(names(pins(other))) == 2


@pytest.mark.parametrize("shared", [False, True])
def test_a_worktree_buys_what_is_not_pinned_unless_the_cache_lies_outside(
    project: Project, api: ImagesApi, tmp_path: Path, shared: bool
) -> None:
    project.page("index.md", "![Fog](qhaigc:hero)", qhaigc="fog")
    project.write(".gitignore", "site/\n")
    project.options |= {"cache_dir": str(tmp_path / "cache")} if shared else {}
    project.write_config()
    for arguments in ("init", "add .", "commit --message=x", "worktree add ../tree"):
        git(project.folder, *arguments.split())
    for folder in (project.folder, tmp_path / "tree"):
        assert build_in(folder, project).code == 0
    assert len(api.calls) == (1 if shared else 2)


def test_a_damaged_pin_is_replaced_from_the_cache_and_kept(bought: Project) -> None:
    run(bought, "pin")
    pin = the_one(pins(bought), "hero-*.png")
    whole = pin.read_bytes()
    pin.write_bytes(whole[:-4] + b"oops")
    checked = run(bought, "pin", "--check")
    assert checked.returncode == 1
    assert "it is damaged" in checked.stdout
    assert run(bought, "pin").returncode == 0
    assert pin.read_bytes() == whole
    assert the_one(originals(bought), "hero-*.png.damaged").read_bytes() == whole[:-4] + b"oops"
    assert len(names(pins(bought))) == 4
    assert run(bought, "pin", "--check").returncode == 0


def test_a_damaged_pin_that_nothing_replaces_stays_where_it_is(bought: Project, api: ImagesApi) -> None:
    run(bought, "pin")
    shutil.rmtree(bought.cache)
    pin = the_one(pins(bought), "hero-*.png")
    pointer = b"version https://git-lfs.github.com/spec/v1\n"
    for damage, words in ((pin.read_bytes()[:-4] + b"oops", "Restore it from version control"), (pointer, "lfs pull")):
        pin.write_bytes(damage)
        finished = run(bought, "pin")
        assert finished.returncode == 1
        assert words in finished.stdout
        assert pin.read_bytes() == damage
        assert len(names(pins(bought))) == 4
    assert api.calls == []


def test_files_that_are_no_pins_of_ours_stay(bought: Project) -> None:
    bought.write("generated-images/README.md", "our images")
    bought.write("generated-images/hero-large.png", draw("x", 10, 10))
    bought.write("generated-images/.hero-0123456789abcdef.png.01234567.part", b"what a killed program had begun")
    assert run(bought, "pin").returncode == 0
    assert {"README.md", "hero-large.png"} < set(names(pins(bought)))
    assert len(names(pins(bought))) == 6


def test_nothing_is_taken_away_while_a_directive_cannot_be_read(bought: Project) -> None:
    run(bought, "pin")
    for front in ("---\nqhaigc: {hero: fog, boat: {promt: a boat}}\n---\n", "---\nqhaigc:\n  hero: fog: x\n---\n"):
        bought.write("docs/index.md", front)
        for arguments in (("pin", "--check"), ("pin",), ("prune", "--older-than", "0d", "--yes")):
            finished = run(bought, *arguments)
            assert finished.returncode == 1
            assert "index.md" in finished.stderr
        assert len(names(pins(bought))) == len(names(originals(bought))) == 4


def test_sites_that_share_their_pins_are_given_together(bought: Project) -> None:
    run(bought, "pin")
    bought.page("index.md", "![Fog](qhaigc:hero)", qhaigc="fog")
    other = {"site_name": "y", "docs_dir": "docs-zh", "plugins": [{"qhaigc": bought.options}]}
    bought.write("mkdocs.zh.yml", json.dumps(other))
    bought.write("docs-zh/index.md", "---\nqhaigc: a boat\n---\n")
    assert run(bought, "pin", "--check").returncode == 1
    both = ("-f", "mkdocs.yml", "-f", "mkdocs.zh.yml")
    assert run(bought, "pin", "--check", *both).returncode == 0
    assert run(bought, "pin", *both).returncode == 0
    assert len(names(pins(bought))) == 4


def test_a_second_plugin_in_a_site_takes_no_pins_away(bought: Project) -> None:
    run(bought, "pin")
    before = names(pins(bought))
    bought.config["plugins"] = [{"qhaigc": {**bought.options, "images": {"logo": "a logo"}, "model": "other"}}]
    finished = run(bought, "pin")
    assert finished.returncode == 1
    assert "lists qhaigc 2 times" in finished.stderr
    assert names(pins(bought)) == before


def test_pins_that_lie_in_the_cache_are_refused(bought: Project) -> None:
    bought.options["pins_dir"] = ".qhaigc/originals"
    for arguments in (("pin",), ("pin", "--check")):
        finished = run(bought, *arguments)
        assert finished.returncode == 1
        assert "lead to one folder" in finished.stderr
    assert run(bought, "prune", "--older-than", "0d", "--yes").returncode == 0
    assert len(names(originals(bought))) == 4


def test_json_says_what_differs_and_what_was_done(bought: Project) -> None:
    checked = answer(bought, "pin", "--check")
    assert (checked["schema"], checked["changed"]) == (1, False)
    (folder,) = checked["folders"]
    assert folder["differs"] is True
    assert [(pin["page"], pin["name"], pin["state"]) for pin in folder["pins"]] == [
        ("index.md", "hero", "not pinned"),
        ("index.md", "boat", "not pinned"),
    ]
    done = answer(bought, "pin")
    assert [pin["state"] for pin in done["folders"][0]["pins"]] == ["pinned", "pinned"]
    assert done["folders"][0]["differs"] is False
    assert all(Path(pin["file"]).exists() for pin in done["folders"][0]["pins"])


@pytest.mark.parametrize("direction", ["into the pins", "into the cache"])
def test_a_process_that_is_killed_loses_no_image(project: Project, api: ImagesApi, direction: str) -> None:
    count = 24
    front = {f"p{index}": f"number {index}" for index in range(count)}
    project.options |= {"max_new_images": count}
    page = project.page("index.md", qhaigc=front)
    project.build()
    everything = contents(originals(project))
    assert len(everything) == 2 * count
    if direction == "into the cache":
        assert run(project, "pin").returncode == 0
        shutil.rmtree(project.cache)
        page.write_text("nothing", encoding="utf-8")
    project.write_config()
    goal = pins(project) if direction == "into the pins" else originals(project)
    require_posix("signals")
    for wanted in (1, 7, 16, 30):
        process = subprocess.Popen([COMMAND, "pin"], cwd=project.folder, env=project.environ(), stdout=subprocess.PIPE)
        ends = time.monotonic() + 60
        while len(names(goal)) < wanted and process.poll() is None:
            assert time.monotonic() < ends
        process.send_signal(signal.SIGKILL)
        process.communicate(timeout=30)
        assert everything <= contents(pins(project), originals(project))
    finished = run(project, "pin")
    assert finished.returncode == 0, finished.stdout + finished.stderr
    assert everything <= contents(goal)
    assert len([name for name in names(goal) if not name.endswith(".part")]) == 2 * count
    if direction == "into the cache":
        assert names(pins(project)) == []
    project.page("index.md", qhaigc=front)
    assert "generated" not in project.build().summary
    assert len(api.calls) == count


def test_drawings_of_the_sandbox_and_images_of_an_api_have_different_keys(project: Project, api: ImagesApi) -> None:
    real = project.options["base_url"]
    project.options["base_url"] = "sandbox"
    project.page("index.md", "![Fog](qhaigc:hero)", qhaigc="fog")
    assert project.build().code == 0
    assert run(project, "pin").returncode == 0
    record = the_one(pins(project), "hero-*.json")
    assert json.loads(record.read_bytes())["api"] == "sandbox"
    shutil.rmtree(project.cache)
    assert project.build("--strict").summary == "1 pinned"
    project.options["base_url"] = real
    assert project.build("--strict").summary == "1 generated"
    finished = run(project, "pin")
    assert finished.returncode == 0
    assert "nothing uses it" in finished.stdout  # the drawing, which the cache has from now on
    assert project.build("--strict").summary == "1 pinned"
    project.options["base_url"] = "sandbox"
    assert project.build("--strict").summary == "1 cached"
    assert api.prompts == ["fog"]
