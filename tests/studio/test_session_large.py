"""The studio beside a large site."""

from __future__ import annotations

import time

import pytest

from mkdocs_qhaigc.store.image_store import open_cache
from tests.conftest import Project
from tests.helpers.studio_host import studio

pytestmark = pytest.mark.slow


def test_a_thousand_images_and_a_page_of_them_are_told_of_at_once(project: Project) -> None:
    """Where nothing else runs: 0.6 s for the first time, 0.2 s then; a page 5 ms, while images arrive 15 ms."""
    project.config["plugins"] = []
    for number in range(1000):
        directive = {"hero": {"prompt": f"Fog {number}", "alt": "Fog"}}
        project.page(f"part{number % 20}/page{number}.md", "![](qhaigc:hero)", qhaigc=directive)
    with studio(project) as (host, session, _):
        store = open_cache(host.options, quiet=True)
        for number, entry in enumerate(host.survey().entries[50:]):
            about = {"request": entry.request.as_record()}
            size = {"format": "png", "width": 96, "height": 54, "colour": None}
            data = f"image {number}".encode()
            store.save(name=entry.name, key=entry.request.key, data=data, about=about, **size)  # type: ignore[arg-type]
        began = time.thread_time()
        assert len(session.state(None)["images"]) == 1000
        assert time.thread_time() - began < 3
        seconds = []
        for _ in range(6):
            began = time.monotonic()
            state = session.state("/part3/page103/")
            seconds.append(time.monotonic() - began)
        assert [image["id"] for image in state["images"]] == ["part3/page103.md#hero"]
        assert state["bar"]["missing"] == 50
        assert min(seconds) < 0.25, seconds
