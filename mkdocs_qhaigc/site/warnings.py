"""The warnings about the images of a site, each logged once: where, what, and what to do.

A plugin may build a site once for each language; a page that several builds have is warned of once.

Surveys and reports also need which warning is about what: `Warnings` remembers it.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable, Container, Iterable, Sequence
from typing import Literal

from mkdocs_qhaigc._util.files import reason_of
from mkdocs_qhaigc._util.text import closest_match, plural
from mkdocs_qhaigc.directives.directive import Problem
from mkdocs_qhaigc.directives.front_matter import META_KEY, PAGE_ENDINGS
from mkdocs_qhaigc.directives.repeated_keys import repeated_keys
from mkdocs_qhaigc.errors import GenerationStopped, ImageUnavailable, QhaigcError
from mkdocs_qhaigc.generation.job import ImageJob, by_reason
from mkdocs_qhaigc.html.reference_syntax import SCHEME
from mkdocs_qhaigc.site.image_pipeline import ResolvedImage

log = logging.getLogger(__name__)
Kind = Literal["directive", "reference", "alt", "file", "missing", "unshown"]
"""The subject of a warning: a directive, a reference to an image, a missing alternative text, a file on the disk,
the reason for a placeholder, or an image that is shown nowhere."""
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

    def subjects(self, kind: Kind) -> frozenset[str]:
        """Return what the warnings of one kind are about."""
        return frozenset(
            subject for message, about in self._subjects.items() if self.kinds[message] == kind for subject in about
        )

    def directive(self, message: str) -> None:
        """Warn of a directive that cannot be used as it is."""
        self.warn(message, "directive")

    def problem(self, src_uri: str, source: Callable[[], str], problem: Problem) -> None:
        """Warn of a mistake in a directive. `source` returns the page's file."""
        from mkdocs_qhaigc.directives.source_locations import problem_line  # only if there is something to warn of

        where = _place(src_uri, problem_line(source(), problem))
        self.directive(f"{where}, {problem}" if problem.name else f"{where}: {problem}")

    def misspelt_key(self, src_uri: str, source: Callable[[], str], key: str) -> None:
        """Warn of a key of the front matter that is probably meant to be ours. `source` returns the page's file."""
        from mkdocs_qhaigc.directives.source_locations import (
            key_line,  # only if there is something to warn of, as below
        )

        line = key_line(source(), key)
        self.directive(
            f"{_place(src_uri, line)}: the key {key!r} in the front matter is probably meant to be "
            f"`{META_KEY}`. Correct it: nothing reads its images"
        )

    def unread(self, src_uri: str, source: Callable[[], str], values: Iterable[str], known: Sequence[str]) -> None:
        """Warn of values in a page's HTML that begin as a reference does and are none: `qhaigc: hero`.

        `source` returns the page's file; `known` are the names that it may use.
        """
        values = [" ".join(value.split()) for value in values]
        if not values:
            return
        from mkdocs_qhaigc.directives.source_locations import unread_places

        places = unread_places(source())
        for value in dict.fromkeys(values):
            lines: list[int | None] = [line for what, line in places if what == value]
            for line in lines or [None]:
                self._unread(src_uri, value, line, known)

    def unknown(self, src_uri: str, source: Callable[[], str], name: str, known: Sequence[str]) -> None:
        """Warn of a reference to a name that no image of its page has. `source` returns the page's file."""
        from mkdocs_qhaigc.directives.source_locations import places

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
        from mkdocs_qhaigc.directives.source_locations import misspelt_places

        places = misspelt_places(source())
        for written in dict.fromkeys(references):
            lines: list[int | None] = [line for what, line in places if what == written]
            for line in lines or [None]:
                self._misspelt(src_uri, written, line)

    def unread_value(self, src_uri: str, source: Callable[[], str], key: str, value: str, known: Sequence[str]) -> None:
        """Warn of a value in front matter that begins as a reference does and is none, if it seems to name an image."""
        from mkdocs_qhaigc.directives.source_locations import key_line

        if "-".join(value.removeprefix(SCHEME).split()) in known:
            self._unread(src_uri, value, key_line(source(), key), known)

    def source(self, src_uri: str, source: str) -> None:
        """Warn of what only a page's file shows: commands read it, builds of thousands of pages do not."""
        from mkdocs_qhaigc.directives.source_locations import misspelt_places

        self.repeated_keys(src_uri, source)
        for written, line in misspelt_places(source):
            self._misspelt(src_uri, written, line)

    def unreadable_folder(self, error: OSError) -> None:
        """Warn of a folder among the pages: directives in it count as ones that cannot be used."""
        self.directive(f"{error.filename} cannot be read ({reason_of(error)}), nor its pages be seen. Make it readable")

    def repeated_keys(self, src_uri: str, source: str) -> None:
        """Warn of names and fields that a page declares twice: YAML keeps the last one."""
        for repeated in repeated_keys(source):
            self.directive(
                f"{src_uri}, line {repeated.line}: {repeated.key!r:.80} is on line {repeated.before} already; the last "
                "one alone counts. Rename or remove one of the two"
            )

    def references_without_alt(self, src_uri: str, source: Callable[[], str], names: Iterable[str]) -> None:
        """Warn of references, in page order, to images without alternative text. `source` returns the page's file."""
        for name, count in Counter(names).items():
            from mkdocs_qhaigc.directives.source_locations import lines_without_alt

            lines, decided = lines_without_alt(source(), name)
            places: list[int | None] = [*lines] or [None]
            for line in places[: count - decided]:
                self._without_alt(src_uri, name, line)

    def image_without_alt(self, src_uri: str, source: Callable[[], str], name: str) -> None:
        """Warn of an image without an alternative text that is on a page without a reference."""
        from mkdocs_qhaigc.directives.source_locations import directive_line

        self._without_alt(src_uri, name, directive_line(source(), name))

    def unshown(self, src_uri: str, source: Callable[[], str], name: str) -> None:
        """Warn of an image that a page declares, and nothing shows. `source` returns the page's file."""
        self.warn(unshown_message(src_uri, source, name), "unshown", about=(f"{src_uri}#{name}",))

    def missing(self, images: Iterable[ResolvedImage]) -> None:
        """Warn of placeholders: of each, but once of all that have a common reason."""
        failed: list[tuple[ImageJob, QhaigcError]] = []
        new = [image for image in images if image.job.request.key not in self._missing]
        self._missing.update(image.job.request.key for image in new)
        for image in new:
            if image.reason:
                failed.append((image.job, image.reason))
            else:
                self.warn(
                    f"{image.job.where}: the image is not generated yet, and `missing: placeholder` "
                    "keeps it so. A placeholder stands there",
                    "missing",
                    about=(image.job.request.key,),
                )
        for reason, jobs in by_reason(failed):
            count, about = len(jobs), [job.request.key for job in jobs]
            if count == 1 and not isinstance(reason, (GenerationStopped, ImageUnavailable)):
                self.warn(f"{jobs[0].where}: {reason}. A placeholder stands there", "missing", about=about)
                continue
            shown = ", ".join(job.where for job in jobs[:_NAMES_SHOWN]) + (" …" if count > _NAMES_SHOWN else "")
            self.warn(
                f"{count} {plural(count, 'image is a placeholder', 'images are placeholders')} ({shown}): {reason}",
                "missing",
                about=about,
            )

    def _unread(self, src_uri: str, written: str, line: int | None, known: Sequence[str]) -> None:
        name = "-".join(written.removeprefix(SCHEME).split())
        meant = name if name in known else closest_match(name, known)
        if meant is None and known:
            advice = (
                f"Write `{SCHEME}` and a name, with no blank. Known on this page: {', '.join(known[:_NAMES_SHOWN])}"
            )
        elif meant is None:
            advice = f"Write `{SCHEME}NAME`, and declare an image of that name under `{META_KEY}` in the front matter"
        else:
            advice = f"Write `{SCHEME}{meant}`"
        self.warn(f"{_place(src_uri, line)}: {written!r:.80} is no reference. {advice}")

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


def unshown_message(src_uri: str, source: Callable[[], str], name: str) -> str:
    """Return the message about an image that a page declares, and nothing shows. `source` returns the page's file."""
    from mkdocs_qhaigc.directives.source_locations import problem_line

    return (
        f"{_place(src_uri, problem_line(source(), Problem(name, '')))}: image {name!r} is shown nowhere. Refer to it, "
        f"`![]({SCHEME}{name})`, or write `place: after-title` into its directive; or remove it"
    )
