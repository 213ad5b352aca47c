"""Markup that is put right when its image has arrived, also where other plugins have rewritten the page."""

from __future__ import annotations

import re

import pytest

from mkdocs_qhaigc.html.formats_aside import put_back, set_aside
from mkdocs_qhaigc.html.image_tag import FormatSource, ImageTag, render_img
from mkdocs_qhaigc.html.mending import mend

GUESS = ImageTag(
    (
        FormatSource("image/avif", (("a-480.avif", 480), ("a.avif", 1280))),
        FormatSource("image/webp", (("a-480.webp", 480), ("a.webp", 1280))),
    ),
    1280,
    720,
    "The harbour's light",
    colour="transparent",
)
TRUTH = GUESS._replace(
    sources=(
        FormatSource("image/avif", (("a-480.avif", 480), ("a.avif", 800))),
        FormatSource("image/webp", (("a-480.webp", 480), ("a.webp", 800))),
    ),
    width=800,
    height=600,
    colour="#102030",
)


def markup(image: ImageTag, **given: str) -> str:
    return render_img(dict(given), image, fragment="", in_picture=False)


def test_what_stands_as_it_was_written_is_replaced_everywhere() -> None:
    html = f"<p>{markup(GUESS)}</p> and {markup(GUESS)}"

    assert mend(html, [(markup(GUESS), markup(TRUTH))]) == f"<p>{markup(TRUTH)}</p> and {markup(TRUTH)}"


def test_what_a_parser_has_written_anew_is_put_right_tag_by_tag() -> None:
    def anew(html: str) -> str:
        return (
            html.replace("&#x27;", "'")
            .replace("<img", '<a class="lightbox"><img')
            .replace("</picture>", "</a></picture>")
        )

    written, right = markup(GUESS), markup(TRUTH)
    assert anew(written) != written
    mended = mend(anew(written), [(written, right)])
    assert mended.replace("'", "&#x27;") == anew(right).replace("'", "&#x27;")


def test_what_another_plugin_has_added_stays() -> None:
    written = markup(GUESS).replace("<img ", '<img data-other="1" ')

    assert 'data-other="1"' in mend(written, [(markup(GUESS), markup(TRUTH))])
    assert 'width="800" height="600"' in mend(written, [(markup(GUESS), markup(TRUTH))])


def test_images_that_look_alike_but_for_their_address_are_told_apart() -> None:
    other = markup(GUESS).replace("a.", "b.").replace("a-", "b-")
    html = f"{other}<b>{markup(GUESS).replace('&#x27;', chr(39))}</b>"
    mended = mend(html, [(markup(GUESS), markup(TRUTH))])

    assert mended.startswith(other)
    assert 'width="800"' in mended


def test_the_same_image_at_two_widths_is_mended_at_each() -> None:
    small = {"width": "320"}
    changes = [(markup(GUESS), markup(TRUTH)), (markup(GUESS, **small), markup(TRUTH, **small))]
    html = "".join(written for written, _ in changes).replace("&#x27;", "'")
    mended = mend(html, changes)

    assert 'width="800" height="600"' in mended
    assert 'width="320"' in mended
    assert 'height="240"' in mended
    assert 'height="180"' not in mended
    assert "720" not in mended


ONE_FORMAT = TRUTH._replace(sources=TRUTH.sources[1:])


@pytest.mark.parametrize("image", [GUESS, TRUTH, ONE_FORMAT, ONE_FORMAT._replace(colour=None)])
@pytest.mark.parametrize("given", [{}, {"width": "40", "class": "wide"}])
def test_what_was_set_aside_comes_back_where_its_image_stands_now(image: ImageTag, given: dict[str, str]) -> None:
    html = f"<p>{markup(image, **given)}</p><p>{markup(GUESS)}</p>"
    plain, asides = set_aside(html)

    assert not re.search("<picture|<source|srcset|sizes|data-colour", plain)
    assert plain.count("<img") == 2
    assert put_back(plain, asides) == html
    wrapped = plain.replace("<p><img", '<p><a href="x"><img').replace("></p>", "></a></p>")
    assert put_back(wrapped, asides) == html.replace("<p>", '<p><a href="x">').replace("</p>", "</a></p>")


def test_what_other_plugins_see_does_not_tell_whether_the_image_was_there() -> None:
    there = GUESS._replace(colour="#102030")

    assert set_aside(markup(GUESS))[0] == set_aside(markup(there))[0]


def test_an_image_that_another_plugin_has_moved_shows_no_file_of_where_it_was() -> None:
    plain, asides = set_aside(markup(TRUTH))
    moved = put_back(plain.replace('src="', 'src="https://cdn.example/'), asides)

    assert 'src="https://cdn.example/a.webp"' in moved
    assert 'data-colour="#102030"' in moved
    assert not re.search("<picture|srcset|sizes", moved)


def test_an_author_s_own_image_element_is_not_set_aside() -> None:
    html = '<picture><source srcset="x"><img src="y"></picture><picture class="mine"><img src="y"></picture>'

    assert set_aside(html) == (html, [])
    html = '<img class="qhaigc-mine" src="y" srcset="x 1x" sizes="1px"><img src="y" class="qhaigc">'
    assert set_aside(html) == (html, [])
    assert put_back('<img src="y" data-qhaigc-formats="7" alt="">', []) == '<img src="y" alt="">'
