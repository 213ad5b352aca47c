"""The layout of the cache folder (option `cache_dir`). Pure, but for `prepare`."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import Final

DEFAULT_CACHE_DIR: Final = ".qhaigc"
"""Relative to the site's configuration, for every engine: `zensical build --clean` deletes all of `.cache`."""
FOLDERS: Final = (
    "answers",
    "candidates",
    "index",
    "locks",
    "originals",
    "references",
    "refusals",
    "rejected",
    "variants",
)
"""The names of the folders in the cache folder."""


class CachePaths:
    """The files and folders in one cache folder."""

    def __init__(self, root: Path) -> None:
        self.root = root
        """The option `cache_dir`."""

    @property
    def originals(self) -> Path:
        """Every image generated on this machine, as it came from the API."""
        return self.root / "originals"

    @property
    def answers(self) -> Path:
        """Answers of the API whose images are not saved yet."""
        return self.root / "answers"

    @property
    def rejected(self) -> Path:
        """Responses that were paid for and cannot be used."""
        return self.root / "rejected"

    @property
    def refusals(self) -> Path:
        """Requests that a service has refused for their content, by key."""
        return self.root / "refusals"

    @property
    def locks(self) -> Path:
        """Lock files between processes."""
        return self.root / "locks"

    @property
    def index(self) -> Path:
        """Copies of the stores' records, for quick look-ups; made anew if lost."""
        return self.root / "index"

    @property
    def renditions(self) -> Path:
        """Encoded files; encoded again if lost."""
        return self.root / "variants"

    @property
    def references(self) -> Path:
        """Reference images as they were sent, where that is not the file itself; encoded again if lost."""
        return self.root / "references"

    @property
    def candidates(self) -> Path:
        """Contact sheets of `mkdocs-qhaigc candidates`."""
        return self.root / "candidates"

    @property
    def shared_stores(self) -> Path:
        """The file with the answer, for each shared store, whether it keeps conditions; tried again if it is lost."""
        return self.root / "shared.json"

    @property
    def gallery(self) -> Path:
        """The contact sheet that `mkdocs-qhaigc gallery` writes by default."""
        return self.root / "gallery.html"

    def prepare(self) -> None:
        """Make the cache folder, and have git ignore all of it; nothing happens if it cannot be written."""
        gitignore = self.root / ".gitignore"
        with contextlib.suppress(OSError):  # the next writer reports why
            if not gitignore.exists():
                self.root.mkdir(parents=True, exist_ok=True)
                gitignore.write_text("*\n", encoding="utf-8")
