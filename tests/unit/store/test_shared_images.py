"""The shared images over the builds of one program."""

from __future__ import annotations

from pathlib import Path

import pytest

from mkdocs_qhaigc.config.options import read_options
from mkdocs_qhaigc.store.image_store import open_cache
from mkdocs_qhaigc.store.shared_images import SharedImages


def test_a_store_in_trouble_is_left_alone_by_the_next_builds_of_a_preview(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Else each of them would wait for one that does not answer."""
    options = read_options({"shared": f"file://{tmp_path}/team"}, folder=tmp_path, docs_dir=tmp_path / "docs")
    shared = SharedImages(options, open_cache(options))
    assert shared.fetch("0" * 64, "a") is None
    assert not shared.writable
    shared.renew()
    (tmp_path / "team").mkdir()
    assert not shared.writable
    monkeypatch.setattr("mkdocs_qhaigc.store.shared_images._ASK_AGAIN", 0)
    shared.renew()
    assert shared.writable
    assert shared.fetch("0" * 64, "a") is None
    assert len(caplog.messages) == 1
