"""The cache of renditions when its folder is removed while threads use it."""

from __future__ import annotations

import shutil
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from mkdocs_qhaigc.imaging.cache import RenditionCache

THREADS = 8


def test_threads_that_lose_the_folder_at_once_all_go_on(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Each opens a connection to the index that is gone, and each meets the error."""
    cache = RenditionCache(tmp_path / "variants")
    shutil.rmtree(tmp_path / "variants")
    at_once = threading.Barrier(THREADS)

    def store(number: int) -> str:
        at_once.wait(30)
        cache.store(str(number), b"%d" % number)
        return cache.paths([str(number)])[str(number)]

    with ThreadPoolExecutor(THREADS) as threads:
        stored = [threads.submit(store, number) for number in range(THREADS)]
    paths = [Path(one.result()) for one in stored]
    assert [path.read_bytes() for path in paths] == [b"%d" % number for number in range(THREADS)]
    assert len(caplog.messages) == 1
    cache.close()
