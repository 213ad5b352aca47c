"""The plugin under the name of its package, which `pip install` has and `plugins` has not: explained."""

from __future__ import annotations

from typing import Any

from mkdocs.config.base import ValidationError
from mkdocs.plugins import BasePlugin


class PackageName(BasePlugin):  # type: ignore[type-arg, no-untyped-call]
    """No plugin: MkDocs prints the error with which it refuses to be one."""

    def __init__(self, *_: Any) -> None:
        """Refuse.

        Raises:
            ValidationError: always.
        """
        raise ValidationError("mkdocs-qhaigc is the name of the package; the plugin's is qhaigc. Write `- qhaigc`")
