"""What a plugin keeps over the rebuilds of `mkdocs serve`: its buyer, and what is under way."""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING

from mkdocs_qhaigc._util.text import plural
from mkdocs_qhaigc.engines.mkdocs.preview import Arrivals

if TYPE_CHECKING:
    from mkdocs_qhaigc.config.options import Options
    from mkdocs_qhaigc.generation.progress import LineProgress, LiveProgress
    from mkdocs_qhaigc.generation.queue import GenerationQueue
    from mkdocs_qhaigc.store.image_store import ImageStore


_QUIET = 3.0
"""Seconds for which no other build follows one of a preview, before its images are asked for: editors save while
their authors type."""


class Purchasing:
    """The buyer of the builds of one site, one after the other. There is none until the first image is missing."""

    def __init__(self, say: Callable[[str], None]) -> None:
        """`say` is told what who pays wants to know, and of each image where no terminal shows a bar."""
        self._say = say
        self._buyer: GenerationQueue | None = None
        self._options: Options | None = None
        self._retired: list[GenerationQueue] = []
        self._progress: LineProgress | LiveProgress | None = None
        self._edited: object = None
        self._quiet: threading.Timer | None = None
        self.arrivals = Arrivals()

    def begin(
        self, options: Options, cache: ImageStore, *, serving: bool, again: bool, edited: Callable[[], object]
    ) -> Callable[[], GenerationQueue]:
        """Begin a build. Return what opens its buyer: the same as before, where nothing that concerns it has changed.

        `again`: it is a further part of the build that has begun. `edited()` tells the states of what authors write
        apart: what only shows the images that have arrived has no budget of its own.
        """
        if self._options and options.buying != self._options.buying:
            self.stop()
        self._options = options
        self._end_quiet()
        if serving and not again:
            shows_arrivals = self.arrivals.forget()
            state = edited()
            if self._buyer:
                self._buyer.new_build()
                if state != self._edited and not shows_arrivals:
                    self._buyer.renew()
            self._edited = state

        def open_buyer() -> GenerationQueue:
            if self._buyer is None:
                self._buyer = self._new_buyer(options, cache, serving=serving)
                self._buyer.holds = serving
            return self._buyer

        return open_buyer

    def end(self) -> None:
        """End a build: what it wants is asked for when no other build has begun for a while."""
        self._end_quiet()
        if self._buyer and self._buyer.holds:
            self._quiet = threading.Timer(_QUIET, self._buyer.release)
            self._quiet.daemon = True
            self._quiet.start()

    def stop(self) -> None:
        """Ask for nothing more of what was ordered. What is under way is paid for, and goes on."""
        if self._buyer:
            self._buyer.drop()
            self._retired.append(self._buyer)
            self._buyer = None

    def end_progress(self) -> None:
        """Take the bar away."""
        if self._progress:
            self._progress.close()

    def finish(self) -> None:
        """Wait for what is under way, and buy nothing more."""
        for buyer in (*self._retired, self._buyer):
            if buyer:
                buyer.finish()

    def close(self) -> None:
        """End what is under way; images that have arrived are written first."""
        self.end_progress()
        self._end_quiet()
        buyers = [buyer for buyer in (*self._retired, self._buyer) if buyer]
        held = self._buyer.held if self._buyer else 0
        if held:
            images = plural(held, "image has", "images have")
            self._say(f"{held} {images} not been asked for: the preview has ended. `mkdocs build` asks for them")
        count = sum(len(buyer.under_way()) for buyer in buyers)
        if count:
            images = plural(count, "image is", "images are")
            self._say(f"{count} {images} not waited for. What had been asked for may have been billed")
        for buyer in buyers:
            buyer.close()

    def _end_quiet(self) -> None:
        if self._quiet:
            self._quiet.cancel()

    def _new_buyer(self, options: Options, cache: ImageStore, *, serving: bool) -> GenerationQueue:
        from mkdocs_qhaigc.generation.progress import LineProgress, LiveProgress
        from mkdocs_qhaigc.generation.queue import (
            GenerationQueue,  # a build that finds all its images needs none of it
        )

        live = not serving and sys.stderr.isatty()
        self._progress = LiveProgress() if live else LineProgress(self._say)
        return GenerationQueue(
            options,
            api_key=options.api_key(os.environ),
            library=cache,
            progress=self._progress,
            say=self._say,  # an image that came in the end is nothing to refuse a build for
            arrived=self.arrivals.note if serving else None,
        )
