"""Replaces references in the finished HTML of a page by images. Pure: a function that it is given looks up names.

`qhaigc:NAME` inside a tag is a reference; inside text, a comment, a script or a style sheet it is text and stays.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from functools import partial
from html import escape
from typing import NamedTuple

from mkdocs_qhaigc.html.deferred_images import DeferredImages, ReferencedImage
from mkdocs_qhaigc.html.image_tag import ONLY_DARK, ONLY_LIGHT
from mkdocs_qhaigc.html.reference_syntax import QUOTED, REFERENCE, SCHEME, WHOLE, decode_name, unquote_reference
from mkdocs_qhaigc.html.tags import Attributes, parse, start_tag, tags_with, with_changes

TEXT_ATTRIBUTES = frozenset(
    ("alt", "title", "class", "id", "name", "value", "label", "placeholder", "summary", "content")
)
"""Attributes that hold text or names, never a URL."""
_URL_ATTRIBUTES = frozenset(("src", "href", "poster"))
_LABELS = ("aria-label", "aria-labelledby", "aria-hidden")
"""Attributes beside `alt` by which an author describes an image to readers who do not see it."""
_FIRST_TITLE_END = re.compile(r"</h1\s*>", re.IGNORECASE)
_IN_SRCSET = rf"(?<![^\s,]){REFERENCE}"
_IN_STYLE = rf"""(?i)\burl\(\s*(["']?){REFERENCE}\1\s*\)"""
"""Compiled where an author writes references there, as are the two below: most sites have none."""
_TITLE_OF_EXCERPT = r"(?is)\s*<h([1-6])[\s>].*?</h\1\s*>"
_NOTHING_SHOWN = r"(?i)(?:\s|</?(?:a|picture|source|br)\b[^>]*>)*"
"""Matches white space and tags that show nothing, as between the light and the dark image of a pair."""

Resolve = Callable[[str], ReferencedImage]
_Captioned = tuple[int, int, str | None, str, bool]
"""The fields of `captions.Captioned`, which is imported only where a page has captions or labels."""


class _Shown(NamedTuple):
    """A reference to an image that a page shows with a caption or a label."""

    start: int
    end: int
    """Its tag's place in the HTML that is rewritten."""
    fragment: str | None
    """`#only-dark`, say."""
    captioned: _Captioned

    @property
    def labels_light_pages(self) -> bool:
        """Whether it is the image for light pages and has a label."""
        return self.fragment == ONLY_LIGHT and bool(self.captioned[3])


class _Tag(NamedTuple):
    """A start tag with a reference."""

    text: str
    start: int
    """Its place in the HTML."""
    element: str
    """As it is written."""
    attributes: Attributes
    in_picture: bool
    """Whether it is in a `<picture>`."""
    image: re.Match[str] | None
    """The reference of an `<img>`, in its `src`: see `reference_syntax.REFERENCE`."""


class Rewritten(NamedTuple):
    """A page's HTML with its references resolved."""

    html: str
    """Its images are marked."""
    unread: list[str]
    """Values that begin like a reference and are not one."""
    without_alt: list[str]
    """Names of images that neither reference nor directive nor the caption of a figure describes, in page order."""


def rewrite(html: str, resolve: Resolve, deferred: DeferredImages, *, main_shown: bool = False) -> Rewritten:
    """Return the page with every reference resolved by `resolve(name)`; `deferred` expands its images later.

    `main_shown`: the page's main image is shown elsewhere already, or not on this page.
    """
    pieces: list[str] = []
    unread: list[str] = []
    without_alt: list[str] = []
    shown: list[_Shown] = []
    words_at: Callable[[int], str] | None = None
    end = written = 0
    html = _with_plain_references(html)
    for tag, start, element, attributes, in_picture, source in _tags_with_references(html, unread):
        if source:
            del attributes["src"]
        for key, value in attributes.items():
            if value and SCHEME in value:
                attributes[key] = _resolved(key, value, resolve)
        if source:
            name = decode_name(source[1])
            image = resolve(name)
            if not _is_described(attributes, image):
                words_at = words_at or _caption_words(html)
                if words := words_at(start):
                    attributes["alt"] = words
                else:
                    without_alt.append(name)
            markup = deferred.mark(
                attributes, image, fragment=source[2] or "", in_picture=in_picture, first=not main_shown
            )
            main_shown = main_shown or image.priority
            if image.caption is not None or image.label:
                at = written + start - end
                captioned = (at, at + len(markup), image.caption, image.label, in_picture)
                shown.append(_Shown(start, start + len(tag), source[2], captioned))
        else:
            markup = start_tag(element, attributes, closed=tag.endswith("/>"))
        pieces += html[end:start], markup
        written += start - end + len(markup)
        end = start + len(tag)
    pieces.append(html[end:])
    return Rewritten(_with_captions("".join(pieces), _captions(html, shown)), unread, without_alt)


def _captions(html: str, shown: list[_Shown]) -> list[_Captioned]:
    """Return the images that have a caption or a label.

    Of a pair for light and dark pages, which stand side by side, only the light one has the label.
    """
    found: list[_Captioned] = []
    for index, image in enumerate(shown):
        start, end, caption, label, in_picture = image.captioned
        if label and image.fragment == ONLY_DARK:
            before, after = shown[max(index - 1, 0) : index], shown[index + 1 : index + 2]
            beside = [(one, html[one.end : image.start]) for one in before]
            beside += [(one, html[image.end : one.start]) for one in after]
            if any(one.labels_light_pages and re.fullmatch(_NOTHING_SHOWN, between) for one, between in beside):
                label = ""
        if caption is not None or label:
            found.append((start, end, caption, label, in_picture))
    return found


def _is_described(attributes: Attributes, image: ReferencedImage) -> bool:
    """Whether the tag or the directive describes an image to readers who do not see it."""
    return (
        image.alt is not None
        or bool(attributes.get("alt"))  # as nearly all have it
        or any(attributes.get(key) for key in _LABELS)
        or attributes.get("role") in ("none", "presentation")
    )


def _caption_words(html: str) -> Callable[[int], str]:
    """Return a function that returns the words of the caption which describe an image at a position of the page."""
    if "<figcaption" not in html.lower():
        return lambda _: ""
    from mkdocs_qhaigc.html.captions import caption_words, find_figures  # most sites have none, as below

    return partial(caption_words, find_figures(html))


def _with_captions(html: str, captions: list[_Captioned]) -> str:
    if not captions:
        return html
    from mkdocs_qhaigc.html.captions import Captioned, with_captions  # most sites have neither

    return with_captions(html, map(Captioned._make, captions))


def strip(html: str) -> str:
    """Return the page with every image reduced to its alt text and every other reference removed."""
    pieces: list[str] = []
    end = 0
    html = _with_plain_references(html)
    for tag, start, element, attributes, _, source in _tags_with_references(html, []):
        if source:
            markup = escape(attributes.get("alt") or "")
        else:
            kept = {key: value for key, value in attributes.items() if not _refers(key, value)}
            if "style" in attributes and "style" not in kept:
                kept["style"] = re.sub(_IN_STYLE, "none", attributes["style"] or "")
            markup = start_tag(element, kept, closed=tag.endswith("/>"))
        pieces += html[end:start], markup
        end = start + len(tag)
    pieces.append(html[end:])
    return "".join(pieces)


def place(html: str, markup: str, *, after_title: bool, excerpt: bool = False) -> str:
    """Return the page with the markup after its first title, or on top if it has no title or `after_title` is false.

    The title of an `excerpt` is the heading of any level with which it begins.
    """
    title = re.match(_TITLE_OF_EXCERPT, html) if excerpt else _FIRST_TITLE_END.search(html)
    match = title if after_title else None
    at = match.end() if match else 0
    before, after = html[:at], html[at:]
    return f"{before}\n{markup}{after}" if before else f"{markup}\n{after}"


def has_reference(html: str) -> bool:
    """Whether a page's HTML may contain a reference, so that it has to be looked at."""
    return SCHEME in html or QUOTED in html


def _with_plain_references(html: str) -> str:
    """Return the page with quoted references (`../qhaigc%3Ahero`) as an author writes them."""
    if QUOTED not in html:
        return html
    pieces: list[str] = []
    end = 0
    for tag, start, _ in tags_with(html, QUOTED):
        values = {key: value for key, value in parse(tag)[1].items() if value and key in _URL_ATTRIBUTES}
        plain = {key: (value, unquote_reference(value)) for key, value in values.items()}
        pieces += html[end:start], with_changes(tag, {key: one for key, one in plain.items() if one[1]})
        end = start + len(tag)
    pieces.append(html[end:])
    return "".join(pieces)


def _tags_with_references(html: str, unread: list[str]) -> Iterator[_Tag]:
    """Yield each start tag with a reference."""
    for text, start, in_picture in tags_with(html, SCHEME):
        element, attributes = parse(text)
        image = WHOLE.fullmatch(attributes.get("src") or "") if element.lower() == "img" else None
        refers = image is not None
        for key, value in attributes.items():
            if not value or SCHEME not in value or (image and key == "src"):
                continue
            if _refers(key, value):
                refers = True
            elif key in _URL_ATTRIBUTES and value.strip().startswith(SCHEME):
                unread.append(value)
            elif key == "alt" and WHOLE.fullmatch(value):
                attributes["alt"] = ""  # of plugins that describe an image by the name of its file
        if refers:
            yield _Tag(text, start, element, attributes, in_picture, image)


def _refers(key: str, value: str | None) -> bool:
    if not value or SCHEME not in value:
        return False
    if key == "style":
        return bool(re.search(_IN_STYLE, value))
    if key in ("srcset", "imagesrcset", "data-srcset"):
        return bool(re.search(_IN_SRCSET, value))
    if key in TEXT_ATTRIBUTES or key.startswith("aria-"):
        return False
    return bool(WHOLE.fullmatch(value))


def _resolved(key: str, value: str, resolve: Resolve) -> str:
    if not _refers(key, value):
        return value
    if key == "style":
        return re.sub(_IN_STYLE, lambda m: f"url({m[1]}{resolve(decode_name(m[2])).url}{m[3] or ''}{m[1]})", value)
    pattern = _IN_SRCSET if key.endswith("srcset") else WHOLE
    return re.sub(pattern, lambda m: resolve(decode_name(m[1])).url + (m[2] or ""), value)
