"""What a site of MkDocs declares: found by a whole build into a temporary folder. Nothing is generated or encoded."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass, field
from pathlib import Path

from mkdocs.commands.build import build
from mkdocs.config import load_config
from mkdocs.config.defaults import MkDocsConfig
from mkdocs.exceptions import Abort, ConfigurationError, MkDocsException

from mkdocs_qhaigc.engines.mkdocs.plugin import QhaigcPlugin
from mkdocs_qhaigc.errors import SiteError
from mkdocs_qhaigc.site.build import SiteBuild
from mkdocs_qhaigc.site.survey import Survey, join


@dataclass(frozen=True, slots=True)
class DryRun:
    """Builds that generate, encode and write nothing: commands look at them."""

    docs_dir: Path
    """Where authors write; a plugin may make the site of copies."""
    site_dir: Path
    """Where the site is built otherwise."""
    builds: list[tuple[SiteBuild, list[str]]] = field(default_factory=list)
    """Each build, and what it has warned of: a plugin may build a site once for each language."""

    def surveys(self) -> list[Survey]:
        """Return what each of the builds has found. For builds that have ended."""
        for one, _ in self.builds:
            one.pages.look_at_sources()
        return [one.survey(notices, docs_dir=self.docs_dir) for one, notices in self.builds]


def survey(config_file: Path) -> Survey:
    """Return what the site of an mkdocs.yml declares. Nothing is generated, and nothing written into the project.

    All plugins of the site take part, so that what they add to pages is seen, and in every language.

    Raises:
        SiteError: the site cannot be built, or does not use the plugin.
    """
    with tempfile.TemporaryDirectory(prefix="mkdocs-qhaigc-") as folder:
        try:
            config = load_config(str(config_file))
        except (ConfigurationError, OSError) as error:
            raise SiteError(f"{config_file} cannot be used: {error}") from error
        dry_run = DryRun(Path(config.docs_dir), Path(config.site_dir))
        config.site_dir = folder

        def begin(config: MkDocsConfig) -> MkDocsConfig:
            plugins = [plugin for plugin in config.plugins.values() if isinstance(plugin, QhaigcPlugin)]
            if not plugins:
                raise SiteError(f"{config_file} does not list the plugin qhaigc. Add it under `plugins`")
            for plugin in plugins:
                plugin.dry_run = dry_run
            return config

        methods = config.plugins.events["config"]
        early = [method for method in methods if getattr(method, "mkdocs_priority", 0) > 0]
        methods.insert(len(early), begin)  # behind plugins that load others: Material's group
        config.plugins.on_startup(command="build", dirty=False)
        try:
            build(config)
            found = dry_run.surveys()
        except (Abort, MkDocsException) as error:
            raise SiteError(f"the site of {config_file} cannot be built: {error}") from error
        finally:
            config.plugins.on_shutdown()
    if not found:
        raise SiteError(f"{config_file}: the plugin qhaigc is switched off (`enabled: false`)")
    return join(found)
