"""The plugin's options in MkDocs' configuration."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping, MutableMapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mkdocs.config.base import BaseConfigOption, ValidationError
from mkdocs.structure.files import File, InclusionLevel, set_exclusions

from mkdocs_qhaigc.config.option_definitions import OPTIONS
from mkdocs_qhaigc.config.options import KEY_IN_FILE, Options, check_folders, check_options, no_option, read_options

if TYPE_CHECKING:
    from mkdocs.config.defaults import MkDocsConfig

Failures = list[tuple[str, Exception]]
"""(option, its error)"""


def _scheme() -> Iterator[tuple[str, BaseConfigOption[Any]]]:
    for name, option in OPTIONS.items():
        declared: BaseConfigOption[Any] = BaseConfigOption()
        declared.default = option.default
        yield name, declared


SCHEME = tuple(_scheme())
"""The plugin's `config_scheme`: names and defaults. MkDocs would end at the first value that its types refuse."""


def check(options: MutableMapping[str, Any]) -> Failures:
    """Replace all values that are valid by the checked ones. Return the errors of the others."""
    checked, errors = check_options(options)
    options.update(checked)
    return [(error.option, ValidationError(str(error))) for error in errors]


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
    options = read_options(given, folder=folder, docs_dir=Path(config.docs_dir))
    site_dir = site_dir or Path(config.site_dir)
    check_folders(
        options,
        folder=folder,
        docs_dir=Path(config.docs_dir),
        site_dir=site_dir,
        is_published=lambda src_uri: _is_published(src_uri, config),
    )
    if options.missing == "generate":
        options.require_sandbox_within(os.environ)
    return options


def _is_published(src_uri: str, config: MkDocsConfig) -> bool:
    """Return whether MkDocs publishes a file among the pages: `exclude_docs` decides, and a dot before a name."""
    file = File.generated(config, src_uri, content=b"")
    set_exclusions([file], config)
    return file.inclusion not in (InclusionLevel.EXCLUDED, InclusionLevel.DRAFT)
