"""Our options, as MkDocs' own configuration knows them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from mkdocs.config.base import BaseConfigOption, ValidationError

from mkdocs_qhaigc.config.option_table import OPTIONS
from mkdocs_qhaigc.config.options import KEY_IN_FILE, check_option, no_option
from mkdocs_qhaigc.errors import OptionError

Failures = list[tuple[str, Exception]]
"""(option, what is wrong with it)"""


class _Checked(BaseConfigOption[Any]):
    """One of them."""

    def __init__(self, name: str) -> None:
        super().__init__()
        self.default = OPTIONS[name].default
        self._name = name

    def run_validation(self, value: object) -> Any:
        try:
            return check_option(self._name, value)
        except OptionError as error:
            raise ValidationError(str(error)) from error


SCHEME = tuple((name, _Checked(name)) for name in OPTIONS)
"""What `config_scheme` of a plugin is."""


def refused(keys: list[str]) -> Failures:
    """Return what is said of keys of the API that stand among the options."""
    return [(name, ValidationError(KEY_IN_FILE)) for name in keys]


def unknown(names: Iterable[object]) -> Failures:
    """Return what is said of names that are no options."""
    return [(str(name), ValidationError(no_option(name))) for name in names]
