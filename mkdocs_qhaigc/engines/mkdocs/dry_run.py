"""The images that a site of MkDocs declares, found by a build into a temporary folder. It generates nothing.

All plugins of the site take part, so that the images of pages and languages that they add are found. Only the theme
does not, which takes most of a build's time, unless its templates show images themselves.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterable, Iterator
from contextvars import ContextVar
from pathlib import Path
from typing import TYPE_CHECKING

from mkdocs_qhaigc._util.files import reason_of, unreadable_folders
from mkdocs_qhaigc.errors import QhaigcError, SiteError

if TYPE_CHECKING:
    from jinja2 import Environment

    from mkdocs_qhaigc.site.build import SiteBuild
    from mkdocs_qhaigc.site.survey import Survey

DRY_RUN: ContextVar[DryRun | None] = ContextVar("qhaigc_dry_run", default=None)
"""Set while builds generate, encode and write nothing: the plugin looks here, because other plugins may make it."""

CALL = b"qhaigc_"
"""How the names of the functions for templates begin."""
_TEMPLATES = (".html", ".htm", ".xml", ".txt", ".md", ".json", ".svg", ".css", ".js", ".j2", ".jinja")
"""Endings of files of a theme that may be templates."""


class DryRun:
    """A build that a command looks at."""

    def __init__(self, site_dir: Path) -> None:
        self.site_dir = site_dir
        """The folder of the site in other builds."""
        self.listed = False
        """Whether the site uses the plugin, be it switched off."""
        self.builds: list[tuple[SiteBuild, list[str]]] = []
        """Each build with its warnings: a plugin may build a site once for each language."""


def without_theme(env: Environment, dirs: Iterable[str]) -> Environment:
    """Return an environment in which every template is an empty page, unless one in `dirs` calls our functions."""
    from jinja2 import FunctionLoader

    if any(_calls_us(path) for folder in dirs for path in _templates(folder)):
        return env
    return env.overlay(loader=FunctionLoader(lambda _: "<!doctype html><html><head></head><body></body></html>"))


def _templates(folder: str) -> Iterator[str]:
    """Yield the files of a theme that may be templates; none in hidden folders: some hold thousands of icons."""
    for parent, folders, names in os.walk(folder):
        folders[:] = [name for name in folders if not name.startswith(".")]
        yield from (os.path.join(parent, name) for name in names if name.endswith(_TEMPLATES))  # noqa: PTH118 - texts do


def _calls_us(path: str) -> bool:
    """Whether a template calls our functions."""
    try:
        return CALL in Path(path).read_bytes()
    except OSError:  # a link of an editor that leads nowhere
        return False


def survey(config_file: Path) -> Survey:
    """Return the images that the site of an mkdocs.yml declares. Nothing is written into the project.

    Raises:
        SiteError: the site cannot be built, or does not use the plugin.
    """
    from mkdocs.commands.build import build
    from mkdocs.config import load_config
    from mkdocs.exceptions import Abort, ConfigurationError, MkDocsException

    from mkdocs_qhaigc.site.survey import join
    from mkdocs_qhaigc.site.unshown_images import Unshown

    with _temporary_folder() as folder:
        try:
            config = load_config(str(config_file))
        except (ConfigurationError, OSError) as error:
            raise SiteError(f"{config_file} cannot be used: {error}") from error
        except Exception as error:  # of MkDocs and of plugins, for example about the environment
            raise _failure(config_file, error) from error
        docs_dir = Path(config.docs_dir)  # a plugin may build the site from copies elsewhere
        dry_run = DryRun(Path(config.site_dir))
        config.site_dir = folder
        token = DRY_RUN.set(dry_run)
        try:
            config.plugins.on_startup(command="build", dirty=False)
            build(config)
            unshown = Unshown()
            for one, _ in dry_run.builds:
                one.pages.check_sources()
                unshown.add(one.pages)
            for one, _ in dry_run.builds[-1:]:
                own = docs_dir / one.options.assets_dir
                for unreadable in unreadable_folders(docs_dir, without=own):  # MkDocs builds the site without them
                    one.pages.warnings.unreadable_folder(unreadable)
                if not one.options.gallery:
                    unshown.warn(one.pages.warnings)
            surveys = [one.survey(warnings, docs_dir=docs_dir) for one, warnings in dry_run.builds]
        except (Abort, MkDocsException, OSError) as error:  # an OSError: a page that may not be read, for example
            raise SiteError(f"the site of {config_file} cannot be built: {error}") from error
        except QhaigcError:
            raise
        except Exception as error:
            raise _failure(config_file, error) from error
        finally:
            DRY_RUN.reset(token)
            config.plugins.on_shutdown()
    if not dry_run.listed:
        raise SiteError(f"{config_file} does not list the plugin qhaigc. Add it under `plugins`")
    if not surveys:
        raise SiteError(f"{config_file}: the plugin qhaigc is switched off (`enabled: false`)")
    return join(surveys)


def _failure(config_file: Path, error: Exception) -> SiteError:
    """Return the error about an unexpected one, whose traceback `mkdocs build` prints."""
    what = f"{type(error).__name__}: {error}"
    return SiteError(f"the site of {config_file} cannot be built ({what}). Run `mkdocs build`: it shows where")


def _temporary_folder() -> tempfile.TemporaryDirectory[str]:
    """Return a new folder, which the end of its context removes.

    Raises:
        SiteError: there is no place for one.
    """
    try:
        return tempfile.TemporaryDirectory(prefix="mkdocs-qhaigc-", ignore_cleanup_errors=True)
    except OSError as error:
        raise SiteError(
            f"there is no temporary folder, which this command needs ({reason_of(error)}). Set the environment "
            "variable TMPDIR to a folder that can be written"
        ) from error
