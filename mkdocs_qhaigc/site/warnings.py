"""The warnings about the images of a site, each logged once: where, what, and what to do.

A plugin may build a site once for each language; a page that several builds have is warned of once.

Surveys and reports also need which warning is about what: `Warnings` remembers it.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable, Container, Iterable, Sequence
from typing import Literal

from mkdocs_qhaigc._util.text import closest_match, plural
from mkdocs_qhaigc.directives.front_matter_references import META_KEY, PAGE_ENDINGS
from mkdocs_qhaigc.errors import GenerationStopped, ImageUnavailable
from mkdocs_qhaigc.generation.job import ImageJob
from mkdocs_qhaigc.html.reference_syntax import SCHEME
from mkdocs_qhaigc.site.images import ResolvedImage

log = logging.getLogger(__name__)
Kind = Literal["directive", "reference", "alt", "file", "missing"]
"""The subject of a warning: a directive, a reference to an image, a missing alternative text, a file on the disk, or
the reason for a placeholder."""
_NAMES_SHOWN = 12


class Warnings:
    """The warnings of all builds of one site."""

    def __init__(self, *, logged: bool = True) -> None:
        """`logged`: whether they go to the log as they come; else they are only collected."""
        self._logged = logged
        self.kinds: dict[str, Kind] = {}
        """By message."""
        self._subjects: dict[str, set[str]] = {}
        """By message: the keys of the images that it is about, or where they are referred to (`start.md#hero`)."""
        self._missing: set[str] = set()
        """The keys of the images of `missing`."""

    def warn(self, message: str, kind: Kind = "reference", *, about: Iterable[str] = ()) -> None:
        """Log a message, unless it was logged before. `about`: keys of images, or `guide/start.md#hero`."""
        if message not in self.kinds:
            self.kinds[message] = kind
            if self._logged:
                log.warning("%s", message)
        self._subjects.setdefault(message, set()).update(about)

    def about(self, subjects: Container[str]) -> list[str]:
        """Return the warnings about any of these subjects."""
        return [message for message, about in self._subjects.items() if any(subject in subjects for subject in about)]

    def directive(self, message: str) -> None:
        """Warn of a directive that cannot be used as it is."""
        self.warn(message, "directive")

    def misspelt_key(self, src_uri: str, source: Callable[[], str], key: str) -> None:
        """Warn of a key of the front matter that is probably meant to be ours. `source` returns the page's file."""
        from mkdocs_qhaigc.directives.source_places import key_line  # only if there is something to warn of, as below

        line = key_line(source(), key)
        self.directive(
            f"{_place(src_uri, line)}: the key {key!r} in the front matter is probably meant to be "
            f"`{META_KEY}`. Correct it: nothing reads its images"
        )

    def unread(self, src_uri: str, values: Iterable[str]) -> None:
        """Warn of values that begin as a reference does and are none."""
        for value in values:
            self.warn(f"{src_uri}: {value!r:.80} is no reference. Write `{SCHEME}` and an image's name, no more")

    def unknown(self, src_uri: str, source: Callable[[], str], name: str, known: Sequence[str]) -> None:
        """Warn of a reference to a name that no image of its page has. `source` returns the page's file."""
        from mkdocs_qhaigc.directives.source_places import places

        line = next((place.line for place in places(source()) if place.name == name), None)
        meant = closest_match(name, known)
        names = ", ".join(known[:_NAMES_SHOWN]) or "none"
        question = f"Did you mean {meant!r}? " if meant else ""
        has_front_matter = src_uri.endswith(PAGE_ENDINGS)  # notebooks and templates have none
        declare = f"under `{META_KEY}` in the front matter" if has_front_matter else "in the option `images`"
        self.warn(
            f"{_place(src_uri or 'a template', line)}: there is no image {name!r}. {question}"
            f"Known on this page: {names}. Declare it {declare}, or correct the reference"
        )

    def misspelt(self, src_uri: str, source: Callable[[], str], references: Iterable[str]) -> None:
        """Warn of what would be references of a page but for their scheme. `source` returns the page's file."""
        from mkdocs_qhaigc.directives.source_places import misspelt_places

        places = misspelt_places(source())
        for written in dict.fromkeys(references):
            lines: list[int | None] = [line for what, line in places if what == written]
            for line in lines or [None]:
                self._misspelt(src_uri, written, line)

    def source(self, src_uri: str, source: str) -> None:
        """Warn of what only a page's file shows: commands read it, builds of thousands of pages do not."""
        from mkdocs_qhaigc.directives.source_places import misspelt_places, repeated_keys

        for repeated in repeated_keys(source):
            self.directive(
                f"{src_uri}, line {repeated.line}: {repeated.key!r:.80} is on line {repeated.before} already; the last "
                "one alone counts. Rename or remove one of the two"
            )
        for written, line in misspelt_places(source):
            self._misspelt(src_uri, written, line)

    def references_without_alt(self, src_uri: str, source: Callable[[], str], names: Iterable[str]) -> None:
        """Warn of references, in page order, to images without alternative text. `source` returns the page's file."""
        for name, count in Counter(names).items():
            from mkdocs_qhaigc.directives.source_places import lines_without_alt

            lines, decided = lines_without_alt(source(), name)
            places: list[int | None] = [*lines] or [None]
            for line in places[: count - decided]:
                self._without_alt(src_uri, name, line)

    def image_without_alt(self, src_uri: str, source: Callable[[], str], name: str) -> None:
        """Warn of an image without an alternative text that is on a page without a reference."""
        from mkdocs_qhaigc.directives.source_places import directive_line

        self._without_alt(src_uri, name, directive_line(source(), name))

    def missing(self, images: Iterable[ResolvedImage]) -> None:
        """Warn of placeholders: of each, but once of all that have a common reason."""
        common: dict[str, list[ImageJob]] = {}
        new = [image for image in images if image.job.request.key not in self._missing]
        self._missing.update(image.job.request.key for image in new)
        for image in new:
            about = (image.job.request.key,)
            if isinstance(image.reason, (GenerationStopped, ImageUnavailable)):
                common.setdefault(str(image.reason), []).append(image.job)
            elif image.reason:
                self.warn(f"{image.job.where}: {image.reason}. A placeholder stands there", "missing", about=about)
            else:
                self.warn(
                    f"{image.job.where}: the image is not generated yet, and `missing: placeholder` "
                    "keeps it so. A placeholder stands there",
                    "missing",
                    about=about,
                )
        for reason, jobs in common.items():
            count = len(jobs)
            shown = ", ".join(job.where for job in jobs[:_NAMES_SHOWN]) + (" …" if count > _NAMES_SHOWN else "")
            self.warn(
                f"{count} {plural(count, 'image is a placeholder', 'images are placeholders')} ({shown}): {reason}",
                "missing",
                about=[job.request.key for job in jobs],
            )

    def _misspelt(self, src_uri: str, written: str, line: int | None) -> None:
        name = written.partition(":")[2]
        self.warn(f"{_place(src_uri, line)}: {written!r:.80} is no reference. Write `{SCHEME}{name:.64}`")

    def _without_alt(self, src_uri: str, name: str, line: int | None) -> None:
        self.warn(
            f"{_place(src_uri or 'mkdocs.yml', line)}: image {name!r} has no alternative text. Write what it shows "
            'into the reference\'s brackets or as `alt` into its directive; `alt: ""` there if it is decoration',
            "alt",
            about=(f"{src_uri or 'mkdocs.yml'}#{name}",),
        )


def _place(file: str, line: int | None) -> str:
    return f"{file}, line {line}" if line else file
