"""Beside plugins that make PDFs: of each page by Chromium (mkdocs-exporter), of the whole site by WeasyPrint."""

from __future__ import annotations

import io
import shutil
from pathlib import Path

import pytest
from PIL import Image, ImageStat

from tests.conftest import Project
from tests.helpers.api import ImagesApi, in_size
from tests.helpers.beside import build_both_ways, documented_file
from tests.helpers.engines import MATERIAL, MKDOCS, PROPER_MATERIAL, PROPERDOCS, READTHEDOCS, beside

pytestmark = pytest.mark.compatibility
PROMPTS = ["A tower", "A tower by night", "Fog"]


@pytest.fixture
def site(project: Project, api: ImagesApi) -> Project:
    """Two pages, one of them with an image for dark pages, and one with an image far below the first screen."""
    api.default = in_size("160x120", "WEBP")
    project.options |= {"formats": ["avif", "webp"], "widths": [48]}
    project.config["markdown_extensions"] = ["attr_list"]
    hero = {"prompt": "A tower", "alt": "Tower", "dark": "A tower by night", "caption": "Built in 1790"}
    project.page("index.md", "# Home\n\n![](qhaigc:hero)\n", qhaigc={"hero": hero})
    lines = "Words.\n\n" * 120
    body = f"# Fog\n\n{lines}\n\n![](qhaigc:fog)\n"
    project.page("guide/fog.md", body, qhaigc={"fog": {"prompt": "Fog", "alt": "Fog"}})
    return project


def prompts_in(pdf: Path, api: ImagesApi) -> set[str]:
    """Return the prompts whose images a PDF shows in full size, each by the colour that is nearest."""
    from pypdf import PdfReader

    def mean(image: Image.Image) -> list[float]:
        return list(ImageStat.Stat(image.convert("RGB")).mean)

    drawn = {prompt: mean(Image.open(io.BytesIO(data))) for prompt, (data,) in api.drawn.items()}
    found = set()
    for page in PdfReader(pdf).pages:
        for shown in page.images:
            assert shown.image is not None
            assert shown.image.size == (160, 120)
            colour = mean(shown.image)
            found.add(min(drawn, key=lambda name: sum(abs(a - b) for a, b in zip(drawn[name], colour, strict=True))))
    return found


LAUNCHES = """
import functools
from playwright.async_api import BrowserType

BrowserType.launch = functools.partialmethod(BrowserType.launch, executable_path={path!r})
"""
"""A hook that has the plugin, which takes the Chromium that playwright has downloaded, take the one that there is."""


@beside("exporter", READTHEDOCS, MATERIAL, PROPER_MATERIAL)  # the themes that the plugin supports
def test_a_pdf_of_each_page_shows_its_images_by_the_readme_s_recipe(site: Project, api: ImagesApi, column: str) -> None:
    chromium = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    hooks = {"launch.py": LAUNCHES.format(path=chromium), "pdf_images.py": documented_file("pdf_images.py")}
    site.config["hooks"] = [str(site.write(name, content)) for name, content in hooks.items()]
    site.config["plugins"] = ["search", {"exporter": {"formats": {"pdf": {"browser": {"args": ["--no-sandbox"]}}}}}]
    site.own_process = True
    built = build_both_ways(site, api, prompts=PROMPTS, same=False)
    for folder in (built.site, built.site.with_name("warm")):
        assert prompts_in(folder / "index.pdf", api) == {"A tower"}
        assert prompts_in(folder / "guide/fog/index.pdf", api) == {"Fog"}


@beside("with-pdf", MKDOCS, MATERIAL, PROPERDOCS, PROPER_MATERIAL)  # the themes that the plugin supports
def test_a_pdf_of_the_whole_site_shows_its_images(site: Project, api: ImagesApi, column: str) -> None:
    site.config["plugins"] = ["search", "with-pdf"]
    site.own_process = True
    built = build_both_ways(site, api, prompts=PROMPTS, same=False)
    for folder in (built.site, built.site.with_name("warm")):
        assert prompts_in(folder / "pdf/document.pdf", api) == {"A tower", "Fog"}
