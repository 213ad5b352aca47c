"""Files of reference images: found where pages and options name them, told apart by their bytes. Needs no Pillow."""

from __future__ import annotations

import hashlib
import os
import re
from pathlib import Path

from mkdocs_qhaigc._util.files import real_path, reason_of, within
from mkdocs_qhaigc.directives.request import Reference
from mkdocs_qhaigc.errors import DirectiveError
from mkdocs_qhaigc.imaging.formats import format_of

LARGEST_REFERENCE = 50 << 20
"""Bytes of a file."""
_LFS_POINTER = rb"version https://git-lfs\.github\.com/spec/v1\n(?:.*\n)*?oid sha256:([0-9a-f]{64})\n"
"""Matches a pointer of Git LFS, which stands for a file that is not fetched; the group is that file's digest."""
_Stamp = tuple[int, int]
"""Size in bytes, and when a file was written in nanoseconds."""


class ReferenceFiles:
    """The files of one site. Each is read once, and again when it has changed."""

    def __init__(self, folder: Path, docs_dir: Path) -> None:
        """`folder` is that of mkdocs.yml."""
        self.folder = folder
        self.docs_dir = docs_dir
        self._found: dict[tuple[str, str], tuple[_Stamp, Reference]] = {}
        """By entry and folder of the page."""

    def __hash__(self) -> int:
        return hash((self.folder, self.docs_dir))

    def __eq__(self, other: object) -> bool:
        """Whether both are of one site."""
        return isinstance(other, ReferenceFiles) and (other.folder, other.docs_dir) == (self.folder, self.docs_dir)

    def find(self, written: str, src_uri: str) -> Reference:
        """Return the reference image of a file.

        Entries that begin with `./` or `../` are relative to the page; others to docs_dir, else to mkdocs.yml.

        Raises:
            DirectiveError: it is absent, outside the site, no image, or too large.
        """
        of_page = written.startswith(("./", "../"))
        near = os.path.dirname(src_uri) if of_page else ""  # noqa: PTH120 - a text
        known = self._found.get((written, near))
        if known and known[0] == _stamp(known[1].path):
            return known[1]
        own = self.docs_dir / near if src_uri else self.folder
        folders = [own] if of_page else [self.docs_dir, self.folder]
        path = next((folder / written for folder in folders if (folder / written).is_file()), None)
        if path is None:
            looked = " and ".join(dict.fromkeys(self._shown(folder / written) for folder in folders))
            raise DirectiveError(f"`references` names {written!r:.80}, and there is no such file. Looked for: {looked}")
        stamp = _stamp(path)
        reference = Reference(f"sha256:{self._digest(path)}", self._shown(path), str(path))
        self._found[written, near] = stamp, reference
        return reference

    def _shown(self, path: Path) -> str:
        """Return a path as messages name it, relative to mkdocs.yml."""
        return within(path, self.folder)

    def _digest(self, path: Path) -> str:
        """Return the sha256 of a file's bytes, in hex.

        Raises:
            DirectiveError: it cannot be used.
        """
        what = f"`references` names {self._shown(path)}, which"
        real = real_path(path)
        if not any(real_path(folder) in real.parents for folder in (self.docs_dir, self.folder)):
            raise DirectiveError(f"{what} leads out of the site. Copy the file into docs_dir, or beside mkdocs.yml")
        try:
            if path.stat().st_size > LARGEST_REFERENCE:
                raise DirectiveError(f"{what} is larger than {LARGEST_REFERENCE >> 20} MiB. Scale it down")
            data = path.read_bytes()
        except OSError as error:
            raise DirectiveError(f"{what} cannot be read ({reason_of(error)}). Make it readable") from error
        if pointer := re.match(_LFS_POINTER, data):
            return pointer[1].decode()
        if format_of(data) is None:
            raise DirectiveError(f"{what} is no PNG, JPEG, WebP or AVIF image. Save it as one of these")
        return hashlib.sha256(data).hexdigest()


def _stamp(path: str | Path) -> _Stamp:
    """Return size and time of a file; zeros if it is absent."""
    try:
        status = os.stat(path)  # noqa: PTH116 - of each reference image of each page
    except OSError:
        return 0, 0
    return status.st_size, status.st_mtime_ns
