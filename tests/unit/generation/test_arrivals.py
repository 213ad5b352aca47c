"""Answers that are kept until their images are saved: one body, however many images it holds."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from mkdocs_qhaigc.generation.journal import Arrival, Arrivals
from tests.conftest import require_posix

BODY = b'{"data": []}'


@pytest.mark.parametrize("links", [True, False], ids=["with links", "without"])
def test_each_of_several_images_finds_the_body_and_its_place_in_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, links: bool
) -> None:
    def none(*_: Any) -> None:
        raise OSError("this file system has none")

    if not links:
        monkeypatch.setattr(os, "link", none)
    files = [Arrival(tmp_path / f"{key}.json") for key in ("a", "b", "c")]
    arrivals = Arrivals(files)
    for _ in range(2):  # a call may be made again
        arrivals.begin()
        arrivals.add(BODY[:5])
        arrivals.add(BODY[5:])
        assert arrivals.kept
        assert [file.read() for file in files] == [(0, BODY), (1, BODY), (2, BODY)]
        assert all(file.age < 60 for file in files)
    assert len({path.stat().st_ino for path in tmp_path.iterdir()}) == (1 if links else 3)
    files[0].forget()
    assert [file.read() for file in files] == [None, (1, BODY), (2, BODY)]
    arrivals.forget()
    assert not list(tmp_path.iterdir())


def test_what_cannot_be_kept_whole_goes(tmp_path: Path) -> None:
    require_posix("limits of what a program may write")
    import resource

    arrivals = Arrivals([Arrival(tmp_path / "a.json"), Arrival(tmp_path / "b.json")])
    arrivals.begin()
    arrivals.add(BODY)
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (len(BODY), limits[1]))
    try:
        with pytest.raises(OSError, match="File too large"):
            arrivals.add(BODY)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    arrivals.add(BODY)
    assert not arrivals.kept
    assert not list(tmp_path.iterdir())
