"""The whole life of an image, by the command line alone."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

from tests.conftest import Project
from tests.helpers.api import ImagesApi
from tests.helpers.commands import git, run, run_in


def done(finished: object, code: int = 0) -> str:
    """Return what a command printed, having seen that it ended so."""
    printed = f"{getattr(finished, 'stdout', '')}{getattr(finished, 'stderr', '')}"
    assert getattr(finished, "returncode", None) == code, printed
    return printed


def test_image_is_planned_generated_picked_pinned_cloned_checked_changed_and_pruned(
    project: Project, api: ImagesApi, tmp_path: Path
) -> None:
    project.options["missing"] = "error"  # a build of this site never buys
    page = project.write(
        "docs/index.md", "---\nqhaigc: A lighthouse in fog  # ours\n---\n# Home\n\n![A tower](qhaigc:hero)\n"
    )
    assert "To buy: 1 by qh-draw-x2-preview" in done(run(project, "plan"))
    assert "index.md#hero" in done(run(project, "check"), 1)

    said = done(run(project, "generate", "--yes"))
    assert "1 image" in said
    assert api.prompts == ["A lighthouse in fog"]
    done(run(project, "candidates", "index.md#hero", "-n", "3", "--yes"))
    assert len(list((project.cache / "originals").glob("*.json"))) == 3
    (sheet,) = (project.cache / "candidates").rglob("*.html")
    assert "variant: 3" in sheet.read_text(encoding="utf-8")
    done(run(project, "candidates", "index.md#hero", "--pick", "3"))
    assert "variant: 3" in page.read_text(encoding="utf-8")
    assert "# ours" in page.read_text(encoding="utf-8")

    done(run(project, "pin", "--check"), 1)
    done(run(project, "pin"))
    done(run(project, "pin", "--check"))
    project.write(".gitignore", "site/\n")
    git(project.folder, "init", "--quiet")
    git(project.folder, "add", "--all")
    git(project.folder, "commit", "--quiet", "--message=x")
    asked = len(api.calls)

    clone = tmp_path / "clone"
    git(tmp_path, "clone", "--quiet", str(project.folder), str(clone))
    shutil.rmtree(project.cache)
    del project.environment["QHAIGC_API_KEY"]
    done(run_in(clone, project, "check"))
    site = project.build("--strict")
    assert site.code == 0, site.output
    assert site.summary == "1 pinned"
    assert len(api.calls) == asked

    in_clone = clone / "docs/index.md"
    in_clone.write_text(in_clone.read_text(encoding="utf-8").replace("fog", "rain"), encoding="utf-8")
    assert "index.md#hero" in done(run_in(clone, project, "check"), 1)
    done(run_in(clone, project, "pin"), 1)  # the new image is missing, and the old one stays until it is there
    assert list((clone / "generated-images").glob("*.png"))
    in_clone.write_text("# Nothing\n", encoding="utf-8")
    done(run_in(clone, project, "pin"))  # it goes into the cache
    assert not list((clone / "generated-images").glob("*.png"))
    kept = clone / ".qhaigc/originals"
    assert len(list(kept.glob("*.png"))) == 1
    done(run_in(clone, project, "prune", "--older-than", "0d", "--dry-run"))
    assert len(list(kept.glob("*.png"))) == 1
    said = json.loads(run_in(clone, project, "prune", "--older-than", "0d", "--yes", "--json").stdout)
    assert said["schema"] == 1
    assert not list(kept.glob("*.png"))
    assert len(api.calls) == asked
