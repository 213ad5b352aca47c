"""Every address that a build hands out has its file, whatever turns out to be damaged or gone, and when.

The first is what a random walk over a site's life (`test_site_life.py`) was written to find; so is each of the others.
"""

from __future__ import annotations

import shutil

from tests.conftest import Project
from tests.helpers.api import ImagesApi
from tests.helpers.site_checks import problems


def test_an_image_that_is_bought_again_for_its_damaged_original_is_shown_where_its_file_is(
    project: Project, api: ImagesApi
) -> None:
    """The damage is seen only when the original is encoded, after the pages have their addresses."""
    project.page("index.md", "![Fog](qhaigc:one)\n", qhaigc={"one": {"prompt": "fog", "alt": "Fog"}})
    project.page("a.md", "![Rain](qhaigc:two)\n", qhaigc={"two": {"prompt": "rain", "alt": "Rain"}})
    assert project.build("--strict").code == 0
    (original,) = (project.cache / "originals").glob("one-*.png")
    data = bytearray(original.read_bytes())
    data[len(data) // 2] ^= 1
    original.write_bytes(data)
    shutil.rmtree(project.cache / "variants")
    built = project.build()
    assert built.code == 0, built.output
    assert problems(built.site, "https://example.com/docs/") == []
    assert api.prompts.count("fog") == 2
    assert api.prompts.count("rain") == 1
    assert project.build("--strict").digest() == built.digest()
