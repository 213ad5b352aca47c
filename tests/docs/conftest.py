"""The documentation's own site, built once for the tests of a worker."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.helpers.documentation import ROOT
from tests.helpers.in_process import run_mkdocs


@pytest.fixture(scope="session")
def documentation(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the built site. A bad link or anchor, or a mistake in a directive, is an error here."""
    site = tmp_path_factory.mktemp("documentation")
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("QHAIGC")}
    command = ["build", "--strict", "-f", str(ROOT / "mkdocs.yml"), "-d", str(site)]
    built = run_mkdocs(command, folder=ROOT / "docs_hooks", environment={**inherited, "NO_MKDOCS_2_WARNING": "1"})
    assert built.returncode == 0, built.stdout + built.stderr
    return site
