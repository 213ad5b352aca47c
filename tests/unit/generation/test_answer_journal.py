"""The journal of answers: kept until their images are saved; one file a call, however many images it is for."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from mkdocs_qhaigc.generation.answer_journal import Journal
from tests.conftest import require_posix

BODY = b'{"data": []}\n'
A, B, C = (digit * 64 for digit in "abc")


def test_each_key_of_a_call_finds_the_body_and_its_position(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "answers")
    entry = journal.entry([A, B, C])
    assert journal.find(A) is None
    for _ in range(2):  # a call may be made again
        entry.begin()
        entry.add(BODY[:5])
        entry.add(BODY[5:])
        assert entry.is_complete
        found = [journal.find(key) for key in (A, B, C)]
        assert [one and (one.position, one.body) for one in found] == [(0, BODY), (1, BODY), (2, BODY)]
        assert all(one and one.age < 60 for one in found)
    assert len(list(journal.folder.iterdir())) == 1


def test_an_answer_says_with_what_settings_it_was_asked_for(tmp_path: Path) -> None:
    entry = Journal(tmp_path, asked="url https://api.example.com/v1").entry([A])
    entry.begin(("gzip",))
    entry.add(b'{"data": [{"url": "/a.png"}]}')
    found = Journal(tmp_path, asked="b64_json https://other.example.com/v1").find(A)
    assert found
    assert (found.asked, found.codings) == ("url https://api.example.com/v1", ("gzip",))
    assert found.parse("https://other.example.com/v1").url == "https://api.example.com/a.png"


def test_an_answer_goes_with_its_last_image_and_keeps_its_age_until_then(tmp_path: Path) -> None:
    journal = Journal(tmp_path)
    entry = journal.entry([A, B])
    entry.begin()
    entry.add(BODY)
    (file,) = tmp_path.iterdir()
    os.utime(file, (time.time() - 7200,) * 2)
    journal.settle(A)
    assert journal.find(A) is None
    found = journal.find(B)
    assert found
    assert (found.position, found.body) == (1, BODY)
    assert 7100 < found.age < 7300
    journal.settle(B)
    assert not list(tmp_path.iterdir())


def test_an_answer_for_several_survives_a_new_one_for_some_of_them(tmp_path: Path) -> None:
    journal = Journal(tmp_path)
    for keys, body in (([A, B], BODY), ([A], b"{}")):
        entry = journal.entry(keys)
        entry.begin()
        entry.add(body)
    found = [journal.find(key) for key in (A, B)]
    assert [one and (one.position, one.body) for one in found] == [(0, b"{}"), (1, BODY)]


@pytest.mark.parametrize("position", [0, 1])
def test_the_images_of_a_task_take_the_place_of_its_name_for_one_key(tmp_path: Path, position: int) -> None:
    journal = Journal(tmp_path)
    entry = journal.entry([A, B])
    entry.begin(("br",))
    entry.add(b'{"task_id": "t"}')
    for file in tmp_path.iterdir():
        os.utime(file, (time.time() - 7200,) * 2)
    journal.replace(B, BODY, position=position)
    found = [journal.find(key) for key in (A, B)]
    assert [one and (one.position, one.body, one.codings) for one in found] == [
        (0, b'{"task_id": "t"}', ("br",)),
        (position, BODY, ()),
    ]
    assert found[0]
    assert found[0].age > 7100
    assert found[1]
    assert found[1].age < 60
    journal.settle(B)
    assert journal.find(B) is None
    assert journal.find(A)
    journal.settle(A)
    assert not list(tmp_path.iterdir())


def test_an_answer_that_names_one_task_for_several_images_tells_each_its_position(tmp_path: Path) -> None:
    journal = Journal(tmp_path)
    entry = journal.entry([A, B, C])
    entry.begin()
    entry.add(b'{"task_id": "t", "status": "queued"}')
    found = [journal.find(key) for key in (A, B, C)]
    tasks = [one.parse("https://api.example.com/v1").task for one in found if one]
    assert [task and (task.id, task.position) for task in tasks] == [("t", 0), ("t", 1), ("t", 2)]


def test_what_is_no_journal_s_file_is_left_alone(tmp_path: Path) -> None:
    for name, content in (("x.answer", b"no keys\n{}"), (f"{A}.json", BODY), ("y.answer", b""), ("z.answer", b"\xff")):
        (tmp_path / name).write_bytes(content)
    (tmp_path / "folder.answer").mkdir()
    journal = Journal(tmp_path)
    assert journal.find(A) is None
    journal.settle(A)
    assert len(list(tmp_path.iterdir())) == 5


def test_an_answer_without_a_body_counts_as_none(tmp_path: Path) -> None:
    journal = Journal(tmp_path)
    journal.entry([A]).begin()
    assert journal.find(A) is None


def test_what_cannot_be_kept_whole_is_removed(tmp_path: Path) -> None:
    require_posix("limits of what a program may write")
    import resource

    entry = Journal(tmp_path).entry([A, B])
    entry.begin()
    entry.add(BODY)
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (2 * 65 + len(BODY) + 3, limits[1]))
    try:
        with pytest.raises(OSError, match="File too large"):
            entry.add(BODY)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    entry.add(BODY)
    assert not entry.is_complete
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("address", ["https://bücher.example/v1", "https://api.example.com/" + "图" * 1200])
def test_an_answer_of_an_address_in_any_script_is_of_the_same_api(tmp_path: Path, address: str) -> None:
    journal = Journal(tmp_path, asked=f"url {address}")
    entry = journal.entry([A])
    entry.begin()
    entry.add(BODY)
    found = journal.find(A)
    assert found
    assert found.body == BODY
    assert found.asked == journal.asked
    assert not found.is_of_another_api(journal.asked)
