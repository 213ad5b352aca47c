"""Measures how long an author waits in the studio, in a real browser: for a click, an arrival, a rebuild, all of it.

Measures:

- From the click on "Four more" to four images in the film strip, with a service that takes `--latency` seconds.
- From the moment an image is in the cache to the moment the open page shows it, on a site of `--pages` pages.
- A rebuild of `mkdocs serve` after an edit, with `studio: true` and `studio: false`, in turn.
- A prompt edited, four variants bought, one picked and pinned: by commands, and in the studio.

Chromium must be installed, and the extra `browser`. `python benchmarks/studio.py --help`
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urljoin

from playwright.sync_api import Browser, Page, Playwright, sync_playwright
from sites import ASSETS_DIR, MKDOCS, median, page_uri, spread, table, write_config, write_pages

from mkdocs_qhaigc.config.cache_layout import DEFAULT_CACHE_DIR
from mkdocs_qhaigc.sandbox import Sandbox

ENVIRONMENT = {**os.environ, "QHAIGC_API_KEY": "sandbox", "NO_MKDOCS_2_WARNING": "1"}
PATIENCE = 180.0
"""Seconds after which something that should have happened will not."""
PARTS = ("click", "arrival", "rebuild", "loop")
CLICK_LIMIT, ARRIVAL_LIMIT = 6.0, 0.5
"""Seconds."""


def main() -> None:
    parser = argparse.ArgumentParser(description="Measure what an author waits for in the studio.")
    parser.add_argument("--pages", type=int, default=1000, help="pages of the site (default: %(default)s)")
    parser.add_argument("--latency", type=float, default=5.0, help="seconds the service takes (default: %(default)s)")
    parser.add_argument("--runs", type=int, default=5, help="of each measurement (default: %(default)s)")
    parser.add_argument("--parts", nargs="+", default=PARTS, choices=PARTS, help="default: all")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="qhaigc-benchmark-") as name, sync_playwright() as playwright:
        browser = chromium(playwright)
        folder = Path(name)
        rows: list[tuple[str, ...]] = []
        late = False
        with Sandbox(latency=arguments.latency) as service:
            if "click" in arguments.parts:
                clicks = click_to_strip(folder / "few", browser, service, runs=arguments.runs)
                rows.append(row("click to four images in the strip", clicks, limit=CLICK_LIMIT))
                late |= median(clicks) > CLICK_LIMIT
            if {"arrival", "rebuild"} & set(arguments.parts):
                make_site(folder / "many", service, pages=arguments.pages, with_image=arguments.runs)
            if "arrival" in arguments.parts:
                arrivals = arrival_to_page(folder / "many", browser, runs=arguments.runs)
                rows.append(row("image in the cache to image on the page", arrivals, limit=ARRIVAL_LIMIT))
                late |= median(arrivals) > ARRIVAL_LIMIT
            if "rebuild" in arguments.parts:
                ratios = rebuilds(folder / "many", runs=arguments.runs)
                rows.append(row("rebuild with the studio / without it (ratio)", ratios))
            if "loop" in arguments.parts:
                loops = [author_loops(folder / f"loop-{run}", browser, service) for run in range(arguments.runs)]
                by_commands, in_studio = map(list, zip(*loops, strict=True))
                rows.append(row("prompt edited, four variants, one picked, pinned: by commands", by_commands))
                rows.append(row("the same in the studio", in_studio))
        browser.close()
    print(f"\nA service of {arguments.latency:g} s, 4 calls at once; {arguments.pages} pages:\n")
    print(table(("seconds", "median", "quartiles", "limit"), rows))
    if late:
        sys.exit("A limit is exceeded.")


def row(what: str, values: list[float], *, limit: float | None = None) -> tuple[str, ...]:
    return what, f"{median(values):.2f}", spread(values) if len(values) > 1 else "", f"{limit:g}" if limit else ""


# The measurements


def click_to_strip(folder: Path, browser: Browser, service: Sandbox, *, runs: int) -> list[float]:
    """Return seconds from a click on "Four more" to four further images in the film strip, all loaded."""
    make_site(folder, service, pages=3)
    taken = []
    with serving(folder) as server, opened(browser, server, "index.md") as page:
        buy_missing(page, "index.md")
        for number in range(runs):
            open_drawer(page)
            there = page.locator(".strip .frame[data-state=there] img").count()
            started = time.perf_counter()
            page.get_by_role("button", name=re.compile("Four more")).click()
            page.wait_for_function(LOADED, arg=there + 4, timeout=PATIENCE * 1000, polling=20)
            taken.append(time.perf_counter() - started)
            print(f"strip {number + 1}/{runs}: {taken[-1]:.2f} s", file=sys.stderr)
    return taken


def arrival_to_page(folder: Path, browser: Browser, *, runs: int) -> list[float]:
    """Return seconds from the moment an image is in the cache to the moment an open page of a large site shows it."""
    taken = []
    with serving(folder) as server:
        for number in range(runs):
            with opened(browser, server, page_uri(number)) as page:
                before = originals(folder)
                page.evaluate(WATCH)
                buy_missing(page, page_uri(number), wait=False)
                page.wait_for_function("window.swapped", timeout=PATIENCE * 1000, polling=20)
                [original] = originals(folder) - before
                taken.append(page.evaluate("window.swapped") / 1000 - original.stat().st_mtime)
            print(f"arrival {number + 1}/{runs}: {taken[-1]:.2f} s", file=sys.stderr)
    return taken


def rebuilds(folder: Path, *, runs: int) -> list[float]:
    """Return the ratios of rebuilds of one site with the studio and without it: seconds as MkDocs tells them."""
    config = folder / "mkdocs.yml"
    text = config.read_text(encoding="utf-8")
    seconds: dict[bool, list[float]] = {True: [], False: []}
    for run in range(runs):
        for on in (True, False) if run % 2 else (False, True):
            config.write_text(text.replace("studio: true", f"studio: {str(on).lower()}"), encoding="utf-8")
            with serving(folder) as server:
                seconds[on].append(server.edit(folder / "docs" / "index.md", f"Edit {run}, {on}"))
        print(f"rebuild {run + 1}/{runs}: {seconds[True][-1]:.2f} / {seconds[False][-1]:.2f} s", file=sys.stderr)
    config.write_text(text, encoding="utf-8")
    return [one / other for one, other in zip(seconds[True], seconds[False], strict=True)]


def author_loops(folder: Path, browser: Browser, service: Sandbox) -> tuple[float, float]:
    """Return seconds from an edited prompt to a picked and pinned variant: by commands, and in the studio.

    Nobody thinks or types meanwhile, so what is left is what the programs take.
    """
    by_commands, in_studio = folder / "commands", folder / "studio"
    for site in (by_commands, in_studio):
        make_site(site, service, pages=3)
        command(site, "generate", "--yes")
    page_file = by_commands / "docs" / "index.md"
    with serving(by_commands, studio=False) as server:
        started = time.perf_counter()
        server.edit(page_file, "", prompt="A harbor in snow")
        command(by_commands, "candidates", "index.md#hero", "-n", "4", "--yes")
        command(by_commands, "candidates", "index.md#hero", "--pick", "3")
        server.wait_for_build()
        command(by_commands, "pin")
        commands = time.perf_counter() - started
    with serving(in_studio) as server, opened(browser, server, "index.md") as page:
        open_drawer(page)
        started = time.perf_counter()
        page.get_by_role("button", name=re.compile("^Edit")).click()
        page.get_by_label("Prompt").fill("A harbor in snow")
        page.get_by_role("button", name=re.compile("^Save")).click()
        page.get_by_role("button", name=re.compile("^Write it")).click()
        page.get_by_role("button", name=re.compile("^Variants")).click()
        page.get_by_role("button", name=re.compile("^Four more")).click()
        page.wait_for_function(LOADED, arg=4, timeout=PATIENCE * 1000, polling=20)
        page.keyboard.press("ArrowRight")
        page.get_by_role("button", name=re.compile("^Pick variant")).click()
        page.get_by_text(re.compile("^Variant . is picked")).wait_for()
        page.goto(urljoin(server.link, "/-/qhaigc/"))
        page.get_by_role("button", name="Approve hero").click()
        page.get_by_role("button", name="Pin all approved (1)").click()
        page.get_by_text("1 image is pinned").wait_for()
        studio = time.perf_counter() - started
    for site in (by_commands, in_studio):
        pinned = [path.name for path in (site / "generated-images").glob("hero-*.json")]
        assert len(pinned) == 1, (site, pinned)
    return commands, studio


# In the browser


def chromium(playwright: Playwright) -> Browser:
    path = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    rights = ["--no-sandbox"] if hasattr(os, "geteuid") and os.geteuid() == 0 else []
    return playwright.chromium.launch(executable_path=path, args=rights)


LOADED = """(wanted) => {
  const studio = document.querySelector("qhaigc-studio")?.shadowRoot; // absent while the page is loaded anew
  const images = [...(studio?.querySelectorAll(".strip [data-state=there] img") ?? [])];
  return images.filter((img) => img.complete && img.naturalWidth > 0).length >= wanted;
}"""
WATCH = """() => {
  window.swapped = 0;
  document.addEventListener("load", (event) => {
    if (event.target.matches?.("img.qhaigc, img") && event.target.currentSrc.includes("/-/qhaigc/as/")) {
      requestAnimationFrame(() => requestAnimationFrame(() => { window.swapped ||= Date.now(); }));
    }
  }, true);
}"""


@contextmanager
def opened(browser: Browser, server: Server, src_uri: str) -> Iterator[Page]:
    address = "/" if src_uri == "index.md" else f"/{src_uri.removesuffix('.md')}/"
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    page = context.new_page()
    page.goto(server.link.replace("/#", f"{address}#"))
    page.get_by_text(re.compile("Images of this page")).first.wait_for(timeout=PATIENCE * 1000)
    yield page
    context.close()


def call(page: Page, name: str, body: dict[str, Any]) -> None:
    """Ask the server for something, as the page's own script does."""
    page.evaluate(
        """async ([name, body]) => {
          const token = Object.values(localStorage).join(" ").match(/[\\w-]{40,}/)[0];
          const headers = {"Content-Type": "application/json", "X-Qhaigc-Token": token};
          const answer = await fetch(`/-/qhaigc/api/${name}`, {method: "POST", headers, body: JSON.stringify(body)});
          if (!answer.ok) throw new Error(await answer.text());
        }""",
        [name, body],
    )


def buy_missing(page: Page, src_uri: str, *, wait: bool = True) -> None:
    call(page, "buy_missing", {"ids": [f"{src_uri}#hero"]})
    if wait:
        page.wait_for_function(
            "() => [...document.images].some((img) => img.currentSrc.includes('/-/qhaigc/as/') && img.naturalWidth)",
            timeout=PATIENCE * 1000,
        )


def open_drawer(page: Page) -> None:
    if page.get_by_role("dialog").count() == 0:
        page.locator("img.qhaigc").first.hover()
        page.get_by_role("button", name=re.compile("^hero")).first.click()
    page.get_by_role("button", name=re.compile("Four more")).wait_for(timeout=PATIENCE * 1000)


# The sites and their servers


def make_site(folder: Path, service: Sandbox, *, pages: int, with_image: int = 0) -> None:
    def front_matter(number: int) -> str:
        return f"qhaigc: {{hero: {{prompt: 'A harbor, {number}', alt: A harbor}}}}\n" if number < with_image else ""

    write_pages(
        folder / "docs",
        pages=pages,
        front_matter=front_matter,
        image=lambda number: "![](qhaigc:hero)" if number < with_image else "",
    )
    (folder / "docs" / "index.md").write_text(
        "---\nqhaigc:\n  hero:\n    prompt: A harbor at dusk\n    alt: A harbor\n---\n# Home\n\n![](qhaigc:hero)\n",
        encoding="utf-8",
    )
    plugin = {
        "assets_dir": ASSETS_DIR,
        "base_url": service.base_url,
        "size": "1024x576",
        "concurrency": 4,
        "max_new_images": 1000,
        "serve_buys": "ask",
        "studio": True,
    }
    write_config(folder, theme="mkdocs", plugin=plugin, bare=True)


def originals(folder: Path) -> set[Path]:
    return {path for path in (folder / DEFAULT_CACHE_DIR / "originals").glob("*") if path.suffix != ".json"}


def command(folder: Path, *arguments: str) -> None:
    program = str(Path(sys.executable).with_name("mkdocs-qhaigc"))
    line = [program, *arguments, "-f", str(folder / "mkdocs.yml")]
    subprocess.run(line, env=ENVIRONMENT, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


class Server:
    """A running `mkdocs serve`."""

    def __init__(self, process: subprocess.Popen[str], port: int) -> None:
        self._process = process
        self._port = port
        self.link = ""
        self._built: list[float] = []
        """Seconds of each build."""
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def wait_for_build(self, builds: int | None = None) -> float:
        """Wait for a further build; return the seconds that it took."""
        wanted = builds or len(self._built) + 1
        deadline = time.monotonic() + PATIENCE
        while len(self._built) < wanted:
            if time.monotonic() > deadline or self._process.poll() is not None:
                sys.exit("mkdocs serve has not built the site.")
            time.sleep(0.01)
        return self._built[-1]

    def edit(self, file: Path, words: str, *, prompt: str = "") -> float:
        """Edit a page; return the seconds of the rebuild."""
        wanted = len(self._built) + 1
        text = file.read_text(encoding="utf-8") + f"\n{words}\n"
        file.write_text(re.sub("prompt: .*", f"prompt: {prompt}", text) if prompt else text, encoding="utf-8")
        return self.wait_for_build(wanted)

    def _read(self) -> None:
        assert self._process.stdout
        for line in self._process.stdout:
            if found := re.search(r"Studio: (\S+)", line):
                self.link = found[1]
            if found := re.search(r"built in ([\d.]+) seconds", line):
                self._built.append(float(found[1]))


@contextmanager
def serving(folder: Path, *, studio: bool = True) -> Iterator[Server]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    line = [*MKDOCS, "serve", "-f", str(folder / "mkdocs.yml"), "-a", f"127.0.0.1:{port}"]
    with subprocess.Popen(
        line, env=ENVIRONMENT, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, start_new_session=True
    ) as process:
        server = Server(process, port)
        try:
            server.wait_for_build(1)
            deadline = time.monotonic() + PATIENCE
            while not _answers(port) or (studio and "studio: true" in _config(folder) and not server.link):
                if time.monotonic() > deadline:
                    sys.exit("mkdocs serve does not answer.")
                time.sleep(0.05)
            yield server
        finally:
            process.send_signal(signal.SIGINT)
            try:
                process.wait(5)
            except subprocess.TimeoutExpired:
                process.kill()


def _config(folder: Path) -> str:
    return (folder / "mkdocs.yml").read_text(encoding="utf-8")


def _answers(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


if __name__ == "__main__":
    main()
