"""A page that is opened after an image of it has arrived, in a real browser: it is shown before the site is built."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import pytest

from tests.conftest import Project
from tests.helpers.api import ImagesApi, by_url, waits_for
from tests.helpers.serving import PATIENCE, serving

if TYPE_CHECKING:
    from playwright.sync_api import Browser

pytestmark = pytest.mark.browser
_SLOW = """
import pathlib, time

def on_config(config):
    config["extra"]["builds"] = builds.append(1)
    if len(builds) > 1:  # as a large site takes
        time.sleep(6)

builds = []
"""


def test_a_page_with_an_arrival_waits_for_no_build(project: Project, api: ImagesApi, browser: Browser) -> None:
    arrives = threading.Event()
    api.default = waits_for(arrives, by_url)
    project.write("hooks.py", _SLOW)
    project.config |= {"hooks": ["hooks.py"], "plugins": []}
    project.page("index.md", "# Home\n\n![A tower](qhaigc:hero)\n", qhaigc={"prompt": "A tower", "alt": "x"})
    project.page("other.md", "# Other\n")
    with serving(project) as server:
        server.wait_for_studio()
        page = browser.new_page()
        page.goto(f"{server.origin}/other/#qhaigc={server.token}")
        assert api.called.wait(PATIENCE)
        page.wait_for_function("sessionStorage.getItem('qhaigc-worked')")
        arrives.set()
        server.wait_until(lambda: len(project.originals) == 2)
        server.wait_until_quiet()
        assert server.builds == 1  # a page is open that shows arrivals by itself
        page.goto(f"{server.origin}/", wait_until="load")
        page.wait_for_selector("img[alt='A tower'][src*='/-/qhaigc/as/']")
        assert page.evaluate("document.querySelector('img[alt=\"A tower\"]').decode().then(() => true)")
        assert server.output.count("Reloading browsers") == 0  # the build has not ended
        with page.expect_event("load", timeout=PATIENCE * 1000):
            server.wait_until(lambda: server.output.count("Reloading browsers") == 1)
        assert b"/-/qhaigc/as/" not in server.get()  # the page's own file is the image now
        page.wait_for_function("document.querySelector('img[alt=\"A tower\"]').naturalWidth")
        page.close()


def test_an_image_that_cannot_be_encoded_leaves_the_pages_own(
    project: Project, api: ImagesApi, browser: Browser
) -> None:
    project.options["serve_buys"] = "ask"
    project.config["plugins"] = []
    project.page("index.md", "# Home\n\n![A tower](qhaigc:hero)\n", qhaigc={"prompt": "A tower", "alt": "x"})
    project.page("other.md", "# Other\n")
    with serving(project) as server:
        server.wait_for_studio()
        page = browser.new_page()
        gone: list[str] = []
        page.on("response", lambda response: gone.append(response.url) if response.status == 404 else None)
        page.goto(f"{server.origin}/other/#qhaigc={server.token}")
        page.wait_for_function("sessionStorage.getItem('qhaigc-worked')")
        server.studio("api/buy", {"id": "index.md#hero", "count": 1})
        server.wait_until(lambda: len(project.originals) == 2)
        [original] = (project.cache / "originals").glob("*.png")
        original.write_bytes(bytes(original.stat().st_size))
        page.goto(f"{server.origin}/", wait_until="load")
        server.wait_until(lambda: page.title() and any("/-/qhaigc/as/" in url for url in gone))
        page.wait_for_function(
            "(img => img.complete && img.naturalWidth > 0 && !img.currentSrc.includes('/-/qhaigc/'))"
            "(document.querySelector('img[alt=\"A tower\"]'))"
        )
        page.close()
    assert len(api.calls) == 1  # that it is damaged buys no other one
