"""Look-up of the images that `sync` has written, for pages that Zensical renders. Generates nothing."""

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
from mkdocs_qhaigc.imaging.plan_published_files import PublishedImage
from mkdocs_qhaigc.site.image_pipeline import ResolvedImage, State, placeholder, under_way


@dataclass(frozen=True, slots=True)
class SyncedFolder:
    """A folder that `sync` has written."""

    path: Path
    site: Configuration
    manifest: Manifest
    stamp: tuple[int, ...]
    """Times when the manifest and the site's configuration were written, in nanoseconds."""

    @property
    def shown(self) -> str:
        """Its path, relative to the working directory."""
        return within(self.path, Path.cwd())

    def has(self, published: PublishedImage) -> bool:
        """Return whether every file of an image was written and still exists."""
        names = [Path(dest_uri).name for dest_uri, _ in published.renditions]
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
    """The images of one page: `site.page_rendering.Images` from a manifest instead of a build."""

    manifest: Manifest
    known: dict[str, ResolvedImage] = field(default_factory=dict)
    """By key: the images that the page declares or shows."""
    _stand_ins: dict[str, ResolvedImage] = field(default_factory=dict)
    """By key: placeholders for images that no directive declares."""

    def want(self, job: ImageJob, crop: object = None) -> ResolvedImage:
        """Return what is known of an image."""
        found = self.manifest.images.get(job.request.key)
        if found is None:
            image = under_way(job)
        else:
            state: State = "placeholder" if found.source.placeholder else "cached"
            source = found.source._replace(transparent=job.request.transparent)
            image = ResolvedImage(job, state, source, colour=found.colour)
        return self.known.setdefault(job.request.key, image)

    def want_card(self, request: ImageRequest, card: object) -> None:
        """Do nothing: `sync` has written the cards with the other files."""

    def image(self, request: ImageRequest) -> ResolvedImage:
        """Return what is known of an image that was wanted."""
        return self.known.get(request.key) or self._stand_ins[request.key]

    def stand_in(self, job: ImageJob) -> ResolvedImage:
        """Return a placeholder for an image that no directive declares."""
        return self._stand_ins.setdefault(job.request.key, placeholder(job))


def _stamp(path: Path, config: Iterable[Path]) -> tuple[int, ...]:
    """Return when these files were written, in nanoseconds; 0 for one that does not exist."""
    return tuple(file.stat().st_mtime_ns if file.exists() else 0 for file in (path / MANIFEST, *config))
