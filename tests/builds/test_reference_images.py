"""Builds of sites whose images have reference images: what is sent, in which order, and what is not bought."""

from __future__ import annotations

import hashlib
import io
import json
import shutil
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from tests.conftest import Project
from tests.helpers.api import Behaviour, ImagesApi, answer, draw, error, waits_for
from tests.helpers.commands import run

FOX = draw("a fox, drawn by hand", 64, 64)
PAIR: dict[str, Any] = {
    "hero": {"prompt": "Hero", "alt": "x", "references": "fox"},
    "fox": {"prompt": "Fox", "alt": "x"},
}
BOTH = "![](qhaigc:hero) ![](qhaigc:fox)\n"
PAGES = ("index.md", "start.md", "guide/one.md", "guide/two.md", "guide/three.md")


def declare(project: Project, **options: Any) -> None:
    """Five pages whose images show one character."""
    project.options |= {"references_by": "json", **options}
    project.write("look/fox.png", FOX)
    for number, page in enumerate(PAGES):
        hero = {"prompt": f"The fox, scene {number}", "alt": "A fox", "references": "look/fox.png"}
        project.page(page, "# Page\n\n![](qhaigc:hero)\n", qhaigc={"hero": hero})


@pytest.mark.parametrize(
    ("by", "path", "field"), [("edits", "/v1/images/edits", "image[]"), ("json", "/v1/images/generations", "image")]
)
def test_five_images_with_one_reference_are_bought_once_and_warm_builds_are_the_same(
    project: Project, api: ImagesApi, by: str, path: str, field: str
) -> None:
    declare(project, references_by=by)
    cold = project.build("--strict")
    assert cold.code == 0, cold.output
    assert [sent[0] for sent in api.sent] == [path] * 5
    assert all(field in call for call in api.calls)
    if by == "edits":
        assert all(call[field] == [FOX] for call in api.calls)

    warm = project.build("--strict", site="warm")
    assert (warm.code, len(api.calls)) == (0, 5)
    assert warm.digest() == cold.digest()


@pytest.mark.slow
@pytest.mark.parametrize("by", ["edits", "json"])
def test_two_machines_send_the_same_bytes(tmp_path: Path, by: str) -> None:
    """Other folders, other processes, other places of the file; images that are scaled, too."""
    photo = io.BytesIO()
    Image.effect_noise((3000, 200), 40).convert("RGB").save(photo, "JPEG")
    sent = []
    for machine in ("one", "two/deeper"):
        with ImagesApi() as api:
            project = Project(tmp_path / machine, api.base_url)
            project.own_process = True
            declare(project, references_by=by, references="photo.jpg", concurrency=1)
            project.write("photo.jpg" if machine == "one" else "docs/photo.jpg", photo.getvalue())
            assert project.build("--strict").code == 0
            sent.append(sorted(api.sent))
    assert len(sent[0]) == 5
    assert sent[0] == sent[1]


def test_a_changed_reference_is_a_changed_image_and_the_old_one_is_still_there(
    project: Project, api: ImagesApi
) -> None:
    declare(project)
    first = project.build()
    project.write("look/fox.png", draw("another fox", 64, 64))
    assert project.build().code == 0
    assert len(api.calls) == 10
    project.write("docs/fox-again.png", FOX)
    project.write("look/fox.png", FOX)
    assert project.build().digest() == first.digest() | {"fox-again.png": hashlib.sha256(FOX).hexdigest()}
    assert len(api.calls) == 10


def test_an_image_that_is_a_reference_is_made_first_and_its_bytes_are_sent(project: Project, api: ImagesApi) -> None:
    project.options |= {"references_by": "edits", "images": {"sheet": {"prompt": "Sheet", "alt": "x"}}}
    front = {
        "hero": {"prompt": "Hero", "alt": "x", "references": ["fox", "sheet"]},
        "fox": {"prompt": "Fox", "alt": "x", "references": "sheet"},
    }
    project.page("index.md", BOTH, qhaigc=front)
    built = project.build("--strict")

    assert built.code == 0, built.output
    assert api.prompts == ["Sheet", "Fox", "Hero"]
    [sheet], [fox] = api.drawn["Sheet"], api.drawn["Fox"]
    assert api.calls[1]["image[]"] == [sheet]
    assert api.calls[2]["image[]"] == [fox, sheet]
    assert project.build("--strict", site="warm").digest() == built.digest()
    assert len(api.calls) == 3


def test_images_wait_for_their_references_without_a_worker_that_waits(project: Project, api: ImagesApi) -> None:
    """More images than workers, each after the one before."""
    project.options |= {"references_by": "json", "concurrency": 1}
    chain = {
        f"n{number}": {"prompt": str(number), "alt": "", "references": f"n{number - 1}"} for number in range(9, 0, -1)
    }
    project.page("index.md", "# Page\n", qhaigc={**chain, "n0": {"prompt": "0", "alt": ""}})

    assert project.build().code == 0
    assert api.prompts == [str(number) for number in range(10)]


def test_what_depends_on_an_image_that_cannot_be_had_is_not_bought_and_says_why(
    project: Project, api: ImagesApi
) -> None:
    project.options |= {"references_by": "json"}
    front = {**PAIR, "other": {"prompt": "Other", "alt": "x"}}
    project.page("index.md", f"{BOTH} ![](qhaigc:other)\n", qhaigc=front)
    api.by_prompt["Fox"] = [error(400, "invalid_request", "no foxes")]
    built = project.build()

    assert sorted(api.prompts) == ["Fox", "Other"]
    assert (
        "index.md#hero: its reference image index.md#fox could not be had, so it is not bought either" in built.output
    )
    assert "no foxes" in built.output
    assert project.build("--strict", site="again").code == 0  # the API is in a better mood
    assert len(api.calls) == 4


def test_a_wrong_key_is_one_message_for_what_depends_on_the_image_too(project: Project, api: ImagesApi) -> None:
    project.options |= {"references_by": "json", "concurrency": 1}
    project.page("index.md", BOTH, qhaigc=PAIR)
    api.script = [error(401, "invalid_api_key")]
    built = project.build()

    assert len(built.warnings) == 1, built.output
    assert "2 images are placeholders" in built.warnings[0]
    assert api.prompts == ["Fox"]


def test_the_budget_counts_the_references_too(project: Project, api: ImagesApi) -> None:
    project.options |= {"references_by": "json", "max_new_images": 1}
    project.page("index.md", BOTH, qhaigc=PAIR)

    assert "max_new_images" in project.build().output
    assert project.build("--strict").code == 0
    assert api.prompts == ["Fox", "Hero"]


def test_a_missing_file_is_a_problem_with_its_line_and_nothing_is_bought(project: Project, api: ImagesApi) -> None:
    project.options |= {"references_by": "json"}
    project.write(
        "docs/index.md",
        "---\nqhaigc:\n  hero:\n    prompt: Hero\n    references:\n      - ./fox.png\n---\n![](qhaigc:hero)\n",
    )
    built = project.build()

    assert "index.md, line 5, image 'hero': `references` names './fox.png', and there is no such file" in built.output
    assert built.warnings[1:] == []
    assert api.calls == []


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"references": "gone.png"}, "option `references`: `references` names 'gone.png', and there is no such file"),
        ({"references": "gone"}, "option `references`: `references` names 'gone', and there is no such image"),
        ({"styles": {"ink": {"references": "gone"}}}, "option `styles`: 'ink': `references` names 'gone'"),
        (
            {"images": {"a": {"prompt": "A", "references": "a"}}},
            "option `images`: image 'a': `references` leads in a circle",
        ),
    ],
)
def test_a_reference_of_the_site_that_cannot_be_used_ends_the_build(
    project: Project, api: ImagesApi, options: dict[str, Any], words: str
) -> None:
    project.options |= options
    project.page("index.md", "# Page\n", qhaigc="A fox")
    built = project.build()

    assert built.code == 1
    assert words in " ".join(built.output.split())
    assert api.calls == []


def test_a_service_of_which_nothing_is_known_is_not_asked(project: Project, api: ImagesApi) -> None:
    declare(project, references_by="auto")
    project.page("plain.md", "![](qhaigc:hero)", qhaigc={"hero": {"prompt": "No reference", "alt": "x"}})
    built = project.build()

    assert api.prompts == ["No reference"]
    assert "5 images are placeholders" in built.output
    assert "`references_by: json`" in built.output


@pytest.mark.parametrize(
    ("by", "other", "wrong"),
    [
        ("edits", "json", answer(404, {"error": {"message": "Invalid URL (POST /v1/images/edits)"}})),
        ("json", "edits", answer(400, {"error": {"message": "Unknown parameter: 'image'.", "param": "image"}})),
    ],
)
def test_a_service_that_takes_references_in_another_way_is_told_with_what_to_write(
    project: Project, api: ImagesApi, by: str, other: str, wrong: Behaviour
) -> None:
    api.default = wrong
    project.write("docs/look.png", draw("a look", 64, 64))
    project.options["references_by"] = by
    project.page("index.md", qhaigc={"hero": {"prompt": "fog", "references": "look.png"}})
    built = project.build()
    assert f"as they are sent (`references_by: {by}`). Write `references_by: {other}`, or remove" in built.output
    assert len(api.calls) == 1


def test_a_file_that_is_no_image_behind_its_first_bytes_is_not_sent(project: Project, api: ImagesApi) -> None:
    declare(project)
    project.write("look/fox.png", FOX[:200])
    built = project.build()

    assert api.calls == []
    assert "its reference image look/fox.png cannot be used" in built.output


def test_pins_without_the_bytes_of_git_lfs_are_enough_for_a_build(project: Project, api: ImagesApi) -> None:
    """A checkout in CI without `git lfs pull`: nothing is bought again."""
    declare(project)
    first = project.build()
    pointer = f"version https://git-lfs.github.com/spec/v1\noid sha256:{hashlib.sha256(FOX).hexdigest()}\nsize 1\n"
    project.write("look/fox.png", pointer)

    assert project.build("--strict", site="again").digest() == first.digest()
    shutil.rmtree(project.cache)
    assert "look/fox.png is a pointer of Git LFS. Run `git lfs pull`" in project.build().output
    assert len(api.calls) == 5


def test_a_large_reference_is_kept_as_it_was_sent(project: Project, api: ImagesApi) -> None:
    declare(project, references_by="edits", concurrency=1)
    large = io.BytesIO()
    Image.effect_noise((2600, 100), 40).convert("RGB").save(large, "PNG")
    project.write("look/fox.png", large.getvalue())
    assert project.build("--strict").code == 0

    [kept] = (project.cache / "references").iterdir()
    assert {call["image[]"][0] for call in api.calls} == {kept.read_bytes()}
    with Image.open(kept) as image:
        assert (image.format, image.size) == ("JPEG", (2048, 79))
    kept.write_bytes(b"damaged")
    project.page(
        "new.md", "![](qhaigc:hero)", qhaigc={"hero": {"prompt": "New", "alt": "", "references": "look/fox.png"}}
    )
    assert project.build("--strict").code == 0
    assert api.calls[-1]["image[]"] == api.calls[0]["image[]"]


def test_a_warm_build_with_references_imports_neither_pillow_nor_httpx(project: Project) -> None:
    declare(project)
    assert project.build().code == 0
    arguments = ["build", "-q", "-f", str(project.write_config()), "-d", str(project.folder / "warm")]
    script = (
        f"import sys\nfrom mkdocs.__main__ import cli\ntry:\n    cli({arguments!r})\n"
        "except SystemExit as end:\n    assert not end.code\n"
        "print([name for name in ('PIL', 'httpx', 'mkdocs_qhaigc.generation.queue') if name in sys.modules])\n"
    )
    ran = subprocess.run(
        [sys.executable, "-c", script], env=project.environ(), capture_output=True, text=True, check=True
    )
    assert ran.stdout.strip() == "[]"


def test_plan_and_check_say_what_depends_on_what_and_what_cannot_be_bought(project: Project, api: ImagesApi) -> None:
    project.write("fox.png", FOX)
    front = {**PAIR, "hero": {**PAIR["hero"], "references": ["fox", "fox.png"]}}
    project.page("index.md", BOTH, qhaigc=front)

    planned = run(project, "plan", "--json")
    rows = {row["name"]: row["references"] for row in json.loads(planned.stdout)["images"]}
    assert rows == {"hero": ["index.md#fox", "fox.png"], "fox": []}
    assert "index.md#hero cannot be bought: it is not known how 127.0.0.1 takes reference images" in planned.stderr
    checked = run(project, "check")
    assert (
        "index.md#hero: its image is missing. It cannot be bought as it is declared: it is not known" in checked.stdout
    )
    assert "index.md#fox: its image is missing. Run `mkdocs-qhaigc generate`" in checked.stdout

    project.options["references_by"] = "json"
    assert "cannot be bought" not in run(project, "plan").stderr
    project.write("fox.png", FOX[:200])
    assert "its reference image fox.png cannot be used" in run(project, "plan").stderr
    assert api.calls == []


def test_the_report_and_the_sheet_name_the_references(project: Project) -> None:
    declare(project, report="report.json")
    assert project.build().code == 0

    report = json.loads((project.folder / "report.json").read_text())
    assert [row["references"] for row in report["images"]] == [["look/fox.png"]] * 5
    assert run(project, "gallery").returncode == 0
    assert "look/fox.png" in (project.cache / "gallery.html").read_text()


def test_plan_and_check_say_that_a_refused_reference_holds_an_image_back(project: Project, api: ImagesApi) -> None:
    project.options["references_by"] = "json"
    project.page("index.md", BOTH, qhaigc=PAIR)
    api.script = [error(400, "content_policy_violation")]
    assert run(project, "generate", "--yes").returncode == 1

    hindrance = "its reference image index.md#fox could not be had (the API has refused this prompt"
    assert f"index.md#hero cannot be bought: {hindrance}" in run(project, "plan").stderr
    assert hindrance in run(project, "check").stdout
    again = run(project, "generate", "--yes", "--retry-refused")
    assert (again.returncode, api.prompts) == (0, ["Fox", "Fox", "Hero"]), again.stderr
    assert "cannot be bought" not in again.stderr


def test_generate_buys_the_references_of_what_it_is_asked_for(project: Project, api: ImagesApi) -> None:
    project.options |= {"references_by": "json", "images": {"sheet": {"prompt": "Sheet", "alt": ""}}}
    front = {**PAIR, "fox": {**PAIR["fox"], "references": "sheet"}, "other": {"prompt": "Other", "alt": "x"}}
    project.page("index.md", f"{BOTH} ![](qhaigc:other)\n", qhaigc=front)
    generated = run(project, "generate", "index.md#hero", "--yes")

    assert "To buy from" in generated.stderr
    assert "3 images (3 by" in generated.stderr
    assert (generated.returncode, api.prompts) == (0, ["Sheet", "Fox", "Hero"])


def test_candidates_are_drawn_after_the_reference_and_a_pick_says_what_it_changes(
    project: Project, api: ImagesApi
) -> None:
    project.options |= {"references_by": "json"}
    project.page("index.md", BOTH, qhaigc=PAIR)
    bought = run(project, "candidates", "index.md#hero", "-n", "2", "--yes")
    assert "3 images (3 by" in bought.stderr
    assert api.prompts[0] == "Fox"
    assert all("image" in call for call in api.calls[1:])

    calls = len(api.calls)
    regenerated = run(project, "regenerate", "index.md#fox", "--yes")
    assert regenerated.returncode == 0, regenerated.stderr
    said = regenerated.stderr
    assert "index.md#fox is a reference image of index.md#hero" in said
    assert said.index("is a reference image of") < said.index("To buy from")  # before the question
    assert len(api.calls) == calls + 1
    assert "To buy: 1 by" in run(project, "plan").stdout


def test_pin_and_prune_keep_what_is_a_reference_and_shown_nowhere(project: Project, api: ImagesApi) -> None:
    project.options |= {"references_by": "json"}
    project.page("index.md", "![](qhaigc:hero)\n", qhaigc=PAIR)
    built = project.build("--strict")
    assert "is shown nowhere" not in built.output
    assert run(project, "pin").returncode == 0
    assert run(project, "pin", "--check").returncode == 0
    assert "is shown nowhere" not in run(project, "check").stdout
    assert run(project, "prune", "--older-than", "0h", "--yes").returncode == 0
    shutil.rmtree(project.cache)
    assert project.build("--strict", site="again").digest() == built.digest()
    assert len(api.calls) == 2


@pytest.mark.slow
def test_a_build_that_is_killed_between_a_reference_and_its_image_buys_the_reference_once(
    project: Project, api: ImagesApi
) -> None:
    project.options |= {"references_by": "edits"}
    project.page("index.md", BOTH, qhaigc=PAIR)
    never = threading.Event()
    api.by_prompt["Hero"] = [waits_for(never)]
    with project.start("build") as process:
        deadline = time.monotonic() + 30
        while api.prompts != ["Fox", "Hero"]:
            assert time.monotonic() < deadline, api.prompts
            time.sleep(0.05)
        process.kill()
    never.set()
    assert project.build("--strict").code == 0
    assert api.prompts == ["Fox", "Hero", "Hero"]
    assert [call["image[]"] for call in api.calls[1:]] == [api.drawn["Fox"]] * 2


@pytest.mark.slow
def test_two_builds_at_once_buy_a_reference_and_its_images_once(project: Project, api: ImagesApi) -> None:
    project.options |= {"references_by": "edits"}
    others = {f"n{number}": {**PAIR["hero"], "prompt": f"Hero {number}"} for number in range(4)}
    project.page("index.md", BOTH, qhaigc={**PAIR, **others})
    folders = (str(project.folder / "a"), str(project.folder / "b"))
    with project.start("build", "-d", folders[0]) as first, project.start("build", "-d", folders[1]) as second:
        assert (first.wait(60), second.wait(60)) == (0, 0)
    assert len(api.calls) == len(set(api.prompts)) == 6


def test_a_damaged_reference_image_is_not_sent_and_generate_replaces_it(project: Project, api: ImagesApi) -> None:
    """Its page shows it as it was encoded, so no build has looked at its bytes."""
    project.options["references_by"] = "json"
    project.page("index.md", "![](qhaigc:fox)\n", qhaigc={"fox": PAIR["fox"]})
    assert project.build("--strict").code == 0
    [original] = (project.cache / "originals").glob("fox-*.png")
    original.write_bytes(original.read_bytes()[:-1] + b"x")
    project.page("index.md", BOTH, qhaigc=PAIR)
    [warning] = project.build().warnings
    assert "index.md#hero: its reference image index.md#fox cannot be used: the stored image is damaged" in warning
    assert "or run `mkdocs-qhaigc generate`" in warning
    assert api.prompts == ["Fox"]
    assert run(project, "generate", "--yes").returncode == 0
    assert api.prompts == ["Fox", "Fox", "Hero"]
    assert project.build("--strict").code == 0


def test_a_damaged_pin_is_no_reference_image_where_the_cache_has_it_whole(project: Project, api: ImagesApi) -> None:
    project.options["references_by"] = "edits"
    project.page("index.md", "![](qhaigc:fox)\n", qhaigc={"fox": PAIR["fox"]})
    assert project.build("--strict").code == 0
    shutil.copytree(project.cache / "originals", project.folder / "generated-images")
    [pin] = (project.folder / "generated-images").glob("fox-*.png")
    pin.write_bytes(pin.read_bytes()[:-1] + b"x")
    project.page("index.md", BOTH, qhaigc=PAIR)
    assert project.build("--strict").code == 0
    assert api.calls[1]["image[]"] == api.drawn["Fox"]
