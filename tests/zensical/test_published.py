"""A folder of images that `sync` has written, where nothing else is left of them: a fresh clone, a lost cache."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from PIL import Image

from mkdocs_qhaigc.imaging.encode import origin
from mkdocs_qhaigc.imaging.metadata import TRAINED, Provenance
from tests.conftest import Project
from tests.helpers.api import Handler, ImagesApi, by_url, draw, error
from tests.helpers.commands import git, names, run
from tests.helpers.pages import broken_urls
from tests.zensical.test_sync import OUT, sync

pytestmark = pytest.mark.slow

COMMITTED = f"{OUT}/.qhaigc.json"


@pytest.fixture
def clone(project: Project, api: ImagesApi) -> Project:
    """Three images, synced, and no original of them; whoever asks the API gets others."""
    project.options |= {"widths": [48], "formats": ["webp", "jpeg"], "cache_dir": ".qhaigc"}
    project.page("index.md", "# Home\n\n![x](qhaigc:hero)", qhaigc={"hero": "fog"}, image="qhaigc:hero")
    engine = {"engine": {"prompt": "steam", "dark": "steam by night"}}
    project.page("guide/start.md", "# Start\n\n![x](qhaigc:engine)\n", qhaigc=engine)
    sync(project)
    assert len(api.calls) == 3
    lose_originals(project)
    api.calls.clear()
    return project


def lose_originals(project: Project) -> None:
    shutil.rmtree(project.folder / ".qhaigc")


def contents(project: Project) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in (project.folder / OUT).iterdir()}


def best_file(project: Project, name: str) -> Path:
    """Return what stands for the original of an image."""
    images = json.loads((project.folder / COMMITTED).read_text("utf-8"))["images"]
    (file,) = {one["file"] for one in images.values() if one["file"].startswith(f"{name}-")}
    return project.folder / OUT / str(file)


def sizes(project: Project, pattern: str) -> set[tuple[int, int]]:
    found = set()
    for path in (project.folder / OUT).glob(pattern):
        with Image.open(path) as image:
            found.add(image.size)
    return found


@pytest.mark.parametrize("missing", ["generate", "placeholder", "error"])
def test_what_the_folder_holds_is_not_bought_again(clone: Project, api: ImagesApi, missing: str) -> None:
    committed = contents(clone)
    clone.options["missing"] = missing
    del clone.environment["QHAIGC_API_KEY"]
    assert "3 images, 0 written, 14 unchanged, 0 removed." in sync(clone)
    assert contents(clone) == committed
    assert not (clone.folder / ".qhaigc/variants").exists()  # nothing was encoded
    assert not api.calls


def test_what_was_written_before_assets_dir_was_another_is_not_bought_again(clone: Project, api: ImagesApi) -> None:
    """The folder is committed under its old name; no original is here."""
    committed = contents(clone)
    clone.options["assets_dir"] = "img/ai"
    built = clone.build("--strict")
    assert (built.code, built.summary) == (0, "3 published"), built.output
    assert broken_urls(built.site) == []
    shown = {path.name: path.read_bytes() for path in (built.site / "img/ai").iterdir()}
    assert shown == {name: data for name, data in committed.items() if name != ".qhaigc.json"}
    assert run(clone, "sync").returncode == 0
    shutil.rmtree(clone.folder / OUT)
    assert clone.build("--strict").summary == "3 published"
    assert not api.calls


def test_images_that_another_folder_among_the_pages_lacks_are_bought(clone: Project, api: ImagesApi) -> None:
    clone.options["assets_dir"] = "img/ai"
    clone.page("more.md", "![x](qhaigc:hero)", qhaigc={"hero": "rain"})
    assert clone.build("--strict").summary == "1 generated, 3 published"
    assert api.prompts == ["rain"]


def test_a_build_shows_it_too(clone: Project, api: ImagesApi) -> None:
    built = clone.build("--strict")
    assert built.code == 0, built.output
    assert built.summary == "3 published"
    assert broken_urls(built.site) == []
    published = {path.name: path.read_bytes() for path in (built.site / "assets/qhaigc").iterdir()}
    assert published == {name: data for name, data in contents(clone).items() if name != ".qhaigc.json"}
    assert clone.build("--strict").summary == "3 published"
    assert not api.calls


def test_commands_know_it(clone: Project, api: ImagesApi) -> None:
    plan = json.loads(run(clone, "plan", "--json").stdout)
    assert [one["state"] for one in plan["images"]] == ["published"] * 3
    assert plan["to_buy"] == 0
    assert "3 images: 3 published. To buy: nothing." in run(clone, "plan").stdout
    assert run(clone, "generate", "--yes").returncode == 0
    assert run(clone, "check").returncode == 0
    candidates = json.loads(run(clone, "candidates", "index.md#hero", "-n", "2", "--yes", "--json").stdout)
    assert [one["state"] for one in candidates["candidates"]] == ["published", "generated"]
    assert api.prompts == ["fog"]  # the second variant


def test_it_can_be_pinned_as_it_is(clone: Project, api: ImagesApi) -> None:
    said = run(clone, "pin")
    assert said.returncode == 1
    line = next(line for line in said.stdout.splitlines() if "index.md#hero" in line)
    command = line.partition("pin that: mkdocs-qhaigc ")[2].split(" ")
    assert run(clone, *command).returncode == 0
    plan = json.loads(run(clone, "plan", "--json").stdout)
    assert [one["state"] for one in plan["images"]].count("pinned") == 1
    assert "0 written" in sync(clone)
    assert not api.calls


def test_an_original_that_is_there_goes_first(clone: Project, api: ImagesApi) -> None:
    committed = contents(clone)
    shutil.move(clone.folder / OUT, clone.folder / "aside")
    sync(clone)
    others = contents(clone)
    assert len(api.calls) == 3
    shutil.rmtree(clone.folder / OUT)
    shutil.move(clone.folder / "aside", clone.folder / OUT)
    sync(clone)
    assert contents(clone) == others != committed


def test_what_git_could_not_join_is_not_bought_again(clone: Project, api: ImagesApi) -> None:
    """Each branch has an image of its own, bought on a machine of its own."""
    clone.write(".gitignore", ".qhaigc/\n")
    git(clone.folder, "init", "-q")
    git(clone.folder, "add", "-A")
    git(clone.folder, "commit", "-qm", "one")
    for branch in ("left", "right"):
        git(clone.folder, "checkout", "-q", "-b", branch, "main")
        clone.page(f"{branch}.md", qhaigc={"own": {"prompt": f"An image of {branch}", "alt": ""}})
        sync(clone)
        lose_originals(clone)
        git(clone.folder, "add", "-A")
        git(clone.folder, "commit", "-qm", branch)
    assert len(api.calls) == 2
    git(clone.folder, "merge", "-q", "left", code=1)
    assert "<<<<<<<" in (clone.folder / COMMITTED).read_text("utf-8")
    before = contents(clone)
    assert "5 images, 0 written, 22 unchanged, 0 removed." in sync(clone)
    after = contents(clone)
    assert {**after, ".qhaigc.json": b""} == {**before, ".qhaigc.json": b""}
    assert len(json.loads(after[".qhaigc.json"])["images"]) == 5
    assert len(api.calls) == 2


def test_an_image_that_is_called_otherwise_now_is_the_same(clone: Project, api: ImagesApi) -> None:
    before = contents(clone)
    clone.page("index.md", "# Home\n\n![x](qhaigc:cover)", qhaigc={"cover": "fog"}, image="qhaigc:cover")
    assert "3 images, 5 written, 9 unchanged, 5 removed." in sync(clone)
    after = contents(clone)
    assert {name.replace("hero-", "cover-"): data for name, data in before.items() if name != ".qhaigc.json"} == {
        name: data for name, data in after.items() if name != ".qhaigc.json"
    }
    assert not api.calls


def test_other_files_are_made_of_the_best_one_and_that_is_told(clone: Project, api: ImagesApi) -> None:
    clone.options["widths"] = [32]
    said = sync(clone)
    assert "Warning: index.md#hero: its original is neither pinned nor in " in said
    assert "encoded once more" in said
    assert sizes(clone, "hero-*") == {(32, 18), (96, 54)}
    assert "neither pinned" not in sync(clone)
    lose_originals(clone)
    assert "neither pinned" not in sync(clone)
    assert not api.calls


def test_the_best_file_loses_nothing_however_often_others_are_made_of_it(clone: Project, api: ImagesApi) -> None:
    def best() -> dict[str, bytes]:
        folder = clone.folder / OUT
        written = json.loads((folder / ".qhaigc.json").read_text("utf-8"))["images"]
        return {key: (folder / one["file"]).read_bytes() for key, one in written.items()}

    before = best()
    for widths in ([32], [48], [32, 40], [48]):
        clone.options["widths"] = widths
        sync(clone)
        lose_originals(clone)
        assert best() == before
    assert not api.calls


@pytest.mark.parametrize("words", ["kept", "stripped"])
def test_what_is_made_of_it_says_what_it_says(clone: Project, words: str) -> None:
    if words == "stripped":
        for path in (clone.folder / OUT).glob("*.jpg"):
            with Image.open(path) as image:
                image.save(path, quality=95)
    clone.options["widths"] = [32]
    sync(clone)
    made = [path.read_bytes() for path in (clone.folder / OUT).glob("*-32.*")]
    assert len(made) == 6
    for data in made:
        said = origin(data)
        expected = Provenance(TRAINED, "qh-draw-x2-preview at 127.0.0.1")
        assert said == (expected if words == "kept" else Provenance())


def test_a_card_that_was_not_written_is_made_of_the_best_file(clone: Project, api: ImagesApi) -> None:
    front = {"hero": {"prompt": "fog", "crop": "40x40"}}
    clone.page("index.md", "# Home\n\n![x](qhaigc:hero)", qhaigc=front, image="qhaigc:hero")
    assert "1 written" in sync(clone)
    assert (40, 40) in sizes(clone, "hero-*")
    assert not api.calls


def test_files_that_somebody_has_made_smaller_are_kept_as_they_are(clone: Project, api: ImagesApi) -> None:
    for path in (clone.folder / OUT).glob("*.jpg"):
        with Image.open(path) as image:
            image.save(path, quality=5)
    small = contents(clone)
    assert "0 written" in sync(clone)
    assert {**contents(clone), ".qhaigc.json": b""} == {**small, ".qhaigc.json": b""}
    assert not api.calls


@pytest.mark.parametrize("what", ["gone", "cut", "size"])
def test_what_is_no_whole_image_is_bought(clone: Project, api: ImagesApi, what: str) -> None:
    """As long as one file in its size is whole, there is an image."""
    path = best_file(clone, "hero")
    path.with_suffix(".webp").unlink()
    if what == "gone":
        path.unlink()
    elif what == "cut":
        path.write_bytes(path.read_bytes()[:-40])
    else:
        path.write_bytes(draw("another", 20, 20))
    sync(clone)
    assert api.prompts == ["fog"]
    assert path.is_file()


def test_an_image_that_cannot_be_had_changes_no_other(clone: Project, api: ImagesApi) -> None:
    api.default = error(400, "content_policy_violation", "no")
    committed = contents(clone)
    clone.page("other.md", qhaigc={"x": "a weapon"})
    assert "other.md#x" in sync(clone, code=1)
    assert committed.keys() <= contents(clone).keys()
    (clone.docs / "other.md").unlink()
    sync(clone)
    assert contents(clone) == committed


def test_placeholders_and_drawings_of_the_sandbox_stand_for_nothing(project: Project, api: ImagesApi) -> None:
    project.options["cache_dir"] = ".qhaigc"
    project.page("index.md", "![x](qhaigc:hero)", qhaigc={"hero": "fog"})
    real = project.options.pop("base_url")
    project.options |= {"base_url": "sandbox"}
    sync(project)
    lose_originals(project)
    assert "0 written" in sync(project)
    assert not (project.folder / ".qhaigc/sandbox").exists()  # nothing was drawn anew
    project.options |= {"base_url": real}
    api.script = [error(400, "content_policy_violation", "no")]
    sync(project, code=1)
    assert len(api.calls) == 1
    lose_originals(project)
    sync(project)
    assert len(api.calls) == 2


@pytest.mark.parametrize("by", ["what its file says", "what sync has noted"])
def test_a_published_drawing_of_the_sandbox_is_no_pin_of_a_real_site(project: Project, by: str) -> None:
    real = project.options["base_url"]
    project.options |= {"base_url": "sandbox", "cache_dir": ".qhaigc", "provenance": by == "what its file says"}
    project.page("index.md", "![x](qhaigc:hero)", qhaigc={"hero": "fog"})
    project.page("other.md", "![x](qhaigc:own)", qhaigc={"own": "rain"})
    sync(project)
    lose_originals(project)
    (drawn,) = [str(path) for path in (project.folder / OUT).glob("hero-*")]
    if by == "what sync has noted":
        assert run(project, "pin", "--adopt", drawn, "index.md#hero").returncode == 0
        (pinned,) = [path.name for path in (project.folder / "generated-images").glob("*.webp")]
        assert pinned.startswith("hero.sandbox-")
        return
    project.options["base_url"] = real
    finished = run(project, "pin", "--adopt", drawn, "other.md#own")
    assert finished.returncode == 1
    assert "cannot be adopted: the sandbox drew it" in finished.stderr


def test_a_build_in_a_sandbox_draws_nothing_in_its_place(clone: Project) -> None:
    clone.options["base_url"] = "sandbox"
    assert clone.build("--strict").summary == "3 published"


def test_an_image_that_is_under_way_meanwhile_is_bought_once(clone: Project, api: ImagesApi) -> None:
    """A sync in which one image is there and one is not; a second one finds both."""

    def late(handler: Handler, body: dict[str, object]) -> None:
        assert len(names(clone.folder / OUT)) == 15  # the others stand where they stood
        by_url(handler, body)

    api.script = [late]
    clone.page("rain.md", "![x](qhaigc:rain)", qhaigc={"rain": "rain"})
    sync(clone)
    lose_originals(clone)
    sync(clone)
    assert api.prompts == ["rain"]


def test_two_configurations_with_one_folder_are_told_of_each_other(project: Project, api: ImagesApi) -> None:
    project.page("index.md", "![x](qhaigc:hero)", qhaigc={"hero": "fog"})
    sync(project)
    shutil.copy(project.folder / "mkdocs.yml", project.folder / "second.yml")
    assert "until now" not in sync(project, "-f", "second.yml")
    project.options["size"] = "80x60"
    said = sync(project)
    assert "second.yml until now, and those that " in said
    assert "`--out`" in said
    assert "until now" not in sync(project)
    assert len(api.calls) == 2
