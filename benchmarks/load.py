"""The buying path under load: many processes, many calls at once, and memory that does not grow with the images.

`python benchmarks/load.py`
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import Any

from PIL import Image

sys.path.insert(0, str(Path(__file__).parents[1]))

from tests.conftest import Project
from tests.helpers.api import Handler, ImagesApi, by_url, bytes_by_url, error

MEMORY_BETWEEN = 40 << 20
"""Bytes between the peaks of the small and the large build."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0] if __doc__ else None)
    parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="qhaigc-load-") as folder:
        results = [
            processes(Path(folder, "processes"), processes=8, images=40),
            busy(Path(folder, "busy"), images=200, concurrency=32),
            memory(Path(folder, "memory"), few=20, many=400),
        ]
    sys.exit(0 if all(results) else 1)


def make_project(folder: Path, api: ImagesApi, images: int, **options: Any) -> Project:
    project = Project(folder, api.base_url)
    project.options |= {"max_new_images": 1000, "timeout": 120, **options}
    names = [f"p{index}" for index in range(images)]
    project.page("index.md", "\n\n".join(f"![x](qhaigc:{n})" for n in names), qhaigc={n: f"number {n}" for n in names})
    return project


def processes(folder: Path, *, processes: int, images: int) -> bool:
    """Build in many processes with one empty cache."""
    with ImagesApi() as api:
        project = make_project(folder, api, images)
        command = project.command("build", "--strict")
        builds = [
            subprocess.Popen(
                [*command, "-q", "-d", str(folder / f"site-{number}")],
                env=project.environ(),
            )
            for number in range(processes)
        ]
        codes = [build.wait(600) for build in builds]
        calls, different = len(api.calls), len(set(api.prompts))
    print(f"{processes} processes, {images} images, one cache: {calls} calls for {different}, exit codes {codes}")
    return calls == different == images and codes == [0] * processes


def busy(folder: Path, *, images: int, concurrency: int) -> bool:
    """Build against a server that turns every third call away."""
    lock = threading.Lock()
    count = 0

    def every_third_429(handler: Handler, body: dict[str, Any]) -> None:
        nonlocal count
        with lock:
            count += 1
            turned_away = count % 3 == 0
        (error(429, "rate_limit_exceeded") if turned_away else sell)(handler, body)

    sold: list[str] = []

    def sell(handler: Handler, body: dict[str, Any]) -> None:
        sold.append(body["prompt"])
        by_url(handler, body)

    with ImagesApi(every_third_429) as api:
        project = make_project(folder, api, images, concurrency=concurrency, retries=8)
        began = time.monotonic()
        built = project.build("--strict")
        taken = time.monotonic() - began
        calls = len(api.calls)
    print(
        f"{images} images, {concurrency} at once, every third call a 429: {calls} calls, {len(sold)} images "
        "sold, "
        f"{len(set(sold))} different, exit code {built.code}, {taken:.1f} s"
    )
    return sorted(sold) == sorted(set(sold)) and len(sold) == images and built.code == 0


def memory(folder: Path, *, few: int, many: int) -> bool:
    """Compare the peaks of builds with few and with many images of 2 MB each."""
    image = folder / "image.png"
    folder.mkdir()
    Image.effect_noise((1408, 1408), 60).save(image)
    data = image.read_bytes()
    peaks: dict[int, int] = {}
    for images in (few, many):
        with ImagesApi(bytes_by_url(data)) as api:
            project = make_project(folder / str(images), api, images, size="1408x1408")
            command = project.command("build", "-q", "-d", str(folder / str(images) / "site"))
            build = subprocess.Popen(command, env=project.environ())
            _, status, usage = os.wait4(build.pid, 0)
            build.returncode = os.waitstatus_to_exitcode(status)
            peaks[images] = usage.ru_maxrss * 1024
            if len(api.calls) != images or build.returncode:
                sys.exit(f"{len(api.calls)} calls for {images} images, exit code {build.returncode}")
    said = ", ".join(f"{images} images {peak / 2**20:.0f} MiB" for images, peak in peaks.items())
    print(f"peak memory with images of {len(data) / 1e6:.1f} MB: {said}")
    return peaks[many] - peaks[few] <= MEMORY_BETWEEN


if __name__ == "__main__":
    main()
