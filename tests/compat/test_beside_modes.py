"""Sites that MkDocs builds in part, or that change their theme; and one that lists the plugin twice."""

from __future__ import annotations

import json
import os
import threading
from typing import Any

import pytest

from tests.conftest import Project
from tests.helpers.api import ImagesApi, waits_for
from tests.helpers.beside import alts, assert_whole, build_both_ways, hero
from tests.helpers.commands import answer, run
from tests.helpers.engines import EVERY_MKDOCS, beside
from tests.helpers.pages import broken_urls, text_of
from tests.helpers.serving import serving

pytestmark = pytest.mark.compatibility


@pytest.fixture(autouse=True)
def _images_in_two_widths(project: Project) -> None:
    project.options["widths"] = [48]


@pytest.mark.parametrize("options", [{}, {"enabled": False}])
def test_the_plugin_listed_twice_is_refused_with_what_to_do(
    project: Project, api: ImagesApi, options: dict[str, Any]
) -> None:
    project.page("index.md", "# Home\n\n![](qhaigc:hero)\n", qhaigc=hero("A tower", "Tower"))
    plugins = [{"qhaigc": project.options}, {"qhaigc": {**project.options, **options}}]
    project.yaml = json.dumps({**project.config, "plugins": plugins}, ensure_ascii=False)
    built = project.build("--strict")
    assert built.code == 1
    assert "lists qhaigc 2 times" in built.output
    assert "`enabled: !ENV" in built.output
    assert "Traceback" not in built.output
    assert api.calls == []
    finished = run(project, "plan")
    assert finished.returncode == 1
    assert "lists qhaigc 2 times" in finished.stderr


def pages(project: Project) -> None:
    project.page("index.md", "# Home\n\n![](qhaigc:hero)\n", qhaigc=hero("A tower", "Tower"))
    project.page("a.md", "# A\n\n![](qhaigc:hero)\n", qhaigc=hero("Fog", "Fog", place="after-title"))


def edit(project: Project, path: str, body: str, **front: Any) -> None:
    """Write a page anew, later than anything that was built."""
    file = project.page(path, body, **front)
    later = max(path.stat().st_mtime for path in (project.folder / "site").rglob("*")) + 10
    os.utime(file, (later, later))


@beside("--dirty", *EVERY_MKDOCS)
def test_pages_that_are_not_built_again_keep_their_images(project: Project, api: ImagesApi, column: str) -> None:
    project.options["gallery"] = "gallery.md"
    pages(project)
    whole = project.build("--strict")
    assert whole.code == 0, whole.output
    before = whole.digest()
    edit(project, "index.md", "# Home\n\nNew words.\n\n![](qhaigc:hero)\n", qhaigc=hero("A mast", "Mast"))
    dirty = project.build("--dirty")
    assert dirty.code == 0, dirty.output
    assert len(dirty.warnings) == 1, dirty.output  # MkDocs' own, of what `--dirty` means
    assert api.prompts[2:] == ["A mast"]
    assert alts(dirty) == ["Mast"]
    assert alts(dirty, "a/index.html") == ["Fog", "Fog"]
    assert {name: dirty.digest()[name] for name in before if name.startswith("a/")} == {
        name: digest for name, digest in before.items() if name.startswith("a/")
    }
    assert "Fog" in text_of(dirty.html("gallery/index.html"))
    assert_whole(dirty)
    again = project.build("--dirty")
    assert (again.code, len(again.warnings), len(api.calls)) == (0, 1, 3), again.output
    assert_whole(again)
    assert broken_urls(project.build("--strict").site) == []
    assert len(api.calls) == 3


def test_a_preview_that_builds_only_what_was_edited_shows_images_that_arrive(project: Project, api: ImagesApi) -> None:
    arrives = threading.Event()
    api.by_prompt["A tower"] = [waits_for(arrives)]
    pages(project)
    with serving(project, "--dirty") as server:
        server.wait_until(server.shown)
        placeholder = server.shown()
        server.wait_until(lambda: len(api.calls) == 2)
        server.wait_until_quiet()
        arrives.set()
        server.wait_until(lambda: server.shown() not in (b"", placeholder))
        assert server.get(f"/{server.image()}")
        assert server.end() == 0
    assert len(api.calls) == 2


@beside("exclude_docs", *EVERY_MKDOCS)
def test_pages_that_are_excluded_buy_nothing(project: Project, api: ImagesApi, column: str) -> None:
    project.config["exclude_docs"] = "parts/\n_*.md"
    pages(project)
    project.page("parts/x.md", "# X\n\n![](qhaigc:hero)\n", qhaigc=hero("Never asked for", "X"))
    project.page("_draft.md", "# Y\n\n![](qhaigc:hero)\n", qhaigc=hero("Never asked for either", "Y"))
    built = build_both_ways(project, api, prompts=["A tower", "Fog"])
    assert len(built.images()) == 4
    assert not (built.site / "parts").exists()
    assert {row["prompt"] for row in answer(project, "plan")["images"]} == {"A tower", "Fog"}


@beside("draft_docs", *EVERY_MKDOCS)
def test_drafts_buy_nothing_in_a_build(project: Project, api: ImagesApi, column: str) -> None:
    drafts(project)
    built = build_both_ways(project, api, prompts=["A tower", "Fog"])
    assert len(built.images()) == 4
    assert not (built.site / "drafts").exists()


def drafts(project: Project) -> None:
    project.config["draft_docs"] = "drafts/"
    pages(project)
    project.page("drafts/next.md", "# Next\n\n![](qhaigc:hero)\n", qhaigc=hero("A draft", "Draft", place="top"))


def test_drafts_are_shown_with_their_images_in_a_preview(project: Project, api: ImagesApi) -> None:
    drafts(project)
    project.options["gallery"] = "images.md"
    with serving(project) as server:
        server.wait_until(lambda: len(api.calls) == 3 and "A draft" in api.prompts)
        server.wait_until_quiet()
        gallery = server.get("/images/").decode()
        assert "A tower" in gallery
        assert "A draft" not in gallery
        page = server.get("/drafts/next/").decode()
        assert page.count('alt="Draft"') == 2
        address = page.split('alt="Draft" src="../../')[1].split('"')[0]
        assert server.get(f"/{address}")
        assert server.end() == 0
    assert len([name for name in project.originals if name.endswith(".png")]) == 3


@beside("not_in_nav", *EVERY_MKDOCS)
def test_pages_outside_the_navigation_show_their_images(project: Project, api: ImagesApi, column: str) -> None:
    project.config |= {"nav": [{"Home": "index.md"}], "not_in_nav": "/a.md"}
    pages(project)
    built = build_both_ways(project, api, prompts=["A tower", "Fog"])
    assert alts(built) == ["Tower"]
    assert alts(built, "a/index.html") == ["Fog", "Fog"]


OVERRIDE = """{% extends "base.html" %}
{% block content %}
<div id="banner">{{ qhaigc_image(page, page.meta.banner or "emblem") }}</div>
<p><img src="{{ qhaigc_url(page, "emblem") }}" srcset="{{ qhaigc_url(page, "emblem") }} 1x" width="48" height="27"
alt="Open"></p>
{{ super() }}
{% endblock %}
"""


@beside("theme overrides", *EVERY_MKDOCS)
def test_templates_of_the_site_show_images(project: Project, api: ImagesApi, column: str) -> None:
    project.config["theme"]["custom_dir"] = "overrides"
    project.write("overrides/main.html", OVERRIDE)
    project.write("overrides/404.html", "<html><body>{{ qhaigc_image(page, 'emblem') }}</body></html>")
    project.options["images"] = {"emblem": {"prompt": "A badge", "alt": "Emblem"}}
    project.page("index.md", "# Home\n")
    project.page("deep/a.md", "# A\n\n![](qhaigc:hero)\n", banner="hero", qhaigc=hero("Fog", "Fog"))
    built = build_both_ways(project, api, prompts=["A badge", "Fog"])
    assert alts(built) == ["Emblem", "Open"]
    assert alts(built, "deep/a/index.html") == ["Fog", "Open", "Fog"]
    assert alts(built, "404.html") == ["Emblem"]
