"""The cache of renditions, where its folder does not last."""

from __future__ import annotations

import shutil
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier

import pytest

from mkdocs_qhaigc.imaging.cache import RenditionCache


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
