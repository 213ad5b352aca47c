"""A site's images as MkDocs sees them: builds of the site that end before anything is written."""

from __future__ import annotations

import contextlib
import tempfile
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mkdocs.commands.build import build
from mkdocs.config import load_config
from mkdocs.config.defaults import MkDocsConfig
from mkdocs.exceptions import Abort, ConfigurationError, MkDocsException

from mkdocs_qhaigc.engines.mkdocs.plugin import QhaigcPlugin
from mkdocs_qhaigc.errors import SiteError
from mkdocs_qhaigc.site.build import SiteBuild
from mkdocs_qhaigc.site.survey import Survey, join


class Surveyed(Exception):  # noqa: N818 - no error: what a survey wanted to know is known
    """Ends a build that is looked at: nothing of it has been written."""


@dataclass(frozen=True, slots=True)
class Surveying:
    """What makes surveys of the builds that an instance of the plugin works for."""

    found: list[Survey]
    """Those of all instances."""
    docs_dir: Path
    """Where authors write; a plugin may make the site of copies."""
    site_dir: Path
    """Where the site is built otherwise."""
    last: bool
    """Whether no other instance is yet to see the pages."""

    def look_at(self, build: SiteBuild | None, notices: Iterable[str]) -> None:
        """Take in what a build has found, all pages being read; None: the instance is switched off.

        Raises:
            Surveyed: no more of the build is needed.
        """
        if build:
            build.pages.look_at_sources()
            self.found.append(build.survey(notices, docs_dir=self.docs_dir))
        if self.last:
            raise Surveyed


def survey(config_file: Path) -> Survey:
    """Return what the site of an mkdocs.yml declares. Nothing is bought or written.

    All plugins of the site take part, so that what they add to pages is seen, and in every language.

    Raises:
        SiteError: the site cannot be built, or does not use the plugin.
    """
    with tempfile.TemporaryDirectory(prefix="mkdocs-qhaigc-") as folder:
        try:
            config = load_config(str(config_file))
        except (ConfigurationError, OSError) as error:
            raise SiteError(f"{config_file} cannot be used: {error}") from error
        found: list[Survey] = []
        docs_dir, site_dir = Path(config.docs_dir), Path(config.site_dir)
        config.site_dir = folder

        def begin(config: MkDocsConfig) -> MkDocsConfig:
            plugins = [plugin for plugin in config.plugins.values() if isinstance(plugin, QhaigcPlugin)]
            if not plugins:
                raise SiteError(f"{config_file} does not list the plugin qhaigc. Add it under `plugins`")
            for plugin in plugins:
                plugin.surveying = Surveying(found, docs_dir, site_dir, last=plugin is plugins[-1])
            return config

        methods = config.plugins.events["config"]
        early = [method for method in methods if getattr(method, "mkdocs_priority", 0) > 0]
        methods.insert(len(early), begin)  # behind plugins that load others: Material's group
        config.plugins.on_startup(command="build", dirty=False)
        try:
            _look_at_build(config)
            _look_at_further_builds(config)
        except (Abort, MkDocsException) as error:
            raise SiteError(f"the site of {config_file} cannot be built: {error}") from error
        finally:
            config.plugins.on_shutdown()
    if not found:
        raise SiteError(f"{config_file}: the plugin qhaigc is switched off (`enabled: false`)")
    return join(found)


def _look_at_build(config: MkDocsConfig, **arguments: Any) -> None:
    """Build as MkDocs does, until the last instance of the plugin has seen every page."""
    with contextlib.suppress(Surveyed):
        build(config, **arguments)


def _look_at_further_builds(config: MkDocsConfig) -> None:
    """Let others that build the site again when it is built, once a language say, do so, and look at those builds too.

    They are known by holding MkDocs' `build`, which is ours meanwhile: theirs would write the first language's site
    before the second's, and end with the first `Surveyed`.
    """
    for event in config.plugins.events["post_build"]:
        names: dict[str, Callable[..., Any]] = getattr(event, "__globals__", {})
        theirs = {name: held for name, held in names.items() if held is build}
        if theirs:
            try:
                names.update(dict.fromkeys(theirs, _look_at_build))
                event(config=config)
            finally:
                names.update(theirs)
