"""What only a build that buys imports, and when: a build that finds all its images needs none of it."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterator
from importlib import import_module
from typing import Any


def import_what_buys() -> None:
    """Import what the first call needs, in the thread that orders: beside it, each would take the other's time.

    What cannot be imported is told by the thread that buys.
    """
    with contextlib.suppress(ImportError), _without("httpx._main"):
        import_module("mkdocs_qhaigc.generation.till")
        import_module("mkdocs_qhaigc.api.client")
        import_module("filelock")


@contextlib.contextmanager
def _without(module: str) -> Iterator[None]:
    """Let a module count as not installed meanwhile, unless it is imported already.

    httpx brings its own command line along where that can be imported, and with it rich and pygments: 80 modules, a
    third of the time that the import takes, and more again at the interpreter's end. `httpx.main` says then that it is
    not installed; the module itself can be imported still.
    """
    modules: dict[str, Any] = sys.modules
    absent = module not in modules and module.partition(".")[0] not in modules
    if absent:
        modules[module] = None  # the import system takes it for one that cannot be found
    try:
        yield
    finally:
        if absent:
            modules.pop(module, None)


def import_what_saves() -> None:
    """Import what looks at images: for whoever is about to wait for the first of them."""
    with contextlib.suppress(ImportError):  # told when an image is saved
        import_module("mkdocs_qhaigc.imaging.encode")


def import_what_encodes() -> None:
    """Import what looks at images and keeps their copies: as above."""
    import_what_saves()
    with contextlib.suppress(ImportError):  # told when a copy is kept
        import_module("mkdocs_qhaigc.imaging.cache")
