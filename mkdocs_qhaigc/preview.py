"""What a preview (`mkdocs serve`) has to know: whether the author has edited, and that pictures have arrived."""

from __future__ import annotations

import contextlib
import os
import threading
import time
from pathlib import Path

from mkdocs_qhaigc.files import write_whole

_APART = 2.0
"""Seconds between two rebuilds while pictures keep arriving."""
_RINGS = 3
"""How often an arrival is told that no build follows: the first time nobody may be watching yet."""


class Arrivals:
    """Pictures that arrive after the build that wanted them: told by a file that changes, which the server watches."""

    def __init__(self) -> None:
        self.awaited = False
        """Whether what arrives now comes too late for the build."""
        self._arrived = threading.Event()

    def note(self) -> None:
        """Note that a picture was saved, or could not be had. Called in the buyer's threads."""
        if self.awaited:
            self._arrived.set()

    def forget(self) -> None:
        """A build begins, which shows all that is there."""
        self._arrived.clear()

    def tell_by(self, file: Path) -> None:
        """Change a file, from now on, when pictures have arrived that no build has shown yet.

        Raises:
            OSError: it cannot be written.
        """
        file.parent.mkdir(parents=True, exist_ok=True)
        file.touch()
        threading.Thread(target=self._tell, args=(file,), name="qhaigc-arrivals", daemon=True).start()

    def _tell(self, file: Path) -> None:
        while self._arrived.wait():
            for _ in range(_RINGS):
                if self._arrived.is_set():
                    with contextlib.suppress(OSError):  # then the next edit shows them
                        write_whole(file, f"{time.monotonic()}\n".encode())
                    time.sleep(_APART)
            self._arrived.clear()


def last_edit(docs_dir: str, config_file: str | None) -> tuple[int, int]:
    """Return how many files the author has, and when the last of them was written, in nanoseconds since the epoch."""
    times: list[int] = []
    for folder, _, names in os.walk(docs_dir):
        for name in names:
            with contextlib.suppress(OSError):  # removed since, or a link that leads nowhere
                times.append(os.stat(os.path.join(folder, name)).st_mtime_ns)  # noqa: PTH116, PTH118 - MkDocs' texts
    if config_file:
        with contextlib.suppress(OSError):  # as an editor puts another in its place
            times.append(Path(config_file).stat().st_mtime_ns)
    return len(times), max(times, default=0)
