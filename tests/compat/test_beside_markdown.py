"""Beside plugins that read or write Markdown: wiki links, captions, diagrams; and pages in other folders."""

from __future__ import annotations

import pytest

from tests.conftest import Project
from tests.helpers.api import ImagesApi
from tests.helpers.beside import alts, build_both_ways, hero, ours
from tests.helpers.engines import EVERY_MKDOCS, beside
from tests.helpers.pages import elements, text_of

pytestmark = pytest.mark.compatibility


@pytest.fixture(autouse=True)
def _images_in_two_widths(project: Project) -> None:
    project.options["widths"] = [48]


@beside("ezlinks", *EVERY_MKDOCS)
@pytest.mark.parametrize("directory_urls", [True, False])
def test_references_that_ezlinks_takes_for_names_of_files(
    project: Project, api: ImagesApi, column: str, directory_urls: bool
) -> None:
    project.config |= {"plugins": ["search", "ezlinks"], "use_directory_urls": directory_urls}
    project.config["validation"] = {"links": {"unrecognized_links": "warn"}}
    project.config["markdown_extensions"] = ["attr_list"]
    body = (
        "![](qhaigc:hero)\n\n![Own](qhaigc:hero){ width=48 }\n\n[all](qhaigc:hero) [[other]]\n\n"
        '<img src="qhaigc:hero">\n\n`![](qhaigc:hero)`\n'
    )
    project.page("index.md", f"# Home\n\n{body}", qhaigc=hero("A tower", "Tower"))
    project.page("deep/down/other.md", f"# Other\n\n{body}", qhaigc=hero("Fog", "Fog"))
    built = build_both_ways(project, api, prompts=["A tower", "Fog"])
    other = "deep/down/other/index.html" if directory_urls else "deep/down/other.html"
    assert alts(built) == ["Tower", "Own", "Tower"]
    assert alts(built, other) == ["Fog", "Own", "Fog"]
    assert [img["width"] for img in ours(built, other)] == ["96", "48", "96"]
    links = [e.attributes["href"] or "" for e in elements(built.html(other), "a") if e.attributes.get("href")]
    assert sum("assets/qhaigc/hero-" in link for link in links) == 1
    assert "![](qhaigc:hero)" in text_of(built.html(other))


@beside("obsidian-bridge", *EVERY_MKDOCS)
def test_references_in_wiki_links_of_obsidian_bridge(project: Project, api: ImagesApi, column: str) -> None:
    project.config |= {"plugins": ["search", "obsidian-bridge"], "markdown_extensions": ["attr_list"]}
    project.config["validation"] = {"links": {"unrecognized_links": "warn"}}
    body = "![](qhaigc:hero)\n\n![[qhaigc:hero]]\n\n![[qhaigc:hero|Own]]\n\n[[qhaigc:hero|all]] [[other]]\n"
    project.page("index.md", f"# Home\n\n{body}", qhaigc=hero("A tower", "Tower"))
    project.page("deep/other.md", f"# Other\n\n{body}\n`![[qhaigc:hero]]`\n", qhaigc=hero("Fog", "Fog"))
    built = build_both_ways(project, api, prompts=["A tower", "Fog"])
    assert alts(built) == ["Tower", "Tower", "Own"]
    assert alts(built, "deep/other/index.html") == ["Fog", "Fog", "Own"]
    links = [e.attributes["href"] or "" for e in elements(built.html(), "a") if e.attributes.get("href")]
    assert sum("assets/qhaigc/hero-" in link for link in links) == 1
    assert "![[qhaigc:hero]]" in text_of(built.html("deep/other/index.html"))
