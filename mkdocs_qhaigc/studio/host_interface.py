"""The server beside which a studio runs, as the studio sees it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from mkdocs_qhaigc.generation.job import Observer
    from mkdocs_qhaigc.generation.queue import GenerationQueue
    from mkdocs_qhaigc.generation.when_to_stop import Budget
    from mkdocs_qhaigc.site.image_pipeline import WantedFile
    from mkdocs_qhaigc.site.survey import Survey


class Host(Protocol):
    """A development server, or the server of the command `mkdocs-qhaigc studio`. All is called from several threads."""

    engine: str
    """`mkdocs`, `properdocs` or `zensical`."""

    @property
    def budget(self) -> Budget:
        """Of this run of the server, over all its builds and the studio."""

    def survey(self) -> Survey:
        """Return the site's images: as the last build saw them, or read again if the site's files have changed.

        Raises:
            QhaigcError: the site cannot be read.
        """

    def queue(self) -> GenerationQueue:
        """Return the queue by which builds buy, opened on first use; another one if the options have changed.

        The studio buys by its `order`, `submit_together` and nothing else.

        Raises:
            QhaigcError: the options cannot be used.
        """

    def wanted(self) -> Mapping[str, WantedFile]:
        """Return the files of pages by their place in the site, also of pages as they were a build before.

        Nothing where they are unknown.
        """

    def urls(self) -> Mapping[str, str]:
        """Return the address of each page (`src_uri`) in the site, without the site's path: `guide/start/`, or ``."""

    def observe(self, observer: Observer | None) -> None:
        """Have each change of a job's state passed to an observer, for all queues, those of before first.

        `None` ends that. The observer may be called while a queue holds its lock, and so calls no queue.
        """

    def show_arrivals(self) -> None:
        """Have the site built again when that is possible: images have arrived, or a file has been written."""
