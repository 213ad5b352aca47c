"""The caches that a site may have had: another engine keeps what was bought in another folder, and may delete it."""

from __future__ import annotations

import shlex
from pathlib import Path

from mkdocs_qhaigc.config.option_table import CACHE
from mkdocs_qhaigc.errors import OptionError

LASTING_CACHE = ".qhaigc"
"""`cache_dir` of a zensical.toml that names none: `zensical build --clean` deletes all of `.cache`."""


def other_caches(cache: Path, folder: Path) -> list[Path]:
    """Return what may have been a site's cache before: that of MkDocs where none is named, and that of Zensical.

    `folder` is where its configuration stands, here and below.
    """
    return [other for other in (folder / CACHE, folder / LASTING_CACHE) if other.resolve() != cache.resolve()]


def require_lasting(cache: Path, folder: Path) -> None:
    """Refuse to buy for Zensical into what that deletes, or beside what was bought there for MkDocs.

    Raises:
        OptionError: what there is has to be copied first.
    """
    lasting, deleted = folder / LASTING_CACHE, folder / ".cache"
    if deleted.resolve() in cache.resolve().parents:
        raise OptionError(
            "cache_dir",
            f"`zensical build --clean` deletes {deleted}, and with it every image that was bought. Write "
            f"`cache_dir: {LASTING_CACHE}`{_and_copy(cache, lasting)}",
        )
    bought = folder / CACHE
    if _has_images(bought) and not _has_images(cache):
        raise OptionError(
            "cache_dir",
            f"it has no images, and {bought} has, where MkDocs keeps them: they would be bought again, and "
            f"`zensical build --clean` deletes them. Write this `cache_dir` into mkdocs.yml{_and_copy(bought, cache)}",
        )


def copy_command(cache: Path, other: Path) -> str:
    """Return what copies a cache into another one, and writes over no image that was bought there."""
    source, target = (shlex.quote(str(path)) for path in (cache, other))
    return f"mkdir -p {target} && cp {'-Rn' if _has_images(other) else '-R'} {source}/. {target}"


def _has_images(cache: Path) -> bool:
    """Whether a cache has images that were bought."""
    return any((cache / "originals").glob("*.json"))


def _and_copy(cache: Path, lasting: Path) -> str:
    """Return what else there is to do where a cache has images."""
    return f", and copy what there is: {copy_command(cache, lasting)}" if _has_images(cache) else ""
