"""Both phases of a page's references in one step, for tests of either."""

from __future__ import annotations

from collections.abc import Callable

from mkdocs_qhaigc.html.deferred_images import DeferredImages, ReferencedImage
from mkdocs_qhaigc.html.image_tag import ImageTag
from mkdocs_qhaigc.html.rewrite import Rewritten, rewrite


def referenced(image: ImageTag) -> ReferencedImage:
    """Return an image as a page knows it before its files are there."""
    dark = image.dark and referenced(image.dark)
    return ReferencedImage(image.url, lambda: image, image.alt, image.priority, image.caption, dark, image.label)


def resolve(html: str, image_of: Callable[[str], ImageTag], *, main_shown: bool = False) -> Rewritten:
    """Return the page with every reference resolved, its images in their final markup."""
    deferred = DeferredImages()
    rewritten = rewrite(html, lambda name: referenced(image_of(name)), deferred, main_shown=main_shown)
    return rewritten._replace(html=deferred.expand(rewritten.html))
