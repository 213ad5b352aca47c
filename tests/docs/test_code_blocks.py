"""Each code block of the documentation is built or run, page by page, in the order of the page."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

import pytest

from tests.conftest import require_posix
from tests.helpers.api import ImagesApi
from tests.helpers.documentation import PAGES, Reader, blocks

OTHERS = [page for page in PAGES if page.startswith(("plugins/", "zensical", "properdocs"))]
"""Pages whose blocks need other plugins or engines."""


@pytest.mark.slow
@pytest.mark.parametrize("page", [page for page in PAGES if blocks(page) and page not in OTHERS])
def test_what_a_page_says_can_be_done(page: str, tmp_path: Path, api: ImagesApi) -> None:
    require_posix("a shell as the commands are written for")
    others = page.startswith("services/")  # whose fields the sandbox does not know
    reader = Reader(tmp_path / "project", page, api.base_url if others else "sandbox")
    assert reader.follow() == blocks(page)
    assert bool(api.calls) == others


@pytest.mark.compatibility
@pytest.mark.parametrize("page", [page for page in OTHERS if blocks(page)])
def test_what_a_page_about_others_says_can_be_done(page: str, tmp_path: Path) -> None:
    if page.startswith("zensical") and not find_spec("zensical"):
        pytest.skip("Zensical needs Python 3.11")
    assert Reader(tmp_path / "project", page).follow() == blocks(page)
