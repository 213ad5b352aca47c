"""`mkdocs-qhaigc generate`: buying without building."""

from __future__ import annotations

import json
import threading

import pytest

from tests.conftest import Project
from tests.helpers.api import ImagesApi, error, hang, waits_for
from tests.helpers.commands import Terminal, run


@pytest.fixture
def site(project: Project) -> Project:
    project.options["images"] = {"logo": "a logo", "unseen": "an emblem"}
    project.page(
        "index.md", "![x](qhaigc:logo)", qhaigc={"hero": "fog", "night": {"prompt": "stars", "model": "other"}}
    )
    project.page("guide/start.md", qhaigc={"hero": {"prompt": "a harbor", "dark": "a harbor by night"}})
    project.page("guide/same.md", qhaigc="fog")
    return project


def test_it_buys_what_is_missing_and_the_build_after_it_buys_nothing(site: Project, api: ImagesApi) -> None:
    finished = run(site, "generate", "--yes")
    assert finished.returncode == 0, finished.stderr
    assert finished.stdout == "6 images generated.\n"
    assert f"To buy from {api.base_url}: 6 images (5 by qh-draw-x2-preview, 1 by other).\n" in finished.stderr
    assert "[6/6]" in finished.stderr
    assert sorted(api.prompts) == ["a harbor", "a harbor by night", "a logo", "an emblem", "fog", "stars"]
    assert any(name.startswith("hero-dark-") for name in site.originals)
    assert not (site.folder / "site").exists()
    assert site.build().summary == "6 cached"
    again = run(site, "generate")
    assert (again.returncode, again.stdout) == (0, "Nothing to buy: every image is there.\n")
    assert len(api.calls) == 6


def test_nothing_is_bought_where_nobody_can_be_asked(site: Project, api: ImagesApi) -> None:
    finished = run(site, "generate")
    assert finished.returncode == 2
    assert "6 images (5 by qh-draw-x2-preview, 1 by other)" in finished.stderr
    assert "Add --yes" in finished.stderr
    assert not api.calls


@pytest.mark.parametrize(
    ("given", "prompts"),
    [
        (["guide/start.md"], ["a harbor", "a harbor by night"]),
        (["docs/guide/start.md"], ["a harbor", "a harbor by night"]),
        (["./docs/guide/same.md"], ["fog"]),
        (["index.md"], ["a logo", "fog", "stars"]),
        (["index.md#night", "index.md#logo"], ["a logo", "stars"]),
        (["index.md#night", "index.md"], ["a logo", "fog", "stars"]),
        (["mkdocs.yml#unseen"], ["an emblem"]),
        (["guide/same.md#hero"], ["fog"]),
        (["guide"], ["a harbor", "a harbor by night", "fog"]),
        (["docs/guide/"], ["a harbor", "a harbor by night", "fog"]),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else None,
)
def test_pages_and_names_choose(site: Project, api: ImagesApi, given: list[str], prompts: list[str]) -> None:
    finished = run(site, "generate", "--yes", *given)
    assert finished.returncode == 0, finished.stderr
    assert sorted(api.prompts) == prompts


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ("gide/start.md", "Error: gide/start.md is no page with images. Did you mean guide/start.md"),
        ("gide", "Error: gide is no page with images. Did you mean guide?"),
        ("night", "Error: night is no page with images. Did you mean index.md#night?"),
        ("zzz", "There are mkdocs.yml, index.md, guide/same.md, guide/start.md"),
        ("index.md#harbor", "index.md has no image 'harbor'. It has hero, night, logo"),
        ("#hero", "that is no page with images"),
    ],
)
def test_a_page_or_name_that_is_not_known_is_wrong_usage(site: Project, api: ImagesApi, given: str, words: str) -> None:
    finished = run(site, "generate", "--yes", "index.md", given)
    assert finished.returncode == 2
    assert words in finished.stderr
    assert "Traceback" not in finished.stderr
    assert not api.calls


@pytest.mark.parametrize(
    ("given", "page"),
    [
        ("guide/start/", "guide/start.md"),
        ("tour#hero", "tour/README.md"),
    ],
)
def test_of_an_address_the_page_is_proposed(site: Project, given: str, page: str) -> None:
    site.page("guide/index.md", qhaigc="a map")
    site.page("tour/README.md", qhaigc="a path")
    finished = run(site, "generate", given)
    assert finished.returncode == 2
    assert f"is no page with images. Did you mean {page}?" in finished.stderr


def test_what_fails_is_told_with_its_reason_and_the_rest_is_bought(site: Project, api: ImagesApi) -> None:
    api.by_prompt = {
        "fog": [error(400, "content_policy_violation", "No fog.")],
        "stars": [error(400, "invalid_value", "No such model.")],
    }
    finished = run(site, "generate", "--yes")
    assert finished.returncode == 1
    assert finished.stdout == "4 images generated, 2 not.\n"
    assert "Error: index.md#hero: the API refuses this prompt (No fog). Change the prompt" in finished.stderr
    assert "Error: index.md#night: the API answered 400 (invalid_value): No such model.\n" in finished.stderr


def test_no_more_is_bought_than_the_budget_allows(site: Project, api: ImagesApi) -> None:
    site.options["max_new_images"] = 2
    finished = run(site, "generate", "--yes")
    assert finished.returncode == 1
    assert "Of these at most 2 now (max_new_images)." in finished.stderr
    assert "this command may buy 2 new images (`max_new_images`). Run it again" in finished.stderr
    assert len(api.calls) == 2
    rest = run(site, "generate", "--yes", "--max-new", "3")
    assert rest.returncode == 1
    assert "this command may buy 3 new images (`--max-new`)" in rest.stderr
    assert len(api.calls) == 5
    assert run(site, "generate", "--yes").returncode == 0
    assert len(api.calls) == 6


def test_json_says_what_became_of_each_image(site: Project, api: ImagesApi) -> None:
    api.by_prompt = {"fog": [error(400, "content_policy_violation", "No fog.")]}
    finished = run(site, "generate", "--yes", "--json", "index.md")
    content = json.loads(finished.stdout)
    assert (content["schema"], content["generated"], content["failed"]) == (1, 2, 1)
    by_name = {image["name"]: image for image in content["images"]}
    assert by_name["hero"]["state"] == "refused"
    assert "No fog" in by_name["hero"]["reason"]
    assert by_name["night"]["state"] == "generated"
    assert by_name["night"]["reason"] is None
    assert by_name["night"]["file"].endswith(".png")
    nothing = json.loads(run(site, "generate", "--yes", "--json", "index.md#logo").stdout)
    assert nothing == {"schema": 1, "images": [], "generated": 0, "failed": 0, "cost": None}


def test_without_a_key_nothing_is_asked(site: Project, api: ImagesApi) -> None:
    site.take_key()
    terminal = Terminal(site, "generate")
    code, seen = terminal.end()
    assert code == 1
    assert "no API key: the environment variable QHAIGC_API_KEY is not set" in seen
    assert "Buy now?" not in seen
    assert not api.calls


@pytest.mark.parametrize(("missing", "arguments"), [("placeholder", []), ("error", []), ("error", ["index.md"])])
def test_what_builds_may_not_buy_this_command_buys(
    site: Project, api: ImagesApi, missing: str, arguments: list[str]
) -> None:
    site.options["missing"] = missing
    assert run(site, "generate", "--yes", *arguments).returncode == 0
    assert len(api.calls) == (3 if arguments else 6)


def test_within_the_sandbox_command_nothing_real_is_bought(site: Project, api: ImagesApi) -> None:
    site.options["missing"] = "placeholder"
    site.environment["QHAIGC_SANDBOX"] = "1"
    finished = run(site, "generate", "--yes")
    assert finished.returncode == 1
    assert "this runs under `mkdocs-qhaigc sandbox`, where nothing is bought" in finished.stderr
    assert not api.calls


def test_the_sandbox_draws_and_says_that_it_sells_nothing(site: Project) -> None:
    site.options["base_url"] = "sandbox"
    site.environment["QHAIGC_API_KEY"] = ""
    finished = run(site, "generate", "--yes", "guide/same.md")
    assert finished.returncode == 0, finished.stderr
    assert "To buy from the sandbox, which sells nothing: 1 image (1 by qh-draw-x2-preview)." in finished.stderr
    assert len(list((site.cache / "originals").glob("*.json"))) == 1


@pytest.mark.slow
def test_on_a_terminal_it_asks_before_it_buys(site: Project, api: ImagesApi) -> None:
    terminal = Terminal(site, "generate", "guide/start.md")
    seen = terminal.until("Buy now? [y/N]: ")
    assert "2 images (2 by qh-draw-x2-preview)" in seen
    assert not api.calls
    terminal.type("y\n")
    code, seen = terminal.end()
    assert code == 0, seen
    assert seen.endswith("2 images generated.\n")
    assert len(api.calls) == 2


@pytest.mark.slow
@pytest.mark.parametrize("answer", ["n\n", "\n", "\x04", ""], ids=["no", "return", "ctrl-d", "ctrl-c"])
def test_on_a_terminal_anything_but_yes_buys_nothing(site: Project, api: ImagesApi, answer: str) -> None:
    terminal = Terminal(site, "generate")
    terminal.until("Buy now? [y/N]: ")
    if answer:
        terminal.type(answer)
    else:
        terminal.interrupt()
    code, seen = terminal.end()
    assert code == 1
    assert "Traceback" not in seen
    assert not api.calls
    assert not site.originals


@pytest.mark.slow
def test_ctrl_c_keeps_what_has_arrived(site: Project, api: ImagesApi) -> None:
    site.options["concurrency"] = 6
    api.by_prompt = {"fog": [hang], "stars": [hang]}
    terminal = Terminal(site, "generate", "--yes")
    terminal.until("4/6")
    terminal.type("\x03")
    code, seen = terminal.end()
    assert code == 1
    assert "Stopped. Not waited for: index.md#hero, index.md#night." in " ".join(seen.split())
    assert "4 images generated, 2 not.\n" in seen
    assert "Traceback" not in seen
    assert len(site.originals) == 8
    assert run(site, "generate", "--yes").returncode == 0
    assert len(api.calls) == 8


@pytest.mark.slow
def test_beside_a_build_each_image_is_bought_once(site: Project, api: ImagesApi) -> None:
    go = threading.Event()
    api.by_prompt = {"fog": [waits_for(go)]}
    build = site.start("build")
    while "fog" not in api.prompts:
        api.called.clear()
        assert api.called.wait(60)
    terminal = Terminal(site, "generate", "--yes", "guide/same.md")
    terminal.until("To buy from")
    api.called.clear()
    assert not api.called.wait(1.5)
    go.set()
    assert terminal.end()[0] == 0
    build.communicate(timeout=60)
    assert build.returncode == 0
    assert api.prompts.count("fog") == 1


def test_a_damaged_image_in_the_cache_is_kept_aside_and_generated_again(site: Project, api: ImagesApi) -> None:
    """Though what was encoded of it is still in the cache, so that builds do not read it."""
    assert run(site, "generate", "--yes").returncode == 0
    assert site.build().code == 0
    (image,) = (site.cache / "originals").glob("unseen-*.png")
    data = bytearray(image.read_bytes())
    data[len(data) // 2] ^= 1
    image.write_bytes(data)
    assert "mkdocs-qhaigc generate" in run(site, "check").stdout
    asked = len(api.calls)
    finished = run(site, "generate", "--yes")
    assert (finished.returncode, len(api.calls)) == (0, asked + 1), finished.stderr
    assert run(site, "check").returncode == 0
    assert list((site.cache / "originals").glob("unseen-*.png.damaged"))
