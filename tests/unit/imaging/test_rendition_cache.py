"""The cache of renditions, where its folder does not last."""

from __future__ import annotations

import shutil
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier

import pytest

from mkdocs_qhaigc.imaging.rendition_cache import RenditionCache


def test_a_folder_that_goes_while_threads_use_it_is_one_warning(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    cache = RenditionCache(tmp_path / "variants")
    cache.store("before", b"before")
    shutil.rmtree(tmp_path / "variants")
    together = Barrier(8)

    def use(number: int) -> bytes:
        together.wait()
        cache.store(f"key {number}", b"%d" % number)
        found = Path(cache.paths([f"key {number}"])[f"key {number}"]).read_bytes()
        cache.close()
        return found

    with ThreadPoolExecutor(8) as threads:
        assert list(threads.map(use, range(8))) == [b"%d" % number for number in range(8)]
    (warning,) = caplog.messages
    assert "Its images are encoded again" in warning


@pytest.mark.slow
def test_a_folder_that_goes_in_the_midst_of_writes_ends_no_build(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Threads that go on in the removed index, and threads that begin a new one, are in transactions together then."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    for number in range(4):
        cache = RenditionCache(tmp_path / f"variants-{number}")
        together = Barrier(7)

        def use(name: int, cache: RenditionCache = cache, together: Barrier = together) -> set[str]:
            together.wait()
            keys = [f"{name} {count}" for count in range(12)]
            for key in keys:
                cache.store(key, key.encode() * 4000)
                cache.close()  # the next one opens a connection, to the index that is there now
            return set(keys)

        with ThreadPoolExecutor(7) as threads:
            done = [threads.submit(use, name) for name in range(6)]
            together.wait()
            for _ in range(3):
                shutil.rmtree(tmp_path / f"variants-{number}", ignore_errors=True)
            assert [len(future.result()) for future in done] == [12] * 6
        cache.store("after", b"after")
        assert Path(cache.paths(["after"])["after"]).read_bytes() == b"after"
        cache.close()
