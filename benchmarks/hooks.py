"""`mkdocs`, looked at every few milliseconds of its CPU time: how often it is in the plugin's own part.

`python benchmarks/hooks.py RESULT build …` runs `mkdocs build …`, and writes RESULT: how often it was looked at, and
how often a function of the plugin was under way, whoever called it: MkDocs' events, Python-Markdown, a template. Where
the plugin is merely imported counts for neither. Nothing is wrapped, so nothing takes longer for being measured.
"""

from __future__ import annotations

import json
import signal
import sys
from pathlib import Path
from types import FrameType

from mkdocs.__main__ import cli

import mkdocs_qhaigc

INTERVAL = 0.004
"""Seconds of CPU time; few systems can tell shorter ones."""
OWN = str(Path(mkdocs_qhaigc.__file__).parent)


class Looks:
    """What was seen so far."""

    def __init__(self) -> None:
        self.all = 0
        self.own = 0

    def take(self, _: int, frame: FrameType | None) -> None:
        """Look at the stack, as a handler of signals."""
        outermost = None
        while frame:
            if frame.f_code.co_filename.startswith(OWN):
                outermost = frame.f_code.co_name
            frame = frame.f_back
        self.all += outermost != "<module>"
        self.own += outermost not in (None, "<module>")


def main() -> None:
    result = Path(sys.argv.pop(1))
    looks = Looks()
    signal.signal(signal.SIGPROF, looks.take)
    signal.setitimer(signal.ITIMER_PROF, INTERVAL, INTERVAL)
    try:
        cli(prog_name="mkdocs")
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        result.write_text(json.dumps({"all": looks.all, "own": looks.own}), encoding="utf-8")


if __name__ == "__main__":
    main()
