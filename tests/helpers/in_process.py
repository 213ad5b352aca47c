"""MkDocs' command line within this process: what a build prints and its exit code, without a start of Python each time.

What a build leaves behind in a process is put back: environment, log handlers, warnings, modules of a project's hooks.
"""

from __future__ import annotations

import contextlib
import gc
import importlib
import logging
import os
import sys
import threading
import traceback
import warnings
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from click.testing import CliRunner

_LOGGERS = ("", "mkdocs", "mkdocs.commands.build", "properdocs", "properdocs.commands.build")


def run_mkdocs(engine: str, *arguments: str, folder: Path, environment: Mapping[str, str]) -> tuple[int, str]:
    """Run a command of an engine of MkDocs' kind. Return its exit code and what it printed, both streams as one.

    Args:
        engine: The module: `mkdocs` or `properdocs`.
        arguments: As on the command line.
        folder: Of the project: modules that come from there are forgotten afterwards.
        environment: The whole of it.
    """
    command = importlib.import_module(f"{engine}.__main__").cli
    _forget_instances(engine)
    with _put_back(folder, environment):
        result = CliRunner().invoke(command, list(arguments), prog_name=engine)
    output = result.output
    if result.exception and not isinstance(result.exception, SystemExit):
        output += "".join(traceback.format_exception(*(result.exc_info or ())))
    return result.exit_code, output


def _forget_instances(engine: str) -> None:
    """Let no plugin or hook of an earlier build serve in the next one, as it would in `serve`."""
    defaults = importlib.import_module(f"{engine}.config.defaults")
    schema = defaults.MkDocsConfig if engine == "mkdocs" else defaults.ProperDocsConfig
    schema.plugins.plugin_cache.clear()
    type(schema.hooks)._load_hook.cache_clear()


@contextlib.contextmanager
def _put_back(folder: Path, environment: Mapping[str, str]) -> Iterator[None]:
    loggers = {name: logging.getLogger(name) for name in _LOGGERS}
    state: dict[str, tuple[list[Any], list[Any], int, bool]] = {
        name: (logger.handlers[:], logger.filters[:], logger.level, logger.propagate)
        for name, logger in loggers.items()
    }
    inherited, modules, path, cwd = dict(os.environ), set(sys.modules), sys.path[:], Path.cwd()
    threads = set(threading.enumerate())
    try:
        os.environ.clear()
        os.environ.update(environment)
        with warnings.catch_warnings():
            warnings.resetwarnings()  # as in a Python that was started without `-W`
            for category in (DeprecationWarning, PendingDeprecationWarning, ImportWarning, ResourceWarning):
                warnings.simplefilter("ignore", category)
            yield
    finally:
        for thread in set(threading.enumerate()) - threads:
            if not thread.daemon:  # which the end of a process waits for, too
                thread.join(60)
        os.environ.clear()
        os.environ.update(inherited)
        os.chdir(cwd)
        sys.path[:] = path
        gc.enable()
        for name in set(sys.modules) - modules:
            file = getattr(sys.modules[name], "__file__", None)
            if file and Path(file).is_relative_to(folder):
                del sys.modules[name]
        for name, (handlers, filters, level, propagate) in state.items():
            logger = loggers[name]
            logger.handlers[:], logger.filters[:], logger.propagate = handlers, filters, propagate
            logger.setLevel(level)
