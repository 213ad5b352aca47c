"""What tests of neighbours share: a site built cold and warm, and what has to be true of it beside any plugin."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

from tests.conftest import Built, Project
from tests.helpers.api import ImagesApi
from tests.helpers.engines import PROPER_MATERIAL, PROPERDOCS, READTHEDOCS
from tests.helpers.pages import broken_urls, elements

_CODE = re.compile(r"<(code|pre|script)\b.*?</\1>", re.DOTALL)
_OURS_LAST = (READTHEDOCS, PROPERDOCS, PROPER_MATERIAL)


def ours_last(column: str) -> bool:
    """Return whether our plugin is listed behind its neighbour, so that both orders are built in some columns."""
    return column in _OURS_LAST


def whole(html: str) -> list[tuple[str | None, str | None, str | None]]:
    """Return (alt, width, height) of our images in some HTML, all of which have what browsers choose from."""
    found = ours_of(html)
    assert all(attributes.get("srcset") and attributes.get("sizes") for attributes in found), found
    assert "data-qhaigc-formats" not in html
    return [(attributes["alt"], attributes["width"], attributes["height"]) for attributes in found]


def build_twice(project: Project, *arguments: str) -> tuple[Built, Built]:
    """Return a cold and a warm build, both of which are whole sites."""
    cold, warm = (project.build(*arguments, site=site) for site in ("cold", "warm"))
    for built in (cold, warm):
        assert built.code == 0, built.output
        assert unresolved(built.site) == []
        assert broken_urls(built.site, project.config["site_url"]) == []
    assert "generated" in cold.summary
    assert "generated" not in warm.summary
    return cold, warm


def unresolved(site: Path) -> list[str]:
    """Return the files of a site that say `qhaigc:` somewhere; our style sheet's figures are `:where(.qhaigc)`."""
    files = sorted(path for path in site.rglob("*") if path.is_file() and path.name != "qhaigc.css")
    return [str(path.relative_to(site)) for path in files if b"qhaigc:" in path.read_bytes()]


def build_both_ways(
    project: Project, api: ImagesApi, *, prompts: list[str], warnings: int = 0, same: bool = True
) -> Built:
    """Build cold with ours as the first plugin and warm with ours as the last one; return the first.

    Each of `prompts` is bought once, and everything that holds beside any plugin is looked at. `same`: whether both
    builds give the same bytes, as they do where the other plugin's own output depends on nothing else.
    """
    cold = build_in_order(project, first=True, site="cold", strict=not warnings)
    assert sorted(api.prompts) == sorted(prompts), cold.output
    warm = build_in_order(project, first=False, site="warm", strict=not warnings)
    for built in (cold, warm):
        assert built.code == 0, built.output
        assert len(built.warnings) == warnings, built.output
        assert_whole(built)
    assert len(api.calls) == len(prompts), warm.output
    assert [differing for differing in _differences(cold, warm) if same] == []
    return cold


def build_in_order(project: Project, *, first: bool, site: str = "site", strict: bool = True) -> Built:
    """Build with ours as the first plugin, or as the last one."""
    plugins = [{"qhaigc": project.options}, *project.config.get("plugins", ["search"])]
    if not first:
        plugins = [*plugins[1:], plugins[0]]
    project.yaml = json.dumps({**project.config, "plugins": plugins}, ensure_ascii=False)
    try:
        return project.build(*(["--strict"] if strict else []), site=site)
    finally:
        project.yaml = None


def assert_whole(built: Built) -> None:
    """Our images are there, described and in their sizes; every address leads somewhere; no reference is left."""
    assert broken_urls(built.site) == []
    for page in sorted(built.site.rglob("*.html")):
        html = page.read_text(encoding="utf-8")
        assert "qhaigc:" not in _CODE.sub("", html), page
        for img in ours_of(html):
            assert img.get("alt"), img
            assert (img["width"] or "").isdecimal(), img
            assert (img["height"] or "").isdecimal(), img
            assert img.get("srcset"), img


def ours(built: Built, page: str = "index.html") -> list[dict[str, str | None]]:
    """Return the attributes of our images on a page, in its order."""
    return ours_of(built.html(page))


def alts(built: Built, page: str = "index.html") -> list[str | None]:
    """Return how our images on a page are described, in its order."""
    return [img["alt"] for img in ours(built, page)]


def ours_of(html: str) -> list[dict[str, str | None]]:
    """Return the attributes of our images in some HTML."""
    found = [element.attributes for element in elements(html, "img")]
    return [attributes for attributes in found if "assets/qhaigc" in (attributes.get("src") or "")]


def hero(prompt: str, alt: str, **fields: Any) -> dict[str, Any]:
    """Return a front matter's directives: one image."""
    return {"hero": {"prompt": prompt, "alt": alt, **fields}}


def documented_file(name: str) -> str:
    """Return a Python file that a page about other plugins gives."""
    pages = sorted((Path(__file__).parents[2] / "docs/plugins").glob("*.md"))
    text = "".join(page.read_text(encoding="utf-8") for page in pages)
    (found,) = re.findall(rf'^```python title="{re.escape(name)}"\n(.*?)^```$', text, re.DOTALL | re.MULTILINE)
    return str(found)


def _differences(one: Built, other: Built) -> list[str]:
    """Return the files that are not the same in both sites; a sitemap's compressed twin tells the time."""
    first, second = one.digest(), other.digest()
    names = sorted(first.keys() | second.keys())
    return [name for name in names if name != "sitemap.xml.gz" and first.get(name) != second.get(name)]
