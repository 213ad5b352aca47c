"""SIGKILL at random moments of a build that buys images, then a build to the end: nothing that had arrived is lost.

`python benchmarks/kill_builds.py --kills 120`
"""

from __future__ import annotations

import argparse
import hashlib
import random
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))

from tests.conftest import Project
from tests.helpers.api import Behaviour, Handler, ImagesApi, answer, by_base64, by_url
from tests.helpers.tasks import by_task, says

IMAGES = 20
KILLS_OF_A_SITE = 4
"""More would find all images bought already."""
SIZE = "320x180"
FAILS = "number p0"
"""The prompt whose first task fails, where there are tasks: the service says so, and the next build orders it anew."""


class Ledger:
    """What the server sold, and which of it the client had read, seen from the server's side.

    Each answer ends its connection: the client closes it when it has read the whole answer, and the server sees that.
    """

    def __init__(self, answers: Behaviour) -> None:
        self._answers = answers
        self._lock = threading.Lock()
        self.read_at: list[tuple[str, float]] = []
        self.dice = random.Random(0)

    def sell(self, handler: Handler, body: dict[str, Any]) -> None:
        """Answer a call, and note when its answer has been read."""
        handler.server.api.closed.wait(self.dice.uniform(0.02, 0.4))
        handler.protocol_version = "HTTP/1.0"
        self._answers(handler, body)
        handler.wfile.flush()
        handler.close_connection = True
        handler.connection.settimeout(30)
        try:
            ended = handler.connection.recv(1) == b""
        except OSError:
            return
        if ended:
            with self._lock:
                self.read_at.append((body["prompt"], time.monotonic()))


def by_slow_task() -> Behaviour:
    """Answer with tasks that take a few questions; those of `FAILS` fail until the service has said so once."""
    said = threading.Event()
    report = says("failed", error={"message": "GPU lost"})

    def fail(handler: Handler, body: dict[str, Any]) -> None:
        said.set()
        report(handler, body)

    def behave(handler: Handler, body: dict[str, Any]) -> None:
        under_way = answer(200, {"status": "processing"}, retry_after_ms="80")
        ends = [fail] * 99 if body["prompt"] == FAILS and not said.is_set() else []
        by_task(*[under_way] * (len(handler.server.api.calls) % 6), *ends)(handler, body)

    return behave


ANSWERS: dict[str, Callable[[], Behaviour]] = {
    "url": lambda: by_url,
    "b64_json": lambda: by_base64,
    "tasks": by_slow_task,
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0] if __doc__ else None)
    parser.add_argument("--kills", type=int, default=120, help="builds that are killed (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=3, help="of the moments (default: %(default)s)")
    parser.add_argument("--answers", choices=sorted(ANSWERS), action="append", help="(default: all in turn)")
    arguments = parser.parse_args()
    findings, names = 0, arguments.answers or list(ANSWERS)
    for name in names:
        findings += kill(name, kills=arguments.kills // len(names), seed=arguments.seed)
    sys.exit(1 if findings else 0)


def kill(name: str, *, kills: int, seed: int) -> int:
    """Return how many promises were broken. A site is built anew whenever it is whole: kills need something to hit."""
    dice = random.Random(seed)
    done = sites = calls = in_flight = lost = excess = damaged = failed = 0
    with tempfile.TemporaryDirectory(prefix="qhaigc-kill-") as folder:
        while done < kills:
            sites += 1
            with ImagesApi() as api:
                ledger = Ledger(ANSWERS[name]())
                ledger.dice.seed(seed * 1000 + sites)
                api.default = ledger.sell
                project = make_project(Path(folder) / f"site-{sites}", api, name)
                killed_in_flight = 0
                for _ in range(min(KILLS_OF_A_SITE, kills - done)):
                    done += 1
                    before, asked = len(api.calls), len(api.fetches)
                    began = time.monotonic()
                    process = project.start("build")
                    while (len(api.calls), len(api.fetches)) == (before, asked) and process.poll() is None:
                        time.sleep(0.002)
                    time.sleep(dice.uniform(0, 0.5))
                    at = time.monotonic()
                    process.kill()
                    process.communicate()
                    threading.Event().wait(0.05)  # what was on its way to the ledger
                    read = sum(began < moment < at for _, moment in ledger.read_at)
                    killed_in_flight += len(api.calls) - before - read
                failures = min(api.prompts.count(FAILS), 1) if name == "tasks" else 0
                if failures:
                    project.build()  # the failure may be heard of only here
                built = project.build("--strict")
                lost += not (built.code == 0 and len(list((project.cache / "originals").glob("*.json"))) == IMAGES)
                damaged += count_damaged(project, api)
                excess += max(0, len(api.calls) - IMAGES - failures - killed_in_flight)
                calls += len(api.calls) - failures
                failed += failures
                in_flight += killed_in_flight
    print(
        f"{name}: {done} kills over {sites} sites of {IMAGES} images: {calls} calls = "
        f"{sites * IMAGES} images + {calls - sites * IMAGES} bought again; {in_flight} calls were in flight at "
        f"kills; {excess} had been read by the client and were bought again; "
        f"sites not whole: {lost}; damaged files served: {damaged}"
        + (f"; {failed} tasks failed, and were ordered anew" if failed else "")
    )
    return lost + excess + damaged


def make_project(folder: Path, api: ImagesApi, answers: str) -> Project:
    project = Project(folder, api.base_url)
    project.options |= {"size": SIZE, "response_format": "b64_json" if answers == "b64_json" else "url"}
    names = [f"p{index}" for index in range(IMAGES)]
    project.page(
        "index.md",
        "\n\n".join(f"![x](qhaigc:{name})" for name in names),
        qhaigc={name: f"number {name}" for name in names},
    )
    return project


def count_damaged(project: Project, api: ImagesApi) -> int:
    """Return how many originals are not the bytes that the server sold."""
    sold = {hashlib.sha256(data).hexdigest() for drawn in api.drawn.values() for data in drawn}
    originals = (project.cache / "originals").glob("*.png")
    return sum(hashlib.sha256(path.read_bytes()).hexdigest() not in sold for path in originals)


if __name__ == "__main__":
    main()
