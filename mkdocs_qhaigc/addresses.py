"""Addresses of pictures that were paid for and are not here yet, noted before they are fetched.

A build that ends in between loses nothing: the next one fetches what was noted before it buys anything.
"""

from __future__ import annotations

import contextlib
import json
import time
from dataclasses import dataclass
from pathlib import Path

from mkdocs_qhaigc.errors import LibraryError
from mkdocs_qhaigc.library import write_whole

OLDEST = 24 * 3600
"""Seconds after which a noted address is not tried any more."""


@dataclass(frozen=True, slots=True)
class NotedAddress:
    """Where a picture is, and what came with its address."""

    url: str
    revised_prompt: str | None


class AddressBook:
    """A folder with one small file for each picture that is still to be fetched."""

    def __init__(self, folder: Path) -> None:
        """The folder need not exist yet."""
        self._folder = folder

    def note(self, key: str, address: NotedAddress) -> None:
        """Keep an address.

        Raises:
            LibraryError: the folder cannot be written.
        """
        note = {"url": address.url, "revised_prompt": address.revised_prompt, "noted": time.time()}
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            write_whole(self._file(key), json.dumps(note).encode(), at_once=True)
        except OSError as error:
            raise LibraryError(f"{self._folder} cannot be written ({error.strerror or error})") from error

    def find(self, key: str) -> NotedAddress | None:
        """Return the address of a picture, if one was noted that may still be good."""
        try:
            note = json.loads(self._file(key).read_bytes())
            url, revised, fresh = note["url"], note["revised_prompt"], time.time() - note["noted"] < OLDEST
        except FileNotFoundError:
            return None
        except (OSError, ValueError, TypeError, KeyError, RecursionError):
            self.forget(key)
            return None
        if not fresh or not isinstance(url, str) or not isinstance(revised, (str, type(None))):
            self.forget(key)
            return None
        return NotedAddress(url, revised)

    def forget(self, key: str) -> None:
        """Remove an address: its picture is here, or gone for good."""
        with contextlib.suppress(OSError):
            self._file(key).unlink(missing_ok=True)

    def _file(self, key: str) -> Path:
        return self._folder / f"{key}.json"
