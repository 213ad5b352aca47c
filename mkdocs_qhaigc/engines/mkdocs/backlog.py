"""Pages that can wait: their images were all there when the site was last built, so they order nothing.

They are taken in and rendered together when all pages were read: in one loop that takes a third of the time that the
same work takes in between what MkDocs does for each page. Which pages they are is remembered from build to build. Where
that is wrong, the images of a page are ordered later than they could have been, and no more.
"""

from __future__ import annotations

import contextlib
import gc
import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any, Protocol

from mkdocs_qhaigc._util.files import atomic_write
from mkdocs_qhaigc.directives.front_matter import META_KEY, holds_reference, is_misspelt_key, may_begin_front_matter
from mkdocs_qhaigc.html.rewrite import SCHEME

_SCHEMA = 1


class Renderer(Protocol):
    """What takes in and renders pages."""

    def expect_page(self, src_uri: str) -> None:
        """Keep a page's place in the order of the pages."""

    def read_page(self, page: Any, *, src_uri: str, url: str, text: str, source: Callable[[], str]) -> None:
        """Take in a page's front matter."""

    def render(self, page: Any, text: str, *, src_uri: str, url: str, shown_at: str) -> str:
        """Return a page's HTML with its images."""


class Backlog:
    """The pages of one build that wait."""

    def __init__(self, renderer: Renderer, index: Path, settings: str, *, source: Callable[[Any], str]) -> None:
        """`index`: where is remembered which pages have all their images. `settings`: what else they depend on.

        `source` returns a page's whole file, for messages.
        """
        self._renderer = renderer
        self._source = source
        self._index = index
        self._settings = settings
        self._complete = _read(index, settings)
        self._declared: dict[str, str] = {}
        """What pages declare, by page."""
        self._waiting: dict[int, Any] = {}
        """The pages, by `id`."""

    def takes(self, page: Any, *, src_uri: str, text: str) -> bool:
        """Return whether a page waits from now on; the parameters are those of `Renderer.read_page`."""
        meta = page.meta
        if META_KEY in meta:
            declared = _as_text(meta[META_KEY])
            if declared is None:
                return False
            self._declared[src_uri] = declared
            if self._complete.get(src_uri) != declared:
                return False
        elif may_begin_front_matter(text):  # and is none: that is told at once
            return False
        for key, value in meta.items():
            if key != META_KEY and (holds_reference(value) or is_misspelt_key(key)):
                return False
        self._renderer.expect_page(src_uri)
        self._waiting[id(page)] = page
        return True

    def holds(self, page: Any) -> bool:
        """Whether a page waits."""
        return id(page) in self._waiting

    def hurry(self, page: Any) -> None:
        """Take in and render one that waits, and was converted, before the others."""
        del self._waiting[id(page)]
        self._read(page)
        self._show(page)

    def work_off(self) -> None:
        """Take in the pages that wait, and render them: their `content` holds references until now."""
        pages = [page for page in self._waiting.values() if META_KEY in page.meta or SCHEME in (page.content or "")]
        with _no_collection():
            for page in pages:
                self._read(page)
            for page in pages:
                self._show(page)
        self._waiting.clear()

    def remember(self, complete: Iterable[str]) -> None:
        """Write down which pages of this build have all their images, for the next one."""
        now = {src_uri: self._declared[src_uri] for src_uri in complete if src_uri in self._declared}
        others = {src_uri: text for src_uri, text in self._complete.items() if src_uri not in self._declared}
        if {**others, **now} != self._complete:
            content = {"schema": _SCHEMA, "settings": self._settings, "pages": {**others, **now}}
            with contextlib.suppress(OSError, UnicodeError):  # without it pages do not wait: slower, no worse
                self._index.parent.mkdir(parents=True, exist_ok=True)
                atomic_write(self._index, json.dumps(content).encode())

    def _read(self, page: Any) -> None:
        source = partial(self._source, page)
        self._renderer.read_page(page, src_uri=page.file.src_uri, url=page.url, text="", source=source)

    def _show(self, page: Any) -> None:
        if page.content is not None:
            url = page.url
            page.content = self._renderer.render(page, page.content, src_uri=page.file.src_uri, url=url, shown_at=url)


@contextlib.contextmanager
def _no_collection() -> Iterator[None]:
    """Put garbage collection off: what is made here stays, and a look through the whole site takes longer than that."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()


def _as_text(declared: object) -> str | None:
    """Return what a page declares as a text of its own; None where it is not as plain as most."""
    if isinstance(declared, str):
        return declared
    if not isinstance(declared, Mapping):
        return None
    for body in declared.values():
        for field in body.values() if isinstance(body, dict) else (body,):
            if isinstance(field, (dict, list)):  # may have each other in them without end
                return None
    try:
        return repr(declared)
    except ValueError:  # a number of thousands of digits
        return None


def _read(index: Path, settings: str) -> dict[str, str]:
    """Return what is remembered under the same settings."""
    try:
        content = json.loads(index.read_bytes())
        pages = content["pages"] if content["schema"] == _SCHEMA and content["settings"] == settings else {}
        return {src_uri: text for src_uri, text in pages.items() if isinstance(text, str)}
    except (OSError, ValueError, TypeError, KeyError, AttributeError, RecursionError):
        return {}
