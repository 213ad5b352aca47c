"""`mkdocs-qhaigc regenerate`: another image of the same prompt, bought once and written into its page."""

from __future__ import annotations

import pytest

from tests.conftest import Project
from tests.helpers.api import ImagesApi, error
from tests.helpers.commands import Terminal, run

pytestmark = pytest.mark.slow

IMAGE = "guide/start.md#hero"


@pytest.fixture
def site(project: Project, api: ImagesApi) -> Project:
    project.page("index.md")
    project.write("docs/guide/start.md", "---\nqhaigc: fog  # the light\n---\n![x](qhaigc:hero)\n")
    assert run(project, "generate", "--yes").returncode == 0
    return project


def variants(api: ImagesApi) -> list[str]:
    return [call["prompt"] for call in api.calls]


def test_the_next_variant_is_bought_and_picked(site: Project, api: ImagesApi) -> None:
    page = site.docs / "guide/start.md"
    finished = run(site, "regenerate", IMAGE, "--yes")
    assert finished.returncode == 0, finished.stderr
    assert "1 image (1 by qh-draw-x2-preview)" in finished.stderr
    assert finished.stdout.splitlines() == [
        f"{page}: hero is variant 2 now.",
        f"To have the one before again: mkdocs-qhaigc candidates {IMAGE} --pick 1",
    ]
    assert len(api.calls) == 2
    assert site.build("--strict").summary == "1 cached"
    assert run(site, "candidates", IMAGE, "--pick", "1").returncode == 0
    assert run(site, "regenerate", IMAGE, "--yes").returncode == 0  # variant 2 exists
    assert "variant: 3" in page.read_text(encoding="utf-8")
    assert len(api.calls) == 3


def test_a_dark_image_is_bought_with_its_light_one(site: Project, api: ImagesApi) -> None:
    site.write(
        "docs/guide/start.md", "---\nqhaigc:\n  hero:\n    prompt: fog\n    dark: night\n---\n![x](qhaigc:hero)\n"
    )
    finished = run(site, "regenerate", IMAGE, "--yes")
    assert finished.returncode == 0, finished.stderr
    assert sorted(variants(api)) == ["fog", "fog", "night"]
    assert site.build("--strict").summary == "2 cached"
    assert [line for line in finished.stdout.splitlines() if "before again" in line] == [
        f"To have the one before again: mkdocs-qhaigc candidates {image} --pick 1" for image in (IMAGE, f"{IMAGE}-dark")
    ]


def test_a_dark_image_with_a_variant_of_its_own_is_bought_alone(site: Project, api: ImagesApi) -> None:
    front = "---\nqhaigc:\n  hero:\n    prompt: fog\n    dark:\n      prompt: night\n      variant: 1\n"
    page = site.write("docs/guide/start.md", f"{front}---\n![x](qhaigc:hero)\n")
    assert run(site, "generate", "--yes").returncode == 0
    assert run(site, "regenerate", IMAGE, "--yes").returncode == 0
    assert sorted(variants(api)) == ["fog", "fog", "night"]
    finished = run(site, "regenerate", f"{IMAGE}-dark", "--yes")
    assert finished.returncode == 0, finished.stderr
    assert finished.stdout.splitlines() == [
        f"{page}: hero (dark) is variant 2 now.",
        f"To have the one before again: mkdocs-qhaigc candidates {IMAGE}-dark --pick 1",
    ]
    assert sorted(variants(api)) == ["fog", "fog", "night", "night"]
    assert site.build("--strict").summary == "2 cached"


def test_what_half_a_pair_has_cost_is_used_by_the_next_one(site: Project, api: ImagesApi) -> None:
    site.write(
        "docs/guide/start.md", "---\nqhaigc:\n  hero:\n    prompt: fog\n    dark: night\n---\n![x](qhaigc:hero)\n"
    )
    api.by_prompt = {"night": [error(400, "content_policy_violation")]}
    assert run(site, "regenerate", IMAGE, "--yes").returncode == 1
    assert sorted(variants(api)) == ["fog", "fog", "night"]
    finished = run(site, "regenerate", IMAGE, "--yes")
    assert finished.returncode == 0, finished.stderr
    assert "hero is variant 2 now" in finished.stdout
    assert sorted(variants(api)) == ["fog", "fog", "night", "night"]
    assert site.build("--strict").summary == "2 cached"


def test_nothing_is_bought_for_a_page_that_cannot_be_edited(site: Project, api: ImagesApi) -> None:
    site.options["images"] = {"logo": "A kite"}
    text = "---\nqhaigc:\n  hero: &h {prompt: fog}\n  other: *h\n---\n![x](qhaigc:logo)\n"
    page = site.write("docs/guide/start.md", text)
    for image, words in ((IMAGE, "was not changed"), ("mkdocs.yml#logo", "declared by the option `images`")):
        finished = run(site, "regenerate", image, "--yes")
        assert finished.returncode == 1
        assert words in finished.stderr
    assert page.read_text(encoding="utf-8") == text
    assert len(api.calls) == 1


def test_a_page_keeps_its_image_where_no_other_comes_or_nobody_agrees(site: Project, api: ImagesApi) -> None:
    before = (site.docs / "guide/start.md").read_bytes()
    assert run(site, "regenerate", IMAGE).returncode == 2
    assert len(api.calls) == 1
    terminal = Terminal(site, "regenerate", IMAGE)
    terminal.until("Buy now?")
    terminal.type("n\n")
    assert terminal.end()[0] == 1
    api.script = [error(400, "content_policy_violation")]
    finished = run(site, "regenerate", IMAGE, "--yes")
    assert finished.returncode == 1
    assert (site.docs / "guide/start.md").read_bytes() == before


def test_a_dry_run_of_generate_needs_no_key_and_buys_nothing(site: Project, api: ImagesApi) -> None:
    site.environment.pop("QHAIGC_API_KEY")
    site.page("b.md", qhaigc={"one": "A pier", "two": "A boat"})
    finished = run(site, "generate", "--dry-run")
    assert finished.returncode == 0, finished.stderr
    assert finished.stdout.splitlines() == [
        "b.md#one: qh-draw-x2-preview, 96x54",
        "b.md#two: qh-draw-x2-preview, 96x54",
        "Would buy 2 by qh-draw-x2-preview.",
    ]
    assert run(site, "generate", "--dry-run", "--json").returncode == 2
    assert len(api.calls) == 1
