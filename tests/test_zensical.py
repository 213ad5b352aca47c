"""Real builds with Zensical, after `mkdocs-qhaigc sync`."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from tests.api import ImagesApi, bytes_by_url, picture
from tests.conftest import Built, Project
from tests.engines import ZENSICAL, beside
from tests.pages import Element, broken_urls, elements

pytestmark = [
    pytest.mark.compatibility,
    pytest.mark.skipif(sys.version_info < (3, 11), reason="Zensical needs Python 3.11"),
]
ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")
REFERENCES = """
# Title

![A tower](qhaigc:hero) and ![](qhaigc:fog){ width=40 .right }

[to the picture](qhaigc:hero) [![](qhaigc:fog)](qhaigc:hero "Fog")

<figure><img src="qhaigc:hero" alt="raw"><figcaption>own</figcaption></figure>

<video poster="qhaigc:hero"></video>
<p style="background: url(qhaigc:fog)">behind</p>

![by day](qhaigc:hero#only-light) ![by night](qhaigc:pair)

| table | picture |
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
    """Return every element of a page that has to do with a picture of ours."""
    found = elements(built.html(page))
    return [element for element in found if any("assets/qhaigc/" in (v or "") for v in element.attributes.values())]


@beside("no other plugin", ZENSICAL)
@pytest.mark.parametrize("formats", [["webp"], ["avif", "jpeg"]])
@pytest.mark.parametrize("directory_urls", [True, False])
def test_references_become_what_mkdocs_makes_of_them(
    project: Project, api: ImagesApi, column: str, formats: list[str], directory_urls: bool
) -> None:
    api.default = bytes_by_url(picture("square", 80, 60, "WEBP"))
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
    for name in zensical.pictures():
        assert (zensical.site / "assets/qhaigc" / name).read_bytes() == (
            mkdocs.site / "assets/qhaigc" / name
        ).read_bytes()
