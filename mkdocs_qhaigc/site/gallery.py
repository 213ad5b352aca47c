"""Every image of a site as cards: what it was made from, what there is of it, and where it is shown."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote

from mkdocs_qhaigc._util.files import atomic_write
from mkdocs_qhaigc.site.survey import Declared, Survey

if TYPE_CHECKING:
    from mkdocs_qhaigc.site.contact_sheet import Card


@dataclass(frozen=True, slots=True)
class Collected:
    """One image with everything that declares it."""

    declared: tuple[Declared, ...]
    """More than one where it is declared elsewhere, or under another name, with the same request."""

    @property
    def first(self) -> Declared:
        """Whose name it has here."""
        return self.declared[0]

    @property
    def pages(self) -> tuple[str, ...]:
        """Those that show it, under whatever name."""
        return tuple(dict.fromkeys(page for one in self.declared for page in one.users))


def collect(declared: Iterable[Declared]) -> list[Collected]:
    """Return every image once, in the site's order."""
    by_key: dict[str, list[Declared]] = {}
    for one in declared:
        by_key.setdefault(one.request.key, []).append(one)
    return [Collected(tuple(each)) for each in by_key.values()]


def write_gallery(survey: Survey, file: Path) -> None:
    """Write the contact sheet of a site's images; the originals are linked from where they are.

    Raises:
        OSError: the file cannot be written.
    """
    from mkdocs_qhaigc.site.contact_sheet import render_sheet  # as below

    cards = [card_of(collected, folder=file.parent) for collected in collect(survey.declared)]
    intro = f"{len(cards)} {'image' if len(cards) == 1 else 'images'}"
    if survey.options.sandboxed:
        intro += ", drawn by the sandbox"
    page = render_sheet("Images of the site", cards, intro=f"{intro}. Written by mkdocs-qhaigc gallery.")
    file.parent.mkdir(parents=True, exist_ok=True)
    atomic_write(file, page.encode())


def card_of(collected: Collected, *, folder: Path) -> Card:
    """Return the card of an image, for a sheet in a folder."""
    from mkdocs_qhaigc.site.contact_sheet import Card  # the gallery that is a page of the site needs none

    one, original = collected.first, collected.first.original
    return Card(
        title=one.title,
        image=url_of(original.path, folder=folder) if original else None,
        width=original.width if original else one.request.width,
        height=original.height if original else one.request.height,
        prompt=one.request.prompt,
        facts=facts_of(collected),
        line=None,
        state=one.state,
        pages=tuple((page, None) for page in collected.pages) or (("none", None),),
    )


def facts_of(collected: Collected) -> tuple[tuple[str, str], ...]:
    """Return what there is to say of an image beside its prompt: (what, value)."""
    one, original = collected.first, collected.first.original
    request = one.request
    facts = [("model", request.model), ("size", request.size.replace("x", " × "))]
    if original:
        came = f"{original.width}x{original.height}"
        if came != request.size:
            facts.append(("came as", came.replace("x", " × ")))
        facts.append(("file", f"{original.format}, {in_bytes(original.size)}"))
    if request.variant != 1:
        facts.append(("variant", str(request.variant)))
    if request.params:
        facts.append(("params", json.dumps(request.params, ensure_ascii=False)))
    if len(collected.declared) > 1:
        facts.append(("also", ", ".join(one.title for one in collected.declared[1:])))
    return tuple(facts)


def in_bytes(number: int) -> str:
    """Return `812 bytes`, `88.5 KB`, `1.2 MB`, as people read it."""
    if number < 1000:
        return f"{number} bytes"
    return f"{number / 1000:.1f} KB" if number < 999_950 else f"{number / 1_000_000:.1f} MB"


def url_of(path: Path, *, folder: Path) -> str:
    """Return the URL of a file for a page in a folder: relative, or absolute where it lies on another drive."""
    path, folder = path.absolute(), folder.absolute()
    try:
        return quote(Path(os.path.relpath(path, folder)).as_posix())
    except ValueError:
        return path.as_uri()
