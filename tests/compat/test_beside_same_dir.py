"""A site whose pages lie beside its configuration (`docs_dir: .`), which the plugin same-dir makes possible."""

from __future__ import annotations

import shutil
import threading
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import Project
from tests.helpers.api import ImagesApi, waits_for
from tests.helpers.beside import alts, assert_whole, build_both_ways
from tests.helpers.commands import run, watching
from tests.helpers.engines import EVERY_MKDOCS, beside
from tests.helpers.serving import serving

pytestmark = pytest.mark.compatibility

SITES = "/cold/\n/warm/\n/site/\n"
"""What was built before: same-dir leaves out the present site alone."""


@pytest.fixture(autouse=True)
def site(project: Project) -> Project:
    project.own_process = True  # same-dir changes MkDocs' types for the whole process
    project.options |= {"widths": [48], "pins_dir": ".pins"}
    project.config |= {"docs_dir": ".", "plugins": ["same-dir"], "exclude_docs": SITES}
    project.docs.rmdir()
    project.write("index.md", "---\nqhaigc: {hero: {prompt: A tower, alt: Tower}}\n---\n# Home\n\n![](qhaigc:hero)\n")
    return project


def published(built_site: Path) -> list[str]:
    """Return the originals and records of a site, which must not be in it."""
    return [path.name for path in built_site.rglob("*") if path.suffix in (".png", ".json") and "hero" in path.name]


@beside("same-dir", *EVERY_MKDOCS)
def test_the_default_cache_and_pins_behind_a_dot_are_not_published(
    project: Project, api: ImagesApi, column: str
) -> None:
    built = build_both_ways(project, api, prompts=["A tower"])
    assert alts(built) == ["Tower"]
    project.write_config()
    assert run(project, "pin").returncode == 0
    shutil.rmtree(project.cache)
    again = project.build("--strict")
    assert (again.code, again.summary, again.warnings) == (0, "1 pinned", []), again.output
    assert_whole(again)
    assert published(again.site) == []
    assert run(project, "check").returncode == 0


def test_excluded_pins_are_accepted_and_others_refused(project: Project, api: ImagesApi) -> None:
    project.options["pins_dir"] = "generated-images"
    built = project.build("--strict")
    assert built.code == 1
    assert "option `pins_dir`: it is inside docs_dir, whose files are published" in built.output
    assert "list it under `exclude_docs`" in built.output
    assert not api.calls
    assert "list it under `exclude_docs`" in run(project, "sync").stderr
    project.config["exclude_docs"] = f"{SITES}generated-images/\n"
    assert project.build("--strict").code == 0
    assert run(project, "pin").returncode == 0
    assert run(project, "sync", "--out", "synced").returncode == 0
    built = project.build("--strict")
    assert (built.code, built.summary) == (0, "1 pinned"), built.output
    assert published(built.site) == []
    assert len(api.calls) == 1
    project.config["exclude_docs"] = f"{SITES}generated-images/\n!.qhaigc\n"
    assert "option `cache_dir`: it is inside docs_dir" in project.build().output


def test_serve_builds_again_for_edits_and_arrivals_and_not_for_its_own_cache(project: Project, api: ImagesApi) -> None:
    arrives = threading.Event()
    api.script = [waits_for(arrives)]
    project.write("guide/more.md", "# More\n\nWords.\n")
    with serving(project) as server:
        server.wait_until(lambda: server.image() and api.called.is_set())
        server.wait_until_quiet()
        assert server.builds == 1, server.output
        arrives.set()
        server.wait_until(lambda: server.builds == 2)
        server.wait_until_quiet()
        assert server.builds == 2, server.output  # of the arrival; what was written meanwhile is the server's own
        project.write("guide/more.md", "# More\n\nOther words.\n")
        server.wait_until(lambda: b"Other words" in server.get("/guide/more/"))
        server.wait_until_quiet()
        assert server.builds == 3, server.output
        project.write("index.md", (project.folder / "index.md").read_text("utf-8") + "\nAdded.\n")
        server.wait_until(lambda: "Added." in server.page())
        server.wait_until_quiet()
        assert server.builds == 4, server.output
    assert len(api.calls) == 1


def test_a_preview_keeps_its_budget_over_what_it_writes_itself(project: Project, api: ImagesApi) -> None:
    """Files in the cache are no edits of an author, after which a preview may buy more."""
    project.options["max_new_images"] = 1
    names = ["one", "two", "three"]
    front: dict[str, Any] = {name: {"prompt": name, "alt": name} for name in names}
    text = "".join(f"![](qhaigc:{name})\n" for name in names)
    project.write("index.md", f"---\nqhaigc: {front}\n---\n# Home\n\n{text}")
    with serving(project) as server:
        server.wait_until(lambda: server.builds >= 2)
        server.wait_until_quiet(6)
        assert len(api.calls) == 1, server.output


def test_sync_does_not_watch_what_it_writes(project: Project, api: ImagesApi) -> None:
    with watching(project) as wait_for:
        assert "0 written" not in wait_for(" written, ")
        wait_for("Watching")
        index = project.folder / "index.md"
        index.write_text(index.read_text("utf-8").replace("A tower", "A mast"), "utf-8")
        assert "0 written" not in wait_for(" written, ")
        # had it watched its cache, pins and images, it would have gone on without this
        index.write_text(index.read_text("utf-8") + "\nWords.\n", "utf-8")
        assert "0 written" in wait_for(" written, ")
    assert api.prompts == ["A tower", "A mast"]
