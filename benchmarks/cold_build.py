"""How far a build that generates its pictures is from the fastest that it could be.

Nothing can be quicker than the slower of two things: rendering the pages, and calling the API for every picture, so
many calls at once. `python benchmarks/cold_build.py --help`
"""

from __future__ import annotations

import argparse
import math
import shutil
import sys
import tempfile
from pathlib import Path

from sites import ASSETS_DIR, Timing, build, median, spread, write_config, write_pages

from mkdocs_qhaigc.sandbox import Sandbox

PLUGIN = {
    "base_url": "!ENV",  # replaced below
    "assets_dir": ASSETS_DIR,
    "size": "320x180",  # small, so that drawing and encoding are not the subject
    "widths": [320],
}


def main() -> None:
    parser = argparse.ArgumentParser(description="Compare a build that generates pictures with its limit.")
    parser.add_argument("--pictures", type=int, default=12, help="pictures to generate (default: %(default)s)")
    parser.add_argument("--pages", type=int, help="pages of the site; the first ones have a picture (default: as many)")
    parser.add_argument("--latency", type=float, default=1.0, help="seconds per picture (default: %(default)s)")
    parser.add_argument("--concurrency", type=int, default=4, help="calls at once (default: %(default)s)")
    parser.add_argument("--runs", type=int, default=5, help="timed builds of each kind (default: %(default)s)")
    parser.add_argument("--theme", default="mkdocs", help="mkdocs, material, … (default: %(default)s)")
    arguments = parser.parse_args()
