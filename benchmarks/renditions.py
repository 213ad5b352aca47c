"""Measures how long a warm build looks up a site's renditions: the CPU time of one call for all of them.

`python benchmarks/renditions.py --help`
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from pathlib import Path

from sites import median

from mkdocs_qhaigc.imaging.rendition_cache import RenditionCache

LIMIT = 0.015
"""Seconds of CPU for 600 renditions."""


def main() -> int:
    parser = argparse.ArgumentParser(description="Look up renditions, as a warm build does.")
    parser.add_argument("--renditions", type=int, default=600, help="200 images at three widths (default: %(default)s)")
    parser.add_argument("--runs", type=int, default=5, help="timed runs (default: %(default)s)")
    arguments = parser.parse_args()
    keys = [f"{os.urandom(32).hex()}|480<800<1280|2|webp|80|marked {number}" for number in range(arguments.renditions)]
    with tempfile.TemporaryDirectory() as folder:
        cache = RenditionCache(Path(folder) / "variants")
        for key in keys:
            cache.store(key, os.urandom(40_000))
        cache.close()
        seconds = median([look_up(Path(folder) / "variants", keys) for _ in range(arguments.runs)])
    limit = LIMIT * arguments.renditions / 600
    print(f"{len(keys)} renditions: {1000 * seconds:.1f} ms of CPU to open the cache and look all of them up")
    print(f"limit          {1000 * limit:.1f} ms")
    return int(seconds > limit)


def look_up(folder: Path, keys: list[str]) -> float:
    """Return the seconds of CPU that it takes to open the cache and to find all of these renditions."""
    began = time.process_time()
    cache = RenditionCache(folder)
    found = cache.paths(keys)
    seconds = time.process_time() - began
    cache.close()
    if len(found) != len(keys):
        sys.exit(f"only {len(found)} of {len(keys)} renditions were found")
    return seconds


if __name__ == "__main__":
    sys.exit(main())
