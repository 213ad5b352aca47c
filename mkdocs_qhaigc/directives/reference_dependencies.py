"""Which images are references for which: entries of `references`, their order, circles. Pure, apart from the finder.

Not to be confused with `qhaigc:NAME` on a page, which is a reference to an image.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from typing import NamedTuple

from mkdocs_qhaigc._util.text import closest_match, short_repr, short_repr_or_kind
from mkdocs_qhaigc.directives.directive import MOST_REFERENCES, Defaults, Directive, Style
from mkdocs_qhaigc.directives.request import Reference
from mkdocs_qhaigc.errors import DirectiveError

_WHAT = "Write a file (`fox.png`), the name of another image (`fox`), or a list of them"


class Draft(NamedTuple):
    """A directive that was read, but for its reference images, which may be other images of the page."""

    own: tuple[Reference | str, ...] | None
    """The entries of its field: a file, or the name of an image; `None` if the field is left out."""
    style: Style
    """The one that its field names."""
    finish: Callable[[tuple[Reference, ...]], Directive]
    """Returns the directive with these reference images."""


def is_file(entry: str) -> bool:
    """Return whether an entry of `references` is a file, and not the name of an image, which has no such letters."""
    return "/" in entry or "." in entry


def read_entries(value: object) -> tuple[str, ...]:
    """Return the entries of a field or an option `references`.

    Raises:
        DirectiveError: it is something else.
    """
    entries = [value] if isinstance(value, str) else value
    if not isinstance(entries, (list, tuple)):
        raise DirectiveError(f"`references` is {short_repr_or_kind(value)}. {_WHAT}")
    for entry in entries:
        if not isinstance(entry, str) or not entry.strip() or not entry.isprintable():
            raise DirectiveError(f"`references` holds {short_repr_or_kind(entry)}. {_WHAT}")
        if "://" in entry or entry.startswith("data:"):
            what = f"`references` holds {short_repr(entry)}, and only files are sent"
            raise DirectiveError(f"{what}. Save it beside the page, and name that file")
    return tuple(entry.strip() for entry in entries)


class ReferenceImages:
    """The reference images of the directives that are read together: those of a page, or of the option `images`."""

    def __init__(
        self, drafts: Mapping[str, Draft], *, declared: Collection[str], defaults: Defaults, look: Style, src_uri: str
    ) -> None:
        """Resolve nothing yet.

        Args:
            drafts: by name, without those that have mistakes.
            declared: the names of all.
            look: the site's style.
            src_uri: the page, or empty for the option `images`.
        """
        self._drafts = drafts
        self._declared = declared
        self._defaults = defaults
        self._look = look
        self._src_uri = src_uri
        self._made: dict[str, Directive] = {}
        self._under_way: list[str] = []

    def directive(self, name: str) -> Directive:
        """Return the directive of a draft.

        Raises:
            DirectiveError: one of its reference images cannot be used.
        """
        if name in self._made:
            return self._made[name]
        if name in self._under_way:
            circle = " → ".join((*self._under_way[self._under_way.index(name) :], name))
            raise _CircleError(f"`references` leads in a circle: {circle}. Remove one of them")
        self._under_way.append(name)
        try:
            references = tuple({one.identity: one for one in self._of(name)}.values())
        finally:
            self._under_way.pop()
        if len(references) > MOST_REFERENCES:
            raise DirectiveError(
                f"it has {len(references)} reference images, and no API takes more than {MOST_REFERENCES}. Remove some"
            )
        directive = self._made[name] = self._drafts[name].finish(references)
        return directive

    def _of(self, name: str) -> Iterator[Reference]:
        """Yield the reference images of a draft: its own, those of its style, those of the site."""
        draft = self._drafts[name]
        for entry in draft.own or ():
            yield entry if isinstance(entry, Reference) else self._image(entry)
        if draft.own == ():
            return
        for shared in (draft.style.references, (*self._look.references, *self._defaults.references)):
            if shared and name not in self._sources_of(shared):
                yield from map(self.shared, shared)

    def shared(self, entry: str) -> Reference:
        """Return the reference image that an entry of an option names: a file, or an image of the option `images`.

        Raises:
            DirectiveError: it cannot be used.
        """
        if is_file(entry):
            return self._defaults.files.find(entry, "")
        return self._shared_image(entry) if self._src_uri else self._image(entry)

    def _image(self, name: str) -> Reference:
        """Return the image of a name that a directive may use: of its page, else of the option `images`."""
        if name in self._drafts:
            try:
                directive = self.directive(name)
            except _CircleError:
                raise
            except DirectiveError as error:
                raise _unusable(name) from error
            return _reference(directive, self._src_uri)
        if name in self._declared:
            raise _unusable(name)
        return self._shared_image(name)

    def _shared_image(self, name: str) -> Reference:
        if name in self._defaults.images:
            return _reference(self._defaults.images[name], "")
        where = "on this page or in the option `images`" if self._src_uri else "in the option `images`"
        raise no_such_image(name, (*self._declared, *self._defaults.images), where)

    def _sources_of(self, shared: tuple[str, ...]) -> set[str]:
        """Return the drafts that reference images of an option are made from, themselves included.

        These images have not each other for references: an image that shows a style is drawn in that style, too.
        """
        found: set[str] = set()
        waiting = [] if self._src_uri else list(shared)
        while waiting:
            name = waiting.pop()
            if name in self._drafts and name not in found:
                found.add(name)
                draft = self._drafts[name]
                waiting += [entry for entry in draft.own or () if isinstance(entry, str)]
                waiting += draft.style.references
        return found


def no_such_image(name: str, known: Iterable[str], where: str) -> DirectiveError:
    """Return the error about an entry that is no file, and none of the `known` names of images."""
    meant = closest_match(name.removeprefix("qhaigc:"), known)
    remedy = f"Did you mean `{meant}`?" if meant else "The name of a file has a dot or a slash in it"
    return DirectiveError(f"`references` names {short_repr(name)}, and there is no such image {where}. {remedy}")


class _CircleError(DirectiveError):
    """An image is a reference for itself."""


def _reference(directive: Directive, src_uri: str) -> Reference:
    request = directive.request
    where = f"{src_uri or 'mkdocs.yml'}#{directive.name}"
    return Reference(f"key:{request.key}", where, name=directive.name, request=request)


def _unusable(name: str) -> DirectiveError:
    return DirectiveError(f"`references` names {name!r}, whose own directive cannot be used. Correct that one first")
