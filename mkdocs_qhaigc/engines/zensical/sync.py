"""A site's images as files among its pages: bought where they are missing, encoded, and nothing else touched.

For engines that run no MkDocs plugins. Only what changed is written; only what was written before is removed.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from mkdocs_qhaigc._util.files import atomic_write, remove_parts
from mkdocs_qhaigc._util.locks import hold
from mkdocs_qhaigc.assets import asset
from mkdocs_qhaigc.config.options import Options
from mkdocs_qhaigc.engines.zensical.config import Configuration
from mkdocs_qhaigc.engines.zensical.manifest import Written, WrittenImage, read_remains
from mkdocs_qhaigc.engines.zensical.survey import read_pages
from mkdocs_qhaigc.errors import ImageUnavailable, LfsPointer, SiteError
from mkdocs_qhaigc.generation.queue import GenerationQueue
from mkdocs_qhaigc.html.theme_sizes import UNKNOWN
from mkdocs_qhaigc.imaging.renditions import publish
from mkdocs_qhaigc.site.build import SiteBuild
from mkdocs_qhaigc.site.images import Pipeline
from mkdocs_qhaigc.site.laying_away import lay_away
from mkdocs_qhaigc.site.resolved import ResolvedImage
from mkdocs_qhaigc.site.sources import ImageFinder
from mkdocs_qhaigc.store.availability import is_lfs_pointer
from mkdocs_qhaigc.store.image_store import ImageStore, cache_folder

STYLESHEET = asset("qhaigc.css")
Warn = Callable[[str], None]
_WAIT = 600.0
"""Seconds to wait for another `sync` into the same folder, which may be buying."""


@dataclass(frozen=True, slots=True)
class Synced:
    """What became of a folder."""

    images: tuple[ResolvedImage, ...]
    """All that the site declares, in its order, each once."""
    written: tuple[str, ...]
    """Names of files that are new or have other bytes."""
    removed: tuple[str, ...]
    kept: tuple[str, ...]
    """Names of files that are no longer used, and were changed by somebody else."""
    unchanged: int
    problems: tuple[str, ...]
    """Directives that cannot be used."""

    @property
    def missing(self) -> list[ResolvedImage]:
        """Those for which a placeholder was written."""
        return [image for image in self.images if image.state == "placeholder"]


def sync(site: Configuration, *, buyer: GenerationQueue, warn: Warn) -> Synced:
    """Write the images of a site into `site.images_dir`. `warn` is told what a build would warn of.

    Raises:
        SiteError: the pages cannot be read, or the folder not be written.
        MissingImages: some are, and `missing: error` forbids to go on.
        ImageUnavailable: some are paid for, and are not here.
        QhaigcError: a cache cannot be used.
    """
    folder = site.images_dir
    try:
        with hold(site.options.cache_dir / "locks", "sync", seconds=_WAIT):
            folder.mkdir(parents=True, exist_ok=True)
            return _sync(site, folder, buyer=buyer, warn=warn)
    except TimeoutError as error:
        raise SiteError(f"another `mkdocs-qhaigc sync` has been writing into {folder} for too long") from error
    except OSError as error:
        raise SiteError(f"{error.filename or folder} cannot be written ({error.strerror or error})") from error


def _sync(site: Configuration, folder: Path, *, buyer: GenerationQueue, warn: Warn) -> Synced:
    remove_parts(folder)
    before = read_remains(folder)
    files_before = before.files if before else {}
    sources = ImageFinder(site.options, folder=folder, report=warn)
    pipeline = Pipeline(site.options, sources=sources, open_buyer=lambda: buyer, report=warn)
    build = SiteBuild(site.options, pipeline, site_url=lambda: site.site_url, column=lambda _: UNKNOWN, warn=warn)
    try:
        if site.options.enabled:
            read_pages(site, build.pages)
            build.settle(wait=True)
            for image in pipeline.images():
                if isinstance(image.reason, ImageUnavailable):
                    raise image.reason  # no placeholder takes the place of what is merely elsewhere
        files = {PurePosixPath(uri).name: Path(path) for uri, path in build.files().items()}
        made_of_these = any(image.state == "published" for image in pipeline.images())
        if made_of_these and any(is_lfs_pointer(folder / name) for name in files):
            raise LfsPointer(folder)  # nor does what is encoded once more, of the files that are here
        if files and _may_write(STYLESHEET.name, STYLESHEET.read_bytes(), folder, files_before, warn=warn):
            files[STYLESHEET.name] = STYLESHEET
        images = {
            image.order.request.key: WrittenImage(
                image.drawn,
                image.colour,
                _best_file(image, site.options, files),
                sandbox=image.original is not None and image.original.sandbox,
            )
            for image in pipeline.images()
        }
        written, unchanged, digests = [], 0, {}
        look, images_before = site.look, before.images if before else {}
        if before is None or files.keys() - files_before.keys():
            # Before any of them: whatever ends this, the next run knows what it may remove, and finds what there was.
            owned = {**files_before, **dict.fromkeys(files, "")}
            Written(site.file, {**images, **images_before}, owned, look).save(folder)
        for name, source in sorted(files.items()):
            data = source.read_bytes()
            digests[name] = hashlib.sha256(data).hexdigest()
            if _holds(folder / name, data):
                unchanged += 1
            else:
                atomic_write(folder / name, data)
                written.append(name)
        problems = tuple(message for message, kind in build.told.items() if kind == "directive")
        unused = {name: digest for name, digest in files_before.items() if name not in files}
        removed: tuple[str, ...] = ()
        kept: tuple[str, ...] = ()
        if unused or problems:
            Written(site.file, {**images_before, **images}, {**unused, **digests}, look).save(folder)
        if not problems:  # else what seems unused may be of the directives that cannot be used
            if before and unused:
                libraries = sources.pins, ImageStore(cache_folder(site.options, sandbox=False))
                lay_away(
                    folder,
                    before,
                    unused.keys(),
                    site.options,
                    has_original=lambda key: any(_has_original(library, key) for library in libraries),
                )
            removed, kept = _remove(folder, unused)
            Written(site.file, images, digests, look).save(folder)
    finally:
        pipeline.close(whole=True)
    if removed and before and before.config not in site.files and before.config.is_file():
        warn(
            f"{folder} held the images of {before.config} until now, and those that {site.file} does not use were "
            "removed. Where both are built, give each a folder of its own by `--out`"
        )
    return Synced(tuple(pipeline.images()), tuple(written), removed, kept, unchanged, problems)


def _best_file(image: ResolvedImage, options: Options, files: Mapping[str, Path]) -> str | None:
    """Return the name of the file that tells most of an image; None where it is a placeholder."""
    if image.original is None:
        return None
    publication = publish(
        name=image.order.name,
        key=image.order.request.key,
        drawn=image.drawn,
        encoding=options.encoding,
        assets_dir=options.assets_dir,
    )
    widest = [variant for variant in publication.variants if variant.spec.width == publication.width]
    formats = {PurePosixPath(variant.dest_uri).name: variant.spec.format for variant in widest}

    def worth(name: str) -> tuple[bool, bool, int]:
        """Whether it has lost nothing, whether what shines through does so still, and its bytes."""
        opaque = formats[name] == "jpeg" and image.colour is None
        return formats[name] == "png", not opaque, files[name].stat().st_size

    return max((name for name in formats if name in files), key=worth, default=None)


def _may_write(name: str, data: bytes, folder: Path, before: Mapping[str, str], *, warn: Warn) -> bool:
    """Whether a file whose name others may use too is ours to write: not where somebody has put another one there."""
    if name in before or not (folder / name).exists() or _holds(folder / name, data):
        return True
    warn(f"{folder / name} was there before, and is kept. Remove it to have the one that comes with the images")
    return False


def _holds(path: Path, data: bytes) -> bool:
    try:
        return path.stat().st_size == len(data) and path.read_bytes() == data
    except FileNotFoundError:
        return False


def _has_original(library: ImageStore, key: str) -> bool:
    return any(not one.sandbox and one.read_if_whole() is not None for one in library.find_all(key))


def _remove(folder: Path, unused: Mapping[str, str]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Remove what was written and is no longer used; return it, and what somebody has changed since."""
    removed, kept = [], []
    for name, digest in sorted(unused.items()):
        path = folder / name
        if not path.exists():
            continue
        if digest and hashlib.sha256(path.read_bytes()).hexdigest() != digest:
            kept.append(name)
        else:
            path.unlink()
            removed.append(name)
    return tuple(removed), tuple(kept)
