"""What a site declares, and what there is of it: what the commands work on. Found by a build itself."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from mkdocs_qhaigc.config.options import Options
from mkdocs_qhaigc.directives.request import ImageRequest
from mkdocs_qhaigc.site.resolved import ResolvedImage
from mkdocs_qhaigc.site.warnings import Kind
from mkdocs_qhaigc.store.record import StoredImage

State = Literal["pinned", "cached", "missing", "unreadable"]
"""`unreadable`: it may be there, and so is not bought."""


@dataclass(frozen=True, slots=True)
class Declared:
    """An image that a page, or the site, declares."""

    page: str
    """As MkDocs names it (`guide/start.md`); empty for the option `images`."""
    name: str
    dark: bool
    """Whether it is the second one of its directive, for readers of dark pages."""
    request: ImageRequest
    image: ResolvedImage
    users: tuple[str, ...]
    """The pages that show it."""

    @property
    def where(self) -> str:
        """`guide/start.md#hero`, as the commands take it; `mkdocs.yml#hero` for the option `images`."""
        return f"{self.page or 'mkdocs.yml'}#{self.name}"

    @property
    def title(self) -> str:
        """`guide/start.md#hero`, and whether it is the dark one, as people read it."""
        return self.where + (" (dark)" if self.dark else "")

    @property
    def target(self) -> str:
        """As `where`; of a dark image `guide/start.md#hero-dark`, for commands that take one or the other."""
        return self.where + ("-dark" if self.dark else "")

    @property
    def state(self) -> State:
        """Where its original is, or what there is in its place."""
        if self.original is None:
            return "unreadable" if self.image.reason else "missing"
        return "pinned" if self.image.state == "pinned" else "cached"

    @property
    def original(self) -> StoredImage | None:
        """The saved image; None where there is none."""
        return self.image.original


@dataclass(frozen=True, slots=True)
class Survey:
    """A site's images."""

    options: Options
    declared: tuple[Declared, ...]
    """In the site's order: those of the whole site first, then page by page."""
    notices: tuple[str, ...]
    """What the build would warn of, missing images left out."""
    kinds: Mapping[str, Kind]
    """What these notices are about; those of files on the disk stand not here."""
    docs_dir: Path
    """The folder of the pages."""

    @property
    def problems(self) -> list[str]:
        """The notices of directives that cannot be used: what they declare is not among the images."""
        return [notice for notice in self.notices if self.kinds.get(notice) == "directive"]

    @property
    def unresolved(self) -> list[str]:
        """The notices of references that mean nothing: their images may be declared where nobody has read it."""
        return [notice for notice in self.notices if self.kinds.get(notice) == "reference"]

    def missing(self) -> list[Declared]:
        """Return those that a build would have to buy, each once."""
        return [one for one in self.each_once() if one.state == "missing"]

    def each_once(self) -> list[Declared]:
        """Return the first of those that are one and the same image."""
        first: dict[str, Declared] = {}
        for one in self.declared:
            first.setdefault(one.request.key, one)
        return list(first.values())


def join(surveys: Sequence[Survey]) -> Survey:
    """Return the surveys of a site's builds as one: of a site in several languages, each is built by itself.

    A page that two of them have, say for want of a translation, is there once.
    """
    first, *others = surveys
    if not others:
        return first
    declared: dict[tuple[str, str, bool, str], Declared] = {}
    for one in (one for survey in surveys for one in survey.declared):
        identity = (one.page, one.name, one.dark, one.request.key)
        same = declared.setdefault(identity, one)
        declared[identity] = replace(same, users=_unique((*same.users, *one.users)))
    return replace(
        first,
        declared=tuple(declared.values()),
        notices=_unique(notice for survey in surveys for notice in survey.notices),
        kinds={notice: kind for survey in surveys for notice, kind in survey.kinds.items()},
    )


def _unique(words: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(words))
