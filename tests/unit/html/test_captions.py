"""Captions: which HTML becomes a figure, and which has no room for one."""

from __future__ import annotations

from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mkdocs_qhaigc.html.image_tag import FormatSource, ImageTag, render_image
from tests.helpers.resolved import resolve as rewrite

CAPTION = "<figcaption>Fog &amp; light</figcaption>"


def image(name: str = "a") -> ImageTag:
    return ImageTag(
        (FormatSource("image/webp", ((f"{name}.webp", 1280),)),), 1280, 720, caption="Fog & light", alt="A tower"
    )


def written(html: str) -> str:
    """Return the page with `#` for the image's tag, which is not the matter here."""
    markup = rewrite('<img src="qhaigc:a">', image).html
    return rewrite(html.replace("#", '<img src="qhaigc:a">'), image).html.replace(markup, "#")


@pytest.mark.parametrize(
    ("html", "becomes"),
    [
        ("<p>#</p>", f'<figure class="qhaigc">#{CAPTION}</figure>'),
        ("<p>x</p>\n<p>\n#\n</p>\n<p>y</p>", f'<p>x</p>\n<figure class="qhaigc">#\n{CAPTION}</figure>\n<p>y</p>'),
        ('<P id="b" class="c">#</P>', f'<figure class="c qhaigc" id="b">#{CAPTION}</figure>'),
        ('<p><a href="x">#</a></p>', f'<figure class="qhaigc"><a href="x">#</a>{CAPTION}</figure>'),
        ('<p><a href="qhaigc:b">#</a></p>', f'<figure class="qhaigc"><a href="b.webp">#</a>{CAPTION}</figure>'),
        ("<ul><li>#</li></ul>", f'<ul><li><figure class="qhaigc">#{CAPTION}</figure></li></ul>'),
        ("<td>\n#</td>", f'<td>\n<figure class="qhaigc">#{CAPTION}</figure></td>'),
        (
            '<div class="x"><a href="x">#</a></div>',
            f'<div class="x"><figure class="qhaigc"><a href="x">#</a>{CAPTION}</figure></div>',
        ),
        ("<li><p>#</p></li>", f'<li><figure class="qhaigc">#{CAPTION}</figure></li>'),
    ],
)
def test_an_image_that_stands_alone_becomes_a_figure_with_its_caption(html: str, becomes: str) -> None:
    assert written(html) == becomes


@pytest.mark.parametrize(
    ("html", "becomes"),
    [
        ("<figure>#</figure>", f"<figure>#{CAPTION}</figure>"),
        ("<figure>\n<p>#</p>\n</figure>", f"<figure>\n<p>#</p>{CAPTION}\n</figure>"),
        ("<figure><p>#</p>\n<figcaption>Own</figcaption></figure>", None),
        ("<figure>\n#\n<figcaption>Own</figcaption>\n</figure>", None),
    ],
)
def test_an_author_s_figure_stays_and_gets_the_caption_where_it_has_none(html: str, becomes: str | None) -> None:
    assert written(html) == (becomes or html)


@pytest.mark.parametrize(
    "html",
    [
        "<p>Before #</p>",
        "<p># after</p>",
        "<p>#<br></p>",
        "<h1>#</h1>",
        "<p><em>#</em></p>",
        "<p>#",
        "#</p>",
        "#",
        "<span>#</span>",
        '<p><picture><source srcset="x">#</picture></p>',
        "<p><a>#</p></a>",
    ],
)
def test_in_a_line_of_text_there_is_no_room_for_a_figure(html: str) -> None:
    assert written(html) == html


def test_two_images_in_one_paragraph_have_no_captions() -> None:
    html = rewrite('<p><img src="qhaigc:a"><img src="qhaigc:b"></p>', image).html

    assert "figcaption" not in html
    assert html.startswith("<p><img")
    assert html.endswith("></p>")


def test_neighbours_become_figures_each() -> None:
    html = rewrite('<p><img src="qhaigc:a"></p><p><img src="qhaigc:b"></p>', image).html

    assert html.count("<figure") == html.count("</figure>") == html.count(CAPTION) == 2
    assert "<p>" not in html


def test_an_image_without_an_author_s_tag_is_a_figure_too() -> None:
    html = render_image(image())

    assert html.startswith('<figure class="qhaigc"><img ')
    assert html.endswith(f">{CAPTION}</figure>")


class _Nesting(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.wrong: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "figure" and "p" in self.open:
            self.wrong.append("figure in p")
        if tag != "img":
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if not self.open or self.open.pop() != tag:
            self.wrong.append(tag)


BLOCKS = st.recursive(
    st.sampled_from(['<img src="qhaigc:a">', "words", " ", "\n", '<a href="x"><img src="qhaigc:b"></a>']),
    lambda inner: st.builds(
        lambda tag, parts: f"<{tag}>{''.join(parts)}</{tag}>",
        st.sampled_from(["div", "li", "td", "figure", "span", "em"]),
        st.lists(inner | st.builds("<p>{}</p>".format, st.sampled_from(['<img src="qhaigc:a">', "words"])), max_size=3),
    ),
    max_leaves=6,
)


@given(BLOCKS)
def test_whatever_a_page_holds_its_elements_stay_nested(html: str) -> None:
    nesting = _Nesting()
    nesting.feed(rewrite(html, image).html)
    nesting.close()

    assert nesting.wrong == []
    assert nesting.open == []


@pytest.mark.parametrize(
    ("html", "becomes"),
    [
        ("<figure>#<figcaption></figcaption></figure>", f"<figure>#{CAPTION}</figure>"),
        (
            '<figure>#<figcaption class="x">\n<p>&nbsp;<!-- x --></p></figcaption></figure>',
            f"<figure>#{CAPTION.replace('<figcaption', '<figcaption class=&x&', 1)}</figure>".replace("&x&", '"x"'),
        ),
        ("<figure><FIGCAPTION> </FIGCAPTION><p>#</p></figure>", None),
        ("<figure>##<figcaption></figcaption></figure>", f"<figure>##{CAPTION}</figure>"),
        (
            "<figure><figure>#</figure><figcaption>Both</figcaption></figure>",
            f"<figure><figure>#{CAPTION}</figure><figcaption>Both</figcaption></figure>",
        ),
        ("<figure>#<figcaption><b>0</b></figcaption></figure>", "<figure>#<figcaption><b>0</b></figcaption></figure>"),
    ],
)
def test_a_caption_without_words_does_not_win(html: str, becomes: str | None) -> None:
    shouted = "<figure><FIGCAPTION>Fog &amp; light</FIGCAPTION><p>#</p></figure>"
    assert written(html) == (becomes or shouted)


@pytest.mark.parametrize(
    ("html", "alt"),
    [
        ("<figure>#<figcaption>A <b>to</b>wer\n &amp; mast</figcaption></figure>", "A tower &amp; mast"),
        ("<figure><figcaption><p>A</p><p>mast</p></figcaption><a href=x>#</a></figure>", "A mast"),
        ("<figure>#<figcaption></figcaption></figure>", ""),
        ("<figure>#</figure>", ""),
        ("<figure><figure>#<figcaption>In</figcaption></figure><figcaption>Out</figcaption></figure>", "In"),
        ("<figure><figcaption>Out</figcaption></figure>#", ""),
    ],
)
@pytest.mark.parametrize(
    "tag", ['<img src="qhaigc:a">', '<img alt="" src="qhaigc:a">', '<img alt="qhaigc:a" src="qhaigc:a">']
)
def test_the_words_of_its_caption_describe_an_image_that_nothing_else_does(html: str, alt: str, tag: str) -> None:
    plain = image()._replace(alt=None, caption=None)
    rewritten = rewrite(html.replace("#", tag), lambda _: plain)
    assert f'alt="{alt}"' in rewritten.html
    assert rewritten.without_alt == ([] if alt else ["a"])
    described = rewrite(html.replace("#", tag), lambda _: plain._replace(alt="Own")).html
    assert 'alt="Own"' in described
    decoration = rewrite(html.replace("#", tag), lambda _: plain._replace(alt=""))
    assert 'alt=""' in decoration.html
    assert decoration.without_alt == []
