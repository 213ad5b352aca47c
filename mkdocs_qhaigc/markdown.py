"""The Markdown extension that a site's configuration names, for Zensical. Its code is in `engines/zensical`."""

from __future__ import annotations

from typing import Any

from mkdocs_qhaigc.engines.zensical.extension import LookupExtension


def makeExtension(**kwargs: Any) -> LookupExtension:  # noqa: N802 - Python-Markdown's name
    """Return the extension that a site's configuration names `mkdocs_qhaigc.markdown`."""
    return LookupExtension(**kwargs)
