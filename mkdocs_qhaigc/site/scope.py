"""The names that mean something on one page, and where their images come from."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Protocol

from mkdocs_qhaigc.directives.model import Directive
from mkdocs_qhaigc.directives.request import ImageRequest
from mkdocs_qhaigc.generation.job import ImageJob
from mkdocs_qhaigc.html.theme_sizes import UNKNOWN
from mkdocs_qhaigc.imaging.encoder import Crop
from mkdocs_qhaigc.site.resolved import ResolvedImage


class Images(Protocol):
    """Where the images of pages come from."""

    @property
    def under_way(self) -> bool:
        """Whether any image may still come, or come in another size than was asked for."""

    def want(self, order: ImageJob) -> ResolvedImage:
        """Return what is known of an image now."""

    def want_card(self, name: str, request: ImageRequest, crop: Crop | None) -> None:
        """Have an image that was wanted also for link previews, in a file that is called after `name`."""

    def image(self, request: ImageRequest) -> ResolvedImage:
        """Return what is known of an image that was wanted."""

    def stand_in(self, order: ImageJob) -> ResolvedImage:
        """Return a placeholder for what nobody declared."""


class Scope:
    """The names that mean something on one page."""

    __slots__ = ("broken", "column", "directives", "shown", "source", "src_uri")

    def __init__(
        self,
        src_uri: str,
        directives: Mapping[str, Directive] = MappingProxyType({}),
        broken: frozenset[str] = frozenset(),
        *,
        column: str = UNKNOWN,
        source: Callable[[], str] = str,
    ) -> None:
        """`column` is the attribute `sizes` of an image as wide as the page's text."""
        self.src_uri = src_uri
        """As MkDocs names the page; empty for the site itself."""
        self.directives = directives
        self.broken = broken
        """Names whose directives cannot be used, of which was told already."""
        self.shown: set[str] = set()
        """Names whose files are known to be needed."""
        self.column = column
        self.source = source
        """The page as its file has it, for messages."""

    def where(self, name: str) -> str:
        """Return how messages call an image of this page."""
        return f"{self.src_uri or 'mkdocs.yml'}#{name}"
