"""Forwards this package's log records to MkDocs' log, so that `mkdocs build --strict` counts the warnings."""

from __future__ import annotations

import logging
from collections.abc import Callable

from mkdocs.plugins import PrefixedLogger

from mkdocs_qhaigc._util.log_delivery import attach

log = PrefixedLogger("qhaigc", logging.getLogger("mkdocs.plugins.mkdocs_qhaigc"))


class BuildLog:
    """The log of one plugin instance's builds."""

    def __init__(self) -> None:
        self.warnings: list[str] = []
        """Those of the current build, for its report or survey."""
        self._shown = True
        self._detach: Callable[[], None] | None = None

    def begin(self, *, shown: bool) -> None:
        """Begin a build. `shown`: whether records go to MkDocs' log; a survey only collects the warnings."""
        self.end()
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
        if self._shown:
            log.warning("%s", message)
