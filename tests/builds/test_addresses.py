"""Every address that a build hands out has its file, whatever turns out to be damaged or gone, and when.

The first test is the fault that a random walk over a site's life (`test_site_life.py`) was written to find. The others
are what such walks have found besides, and the same fault wherever else an address may stand.
"""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.builds.test_site_life import FORMS, PageModel, SiteLife
from tests.conftest import Project
from tests.helpers.api import Behaviour, ImagesApi, answer, disconnect, error, in_size
from tests.helpers.site_checks import problems


def flip(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)


def the_original(project: Project, name: str) -> Path:
    (original,) = (project.cache / "originals").glob(f"{name}-{'[0-9a-f]' * 16}.png")
    return original


def test_image_regenerated_for_a_damaged_original_is_at_the_address_of_its_file(
    project: Project, api: ImagesApi
) -> None:
    """The damage is seen only when the original is encoded, after the pages have their addresses."""
    project.page("index.md", "![Fog](qhaigc:one)\n", qhaigc={"one": {"prompt": "fog", "alt": "Fog"}})
    project.page("a.md", "![Rain](qhaigc:two)\n", qhaigc={"two": {"prompt": "rain", "alt": "Rain"}})
    assert project.build("--strict").code == 0
    flip(the_original(project, "one"))
    shutil.rmtree(project.cache / "variants")
    built = project.build()
    assert built.code == 0, built.output
    assert problems(built.site, "https://example.com/docs/") == []
    assert api.prompts.count("fog") == 2
    assert api.prompts.count("rain") == 1
    assert project.build("--strict").digest() == built.digest()


LATE: dict[str, Behaviour | None] = {
    "bought again": None,
    "bought in another size": in_size("80x60", "WEBP"),
    "refused": answer(451),
    "no quota": error(429, "insufficient_quota"),
    "cut off": disconnect,
}


@pytest.fixture
def life(tmp_path: Path, api: ImagesApi) -> SiteLife:
    """A site that shows an image wherever one can be shown, built once."""
    life = SiteLife(tmp_path, api)
    everywhere = tuple(sorted(FORMS))
    for path in ("index.md", "guide/b.md"):
        life.put(path, PageModel(forms=everywhere, dark=True, placed=True, card=True, by_template=True))
    assert life.build().code == 0
    return life


@pytest.mark.parametrize("late", sorted(LATE))
@pytest.mark.parametrize("name", ["one", "two", "logo"])
def test_address_of_a_damaged_image_has_a_file(life: SiteLife, api: ImagesApi, name: str, late: str) -> None:
    for original in (life.project.cache / "originals").glob(f"{name}*.png"):
        flip(original)
    shutil.rmtree(life.project.cache / "variants")
    api.default = LATE[late] or api.default
    built = life.build(healthy=not LATE[late])
    assert built.code == 0, built.output
    if not LATE[late]:
        assert "placeholder" not in built.summary
    elif late != "bought in another size":
        assert any("placeholder" in warning for warning in built.warnings)


@pytest.mark.parametrize("event", ["page_markdown", "page_content", "env"])
def test_original_removed_during_a_build_leaves_no_address_without_a_file(life: SiteLife, event: str) -> None:
    """As when another program clears the cache meanwhile."""
    hook = life.project.write(
        "hook.py",
        "import pathlib, shutil\n"
        f"CACHE = pathlib.Path({str(life.project.cache)!r})\n"
        f"def on_{event}(first, **_):\n"
        "    for folder in ('originals', 'variants'):\n"
        "        shutil.rmtree(CACHE / folder, ignore_errors=True)\n"
        "    return first\n",
    )
    life.project.config["hooks"] = [str(hook)]
    shutil.rmtree(life.project.cache / "variants")
    built = life.project.build()
    assert built.code == 0, built.output
    assert problems(built.site, life.project.config["site_url"]) == []


def test_gallery_shows_a_damaged_image_at_the_address_of_its_file(life: SiteLife) -> None:
    life.project.options["gallery"] = "gallery.md"
    life.build()
    flip(the_original(life.project, "logo"))
    shutil.rmtree(life.project.cache / "variants")
    assert life.build().code == 0


def test_a_pinned_image_is_not_bought_again_when_the_cache_is_lost(life: SiteLife, api: ImagesApi) -> None:
    life.command("pin")
    shutil.rmtree(life.project.cache)
    asked = len(api.calls)
    assert "generated" not in life.build().summary
    assert api.calls[asked:] == []


def test_address_from_a_template_that_a_plugin_renders_at_the_end_has_a_file(project: Project, api: ImagesApi) -> None:
    """As print-site does, which renders its page in `on_post_build`."""
    hook = project.write(
        "hook.py",
        "import pathlib\n"
        "FOUND = {}\n"
        "def on_env(env, files, **_):\n"
        "    FOUND.update(env=env, page=next(iter(files.documentation_pages())).page)\n"
        "    return env\n"
        "def on_post_build(config):\n"
        '    text = \'<html><body>{{ qhaigc_image(page, "hero") }}{{ qhaigc_image(page, "nobody") }}</body></html>\'\n'
        "    html = FOUND['env'].from_string(text).render(page=FOUND['page'])\n"
        "    pathlib.Path(config.site_dir, 'print.html').write_text(html)\n",
    )
    project.config["hooks"] = [str(hook)]
    project.page("index.md", "# A\n", qhaigc={"hero": {"prompt": "fog", "alt": "Fog"}})
    built = project.build()
    assert built.code == 0, built.output
    assert "There is no image nobody yet" in built.html("print.html")
    assert problems(built.site, project.config["site_url"]) == []
