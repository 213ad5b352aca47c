"""How the studio stands in a site's page: accessible, in light and dark, on a phone, and each apart from the other."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.conftest import Project
from tests.helpers.studio_window import Window, studio, window
from tests.studio.test_page import THEMES, write

if TYPE_CHECKING:
    from playwright.sync_api import Browser

pytestmark = pytest.mark.browser

SCREENS = [(1280, False), (1280, True), (390, False), (390, True)]
SMALL_TARGETS = """() => {
  const root = document.querySelector("qhaigc-studio")?.shadowRoot ?? document;
  return [...root.querySelectorAll("button, input:not([type=checkbox]), select, a[href]")]
    .filter((one) => one.checkVisibility() && !one.closest(".badges") && !one.closest("p"))
    .map((one) => [one.outerHTML.slice(0, 120), one.getBoundingClientRect()])
    .filter(([, box]) => box.height < 43.5 || box.width < 43.5)
    .map(([html, box]) => `${box.width} x ${box.height}: ${html}`);
}"""
HOSTILE = """
* { box-sizing: content-box; text-transform: uppercase !important; }
button, div, section, p, h2, dl, label, textarea, img {
  all: unset !important; display: block !important; background: red !important; font: 60px/3 serif !important;
}
qhaigc-studio { display: none !important; opacity: 0 !important; transform: scale(3) !important; }
"""


@pytest.mark.parametrize(("width", "dark"), SCREENS)
@pytest.mark.parametrize("theme", THEMES)
def test_axe_finds_nothing_of_the_studio(
    project: Project, browser: Browser, theme: str, width: int, dark: bool
) -> None:
    schemes = [
        {"media": f"(prefers-color-scheme: {name})", "scheme": scheme}
        for name, scheme in (("light", "default"), ("dark", "slate"))
    ]
    project.config["theme"] = {**THEMES[theme], **({"palette": schemes} if theme == "material" else {})}
    write(project)
    with studio(project) as server, window(browser, server, width=width, dark=dark) as tab:
        tab.page.goto(server.origin)
        own = {text.partition(" Fix")[0] for text in tab.violations()}  # the theme's

        def check(where: str) -> None:
            found = {text for text in tab.violations() if text.partition(" Fix")[0] not in own}
            assert not found, (where, found)
            if width == 390:
                assert tab.page.evaluate(SMALL_TARGETS) == [], where

        tab.open("/?again")
        tab.page.locator(".badge").first.wait_for(state="attached")
        check("page")
        tab.page.locator(".corner").click()
        check("list")
        tab.press("Escape")
        tab.open_drawer("hero")
        tab.page.get_by_role("button", name="One more").click()
        tab.frames(2).last.click()
        check("drawer")
        tab.page.get_by_role("button", name="Side by side").click()
        check("side by side")
        tab.page.get_by_role("button", name="Side by side").click()
        tab.page.get_by_role("button", name="Edit").click()
        tab.page.get_by_label("Prompt").fill("A lighthouse at dawn")
        check("edit")
        tab.page.get_by_role("button", name="Save").click()
        tab.page.get_by_role("button", name="Write it").wait_for()
        check("diff")
        tab.page.get_by_role("button", name="Back").click()
        tab.page.get_by_role("button", name="History").click()
        check("history")
        assert not tab.trouble


LIGHTNESS = """(element) => {
  const [red, green, blue] = getComputedStyle(element).backgroundColor.match(/[\\d.]+/g).map(Number);
  return (0.299 * red + 0.587 * green + 0.114 * blue) / 255;
}"""


@pytest.mark.parametrize("dark", [False, True])
def test_the_studio_is_light_or_dark_as_its_page_is(project: Project, browser: Browser, dark: bool) -> None:
    schemes = [
        {"scheme": scheme, "toggle": {"icon": "material/weather-night", "name": f"Not {scheme}"}}
        for scheme in ("default", "slate")
    ]
    project.config["theme"] = {**THEMES["material"], "palette": schemes}
    write(project)
    with studio(project) as server, window(browser, server, dark=dark) as tab:

        def is_dark(*parts: str) -> set[bool]:
            return {bool(tab.page.locator(part).first.evaluate(LIGHTNESS) < 0.5) for part in parts}

        page = ("body", "qhaigc-studio .corner", ".drawer")
        tab.open()
        tab.open_drawer("hero")
        assert is_dark(*page) == {False}  # as the palette says, whatever the reader's system does
        tab.press("Escape")
        tab.page.locator("label[title='Not default']").click()
        tab.wait(lambda: is_dark("body") == {True})
        tab.open_drawer("hero")
        tab.wait(lambda: is_dark(*page) == {True})
        tab.open("/-/qhaigc/?again")
        tab.page.locator(".cards .open").first.click()
        tab.drawer.locator(".buys button").first.wait_for()
        assert is_dark("html", ".cards > li", ".drawer") == {dark}
        assert not tab.trouble


def geometry(tab: Window) -> object:
    return tab.page.evaluate(
        """async () => {
          document.querySelectorAll("img").forEach((img) => (img.loading = "eager"));
          while ([...document.images].some((img) => !img.complete)) await new Promise((done) => setTimeout(done, 20));
          return [document.documentElement.scrollWidth, document.documentElement.scrollHeight,
            ...[...document.body.querySelectorAll("*")].map((one) => JSON.stringify(one.getBoundingClientRect()))];
        }"""
    )


@pytest.mark.parametrize("theme", THEMES)
def test_neither_changes_the_other(project: Project, browser: Browser, theme: str) -> None:
    project.config["theme"] = THEMES[theme]
    write(project)
    with studio(project) as server, window(browser, server) as tab:
        tab.page.goto(server.origin)
        without = geometry(tab)
        tab.open("/?again")
        tab.page.locator(".badge").first.wait_for(state="attached")
        assert geometry(tab) == without

        tab.open_drawer("hero")
        looks = """(element) => { const style = getComputedStyle(element); const box = element.getBoundingClientRect();
          return [style.font, style.backgroundColor, style.textTransform, style.display, Math.round(box.width),
            Math.round(box.height)]; }"""
        parts = [".drawer", ".drawer h2", ".buys button", ".facts dd"]
        before = [tab.page.locator(part).first.evaluate(looks) for part in parts]
        tab.page.add_style_tag(content=HOSTILE)
        assert [tab.page.locator(part).first.evaluate(looks) for part in parts] == before
        assert tab.page.locator(".corner").is_visible()


def test_a_style_sheet_that_unsets_all_and_hides_buttons_leaves_the_studio_alone(
    project: Project, browser: Browser
) -> None:
    write(project)
    looks = """(element) => { const style = getComputedStyle(element);
      return [style.font, style.color, style.backgroundColor, style.display, style.position]; }"""
    parts = [".corner", ".drawer", ".drawer h2", ".buys button", ".facts dd"]
    seen = []
    for style in ("", "* {all: unset !important} button {display: none !important}"):
        project.write("docs/own.css", style)
        project.config["extra_css"] = ["own.css"]
        with studio(project) as server, window(browser, server) as tab:
            tab.open()
            tab.open_drawer("hero")
            seen.append([tab.page.locator(part).first.evaluate(looks) for part in parts])
            tab.page.get_by_role("button", name="One more").click()
            tab.frames(2)
            assert not tab.trouble
    assert seen[0] == seen[1]


@pytest.mark.parametrize("theme", THEMES)
def test_the_page_is_seen_at_a_phone_s_width_and_in_the_dark(project: Project, browser: Browser, theme: str) -> None:
    more: dict[str, dict[str, object]] = {
        "mkdocs": {"color_mode": "auto"},
        "material": {"palette": {"scheme": "default"}},
    }
    project.config["theme"] = {**THEMES[theme], **more.get(theme, {})}
    write(project)
    with studio(project) as server, window(browser, server) as tab:
        tab.expected = ("setColorMode",)  # MkDocs' theme fails without highlight.js, after it has set the scheme
        tab.open()
        tab.open_drawer("hero")
        tab.page.get_by_role("button", name="One more").click()
        tab.frames(2).last.click()
        tab.press("p")
        frame = tab.page.frame_locator("iframe")
        inner = frame.locator('img[alt="A lighthouse"]')
        tab.wait(lambda: "/-/qhaigc/as/" in (inner.get_attribute("src") or ""))
        assert frame.locator("html").evaluate("() => innerWidth") == 390
        assert frame.locator("qhaigc-studio").count() == 0  # the studio is mute there
        light = frame.locator("body").evaluate("(body) => getComputedStyle(body).backgroundColor")
        tab.press("l")
        if theme != "readthedocs":  # which is light always
            changed = "(body, light) => getComputedStyle(body).backgroundColor !== light"
            tab.wait(lambda: frame.locator("body").evaluate(changed, light))
        tab.press("d")
        tab.wait(lambda: frame.locator("html").evaluate("() => innerWidth") == 1280)
        tab.press("d", "l", "l")
        tab.wait(lambda: tab.page.locator("iframe").count() == 0)
        assert not tab.trouble


@pytest.mark.parametrize("width", [1280, 390])
def test_the_drawer_leaves_the_image_in_sight_and_the_page_whole(
    project: Project, browser: Browser, width: int
) -> None:
    project.config["theme"] = THEMES["material"]
    write(project)
    with studio(project) as server, window(browser, server, width=width) as tab:
        tab.open()
        tab.run_script()
        before = geometry(tab)
        tab.open_drawer("boat")
        inside = tab.page.locator('img[alt="A boat"]').first.evaluate(
            """(img) => { const box = img.getBoundingClientRect();
              const drawer = document.querySelector("qhaigc-studio").shadowRoot.querySelector(".drawer");
              const [right, bottom] = innerWidth < 900 ? [innerWidth, innerHeight - drawer.offsetHeight]
                : [innerWidth - drawer.offsetWidth, innerHeight];
              return box.left >= 0 && box.top >= 0 && box.right <= right && box.bottom <= bottom; }"""
        )
        assert inside
        assert tab.page.evaluate("scrollX") == 0  # the page's left side is there
        assert tab.page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        tab.press("Escape")
        tab.wait(lambda: geometry(tab) == before)  # when the theme has moved its title


@pytest.mark.parametrize("width", [1280, 390])
def test_the_list_is_above_the_badges_and_its_numbers_are_in_sight(
    project: Project, browser: Browser, width: int
) -> None:
    names = [f"boat{number}" for number in range(9)]
    shown = "\n\n".join(f"![](qhaigc:{name})" for name in names)
    images = {name: {"prompt": name, "alt": name} for name in names}
    project.page("index.md", shown, qhaigc=images)
    with studio(project) as server, window(browser, server, width=width) as tab:
        tab.open()
        tab.page.locator(".badge.always").nth(8).wait_for(state="attached")
        tab.page.locator(".corner").click()
        covered = tab.page.evaluate(
            """() => {
              const root = document.querySelector("qhaigc-studio").shadowRoot;
              const panel = root.querySelector(".panel");
              const box = panel.getBoundingClientRect();
              const covered = [];
              for (let y = box.top + 4; y < box.bottom; y += 8) for (let x = box.left + 4; x < box.right; x += 8) {
                const top = root.elementFromPoint(x, y);
                if (!panel.contains(top)) covered.push(top?.className);
              }
              return covered;
            }"""
        )
        assert covered == []
        for part in (tab.page.get_by_role("link", name="Review all images"), tab.page.get_by_text("Budget left")):
            box = part.bounding_box()
            assert box is not None
            assert box["y"] >= 0
            assert part.evaluate(
                """(element) => { const box = element.getBoundingClientRect();
                  return element.contains(element.getRootNode().elementFromPoint(box.left + 4, box.top + 4)); }"""
            )
        assert not tab.trouble
