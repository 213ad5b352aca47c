"""What the plugin adds to a build, in one command and as tables in Markdown: `python benchmarks/overhead.py --help`.

Every figure is a ratio of builds that took turns on one machine, in one run.
"""

from __future__ import annotations

import argparse
import itertools
import json
import math
import os
import platform
import re
import shutil
import sys
import tempfile
import time
from importlib.metadata import version
from pathlib import Path
from typing import Any

import cold_build
from sites import (
    ASSETS_DIR,
    MKDOCS,
    Timing,
    build,
    in_turn,
    linked,
    median,
    page_uri,
    ratio,
    table,
    timed,
    write_config,
    write_pages,
)

PLUGIN = {
    "base_url": "sandbox",
    "assets_dir": ASSETS_DIR,
    "size": "256x144",
    "widths": [256],
    "concurrency": 8,
    "max_new_images": 100_000,
}
FORMS = (
    "![A harbor at dusk]({})",
    "![A harbor][{0}]\n\n[{0}]: {0}",
    '<p><img src="{}" alt="A harbor"></p>',
    "| Port | View |\n| --- | --- |\n| North | ![The harbor from the north]({}) |",
)
"""Of references."""
PARTS = ("warm", "instructions", "cold", "import", "neighbours")
_INSTRUCTIONS = re.compile(r"I\s+refs:\s+([\d,]+)")
MKDOCS_LOOKED_AT = Path(__file__).with_name("hooks.py")
ATTRIBUTES_HOOK = Path(__file__).with_name("attributes_hook.py")
LOOKS = 15_000
"""How often builds of one site are looked at: then a hundredth of them is known to a tenth."""


def main() -> None:
    parser = argparse.ArgumentParser(description="Measure what the plugin adds to a build; print tables in Markdown.")
    parser.add_argument("--pages", type=int, nargs="+", default=[100, 1000, 10_000], help="default: 100 1000 10000")
    parser.add_argument(
        "--runs", type=int, nargs="+", default=[9, 3, 1], help="pairs for each number of pages (default: 9 3 1)"
    )
    parser.add_argument("--themes", nargs="+", default=["mkdocs", "material"], help="default: mkdocs material")
    parser.add_argument(
        "--navigation-up-to",
        type=int,
        default=100,
        help="pages of the largest site with every page in its navigation (default: %(default)s)",
    )
    parser.add_argument(
        "--every", type=int, default=2, help="an image stands on every so many-th page (default: %(default)s)"
    )
    parser.add_argument(
        "--references",
        type=int,
        default=1,
        help="references on each page with an image, in all forms, four to an image (default: %(default)s)",
    )
    parser.add_argument(
        "--other-pages", type=int, default=300, help="pages of all parts but `warm` (default: %(default)s)"
    )
    parser.add_argument("--parts", nargs="+", choices=PARTS, default=PARTS, help="default: all of them")
    parser.add_argument("--small", action="store_true", help="100 pages, few pairs: about two minutes")
    parser.add_argument("--keep", type=Path, help="make the sites in this folder and leave them there, for a profiler")
    arguments = parser.parse_args()
    if arguments.small:
        arguments.pages, arguments.runs, arguments.other_pages = [100], [3], 60
    if len(arguments.runs) < len(arguments.pages):
        parser.error("--runs needs a number for each of --pages")
    packages = [f"{name} {_version(name)}" for name in ("mkdocs", "mkdocs-material", "markdown", "mkdocs-qhaigc")]
    print(f"{time.strftime('%Y-%m-%d')}, {_machine()}, Python {platform.python_version()}; {', '.join(packages)}.")
    with tempfile.TemporaryDirectory(prefix="qhaigc-benchmark-") as name:
        folder = arguments.keep.resolve() if arguments.keep else Path(name)
        folder.mkdir(parents=True, exist_ok=True)
        if "warm" in arguments.parts:
            warm(folder, arguments)
        if "instructions" in arguments.parts:
            instructions(folder / "instructions", arguments)
        if "neighbours" in arguments.parts and "material" in arguments.themes:
            runs = 3 if arguments.small else 5
            neighbours(folder / "neighbours", pages=arguments.other_pages, every=arguments.every, runs=runs)
        if "cold" in arguments.parts:
            cold(folder / "cold", runs=2 if arguments.small else 5)
        if "import" in arguments.parts:
            importing(folder, runs=10 if arguments.small else 30)


def warm(folder: Path, arguments: argparse.Namespace) -> None:
    """Print what the plugin adds to a build whose images are all there."""
    rows = []
    for pages, runs in zip(arguments.pages, arguments.runs, strict=False):
        bare = pages > arguments.navigation_up_to
        with_plugin, without = make_sites(
            folder / str(pages), pages=pages, every=arguments.every, references=arguments.references
        )
        for theme in arguments.themes:
            rows.append(_warm_row(with_plugin, without, pages=pages, runs=runs, theme=theme, bare=bare))
        if not arguments.keep:
            shutil.rmtree(folder / str(pages))
    print("\nA warm build, beside the same pages with plain image files next to them and no plugin:\n")
    heads = (
        "theme",
        "pages",
        "images",
        "navigation",
        "pairs",
        "CPU, s",
        "CPU ratio",
        "wall ratio",
        "memory, MB",
        "own hooks",
    )
    print(table(heads, rows), flush=True)


def _warm_row(with_plugin: Path, without: Path, *, pages: int, runs: int, theme: str, bare: bool) -> tuple[object, ...]:
    write_config(with_plugin, theme=theme, plugin=PLUGIN, bare=bare)
    write_config(without, theme=theme, plugin=None, bare=bare)
    print(f"{theme}, {pages} pages: without, with …", file=sys.stderr)
    if runs > 1:  # else the first build of a large site counts: it compiles nothing that would show
        in_turn([without, with_plugin], runs=1)
    bought = _bought(with_plugin)
    rounds = in_turn([without, with_plugin], runs=runs)
    hooks = hooks_share(with_plugin)
    if _bought(with_plugin) != bought:
        sys.exit("Images were bought between the timed builds: they were not warm.")
    plain, ours = (_medians([pair[side] for pair in rounds]) for side in (0, 1))
    return (
        theme,
        pages,
        len(bought),
        "index alone" if bare else "every page",
        runs,
        f"{ours.cpu:.2f} / {plain.cpu:.2f}",
        ratio([b.cpu / a.cpu for a, b in rounds]),
        ratio([b.wall / a.wall for a, b in rounds]),
        f"{ours.memory / 1e6:.0f} / {plain.memory / 1e6:.0f}",
        hooks,
    )


def hooks_share(folder: Path) -> str:
    """Return which part of a build's CPU time passes in the plugin, and how far off that may be, as a text."""
    result = folder / "hooks.json"
    every = own = 0
    while every < LOOKS:
        build(folder, mkdocs=(sys.executable, str(MKDOCS_LOOKED_AT), str(result)))
        said: dict[str, int] = json.loads(result.read_text(encoding="utf-8"))
        every, own = every + said["all"], own + said["own"]
    return f"{100 * own / every:.2f} ± {100 * math.sqrt(own) / every:.2f} %"


def make_sites(folder: Path, *, pages: int, every: int, references: int = 1) -> tuple[Path, Path]:
    """Return the site with the plugin, its images bought and encoded, and the same site without it.

    Every so many-th page has `references` references to a quarter as many images. Exits where a page lacks its image.
    """
    numbers = range(0, pages, every)
    names = [f"image-{number}" for number in range(-(-references // len(FORMS)))]
    with_plugin, without = folder / "with-plugin", folder / "without"

    def directives(number: int) -> str:
        lines = (f"  {name}: A harbor at dusk, number {number}, {name}, seen from the sea\n" for name in names)
        return f"qhaigc:\n{''.join(lines)}" if number in numbers else ""

    def shown(number: int, url: str) -> str:
        if number not in numbers:
            return ""
        count = range(references)
        forms = (FORMS[index % len(FORMS)].format(url.format(names[index // len(FORMS)])) for index in count)
        return "\n\n".join(forms)

    write_pages(
        with_plugin / "docs", pages=pages, front_matter=directives, image=lambda number: shown(number, "qhaigc:{}")
    )
    write_pages(without / "docs", pages=pages, image=lambda number: shown(number, f"{number:04}-{{}}.webp"))
    write_config(with_plugin, theme="mkdocs", plugin=PLUGIN, bare=True)
    print(f"Buying {len(numbers) * len(names)} images from the sandbox …", file=sys.stderr)
    build(with_plugin)
    images = sorted((with_plugin / "site" / ASSETS_DIR).glob("*.webp"))
    if len(images) != len(numbers) * len(names):
        sys.exit(f"The first build has {len(images)} images instead of {len(numbers) * len(names)}.")
    for image, (number, name) in zip(images, itertools.product(numbers, names), strict=True):
        shutil.copyfile(image, (without / "docs" / page_uri(number)).with_name(f"{number:04}-{name}.webp"))
    build(with_plugin)  # remembers what it has read of the images
    return with_plugin, without


def instructions(folder: Path, arguments: argparse.Namespace) -> None:
    """Print what the plugin adds to a warm build in machine instructions, which are the same on a busy machine."""
    if not shutil.which("valgrind"):
        print("\nInstructions are counted where valgrind is installed.")
        return
    pages = arguments.other_pages
    sites = make_sites(folder, pages=pages, every=arguments.every, references=arguments.references)
    bare = pages > arguments.navigation_up_to
    rows = []
    for theme in arguments.themes:
        counts = []
        with_plugin, without = sites
        for site, plugin, hooks in ((with_plugin, PLUGIN, ()), (without, None, ()), (without, None, [ATTRIBUTES_HOOK])):
            write_config(site, theme=theme, plugin=plugin, bare=bare, hooks=hooks)
            print(f"{theme}, {pages} pages: counting instructions …", file=sys.stderr)
            counts.append(_instructions(site))
        ours, plain, same = counts
        counted = f"{ours / 1e9:.2f} / {plain / 1e9:.2f} / {same / 1e9:.2f}"
        rows.append((theme, pages, counted, f"{ours / plain:.3f}", f"{ours / same:.3f}"))
    navigation = "the index alone" if bare else "every page"
    print(f"\nThe same in machine instructions, which other programs do not change; {navigation} in the navigation.")
    print("The last count is of plain images that have the attributes which the plugin writes:\n")
    heads = ("theme", "pages", "instructions, 10⁹", "ratio to plain images", "to the same HTML")
    print(table(heads, rows), flush=True)


def _instructions(site: Path) -> int:
    """Return how many a build takes, as cachegrind counts them."""
    build(site)
    said = site / "cachegrind.txt"
    count = ("valgrind", "--tool=cachegrind", "--cache-sim=no", "--cachegrind-out-file=/dev/null", f"--log-file={said}")
    build(site, environment={"PYTHONHASHSEED": "0"}, mkdocs=(*count, *MKDOCS))
    found = _INSTRUCTIONS.search(said.read_text(encoding="utf-8"))
    if not found:
        sys.exit("cachegrind says no number of instructions.")
    return int(found[1].replace(",", ""))


def neighbours(folder: Path, *, pages: int, every: int, runs: int) -> None:
    """Print what Material's own plugins add to the same pages, in turn with ours."""
    with_plugin, plain = make_sites(folder, pages=pages, every=every)
    social, privacy = linked(folder / "social", plain), linked(folder / "privacy", plain)
    others: dict[Path, list[str | dict[str, Any]]] = {social: ["social"], privacy: ["privacy"], plain: []}
    for site, plugins in others.items():
        write_config(site, theme="material", plugin=None, others=plugins)
    write_config(with_plugin, theme="material", plugin=PLUGIN)
    _lend_font(social)
    for site in (*others, with_plugin):
        build(site)  # makes the cards, compiles the modules
    rounds = in_turn([plain, with_plugin, privacy, social], runs=runs)
    rows = [
        (name, f"{median([one[index].cpu for one in rounds]):.2f}", *_ratios(rounds, index))
        for index, name in enumerate(("none", "qhaigc", "privacy", "social"))
    ]
    print(f"\nA warm build of {pages} pages with Material and one plugin more, {runs} rounds in turn:\n")
    print(table(("plugin", "CPU, s", "CPU ratio", "wall ratio"), rows), flush=True)


def _ratios(rounds: list[list[Timing]], index: int) -> tuple[str, str]:
    return (
        ratio([one[index].cpu / one[0].cpu for one in rounds]),
        ratio([one[index].wall / one[0].wall for one in rounds]),
    )


def _lend_font(site: Path) -> None:
    """Give the social plugin a font, which it would fetch from the network."""
    font = next((path for path in map(Path, _FONTS) if path.exists()), None)
    if font is None:
        sys.exit(f"The social plugin needs a font. Install one of {', '.join(_FONTS)}, or leave out `neighbours`.")
    fonts = site / ".cache/plugin/social/fonts/Roboto"
    fonts.mkdir(parents=True)
    for style in ("Regular", "Bold"):
        shutil.copyfile(font, fonts / f"{style}.ttf")


_FONTS = (
    "/usr/share/fonts/truetype/dejavu/DejaVuSans.ttf",
    "/usr/share/fonts/truetype/roboto/Roboto-Regular.ttf",
    "/Library/Fonts/Arial Unicode.ttf",
)


def cold(folder: Path, *, runs: int) -> None:
    """Print how far a build that buys everything is from its limit."""
    rows = []
    for pages, theme, images, latency, concurrency in (
        (12, "mkdocs", 12, 1.0, 4),
        (24, "mkdocs", 24, 2.0, 8),
        (300, "material", 24, 2.0, 8),
    ):
        result = cold_build.measure(
            folder / f"{pages}",
            images=images,
            pages=pages,
            latency=latency,
            concurrency=concurrency,
            runs=runs,
            theme=theme,
        )
        calls = (f"{pages}, {theme}", images, f"{latency:g} s", concurrency)
        seconds = (f"{result.rendering:.1f}", f"{result.limit:.2f}", f"{median(result.building):.2f}")
        ratios = (ratio([one / result.limit for one in builds]) for builds in (result.building, result.by_hook))
        rows.append((*calls, *seconds, *ratios))
    print("\nA cold build, beside the slower of rendering alone and of the waves of calls:\n")
    called = ("pages", "images", "a call", "at once")
    heads = (*called, "rendering, s", "limit, s", "wall, s", "ratio", "of a hook that only buys")
    print(table(heads, rows), flush=True)


def importing(folder: Path, *, runs: int) -> None:
    """Print what importing the plugin takes where MkDocs is imported already."""
    engine = "import mkdocs.__main__, mkdocs.commands.build, mkdocs.contrib.search"
    programs = [
        [sys.executable, "-c", f"{engine}{more}"] for more in ("", "; import mkdocs_qhaigc.engines.mkdocs.plugin")
    ]
    for program in programs:
        timed(program, folder)  # compiles the modules
    pairs = [[timed(program, folder).cpu for program in programs] for _ in range(runs)]
    added = median([ours - plain for plain, ours in pairs])
    print(f"\nImporting the plugin: {added * 1000:.0f} ms of CPU, after {median([p for p, _ in pairs]) * 1000:.0f} ms")
    print(f"for MkDocs (median of {runs} pairs).", flush=True)


def _medians(timings: list[Timing]) -> Timing:
    return Timing(
        median([one.wall for one in timings]),
        median([one.cpu for one in timings]),
        int(median([one.memory for one in timings])),
    )


def _bought(site: Path) -> list[Path]:
    return sorted((site / ".qhaigc/originals").glob("*.json"))


def _version(package: str) -> str:
    try:
        return version(package)
    except ImportError:
        return "-"


def _machine() -> str:
    """Return the processor's name, how many there are, and the system."""
    name = platform.processor() or platform.machine()
    described = Path("/proc/cpuinfo")
    if described.exists():
        lines = described.read_text(encoding="utf-8").splitlines()
        name = next((line.partition(": ")[2] for line in lines if line.startswith("model name")), name)
    return f"{os.cpu_count()} × {name}, {platform.system()}"


if __name__ == "__main__":
    main()
