"""What a directive's fields make of a page: alternative texts, captions, dark images, cards, sizes."""

from __future__ import annotations

import io
import re

import pytest
from PIL import Image

from tests.conftest import Built, Project
from tests.helpers.api import ImagesApi, bytes_by_url, in_size
from tests.helpers.pages import broken_urls, elements

SHOWS_META = (
    '{% extends "base.html" %}{% block extrahead %}<meta property="og:image" content="{{ page and page.meta.image }}">'
    '{% if page %}<template>{{ qhaigc_image(page, "hero") }}</template>{% endif %}{% endblock %}'
)


def images(built: Built, path: str = "index.html") -> list[dict[str, str | None]]:
    """Return the attributes of the images of a page that are ours."""
    found = [element.attributes for element in elements(built.html(path), "img")]
    return [attributes for attributes in found if "assets/qhaigc" in (attributes["src"] or "")]


def test_missing_alt_is_a_warning_with_page_and_line(project: Project) -> None:
    project.write(
        "docs/guide/a.md",
        "---\n"
        "qhaigc:\n"
        "  bare: A tower\n"
        "  placed:\n"
        "    prompt: A mast\n"
        "    place: top\n"
        '  waves: {prompt: Waves, alt: ""}\n'
        "  told: {prompt: Fog, alt: A bank of fog}\n"
        "---\n"
        "# Title\n\n"
        "![A tower](qhaigc:bare) ![](qhaigc:waves) ![](qhaigc:told)\n\n"
        "![](qhaigc:bare)\n\n"
        '<img src="qhaigc:bare" aria-hidden="true">\n'
        '<img src="qhaigc:bare" class="x">\n',
    )
    project.page("index.md", "# Home\n")
    built = project.build()
    assert [line.partition("qhaigc: ")[2].partition(":")[0] for line in built.warnings] == [
        "guide/a.md, line 14",
        "guide/a.md, line 17",
        "guide/a.md, line 4",
    ]
    assert all("has no alternative text" in line for line in built.warnings)
    assert project.build("--strict").code == 1


def test_missing_alt_of_an_image_in_a_template_is_a_warning(project: Project) -> None:
    project.config["theme"]["custom_dir"] = "overrides"
    project.write("overrides/main.html", SHOWS_META)
    project.write("docs/index.md", "---\nqhaigc: A tower\n---\n# Home\n")
    built = project.build()
    assert len(built.warnings) == 1
    assert "index.md, line 2: image 'hero' has no alternative text" in built.warnings[0]


def test_caption_makes_a_figure_of_a_reference_and_of_a_placed_image(project: Project) -> None:
    hero = {"prompt": "A tower", "alt": "A tower", "caption": "The <north> *mole* &\n light", "place": "after-title"}
    other = {"prompt": "Fog", "alt": "Fog", "caption": "Fog"}
    project.page(
        "index.md",
        "# Home\n\n![](qhaigc:other)\n\nIn ![](qhaigc:other) line\n",
        qhaigc={"hero": hero, "b": other, "other": other},
    )
    built = project.build("--strict")
    assert built.code == 0, built.output
    figures = re.findall(r'<figure class="qhaigc">(.*?)</figure>', built.html(), re.DOTALL)
    assert [re.search("<figcaption>(.*)</figcaption>", figure)[1] for figure in figures] == [  # type: ignore[index]
        "The &lt;north&gt; *mole* &amp; light",
        "Fog",
    ]
    assert built.html().count("<figcaption>") == 2


@pytest.mark.parametrize("theme", ["mkdocs", "material"])
def test_a_dark_prompt_is_a_second_image_for_dark_pages(project: Project, api: ImagesApi, theme: str) -> None:
    api.default = in_size("80x60", "WEBP")
    project.config["theme"] = {"name": theme}
    project.config["markdown_extensions"] = ["attr_list"]
    hero = {"prompt": "A tower by day", "dark": "A tower by night", "alt": "A tower", "style": "ink", "priority": True}
    project.page("index.md", "# Home\n\n![](qhaigc:hero){ #tower }\n\n[large](qhaigc:hero)\n", qhaigc={"hero": hero})
    cold = project.build("--strict", site="cold")
    warm = project.build("--strict", site="warm")
    assert cold.code == 0, cold.output
    assert sorted(api.prompts) == ["A tower by day, ink", "A tower by night, ink"]
    light, dark = images(cold)
    assert re.fullmatch(r"assets/qhaigc/hero-[0-9a-f]{12}\.webp#only-light", light["src"] or "")
    assert re.fullmatch(r"assets/qhaigc/hero-dark-[0-9a-f]{12}\.webp#only-dark", dark["src"] or "")
    assert light["loading"] == dark["loading"] == "lazy"
    assert (light.get("id"), dark.get("id")) == ("tower", None)
    assert (light["alt"], light["width"], light["height"]) == (dark["alt"], dark["width"], dark["height"])
    assert cold.digest() == warm.digest()
    assert broken_urls(cold.site) == []
    assert warm.summary == "2 cached"


def test_authors_own_pair_for_light_and_dark_stays_two_images(project: Project) -> None:
    hero = {"prompt": "day", "dark": "night", "alt": "x"}
    project.page(
        "index.md",
        "![](qhaigc:hero#only-light) ![](qhaigc:b#only-dark)\n",
        qhaigc={"hero": hero, "b": {"prompt": "b", "alt": "b"}},
    )
    built = project.build("--strict")
    assert [(attributes["src"] or "").partition("#")[2] for attributes in images(built)] == ["only-light", "only-dark"]


@pytest.mark.parametrize(("crop", "size"), [(None, (300, 168)), ("120x63", (120, 63)), ("1200x630", (300, 158))])
def test_card_is_a_jpeg_of_the_requested_proportions(
    project: Project, api: ImagesApi, crop: str | None, size: tuple[int, int]
) -> None:
    api.default = in_size("300x168")
    project.options["formats"] = ["avif"]
    project.config["theme"]["custom_dir"] = "overrides"
    project.write("overrides/main.html", SHOWS_META)
    hero = {"prompt": "A tower", "alt": "A tower", **({"crop": crop} if crop else {})}
    project.page("a/b.md", "# Title\n", qhaigc={"hero": hero}, image="qhaigc:hero")
    cold = project.build("--strict", site="cold")
    warm = project.build("--strict", site="warm")
    assert cold.code == warm.code == 0, cold.output
    metas = elements(cold.html("a/b/index.html"), "meta")
    (address,) = [e.attributes["content"] or "" for e in metas if e.attributes.get("property")]
    assert address.startswith("https://example.com/docs/assets/qhaigc/hero-")
    card = cold.site / address.removeprefix("https://example.com/docs/")
    with Image.open(card) as image:
        assert (image.format, image.size) == ("JPEG", size)
    assert cold.digest() == warm.digest()
    assert {name.rpartition(".")[2] for name in cold.images()} == {"avif", "jpg"}
    assert len(api.calls) == 1


def test_cards_of_placeholders_and_cards_missing_in_the_cache_are_made(project: Project) -> None:
    project.options["missing"] = "placeholder"
    project.page("index.md", "# Title\n", qhaigc={"hero": {"prompt": "x", "alt": "x"}}, image="qhaigc:hero")
    first = project.build(site="first")
    assert [name.rpartition(".")[2] for name in sorted(first.images())] == ["jpg", "webp"] or len(first.images()) == 2
    (card,) = (path for path in (project.cache / "variants").rglob("*.val") if path.read_bytes()[:2] == b"\xff\xd8")
    card.unlink()
    assert project.build(site="second").digest() == first.digest()


@pytest.mark.parametrize(
    ("theme", "sizes"),
    [("mkdocs", "(min-width: 1400px) "), ("readthedocs", "(min-width: 1100px) "), ("material", "(min-width: 125em) ")],
)
def test_priority_image_has_the_sizes_of_the_themes_text_by_default(project: Project, theme: str, sizes: str) -> None:
    project.config["theme"] = {"name": theme}
    project.options["widths"] = [48]
    hero = {"prompt": "A tower", "alt": "A tower", "place": "top"}
    project.page("index.md", "# Home\n", qhaigc={"hero": hero})
    project.page("own.md", "# Own\n", qhaigc={"hero": {**hero, "sizes": "50vw"}})
    project.page("wide.md", "# Wide\n", qhaigc={"hero": hero}, hide=["navigation", "toc"])
    built = project.build("--strict")
    shown = {page: images(built, f"{page}index.html")[0]["sizes"] or "" for page in ("", "own/", "wide/")}
    assert shown[""].startswith(sizes)
    assert shown["own/"] == "50vw"
    assert (shown["wide/"] != shown[""]) == (theme == "material")
    project.options["sizes"] = "80vw"
    again = project.build("--strict")
    assert [images(again, f"{page}index.html")[0]["sizes"] for page in ("", "own/")] == ["80vw", "50vw"]


def test_only_the_first_use_of_the_priority_image_is_loaded_first(project: Project) -> None:
    hero = {"prompt": "A tower", "alt": "A tower", "priority": True}
    project.page(
        "index.md",
        "![](qhaigc:other) ![](qhaigc:hero) ![](qhaigc:hero)\n",
        qhaigc={"hero": hero, "other": {"prompt": "b", "alt": "b"}},
    )
    project.page("placed.md", "# T\n\n![](qhaigc:hero)\n", qhaigc={"hero": {**hero, "place": "after-title"}})
    built = project.build("--strict")
    for page, first in (("index.html", 1), ("placed/index.html", 0)):
        shown = images(built, page)
        assert [attributes.get("fetchpriority") for attributes in shown] == [
            "high" if at == first else None for at in range(len(shown))
        ]
        assert [attributes.get("loading") for attributes in shown] == [
            None if at == first else "lazy" for at in range(len(shown))
        ]


def test_images_colour_is_shown_while_it_loads(project: Project, api: ImagesApi) -> None:
    api.default = bytes_by_url(_filled("RGB", (16, 32, 48)))
    project.page("index.md", "![x](qhaigc:hero)\n", qhaigc="A tower")
    built = project.build("--strict")
    assert images(built)[0]["data-colour"] == "#102030"
    api.default = bytes_by_url(_filled("RGBA", (16, 32, 48, 128)))
    project.page("index.md", "![x](qhaigc:hero)\n", qhaigc="A tower of glass")
    assert "data-colour" not in images(project.build("--strict"))[0]


def _filled(mode: str, colour: tuple[int, ...]) -> bytes:
    target = io.BytesIO()
    Image.new(mode, (96, 54), colour).save(target, "PNG")
    return target.getvalue()
