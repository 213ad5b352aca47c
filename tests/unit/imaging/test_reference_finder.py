"""Files of reference images: where they are looked for, what is refused, and when they are read again."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from mkdocs_qhaigc.errors import DirectiveError
from mkdocs_qhaigc.imaging.reference_finder import LARGEST_REFERENCE, ReferenceFiles
from tests.conftest import require_posix
from tests.helpers.api import draw

FOX = draw("fox", 32, 32)


@pytest.fixture
def files(tmp_path: Path) -> ReferenceFiles:
    (tmp_path / "site/docs/guide").mkdir(parents=True)
    return ReferenceFiles(tmp_path / "site", tmp_path / "site/docs")


def put(files: ReferenceFiles, name: str, data: bytes = FOX) -> Path:
    path = files.folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    return path


@pytest.mark.parametrize(
    ("place", "written", "page"),
    [
        ("docs/guide/fox.png", "./fox.png", "guide/start.md"),
        ("docs/fox.png", "../fox.png", "guide/start.md"),
        ("docs/fox.png", "./fox.png", "index.md"),
        ("fox.png", "../fox.png", "index.md"),
        ("docs/fox.png", "fox.png", "guide/start.md"),
        ("docs/img/fox.png", "img/fox.png", "guide/start.md"),
        ("fox.png", "fox.png", "guide/start.md"),
        ("look/fox.png", "look/fox.png", ""),
        ("look/fox.png", "./look/fox.png", ""),
        ("docs/fox.png", "fox.png", ""),
    ],
)
def test_a_file_is_found_beside_the_page_in_docs_dir_and_beside_mkdocs_yml(
    files: ReferenceFiles, place: str, written: str, page: str
) -> None:
    path = put(files, place)
    reference = files.find(written, page)

    assert reference.identity == f"sha256:{hashlib.sha256(FOX).hexdigest()}"
    assert reference.where == place
    assert Path(reference.path).resolve() == path.resolve()


def test_docs_dir_comes_before_the_folder_of_mkdocs_yml(files: ReferenceFiles) -> None:
    put(files, "fox.png", draw("another", 32, 32))
    put(files, "docs/fox.png")

    assert files.find("fox.png", "index.md").where == "docs/fox.png"


def test_a_file_is_read_again_once_it_has_changed(files: ReferenceFiles) -> None:
    path = put(files, "docs/fox.png")
    first = files.find("fox.png", "index.md")
    again = files.find("fox.png", "index.md")
    path.write_bytes(draw("another", 64, 64))
    changed = files.find("fox.png", "index.md")
    path.unlink()

    assert first is again
    assert changed.identity != first.identity
    with pytest.raises(DirectiveError, match="no such file"):
        files.find("fox.png", "index.md")


@pytest.mark.parametrize(
    ("name", "data", "words"),
    [
        (
            "docs/fox.svg",
            b"<svg xmlns='http://www.w3.org/2000/svg'/>",
            "docs/fox.svg, which is no PNG, JPEG",
        ),
        ("docs/fox.gif", b"GIF89a", "is no PNG"),
        ("docs/empty.png", b"", "is no PNG"),
    ],
)
def test_what_is_no_image_is_refused(files: ReferenceFiles, name: str, data: bytes, words: str) -> None:
    put(files, name, data)

    with pytest.raises(DirectiveError, match=words):
        files.find(name.removeprefix("docs/"), "index.md")


def test_a_file_that_is_too_large_is_not_read(files: ReferenceFiles) -> None:
    with put(files, "docs/fox.png").open("r+b") as file:
        file.truncate(LARGEST_REFERENCE + 1)

    with pytest.raises(DirectiveError, match="larger than 50 MiB"):
        files.find("fox.png", "index.md")


@pytest.mark.parametrize("written", ["../secret.png", "../../secret.png", "/etc/hostname", "docs/../../secret.png"])
def test_a_file_outside_the_site_is_not_sent(files: ReferenceFiles, written: str) -> None:
    (files.folder.parent / "secret.png").write_bytes(FOX)

    with pytest.raises(DirectiveError, match=r"leads out of the site|no such file"):
        files.find(written, "index.md")


def test_a_link_that_leads_out_of_the_site_is_not_followed(files: ReferenceFiles) -> None:
    require_posix("links for everybody")
    (files.folder.parent / "secret.png").write_bytes(FOX)
    (files.docs_dir / "fox.png").symlink_to("../../secret.png")

    with pytest.raises(DirectiveError, match="leads out of the site"):
        files.find("fox.png", "index.md")


def test_a_pointer_of_git_lfs_names_the_file_that_it_stands_for(files: ReferenceFiles) -> None:
    digest = hashlib.sha256(FOX).hexdigest()
    pointer = f"version https://git-lfs.github.com/spec/v1\noid sha256:{digest}\nsize {len(FOX)}\n"
    put(files, "docs/fox.png", pointer.encode())

    assert files.find("fox.png", "index.md").identity == f"sha256:{digest}"


def test_a_missing_file_is_named_with_the_places_where_it_was_looked_for(files: ReferenceFiles) -> None:
    with pytest.raises(DirectiveError, match=r"no such file\. Looked for: docs/fox\.png and fox\.png"):
        files.find("fox.png", "guide/start.md")
    with pytest.raises(DirectiveError, match=r"Looked for: docs/guide/fox\.png"):
        files.find("./fox.png", "guide/start.md")
