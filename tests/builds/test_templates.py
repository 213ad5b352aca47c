"""`qhaigc_image` and `qhaigc_url` in a theme's templates."""

from __future__ import annotations

import re

from tests.conftest import Project
from tests.helpers.api import ImagesApi
from tests.helpers.pages import broken_urls, elements

PAGE = """{% extends "base.html" %}
{% block content %}
{{ super() }}
<div id="own">{{ qhaigc_image(page, page.meta.banner or "emblem") }}</div>
<a id="own-url" href="{{ qhaigc_url(page, page.meta.banner or "emblem") }}">open</a>
<div id="shared">{{ qhaigc_image(page, "emblem") }}</div>
{% endblock %}
"""
NOT_FOUND = """<html><body>{{ qhaigc_image(page, "emblem") }}
<a href="{{ qhaigc_url(page, "emblem") }}">open</a></body></html>
"""


def site(project: Project, banner: str) -> None:
    project.config["theme"]["custom_dir"] = "overrides"
    project.config["site_url"] = "https://example.com/docs/"
    project.options["images"] = {"emblem": {"prompt": "A badge", "alt": "Our <emblem>"}}
    project.write("overrides/main.html", PAGE)
    project.write("overrides/404.html", NOT_FOUND)
    project.page("index.md", "# Home\n")
    project.page("a/b.md", "# Deep\n", qhaigc={"灯塔": {"prompt": "fog", "alt": "A tower"}}, banner=banner)


def test_templates_show_images_of_the_page_and_of_the_site(project: Project, api: ImagesApi) -> None:
    site(project, "灯塔")
    built = project.build("--strict")
    assert built.code == 0, built.output
    deep = built.html("a/b/index.html")
    own, shared = elements(deep, "img")
    (link,) = (element for element in elements(deep, "a") if element.attributes.get("id") == "own-url")
    assert (own.attributes["alt"], shared.attributes["alt"]) == ("A tower", "Our <emblem>")
    assert (own.attributes["width"], own.attributes["height"]) == ("96", "54")
    assert link.attributes["href"] == own.attributes["src"]
    assert (shared.attributes["src"] or "").startswith("../../assets/qhaigc/emblem-")
    assert [element.attributes["alt"] for element in elements(built.html(), "img")] == ["Our <emblem>"] * 2
    (lost,) = elements(built.html("404.html"), "img")
    assert lost.attributes["alt"] == "Our <emblem>"
    assert (lost.attributes["src"] or "").startswith("/docs/assets/qhaigc/emblem-")  # it is served at any address
    assert broken_urls(built.site, "https://example.com/docs/") == []
    assert sorted(api.prompts) == ["A badge", "fog"]
    assert project.build("--strict", site="again").digest() == built.digest()


def test_template_image_on_a_page_without_references_has_the_sizes_of_its_text(project: Project) -> None:
    site(project, "灯塔")
    project.options["widths"] = [48]
    built = project.build("--strict")
    assert built.code == 0, built.output
    plain, deep = (built.html(page) for page in ("index.html", "a/b/index.html"))
    (shared,) = {e.attributes["sizes"] for html in (plain, deep) for e in elements(html, "img")}
    assert (shared or "").startswith("auto, (min-width: 1400px) 956px")


def test_unknown_name_in_a_template_is_a_warning_with_the_known_names(project: Project) -> None:
    site(project, "灯达")
    built = project.build()
    assert built.code == 0, built.output
    (told,) = built.warnings
    assert re.search(r"a/b\.md.* there is no image '灯达'.*灯塔, emblem", told)
    assert broken_urls(built.site, "https://example.com/docs/") == []


def test_template_functions_of_a_disabled_plugin_return_nothing(project: Project, api: ImagesApi) -> None:
    site(project, "灯塔")
    project.options["enabled"] = False
    built = project.build("--strict")
    assert built.code == 0, built.output
    assert elements(built.html("a/b/index.html"), "img") == []
    assert '<div id="own"></div>' in built.html("a/b/index.html")
    assert api.calls == []
