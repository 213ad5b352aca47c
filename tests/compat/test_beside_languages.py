"""Beside mkdocs-static-i18n, which builds the site once for each language, all in one process."""

from __future__ import annotations

import json
import re
import threading

import pytest

from tests.conftest import Project
from tests.helpers.api import ImagesApi, error, waits_for
from tests.helpers.beside import alts, build_both_ways, hero, ours, ours_of
from tests.helpers.commands import answer, buy, names, run
from tests.helpers.engines import EVERY_MATERIAL, EVERY_MKDOCS, beside
from tests.helpers.pages import text_of
from tests.helpers.serving import serving

pytestmark = pytest.mark.compatibility

PROMPTS = ["A badge", "A map", "A tower", "Un phare", "一座灯塔", "一张地图"]
"""Of the whole site: what the English pages show is bought first."""


def site(project: Project, structure: str) -> None:
    """Pages in three languages; the guide has no French version, so its English one stands there."""
    languages = [
        {"locale": "en", "default": True, "name": "English", "build": True},
        {"locale": "zh", "name": "中文", "build": True},
        {"locale": "fr", "name": "français", "build": True},
    ]
    i18n = {"docs_structure": structure, "languages": languages, "fallback_to_default": True}
    project.config["plugins"] = ["search", {"i18n": i18n}]
    project.options |= {"widths": [48], "images": {"emblem": {"prompt": "A badge", "alt": "Emblem"}}}
    both = "![](qhaigc:hero)\n\n![](qhaigc:emblem)\n"
    project.page(path(structure, "index", "en"), f"# Home\n\n{both}", qhaigc=hero("A tower", "Tower"))
    project.page(path(structure, "index", "zh"), f"# 首页\n\n{both}", qhaigc=hero("一座灯塔", "灯塔"))
    project.page(path(structure, "index", "fr"), f"# Accueil\n\n{both}", qhaigc=hero("Un phare", "Phare"))
    project.page(path(structure, "guide", "en"), "# Guide\n\n![](qhaigc:hero)\n", qhaigc=hero("A map", "Map"))
    project.page(path(structure, "guide", "zh"), "# 指南\n\n![](qhaigc:hero)\n", qhaigc=hero("一张地图", "地图"))


def path(structure: str, name: str, language: str) -> str:
    return f"{language}/{name}.md" if structure == "folder" else f"{name}.{language}.md"


@pytest.fixture(params=["folder", "suffix"])
def structure(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def assert_each_language_shows_its_own(project: Project, api: ImagesApi) -> None:
    built = build_both_ways(project, api, prompts=PROMPTS)
    assert alts(built) == ["Tower", "Emblem"]
    assert alts(built, "guide/index.html") == ["Map"]
    assert alts(built, "zh/index.html") == ["灯塔", "Emblem"]
    assert alts(built, "zh/guide/index.html") == ["地图"]
    assert alts(built, "fr/index.html") == ["Phare", "Emblem"]
    assert alts(built, "fr/guide/index.html") == ["Map"]
    (there,), (here,) = ours(built, "fr/guide/index.html"), ours(built, "guide/index.html")
    assert there["src"] == f"../{here['src']}"  # one file for both
    assert len(built.images()) == 2 * len(PROMPTS)
    assert not (built.site / "zh/assets/qhaigc").exists()


@beside("static-i18n, folders", *EVERY_MKDOCS)
def test_each_language_in_a_folder_shows_its_own_images(project: Project, api: ImagesApi, column: str) -> None:
    site(project, "folder")
    assert_each_language_shows_its_own(project, api)


@beside("static-i18n, suffixes", *EVERY_MKDOCS)
def test_each_language_by_suffix_shows_its_own_images(project: Project, api: ImagesApi, column: str) -> None:
    site(project, "suffix")
    assert_each_language_shows_its_own(project, api)


def test_the_commands_see_every_language(project: Project, api: ImagesApi, structure: str) -> None:
    site(project, structure)
    rows = answer(project, "plan")["images"]
    assert sorted(row["prompt"] for row in rows) == PROMPTS
    assert {row["state"] for row in rows} == {"missing"}
    emblem = next(row for row in rows if row["name"] == "emblem")
    assert emblem["pages"] == [path(structure, "index", language) for language in ("en", "zh", "fr")]
    assert len(answer(project, "check")["findings"]) == len(PROMPTS)
    french = f"{path(structure, 'index', 'fr')}#hero"
    assert run(project, "generate", "--yes", french).returncode == 0
    assert api.prompts == ["Un phare"]
    assert run(project, "generate", "--yes").returncode == 0
    assert sorted(api.prompts) == PROMPTS
    assert run(project, "check").returncode == 0
    assert answer(project, "gallery")["images"]
    assert {row["prompt"] for row in answer(project, "gallery")["images"]} == set(PROMPTS)
    assert not (project.folder / "site").exists()


def test_pin_and_prune_keep_the_images_of_every_language(project: Project, api: ImagesApi, structure: str) -> None:
    site(project, structure)
    buy(project, api)
    assert run(project, "pin").returncode == 0
    pins = names(project.folder / "generated-images")
    assert len(pins) == 2 * len(PROMPTS)
    assert run(project, "pin", "--check").returncode == 0
    assert "0 images right already" not in run(project, "pin").stdout
    assert names(project.folder / "generated-images") == pins
    assert run(project, "prune", "--older-than", "0d", "--yes").returncode == 0
    assert len(project.originals) == 2 * len(PROMPTS)
    project.page(path(structure, "index", "zh"), "# 首页\n")
    assert "hero-d83e0eb43472c0ea.png" in run(project, "pin").stdout
    assert set(pins) - set(names(project.folder / "generated-images")) == {
        "hero-d83e0eb43472c0ea.json",
        "hero-d83e0eb43472c0ea.png",
    }


def test_a_directive_that_cannot_be_used_in_one_language_keeps_every_pin(
    project: Project, api: ImagesApi, structure: str
) -> None:
    site(project, structure)
    buy(project, api)
    run(project, "pin")
    pins = names(project.folder / "generated-images")
    project.page(path(structure, "index", "fr"), "# Accueil\n", qhaigc={"hero": {"prompt": ["Un phare"]}})
    finished = run(project, "pin")
    assert finished.returncode == 1
    assert path(structure, "index", "fr") in finished.stderr
    assert names(project.folder / "generated-images") == pins


def test_a_page_that_several_languages_show_is_warned_of_once_and_there_is_one_summary(
    project: Project, api: ImagesApi, structure: str
) -> None:
    site(project, structure)
    api.by_prompt["A badge"] = [error(400, "content_policy_violation")] * 9
    guide = path(structure, "guide", "en")
    project.page(
        guide,
        "# Guide\n\n![](qhaigc:hero) ![x](qhaigc:heroo)\n",
        qhaigc={"hero": "A map", "old": {"prompt": "A map", "size": 7}},
    )
    project.options["prices"] = {"qh-draw-x2-preview": 0.5, "currency": "USD"}
    built = project.build()
    assert built.code == 0, built.output
    said = ("there is no image 'heroo'", "has no alternative text", "mkdocs.yml#emblem", "image 'old'")
    assert [sum(words in warning for warning in built.warnings) for words in said] == [1, 1, 1, 1]
    assert len(built.warnings) == len(said), built.output
    summaries = [line for line in built.output.splitlines() if re.search(r"qhaigc: \d+ images", line)]
    assert [line.partition("qhaigc: ")[2] for line in summaries] == [
        "7 images: 5 generated for 2.50 USD, 2 placeholders"
    ]
    assert [built.output.index(line) > built.output.index("Building 'fr'") for line in summaries] == [True]
    assert project.build("--strict").code == 1


def test_images_that_have_one_reason_are_warned_of_once_in_all_languages(project: Project, structure: str) -> None:
    """A warning names several; of those that two languages show, the second one's warning is silent."""
    site(project, structure)
    project.take_key()
    built = project.build()
    assert [warning.count("#") for warning in built.warnings] == [3, 2, 1], built.output
    assert built.output.count("mkdocs.yml#emblem") == 1
    assert project.build("--strict").code == 1


def test_a_note_about_the_whole_site_comes_once_for_all_languages(project: Project, structure: str) -> None:
    """As in a checkout that cannot be written."""
    site(project, structure)
    project.write(".qhaigc/variants", "a file, where the folder of encoded images should be")
    built = project.build("--strict")
    assert built.code == 0, built.output
    assert built.output.count("so images are encoded anew in every build") == 1


def test_the_report_holds_every_language(project: Project, api: ImagesApi, structure: str) -> None:
    site(project, structure)
    project.options["report"] = "report.json"
    broken = path(structure, "guide", "zh")
    project.page(broken, "# 指南\n\n![x](qhaigc:heroo)\n", qhaigc=hero("一张地图", "地图"))
    assert project.build().code == 0
    report = json.loads((project.folder / "report.json").read_text(encoding="utf-8"))
    assert len(report["images"]) == len(PROMPTS)
    assert {row["state"] for row in report["images"]} == {"generated"}
    assert sum(row["requests"] for row in report["images"]) == len(api.calls) == len(PROMPTS)
    (warning,) = report["warnings"]
    assert f"{broken}, line 6: there is no image 'heroo'" in warning


def test_one_build_of_all_languages_keeps_to_the_most_that_it_may_buy(
    project: Project, api: ImagesApi, structure: str
) -> None:
    site(project, structure)
    project.options["max_new_images"] = 4
    built = project.build()
    assert built.code == 0
    assert len(api.calls) == 4
    assert "raise `max_new_images`" in built.output


def test_each_language_has_a_gallery_of_its_own_where_authors_wrote_one(project: Project, structure: str) -> None:
    site(project, structure)
    project.options["gallery"] = "gallery.md"
    for language in ("en", "zh", "fr"):
        project.page(path(structure, "gallery", language), f"# {language}\n")
    built = project.build("--strict")
    assert built.code == 0, built.output
    for page, own, others in (
        ("gallery", ["A tower", "A map"], ["一座灯塔", "Un phare"]),
        ("zh/gallery", ["一座灯塔", "一张地图"], ["A tower", "A map", "Un phare"]),
        ("fr/gallery", ["Un phare", "A map"], ["A tower", "一座灯塔"]),
    ):
        text = text_of(built.html(f"{page}/index.html"))
        assert [prompt for prompt in ["A badge", *own] if prompt not in text] == []
        assert [prompt for prompt in others if prompt in text] == []


def test_a_gallery_that_nobody_wrote_is_made_once_for_the_first_language(project: Project, structure: str) -> None:
    site(project, structure)
    project.options["gallery"] = "gallery.md"
    built = project.build("--strict")
    assert built.code == 0, built.output
    assert len(ours_of(built.html("gallery/index.html"))) == 3
    assert "A tower" in text_of(built.html("gallery/index.html"))
    assert not (built.site / "fr/gallery").exists()


def test_a_preview_shows_the_images_of_a_language_that_was_built_before_the_last_one(
    project: Project, api: ImagesApi
) -> None:
    arrives = threading.Event()
    api.by_prompt["A tower"] = [waits_for(arrives)]
    site(project, "folder")
    with serving(project) as server:
        server.wait_until(server.shown)
        placeholder = server.shown()
        server.wait_until(lambda: len(api.calls) == len(PROMPTS))
        server.wait_until_quiet()
        assert server.shown() == placeholder
        arrives.set()
        server.wait_until(lambda: server.shown() not in (b"", placeholder))
        assert server.end() == 0
    assert len(api.calls) == len(PROMPTS)


@beside("static-i18n, suffixes", *EVERY_MATERIAL)
def test_a_gallery_that_is_made_stands_beside_languages_and_a_blog(
    project: Project, api: ImagesApi, column: str
) -> None:
    """The plugin makes its sitemap of all pages there are, where Material has a blog."""
    languages = [{"locale": "en", "default": True, "name": "English"}, {"locale": "de", "name": "Deutsch"}]
    project.config["plugins"] = ["blog", {"i18n": {"docs_structure": "suffix", "languages": languages}}]
    project.options["gallery"] = "gallery.md"
    project.page("index.md", "# Home\n\n![](qhaigc:hero)\n", qhaigc=hero("A tower", "Tower"))
    project.page("blog/index.md", "# Blog\n")
    project.write("docs/blog/posts/p.md", "---\ndate: 2026-01-01\n---\n# Post\n\nWords\n\n<!-- more -->\n")
    built = project.build()  # of each of the blog's own pages that plugin warns
    assert built.code == 0, built.output
    assert alts(built) == ["Tower"]
    assert len(ours(built, "gallery/index.html")) == 1
    assert "gallery/" in (built.site / "sitemap.xml").read_text(encoding="utf-8")


def test_each_language_has_its_label(project: Project, api: ImagesApi, structure: str) -> None:
    site(project, structure)
    project.options["label"] = {"en": "AI-generated", "zh": "AI 生成", "fr": "Image faite par une IA"}
    built = project.build()
    assert built.code == 0, built.output
    for folder, text in (("", "AI-generated"), ("zh/", "AI 生成"), ("fr/", "Image faite par une IA")):
        for page in ("index.html", "guide/index.html"):
            assert f'<span class="qhaigc-label">{text}</span>' in built.html(folder + page)
