"""Images made elsewhere that become pins."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from mkdocs_qhaigc.imaging.xmp import ALGORITHMIC, TRAINED, Provenance, origin_in_xmp
from tests.conftest import Built, Project
from tests.helpers.api import ImagesApi, draw
from tests.helpers.commands import answer, buy, contents, names, run

pytestmark = pytest.mark.slow

COMPOSITE = "http://cv.iptc.org/newscodes/digitalsourcetype/compositeWithTrainedAlgorithmicMedia"


@pytest.fixture
def foggy(project: Project, api: ImagesApi) -> Project:
    """A project with one image that was bought and pinned."""
    project.page("index.md", "![Fog](qhaigc:hero)", qhaigc="fog")
    buy(project, api)
    assert run(project, "pin").returncode == 0
    return project


def record_of(project: Project) -> Any:
    (record,) = (project.folder / "generated-images").glob("*.json")
    return json.loads(record.read_bytes())


def packet(built: Built) -> bytes:
    """Return the XMP packet of the one image of a site."""
    (name,) = built.images()
    with Image.open(built.site / "assets/qhaigc" / name) as image:
        xmp = image.info.get("xmp", b"")
    assert isinstance(xmp, bytes)
    return xmp


def drawn(path: Path, provenance: Provenance | None = None) -> Path:
    """Write an image that somebody drew."""
    Image.new("RGB", (60, 40), "teal").save(path, xmp=provenance.as_xmp() if provenance else b"")
    return path


def test_an_image_made_elsewhere_takes_the_place_of_a_pin_which_is_kept(foggy: Project, api: ImagesApi) -> None:
    shutil.rmtree(foggy.cache)
    before = contents(foggy.folder / "generated-images")
    file = foggy.write("mine.jpg", draw("mine", 200, 100, "JPEG"))
    finished = run(foggy, "pin", "--adopt", "mine.jpg", "index.md#hero")
    assert finished.returncode == 0, finished.stderr
    assert finished.stdout.startswith("adopted     index.md#hero: generated-images/hero-")
    assert "taken away  what was pinned before: kept as .qhaigc" in finished.stdout
    assert "It is 200x100, and the directive says 96x54" in finished.stderr
    assert contents(foggy.cache / "originals") == before
    record = record_of(foggy)
    assert (record["api"], record["adopted"]["file"], record["width"]) == ("adopted", "mine.jpg", 200)
    assert str(foggy.folder) not in json.dumps(record)
    built = foggy.build("--strict")
    assert built.summary == "1 pinned"
    assert 'width="200" height="100"' in built.html()
    assert file.exists()
    assert run(foggy, "pin", "--check").returncode == 0
    again = run(foggy, "pin", "--adopt", "mine.jpg", "index.md#hero")
    assert again.returncode == 0
    assert record_of(foggy) == record
    assert api.calls == []


def test_an_adopted_image_needs_no_purchase_and_serves_light_and_dark(project: Project, api: ImagesApi) -> None:
    project.options["images"] = {"logo": {"prompt": "a logo", "dark": "a dark logo"}}
    project.page("index.md", "![Logo](qhaigc:logo)")
    drawn(project.folder / "a.webp")
    for target in ("mkdocs.yml#logo", "mkdocs.yml#logo-dark"):
        done = answer(project, "pin", "--adopt", "a.webp", target)
        assert done["adopted"]["dark"] is target.endswith("dark")
    assert project.build("--strict").summary == "2 pinned"
    assert api.calls == []


def test_no_file_says_that_a_model_drew_what_was_adopted(foggy: Project) -> None:
    drawn(foggy.folder / "a.webp")
    assert run(foggy, "pin", "--adopt", "a.webp", "index.md#hero").returncode == 0
    assert packet(foggy.build("--strict")) == b""


def test_what_an_adopted_file_says_of_itself_is_said_on(foggy: Project) -> None:
    drawn(foggy.folder / "a.webp", Provenance(COMPOSITE, "a tool & I", "secret words"))
    assert run(foggy, "pin", "--adopt", "a.webp", "index.md#hero").returncode == 0
    said = packet(foggy.build("--strict"))
    assert origin_in_xmp(said) == Provenance(COMPOSITE, "a tool & I")
    assert b"secret" not in said
    foggy.options["provenance"] = False
    assert packet(foggy.build("--strict")) == b""


def test_a_bought_image_that_is_adopted_for_another_directive_keeps_its_maker(foggy: Project) -> None:
    (original,) = (foggy.cache / "originals").glob("*.png")
    foggy.page("index.md", "![Fog](qhaigc:mist)", qhaigc={"mist": {"prompt": "mist", "model": "other"}})
    assert run(foggy, "pin", "--adopt", str(original), "index.md#mist").returncode == 0
    assert run(foggy, "pin").returncode == 0
    record = record_of(foggy)
    assert record["api"] == foggy.options["base_url"]
    assert record["adopted"]["file"] == original.name
    said = origin_in_xmp(packet(foggy.build("--strict")))
    assert said == Provenance(TRAINED, "qh-draw-x2-preview at 127.0.0.1")


@pytest.mark.parametrize("target", ["./index.md#hafen-möwe", "docs/index.md#hafen-mo\u0308we", "index.md"])
def test_the_image_may_be_named_as_every_command_takes_it(foggy: Project, target: str) -> None:
    foggy.page("index.md", "![Gull](qhaigc:hafen-möwe)", qhaigc={"hafen-möwe": {"prompt": "gull", "dark": "owl"}})
    foggy.write("good.png", draw("x", 90, 60))
    assert run(foggy, "pin", "--adopt", "good.png", target).returncode == 0
    assert run(foggy, "pin", "--adopt", "good.png", "index.md#hafen-möwe-dark").returncode == 0
    pinned = {name.rpartition("-")[0] for name in names(foggy.folder / "generated-images")}
    assert pinned - {"hero"} == {"hafen-möwe", "hafen-möwe-dark"}


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["words.png", "index.md#hero"], 1, "words.png cannot be adopted: the bytes are no PNG, JPEG, WebP or AVIF"),
        (["cut.png", "index.md#hero"], 1, "cut.png cannot be adopted"),
        (["none.png", "index.md#hero"], 2, "does not exist"),
        (["good.png", "index.md#boat"], 2, "index.md has no image 'boat'. It has hero"),
        (["good.png", "index.md#hero-dark"], 2, "index.md has no image 'hero-dark'. It has hero"),
        (["good.png", "guide.md#hero"], 2, "guide.md is no page with images"),
        (["good.png", "index.md#hero", "--check"], 2, "--check changes nothing"),
    ],
)
def test_what_cannot_be_adopted_changes_nothing(foggy: Project, arguments: list[str], code: int, words: str) -> None:
    foggy.write("words.png", "words")
    foggy.write("good.png", draw("x", 90, 60))
    foggy.write("cut.png", draw("x", 90, 60)[:-40])
    before = contents(foggy.folder / "generated-images")
    finished = run(foggy, "pin", "--adopt", *arguments)
    assert finished.returncode == code
    assert words in " ".join(finished.stderr.split())
    assert "Traceback" not in finished.stderr
    assert contents(foggy.folder / "generated-images") == before


def test_a_drawing_of_the_sandbox_says_so_also_where_it_is_adopted(foggy: Project, tmp_path: Path) -> None:
    sandboxed = Project(tmp_path / "sandboxed", "sandbox")
    sandboxed.page("index.md", "![Fog](qhaigc:hero)", qhaigc="fog in the sandbox")
    assert sandboxed.build().code == 0
    (drawing,) = (sandboxed.cache / "originals").glob("*.webp")
    assert run(foggy, "pin", "--adopt", str(drawing), "index.md#hero").returncode == 0
    assert origin_in_xmp(packet(foggy.build("--strict"))) == Provenance(ALGORITHMIC, "mkdocs-qhaigc sandbox")
