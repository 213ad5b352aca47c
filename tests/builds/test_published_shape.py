"""Ratios, focus and transparency: what is published of an image, beside an original that stays as it came."""

from __future__ import annotations

import base64
import hashlib
import io
import os
import re
from typing import Any

import pytest
from PIL import Image

from tests.conftest import Built, Project
from tests.helpers.api import Handler, ImagesApi, answer, bytes_by_url

BODY = "# Home\n\n![x](qhaigc:hero)\n"
MODELS = {"test": {"sizes": ["96x96", "96x54"], "transparent": True, "formats": ["png"]}}


def sides(built: Built) -> dict[str, tuple[int, int]]:
    """Return the width and height of each published image, by its name without digits."""
    found = {}
    for name in built.images():
        with Image.open(built.site / "assets/qhaigc" / name) as image:
            found[re.sub("-[0-9a-f]{12}", "", name)] = image.size
    return found


def noise(width: int, height: int) -> bytes:
    """An image that takes fewer bytes the smaller it is: else a wider file is published in its place."""
    target = io.BytesIO()
    Image.frombytes("RGB", (width, height), os.urandom(width * height * 3)).save(target, "PNG")
    return target.getvalue()


def test_a_ratio_is_asked_for_as_the_nearest_size_and_cropped_when_it_is_published(
    project: Project, api: ImagesApi
) -> None:
    project.options |= {"model": "test", "models": MODELS, "widths": [48], "size": "4:3", "formats": ["webp", "png"]}
    project.page("index.md", BODY, qhaigc={"hero": {"prompt": "A lighthouse", "alt": "x"}}, image="qhaigc:hero")
    api.default = answer(200, {"data": [{"b64_json": base64.b64encode(noise(96, 96)).decode()}]})
    cold = project.build("--strict", site="cold")
    assert cold.code == 0, cold.output

    assert [call["size"] for call in api.calls] == ["96x96"]
    assert sides(cold) == {
        "hero-48.webp": (48, 36),
        "hero.webp": (96, 72),
        "hero-48.png": (48, 36),
        "hero.png": (96, 72),
        "hero.jpg": (96, 72),  # for link previews
    }
    assert 'width="96" height="72"' in cold.html()
    with Image.open(project.cache / "originals" / project.originals[1]) as original:
        assert original.size == (96, 96)
    warm = project.build("--strict", site="warm")
    assert len(api.calls) == 1
    assert warm.digest() == cold.digest()


def test_two_ratios_of_one_request_are_bought_once_and_published_twice(project: Project, api: ImagesApi) -> None:
    hero: dict[str, Any] = {"prompt": "A lighthouse", "alt": "x", "model": "flux"}
    project.options |= {"models": {"flux": {"sizes": ["96x96"]}}}
    for name, ratio in (("whole", "96x96"), ("wide", "2:1"), ("high", "1:2"), ("left", "1:2")):
        focus = {"focus": "left"} if name == "left" else {}
        project.page(f"{name}.md", BODY, qhaigc={"hero": {**hero, "size": ratio, **focus}})
    project.page("index.md", "# Home\n")
    built = project.build("--strict")
    assert built.code == 0, built.output

    assert len(api.calls) == 1
    shown = {}
    for name in ("whole", "wide", "high", "left"):
        address, width, height = re.findall(
            r'src="\.\./assets/qhaigc/(hero-\w+\.webp)" width="(\d+)" height="(\d+)"', built.html(f"{name}/index.html")
        )[0]
        with Image.open(built.site / "assets/qhaigc" / address) as image:
            assert image.size == (int(width), int(height))
            shown[address] = image.size
    assert list(shown.values()) == [(96, 96), (96, 48), (48, 96), (48, 96)]
    assert project.build("--strict", site="again").digest() == built.digest()


def test_a_placeholder_has_the_proportions_of_its_image(project: Project, api: ImagesApi) -> None:
    project.options |= {"missing": "placeholder", "models": MODELS, "model": "test"}
    project.page("index.md", BODY, qhaigc={"hero": {"prompt": "A lighthouse", "alt": "x", "size": "2:1"}})
    built = project.build()
    assert sides(built) == {"hero.webp": (96, 48)}
    assert 'width="96" height="48"' in built.html()
    assert api.calls == []


def test_a_focus_is_two_classes_for_the_theme_that_cuts_images(project: Project) -> None:
    hero = {"prompt": "A lighthouse", "alt": "x", "focus": "33% top", "dark": "At night"}
    project.page("index.md", "# Home\n\n![x](qhaigc:hero){ .cover }\n", qhaigc={"hero": hero})
    project.config["markdown_extensions"] = ["attr_list"]
    html = project.build("--strict").html()
    assert html.count('class="cover qhaigc qhaigc-x30 qhaigc-y0"') == 2
    assert "style=" not in html.partition("<h1")[2].partition("</p>")[0]


def transparent(handler: Handler, body: dict[str, Any]) -> None:
    """Answer with a drawing on no ground."""
    width, height = (int(side) for side in body["size"].split("x"))
    image = Image.new("RGBA", (width, height), (0, 0, 0, 0))
    image.paste((200, 30, 40, 255), (width // 4, height // 4, 3 * width // 4, 3 * height // 4))
    target = io.BytesIO()
    image.save(target, "PNG")
    bytes_by_url(target.getvalue())(handler, body)


@pytest.mark.parametrize(
    ("formats", "published"),
    [
        (["avif", "webp", "jpeg"], {"hero.avif": 0, "hero.webp": 0}),
        (["png"], {"hero.png": 0}),
        (["jpeg"], {"hero.jpg": 255}),
    ],
)
def test_a_transparent_image_stays_so_in_each_format_that_can_be(
    project: Project, api: ImagesApi, formats: list[str], published: dict[str, int]
) -> None:
    api.default = transparent
    project.options |= {"formats": formats, "model": "test", "models": MODELS}
    project.page("index.md", BODY, qhaigc={"hero": {"prompt": "A badge", "alt": "x", "background": "transparent"}})
    built = project.build("--strict")
    assert built.code == 0, built.output

    assert {name: call for name, call in api.calls[0].items() if name in ("background", "output_format")} == {
        "background": "transparent",
        "output_format": "png",
    }
    found = {}
    for name in built.images():
        with Image.open(built.site / "assets/qhaigc" / name) as image:
            corner = image.convert("RGBA").getpixel((1, 1))
            assert isinstance(corner, tuple)
            found[re.sub("-[0-9a-f]{12}", "", name)] = corner[3]
    assert found == published
    assert "data-colour" not in built.html()


def test_variants_of_a_seed_are_asked_for_with_seeds_of_their_own(project: Project, api: ImagesApi) -> None:
    body = {"prompt": "A lighthouse", "alt": "x", "params": {"seed": 7}}
    images = {f"v{number}": {**body, "variant": number} for number in (1, 2, 3)}
    project.options["concurrency"] = 1
    project.page("index.md", "![](qhaigc:v1) ![](qhaigc:v2) ![](qhaigc:v3)\n", qhaigc=images)
    project.build("--strict")
    assert [call["seed"] for call in api.calls] == [7, 8, 9]


KNOWN_SITE: dict[str, Any] = {
    "hero-08bd4d96d720-48.png": "43c2a8804cdc1adf",
    "hero-08bd4d96d720.png": "d2d999994d483648",
    "hero-755805786c9a.jpg": (60, 30),
    "hero-dark-4c42999fa50f-48.png": "43c2a8804cdc1adf",
    "hero-dark-4c42999fa50f.png": "d2d999994d483648",
    "logo-f75359710288-48.png": "43c2a8804cdc1adf",
    "logo-f75359710288.png": "d2d999994d483648",
}
LOADING = 'width="96" height="54" class="qhaigc" loading="lazy" decoding="async" data-colour="#808080"'


def known_tag(alt: str, stem: str, fragment: str = "", sizes: str = "50vw") -> str:
    url = f"assets/qhaigc/{stem}"
    srcset = f"{url}-48.png{fragment} 48w, {url}.png{fragment} 96w"
    return f'<img alt="{alt}" src="{url}.png{fragment}" {LOADING} srcset="{srcset}" sizes="{sizes}">'


KNOWN_TAGS = [
    known_tag("x", "hero-08bd4d96d720", "#only-light"),
    known_tag("x", "hero-dark-4c42999fa50f", "#only-dark"),
    known_tag("y", "logo-f75359710288", sizes="auto, 50vw"),
]


def test_a_site_that_uses_none_of_this_is_published_as_ever(project: Project, api: ImagesApi) -> None:
    """File names, pixels and markup, as they were before there were ratios: PNG, for other encoders change."""
    gradient = Image.linear_gradient("L").resize((96, 54), Image.Resampling.BOX)
    target = io.BytesIO()
    Image.merge("RGB", (gradient, gradient.transpose(Image.Transpose.ROTATE_180), gradient)).save(target, "PNG")
    api.default = bytes_by_url(target.getvalue())
    hero = {"prompt": "A lighthouse", "alt": "x", "dark": "At night", "crop": "60x30", "params": {"quality": "hd"}}
    project.options |= {"formats": ["png"], "widths": [48], "provenance": False, "sizes": "50vw"}
    project.options["images"] = {"logo": {"prompt": "A kite", "alt": "y", "size": "54x96", "variant": 2}}
    project.page(
        "index.md", "# Home\n\n![x](qhaigc:hero) ![](qhaigc:logo)\n", qhaigc={"hero": hero}, image="qhaigc:hero"
    )
    built = project.build("--strict")

    published = {}
    for name in built.images():
        with Image.open(built.site / "assets/qhaigc" / name) as image:
            published[name] = hashlib.sha256(image.tobytes()).hexdigest()[:16] if name.endswith("png") else image.size
    assert published == KNOWN_SITE
    assert re.findall(r"<img[^>]+>", built.html()) == KNOWN_TAGS
