"""Folders that this user may not read, enter or write, in builds and in every command."""

from __future__ import annotations

import copy
import re
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from mkdocs_qhaigc.config.cache_layout import FOLDERS
from tests.conftest import Project, require_posix
from tests.helpers.api import ImagesApi
from tests.helpers.commands import run
from tests.helpers.unprivileged import run_unprivileged

pytestmark = pytest.mark.slow

CACHE = ".qhaigc"
PINS = "generated-images"
ASSETS = "site/assets/qhaigc"
SYNCED = "docs/assets/qhaigc"
REPORTS = "reports"
TEMPORARY = "tmp"
NAMED = re.compile(r"`(cache_dir|pins_dir|assets_dir|report)`|--out|TMPDIR")
NEEDED_TO_BUY = {CACHE, *(f"{CACHE}/{name}" for name in ("answers", "locks", "originals"))}


def closed(folder: Path) -> None:
    folder.chmod(0)


def read_only(folder: Path) -> None:
    folder.chmod(0o500)


def a_file(folder: Path) -> None:
    folder.rename(folder.with_name(f"{folder.name}.before"))
    folder.write_bytes(b"a file")


def dead_link(folder: Path) -> None:
    folder.rename(folder.with_name(f"{folder.name}.before"))
    folder.symlink_to(folder.with_name("no folder"))


def circle(folder: Path) -> None:
    folder.rename(folder.with_name(f"{folder.name}.before"))
    folder.symlink_to(folder)


def immutable(folder: Path) -> None:
    if not shutil.which("chattr") or subprocess.run(["chattr", "-R", "+i", str(folder)], check=False).returncode:
        pytest.skip("root alone can make a folder immutable, on some file systems")


def cases() -> Iterator[tuple[str, Callable[[Path], None]]]:
    for folder in (CACHE, *(f"{CACHE}/{name}" for name in FOLDERS), PINS, ASSETS, SYNCED, REPORTS, TEMPORARY):
        yield from ((folder, state) for state in (closed, read_only, a_file))
    for folder in (CACHE, f"{CACHE}/originals", PINS, ASSETS, REPORTS, TEMPORARY):
        yield folder, dead_link
    for folder in (CACHE, PINS, REPORTS):
        yield folder, circle
    for folder in (CACHE, f"{CACHE}/variants", PINS, SYNCED):
        yield folder, immutable


@pytest.fixture(scope="module")
def bought(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Project, ImagesApi]]:
    """A site of which `hero` is pinned, `boat` only in the cache, and whose pages have been synced."""
    with ImagesApi() as api:
        project = Project(tmp_path_factory.mktemp("folders") / "project", api.base_url)
        project.options |= {"report": f"{REPORTS}/report.json", "images": {"boat": "a boat"}}
        project.page("index.md", "Words. ![Fog](qhaigc:hero) ![Boat](qhaigc:boat)", qhaigc={"hero": "fog"})
        assert project.build("--strict").code == 0
        assert run(project, "pin").returncode == 0
        assert run(project, "sync").returncode == 0
        for path in (project.folder / PINS).glob("boat-*"):
            path.unlink()
        for name in FOLDERS:
            (project.cache / name).mkdir(exist_ok=True)
        (project.folder / TEMPORARY).mkdir()
        yield project, api


@pytest.fixture
def site(bought: tuple[Project, ImagesApi], tmp_path: Path) -> Project:
    """A copy of that site."""
    project = copy.copy(bought[0])
    project.folder = tmp_path / "project"
    project.docs = project.folder / "docs"
    project.options = dict(project.options)
    project.environment = {**project.environment, "TMPDIR": str(project.folder / TEMPORARY)}
    shutil.copytree(bought[0].folder, project.folder)
    return project


@pytest.mark.parametrize(
    ("name", "state"), list(cases()), ids=lambda value: value if isinstance(value, str) else value.__name__
)
def test_a_folder_that_cannot_be_used_is_named_with_its_option_and_the_rest_works(
    bought: tuple[Project, ImagesApi], site: Project, name: str, state: Callable[[Path], None]
) -> None:
    require_posix("permissions")
    api = bought[1]
    folder = site.folder / name
    build = ("mkdocs", "build", "-f", str(site.write_config()), "-d", str(site.folder / "site"))
    commands = [
        build,
        *(
            ("mkdocs-qhaigc", *line.split())
            for line in (
                "plan",
                "check",
                "gallery",
                "pin --check",
                "candidates index.md#hero -n 1",
                "prune --older-than 0d --dry-run",
                "generate --yes",
                "sync",
            )
        ),
    ]
    later = [
        build,
        *(
            ("mkdocs-qhaigc", *line.split())
            for line in ("generate --yes", "pin", "prune --older-than 0d --yes", "sync")
        ),
    ]
    calls = len(api.calls)
    try:
        state(folder)
        first = run_unprivileged(site, *commands)
        calls_first = len(api.calls) - calls
        site.page("more.md", "![New](qhaigc:hero)", qhaigc=f"something new for {name} {state.__name__}")
        second = run_unprivileged(site, *later)
    finally:
        if state is immutable:
            subprocess.run(["chattr", "-R", "-i", str(folder)], check=True)
        if not folder.is_symlink():
            folder.chmod(0o700)

    for command, (code, out, err) in zip([*commands, *later], [*first, *second], strict=True):
        said = f"{command}: {code}\n{out}{err}"
        assert "Traceback" not in said
        assert code in (0, 1), said
        for line in (out + err).splitlines():
            if "cannot be" in line and "the site of" not in line:
                assert NAMED.search(line), said
        if code:
            assert NAMED.search(out + err) or "missing" in out or command[1:] == ("pin", "--check"), said
    assert calls_first == 0  # every image of the first commands is paid for
    links = (dead_link, circle)
    may_buy = (name, state) == (CACHE, read_only) or not (
        name in NEEDED_TO_BUY
        or (name == PINS and state in (closed, a_file, *links))  # it may be there already
        or (name.startswith(CACHE) and state in links)
    )
    assert len(api.calls) - calls == may_buy
    refused = (
        name == REPORTS
        or (name, state) == (SYNCED, a_file)
        or (name == ASSETS and state is not read_only)
        or state in links
    )
    assert first[0][0] == 0 or refused, first[0]
    if not first[0][0]:
        shown = {path.name.partition("-")[0] for path in (site.folder / ASSETS).glob("hero-*.webp")}
        assert shown == {"hero"}


def test_what_a_closed_folder_of_pages_declares_is_not_removed(
    bought: tuple[Project, ImagesApi], site: Project
) -> None:
    """MkDocs builds the site without it, and says nothing."""
    require_posix("permissions")
    folder = site.docs / "guide"
    folder.mkdir()
    (site.docs / "index.md").rename(folder / "index.md")
    site.page("index.md", "Words.")
    (site.docs / "lost+found").mkdir(mode=0)  # of a disk of its own: only the other one is named
    pins, originals = set((site.folder / PINS).iterdir()), site.originals
    lines = ("check", "pin", "prune --older-than 0d --yes", "sync", "plan")
    try:
        folder.chmod(0)
        results = run_unprivileged(site, *(("mkdocs-qhaigc", *line.split()) for line in lines))
    finally:
        folder.chmod(0o700)
    assert [code for code, _, _ in results] == [1, 1, 1, 1, 0], results
    for _, out, err in results:
        assert f"{folder} cannot be read (Permission denied)" in out + err
        assert "lost+found" not in out + err
    assert pins <= set((site.folder / PINS).iterdir())
    assert site.originals == originals
