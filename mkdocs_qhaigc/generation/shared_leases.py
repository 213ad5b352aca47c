"""Leases in a shared store: of all machines that lack an image, one buys it, and the others wait for its record.

The first lease on a key is `leases/KEY/1.json`, created only if there is none. One that is over (its machine was
killed, or got no image) is followed by `2.json`, created likewise: one machine takes over. Nothing has to be removed,
and no store needs more than that one condition. Where a rule of the store has removed an old `1.json` beside a young
`2.json`, who creates the first anew finds the other, and waits for it.

A lease says for how many seconds it holds. They are counted by the store's clock, and by that of the machine that
waits: a lease is over when either says so, and neither is compared with the clock of the machine that holds it.
"""

from __future__ import annotations

import json
import logging
import os
import secrets
import socket
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import PurePosixPath
from typing import Any, NamedTuple

from mkdocs_qhaigc.config.options import Options
from mkdocs_qhaigc.errors import GenerationStopped
from mkdocs_qhaigc.generation.job import ImageJob
from mkdocs_qhaigc.store.object_store import Object, ObjectStore, StoreTrouble
from mkdocs_qhaigc.store.record import StoredImage
from mkdocs_qhaigc.store.shared_images import LEASES, SharedImages

log = logging.getLogger(__name__)
_CLOCK = f"{LEASES}/clock"
"""An object that is written to read the store's clock; what is in it does not matter."""
_MARGIN = 30
"""Seconds that a lease is longer than a purchase: for the download, and for the upload of what was bought."""
_LONGEST = 4 * 3600
"""Seconds of the longest lease that is waited for, whatever it says."""
_LARGEST = 4096
"""Bytes of a lease."""
_PASSES = 3
"""How often leases on several images are taken, until they are young enough: a slow store is never quick enough."""
_PAUSES = (0.1, 0.2, 0.4, 0.8, 1.5)
"""Seconds between looks for a record that others are to write; the last one again and again."""


class Lease(NamedTuple):
    """A lease as it was read."""

    seconds: float
    """How long it holds; 0 if its machine has given it up."""
    who: str
    """The machine and the process, for people."""


class Leases:
    """The leases of one machine in a shared store. Safe to use from several threads."""

    def __init__(self, shared: SharedImages, options: Options, *, stopped: threading.Event) -> None:
        """`stopped`: set when the build ends; then nobody waits any more."""
        self._shared = shared
        self._timeout = options.timeout
        self._stopped = stopped
        self._clock: tuple[datetime, float] | None = None
        """A moment on the store's clock, and on `time.monotonic()`'s."""

    def seconds(self, images: int) -> float:
        """Return how long a lease on that many images of one call holds: longer than the purchase can take."""
        factor = 1.5 if images == 1 else 2  # of several, each has the whole `timeout` for its download
        return factor * self._timeout * images + _MARGIN

    @contextmanager
    def held(self, jobs: Sequence[ImageJob]) -> Iterator[dict[ImageJob, StoredImage]]:
        """Hold leases on the keys of jobs; yield the images that other machines have bought, of jobs that need none.

        Waits for other machines. Holds nothing if the store is in trouble, or ignores conditions. When the context
        ends, the leases are given up, also those whose images have come: nobody may be able to use these.

        Raises:
            GenerationStopped: the build has ended.
            StoreError: the cache cannot be written.
        """
        bought: dict[ImageJob, StoredImage] = {}
        mine: dict[str, str] = {}
        try:
            for left in reversed(range(_PASSES)):
                began = time.monotonic()
                for job in sorted(jobs, key=lambda job: job.request.key):  # two machines never wait for each other
                    if job not in bought and (image := self._acquire(job, mine, self.seconds(len(jobs)))):
                        bought[job] = image
                if len(jobs) == 1 or not mine or not left or time.monotonic() - began < _MARGIN / 3:
                    break
                self._give_up(mine)  # the first ones would be over before the purchase is
                mine.clear()
            yield bought
        finally:
            self._give_up(mine)

    def _acquire(self, job: ImageJob, mine: dict[str, str], seconds: float) -> StoredImage | None:
        """Add a lease on a job's key to `mine`; return the image if another machine has bought it meanwhile."""
        key, number, waits, told = job.request.key, 1, 0, False
        text = self._text(seconds)
        first_seen: dict[bytes, float] = {}
        while True:
            if image := self._shared.fetch_for_owner(key, job.name):
                return image
            objects = self._shared.objects
            if objects is None:
                return None
            path = f"{LEASES}/{key}/{number}.json"
            try:
                is_created = objects.create(path, text)
                seen = None if is_created else objects.get(path, most=_LARGEST)
                written = bytes(seen.data) if seen else b""
                # Where the store's answer is lost, the client asks again, and finds what it has created itself.
                if is_created or written == text:
                    if later := _last_number(objects, key, above=number):
                        objects.put(path, self._text(0))
                        number = later
                        continue
                    mine[key] = path
                    return self._shared.fetch_for_owner(key, job.name)  # it may have come a moment before
                lease = _read(written, seconds)  # `None`: it was removed a moment ago
                if seen:
                    watched = time.monotonic() - first_seen.setdefault(written, time.monotonic())
                    if watched >= lease.seconds or self._age(objects, seen) >= lease.seconds:
                        number += 1
                        continue
            except StoreTrouble as error:
                self._shared.note_trouble(error, writing=True)
                return None
            if seen and not told:
                told = True
                log.info("%s: waits for %s, which is buying this image for the shared store", job.where, lease.who)
            if self._stopped.wait(_PAUSES[min(waits, len(_PAUSES) - 1)]):
                raise GenerationStopped("the build was stopped")
            waits += 1

    def _give_up(self, mine: dict[str, str]) -> None:
        """Say that these leases are over."""
        objects = self._shared.objects if mine else None
        if objects is None:
            return
        try:
            for path in mine.values():
                objects.put(path, self._text(0))
        except StoreTrouble as error:
            self._shared.note_trouble(error, writing=True)

    def _text(self, seconds: float) -> bytes:
        """Return the text of a lease; no two are the same."""
        lease = {"host": socket.gethostname(), "pid": os.getpid(), "id": secrets.token_hex(8), "seconds": seconds}
        return json.dumps(lease).encode()

    def _age(self, objects: ObjectStore, seen: Object) -> float:
        """Return the seconds since a lease was written, by the store's clock.

        Raises:
            StoreTrouble: the store does not tell.
        """
        if self._clock is None:
            objects.put(_CLOCK, self._text(0))
            now = objects.modified(_CLOCK)
            if now is None:
                return 0
            self._clock = now, time.monotonic()
        then, at = self._clock
        return (then - seen.modified).total_seconds() + time.monotonic() - at


def _last_number(objects: ObjectStore, key: str, *, above: int) -> int | None:
    """Return the number of the last lease on a key, if it is above this one; else `None`.

    Raises:
        StoreTrouble: the leases cannot be listed.
    """
    names = [PurePosixPath(one.path).stem for one in objects.list(f"{LEASES}/{key}")]
    return max((int(name) for name in names if name.isdecimal() and int(name) > above), default=None)


def _read(data: bytes, usual: float) -> Lease:
    """Return a lease; one that cannot be read holds for the `usual` seconds."""
    try:
        lease: Any = json.loads(data)
        seconds, host, pid = float(lease["seconds"]), str(lease["host"]), int(lease["pid"])
    except (ValueError, TypeError, KeyError, RecursionError, OverflowError):
        return Lease(usual, "another machine")
    if not 0 <= seconds <= _LONGEST:
        seconds = usual
    name = "".join(char for char in host if char.isprintable())[:64]
    return Lease(seconds, f"{name or 'another machine'} (process {pid})")
