"""The studio's own server on a site of Zensical: what is bought and picked there is shown by `zensical serve`."""

from __future__ import annotations

import re
import socket
import sys
import time
from typing import TYPE_CHECKING

import pytest

from tests.conftest import Project
from tests.helpers.api import ImagesApi
from tests.helpers.commands import COMMAND, run
from tests.zensical.test_zensical_browser import PATIENCE, running

if TYPE_CHECKING:
    from playwright.sync_api import Browser

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(sys.version_info < (3, 11), reason="Zensical needs Python 3.11"),
]
PAGE = "---\nqhaigc:\n  hero:\n    prompt: A tower\n    alt: A tower  # of stone\n---\n# Home\n\n![](qhaigc:hero)\n"


def test_a_picked_variant_is_synced_and_shown(project: Project, api: ImagesApi, browser: Browser) -> None:
    project.engine = "zensical"
    project.config |= {"theme": {"font": False}, "site_url": None}
    page = project.write("docs/index.md", PAGE)
    built = project.build()
    assert built.code == 0, built.output
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{probe.getsockname()[1]}"
    output = project.folder / "output.txt"
    serve = [sys.executable, "-m", "zensical", "serve", "-f", "zensical.yml", "-a", address]
    with running(project, *serve), running(project, COMMAND, "studio", "-f", "zensical.yml", "--port", "0"):
        deadline = time.monotonic() + PATIENCE
        while not all(words in output.read_text(encoding="utf-8") for words in ("Studio: http", "No issues found")):
            assert time.monotonic() < deadline, output.read_text(encoding="utf-8")
            time.sleep(0.1)
        reader, author = browser.new_page(), browser.new_page()
        reader.goto(f"http://{address}/")
        image = reader.locator('img[alt="A tower"]')
        before = image.get_attribute("src")

        [link] = re.findall(r"Studio: (\S+)", output.read_text(encoding="utf-8"))
        author.set_default_timeout(PATIENCE * 1000)
        author.goto(link)  # the built site
        author.locator(".corner").click()
        author.locator("qhaigc-studio .row").click()
        author.get_by_role("button", name="Four more").click()
        author.locator(".strip .frame[data-state=there]").nth(4).wait_for()
        assert len(api.prompts) == 5
        for key in ("ArrowRight", "ArrowRight", "Enter"):
            author.keyboard.press(key)
        author.get_by_text("Variant 3 is picked in docs/index.md.").wait_for()
        assert page.read_text(encoding="utf-8") == PAGE.replace("tower\n", "tower\n    variant: 3\n", 1)

        synced = run(project, "sync", "-f", "zensical.yml")
        assert synced.returncode == 0, synced.stdout + synced.stderr
        reader.wait_for_function(
            "(before) => document.images[0].getAttribute('src') !== before && document.images[0].naturalWidth == 96",
            arg=before,
            timeout=PATIENCE * 1000,
        )
        for tab in (reader, author):
            tab.close()
    assert len(api.prompts) == 5  # what was picked is not bought again
