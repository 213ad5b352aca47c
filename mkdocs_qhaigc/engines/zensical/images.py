"""The images that `sync` has written, for pages that Zensical renders. Generates nothing."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from mkdocs_qhaigc._util.files import within
from mkdocs_qhaigc.directives.request import ImageRequest
from mkdocs_qhaigc.engines.zensical.config import Configuration, read_configuration
from mkdocs_qhaigc.engines.zensical.manifest import MANIFEST, Manifest, read_manifest
from mkdocs_qhaigc.errors import NotSynced
from mkdocs_qhaigc.generation.job import ImageJob
from mkdocs_qhaigc.imaging.renditions import PublishedImage
from mkdocs_qhaigc.site.resolved import ResolvedImage, State, asked_for, placeholder


@dataclass(frozen=True, slots=True)
class SyncedFolder:
    """A folder that `sync` has written."""

    path: Path
    site: Configuration
    manifest: Manifest
    stamp: tuple[int, ...]
    """When the manifest and the site's configuration were written."""

    @property
    def shown(self) -> str:
        """Its path, relative to the working directory."""
        return within(self.path, Path.cwd())

    def has(self, publication: PublishedImage) -> bool:
        """Whether every file of an image was written, and is there."""
        names = [Path(rendition.dest_uri).name for rendition in publication.renditions]
        return all(name in self.manifest.files and (self.path / name).exists() for name in names)


def read_folder(path: Path, known: SyncedFolder | None) -> SyncedFolder:
    """Return a folder that `sync` has written, read anew if it or the site's configuration has changed.

    Raises:
        NotSynced: nothing was written there.
        SiteError: the configuration or the manifest cannot be read.
    """
    if known is not None and known.stamp == _stamp(path, known.site.files):
        return known
    manifest = read_manifest(path)
    if manifest is None:
        shown = within(path, Path.cwd())
        raise NotSynced(
            f"{shown} holds no images yet. Run `mkdocs-qhaigc sync --out {shown}`; if it writes into another folder, "
            "name that for the Markdown extension: `mkdocs_qhaigc.markdown: {out: …}`"
        )
    site = read_configuration(manifest.config).publishing_to(path)
    return SyncedFolder(path, site, manifest, _stamp(path, site.files))


@dataclass(slots=True)
class SyncedImages:
    """The images of one page, in the place of a build's pipeline."""

    manifest: Manifest
    known: dict[str, ResolvedImage] = field(default_factory=dict)
    """By key: those that the page declares or shows."""
    _stand_ins: dict[str, ResolvedImage] = field(default_factory=dict)
    """By key: placeholders for what nobody declared."""

    def want(self, order: ImageJob) -> ResolvedImage:
        """Return what is known of an image."""
        found = self.manifest.images.get(order.request.key)
        if found is None:
            image = asked_for(order)
        else:
            state: State = "placeholder" if found.source.placeholder else "cached"
            image = ResolvedImage(order, state, found.source, colour=found.colour)
        return self.known.setdefault(order.request.key, image)

    def want_card(self, request: ImageRequest, crop: object) -> None:
        """Cards are written as other files are."""

    def image(self, request: ImageRequest) -> ResolvedImage:
        """Return what is known of an image that was wanted."""
        return self.known.get(request.key) or self._stand_ins[request.key]

    def stand_in(self, order: ImageJob) -> ResolvedImage:
        """Return a placeholder for what nobody declared."""
        return self._stand_ins.setdefault(order.request.key, placeholder(order))


def _stamp(path: Path, config: Iterable[Path]) -> tuple[int, ...]:
    """Return when these files were written; 0 for one that does not exist."""
    return tuple(file.stat().st_mtime_ns if file.exists() else 0 for file in (path / MANIFEST, *config))
