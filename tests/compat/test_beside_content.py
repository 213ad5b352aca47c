"""Beside plugins and extensions that write pages or parts of them: references and directives from anywhere."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import Project
from tests.helpers.api import ImagesApi
from tests.helpers.beside import alts, assert_whole, build_both_ways, documented_file, hero, ours
from tests.helpers.commands import run
from tests.helpers.engines import EVERY_MKDOCS, MATERIAL, PROPER_MATERIAL, READTHEDOCS, beside
from tests.helpers.pages import elements, text_of

pytestmark = pytest.mark.compatibility


@pytest.fixture(autouse=True)
def _images_in_two_widths(project: Project) -> None:
    project.options["widths"] = [48]


MACROS = """
def define_env(env):
    @env.macro
    def figure(name, alt=""):
        return f"![{alt}](qhaigc:{name})"


def on_pre_page_macros(env):
    '''What the macros' author makes of the front matter `town`.'''
    if "town" in env.page.meta:
        env.page.meta["qhaigc"] = {"town": {"prompt": f"{env.page.meta['town']} at dusk", "alt": env.page.meta["town"]}}
"""


@beside("macros", *EVERY_MKDOCS)
def test_macros_write_references_and_directives(project: Project, api: ImagesApi, column: str) -> None:
    project.write("main.py", MACROS)
    project.config["plugins"] = ["search", "macros"]
    project.config["extra"] = {"mood": "in fog"}
    project.page(
        "index.md",
        "# Home\n\n{{ figure('hero') }}\n\n{% for name in ['hero', 'mast'] %}\n"
        "![{{ name }} {{ mood }}](qhaigc:{{ name }})\n{% endfor %}\n\n"
        "{{ qhaigc.hero.alt }} is drawn by `{{ figure('hero') }}`.\n\n"
        "```jinja\n{% raw %}{{ figure('hero') }} gives ![](qhaigc:hero){% endraw %}\n```\n",
        qhaigc={**hero("A tower", "Tower"), "mast": "A mast"},
    )
    project.page("town.md", "# Town\n\n{{ figure('town') }}\n", town="Ghent", image="qhaigc:town")
    project.page("plain.md", "# Plain\n\n{{ x }} ![](qhaigc:hero)\n", render_macros=False, qhaigc=hero("Fog", "Fog"))
    built = build_both_ways(project, api, prompts=["A tower", "A mast", "Ghent at dusk", "Fog"])
    assert alts(built) == ["Tower", "hero in fog", "mast in fog"]
    assert "Tower is drawn by" in text_of(built.html())
    assert "{{ figure('hero') }} gives ![](qhaigc:hero)" in text_of(built.html())
    assert alts(built, "town/index.html") == ["Ghent"]
    assert alts(built, "plain/index.html") == ["Fog"]


GENERATES = """
import mkdocs_gen_files

for town in ("Ghent", "Delft"):
    with mkdocs_gen_files.open(f"towns/{town.lower()}.md", "w") as page:
        print(f"---\\nqhaigc: {{hero: {{prompt: {town} at dusk, alt: {town}, place: after-title}}}}\\n---", file=page)
        print(f"# {town}\\n\\n![Map](qhaigc:map) and ![](qhaigc:hero)\\n", file=page)
    mkdocs_gen_files.set_edit_path(f"towns/{town.lower()}.md", "gen.py")

with mkdocs_gen_files.open("written.md", "a") as page:
    print("\\n![](qhaigc:map)\\n", file=page)
"""


@beside("gen-files", *EVERY_MKDOCS)
def test_generated_pages_declare_and_show_images(project: Project, api: ImagesApi, column: str) -> None:
    project.config["plugins"] = ["search", {"gen-files": {"scripts": [str(project.write("gen.py", GENERATES))]}}]
    project.options["images"] = {"map": {"prompt": "A map", "alt": "The map"}}
    project.page("index.md", "# Home\n\n![](qhaigc:map)\n")
    project.page("written.md", "# Written\n\n![](qhaigc:hero)\n", qhaigc=hero("A tower", "Tower"))
    built = build_both_ways(project, api, prompts=["A map", "Ghent at dusk", "Delft at dusk", "A tower"])
    assert alts(built, "towns/ghent/index.html") == ["Ghent", "Map", "Ghent"]
    assert alts(built, "towns/delft/index.html") == ["Delft", "Map", "Delft"]
    assert alts(built, "written/index.html") == ["Tower", "The map"]


def test_a_variant_is_not_picked_in_a_page_that_is_generated(project: Project, api: ImagesApi) -> None:
    project.config["plugins"] = [{"gen-files": {"scripts": [str(project.write("gen.py", GENERATES))]}}]
    project.options["images"] = {"map": {"prompt": "A map", "alt": "The map"}}
    project.page("index.md", "# Home\n")
    project.page("written.md", "# Written\n")
    assert run(project, "candidates", "towns/ghent.md#hero", "-n", "2", "--yes").returncode == 0
    finished = run(project, "candidates", "towns/ghent.md#hero", "--pick", "2")
    assert finished.returncode == 1
    assert "a plugin makes this page" in finished.stderr


def test_what_scripts_and_hooks_print_is_no_part_of_a_command_s_answer(project: Project) -> None:
    print_too = "print('generating', flush=True)\n"
    scripts = [str(project.write("gen.py", print_too + GENERATES))]
    project.config["plugins"] = ["macros", {"gen-files": {"scripts": scripts}}]
    project.config["hooks"] = [str(project.write("hooks.py", f"def on_env(env, **_):\n    {print_too}"))]
    project.write("main.py", f"def define_env(env):\n    {print_too}")
    project.page("index.md", "# Home\n")
    project.page("written.md", "# Written\n", qhaigc=hero("A tower", "Tower"))
    finished = run(project, "plan", "--json")
    assert finished.returncode == 0, finished.stderr
    assert len(json.loads(finished.stdout)["images"]) == 3
    assert finished.stderr.count("generating") >= 2
    assert run(project, "plan", "--format", "markdown").stdout.startswith("**")


def pages_of_a_book(project: Project) -> None:
    """Two chapters, each with its image; the second one's page is an index of its folder."""
    project.page("index.md", "# Home\n\n![](qhaigc:hero)\n", qhaigc=hero("A tower", "Tower"))
    project.page("one.md", "# One\n\n![](qhaigc:hero)\n", qhaigc=hero("A mast", "Mast", place="top"))
    project.page("two/index.md", "# Two\n\n![](qhaigc:hero)\n", qhaigc=hero("Fog", "Fog"))
    project.page("two/more.md", "# More\n\n[Two](index.md) ![](qhaigc:hero)\n", qhaigc=hero("Rain", "Rain"))


def the_book_shows_its_images(project: Project, api: ImagesApi) -> str:
    built = build_both_ways(project, api, prompts=["A tower", "A mast", "Fog", "Rain"])
    assert alts(built) == ["Tower"]
    assert alts(built, "one/index.html") == ["Mast", "Mast"]
    assert alts(built, "two/index.html") == ["Fog"]
    assert alts(built, "two/more/index.html") == ["Rain"]
    return built.html()


@beside("literate-nav", *EVERY_MKDOCS)
def test_a_navigation_written_as_a_page(project: Project, api: ImagesApi, column: str) -> None:
    project.config["plugins"] = ["search", {"literate-nav": {"nav_file": "SUMMARY.md"}}]
    pages_of_a_book(project)
    project.write("docs/SUMMARY.md", "* [Home](index.md)\n* [First](one.md)\n* [Second](two/)\n")
    project.write("docs/two/SUMMARY.md", "* *.md\n")
    project.config["exclude_docs"] = "SUMMARY.md"
    assert "First" in text_of(the_book_shows_its_images(project, api))


@beside("section-index", READTHEDOCS, MATERIAL, PROPER_MATERIAL)
def test_a_section_leads_to_its_own_page_which_shows_its_image(project: Project, api: ImagesApi, column: str) -> None:
    project.config["plugins"] = ["search", "section-index"]
    pages_of_a_book(project)
    project.config["nav"] = [{"Home": "index.md"}, {"First": "one.md"}, {"Second": ["two/index.md", "two/more.md"]}]
    html = the_book_shows_its_images(project, api)
    assert re.search(r'<a [^>]*href="two/"[^>]*>(?:\s|<[^>]*>)*Second', html)


@beside("awesome-nav", *EVERY_MKDOCS)
def test_a_navigation_in_files_beside_the_pages(project: Project, api: ImagesApi, column: str) -> None:
    project.config["plugins"] = ["search", "awesome-nav"]
    pages_of_a_book(project)
    project.write("docs/.nav.yml", "nav:\n  - index.md\n  - First: one.md\n  - '*'\n")
    assert "First" in text_of(the_book_shows_its_images(project, api))


@beside("include-markdown", *EVERY_MKDOCS)
def test_included_pages_show_the_images_of_the_page_that_includes_them(
    project: Project, api: ImagesApi, column: str
) -> None:
    project.config["plugins"] = ["search", "include-markdown"]
    project.write(
        "parts/part.md",
        "---\nqhaigc: Never asked for\n---\n<!--start-->\n"
        '## Part\n\n![](qhaigc:hero)\n\n<img src="qhaigc:hero">\n\n[open](qhaigc:hero)\n\n`![](qhaigc:hero)`\n'
        "<!--end-->\n",
    )
    include = '{% include-markdown "../parts/part.md" start="<!--start-->" end="<!--end-->" heading-offset=1 %}'
    project.page("index.md", f"# Home\n\n{include}\n", qhaigc=hero("A tower", "Tower"))
    deeper = include.replace("../parts", "../../parts")
    project.page(
        "deep/a.md", f"# A\n\n{deeper}\n\n    {{% include '../../parts/part.md' %}}\n", qhaigc=hero("Fog", "Fog")
    )
    built = build_both_ways(project, api, prompts=["A tower", "Fog"])
    assert alts(built) == ["Tower", "Tower"]
    assert alts(built, "deep/a/index.html") == ["Fog", "Fog"]
    (link,) = (
        e for e in elements(built.html("deep/a/index.html"), "a") if "assets/qhaigc" in (e.attributes.get("href") or "")
    )
    assert (link.attributes["href"] or "").startswith("../../assets/qhaigc/hero-")


@beside("snippets", *EVERY_MKDOCS)
def test_snippets_show_the_images_of_their_page(project: Project, api: ImagesApi, column: str) -> None:
    project.config["markdown_extensions"] = [
        "attr_list",
        "admonition",
        "pymdownx.superfences",
        {"pymdownx.snippets": {"base_path": [str(project.folder)], "check_paths": True, "auto_append": ["links.md"]}},
    ]
    project.write("links.md", "[the harbour]: qhaigc:hero\n")
    project.write("part.md", "!!! note\n\n    ![](qhaigc:hero){ width=48 }\n\n    ```\n    ![](qhaigc:hero)\n    ```\n")
    project.page("index.md", '# Home\n\n--8<-- "part.md"\n\n![][the harbour]\n', qhaigc=hero("A tower", "Tower"))
    project.page("deep/a.md", '# A\n\n- item\n\n    --8<-- "part.md"\n', qhaigc=hero("Fog", "Fog"))
    built = build_both_ways(project, api, prompts=["A tower", "Fog"])
    assert alts(built) == ["Tower", "Tower"]
    assert [(img["width"], img["height"]) for img in ours(built)] == [("48", "27"), ("96", "54")]
    assert alts(built, "deep/a/index.html") == ["Fog"]
    assert text_of(built.html()).count("![](qhaigc:hero)") == 1


DOCSTRINGS = '''
"""The harbour's module.

![](qhaigc:hero)
"""


def light(colour: str) -> None:
    """Light the lamp.

    ![](qhaigc:hero){ width=48 } See [`harbour`][] and `![](qhaigc:hero)`.

    Args:
        colour: Of the lamp: ![A lamp](qhaigc:lamp)

    Examples:
        >>> light("![](qhaigc:hero)")
    """
'''


@beside("mkdocstrings", *EVERY_MKDOCS)
def test_docstrings_show_the_images_of_the_page_that_holds_them(project: Project, api: ImagesApi, column: str) -> None:
    project.write("src/harbour.py", DOCSTRINGS)
    python = {"paths": [str(project.folder / "src")], "options": {"show_source": False}}
    project.config["plugins"] = ["search", "autorefs", {"mkdocstrings": {"handlers": {"python": python}}}]
    project.config["markdown_extensions"] = ["attr_list"]
    front = {**hero("A tower", "Tower", place="after-title"), "lamp": "A lamp"}
    project.page("index.md", "# Harbour\n\n::: harbour\n\n[light][harbour.light] ![](qhaigc:hero)\n", qhaigc=front)
    built = build_both_ways(project, api, prompts=["A tower", "A lamp"])
    assert alts(built) == ["Tower", "Tower", "Tower", "A lamp", "Tower"]
    assert text_of(built.html()).count("![](qhaigc:hero)") == 2
    assert any(element.attributes.get("href") == "#harbour.light" for element in elements(built.html(), "a"))


@beside("redirects", *EVERY_MKDOCS)
def test_redirects_lead_to_pages_with_their_images(project: Project, api: ImagesApi, column: str) -> None:
    project.config["plugins"] = ["search", {"redirects": {"redirect_maps": {"old/page.md": "guide/new.md"}}}]
    project.page("index.md", "# Home\n")
    project.page("guide/new.md", "# New\n\n![](qhaigc:hero)\n", qhaigc=hero("A tower", "Tower"))
    built = build_both_ways(project, api, prompts=["A tower"])
    assert alts(built, "guide/new/index.html") == ["Tower"]
    assert "../../guide/new/" in built.html("old/page/index.html")


def monorepo(project: Project) -> None:
    project.config["plugins"] = ["search", "monorepo"]
    project.config["nav"] = [{"Home": "index.md"}, {"Harbour": "!include ./packages/harbour/mkdocs.yml"}]
    project.options["images"] = {"emblem": {"prompt": "A badge", "alt": "Emblem"}}
    body = "![](qhaigc:hero) ![](qhaigc:emblem)\n"
    project.page("index.md", f"# Home\n\n{body}", qhaigc=hero("A tower", "Tower"))
    project.write(
        "packages/harbour/mkdocs.yml",
        json.dumps({"site_name": "harbour", "nav": [{"Start": "index.md"}, {"More": "deep/more.md"}]}),
    )
    front = json.dumps({"qhaigc": hero("A pier", "Pier", place="after-title"), "image": "qhaigc:hero"})
    project.write("packages/harbour/docs/index.md", f"---\n{front}\n---\n# Harbour\n\n{body}")
    project.write("packages/harbour/docs/deep/more.md", "---\nqhaigc: Fog\n---\n# More\n\n![Fog](qhaigc:hero)\n")


@beside("monorepo", *EVERY_MKDOCS)
def test_included_sites_show_their_images_and_the_whole_site_s(project: Project, api: ImagesApi, column: str) -> None:
    monorepo(project)
    built = build_both_ways(project, api, prompts=["A badge", "A tower", "A pier", "Fog"])
    assert alts(built) == ["Tower", "Emblem"]
    assert alts(built, "harbour/index.html") == ["Pier", "Pier", "Emblem"]
    assert alts(built, "harbour/deep/more/index.html") == ["Fog"]


@pytest.mark.parametrize("where", ["index.md", "docs/index.md", "harbour/index.md"])
def test_a_variant_is_picked_in_the_author_s_file_or_not_at_all(project: Project, api: ImagesApi, where: str) -> None:
    """What plugins make the site of may be copies, which are thrown away."""
    monorepo(project)
    assert run(project, "candidates", f"{where}#hero", "-n", "2", "--yes").returncode == 0
    before = (project.docs / "index.md").read_bytes()
    finished = run(project, "candidates", f"{where}#hero", "--pick", "2")
    if where == "harbour/index.md":
        assert finished.returncode == 1
        assert "Write `variant: 2` into the directive yourself, where it is made" in finished.stderr
    else:
        assert finished.returncode == 0, finished.stderr
        assert f"{Path('docs/index.md')}: hero is variant 2 now" in finished.stdout
        assert (project.docs / "index.md").read_bytes() != before


CELLS = [
    (
        "markdown",
        "# Notebook\n\n![](qhaigc:hero) ![chart](qhaigc:chart) and `![](qhaigc:code)`\n\n    qhaigc:indented\n",
    ),
    ("markdown", '<img src="qhaigc:hero" alt="Raw">\n'),
    ("code", "print('a line and a display')"),
]
OUTPUTS = [
    {"output_type": "stream", "name": "stdout", "text": '<img src="qhaigc:hero"> ![](qhaigc:hero)\n'},
    {"output_type": "display_data", "metadata": {}, "data": {"text/html": '<img src="qhaigc:hero" alt="Shown">'}},
]


def notebook(project: Project, path: str, **metadata: Any) -> None:
    """Write a notebook that shows the images `hero` and `chart`."""
    cells = [
        {"cell_type": kind, "id": str(number), "metadata": {}, "source": text.splitlines(keepends=True)}
        | ({"execution_count": 1, "outputs": OUTPUTS} if kind == "code" else {})
        for number, (kind, text) in enumerate(CELLS)
    ]
    python = {"kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"}}
    content = {"cells": cells, "metadata": python | metadata, "nbformat": 4, "nbformat_minor": 5}
    project.write(f"docs/{path}", json.dumps(content, indent=1))
    cache = str(project.folder / ".jupyter")
    project.config["plugins"] = ["search", {"mkdocs-jupyter": {"cache_dir": cache}}]


@beside("jupyter", *EVERY_MKDOCS)
def test_notebooks_show_the_images_of_the_option(project: Project, api: ImagesApi, column: str) -> None:
    notebook(project, "deep/one.ipynb")
    project.options["images"] = {**hero("A tower", "Tower"), "chart": {"prompt": "A chart", "alt": "Chart"}}
    project.page("index.md", "# Home\n\n![](qhaigc:hero)\n", qhaigc=hero("Fog", "Fog"))
    built = build_both_ways(project, api, prompts=["A tower", "A chart", "Fog"])
    assert alts(built, "deep/one/index.html") == ["Tower", "chart", "Raw", "Shown"]
    assert alts(built) == ["Fog"]
    assert text_of(built.html("deep/one/index.html")).count("![](qhaigc:") == 2  # in code, and printed


@beside("jupyter", *EVERY_MKDOCS)
def test_notebooks_declare_images_by_the_readme_s_hook(project: Project, api: ImagesApi, column: str) -> None:
    chart = {"prompt": "A chart", "alt": "Chart", "place": "after-title"}
    notebook(project, "one.ipynb", qhaigc={**hero("A tower", "Tower"), "chart": chart})
    plain = json.loads((project.docs / "one.ipynb").read_text(encoding="utf-8"))
    project.write("docs/plain.ipynb", json.dumps({**plain, "cells": [], "metadata": {}}))
    project.config["hooks"] = [str(project.write("notebooks.py", documented_file("notebooks.py")))]
    project.page("index.md", "# Home\n\n![](qhaigc:hero)\n", qhaigc=hero("Fog", "Fog"))
    built = build_both_ways(project, api, prompts=["A tower", "A chart", "Fog"])
    assert alts(built, "one/index.html") == ["Chart", "Tower", "chart", "Raw", "Shown"]


def test_a_notebook_is_not_advised_to_have_front_matter(project: Project) -> None:
    notebook(project, "one.ipynb")
    project.page("index.md", "# Home\n")
    built = project.build()
    assert built.code == 0, built.output
    for name in ("hero", "chart"):
        (warning,) = (warning for warning in built.warnings if f"there is no image '{name}'" in warning)
        assert "one.ipynb" in warning
        assert "Declare it in the option `images`" in warning
    assert len(built.warnings) == 2
    assert run(project, "check").stdout.count("in the option `images`") == 2


HOOKS = """
from mkdocs.structure.files import File


def on_files(files, config):
    front = "---\\nqhaigc: {hero: {prompt: A pier, alt: Pier}}\\n---\\n"
    files.append(File.generated(config, "made.md", content=front + "# Made\\n\\n![](qhaigc:hero)\\n"))


def on_page_markdown(markdown, page, config, files):
    if "town" in page.meta:
        page.meta["qhaigc"] = {"hero": {"prompt": page.meta["town"] + " at dusk", "alt": page.meta["town"]}}
        return markdown.replace("IMAGE", "![](qhaigc:hero)")


def on_page_content(html, page, config, files):
    return html.replace("LATE", '<img src="qhaigc:hero">')
"""


@beside("hooks", *EVERY_MKDOCS)
def test_hooks_add_directives_references_and_pages(project: Project, api: ImagesApi, column: str) -> None:
    project.config["hooks"] = [str(project.write("hooks.py", HOOKS))]
    project.page("index.md", "# Home\n\nIMAGE\n\nLATE\n", town="Ghent", image="qhaigc:hero")
    built = build_both_ways(project, api, prompts=["Ghent at dusk", "A pier"])
    assert alts(built) == ["Ghent", "Ghent"]
    assert alts(built, "made/index.html") == ["Pier"]
    assert_whole(built)
