"""The queue that a preview gives the studio, while its options change."""

from __future__ import annotations

from pathlib import Path

import pytest

from mkdocs_qhaigc.config.options import Options, read_options
from mkdocs_qhaigc.directives.request import ImageRequest
from mkdocs_qhaigc.engines.mkdocs.state_between_rebuilds import Generation
from mkdocs_qhaigc.errors import OptionError
from mkdocs_qhaigc.generation.job import ImageJob
from mkdocs_qhaigc.generation.queue import GenerationQueue
from mkdocs_qhaigc.store.image_store import open_cache
from tests.helpers.api import KEY, ImagesApi


def begin(generation: Generation, options: Options) -> list[GenerationQueue]:
    """Begin a build; return the queues that the studio got while it began."""
    asked: list[GenerationQueue] = []

    def edited() -> object:
        asked.append(generation.queue())
        return object()

    generation.begin(options, open_cache(options), serving=True, again=False, edited=edited)
    return asked


def test_an_order_while_a_build_begins_gets_the_queue_of_its_options(
    api: ImagesApi, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("QHAIGC_API_KEY", KEY)
    generation = Generation()
    with ImagesApi() as other:
        for server in (api, other):
            options = read_options({"base_url": server.base_url}, folder=tmp_path, docs_dir=tmp_path / "docs")
            [queue] = begin(generation, options)
        assert queue is generation.queue()
        request = ImageRequest("m", "Fog", "32x32")
        assert queue.order(ImageJob("index.md#hero", "hero", request)).result(30)
        assert (api.calls, other.prompts) == ([], ["Fog"])
        generation.stop()
        with pytest.raises(OptionError):
            generation.queue()
        generation.close()
