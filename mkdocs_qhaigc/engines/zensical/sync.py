"""`sync`: a site's images as files among its pages, for engines that run no MkDocs plugins.

Images are generated where they are missing, pinned and encoded. The folder among the pages is output only: what is in
it is never read as a source of images. Only what changed is written; only what an earlier `sync` wrote is removed.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from mkdocs_qhaigc._util.files import atomic_write, remove_parts
from mkdocs_qhaigc._util.locks import hold
from mkdocs_qhaigc.assets import asset
from mkdocs_qhaigc.config.options import Options
from mkdocs_qhaigc.engines.zensical.config import Configuration
from mkdocs_qhaigc.engines.zensical.manifest import Manifest, SyncedImage, read_files
from mkdocs_qhaigc.engines.zensical.survey import read_pages
from mkdocs_qhaigc.errors import ImageUnavailable, SiteError, StoreError
from mkdocs_qhaigc.generation.queue import GenerationQueue
from mkdocs_qhaigc.html.theme_sizes import UNKNOWN
from mkdocs_qhaigc.site.build import SiteBuild
from mkdocs_qhaigc.site.images import Pipeline
from mkdocs_qhaigc.site.resolved import ResolvedImage
from mkdocs_qhaigc.store.availability import is_lfs_pointer
from mkdocs_qhaigc.store.finder import ImageFinder
from mkdocs_qhaigc.store.record import file_stem
from mkdocs_qhaigc.store.transfer import copy_into

STYLESHEET = asset("qhaigc.css")
Warn = Callable[[str], None]
_WAIT = 600.0
"""Seconds to wait for another `sync` into the same folder, which may be generating images."""


@dataclass(frozen=True, slots=True)
class Synced:
    """The result of one `sync`."""

    images: tuple[ResolvedImage, ...]
    """All that the site declares, in its order, each once."""
    pinned: tuple[Path, ...]
    """Images that were copied into the pins."""
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


def sync(site: Configuration, *, queue: GenerationQueue, warn: Warn, pin: bool = True) -> Synced:
    """Write the images of a site into `site.images_dir`, and `pin` them. `warn` is given what a build would warn of.

    Raises:
        SiteError: the pages cannot be read, or the folder cannot be written.
        MissingImages: some are, and `missing: error` forbids to go on.
        ImageUnavailable: some are paid for, and are not here.
        QhaigcError: a cache cannot be used.
    """
    folder = site.images_dir
    try:
        site.options.cache.prepare()
        with hold(site.options.cache.locks, "sync", seconds=_WAIT):
            folder.mkdir(parents=True, exist_ok=True)
            remove_parts(folder)
            return _sync(site, folder, queue=queue, warn=warn, pin=pin)
    except TimeoutError as error:
        raise SiteError(f"another `mkdocs-qhaigc sync` has been writing into {folder} for too long") from error
    except OSError as error:
        raise SiteError(f"{error.filename or folder} cannot be written ({error.strerror or error})") from error


def _sync(site: Configuration, folder: Path, *, queue: GenerationQueue, warn: Warn, pin: bool) -> Synced:
    before = read_files(folder) or Manifest(Path())
    finder = ImageFinder(site.options)
    pipeline = Pipeline(site.options, finder=finder, open_buyer=lambda: queue, report=warn)
    build = SiteBuild(site.options, pipeline, site_url=lambda: site.site_url, column=lambda _: UNKNOWN, warn=warn)
    try:
        files = _settle(site, build, pipeline)
        images = pipeline.images()
        pinned = _pin(images, site.options, warn=warn, pin=pin)
        if files and _may_write(STYLESHEET.name, STYLESHEET.read_bytes(), folder, before.files, warn=warn):
            files[STYLESHEET.name] = STYLESHEET
        manifest = Manifest(
            site.file,
            {image.order.request.key: SyncedImage(image.drawn, image.colour) for image in images},
            look=site.look,
        )
        if files.keys() - before.files.keys():  # first: whatever ends this, the next run knows what it may remove
            owned = {**dict.fromkeys(files, ""), **before.files}
            Manifest(site.file, {**manifest.images, **before.images}, owned, site.look).save(folder)
        digests, written = _write(files, folder)
    finally:
        pipeline.close(whole=True)
    unused = {name: digest for name, digest in before.files.items() if name not in files}
    problems = tuple(message for message, kind in build.told.items() if kind == "directive")
    removed: list[str] = []
    kept: list[str] = []
    if problems:  # what seems unused may be of the directives that cannot be used
        Manifest(site.file, {**before.images, **manifest.images}, {**unused, **digests}, site.look).save(folder)
    else:
        removed, kept = _remove(folder, unused)
        Manifest(site.file, manifest.images, digests, site.look).save(folder)
    if removed and before.config not in site.files and before.config.is_file():
        warn(
            f"{folder} held the images of {before.config} until now, and those that {site.file} does not use were "
            "removed. If both are built, give each a folder of its own by `--out`"
        )
    unchanged = len(files) - len(written)
    return Synced(tuple(images), pinned, tuple(written), tuple(removed), tuple(kept), unchanged, problems)


def _settle(site: Configuration, build: SiteBuild, pipeline: Pipeline) -> dict[str, Path]:
    """Return the encoded files of all images, by name, once each image is there or cannot be had."""
    if not site.options.enabled:
        return {}
    read_pages(site, build.pages)
    build.settle(wait=True)
    for image in pipeline.images():
        if isinstance(image.reason, ImageUnavailable):
            raise image.reason  # no placeholder replaces what is paid for and can be fetched
    return {PurePosixPath(uri).name: Path(path) for uri, path in build.files().items()}


def _pin(images: Iterable[ResolvedImage], options: Options, *, warn: Warn, pin: bool) -> tuple[Path, ...]:
    """Copy images that are in the cache alone into the pins; return where they are then.

    Raises:
        TimeoutError: another process is changing the pins.
        OSError: the lock cannot be held.
    """
    cached = [image for image in images if image.original and image.state != "pinned"]
    if cached and not pin:
        warn(
            f"{len(cached)} of the images are not pinned (`--no-pin`): where {options.cache_dir} is not, another "
            "machine say, they are generated again. Run `mkdocs-qhaigc pin`, and commit the pins"
        )
    if not cached or not pin:
        return ()
    pinned = []
    with hold(options.cache.locks, "pins", seconds=options.timeout + 5):
        for image in cached:
            assert image.original
            stem = file_stem(image.order.name, image.order.request.key)
            if is_lfs_pointer(options.pins_dir / f"{stem}{image.original.path.suffix}"):
                continue  # it is pinned, and not fetched
            try:
                pinned.append(copy_into(image.original, options.pins_dir, stem))
            except StoreError as error:
                warn(f"{image.order.where} is not pinned: {error}")
    return tuple(pinned)


def _write(files: Mapping[str, Path], folder: Path) -> tuple[dict[str, str], list[str]]:
    """Write what differs; return the digest of every file, and the names of those that were written."""
    digests, written = {}, []
    for name, source in sorted(files.items()):
        data = source.read_bytes()
        digests[name] = hashlib.sha256(data).hexdigest()
        if not _holds(folder / name, data):
            atomic_write(folder / name, data)
            written.append(name)
    return digests, written


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


def _remove(folder: Path, unused: Mapping[str, str]) -> tuple[list[str], list[str]]:
    """Remove what was written and is no longer used; return it, and what somebody has changed since."""
    removed, kept = [], []
    for name, digest in sorted(unused.items()):
        path = folder / name
        if not path.exists():
            continue
        if digest and not is_lfs_pointer(path) and hashlib.sha256(path.read_bytes()).hexdigest() != digest:
            kept.append(name)
        else:
            path.unlink()
            removed.append(name)
    return removed, kept
