"""The refusals that the studio answers a browser with."""

from __future__ import annotations

from typing import Literal

from mkdocs_qhaigc.errors import QhaigcError

Kind = Literal["changed", "budget", "stopped", "edit", "unknown", "value", "access", "size", "method"]


class Problem(QhaigcError):  # noqa: N818 - what is answered, not what failed
    """A request that is answered with an error of HTTP."""

    def __init__(self, status: int, kind: Kind, message: str) -> None:
        """`status`: 4xx; `message` is for people: what happened and what to do."""
        super().__init__(message)
        self.status = status
        self.kind = kind
