"""Visible labels: in the caption, in a figure made for them, else behind the image."""

from __future__ import annotations

import pytest

from mkdocs_qhaigc.html.image_tag import FormatSource, ImageTag, render_image
from tests.helpers.resolved import resolve

LABEL = '<span class="qhaigc-label">AI &lt;made&gt;</span>'
FIGURE = f'<figure class="qhaigc">#<figcaption>{LABEL}</figcaption></figure>'
SOURCES = (FormatSource("image/webp", (("a.webp", 1280),)),)


def written(html: str, *, caption: str | None = None, label: str = "AI <made>") -> str:
    """Return the page with `#` for the image's tag, which is not the matter here."""
    image = ImageTag(SOURCES, 1280, 720, caption=caption, alt="A tower", label=label)
    plain = image._replace(caption=None, label="")
    page = resolve(html.replace("#", '<img src="qhaigc:a">'), lambda _: image).html
    tag, in_picture = (
        resolve(f'{around}<img src="qhaigc:a">', lambda _: plain).html.removeprefix(around)
        for around in ("", "<picture>")
    )
    return page.replace(tag, "#").replace(in_picture, "#")


@pytest.mark.parametrize(
    ("html", "becomes"),
    [
        ("<p>#</p>", FIGURE),
        ('<p><a href="x">#</a></p>', FIGURE.replace("#", '<a href="x">#</a>')),
        ("<td>#</td>", f"<td>{FIGURE}</td>"),
        ("<ul><li>#</li></ul>", f"<ul><li>{FIGURE}</li></ul>"),
        ("<figure>#</figure>", f"<figure>#<figcaption>{LABEL}</figcaption></figure>"),
        ("<figure>#<figcaption>Own</figcaption></figure>", f"<figure>#<figcaption>Own {LABEL}</figcaption></figure>"),
        ("<figure>#<figcaption></figcaption></figure>", f"<figure>#<figcaption>{LABEL}</figcaption></figure>"),
        ("<p>Before # after</p>", f"<p>Before # {LABEL} after</p>"),
        ("<p>##</p>", f"<p># {LABEL}# {LABEL}</p>"),
        ("<h1>#</h1>", f"<h1># {LABEL}</h1>"),
        ('<p>See <a href="x">#</a></p>', f'<p>See <a href="x">#</a> {LABEL}</p>'),
        ('<p class="admonition-title">#</p>', f'<p class="admonition-title"># {LABEL}</p>'),
        ("<figure>#<p>x</p></figure>", f"<figure># {LABEL}<p>x</p></figure>"),
        (
            '<p><picture><source srcset="x">#</picture></p>',
            FIGURE.replace("#", '<picture><source srcset="x">#</picture>'),
        ),
        (
            '<p>x <picture><source srcset="x">#</picture></p>',
            f'<p>x <picture><source srcset="x">#</picture> {LABEL}</p>',
        ),
        (
            '<p>İİ</p>\n<PICTURE><source srcset="x">#</PICTURE>\n<p>x</p>',  # of which `lower()` makes more letters
            f'<p>İİ</p>\n<PICTURE><source srcset="x">#</PICTURE> {LABEL}\n<p>x</p>',
        ),
        ("#", f"# {LABEL}"),
    ],
)
def test_every_image_has_its_label(html: str, becomes: str) -> None:
    assert written(html) == becomes


@pytest.mark.parametrize(
    ("html", "becomes"),
    [
        ("<p>#</p>", f'<figure class="qhaigc">#<figcaption>Fog &amp; rain {LABEL}</figcaption></figure>'),
        ("<figure>#<figcaption>Own</figcaption></figure>", f"<figure>#<figcaption>Own {LABEL}</figcaption></figure>"),
        ("<p>Before #</p>", f"<p>Before # {LABEL}</p>"),
    ],
)
def test_it_stands_behind_the_caption(html: str, becomes: str) -> None:
    assert written(html, caption="Fog & rain") == becomes


@pytest.mark.parametrize("html", ["<p>#</p>", "<p>x #</p>", "<h1>#</h1>", "<figure>#</figure>", "<li>#</li>"])
def test_without_a_label_nothing_is_added(html: str) -> None:
    assert written(html, label="") == html


def test_the_two_images_of_a_pair_have_one_label() -> None:
    light = ImageTag(SOURCES, 1280, 720, label="AI")
    html = resolve('<p><img src="qhaigc:a"></p>', lambda _: light._replace(dark=light)).html
    assert html.count("qhaigc-label") == 1
    by_hand = resolve('<p><img src="qhaigc:a#only-light"> <img src="qhaigc:a#only-dark"></p>', lambda _: light).html
    assert by_hand.count("qhaigc-label") == 1
    dark_first = resolve('<p><img src="qhaigc:a#only-dark">\n<img src="qhaigc:a#only-light"></p>', lambda _: light).html
    assert dark_first.count("qhaigc-label") == 1


@pytest.mark.parametrize(
    "html",
    [
        '<p><img src="photo.jpg#only-light"> <img src="qhaigc:a#only-dark"></p>',
        '<p><img src="qhaigc:photo#only-light"> <img src="qhaigc:a#only-dark"></p>',
        '<p><img src="qhaigc:a#only-dark"></p>',
    ],
)
def test_an_image_for_dark_pages_has_the_label_where_none_is_beside_it(html: str) -> None:
    image = ImageTag(SOURCES, 1280, 720, label="AI")
    written = resolve(html, lambda name: image if name == "a" else image._replace(label="")).html
    assert written.count("qhaigc-label") == 1


def test_links_and_backgrounds_are_no_images_of_the_page() -> None:
    image = ImageTag(SOURCES, 1280, 720, label="AI")
    html = '<a href="qhaigc:a">x</a><p style="background: url(qhaigc:a)"></p><video poster="qhaigc:a"></video>'
    assert "qhaigc-label" not in resolve(html, lambda _: image).html


def test_templates_get_a_figure() -> None:
    html = render_image(ImageTag(SOURCES, 1280, 720, label="AI"))
    assert html.startswith('<figure class="qhaigc"><img ')
    assert html.endswith('<figcaption><span class="qhaigc-label">AI</span></figcaption></figure>')
