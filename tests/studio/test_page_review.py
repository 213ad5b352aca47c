"""The studio's review of all images, in real Chromium beside a real `mkdocs serve`. Run by `pytest -m browser`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.conftest import Project
from tests.helpers.studio_window import studio, window
from tests.studio.test_page import write
from tests.studio.test_page_looks import SCREENS, SMALL_TARGETS

if TYPE_CHECKING:
    from playwright.sync_api import Browser

pytestmark = pytest.mark.browser

MANY = 2000


def test_images_are_approved_by_the_keyboard_and_pinned(project: Project, browser: Browser) -> None:
    write(project)
    pins = project.folder / "generated-images"
    with studio(project) as server, window(browser, server) as tab:
        tab.open("/-/qhaigc/")
        cards = tab.page.locator(".cards > li")
        tab.wait(lambda: cards.count() == 3)
        tab.press("j", "a")
        cards.and_(tab.page.locator("[data-review=approved]")).first.wait_for()
        tab.press("j", "r")
        cards.and_(tab.page.locator("[data-review=rejected]")).first.wait_for()
        tab.press("j", "a")
        pin = tab.page.get_by_role("button", name="Pin all approved (2)")
        pin.click()
        tab.page.get_by_text("2 images are pinned").wait_for()
        tab.wait(lambda: cards.locator(".state", has_text="Pinned").count() == 2)
        assert len(list(pins.glob("*.json"))) == 2

        tab.page.get_by_role("button", name="Unpinned").click()
        tab.wait(lambda: tab.page.locator(".cards > li:visible").count() == 1)
        tab.page.get_by_role("button", name="All 3").click()
        tab.page.locator("#search").fill("gull")
        tab.wait(lambda: tab.page.locator(".cards > li:visible").count() == 1)
        tab.press("ArrowDown", "Enter")
        tab.drawer.locator("h2", has_text="gull").wait_for()
        tab.page.get_by_role("button", name="One more").click()
        tab.frames(2)
        tab.press("Escape")
        tab.wait(tab.drawer.is_hidden)
        tab.page.locator(".cards > li:visible a").first.click()
        tab.page.wait_for_url(f"{server.origin}/other/")
        assert not tab.trouble


def test_what_is_missing_is_bought_at_once(project: Project, browser: Browser) -> None:
    write(project, bought=False)
    with studio(project) as server, window(browser, server) as tab:
        tab.open("/-/qhaigc/")
        tab.page.get_by_role("button", name="Buy 3 missing").click()
        tab.wait(lambda: tab.page.locator(".cards .state", has_text="New").count() == 3)
        tab.wait(lambda: "3 images" in tab.page.locator(".bar").inner_text())
        assert not tab.trouble


@pytest.mark.parametrize(("width", "dark"), SCREENS)
def test_axe_finds_nothing(project: Project, browser: Browser, width: int, dark: bool) -> None:
    write(project)
    project.page("bare.md", "![](qhaigc:bare)", qhaigc={"bare": "A tower", "unused": "[refuse] a tower"})
    with studio(project) as server, window(browser, server, width=width, dark=dark) as tab:
        tab.page.goto(f"{server.origin}/-/qhaigc/")
        assert not tab.violations()  # without the token
        tab.open("/-/qhaigc/?again")
        tab.page.locator(".cards > li").first.wait_for()
        assert not tab.violations()
        tab.page.locator(".cards .open").first.click()
        tab.drawer.locator(".buys button").first.wait_for()
        assert not tab.violations()
        if width == 390:
            assert tab.page.evaluate(SMALL_TARGETS) == []
        assert not tab.trouble


def test_the_review_stays_quick_with_many_images(project: Project, browser: Browser) -> None:
    for page in range(20):
        names = {f"image{number}": f"A boat, {page} {number}" for number in range(MANY // 20)}
        project.page(f"page{page}.md", "# Boats", qhaigc=names)  # which show none: their build is quick
    project.page("index.md", "# Home")
    with studio(project) as server, window(browser, server) as tab:
        tab.open("/-/qhaigc/")
        tab.wait(lambda: tab.page.locator(".cards > li").count() == MANY)
        took = tab.page.evaluate(
            """async () => {
              const painted = () => new Promise((done) => requestAnimationFrame(() => setTimeout(done)));
              const search = document.querySelector("#search");
              const start = performance.now();
              search.value = "boat, 7 1";
              search.dispatchEvent(new Event("input"));
              await painted();
              return performance.now() - start;
            }"""
        )
        assert took < 5000  # milliseconds; about 60 on an idle machine
        assert tab.page.locator(".cards > li:visible").count() < MANY
        assert not tab.trouble
