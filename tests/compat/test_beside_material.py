"""Beside the plugins that come with Material."""

from __future__ import annotations

import io
import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image, ImageFont

from tests.conftest import Built, Project
from tests.helpers.api import ImagesApi, draw, in_size, raw
from tests.helpers.beside import build_twice, ours_last, ours_of, unresolved, whole
from tests.helpers.commands import run
from tests.helpers.engines import EVERY_MATERIAL, beside
from tests.helpers.pages import broken_urls, elements, text_of
from tests.helpers.serving import serving

pytestmark = pytest.mark.compatibility

OG_IMAGE = (
    '{% extends "base.html" %}{% block extrahead %}{{ super() }}'
    '<meta property="og:image" content="{{ page and page.meta.image }}">{% endblock %}'
)


@pytest.fixture
def site(project: Project, api: ImagesApi) -> Project:
    """Two pages in two folders, and an API whose images come in another size than asked."""
    api.default = in_size("80x60", "WEBP")
    project.options |= {"formats": ["avif", "webp"], "widths": [48]}
    project.page("index.md", "# Home\n\n![](qhaigc:hero)\n", qhaigc={"hero": {"prompt": "A tower", "alt": "Tower"}})
    fog = {"prompt": "A fog", "alt": "Fog", "place": "after-title"}
    project.page("guide/fog.md", "# Fog\n\nWords ![own](qhaigc:fog).\n", qhaigc={"fog": fog}, tags=["Weather"])
    return project


HOME, FOG = [("Tower", "80", "60")], [("Fog", "80", "60"), ("own", "80", "60")]
"""What the pages of `site` show."""


def post(project: Project, number: int, category: str) -> None:
    """Write a blog post whose date says its number; of its two images the first is placed."""
    hero = {"prompt": f"A tower {number}", "alt": f"Tower {number}", "place": "after-title", "caption": "A tower"}
    other = {"prompt": f"Fog {number}", "alt": f"Fog {number}"}
    front = {"qhaigc": {"hero": hero, "fog": other}, "image": "qhaigc:hero", "categories": [category]}
    body = f"# Post {number}\n\nWords ![](qhaigc:fog) here.\n\n<!-- more -->\n\n![](qhaigc:fog)\n"
    head = f"---\n{{date: 2026-01-0{number}, {json.dumps(front)[1:-1]}}}\n---\n"
    project.write(f"docs/blog/posts/{number}.md", head + body)


@beside("blog", *EVERY_MATERIAL)
def test_every_view_of_a_blog_shows_the_images_of_its_posts_and_loads_none_first(
    project: Project, api: ImagesApi, column: str
) -> None:
    api.default = in_size("80x60", "WEBP")
    project.options["widths"] = [48]
    project.ours_last = ours_last(column)
    blog = {"post_date_format": "yyyy", "archive_date_format": "yyyy", "pagination_per_page": 2}
    project.config["plugins"] = ["search", {"blog": blog}]
    project.page("blog/index.md", "# Blog\n")
    project.page("index.md", "# Home\n")
    for number, category in ((1, "Sea"), (2, "Land"), (3, "Sea")):
        post(project, number, category)
    cold, warm = build_twice(project, "--strict")
    views = {
        "blog/index.html": (3, 2),
        "blog/page/2/index.html": (1,),
        "blog/archive/2026/index.html": (3, 2),
        "blog/archive/2026/page/2/index.html": (1,),
        "blog/category/sea/index.html": (3, 1),
        "blog/category/land/index.html": (2,),
    }
    for view, numbers in views.items():
        html = cold.html(view)
        assert whole(html) == [(f"{word} {n}", "80", "60") for n in numbers for word in ("Tower", "Fog")], view
        assert all(attributes["loading"] == "lazy" for attributes in ours_of(html))
        assert "fetchpriority" not in html
        assert len(re.findall(r"</h2>\s*<figure", html)) == len(numbers)
    page = cold.html("blog/2026/01/01/post-1/index.html")
    assert whole(page) == [("Tower 1", "80", "60"), ("Fog 1", "80", "60"), ("Fog 1", "80", "60")]
    assert re.search(r"</h1>\s*<figure", page)
    assert page.count('fetchpriority="high"') == 1
    assert cold.digest() == warm.digest()
    assert len(api.calls) == 6


@beside("meta", *EVERY_MATERIAL)
def test_defaults_of_a_folder_come_from_materials_meta_plugin(project: Project, api: ImagesApi, column: str) -> None:
    project.ours_last = ours_last(column)
    project.config["theme"]["custom_dir"] = "overrides"
    project.config["plugins"] = ["meta"]
    project.write("overrides/main.html", OG_IMAGE)
    project.write(
        "docs/guide/.meta.yml", "image: qhaigc:hero\nqhaigc: {hero: {prompt: A tower, alt: Tower, place: top}}\n"
    )
    project.page("index.md", "# Home\n")
    project.page("guide/a.md", "# A\n\n![](qhaigc:own)\n", qhaigc={"own": {"prompt": "Fog", "alt": "Fog"}})
    project.page("guide/deep/b.md", "# B\n")
    cold, warm = build_twice(project, "--strict")
    assert [attributes["alt"] for attributes in ours_of(cold.html("guide/a/index.html"))] == ["Tower", "Fog"]
    assert [attributes["alt"] for attributes in ours_of(cold.html("guide/deep/b/index.html"))] == ["Tower"]
    for page in ("guide/a/index.html", "guide/deep/b/index.html"):
        (card,) = cards(cold.html(page))
        assert card.startswith("https://example.com/docs/assets/qhaigc/hero-")
    assert sorted(api.prompts) == ["A tower", "Fog"]
    assert cold.digest() == warm.digest()


def cards(html: str) -> list[str]:
    """Return the addresses of a page's images for link previews."""
    found = [element.attributes for element in elements(html, "meta")]
    return [attributes["content"] or "" for attributes in found if attributes.get("property") == "og:image"]


def write_font(project: Project) -> None:
    """Put a font where Material's social plugin keeps those that it has downloaded: the one inside Pillow."""
    font = ImageFont.load_default(10)
    assert isinstance(font, ImageFont.FreeTypeFont)
    assert isinstance(font.path, io.BytesIO)
    project.write(".cache/plugin/social/fonts/Roboto/Regular.ttf", font.path.getvalue())


@beside("social", *EVERY_MATERIAL)
def test_social_cards_stand_beside_ours_unless_a_page_turns_them_off(
    site: Project, api: ImagesApi, column: str
) -> None:
    site.ours_last = ours_last(column)
    write_font(site)
    site.config["theme"]["custom_dir"] = "overrides"
    site.write("overrides/main.html", OG_IMAGE)
    site.config["plugins"] = ["social"]
    front = {"qhaigc": {"hero": {"prompt": "A mast", "alt": "Mast"}}, "image": "qhaigc:hero"}
    site.page("both.md", "# Both\n\n![](qhaigc:hero)\n", **front)
    site.page("ours.md", "# Ours\n\n![](qhaigc:hero)\n", **front, social={"cards": False})
    cold, warm = build_twice(site, "--strict")
    assert whole(cold.html()) == HOME
    (card,) = cards(cold.html("ours/index.html"))
    assert card.startswith("https://example.com/docs/assets/qhaigc/hero-")
    both = cards(cold.html("both/index.html"))
    assert sorted(both) == sorted([card, "https://example.com/docs/assets/images/social/both.png"])
    for address in both:
        with Image.open(cold.site / address.removeprefix("https://example.com/docs/")) as shown:
            shown.load()
    assert cold.digest() == warm.digest()
    assert len(api.calls) == 3


@beside("privacy", *EVERY_MATERIAL)
def test_external_assets_are_fetched_and_our_images_left_alone(site: Project, api: ImagesApi, column: str) -> None:
    site.ours_last = ours_last(column)
    photo = api.host(draw("from elsewhere", 30, 20))
    background = api.host(draw("of the style sheet", 30, 20))
    style = f"body {{ background: url({api.origin}{background}) }}".encode()
    api.by_path["/style.css"] = [raw(200, style, "text/css")]
    site.config["extra_css"] = [f"{api.origin}/style.css"]
    host = api.origin.removeprefix("http://")
    site.config["plugins"] = [{"privacy": {"assets_include": [f"{host}/*"]}}]  # of the theme's, no network has any
    body = f"# Mixed\n\n![photo]({api.origin}{photo})\n\n![](qhaigc:hero) [out](https://example.org/)\n"
    site.page("mixed.md", body, qhaigc={"hero": {"prompt": "A mast", "alt": "Mast"}})
    cold, warm = build_twice(site, "--strict")
    assert whole(cold.html()) == HOME
    assert whole(cold.html("guide/fog/index.html")) == FOG
    html = cold.html("mixed/index.html")
    assert whole(html) == [("Mast", "80", "60")]
    assert len(elements(html, "picture")) == 1
    assert host not in "".join(url for element in elements(html) for url in element.urls() if "://" in url)
    assert (cold.site / "assets/external").is_dir()
    assert not list((cold.site / "assets/external").rglob("*hero*"))
    assert cold.digest() == warm.digest()
    assert len(api.calls) == 3


def noise(width: int, height: int) -> bytes:
    """Return a JPEG that takes its time."""
    target = io.BytesIO()
    Image.effect_noise((width, height), 90).save(target, "JPEG", quality=95)
    return target.getvalue()


@beside("optimize", *EVERY_MATERIAL)
def test_images_are_compressed_and_ours_keep_their_marking(site: Project, api: ImagesApi, column: str) -> None:
    site.ours_last = ours_last(column)
    site.options["formats"] = ["jpeg"]
    site.config["plugins"] = [{"optimize": {"optimize_png": False, "cache": False}}]  # pngquant is no Python package
    photo = noise(2400, 1800)  # optimize fails where it is done with a file before it has taken it out of the build
    site.write("docs/photo.jpg", photo)
    site.page("mixed.md", "# Mixed\n\n![photo](photo.jpg) ![](qhaigc:m)\n", qhaigc={"m": {"prompt": "M", "alt": "M"}})
    cold, warm = build_twice(site, "--strict")
    assert whole(cold.html()) == HOME
    assert whole(cold.html("mixed/index.html")) == [("M", "80", "60")]
    assert (cold.site / "photo.jpg").stat().st_size < len(photo)
    assert len(cold.images()) == 6
    for name in cold.images():
        assert b"trainedAlgorithmicMedia" in (cold.site / "assets/qhaigc" / name).read_bytes()
    assert cold.digest() == warm.digest()
    assert len(api.calls) == 3


@beside("optimize", *EVERY_MATERIAL)
def test_images_that_sync_wrote_among_the_pages_keep_their_marking_too(
    site: Project, api: ImagesApi, column: str
) -> None:
    site.ours_last = ours_last(column)
    site.options["formats"] = ["jpeg"]
    site.config["plugins"] = [{"optimize": {"optimize_png": False, "cache": False}}]
    before = site.build("--strict", site="before")
    synced = run(site, "sync", "--out", str(site.docs / "assets/qhaigc"))
    assert synced.returncode == 0, synced.stderr
    site.write("docs/assets/qhaigc/own.jpg", noise(60, 40))
    built = site.build("--strict")
    assert built.code == 0, built.output
    assert before.digest().items() <= {**built.digest(), "sitemap.xml.gz": before.digest()["sitemap.xml.gz"]}.items()
    assert (built.site / "assets/qhaigc/own.jpg").is_file()
    assert len(api.calls) == 2


@beside("tags", *EVERY_MATERIAL)
def test_a_page_of_tags_has_images_of_its_own_and_lists_pages_without_theirs(
    site: Project, api: ImagesApi, column: str
) -> None:
    site.ours_last = ours_last(column)
    site.config["plugins"] = ["search", "tags"]
    mast = {"prompt": "A mast", "alt": "Mast", "place": "after-title"}
    site.page("tags.md", "# Tags\n\n![end](qhaigc:mast)\n\n<!-- material/tags -->\n", qhaigc={"mast": mast})
    cold, warm = build_twice(site, "--strict")
    html = cold.html("tags/index.html")
    assert whole(html) == [("Mast", "80", "60"), ("end", "80", "60")]
    assert [e.attributes["href"] for e in elements(html, "a") if "fog" in (e.attributes["href"] or "")][-1]
    assert "Weather" in text_of(html)
    assert whole(cold.html("guide/fog/index.html")) == FOG
    assert cold.digest() == warm.digest()
    assert len(api.calls) == 3


@beside("typeset", *EVERY_MATERIAL)
def test_titles_with_markup_stand_beside_images(site: Project, api: ImagesApi, column: str) -> None:
    site.ours_last = ours_last(column)
    site.config["plugins"] = ["typeset"]
    mast = {"prompt": "A mast", "alt": "Mast", "place": "after-title"}
    site.page("code.md", "# The `mast`\n\n## A *part*\n\n![](qhaigc:mast)\n", qhaigc={"mast": mast})
    cold, warm = build_twice(site, "--strict")
    assert whole(cold.html("code/index.html")) == [("Mast", "80", "60")] * 2
    assert whole(cold.html()) == HOME
    assert "<code>mast</code>" in cold.html().partition("<article")[0]
    assert cold.digest() == warm.digest()
    assert len(api.calls) == 3


@beside("typeset", *EVERY_MATERIAL, cell="see below")
def test_an_image_in_a_title_is_lost_in_the_navigation_unless_front_matter_has_the_title(
    site: Project, column: str
) -> None:
    """The plugin copies the heading as it stands to every page, where its relative addresses lead elsewhere."""
    site.config["plugins"] = ["typeset"]
    front = {"qhaigc": {"mast": {"prompt": "A mast", "alt": "Mast"}}}
    body = "# ![](qhaigc:mast) Mast\n\n## ![](qhaigc:mast) Part\n"
    site.page("mast.md", body, **front)
    lost = site.build("--strict")
    assert {url.partition(" -> ")[0] for url in broken_urls(lost.site)} >= {"index.html", "guide/fog/index.html"}
    assert not [url for url in broken_urls(lost.site) if url.startswith("mast/")]
    site.page("mast.md", body, **front, title="Mast")
    kept = site.build("--strict")
    assert kept.code == 0, kept.output
    assert broken_urls(kept.site) == []


@beside("offline", *EVERY_MATERIAL)
def test_a_site_for_reading_from_disk_has_its_images_beside_its_pages(
    site: Project, api: ImagesApi, column: str
) -> None:
    site.ours_last = ours_last(column)
    site.config["plugins"] = ["search", "offline"]
    cold, warm = build_twice(site, "--strict")
    assert whole(cold.html()) == HOME
    assert whole(cold.html("guide/fog.html")) == FOG
    for page in ("index.html", "guide/fog.html"):
        urls = [url for attributes in ours_of(cold.html(page)) for url in [attributes["src"] or ""]]
        assert all((cold.site / page).parent.joinpath(url).is_file() for url in urls)
    assert "qhaigc" not in (cold.site / "search/search_index.js").read_text(encoding="utf-8")
    assert cold.digest() == warm.digest()
    assert len(api.calls) == 2


def build_from_its_folder(project: Project, site: str) -> Built:
    """Build as the projects plugin needs it.

    It looks for its projects from the working folder, and its processes know ProperDocs only by its program.
    """
    project.write_config()
    finished = subprocess.run(
        [str(Path(sys.executable).with_name(project.engine)), "build", "--strict", "-d", site],
        cwd=project.folder,
        env=project.environ(),
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=120,
        check=False,
    )
    return Built(finished.returncode, finished.stdout + finished.stderr, project.folder / site)


@beside("group", *EVERY_MATERIAL)
def test_our_plugin_works_as_part_of_a_group_and_commands_find_it_there(
    site: Project, api: ImagesApi, column: str
) -> None:
    plugins = ["search", {"group": {"enabled": True, "plugins": [{"qhaigc": site.options}, "tags"]}}]
    site.yaml = json.dumps({**site.config, "plugins": plugins})
    planned = run(site, "plan")
    assert planned.returncode == 0, planned.stderr
    assert "2 images: 2 missing" in planned.stdout
    cold, warm = build_twice(site, "--strict")
    assert whole(cold.html()) == HOME
    assert whole(cold.html("guide/fog/index.html")) == FOG
    assert cold.digest() == warm.digest()
    assert len(api.calls) == 2


def test_a_preview_buys_nothing_for_projects_whose_builds_nobody_waits_for(site: Project, api: ImagesApi) -> None:
    """Each build of a project is a process of its own, which ends with the build."""

    def write(words: str) -> None:
        front = json.dumps({"qhaigc": {"hero": {"prompt": "A mast", "alt": "Mast"}}})
        site.write("projects/one/docs/index.md", f"---\n{front}\n---\n# One\n\n{words}\n\n![](qhaigc:hero)\n")

    site.config |= {"theme": {"name": "material"}, "plugins": ["projects"]}
    site.page("index.md", "# Home\n")
    write("Words")
    options = {**site.options, "serve_buys": "auto"}
    config = {"site_name": "one", "theme": {"name": "material"}, "plugins": [{"qhaigc": options}]}
    site.write("projects/one/mkdocs.yml", json.dumps(config))
    with serving(site) as server:
        for words in ("Words", "Other words", "Last words"):
            write(words)
            server.wait_until(lambda words=words: f">{words}<" in server.page("/one/"))  # type: ignore[misc]
        server.wait_until_quiet()
        assert "1 image has not been asked for" in server.output
        assert server.end() == 0, server.output
    assert "A mast" not in api.prompts
    assert build_from_its_folder(site, "site").code == 0
    assert api.prompts.count("A mast") == 1


@beside("projects", *EVERY_MATERIAL)
def test_projects_of_a_site_share_what_was_bought_where_they_share_the_cache(
    site: Project, api: ImagesApi, column: str
) -> None:
    site.ours_last = ours_last(column)
    site.config["plugins"] = ["projects"]
    options = {**site.options, "cache_dir": "../../.qhaigc"}
    images = {"hero": {"prompt": "A tower", "alt": "The same tower"}, "own": {"prompt": "A mast", "alt": "Mast"}}
    for name in ("one", "two"):
        plugins = [{"qhaigc": options}, "projects"]
        config = {"site_name": name, "theme": {**site.config["theme"], "custom_dir": "overrides"}, "plugins": plugins}
        site.write(f"projects/{name}/mkdocs.yml", json.dumps(config))
        site.write(f"projects/{name}/overrides/main.html", OG_IMAGE)
        front = json.dumps({"qhaigc": images, "image": "qhaigc:hero"})
        body = f"---\n{front}\n---\n# {name}\n\n![](qhaigc:hero) ![](qhaigc:own)\n"
        site.write(f"projects/{name}/docs/sub/page.md", body)
        site.write(f"projects/{name}/docs/index.md", f"# {name}\n")
    cold, warm = (build_from_its_folder(site, folder) for folder in ("cold", "warm"))
    assert cold.code == warm.code == 0, cold.output + warm.output
    assert whole(cold.html()) == HOME
    for name in ("one", "two"):
        html = cold.html(f"{name}/sub/page/index.html")
        assert whole(html) == [("The same tower", "80", "60"), ("Mast", "80", "60")]
        (card,) = cards(html)
        assert card.startswith(f"https://example.com/docs/{name}/assets/qhaigc/hero-")
    # The projects' own 404 pages miss the theme's files, which the plugin puts into the top site.
    assert [url for url in broken_urls(cold.site) if not re.match("(one|two)/404.html", url)] == []
    assert unresolved(cold.site) == []
    assert cold.digest() == warm.digest()
    assert sorted(api.prompts) == ["A fog", "A mast", "A tower"]
