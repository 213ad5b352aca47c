"""Builds and commands in a container: another user, a read-only checkout, hardly an environment, a wrong clock."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.conftest import Built, Project
from tests.helpers.api import KEY, ImagesApi
from tests.helpers.commands import buy, run
from tests.helpers.container import clock, contained
from tests.helpers.documentation import blocks

pytestmark = pytest.mark.slow

[RECIPE] = [block.text for block in blocks("deploy.md", "Deploy from a read-only checkout")]


@pytest.fixture
def pinned(project: Project, api: ImagesApi) -> Project:
    """A checkout in which every image is pinned, and nothing else is left of earlier builds."""
    project.options["missing"] = "error"
    project.options["widths"] = [48]
    project.page("index.md", "Words. ![Fog](qhaigc:hero)", qhaigc="fog")
    project.options["missing"] = "generate"
    buy(project, api)
    assert run(project, "pin").returncode == 0
    project.yaml = project.write_config().read_text(encoding="utf-8")
    for folder in (project.cache, project.folder / "site"):
        shutil.rmtree(folder)
    return project


@pytest.mark.parametrize(
    "wrong_clock", [dict, lambda: clock("+10y"), lambda: clock("-10y")], ids=["now", "later", "earlier"]
)
def test_the_recipe_builds_a_read_only_checkout_without_a_warning(
    pinned: Project, api: ImagesApi, tmp_path: Path, wrong_clock: Callable[[], dict[str, str]]
) -> None:
    site = tmp_path / "out"
    site.mkdir()
    recipe = RECIPE.replace("/docs/", f"{pinned.folder}/").replace("/site", str(site))
    finished = contained(
        recipe,
        read_only=[pinned.folder],
        environment={"SOURCE_DATE_EPOCH": pinned.environment["SOURCE_DATE_EPOCH"], **wrong_clock()},
    )
    built = Built(finished.returncode, finished.stdout + finished.stderr, site)
    assert built.code == 0, built.output
    assert built.warnings == []
    assert built.summary == "1 pinned"
    assert "Set `cache_dir` to a folder that can be written" in built.output
    assert not pinned.cache.exists()
    assert {path.stat().st_mode & 0o777 for path in site.rglob("*.webp")} == {0o600}  # its umask, as for every page
    assert built.digest() == pinned.build("--strict").digest()
    assert not api.calls


def test_commands_read_such_a_checkout(pinned: Project, api: ImagesApi) -> None:
    config = f"-f {pinned.folder}/mkdocs.yml"
    for line, code in (
        ("check", 0),
        ("plan --json", 0),
        ("pin --check", 0),
        ("prune --dry-run", 0),
        ("generate --yes", 0),
        ("gallery", 1),
        ("gallery --out $HOME/gallery.html", 0),
        ("candidates index.md#hero -n 1", 1),
        ("sync", 1),
    ):
        folder = pinned.folder.parent / "home"
        folder.mkdir(exist_ok=True)
        finished = contained(
            f"mkdocs-qhaigc {line} {config}", read_only=[pinned.folder], environment={"HOME": str(folder)}
        )
        said = f"{line}: {finished.stdout}{finished.stderr}"
        assert finished.returncode == code, said
        assert "Traceback" not in said
        if code:
            assert re.search(r"cannot be written \(Read-only file system\)\. .*(`cache_dir`|--out)", said), said
    assert not api.calls


@pytest.mark.parametrize(
    "wrong_clock", [dict, lambda: clock("+10y"), lambda: clock("-10y")], ids=["now", "later", "earlier"]
)
def test_images_are_bought_once_into_a_cache_elsewhere(
    project: Project, api: ImagesApi, tmp_path: Path, wrong_clock: Callable[[], dict[str, str]]
) -> None:
    cache, site = tmp_path / "cache", tmp_path / "out"
    project.options["cache_dir"] = str(cache)
    project.page("index.md", "Words. ![Fog](qhaigc:hero)", qhaigc="fog")
    project.write_config()
    for number, summary in enumerate(("1 generated", "1 cached", "1 cached")):
        finished = contained(
            f"mkdocs build --strict -f {project.folder}/mkdocs.yml --site-dir {site}",
            read_only=[project.folder],
            environment={"QHAIGC_API_KEY": KEY, **(wrong_clock() if number < 2 else {})},  # the last one's is right
        )
        built = Built(finished.returncode, finished.stdout + finished.stderr, site)
        assert (built.code, built.summary, built.warnings) == (0, summary, []), built.output
    assert len(api.calls) == 1
    assert all(path.stat().st_mode & 0o077 == 0 for path in cache.rglob("*"))


def test_without_a_temporary_folder_a_build_says_what_to_set(pinned: Project, tmp_path: Path) -> None:
    """As `docker run --read-only` leaves a container."""
    site, cache = tmp_path / "out", tmp_path / "cache"
    for folder in (site, cache):
        folder.mkdir()
    build = f"cd {pinned.folder}; mkdocs build --strict --site-dir {site}"
    everywhere = [Path("/tmp"), Path("/var/tmp"), *([] if tmp_path.is_relative_to("/tmp") else [tmp_path])]
    built = contained(build, read_only=everywhere, writable=[site])
    assert built.returncode == 1, built.stderr
    assert "Traceback" not in built.stderr
    assert "neither in `cache_dir` nor in a temporary folder" in built.stderr
    checked = contained(f"cd {pinned.folder}; mkdocs-qhaigc check", read_only=everywhere)
    assert checked.returncode == 1
    assert "Set the environment variable TMPDIR" in checked.stderr
    assert "Traceback" not in checked.stderr

    pinned.write("mkdocs.yml", (pinned.yaml or "").replace('"widths"', f'"cache_dir": "{cache}", "widths"'))
    built = contained(build, read_only=everywhere, writable=[site, cache])
    assert built.returncode == 0, built.stderr
