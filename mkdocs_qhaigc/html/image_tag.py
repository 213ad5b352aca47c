"""One image as HTML: `<img>`, or `<picture>` if it has several formats. Pure.

The author's attributes win; those that a page needs to load well are added.
"""

from __future__ import annotations

import re
from html import escape
from typing import NamedTuple

from mkdocs_qhaigc.html.tags import Attributes, start_tag

CSS_CLASS = "qhaigc"
"""On every image that takes its proportions from its width and height; `qhaigc.css` gives it `height: auto`."""

ONLY_LIGHT, ONLY_DARK = "#only-light", "#only-dark"
"""At the end of a URL: on which pages the image is shown. Material's convention, kept by `qhaigc.css` elsewhere."""
LABEL_CLASS = "qhaigc-label"
"""On the element of the visible label."""
COLOUR_ATTRIBUTE = "data-colour"
"""The colour that `qhaigc.css` paints in the image's place while it loads."""

_NUMBER = re.compile(r"\s*(\d{1,6})(?:px)?\s*")
_WIDTH_BY_CONTENT = r"(?i)(?:^|;)\s*width\s*:\s*[a-z]"
_OWN_HEIGHT = r"(?i)(?:^|;)\s*height\s*:"
"""Compiled where an image has a style of its own: most sites have none."""


class FormatSource(NamedTuple):
    """One format of an image."""

    mime_type: str
    candidates: tuple[tuple[str, int], ...]
    """(URL as the page needs it, width in pixels), the widest last."""

    @property
    def url(self) -> str:
        """The URL of the widest file."""
        return self.candidates[-1][0]

    @property
    def srcset(self) -> str:
        """The attribute's value."""
        return ", ".join(f"{url} {width}w" for url, width in self.candidates)


class ImageTag(NamedTuple):
    """An image as one page shows it."""

    sources: tuple[FormatSource, ...]
    """In the author's order of formats; the last one is for browsers that support none of the others."""
    width: int
    """Pixels."""
    height: int
    """Pixels."""
    alt: str | None = None
    sizes: str = "100vw"
    priority: bool = False
    caption: str | None = None
    """Plain text."""
    colour: str | None = None
    """`#rrggbb`, shown in its place while it loads."""
    title: str | None = None
    """The reason for a placeholder; shown to who points at it."""
    dark: ImageTag | None = None
    """The image that readers of a dark page see instead."""
    focus: tuple[int, int] | None = None
    """The point that stays in the image where a theme cuts it, in percent from the left and the top."""
    label: str = ""
    """Plain text, visible at the image; empty for none."""

    def with_one_file(self) -> ImageTag:
        """Return it as one file of one format."""
        fallback = self.sources[-1]
        return self._replace(sources=(fallback._replace(candidates=fallback.candidates[-1:]),))

    def among_others(self) -> ImageTag:
        """Return it without priority, and its dark one too: neither is loaded first."""
        if not self.priority and not (self.dark and self.dark.priority):
            return self  # as nearly all are
        return self._replace(priority=False, dark=self.dark and self.dark._replace(priority=False))

    @property
    def url(self) -> str:
        """The URL of the file that every browser supports, at its widest."""
        return self.sources[-1].url


def render_image(image: ImageTag) -> str:
    """Return the whole HTML of an image that has no tag of the author's: a figure if it has a caption or a label."""
    markup = render_img({}, image, fragment="", in_picture=False)
    if image.caption is None and not image.label:
        return markup
    return figure(markup, image.caption, image.label)


def figure(markup: str, caption: str | None, label: str = "") -> str:
    """Return an image's HTML with its caption and its label."""
    return f'<figure class="{CSS_CLASS}">{markup}<figcaption>{caption_content(caption, label)}</figcaption></figure>'


def caption_content(caption: str | None, label: str) -> str:
    """Return what stands in a caption: the words, and the label after them."""
    words = escape(caption, quote=False) if caption else ""
    return " ".join(filter(None, (words, render_label(label))))


def render_label(label: str) -> str:
    """Return a label as an element; nothing for an empty one."""
    return f'<span class="{LABEL_CLASS}">{escape(label, quote=False)}</span>' if label else ""


def render_img(given: Attributes, image: ImageTag, *, fragment: str, in_picture: bool) -> str:
    """Return the `<img>` (in a `<picture>` if there are several formats); the author's attributes win.

    An image with a dark one is both, of which the style sheet shows one. Browsers load lazily what is not shown, so
    that each reader loads one: neither is loaded at once, whatever their priority.
    """
    if image.dark and not fragment and not in_picture:
        light, dark = (
            render_image_tag(attributes, one, fragment=scheme, in_picture=False, lazy=True)
            for attributes, one, scheme in (
                (given, image, ONLY_LIGHT),
                ({key: value for key, value in given.items() if key != "id"}, image.dark, ONLY_DARK),
            )
        )
        return light + dark
    return render_image_tag(given, image, fragment=fragment, in_picture=in_picture, lazy=not image.priority)


def render_image_tag(given: Attributes, image: ImageTag, *, fragment: str, in_picture: bool, lazy: bool) -> str:
    """Return the HTML of one image, without its dark one; the attributes that are `given` win."""
    image = _with_fragment(image, fragment)
    attributes = {"alt": given.get("alt") or image.alt or "", "src": image.url, **given}
    attributes["alt"] = given.get("alt") or image.alt or ""
    fallback = image.sources[-1]
    has_width = _set_dimensions(attributes, image)
    if image.focus:
        _add_class(attributes, focus_classes(image.focus))
    if image.priority and "loading" not in given:
        attributes.setdefault("fetchpriority", "high")
    if lazy:
        attributes.setdefault("loading", "lazy")
        attributes.setdefault("decoding", "async")
    if image.title:
        attributes.setdefault("title", image.title)
    if image.colour:
        attributes.setdefault(COLOUR_ATTRIBUTE, image.colour)
    if len(fallback.candidates) > 1 and "srcset" not in given:
        # At the end, because the need for them is known late: an image may be larger than requested.
        attributes["srcset"] = fallback.srcset
        number = _NUMBER.fullmatch(given.get("width") or "")
        sizes = f"(max-width: {number[1]}px) 100vw, {number[1]}px" if number else image.sizes
        # What is hidden has no layout: shown all of a sudden, it would be fetched as wide as it can be.
        by_layout = has_width and attributes.get("loading") == "lazy" and not in_picture and not fragment
        attributes.setdefault("sizes", f"auto, {sizes}" if by_layout else sizes)
    img = start_tag("img", attributes)
    others = image.sources[:-1]
    if not others or in_picture or "srcset" in given:
        return img
    sizes = attributes.get("sizes") or image.sizes
    sources = "".join(start_tag("source", {"type": s.mime_type, "srcset": s.srcset, "sizes": sizes}) for s in others)
    return f'<picture class="{CSS_CLASS}">{sources}{img}</picture>'


def _set_dimensions(attributes: Attributes, image: ImageTag) -> bool:
    """Add width and height so that nothing moves while loading; the author's own values keep the proportions.

    Return whether they say how wide the image is drawn: a browser that is to choose by that must know it beforehand.
    """
    width, height = attributes.get("width"), attributes.get("height")
    style = attributes.get("style") or ""
    if style and re.search(_OWN_HEIGHT, style):
        return False
    if width is not None and height is not None and not _keeps_proportions(width, height, image):
        return False
    if width is None and height is None:
        attributes["width"], attributes["height"] = str(image.width), str(image.height)
    elif width is not None and height is not None:
        pass
    elif width is not None:
        if number := _NUMBER.fullmatch(width):
            attributes["height"] = str(max(1, round(int(number[1]) * image.height / image.width)))
    elif number := _NUMBER.fullmatch(height or ""):
        attributes["width"] = str(max(1, round(int(number[1]) * image.width / image.height)))
    else:
        return False
    _add_class(attributes, CSS_CLASS)
    return "height" in attributes and not (style and re.search(_WIDTH_BY_CONTENT, style))


def _add_class(attributes: Attributes, name: str) -> None:
    classes = attributes.get("class")
    attributes["class"] = f"{classes} {name}" if classes else name


def focus_classes(focus: tuple[int, int]) -> str:
    """Return the classes by which `qhaigc.css` sets `object-position`: `qhaigc-x30 qhaigc-y40`, in tens of percent."""
    across, down = (round(percent / 10) * 10 for percent in focus)
    return f"{CSS_CLASS}-x{across} {CSS_CLASS}-y{down}"


def _keeps_proportions(width: str, height: str, image: ImageTag) -> bool:
    """Whether both numbers are the image's own proportions, within a hundredth."""
    numbers = _NUMBER.fullmatch(width), _NUMBER.fullmatch(height)
    if not (numbers[0] and numbers[1]) or not int(numbers[1][1]):
        return False
    ratio = int(numbers[0][1]) / int(numbers[1][1])
    return abs(ratio * image.height / image.width - 1) <= 0.01


def _with_fragment(image: ImageTag, fragment: str) -> ImageTag:
    if not fragment:
        return image
    return image._replace(
        sources=tuple(
            source._replace(candidates=tuple((url + fragment, width) for url, width in source.candidates))
            for source in image.sources
        ),
    )
