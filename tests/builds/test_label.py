"""The visible label in real builds: on pages, in templates, in the page's language, on cards; none by default."""

from __future__ import annotations

import re
from typing import Any

import pytest
from PIL import Image, ImageChops

from tests.conftest import Built, Project
from tests.helpers.api import ImagesApi

LABEL = '<span class="qhaigc-label">{}</span>'
BODY = "# T\n\n![x](qhaigc:hero)\n\nA line ![x](qhaigc:fog) of text.\n"
FRONT: dict[str, Any] = {
    "qhaigc": {
        "hero": {"prompt": "A tower", "alt": "A tower", "crop": "1200x630"},
        "fog": {"prompt": "Fog", "alt": "Fog"},
        "top": {"prompt": "Sea", "alt": "Sea", "place": "top", "caption": "The sea"},
    },
    "image": "qhaigc:hero",
}


def labels(built: Built, page: str = "index.html") -> list[str]:
    assert built.code == 0, built.output
    return re.findall(r'<span class="qhaigc-label">([^<]*)</span>', built.html(page))


def card(built: Built) -> Image.Image:
    """Return the one card of a site."""
    (name,) = [name for name in built.images() if name.endswith(".jpg")]
    return Image.open(built.site / "assets/qhaigc" / name).convert("RGB")


@pytest.fixture
def site(project: Project, api: ImagesApi) -> Project:
    project.page("index.md", BODY, **FRONT)
    return project


def test_every_image_of_a_page_has_the_label_and_warm_builds_are_the_same(site: Project) -> None:
    site.options["label"] = "AI-generated"
    cold = site.build()
    assert labels(cold) == ["AI-generated"] * 3
    html = cold.html()
    assert f"<figcaption>The sea {LABEL.format('AI-generated')}</figcaption>" in html
    assert re.search(r'A line <img [^>]*> <span class="qhaigc-label">AI-generated</span> of text', html)
    assert re.search(r'<figure class="qhaigc"><img [^>]*><figcaption><span class="qhaigc-label">', html)
    assert site.build("--strict", site="warm").digest() == cold.digest()


def test_a_site_without_labels_is_byte_for_byte_what_it_was(site: Project) -> None:
    plain = site.build()
    site.options["label"] = {"text": "AI-generated", "cards": True}
    directives: dict[str, Any] = FRONT["qhaigc"]
    without = {name: {**fields, "label": False} for name, fields in directives.items()}
    site.page("index.md", BODY, **{**FRONT, "qhaigc": without})
    assert labels(plain) == []
    assert site.build(site="again").digest() == plain.digest()


def test_a_directive_has_a_label_of_its_own_also_where_the_site_has_none(site: Project) -> None:
    site.page(
        "index.md", BODY, qhaigc={"hero": {"prompt": "A tower", "alt": "", "label": "Made by hand"}, "fog": "Fog"}
    )
    assert labels(site.build()) == ["Made by hand"]


@pytest.mark.parametrize(
    ("theme", "front", "label"),
    [
        ({"name": "material", "language": "de"}, {}, "KI-generiert"),
        ({"name": "material"}, {}, "AI-generated"),
        ({"name": "mkdocs", "locale": "de"}, {}, "KI-generiert"),
        ({"name": "mkdocs"}, {"lang": "zh-CN"}, "AI 生成"),
    ],
)
def test_the_label_is_in_the_language_of_the_page(
    site: Project, theme: dict[str, Any], front: dict[str, str], label: str
) -> None:
    site.options["label"] = {"en": "AI-generated", "de": "KI-generiert", "zh": "AI 生成"}
    site.config["theme"] = theme
    site.page("index.md", "![x](qhaigc:hero)", qhaigc={"prompt": "A tower", "alt": "A tower"}, **front)
    assert labels(site.build()) == [label]


def test_cards_have_it_only_if_asked_and_then_another_address(site: Project, api: ImagesApi) -> None:
    plain = site.build()
    site.options["label"] = "AI-generated"
    assert [name for name in site.build().images() if name.endswith(".jpg")] == [
        name for name in plain.images() if name.endswith(".jpg")
    ]
    before = card(plain)
    site.options["label"] = {"text": "AI", "cards": True}
    labelled = site.build(site="labelled")
    assert [name for name in labelled.images() if name.endswith(".jpg")] != [
        name for name in plain.images() if name.endswith(".jpg")
    ]
    assert ImageChops.difference(before, card(labelled)).getbbox()
    assert len(api.calls) == 3  # nothing was bought again
    assert site.build("--strict", site="warm").digest() == labelled.digest()


def test_a_card_s_label_that_cannot_be_drawn_here_is_told_and_fails_no_strict_build(site: Project) -> None:
    site.options["label"] = {"text": "\U0001e100\U0001e101", "cards": True}  # Nyiakeng Puachue Hmong
    built = site.build("--strict")
    assert built.code == 0, built.output
    assert "no font of this machine has the letters of the label" in built.output


def test_templates_get_it_too(site: Project) -> None:
    site.options["label"] = "AI-generated"
    site.config["theme"] = {"name": "mkdocs", "custom_dir": "overrides"}
    site.write(
        "overrides/main.html",
        '{% extends "base.html" %}{% block footer %}{{ qhaigc_image(page, "hero") }}{% endblock %}',
    )
    site.page("index.md", "# T", qhaigc={"prompt": "A tower", "alt": "A tower"})
    assert labels(site.build()) == ["AI-generated"]


def test_a_label_that_cannot_be_read_ends_the_build_before_anything_is_bought(site: Project, api: ImagesApi) -> None:
    site.options["label"] = True
    built = site.build()
    assert built.code == 1
    assert "label" in built.output
    assert not api.calls
    site.options["label"] = "AI"
    site.page("index.md", BODY, qhaigc={"hero": {"prompt": "A tower", "label": True}})
    assert "Write the text of the label, or false for none" in site.build().output
