"""The studio on a site's pages, in real Chromium beside a real `mkdocs serve`. Run by `pytest -m browser`."""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import pytest

from mkdocs_qhaigc.sandbox import Sandbox
from tests.conftest import Project
from tests.helpers.api import ImagesApi
from tests.helpers.serving import serving
from tests.helpers.studio_window import Window, studio, window

if TYPE_CHECKING:
    from playwright.sync_api import Browser

pytestmark = pytest.mark.browser

THEMES: dict[str, dict[str, Any]] = {
    "mkdocs": {"name": "mkdocs", "highlightjs": False},  # else it loads highlight.js from elsewhere
    "readthedocs": {"name": "readthedocs", "highlightjs": False},
    "material": {"name": "material", "font": False, "features": ["navigation.instant"]},
}
PAGE = """---
qhaigc:
  hero:
    prompt: A lighthouse in fog   # the first one
    alt: A lighthouse
  boat: {prompt: A red boat, alt: A boat}
---
# Harbour

![](qhaigc:hero)

Words of a long text.

![](qhaigc:boat)
"""


def write(project: Project, *, bought: bool = True, **options: Any) -> None:
    """Write a site of two pages; its images are there already, unless they are not `bought`."""
    project.write("docs/index.md", PAGE)
    project.page("other.md", "# Other\n\n![](qhaigc:gull)\n", qhaigc={"gull": {"prompt": "A gull", "alt": "A gull"}})
    project.options |= {"size": "320x180", "formats": ["avif", "webp"], "widths": [160], **options}
    if bought:
        with Sandbox() as sandbox:
            project.options["base_url"] = sandbox.base_url
            given, project.options["max_new_images"] = project.options.get("max_new_images", 25), 25
            built = project.build()
            project.options["max_new_images"] = given
            assert built.code == 0, built.output


def changed_lines(before: str, after: str) -> list[str]:
    lines = difflib.unified_diff(before.splitlines(), after.splitlines(), n=0, lineterm="")
    return [line for line in lines if line[0] in "+-" and line[:3] not in ("+++", "---")]


@pytest.mark.parametrize("theme", THEMES)
def test_from_the_link_to_a_picked_variant_and_back(project: Project, browser: Browser, theme: str) -> None:
    project.config["theme"] = THEMES[theme]
    write(project)
    page = project.docs / "index.md"
    before = page.read_bytes()
    with studio(project) as server, window(browser, server) as tab:
        tab.open()
        assert tab.page.url == f"{server.origin}/"  # the token is no longer in the address
        own = tab.markup("A lighthouse")
        tab.mark()
        tab.open_drawer("hero")
        tab.page.get_by_role("button", name="Four more").click()
        frames = tab.frames(5)
        assert tab.is_marked()  # they arrived without a reload
        assert page.read_bytes() == before

        frames.first.click()
        tab.press("ArrowRight", "ArrowRight")
        assert frames.nth(2).get_attribute("aria-selected") == "true"
        assert "/-/qhaigc/as/" in tab.loaded("A lighthouse")
        assert "/-/qhaigc/as/" not in tab.markup("A boat")
        tab.press("Space")
        assert tab.page.locator(".compare img").count() == 2
        tab.press("Escape", "Escape")
        assert tab.page.locator(".compare").is_hidden()
        assert tab.markup("A lighthouse") == own  # the original markup

        tab.press("End", "ArrowLeft", "Enter")
        tab.wait(lambda: page.read_bytes() != before)
        picked = changed_lines(before.decode(), page.read_text())
        assert picked == ["+    variant: 4"]
        tab.wait_for_reload()  # the site was built again
        tab.drawer.locator(".frame", has_text="in use").wait_for()
        assert tab.drawer.locator(".frame", has_text="in use").inner_text().startswith("4")
        assert tab.loaded("A lighthouse").split("/")[-1] in server.page()

        tab.press("u")
        tab.wait(lambda: page.read_bytes() == before)
        tab.drawer.locator(".frame", has_text="in use").filter(has_text="1").wait_for()
        assert not tab.trouble


def try_prompt(tab: Window, prompt: str) -> None:
    """Type another prompt into the drawer, and buy an image of it."""
    tab.press("e")
    tab.page.get_by_label("Prompt").fill(prompt)
    tab.page.get_by_role("button", name="Try").click()


def test_a_prompt_is_tried_without_writing_then_saved_and_taken_back(project: Project, browser: Browser) -> None:
    write(project)
    page = project.docs / "index.md"
    before = page.read_bytes()
    with studio(project) as server, window(browser, server) as tab:
        tab.open()
        tab.open_drawer("hero")
        try_prompt(tab, "A lighthouse at dawn")
        tab.frames(2)
        assert page.read_bytes() == before
        assert "/-/qhaigc/as/" in tab.loaded("A lighthouse")

        tab.press("Enter")
        diff = tab.page.locator(".diff")
        assert "A lighthouse at dawn" in diff.locator(".added").inner_text()
        assert page.read_bytes() == before
        tab.press("Enter")
        tab.wait(lambda: page.read_bytes() != before)
        assert changed_lines(before.decode(), page.read_text()) == [
            "-    prompt: A lighthouse in fog   # the first one",
            "+    prompt: A lighthouse at dawn   # the first one",
        ]
        tab.wait(lambda: "in use" in tab.page.locator(".strip").inner_text() and len(server.page()) > 0)

        server.wait_until_quiet(1)
        tab.press("h")
        past = tab.page.locator(".past li", has_text="A lighthouse in fog")
        past.get_by_role("button", name="Take back").click()
        assert "A lighthouse in fog" in diff.locator(".added").inner_text()
        tab.page.get_by_role("button", name="Write it").click()
        tab.wait(lambda: page.read_bytes() == before)
        assert not tab.trouble


def test_each_button_of_a_site_with_the_sandbox_says_that_it_is_free(project: Project, browser: Browser) -> None:
    write(project, bought=False, base_url="sandbox", serve_buys="ask")
    free = "free in the sandbox"
    with serving(project) as server:
        server.wait_for_studio()
        with window(browser, server) as tab:
            tab.open()
            tab.open_drawer("hero")
            buys = tab.page.locator(".buys button")
            assert [text.split("\n")[-1] for text in buys.all_inner_texts()] == [free, free]
            assert free in tab.drawer.get_by_role("button", name="Buy it").inner_text()
            tab.press("e")
            attempt = tab.drawer.get_by_role("button", name="Try")
            tab.page.get_by_label("Size").fill("640x360")
            tab.wait(lambda: attempt.inner_text().endswith(free))
            tab.page.goto(f"{server.origin}/-/qhaigc/")
            assert tab.page.get_by_role("button", name="Buy 3 missing").inner_text().endswith(free)
            assert not tab.trouble


def test_each_button_that_buys_has_its_price(project: Project, api: ImagesApi, browser: Browser) -> None:
    write(project, bought=False, base_url=api.base_url, serve_buys="ask")
    project.options["prices"] = {"qh-draw-x2-preview": {"320x180": 0.04, "default": 0.05}, "other": 0.3}
    with serving(project) as server:
        server.wait_for_studio()
        with window(browser, server) as tab:
            tab.expected = ("400",)
            tab.open()
            tab.open_drawer("hero")
            buys = tab.page.locator(".buys button")
            assert [text.split("\n")[-1] for text in buys.all_inner_texts()] == ["0.04", "0.16"]
            assert "0.04" in tab.drawer.get_by_role("button", name="Buy it").inner_text()
            tab.press("e")
            attempt = tab.drawer.get_by_role("button", name="Try")
            tab.page.get_by_label("Prompt").fill("A lighthouse at dawn")
            tab.wait(lambda: attempt.inner_text().endswith("0.04"))
            tab.page.get_by_label("Size").fill("640x360")
            tab.wait(lambda: attempt.inner_text().endswith("0.05"))
            tab.page.get_by_label("Size").fill("640")
            tab.wait(lambda: attempt.inner_text().endswith("a call to qh-draw-x2-preview"))
            tab.page.get_by_label("Size").fill("")
            tab.page.get_by_label("Model").fill("other")
            tab.wait(lambda: attempt.inner_text().endswith("0.30"))
            tab.page.goto(f"{server.origin}/-/qhaigc/")
            buy = tab.page.get_by_role("button", name="Buy 3 missing")
            assert buy.inner_text().endswith("0.12")
            assert not tab.trouble
    assert api.calls == []


def test_undo_by_its_key_is_not_typed_into_a_field(project: Project, browser: Browser) -> None:
    write(project)
    page = project.docs / "index.md"
    texts = [page.read_text()]
    with studio(project) as server, window(browser, server) as tab:
        tab.expected = ("404",)  # a page may ask for its file while the next build takes it away
        tab.open()
        tab.open_drawer("hero")
        prompt = tab.page.get_by_label("Prompt")
        tab.press("e")
        for words in ("A lighthouse at dawn", "A lighthouse at noon"):
            prompt.fill(words)
            tab.press("Control+Enter")
            tab.page.get_by_role("button", name="Write it").wait_for()
            tab.mark()
            tab.press("Enter")
            tab.wait_for_reload()
            tab.drawer.get_by_role("button", name="Undo").wait_for()
            tab.wait(lambda: tab.page.evaluate("document.activeElement.localName") == "qhaigc-studio")
            texts.append(page.read_text())
        assert len(set(texts)) == 3
        while len(texts) > 1:
            tab.mark()
            tab.press("u")
            tab.wait_for_reload()
            tab.wait(lambda: tab.page.evaluate("document.activeElement.localName") == "qhaigc-studio")
            del texts[-1]
            assert page.read_text() == texts[-1]
        assert "u" not in prompt.input_value().removeprefix("A lighthouse")
        assert prompt.input_value() == "A lighthouse in fog"
        assert not tab.trouble


def test_a_missing_image_says_why_is_bought_and_swapped_in_without_a_build(project: Project, browser: Browser) -> None:
    write(project, bought=False)
    with studio(project) as server, window(browser, server) as tab:
        tab.open()
        badge = tab.page.locator(".badge", has_text="hero")
        assert "It is not bought yet" in badge.inner_text()
        assert "Buy it" in badge.inner_text()
        assert badge.evaluate("(element) => getComputedStyle(element).opacity") == "1"
        tab.open_drawer("hero")
        tab.drawer.get_by_role("button", name="Buy it").click()
        tab.page.locator(".badge", has_text="Being made").wait_for()
        assert tab.drawer.get_by_role("button", name="Buy it").count() == 0
        tab.page.locator(".badge", has_text="New").wait_for()
        tab.wait(lambda: "/-/qhaigc/as/" in tab.markup("A lighthouse"))
        assert tab.loaded("A lighthouse")
        assert "Placeholder" not in tab.markup("A lighthouse")
        assert server.builds == 1
        assert not tab.trouble


def test_a_refused_prompt_says_so_and_is_not_lost(project: Project, browser: Browser) -> None:
    write(project)
    with studio(project) as server, window(browser, server) as tab:
        tab.open()
        tab.open_drawer("boat")
        try_prompt(tab, "[refuse] a red boat")
        tab.page.locator(".strip .frame[data-state=failed]").wait_for()
        assert "safety system" in tab.notice.inner_text()
        tab.press("e")
        assert tab.page.get_by_label("Prompt").input_value() == "[refuse] a red boat"
        assert not tab.trouble


def test_the_budget_of_a_run_is_reached_and_raised(project: Project, browser: Browser) -> None:
    write(project, max_new_images=2)
    with studio(project) as server, window(browser, server) as tab:
        tab.expected = ("409",)  # Chromium notes each answer that is an error
        tab.open()
        tab.open_drawer("hero")
        tab.page.get_by_role("button", name="Four more").click()
        tab.wait(lambda: "max_new_images" in tab.notice.inner_text())
        assert tab.notice.locator("code").inner_text() == "max_new_images"
        tab.page.get_by_role("button", name="Raise it by 10").click()
        tab.wait(lambda: "12 images" in tab.notice.inner_text())
        tab.page.get_by_role("button", name="Four more").click()
        tab.frames(5)
        assert not tab.trouble


def test_what_is_typed_outlives_an_edit_of_the_file_and_the_reload(project: Project, browser: Browser) -> None:
    write(project)
    page = project.docs / "index.md"
    with studio(project) as server, window(browser, server) as tab:
        tab.expected = ("409",)
        tab.open()
        tab.open_drawer("hero")
        tab.press("e")
        tab.page.get_by_label("Prompt").fill("A lighthouse at dawn")
        tab.mark()
        page.write_text(PAGE.replace("Words of a long text.", "Other words."))
        tab.wait_for_reload()
        prompt = tab.page.get_by_label("Prompt")
        prompt.wait_for()
        assert prompt.input_value() == "A lighthouse at dawn"
        tab.wait(lambda: prompt.evaluate("(element) => element.getRootNode().activeElement === element"))

        tab.press("Control+Enter")
        tab.page.get_by_role("button", name="Write it").wait_for()
        edited = page.read_text().replace("Other words.", "Words of an editor.")
        tab.mark()
        page.write_text(edited)  # behind the back of the difference that is shown
        tab.page.get_by_role("button", name="Write it").click()
        said = "Look at it as it is now, and repeat. What you typed is still in the fields"
        tab.wait(lambda: said in tab.notice.inner_text())
        assert page.read_text() == edited
        assert prompt.input_value() == "A lighthouse at dawn"

        tab.wait_for_reload()
        prompt.wait_for()
        assert prompt.input_value() == "A lighthouse at dawn"
        tab.wait(lambda: said in tab.notice.inner_text())  # the reload follows at once
        tab.page.get_by_role("button", name="Save").click()
        tab.page.get_by_role("button", name="Write it").click()
        tab.wait(lambda: "A lighthouse at dawn" in page.read_text())
        assert "Words of an editor." in page.read_text()
        assert not tab.trouble


def test_what_one_tab_picks_the_other_shows(project: Project, browser: Browser) -> None:
    write(project)
    page = project.docs / "index.md"
    with studio(project) as server, window(browser, server) as one, window(browser, server) as other:
        for tab in (one, other):
            tab.expected = ("404",)  # a page may ask for its file while the next build takes it away
            tab.open()
            tab.open_drawer("hero")
        one.page.get_by_role("button", name="One more").click()
        one.frames(2)
        other.frames(2)
        one.page.locator(".frame").nth(1).click()
        one.press("Enter")
        one.wait(lambda: "variant: 2" in page.read_text())
        for tab in (one, other):
            tab.drawer.locator(".frame", has_text="in use").filter(has_text="2").wait_for()
        server.wait_until_quiet(1)
        other.frames(2)
        other.page.locator(".frame").first.click()
        other.press("Enter")
        other.wait(lambda: "variant: 2" not in page.read_text())
        one.drawer.locator(".frame", has_text="in use").filter(has_text="1").wait_for()
        assert not one.trouble
        assert not other.trouble


def test_pages_without_the_token_show_and_ask_for_nothing(project: Project, browser: Browser) -> None:
    write(project)
    with studio(project) as server, window(browser, server) as tab:
        tab.page.goto(server.origin)
        tab.run_script()
        assert tab.page.locator("qhaigc-studio").count() == 0
        assert all(path.startswith("static/") for path in tab.asked)

        tab.expected = ("403",)
        tab.page.goto(f"{server.origin}/other/#qhaigc=wrong")
        tab.wait(lambda: tab.page.evaluate("localStorage.getItem('qhaigc-token')") is None)
        assert tab.page.locator("qhaigc-studio .corner").count() == 0
        assert tab.page.locator(".notices .notice").is_hidden()
        assert not tab.trouble


def test_a_tab_of_an_earlier_run_says_once_that_the_server_was_restarted(project: Project, browser: Browser) -> None:
    write(project)
    with studio(project) as server, window(browser, server) as tab:
        tab.open()
        tab.page.locator(".badge").first.wait_for(state="attached")
        tab.expected = ("403",)
        tab.page.evaluate("localStorage.setItem('qhaigc-token', 'old'); sessionStorage.setItem('qhaigc-worked', 'old')")
        tab.page.reload()
        tab.page.get_by_text("server was restarted: open the link it printed").wait_for()
        assert tab.page.locator(".corner").count() == 0
        asked = len(tab.asked)
        tab.page.reload()
        tab.run_script()
        assert all(path.startswith("static/") for path in tab.asked[asked:])
        assert not tab.trouble


def test_instant_navigation_and_keys_of_the_theme(project: Project, browser: Browser) -> None:
    project.config["theme"] = THEMES["material"]
    write(project)
    with studio(project) as server, window(browser, server) as tab:
        tab.open()
        tab.mark()
        tab.open_drawer("hero")
        tab.press("e")
        tab.page.get_by_label("Prompt").fill("")
        tab.page.keyboard.type("np.,")  # Material turns pages by these
        assert tab.page.get_by_label("Prompt").input_value() == "np.,"
        assert tab.page.url == f"{server.origin}/"
        tab.press("Escape", "Escape")
        assert tab.drawer.is_hidden()

        tab.page.get_by_role("link", name="Other").first.click()
        tab.page.locator(".badge", has_text="gull").wait_for(state="attached")
        assert tab.is_marked()
        tab.page.locator('img[alt="A gull"]').hover()
        badge = tab.page.locator(".badge", has_text="gull")
        tab.wait(lambda: badge.evaluate("(element) => getComputedStyle(element).opacity") == "1")
        badge.click()
        tab.drawer.locator("h2", has_text="gull").wait_for()
        assert not tab.trouble


def test_paths_that_are_escaped_in_addresses(project: Project, api: ImagesApi, browser: Browser) -> None:
    names = ("100%", "a b", "%2e%2e", "größe")
    for name in names:
        images = {"hero": {"prompt": f"A {name}", "alt": "A boat"}}
        project.page(f"{name}.md", "# Page\n\n![](qhaigc:hero)", qhaigc=images)
    project.page("index.md", "# Home")
    with serving(project, buys="ask", site_url="https://example.com/über (us)/") as server:
        server.wait_until(lambda: server.token)
        with window(browser, server) as tab:
            for name in names:
                tab.open(f"/{quote('über (us)')}/{quote(name)}/")
                tab.page.locator(".badge", has_text="hero").wait_for(state="attached")
                tab.page.get_by_role("button", name="Images of this page: 1").wait_for()  # its name is what is read
            tab.page.locator(".corner").click()
            tab.page.locator("qhaigc-studio .row").click()
            tab.drawer.get_by_text(f"docs/{names[-1]}.md, line 2").wait_for()
            assert not tab.trouble


def test_prompts_full_of_markup_are_text(project: Project, browser: Browser) -> None:
    evil = "<img src=x onerror=document.title='taken'> </script> ${1} \"'` a boat"
    project.page("index.md", "![](qhaigc:hero)", qhaigc={"hero": {"prompt": evil, "alt": evil, "caption": evil}})
    with Sandbox() as sandbox:
        project.options["base_url"] = sandbox.base_url
        project.build()
    with studio(project) as server, window(browser, server) as tab:
        tab.open()
        tab.open_drawer("hero")
        assert evil in tab.page.locator(".facts").inner_text()
        tab.press("e")
        assert tab.page.get_by_label("Prompt").input_value() == evil
        assert tab.page.title() != "taken"
        assert not tab.trouble


@pytest.mark.parametrize("missing", [False, True])
def test_light_and_dark_are_seen_and_picked_separately(project: Project, browser: Browser, missing: bool) -> None:
    pair = {"prompt": "a tower by day", "dark": "a tower by night", "alt": "A tower"}
    project.page("index.md", "# Pair\n\n![](qhaigc:pair)\n", qhaigc={"pair": pair})
    project.config["theme"] = {"name": "mkdocs", "highlightjs": False, "color_mode": "auto"}
    project.options["size"] = "320x180"
    with Sandbox() as sandbox:
        project.options["base_url"] = sandbox.base_url
        assert missing or project.build().code == 0
    with studio(project) as server, window(browser, server) as tab:
        tab.expected = ("setColorMode",)  # the theme's script fails without highlight.js, after it has set the scheme
        tab.open()
        tab.wait(lambda: tab.page.locator(".badge:visible").count() == 1)
        tab.open_drawer("pair")
        tab.page.get_by_role("button", name="Dark image").click()
        frame = tab.page.frame_locator("iframe")
        dark = frame.locator("img[src*='only-dark'], img[src$='#only-dark']")
        dark.wait_for()
        assert frame.locator("img[src$='#only-light']").is_hidden()
        if missing:  # it is seen in the frame as soon as it is there
            tab.drawer.get_by_role("button", name="Buy it").click()
            frame.locator("img[src*='/-/qhaigc/as/'][src$='#only-dark']").wait_for()
        assert "a tower by night" in tab.page.locator(".facts").inner_text()
        tab.page.get_by_role("button", name="Light image").click()
        tab.wait(lambda: tab.page.locator("iframe").count() == 0)
        assert not tab.trouble
