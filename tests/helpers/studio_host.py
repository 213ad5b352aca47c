"""A server beside which a studio runs, as tests need one: a real site of MkDocs, its real queue, and no sockets."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from mkdocs.commands.build import build
from mkdocs.config import load_config

from mkdocs_qhaigc.config.options import Options
from mkdocs_qhaigc.engines.mkdocs.dry_run import DRY_RUN, DryRun
from mkdocs_qhaigc.generation.job import Observer, Relay
from mkdocs_qhaigc.generation.queue import GenerationQueue
from mkdocs_qhaigc.generation.when_to_stop import Budget
from mkdocs_qhaigc.site.image_pipeline import WantedFile
from mkdocs_qhaigc.site.survey import Survey
from mkdocs_qhaigc.store.image_store import open_cache
from mkdocs_qhaigc.studio.operations import Session
from tests.conftest import Project

_LONG = 60.0
"""Seconds after which a test gives up: no test takes nearly as long."""


class SiteHost:
    """The host of one site. `build` is what a server does when an author has edited something."""

    engine = "mkdocs"

    def __init__(self, project: Project) -> None:
        self.project = project
        self._relay = Relay()
        self._queue: GenerationQueue | None = None
        self._retired: list[GenerationQueue] = []
        self._survey: Survey | None = None
        self._urls: Mapping[str, str] = {}
        self._wanted: Mapping[str, WantedFile] = {}
        self.told_of_arrivals = 0
        self.build()
        self.budget = Budget(self.options.max_new_images)

    @property
    def options(self) -> Options:
        assert self._survey
        return self._survey.options

    def build(self) -> None:
        config = load_config(str(self.project.write_config()))
        docs_dir = Path(config.docs_dir)
        dry_run = DryRun(Path(config.site_dir))
        config.site_dir = str(self.project.folder / ".dry")
        token = DRY_RUN.set(dry_run)
        try:
            config.plugins.on_startup(command="build", dirty=False)
            build(config)
            [(site, warnings)] = dry_run.builds
            self._survey = site.survey(warnings, docs_dir=docs_dir)
            self._urls = {scope.src_uri: scope.url for scope in site.pages.scopes.values()}
            site.pages.publish_declared()
            self._wanted = site.pages.files.wanted()
        finally:
            DRY_RUN.reset(token)
            config.plugins.on_shutdown()

    def survey(self) -> Survey:
        assert self._survey
        return self._survey

    def queue(self) -> GenerationQueue:
        if self._queue is None:
            options = self.options
            self._queue = GenerationQueue(
                options,
                api_key=options.api_key(self.project.environment),
                store=open_cache(options, quiet=True),
                observers=[self._relay],
            )
            self._queue.budget = self.budget
        return self._queue

    def new_queue(self) -> None:
        """Retire the queue, as if an author had changed an option of it."""
        assert self._queue
        self._queue.drop()
        self._retired.append(self._queue)
        self._queue = None

    def wanted(self) -> Mapping[str, WantedFile]:
        return self._wanted

    def urls(self) -> Mapping[str, str]:
        return self._urls

    def observe(self, observer: Observer | None) -> None:
        self._relay.observe(observer)

    def show_arrivals(self) -> None:
        self.told_of_arrivals += 1

    def close(self) -> None:
        for queue in (*self._retired, self._queue):
            if queue:
                queue.finish()
                queue.close()


class Events:
    """The events that a session has published."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self.all: list[tuple[str, dict[str, Any]]] = []

    def publish(self, event: str, data: Mapping[str, Any]) -> None:
        with self._changed:
            self.all.append((event, dict(data)))
            self._changed.notify_all()

    def jobs(self, state: str) -> list[dict[str, Any]]:
        return [data for event, data in list(self.all) if event == "job" and data["state"] == state]

    def wait_for(self, state: str, count: int = 1) -> list[dict[str, Any]]:
        """Wait until that many jobs have reached a state; return what was told of them."""
        with self._changed:
            assert self._changed.wait_for(lambda: len(self.jobs(state)) >= count, timeout=_LONG), self.all
        return self.jobs(state)


def wait_until(condition: Callable[[], bool]) -> None:
    """Wait until something holds."""
    until = time.monotonic() + _LONG
    while not condition():
        assert time.monotonic() < until
        time.sleep(0.01)


@contextlib.contextmanager
def studio(project: Project) -> Iterator[tuple[SiteHost, Session, Events]]:
    """Yield a host of a site, and a session beside it with its events."""
    host, events = SiteHost(project), Events()
    session = Session(host, events.publish)
    try:
        yield host, session, events
    finally:
        session.close()
        host.close()
