"""The screenshots of the studio in the documentation, from the example site and the sandbox: `docs/studio/*.webp`.

Chromium must be installed, and the extras `browser` and `example`. `python benchmarks/screenshots.py`
"""

from __future__ import annotations

import argparse
import io
import re
import shutil
import sys
import tempfile
from pathlib import Path
from urllib.parse import urljoin, urlsplit

from PIL import Image
from playwright.sync_api import Browser, Page, sync_playwright
from studio import PATIENCE, chromium, command, serving

ROOT = Path(__file__).parents[1]
DRAWER_LIGHT, REVIEW_DARK, DRAWER_PHONE = "drawer-light.webp", "review-dark.webp", "drawer-phone.webp"
LARGEST = 100_000
"""Bytes of a screenshot."""


LOADED = """() => {
  const studio = document.querySelector("qhaigc-studio").shadowRoot;
  const seen = [...document.images, ...studio.querySelectorAll("img")].filter((img) => {
    const box = img.getBoundingClientRect();
    return box.bottom > 0 && box.top < innerHeight && box.width > 0;
  });
  return seen.every((img) => img.complete && img.naturalWidth > 0);
}"""


def main() -> None:
    parser = argparse.ArgumentParser(description="Make the screenshots of the studio in the documentation.")
    parser.add_argument("folder", nargs="?", type=Path, default=ROOT / "docs" / "studio", help="default: %(default)s")
    folder = parser.parse_args().folder
    with tempfile.TemporaryDirectory(prefix="qhaigc-screenshots-") as name, sync_playwright() as playwright:
        site = Path(name) / "site"
        make_site(site)
        command(site, "generate", "--yes")
        command(site, "pin")
        leave_some(site)
        browser = chromium(playwright)
        with serving(site) as server:
            write(folder / DRAWER_LIGHT, drawer(browser, server.link, width=1280, height=800))
            write(folder / REVIEW_DARK, review(browser, server.link))
            write(folder / DRAWER_PHONE, drawer(browser, server.link, width=390, height=844))
        browser.close()


def make_site(folder: Path) -> None:
    """Copy the example site; of its images, the studio buys what it is asked for."""
    made = shutil.ignore_patterns("site", ".qhaigc", "generated-images")
    shutil.copytree(ROOT / "example_site", folder, ignore=made)
    config = folder / "mkdocs.yml"
    text = config.read_text(encoding="utf-8")
    text = re.sub(r"^  - \S+: zh/.*\n", "", text, flags=re.MULTILINE)  # few machines have fonts for it
    config.write_text(text.replace("  - qhaigc:\n", "  - qhaigc:\n      serve_buys: ask\n"), encoding="utf-8")
    shutil.rmtree(folder / "docs" / "zh")


def leave_some(folder: Path) -> None:
    """Leave one image unpinned, and edit the prompt of another, which is missing then."""
    for original in (folder / "generated-images").glob("hero-*"):
        original.unlink()
    page = folder / "docs" / "getting-started.md"
    text = page.read_text(encoding="utf-8")
    page.write_text(text.replace("A fanless computer", "In the rain, a fanless computer", 1), encoding="utf-8")


def drawer(browser: Browser, link: str, *, width: int, height: int) -> bytes:
    """Return the drawer with five variants in the film strip, the second of which is shown in the page."""
    page = window(browser, link, width=width, height=height)
    page.locator(".corner").click()
    page.locator("qhaigc-studio .row", has=page.get_by_text("hero", exact=True)).click()
    frames = page.locator(".strip .frame[data-state=there] img")
    page.get_by_role("button", name=re.compile("^Four more")).wait_for()
    if frames.count() < 5:
        page.get_by_role("button", name=re.compile("^Four more")).click()
        frames.nth(4).wait_for()
        page.get_by_role("button", name="Dismiss").click()
    page.locator(".strip [tabindex='0']").focus()
    page.keyboard.press("ArrowRight")
    return taken(page)


def review(browser: Browser, link: str) -> bytes:
    """Return the review in the dark, with two images approved and one rejected."""
    page = window(browser, urljoin(link, f"/-/qhaigc/#{urlsplit(link).fragment}"), width=1280, height=800, dark=True)
    page.locator(".cards li").first.wait_for()
    page.get_by_role("button", name=re.compile("^Unpinned")).click()
    judged = page.locator(".cards .acts [aria-pressed=true]")
    for count, keys in enumerate(("ja", "ja", "jr")):
        for key in keys:
            page.keyboard.press(key)
        judged.nth(count).wait_for()
    page.keyboard.press("k")
    page.get_by_role("button", name="Dismiss").click()
    page.get_by_role("button", name=re.compile("^All")).click()
    return taken(page)


def window(browser: Browser, link: str, *, width: int, height: int, dark: bool = False) -> Page:
    context = browser.new_context(
        viewport={"width": width, "height": height},
        color_scheme="dark" if dark else "light",
        reduced_motion="reduce",
    )
    page = context.new_page()
    page.set_default_timeout(PATIENCE * 1000)
    page.goto(link)
    return page


def taken(page: Page) -> bytes:
    """Return what a window shows when all has loaded, as a PNG, and close it."""
    page.wait_for_function(LOADED)
    page.mouse.move(0, 0)
    png = page.screenshot()
    page.context.close()
    return png


def write(file: Path, png: bytes) -> None:
    """Write an image as WebP, in the best quality that is small enough."""
    for quality in range(84, 20, -4):
        content = io.BytesIO()
        with Image.open(io.BytesIO(png)) as image:
            image.convert("RGB").save(content, "webp", quality=quality, method=6)
        if content.tell() <= LARGEST:
            break
    else:
        sys.exit(f"{file} would be larger than {LARGEST:,} bytes.")
    file.write_bytes(content.getvalue())
    print(f"{file}: {content.tell():,} bytes, quality {quality}")


if __name__ == "__main__":
    main()
