"""Images that pages declare and nothing shows: they are bought all the same, and most likely a reference is missing."""

from __future__ import annotations

from collections.abc import Iterator

from mkdocs_qhaigc.directives.directive import Directive
from mkdocs_qhaigc.site.page_rendering import Scope, SitePages
from mkdocs_qhaigc.site.warnings import Warnings, unshown_message


class Unshown:
    """The images that all builds of one site declare and show: a plugin may build it once for each language."""

    def __init__(self) -> None:
        self._shown: set[str] = set()
        """The keys of images on pages, in templates and in front matter, and of references for others."""
        self._misread: set[str] = set()
        """Pages (`src_uri`) with a reference that names no image."""
        self._declared: dict[tuple[str, str], tuple[Scope, Directive]] = {}
        """By page and name, without those that were shown then, and those of the option `images`, which pages share."""

    def add(self, pages: SitePages) -> None:
        """Add the pages of one more build, whose pages and templates are rendered."""
        self._shown |= pages.users.keys() | pages.reference_keys()
        for scope in pages.scopes.values():
            if scope.misread:
                self._misread.add(scope.src_uri)
            for name, directive in scope.directives.items() if scope.rendered else ():
                if not self._is_shown(directive):
                    self._declared[scope.src_uri, name] = scope, directive

    def found(self) -> Iterator[tuple[Scope, str]]:
        """Yield the page and the name of each image that is shown nowhere, but on pages with a wrong reference."""
        for (src_uri, name), (scope, directive) in self._declared.items():
            if not self._is_shown(directive) and src_uri not in self._misread:
                yield scope, name

    def _is_shown(self, directive: Directive) -> bool:
        return any(request.key in self._shown for _, request in directive.requests)

    def messages(self) -> list[str]:
        """Return a message about each."""
        return [unshown_message(scope.src_uri, scope.source, name) for scope, name in self.found()]

    def warn(self, warnings: Warnings) -> None:
        """Warn of each."""
        for scope, name in self.found():
            warnings.unshown(scope.src_uri, scope.source, name)
