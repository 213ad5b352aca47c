"""Variants of one directive's picture: which are there, which are bought, and the sheet that shows them."""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, replace
from pathlib import Path
from urllib.parse import quote

from mkdocs_qhaigc.buying import Buyer
from mkdocs_qhaigc.errors import LibraryError, QhaigcError
from mkdocs_qhaigc.files import write_whole
from mkdocs_qhaigc.options import Options
from mkdocs_qhaigc.orders import Order
from mkdocs_qhaigc.original import Original
from mkdocs_qhaigc.pipeline import Pipeline, open_libraries
from mkdocs_qhaigc.sheet import Card, render_sheet
from mkdocs_qhaigc.survey import Declared

MOST_IN_ONE_CALL = 10
"""What the Images API takes as `n`."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """A variant of a directive's picture."""

    order: Order
    original: Original | None
    state: str
    """pinned, cached, generated or missing."""
    reason: QhaigcError | None = None
    """Why it is missing."""

    @property
    def variant(self) -> int:
        """Its number, from 1."""
        return self.order.request.variant


def find_candidates(
    declared: Declared, options: Options, variants: int, *, report: Callable[[str], None]
) -> list[Candidate]:
    """Return the first so many variants, and which of them are there. `report` is told of what is damaged."""
    pins, cache = open_libraries(options, report=report)
    known = Pipeline(options, pins=pins, cache=cache, buyer=None, report=report)
    found = []
    for variant in range(1, variants + 1):
        request = replace(declared.request, variant=variant)
        picture = known.want(Order(declared.where, declared.picture.order.name, request))
        found.append(Candidate(picture.order, picture.original, picture.state if picture.original else "missing"))
    return found


def order_missing(candidates: Sequence[Candidate], buyer: Buyer) -> list[tuple[Order, Future[Original]]]:
    """Order the variants that are not there, as few calls as can be."""
    ordered: list[tuple[Order, Future[Original]]] = []
    for run in _runs([candidate.order for candidate in candidates if candidate.state == "missing"]):
        futures = buyer.buy_together(run) if len(run) > 1 else [buyer.buy(run[0])]
        ordered += zip(run, futures, strict=True)
    return ordered


def write_sheet(candidates: Sequence[Candidate], declared: Declared, options: Options) -> Path:
    """Write the contact sheet; return where it is.

    Raises:
        LibraryError: it cannot be written.
    """
    where = declared.where
    folder = options.cache_dir / "candidates"
    name = re.sub(r"[^\w-]+", "-", where.removesuffix(".md")).strip("-")[:80]
    sheet = folder / f"{name}-{hashlib.sha256(where.encode()).hexdigest()[:8]}.html"
    cards = [_card(candidate, declared, folder) for candidate in candidates]
    intro = (
        f"Choose one: mkdocs-qhaigc candidates {where} --pick NUMBER writes it into the page's front matter, "
        "or write the line below a picture there yourself."
    )
    try:
        folder.mkdir(parents=True, exist_ok=True)
        write_whole(sheet, render_sheet(f"Candidates for {where}", cards, intro=intro).encode())
    except OSError as error:
        raise LibraryError(f"{sheet} cannot be written ({error.strerror or error})") from error
    return sheet


def _runs(orders: Sequence[Order]) -> Iterator[list[Order]]:
    """Yield orders whose variants follow each other: a sandbox draws such in one call as it would one by one."""
    run: list[Order] = []
    for order in orders:
        if run and (order.request.variant != run[-1].request.variant + 1 or len(run) == MOST_IN_ONE_CALL):
            yield run
            run = []
        run.append(order)
    if run:
        yield run


def _card(candidate: Candidate, declared: Declared, folder: Path) -> Card:
    request, original = candidate.order.request, candidate.original
    in_use = candidate.variant == declared.request.variant
    facts = [("model", request.model), ("size", request.size)]
    if original:
        facts += [("came as", f"{original.width}×{original.height} {original.format}"), ("bytes", f"{original.size:,}")]
    return Card(
        title=f"Variant {candidate.variant}" + (" (in use)" if in_use else ""),
        image=_address(original.path, folder) if original else None,
        width=original.width if original else request.width,
        height=original.height if original else request.height,
        prompt=request.prompt,
        facts=tuple(facts),
        line=f"variant: {candidate.variant}",
        state=candidate.state if candidate.reason is None else f"{candidate.state}: {candidate.reason}",
        pages=((declared.where, None),),
    )


def _address(path: Path, folder: Path) -> str:
    path, folder = path.resolve(), folder.resolve()
    if path.anchor != folder.anchor:  # another drive
        return path.as_uri()
    return quote(Path(os.path.relpath(path, folder)).as_posix())
