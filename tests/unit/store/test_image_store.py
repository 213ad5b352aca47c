"""What a store says of images that it has not found, what its folder contains, and how its files are named."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from mkdocs_qhaigc._util.log import forwarding
from mkdocs_qhaigc.errors import LfsPointer
from mkdocs_qhaigc.store.image_store import ImageStore
from mkdocs_qhaigc.store.record import digits_in, digits_in_any, is_unfinished
from tests.conftest import require_posix
from tests.unit.store.test_library import DATA, KEY, save

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
    store.set_aside(damaged, "its bytes changed")
    fields = {"name": "hero", "format": "webp", "width": 64, "height": 48, "colour": None, "about": {}}
    again = store.save(key=KEY, data=DATA[::-1], **fields)  # type: ignore[arg-type]
    found = store.find(KEY)
    assert found is not None
    assert (found.sha256, found.read()) == (again.sha256, DATA[::-1])


@pytest.mark.parametrize(
    ("name", "stored", "ours", "unfinished"),
    [
        (f"hero-{HEX}.json", True, True, False),
        (f"two-words-{HEX}.avif", True, True, False),
        (f"hero.sandbox-{HEX}.png", True, True, False),
        (f"hero-{HEX}.png.damaged", False, True, False),
        (f"hero-{HEX}.json.replaced-12", False, True, False),
        (f".hero-{HEX}.png.1a2b3c4d.part", False, False, True),
        (f"hero-{HEX}.png.damaged.1", False, False, False),
        (f"hero-{HEX}.gif", False, False, False),
        (f"hero-{HEX.upper()}.png", False, False, False),
        (f"hero-{HEX}.json\n", False, False, False),
        (f".hero-{HEX}.json", False, False, False),
        (f"-{HEX}.json", False, False, False),
        (".qhaigc.png.1a2b3c4d.part", False, False, False),
    ],
)
def test_names_say_whose_files_they_are(name: str, stored: bool, ours: bool, unfinished: bool) -> None:
    assert digits_in(name) == (HEX if stored else "")
    assert digits_in_any(name) == (HEX if ours else "")
    assert is_unfinished(name) == unfinished
