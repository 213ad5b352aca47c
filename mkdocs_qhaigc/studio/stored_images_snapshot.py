"""The stored images of a site as they are now: which of them are there, variants of a request, and an image's history.

Pins, cache and refusals are folders that other programs change, too. They are looked at again when they have changed,
and each record is read once.
"""

from __future__ import annotations

import contextlib
import json
import os
import threading
import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, NamedTuple

from mkdocs_qhaigc.config.options import Options
from mkdocs_qhaigc.directives.directive import Defaults
from mkdocs_qhaigc.directives.parse import resolve_size, resolve_style
from mkdocs_qhaigc.directives.request import ImageRequest, final_prompt
from mkdocs_qhaigc.directives.sizes import read_size
from mkdocs_qhaigc.errors import DirectiveError, PromptRejected, QhaigcError, StoreError
from mkdocs_qhaigc.generation.refusals import Refusals
from mkdocs_qhaigc.store.local_finder import ImageFinder
from mkdocs_qhaigc.store.record import KEY_DIGITS, StoredImage, digits_in_any, load_record, name_in, parse_record

_STILL_CHANGING = 2_000_000_000
"""Nanoseconds for which a folder's time of change does not tell it from one that changes at once after it."""
_Stamp = tuple[int, ...]


class Found(NamedTuple):
    """What the stores have for a key."""

    state: Literal["pinned", "cached", "missing", "refused", "unreadable"]
    stored: StoredImage | None = None
    reason: QhaigcError | None = None
    """The reason why it is refused or unreadable."""


_MISSING = Found("missing")


@dataclass(frozen=True, slots=True)
class Recorded:
    """A stored image, with what its record says of its request."""

    stored: StoredImage
    name: str
    """In the name of its file: `hero`, `hero-dark`."""
    where: str
    """The image for which it was made (`guide/start.md#hero`); empty if the record does not say."""
    created: str
    """An ISO date and time; empty if the record does not say."""
    request: Mapping[str, Any]
    """As `ImageRequest.as_record` has it."""
    revised_prompt: str | None


class StoredImages:
    """The stored images of one site. Safe to use from several threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._latest: Snapshot | None = None
        self._is_changing = False
        """Whether a folder had changed so lately that its time of change does not tell whether it does again."""
        self._records: dict[str, tuple[_Stamp, Recorded]] = {}
        """By path of the record: its stamp, and what it says."""

    def now(self, options: Options) -> Snapshot:
        """Return what is there now."""
        folders = (options.pins_dir, options.cache.originals, options.cache.refusals)
        stamps = tuple(map(_stamp, folders))
        with self._lock:
            latest = self._latest
            if latest and latest.options is options and latest.stamps == stamps and not self._is_changing:
                return latest
            newest = max((stamp[0] for stamp in stamps if stamp), default=0)
            self._is_changing = time.time_ns() - newest < _STILL_CHANGING
            files = _files_in(folders)
            if not latest or latest.options is not options or latest.files != files:
                known = latest.found_before(files) if latest else {}
                self._latest = latest = Snapshot(options, files, self._records, known)
            latest.stamps = stamps
            return latest


class Snapshot:
    """The stored images of a site at one moment."""

    def __init__(
        self,
        options: Options,
        files: Mapping[str, _Stamp],
        records: dict[str, tuple[_Stamp, Recorded]],
        known: Mapping[str, Found],
    ) -> None:
        """`files`: all files of the folders by their paths; `records`, `known`: what was found in them before."""
        self.options = options
        self.files = files
        self.stamps: tuple[_Stamp, ...] = ()
        """Of the folders."""
        self._finder = ImageFinder(options)
        self._finder.pins.quiet = self._finder.cache.quiet = True  # builds warn of what they cannot use
        self._refusals = Refusals(options)
        self._refused = set(_names(options.cache.refusals))
        self._found = dict(known)
        self._known_records = records
        self._recorded: dict[str, Recorded] | None = None
        self._by_request: dict[str, dict[int, Recorded]] | None = None

    def found_before(self, files: Mapping[str, _Stamp]) -> dict[str, Found]:
        """Return what was found for the keys whose files are still the same."""
        changed = {path for path, stamp in self.files.items() ^ files.items()}
        digits = {digits_in_any(os.path.basename(path)) for path in changed}  # noqa: PTH119 - texts do
        refused = {Path(path).stem for path in changed}
        return {
            key: found
            for key, found in self._found.copy().items()  # other threads may find more meanwhile
            if found.reason is None and key[:KEY_DIGITS] not in digits and key not in refused
        }

    def find(self, key: str) -> Found:
        """Return what the stores have for a key."""
        found = self._found.get(key)
        if found is None:
            found = self._found[key] = self._look_for(key)
        return found

    def _look_for(self, key: str) -> Found:
        try:
            found = self._finder.find(key, thorough=False)
        except StoreError as error:
            return Found("unreadable", None, error)
        if found:
            return Found(found[1], found[0])
        refusal = self._refusals.find(key) if f"{key}.json" in self._refused else None
        return Found("refused", None, refusal) if refusal else _MISSING

    def refused_variants(self, request: ImageRequest) -> list[PromptRejected]:
        """Return the refusals of any variant of a request."""
        return [
            refusal
            for variant in range(1, 101 if self._refused else 1)
            if f"{(key := request.of_variant(variant).key)}.json" in self._refused
            and (refusal := self._refusals.find(key))
        ]

    def variants(self, request: ImageRequest) -> dict[int, Recorded]:
        """Return the stored variants of a request, by number."""
        if self._by_request is None:
            by_request: dict[str, dict[int, Recorded]] = {}
            for one in self.records().values():
                variant = one.request.get("variant")
                if type(variant) is int and variant > 0:
                    by_request.setdefault(_without_variant(one.request), {})[variant] = one
            self._by_request = by_request
        return self._by_request.get(_without_variant(request.as_record()), {})

    def records(self) -> dict[str, Recorded]:
        """Return every whole stored image by its key; that of the pins, if both have one."""
        if self._recorded is None:
            recorded: dict[str, Recorded] = {}
            for folder in (self.options.pins_dir, self.options.cache.originals):
                for path in _record_paths(folder):
                    if one := self._read(path):
                        recorded.setdefault(one.stored.key, one)
            self._recorded = recorded
        return self._recorded

    def record_of(self, stored: StoredImage) -> Recorded | None:
        """Return what the record of a stored image says; `None` if it cannot be read."""
        return self._read(str(stored.record_path))

    def _read(self, path: str) -> Recorded | None:
        try:
            status = os.stat(path, follow_symlinks=False)  # noqa: PTH116 - texts do
            stamp = (status.st_mtime_ns, status.st_size)
            known = self._known_records.get(path)
            if known and known[0] == stamp:
                return known[1]
            record = load_record(Path(path))
            stored = parse_record(record, Path(path))
            if os.stat(stored.file, follow_symlinks=False).st_size != stored.size:  # noqa: PTH116
                return None
        except (OSError, ValueError):
            return None
        request, revised = record.get("request"), record.get("revised_prompt")
        recorded = Recorded(
            stored,
            name_in(stored.path),
            str(record.get("where") or ""),
            str(record.get("created") or ""),
            request if isinstance(request, dict) else {},
            revised if isinstance(revised, str) and revised.strip() else None,
        )
        self._known_records[path] = stamp, recorded
        return recorded


def earlier_fields(recorded: Recorded, written: Mapping[Any, Any], defaults: Defaults) -> dict[str, Any] | None:
    """Return the fields by which a directive would have the image of a record: prompt, style, model, size, variant.

    `None` if no style that can be written gives the prompt that was sent. The other fields of the directive are as they
    are `written` now, so the key of the result has to be compared.
    """
    prompt, model, size, variant = (recorded.request.get(field) for field in ("prompt", "model", "size", "variant"))
    if not (isinstance(prompt, str) and isinstance(model, str) and isinstance(size, str) and type(variant) is int):
        return None
    look = resolve_style(defaults.style, defaults.styles).text
    own = written.get("style")
    styles = [*([own] if isinstance(own, str) and own.strip() else []), *(defaults.styles or {})]
    for style in (*styles, None):
        try:
            text = resolve_style(style, defaults.styles).text if style else ""
        except DirectiveError:
            continue
        words = words_of(prompt, text, look)
        if words is not None:
            fields = {"prompt": words, "style": style, "model": model, "variant": variant}
            return {**fields, "size": _size(size, model, written, defaults)}
    return None


def words_of(prompt: str, *styles: str) -> str | None:
    """Return the author's words in a prompt that was sent with styles appended; `None` if it was not."""
    words = prompt
    for style in reversed(styles):
        if addition := final_prompt(style) if style.strip() else "":
            for joined in (f", {addition}", f" {addition}"):
                if words.endswith(joined) and len(words) > len(joined):
                    words = words[: -len(joined)]
                    break
            else:
                return None
    return words if final_prompt(words, *styles) == prompt else None


def _size(size: str, model: str, written: Mapping[Any, Any], defaults: Defaults) -> str:
    """Return the size to write for one that was sent: as it is written now, or by default, if that is the same."""
    for now in (written.get("size"), defaults.size):
        read = read_size(now) if now is not None else None
        if read and resolve_size(read, model, defaults)[0] == size:
            return read
    return size


def _without_variant(request: Mapping[str, Any]) -> str:
    return json.dumps({**request, "variant": 0}, sort_keys=True, default=str)


def _stamp(folder: Path) -> _Stamp:
    try:
        status = folder.stat()
    except OSError:
        return ()
    return status.st_mtime_ns, status.st_ino


def _files_in(folders: Iterable[Path]) -> dict[str, _Stamp]:
    """Return the stamps of all files in some folders by their paths, those that can be read."""
    found: dict[str, _Stamp] = {}
    for folder in folders:
        with contextlib.suppress(OSError), os.scandir(folder) as entries:
            for entry in entries:
                with contextlib.suppress(OSError):  # removed since
                    status = entry.stat(follow_symlinks=False)
                    found[entry.path] = (status.st_mtime_ns, status.st_size)
    return found


def _names(folder: Path) -> Iterator[str]:
    try:
        yield from os.listdir(folder)  # noqa: PTH208 - only names are needed
    except OSError:
        return


def _record_paths(folder: Path) -> list[str]:
    names = sorted(name for name in _names(folder) if name.endswith(".json") and not name.startswith("."))
    return [os.path.join(folder, name) for name in names]  # noqa: PTH118 - texts do
