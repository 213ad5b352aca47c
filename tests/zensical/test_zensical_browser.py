"""What a reader sees of a site that Zensical has built, and an author while it serves."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.request import urlopen

import pytest

from mkdocs_qhaigc.sandbox import Sandbox
from tests.conftest import Project
from tests.helpers.api import ImagesApi, waits_for
from tests.helpers.browser import visiting
from tests.helpers.commands import COMMAND
from tests.helpers.pages import broken_urls, elements

if TYPE_CHECKING:
    from playwright.sync_api import Browser

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(sys.version_info < (3, 11), reason="Zensical needs Python 3.11"),
]
EXAMPLE_SITE = Path(__file__).parents[2] / "example_site"
PATIENCE = 60.0
"""Seconds after which something that should have happened will not."""


@pytest.fixture(scope="module")
def example(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The example site as both engines build it from one folder."""
    folder = tmp_path_factory.mktemp("example") / "site"
    shutil.copytree(
        EXAMPLE_SITE, folder, ignore=shutil.ignore_patterns("site", ".qhaigc", "assets", "generated-images")
    )
    environment = {name: value for name, value in os.environ.items() if not name.upper().endswith("_PROXY")}
    environment |= {"NO_MKDOCS_2_WARNING": "1", "QHAIGC_API_KEY": "sandbox"}
    with Sandbox() as sandbox:
        for command in (
            [COMMAND, "sync", "-f", "zensical.yml"],
            [sys.executable, "-m", "zensical", "build", "-f", "zensical.yml", "--strict"],
            [sys.executable, "-m", "mkdocs", "build", "--strict", "-d", "mkdocs-site"],
        ):
            finished = subprocess.run(
                command,
                cwd=folder,
                env={**environment, "QHAIGC_BASE_URL": sandbox.base_url},
                capture_output=True,
                text=True,
                encoding="utf-8",
                timeout=180,
                check=False,
            )
            assert finished.returncode == 0, finished.stdout + finished.stderr
        assert sum(request.method == "POST" for request in sandbox.received) == 27
    return {"zensical": folder / "site", "mkdocs": folder / "mkdocs-site"}


def pages(site: Path) -> list[str]:
    return sorted(path.relative_to(site).as_posix() for path in site.rglob("index.html"))


def test_both_engines_build_the_same_images_into_the_same_pages(example: dict[str, Path]) -> None:
    def images(engine: str, page: str) -> list[Any]:
        html = (example[engine] / page).read_text(encoding="utf-8")
        return [
            element
            for element in elements(html)
            if element.tag in ("img", "source", "a", "meta", "video")
            and any("assets/qhaigc/" in (value or "") for value in element.attributes.values())
        ]

    assert pages(example["zensical"]) == pages(example["mkdocs"])
    for page in pages(example["mkdocs"]):
        assert images("zensical", page) == images("mkdocs", page), page
        assert images("mkdocs", page), page
        for site in example.values():
            note = "Every picture on this site was made by a program, from a description."
            assert note in (site / page).read_text(encoding="utf-8")
    assert broken_urls(example["zensical"], "https://example.com/lantern/") == []


@pytest.mark.parametrize(("width", "scale"), [(390, 2), (1280, 1)])
@pytest.mark.parametrize("dark", [False, True])
def test_a_reader_sees_the_same_images_of_both_in_the_same_proportions(
    example: dict[str, Path], browser: Browser, width: int, scale: int, dark: bool
) -> None:
    for page in pages(example["mkdocs"]):
        seen = {}
        for engine, site in example.items():
            with visiting(browser, site, width=width, scale=scale, dark=dark) as visit:
                visit.open(page)
                visit.scroll()
                visit.arrive()
                shown = [one for one in visit.images() if one.width and "qhaigc" in one.source]
                assert all(one.loaded for one in shown), (engine, page)
                seen[engine] = [(one.alt, one.sizes, one.file.name, round(one.width / one.height, 1)) for one in shown]
        assert seen["zensical"] == seen["mkdocs"], page
        assert seen["mkdocs"] or page == "reference/configuration/index.html"


@contextmanager
def running(project: Project, *command: str) -> Iterator[subprocess.Popen[str]]:
    with (project.folder / "output.txt").open("a") as output:
        process = subprocess.Popen(
            command, cwd=project.folder, env=project.environ(), stdout=output, stderr=subprocess.STDOUT, text=True
        )
        try:
            yield process
        finally:
            process.terminate()
            process.wait(30)


def test_zensical_serve_shows_a_new_image_when_it_is_synced(project: Project, api: ImagesApi, browser: Browser) -> None:
    project.engine = "zensical"
    project.config |= {"theme": {"font": False}, "site_url": None}
    project.options["timeout"] = 60
    drawn = threading.Event()

    def write(prompt: str) -> None:
        project.page("index.md", f"# Home\n\n{prompt}: ![A tower](qhaigc:hero)\n", qhaigc=prompt)

    write("A tower")
    built = project.build()
    assert built.code == 0, built.output
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    address = f"http://127.0.0.1:{port}/"

    def output() -> str:
        return (project.folder / "output.txt").read_text(encoding="utf-8")

    def wait_until(condition: Callable[[], object]) -> None:
        deadline = time.monotonic() + PATIENCE
        while not condition():
            assert time.monotonic() < deadline, output()
            time.sleep(0.1)

    def page() -> str:
        try:
            with urlopen(address, timeout=PATIENCE) as response:
                return str(response.read().decode())
        except OSError:
            return ""

    def shows(text: str) -> None:
        """Waits for the text, and for images that have arrived; the server may load the page anew meanwhile."""
        shown.wait_for_function(
            """(text) => document.body?.innerText.includes(text) && document.images.length == 1
                && document.images[0].complete && document.images[0].naturalWidth == 96""",
            arg=text,
            timeout=PATIENCE * 1000,
        )

    serve = [sys.executable, "-m", "zensical", "serve", "-f", "zensical.yml", "-a", f"127.0.0.1:{port}"]
    with running(project, *serve) as server, running(project, COMMAND, "sync", "-f", "zensical.yml", "--watch"):
        wait_until(lambda: "A tower" in page() and "Watching docs" in output())
        shown = browser.new_page()
        shown.goto(address)
        shows("A tower: ")
        api.by_prompt["A castle"] = [waits_for(drawn)]
        write("A castle")
        wait_until(lambda: "A castle: " in page())
        assert "index.md#hero: not in docs/assets/qhaigc" in output()
        drawn.set()
        shows("A castle: ")
        shown.close()
        assert server.poll() is None
    assert api.prompts == ["A tower", "A castle"]
    again = project.build()
    assert again.code == 0, again.output
    (image,) = elements(again.html(), "img")
    assert (again.site / (image.attributes["src"] or "")).is_file()
