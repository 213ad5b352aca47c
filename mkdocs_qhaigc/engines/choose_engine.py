"""Tells which engine a site is for, MkDocs, ProperDocs or Zensical, and where its configuration usually is.

ProperDocs has the name `mkdocs` once it has replaced MkDocs.
"""

from __future__ import annotations

import sys
from importlib.util import find_spec
from pathlib import Path

from mkdocs_qhaigc.engines.zensical.config import names_our_extension
from mkdocs_qhaigc.errors import SiteError

CONFIG_FILES = ("mkdocs.yml", "mkdocs.yaml", "properdocs.yml", "properdocs.yaml")
"""Names of a site's configuration that engines with plugins look for."""
ZENSICALS = ("zensical.toml", "zensical.yml", "zensical.yaml")
"""Names of a site's configuration for Zensical; the last two are usual beside an mkdocs.yml."""


def usual_config_file(*, zensical_first: bool = False) -> Path:
    """Return the configuration of the site in the working directory; `mkdocs.yml` if there is none.

    If several engines have one, that of an installed engine.
    """
    zensical_first = zensical_first or not _installed()
    names = (*ZENSICALS, *CONFIG_FILES) if zensical_first else (*CONFIG_FILES, *ZENSICALS)
    return next((path for path in map(Path, names) if path.is_file()), Path(CONFIG_FILES[0]))


def require_config_file(config_file: Path) -> None:
    """Require that a configuration exists.

    Raises:
        SiteError: it does not. The message lists the usual names, unless another one was given.
    """
    if config_file.exists():
        return
    names = (*CONFIG_FILES, *ZENSICALS)
    if any(Path(name).is_file() for name in names) or str(config_file) not in names:
        raise SiteError(f"{config_file} does not exist. Name the site's configuration: -f FOLDER/mkdocs.yml")
    others = ", ".join(name for name in names if name.endswith((".yml", ".toml")) and name != CONFIG_FILES[0])
    raise SiteError(
        f"{Path.cwd()} has no {CONFIG_FILES[0]}, nor any of {others}. Go to the folder of the site's configuration, or "
        f"name it: -f FOLDER/{CONFIG_FILES[0]}"
    )


def is_zensicals(config_file: Path) -> bool:
    """Return whether a configuration is Zensical's: a zensical.toml, or one that names our Markdown extension.

    Raises:
        SiteError: it cannot be read.
    """
    return config_file.suffix == ".toml" or (config_file.is_file() and names_our_extension(config_file))


def use_engine_of(config_file: Path) -> None:
    """Choose the engine that `import mkdocs` gives: ProperDocs for `properdocs….yml`, else MkDocs; or the only
    installed one. It can be chosen once in a process, because imported modules stay.

    Raises:
        SiteError: no engine is installed.
    """
    if "mkdocs" in sys.modules:
        return
    installed = _installed()
    if not installed:
        raise SiteError(
            f"{config_file} cannot be read, for no engine is installed: "
            "`pip install 'mkdocs-qhaigc[mkdocs]'` or `pip install 'mkdocs-qhaigc[properdocs]'`"
        )
    wanted = "properdocs" if config_file.name.startswith("properdocs") else "mkdocs"
    if wanted not in installed:
        (wanted,) = installed
    if wanted == "properdocs":
        import properdocs.replacement  # noqa: F401 - its import is its effect


def _installed() -> list[str]:
    """Return the modules of the installed engines that run plugins."""
    return [name for name in ("mkdocs", "properdocs") if find_spec(name)]
