"""What the plugin adds to a build whose pictures are all there.

Two sites with the same pages and the same picture files are built in turn: one refers to its pictures by name and has
the plugin, the other refers to files beside its pages and has none. `python benchmarks/warm_build.py --help`
"""

from __future__ import annotations

import argparse
import platform
import shutil
import sys
import tempfile
from importlib.metadata import version
from pathlib import Path

from sites import ASSETS_DIR, Timing, build, median, page_uri, spread, write_config, write_pages

PLUGIN = {
    "base_url": "sandbox",
    "assets_dir": ASSETS_DIR,
    "size": "256x144",
    "widths": [256],
    "concurrency": 8,
    "max_new_images": 100_000,
}


def main() -> None:
    parser = argparse.ArgumentParser(description="Measure what the plugin adds to a build whose pictures are there.")
    parser.add_argument("--pages", type=int, default=1000, help="pages, each with one picture (default: %(default)s)")
    parser.add_argument("--runs", type=int, default=7, help="timed builds of each site (default: %(default)s)")
    parser.add_argument("--theme", default="mkdocs", help="mkdocs, material, … (default: %(default)s)")
    parser.add_argument("--bare", action="store_true", help="leave the pages out of the navigation")
    parser.add_argument("--keep", type=Path, help="make the two sites in this folder and leave them there")
    arguments = parser.parse_args()
    if arguments.keep:
        arguments.keep.mkdir(parents=True)
        measure(arguments.keep, pages=arguments.pages, runs=arguments.runs, theme=arguments.theme, bare=arguments.bare)
    else:
        with tempfile.TemporaryDirectory(prefix="qhaigc-benchmark-") as folder:
            measure(
                Path(folder), pages=arguments.pages, runs=arguments.runs, theme=arguments.theme, bare=arguments.bare
            )


def measure(folder: Path, *, pages: int, runs: int, theme: str, bare: bool) -> None:
    with_plugin, without = make_sites(folder, pages=pages, theme=theme, bare=bare)
    originals = sorted((with_plugin / ".cache").rglob("sandbox/*.json"))
    pairs: list[tuple[Timing, Timing]] = []
    for run in range(runs):
        if run % 2:  # each site is first in half of the pairs
            other = build(without)
            pairs.append((build(with_plugin), other))
        else:
            pairs.append((build(with_plugin), build(without)))
        print(f"{run + 1}/{runs}: {pairs[-1][0].cpu:.2f} s and {pairs[-1][1].cpu:.2f} s CPU", file=sys.stderr)
    if sorted((with_plugin / ".cache").rglob("sandbox/*.json")) != originals:
        sys.exit("Pictures were bought between the timed builds: they were not warm.")
    report(pairs, pages=pages, theme=theme, bare=bare)


def make_sites(folder: Path, *, pages: int, theme: str, bare: bool) -> tuple[Path, Path]:
    """Return the site with the plugin, its pictures bought and encoded, and the same site without it; both built once.

    Exits where a page has no picture.
    """
    with_plugin, without = folder / "with-plugin", folder / "without"
    write_pages(
        with_plugin / "docs",
        pages=pages,
        front_matter=lambda number: f"qhaigc: A harbor at dusk, number {number}, seen from the sea\n",
        picture=lambda _: "![A harbor at dusk](qhaigc:hero)",
    )
    write_pages(without / "docs", pages=pages, picture=lambda number: f"![A harbor at dusk](picture-{number:04}.webp)")
    write_config(with_plugin, theme=theme, plugin=PLUGIN, bare=bare)
    write_config(without, theme=theme, plugin=None, bare=bare)
    print(f"Buying {pages} pictures from the sandbox …", file=sys.stderr)
    build(with_plugin)
    pictures = sorted((with_plugin / "site" / ASSETS_DIR).glob("*.webp"))
    if len(pictures) != pages:
        sys.exit(f"The first build has {len(pictures)} pictures instead of {pages}.")
    for number, picture in enumerate(pictures):
        shutil.copyfile(picture, (without / "docs" / page_uri(number)).with_name(f"picture-{number:04}.webp"))
    build(without)
    return with_plugin, without


def report(pairs: list[tuple[Timing, Timing]], *, pages: int, theme: str, bare: bool) -> None:
    packages = f"MkDocs {version('mkdocs')}, Markdown {version('Markdown')}"
    print(f"\nWarm build of {pages} pages with one picture each, theme {theme}; {len(pairs)} pairs of builds, in turn.")
    print("Navigation: " + ("the index alone." if bare else "every page, as MkDocs makes it."))
    print(f"Each build: a fresh process, an empty site folder. Python {platform.python_version()}, {packages}.\n")
    rows = []
    for what, values in (
        ("wall, s", [(a.wall, b.wall) for a, b in pairs]),
        ("CPU (user + system), s", [(a.cpu, b.cpu) for a, b in pairs]),
        ("peak memory, MB", [(a.memory / 1e6, b.memory / 1e6) for a, b in pairs]),
    ):
        with_plugin, without = (median(side) for side in zip(*values, strict=True))
        ratios = [a / b for a, b in values]
        print(f"{what:<24} with {with_plugin:8.2f}   without {without:8.2f}   ratio of medians", end=" ")
        print(f"{with_plugin / without:.3f}   median of pairs {median(ratios):.3f} ({spread(ratios)})")
        rows.append((f"{with_plugin:.2f}", f"{without:.2f}", f"{median(ratios):.3f}"))
    (wall, cpu, memory) = rows
    print("\n| pages | theme | CPU with, s | without, s | ratio | wall ratio | memory with, MB | without, MB |")
    print("| --- | --- | --- | --- | --- | --- | --- | --- |")
    print(f"| {pages} | {theme} | {cpu[0]} | {cpu[1]} | {cpu[2]} | {wall[2]} | {memory[0]} | {memory[1]} |")


if __name__ == "__main__":
    main()
