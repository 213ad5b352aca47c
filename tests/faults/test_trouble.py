"""What goes wrong is told in words that help, and there is a site to read all the same."""

from __future__ import annotations

import json
import shutil
import socket
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from tests.conftest import Built, Project
from tests.helpers.api import (
    KEY,
    Behaviour,
    Handler,
    ImagesApi,
    answer,
    by_base64,
    by_prompt,
    by_url,
    bytes_by_url,
    disconnect,
    draw,
    error,
    raw,
)
from tests.helpers.pages import broken_urls, elements, text_of

pytestmark = pytest.mark.slow

SOON = {"retry_after_ms": "1"}
SVG = b'<svg xmlns="http://www.w3.org/2000/svg" width="96" height="54"><script>alert(1)</script></svg>'
FAILURES: dict[str, tuple[Behaviour, str, int]] = {
    "refused": (error(400, "content_policy_violation", "No weapons."), "refuses this prompt (No weapons)", 1),
    "refused-by-law": (answer(451), "refuses this prompt", 1),
    "bad-request": (error(400, "invalid_value", "No such size."), "400 (invalid_value): No such size.", 1),
    "html-page": (raw(200, b"<!doctype html>", "text/html; charset=utf-8"), "no JSON (text/html, 15 bytes)", 1),
    "bad-gateway": (raw(502, b"<h1>nginx</h1>", "text/html", **SOON), "502: a body that is no JSON (text/html", 2),
    "error-in-200": (answer(200, {"error": {"message": "No such model.", "code": 7}}), "No such model.", 1),
    "nothing-in-200": (answer(200, {"data": []}), "without an image", 1),
    "truncated-png": (bytes_by_url(draw("x", 96, 54)[:150]), "no image that can be read", 1),
    "html-as-image": (bytes_by_url(b"<!doctype html>"), "answered with a web page", 1),
    "svg-as-image": (bytes_by_url(SVG), "no PNG, JPEG, WebP or AVIF image", 1),
    "svg-as-base64": (
        answer(200, {"data": [{"b64_json": "PHN2Zz48L3N2Zz4="}]}),
        "no PNG, JPEG, WebP or AVIF image",
        1,
    ),
    "cut-off": (disconnect, "did not answer", 2),
}
REJECTED_FIELD = {"error": {"message": "Unknown parameter.", "code": "unknown_parameter", "param": "response_format"}}


def hero(project: Project) -> None:
    project.page("index.md", "# Home\n\nWords.\n\n![A tower](qhaigc:hero)\n", qhaigc="A lighthouse in fog")


def assert_readable(built: Built) -> None:
    """The site is there, with an image file wherever one is shown."""
    assert built.code == 0, built.output
    assert "Traceback" not in built.output
    assert "Words." in text_of(built.html())
    assert elements(built.html(), "img")
    assert built.images()
    assert broken_urls(built.site) == []


def assert_secret(built: Built, project: Project, secret: str = KEY) -> None:
    """The key stands in nothing that the build printed or wrote."""
    assert secret not in built.output
    holders = [path for path in project.folder.rglob("*") if path.is_file() and secret.encode() in path.read_bytes()]
    assert holders == []


@dataclass(frozen=True)
class Failed:
    """A site whose images failed, each in its own way; but for one, for else some of them end the buying."""

    project: Project
    built: Built
    api: ImagesApi


@pytest.fixture(scope="module")
def failed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Failed]:
    with ImagesApi(by_prompt({"fine": [by_url], **{name: [failure[0]] for name, failure in FAILURES.items()}})) as api:
        project = Project(tmp_path_factory.mktemp("failed") / "project", api.base_url)
        project.options["images"] = {"fine": "fine"}  # the first that is ordered
        project.page(
            "index.md",
            "Words.\n\n" + "".join(f"![x](qhaigc:{name})\n" for name in FAILURES),
            qhaigc={name: name for name in FAILURES},
        )
        yield Failed(project, project.build(), api)


@pytest.mark.parametrize("name", FAILURES)
def test_a_failure_is_told_once_with_its_image(failed: Failed, name: str) -> None:
    _, words, calls = FAILURES[name]
    told = [line for line in failed.built.warnings if f"index.md#{name}: " in line and "A placeholder stands" in line]
    assert len(told) == 1, failed.built.output
    assert words in told[0]
    assert failed.api.prompts.count(name) == calls


def test_failures_leave_a_site_with_placeholders_and_nothing_of_theirs_saved(failed: Failed) -> None:
    assert_readable(failed.built)
    assert len(elements(failed.built.html(), "img")) == len(failed.built.images()) - 1 == len(FAILURES)
    assert failed.built.summary == f"1 generated, {len(FAILURES)} placeholders"
    assert {name.partition("-")[0] for name in failed.project.originals} == {"fine"}
    assert_secret(failed.built, failed.project)


@pytest.mark.parametrize(
    ("status", "code"), [(401, "invalid_api_key"), (403, "model_not_allowed"), (429, "insufficient_quota")]
)
def test_an_account_that_can_buy_nothing_is_told_once_for_all_images_and_its_key_shown_nowhere(
    project: Project, api: ImagesApi, status: int, code: str
) -> None:
    api.default = error(status, code, f"Not for {KEY}.")
    project.options["concurrency"] = 1
    project.page("index.md", "Words. ![x](qhaigc:one)\n", qhaigc={"one": "fog", "two": "dusk", "three": "dawn"})
    built = project.build("-v")
    assert_readable(built)
    (told,) = built.warnings
    assert "3 images are placeholders (index.md#one, index.md#two, index.md#three)" in told
    assert "Check the key" in told
    assert code in told
    assert len(api.calls) == 1
    assert api.keys == [f"Bearer {KEY}"]
    assert_secret(built, project)


def test_strict_refuses_a_site_with_placeholders(project: Project, api: ImagesApi) -> None:
    api.default = FAILURES["refused"][0]
    hero(project)
    assert project.build("--strict").code == 1


def test_without_a_key_one_warning_says_which_variable_to_set(project: Project, api: ImagesApi) -> None:
    project.page("index.md", "Words. ![x](qhaigc:one) ![x](qhaigc:two)\n", qhaigc={"one": "fog", "two": "dusk"})
    project.take_key()
    project.options["api_key_env"] = "MY_IMAGES_KEY"
    built = project.build()
    assert_readable(built)
    (told,) = built.warnings
    assert "2 images are placeholders (index.md#one, index.md#two)" in told
    assert "MY_IMAGES_KEY is not set" in told
    assert api.calls == []


def test_an_unreachable_api_is_told_and_not_waited_for(project: Project) -> None:
    with socket.socket() as taken:  # bound, but nobody listens
        taken.bind(("127.0.0.1", 0))
        project.options |= {"base_url": f"http://127.0.0.1:{taken.getsockname()[1]}/v1", "retries": 1}
        hero(project)
        built = project.build()
    assert_readable(built)
    (told,) = built.warnings
    assert "cannot be reached" in told


def test_what_may_pass_is_asked_for_again(project: Project, api: ImagesApi) -> None:
    failures = {"500": answer(500, **SOON), "503": answer(503, **SOON), "429": answer(429, **SOON), "cut": disconnect}
    api.default = by_prompt({name: [failure, by_url] for name, failure in failures.items()})
    project.page("index.md", "Words. ![x](qhaigc:p-500)\n", qhaigc={f"p-{name}": name for name in failures})
    built = project.build("--strict")
    assert built.code == 0, built.output
    assert_readable(built)
    assert built.summary == "4 generated"
    assert sorted(api.prompts) == sorted([*failures, *failures])
    assert built.output.count("may have been billed") == 2


def test_a_field_that_the_api_rejects_is_left_out_from_then_on(project: Project, api: ImagesApi) -> None:
    api.script, api.default = [answer(400, REJECTED_FIELD)], by_base64  # base64, though nobody asked for it
    project.options["concurrency"] = 1
    project.page("index.md", "Words. ![x](qhaigc:one)\n", qhaigc={"one": "fog", "two": "dusk"})
    built = project.build()
    assert_readable(built)
    assert built.warnings == []
    assert built.summary == "2 generated"
    assert [call.get("response_format") for call in api.calls] == ["url", None, None]


def test_a_budget_is_kept_and_the_next_build_goes_on(project: Project, api: ImagesApi) -> None:
    project.options |= {"max_new_images": 1, "concurrency": 1}
    names = {"one": "fog", "two": "dusk", "three": "dawn"}
    project.page("index.md", "Words. ![x](qhaigc:one) ![x](qhaigc:two) ![x](qhaigc:three)\n", qhaigc=names)
    built = project.build()
    assert_readable(built)
    (told,) = built.warnings
    assert "2 images are placeholders (index.md#two, index.md#three)" in told
    assert "raise `max_new_images`" in told
    assert built.summary == "1 generated, 2 placeholders"
    project.options["max_new_images"] = 2
    assert project.build("--strict").summary == "2 generated, 1 cached"
    assert api.prompts == ["fog", "dusk", "dawn"]


def test_what_authors_write_wrong_is_told_with_its_place_and_the_rest_works(project: Project, api: ImagesApi) -> None:
    project.options["images"] = {"emblem": "A badge"}
    project.page(
        "index.md",
        "Words. ![x](qhaigc:good) ![x](qhaigc:god) ![x](qhaigc:god) ![x](qhaigc:bad)\n",
        qhaigc={"good": "fog", "bad": {"prompt": "dusk", "size": "12"}, "worse": {"prompt": "x", "colour": "red"}},
    )
    project.write("docs/broken.md", "---\ntitle: Broken\nqhaigc: {hero: fog\nother: x\n---\n\n# Broken\n")
    built = project.build()
    assert_readable(built)
    expected = {
        "index.md, line 2, image 'bad': `size` is '12'. Write WIDTHxHEIGHT": 1,
        "index.md, line 2, image 'worse': there is no field 'colour'": 1,
        "index.md, line 4: there is no image 'god'. Did you mean 'good'? Known on this page: good, emblem": 1,
        "there is no image 'bad'": 0,
        "broken.md, line 4: the front matter is no YAML": 1,
    }
    assert {words: sum(words in line for line in built.warnings) for words in expected} == expected
    assert len(built.warnings) == 4
    assert sorted(api.prompts) == ["A badge", "fog"]
    assert project.build("--strict").code == 1


@pytest.mark.parametrize("form", ["list", "mapping"])
@pytest.mark.parametrize("wrong", ["api_key_env", "base_url", "headers"])
def test_a_key_in_mkdocs_yml_is_refused_and_not_repeated(project: Project, form: str, wrong: str) -> None:
    secret = "sk-0123456789abcdefghij"
    keys = dict.fromkeys(["api_key", "key", "token", "openai-api-key"], secret)
    values: dict[str, Any] = {"base_url": f"https://user:{secret}@example.com/v1", "headers": {"X-API-Key": secret}}
    options = {**keys, wrong: values.get(wrong, secret)}
    plugins = {"qhaigc": options}
    project.yaml = json.dumps({"site_name": "Test", "plugins": plugins if form == "mapping" else [plugins]})
    hero(project)
    built = project.build("-v")
    assert built.code == 1
    assert "Traceback" not in built.output
    assert secret not in built.output
    for name in options:
        assert f"Plugin 'qhaigc' option '{name}':" in built.output
    assert "environment variable QHAIGC_API_KEY" in built.output


def test_all_invalid_options_are_reported_at_once(project: Project) -> None:
    project.options |= {"size": "wide", "retries": -1}
    hero(project)
    built = project.build()
    assert built.code == 1
    assert all(f"Plugin 'qhaigc' option '{name}':" in built.output for name in ("size", "retries"))


@pytest.mark.parametrize("folder", ["docs/images", "site/images"])
def test_a_cache_where_it_would_be_lost_or_published_is_refused(project: Project, folder: str) -> None:
    project.options["cache_dir"] = folder
    hero(project)
    built = project.build()
    assert built.code == 1
    assert "option `cache_dir`" in built.output
    assert "Traceback" not in built.output


def test_the_same_prompt_on_two_pages_is_bought_once(project: Project, api: ImagesApi) -> None:
    project.page("index.md", "![one](qhaigc:hero)\n", qhaigc="A lighthouse in fog")
    project.page("b/c.md", "![two](qhaigc:other)\n", qhaigc={"other": {"prompt": " A lighthouse in fog ", "alt": "x"}})
    built = project.build("--strict")
    assert built.summary == "1 generated"
    assert len(api.calls) == len(api.fetches) == 1
    assert broken_urls(built.site) == []


def test_a_key_that_stands_in_the_answer_by_chance_changes_nothing(project: Project, api: ImagesApi) -> None:
    project.environment["QHAIGC_API_KEY"] = "iVBORw0KGgoAAAANSUhEUgAA"  # as the base64 of every PNG begins
    api.default = by_base64
    hero(project)
    built = project.build("--strict")
    assert built.code == 0, built.output
    assert built.summary == "1 generated"


def test_a_key_of_other_letters_than_ascii_is_told_before_anything_is_asked(project: Project, api: ImagesApi) -> None:
    project.environment["QHAIGC_API_KEY"] = "…"
    hero(project)
    built = project.build()
    assert_readable(built)
    (told,) = built.warnings
    assert "QHAIGC_API_KEY holds characters that no API key has" in told
    assert api.calls == []


def test_an_original_and_its_variants_damaged_together_are_had_again_in_one_build(
    project: Project, api: ImagesApi
) -> None:
    hero(project)
    project.build("--strict")
    (original,) = (project.cache / "originals").glob("*.png")
    original.write_bytes(original.read_bytes()[:-1] + b"\x00")
    for value in (project.cache / "variants").rglob("*.val"):
        value.write_bytes(b"")
    built = project.build()
    assert built.summary == "1 generated"
    assert_readable(built)
    assert len(built.images()) == 1
    assert len(api.calls) == 2
    assert len(list((project.cache / "originals").glob("*.damaged"))) == 2


def test_with_missing_error_a_name_that_means_nothing_fails_the_build(project: Project) -> None:
    project.options["missing"] = "error"
    project.page("index.md", "Words. ![x](qhaigc:heron)\n", qhaigc={"hero": {"promt": "A trout"}})
    built = project.build()
    assert built.code == 1
    assert "index.md#heron" in built.output


def test_an_image_of_the_sandbox_is_no_pin_of_a_real_one(project: Project, api: ImagesApi) -> None:
    hero(project)
    real = project.options["base_url"]
    project.options["base_url"] = "sandbox"
    assert project.build("--strict").summary == "1 generated"
    shutil.copytree(project.cache / "originals", project.folder / "generated-images")
    project.options["base_url"] = real
    built = project.build()
    assert built.summary == "1 generated"
    assert len(api.calls) == 1


def test_a_list_that_holds_itself_many_times_is_read_once(project: Project) -> None:
    lines = ["a0: &a0 [x]", *(f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 12))]
    project.write("docs/index.md", "---\n" + "\n".join(lines) + "\n---\nWords.\n")
    assert project.build("--strict").code == 0


@pytest.mark.parametrize("written", ["![x](qhaigc:hero?v=1)", '<img src="qhaigc: hero">', '<a href="qhaigc:">x</a>'])
def test_what_begins_as_a_reference_and_is_none_is_told(project: Project, written: str) -> None:
    project.page("index.md", f"Words.\n\n{written}\n", qhaigc="fog")
    built = project.build("--strict")
    assert built.code == 1
    assert "index.md, line 6: 'qhaigc:" in built.output
    assert "is no reference. Write `qhaigc:" in built.output


def test_links_and_backgrounds_of_what_could_not_be_had_lead_to_its_placeholder(
    project: Project, api: ImagesApi
) -> None:
    api.default = error(400, "content_policy_violation")
    body = '[large](qhaigc:hero)\n\n<div style="background: url(qhaigc:hero)">x</div>\n'
    project.page("index.md", body, qhaigc={"hero": {"prompt": "fog", "alt": ""}})
    built = project.build()
    assert built.code == 0, built.output
    (file,) = built.images()
    assert f'href="assets/qhaigc/{file}"' in built.html()
    assert broken_urls(built.site) == []


FAILS = """
import logging, time
from pathlib import Path
from mkdocs.exceptions import PluginError

FOLDER = Path(__file__).parent

class Told(logging.Handler):
    def emit(self, record):
        if "waiting for" in record.getMessage():
            (FOLDER / "told").touch()

logging.getLogger("mkdocs").addHandler(Told())

def %s(*_, **__):
    while len(list(FOLDER.glob("asked/*"))) < 2:
        time.sleep(0.01)
    raise %s
"""
"""A hook that fails when two images are asked for, and notes when the build says that it waits for them."""


def wait_until(true: Callable[[], bool]) -> None:
    give_up = time.monotonic() + 60
    while not true() and time.monotonic() < give_up:
        time.sleep(0.01)


@pytest.mark.parametrize("error", ["ValueError('boom')", "SystemExit(100)", "PluginError('boom')"])
@pytest.mark.parametrize("event", ["on_nav", "on_page_content"])
def test_what_is_under_way_when_another_plugin_fails_is_waited_for_and_not_bought_again(
    project: Project, api: ImagesApi, error: str, event: str
) -> None:
    """SystemExit: as the plugin macros ends a build, of which MkDocs tells no other plugin."""
    project.options |= {"concurrency": 2, "images": {"emblem": "A badge", "mast": "A mast", "rope": "A rope"}}
    told = project.folder / "told"

    def answer_when_told(handler: Handler, body: dict[str, Any]) -> None:
        project.write(f"asked/{body['prompt']}", "")
        wait_until(told.exists)
        by_url(handler, body)

    api.default = answer_when_told
    project.config["hooks"] = [str(project.write("hooks.py", FAILS % (event, error)))]
    project.page("index.md", "# Home\n\n![Emblem](qhaigc:emblem)\n")
    failed = project.build()
    assert failed.code != 0
    assert "waiting for 2 images under way" in failed.output
    assert len(api.calls) == 2, "what has not begun is not begun any more"
    assert len(project.originals) == 4
    project.write("hooks.py", "")
    assert project.build().code == 0
    assert sorted(api.prompts) == ["A badge", "A mast", "A rope"]
