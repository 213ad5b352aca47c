"""Whole sites: page names, addresses, encodings, options; and that a rebuild gives the same bytes."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path
from urllib.parse import quote

import pytest
from PIL import Image

from mkdocs_qhaigc.sandbox import Sandbox
from tests.conftest import SMALL, Built, Project
from tests.helpers.api import ImagesApi, by_url, error, in_size
from tests.helpers.pages import broken_urls, elements, text_of

EXAMPLE_SITE = Path(__file__).parents[2] / "example_site"
SHOWS_META = (
    '{% extends "base.html" %}{% block extrahead %}<meta name="image" content="{{ page and page.meta.image }}">'
)
SHOWS_META += "{% endblock %}"


@pytest.mark.parametrize(
    ("use_directory_urls", "site_url"),
    [(True, "https://example.com/docs/"), (False, "https://example.com/docs"), (True, None), (False, None)],
)
def test_page_names_of_any_script_are_supported(
    project: Project, use_directory_urls: bool, site_url: str | None
) -> None:
    project.config |= {"use_directory_urls": use_directory_urls, "site_url": site_url}
    project.config["theme"]["custom_dir"] = "overrides"
    project.write("overrides/main.html", SHOWS_META)
    names = ["index.md", "plain.md", "guide/README.md", "guide/my page.md", "指南/第 一 页.md", "a/b/c.md"]
    for name in names:
        project.page(name, "# Title\n\n![A tower](qhaigc:灯塔)\n", qhaigc={"灯塔": "fog"}, image="qhaigc:灯塔")
    built = project.build("--strict")
    assert built.code == 0, built.output
    address = (site_url or "https://site.invalid").rstrip("/") + "/"
    assert broken_urls(built.site, address) == []
    pages = [page for page in built.site.rglob("*.html") if page.name != "404.html"]
    assert len(pages) == len(names)
    card, file = built.images()
    if not card.endswith(".jpg"):
        card, file = file, card
    for page in pages:
        html = page.read_text(encoding="utf-8")
        assert len(elements(html, "img")) == 1
        (meta,) = [e.attributes["content"] or "" for e in elements(html, "meta") if e.attributes.get("name") == "image"]
        (shown,) = [e.attributes["src"] for e in elements(html, "img")]
        if site_url:
            assert meta == f"https://example.com/docs/assets/qhaigc/{quote(card)}"
        else:
            assert meta == (shown or "").replace(quote(file), quote(card))
    assert file.startswith("灯塔-")


def test_byte_order_marks_and_line_endings_are_supported(project: Project, api: ImagesApi) -> None:
    yaml = "---\nqhaigc: {words}\n---\n\n# Title\n\n![A tower](qhaigc:hero)\n"
    project.page("index.md", "# Home\n")
    project.write("docs/windows.md", yaml.format(words="line ends").replace("\n", "\r\n"))
    project.write("docs/marked.md", "\ufeff" + yaml.format(words="byte order mark"))
    project.write("docs/both.md", "\ufeff" + yaml.format(words="both").replace("\n", "\r\n"))
    project.write("docs/multi.md", "qhaigc: a MultiMarkdown header\n\n# Title\n\n![A tower](qhaigc:hero)\n")
    project.write("docs/dotted.md", yaml.format(words="dots").replace("---\n\n#", "...\n\n#"))
    built = project.build("--strict")
    assert built.code == 0, built.output
    assert sorted(api.prompts) == ["a MultiMarkdown header", "both", "byte order mark", "dots", "line ends"]
    assert len(built.images()) == 5
    for page in ("windows", "marked", "both", "multi", "dotted"):
        assert len(elements(built.html(f"{page}/index.html"), "img")) == 1
    assert broken_urls(built.site) == []


def test_options_come_from_the_environment_and_prompts_in_any_script(project: Project, api: ImagesApi) -> None:
    prompt = "黄昏的霓虹城市，高质量，细节丰富"
    project.page("index.md", "![](qhaigc:hero)\n", qhaigc={"hero": {"prompt": prompt, "alt": "城市"}})
    project.yaml = """
site_name: Test
theme: {name: mkdocs, highlightjs: false}
plugins:
  - qhaigc:
      enabled: !ENV [IMAGES, false]
      base_url: !ENV BASE
      model: !ENV [MODEL, none]
      size: !ENV [UNSET, 96x54]
      style: !ENV STYLE
      max_new_images: !ENV [MOST, 0]
      timeout: !ENV [SECONDS, 1]
      formats: !ENV FORMATS
      widths: !ENV WIDTHS
      quality: !ENV QUALITY
      cache_dir: !ENV CACHE
      styles: !ENV [UNSET, null]
"""
    project.environment |= {
        "IMAGES": "true",
        "BASE": api.base_url,
        "MODEL": "即梦4.0",
        "STYLE": "ink",
        "MOST": "3",
        "SECONDS": "20",
        "FORMATS": "jpg, webp",
        "WIDTHS": "32, 48",
        "QUALITY": "50",
        "CACHE": "kept",
    }
    built = project.build("--strict")
    assert built.code == 0, built.output
    (call,) = api.calls
    assert (call["model"], call["prompt"], call["size"]) == ("即梦4.0", f"{prompt}, ink", SMALL)
    assert sorted(Path(name).suffix for name in built.images()) == [".jpg"] * 3 + [".webp"] * 3
    assert (project.folder / "kept/originals").is_dir()
    assert not project.cache.exists()


def test_disabled_plugin_replaces_references_by_their_alt_text(project: Project, api: ImagesApi) -> None:
    project.options["enabled"] = False
    project.config["theme"]["custom_dir"] = "overrides"
    project.write("overrides/main.html", SHOWS_META)
    project.page(
        "index.md",
        '![A <view>](qhaigc:hero) [large](qhaigc:hero)\n\n<div style="background: url(qhaigc:hero)">x</div>\n',
        qhaigc={"hero": {"prompt": "fog", "place": "top"}},
        image="qhaigc:hero",
    )
    built = project.build("--strict")
    html = built.html()
    assert built.code == 0, built.output
    assert "A <view> large" in text_of(html)
    assert elements(html, "img") == []
    assert "qhaigc" not in html + built.output
    assert not (built.site / "assets").exists()
    assert not project.cache.exists()
    assert api.calls == []


def test_a_site_without_directives_is_built_as_without_the_plugin(project: Project) -> None:
    project.page("index.md", "# Home\n\nWrite `qhaigc:hero` for an image.\n", title="Start")
    project.page("a/b.md", "Words.\n")
    with_plugin = project.build("--strict", site="with")
    project.yaml = "site_name: Test\nsite_url: https://example.com/docs/\ntheme: {name: mkdocs, highlightjs: false}\n"
    without = project.build("--strict", site="without")
    assert with_plugin.digest() == without.digest()
    assert "qhaigc" not in with_plugin.output
    assert not (project.folder / ".qhaigc").exists()


def test_several_formats_give_a_picture_element_and_files_of_each_format(project: Project) -> None:
    project.options |= {"formats": ["avif", "webp"], "widths": [48], "sizes": "50vw"}
    project.page("index.md", "![A tower](qhaigc:hero){ .wide }\n", qhaigc="fog")
    project.config["markdown_extensions"] = ["attr_list"]
    built = project.build("--strict")
    source, img = (elements(built.html(), tag)[0].attributes for tag in ("source", "img"))
    narrow, wide = (f"assets/qhaigc/{name}" for name in built.images() if name.endswith(".avif"))
    assert {narrow, wide} == {candidate.split()[0] for candidate in (source["srcset"] or "").split(", ")}
    assert (source["type"], source["sizes"]) == ("image/avif", "auto, 50vw")
    assert (img["src"] or "").endswith(".webp")
    assert (img["class"] or "").split()[0] == "wide"
    assert "48w" in (img["srcset"] or "")
    for name in built.images():
        with Image.open(built.site / "assets/qhaigc" / name) as image:
            assert image.format == Path(name).suffix[1:].upper()
            assert image.size == ((48, 27) if "-48." in name else (96, 54))
    assert broken_urls(built.site) == []


def test_missing_error_builds_from_the_cache_or_fails_naming_each_image(project: Project, api: ImagesApi) -> None:
    project.page("index.md", "![](qhaigc:hero)\n", qhaigc={"hero": {"prompt": "fog", "alt": "x"}})
    first = project.build("--strict", site="first")
    project.options["missing"] = "error"
    project.environment.pop("QHAIGC_API_KEY")
    second = project.build("--strict", site="second")
    assert second.code == 0, second.output
    assert second.digest() == first.digest()
    project.page("a.md", "![](qhaigc:dusk)\n", qhaigc={"dusk": "dusk", "dawn": "dawn"})
    failed = project.build(site="third")
    assert failed.code == 1
    errors = [line for line in failed.output.splitlines() if line.startswith("ERROR")]
    assert "Traceback" not in failed.output
    assert failed.output.count("forbids buying any") == 1
    assert "a.md#dusk" in failed.output
    assert "a.md#dawn" in failed.output
    assert "index.md#hero" not in failed.output
    assert len(errors) <= 1
    assert len(api.calls) == 1


def test_missing_placeholder_makes_no_call_and_warns_of_each_image(project: Project, api: ImagesApi) -> None:
    project.options["missing"] = "placeholder"
    project.page("index.md", "![](qhaigc:hero) ![](qhaigc:two)\n", qhaigc={"hero": "fog", "two": "dusk"})
    built = project.build()
    assert built.code == 0
    assert [sum(name in line for line in built.warnings) for name in ("index.md#hero", "index.md#two")] == [1, 1]
    assert built.summary == "2 placeholders"
    assert len(built.images()) == 2
    assert broken_urls(built.site) == []
    assert api.calls == []
    assert project.originals == []


def test_pins_make_a_build_without_cache_key_or_network(project: Project, api: ImagesApi) -> None:
    project.page("index.md", "![](qhaigc:hero)\n", qhaigc={"hero": {"prompt": "fog", "alt": "x"}})
    bought = project.build("--strict", site="bought")
    pins = project.folder / "generated-images"
    shutil.copytree(project.cache / "originals", pins)
    shutil.rmtree(project.folder / ".qhaigc")
    project.environment.pop("QHAIGC_API_KEY")
    project.options["base_url"] = "http://127.0.0.1:9/v1"
    pinned = project.build("--strict", site="pinned")
    assert pinned.code == 0, pinned.output
    assert pinned.summary == "1 pinned"
    assert pinned.digest() == bought.digest()
    assert len(api.calls) == 1


@pytest.mark.parametrize("theme", ["mkdocs", "material"])
def test_image_of_another_size_than_requested_is_shown_in_its_own(project: Project, api: ImagesApi, theme: str) -> None:
    api.default = in_size("80x60", "WEBP")
    project.config["theme"] = {"name": theme, "custom_dir": "overrides"}
    project.config["markdown_extensions"] = ["attr_list"]
    project.write("overrides/main.html", SHOWS_META)
    project.page(
        "index.md",
        "# Title\n\n![one](qhaigc:hero) ![two](qhaigc:hero){ width=40 }\n\n[large](qhaigc:hero)\n",
        qhaigc={"hero": {"prompt": "fog", "place": "after-title", "alt": "placed"}},
        image="qhaigc:hero",
    )
    project.options["widths"] = [48]
    cold = project.build("--strict", site="cold")
    warm = project.build("--strict", site="warm")
    assert cold.code == warm.code == 0, cold.output
    sides = {
        element.attributes["alt"]: (element.attributes["width"], element.attributes["height"])
        for element in elements(cold.html(), "img")
        if element.attributes["alt"] in ("one", "two", "placed")
    }
    assert sides == {"one": ("80", "60"), "two": ("40", "30"), "placed": ("80", "60")}
    assert cold.digest() == warm.digest()
    assert broken_urls(cold.site) == []
    assert len(api.calls) == 1


def test_placeholders_are_stable_and_at_the_addresses_of_the_images(project: Project, api: ImagesApi) -> None:
    project.page("index.md", "![x](qhaigc:hero)\n", qhaigc="fog", image="qhaigc:hero")
    api.default = error(400, "invalid_value")
    first, second = project.build(site="first"), project.build(site="second")
    assert first.code == second.code == 0
    assert first.digest() == second.digest()
    assert len(api.calls) == 2
    assert project.originals == []
    api.default = by_url
    third = project.build("--strict", site="third")
    assert third.code == 0, third.output
    assert first.images() == third.images()
    assert not {first.digest()[f"assets/qhaigc/{name}"] for name in first.images()} & set(third.digest().values())
    assert broken_urls(first.site) == broken_urls(third.site) == []


@pytest.mark.slow
def test_example_site_builds_twice_with_the_same_bytes_and_one_set_of_requests(tmp_path: Path) -> None:
    folder = tmp_path / "example"
    shutil.copytree(EXAMPLE_SITE, folder, ignore=shutil.ignore_patterns("site", ".qhaigc", "generated-images"))
    environment = {name: value for name, value in os.environ.items() if not name.upper().endswith("_PROXY")}
    environment |= {"NO_MKDOCS_2_WARNING": "1", "SOURCE_DATE_EPOCH": "1700000000", "QHAIGC_API_KEY": "sandbox"}

    def build(site: str) -> Built:
        finished = subprocess.run(
            [sys.executable, "-m", "mkdocs", "build", "--strict", "-d", str(tmp_path / site)],
            cwd=folder,
            env={**environment, "QHAIGC_BASE_URL": sandbox.base_url},
            capture_output=True,
            text=True,
            encoding="utf-8",
            timeout=180,
            check=False,
        )
        return Built(finished.returncode, finished.stdout + finished.stderr, tmp_path / site)

    with Sandbox() as sandbox:
        cold = build("cold")
        assert cold.code == 0, cold.output
        asked = len(sandbox.received)
        warm = build("warm")
        assert warm.code == 0, warm.output
        assert asked > 0
        assert len(sandbox.received) == asked
    assert cold.digest() == warm.digest()
    assert broken_urls(cold.site, "https://example.com/lantern/") == []
    assert "placeholder" not in cold.summary
    assert warm.summary == cold.summary.replace("generated", "cached")
    assert "made by a program, from a description" in (cold.site / "index.html").read_text(encoding="utf-8")


def test_example_site_says_who_made_its_images(tmp_path: Path) -> None:
    folder = tmp_path / "example"
    shutil.copytree(EXAMPLE_SITE, folder, ignore=shutil.ignore_patterns("site", ".qhaigc", "generated-images"))
    environment = {name: value for name, value in os.environ.items() if name != "QHAIGC_API_KEY"}
    finished = subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "-q", "-d", str(tmp_path / "site")],
        cwd=folder,
        env={**environment, "NO_MKDOCS_2_WARNING": "1", "QHAIGC_BASE_URL": "https://images.invalid/v1"},
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=180,
        check=False,
    )
    assert finished.returncode == 0, finished.stderr
    for page in ("index.html", "404.html", "guide/index.html"):
        html = (tmp_path / "site" / page).read_text(encoding="utf-8")
        assert "Every picture on this site was made by AI, from a description." in html
