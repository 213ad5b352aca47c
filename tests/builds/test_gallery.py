"""The contact sheet, as a file and in a browser; the gallery as a page of the site."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from html import unescape
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

import pytest

from mkdocs_qhaigc.site.contact_sheet import Card, Subject, render_sheet
from mkdocs_qhaigc.site.gallery import in_bytes
from tests.conftest import Built, Project
from tests.helpers.api import Handler, ImagesApi, by_url
from tests.helpers.browser import visiting
from tests.helpers.pages import broken_urls, elements, text_of

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

COMMAND = str(Path(sys.executable).with_name("mkdocs-qhaigc"))
NO_BREAK = "\N{NO-BREAK SPACE}"
NASTY = '</style><script>alert("x")</script> & "quotes" \' <!-- --> \udc80'


def run(project: Project, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [COMMAND, *arguments, "-f", str(project.write_config())],
        capture_output=True,
        text=True,
        encoding="utf-8",
        env=project.environ(),
        timeout=60,
        check=False,
    )


@pytest.fixture
def site(project: Project) -> Project:
    """Three images that are there, one of them on two pages and declared twice, and one that is not."""
    project.options["images"] = {"emblem": {"prompt": "An emblem <b>in red</b>", "alt": "x"}}
    project.page("index.md", "![a](qhaigc:hero) ![b](qhaigc:emblem)\n", qhaigc="A lighthouse in fog")
    project.page(
        "guide/ein Weg.md",
        "# Way\n\n![a](qhaigc:same) ![b](qhaigc:emblem)\n",
        qhaigc={"same": "A lighthouse in fog", "card": {"prompt": "雾中的灯塔", "variant": 2, "params": {"q": "hd"}}},
        image="qhaigc:card",
    )
    assert project.build().code == 0
    project.page("new.md", "# New\n", qhaigc={"later": {"prompt": "A harbour at night", "size": "60x80"}})
    return project


def test_sheet_shows_every_image_once_with_its_facts(site: Project, api: ImagesApi) -> None:
    asked = len(api.calls)
    finished = run(site, "gallery")
    assert finished.returncode == 0, finished.stderr
    file = site.cache / "gallery.html"
    assert finished.stdout == f"{file}: 4 images, 1 missing. Open it in a browser.\n"
    assert len(api.calls) == asked
    html = file.read_text(encoding="utf-8")
    images = [unquote(img.attributes["src"] or "") for img in elements(html, "img") if img.attributes.get("src")]
    assert [name.rpartition("-")[0] for name in images] == [
        "originals/emblem",
        "originals/hero",
        "originals/card",
    ]
    assert all((file.parent / image).is_file() for image in images)
    assert [li.attributes["data-state"] for li in elements(html, "li")] == ["cached", "cached", "missing", "cached"]
    words = text_of(html)
    for said in (
        "An emblem <b>in red</b>",
        "index.md#hero",
        "guide/ein Weg.md#same",
        "雾中的灯塔",
        '{"q": "hd"}',
        "60 × 80",
    ):
        assert said in words
    card = html[html.index("guide/ein Weg.md#card") :]
    link = '<a href="https://example.com/docs/guide/ein%20Weg/">guide/ein Weg.md</a>'
    assert f"<dt>pages</dt><dd>{link}</dd>" in card[: card.index("</li>")]
    assert "<dt>pages</dt><dd>none</dd>" in html[html.index("new.md#later") :]


def test_json_has_the_same_facts_and_out_names_the_file(site: Project, tmp_path: Path) -> None:
    out = tmp_path / "elsewhere/ü b.html"
    finished = run(site, "gallery", "--json", "--out", str(out))
    content = json.loads(finished.stdout)
    assert (content["schema"], content["file"]) == (1, str(out))
    hero = next(one for one in content["images"] if one["name"] == "hero")
    assert hero["pages"] == ["index.md", "guide/ein Weg.md"]
    assert [each["name"] for each in hero["declared"]] == ["hero", "same"]
    assert hero["bytes"] == Path(hero["file"]).stat().st_size
    missing = content["images"][2]
    assert (missing["state"], missing["bytes"], missing["file"]) == ("missing", None, None)
    html = out.read_text(encoding="utf-8")
    sources = [unescape(img.attributes["src"] or "") for img in elements(html, "img") if img.attributes.get("src")]
    assert [(out.parent / unquote(source)).is_file() for source in sources] == [True] * 3
    assert not (site.cache / "gallery.html").exists()


def test_unwritable_file_is_an_error(site: Project) -> None:
    blocked = site.write("blocked", "a file")
    finished = run(site, "gallery", "--out", str(blocked / "x.html"))
    assert finished.returncode == 1
    assert "cannot be written" in finished.stderr
    assert "Traceback" not in finished.stderr


def test_authors_text_is_escaped() -> None:
    card = Card(NASTY, f"{NASTY}.png", 4, 3, NASTY, ((NASTY, NASTY),), NASTY, NASTY, ((NASTY, NASTY), (NASTY, None)))
    html = render_sheet(NASTY, [card], intro=NASTY)
    html.encode()
    assert html.count("<script") == 2
    assert html.count("</style>") == 1
    assert "<!--" not in html
    assert elements(html, "img")[0].attributes["alt"] == NASTY.replace("\udc80", "?")


def test_sheet_without_images_is_a_page() -> None:
    assert "<h1>Empty</h1>" in render_sheet("Empty", [], intro="No images.")


THEMES = ("mkdocs", "material")


def bigger(handler: Handler, body: dict[str, Any]) -> None:
    """Answer late, and with another size than was asked for."""
    time.sleep(0.3)
    by_url(handler, {**body, "size": "120x80"})


def gallery_of(built: Built, path: str) -> str:
    html = built.html(path)
    return html[html.index('class="qhaigc-gallery"') : html.index("<script", html.index('class="qhaigc-gallery"'))]


@pytest.mark.parametrize("theme", THEMES)
def test_gallery_page_shows_every_image_as_pages_do(project: Project, api: ImagesApi, theme: str) -> None:
    api.default = bigger
    project.config["theme"] = {"name": theme, "font": False} if theme == "material" else {"name": theme}
    project.options |= {"gallery": "design/all images.md", "formats": ["avif", "webp"], "widths": [48]}
    pair = {"prompt": "By <b>day</b>", "dark": "By night", "alt": "A <tower>", "caption": "Tower"}
    project.page("index.md", "# Home\n\n![](qhaigc:pair)\n", qhaigc={"pair": pair})
    project.page("a/b.md", "# B & C\n\n![x](qhaigc:pair)\n", qhaigc={"pair": pair, "unused": "Nobody's"})
    cold = project.build("--strict", site="cold")
    assert cold.code == 0, cold.output
    warm = project.build("--strict", site="warm")
    assert warm.code == 0, warm.output
    assert cold.digest() == warm.digest()
    page = "design/all images/index.html"
    gallery = gallery_of(cold, page)
    (totals,) = (line for line in text_of(gallery).splitlines() if line.startswith("3"))
    sizes = sum(path.stat().st_size for path in (project.cache / "originals").glob("*.png"))
    assert totals == f"3 images, {in_bytes(sizes)}".replace(" ", NO_BREAK).replace(f",{NO_BREAK}", ", ")
    assert [img.attributes["alt"] for img in elements(gallery, "img")] == ["A <tower>", "A <tower>", "a/b.md#unused"]
    assert {(img.attributes["width"], img.attributes["height"]) for img in elements(gallery, "img")} == {("120", "80")}
    assert [text.strip() for text in text_of(gallery).splitlines() if "By" in text][:1] == ["By <b>day</b>"]
    facts = [line for line in text_of(gallery).splitlines() if "qh-draw-x2-preview" in line]
    assert ["120\N{NO-BREAK SPACE}×\N{NO-BREAK SPACE}80" in fact for fact in facts] == [True] * 3
    assert ["dark" in fact for fact in facts] == [False, True, False]
    assert "B &amp; C</a>" in gallery
    assert "missing" not in gallery
    assert broken_urls(cold.site) == []
    if theme == "mkdocs":
        index = json.loads((cold.site / "search/search_index.json").read_text(encoding="utf-8"))
        assert any("By night" in entry["text"] for entry in index["docs"])


def revising(handler: Handler, body: dict[str, Any]) -> None:
    api = handler.server.api
    entry = {"url": api.origin + api.host(api.draw(body)), "revised_prompt": f"{body['prompt']}, <grand>"}
    handler.send(200, {"created": 1, "data": [entry]})


def test_what_the_api_has_made_of_a_prompt_is_on_the_page_and_the_sheets(project: Project, api: ImagesApi) -> None:
    api.default = revising
    project.options["gallery"] = "images.md"
    project.page("index.md", "![x](qhaigc:hero)\n", qhaigc="A tower")
    cold = project.build("--strict", site="cold")
    assert cold.digest() == project.build("--strict", site="warm").digest()
    assert "Revised by the API: A tower, <grand>" in text_of(gallery_of(cold, "images/index.html"))
    assert run(project, "gallery").returncode == 0
    sheet = (project.cache / "gallery.html").read_text(encoding="utf-8")
    assert "<dt>revised prompt</dt><dd>A tower, &lt;grand&gt;</dd>" in sheet
    words = text_of(sheet)
    assert "1 image, " in words
    assert run(project, "candidates", "index.md#hero", "-n", "2", "--yes").returncode == 0
    (file,) = (project.cache / "candidates").glob("*.html")
    candidates = file.read_text(encoding="utf-8")
    assert candidates.count("<dt>revised prompt</dt><dd>A tower, &lt;grand&gt;</dd>") == 2
    assert '<a href="https://example.com/docs/">index.md#hero</a>' in candidates


def test_gallery_is_at_the_marker_of_an_authors_page_or_at_its_end(project: Project) -> None:
    project.options["gallery"] = "images.md"
    project.config["nav"] = [{"Home": "index.md"}, {"Ours": "images.md"}]
    project.page("index.md", "# Home\n\n![x](qhaigc:hero)\n", qhaigc="A lighthouse in fog")
    text = "# Ours\n\nBefore `<!-- qhaigc-gallery -->`.\n\n{}\n\nAfter.\n"
    project.page("images.md", text.format("<!-- qhaigc-gallery -->"))
    html = project.build("--strict").html("images/index.html")
    assert html.index("Before <code>") < html.index("A lighthouse in fog") < html.index("After.")
    project.page("images.md", text.format(""))
    html = project.build("--strict").html("images/index.html")
    assert html.index("Before <code>") < html.index("After.") < html.index("A lighthouse in fog")


def test_added_gallery_page_does_not_change_the_navigation(project: Project) -> None:
    project.options["gallery"] = "images.md"
    project.config |= {"nav": [{"Home": "index.md"}], "validation": {"omitted_files": "warn"}}
    project.page("index.md", "# Home\n\n![x](qhaigc:hero)\n", qhaigc="A lighthouse in fog")
    built = project.build("--strict")
    assert built.code == 0, built.output
    assert "<h1" in built.html("images/index.html")
    project.config["nav"] = [{"Home": "index.md"}, "images.md"]
    built = project.build("--strict")
    assert 'href="images/"' in built.html()
    project.options["enabled"] = False
    built = project.build("--strict")
    assert built.code == 0, built.output
    assert "qhaigc-gallery" not in built.html("images/index.html")


def test_gallery_names_missing_images_and_an_excluded_gallery_page_is_a_warning(project: Project) -> None:
    project.options |= {"gallery": "images.md", "missing": "placeholder"}
    project.page("index.md", "# Home\n\n![x](qhaigc:hero)\n", qhaigc="A lighthouse in fog")
    built = project.build()
    assert "· missing<br>" in gallery_of(built, "images/index.html")
    assert broken_urls(built.site) == []
    project.page("images.md", "# Ours\n")
    project.config["exclude_docs"] = "images.md"
    built = project.build()
    assert built.code == 0
    assert "option `gallery`: images.md is not part of the site" in built.output


def test_gallery_page_of_a_site_without_images_is_empty(project: Project) -> None:
    project.options["gallery"] = "images.md"
    project.page("index.md", "# Home\n")
    built = project.build("--strict")
    assert built.code == 0, built.output
    assert "qhaigc" not in built.html("images/index.html")


ENCRYPTS = """
def on_page_markdown(markdown, page, config, files):
    if page.meta.pop("password", None):
        page.encrypted = True
"""


def test_gallery_shows_nothing_of_pages_that_are_not_for_every_reader(project: Project, api: ImagesApi) -> None:
    """Only an image of such a page that another page shows, too, is in it, and that page is named alone."""
    project.config["hooks"] = [str(project.write("hooks.py", ENCRYPTS))]
    project.options |= {"gallery": "not.md", "images": {"plan": "A secret plan", "badge": "A badge"}}
    project.options["images"] |= {"unused": "Nobody's"}
    project.page("index.md", "# Home\n\n![x](qhaigc:hero) ![x](qhaigc:badge)\n", qhaigc="A tower")
    for title, hidden in (
        ("Locked", {"password": "x"}),
        ("Draft", {"draft": True}),
        ("Quiet", {"search": {"exclude": True}}),
    ):
        images = {
            "hero": {"prompt": f"A secret of {title}", "dark": f"A secret of {title} by night"},
            "same": "A tower",
        }
        body = f"# {title}\n\n![x](qhaigc:hero) ![x](qhaigc:plan) ![x](qhaigc:badge) ![x](qhaigc:same)\n"
        project.page(f"{title}.md", body, qhaigc=images, **hidden)
    project.page("found.md", "# Found\n\n![x](qhaigc:hero)\n", qhaigc="A mast", search={"boost": 2}, draft=False)
    built = project.build("--strict")
    assert built.code == 0, built.output
    html = gallery_of(built, "not/index.html")
    prompts = re.findall(r'class="prompt"[^>]*>([^<]*)<', html)
    assert prompts == ["A badge", "Nobody&#x27;s", "A tower", "A mast"]
    assert [a.attributes["href"] for a in elements(html, "a") if "../assets" not in (a.attributes["href"] or "")] == [
        "../",
        "../",
        "../found/",
    ]
    assert "secret" not in (built.site / "search/search_index.json").read_text(encoding="utf-8")


CARDS = [
    Card(f"index.md#{name}", f"{name}.png", 96, 54, prompt, (("model", "m-1"),), line, state, (("index.md", None),))
    for name, prompt, line, state in (
        ("one", "A lighthouse in fog", "variant: 1", "cached"),
        ("two", "A harbour at night", "variant: 2", "cached"),
        ("three", "雾中的灯塔", "variant: 3", "pinned"),
    )
]
CARDS.append(Card("index.md#four", None, 96, 54, "Not there yet", (), None, "missing", ()))


VARIANTS = [replace(card, prompt="", facts=(), pages=(), in_use=card.title.endswith("two")) for card in CARDS]
SUBJECT = Subject(
    "A lighthouse in fog", (("model", "m-1"),), (("index.md", None),), "mkdocs-qhaigc candidates x --pick 1"
)


@contextmanager
def opened(
    browser: Browser,
    folder: Path,
    *,
    width: int = 1280,
    dark: bool = False,
    script: bool = True,
    variants: bool = False,
) -> Iterator[Page]:
    """The sheet as it opens from disk; nothing may go wrong there."""
    from mkdocs_qhaigc.sandbox.drawing import draw as drawing

    for card in CARDS[:3]:
        image = drawing.draw_image(card.prompt, width=96, height=54, label="test", format="PNG")
        (folder / str(card.image)).write_bytes(image)
    html = render_sheet("Sheet", CARDS, intro="Four.")
    if variants:
        html = render_sheet("Sheet", VARIANTS, intro="Choose `one`.", subject=SUBJECT)
    (folder / "sheet.html").write_text(html, encoding="utf-8")
    context = browser.new_context(
        viewport={"width": width, "height": 800},
        color_scheme="dark" if dark else "light",
        java_script_enabled=script,
        permissions=["clipboard-read", "clipboard-write"],
    )
    trouble: list[str] = []
    try:
        page = context.new_page()
        page.on("console", lambda message: trouble.append(message.text))
        page.on("pageerror", lambda error: trouble.append(str(error)))
        page.on("request", lambda asked: None if asked.url.startswith("file:") else trouble.append(asked.url))
        page.goto((folder / "sheet.html").as_uri())
        if script:
            page.evaluate(ARRIVED)  # lazy images come after the page's own load event
        yield page
        assert trouble == []
    finally:
        context.close()


ARRIVED = "Promise.all([...document.querySelectorAll('.frame img')].map((img) => img.decode())).then(() => true)"
CLOSES = """() => {
  const dialog = document.querySelector("dialog");
  window.closed_ = new Promise((done) => dialog.addEventListener("close", () => done(true)));
}"""
FOCUSED = "document.activeElement.closest('li')?.querySelector('h2').textContent.split('#')[1]"
VISIBLE = "[...document.querySelectorAll('.cards > li')].map((li) => li.checkVisibility())"


@pytest.mark.browser
def test_keyboard_moves_between_cards_enlarges_and_copies(browser: Browser, tmp_path: Path) -> None:
    with opened(browser, tmp_path) as page:
        for key, name in (
            ("ArrowRight", "one"),
            ("ArrowRight", "two"),
            ("End", "four"),
            ("ArrowUp", "one"),
            ("ArrowDown", "four"),
            ("Home", "one"),
            ("ArrowLeft", "one"),
        ):
            page.keyboard.press(key)
            assert page.evaluate(FOCUSED) == name, key
        outline = page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
        assert outline == "solid"
        page.keyboard.press("Enter")
        shown = "document.querySelector('dialog img').src.split('/').pop()"
        assert page.evaluate("document.querySelector('dialog').open")
        assert page.evaluate(shown) == "one.png"
        page.keyboard.press("ArrowRight")
        page.keyboard.press("ArrowRight")
        page.keyboard.press("ArrowRight")  # the fourth has no image
        assert page.evaluate(shown) == "three.png"
        page.locator("dialog img").evaluate("(image) => image.decode()")
        page.keyboard.press("c")
        page.get_by_text("Copied: variant: 3").wait_for(state="attached")
        assert page.evaluate("navigator.clipboard.readText()") == "variant: 3"
        page.evaluate(CLOSES)
        page.keyboard.press("Escape")
        page.evaluate("window.closed_")  # the event that moves the focus comes after the key
        assert not page.evaluate("document.querySelector('dialog').open")
        assert page.evaluate(FOCUSED) == "three"
        page.keyboard.press("End")
        page.keyboard.press("Enter")
        assert not page.evaluate("document.querySelector('dialog').open")
        page.locator(".copy").nth(1).click()
        page.get_by_text("Copied: variant: 2").wait_for(state="attached")


@pytest.mark.browser
def test_search_and_state_filter_the_cards(browser: Browser, tmp_path: Path) -> None:
    with opened(browser, tmp_path) as page:
        page.keyboard.press("/")
        page.keyboard.type("LIGHT fog")
        assert page.evaluate(VISIBLE) == [True, False, False, False]
        assert page.evaluate("document.querySelector('form output').value") == "1 of 4"
        page.keyboard.press("ArrowDown")
        assert page.evaluate(FOCUSED) == "one"
        page.keyboard.press("/")
        page.keyboard.type("灯塔")
        assert page.evaluate(VISIBLE) == [False, False, True, False]
        page.get_by_label("cached (2)").check()
        assert page.evaluate(VISIBLE) == [False] * 4
        assert page.evaluate("document.querySelector('form output').value") == "None fits"
        page.keyboard.press("/")
        page.keyboard.press("Delete")
        assert page.evaluate(VISIBLE) == [True, True, False, False]
        page.get_by_label("missing (1)").check()
        assert page.evaluate(VISIBLE) == [False, False, False, True]


CONTRASTS = """() => {
  const number = (colour) => colour.match(/[0-9.]+/g).map(Number);
  const light = (colour) => number(colour).slice(0, 3).map((c) => c / 255)
    .map((c) => (c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4))
    .reduce((sum, c, at) => sum + c * [0.2126, 0.7152, 0.0722][at], 0);
  const ground = (element) => {
    for (let at = element; at; at = at.parentElement) {
      const colour = getComputedStyle(at).backgroundColor;
      if (number(colour)[3] !== 0) return colour;
    }
  };
  return [...document.querySelectorAll("h1, h2, p, .state, dt, dd, code, button, label, output, .empty, kbd")]
    .filter((element) => element.checkVisibility() && element.textContent.trim())
    .map((element) => {
      const [one, two] = [light(getComputedStyle(element).color), light(ground(element))].sort((a, b) => b - a);
      return [(one + 0.05) / (two + 0.05), element.className || element.tagName];
    });
}"""


@pytest.mark.browser
@pytest.mark.parametrize("dark", [False, True])
@pytest.mark.parametrize("width", [320, 390, 1280])
def test_sheet_fits_each_screen(browser: Browser, tmp_path: Path, width: int, dark: bool) -> None:
    with opened(browser, tmp_path, width=width, dark=dark) as page:
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        contrasts = page.evaluate(CONTRASTS)
        assert len(contrasts) > 20
        assert [(round(ratio, 1), what) for ratio, what in contrasts if ratio < 4.5] == []
        boxes = page.evaluate(
            "[...document.querySelectorAll('.frame img')].map((i) => [i.clientWidth, i.clientHeight])"
        )
        assert len(boxes) >= 3
        assert all(abs(wide / high - 96 / 54) < 0.05 for wide, high in boxes)


@pytest.mark.browser
@pytest.mark.parametrize("dark", [False, True])
@pytest.mark.parametrize(("width", "columns"), [(390, 1), (1024, 2), (1280, 2), (1920, 2)])
def test_variants_are_large_and_side_by_side(
    browser: Browser, tmp_path: Path, width: int, columns: int, dark: bool
) -> None:
    with opened(browser, tmp_path, width=width, dark=dark, variants=True) as page:
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        assert [(ratio, what) for ratio, what in page.evaluate(CONTRASTS) if ratio < 4.5] == []
        boxes = page.evaluate(
            "[...document.querySelectorAll('.frame')].map((f) => f.getBoundingClientRect()).map((b) => [b.x, b.width])"
        )
        assert len({round(left) for left, _ in boxes}) == columns
        assert all(wide > 0.75 * min(width, 1760) / columns for _, wide in boxes)
        assert page.locator(".chosen h2").all_inner_texts() == ["index.md#two in use"]
        assert page.get_by_text("A lighthouse in fog").count() == 1
        assert page.locator("input, form").count() == 0
        page.keyboard.press("/")
        page.keyboard.press("ArrowRight")
        page.keyboard.press("ArrowRight")
        page.keyboard.press("Enter")
        assert page.locator("dialog h2").inner_text() == "index.md#two in use"
        page.keyboard.press("c")
        assert page.evaluate("navigator.clipboard.readText()") == "variant: 2"


FRAMES = """() => [...document.querySelectorAll(".qhaigc-gallery .images > div > a")].map((frame) => [
  getComputedStyle(frame.querySelector("img")).objectFit,
  Math.round(100 * frame.clientWidth / frame.clientHeight) / 100])"""
"""How each image stands in its frame, which has the same proportions for all."""
WIDTHS_IN_CARDS = """() => [...document.querySelectorAll(".qhaigc-gallery .images > div")]
  .map((card) => Math.round(100 * card.querySelector("img").offsetWidth / card.clientWidth) / 100)"""


@pytest.mark.browser
@pytest.mark.parametrize("theme", THEMES)
def test_gallery_page_is_searchable_and_fits_each_screen(project: Project, browser: Browser, theme: str) -> None:
    project.options |= {"gallery": "images.md", "size": "1200x800", "widths": [300, 600], "base_url": "sandbox"}
    plain: dict[str, Any] = {"mkdocs": {"highlightjs": False}, "material": {"font": False}}
    project.config["theme"] = {"name": theme, **plain[theme]}
    tall = {"prompt": "A pier", "size": "800x1200"}
    prompts: dict[str, Any] = {
        "fog": "A lighthouse in fog",
        "night": "A harbour at night",
        "more": "A buoy",
        "most": tall,
    }
    body = "# Home\n\n" + "".join(f"![x](qhaigc:{name})\n" for name in prompts)
    project.page("index.md", body, qhaigc=prompts)
    built = project.build("--strict")
    assert built.code == 0, built.output
    for width, columns in ((390, 1), (1280, 2)):
        with visiting(browser, built.site, width=width) as visit:
            visit.open("images/")
            visit.scroll()
            visit.arrive()
            images = visit.images()
            assert len(images) == 4
            assert all(image.loaded for image in images)
            assert visit.page.evaluate(FRAMES) == [["contain", 1.33]] * 4
            assert len({round(image.left) for image in images}) >= columns
            assert visit.page.evaluate(WIDTHS_IN_CARDS) == [1, 1, 1, 1]
            assert visit.page.evaluate("document.documentElement.scrollWidth") <= width
            visit.page.get_by_label("Search the images").fill("harbour")
            assert visit.page.locator(".qhaigc-gallery .images > div:visible").count() == 1
            assert visit.page.locator(".qhaigc-find output").text_content() == "1 of 4"
            visit.page.wait_for_load_state("networkidle")
            assert visit.trouble == []


@pytest.mark.browser
def test_sheet_without_scripts_is_a_plain_page(browser: Browser, tmp_path: Path) -> None:
    with opened(browser, tmp_path, script=False) as page:
        assert page.locator(".cards > li:visible").count() == 4
        assert page.locator("form:visible, .copy:visible, dialog:visible, .keys:visible").count() == 0
        page.locator(".frame").first.click()
        page.wait_for_url(re.compile("one.png$"))
