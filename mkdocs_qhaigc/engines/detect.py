"""Which engine the commands build a site with: ProperDocs speaks as MkDocs once it has been imported in its place."""

from __future__ import annotations

import sys
from importlib.util import find_spec
from pathlib import Path

from mkdocs_qhaigc.errors import SiteError

CONFIG_FILES = ("mkdocs.yml", "mkdocs.yaml", "properdocs.yml", "properdocs.yaml")
"""As the engines that run plugins call a site's configuration by themselves."""
ZENSICALS = ("zensical.toml", "zensical.yml", "zensical.yaml")
"""As Zensical calls it, and as it is called beside an mkdocs.yml."""


def usual_config_file(*, zensical_first: bool = False) -> Path:
    """Return the configuration of the site in the working directory; `mkdocs.yml` where there is none.

    Where several engines have one: that of an engine which is installed.
    """
    zensical_first = zensical_first or not _installed()
    names = (*ZENSICALS, *CONFIG_FILES) if zensical_first else (*CONFIG_FILES, *ZENSICALS)
    return next((path for path in map(Path, names) if path.is_file()), Path(CONFIG_FILES[0]))


def require_config_file(config_file: Path) -> None:
    """See that there is a configuration.

    Raises:
        SiteError: there is none. The message says which names were looked for, where no other was given.
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


def use_engine_of(config_file: Path) -> None:
    """Choose what `mkdocs` means to whoever imports it: ProperDocs for `properdocs….yml`, else MkDocs; or the other one
    where one alone is installed. Once a process: what is imported stays.

    Raises:
        SiteError: none is installed.
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
    """Return the modules of those engines that run plugins and are installed."""
    return [name for name in ("mkdocs", "properdocs") if find_spec(name)]
