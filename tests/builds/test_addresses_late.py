"""Every address that was handed out has its file, however late an image turns out to be damaged or gone."""

from __future__ import annotations

import io
import shutil
import threading
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from PIL import Image

from mkdocs_qhaigc.engines.zensical.config import read_configuration
from mkdocs_qhaigc.engines.zensical.survey import read_pages
from mkdocs_qhaigc.errors import NoFileError
from mkdocs_qhaigc.html.theme_sizes import UNKNOWN
from mkdocs_qhaigc.site.build import SiteBuild
from mkdocs_qhaigc.site.image_pipeline import SiteImages
from mkdocs_qhaigc.store.local_finder import ImageFinder
from tests.conftest import Built, Project
from tests.helpers.api import ImagesApi, error, in_size, waits_for
from tests.helpers.commands import run
from tests.helpers.pages import broken_urls, elements
from tests.helpers.serving import serving

DAMAGE = """
import pathlib, shutil

def damage(cache):
    cache = pathlib.Path(cache)
    shutil.rmtree(cache / "variants", ignore_errors=True)
    for path in (cache / "originals").glob("hero-*"):
        if path.suffix != ".json":
            data = bytearray(path.read_bytes())
            data[len(data) // 2] ^= 1
            path.write_bytes(data)

def lose(cache):
    cache = pathlib.Path(cache)
    shutil.rmtree(cache / "variants", ignore_errors=True)
    for path in (cache / "originals").glob("hero-*"):
        path.unlink()
"""
HURT: dict[str, Any] = {}
exec(DAMAGE, HURT)  # the same in a hook and in a test


def cut(data: bytes) -> bytes:
    """Return bytes that are no image any more."""
    return data[: len(data) // 2]


@pytest.fixture
def site(project: Project) -> Project:
    """Two pages with an image each, in two widths, with a card and a template that shows one more."""
    project.options |= {"widths": [48], "images": {"emblem": {"prompt": "A badge", "alt": "Emblem"}}}
    project.config["theme"]["custom_dir"] = "overrides"
    project.write(
        "overrides/main.html",
        '{% extends "base.html" %}'
        '{% block extrahead %}<meta name="image" content="{{ page.meta.image }}">{% endblock %}'
        '{% block footer %}{{ qhaigc_image(page, "emblem") }}'
        '<a href="{{ qhaigc_url(page, "none") }}">x</a>{% endblock %}',
    )
    for name, prompt in (("index", "A tower"), ("other", "A mast")):
        hero = {"prompt": prompt, "alt": name, "dark": f"{prompt} by night"}
        body = '# Title\n\n![](qhaigc:hero) [all](qhaigc:hero) <i style="background: url(qhaigc:hero)">x</i>\n'
        project.page(f"{name}.md", body, qhaigc={"hero": hero}, image="qhaigc:hero")
    return project


def assert_every_address_has_its_file(built: Built) -> None:
    assert built.code == 0, built.output
    assert "Traceback" not in built.output
    assert broken_urls(built.site) == []
    for path in (built.site / "assets/qhaigc").glob("*"):
        if path.suffix in (".webp", ".jpg"):
            with Image.open(path) as image:
                image.load()
    for page in built.site.rglob("*.html"):
        html = page.read_text(encoding="utf-8")
        assert "data-qhaigc=" not in html
        for img in elements(html, "img"):
            for candidate in filter(None, (img.attributes.get("srcset") or "").split(", ")):
                url, width = candidate.rsplit(" ", 1)
                with Image.open(built.site / "assets/qhaigc" / urlsplit(url).path.rpartition("/")[2]) as image:
                    assert image.width == int(width.removesuffix("w")), candidate


def hook(project: Project, what: str, event: str, priority: int) -> None:
    """Have something happen to the cache in the first build, when an event comes for the first time."""
    project.config["hooks"] = [
        str(
            project.write(
                "hook.py",
                f"{DAMAGE}\nfrom mkdocs.plugins import event_priority\ndone = []\n"
                f"@event_priority({priority})\ndef {event}(*_, **__):\n"
                f"    if not done:\n        done.append(1)\n        {what}({str(project.cache)!r})\n",
            )
        )
    ]


MOMENTS = {
    "while pages are read": ("on_page_markdown", -50),
    "when the last page is rendered": ("on_env", 150),
    "when images are settled": ("on_env", 0),
    "before files are copied": ("on_env", -150),
    "while pages are built": ("on_post_page", 0),
    "at the end": ("on_post_build", 150),
}


@pytest.mark.parametrize("what", ["damage", "lose"])
def test_image_damaged_or_removed_before_a_build_is_regenerated(site: Project, api: ImagesApi, what: str) -> None:
    """One original has a flipped bit, and every encoded file is lost."""
    site.build()
    HURT[what](site.cache)
    built = site.build()
    assert_every_address_has_its_file(built)
    assert len(api.calls) == 5 + 4
    again = site.build(site="again")
    assert again.digest() == built.digest()
    assert len(api.calls) == 9


@pytest.mark.slow
@pytest.mark.parametrize("what", ["damage", "lose"])
@pytest.mark.parametrize("moment", MOMENTS)
def test_image_damaged_or_removed_during_a_build_has_a_file_at_its_end(
    site: Project, api: ImagesApi, moment: str, what: str
) -> None:
    site.build()
    hook(site, what, *MOMENTS[moment])
    built = site.build()
    assert_every_address_has_its_file(built)
    site.config["hooks"] = []
    again = site.build(site="again")
    assert_every_address_has_its_file(again)
    assert site.build(site="third").digest() == again.digest()


@pytest.mark.slow
@pytest.mark.parametrize("moment", MOMENTS)
def test_image_that_cannot_be_regenerated_has_a_placeholder_and_a_warning(
    site: Project, api: ImagesApi, moment: str
) -> None:
    site.build()
    hook(site, "damage", *MOMENTS[moment])
    api.default = error(400, "content_policy_violation")
    built = site.build()
    assert_every_address_has_its_file(built)
    if moment not in ("while pages are built", "at the end"):  # then every file was copied before
        assert any("index.md#hero" in warning for warning in built.warnings)
        assert any("other.md#hero" in warning for warning in built.warnings)


@pytest.mark.slow
@pytest.mark.parametrize("moment", ["while pages are read", "before files are copied"])
def test_image_regenerated_in_another_size_has_a_file_at_each_address(
    site: Project, api: ImagesApi, moment: str
) -> None:
    site.build()
    hook(site, "damage", *MOMENTS[moment])
    api.default = in_size("40x30")
    built = site.build()
    assert_every_address_has_its_file(built)


def test_each_card_of_an_image_regenerated_in_another_size_has_its_own_label(site: Project, api: ImagesApi) -> None:
    site.options["label"] = {"text": {"en": "AI-generated", "de": "KI-generiert"}, "cards": True}
    emblem = {"prompt": "A badge", "alt": "Emblem"}
    site.options["images"] = {"hero": emblem}
    for name, language in (("index", "en"), ("other", "de")):
        site.page(f"{name}.md", "![](qhaigc:hero)\n", image="qhaigc:hero", lang=language)
    site.build()
    hook(site, "damage", *MOMENTS["before files are copied"])
    api.default = in_size("40x30")
    built = site.build()
    assert_every_address_has_its_file(built)
    cards = [path.read_bytes() for path in (built.site / "assets/qhaigc").glob("*.jpg")]
    assert len(cards) == 2
    assert cards[0] != cards[1]


def test_pin_replaces_a_damaged_original_and_original_a_damaged_pin(site: Project, api: ImagesApi) -> None:
    site.build()
    pins = site.folder / "generated-images"
    shutil.copytree(site.cache / "originals", pins)
    expected = site.build().digest()
    HURT["damage"](site.cache)
    assert site.build().digest() == expected
    shutil.rmtree(site.cache / "variants")
    for path in pins.glob("hero-*.png"):
        path.write_bytes(cut(path.read_bytes()))
    built = site.build()
    assert_every_address_has_its_file(built)


def test_image_damaged_as_pin_and_in_the_cache_is_regenerated_in_the_same_build(site: Project, api: ImagesApi) -> None:
    assert site.build().code == 0
    assert run(site, "pin").returncode == 0
    asked = len(api.calls)
    shutil.rmtree(site.cache / "variants")
    damaged = set()
    for folder in (site.folder / "generated-images", site.cache / "originals"):
        for path in folder.glob("hero-*.png"):
            data = bytearray(path.read_bytes())
            data[len(data) // 2] ^= 1
            path.write_bytes(data)
            damaged.add(path.stem)
    built = site.build()
    assert built.code == 0, built.output
    assert len(api.calls) == asked + len(damaged)
    assert f"{len(damaged)} generated" in built.summary
    assert_every_address_has_its_file(built)
    again = site.build()
    assert again.digest() == built.digest()
    assert len(api.calls) == asked + len(damaged)


def test_missing_error_fails_for_damaged_images_and_names_them(site: Project, api: ImagesApi) -> None:
    site.build()
    site.options["missing"] = "error"
    hook(site, "damage", *MOMENTS["before files are copied"])
    built = site.build()
    assert built.code == 1
    assert "index.md#hero" in built.output
    assert "other.md#hero" in built.output
    assert "Traceback" not in built.output


@pytest.mark.parametrize("what", ["damage", "lose"])
def test_gallery_has_a_file_at_each_address(site: Project, api: ImagesApi, what: str) -> None:
    site.options["gallery"] = "gallery.md"
    site.build()
    hook(site, what, *MOMENTS["when images are settled"])
    assert_every_address_has_its_file(site.build())


def test_dirty_build_replaces_the_placeholder_at_an_address(site: Project, api: ImagesApi) -> None:
    """The file is older than the placeholder that was copied over it: its bytes tell, not its age."""
    site.build()
    shutil.move(site.cache / "originals", site.folder / "aside")
    site.options["missing"] = "placeholder"
    shown = site.build()
    assert len(shown.warnings) >= 3
    shutil.move(site.folder / "aside", site.cache / "originals")
    expected = site.build(site="expected")
    for name in ("index", "other"):
        page = site.docs / f"{name}.md"
        page.write_bytes(page.read_bytes())
    built = site.build("--dirty")
    assert_every_address_has_its_file(built)
    images = [path.name for path in (built.site / "assets/qhaigc").glob("*.webp")]
    assert images
    for name in images:
        if not name.startswith("missing-"):
            assert (built.site / "assets/qhaigc" / name).read_bytes() == (
                expected.site / "assets/qhaigc" / name
            ).read_bytes()


@pytest.mark.parametrize("what", ["damage", "lose"])
def test_sync_writes_a_file_for_each_address(site: Project, api: ImagesApi, what: str) -> None:
    site.options["cache_dir"] = ".qhaigc"
    assert run(site, "sync").returncode == 0
    out = site.docs / "assets/qhaigc"
    names = {path.name for path in out.iterdir()}
    HURT[what](site.folder / ".qhaigc")
    for path in out.glob("hero*.webp"):
        path.unlink()
    finished = run(site, "sync")
    assert finished.returncode == 0, finished.stdout + finished.stderr
    assert {path.name for path in out.iterdir()} == names
    for path in out.glob("*.webp"):
        with Image.open(io.BytesIO(path.read_bytes())) as image:
            image.load()


@pytest.mark.slow
@pytest.mark.parametrize("moment", ["while pages are read", "before files are copied"])
def test_serve_shows_an_image_damaged_late_once_it_is_regenerated(site: Project, api: ImagesApi, moment: str) -> None:
    site.build()
    hook(site, "damage", *MOMENTS[moment])
    arrives = threading.Event()
    api.default = waits_for(arrives)
    with serving(site) as server:
        server.wait_until(server.shown)
        placeholder = server.shown()
        server.wait_until(lambda: len(api.calls) >= 5 + 4)
        arrives.set()
        server.wait_until(lambda: server.shown() not in (b"", placeholder))
        assert "Traceback" not in server.output
        assert server.end() == 0


def test_authors_file_of_the_same_name_is_kept(site: Project, tmp_path: Path) -> None:
    """A style sheet among the pages at the place of ours."""
    site.write("docs/assets/qhaigc/qhaigc.css", "/* mine */")
    built = site.build()
    assert_every_address_has_its_file(built)
    assert (built.site / "assets/qhaigc/qhaigc.css").read_text(encoding="utf-8") == "/* mine */"


def test_file_removed_before_it_is_delivered_is_made_again(site: Project) -> None:
    """Another program clears the cache between the end of a build and the copy of its files, once."""
    site.options["missing"] = "placeholder"
    configuration = read_configuration(site.write_config())
    options = configuration.options
    images = SiteImages(options, finder=ImageFinder(options), open_queue=pytest.fail)
    build = SiteBuild(options, images, site_url=str, column=lambda _: UNKNOWN)
    read_pages(configuration, build.pages)
    build.settle(wait=True)
    removed: set[str] = set()
    delivered: dict[str, bytes] = {}

    def write(dest_uri: str, path: str) -> None:
        if dest_uri not in removed:
            removed.add(dest_uri)
            Path(path).unlink(missing_ok=True)
        delivered[dest_uri] = Path(path).read_bytes()

    build.deliver(write)
    images.close()
    assert delivered.keys() == build.pages.files.wanted().keys() != set()


def test_file_removed_each_time_it_is_made_is_an_error(site: Project) -> None:
    site.options["missing"] = "placeholder"
    configuration = read_configuration(site.write_config())
    images = SiteImages(configuration.options, finder=ImageFinder(configuration.options), open_queue=pytest.fail)
    build = SiteBuild(configuration.options, images, site_url=str, column=lambda _: UNKNOWN)
    read_pages(configuration, build.pages)
    build.settle(wait=True)

    def write(dest_uri: str, path: str) -> None:
        Path(path).unlink(missing_ok=True)
        Path(path).read_bytes()

    with pytest.raises(NoFileError, match="another program removes them"):
        build.deliver(write)
    images.close()
