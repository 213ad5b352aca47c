"""Marked images: what other plugins do to a page between its two phases."""

from __future__ import annotations

import re

import pytest

from mkdocs_qhaigc.html.deferred_images import MARK, DeferredImages
from mkdocs_qhaigc.html.image_tag import FormatSource, ImageTag, render_img
from mkdocs_qhaigc.html.rewrite import rewrite
from tests.helpers.resolved import referenced

IMAGE = ImageTag(
    (
        FormatSource("image/avif", (("a-480.avif", 480), ("a.avif", 800))),
        FormatSource("image/webp", (("a-480.webp", 480), ("a.webp", 800))),
    ),
    800,
    600,
    "The harbour's light",
    colour="#102030",
)
ONE_FORMAT = IMAGE._replace(sources=IMAGE.sources[1:])


def marked(deferred: DeferredImages, html: str, image: ImageTag = IMAGE) -> str:
    return rewrite(html, lambda _: referenced(image), deferred).html


@pytest.mark.parametrize("image", [IMAGE, ONE_FORMAT, ONE_FORMAT._replace(colour=None)])
@pytest.mark.parametrize("given", [{}, {"width": "40", "class": "wide"}])
def test_a_marked_image_is_plain_and_becomes_whole(image: ImageTag, given: dict[str, str]) -> None:
    deferred = DeferredImages()
    attributes = "".join(f' {key}="{value}"' for key, value in given.items())
    plain = marked(deferred, f'<p><img src="qhaigc:a"{attributes}></p>', image)
    assert not re.search(r"<picture|<source|srcset|sizes|data-colour|height", plain)
    assert 'src="a.webp"' in plain
    assert 'alt="The harbour&#x27;s light"' in plain
    whole = render_img(dict(given), image, fragment="", in_picture=False)
    assert deferred.expand(plain) == f"<p>{whole}</p>"


def test_a_link_around_a_marked_image_is_around_the_whole_image() -> None:
    deferred = DeferredImages()
    plain = marked(deferred, '<img src="qhaigc:a">')
    whole = deferred.expand(f'<a href="x">{plain}</a>')
    assert whole.startswith('<a href="x"><picture')
    assert whole.endswith("</picture></a>")


def test_a_mark_is_found_in_what_a_parser_has_written_anew() -> None:
    deferred = DeferredImages()
    plain = marked(deferred, '<img src="qhaigc:a">')
    (mark,) = re.findall(rf'{MARK}="(\d+)"', plain)
    anew = f"<IMG src='a.webp' alt=\"The harbour's > light\" data-other {MARK}={mark} />"
    whole = deferred.expand(anew)
    assert 'srcset="a-480.avif 480w, a.avif 800w"' in whole
    assert "data-other" in whole
    assert MARK not in whole


def test_what_other_plugins_add_or_change_wins() -> None:
    deferred = DeferredImages()
    plain = marked(deferred, '<img src="qhaigc:a">')
    changed = plain.replace("<img ", '<img loading="eager" id="x" ').replace(
        'alt="The harbour&#x27;s light"', 'alt="x"'
    )
    whole = deferred.expand(changed)
    for attribute in ('loading="eager"', 'id="x"', 'alt="x"'):
        assert attribute in whole


def test_a_moved_image_has_no_file_of_where_it_was() -> None:
    deferred = DeferredImages()
    plain = marked(deferred, '<img src="qhaigc:a">')
    moved = deferred.expand(plain.replace('src="', 'src="https://cdn.example/'))
    assert 'src="https://cdn.example/a.webp"' in moved
    assert 'width="800" height="600"' in moved
    assert 'data-colour="#102030"' in moved
    assert not re.search("<picture|srcset|sizes", moved)


@pytest.mark.parametrize("image", [IMAGE, ONE_FORMAT, IMAGE._replace(priority=True, dark=ONE_FORMAT)])
def test_each_place_of_one_image_has_its_own_words(image: ImageTag) -> None:
    tags = [
        '<img src="qhaigc:a" alt="By day">',
        '<img src="qhaigc:a" alt="By &quot;night&quot; &amp; day">',
        '<img src="qhaigc:a#only-dark" alt="By night">',
        '<img src="qhaigc:a" alt="">',
        '<picture><img src="qhaigc:a" alt="By noon"></picture>',
        '<img src="qhaigc:a" alt="By day" title="x">',
        '<img src="qhaigc:a" alt=" alt=&quot;x&quot;">',
        '<img src="qhaigc:a" alt="By day">',
    ]
    alone = [whole(tag, image._replace(priority=False)) for tag in tags]
    main = '<img src="qhaigc:a">'  # it alone has the priority
    assert whole(main + "".join(tags), image) == whole(main, image) + "".join(alone)


def whole(html: str, image: ImageTag) -> str:
    """Return the final markup, with one image for all references, as a page has it."""
    deferred, one = DeferredImages(), referenced(image)
    return deferred.expand(rewrite(html, lambda _: one, deferred).html)


def test_a_dark_image_is_marked_beside_the_light_one() -> None:
    deferred = DeferredImages()
    pair = ONE_FORMAT._replace(dark=ONE_FORMAT._replace(width=400))
    plain = marked(deferred, '<img id="one" src="qhaigc:a">', pair)
    assert re.findall(r'src="([^"]*)"', plain) == ["a.webp#only-light", "a.webp#only-dark"]
    assert plain.count('id="one"') == 1
    assert deferred.expand(plain) == render_img({"id": "one"}, pair, fragment="", in_picture=False)


def test_a_mark_of_nobody_is_taken_away() -> None:
    deferred = DeferredImages()
    assert deferred.expand(f'<img src="y" {MARK}="7" alt="">') == '<img src="y" alt="">'
    assert deferred.expand(f'<img src="y" {MARK}="x">') == '<img src="y">'
    assert deferred.expand(f"<p>{MARK}</p><!-- <img {MARK}=0> -->") == f"<p>{MARK}</p><!-- <img {MARK}=0> -->"


def test_only_the_first_of_two_references_is_the_main_image() -> None:
    deferred = DeferredImages()
    main = ONE_FORMAT._replace(priority=True)
    whole = deferred.expand(marked(deferred, '<img src="qhaigc:a"><img src="qhaigc:a">', main))
    assert whole.count('fetchpriority="high"') == 1
    assert whole.count('loading="lazy"') == 1


@pytest.mark.parametrize(
    ("written", "added", "shown"),
    [
        ("", 'width="100%"', 'width="800" height="600"'),
        ("", 'width="20" height="20"', 'width="800" height="600"'),
        (' width="400"', 'height="20"', 'width="400" height="300"'),
        (' width="50%"', 'height="20"', 'width="50%"'),
    ],
)
def test_a_width_that_another_plugin_adds_is_not_the_author_s(written: str, added: str, shown: str) -> None:
    deferred = DeferredImages()
    plain = marked(deferred, f'<img src="qhaigc:a"{written}>')
    whole = deferred.expand(plain.replace("<img ", f"<img {added} "))
    assert shown in whole
    assert "20" not in re.sub("#102030|a-480.*?800w", "", whole)
    assert whole.count("width=") == 1
