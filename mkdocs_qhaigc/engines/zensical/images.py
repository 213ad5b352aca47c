"""What `sync` has written, in the place of a pipeline: for pages that Zensical renders. Generates nothing."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from mkdocs_qhaigc._util.files import within
from mkdocs_qhaigc.directives.request import ImageRequest
from mkdocs_qhaigc.engines.zensical.config import Configuration, read_configuration
from mkdocs_qhaigc.engines.zensical.manifest import Written, read_written
from mkdocs_qhaigc.errors import NotSynced
from mkdocs_qhaigc.generation.job import ImageJob
from mkdocs_qhaigc.imaging.renditions import MANIFEST, PublishedImage
from mkdocs_qhaigc.site.resolved import ResolvedImage, State, asked_for, placeholder


@dataclass(frozen=True, slots=True)
class WrittenFolder:
    """A folder that `sync` has written."""

    path: Path
    site: Configuration
    written: Written
    stamp: tuple[int, ...]
    """When what it says, and the site's configuration, were written."""

    @property
    def shown(self) -> str:
        """Its path, as it is typed in the folder of the site."""
        return _shown(self.path)

    def has(self, publication: PublishedImage) -> bool:
        """Whether every file of an image was written, and is there."""
        names = [Path(variant.dest_uri).name for variant in publication.variants]
        return all(name in self.written.files and (self.path / name).exists() for name in names)


def read_folder(path: Path, known: WrittenFolder | None) -> WrittenFolder:
    """Return a folder that `sync` has written, read anew where it or the site's configuration has changed.

    Raises:
        NotSynced: nothing was written there.
        SiteError: the configuration, or what was written, cannot be read.
    """
    if not (path / MANIFEST).exists():
        raise NotSynced(
            f"{_shown(path)} holds no images yet. Run `mkdocs-qhaigc sync --out {_shown(path)}`; where it writes "
            "into another folder, name that for the Markdown extension: `mkdocs_qhaigc.markdown: {out: …}`"
        )
    if known is not None and known.stamp == _stamp(path, known.site.files):
        return known
    written = read_written(path) or Written(Path())
    site = read_configuration(written.config).publishing_to(path)
    return WrittenFolder(path, site, written, _stamp(path, site.files))


@dataclass(slots=True)
class WrittenImages:
    """The images of one page, of which those are there that were written."""

    written: Written
    sandboxed: bool
    """Whether what the sandbox drew may be shown."""
    known: dict[str, ResolvedImage] = field(default_factory=dict)
    """By key: those that the page declares or shows."""
    _stand_ins: dict[str, ResolvedImage] = field(default_factory=dict)
    """By key: placeholders for what nobody declared."""

    def want(self, order: ImageJob) -> ResolvedImage:
        """Return what is known of an image."""
        found = self.written.images.get(order.request.key)
        if found is None or (found.sandbox and not self.sandboxed):
            image = asked_for(order)
        else:
            state: State = "placeholder" if found.drawn.placeholder else "cached"
            image = ResolvedImage(order, state, found.drawn, colour=found.colour)
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
    return tuple(file.stat().st_mtime_ns for file in (path / MANIFEST, *config))


def _shown(path: Path) -> str:
    return within(path, Path.cwd())
