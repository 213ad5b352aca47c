"""The documentation as its readers see it: its own search, and the length and width of its pages."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.helpers.browser import visiting

if TYPE_CHECKING:
    from playwright.sync_api import Browser

pytestmark = pytest.mark.browser

LONGEST = 3 * 800
"""Pixels: three screens."""
RIGHT_PAGES = {
    "regenerate": ("preview/", "questions/"),
    "seed": ("questions/",),
    "negative prompt": ("questions/", "write-prompts/"),
    "transparent": ("questions/", "services/openai/"),
    "OpenAI": ("services/openai/",),
    "gpt-image": ("services/openai/",),
    "LocalAI": ("services/local/",),
    "Ollama": ("services/local/",),
    "cost": ("cost/",),
    "budget": ("cost/",),
    "forks": ("pull-requests/",),
    "GitLab": ("deploy/",),
    "LFS": ("keep-images/",),
    "dark mode": ("light-and-dark/",),
    "og:image": ("social-cards/",),
    "alt text": ("accessibility/",),
    "uninstall": ("moving/", "questions/"),
    "proxy": ("troubleshooting/network/", "services/local/"),
    "certificate": ("troubleshooting/network/", "services/local/"),
    "placeholder": ("preview/", "troubleshooting/images/", "troubleshooting/symptoms/"),
}
"""The page, or the pages, of which one must be found first."""


def test_search_finds_the_right_page_first(browser: Browser, documentation: Path) -> None:
    wrong = {}
    with visiting(browser, documentation, width=1280) as visit:
        for words, pages in RIGHT_PAGES.items():
            visit.open(f"?q={words}")
            first = visit.page.locator(".md-search-result__item > a").first
            first.wait_for(state="attached")
            found = (first.get_attribute("href") or "").removeprefix(f"{visit.server.origin}/").split("?")[0]
            if found.split("#")[0] not in pages:
                wrong[words] = found
    assert wrong == {}


def test_page_is_at_most_three_screens_long_and_no_wider_than_a_phone(browser: Browser, documentation: Path) -> None:
    pages = sorted(
        file.parent.relative_to(documentation).as_posix()
        for file in documentation.rglob("index.html")
        if "reference" not in file.parts
    )
    assert len(pages) > 30
    with visiting(browser, documentation, width=1280) as visit:
        lengths = {}
        sidebar = visit.page.locator(".md-sidebar__scrollwrap[style]").first
        for page in pages:
            visit.open(f"{page}/".removeprefix("./"))
            sidebar.wait_for(state="attached")  # before the theme's script it is as long as the navigation
            lengths[page] = visit.page.evaluate("document.documentElement.scrollHeight")
        assert visit.trouble == []
    with visiting(browser, documentation, width=390) as visit:
        widths = {}
        for page in pages:
            visit.open(f"{page}/".removeprefix("./"))
            widths[page] = visit.page.evaluate("document.documentElement.scrollWidth")
    assert {page: length for page, length in lengths.items() if length > LONGEST} == {}
    assert {page: width for page, width in widths.items() if width > 390} == {}
