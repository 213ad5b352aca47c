"""Tests of the options."""

from __future__ import annotations

from typing import Any

from mkdocs_qhaigc.config.options import check_options


def check_option(name: str, value: object) -> Any:
    """Return one option's checked value; raise the error of an invalid one."""
    checked, errors = check_options({name: value})
    for error in errors:
        raise error
    return checked[name]
