"""`mkdocs-qhaigc candidates`: variants of one prompt, in one call where that is taken, each saved when it arrives."""

from __future__ import annotations

import json
import os
import re
import signal
import time
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pytest

from mkdocs_qhaigc.sandbox import Sandbox
from tests.conftest import Project, require_posix
from tests.helpers.api import Handler, ImagesApi, disconnect, error, hang, one_at_a_time, several
from tests.helpers.commands import Terminal, answer, run

pytestmark = pytest.mark.slow

IMAGE = "guide/start.md#hero"


@pytest.fixture
def site(project: Project, api: ImagesApi) -> Project:
    api.default = several
    project.page("index.md")
    project.page("guide/start.md", "![x](qhaigc:hero)", qhaigc="fog")
    return project


def counts(api: ImagesApi) -> list[int]:
    """How many images each call has asked for."""
    return [call["n"] for call in api.calls]


def records(site: Project) -> dict[int, Path]:
    """The saved images of the prompt, by variant."""
    found = {}
    for path in (site.cache / "originals").glob("*.json"):
        record = json.loads(path.read_bytes())
        found[record["request"]["variant"]] = path.with_suffix(".png")
    return found


def test_variants_come_in_one_call_and_only_those_that_are_missing(site: Project, api: ImagesApi) -> None:
    finished = run(site, "candidates", IMAGE, "--yes")
    assert finished.returncode == 0, finished.stderr
    assert "4 images (4 by qh-draw-x2-preview)" in finished.stderr
    assert counts(api) == [4]
    assert sorted(records(site)) == [1, 2, 3, 4]
    assert len({path.read_bytes() for path in records(site).values()}) == 4
    more = run(site, "candidates", IMAGE, "--yes", "-n", "6")
    assert more.returncode == 0, more.stderr
    assert counts(api) == [4, 2]
    again = run(site, "candidates", IMAGE, "-n", "6")
    assert again.returncode == 0, again.stderr
    assert site.build().summary == "1 cached"
    site.page("guide/start.md", qhaigc={"prompt": "fog", "variant": 5})
    assert site.build().summary == "1 cached"
    assert counts(api) == [4, 2]


def test_the_sheet_shows_each_variant_and_the_line_to_write(site: Project) -> None:
    finished = run(site, "candidates", IMAGE, "--yes", "-n", "3")
    sheet = Path(finished.stdout.splitlines()[1].strip())
    assert sheet.parent == site.cache / "candidates"
    html = sheet.read_text(encoding="utf-8")
    shown = [(sheet.parent / unquote(address)).resolve() for address in re.findall(r'<img[^>]*\bsrc="([^"]+)"', html)]
    assert shown == [records(site)[variant].resolve() for variant in (1, 2, 3)]
    assert [f"variant: {number}" in html for number in (1, 2, 3, 4)] == [True, True, True, False]
    assert "--pick NUMBER" in finished.stdout


def used(sheet: Path) -> list[str]:
    """The titles of a sheet's variants; that in use is marked."""
    titles = re.findall(r"<h2>(Variant.*?)</h2>", sheet.read_text(encoding="utf-8"))
    return [re.sub("<[^>]*>", "", title) for title in titles]


def test_the_sheet_is_true_after_a_pick(site: Project, api: ImagesApi) -> None:
    site.page("guide/start.md", "![x](qhaigc:hero)", qhaigc={"prompt": "fog", "dark": "night"})
    light, dark = (
        Path(answer(site, "candidates", image, "--yes", "-n", "3")["sheet"]) for image in (IMAGE, f"{IMAGE}-dark")
    )
    assert light != dark
    assert used(light) == used(dark) == ["Variant 1 in use", "Variant 2", "Variant 3"]
    assert run(site, "candidates", IMAGE, "--pick", "2").returncode == 0
    assert used(light) == ["Variant 1", "Variant 2 in use", "Variant 3"]
    assert used(dark) == ["Variant 1 in use", "Variant 2", "Variant 3"]
    assert run(site, "candidates", f"{IMAGE}-dark", "--pick", "3").returncode == 0
    assert used(light) == ["Variant 1", "Variant 2 in use", "Variant 3"]
    assert used(dark) == ["Variant 1", "Variant 2", "Variant 3 in use"]
    assert run(site, "regenerate", IMAGE, "--yes").returncode == 0
    assert used(light) == ["Variant 1", "Variant 2", "Variant 3", "Variant 4 in use"]
    assert used(dark) == ["Variant 1", "Variant 2", "Variant 3 in use"]
    dark.unlink()
    assert run(site, "candidates", f"{IMAGE}-dark", "--pick", "1").returncode == 0
    assert not dark.exists()


def test_the_sheet_is_written_whatever_the_page_is_called_and_wherever_the_cache_is(
    site: Project, tmp_path: Path
) -> None:
    page = f"{'航海者的灯塔与雾' * 10}.md"  # 240 bytes
    site.page(page, "![x](qhaigc:hero)", qhaigc="fog")
    (tmp_path / "elsewhere/deep/down").mkdir(parents=True)
    (site.folder / ".qhaigc").symlink_to(tmp_path / "elsewhere/deep/down")
    assert run(site, "candidates", f"{page}#hero", "--yes", "-n", "1").returncode == 0
    assert run(site, "pin").returncode == 0
    finished = run(site, "candidates", f"{page}#hero", "-n", "1")
    assert finished.returncode == 0, finished.stderr
    (sheet,) = (site.cache / "candidates").glob("*.html")
    (address,) = re.findall(r'<img[^>]* src="([^"]+)"', sheet.read_text("utf-8"))
    assert Path(os.path.normpath(sheet.parent / unquote(address))).is_file()  # as browsers resolve it


def test_a_model_that_takes_one_image_a_call_is_asked_one_by_one(site: Project, api: ImagesApi) -> None:
    api.default = one_at_a_time
    site.options["max_new_images"] = 4
    finished = run(site, "candidates", IMAGE, "--yes")
    assert finished.returncode == 0, finished.stderr
    assert counts(api) == [4, 1, 1, 1, 1]
    assert sorted(records(site)) == [1, 2, 3, 4]


def test_a_server_that_overlooks_n_is_asked_for_the_rest_one_by_one(site: Project, api: ImagesApi) -> None:
    def overlooks(handler: Handler, body: dict[str, Any]) -> None:
        several(handler, {**body, "n": 1})

    api.script = [overlooks]
    site.options["max_new_images"] = 4
    finished = run(site, "candidates", IMAGE, "--yes")
    assert finished.returncode == 0, finished.stderr
    assert counts(api) == [4, 1, 1, 1]
    assert sorted(records(site)) == [1, 2, 3, 4]


def test_a_refused_prompt_is_asked_once(site: Project, api: ImagesApi) -> None:
    api.default = error(400, "content_policy_violation", "No fog.")
    finished = run(site, "candidates", IMAGE, "--yes")
    assert finished.returncode == 1
    assert finished.stderr.count("the API refuses this prompt") == 4
    assert counts(api) == [4]


def test_a_call_for_several_that_may_have_been_billed_is_not_made_again(site: Project, api: ImagesApi) -> None:
    api.default = disconnect
    finished = run(site, "candidates", IMAGE, "--yes")
    assert finished.returncode == 1
    assert "Traceback" not in finished.stderr
    assert counts(api) == [4]


def test_a_budget_that_is_too_small_for_all_buys_some(site: Project, api: ImagesApi) -> None:
    site.options["max_new_images"] = 3
    finished = run(site, "candidates", IMAGE, "--yes")
    assert finished.returncode == 1
    assert "this command may buy 3 new images (`max_new_images`)" in finished.stderr
    assert sum(counts(api)) == 3
    assert len(records(site)) == 3
    assert run(site, "candidates", IMAGE, "--yes").returncode == 0
    assert sum(counts(api)) == 4


def test_an_image_that_cannot_be_fetched_takes_no_other_with_it(site: Project, api: ImagesApi) -> None:
    site.options["retries"] = 0
    site.options["concurrency"] = 1
    api.fetch_script = [lambda handler, _: handler.send(500, {})]
    finished = run(site, "candidates", IMAGE, "--yes")
    assert finished.returncode == 1
    assert "the image was made, but the image's address answered 500" in finished.stderr
    assert sorted(records(site)) == [2, 3, 4]
    again = run(site, "candidates", IMAGE, "--yes")
    assert again.returncode == 0, again.stderr
    assert sorted(records(site)) == [1, 2, 3, 4]
    assert counts(api) == [4]
    assert not list((site.cache / "answers").iterdir())


@pytest.mark.parametrize("how", ["SIGKILL", "SIGINT"])
def test_a_command_that_is_ended_in_the_middle_loses_none_of_the_images(
    site: Project, api: ImagesApi, how: str
) -> None:
    api.fetch_script = [lambda handler, body: handler.send_bytes(200, body["data"], "image/png"), hang]
    terminal = Terminal(site, "candidates", IMAGE, "--yes")
    ends = time.monotonic() + 60
    while len(api.fetches) < 2:
        assert time.monotonic() < ends
        time.sleep(0.01)
    terminal.process.send_signal(signal.Signals[how])
    code, seen = terminal.end()
    assert code != 0
    assert "Traceback" not in seen
    assert sorted(records(site)) == [1]
    site.page("guide/start.md", qhaigc={"prompt": "fog", "variant": 3})
    assert site.build("--strict").code == 0
    assert sorted(records(site)) == [1, 3]
    assert run(site, "candidates", IMAGE, "--yes").returncode == 0
    assert sorted(records(site)) == [1, 2, 3, 4]
    assert len({path.read_bytes() for path in records(site).values()}) == 4
    assert counts(api) == [4]


def test_two_commands_at_once_buy_each_variant_once(site: Project, api: ImagesApi) -> None:
    both = [Terminal(site, "candidates", IMAGE, "--yes", "-n", number) for number in ("4", "6")]
    assert [terminal.end()[0] for terminal in both] == [0, 0]
    assert sum(counts(api)) == 6


def test_the_sandbox_draws_in_one_call_what_it_draws_one_by_one(site: Project) -> None:
    with Sandbox() as sandbox:
        site.options["base_url"] = sandbox.base_url
        assert run(site, "candidates", IMAGE, "--yes").returncode == 0
        assert [call.body and call.body["n"] for call in sandbox.received if call.method == "POST"] == [4]
        together = [path.read_bytes() for path in sorted((site.cache / "originals").glob("*.webp"))]
        for path in (site.cache / "originals").iterdir():
            path.unlink()
        for variant in (1, 2, 3, 4):
            site.page("guide/start.md", qhaigc={"prompt": "fog", "variant": variant})
            assert run(site, "generate", "--yes").returncode == 0
        assert [path.read_bytes() for path in sorted((site.cache / "originals").glob("*.webp"))] == together
        site.page("guide/start.md", qhaigc={"prompt": "fog", "model": "dall-e-3"})
        finished = run(site, "candidates", IMAGE, "--yes", "-n", "2")
        assert finished.returncode == 0, finished.stderr
        calls = [(call.body and call.body["n"], call.status) for call in sandbox.received if call.method == "POST"]
        assert calls[-2:] == [(1, 200), (1, 200)]  # the model is known to take one a call
        site.page("guide/start.md", qhaigc={"prompt": "fog", "model": "gpt-image-2", "size": "96x64"})
        site.options["models"] = {"gpt-image-2": {"most_n": 2}}
        assert run(site, "candidates", IMAGE, "--yes", "-n", "5").returncode == 0
        site.page("guide/start.md", qhaigc={"prompt": "fog", "params": {"seed": 5}})
        assert run(site, "candidates", IMAGE, "--yes", "-n", "2").returncode == 0
        bodies = [call.body or {} for call in sandbox.received if call.method == "POST"][-5:]
        assert sorted(body["n"] for body in bodies[:3]) == [1, 2, 2]
        assert sorted((body["n"], body["seed"]) for body in bodies[3:]) == [(1, 5), (1, 6)]


def test_json_names_the_sheet_and_every_candidate(site: Project) -> None:
    content = json.loads(run(site, "candidates", IMAGE, "--yes", "--json", "-n", "2").stdout)
    assert content["image"] == IMAGE
    assert Path(content["sheet"]).is_file()
    assert [(row["variant"], row["state"], row["in_use"]) for row in content["candidates"]] == [
        (1, "generated", True),
        (2, "generated", False),
    ]


@pytest.mark.parametrize(
    ("given", "words"),
    [
        (["guide/start.md#her"], "guide/start.md has no image 'her'. Did you mean hero?"),
        (["index.md"], "index.md is no page with images"),
        ([IMAGE, "-n", "0"], "-n"),
        ([], "PAGE#NAME"),
    ],
)
def test_wrong_usage_is_told(site: Project, api: ImagesApi, given: list[str], words: str) -> None:
    finished = run(site, "candidates", "--yes", *given)
    assert finished.returncode == 2
    assert words in finished.stderr
    assert not api.calls


def test_a_page_with_one_image_needs_no_name(site: Project, api: ImagesApi) -> None:
    assert run(site, "candidates", "docs/guide/start.md", "--yes", "-n", "2").returncode == 0
    site.page("guide/start.md", qhaigc={"one": "fog", "two": "more fog"})
    finished = run(site, "candidates", "guide/start.md", "--yes")
    assert finished.returncode == 2
    assert "Write one of guide/start.md#one, guide/start.md#two" in finished.stderr


def test_a_picked_variant_is_written_into_the_page_and_used_by_the_build(site: Project, api: ImagesApi) -> None:
    page = site.write(
        "docs/guide/start.md",
        "\ufeff---\r\n# before\r\ntitle: 'Start'\r\nqhaigc: fog  # the light\r\n---\r\n![x](qhaigc:hero)\r\n",
    )
    require_posix("permissions such as 0640")
    page.chmod(0o640)
    assert run(site, "candidates", IMAGE, "--yes").returncode == 0
    finished = run(site, "candidates", IMAGE, "--pick", "3")
    assert finished.returncode == 0, finished.stderr
    assert finished.stdout == f"{page}: hero is variant 3 now.\n"
    assert page.read_bytes().decode() == (
        "\ufeff---\r\n# before\r\ntitle: 'Start'\r\nqhaigc:\r\n  prompt: fog  # the light\r\n  variant: 3\r\n---\r\n"
        "![x](qhaigc:hero)\r\n"
    )
    assert page.stat().st_mode & 0o777 == 0o640
    assert site.build("--strict").summary == "1 cached"
    assert counts(api) == [4]
    again = run(site, "candidates", IMAGE, "--pick", "3")
    assert (again.returncode, again.stdout) == (0, f"{IMAGE} is variant 3 already.\n")
    back = run(site, "candidates", IMAGE, "--pick", "1")
    assert back.returncode == 0, back.stderr
    assert b"variant: 1\r\n" in page.read_bytes()
    assert site.build("--strict").summary == "1 cached"


def test_a_page_that_is_a_link_stays_one(site: Project) -> None:
    real = site.write("elsewhere/start.md", "---\nqhaigc: fog\n---\n")
    link = site.docs / "guide/start.md"
    require_posix("links that anybody may make")
    link.unlink()
    link.symlink_to(real)
    assert run(site, "candidates", IMAGE, "--yes", "-n", "2").returncode == 0
    assert run(site, "candidates", IMAGE, "--pick", "2").returncode == 0
    assert link.is_symlink()
    assert real.read_text(encoding="utf-8") == "---\nqhaigc:\n  prompt: fog\n  variant: 2\n---\n"


def test_a_variant_that_nobody_has_seen_is_not_picked(site: Project, api: ImagesApi) -> None:
    before = (site.docs / "guide/start.md").read_bytes()
    finished = run(site, "candidates", IMAGE, "--pick", "2")
    assert finished.returncode == 1
    assert f"there is no variant 2 of {IMAGE}" in finished.stderr
    assert (site.docs / "guide/start.md").read_bytes() == before
    assert not api.calls


def test_what_cannot_be_edited_alone_is_told_and_left_as_it_is(site: Project) -> None:
    page = site.write("docs/guide/start.md", "---\nqhaigc:\n  hero: &h {prompt: fog}\n  other: *h\n---\n")
    before = page.read_bytes()
    assert run(site, "candidates", IMAGE, "--yes", "-n", "2").returncode == 0
    finished = run(site, "candidates", IMAGE, "--pick", "2")
    assert finished.returncode == 1
    assert f"{page} was not changed" in finished.stderr
    assert "Write `variant: 2` into the directive yourself" in finished.stderr
    assert page.read_bytes() == before


def test_images_of_the_whole_site_and_of_made_pages_are_not_edited(site: Project) -> None:
    site.options["images"] = {"logo": "a logo"}
    site.write("hooks.py", "def on_page_markdown(markdown, page, **_):\n    page.meta.setdefault('qhaigc', 'made')\n")
    site.config["hooks"] = ["hooks.py"]
    for image, words in (("mkdocs.yml#logo", "in mkdocs.yml"), ("index.md#hero", "index.md was not changed")):
        assert run(site, "candidates", image, "--yes", "-n", "2").returncode == 0
        finished = run(site, "candidates", image, "--pick", "2")
        assert finished.returncode == 1
        assert words in " ".join(finished.stderr.split())


def test_a_pick_says_that_the_dark_image_is_missing(site: Project, api: ImagesApi) -> None:
    site.page("guide/start.md", qhaigc={"prompt": "fog", "dark": "night"})
    assert run(site, "candidates", IMAGE, "--yes", "-n", "2").returncode == 0
    finished = run(site, "candidates", IMAGE, "--pick", "2")
    assert finished.returncode == 0, finished.stderr
    assert f"mkdocs-qhaigc generate {IMAGE}" in finished.stdout
    assert run(site, "generate", IMAGE, "--yes").returncode == 0
    assert api.prompts == ["fog", "night"]


def test_a_dark_image_that_is_there_stays_where_the_light_one_is_picked(site: Project) -> None:
    page = site.write("docs/guide/start.md", PAIR)
    assert run(site, "generate", IMAGE, "--yes").returncode == 0
    assert run(site, "candidates", IMAGE, "--yes", "-n", "2").returncode == 0
    finished = run(site, "candidates", IMAGE, "--pick", "2")
    assert finished.stdout.splitlines() == [
        f"{page}: hero is variant 2 now.",
        "Its dark image has a variant of its own, and stays variant 1.",
    ]
    own = "    dark:\n      prompt: night  # the lamp\n      variant: 1\n"
    assert page.read_text(encoding="utf-8").endswith(f"prompt: fog\n    variant: 2\n{own}---\n![x](qhaigc:hero)\n")
    assert site.build("--strict").summary == "2 cached"  # no placeholder, and nothing is bought


PAIR = "---\nqhaigc:\n  hero:\n    prompt: fog\n    dark: night  # the lamp\n---\n![x](qhaigc:hero)\n"


def test_the_dark_image_of_a_pair_is_chosen_apart(site: Project, api: ImagesApi) -> None:
    page = site.write("docs/guide/start.md", PAIR)
    assert run(site, "generate", IMAGE, "--yes").returncode == 0
    listed = answer(site, "candidates", f"{IMAGE}-dark", "--yes", "-n", "3")
    assert listed["image"] == f"{IMAGE}-dark"
    assert [(one["variant"], one["in_use"]) for one in listed["candidates"]] == [(1, True), (2, False), (3, False)]
    assert sorted(api.prompts) == ["fog", "night", "night"]
    picked = run(site, "candidates", f"{IMAGE}-dark", "--pick", "3")
    assert picked.returncode == 0, picked.stderr
    assert picked.stdout.splitlines() == [f"{page}: hero (dark) is variant 3 now."]
    own = "    dark:\n      prompt: night  # the lamp\n      variant: 3\n"
    assert page.read_text(encoding="utf-8") == PAIR.replace("    dark: night  # the lamp\n", own)
    assert site.build("--strict").summary == "2 cached"
    again = run(site, "candidates", f"{IMAGE}-dark", "--pick", "3")
    assert f"{IMAGE} (dark) is variant 3 already" in again.stdout

    assert run(site, "candidates", IMAGE, "--yes", "-n", "2").returncode == 0
    light = run(site, "candidates", IMAGE, "--pick", "2")
    assert light.stdout.splitlines() == [
        f"{page}: hero is variant 2 now.",
        "Its dark image has a variant of its own, and stays variant 3.",
    ]
    assert page.read_text(encoding="utf-8").endswith(f"prompt: fog\n    variant: 2\n{own}---\n![x](qhaigc:hero)\n")
    assert site.build("--strict").summary == "2 cached"


def test_a_dark_image_that_cannot_be_written_is_told_with_what_to_write(site: Project) -> None:
    text = "---\nqhaigc:\n  hero: &h {prompt: fog, dark: night}\n  other: *h\n---\n![x](qhaigc:hero)\n"
    page = site.write("docs/guide/start.md", text)
    assert run(site, "candidates", f"{IMAGE}-dark", "--yes", "-n", "2").returncode == 0
    finished = run(site, "candidates", f"{IMAGE}-dark", "--pick", "2")
    assert finished.returncode == 1
    assert "Write `dark: {prompt: …, variant: 2}` into the directive yourself" in finished.stderr
    assert page.read_text(encoding="utf-8") == text


def test_pick_goes_with_no_number_of_variants(site: Project) -> None:
    finished = run(site, "candidates", IMAGE, "--pick", "2", "-n", "4")
    assert finished.returncode == 2
    assert "--pick goes with neither -n nor --json" in finished.stderr
