"""A site's pictures as MkDocs sees them: a build of the site that ends before anything is written."""

from __future__ import annotations

import tempfile
from pathlib import Path

from mkdocs.commands.build import build
from mkdocs.config import load_config
from mkdocs.config.defaults import MkDocsConfig
from mkdocs.exceptions import Abort, ConfigurationError, MkDocsException

from mkdocs_qhaigc.errors import SiteError
from mkdocs_qhaigc.plugin import QhaigcPlugin, Surveyed
from mkdocs_qhaigc.survey import Survey


def survey(config_file: Path) -> list[Survey]:
    """Return what each instance of the plugin in an mkdocs.yml declares: one, as a rule. Nothing is bought or written.

    All plugins of the site take part, so that what they add to pages is seen.

    Raises:
        SiteError: the site cannot be built, or does not use the plugin.
    """
    with tempfile.TemporaryDirectory(prefix="mkdocs-qhaigc-") as folder:
        try:
            config = load_config(str(config_file), site_dir=folder)
        except (ConfigurationError, OSError) as error:
            raise SiteError(f"{config_file} cannot be used: {error}") from error
        found: list[Survey] = []

        def begin(config: MkDocsConfig) -> MkDocsConfig:
            plugins = [plugin for plugin in config.plugins.values() if isinstance(plugin, QhaigcPlugin)]
            if not plugins:
                raise SiteError(f"{config_file} does not list the plugin qhaigc. Add it under `plugins`")
            for plugin in plugins:
                plugin.survey_into(found, of=len(plugins))
            return config

        methods = config.plugins.events["config"]
        early = [method for method in methods if getattr(method, "mkdocs_priority", 0) > 0]
        methods.insert(len(early), begin)  # behind plugins that load others: Material's group
        config.plugins.on_startup(command="build", dirty=False)
        try:
            build(config)
        except Surveyed:
            return found
        except (Abort, MkDocsException) as error:
            raise SiteError(f"the site of {config_file} cannot be built: {error}") from error
        finally:
            config.plugins.on_shutdown()
    raise SiteError(f"{config_file}: the plugin qhaigc is switched off (`enabled: false`)")
