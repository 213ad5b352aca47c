"""Forwards this package's log records to MkDocs' log, so that `mkdocs build --strict` counts the warnings."""

from __future__ import annotations

import logging
from collections.abc import Callable

from mkdocs.plugins import PrefixedLogger

from mkdocs_qhaigc._util.log_routing import attach

log = PrefixedLogger("qhaigc", logging.getLogger("mkdocs.plugins.mkdocs_qhaigc"))


class BuildLog:
    """The log of one plugin instance's builds. A warning is shown once for each site, however often it is built."""

    def __init__(self) -> None:
        self.warnings: list[str] = []
        """Those of the current build, for its report or survey."""
        self._seen: set[str] = set()
        """Those of all builds of the current site."""
        self._shown = True
        self._detach: Callable[[], None] | None = None

    def begin(self, *, shown: bool, again: bool) -> None:
        """Begin a build.

        Args:
            shown: whether records go to MkDocs' log; a survey only collects the warnings.
            again: whether it is a further build of the same site, in another language for example.
        """
        self.end()
        if not again:
            self._seen = set()
        self.warnings = []
        self._shown = shown
        self._detach = attach(self._warn, log.info if shown else None)

    def end(self) -> None:
        """Stop forwarding."""
        if self._detach:
            self._detach()
            self._detach = None

    def _warn(self, message: str) -> None:
        self.warnings.append(message)
        if self._shown and message not in self._seen:
            self._seen.add(message)
            log.warning("%s", message)
