"""The plugin's options in MkDocs' configuration."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mkdocs.config.base import BaseConfigOption, ValidationError

from mkdocs_qhaigc.config.option_table import OPTIONS
from mkdocs_qhaigc.config.options import KEY_IN_FILE, Options, check_folders, check_option, no_option, read_options
from mkdocs_qhaigc.errors import OptionError

if TYPE_CHECKING:
    from mkdocs.config.defaults import MkDocsConfig

Failures = list[tuple[str, Exception]]
"""(option, its error)"""


class _Checked(BaseConfigOption[Any]):
    """One option."""

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
"""The plugin's `config_scheme`."""


def refused(keys: list[str]) -> Failures:
    """Return the errors of API keys among the options."""
    return [(name, ValidationError(KEY_IN_FILE)) for name in keys]


def unknown(names: Iterable[object]) -> Failures:
    """Return the errors of names that are no options."""
    return [(str(name), ValidationError(no_option(name))) for name in names]


def site_options(given: Mapping[str, Any], config: MkDocsConfig, *, site_dir: Path | None) -> Options:
    """Return the checked options of a site. `site_dir`: its usual one, if this build has another.

    Raises:
        OptionError: an option cannot be used.
    """
    folder = Path(config.config_file_path).parent if config.config_file_path else Path.cwd()
    options = read_options(given, folder=folder)
    site_dir = site_dir or Path(config.site_dir)
    check_folders(options, folder=folder, docs_dir=Path(config.docs_dir), site_dir=site_dir)
    if options.missing == "generate":
        options.require_sandbox_within(os.environ)
    return options
