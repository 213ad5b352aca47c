"""Commands within this process: what they print and their exit codes, without a start of Python each time.

What a command leaves behind is put back: environment, log handlers, warnings, modules of a project's hooks.
"""

from __future__ import annotations

import contextlib
import gc
import importlib
import io
import logging
import os
import sys
import tempfile
import threading
import time
import traceback
import warnings
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from subprocess import CompletedProcess
from typing import Any

import click

_LOGGERS = ("", "mkdocs", "mkdocs.commands.build", "mkdocs_qhaigc")


def run_mkdocs(arguments: Sequence[str], *, folder: Path, environment: Mapping[str, str]) -> CompletedProcess[str]:
    """Run `mkdocs`. See `run_command`."""
    _forget_instances()
    command = importlib.import_module("mkdocs.__main__").cli
    return run_command(command, arguments, folder=folder, working_folder=Path.cwd(), environment=environment)


def run_command(
    command: click.Command,
    arguments: Sequence[str],
    *,
    folder: Path,
    working_folder: Path,
    environment: Mapping[str, str],
) -> CompletedProcess[str]:
    """Run a command of click's as a shell does that has no terminal and nothing to say to it.

    Args:
        command: The command.
        arguments: As on the command line.
        folder: Of the project: modules that come from there are forgotten afterwards.
        working_folder: Where it is run.
        environment: The whole of it.
    """
    streams = [io.TextIOWrapper(io.BytesIO(), encoding="utf-8", write_through=True) for _ in range(3)]
    inherited = sys.stdin, sys.stdout, sys.stderr
    code: Any = 0
    with _put_back(folder, environment):
        os.chdir(working_folder)
        sys.stdin, sys.stdout, sys.stderr = streams
        try:
            command.main(list(arguments), prog_name=command.name)
        except SystemExit as end:
            code = end.code
        except BaseException:  # noqa: BLE001 - as Python does at the end of a program
            traceback.print_exc()
            code = 1
        finally:
            sys.stdin, sys.stdout, sys.stderr = inherited
    _, printed, told = (stream.buffer.getvalue().decode() for stream in streams)
    return CompletedProcess(list(arguments), code if isinstance(code, int) else int(code is not None), printed, told)


def _forget_instances() -> None:
    """Let no plugin or hook of an earlier build serve in the next one, as it would in `serve`."""
    schema: Any = importlib.import_module("mkdocs.config.defaults").MkDocsConfig
    schema.plugins.plugin_cache.clear()
    type(schema.hooks)._load_hook.cache_clear()


def _join(thread: threading.Thread, seconds: float) -> None:
    """Wait until a thread has ended; one that another thread is just starting is listed before it can be joined."""
    ends = time.monotonic() + seconds
    while True:
        try:
            thread.join(seconds)
        except RuntimeError:
            if time.monotonic() > ends:
                raise
            time.sleep(0.01)
        else:
            return


@contextlib.contextmanager
def _put_back(folder: Path, environment: Mapping[str, str]) -> Iterator[None]:
    loggers = {name: logging.getLogger(name) for name in _LOGGERS}
    state: dict[str, tuple[list[Any], list[Any], int, bool]] = {
        name: (logger.handlers[:], logger.filters[:], logger.level, logger.propagate)
        for name, logger in loggers.items()
    }
    inherited, modules, path, cwd = dict(os.environ), set(sys.modules), sys.path[:], Path.cwd()
    threads = set(threading.enumerate())
    for logger in loggers.values():
        logger.handlers[:], logger.filters[:], logger.propagate = [], [], True
        logger.setLevel(logging.NOTSET if logger.parent else logging.WARNING)
    try:
        os.environ.clear()
        os.environ.update(environment)
        tempfile.tempdir = None  # of another environment
        with warnings.catch_warnings():
            warnings.resetwarnings()  # as in a Python that was started without `-W`
            for category in (DeprecationWarning, PendingDeprecationWarning, ImportWarning, ResourceWarning):
                warnings.simplefilter("ignore", category)
            yield
    finally:
        for thread in set(threading.enumerate()) - threads:
            if not thread.daemon:  # which the end of a process waits for, too
                _join(thread, 60)
            elif thread.name.startswith("qhaigc-"):  # which the end of a process ends: here it would go on in the cache
                _join(thread, 10)
        os.environ.clear()
        os.environ.update(inherited)
        tempfile.tempdir = None
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
