"""What a build tells about its images, each thing once: where, what, and what to do."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Container, Iterable, Sequence
from typing import Literal

from mkdocs_qhaigc._util.text import closest_match, plural
from mkdocs_qhaigc.directives.front_matter import META_KEY
from mkdocs_qhaigc.errors import GenerationStopped, ImageUnavailable
from mkdocs_qhaigc.generation.job import ImageJob
from mkdocs_qhaigc.html.reference import SCHEME
from mkdocs_qhaigc.site.resolved import ResolvedImage

Kind = Literal["directive", "reference", "alt", "file", "missing"]
"""What a notice is about: a declaration, what refers to it, a missing description, what lies on the disk,
or why there is a placeholder."""
_NAMES_SHOWN = 12


class Notices:
    """The warnings of one build."""

    def __init__(self, warn: Callable[[str], None]) -> None:
        self._warn = warn
        self.kinds: dict[str, Kind] = {}
        """By message: what it is about."""
        self._subjects: dict[str, set[str]] = {}
        """By message: the keys of the images that it is about, or where they are referred to."""

    def warn(self, message: str, kind: Kind = "reference", *, about: Iterable[str] = ()) -> None:
        """Tell something, unless it was told before. `about`: keys of images, or `guide/start.md#hero`."""
        if message not in self.kinds:
            self.kinds[message] = kind
            self._warn(message)
        self._subjects.setdefault(message, set()).update(about)

    def about(self, subjects: Container[str]) -> list[str]:
        """Return what was told of any of these."""
        return [message for message, about in self._subjects.items() if any(subject in subjects for subject in about)]

    def directive(self, message: str) -> None:
        """Tell of a directive that cannot be used as it is."""
        self.warn(message, "directive")

    def misspelt_key(self, src_uri: str, source: Callable[[], str], key: str) -> None:
        """Tell of a key of the front matter that is probably meant to be ours. `source`: the page's file."""
        from mkdocs_qhaigc.directives.lint import key_line  # as below

        line = key_line(source(), key)
        self.directive(
            f"{src_uri}{f', line {line}' if line else ''}: the key {key!r} in the front matter is probably meant to be "
            f"`{META_KEY}`. Correct it: nothing reads its images"
        )

    def unread(self, src_uri: str, values: Iterable[str]) -> None:
        """Tell of values that begin as a reference does and are none."""
        for value in values:
            self.warn(f"{src_uri}: {value!r:.80} is no reference. Write `{SCHEME}` and an image's name, no more")

    def unknown(self, src_uri: str, source: Callable[[], str], name: str, known: Sequence[str]) -> None:
        """Tell of a reference to a name that means nothing on its page. `source`: the page's file."""
        from mkdocs_qhaigc.directives.lint import places  # as below

        line = next((place.line for place in places(source()) if place.name == name), None)
        meant = closest_match(name, known)
        names = ", ".join(known[:_NAMES_SHOWN]) or "none"
        advice = f"Did you mean {meant!r}? " if meant else ""
        self.warn(
            f"{src_uri or 'a template'}{f', line {line}' if line else ''}: there is no image {name!r}. {advice}"
            f"Known on this page: {names}. Declare it under `{META_KEY}` in the front matter, or correct the reference"
        )

    def misspelt(self, src_uri: str, source: Callable[[], str], references: Iterable[str]) -> None:
        """Tell of what would be references of a page but for their scheme. `source`: the page's file."""
        from mkdocs_qhaigc.directives.lint import misspelt_places  # as above

        places = misspelt_places(source())
        for written in dict.fromkeys(references):
            lines: list[int | None] = [line for what, line in places if what == written]
            for line in lines or [None]:
                self._misspelt(src_uri, written, line)

    def look_at_source(self, src_uri: str, source: str) -> None:
        """Tell what a page's file alone shows: commands read it, builds of thousands of pages do not."""
        from mkdocs_qhaigc.directives.lint import misspelt_places, repeated_keys  # as above

        for repeated in repeated_keys(source):
            self.directive(
                f"{src_uri}, line {repeated.line}: {repeated.key!r:.80} stands on line {repeated.before} already, and "
                "the last one alone counts. Rename or remove one of the two"
            )
        for written, line in misspelt_places(source):
            self._misspelt(src_uri, written, line)

    def references_without_alt(self, src_uri: str, source: Callable[[], str], names: Iterable[str]) -> None:
        """Tell of references, in page order, to images that nobody has described. `source`: the page's file."""
        for name, count in Counter(names).items():
            from mkdocs_qhaigc.directives.lint import lines_without_alt

            lines, decided = lines_without_alt(source(), name)
            places: list[int | None] = [*lines] or [None]
            for line in places[: count - decided]:
                self._without_alt(src_uri, name, line)

    def image_without_alt(self, src_uri: str, source: Callable[[], str], name: str) -> None:
        """Tell of an image that stands on a page without a reference, and that nobody has described."""
        from mkdocs_qhaigc.directives.lint import directive_line  # as above

        self._without_alt(src_uri, name, directive_line(source(), name))

    def missing(self, images: Iterable[ResolvedImage]) -> None:
        """Tell of the placeholders, and why they stand there."""
        common: dict[str, list[ImageJob]] = {}
        for image in images:
            about = (image.order.request.key,)
            if isinstance(image.reason, (GenerationStopped, ImageUnavailable)):
                common.setdefault(str(image.reason), []).append(image.order)
            elif image.reason:
                self.warn(f"{image.order.where}: {image.reason}. A placeholder stands there", "missing", about=about)
            else:
                self.warn(
                    f"{image.order.where}: the image is not generated yet, and `missing: placeholder` "
                    "keeps it so. A placeholder stands there",
                    "missing",
                    about=about,
                )
        for reason, orders in common.items():
            count = len(orders)
            places = [order.where for order in orders]
            shown = ", ".join(places[:_NAMES_SHOWN]) + (" …" if count > _NAMES_SHOWN else "")
            self.warn(
                f"{count} {plural(count, 'image is a placeholder', 'images are placeholders')} ({shown}): {reason}",
                "missing",
                about=[order.request.key for order in orders],
            )

    def _misspelt(self, src_uri: str, written: str, line: int | None) -> None:
        name = written.partition(":")[2]
        self.warn(
            f"{src_uri}{f', line {line}' if line else ''}: {written!r:.80} is no reference. Write `{SCHEME}{name:.64}`"
        )

    def _without_alt(self, src_uri: str, name: str, line: int | None) -> None:
        where = (src_uri or "mkdocs.yml") + (f", line {line}" if line else "")
        self.warn(
            f"{where}: image {name!r} has no alternative text. Write what it shows into the reference's brackets "
            'or as `alt` into its directive; `alt: ""` there if it is decoration',
            "alt",
            about=(f"{src_uri or 'mkdocs.yml'}#{name}",),
        )
