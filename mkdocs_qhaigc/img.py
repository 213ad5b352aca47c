"""One picture as HTML: `<img>`, or `<picture>` where it comes in several formats. Pure.

What the author wrote on the tag wins; what is missing for a page that loads well is added.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from html import escape

CSS_CLASS = "qhaigc"
"""On every picture that takes its proportions from its width and height; `qhaigc.css` gives it `height: auto`."""

_NUMBER = re.compile(r"\s*(\d{1,6})(?:px)?\s*")
_OWN_HEIGHT = re.compile(r"(?:^|;)\s*height\s*:", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Source:
    """One format of a picture."""

    mime_type: str
    candidates: tuple[tuple[str, int], ...]
    """(URL as the page needs it, width in pixels), the widest last."""

    @property
    def url(self) -> str:
        """The URL of the widest."""
        return self.candidates[-1][0]

    @property
    def srcset(self) -> str:
        """The attribute's value."""
        return ", ".join(f"{url} {width}w" for url, width in self.candidates)


@dataclass(frozen=True, slots=True)
class Image:
    """What a name stands for, on one page."""

    sources: tuple[Source, ...]
    """In the author's order of formats; the last one is for every reader."""
    width: int
    """Pixels."""
    height: int
    """Pixels."""
    alt: str | None = None
    sizes: str = "100vw"
    priority: bool = False

    @property
    def url(self) -> str:
        """The URL where one URL is wanted."""
        return self.sources[-1].url


def render_image(image: Image, *, alt: str | None = None) -> str:
    """Return the whole HTML of a picture that stands without an author's tag."""
    given: dict[str, str | None] = {"alt": alt} if alt else {}
    return render_img(given, image, fragment="", in_picture=False)


def render_img(given: dict[str, str | None], image: Image, *, fragment: str, in_picture: bool) -> str:
    """Return the `<img>` (in a `<picture>` where there are several formats); what the author gave wins."""
    image = _with_fragment(image, fragment)
    attributes = {"alt": given.get("alt") or image.alt or "", "src": image.url, **given}
    attributes["alt"] = given.get("alt") or image.alt or ""
    fallback = image.sources[-1]
    if len(fallback.candidates) > 1 and "srcset" not in given:
        attributes["srcset"] = fallback.srcset
        number = _NUMBER.fullmatch(given.get("width") or "")
        sizes = f"(max-width: {number[1]}px) 100vw, {number[1]}px" if number else image.sizes
        attributes.setdefault("sizes", sizes)
    _set_dimensions(attributes, image)
    if image.priority:
        if "loading" not in given:
            attributes.setdefault("fetchpriority", "high")
    else:
        attributes.setdefault("loading", "lazy")
    attributes.setdefault("decoding", "async")
    img = start_tag("img", attributes, closed=False)
    others = image.sources[:-1]
    if not others or in_picture or "srcset" in given:
        return img
    sizes = attributes.get("sizes") or image.sizes
    sources = "".join(
        start_tag("source", {"type": s.mime_type, "srcset": s.srcset, "sizes": sizes}, closed=False) for s in others
    )
    return f"<picture>{sources}{img}</picture>"


def _set_dimensions(attributes: dict[str, str | None], image: Image) -> None:
    """Add width and height so that nothing moves while loading; what the author gave keeps the proportions."""
    width, height = attributes.get("width"), attributes.get("height")
    if _OWN_HEIGHT.search(attributes.get("style") or ""):
        return
    if width is not None and height is not None and not _keeps_proportions(width, height, image):
        return
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
        return
    classes = attributes.get("class")
    attributes["class"] = f"{classes} {CSS_CLASS}" if classes else CSS_CLASS


def _keeps_proportions(width: str, height: str, image: Image) -> bool:
    """Whether both numbers are the picture's own proportions, within a hundredth."""
    numbers = _NUMBER.fullmatch(width), _NUMBER.fullmatch(height)
    if not (numbers[0] and numbers[1]) or not int(numbers[1][1]):
        return False
    ratio = int(numbers[0][1]) / int(numbers[1][1])
    return abs(ratio * image.height / image.width - 1) <= 0.01


def _with_fragment(image: Image, fragment: str) -> Image:
    if not fragment:
        return image
    return replace(
        image,
        sources=tuple(
            replace(source, candidates=tuple((url + fragment, width) for url, width in source.candidates))
            for source in image.sources
        ),
    )


def start_tag(name: str, attributes: dict[str, str | None], *, closed: bool) -> str:
    """Return a start tag; a value of None is an attribute without one."""
    written = "".join(f" {key}" if value is None else f' {key}="{escape(value)}"' for key, value in attributes.items())
    return f"<{name}{written}{' /' if closed else ''}>"
