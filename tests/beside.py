"""What tests of neighbours look for in a site: our pictures, whole, on every page that shows them."""

from __future__ import annotations

from pathlib import Path

from tests.conftest import Built, Project
from tests.engines import PROPER_MATERIAL, PROPERDOCS, READTHEDOCS
from tests.pages import broken_urls, elements

_OURS_LAST = (READTHEDOCS, PROPERDOCS, PROPER_MATERIAL)


def ours_last(column: str) -> bool:
    """Return whether our plugin is listed behind its neighbour, so that both orders are built in some columns."""
    return column in _OURS_LAST


def ours(html: str) -> list[dict[str, str | None]]:
    """Return the attributes of our pictures in some HTML, in its order."""
    found = [element.attributes for element in elements(html, "img")]
    return [attributes for attributes in found if "assets/qhaigc" in (attributes["src"] or "")]


def whole(html: str) -> list[tuple[str | None, str | None, str | None]]:
    """Return (alt, width, height) of our pictures in some HTML, all of which have what browsers choose from."""
    found = ours(html)
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
