"""The studio beside `mkdocs serve`: what it sees of the site, and its place on the server."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from mkdocs_qhaigc._util.loopback import is_loopback
from mkdocs_qhaigc.errors import SiteError

if TYPE_CHECKING:
    from mkdocs.config.defaults import MkDocsConfig
    from mkdocs.livereload import LiveReloadServer

    from mkdocs_qhaigc.engines.mkdocs.state_between_rebuilds import Generation
    from mkdocs_qhaigc.generation.job import Observer
    from mkdocs_qhaigc.generation.queue import GenerationQueue
    from mkdocs_qhaigc.generation.when_to_stop import Budget
    from mkdocs_qhaigc.site.build import SiteBuild
    from mkdocs_qhaigc.site.image_pipeline import WantedFile
    from mkdocs_qhaigc.site.survey import Survey
    from mkdocs_qhaigc.studio.mount import Mount

log = logging.getLogger(__name__)


class ServedSite:
    """The site of a preview, as its last whole build saw it: the studio's host."""

    def __init__(self, generation: Generation) -> None:
        """Begin without a build."""
        self.engine = "mkdocs"
        self._generation = generation
        self._lock = threading.Lock()
        self._builds: Sequence[SiteBuild] = ()
        self._earlier: Sequence[SiteBuild] = ()
        """The builds before those: pages that are open may be of them."""
        self._warnings: Iterable[str] = ()
        self._docs_dir = Path()
        self._survey: Survey | None = None

    def note_build(self, builds: Sequence[SiteBuild], warnings: Iterable[str], *, docs_dir: Path) -> None:
        """Show a build of the site that has ended: one for each language, where a plugin builds them so."""
        with self._lock:
            self._earlier, self._builds = self._builds, tuple(builds)
            self._warnings, self._docs_dir = tuple(warnings), docs_dir
            self._survey = None
        shown = (
            image for build in builds for image in build.images() if image.state not in ("placeholder", "under way")
        )
        self._generation.arrivals.unshown.difference_update(image.job.request.key for image in shown)

    @property
    def budget(self) -> Budget:
        """Of this run of the server."""
        return self._generation.budget

    def survey(self) -> Survey:
        """Return the images of the last build, as it saw them.

        Raises:
            SiteError: the site has not been built.
        """
        from mkdocs_qhaigc.site.survey import join  # a preview without an open studio needs none

        with self._lock:
            if not self._builds:
                raise SiteError("the site has not been built. Correct what the terminal says")
            if self._survey is None:
                surveys = [build.survey(self._warnings, docs_dir=self._docs_dir) for build in self._builds]
                self._survey = join(surveys)
            return self._survey

    def queue(self) -> GenerationQueue:
        """Return the queue of all builds."""
        return self._generation.queue()

    def wanted(self) -> Mapping[str, WantedFile]:
        """Return the files of the pages of the last build, and of the one before, by their place in the site."""
        with self._lock:
            builds = (*self._earlier, *self._builds)
            return {place: file for build in builds for place, file in build.pages.files.wanted().items()}

    def urls(self) -> Mapping[str, str]:
        """Return the address of each page within the site."""
        with self._lock:
            return {scope.src_uri: scope.url for build in self._builds for scope in build.pages.scopes.values()}

    def observe(self, observer: Observer | None) -> None:
        """Pass each change of a job's state to an observer."""
        self._generation.relay.observe(observer)

    def show_arrivals(self) -> None:
        """Have the site built again."""
        self._generation.arrivals.announce()

    def before_page(self, url: str) -> None:
        """Have the site built again soon, if a page shows images that have arrived since.

        The page is sent as it is meanwhile: the studio's script shows them on it, and it is loaded again when it is
        built.
        """
        arrivals = self._generation.arrivals
        if not arrivals.unshown:
            return
        with self._lock:
            users = {
                page
                for build in self._builds
                for key in tuple(arrivals.unshown)
                for page in build.pages.users.get(key, ())
            }
        urls = self.urls()
        asked = url.removesuffix("index.html")
        if any(urls.get(page, "").removesuffix("index.html").strip("./") == asked.strip("./") for page in users):
            arrivals.announce_soon()


def mount(
    server: LiveReloadServer,
    site: ServedSite,
    generation: Generation,
    *,
    config: MkDocsConfig,
    is_on: Callable[[], bool],
) -> Mount | None:
    """Mount the studio on a server that is about to begin, and log its address; `None` if others may reach the server.

    Its pages show images as they arrive while one is open, so that the site need not be built for each.
    """
    host, port = config.dev_addr
    if not is_loopback(host):
        log.info(
            "The studio is off, because other machines may reach %s:%d. For a preview with the studio, leave "
            "`dev_addr` at 127.0.0.1",
            *(host, port),
        )
        return None
    from mkdocs_qhaigc.studio.mount import Mount  # only a preview has it

    application = server.get_app()
    assert application is not None  # MkDocs' own, or one that another plugin has put around it
    site.engine = type(server).__module__.partition(".")[0]
    mounted = Mount(
        application,
        site,
        address=host,
        path=server.mount_path,
        is_on=is_on,
        before_page=site.before_page,
    )
    server.set_app(mounted)
    generation.arrivals.shown_by_itself = lambda: mounted.events.heard
    log.info("Studio: %s", mounted.link(port))
    return mounted
