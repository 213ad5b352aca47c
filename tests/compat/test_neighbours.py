"""Beside plugins that rewrite pages or compress images, whichever they are."""

from __future__ import annotations

import pytest

from tests.conftest import Project
from tests.helpers.api import ImagesApi, in_size
from tests.helpers.beside import ours_of, whole
from tests.helpers.pages import broken_urls, elements

pytestmark = pytest.mark.compatibility

REWRITES = """
import re


def on_page_content(html, page, config, files):
    '''As a lightbox does: every image in a link, and the whole page written anew by a parser.'''
    html = re.sub(r'(<img [^>]*>)', r'<a class="box" href="#">\\1</a>', html)
    return html.replace("&#x27;", "'")
"""


def test_whatever_another_plugin_makes_of_a_page_its_images_are_mended(project: Project, api: ImagesApi) -> None:
    api.default = in_size("80x60", "WEBP")
    project.options["widths"] = [48]
    project.config["hooks"] = [str(project.write("hooks.py", REWRITES))]
    hero = {"prompt": "A tower", "alt": "The harbour's tower", "place": "after-title"}
    project.page("index.md", "# Home\n\n![it's](qhaigc:hero)\n", qhaigc={"hero": hero})
    cold = project.build("--strict", site="cold")
    warm = project.build("--strict", site="warm")
    assert [(a["width"], a["height"]) for a in ours_of(cold.html())] == [("80", "60"), ("80", "60")]
    assert broken_urls(cold.site) == []
    assert [a.items() for a in ours_of(cold.html())] == [a.items() for a in ours_of(warm.html())]


KEEPS = """
def on_page_content(html, page, config, files):
    page.html = html
    page.encrypted = page.meta.get("encrypted", False)
    page.secret = {"html": html, "id": 7}
"""


@pytest.mark.parametrize("encrypted", [True, False])
@pytest.mark.parametrize("where", ["page.html", "page.secret.html"])
def test_html_that_another_plugin_keeps_has_images_with_files_and_with_sizes_where_it_is_to_be_encrypted(
    project: Project, api: ImagesApi, where: str, encrypted: bool
) -> None:
    api.default = in_size("80x60", "WEBP")
    project.options |= {"widths": [48], "formats": ["avif", "webp"]}
    project.config["hooks"] = [str(project.write("hooks.py", KEEPS))]
    project.config["theme"]["custom_dir"] = "overrides"
    project.write(
        "overrides/main.html", f'{{% extends "base.html" %}}{{% block content %}}{{{{ {where} }}}}{{% endblock %}}'
    )
    hero = {"prompt": "A tower", "alt": "Tower"}
    project.page("index.md", "# Home\n\n![](qhaigc:hero)\n", qhaigc={"hero": hero}, encrypted=encrypted)
    cold, warm = (project.build("--strict", site=site) for site in ("cold", "warm"))
    (shown,) = ours_of(cold.html())
    if encrypted and where == "page.secret.html":
        assert whole(cold.html()) == [("Tower", "80", "60")]
        assert len(elements(cold.html(), "picture")) == 1
    else:
        assert (shown["alt"], "srcset" in shown) == ("Tower", False)
    assert broken_urls(cold.site) == []
    assert cold.digest() == warm.digest()


COMPRESSES = """
from pathlib import Path


def on_env(env, config, files):
    '''As plugins that compress images do: every image of the site, whoever made it, loses what it says.'''
    for file in files:
        if file.src_uri.endswith((".jpg", ".webp")):
            Path(config["config_file_path"]).with_name("seen.txt").open("a").write(file.src_uri)
"""


def test_plugins_that_compress_images_do_not_see_ours(project: Project) -> None:
    """They would write them anew without the words that an AI has made them."""
    project.config["hooks"] = [str(project.write("hooks.py", COMPRESSES))]
    project.page("index.md", "![x](qhaigc:hero)\n", qhaigc="fog", image="qhaigc:hero")
    built = project.build("--strict")
    assert len(built.images()) == 2
    assert not (project.folder / "seen.txt").exists()
