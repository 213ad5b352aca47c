"""What the plugin adds as a site grows: system calls, memory and CPU time, and a rebuild of `mkdocs serve`.

What it adds a page has to stay the same at every size. `python benchmarks/scale.py --help`
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
import time
import urllib.error
import urllib.request
from pathlib import Path

from overhead import PLUGIN, make_sites
from sites import MKDOCS, Timing, build, median, page_uri, table, write_config

_TOTAL = re.compile(r"^\s*100(?:[.,]00)?\s+[\d.,]+\s+(?:\d+\s+)?(\d+)\s.*total$", re.MULTILINE)


def main() -> None:
    parser = argparse.ArgumentParser(description="Measure what the plugin adds as a site grows.")
    parser.add_argument("--pages", type=int, nargs="+", default=[1000, 2000, 4000], help="default: 1000 2000 4000")
    parser.add_argument("--theme", default="mkdocs", help="mkdocs, material, … (default: %(default)s)")
    parser.add_argument(
        "--every", type=int, default=2, help="an image stands on every so many-th page (default: %(default)s)"
    )
    parser.add_argument("--edits", type=int, default=3, help="pairs of rebuilds at the largest size; 0: none")
    arguments = parser.parse_args()
    rows, served = [], []
    with tempfile.TemporaryDirectory(prefix="qhaigc-benchmark-") as name:
        for pages in arguments.pages:
            folder = Path(name, str(pages))
            sites = make_sites(folder, pages=pages, every=arguments.every)
            for site, plugin in zip(sites, (PLUGIN, None), strict=True):
                write_config(site, theme=arguments.theme, plugin=plugin, bare=True)
            rows.append((pages, *_row(*sites, pages=pages)))
            print(f"{rows[-1]}", file=sys.stderr)
            if pages == arguments.pages[-1] and arguments.edits:
                served = rebuilds(*sites, edits=arguments.edits)
            shutil.rmtree(folder)
    heads = ("pages", "CPU, s", "added a page, ms", "memory, MB", "added a page, KB", "system calls", "added a page")
    print(f"\nA warm build, with the plugin / without, theme {arguments.theme}, the index alone in the navigation:\n")
    print(table(heads, rows))
    if arguments.edits:
        ours, plain = ([pair[side].cpu for pair in served] for side in (0, 1))
        walls = [[pair[side].wall for pair in served] for side in (0, 1)]
        print(f"\nA rebuild of `mkdocs serve` after an edit, {arguments.pages[-1]} pages, {len(served)} pairs:\n")
        row = (
            f"{median(ours):.2f} / {median(plain):.2f}",
            f"{median(ours) / median(plain):.3f}",
            f"{median(walls[0]):.2f} / {median(walls[1]):.2f}",
        )
        print(table(("CPU, s", "ratio", "from the edit to the page, s"), [row]))


def _row(with_plugin: Path, without: Path, *, pages: int) -> tuple[object, ...]:
    both = [_measured(site) for site in (with_plugin, without)]
    (ours, our_calls), (plain, calls) = both
    return (
        f"{ours.cpu:.2f} / {plain.cpu:.2f}",
        f"{(ours.cpu - plain.cpu) / pages * 1000:.2f}",
        f"{ours.memory / 1e6:.0f} / {plain.memory / 1e6:.0f}",
        f"{(ours.memory - plain.memory) / pages / 1e3:.1f}",
        f"{our_calls} / {calls}" if calls else "no strace",
        f"{(our_calls - calls) / pages:.1f}" if calls else "-",
    )


def _measured(site: Path) -> tuple[Timing, int]:
    """Return what a build takes, and how many system calls it makes; 0 where they cannot be counted."""
    build(site)
    timing = build(site)
    if not shutil.which("strace"):
        return timing, 0
    counts = site / "calls.txt"
    build(site, mkdocs=("strace", "-f", "-c", "-o", str(counts), *MKDOCS))
    total = _TOTAL.search(counts.read_text(encoding="utf-8"))
    return timing, int(total[1]) if total else 0


def rebuilds(with_plugin: Path, without: Path, *, edits: int) -> list[tuple[Timing, Timing]]:
    """Return what rebuilds after one edit take, of both sites in turn."""
    servers = [Server(site) for site in (with_plugin, without)]
    try:
        for server in servers:
            server.pause()
        pairs = []
        for number in range(edits + 1):
            timings = {}
            for server in servers if number % 2 else reversed(servers):
                server.resume()
                timings[server] = server.edit(number)
                server.pause()
            print(f"{number}/{edits}: {', '.join(f'{timings[one].cpu:.2f}' for one in servers)} s CPU", file=sys.stderr)
            pairs.append((timings[servers[0]], timings[servers[1]]))
    finally:
        for server in servers:
            server.close()
    return pairs[1:]  # the first rebuild imports and reads what later ones have


class Server:
    """`mkdocs serve` on one site."""

    def __init__(self, site: Path) -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        self._page = site / "docs" / page_uri(0)
        self._text = self._page.read_text(encoding="utf-8")
        self._url = f"http://127.0.0.1:{port}/docs/{page_uri(0).removesuffix('.md')}/"
        command = [*MKDOCS, "serve", "-q", "-f", str(site / "mkdocs.yml"), "-a", f"127.0.0.1:{port}"]
        self._process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self._wait_for("Page 0")

    def edit(self, number: int) -> Timing:
        """Write into a page, wait until it is served, and return what that took."""
        word = f"edited-{number}"
        cpu, started = self._cpu(), time.perf_counter()
        self._page.write_text(f"{self._text}\n{word}\n", encoding="utf-8")
        self._wait_for(word)
        return Timing(time.perf_counter() - started, self._cpu() - cpu, 0)

    def pause(self) -> None:
        """Stop it: a server looks at all its files twice a second, which would take the other's time."""
        self._process.send_signal(signal.SIGSTOP)

    def resume(self) -> None:
        """Let it go on."""
        self._process.send_signal(signal.SIGCONT)

    def close(self) -> None:
        """End it, and leave the page as it was."""
        self.resume()
        self._process.terminate()  # a script that runs in the background has its children deaf to Ctrl-C
        self._process.wait(60)
        self._page.write_text(self._text, encoding="utf-8")

    def _wait_for(self, word: str) -> None:
        while True:
            if self._process.poll() is not None:
                sys.exit(f"mkdocs serve ended with {self._process.returncode}.")
            try:
                with urllib.request.urlopen(self._url, timeout=600) as answer:
                    if word in answer.read().decode():
                        return
            except (urllib.error.URLError, ConnectionError):
                pass
            time.sleep(0.1)

    def _cpu(self) -> float:
        """Return the seconds of CPU time that the server has taken; not a number where the system does not say."""
        told = Path(f"/proc/{self._process.pid}/stat")
        if not told.exists():
            return float("nan")
        fields = told.read_text(encoding="utf-8").rpartition(") ")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


if __name__ == "__main__":
    main()
