"""Journal of answers: an answer is kept while it arrives, and until its images are saved, for it may be paid for.

However a build ends, the next one reads the journal before it calls the API. One file holds the answer to one call:

    KEY KEY …       64 hex digits each, in the order of the answer's images; dashes once an image is settled
    Asked: url https://api.example.com/v1    the option `response_format`, and the API's address
    Content-Encoding: br    only if the body has such codings
    {"data": […]}   the body of the response, as far as it arrived

A body that was cut off is no JSON and counts as none. A file is removed when all its images are settled. An answer that
names tasks is an answer like others: it stays until the images are there, and then theirs takes its place.
"""

from __future__ import annotations

import contextlib
import os
import re
import stat
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from mkdocs_qhaigc._util.files import atomic_write
from mkdocs_qhaigc.api.response import LARGEST_BODY, MOST_IN_ONE_CALL, Answer, read_answers, share_task
from mkdocs_qhaigc.errors import ApiError

_KEYS = re.compile(rb"(?:[0-9a-f]{64}|-{64})(?: (?:[0-9a-f]{64}|-{64}))*\n")
_ASKED = re.compile(rb"Asked: ([^\n]*)\n")
_CODINGS = re.compile(rb"Content-Encoding: ([\x20-\x7e]*)\n")
_SETTLED = b"-" * 64
_LARGEST_ANSWER = MOST_IN_ONE_CALL * LARGEST_BODY
"""Bytes."""
_LONGEST_ASKED = 1000
"""Characters."""
_LARGEST_FILE = _LARGEST_ANSWER + MOST_IN_ONE_CALL * 65 + 4 * _LONGEST_ASKED + 2048
"""Bytes, with the keys and the codings."""


class KeptAnswer(NamedTuple):
    """The answer to an earlier call, as the journal has it for one key."""

    body: bytes
    """As it arrived."""
    codings: tuple[str, ...]
    """Its content codings, by name."""
    position: int
    """Of the key's image among those of the answer, from 0."""
    age: float
    """Seconds since the answer arrived."""
    wanted: int
    """Number of images that were asked for."""
    asked: str = ""
    """The settings of its call: see `Journal.asked`; empty if it does not say."""

    def is_of_another_api(self, asked: str) -> bool:
        """Return whether the call went to another address than one with the settings `asked` would."""
        return bool(self.asked) and self.asked.partition(" ")[2] != asked.partition(" ")[2]

    @property
    def unpacked(self) -> bytes:
        """The body without its content codings."""
        from mkdocs_qhaigc.api.content_coding import decoded  # it imports httpx, and a journal is mostly empty

        return decoded(self.body, self.codings, _LARGEST_ANSWER)

    def parse(self, base_url: str) -> Answer:
        """Return the answer for the key.

        Raises:
            AnswerUnreadable: a package is missing to read it.
            ApiError: it holds no image for the key. `GenerationStopped` likewise.
        """
        from mkdocs_qhaigc.api.content_coding import require_decoded

        content = self.unpacked
        require_decoded(content, self.codings)
        base_url = self.asked.partition(" ")[2] or base_url
        found = read_answers(content, status=200, media_type="", base_url=base_url, wanted=self.wanted)
        answers = share_task(found, self.position + 1)
        if self.position >= len(answers):
            raise ApiError("the API's answer left this image out")
        return answers[self.position]


class Journal:
    """The folder of kept answers. Methods about a key are called by the holder of the key's lock."""

    def __init__(self, folder: Path, *, asked: str = "") -> None:
        """Use a folder, which need not exist yet."""
        self.folder = folder
        self.asked = asked[:_LONGEST_ASKED]
        """The settings that answers depend on: the option `response_format`, a blank, and the API's address."""

    def entry(self, keys: Sequence[str]) -> JournalEntry:
        """Return the entry for a call that asks for images of these keys. Nothing is written before `begin`."""
        return JournalEntry(self, keys)

    def find(self, key: str) -> KeptAnswer | None:
        """Return the newest kept answer for a key; `None` if none can be read."""
        found = None
        for path, keys in self._files_of(key):
            with contextlib.suppress(OSError):
                age = abs(time.time() - path.lstat().st_mtime)  # a clock may have been wrong
                body = path.read_bytes().partition(b"\n")[2]
                codings: tuple[str, ...] = ()
                asked = ""
                if settings := _ASKED.match(body):
                    asked, body = settings[1].decode(errors="replace"), body[settings.end() :]
                if written := _CODINGS.match(body):
                    codings, body = tuple(written[1].decode().split(", ")), body[written.end() :]
                if body and (found is None or age < found.age):
                    found = KeptAnswer(body, codings, keys.index(key.encode()), age, len(keys), asked)
        return found

    def replace(self, key: str, body: bytes, *, position: int) -> None:
        """Replace the kept answer that names a task by the one with its images.

        `position`: of the key's image among them, from 0. If it cannot be written, the task's name stays.
        """
        import secrets  # a warm build writes nothing

        path = self.folder / f"{key[:16]}-{secrets.token_hex(4)}.answer"
        keys = [_SETTLED] * position + [key.encode()]
        with contextlib.suppress(OSError):
            self.folder.mkdir(parents=True, exist_ok=True)
            atomic_write(path, b" ".join(keys) + b"\n" + _asked_line(self.asked) + body)
            self._settle(key, keep=path)

    def settle(self, *keys: str) -> None:
        """Forget the answers for keys: their images are saved, or cannot be had from them."""
        for key in keys:
            self._settle(key)

    def _settle(self, key: str, *, keep: Path | None = None) -> None:
        for path, in_file in self._files_of(key):
            if path == keep:
                continue
            with contextlib.suppress(OSError):
                status = path.stat()
                with path.open("r+b") as file:
                    file.seek(65 * in_file.index(key.encode()))
                    file.write(_SETTLED)
                os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))  # the age of the answer
                if all(other == _SETTLED for other in _read_keys(path)):
                    path.unlink()

    def _files_of(self, key: str) -> Iterator[tuple[Path, list[bytes]]]:
        """Yield the files with an answer for a key, and the keys of each."""
        try:
            names = sorted(os.listdir(self.folder))  # noqa: PTH208 - a `Path` for each is not needed
        except OSError:
            return
        for path in (self.folder / name for name in names if name.endswith(".answer")):
            keys = _read_keys(path)
            if key.encode() in keys:
                yield path, keys


class JournalEntry:
    """The answer to one call, kept while it arrives."""

    def __init__(self, journal: Journal, keys: Sequence[str]) -> None:
        self._journal = journal
        self.keys = keys
        """In the order of the images in the answer."""
        self._path: Path | None = None
        self.begun = False
        """Whether the body of a successful response has begun to arrive."""
        self.is_complete = False
        """Whether all that has arrived since `begin` is kept."""

    def begin(self, codings: tuple[str, ...] = ()) -> None:
        """Start anew: the body of a response follows, in these content codings.

        Raises:
            OSError: nothing can be written.
        """
        import secrets  # a warm build writes nothing

        self.begun, self.is_complete, self._path = True, False, None
        self._journal.settle(*self.keys)
        self._journal.folder.mkdir(parents=True, exist_ok=True)
        path = self._journal.folder / f"{self.keys[0][:16]}-{secrets.token_hex(4)}.answer"
        with path.open("xb") as file:  # a file of its own: never through a link
            file.write(" ".join(self.keys).encode() + b"\n")
            file.write(_asked_line(self._journal.asked))
            if codings:
                file.write(f"Content-Encoding: {', '.join(codings)[:1000]}\n".encode("ascii", "replace"))
        self._path, self.is_complete = path, True

    def add(self, chunk: bytes) -> None:
        """Keep the next bytes, at once. A file that cannot be kept whole is removed: the images need its space.

        Raises:
            OSError: they cannot be written.
        """
        if not self._path:
            return
        try:
            with self._path.open("ab", buffering=0) as file:
                written = file.write(chunk)
                while written < len(chunk):
                    written += file.write(chunk[written:])
        except OSError:
            self.is_complete = False
            with contextlib.suppress(OSError):
                self._path.unlink()
            self._path = None
            raise


def _asked_line(asked: str) -> bytes:
    """Return the line about the settings of a call."""
    return f"Asked: {asked}\n".encode() if asked else b""


def _read_keys(path: Path) -> list[bytes]:
    """Return the keys of a file, settled ones as dashes; empty if it is no entry of a journal."""
    try:
        status = path.lstat()
        if not stat.S_ISREG(status.st_mode) or status.st_size > _LARGEST_FILE:
            return []
        with path.open("rb") as file:
            line = file.readline(65 * MOST_IN_ONE_CALL)
    except OSError:
        return []
    return line.split() if _KEYS.fullmatch(line) else []
