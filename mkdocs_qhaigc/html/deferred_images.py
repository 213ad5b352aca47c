"""Images whose files are not known yet: a plain marked `<img>` now, the final markup when every image is settled. Pure.

While pages are rendered, a reference becomes `<img data-qhaigc="7" alt="…" src="assets/…webp">` with its final address
and what the author wrote, which is all that other plugins see. They may wrap it in a link, add or change attributes, or
write the whole page anew: `expand` finds each mark wherever it is, and keeps what they have changed.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import cache, partial
from typing import NamedTuple

from mkdocs_qhaigc.html.image_tag import ONLY_DARK, ONLY_LIGHT, ImageTag, render_image_tag
from mkdocs_qhaigc.html.tags import Attributes, parse, start_tag, tags_with, written

MARK = "data-qhaigc"
_TagOf = Callable[[Callable[[], ImageTag]], ImageTag]
"""Calls a marked image's `image`."""
_AroundAlt = dict[tuple[object, ...], tuple[str, str]]
"""Everything that decides an image's markup but its `alt` -> the markup before that attribute, and after it."""
_MARKED = re.compile(rf'<img {MARK}="([0-9]+)"[^>]*>')


class ReferencedImage(NamedTuple):
    """The meaning of a name on one page, as far as that is known before the image is."""

    url: str
    """The final address of the file that every reader can show, as the page needs it."""
    image: Callable[[], ImageTag]
    """Returns the whole image; called when every image is settled."""
    alt: str | None = None
    priority: bool = False
    caption: str | None = None
    """Plain text."""
    dark: ReferencedImage | None = None
    """The image that readers of a dark page see instead."""
    label: str = ""
    """Plain text, visible at the image; empty for none."""

    def whole(self) -> ImageTag:
        """Return the image with its dark one, once every image is settled."""
        return self.image()._replace(dark=self.dark and self.dark.image())


class _Marked(NamedTuple):
    """One marked `<img>`."""

    markup: str
    """The whole tag, as it was handed out."""
    attributes: Attributes
    """Its attributes, but for the mark."""
    image: Callable[[], ImageTag]
    fragment: str
    """`#only-dark`, say."""
    in_picture: bool
    """Whether it is inside a `<picture>` of the author."""
    first: bool
    """Whether it may be the page's main image."""
    one_of_two: bool
    """Whether the style sheet shows it or another one: browsers load lazily what is not shown."""


class DeferredImages:
    """The marked images of one build."""

    def __init__(self) -> None:
        self._marked: list[_Marked] = []

    def mark(
        self,
        given: Attributes,
        referenced: ReferencedImage,
        *,
        fragment: str = "",
        in_picture: bool = False,
        first: bool = True,
        one_of_two: bool = False,
    ) -> str:
        """Return an image as a plain `<img>`, or two where it has a dark one; what the author has `given` is kept."""
        if referenced.dark and not fragment and not in_picture:
            dark = {key: value for key, value in given.items() if key != "id"}
            pair = (given, referenced, ONLY_LIGHT), (dark, referenced.dark, ONLY_DARK)
            return "".join(
                self.mark(attributes, one, fragment=shown, first=first, one_of_two=True)
                for attributes, one, shown in pair
            )
        alt = given.get("alt") or referenced.alt or ""
        attributes = {"alt": alt, "src": referenced.url + fragment, **given}
        attributes["alt"] = alt
        markup = f'<img {MARK}="{len(self._marked)}"{written(attributes)}>'
        self._marked.append(_Marked(markup, attributes, referenced.image, fragment, in_picture, first, one_of_two))
        return markup

    def expand(self, html: str) -> str:
        """Return the HTML with the final markup of each marked image."""
        if MARK not in html:
            return html
        tag_of: _TagOf = cache(lambda image: image())  # a page may show one image in many places
        html = _MARKED.sub(partial(self._expand_unchanged, tag_of, {}), html)
        return self._expand_changed(html, tag_of) if MARK in html else html

    def _expand_unchanged(self, tag_of: _TagOf, around_alt: _AroundAlt, match: re.Match[str]) -> str:
        """Return the final markup of a marked image that is as it was handed out, which needs no parser."""
        number = int(match[1])
        marked = self._marked[number] if number < len(self._marked) else None
        if marked is None or match[0] != marked.markup:
            return match[0]
        attributes = marked.attributes
        if len(attributes) > 2:  # not `alt` and `src` alone
            return _expanded(attributes, marked, tag_of)
        alt = written({"alt": attributes["alt"]})
        all_but_alt = attributes["src"], *marked[2:]
        if all_but_alt in around_alt:
            return alt.join(around_alt[all_but_alt])
        markup = _expanded(attributes, marked, tag_of)
        before, _, after = markup.partition(alt)
        around_alt[all_but_alt] = before, after
        return markup

    def _expand_changed(self, html: str, tag_of: _TagOf) -> str:
        """Return the HTML with the final markup of each marked image that another plugin has changed."""
        pieces: list[str] = []
        end = 0
        for tag, start, _ in tags_with(html, MARK):
            element, attributes = parse(tag)
            mark = attributes.pop(MARK, None)
            if mark is None:
                continue
            known = element.lower() == "img" and mark.isdecimal() and int(mark) < len(self._marked)
            if known:
                _restore_sizes(attributes, self._marked[int(mark)].attributes)
                expanded = _expanded(attributes, self._marked[int(mark)], tag_of)
            else:
                expanded = start_tag(element, attributes)
            pieces += html[end:start], expanded
            end = start + len(tag)
        pieces.append(html[end:])
        return "".join(pieces)


def _restore_sizes(attributes: Attributes, given: Attributes) -> None:
    """Set width and height as the author gave them: what another plugin sets is no wish of the author's."""
    for key in ("width", "height"):
        if key in given:
            attributes[key] = given[key]
        else:
            attributes.pop(key, None)


def _expanded(attributes: Attributes, marked: _Marked, tag_of: _TagOf) -> str:
    image = tag_of(marked.image)
    if not marked.first:
        image = image.among_others()
    if attributes.get("src") != marked.attributes["src"]:  # where it was moved, its other files are not beside it
        image = image.with_one_file()
    lazy = marked.one_of_two or not image.priority
    return render_image_tag(attributes, image, fragment=marked.fragment, in_picture=marked.in_picture, lazy=lazy)
