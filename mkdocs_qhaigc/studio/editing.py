"""Edits of pages by the studio: a page as its file declares it now, the smallest edit, its diff, the write, and undo.

A file is read, compared with what the browser has seen, and replaced as a whole; what somebody else has written
meanwhile is never overwritten.
"""

from __future__ import annotations

import difflib
import hashlib
import json
import stat
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mkdocs_qhaigc._util.files import atomic_write, real_path, reason_of, within
from mkdocs_qhaigc.directives.directive import Defaults, Directive
from mkdocs_qhaigc.directives.directive import Problem as Mistake
from mkdocs_qhaigc.directives.edit_front_matter import front_matter, write_fields
from mkdocs_qhaigc.directives.front_matter import META_KEY, read_front_matter
from mkdocs_qhaigc.directives.parse import fields_by_name, read_directives
from mkdocs_qhaigc.directives.source_locations import problem_line
from mkdocs_qhaigc.errors import EditError
from mkdocs_qhaigc.site.candidates import reading_page
from mkdocs_qhaigc.studio.problem import Problem

_STILL_CHANGING = 2_000_000_000
"""Nanoseconds for which a file's time of writing does not tell it from one that is written at once after it."""
_MOST_UNDONE = 200
"""Writes that can be taken back."""


@dataclass(frozen=True, slots=True)
class PageFile:
    """The file of a page, as it was read."""

    src_uri: str
    path: Path
    """Links followed."""
    shown: str
    """For people: `docs/guide/start.md`."""
    data: bytes
    version: str
    """The sha256 of its bytes."""
    written_at: int
    """Nanoseconds since 1970."""
    text: str
    directives: Mapping[str, Directive]
    """By name, those that can be used."""
    fields: Mapping[str, Mapping[Any, Any]]
    """By name: as the author wrote them."""
    lines: Mapping[str, int | None]
    """By name: on which line the directive begins."""


class PageFiles:
    """The files of a site's pages, each read again when it has changed. Safe to use from several threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._read: dict[str, tuple[tuple[int, ...], PageFile]] = {}
        """By page: the file's stamp, and the page."""
        self._defaults: Defaults | None = None
        self._docs: tuple[Path, Path] = Path(), Path()
        """The folder of the pages, and where it is, links followed."""

    def renew(self, defaults: Defaults) -> None:
        """Begin to work with the options of another build; pages with reference images are read again."""
        with self._lock:
            if defaults != self._defaults:
                self._read.clear()
            else:
                kept = {
                    page: (stamp, read)
                    for page, (stamp, read) in self._read.items()
                    if not any(one.request.references for one in read.directives.values())
                }
                self._read = kept
            self._defaults = defaults

    def read(self, src_uri: str, *, docs_dir: Path, folder: Path, defaults: Defaults) -> PageFile:
        """Return the file of a page as it is now.

        Args:
            folder: paths are shown relative to it.

        Raises:
            EditError: the page has no file that can be edited; the message says why.
        """
        shown = within(docs_dir / src_uri, folder)
        path = real_path(docs_dir / src_uri)
        if self._real_docs(docs_dir) not in path.parents:
            raise EditError(f"{shown} is a link that leads out of the folder of the pages")
        with reading_page(shown):
            status = path.stat()
            if not stat.S_ISREG(status.st_mode):
                raise EditError(f"{shown} is no file")
            stamp = (status.st_mtime_ns, status.st_size, status.st_ino)
            with self._lock:
                known = self._read.get(src_uri)
                usable = defaults is self._defaults
            if known and usable and known[0] == stamp:
                return known[1]
            data = path.read_bytes()
            text = data.decode()
        value = read_front_matter(text.removeprefix("\ufeff"), headers=True).get(META_KEY)
        directives = read_directives(value, defaults, src_uri)[0] if value is not None else {}
        fields = fields_by_name(value)
        lines = {name: problem_line(text, Mistake(name, "")) for name in fields}
        page = PageFile(src_uri, path, shown, data, _digest(data), status.st_mtime_ns, text, directives, fields, lines)
        if usable and time.time_ns() - status.st_mtime_ns > _STILL_CHANGING:
            with self._lock:
                self._read[src_uri] = stamp, page
        return page

    def _real_docs(self, docs_dir: Path) -> Path:
        if self._docs[0] != docs_dir:
            self._docs = docs_dir, real_path(docs_dir)
        return self._docs[1]


def changes_of(
    given: Mapping[str, Any], name: str, page: PageFile, *, dark: bool, keep_dark: bool, defaults: Defaults
) -> dict[str, Any]:
    """Return the fields of an image that have to be written so that it has those that are given.

    Args:
        given: by field, `None` for one that is to be removed; of a dark image, `prompt` and `variant` are its own.
        keep_dark: whether a dark image stays as it is where the light one gets another variant, by one of its own.

    The result has `dark.prompt` and `dark.variant` for those of a dark image.
    """
    written, directive = page.fields[name], page.directives[name]
    own = written.get("dark")
    beside: Mapping[Any, Any] = own if isinstance(own, Mapping) else {"prompt": own}
    changes: dict[str, Any] = {}
    for field, value in given.items():
        if dark and field in ("prompt", "variant"):
            now = beside.get(field, directive.dark.variant if directive.dark and field == "variant" else None)
            if not _same(value, now) and (value is not None or field in beside):
                changes[f"dark.{field}"] = value
            continue
        if field not in written and (value is None or value == _implied(field, directive, defaults)):
            continue
        if field in written and _same(value, written[field]):
            continue
        changes[field] = value
    if "variant" in changes and keep_dark and directive.dark and directive.dark_follows:
        changes.setdefault("dark.variant", directive.dark.variant)
    return changes


def _same(value: object, written: object) -> bool:
    """Whether a value is what is written, blanks around a text aside."""
    if isinstance(value, str) and isinstance(written, str):
        return value.strip() == written.strip()
    return type(value) is type(written) and value == written


def _implied(field: str, directive: Directive, defaults: Defaults) -> object:
    """Return the value of a field that is left out."""
    return {"model": directive.request.model, "size": defaults.size, "variant": 1}.get(field)


def directive_with(changes: Mapping[str, Any], name: str, page: PageFile, defaults: Defaults) -> Directive:
    """Return the directive of an image with other fields, in the form of `changes_of`.

    Raises:
        Problem: a field has no value that it can have.
    """
    fields = _fields_with(changes, page.fields[name])
    directives, problems = read_directives({**page.fields, name: fields}, defaults, page.src_uri)
    if directive := directives.get(name):
        return directive
    reason = next((problem.message for problem in problems if problem.name == name), "it cannot be read")
    raise Problem(400, "value", f"{page.src_uri}#{name}: {reason}")


def _fields_with(changes: Mapping[str, Any], written: Mapping[Any, Any]) -> dict[Any, Any]:
    fields = dict(written)
    for field, value in changes.items():
        outer, _, inner = field.partition(".")
        if inner:
            own = fields.get(outer)
            beside = dict(own) if isinstance(own, Mapping) else {"prompt": own}
            beside[inner] = value
            fields[outer] = {key: one for key, one in beside.items() if one is not None}
        elif value is None:
            fields.pop(field, None)
        else:
            fields[field] = value
    return fields


def edited(changes: Mapping[str, Any], name: str, page: PageFile, defaults: Defaults) -> str:
    """Return the text of a page with other fields of one image, and nothing else changed.

    Raises:
        Problem: a field has no value that it can have, or the page cannot be edited.
    """
    expected = directive_with(changes, name, page, defaults)
    try:
        text = write_fields(page.text, name, changes)
        value = front_matter(text).get(META_KEY)
        if read_directives(value, defaults, page.src_uri)[0].get(name) != expected:
            raise EditError("the front matter would not say then what is meant")
    except EditError as error:
        raise Problem(422, "edit", f"{page.shown} was not changed, for {error}. {by_hand(changes)}") from error
    return text


def by_hand(changes: Mapping[str, Any]) -> str:
    """Return what to write into a directive in an editor: `Write variant: 3 into the directive yourself`."""
    lines = [
        f"`{field}: {json.dumps(value, ensure_ascii=False)}`" for field, value in changes.items() if value is not None
    ]
    removed = [f"`{field}`" for field, value in changes.items() if value is None]
    said = [f"write {' and '.join(lines)} into the directive yourself"] if lines else []
    said += [f"remove {' and '.join(removed)} from the directive yourself"] if removed else []
    sentence = ", and ".join(said) or "edit the directive yourself"
    return sentence[:1].upper() + sentence[1:]


def diff_of(before: str, after: str, shown: str) -> str:
    """Return a unified diff of a file's text; empty if nothing has changed."""
    lines = []
    for line in difflib.unified_diff(_lines(before), _lines(after), fromfile=shown, tofile=shown, lineterm="\n", n=3):
        lines.append(line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n")
    return "".join(lines)


def _lines(text: str) -> list[str]:
    """Return the lines of a text, each with a line feed alone at its end."""
    return text.replace("\r\n", "\n").replace("\r", "\n").splitlines(keepends=True)


@dataclass(frozen=True, slots=True)
class Write:
    """A file that the studio has written."""

    src_uri: str
    path: Path
    shown: str
    before: bytes
    after: str
    """The sha256 of the bytes that were written."""

    @property
    def version(self) -> str:
        """The sha256 of the bytes that were there before."""
        return _digest(self.before)


class Writes:
    """The files that one run of the studio has written. Safe to use from several threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._done: list[Write] = []
        """The last one at the end."""

    def write(self, page: PageFile, text: str, *, version: str) -> str:
        """Replace the file of a page by a text, if it is still the version that was shown; return the new version.

        Raises:
            Problem: it has changed since then, or cannot be written. It is as it was.
        """
        data = text.encode()
        with self._lock:
            before = _replace(page.path, page.shown, data, version=version)
            self._done.append(Write(page.src_uri, page.path, page.shown, before, _digest(data)))
            del self._done[:-_MOST_UNDONE]
        return _digest(data)

    def undo(self) -> tuple[Write, str]:
        """Take back the last write, byte for byte; return it, and the diff.

        Raises:
            Problem: there is none, or somebody has written the file since.
        """
        with self._lock:
            if not self._done:
                raise Problem(409, "changed", "the studio has written nothing that could be taken back")
            last = self._done[-1]
            after = _replace(last.path, last.shown, last.before, version=last.after)
            self._done.pop()
        return last, diff_of(after.decode(errors="replace"), last.before.decode(errors="replace"), last.shown)

    def last(self) -> str | None:
        """Return the file of the write that `undo` takes back, for people; `None` if it cannot take back any."""
        with self._lock:
            last = self._done[-1] if self._done else None
        try:
            return last.shown if last and _digest(last.path.read_bytes()) == last.after else None
        except OSError:
            return None


def _replace(path: Path, shown: str, data: bytes, *, version: str) -> bytes:
    """Replace a file that has this version; return the bytes that it had.

    Raises:
        Problem: it has another version, or cannot be written.
    """

    def present() -> bytes:
        content = path.read_bytes()
        if _digest(content) != version or real_path(path) != path:
            raise edited_elsewhere(shown)
        return content

    try:
        before = present()
        mode = stat.S_IMODE(path.stat().st_mode)
        atomic_write(path, data, mode=mode, check=present)  # an editor may write it while the disk takes its time
    except FileNotFoundError as error:
        raise Problem(409, "changed", f"{shown} is gone, and nothing was written. Reload the page") from error
    except OSError as error:
        raise Problem(
            422, "edit", f"{shown} cannot be written ({reason_of(error)}). Make it writable, and try again"
        ) from error
    return before


def edited_elsewhere(shown: str) -> Problem:
    """Return the refusal to write a file that is not as it was shown."""
    message = f"{shown} was edited elsewhere meanwhile, and nothing was written. Look at it as it is now, and repeat"
    return Problem(409, "changed", message)


def _digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()
