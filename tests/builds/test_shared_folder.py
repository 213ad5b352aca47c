"""A team's images in a folder: what a build finds there, and what it puts there."""

from __future__ import annotations

import contextlib
import json
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import Built, Machine, Project
from tests.helpers.api import Handler, ImagesApi, by_url
from tests.helpers.commands import COMMAND, run
from tests.helpers.unprivileged import run_unprivileged


def objects(team: Path) -> list[str]:
    return sorted(path.relative_to(team).as_posix() for path in team.rglob("*") if path.is_file())


def record_of(team: Path, prompt: str) -> tuple[Path, dict[str, Any]]:
    for path in team.glob("??/*.json"):
        record = json.loads(path.read_bytes())
        if record["request"]["prompt"] == prompt:
            return path, record
    raise AssertionError(prompt)


def strict(built: Built) -> Built:
    assert (built.code, built.warnings) == (0, []), built.output
    return built


def test_what_one_machine_buys_another_one_finds(machine: Machine, team: Path, api: ImagesApi) -> None:
    first, second = machine("first"), machine("second")
    bought = strict(first.build())
    assert bought.summary == "2 generated"
    second.environment.pop("QHAIGC_API_KEY")
    calls = len(api.calls)
    found = strict(second.build())
    assert found.summary == "2 shared"
    assert found.digest() == bought.digest()
    assert len(api.calls) == calls == 2
    assert strict(second.build()).summary == "2 cached"
    assert first.originals == second.originals
    for name in first.originals:
        assert (first.cache / "originals" / name).read_bytes() == (second.cache / "originals" / name).read_bytes()


def test_bytes_that_a_killed_program_left_are_kept_beside_the_teams_image(machine: Machine, api: ImagesApi) -> None:
    first, second = machine("first"), machine("second")
    strict(first.build())
    (name,) = (name for name in first.originals if name.startswith("a-") and name.endswith(".png"))
    (second.cache / "originals").mkdir(parents=True)
    left = (first.cache / "originals" / name).read_bytes() + b"of another purchase"
    (second.cache / "originals" / name).write_bytes(left)
    assert strict(second.build()).summary == "2 shared"
    assert (second.cache / "originals" / f"{name}.damaged").read_bytes() == left


def test_layout(machine: Machine, team: Path) -> None:
    strict(machine("first").build())
    path, record = record_of(team, "first")
    key, digest = record["key"], record["sha256"]
    image = f"{key[:2]}/{key}-{digest[:16]}.png"
    assert path.relative_to(team).as_posix() == f"{key[:2]}/{key}.json"
    assert {"mkdocs-qhaigc.json", image, f"leases/{key}/1.json"} <= set(objects(team))


IMPORTED = """import sys

def on_post_build(config):
    print("IMPORTED", sorted({"httpx", "PIL", "obstore", "mkdocs_qhaigc.store.shared_images"} & set(sys.modules)))
"""


def test_nothing_is_asked_while_all_images_are_here(machine: Machine, team: Path) -> None:
    project = machine("first")
    project.own_process = True
    project.write("hook.py", IMPORTED)
    project.config["hooks"] = ["hook.py"]
    cold = strict(project.build())
    assert "IMPORTED ['PIL', 'httpx', 'mkdocs_qhaigc.store.shared_images', 'obstore']" in cold.output
    team.rename(team.with_name("elsewhere"))
    warm = strict(project.build())
    assert warm.summary == "2 cached"
    assert "IMPORTED []" in warm.output


def test_a_folder_that_is_not_there_is_no_empty_one(machine: Machine, team: Path, api: ImagesApi) -> None:
    team.rmdir()
    project = machine("first")
    built = project.build()
    assert built.code == 0
    assert built.summary == "2 generated"
    (warning,) = built.warnings
    assert "there is no such bucket, container or folder" in warning
    assert not team.exists()
    team.mkdir()
    assert strict(project.build()).summary == "2 cached"  # and now uploads what it could not
    assert len(list(team.glob("??/*.json"))) == 2
    assert strict(machine("second").build()).summary == "2 shared"
    assert len(api.calls) == 2


def shown_nowhere(project: Project) -> None:
    project.page("index.md", "# Without images")


def pinned(project: Project) -> None:
    assert run(project, "pin").returncode == 0


@pytest.fixture(params=[(shown_nowhere, ""), (pinned, "2 pinned")], ids=["shown_nowhere", "pinned"])
def late(request: pytest.FixtureRequest, machine: Machine, team: Path) -> tuple[Project, str]:
    """A machine that could not upload its two images, since there was no folder, and whose next build needs neither of
    them from the store; the summary of that build."""
    change, summary = request.param
    team.rmdir()
    project = machine("first")
    assert project.build().summary == "2 generated"
    change(project)
    return project, summary


def test_what_could_not_be_uploaded_is_uploaded_by_a_build_that_needs_none_of_it(
    late: tuple[Project, str], machine: Machine, team: Path, api: ImagesApi
) -> None:
    project, summary = late
    shutil.rmtree(project.folder / "site")
    team.mkdir()
    assert strict(project.build()).summary == summary
    assert len(list(team.glob("??/*.json"))) == len(list(team.glob("??/*.png"))) == 2
    assert not list((project.cache / "originals").glob("*.unshared"))
    assert strict(machine("second").build()).summary == "2 shared"
    assert len(api.calls) == 2


def test_a_store_in_trouble_is_no_warning_for_a_build_that_needs_nothing_of_it(late: tuple[Project, str]) -> None:
    project, summary = late
    built = strict(project.build("--strict"))
    assert built.summary == summary
    assert "there is no such bucket, container or folder" in built.output
    assert len(list((project.cache / "originals").glob("*.unshared"))) == 2


def test_an_image_whose_record_a_killed_program_did_not_write_is_uploaded_when_it_is_found(
    machine: Machine, team: Path, api: ImagesApi
) -> None:
    team.rmdir()
    project = machine("first")
    assert project.build().summary == "2 generated"
    for record in (project.cache / "originals").glob("*.json"):
        record.unlink()
    team.mkdir()
    project.build()
    assert strict(machine("second").build()).summary == "2 shared"
    assert len(api.calls) == 2


def removed(team: Path) -> None:
    shutil.rmtree(team)


def replaced(team: Path) -> None:
    """As where a network drive is unmounted: the folder on which it was is there, and empty."""
    team.rename(team.with_name("unmounted"))
    team.mkdir()


@pytest.mark.parametrize("goes", [removed, replaced])
def test_nothing_is_written_where_the_folder_was_that_goes_while_a_build_runs(
    goes: Callable[[Path], None], machine: Machine, team: Path, api: ImagesApi
) -> None:
    def leaves(handler: Handler, body: dict[str, Any]) -> None:
        goes(team)
        by_url(handler, body)

    api.script = [leaves]
    project = machine("first")
    project.options["concurrency"] = 1
    built = project.build()
    assert (built.code, built.summary) == (0, "2 generated")
    (warning,) = built.warnings
    assert "its folder has gone since this build began" in warning
    assert not team.exists() or objects(team) == []
    shutil.rmtree(team, ignore_errors=True)
    team.mkdir()
    (project.cache / "shared.json").unlink()  # else an empty folder is no store that was used before
    assert strict(project.build()).summary == "2 cached"
    assert strict(machine("second").build()).summary == "2 shared"
    assert len(api.calls) == 2


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    folder = tmp_path / "disk"
    folder.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(folder)]
    if shutil.which("mount") is None or subprocess.run(command, capture_output=True, check=False).returncode:
        pytest.skip("a small disk can be mounted by root alone")
    yield folder
    subprocess.run(["umount", "-l", str(folder)], check=True)


def test_a_folder_that_may_not_be_written_is_read(machine: Machine, team: Path, api: ImagesApi) -> None:
    strict(machine("first").build())
    project = machine("second")
    project.page("more.md", "![C](qhaigc:c)", qhaigc={"c": {"prompt": "third", "alt": "C"}})
    folders = [team, *(path for path in team.rglob("*") if path.is_dir())]
    for folder in folders:
        folder.chmod(0o555)
    try:
        build = ("mkdocs", "build", "-f", str(project.write_config()), "-d", str(project.folder / "site"))
        [(code, output, errors)] = run_unprivileged(project, build)
    finally:
        for folder in folders:
            folder.chmod(0o755)
    said = output + errors
    assert code == 0
    assert "3 images: 1 generated, 2 shared" in said
    assert "WARNING" not in said
    assert said.count("it refuses access, for writing. Images are read from there") == 1
    assert strict(project.build()).summary == "3 cached"  # which uploads what could not be
    assert len(list(team.glob("??/*.json"))) == 3
    assert len(api.calls) == 3


def test_a_disk_that_is_mounted_read_only_is_read(machine: Machine, small_disk: Path, api: ImagesApi) -> None:
    first, second = machine("first"), machine("second")
    for project in (first, second):
        project.options["shared"] = f"file://{small_disk}"
    strict(first.build())
    second.page("more.md", "![C](qhaigc:c)", qhaigc={"c": {"prompt": "third", "alt": "C"}})
    subprocess.run(["mount", "-o", "remount,ro", str(small_disk)], check=True)
    assert strict(second.build()).summary == "1 generated, 2 shared"


def fill(disk: Path) -> Path:
    """Fill a disk; return the file that does so."""
    filler = disk / "filler"
    with contextlib.suppress(OSError), filler.open("wb", buffering=0) as file:
        while True:
            file.write(bytes(1 << 12))
    return filler


def test_a_store_without_space_is_one_warning_and_gets_the_images_when_it_has_some(
    machine: Machine, small_disk: Path, api: ImagesApi
) -> None:
    filler = fill(small_disk)
    project = machine("first")
    project.options["shared"] = f"file://{small_disk}"
    built = project.build()
    assert (built.code, built.summary) == (0, "2 generated")
    (warning,) = built.warnings
    assert "it has no space left" in warning
    filler.unlink()
    assert strict(project.build()).summary == "2 cached"
    second = machine("second")
    second.options["shared"] = f"file://{small_disk}"
    assert strict(second.build()).summary == "2 shared"
    assert len(api.calls) == 2


def test_a_build_that_must_not_buy_says_why_an_image_cannot_be_taken_from_the_store(
    machine: Machine, small_disk: Path
) -> None:
    strict(machine("first").build())
    project = machine("second")
    project.own_process = True  # so that nothing of the cache is open, which would make room when it is closed
    project.options |= {"missing": "placeholder", "cache_dir": str(small_disk / "cache")}
    assert project.build().summary == "2 shared"
    shutil.rmtree(small_disk / "cache/originals")
    fill(small_disk)
    built = project.build()
    assert "2 placeholders" in built.summary
    assert any("cannot be written (No space left on device)" in warning for warning in built.warnings), built.output


def test_dark_images_and_those_with_reference_images_are_shared(machine: Machine, api: ImagesApi) -> None:
    def with_references(name: str) -> Project:
        project = machine(name)
        project.options["models"] = {"qh-draw-x2-preview": {"sizes": {"max_side": 16383}, "references": "json"}}
        light = {"prompt": "first", "alt": "A", "dark": "first by night"}
        project.page(
            "index.md",
            "![A](qhaigc:a) ![B](qhaigc:b)",
            qhaigc={"a": light, "b": {"prompt": "second", "alt": "B", "references": ["a"]}},
        )
        return project

    bought = strict(with_references("first").build())
    assert bought.summary == "3 generated"
    other = with_references("second")
    other.environment["QHAIGC_API_KEY"] = ""
    found = strict(other.build())
    assert (found.summary, found.digest()) == ("3 shared", bought.digest())
    calls = len(api.calls)
    more = run(with_references("third"), "candidates", "index.md#b", "-n", "2", "--yes")  # takes a, which it shows
    assert more.returncode == 0, more.stderr
    assert len(api.calls) == calls + 1


def test_two_machines_that_buy_the_same_variants_at_once_buy_each_once(machine: Machine, api: ImagesApi) -> None:
    machines = [machine(name) for name in ("first", "second")]
    for project in machines:
        project.write_config()
    running = [
        subprocess.Popen(
            [COMMAND, "candidates", "index.md#a", "-n", "3", "--yes"],
            cwd=project.folder,
            env=project.environ(),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        for project in machines
    ]
    outputs = [process.communicate(timeout=100)[0] for process in running]
    assert [process.returncode for process in running] == [0, 0], outputs
    assert sum(map(len, api.sold.values())) == 3
    assert machines[0].originals == machines[1].originals
    assert len(machines[0].originals) == 6


def test_the_mode_read_only_uploads_nothing(machine: Machine, team: Path) -> None:
    project = machine("first")
    project.options["shared_mode"] = "read-only"
    assert strict(project.build()).summary == "2 generated"
    assert objects(team) == []
    assert not list((project.cache / "originals").glob("*.unshared"))


def test_the_mode_off_asks_nothing(machine: Machine, team: Path) -> None:
    strict(machine("first").build())
    project = machine("second")
    project.options["shared_mode"] = "off"
    assert strict(project.build()).summary == "2 generated"


@pytest.mark.slow
def test_without_the_client_the_option_is_an_error_that_says_what_to_install(machine: Machine, tmp_path: Path) -> None:
    project = machine("first")
    (tmp_path / "blocked/obstore").mkdir(parents=True)
    (tmp_path / "blocked/obstore/__init__.py").write_text("raise ImportError('not installed')\n")
    project.environment["PYTHONPATH"] = str(tmp_path / "blocked")
    built = project.build()
    assert built.code == 1
    assert "pip install 'mkdocs-qhaigc[shared]'" in built.output
    assert "Traceback" not in built.output
    project.options["shared_mode"] = "off"
    assert strict(project.build()).summary == "2 generated"
    project.options["shared_mode"] = "auto"
    assert strict(project.build()).summary == "2 cached"  # nothing has to be asked
