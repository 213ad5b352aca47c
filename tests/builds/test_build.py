"""Whole builds: prompts in, saved and referenced images out."""

from __future__ import annotations

import json
import shutil

import pytest

from tests.conftest import Project
from tests.helpers.api import ImagesApi, by_base64


@pytest.mark.parametrize("answers", ["url", "base64"])
def test_prompt_becomes_a_stored_and_referenced_image(project: Project, api: ImagesApi, answers: str) -> None:
    if answers == "base64":
        api.default = by_base64
    project.page("index.md", "# Home\n\n![A tower](qhaigc:hero)\n", qhaigc="A lighthouse in fog")
    built = project.build("--strict")
    assert built.code == 0, built.output
    (name,) = built.images()
    assert name.startswith("hero-")
    assert f'<img alt="A tower" src="assets/qhaigc/{name}" width="96" height="54"' in built.html()
    assert 'loading="lazy" decoding="async"' in built.html()
    record_name, image_name = project.originals
    record = json.loads((project.cache / "originals" / record_name).read_text(encoding="utf-8"))
    assert record["request"]["prompt"] == "A lighthouse in fog"
    assert (record["width"], record["height"], record["api"]) == (96, 54, api.base_url)
    assert image_name == f"hero-{record['key'][:16]}.png"


def test_second_build_generates_nothing_and_gives_the_same_bytes(project: Project, api: ImagesApi) -> None:
    project.page("index.md", "![x](qhaigc:hero) ![y](qhaigc:other)\n", qhaigc={"hero": "one", "other": "two"})
    first = project.build("--strict", site="first")
    asked = len(api.calls), len(api.fetches)
    second = project.build("--strict", site="second")
    assert asked == (2, 2)
    assert (len(api.calls), len(api.fetches)) == asked
    assert first.digest() == second.digest()
    assert "2 cached" in second.output


IMPORTED = """import sys

def on_post_build(config):
    heavy = {"httpx", "PIL", "rich", "diskcache", "obstore", "werkzeug", "mkdocs_qhaigc.studio"}
    print("IMPORTED", sorted(heavy & set(sys.modules)))
"""


def test_build_imports_only_what_it_needs(project: Project) -> None:
    """A warm one neither buys nor encodes: it looks up what is encoded. httpx brings rich along."""
    hero = {"prompt": "one", "dark": "two", "caption": "One", "crop": "60x30"}
    project.options |= {"formats": ["avif", "webp"], "widths": [48]}
    project.page("index.md", "![x](qhaigc:hero)\n", qhaigc={"hero": hero}, image="qhaigc:hero")
    project.own_process = True
    project.write("hook.py", IMPORTED)
    project.config["hooks"] = ["hook.py"]
    cold, warm = project.build("--strict"), project.build("--strict")
    assert "IMPORTED ['PIL', 'diskcache', 'httpx', 'rich']" in cold.output
    assert "IMPORTED ['diskcache']" in warm.output


def test_only_a_changed_prompt_is_requested_again(project: Project, api: ImagesApi) -> None:
    body = "![x](qhaigc:hero)\n"
    project.page("index.md", "# Home\n")
    page = project.page("a.md", body, qhaigc={"hero": {"prompt": "A lighthouse in fog", "alt": "one"}})
    project.build("--strict")
    shutil.rmtree(project.folder / "site")
    shutil.rmtree(project.cache / "variants")
    project.build("--strict")
    page.unlink()
    project.page("b/moved.md", body, qhaigc={"hero": {"prompt": "A lighthouse in fog", "alt": "another"}})
    project.options["widths"] = [32, 48]
    built = project.build("--strict")
    assert len(api.calls) == 1
    assert len(built.images()) == 3
    project.page("b/moved.md", body, qhaigc={"hero": {"prompt": "A lighthouse in rain", "alt": "another"}})
    project.build("--strict")
    assert api.prompts == ["A lighthouse in fog", "A lighthouse in rain"]
