"""What Lighthouse says of the example site's home page, beside the same page with an image put there by hand.

The site is built and served from this machine, with gzip, to the phone that Lighthouse simulates. Node.js ≥ 18.16 and
Chromium or Chrome must be installed; `npx` fetches Lighthouse once. `python benchmarks/lighthouse.py --help`
"""

from __future__ import annotations

import argparse
import functools
import gzip
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from http import HTTPStatus
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from mkdocs.utils.meta import get_data
from PIL import Image
from sites import ASSETS_DIR, build

from mkdocs_qhaigc.config.cache_layout import DEFAULT_CACHE_DIR

LIGHTHOUSE = "lighthouse@12.8.2"  # the last major version that runs on Node.js 18 and 20
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
EXAMPLE = Path(__file__).parents[1] / "example_site"
FOLDER = "lantern"  # where the site stands on its host, by the example's site_url
PLUGIN, PLAIN, PRELOAD = "plugin", "plain PNG", "preload"
FILES = {PLUGIN: "index.html", PLAIN: "plain.html", PRELOAD: "preload.html"}
IMAGE = f"{ASSETS_DIR}/original.png"
LCP, CLS = "largest-contentful-paint", "cumulative-layout-shift"
NEEDED = {"performance": 95, "accessibility": 100, "best-practices": 100, "seo": 100}
"""The lowest score that will do for each of Lighthouse's categories."""

Report = dict[str, Any]


def main() -> None:
    parser = argparse.ArgumentParser(description="Run Lighthouse on the example site's home page.")
    parser.add_argument("--runs", type=int, default=3, help="runs of each page (default: %(default)s)")
    parser.add_argument("--preload", action="store_true", help="measure the page with a preload of its image, too")
    parser.add_argument("--reports", type=Path, help="keep Lighthouse's reports in this folder")
    arguments = parser.parse_args()
    names = [PLUGIN, PLAIN, *([PRELOAD] if arguments.preload else [])]
    with tempfile.TemporaryDirectory(prefix="qhaigc-lighthouse-") as name:
        folder = Path(name)
        example, served = folder / "example", folder / "served"
        make_site(example, served / FOLDER)
        add_pages(served / FOLDER, original=find_original(example))
        reports = arguments.reports or folder / "reports"
        reports.mkdir(parents=True, exist_ok=True)
        with serve(served) as address:
            runs = measure(address, names, runs=arguments.runs, reports=reports)
    medians = {name: median_run(of_page) for name, of_page in runs.items()}
    print_table(medians, runs)
    print_audits(medians[PLUGIN])
    low = [category for category, needed in NEEDED.items() if score(medians[PLUGIN], category) < needed]
    sys.exit(f"\nToo low: {', '.join(low)}" if low else 0)


def make_site(folder: Path, site: Path) -> None:
    """Copy the example to `folder`, build it with images of the sandbox, and move what was built to `site`."""
    shutil.copytree(EXAMPLE, folder, ignore=shutil.ignore_patterns("site", DEFAULT_CACHE_DIR))
    build(folder, environment={"QHAIGC_BASE_URL": "sandbox"})
    site.parent.mkdir()
    (folder / "site").rename(site)


def find_original(folder: Path) -> Path:
    """Return the file that the API gave for the home page's main image, by the prompt saved beside it."""
    _, meta = get_data((folder / "docs/index.md").read_text(encoding="utf-8"))
    main_picture = next(fields for fields in meta["qhaigc"].values() if fields.get("priority"))
    prompt = " ".join(main_picture["prompt"].split())
    for path in (folder / ".qhaigc/originals").glob("*.json"):
        saved = json.loads(path.read_text(encoding="utf-8"))
        if saved["request"]["prompt"].startswith(prompt):
            return path.with_suffix(f".{saved['format']}")
    sys.exit("The sandbox has no original of the home page's main image.")


def add_pages(site: Path, *, original: Path) -> None:
    """Write two pages beside the home page: its main image as a plain PNG, and as it is with a preload."""
    home = (site / FILES[PLUGIN]).read_text(encoding="utf-8")
    found = re.search(r'<img [^>]*fetchpriority="high"[^>]*>', home)
    if not found:
        sys.exit("The home page has no image with fetchpriority=high.")
    tag = found[0]
    with Image.open(original) as opened:
        opened.save(site / IMAGE)
    (site / FILES[PLAIN]).write_text(home.replace(tag, f'<img src="{IMAGE}">'), encoding="utf-8")
    choice = " ".join(f"image{attribute}" for attribute in re.findall(r'(?:srcset|sizes)="[^"]*"', tag))
    link = f'<link rel="preload" as="image" {choice} fetchpriority="high">'
    preload = home.replace("<link ", f"{link}\n<link ", 1)  # before the head's other links: as early as can be
    (site / FILES[PRELOAD]).write_text(preload, encoding="utf-8")


class Handler(SimpleHTTPRequestHandler):
    """Serves files as a good host does: compressed, typed, over connections that stay open."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True  # else headers and body, two writes, may wait for each other
    extensions_map = {  # noqa: RUF012 - as in the class above
        **SimpleHTTPRequestHandler.extensions_map,
        ".avif": "image/avif",
        ".css": "text/css",
        ".html": "text/html",
        ".js": "text/javascript",
        ".json": "application/json",
        ".svg": "image/svg+xml",
        ".webp": "image/webp",
    }

    def handle(self) -> None:
        """Answer requests until the browser is gone, which may be in the midst of an answer."""
        with suppress(ConnectionError):
            super().handle()

    def do_GET(self) -> None:
        """Send the file; a folder's is its index.html."""
        path = Path(self.translate_path(self.path))
        file = path / "index.html" if path.is_dir() else path
        if not file.is_file():
            self.send_error(HTTPStatus.NOT_FOUND)
            return
        kind = self.guess_type(str(file))
        text = kind.startswith("text/") or kind in ("application/json", "image/svg+xml")
        compressed = text and "gzip" in self.headers.get("Accept-Encoding", "")
        body = read(file, compressed=compressed)
        self.send_response(HTTPStatus.OK)
        self.send_header("Content-Type", f"{kind}; charset=utf-8" if text else kind)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Cache-Control", f"max-age={600 if file.suffix == '.html' else 31_536_000}")
        if text:
            self.send_header("Vary", "Accept-Encoding")
        if compressed:
            self.send_header("Content-Encoding", "gzip")
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing: the output is the benchmark's."""


@functools.cache
def read(file: Path, *, compressed: bool) -> bytes:
    """Return a file as it is sent, from the second time on at once."""
    return gzip.compress(file.read_bytes()) if compressed else file.read_bytes()


@contextmanager
def serve(folder: Path) -> Iterator[str]:
    """Serve what is in `folder` while the block runs, which gets the home page's address."""
    with ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Handler, directory=str(folder))) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}/{FOLDER}/"
        finally:
            server.shutdown()
            thread.join()


def measure(address: str, names: list[str], *, runs: int, reports: Path) -> dict[str, list[Report]]:
    """Return each page's reports. The pages are measured in turn: what else the machine does falls on all."""
    found: dict[str, list[Report]] = {name: [] for name in names}
    for run in range(runs):
        for name in names:
            url = address if name == PLUGIN else address + FILES[name]
            report = lighthouse(url, reports / f"{Path(FILES[name]).stem}-{run + 1}.json")
            found[name].append(report)
            print(f"{run + 1}/{runs}: {name}, performance {score(report, 'performance')}", file=sys.stderr)
    return found


def lighthouse(url: str, output: Path) -> Report:
    """Return Lighthouse's report on a page, which is also left in the file `output`."""
    npx = shutil.which("npx")
    browser = os.environ.get("CHROME_PATH") or next(filter(None, map(shutil.which, BROWSERS)), None)
    if not npx or not browser:
        sys.exit("Lighthouse needs Node.js (npx) and Chromium or Chrome.")
    command = [npx, "--yes", LIGHTHOUSE, url, "--quiet", "--no-enable-error-reporting"]
    command += ["--output=json", f"--output-path={output}", "--chrome-flags=--headless=new --no-sandbox"]
    environment = {**os.environ, "CHROME_PATH": browser}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=600, check=False)
    report: Report = json.loads(output.read_bytes()) if done.returncode == 0 else {}
    if not report or report.get("runtimeError"):
        sys.exit(f"{' '.join(command)} failed:\n{report.get('runtimeError') or done.stderr}")
    return report


def score(report: Report, category: str) -> int:
    """Return a category's score of 0 to 100."""
    value: float | None = report["categories"][category]["score"]  # None where one of its audits could not be made
    return round(100 * (value or 0))


def metric(report: Report, audit: str) -> float:
    """Return what an audit measured: milliseconds, or a layout shift's score."""
    return float(report["audits"][audit]["numericValue"])


def median_run(reports: list[Report]) -> Report:
    """Return the report in the middle by performance, then by LCP; the worse of two."""
    order = sorted(reports, key=lambda report: (score(report, "performance"), -metric(report, LCP)))
    return order[(len(order) - 1) // 2]


def print_table(medians: dict[str, Report], runs: dict[str, list[Report]]) -> None:
    first = medians[PLUGIN]
    browser = first["environment"]["hostUserAgent"].partition("Chrome/")[2].split()[0]
    count = len(runs[PLUGIN])
    speeds = [report["environment"]["benchmarkIndex"] for reports in runs.values() for report in reports]
    print(f"\nThe median of {count} runs by performance. Lighthouse {first['lighthouseVersion']}, Chrome {browser};")
    print(f"the machine's speed by Lighthouse's benchmarkIndex: {min(speeds):.0f} to {max(speeds):.0f}.\n")
    print("| page | performance (all runs) | accessibility | best practices | SEO | LCP, s | CLS | images, kB |")
    print("| --- | --- | --- | --- | --- | --- | --- | --- |")
    for name, report in medians.items():
        scores = [str(score(report, category)) for category in NEEDED]
        scores[0] += f" ({', '.join(str(run) for run in sorted(score(run, 'performance') for run in runs[name]))})"
        requests = report["audits"]["network-requests"]["details"]["items"]
        images = sum(request["transferSize"] for request in requests if request["resourceType"] == "Image")
        figures = f"{metric(report, LCP) / 1000:.2f} | {metric(report, CLS):.3f} | {images / 1000:.0f}"
        print(f"| {name} | {' | '.join(scores)} | {figures} |")


def print_audits(report: Report) -> None:
    """Print each audit that has less than full score or could not be made, and the elements it objects to."""
    print(f"\nAudits of the page '{PLUGIN}' below full score (0 to 1; weight in its category):\n")
    for category in NEEDED:
        for reference in report["categories"][category]["auditRefs"]:
            audit = report["audits"][reference["id"]]
            if audit["scoreDisplayMode"] == "error" or (audit["score"] is not None and audit["score"] < 1):
                about = ": ".join(filter(None, (audit["title"], audit.get("displayValue"))))
                print(f"- {category}, {audit['id']} ({audit['score']}; {reference['weight']}): {about}")
                items = audit.get("details", {}).get("items", [])
                for selector in sorted({item["node"]["selector"] for item in items if "node" in item}):
                    print(f"  - {selector}")


if __name__ == "__main__":
    main()
