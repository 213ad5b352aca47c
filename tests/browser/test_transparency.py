"""What readers see through a transparent image, and of an image that a theme cuts: pixels of real pages."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

import pytest
from PIL import Image

from tests.conftest import Project
from tests.helpers.api import Handler, ImagesApi, bytes_by_url
from tests.helpers.browser import Visit, visiting

if TYPE_CHECKING:
    from playwright.sync_api import Browser

pytestmark = pytest.mark.browser

GROUNDS = """
html, body { background: #fefefe !important }
img { background: transparent !important; padding: 0 !important; border: 0 !important; border-radius: 0 !important }
@media (prefers-color-scheme: dark) { html, body { background: #101820 !important } }
.cut img { width: 60px; height: 60px; object-fit: cover }
"""
Colour = tuple[int, ...]


def colours(visit: Visit, alt: str, *points: tuple[float, float]) -> list[Colour]:
    """Return the colours that the page shows at points of an image, given as shares of its width and height."""
    visit.page.set_default_timeout(5_000)
    visit.open("")
    visit.scroll()
    visit.arrive()
    data = visit.page.locator(f'img[alt="{alt}"]').screenshot()
    with Image.open(io.BytesIO(data)) as shot:
        image = shot.convert("RGB")
    found = [image.getpixel((int(across * image.width), int(down * image.height))) for across, down in points]
    return [colour for colour in found if isinstance(colour, tuple)]


@pytest.mark.parametrize("format_", ["avif", "webp", "png", "jpeg"])
def test_the_page_is_seen_through_a_transparent_image_on_light_and_dark_pages(
    project: Project, browser: Browser, format_: str
) -> None:
    project.options |= {"base_url": "sandbox", "model": "gpt-image-2", "size": "240x160", "formats": [format_]}
    project.page(
        "index.md", "# Home\n\n![badge](qhaigc:hero)\n", qhaigc={"hero": {"prompt": "Fog", "background": "transparent"}}
    )
    project.write("docs/grounds.css", GROUNDS)
    project.config["extra_css"] = ["grounds.css"]
    built = project.build("--strict")
    assert built.code == 0, built.output
    assert ("JPEG has no transparency" in built.output) == (format_ == "jpeg")

    seen = {}
    for dark in (False, True):
        with visiting(browser, built.site, width=600, dark=dark) as visit:
            seen[dark] = colours(visit, "badge", (0.02, 0.03), (0.98, 0.03), (0.5, 0.5))
    light, night = (254, 254, 254), (16, 24, 32)
    if format_ == "jpeg":  # white, whatever the page
        light = night = (255, 255, 255)
    assert [seen[False][:2], seen[True][:2]] == [[light, light], [night, night]]
    assert seen[False][2] == seen[True][2] not in (light, night)


def thirds(handler: Handler, body: dict[str, str]) -> None:
    """Answer with red, blue and green side by side."""
    image = Image.new("RGB", (300, 100), "red")
    image.paste("blue", (100, 0, 200, 100))
    image.paste("lime", (200, 0, 300, 100))
    target = io.BytesIO()
    image.save(target, "PNG")
    bytes_by_url(target.getvalue())(handler, body)


@pytest.mark.parametrize(
    ("focus", "shown"), [("left", (255, 0, 0)), ("center", (0, 0, 255)), ("96% 50%", (0, 255, 0)), (None, (0, 0, 255))]
)
def test_a_theme_that_cuts_images_keeps_the_point_in_focus(
    project: Project, api: ImagesApi, browser: Browser, focus: str | None, shown: Colour
) -> None:
    api.default = thirds
    project.options |= {"size": "300x100", "formats": ["png"]}
    body = '# Home\n\n<div class="cut"><img alt="cut" src="qhaigc:hero"></div>\n'
    project.page("index.md", body, qhaigc={"hero": {"prompt": "Thirds", **({"focus": focus} if focus else {})}})
    project.write("docs/grounds.css", GROUNDS)
    project.config["extra_css"] = ["grounds.css"]
    built = project.build("--strict")
    assert built.code == 0, built.output
    with visiting(browser, built.site, width=600) as visit:
        assert colours(visit, "cut", (0.2, 0.5), (0.5, 0.5), (0.8, 0.5)) == [shown] * 3
