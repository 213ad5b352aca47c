"""Beside plugins that make something of the pages of a build: lightboxes, feeds, one page of all, versions."""

from __future__ import annotations

import base64
import hashlib
import json
import re
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from xml.etree import ElementTree as ET

import pytest

from tests.conftest import Built, Project
from tests.helpers.api import Handler, ImagesApi, error, in_size, waits_for
from tests.helpers.beside import build_twice, ours_last, ours_of, whole
from tests.helpers.commands import git
from tests.helpers.engines import COLUMNS, EVERY_MATERIAL, EVERY_MKDOCS, MATERIAL, beside
from tests.helpers.pages import broken_urls, broken_urls_in, elements, text_of

pytestmark = pytest.mark.compatibility

ALT = 'The harbour\'s "tower" & mast'
PASSWORD = "a word"
CONTENT = "{http://purl.org/rss/1.0/modules/content/}"


@pytest.fixture
def site(project: Project, api: ImagesApi) -> Project:
    """Two pages in two folders, and an API whose images come in another size than asked."""
    api.default = in_size("80x60", "WEBP")
    project.options |= {"formats": ["avif", "webp"], "widths": [48]}
    project.config["site_url"] = f"{api.origin}/docs/"  # feeds ask there for what is not published yet
    hero = {"prompt": "A secret tower", "alt": ALT, "caption": "Built in 1790"}
    project.page("index.md", "# Home\n\n![](qhaigc:hero)\n", qhaigc={"hero": hero}, image="qhaigc:hero")
    fog = {"prompt": "A secret fog", "alt": "Fog", "place": "after-title"}
    body = "# Fog\n\nWords ![own](qhaigc:fog) and [all of it](qhaigc:fog), not `![](qhaigc-fog)`.\n"
    project.page("guide/fog.md", body, qhaigc={"fog": fog})
    return project


def assert_pages_are_whole(built: Built) -> None:
    """Look at both pages of `site`."""
    assert whole(built.html()) == [(ALT, "80", "60")]
    assert whole(built.html("guide/fog/index.html")) == [("Fog", "80", "60"), ("own", "80", "60")]
    for page, count in (("index.html", 1), ("guide/fog/index.html", 2)):
        assert len(elements(built.html(page), "picture")) == count


@beside("glightbox", *EVERY_MKDOCS)
@pytest.mark.parametrize("formats", [["webp"], ["avif", "jpeg"]])
def test_a_lightbox_wraps_the_whole_image_and_a_cold_build_is_as_a_warm_one(
    project: Project, api: ImagesApi, column: str, formats: list[str]
) -> None:
    api.default = in_size("80x60", "WEBP")
    project.options |= {"formats": formats, "widths": [48]}
    project.ours_last = ours_last(column) == (len(formats) > 1)
    project.config |= {"markdown_extensions": ["attr_list"], "plugins": [{"glightbox": {"auto_themed": True}}]}
    body = "# Home\n\n![](qhaigc:hero)\n\n[![](qhaigc:hero)](a.md)\n\n![x](qhaigc:b#only-dark){ width=40 }\n"
    hero = {"prompt": "A tower", "alt": "The harbour's tower", "caption": "A tower"}
    placed = {"prompt": "A mast", "alt": "A 'mast'", "place": "after-title"}
    project.page("index.md", body, qhaigc={"hero": hero, "b": "night", "placed": placed})
    project.page("a.md", "# A\n")
    cold, warm = build_twice(project, "--strict")
    html = cold.html()
    lightbox = [e.attributes for e in elements(html, "a") if "glightbox" in (e.attributes.get("class") or "")]
    assert len(lightbox) == 3
    sizes = [("80", "60"), ("80", "60"), ("80", "60"), ("40", "30")]
    assert [(width, height) for _, width, height in whole(html)] == sizes
    assert not re.search(r"<picture[^>]*>(?:<source[^>]*>)*<a", html)
    assert len(elements(html, "picture")) == (4 if len(formats) > 1 else 0)
    assert re.search(r'<a href="a/">\s*<(?:picture|img)', html)
    assert cold.digest() == warm.digest()


@beside("minify", *EVERY_MKDOCS)
def test_minified_pages_have_their_images(site: Project, api: ImagesApi, column: str) -> None:
    site.ours_last = ours_last(column)
    options = {"minify_html": True, "minify_js": True, "minify_css": True, "htmlmin_opts": {"remove_comments": True}}
    site.config["plugins"] = ["search", {"minify": options}]
    cold, warm = build_twice(site, "--strict")
    assert_pages_are_whole(cold)
    assert re.search(r"<img [^>]*width=80", cold.html())
    assert cold.digest() == warm.digest()
    assert len(api.calls) == 2


@beside("search", *EVERY_MKDOCS)
def test_the_search_index_has_captions_and_neither_prompts_nor_markup(
    site: Project, api: ImagesApi, column: str
) -> None:
    cold, warm = build_twice(site, "--strict")
    assert_pages_are_whole(cold)
    index = (cold.site / "search/search_index.json").read_text(encoding="utf-8")
    texts = " ".join(entry["text"] for entry in json.loads(index)["docs"])
    assert "Built in 1790" in texts
    assert "all of it" in texts
    assert "secret" not in index
    assert "assets/qhaigc" not in texts
    assert "srcset" not in texts
    assert cold.digest() == warm.digest()


def items(built: Built, name: str = "feed_rss_created.xml") -> dict[str, ET.Element]:
    """Return a feed's items by title."""
    found = ET.fromstring((built.site / name).read_text(encoding="utf-8")).iter("item")
    return {item.findtext("title") or "": item for item in found}


def file_of(built: Built, project: Project, url: str | None) -> Path:
    """Return the file of the site that an absolute URL leads to."""
    assert url
    assert url.startswith(project.config["site_url"])
    return built.site / url.removeprefix(project.config["site_url"])


@beside("rss", *EVERY_MKDOCS)
def test_a_feed_shows_images_by_their_absolute_addresses(site: Project, api: ImagesApi, column: str) -> None:
    site.ours_last = ours_last(column)
    site.options["gallery"] = "gallery.md"
    site.config["plugins"] = [{"rss": {"use_git": False, "abstract_chars_count": 400}}]
    cold, warm = build_twice(site, "--strict")
    assert_pages_are_whole(cold)
    found = items(cold)
    (shown,) = ours_of(found["Home"].findtext("description") or "")
    assert shown["alt"] == ALT
    assert file_of(cold, site, shown["src"]).suffix == ".webp"
    enclosure = found["Home"].find("enclosure")
    assert enclosure is not None
    assert enclosure.get("type") == "image/jpeg"
    assert file_of(cold, site, enclosure.get("url")).is_file()
    description = found["Fog"].findtext("description") or ""
    assert [attributes["alt"] for attributes in ours_of(description)] == ["own"]
    assert all(file_of(cold, site, url).is_file() for e in elements(description) for url in e.urls())
    assert "<code>![](qhaigc-fog)</code>" in description
    assert "Gallery" in found
    assert cold.digest() == warm.digest()
    assert len(api.calls) == 2


@beside("rss", *EVERY_MKDOCS)
def test_without_a_key_a_feed_and_pages_for_language_models_show_the_placeholders(site: Project, column: str) -> None:
    """Both keep what they saw of a page when it was rendered."""
    site.take_key()
    llmstxt = {"autoclean": False, "sections": {"All": ["*.md", "guide/*.md"]}}
    site.config["plugins"] = [{"rss": {"use_git": False, "abstract_chars_count": 400}}, {"llmstxt": llmstxt}]
    built = site.build()
    assert built.code == 0, built.output
    assert [len(ours_of(built.html(page))) for page in ("index.html", "guide/fog/index.html")] == [1, 2]
    (shown,) = ours_of(items(built)["Home"].findtext("description") or "")
    assert file_of(built, site, shown["src"]).is_file()
    for page in ("index.md", "guide/fog/index.md"):
        names = re.findall(r"assets/qhaigc/([^\s)]+)\)", (built.site / page).read_text(encoding="utf-8"))
        assert names
        assert set(names) <= set(built.images())


@beside("rss", *EVERY_MATERIAL)
def test_whole_pages_in_a_feed_have_plain_pictures(site: Project, column: str) -> None:
    """Their addresses are relative to the item's link, like those of all other images there."""
    site.config["plugins"] = [{"rss": {"use_git": False, "abstract_chars_count": -1}}]
    cold, _ = build_twice(site, "--strict")
    item = items(cold)["Fog"]
    page = (urlsplit(item.findtext("link") or "").path).removeprefix("/docs/")
    shown = ours_of(item.findtext("description") or "")
    assert [attributes["alt"] for attributes in shown] == ["Fog", "own"]
    assert all((cold.site / page / (attributes["src"] or "")).is_file() for attributes in shown)
    assert not any("srcset" in attributes for attributes in shown)


@beside("rss", *EVERY_MATERIAL)
def test_a_feed_of_a_blog_leaves_the_excerpts_their_images(site: Project, api: ImagesApi, column: str) -> None:
    site.config["plugins"] = ["blog", {"rss": {"use_git": False, "match_path": "blog/posts/.*"}}]
    site.page("blog/index.md", "# Blog\n")
    front = {"qhaigc": {"hero": {"prompt": "A mast", "alt": "Mast"}}, "image": "qhaigc:hero"}
    body = "# Post\n\n![](qhaigc:hero)\n\n<!-- more -->\n\nMore.\n"
    site.write("docs/blog/posts/p.md", f"---\n{{date: 2026-01-01, {json.dumps(front)[1:-1]}}}\n---\n{body}")
    cold, warm = build_twice(site, "--strict")
    assert whole(cold.html("blog/index.html")) == [("Mast", "80", "60")]
    assert len(elements(cold.html("blog/index.html"), "picture")) == 1
    ((title, item),) = items(cold).items()
    assert title == "Post"
    assert [attributes["alt"] for attributes in ours_of(item.findtext("description") or "")] == ["Mast"]
    assert cold.digest() == warm.digest()


@beside("rss", *EVERY_MATERIAL)
def test_switched_off_a_feed_has_the_alternative_texts(site: Project, column: str) -> None:
    site.options["enabled"] = False
    site.config["plugins"] = [{"rss": {"use_git": False}}]
    built = site.build("--strict")
    assert built.code == 0, built.output
    description = items(built)["Fog"].findtext("description") or ""
    assert "Words own and all of it, not ![](qhaigc-fog)." in text_of(description)
    assert "qhaigc:" not in (built.site / "feed_rss_created.xml").read_text(encoding="utf-8")


def decrypted(built: Built, page: str = "index.html") -> str:
    """Return what readers with the password see of a page that encryptcontent has encrypted."""
    from Crypto.Cipher import AES
    from Crypto.Util.Padding import unpad

    found = re.search(r'id="?mkdocs-encrypted-content"?[^>]*>([^<]+)<', built.html(page))
    assert found
    start, content = (base64.b64decode(part) for part in found[1].strip().split(";")[:2])
    key = hashlib.sha256(PASSWORD.encode()).digest()  # by the plugin's option `insecure_test`
    return unpad(AES.new(key, AES.MODE_CBC, start).decrypt(content), AES.block_size).decode()


def encrypt(site: Project) -> None:
    """Have the home page of `site` encrypted."""
    site.config["plugins"] = ["search", {"encryptcontent": {"insecure_test": True}}]
    page = site.docs / "index.md"
    page.write_text(page.read_text(encoding="utf-8").replace("{", f'{{"password": "{PASSWORD}", ', 1), encoding="utf-8")


@beside("encryptcontent", *EVERY_MKDOCS)
@pytest.mark.parametrize("last", [False, True])
def test_readers_with_the_password_see_whole_images(site: Project, api: ImagesApi, column: str, last: bool) -> None:
    encrypt(site)
    site.ours_last = last
    site.options["gallery"] = "gallery.md"
    cold, warm = build_twice(site)
    for built in (cold, warm):
        assert "assets/qhaigc/hero" not in re.sub(r"<meta[^>]*>", "", built.html())
        assert whole(decrypted(built)) == [(ALT, "80", "60")]
        assert "data-qhaigc=" not in decrypted(built)
        assert "Built in 1790" in text_of(decrypted(built))
        assert broken_urls_in(decrypted(built), built.site, site.config["site_url"], shown_at="") == []
        assert whole(built.html("guide/fog/index.html")) == [("Fog", "80", "60"), ("own", "80", "60")]
        assert re.findall(r'class="prompt"[^>]*>([^<]*)<', built.html("gallery/index.html")) == ["A secret fog"]
    assert cold.digest() == warm.digest()
    assert len(api.calls) == 2


@beside("encryptcontent", MATERIAL)
def test_a_gallery_with_a_password_is_seen_by_who_has_it(site: Project, column: str) -> None:
    encrypt(site)
    site.options["gallery"] = "gallery.md"
    site.page("gallery.md", "", title="All", description="", password=PASSWORD)
    built = site.build()
    assert built.code == 0, built.output
    assert "secret" not in built.html("gallery/index.html")
    assert "A secret fog" in text_of(decrypted(built, "gallery/index.html"))


FEED = {"feed": {"full_content": True, "date_priority": ["meta", "mtime"], "include_last_build_date": False}}
KEEPERS: dict[str, tuple[list[Any], Callable[[Built], str]]] = {
    "encryptcontent": (["search", {"encryptcontent": {"insecure_test": True}}], decrypted),
    "rss": (
        [{"rss": {"use_git": False, "abstract_chars_count": -1}}],
        lambda built: items(built)["Home"].findtext("description") or "",
    ),
    "feed": ([FEED], lambda built: items(built, "feed.xml")["Home"].findtext(f"{CONTENT}encoded") or ""),
}
"""Plugins that keep what they see of a page in `on_page_content`, and what each has kept of the home page."""


@pytest.mark.parametrize("last", [False, True])
@pytest.mark.parametrize("keeper", KEEPERS)
def test_images_that_are_refused_after_their_page_was_rendered_have_a_file_where_plugins_keep_its_html(
    site: Project, api: ImagesApi, keeper: str, last: bool
) -> None:
    encrypt(site)
    site.config["plugins"] = KEEPERS[keeper][0]
    site.ours_last = last
    rendered = threading.Event()
    api.by_prompt["A secret tower"] = [waits_for(rendered, then=error(400, "content_policy_violation"))]

    def pages_are_rendered(handler: Handler, _: dict[str, Any]) -> None:
        rendered.set()
        handler.send(200, {})

    api.by_path["/rendered"] = [pages_are_rendered, pages_are_rendered]
    hook = (
        "from urllib.request import urlopen\nfrom mkdocs.plugins import event_priority\n"
        f"@event_priority(100)\ndef on_env(env, **_):\n    urlopen('{api.origin}/rendered').close()\n"
    )
    site.config["hooks"] = [str(site.write("hooks.py", hook))]
    cold = site.build(site="cold")
    assert cold.code == 0, cold.output
    assert rendered.is_set()
    assert len([warning for warning in cold.warnings if "index.md#hero" in warning]) == 1
    api.by_prompt["A secret tower"] = [error(400, "content_policy_violation")]
    for built in (cold, site.build(site="warm")):
        kept = KEEPERS[keeper][1](built)
        assert [image["alt"] for image in ours_of(kept)] == [ALT]
        assert broken_urls_in(kept, built.site, site.config["site_url"], shown_at="") == []


@beside("feed", *EVERY_MKDOCS)
def test_whole_pages_in_another_feed_have_plain_images(site: Project, api: ImagesApi, column: str) -> None:
    for path in ("index.md", "guide/fog.md"):
        page = site.docs / path
        page.write_text(page.read_text(encoding="utf-8").replace("{", '{"date": "2026-01-02", ', 1), encoding="utf-8")
    site.ours_last = ours_last(column)
    site.config["plugins"] = [FEED]
    cold, warm = build_twice(site, "--strict")
    assert_pages_are_whole(cold)
    found = items(cold, "feed.xml")
    for title, url, alts in (("Home", "", [ALT]), ("Fog", "guide/fog/", ["Fog", "own"])):
        content = found[title].findtext(f"{CONTENT}encoded") or ""
        assert [image["alt"] for image in ours_of(content)] == alts
        assert broken_urls_in(content, cold.site, site.config["site_url"], shown_at=url) == []
    assert cold.digest() == warm.digest()
    assert len(api.calls) == 2


@beside("llmstxt", *EVERY_MKDOCS)
def test_pages_for_language_models_have_images_where_they_are_wanted(
    site: Project, api: ImagesApi, column: str
) -> None:
    site.ours_last = ours_last(column)
    sections = {"All": ["*.md", "guide/*.md"]}
    site.config["plugins"] = [{"llmstxt": {"full_output": "llms-full.txt", "autoclean": False, "sections": sections}}]
    cold, warm = build_twice(site, "--strict")
    assert_pages_are_whole(cold)
    for page, alts in (("index.md", [ALT]), ("guide/fog/index.md", ["Fog", "own"])):
        text = (cold.site / page).read_text(encoding="utf-8")
        found = re.findall(r"!\[([^\]]*)\]\((\S*assets/qhaigc\S*)\)", text)
        assert [alt.replace("\\", "") for alt, _ in found] == alts
        assert all((cold.site / page).parent.joinpath(url).is_file() for _, url in found)
    assert "Built in 1790" in (cold.site / "llms-full.txt").read_text(encoding="utf-8")
    assert cold.digest() == warm.digest()
    assert len(api.calls) == 2


@beside("print-site", *EVERY_MKDOCS)
def test_the_page_of_all_pages_shows_each_image(site: Project, api: ImagesApi, column: str) -> None:
    site.config["plugins"] = ["search", "print-site"]
    cold, warm = build_twice(site, "--strict")
    assert_pages_are_whole(cold)
    printed = ours_of(cold.html("print_page/index.html"))  # as plain images of one file
    assert [attributes["alt"] for attributes in printed] == [ALT, "Fog", "own"]
    assert not any("loading" in attributes for attributes in printed)
    assert cold.digest() == warm.digest()
    assert len(api.calls) == 2


@beside("print-site", *EVERY_MKDOCS)
def test_the_page_of_all_pages_is_made_with_templates_that_show_images(
    site: Project, api: ImagesApi, column: str
) -> None:
    """The plugin makes it by an environment of its own, with what the theme's 404 page was told."""
    site.config["theme"]["custom_dir"] = "overrides"
    site.options["images"] = {"emblem": {"prompt": "A secret badge", "alt": "Emblem"}}
    site.write(
        "overrides/main.html",
        '{% extends "base.html" %}{% block extrahead %}{{ super() }}'
        '<link rel="icon" href="{{ qhaigc_url(page, "emblem") }}">{% endblock %}'
        '{% block footer %}{{ qhaigc_image(page, "emblem") }}{{ super() }}{% endblock %}',
    )
    site.config["plugins"] = ["search", "print-site"]
    cold, warm = build_twice(site, "--strict")
    assert whole(cold.html())[-1] == ("Emblem", "80", "60")
    printed = cold.html("print_page/index.html")
    assert [attributes["alt"] for attributes in ours_of(printed)] == [ALT, "Fog", "own", "Emblem"]
    (icon,) = (e.attributes["href"] for e in elements(printed, "link") if "emblem" in (e.attributes.get("href") or ""))
    assert (icon or "").startswith("../assets/qhaigc/emblem-")
    assert cold.digest() == warm.digest()
    assert len(api.calls) == 3


def commit(project: Project) -> None:
    """Put the sources of a project under git."""
    project.write_config()
    project.write(".gitignore", "cold/\nwarm/\nsite/\n")
    git(project.folder, "init", "--quiet", "--initial-branch=main")
    git(project.folder, "add", "--all")
    git(project.folder, "commit", "--quiet", "--message=x", "--date=2026-01-02T03:04:05Z")


@beside("git-revision-date-localized", *EVERY_MKDOCS)
def test_pages_with_dates_from_git_have_their_images_and_the_gallery_has_a_date(
    site: Project, api: ImagesApi, column: str
) -> None:
    site.ours_last = ours_last(column)
    site.options["gallery"] = "gallery.md"
    site.config["plugins"] = [{"git-revision-date-localized": {"type": "iso_date"}}]
    page = site.docs / "guide/fog.md"
    page.write_text(
        page.read_text(encoding="utf-8") + "\nChanged {{ git_revision_date_localized }}.\n", encoding="utf-8"
    )
    commit(site)
    cold, warm = build_twice(site, "--strict")
    assert_pages_are_whole(cold)
    assert "Changed 2026-01-02." in text_of(cold.html("guide/fog/index.html"))
    assert len(whole(cold.html("gallery/index.html"))) == 2
    (first, second) = (built.digest() for built in (cold, warm))
    assert first.pop("gallery/index.html")  # generated: its date is the moment
    assert second.pop("gallery/index.html")
    assert first == second
    assert len(api.calls) == 2


RUN_MIKE = """
from importlib import metadata
import sys

if sys.argv.pop(1) == "mkdocs":
    version = metadata.version

    def hidden(name):
        if name == "properdocs":  # of which mike makes use where it is installed
            raise metadata.PackageNotFoundError(name)
        return version(name)

    metadata.version = hidden

from mike.driver import main

main()
"""


@beside("mike", *EVERY_MKDOCS)
def test_versions_share_the_images_that_were_bought_once(
    site: Project, api: ImagesApi, column: str, tmp_path: Path
) -> None:
    site.options["formats"] = ["webp"]
    site.config["theme"]["custom_dir"] = "overrides"
    site.write(
        "overrides/main.html",
        '{% extends "base.html" %}{% block extrahead %}{{ super() }}'
        '<meta property="og:image" content="{{ page and page.meta.image }}">{% endblock %}',
    )
    site.config["plugins"] = ["mike"]
    commit(site)
    engine = COLUMNS[column].engine
    environment = {**site.environ(), "GIT_AUTHOR_NAME": "Test", "GIT_AUTHOR_EMAIL": "test@example.com"}
    environment |= {"GIT_COMMITTER_NAME": "Test", "GIT_COMMITTER_EMAIL": "test@example.com"}
    environment["PATH"] = f"{Path(sys.executable).parent}:{environment['PATH']}"
    for version in ("1.0", "2.0"):
        finished = subprocess.run(
            [sys.executable, "-c", RUN_MIKE, engine, "deploy", version, *(["latest"] if version == "2.0" else [])],
            cwd=site.folder,
            env=environment,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert finished.returncode == 0, finished.stdout + finished.stderr
        assert f"with {engine}" in git(site.folder, "log", "-1", "gh-pages").lower()
    git(site.folder, "clone", "--quiet", "--branch=gh-pages", ".", str(tmp_path / "pages"))
    for version in ("1.0", "2.0", "latest"):
        published = Built(0, "", tmp_path / "pages" / version)
        address = f"{site.config['site_url']}{version.replace('latest', '2.0')}/"
        assert whole(published.html()) == [(ALT, "80", "60")]
        assert whole(published.html("guide/fog/index.html")) == [("Fog", "80", "60"), ("own", "80", "60")]
        assert broken_urls(published.site, address) == []
        assert f'content="{address}assets/qhaigc/hero-' in published.html()
    assert len(api.calls) == 2
