"""Real builds with Zensical, after `mkdocs-qhaigc sync`."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from tests.conftest import Built, Project
from tests.helpers.api import ImagesApi, draw, in_size
from tests.helpers.commands import COMMAND, run_in
from tests.helpers.documentation import blocks
from tests.helpers.engines import ZENSICAL, beside
from tests.helpers.pages import Element, broken_urls, elements

pytestmark = [
    pytest.mark.compatibility,
    pytest.mark.skipif(sys.version_info < (3, 11), reason="Zensical needs Python 3.11"),
]
REFERENCES = """
# Title

![A tower](qhaigc:hero) and ![](qhaigc:fog){ width=40 .right }

[to the image](qhaigc:hero) [![](qhaigc:fog)](qhaigc:hero "Fog")

<figure><img src="qhaigc:hero" alt="raw"><figcaption>own</figcaption></figure>

<video poster="qhaigc:hero"></video>
<p style="background: url(qhaigc:fog)">behind</p>

![by day](qhaigc:hero#only-light) ![by night](qhaigc:pair)

| table | image |
| --- | --- |
| a | ![x][ref] |

[ref]: qhaigc:logo

`qhaigc:hero` stays text, so does

    ![x](qhaigc:hero)
"""
FRONT = {
    "hero": {"prompt": "A tower", "alt": "Tower", "priority": True},
    "fog": {"prompt": "Fog", "alt": "", "place": "after-title", "caption": "Fog < rain"},
    "pair": {"prompt": "Day", "dark": "Night", "alt": "The sea"},
}


def shown(built: Built, page: str) -> list[Element]:
    """Return every element of a page that has to do with an image of ours."""
    found = elements(built.html(page))
    return [element for element in found if any("assets/qhaigc/" in (v or "") for v in element.attributes.values())]


@beside("no other plugin", ZENSICAL)
@pytest.mark.parametrize("formats", [["webp"], ["avif", "jpeg"]])
@pytest.mark.parametrize("directory_urls", [True, False])
def test_references_become_what_mkdocs_makes_of_them(
    project: Project, api: ImagesApi, column: str, formats: list[str], directory_urls: bool
) -> None:
    api.default = in_size("80x60", "WEBP")
    project.options |= {"formats": formats, "widths": [48], "images": {"logo": {"prompt": "A logo", "alt": "Logo"}}}
    project.config["use_directory_urls"] = directory_urls
    project.config["markdown_extensions"] = ["attr_list", "tables"]
    project.page("index.md", REFERENCES, qhaigc=FRONT)
    project.page("guide/deep/page.md", REFERENCES, qhaigc={**FRONT, "own": "own"}, image="qhaigc:hero")
    zensical = project.build()
    assert zensical.code == 0, zensical.output
    assert len(api.calls) == 6
    calls = len(api.calls)
    project.engine = "mkdocs"
    project.config["theme"] = {"name": "material", "font": False}
    project.options["cache_dir"] = ".qhaigc"
    mkdocs = project.build("--strict", site="mkdocs")
    assert mkdocs.code == 0, mkdocs.output
    assert len(api.calls) == calls
    for page in ("index.html", "guide/deep/page/index.html" if directory_urls else "guide/deep/page.html"):
        assert len(shown(zensical, page)) > 12
        ours = [element for element in shown(zensical, page) if element.tag != "link"]
        assert ours == [element for element in shown(mkdocs, page) if element.tag != "link"]
        assert "<figcaption>Fog &lt; rain</figcaption>" in zensical.html(page)
        assert "<code>qhaigc:hero</code>" in zensical.html(page)
    assert broken_urls(zensical.site) == []
    assert sorted(path.name for path in (zensical.site / "assets/qhaigc").iterdir()) == sorted(
        path.name for path in (mkdocs.site / "assets/qhaigc").iterdir()
    )
    for name in zensical.images():
        assert (zensical.site / "assets/qhaigc" / name).read_bytes() == (
            mkdocs.site / "assets/qhaigc" / name
        ).read_bytes()


def zensical(project: Project, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run Zensical on what was synced before."""
    config = project.write_zensical_config()
    return subprocess.run(
        [sys.executable, "-m", "zensical", *arguments, "-f", str(config)],
        cwd=project.folder,
        env=project.environ(),
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=120,
        check=False,
    )


def sync(project: Project) -> str:
    project.write_zensical_config()
    finished = run_in(project.folder, project, "sync", "-f", "zensical.yml")
    assert finished.returncode == 0, finished.stdout + finished.stderr
    return finished.stdout


@pytest.fixture
def site(project: Project) -> Project:
    project.engine = "zensical"
    project.config["theme"] = {"font": False}
    project.page("index.md", "# Home\n\n![A tower](qhaigc:hero)\n", qhaigc="A tower")
    return project


def test_an_image_that_was_not_synced_ends_the_build_and_the_error_says_which(site: Project) -> None:
    finished = zensical(site, "build")
    assert finished.returncode == 1
    assert "docs/assets/qhaigc holds no images yet. Run `mkdocs-qhaigc sync" in finished.stderr
    sync(site)
    assert zensical(site, "build").returncode == 0
    site.page("guide/new.md", "![A mast](qhaigc:mast)", qhaigc={"mast": "A mast"})
    finished = zensical(site, "build")
    assert finished.returncode == 1
    assert "guide/new.md#mast: not in docs/assets/qhaigc" in finished.stderr
    site.page("guide/new.md", "![A mast](qhaigc:mats)", qhaigc={"mast": "A tower"})
    finished = zensical(site, "build")
    assert finished.returncode == 1
    assert "guide/new.md, line 4: there is no image 'mats'. Did you mean 'mast'?" in finished.stderr


def test_check_finds_what_the_build_would_refuse_or_warn_of(site: Project, api: ImagesApi) -> None:
    site.page(
        "guide.md",
        "![](qhaigc:mast) ![Mast](qhaigc:mats)\n\n`![x](qhaigc:code)` [link](qhaigc:nowhere) ![y](qhaigc:{{name}})\n",
        qhaigc={"mast": "A mast", "sea": {"prompt": "The sea", "place": "top"}},
    )
    synced = run_in(site.folder, site, "sync", "-f", site.write_zensical_config().name)
    assert synced.returncode == 0
    for said in (
        "guide.md, line 4: there is no image 'mats'. Did you mean 'mast'?",
        "guide.md, line 4: image 'mast' has no alternative text",
        "guide.md: image 'sea' has no alternative text",
    ):
        assert said in synced.stderr
    checked = run_in(site.folder, site, "check", "-f", "zensical.yml")
    assert checked.returncode == 1
    assert "Found 3 problems in 3 images." in checked.stdout
    assert zensical(site, "build").returncode == 1


def test_placeholders_that_were_committed_are_told_and_no_image_for_who_forbids_them(site: Project) -> None:
    site.options["missing"] = "placeholder"
    sync(site)
    told = zensical(site, "build")
    assert told.returncode == 0
    assert "index.md#hero: `sync` has written placeholders" in told.stdout + told.stderr
    site.options["missing"] = "error"
    refused = zensical(site, "build", "--clean")
    assert refused.returncode == 1
    assert "index.md#hero: `sync` has written placeholders" in refused.stderr


def test_what_zensical_has_kept_is_rendered_again_when_options_have_changed(site: Project) -> None:
    assert site.build().code == 0
    site.options["widths"] = [48]
    finished = zensical(site, "build", "--clean")
    assert finished.returncode == 1
    assert "or not as the options are now" in finished.stderr
    changed = site.build()
    assert changed.code == 0, changed.output
    assert "48w" in changed.html()
    assert broken_urls(changed.site) == []
    assert (site.folder / ".qhaigc/originals").is_dir()


def test_a_site_that_would_keep_old_pages_is_not_built(site: Project) -> None:
    sync(site)
    config = json.loads((site.folder / "zensical.yml").read_text(encoding="utf-8"))
    site.write("zensical.yml", json.dumps({**config, "watch": []}))
    command = [sys.executable, "-m", "zensical", "build", "-f", "zensical.yml"]
    finished = subprocess.run(
        command, cwd=site.folder, env=site.environ(), capture_output=True, text=True, timeout=60, check=False
    )
    assert finished.returncode == 1
    assert 'watch = ["docs/assets/qhaigc/.qhaigc.json"]' in finished.stderr


def test_switched_off_references_are_their_alt_texts(site: Project, api: ImagesApi) -> None:
    site.options["enabled"] = False
    built = site.build()
    assert built.code == 0, built.output
    assert "<p>A tower</p>" in built.html()
    assert not api.calls


def test_of_300_pages_300_have_their_images_five_builds_out_of_five(site: Project, api: ImagesApi) -> None:
    site.options |= {"max_new_images": 301, "concurrency": 16}
    for number in range(300):
        uri = f"part-{number % 7}/page-{number}.md"
        site.page(uri, "# Page\n\n![A tower](qhaigc:hero)\n", qhaigc=f"Tower {number}")
    for _ in range(5):
        shutil.rmtree(site.folder / "site", ignore_errors=True)
        built = site.build("--clean")
        assert built.code == 0, built.output
        found = {
            (page.parent / source[1]).resolve()
            for page in built.site.rglob("page-*/index.html")
            if (source := re.search(r'<img alt="A tower" src="([^"]+)"', page.read_text(encoding="utf-8")))
        }
        assert len(found) == 300
        assert all(path.is_file() for path in found)
    assert len(api.calls) == 301


def test_the_documentation_shows_how(project: Project) -> None:
    """Its zensical.toml as it stands there, with the sandbox for the API."""
    toml = next(block for block in blocks("zensical.md") if block.language == "toml")
    commands = next(block for block in blocks("zensical.md") if block.language == "bash")
    text = toml.text.replace("[project.plugins.qhaigc]", '[project.plugins.qhaigc]\nbase_url = "sandbox"')
    project.write("zensical.toml", text)
    project.page("index.md", "# Home\n\n![A tower](qhaigc:hero){ width=40 }\n", qhaigc="A tower")
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    finished = subprocess.run(
        ["bash", "-euc", commands.text],
        cwd=project.folder,
        env={**project.environ(), "PATH": path},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert finished.returncode == 0, finished.stdout + finished.stderr
    html = (project.folder / "site/index.html").read_text(encoding="utf-8")
    (shown_one,) = [e for e in elements(html, "img") if "qhaigc" in (e.attributes["src"] or "")]
    assert (shown_one.attributes["alt"], shown_one.attributes["width"]) == ("A tower", "40")
    assert (project.folder / "site" / (shown_one.attributes["src"] or "")).is_file()
    assert (project.folder / "site/assets/qhaigc/qhaigc.css").is_file()
    assert (project.folder / ".qhaigc/originals").is_dir()


@pytest.mark.parametrize("form", ["list", "mapping"])
def test_the_zensical_yml_of_the_documentation_keeps_the_extensions_of_an_mkdocs_yml(
    project: Project, form: str
) -> None:
    """One recipe for each form of `markdown_extensions`: Zensical joins what has the same one."""
    recipes = [block.text for block in blocks("zensical.md") if block.title == "zensical.yml"]
    (recipe,) = (
        one for one in recipes if isinstance(yaml.safe_load(one)["markdown_extensions"], list) == (form == "list")
    )
    extensions = ["admonition", "attr_list"]
    project.config["markdown_extensions"] = extensions if form == "list" else {key: {} for key in extensions}
    project.config["theme"] = {"name": "material", "font": False}
    project.options["base_url"] = "sandbox"
    project.write_config()
    project.write("zensical.yml", recipe)
    project.page("index.md", "# Home\n\n!!! note\n\n    ![A tower](qhaigc:hero){ width=40 }\n", qhaigc="A tower")
    said = ""
    for command in (["sync"], ["zensical", "build", "-f", "zensical.yml"]):
        program = [sys.executable, "-m", *command] if len(command) > 1 else [COMMAND, *command]
        finished = subprocess.run(
            program, cwd=project.folder, env=project.environ(), capture_output=True, text=True, timeout=120, check=False
        )
        assert finished.returncode == 0, finished.stdout + finished.stderr
        said += finished.stdout + finished.stderr
    assert "Warning" not in said
    html = (project.folder / "site/index.html").read_text(encoding="utf-8")
    assert re.search(r'<div class="admonition note">.*<img alt="A tower"[^>]* width="40"', html, re.DOTALL)


@pytest.mark.parametrize("lost", ["file", "format"])
def test_image_that_only_a_template_shows_and_sync_has_not_written_ends_the_build(
    project: Project, api: ImagesApi, lost: str
) -> None:
    project.config["theme"] = {"name": "material", "custom_dir": "overrides"}
    project.write(
        "overrides/main.html",
        '{% extends "base.html" %}{% block content %}{{ page.meta.qhaigc_images.hero.html }}{% endblock %}',
    )
    project.page("index.md", "# A\n", qhaigc={"hero": {"prompt": "fog", "alt": "Fog"}})
    run_in(project.folder, project, "sync", "-f", str(project.write_zensical_config()))
    if lost == "format":
        project.options["formats"] = ["jpeg"]
    else:
        for file in (project.folder / "docs/assets/qhaigc").glob("hero-*"):
            file.unlink()
    config = str(project.write_zensical_config())
    built = subprocess.run(
        [sys.executable, "-m", "zensical", "build", "--clean", "-f", config],
        cwd=project.folder,
        capture_output=True,
        text=True,
        env=project.environ(),
        check=False,
    )
    assert built.returncode
    assert "index.md#hero: not in docs/assets/qhaigc" in re.sub(r"\s+", " ", built.stdout + built.stderr)


def test_a_changed_reference_image_is_another_image_that_sync_has_to_write(site: Project, api: ImagesApi) -> None:
    site.options["references_by"] = "edits"
    site.write("look/fox.png", draw("fox", 32, 32))
    hero = {"prompt": "A fox reads", "alt": "A fox", "references": "look/fox.png"}
    site.page("index.md", "# Home\n\n![](qhaigc:hero)\n", qhaigc={"hero": hero})
    sync(site)
    assert zensical(site, "build").returncode == 0
    site.write("look/fox.png", draw("another fox", 32, 32))
    site.page("index.md", "# Home\n\n![](qhaigc:hero) again\n", qhaigc={"hero": hero})
    finished = zensical(site, "build")
    assert finished.returncode == 1
    assert "index.md#hero: not in docs/assets/qhaigc" in finished.stderr
    sync(site)
    assert zensical(site, "build").returncode == 0
    assert [call["image[]"] for call in api.calls] == [[draw("fox", 32, 32)], [draw("another fox", 32, 32)]]


def test_labels_stand_in_the_language_of_the_theme_and_change_with_the_option(project: Project) -> None:
    project.engine = "zensical"
    project.config["theme"] = {"language": "de"}
    project.options["label"] = {"text": {"en": "AI-generated", "de": "KI-generiert"}, "cards": True}
    hero = {"prompt": "A tower", "alt": "A tower", "label": "By AI"}
    project.page("index.md", "![](qhaigc:hero)\n\nA line ![](qhaigc:fog).", qhaigc={"hero": hero, "fog": "Fog"})
    project.page("en.md", "![](qhaigc:hero)", qhaigc={"prompt": "Sea", "alt": "Sea"}, lang="en", image="qhaigc:hero")
    built = project.build()
    assert built.code == 0, built.output
    label = '<span class="qhaigc-label">{}</span>'
    assert [label.format(text) in built.html() for text in ("By AI", "KI-generiert", "AI-generated")] == [1, 1, 0]
    assert label.format("AI-generated") in built.html("en/index.html")
    assert any(name.endswith(".jpg") for name in built.images())  # the card, at the address that the page was given
    assert broken_urls(built.site) == []
    del project.options["label"]
    again = project.build()
    assert "KI-generiert" not in again.html()
    assert "AI-generated" not in again.html("en/index.html")
