"""`mkdocs` with the CPU time of the plugin's own part measured: what MkDocs and Python-Markdown call of it.

`python benchmarks/hooks.py RESULT build …` runs `mkdocs build …`, and writes RESULT: the seconds in it, those of them
in garbage collections (which come when they come, and go through everybody's objects), and of all.
"""

from __future__ import annotations

import functools
import gc
import json
import sys
import time
import types
from collections.abc import Callable
from pathlib import Path
from typing import Any

from mkdocs.__main__ import cli
from mkdocs.plugins import PluginCollection

from mkdocs_qhaigc.plugin import QhaigcPlugin


class Clock:
    """Seconds of CPU time that calls took, without what it takes to measure them."""

    def __init__(self) -> None:
        self.collecting = 0.0
        """Of these, in garbage collections."""
        self._seconds = 0.0
        self._calls = 0
        self._inside = False
        self._collection_began = 0.0

    def timed(self, function: Callable[..., Any]) -> Callable[..., Any]:
        """Return the function, with its calls counted; one within another counts once."""

        @functools.wraps(function)
        def call(*args: Any, **kwargs: Any) -> Any:
            if self._inside:
                return function(*args, **kwargs)
            self._inside = True
            started = time.thread_time()
            try:
                return function(*args, **kwargs)
            finally:
                self._seconds += time.thread_time() - started
                self._calls += 1
                self._inside = False

        if isinstance(function, types.MethodType):
            call.__self__ = function.__self__  # type: ignore[attr-defined]  # plugins look whose hooks there are
        return call

    def collection(self, phase: str, _: dict[str, int]) -> None:
        """Take note of a garbage collection, as one of `gc.callbacks`."""
        if self._inside and phase == "start":
            self._collection_began = time.thread_time()
        elif self._inside:
            self.collecting += time.thread_time() - self._collection_began

    @property
    def seconds(self) -> float:
        """All of it."""
        empty = Clock()
        nothing = empty.timed(lambda: None)
        for _ in range(10_000):
            nothing()
        return self._seconds - self._calls * empty._seconds / 10_000


def main() -> None:
    result = Path(sys.argv.pop(1))
    clock = Clock()
    gc.callbacks.append(clock.collection)
    register = PluginCollection._register_event

    def register_timed(self: Any, event_name: str, method: Any, plugin_name: str | None = None) -> None:
        ours = isinstance(getattr(method, "__self__", None), QhaigcPlugin)
        register(self, event_name, clock.timed(method) if ours else method, plugin_name)

    PluginCollection._register_event = register_timed  # type: ignore[method-assign]
    QhaigcPlugin._render = clock.timed(QhaigcPlugin._render)  # type: ignore[method-assign]  # of the postprocessor
    QhaigcPlugin.load_config = clock.timed(QhaigcPlugin.load_config)  # type: ignore[method-assign]
    try:
        cli(prog_name="mkdocs")
    finally:
        whole = time.process_time()
        times = {"hooks": clock.seconds, "collecting": clock.collecting, "process": whole}
        result.write_text(json.dumps(times), encoding="utf-8")


if __name__ == "__main__":
    main()
