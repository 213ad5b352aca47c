"""Beside other plugins: lightboxes, and Material's blog, meta and picture compression."""

from __future__ import annotations

import json
import re

import pytest

from tests.api import ImagesApi, bytes_by_url, picture
from tests.conftest import Built, Project
from tests.engines import EVERY_MATERIAL, beside
from tests.pages import broken_urls, elements

pytestmark = pytest.mark.compatibility

REWRITES = """
import re


def on_page_content(html, page, config, files):
    '''As a lightbox does: every picture in a link, and the whole page written anew by a parser.'''
    html = re.sub(r'(<img [^>]*>)', r'<a class="box" href="#">\\1</a>', html)
    return html.replace("&#x27;", "'")
"""


def ours(built: Built, page: str = "index.html") -> list[dict[str, str | None]]:
    found = [element.attributes for element in elements(built.html(page), "img")]
    return [attributes for attributes in found if "assets/qhaigc" in (attributes["src"] or "")]


@pytest.mark.parametrize("formats", [["webp"], ["avif", "jpeg"]])
@pytest.mark.parametrize("first", [True, False])
def test_a_lightbox_wraps_the_whole_picture_and_a_cold_build_is_as_a_warm_one(
    project: Project, api: ImagesApi, formats: list[str], first: bool
) -> None:
    api.default = bytes_by_url(picture("square", 80, 60, "WEBP"))
    project.options |= {"formats": formats, "widths": [48]}
    project.config["markdown_extensions"] = ["attr_list"]
    body = "# Home\n\n![](qhaigc:hero)\n\n[![](qhaigc:hero)](a.md)\n\n![x](qhaigc:b#only-dark){ width=40 }\n"
    hero = {"prompt": "A tower", "alt": "The harbour's tower", "caption": "A tower"}
    placed = {"prompt": "A mast", "alt": "A 'mast'", "place": "after-title"}
    project.page("index.md", body, qhaigc={"hero": hero, "b": "night", "placed": placed})
    project.page("a.md", "# A\n")
    plugins = [{"qhaigc": project.options}, {"glightbox": {"auto_themed": True}}]
    site = {**project.config, "plugins": plugins if first else plugins[::-1]}
    project.yaml = json.dumps(site, ensure_ascii=False)
    cold = project.build("--strict", site="cold")
    warm = project.build("--strict", site="warm")
    assert cold.code == warm.code == 0, cold.output
    html = cold.html()
    lightbox = [e.attributes for e in elements(html, "a") if "glightbox" in (e.attributes.get("class") or "")]
    assert len(lightbox) == 3
    assert broken_urls(cold.site) == []
    assert [(a["width"], a["height"]) for a in ours(cold)] == [("80", "60"), ("80", "60"), ("80", "60"), ("40", "30")]
    assert not re.search(r"<picture[^>]*>(?:<source[^>]*>)*<a", html)
    assert len(elements(html, "picture")) == (4 if len(formats) > 1 else 0)
    assert "data-qhaigc-formats" not in html
    assert re.search(r'<a href="a/">\s*<(?:picture|img)', html)
    assert cold.digest() == warm.digest()


def test_whatever_another_plugin_makes_of_a_page_its_pictures_are_mended(project: Project, api: ImagesApi) -> None:
    api.default = bytes_by_url(picture("square", 80, 60, "WEBP"))
    project.options["widths"] = [48]
    project.config["hooks"] = [str(project.write("hooks.py", REWRITES))]
    hero = {"prompt": "A tower", "alt": "The harbour's tower", "place": "after-title"}
    project.page("index.md", "# Home\n\n![it's](qhaigc:hero)\n", qhaigc={"hero": hero})
    cold = project.build("--strict", site="cold")
    warm = project.build("--strict", site="warm")
    assert [(a["width"], a["height"]) for a in ours(cold)] == [("80", "60"), ("80", "60")]
    assert broken_urls(cold.site) == []
    assert [a.items() for a in ours(cold)] == [a.items() for a in ours(warm)]


def test_excerpts_of_a_blog_have_their_pictures_below_their_titles_and_none_loaded_first(
    project: Project, api: ImagesApi
) -> None:
    api.default = bytes_by_url(picture("square", 80, 60, "WEBP"))
    project.config["theme"] = {"name": "material", "font": False}
    project.config["plugins"] = ["search", {"blog": {"post_date_format": "yyyy", "archive_date_format": "yyyy"}}]
    project.page("blog/index.md", "# Blog\n")
    project.page("index.md", "# Home\n")
    for number in range(3):
        hero = {"prompt": f"A tower {number}", "alt": f"Tower {number}", "place": "after-title", "caption": "A tower"}
        other = {"prompt": f"Fog {number}", "alt": f"Fog {number}"}
        front = json.dumps({"qhaigc": {"hero": hero, "fog": other}, "image": "qhaigc:hero"})[1:-1]
        body = f"# Post {number}\n\nWords ![](qhaigc:fog) here.\n\n<!-- more -->\n\n![](qhaigc:fog)\n"
        project.write(f"docs/blog/posts/{number}.md", f"---\n{{date: 2026-01-0{number + 1}, {front}}}\n---\n{body}")
    cold = project.build("--strict", site="cold")
    warm = project.build("--strict", site="warm")
    assert cold.code == warm.code == 0, cold.output
    for view in ("blog/index.html", "blog/archive/2026/index.html"):
        shown = ours(cold, view)
        assert [attributes["alt"] for attributes in shown] == [
            f"{word} {n}" for n in (2, 1, 0) for word in ("Tower", "Fog")
        ]
        assert all(attributes["loading"] == "lazy" for attributes in shown)
        assert not any("fetchpriority" in attributes for attributes in shown)
        assert len(re.findall(r"</h2>\s*<figure", cold.html(view))) == 3
    (post,) = (path for path in cold.site.rglob("post-1/index.html"))
    assert re.search(r"</h1>\s*<figure", post.read_text(encoding="utf-8"))
    assert len(re.findall('fetchpriority="high"', post.read_text(encoding="utf-8"))) == 1
    assert broken_urls(cold.site) == []
    assert cold.digest() == warm.digest()
    assert len(api.calls) == 6


@beside("meta", *EVERY_MATERIAL)
def test_defaults_of_a_folder_come_from_materials_meta_plugin(project: Project, api: ImagesApi, column: str) -> None:
    project.config["theme"]["custom_dir"] = "overrides"
    project.config["plugins"] = ["meta"]
    project.write(
        "overrides/main.html",
        '{% extends "base.html" %}{% block extrahead %}'
        '<meta name="image" content="{{ page and page.meta.image }}">{% endblock %}',
    )
    project.write(
        "docs/guide/.meta.yml", "image: qhaigc:hero\nqhaigc: {hero: {prompt: A tower, alt: Tower, place: top}}\n"
    )
    project.page("index.md", "# Home\n")
    project.page("guide/a.md", "# A\n\n![](qhaigc:own)\n", qhaigc={"own": {"prompt": "Fog", "alt": "Fog"}})
    project.page("guide/deep/b.md", "# B\n")
    built = project.build("--strict")
    assert built.code == 0, built.output
    assert [attributes["alt"] for attributes in ours(built, "guide/a/index.html")] == ["Tower", "Fog"]
    assert [attributes["alt"] for attributes in ours(built, "guide/deep/b/index.html")] == ["Tower"]
    for page in ("guide/a/index.html", "guide/deep/b/index.html"):
        (meta,) = [e for e in elements(built.html(page), "meta") if e.attributes.get("name") == "image"]
        assert (meta.attributes["content"] or "").startswith("https://example.com/docs/assets/qhaigc/hero-")
    assert sorted(api.prompts) == ["A tower", "Fog"]
    assert broken_urls(built.site) == []


COMPRESSES = """
from pathlib import Path


def on_env(env, config, files):
    '''As plugins that compress pictures do: every picture of the site, whoever made it, loses what it says.'''
    for file in files:
        if file.src_uri.endswith((".jpg", ".webp")):
            Path(config["config_file_path"]).with_name("seen.txt").open("a").write(file.src_uri)
"""


def test_plugins_that_compress_pictures_do_not_see_ours(project: Project) -> None:
    """They would write them anew without the words that an AI has made them."""
    project.config["hooks"] = [str(project.write("hooks.py", COMPRESSES))]
    project.page("index.md", "![x](qhaigc:hero)\n", qhaigc="fog", image="qhaigc:hero")
    built = project.build("--strict")
    assert len(built.pictures()) == 2
    assert not (project.folder / "seen.txt").exists()
