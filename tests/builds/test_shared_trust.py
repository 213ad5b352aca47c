"""A store whose records are signed, and what an attacker who may write to it can do without the secret."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import Machine, Project
from tests.helpers.api import ImagesApi

SECRET = "the team's own secret"


@pytest.fixture
def signing(machine: Machine) -> Machine:
    """Make machines that have the secret."""

    def make(name: str) -> Project:
        project = machine(name)
        project.environment["QHAIGC_SHARED_SECRET"] = SECRET
        return project

    return make


def stored(team: Path, prompt: str) -> tuple[Path, Path, dict[str, Any]]:
    """Return the record and the image of a prompt, and what the record says."""
    for path in team.glob("??/*.json"):
        record: dict[str, Any] = json.loads(path.read_bytes())
        if record["request"]["prompt"] == prompt:
            return path, path.with_name(f"{record['key']}-{record['sha256'][:16]}.png"), record
    raise AssertionError(prompt)


def put(record: dict[str, Any], image: bytes, place: Path) -> None:
    """Write a record at a place, and an image where a record with its digest has it."""
    place.write_text(json.dumps(record))
    place.with_name(f"{place.stem}-{record['sha256'][:16]}.png").write_bytes(image)


def swap(team: Path) -> None:
    """Put the signed record and the image of one prompt under the key of the other."""
    (path, image, record), (other, theirs, their_record) = stored(team, "first"), stored(team, "second")
    mine, their = image.read_bytes(), theirs.read_bytes()
    put(record, mine, other)
    put(their_record, their, path)


def rename_key(team: Path) -> None:
    """Say in the signed record of another image that it is of this key."""
    (path, _, record), (other, image, theirs) = stored(team, "first"), stored(team, "second")
    put({**theirs, "key": record["key"]}, image.read_bytes(), path)
    put({**record, "key": theirs["key"]}, image.read_bytes(), other)


def replay(team: Path) -> None:
    """Leave the signed record as it is, and put another image where it has its own."""
    for prompt in ("first", "second"):
        _, image, _ = stored(team, prompt)
        image.write_bytes(image.read_bytes() + b"something else")


def digest_of_another(team: Path) -> None:
    """Give the signed record the digest of another image, which is there."""
    for prompt in ("first", "second"):
        path, image, record = stored(team, prompt)
        data = image.read_bytes() + b"something else"
        put({**record, "sha256": hashlib.sha256(data).hexdigest(), "bytes": len(data)}, data, path)


def unsigned(team: Path) -> None:
    for prompt in ("first", "second"):
        path, image, record = stored(team, prompt)
        put({name: value for name, value in record.items() if name != "signature"}, image.read_bytes(), path)


@pytest.mark.parametrize(
    ("attack", "says"),
    [
        (swap, "is the record of another image"),
        (rename_key, "QHAIGC_SHARED_SECRET"),
        (replay, "its bytes are not those that its record says"),
        (digest_of_another, "QHAIGC_SHARED_SECRET"),
        (unsigned, "QHAIGC_SHARED_SECRET"),
    ],
)
def test_nothing_that_an_attacker_has_put_there_is_published(
    attack: Callable[[Path], None], says: str, signing: Machine, team: Path, api: ImagesApi
) -> None:
    assert signing("first").build("--strict").summary == "2 generated"
    attack(team)
    forged = {path: path.read_bytes() for path in team.rglob("*") if path.is_file()}
    project = signing("second")
    project.options["missing"] = "placeholder"
    built = project.build()
    assert built.code == 0
    assert "2 placeholders" in built.summary
    assert all(says in warning for warning in built.warnings if "shared store" in warning)
    assert any("shared store" in warning for warning in built.warnings)
    project.options["missing"] = "generate"
    assert project.build().summary == "2 generated"
    sold = {hashlib.sha256(data).hexdigest() for datas in api.sold.values() for data in datas[1:]}
    images = (project.cache / "originals").glob("*.png")
    assert {hashlib.sha256(path.read_bytes()).hexdigest() for path in images} == sold
    for path, data in forged.items():
        if "leases" not in path.parts:
            assert path.read_bytes() == data  # nothing is replaced, what was planted either
    shutil.rmtree(project.folder / "site")
    assert project.build("--strict").summary == "2 cached"


def test_no_secret_is_written_anywhere(signing: Machine, team: Path) -> None:
    project = signing("first")
    project.own_process = True
    project.options["report"] = "report.json"
    built = project.build("--strict", "--verbose")
    assert built.code == 0
    written = [path for folder in (team, project.folder) for path in folder.rglob("*") if path.is_file()]
    assert SECRET not in built.output
    assert not [path for path in written if SECRET.encode() in path.read_bytes()]
