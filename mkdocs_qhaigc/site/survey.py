"""The result of a survey: the images that a site declares, and the state of each. The commands work on it.

`SiteBuild.survey` makes it, once an engine's build, or the pages alone, have shown the images.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from mkdocs_qhaigc.config.options import Options
from mkdocs_qhaigc.directives.directive import Directive
from mkdocs_qhaigc.directives.request import ImageRequest
from mkdocs_qhaigc.errors import PromptRejected
from mkdocs_qhaigc.site.image_pipeline import ResolvedImage
from mkdocs_qhaigc.site.warnings import Kind
from mkdocs_qhaigc.store.record import StoredImage

State = Literal["pinned", "cached", "shared", "missing", "refused", "unreadable"]
"""`shared`: it has come from the shared store, or is there alone.
`refused`: the service has refused the request, which is not made again.
`unreadable`: the image may exist, and so is not generated."""


@dataclass(frozen=True, slots=True)
class SurveyEntry:
    """An image that a page, or the site, declares."""

    page: str
    """Its `src_uri` (`guide/start.md`); empty for the option `images`."""
    name: str
    dark: bool
    """Whether it is the second image of its directive, for readers of dark pages."""
    request: ImageRequest
    image: ResolvedImage
    users: tuple[str, ...]
    """The pages that show it."""
    directive: Directive
    """The one that declares it, and its light or dark one with it."""

    @property
    def ratio(self) -> tuple[int, int] | None:
        """The proportions to which it is cropped when it is published; `None` for its own."""
        return self.directive.ratio

    @property
    def follows(self) -> bool:
        """Whether it is a dark image without a variant of its own, and so has that of the light one."""
        return self.dark and self.directive.dark_follows

    @property
    def where(self) -> str:
        """`guide/start.md#hero`, as the commands take it; `mkdocs.yml#hero` for the option `images`."""
        return f"{self.page or 'mkdocs.yml'}#{self.name}"

    @property
    def title(self) -> str:
        """`guide/start.md#hero` for people; a dark image has ` (dark)` at its end."""
        return self.where + (" (dark)" if self.dark else "")

    @property
    def target(self) -> str:
        """`where`, but `guide/start.md#hero-dark` for a dark image: for commands that take one or the other."""
        return self.where + ("-dark" if self.dark else "")

    @property
    def size(self) -> str:
        """The size that is asked for, for people: `1792x1024 for 4:3`."""
        return f"{self.request.size} for {self.ratio[0]}:{self.ratio[1]}" if self.ratio else self.request.size

    @property
    def references(self) -> tuple[str, ...]:
        """Its reference images: `docs/fox.png` relative to the site's configuration, or `guide/start.md#fox`."""
        return tuple(reference.where for reference in self.request.references)

    @property
    def state(self) -> State:
        """The store that has the image, or the reason why none has."""
        if self.image.state == "shared":
            return "shared"
        if self.stored is None:
            if isinstance(self.image.reason, PromptRejected):
                return "refused"
            return "unreadable" if self.image.reason else "missing"
        return "pinned" if self.image.state == "pinned" else "cached"

    @property
    def stored(self) -> StoredImage | None:
        """The stored image; `None` if there is none."""
        return self.image.stored

    def of_variant(self, variant: int) -> SurveyEntry:
        """Return it as another variant."""
        return replace(self, request=self.request.of_variant(variant))


@dataclass(frozen=True, slots=True)
class Survey:
    """The images of a site."""

    options: Options
    entries: tuple[SurveyEntry, ...]
    """In the site's order: those of the whole site first, then page by page."""
    warnings: tuple[str, ...]
    """The warnings of the site's build, those about missing images left out."""
    kinds: Mapping[str, Kind]
    """By warning; those about files on the disk are not in it."""
    undescribed: frozenset[str]
    """Where an image is shown without an alternative text: `guide/start.md#hero`, a page and a name."""
    docs_dir: Path
    """The folder of the pages, as their authors see it."""
    addresses: Mapping[str, str]
    """The absolute address of each page (`src_uri`) in the site, as far as it is known."""
    begun_at: int
    """When the build began that has found them, in nanoseconds since 1970."""

    @property
    def problems(self) -> list[str]:
        """The warnings about directives that cannot be used: their images are not among the entries."""
        return [warning for warning in self.warnings if self.kinds.get(warning) == "directive"]

    @property
    def unresolved(self) -> list[str]:
        """The warnings about references without an image: it may be declared where this survey has not looked."""
        return [warning for warning in self.warnings if self.kinds.get(warning) == "reference"]

    def lacks_alt(self, entry: SurveyEntry) -> bool:
        """Whether a page shows an image without an alternative text, its own or the directive's."""
        return any(f"{page}#{entry.name}" in self.undescribed for page in (entry.page or "mkdocs.yml", *entry.users))

    def missing(self) -> list[SurveyEntry]:
        """Return those that a build would have to generate, each once."""
        return [entry for entry in self.each_once() if entry.state == "missing"]

    def missing_for(self, requests: Iterable[ImageRequest]) -> list[SurveyEntry]:
        """Return those missing ones that are to be references for images, directly or not, in the site's order."""
        needed: set[str] = set()
        waiting = list(requests)
        while waiting:
            found = [one.request for one in waiting.pop().references if one.request and one.request.key not in needed]
            needed.update(request.key for request in found)
            waiting += found
        return [one for one in self.missing() if one.request.key in needed]

    def dark_image_of(self, light: SurveyEntry) -> SurveyEntry | None:
        """Return the dark image of the same directive; `None` if there is none."""
        pairs = (one for one in self.entries if one.dark and one.directive is light.directive)
        return next(pairs, None)

    def each_once(self) -> list[SurveyEntry]:
        """Return the first entry of each image."""
        first: dict[str, SurveyEntry] = {}
        for entry in self.entries:
            first.setdefault(entry.request.key, entry)
        return list(first.values())


def join(surveys: Sequence[Survey]) -> Survey:
    """Return the surveys of a site's builds as one: each language of a site has a build of its own.

    A page that two of them have, because it is not translated for example, is in it once.
    """
    first, *others = surveys
    if not others:
        return first
    entries: dict[tuple[str, str, bool, str], SurveyEntry] = {}
    for entry in (entry for survey in surveys for entry in survey.entries):
        identity = (entry.page, entry.name, entry.dark, entry.request.key)
        same = entries.setdefault(identity, entry)
        entries[identity] = replace(same, users=_unique((*same.users, *entry.users)))
    return replace(
        first,
        entries=tuple(entries.values()),
        warnings=_unique(warning for survey in surveys for warning in survey.warnings),
        kinds={warning: kind for survey in surveys for warning, kind in survey.kinds.items()},
        undescribed=frozenset().union(*(survey.undescribed for survey in surveys)),
        addresses={page: address for survey in reversed(surveys) for page, address in survey.addresses.items()},
    )


def _unique(words: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(words))
