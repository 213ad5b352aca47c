"""What the commands that look at a site take, beside the warm build that they precede.

`python benchmarks/commands.py --help`
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

from sites import build, median, spread, timed, write_config, write_pages

PLUGIN = {"base_url": "sandbox", "size": "64x36", "widths": [32], "max_new_images": 100_000, "concurrency": 8}
COMMANDS = (["plan", "--json"], ["check"], ["gallery"])


def main() -> None:
    parser = argparse.ArgumentParser(description="Time plan, check and gallery against a warm build of the same site.")
    parser.add_argument("--pages", type=int, default=1000, help="pages, each with an image (default: %(default)s)")
    parser.add_argument("--runs", type=int, default=5, help="timed runs of each (default: %(default)s)")
    parser.add_argument("--theme", default="mkdocs", help="mkdocs, material, … (default: %(default)s)")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="qhaigc-benchmark-") as name:
        folder = Path(name)
        write_pages(
            folder / "docs",
            pages=arguments.pages,
            image=lambda number: "![An image](qhaigc:hero)",
            front_matter=lambda number: f"qhaigc: Harbour number {number} at dusk\n",
        )
        write_config(folder, theme=arguments.theme, plugin=PLUGIN)
        build(folder)  # buys and encodes everything
        measure(folder, runs=arguments.runs)


def measure(folder: Path, *, runs: int) -> None:
    """Print what each command takes; in turn with the build, so that what else the machine does falls on all."""
    program = str(Path(sys.executable).with_name("mkdocs-qhaigc"))
    lines = [[program, *words, "-f", str(folder / "mkdocs.yml")] for words in COMMANDS]
    for line in lines:
        timed(line, folder)  # compiles its modules
    builds: list[float] = []
    commands: list[list[float]] = [[] for _ in lines]
    for _ in range(runs):
        builds.append(build(folder).wall)
        for line, times in zip(lines, commands, strict=True):
            times.append(timed(line, folder).wall)
    print(f"warm build     {median(builds):7.2f} s   {spread(builds)}")
    for words, times in zip(COMMANDS, commands, strict=True):
        ratios = [one / whole for one, whole in zip(times, builds, strict=True)]
        print(f"{words[0]:14} {median(times):7.2f} s   ratio {median(ratios):.2f}, {spread(ratios)}")


if __name__ == "__main__":
    main()
