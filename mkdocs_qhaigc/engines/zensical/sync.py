"""`sync`: writes a site's images as files among its pages, for engines that run no MkDocs plugins.

Missing images are generated; then all are pinned and encoded. The folder among the pages is output only: images are
never read from it. Only files that differ are written, and only files of an earlier `sync` are removed.
"""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from mkdocs_qhaigc._util.files import atomic_write, remove_parts, unwritable
from mkdocs_qhaigc._util.locks import hold
from mkdocs_qhaigc.assets import asset
from mkdocs_qhaigc.config.options import Options
from mkdocs_qhaigc.engines.zensical.config import Configuration, replaced_by_inherit
from mkdocs_qhaigc.engines.zensical.manifest import Manifest, SyncedImage, read_files
from mkdocs_qhaigc.engines.zensical.survey import read_pages
from mkdocs_qhaigc.errors import ImageUnavailable, SiteError, StoreError
from mkdocs_qhaigc.generation.queue import GenerationQueue
from mkdocs_qhaigc.html.theme_sizes import UNKNOWN
from mkdocs_qhaigc.site.build import SiteBuild
from mkdocs_qhaigc.site.image_pipeline import ResolvedImage, SiteImages
from mkdocs_qhaigc.store.local_finder import ImageFinder
from mkdocs_qhaigc.store.move_between_pins_and_cache import copy_into
from mkdocs_qhaigc.store.record import file_stem
from mkdocs_qhaigc.store.version_control_pointers import is_lfs_pointer

log = logging.getLogger(__name__)
STYLESHEET = asset("qhaigc.css")
_WAIT = 600.0
"""Seconds to wait for another `sync` into the same folder, which may be generating images."""


@dataclass(frozen=True, slots=True)
class Synced:
    """The result of one `sync`."""

    images: tuple[ResolvedImage, ...]
    """All that the site declares, in its order, each image once."""
    shown: Mapping[str, str]
    """The file that every browser can show, at its widest, by `PAGE#NAME`."""
    pinned: tuple[Path, ...]
    """New files in the pins."""
    written: tuple[str, ...]
    """Names of files that are new or have other bytes."""
    removed: tuple[str, ...]
    kept: tuple[str, ...]
    """Names of files that are no longer used, and that somebody else has changed."""
    unchanged: int
    problems: tuple[str, ...]
    """Warnings of directives that cannot be used."""

    @property
    def reference_files(self) -> set[Path]:
        """The files that are reference images of these images."""
        references = (one for image in self.images for one in image.job.request.references)
        return {Path(one.path) for one in references if one.path}

    @property
    def missing(self) -> list[ResolvedImage]:
        """The images for which a placeholder was written."""
        return [image for image in self.images if image.state == "placeholder"]


def sync(site: Configuration, *, queue: GenerationQueue, pin: bool = True) -> Synced:
    """Write the images of a site into `site.images_dir`, and `pin` them.

    Raises:
        SiteError: the pages cannot be read, or the folder cannot be written.
        MissingImages: some are missing, and `missing: error` forbids placeholders.
        ImageUnavailable: some are paid for and not on this machine.
        QhaigcError: a cache cannot be used.
    """
    folder = site.images_dir
    try:
        with _alone(site.options, "sync", seconds=_WAIT):
            folder.mkdir(parents=True, exist_ok=True)
            remove_parts(folder)
            return _sync(site, folder, queue=queue, pin=pin)
    except TimeoutError as error:
        raise SiteError(f"another `mkdocs-qhaigc sync` has been writing into {folder} for too long") from error
    except OSError as error:
        raise SiteError(unwritable(error.filename2 or folder, error, "assets_dir")) from error


@contextmanager
def _alone(options: Options, name: str, *, seconds: float) -> Iterator[None]:
    """Hold a lock against other processes.

    Raises:
        TimeoutError: another one still holds it.
        SiteError: the cache cannot be written.
    """
    with ExitStack() as held:
        try:
            options.cache.prepare()
            held.enter_context(hold(options.cache.locks, name, seconds=seconds))
        except TimeoutError:
            raise
        except OSError as error:
            raise SiteError(unwritable(options.cache.locks, error, "cache_dir")) from error
        yield


def _sync(site: Configuration, folder: Path, *, queue: GenerationQueue, pin: bool) -> Synced:
    if site.zensical:
        _warn_of_replaced(site.file)
    before = read_files(folder) or Manifest(Path())
    finder = ImageFinder(site.options)
    images = SiteImages(site.options, finder=finder, open_queue=lambda: queue, open_shared=lambda: queue.shared)
    build = SiteBuild(
        site.options, images, site_url=lambda: site.site_url, column=lambda _: UNKNOWN, language=lambda: site.language
    )
    try:
        names = _settle(site, build, images)
        style = bool(names) and _may_write(STYLESHEET.name, STYLESHEET.read_bytes(), folder, before.files)
        if style:
            names.add(STYLESHEET.name)
        if names - before.files.keys():  # first: if this run is killed, the next one knows what it may remove
            owned = {**dict.fromkeys(names, ""), **before.files}
            Manifest(site.file, {**_synced(images), **before.images}, owned, site.look).save(folder)
        written = _Written(folder)
        shown: dict[str, str] = {}
        for published, image in build.pages.files.published():  # on pages first, then in link previews
            shown.setdefault(image.job.where, PurePosixPath(published.renditions[-1].dest_uri).name)
        if names:
            build.deliver(written.write)
        if style:
            written.write(STYLESHEET.name, str(STYLESHEET))
        pinned = _pin(images.images(), site.options, pin=pin)  # last: `deliver` may have replaced a damaged image
    finally:
        images.close(whole=True)
    problems = tuple(message for message, kind in build.pages.warnings.kinds.items() if kind == "directive")
    unused = {name: digest for name, digest in before.files.items() if name not in written.digests}
    removed: list[str] = []
    kept: list[str] = []
    if problems:  # a directive that cannot be used may be the one that needs a file which seems unused
        content = Manifest(site.file, {**before.images, **_synced(images)}, {**unused, **written.digests}, site.look)
    else:
        removed, kept = _remove(folder, unused)
        content = Manifest(site.file, _synced(images), written.digests, site.look)
    content.save(folder)
    if removed and before.config not in site.files and before.config.is_file():
        log.warning(
            "%s held the images of %s until now, and those that %s does not use were removed. If both are built, "
            "give each a folder of its own by `--out`",
            folder,
            before.config,
            site.file,
        )
    return Synced(
        images=tuple(images.images()),
        shown=shown,
        pinned=pinned,
        written=tuple(sorted(written.changed)),
        removed=tuple(removed),
        kept=tuple(kept),
        unchanged=len(written.digests) - len(written.changed),
        problems=problems,
    )


def _warn_of_replaced(file: Path) -> None:
    """Warn of Markdown extensions and plugins that pages are rendered without, because of the form of a list."""
    for replaced in replaced_by_inherit(file):
        own, there = ("list", "mapping") if replaced.was_mapping else ("mapping", "list")
        written, wanted = ("- name", "name: {}") if replaced.was_mapping else ("name: {}", "- name")
        log.warning(
            "%s: `%s` is a %s here and a %s in %s, which Zensical replaces: the site is built without %s. Write it as "
            "a %s here, too: `%s` becomes `%s`",
            file.name,
            replaced.key,
            own,
            there,
            replaced.file,
            ", ".join(replaced.lost),
            there,
            written,
            wanted,
        )


def _settle(site: Configuration, build: SiteBuild, images: SiteImages) -> set[str]:
    """Return the names of the files of all images, once each image is there or cannot be had."""
    if not site.options.enabled:
        return set()
    read_pages(site, build.pages)
    build.settle(wait=True)
    for image in images.images():
        if isinstance(image.reason, ImageUnavailable):
            raise image.reason  # no placeholder replaces an image that is paid for and can be fetched
    return {PurePosixPath(dest_uri).name for dest_uri in build.files()}


def _synced(images: SiteImages) -> dict[str, SyncedImage]:
    """Return the images for the manifest, by key."""
    return {image.job.request.key: SyncedImage(image.source, image.colour) for image in images.images()}


def _pin(images: Iterable[ResolvedImage], options: Options, *, pin: bool) -> tuple[Path, ...]:
    """Copy images that only the cache has into the pins; return their new paths.

    Raises:
        TimeoutError: another process is changing the pins.
        SiteError: the cache cannot be written.
    """
    cached = [image for image in images if image.stored and image.state != "pinned"]
    if cached and not pin and not options.shared_writable:
        log.warning(
            "%d of the images are not pinned (`--no-pin`): without %s, on another machine for example, they are "
            "generated again. Run `mkdocs-qhaigc pin`, and commit the pins",
            len(cached),
            options.cache_dir,
        )
    if not cached or not pin:
        return ()
    pinned = []
    with _alone(options, "pins", seconds=options.timeout + 5):
        for image in cached:
            assert image.stored
            stem = file_stem(image.job.name, image.job.request.key)
            if is_lfs_pointer(options.pins_dir / f"{stem}{image.stored.path.suffix}"):
                continue  # it is pinned, and not fetched
            try:
                pinned.append(copy_into(image.stored, options.pins_dir, stem))
            except StoreError as error:
                log.warning("%s is not pinned: %s", image.job.where, error)
    return tuple(pinned)


class _Written:
    """The files that one `sync` has put into its folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.digests: dict[str, str] = {}
        """By name: the sha256 of the bytes."""
        self.changed: list[str] = []
        """Names of those that are new or had other bytes."""

    def write(self, dest_uri: str, path: str) -> None:
        """Copy a file to its name in the folder, if that has other bytes.

        Raises:
            FileNotFoundError: there is nothing at `path`.
        """
        name, data = PurePosixPath(dest_uri).name, Path(path).read_bytes()
        self.digests[name] = hashlib.sha256(data).hexdigest()
        if not _has_bytes(self._folder / name, data):
            atomic_write(self._folder / name, data)
            self.changed.append(name)


def _may_write(name: str, data: bytes, folder: Path, before: Mapping[str, str]) -> bool:
    """Return whether a file may be written whose name an author may use too: not over an author's own."""
    if name in before or not (folder / name).exists() or _has_bytes(folder / name, data):
        return True
    log.warning("%s was there before, and is kept. Remove it to have the one that comes with the images", folder / name)
    return False


def _has_bytes(path: Path, data: bytes) -> bool:
    try:
        return path.stat().st_size == len(data) and path.read_bytes() == data
    except FileNotFoundError:
        return False


def _remove(folder: Path, unused: Mapping[str, str]) -> tuple[list[str], list[str]]:
    """Remove files that are no longer used. Return their names, and those of files that somebody else has changed."""
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
