"""A folder of stored images: what is found again, what is not, and the messages about damaged files."""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from mkdocs_qhaigc._util.files import atomic_write
from mkdocs_qhaigc._util.log_routing import forwarding
from mkdocs_qhaigc.errors import LfsPointer, StoreError
from mkdocs_qhaigc.store.image_store import ImageStore
from mkdocs_qhaigc.store.record import StoredImage
from tests.conftest import require_posix

KEY = "4e96ebfcd164177aa720e54f74b3fbf6f3621f6f7f19ef7f87f0c0d1ea9b0fa9"
OTHER_KEY = KEY[:16] + "0" * 48
"""Of the same hex in files' names."""
DATA = b"RIFF\x10\x00\x00\x00WEBPVP8 \x00\x01\x02\x03"


@pytest.fixture
def reports() -> Iterator[list[str]]:
    """The warnings that are logged meanwhile."""
    logged: list[str] = []
    with forwarding(logged.append):
        yield logged


def open_store(folder: Path) -> ImageStore:
    return ImageStore(folder)


def save(folder: Path, **fields: Any) -> StoredImage:
    given: dict[str, Any] = {
        "name": "hero",
        "key": KEY,
        "data": DATA,
        "format": "webp",
        "width": 64,
        "height": 48,
        "colour": "#102030",
    }
    return open_store(folder).save(**{**given, "about": {"revised_prompt": "A tower"}, **fields})


@pytest.mark.parametrize(("format", "ending"), [("png", "png"), ("jpeg", "jpg"), ("webp", "webp"), ("avif", "avif")])
def test_what_was_saved_is_found_with_every_byte(tmp_path: Path, format: str, ending: str) -> None:
    saved = save(tmp_path / "new/folder", format=format)
    found = open_store(tmp_path / "new/folder").find(KEY)

    assert found == saved
    assert found is not None
    assert found.read() == DATA
    assert found.path.name == f"hero-{KEY[:16]}.{ending}"
    assert found.sha256 == hashlib.sha256(DATA).hexdigest()
    assert (found.key, found.format, found.width, found.height, found.colour) == (KEY, format, 64, 48, "#102030")
    assert found.record["revised_prompt"] == "A tower"


def test_a_store_has_nothing_but_images_and_records(tmp_path: Path) -> None:
    save(tmp_path)
    open_store(tmp_path).require_writable()

    assert sorted(path.name for path in tmp_path.iterdir()) == [f"hero-{KEY[:16]}.json", f"hero-{KEY[:16]}.webp"]


def test_a_record_is_json_that_people_can_read(tmp_path: Path) -> None:
    text = save(tmp_path, about={"request": {"prompt": "灯塔"}}).path.with_suffix(".json").read_text(encoding="utf-8")

    assert "灯塔" in text
    assert text.endswith("}\n")
    assert json.loads(text)["bytes"] == len(DATA)


def test_what_an_open_store_saves_it_finds(tmp_path: Path) -> None:
    opened = open_store(tmp_path)
    assert opened.find(KEY) is None
    saved = opened.save(name="hero", key=KEY, data=DATA, format="png", width=1, height=1, colour=None, about={})

    assert opened.find(KEY) == saved


def test_what_others_wrote_is_found_by_a_fresh_look(tmp_path: Path) -> None:
    opened = open_store(tmp_path)
    assert opened.find(KEY) is None
    saved = save(tmp_path)

    assert opened.find(KEY) is None
    assert opened.find(KEY, fresh=True) == saved


@pytest.mark.parametrize("name", ["灯塔", "renamed", "a-b_c", "x" * 64, "two words", "灯" * 64])
def test_an_image_is_found_by_its_hex_under_another_name(tmp_path: Path, name: str) -> None:
    saved = save(tmp_path)
    for suffix in (".webp", ".json"):
        saved.path.with_suffix(suffix).rename(tmp_path / f"{name}-{KEY[:16]}{suffix}")
    found = open_store(tmp_path).find(KEY)

    assert found is not None
    assert found.read() == DATA


@pytest.mark.parametrize("name", ["灯" * 64, "x" * 64])
def test_the_longest_name_fits_into_a_file_s_name(tmp_path: Path, name: str) -> None:
    save(tmp_path, name=name)

    assert open_store(tmp_path).find(KEY) is not None


def test_half_a_character_in_what_the_api_said_loses_no_image(tmp_path: Path) -> None:
    save(tmp_path, about={"revised_prompt": "half \ud83d"})
    found = open_store(tmp_path).find(KEY)

    assert found is not None
    assert found.record["revised_prompt"] == "half \ud83d"


def test_what_the_caller_tells_cannot_take_the_place_of_what_was_measured(tmp_path: Path) -> None:
    save(tmp_path, about={"created": "today", "api": "x"})

    assert open_store(tmp_path).find(KEY) is not None


def test_a_newer_image_takes_the_place_of_one_with_its_name(tmp_path: Path) -> None:
    save(tmp_path)
    save(tmp_path, data=b"newer")
    found = open_store(tmp_path).find(KEY)

    assert found is not None
    assert found.read() == b"newer"


def record(folder: Path) -> Path:
    return folder / f"hero-{KEY[:16]}.json"


def image(folder: Path) -> Path:
    return folder / f"hero-{KEY[:16]}.webp"


def changed(**fields: Any) -> Callable[[Path], object]:
    def change(folder: Path) -> None:
        record(folder).write_text(json.dumps({**json.loads(record(folder).read_text()), **fields}))

    return change


def without(field: str) -> Callable[[Path], object]:
    def change(folder: Path) -> None:
        kept = json.loads(record(folder).read_text())
        del kept[field]
        record(folder).write_text(json.dumps(kept))

    return change


def linked(of: Callable[[Path], Path]) -> Callable[[Path], object]:
    def change(folder: Path) -> None:
        require_posix("links that anybody may make")
        elsewhere = folder.parent / "elsewhere"
        of(folder).rename(elsewhere)
        of(folder).symlink_to(elsewhere)

    return change


def replaced(of: Callable[[Path], Path]) -> Callable[[Path], object]:
    def change(folder: Path) -> None:
        of(folder).unlink()
        of(folder).mkdir()

    return change


DAMAGES: dict[str, Callable[[Path], object]] = {
    "the image is cut short": lambda f: os.truncate(image(f), 5),
    "the image is empty": lambda f: os.truncate(image(f), 0),
    "the image has grown": lambda f: image(f).write_bytes(DATA + b"x"),
    "the image is missing": lambda f: image(f).unlink(),
    "the image is a link": linked(image),
    "the image is a folder": replaced(image),
    "the record is cut short": lambda f: os.truncate(record(f), 100),
    "the record is empty": lambda f: os.truncate(record(f), 0),
    "the record is a link": linked(record),
    "the record is a folder": replaced(record),
    "the record is no UTF-8": lambda f: record(f).write_bytes(b"\xff\xfe{"),
    "the record is a list": lambda f: record(f).write_text("[]"),
    "the record is null": lambda f: record(f).write_text("null"),
    "the record is huge": lambda f: record(f).write_bytes(b" " * (2 << 20) + b"{}"),
    "the record is nested without end": lambda f: record(f).write_text("[" * 100_000),
    "the record has a number without end": lambda f: record(f).write_text("9" * 5000),
    "the record is of a later version": changed(schema=2),
    "the record has another format": changed(format="gif"),
    "the record has a path as its format": changed(format="../../x"),
    "the record has a list as its format": changed(format=["webp"]),
    "the record has no width": without("width"),
    "the record has no sha256": without("sha256"),
    "the record has no key": without("key"),
    "the record has a width of zero": changed(width=0),
    "the record has a width that is no number": changed(width="64"),
    "the record has a yes for a height": changed(height=True),
    "the record has another count of bytes": changed(bytes=1),
    "the record has a sha256 that is none": changed(sha256="x"),
}


@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES)
def test_a_damaged_image_is_not_found_and_that_is_said_once(
    tmp_path: Path, reports: list[str], damage: Callable[[Path], object]
) -> None:
    folder = tmp_path / "store"
    save(folder)
    damage(folder)
    opened = open_store(folder)

    assert opened.find(KEY) is None
    assert opened.find(KEY, fresh=True) is None
    assert len(reports) == 1
    assert str(folder) in reports[0]
    assert "looked for elsewhere" in reports[0]
    assert len(reports[0].splitlines()) == 1


@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES)
def test_a_damaged_image_gives_way_to_a_whole_one_of_the_same_key(
    tmp_path: Path, damage: Callable[[Path], object]
) -> None:
    folder = tmp_path / "store"
    save(folder)
    damage(folder)
    whole = save(folder, name="zebra")

    assert open_store(folder).find(KEY) == whole


def test_bytes_that_changed_and_kept_their_count_are_noticed_when_they_are_read(tmp_path: Path) -> None:
    save(tmp_path)
    image(tmp_path).write_bytes(DATA[:-1] + bytes([DATA[-1] ^ 1]))
    found = open_store(tmp_path).find(KEY)

    assert found is not None
    with pytest.raises(StoreError, match=r"is damaged, its bytes are not those that were saved: .*hero-"):
        found.read()


def test_an_image_that_went_away_after_it_was_found_is_an_error_of_ours(tmp_path: Path) -> None:
    original = save(tmp_path)
    original.path.unlink()

    with pytest.raises(StoreError, match="is missing"):
        original.read()


def test_an_image_of_another_key_with_the_same_hex_is_not_found(tmp_path: Path, reports: list[str]) -> None:
    save(tmp_path)

    assert open_store(tmp_path).find(OTHER_KEY) is None
    assert "the record of another image" in reports[0]


def test_images_of_two_keys_with_the_same_hex_are_both_found(tmp_path: Path) -> None:
    one, other = save(tmp_path, name="one"), save(tmp_path, name="other", key=OTHER_KEY, data=b"other")

    assert open_store(tmp_path).find(KEY) == one
    assert open_store(tmp_path).find(OTHER_KEY) == other


@pytest.mark.parametrize(
    "name",
    [
        *(".DS_Store", "README.md", "hero.json", f"{KEY[:16]}.json", f"hero-{KEY[:15]}.json", f"hero-{KEY[:16]}.json~"),
        *(f"hero-{KEY[:16].upper()}.json", f"hero-{KEY[:16]}.JSON", f".hero-{KEY[:16]}.json.1a2b3c4d.part"),
    ],
)
def test_foreign_files_are_left_alone(tmp_path: Path, reports: list[str], name: str) -> None:
    (tmp_path / name).write_bytes(b"mine")
    opened = open_store(tmp_path)

    assert opened.find(KEY) is None
    assert reports == []
    assert (tmp_path / name).read_bytes() == b"mine"


def test_a_folder_that_is_not_there_has_no_images(tmp_path: Path, reports: list[str]) -> None:

    assert open_store(tmp_path / "none").find(KEY) is None
    assert reports == []
    assert not (tmp_path / "none").exists()


def test_where_a_file_stands_for_the_folder_nothing_is_found_and_nothing_saved(
    tmp_path: Path, reports: list[str]
) -> None:
    (tmp_path / "store").write_text("a file")
    opened = open_store(tmp_path / "store")

    assert opened.find(KEY) is None
    assert "cannot be read" in reports[0]
    with pytest.raises(StoreError, match="cannot be written"):
        opened.require_writable()
    with pytest.raises(StoreError, match="cannot be written"):
        save(tmp_path / "store")
    assert (tmp_path / "store").read_text() == "a file"


def flip_a_bit(original: StoredImage) -> None:
    original.path.write_bytes(DATA[:-1] + bytes([DATA[-1] ^ 1]))


def test_what_is_set_aside_is_kept_and_not_used(tmp_path: Path, reports: list[str]) -> None:
    save(tmp_path)
    opened = open_store(tmp_path)
    found = opened.find(KEY)
    assert found is not None
    flip_a_bit(found)

    assert opened.set_aside(found, StoreError("its bytes changed")) is True
    assert opened.find(KEY) is None
    assert opened.find(KEY, fresh=True) is None
    assert open_store(tmp_path).find(KEY) is None
    kept = f"its bytes changed. It is kept as {found.path.name}.damaged"
    assert reports == [f"{kept}. The image is looked for elsewhere: {found.path}"]
    assert len((tmp_path / f"{found.path.name}.damaged").read_bytes()) == len(DATA)


def test_what_is_set_aside_leaves_another_of_its_key(tmp_path: Path) -> None:
    damaged, whole = save(tmp_path, name="a"), save(tmp_path, name="b")
    flip_a_bit(damaged)
    opened = open_store(tmp_path)
    opened.set_aside(damaged, StoreError("its bytes changed"))

    assert opened.find(KEY) == whole


def test_what_another_process_has_made_whole_is_not_set_aside(tmp_path: Path, reports: list[str]) -> None:
    original = save(tmp_path)
    opened = open_store(tmp_path)

    assert opened.set_aside(original, StoreError("its bytes changed")) is True
    assert opened.find(KEY) == original
    assert reports == []


def test_what_another_process_has_bought_after_both_set_its_predecessor_aside_is_found(tmp_path: Path) -> None:
    damaged = save(tmp_path)
    flip_a_bit(damaged)
    ours, others = open_store(tmp_path), open_store(tmp_path)
    assert ours.find(KEY) == others.find(KEY) == damaged
    for opened in (others, ours):
        assert opened.set_aside(damaged, StoreError("its bytes changed")) is True
    again = save(tmp_path, data=DATA + b"again")

    assert ours.find(KEY, fresh=True) == again


def test_what_another_process_is_just_writing_is_not_set_aside(tmp_path: Path) -> None:
    damaged = save(tmp_path)
    flip_a_bit(damaged)
    ours, others = open_store(tmp_path), open_store(tmp_path)
    assert ours.find(KEY) == others.find(KEY) == damaged
    others.set_aside(damaged, StoreError("its bytes changed"))
    arrived = others.save_bytes("hero", KEY, DATA + b"again")

    assert ours.set_aside(damaged, StoreError("its bytes changed")) is True
    assert ours.find(KEY) is None
    assert arrived is not None
    assert arrived.read_bytes() == DATA + b"again"


def test_what_another_process_has_made_whole_is_read_and_not_remembered(tmp_path: Path) -> None:
    damaged = save(tmp_path / "originals")
    before = indexed(tmp_path)
    before.find(KEY)
    before.remember()
    flip_a_bit(damaged)
    opened = indexed(tmp_path)
    assert opened.find(KEY) == damaged
    again = save(tmp_path / "originals", data=DATA[::-1])

    assert opened.set_aside(damaged, StoreError("its bytes changed")) is True
    assert opened.find(KEY) == again


def test_what_cannot_be_renamed_is_not_used_and_what_takes_its_place_is(tmp_path: Path) -> None:
    """As on Windows, where another program has it open; here the new name is too long."""

    def put(data: bytes) -> None:
        for file in (save(tmp_path / "whole", data=data).path, record(tmp_path / "whole")):
            file.replace(tmp_path / f"{'x' * 230}-{KEY[:16]}{file.suffix}")

    put(DATA)
    opened = open_store(tmp_path)
    damaged = opened.find(KEY)
    assert damaged is not None
    flip_a_bit(damaged)
    opened.set_aside(damaged, StoreError("its bytes changed"))
    assert opened.find(KEY, fresh=True) is None
    put(b"again")
    again = opened.find(KEY, fresh=True)

    assert again is not None
    assert again.read() == b"again"


def test_what_cannot_be_read_need_not_be_damaged_and_stays_where_it_is(tmp_path: Path, reports: list[str]) -> None:
    original = save(tmp_path)
    replaced(image)(tmp_path)  # a folder: it cannot be read as a file, whoever asks

    assert open_store(tmp_path).set_aside(original, StoreError("it cannot be read")) is False
    assert reports == [f"it cannot be read. It is not used. The image is looked for elsewhere: {original.path}"]
    assert image(tmp_path).is_dir()


def test_every_damaged_image_is_kept_when_the_next_one_is_damaged_too(tmp_path: Path) -> None:
    opened = open_store(tmp_path)
    for _ in range(3):
        original = save(tmp_path)
        flip_a_bit(original)
        opened.set_aside(original, StoreError("its bytes changed"))

    assert len(list(tmp_path.glob("*.webp.damaged*"))) == 3


def test_what_is_bought_again_is_found_after_the_old_one_was_set_aside(tmp_path: Path) -> None:
    opened = open_store(tmp_path)
    fields: dict[str, Any] = {"name": "hero", "key": KEY, "format": "webp", "width": 1, "height": 1}
    fields |= {"colour": None, "about": {}}
    damaged = opened.save(data=DATA, **fields)
    flip_a_bit(damaged)
    opened.set_aside(damaged, StoreError("its bytes changed"))
    again = opened.save(data=b"whole", **fields)

    assert opened.find(KEY) == again
    assert opened.find(KEY, fresh=True) == again


def test_threads_save_and_find_at_once(tmp_path: Path) -> None:
    opened = open_store(tmp_path)
    keys = [hashlib.sha256(bytes([number])).hexdigest() for number in range(24)]

    def save_and_find(key: str) -> bool:
        data = key.encode()
        opened.save(name="hero", key=key, data=data, format="png", width=1, height=1, colour=None, about={})
        found = opened.find(key, fresh=key < "8")
        return found is not None and found.read() == data

    with ThreadPoolExecutor(4) as pool:
        assert all(pool.map(save_and_find, keys * 2))
    assert {key for key in keys if open_store(tmp_path).find(key)} == set(keys)
    assert len(list(tmp_path.iterdir())) == 2 * len(keys)


def test_a_file_that_cannot_be_written_leaves_nothing_behind(tmp_path: Path) -> None:
    (tmp_path / "taken").mkdir()

    with pytest.raises(OSError, match="taken"):
        atomic_write(tmp_path / "taken", b"x")
    assert [path.name for path in tmp_path.iterdir()] == ["taken"]


WHOLE = {
    "schema": 1,
    "key": KEY,
    "sha256": hashlib.sha256(DATA).hexdigest(),
    "bytes": len(DATA),
    "format": "webp",
    "width": 64,
    "height": 48,
}
anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5) | st.sampled_from(["png", KEY]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=5,
)
records = st.dictionaries(st.sampled_from(sorted(WHOLE)), anything, max_size=2).map(
    lambda changes: json.dumps({**WHOLE, **changes}).encode()
)


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.binary() | records)
@example(json.dumps(WHOLE).encode())
@example(json.dumps(WHOLE).encode("utf-16"))
@example(b"[" * 900 + b"]" * 900)
@example(b'{"key": ' + b"9" * 5000 + b"}")
def test_any_bytes_as_a_record_are_an_original_or_none(tmp_path: Path, content: bytes) -> None:
    image(tmp_path).write_bytes(DATA)
    record(tmp_path).write_bytes(content)
    opened = open_store(tmp_path)
    found = opened.find(KEY)

    assert found is None or (found.key == KEY and found.path.parent == tmp_path and opened.damaged == [])


JSON_VALUES = st.recursive(
    st.none() | st.integers() | st.text(), lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner)
)


def indexed(folder: Path) -> ImageStore:
    return ImageStore(folder / "originals", index=folder / "index.json")


def test_a_record_that_was_read_once_is_not_opened_again(tmp_path: Path) -> None:
    saved = save(tmp_path / "originals")
    reader = indexed(tmp_path)
    reader.find(saved.key)
    reader.remember()
    record = saved.path.with_suffix(".json")
    status = record.stat()
    record.write_bytes(b" " * status.st_size)  # same size and time: who opens it finds no record
    os.utime(record, ns=(status.st_atime_ns, status.st_mtime_ns))

    assert indexed(tmp_path).find(saved.key) == saved


@pytest.mark.parametrize(
    "change",
    [
        pytest.param(lambda image: image.with_suffix(".json").write_bytes(b"{}"), id="the record changed"),
        pytest.param(lambda image: image.with_suffix(".json").unlink(), id="the record is gone"),
        pytest.param(lambda image: image.write_bytes(b"cut"), id="the image changed"),
        pytest.param(lambda image: image.unlink(), id="the image is gone"),
    ],
)
def test_what_changed_since_it_was_remembered_is_looked_at(tmp_path: Path, change: Callable[[Path], object]) -> None:
    saved = save(tmp_path / "originals")
    reader = indexed(tmp_path)
    reader.find(saved.key)
    reader.remember()
    change(saved.path)

    assert indexed(tmp_path).find(saved.key) is None


@settings(max_examples=100, deadline=None)
@given(st.binary(max_size=60) | JSON_VALUES.map(lambda value: json.dumps({"schema": 1, "records": value}).encode()))
def test_any_index_is_an_index_or_none(content: bytes) -> None:
    with tempfile.TemporaryDirectory() as folder:
        saved = save(Path(folder, "originals"))
        Path(folder, "index.json").write_bytes(content)
        assert indexed(Path(folder)).find(saved.key) == saved


HEX = KEY[:16]
POINTER = b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 9\n"


def absence(folder: Path, *, committed: bool = False) -> str:
    """Return why an image that is not found may exist all the same; empty if nothing suggests it."""
    store = ImageStore(folder, committed=committed, quiet=True)
    assert store.find(KEY) is None
    return str(store.explain_absence(KEY) or "")


def to_link(path: Path) -> None:
    require_posix("links that anybody may make")
    path.rename(path.with_suffix(".elsewhere"))
    path.symlink_to(path.with_suffix(".elsewhere"))


def test_an_image_that_was_never_saved_is_absent_for_no_reason(tmp_path: Path) -> None:
    assert absence(tmp_path / "none") == absence(tmp_path, committed=True) == ""


def test_a_damaged_image_is_absent_for_no_reason(tmp_path: Path) -> None:
    save(tmp_path).path.write_bytes(DATA[:5])
    assert absence(tmp_path, committed=True) == ""


def test_an_image_whose_record_alone_is_here_may_be_on_its_way(tmp_path: Path) -> None:
    save(tmp_path).path.unlink()
    assert "is not here, and its record is" in absence(tmp_path)


def test_a_store_that_reads_its_folder_again_forgets_why_an_image_was_absent(tmp_path: Path) -> None:
    """As those of a preview do, which outlive many builds: the record was removed, as the message says."""
    saved = save(tmp_path)
    saved.path.unlink()
    store = ImageStore(tmp_path, quiet=True)
    assert store.find(KEY) is None
    assert store.explain_absence(KEY)
    saved.record_path.unlink()
    assert store.find(KEY, fresh=True) is None
    assert store.explain_absence(KEY) is None


def test_an_image_that_was_set_aside_before_its_record_is_not_on_its_way(tmp_path: Path) -> None:
    image = save(tmp_path).path
    image.rename(f"{image}.damaged")
    assert absence(tmp_path) == ""


def test_a_record_that_cannot_be_read_may_be_of_the_image(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    record = save(tmp_path).record_path

    def refuse(path: Path, *_: object) -> None:
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(Path, "open", refuse)
    assert f"{record} cannot be read (Permission denied). Make it readable" in absence(tmp_path)


def test_a_folder_that_cannot_be_read_may_have_the_image(tmp_path: Path) -> None:
    (tmp_path / "store").write_text("a file")
    assert "cannot be read" in absence(tmp_path / "store")


@pytest.mark.parametrize("to", ["elsewhere", "link"])
def test_behind_a_link_that_leads_nowhere_may_be_the_image(tmp_path: Path, to: str) -> None:
    """On a disk that is not mounted, say."""
    require_posix("links that anybody may make")
    (tmp_path / "link").symlink_to(tmp_path / to)
    assert "cannot be read" in absence(tmp_path / "link")
    assert "Make it readable (option `pins_dir`)" in absence(tmp_path / "link" / "pins", committed=True)
    with pytest.raises(StoreError, match="cannot be read"):
        ImageStore(tmp_path / "link").contents()


@pytest.mark.parametrize("with_record", [True, False])
def test_a_pointer_of_git_lfs_stands_for_a_committed_image(tmp_path: Path, with_record: bool) -> None:
    saved = save(tmp_path)
    saved.path.write_bytes(POINTER)
    if not with_record:
        saved.record_path.unlink()
    store = ImageStore(tmp_path, committed=True)
    with forwarding(pytest.fail):
        assert store.find(KEY) is None
    assert isinstance(store.explain_absence(KEY), LfsPointer)
    assert absence(tmp_path, committed=False) == ""


def test_a_link_stands_for_a_committed_image(tmp_path: Path) -> None:
    to_link(save(tmp_path).path)
    assert "is a link" in absence(tmp_path, committed=True)
    assert absence(tmp_path) == ""


def test_a_quiet_store_logs_nothing_and_collects_all(tmp_path: Path) -> None:
    save(tmp_path).record_path.write_bytes(b"{}")
    store = ImageStore(tmp_path, quiet=True)
    with forwarding(pytest.fail):
        store.find(KEY)
        store.find(KEY, fresh=True)
    (message,) = store.damaged
    assert "cannot be used" in message


@pytest.mark.parametrize(
    ("change", "images", "remnants"),
    [
        (lambda _: None, 1, []),
        (lambda image: image.unlink(), 0, [".json"]),
        (lambda image: image.with_suffix(".json").unlink(), 0, [".webp"]),
        (lambda image: image.write_bytes(b"cut"), 0, [".json", ".webp"]),
        (lambda image: image.rename(f"{image}.damaged-2"), 0, [".damaged-2", ".json"]),
    ],
    ids=["whole", "image gone", "record gone", "image cut", "image set aside"],
)
def test_contents_are_whole_images_and_remnants(
    tmp_path: Path, change: Callable[[Path], object], images: int, remnants: list[str]
) -> None:
    saved = save(tmp_path)
    (tmp_path / "README.md").write_text("of others")
    (tmp_path / f".hero-{HEX}.webp.1a2b3c4d.part").write_bytes(b"begun")
    change(saved.path)
    contents = ImageStore(tmp_path).contents()
    assert contents.of(KEY) == list(contents.images) == [saved] * images
    assert sorted(path.suffix for path in contents.remnants_of(KEY)) == remnants
    assert [path.name for path in contents.unfinished] == [f".hero-{HEX}.webp.1a2b3c4d.part"]


def test_what_is_saved_in_the_place_of_a_remembered_image_is_found(tmp_path: Path) -> None:
    """Of the same size, and saved within one build: the index knows only the one before."""
    damaged = save(tmp_path / "store")
    before = ImageStore(tmp_path / "store", index=tmp_path / "index.json")
    before.find(KEY)
    before.remember()
    store = ImageStore(tmp_path / "store", index=tmp_path / "index.json")
    assert store.find(KEY) == damaged
    damaged.path.write_bytes(DATA[::-1])
    store.set_aside(damaged, StoreError("its bytes changed"))
    fields = {"name": "hero", "format": "webp", "width": 64, "height": 48, "colour": None, "about": {}}
    again = store.save(key=KEY, data=DATA[::-1], **fields)  # type: ignore[arg-type]
    found = store.find(KEY)
    assert found is not None
    assert (found.sha256, found.read()) == (again.sha256, DATA[::-1])
