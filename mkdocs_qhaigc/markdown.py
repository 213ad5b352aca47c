"""The public name of the Markdown extension for Zensical. Its code is in `engines/zensical/extension.py`."""

from __future__ import annotations

from typing import Any

from mkdocs_qhaigc.engines.zensical.extension import LookupExtension


def makeExtension(**kwargs: Any) -> LookupExtension:  # noqa: N802 - Python-Markdown's name
    """Return the extension; Python-Markdown calls this."""
    return LookupExtension(**kwargs)
