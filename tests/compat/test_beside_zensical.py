"""Beside what Zensical itself offers for MkDocs' plugins: real builds, after `mkdocs-qhaigc sync`."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest
import yaml
from PIL import ImageFont

from tests.conftest import Built, Project
from tests.helpers.api import ImagesApi, in_size
from tests.helpers.engines import ZENSICAL, beside
from tests.helpers.pages import broken_urls, elements

pytestmark = [
    pytest.mark.compatibility,
    pytest.mark.skipif(sys.version_info < (3, 11), reason="Zensical needs Python 3.11"),
]
HERO = {"prompt": "A tower", "alt": "Tower"}
Attributes = dict[str, str | None]
IN_CODE = re.compile(r"<(code|pre)\b.*?</\1>", re.DOTALL)
SHOWS_META_IMAGE = (
    '{% extends "base.html" %}{% block extrahead %}{% if page and page.meta and page.meta.image %}'
    '<meta name="image" content="{{ page.meta.image }}">{% endif %}{% endblock %}'
)
TEXTS = {".html", ".xml", ".json", ".txt", ".md"}


@pytest.fixture(autouse=True)
def _square_images(project: Project, api: ImagesApi) -> None:
    """Have images come in another size than was asked for, and in two widths."""
    api.default = in_size("80x60", "WEBP")
    project.options["widths"] = [48]


def images_of(built: Built, page: str) -> list[Attributes]:
    """Return the attributes of each image of ours on a page."""
    images = [element.attributes for element in elements(built.html(page), "img")]
    return [attributes for attributes in images if "assets/qhaigc/" in (attributes["src"] or "")]


def ours(built: Built, page: str = "index.html") -> list[Attributes]:
    """Return the same, after looking at what all of them have in common."""
    found = images_of(built, page)
    for attributes in found:
        assert (attributes["width"], attributes["height"]) == ("80", "60")
        assert re.search(r"-48\.webp\S* 48w, \S+\.webp\S* 80w$", attributes.get("srcset") or "")
    return found


def alts(built: Built, page: str = "index.html") -> list[str]:
    return [attributes["alt"] or "" for attributes in ours(built, page)]  # `alt` and `alt=""` are one


def meta_image(built: Built, page: str = "index.html") -> str:
    """Return what `SHOWS_META_IMAGE` has made of a page's front matter."""
    (meta,) = [e.attributes for e in elements(built.html(page), "meta") if e.attributes.get("name") == "image"]
    return meta["content"] or ""


def build_twice(
    project: Project,
    api: ImagesApi,
    *,
    images: int,
    but: Iterable[str] = (),
    site_url: str = "https://example.com/docs/",
) -> Built:
    """Sync and build twice: every image is bought once, no URL is broken, and the second build changes nothing.

    `but` are files that hold the moment of the build.
    """
    built = project.build()
    assert built.code == 0, built.output
    assert len(api.calls) == images
    assert broken_urls(built.site, site_url) == []
    for path in built.site.rglob("*"):
        if path.suffix in TEXTS:
            assert "qhaigc:" not in IN_CODE.sub("", path.read_text(encoding="utf-8")), path
    before = built.digest()
    again = project.build()
    assert again.code == 0, again.output
    after = again.digest()
    assert {path for path in before if before[path] != after[path]} <= {*but}
    assert before.keys() == after.keys()
    assert len(api.calls) == images
    return built


def blog_posts(project: Project, *, separator: str = "<!-- more -->") -> None:
    """Write three posts with a placed image each, and another one before and behind the end of the excerpt."""
    project.page("blog/index.md", "# Blog\n")
    project.page("index.md", "# Home\n")
    for number in range(3):
        hero = {"prompt": f"A tower {number}", "alt": f"Tower {number}", "place": "after-title", "caption": "A tower"}
        other = {"prompt": f"Fog {number}", "alt": f"Fog {number}"}
        front = {"qhaigc": {"hero": hero, "fog": other}, "image": "qhaigc:hero", "categories": ["Sea"]}
        head = f"---\ndate: 2026-01-0{number + 1}\n{yaml.safe_dump(front)}---\n"
        body = f"# Post {number}\n\nWords [![](qhaigc:fog)](qhaigc:fog) here.\n\n{separator}\n\n![](qhaigc:fog)\n"
        project.write(f"docs/blog/posts/{number}.md", head + body)


@beside("blog", ZENSICAL)
@pytest.mark.parametrize(
    ("formats", "end"), [(["webp"], "<!-- more -->"), (["avif", "webp"], "<!-- cut -->"), (["webp"], "")]
)
def test_excerpts_of_a_blog_show_their_images_on_every_list(
    project: Project, api: ImagesApi, column: str, formats: list[str], end: str
) -> None:
    project.options["formats"] = formats
    blog: dict[str, Any] = {"post_date_format": "yyyy", "archive_date_format": "yyyy", "pagination_per_page": 2}
    if end == "<!-- cut -->":
        blog["post_excerpt_separator"] = end
    project.config["plugins"] = [{"blog": blog}]
    blog_posts(project, separator=end)
    built = build_twice(project, api, images=6)
    lists = {
        "blog/index.html": (2, 1),
        "blog/page/2/index.html": (0,),
        "blog/archive/2026/index.html": (2, 1),
        "blog/category/sea/index.html": (2, 1),
        "blog/category/sea/page/2/index.html": (0,),
    }
    again = [] if end else ["Fog"]
    for page, numbers in lists.items():
        shown = images_of(built, page)
        assert [attributes["alt"] for attributes in shown] == [
            f"{word} {number}" for number in numbers for word in ("Tower", "Fog", *again)
        ]
        assert not any("srcset" in attributes or "fetchpriority" in attributes for attributes in shown)
        assert [attributes.get("loading") for attributes in shown] == [None, "lazy", *["lazy" for _ in again]] * len(
            numbers
        )
        assert len(re.findall(r"</h2>\s*<figure", built.html(page))) == len(numbers)
    for number in range(3):
        page = f"blog/2026/01/0{number + 1}/post-{number}/index.html"
        shown = images_of(built, page)
        assert [attributes["alt"] for attributes in shown] == [f"Tower {number}", f"Fog {number}", f"Fog {number}"]
        assert ["srcset" in attributes for attributes in shown] == [False, False, bool(end)]
        assert len(elements(built.html(page), "source")) == (1 if end and len(formats) > 1 else 0)
        assert re.search(r"</h1>\s*<figure", built.html(page))


@beside("meta", ZENSICAL)
def test_defaults_of_a_folder_declare_images(project: Project, api: ImagesApi, column: str) -> None:
    project.config["theme"]["custom_dir"] = "overrides"
    project.config["plugins"] = ["meta"]
    project.write("overrides/main.html", SHOWS_META_IMAGE)
    project.write(
        "docs/guide/.meta.yml", "image: qhaigc:hero\nqhaigc: {hero: {prompt: A tower, alt: Tower, place: top}}\n"
    )
    project.page("index.md", "# Home\n")
    project.page("guide/a.md", "# A\n\n![](qhaigc:own)\n", qhaigc={"own": {"prompt": "Fog", "alt": "Fog"}})
    project.page("guide/deep/b.md", "# B\n")
    built = build_twice(project, api, images=2)
    assert alts(built, "guide/a/index.html") == ["Tower", "Fog"]
    assert alts(built, "guide/deep/b/index.html") == ["Tower"]
    for page in ("guide/a/index.html", "guide/deep/b/index.html"):
        assert meta_image(built, page).startswith("https://example.com/docs/assets/qhaigc/hero-")


@beside("tags", ZENSICAL)
def test_pages_with_tags_and_their_listing(project: Project, api: ImagesApi, column: str) -> None:
    project.config["plugins"] = ["tags", "search"]
    project.page("index.md", "# Home\n\n![](qhaigc:hero)\n", qhaigc={"hero": HERO}, tags=["Sea"])
    project.page("tags.md", "# Tags ![](qhaigc:hero)\n\n<!-- material/tags -->\n", qhaigc={"hero": HERO})
    built = build_twice(project, api, images=1)
    assert alts(built) == alts(built, "tags/index.html") == ["Tower"]
    assert "Sea" in built.html("tags/index.html")


@beside("glightbox", ZENSICAL)
def test_a_lightbox_opens_the_image(project: Project, api: ImagesApi, column: str) -> None:
    project.config["markdown_extensions"] = ["attr_list", "md_in_html"]
    project.config["plugins"] = [{"glightbox": {"auto_themed": True, "auto_caption": True}}]
    body = (
        "# Home\n\n![](qhaigc:hero)\n\n[![](qhaigc:hero)](a.md)\n\n![x](qhaigc:b#only-dark)\n\n"
        '<p><img src="qhaigc:hero" alt="raw"></p>\n\n![off](qhaigc:b){ .off-glb }\n'
    )
    placed = {"prompt": "A mast", "alt": "A 'mast'", "place": "after-title"}
    front = {"hero": {**HERO, "caption": "A tower"}, "b": "night", "placed": placed}
    project.page("index.md", body, qhaigc=front)
    project.page("a.md", "# A\n")
    project.page("deep/b.md", body.replace("a.md", "../a.md"), qhaigc=front)
    built = build_twice(project, api, images=3)
    for page in ("index.html", "deep/b/index.html"):
        html = built.html(page)
        boxes = [e.attributes for e in elements(html, "a") if "glightbox" in (e.attributes.get("class") or "")]
        opened = [Path(box["href"] or "").name.partition("-")[0] for box in boxes]
        assert opened == ["hero", "b", "hero"]  # an image that `place` has put there is shown, and opens nothing
        assert [box.get("data-gallery") for box in boxes] == [None, "dark", None]
        assert alts(built, page) == ["A 'mast'", "Tower", "Tower", "x", "raw", "off"]


MACROS = """
def define_env(env):
    @env.macro
    def shown(name, alt=""):
        return f"![{alt}](qhaigc:{name})"
"""


@beside("macros", ZENSICAL)
def test_macros_make_references(project: Project, api: ImagesApi, column: str) -> None:
    project.config["plugins"] = [{"macros": {"include_dir": "include"}}]
    project.config["extra"] = {"image": "![x](qhaigc:hero)"}
    project.write("main.py", MACROS)
    project.write("include/part.md", "![of a part](qhaigc:hero)\n")
    body = '# Home\n\n{{ shown("hero") }}\n\n{{ image }}\n\n{% include "part.md" %}\n\n`{{ shown("hero", "c") }}`\n'
    project.page("index.md", body, qhaigc={"hero": HERO})
    built = build_twice(project, api, images=1)
    assert alts(built) == ["Tower", "x", "of a part"]
    assert "<code>![c](qhaigc:hero)</code>" in built.html()


@beside("literate-nav", ZENSICAL)
def test_a_navigation_page_may_show_images(project: Project, api: ImagesApi, column: str) -> None:
    project.config["plugins"] = [{"literate-nav": {"nav_file": "SUMMARY.md"}}]
    project.page("index.md", "# Home\n\n![](qhaigc:hero)\n", qhaigc={"hero": HERO})
    project.page("guide/a.md", "# A\n\n![](qhaigc:hero)\n", qhaigc={"hero": HERO})
    navigation = "![](qhaigc:hero)\n\n* [Home](index.md)\n* [A with ![](qhaigc:hero)](guide/a.md)\n"
    project.page("SUMMARY.md", navigation, qhaigc={"hero": HERO})
    built = build_twice(project, api, images=1)
    assert alts(built) == alts(built, "guide/a/index.html") == ["Tower"]
    assert alts(built, "SUMMARY/index.html") == ["Tower", "Tower"]
    assert "A with" in built.html("index.html")


@beside("awesome-nav", ZENSICAL)
def test_navigation_files_beside_the_pages(project: Project, api: ImagesApi, column: str) -> None:
    project.config["plugins"] = ["awesome-nav"]
    project.write("docs/.nav.yml", 'nav:\n  - index.md\n  - guide\n  - "*"\n')
    project.page("index.md", "# Home\n\n![](qhaigc:hero)\n", qhaigc={"hero": HERO})
    project.page("guide/index.md", "# A\n\n![](qhaigc:hero)\n", qhaigc={"hero": HERO})
    built = build_twice(project, api, images=1)
    assert alts(built) == alts(built, "guide/index.html") == ["Tower"]


@beside("include-markdown", ZENSICAL)
def test_an_included_page_shows_the_including_pages_images(project: Project, api: ImagesApi, column: str) -> None:
    project.config["plugins"] = ["include-markdown"]
    project.page("index.md", '# Home\n\n{% include-markdown "parts/part.md" %}\n', qhaigc={"hero": HERO})
    project.page("deep/a.md", '# Deep\n\n{% include-markdown "../parts/part.md" %}\n', qhaigc={"hero": HERO})
    project.write("docs/parts/part.md", "![](qhaigc:hero)\n")
    project.config["exclude_docs"] = "parts/\n"
    built = build_twice(project, api, images=1)
    assert alts(built) == alts(built, "deep/a/index.html") == ["Tower"]


@beside("snippets", ZENSICAL)
def test_snippets_show_the_including_pages_images(project: Project, api: ImagesApi, column: str) -> None:
    options = {"base_path": ["snippets"], "auto_append": ["all.md"]}
    project.config["markdown_extensions"] = [{"pymdownx.snippets": options}]
    project.write("snippets/part.md", "![](qhaigc:hero)\n")
    project.write("snippets/all.md", "[tower]: qhaigc:hero\n")
    body = '# Home\n\n--8<-- "part.md"\n\n![by a reference][tower]\n'
    project.page("index.md", body, qhaigc={"hero": HERO})
    project.page("deep/a.md", body, qhaigc={"hero": HERO})
    built = build_twice(project, api, images=1)
    assert alts(built) == alts(built, "deep/a/index.html") == ["Tower", "by a reference"]


@beside("mkdocstrings", ZENSICAL)
def test_docstrings_show_the_pages_images_and_placed_ones_stand_there_once(
    project: Project, api: ImagesApi, column: str
) -> None:
    project.config["plugins"] = [{"mkdocstrings": {"handlers": {"python": {"paths": ["source"]}}}}]
    project.write(
        "source/harbour.py",
        '"""A harbour.\n\n![](qhaigc:plan)\n"""\n\n\ndef light():\n    """Light it.\n\n    ![](qhaigc:plan)\n\n'
        '    `qhaigc:plan` is text.\n    """\n',
    )
    front = {"plan": {"prompt": "A plan", "alt": "Plan"}, "hero": {**HERO, "place": "after-title"}}
    project.page("api/index.md", "# Harbour\n\n::: harbour\n\n![](qhaigc:plan)\n", qhaigc=front)
    project.page("index.md", "# Home\n\n![](qhaigc:hero)\n", qhaigc={"hero": HERO})
    built = build_twice(project, api, images=2)
    assert alts(built, "api/index.html") == ["Tower", "Plan", "Plan", "Plan"]
    assert alts(built) == ["Tower"]
    assert "<code>qhaigc:plan</code>" in built.html("api/index.html")


@beside("redirects", ZENSICAL)
def test_moved_pages_lead_to_their_images(project: Project, api: ImagesApi, column: str) -> None:
    project.config["plugins"] = [{"redirects": {"redirect_maps": {"old.md": "guide/new.md"}}}]
    project.page("index.md", "# Home\n")
    project.page("guide/new.md", "# New\n\n![](qhaigc:hero)\n", qhaigc={"hero": HERO})
    built = build_twice(project, api, images=1)
    assert alts(built, "guide/new/index.html") == ["Tower"]
    assert "guide/new/" in built.html("old/index.html")


@beside("minify", ZENSICAL)
def test_minified_pages(project: Project, api: ImagesApi, column: str) -> None:
    project.options["formats"] = ["avif", "webp"]
    project.config["plugins"] = [
        {"minify": {"minify_html": True, "minify_css": True, "css_files": ["assets/qhaigc/qhaigc.css"]}}
    ]
    front = {
        "hero": {**HERO, "caption": "A <b> tower"},
        "b": {"prompt": "B", "alt": 'a "b" & c'},
        "c": {"prompt": "C", "alt": ""},
    }
    project.page("index.md", "# Home\n\n![](qhaigc:hero)\n\n![](qhaigc:b) ![](qhaigc:c)\n", qhaigc=front)
    built = build_twice(project, api, images=3)
    assert alts(built) == ["Tower", 'a "b" & c', ""]
    assert len(elements(built.html(), "source")) == 3
    assert "\n\n" not in built.html()


@beside("privacy", ZENSICAL)
def test_private_sites_fetch_nothing_of_ours(project: Project, api: ImagesApi, column: str) -> None:
    project.config["plugins"] = ["privacy"]
    project.page("index.md", "# Home\n\n![](qhaigc:hero)\n", qhaigc={"hero": HERO}, image="qhaigc:hero")
    project.page("deep/a.md", "# Deep\n\n[![](qhaigc:hero)](qhaigc:hero)\n", qhaigc={"hero": HERO})
    built = build_twice(project, api, images=1)
    assert alts(built) == alts(built, "deep/a/index.html") == ["Tower"]
    assert not (built.site / "assets/external").exists()


@beside("offline", ZENSICAL)
def test_pages_that_are_opened_as_files(project: Project, api: ImagesApi, column: str) -> None:
    project.config["plugins"] = ["offline", "search"]
    project.page("index.md", "# Home\n\n![](qhaigc:hero)\n", qhaigc={"hero": HERO})
    project.page("deep/a.md", "# Deep\n\n![](qhaigc:hero)\n", qhaigc={"hero": HERO})
    built = build_twice(project, api, images=1)
    assert alts(built) == alts(built, "deep/a.html") == ["Tower"]
    (shown,) = ours(built, "deep/a.html")
    assert (built.site / "deep" / (shown["src"] or "")).resolve().is_file()


@beside("llmstxt", ZENSICAL)
@pytest.mark.parametrize("autoclean", [True, False])
def test_pages_as_text(project: Project, api: ImagesApi, column: str, autoclean: bool) -> None:
    project.config["plugins"] = [{"llmstxt": {"full_output": "llms-full.txt", "sections": {"All": ["*.md"]}}}]
    project.page("index.md", "# Home\n\n![](qhaigc:hero)\n", qhaigc={"hero": HERO})
    project.page("deep/a.md", "# Deep\n\n![](qhaigc:hero)\n", qhaigc={"hero": HERO})
    project.config["plugins"][0]["llmstxt"]["autoclean"] = autoclean
    built = build_twice(project, api, images=1)
    for path, images in {
        "index.md": "https://example.com/docs/assets/qhaigc/",
        "deep/a/index.md": "https://example.com/docs/assets/qhaigc/",
        "llms-full.txt": "https://example.com/docs/assets/qhaigc/",
    }.items():
        text = built.html(path)
        assert ("Tower" in text) is not autoclean
        assert (images in text) is not autoclean


@beside("rss", ZENSICAL, cell="see below")
def test_a_feed_shows_images_of_the_front_matter_and_none_of_the_text(
    project: Project, api: ImagesApi, column: str
) -> None:
    """Zensical makes its abstracts from the text of a page, where a reference is a reference."""
    rss = {"match_path": "blog/posts/.*", "date_from_meta": {"as_creation": "date"}, "use_git": False}
    project.config["plugins"] = ["blog", {"rss": rss}]
    blog_posts(project)
    built = project.build()
    assert built.code == 0, built.output
    assert 'src=\\"qhaigc:fog\\"' in built.html("feed_json_created.json")
    for number in range(3):
        path = project.docs / f"blog/posts/{number}.md"
        path.write_bytes(path.read_bytes().replace(b"date:", b"description: Words.\ndate:", 1))
    feeds = [
        f"feed_{kind}" for kind in ("json_created.json", "json_updated.json", "rss_created.xml", "rss_updated.xml")
    ]
    built = build_twice(project, api, images=6, but=feeds)
    items = json.loads(built.html("feed_json_created.json"))["items"]
    assert [item["content_html"] for item in items] == ["Words."] * 3
    for item in items:
        address, _, name = item["image"].rpartition("/")
        assert address == "https://example.com/docs/assets/qhaigc"
        assert (built.site / "assets/qhaigc" / name).is_file()


@beside("social", ZENSICAL)
def test_social_cards_are_made_beside_ours(project: Project, api: ImagesApi, column: str) -> None:
    project.config["plugins"] = ["social"]
    font = ImageFont.load_default(20)
    assert isinstance(font, ImageFont.FreeTypeFont)
    for name in ("Regular", "Bold"):  # where the plugin keeps what it has fetched from Google
        project.write(f".cache/plugin/social/fonts/Roboto/{name}.ttf", font.font_bytes)
    project.page("index.md", "# Home\n\n![](qhaigc:hero)\n", qhaigc={"hero": HERO}, image="qhaigc:hero")
    built = build_twice(project, api, images=1)
    assert alts(built) == ["Tower"]
    assert (built.site / "assets/images/social/index.png").is_file()


@beside("mike", ZENSICAL)
def test_each_version_has_its_own_images(project: Project, api: ImagesApi, column: str) -> None:
    """The variable is what mike tells the engine by."""
    project.config["theme"]["custom_dir"] = "overrides"
    project.config["plugins"] = ["mike"]
    project.write("overrides/main.html", SHOWS_META_IMAGE)
    project.page("index.md", "# Home\n\n![](qhaigc:hero)\n", qhaigc={"hero": HERO}, image="qhaigc:hero")
    for version in ("1.0", "2.0"):
        project.environment["MIKE_DOCS_VERSION"] = version
        built = build_twice(project, api, images=1, site_url=f"https://example.com/docs/{version}/")
        assert alts(built) == ["Tower"]
        assert meta_image(built).startswith(f"https://example.com/docs/{version}/assets/qhaigc/hero-")


@beside("exclude_docs", ZENSICAL)
def test_pages_that_are_left_out_buy_nothing(project: Project, api: ImagesApi, column: str) -> None:
    project.config["exclude_docs"] = "drafts/\n*.tmpl.md\n!keep.tmpl.md\n"
    project.page("index.md", "# Home\n\n![](qhaigc:hero)\n", qhaigc={"hero": HERO})
    project.page("drafts/a.md", "# A\n\n![](qhaigc:hero)\n", qhaigc="never bought")
    project.page("guide/a.tmpl.md", "# A\n\n![](qhaigc:hero)\n", qhaigc="never bought either")
    project.page("keep.tmpl.md", "# A\n\n![](qhaigc:hero)\n", qhaigc={"hero": {"prompt": "Fog", "alt": "Fog"}})
    built = build_twice(project, api, images=2)
    assert alts(built) == ["Tower"]
    assert alts(built, "keep.tmpl/index.html") == ["Fog"]


@beside("draft_docs", ZENSICAL)
def test_drafts_buy_nothing(project: Project, api: ImagesApi, column: str) -> None:
    project.config["draft_docs"] = "drafts/\n"
    project.page("index.md", "# Home\n\n![](qhaigc:hero)\n", qhaigc={"hero": HERO})
    project.page("drafts/a.md", "# A\n\n![](qhaigc:hero)\n", qhaigc="never bought")
    built = build_twice(project, api, images=1)
    assert alts(built) == ["Tower"]
    assert not (built.site / "drafts").exists()


@beside("not_in_nav", ZENSICAL)
def test_pages_outside_the_navigation_have_their_images(project: Project, api: ImagesApi, column: str) -> None:
    project.config["not_in_nav"] = "hidden.md\n"
    project.config["nav"] = [{"Home": "index.md"}]
    project.page("index.md", "# Home\n\n![](qhaigc:hero)\n", qhaigc={"hero": HERO})
    project.page("hidden.md", "# A\n\n![](qhaigc:hero)\n", qhaigc={"hero": {"prompt": "Fog", "alt": "Fog"}})
    built = build_twice(project, api, images=2)
    assert alts(built) == ["Tower"]
    assert alts(built, "hidden/index.html") == ["Fog"]


@beside("theme overrides", ZENSICAL)
def test_templates_take_images_from_the_front_matter(project: Project, api: ImagesApi, column: str) -> None:
    project.config["theme"]["custom_dir"] = "overrides"
    project.write(
        "overrides/main.html",
        '{% extends "base.html" %}{% block content %}{% if page.meta.qhaigc_images %}<div class="banner">'
        '{{ page.meta.qhaigc_images.hero.html }}</div><a id="u" href="{{ page.meta.qhaigc_images.hero.url }}">x</a>'
        "{% endif %}{{ super() }}{% endblock %}",
    )
    project.page("index.md", "# Home\n", qhaigc={"hero": HERO})
    project.page("deep/a.md", "# Deep\n", qhaigc={"hero": HERO})
    built = build_twice(project, api, images=1)
    assert alts(built) == alts(built, "deep/a/index.html") == ["Tower"]


@beside("markdown-captions", ZENSICAL)
def test_captions_made_of_the_brackets_words_describe_images(project: Project, api: ImagesApi, column: str) -> None:
    project.config["markdown_extensions"] = ["markdown_captions"]
    body = "![The old tower](qhaigc:bare)\n\n![A title](qhaigc:hero)\n\n![](qhaigc:hero)\n"
    project.page("index.md", f"# Home\n\n{body}", qhaigc={"hero": HERO, "bare": "Fog"})
    built = build_twice(project, api, images=2)
    assert alts(built) == ["The old tower", "Tower", "Tower"]
    assert "no alternative text" not in built.output
