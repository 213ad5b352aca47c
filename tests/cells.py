"""What tests of the table's rows share: a site built cold and warm, and what has to be true beside any plugin."""

from __future__ import annotations

import json
import re
from typing import Any

from tests.api import ImagesApi
from tests.conftest import Built, Project
from tests.pages import broken_urls, elements

_CODE = re.compile(r"<(code|pre|script)\b.*?</\1>", re.DOTALL)


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
    """Our pictures are there, described and in their sizes; every address leads somewhere; no reference is left."""
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
    """Return the attributes of our pictures on a page, in its order."""
    return ours_of(built.html(page))


def alts(built: Built, page: str = "index.html") -> list[str | None]:
    """Return how our pictures on a page are described, in its order."""
    return [img["alt"] for img in ours(built, page)]


def ours_of(html: str) -> list[dict[str, str | None]]:
    """Return the attributes of our pictures in some HTML."""
    found = [element.attributes for element in elements(html, "img")]
    return [attributes for attributes in found if "assets/qhaigc" in (attributes.get("src") or "")]


def hero(prompt: str, alt: str, **fields: Any) -> dict[str, Any]:
    """Return a front matter's directives: one picture."""
    return {"hero": {"prompt": prompt, "alt": alt, **fields}}


def _differences(one: Built, other: Built) -> list[str]:
    """Return the files that are not the same in both sites; a sitemap's compressed twin tells the time."""
    first, second = one.digest(), other.digest()
    names = sorted(first.keys() | second.keys())
    return [name for name in names if name != "sitemap.xml.gz" and first.get(name) != second.get(name)]
