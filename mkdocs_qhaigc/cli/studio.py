"""`mkdocs-qhaigc studio`: the page of tools by a server of its own, for every engine."""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path

import click

from mkdocs_qhaigc._util.files import reason_of, state_of
from mkdocs_qhaigc.cli._common import config_option, count, failing, note, print_problems, survey_of
from mkdocs_qhaigc.cli._generation import opened_queue, require_sandbox_within_sandbox
from mkdocs_qhaigc.engines.choose_engine import is_zensicals
from mkdocs_qhaigc.engines.zensical.config import read_configuration
from mkdocs_qhaigc.errors import SiteError
from mkdocs_qhaigc.generation.job import Observer, Relay
from mkdocs_qhaigc.generation.queue import GenerationQueue
from mkdocs_qhaigc.generation.when_to_stop import Budget
from mkdocs_qhaigc.site.add_shared_images_to_survey import absent, fetch_shared
from mkdocs_qhaigc.site.image_pipeline import ImageFiles, WantedFile
from mkdocs_qhaigc.site.page_rendering import page_crop
from mkdocs_qhaigc.site.survey import Survey

_USED_UP = "one run of the studio may buy {most} new images (`max_new_images`). Allow more in its bar"
_FRESH = 0.5
"""Seconds for which the site's files are not looked at again."""


@click.command(short_help="See, compare, pick and pin images in the browser.")
@config_option
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    default=8010,
    show_default=True,
    help="Port on 127.0.0.1; 0 finds a free one.",
)
def studio(config_file: Path, port: int) -> None:
    """See every image of the site in the browser; buy, compare, pick and pin them there, until Ctrl-C.

    `mkdocs serve` has the studio on its own pages. This one is for every engine; it shows the site as it was last
    built, and does not build it.
    """
    from mkdocs_qhaigc.studio.server import StudioServer  # no other command has a server

    survey = survey_of(config_file)
    print_problems([survey])
    if not survey.options.studio:
        raise click.ClickException("the option `studio` is off. Write `studio: true`")
    require_sandbox_within_sandbox(survey.options)
    with failing():
        site_dir = read_configuration(config_file).site_dir
    with ExitStack() as stack:
        host = _Site(config_file, survey, site_dir, stack)
        try:
            server = StudioServer(host, site_dir=site_dir, port=port)
        except OSError as error:
            message = f"port {port} cannot be used ({reason_of(error)}). Choose another --port"
            raise click.ClickException(message) from error
        server.start()
        try:
            click.echo(f"Studio: {server.link}\nCtrl-C ends it.")
            while True:  # in steps: on Windows, Ctrl-C does not end an endless wait
                time.sleep(0.5)
        except KeyboardInterrupt:
            click.echo("\nThe studio has ended.")
        finally:
            server.close()
            host.say_unfinished()


class _Site:
    """A site that is read again when its files have changed: the studio's host."""

    def __init__(self, config_file: Path, survey: Survey, site_dir: Path, stack: ExitStack) -> None:
        """`stack` ends the queues."""
        self._config_file, self._site_dir, self._stack = config_file, site_dir, stack
        self._lock = threading.RLock()
        self._asked: set[str] = set()
        """Keys of images that the shared store was asked for."""
        with failing():
            self._survey = self._with_shared(survey)
        self._looked = 0.0
        """When the files were looked at last, on `time.monotonic()`'s clock."""
        with failing():
            self._configuration = read_configuration(config_file)
        self._sources = self._source_state()
        self._queue: GenerationQueue | None = None
        self._queues: list[GenerationQueue] = []
        self._buying: tuple[object, ...] = ()
        self._relay = Relay()
        self.budget = Budget(survey.options.max_new_images, used_up=_USED_UP)
        if is_zensicals(config_file):
            self.engine = "zensical"
        else:
            self.engine = "properdocs" if config_file.name.startswith("properdocs") else "mkdocs"

    def survey(self) -> Survey:
        """Return the site's images, read again if its files have changed.

        Raises:
            SiteError: it cannot be read.
        """
        with self._lock:
            if time.monotonic() - self._looked > _FRESH:
                self._look()
                self._looked = time.monotonic()
            return self._survey

    def _look(self) -> None:
        sources = self._source_state()
        if sources == self._sources:
            return
        try:
            survey = self._with_shared(survey_of(self._config_file))
        except click.ClickException as error:
            raise SiteError(error.message) from error
        self.budget.raise_by(survey.options.max_new_images - self._survey.options.max_new_images)
        self._survey, self._sources = survey, sources

    def _with_shared(self, survey: Survey) -> Survey:
        """Return a survey with what the shared store has, copied into the cache. It is asked once for each image.

        Raises:
            QhaigcError: its client is not installed, or the cache cannot be written.
        """
        asked = frozenset(self._asked)
        self._asked.update(one.request.key for one in absent(survey))
        return fetch_shared(survey, without=asked)

    def queue(self) -> GenerationQueue:
        """Return the queue; another one if the options have changed."""
        with self._lock:
            options = self.survey().options
            if self._queue is None or self._buying != options.buying:
                if self._queue:
                    self._queue.drop()
                self._queue = self._stack.enter_context(opened_queue(options, self.budget, observers=[self._relay]))
                self._queues.append(self._queue)
                self._buying = options.buying
            return self._queue

    def wanted(self) -> Mapping[str, WantedFile]:
        """Return the files that a build makes of the images as they are now."""
        survey = self.survey()
        images = {entry.request.key: entry.image for entry in survey.entries}
        files = ImageFiles(survey.options, lambda request: images[request.key])
        for entry in survey.entries:
            files.publish(f"{entry.name}-dark" if entry.dark else entry.name, entry.request, page_crop(entry.directive))
        return files.wanted()

    def urls(self) -> Mapping[str, str]:
        """Return the address of each page with images, as far as the built site has it."""
        survey = self.survey()
        pages = {page for entry in survey.entries for page in (entry.page, *entry.users) if page}
        found = ((page, self._url_of(page)) for page in sorted(pages))
        return {page: url for page, url in found if url is not None}

    def _url_of(self, page: str) -> str | None:
        stem = page.rpartition(".")[0]
        folder, _, name = stem.rpartition("/")
        if name.lower() in ("index", "readme"):
            return f"{folder}/" if folder else ""
        if (self._site_dir / stem / "index.html").is_file():
            return f"{stem}/"
        return f"{stem}.html" if (self._site_dir / f"{stem}.html").is_file() else None

    def observe(self, observer: Observer | None) -> None:
        """Pass each change of a job's state to an observer."""
        self._relay.observe(observer)

    def show_arrivals(self) -> None:
        """Do nothing: the site's engine builds it."""

    def say_unfinished(self) -> None:
        """Say which images are not waited for."""
        number = sum(len(queue.under_way()) for queue in self._queues)
        if number:
            images = count(number, "image")
            note(f"{images} under way not waited for. Calls may have been billed; no image that has arrived is lost.")

    def _source_state(self) -> object:
        """Return the state of all files that the site is read from."""
        paths = [self._configuration.docs_dir, *self._configuration.files]
        return state_of(map(str, paths), without=self._survey.options.cache_dir)
