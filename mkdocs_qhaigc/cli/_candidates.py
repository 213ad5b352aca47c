"""Variants of one directive's image: finding them, submitting the missing ones, and the sheet that shows them."""

from __future__ import annotations

import hashlib
import re
import stat
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from pathlib import Path

from mkdocs_qhaigc._util.files import atomic_write, unwritable
from mkdocs_qhaigc.api.response import MOST_IN_ONE_CALL
from mkdocs_qhaigc.config.options import Options
from mkdocs_qhaigc.directives.edit import front_matter, write_variant
from mkdocs_qhaigc.directives.front_matter import META_KEY
from mkdocs_qhaigc.directives.model import Defaults
from mkdocs_qhaigc.directives.parse import read_directives
from mkdocs_qhaigc.errors import EditError, QhaigcError, StoreError
from mkdocs_qhaigc.generation.job import ImageJob
from mkdocs_qhaigc.generation.queue import GenerationQueue
from mkdocs_qhaigc.site.contact_sheet import Card, render_sheet
from mkdocs_qhaigc.site.gallery import revised_prompt, url_of
from mkdocs_qhaigc.site.images import SiteImages
from mkdocs_qhaigc.site.survey import SurveyEntry
from mkdocs_qhaigc.store.finder import ImageFinder
from mkdocs_qhaigc.store.record import StoredImage

_LONGEST_NAME = 180
"""Bytes of a sheet's file name that are made of the directive's."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """A variant of a directive's image."""

    job: ImageJob
    stored: StoredImage | None
    """The image; `None` if it is missing or unreadable."""
    state: str
    """pinned, cached, generated, missing or unreadable."""
    reason: QhaigcError | None = None
    """The reason why there is no image."""

    @property
    def variant(self) -> int:
        """Its number, from 1."""
        return self.job.request.variant


def find_candidates(declared: SurveyEntry, options: Options, variants: Iterable[int]) -> list[Candidate]:
    """Return these variants of an image, whether they exist or not."""
    known = SiteImages(options, finder=ImageFinder(options), open_queue=None)
    found = []
    for variant in variants:
        request = declared.request.of_variant(variant)
        image = known.want(ImageJob(declared.where, declared.image.job.name, request))
        state = image.state if image.stored else "unreadable" if image.reason else "missing"
        found.append(Candidate(image.job, image.stored, state, image.reason))
    return found


def submit_missing(
    candidates: Sequence[Candidate], queue: GenerationQueue
) -> list[tuple[ImageJob, Future[StoredImage]]]:
    """Submit jobs for the variants that are missing, in as few calls as possible."""
    submitted: list[tuple[ImageJob, Future[StoredImage]]] = []
    for run in _runs([candidate.job for candidate in candidates if candidate.state == "missing"]):
        futures = queue.submit_together(run) if len(run) > 1 else [queue.submit(run[0])]
        submitted += zip(run, futures, strict=True)
    return submitted


def write_sheet(
    candidates: Sequence[Candidate], declared: SurveyEntry, options: Options, *, address: str | None
) -> Path:
    """Write the contact sheet; return its path. `address`: that of the page in the site, if it is known.

    Raises:
        StoreError: it cannot be written.
    """
    where = declared.where
    folder = options.cache.candidates
    name = re.sub(r"[^\w-]+", "-", where.removesuffix(".md")).strip("-")
    name = name.encode()[:_LONGEST_NAME].decode(errors="ignore")
    sheet = folder / f"{name}-{hashlib.sha256(where.encode()).hexdigest()[:8]}.html"
    cards = [_card(candidate, declared, folder, address) for candidate in candidates]
    intro = "Choose one, and write the line below it under `images` in mkdocs.yml."
    if declared.page:
        intro = (
            f"Choose one: mkdocs-qhaigc candidates {where} --pick NUMBER writes it into the page's front matter, "
            "or write the line below an image there yourself."
        )
    try:
        options.cache.prepare()
        folder.mkdir(parents=True, exist_ok=True)
        atomic_write(sheet, render_sheet(f"Candidates for {where}", cards, intro=intro).encode())
    except OSError as error:
        raise StoreError(unwritable(sheet, error, "cache_dir")) from error
    return sheet


def pick(declared: SurveyEntry, variant: int, *, docs_dir: Path, defaults: Defaults) -> Path | None:
    """Write a variant into the front matter of the page that declares an image; return the page's file.

    `None` if the page has that variant already. No other byte of the file changes.

    Raises:
        EditError: the page cannot be edited; the message says what to do.
    """
    if declared.request.variant == variant:
        return None
    file, edited = edited_page(declared, variant, docs_dir=docs_dir, defaults=defaults)
    try:
        atomic_write(file, edited.encode(), mode=stat.S_IMODE(file.stat().st_mode))
    except OSError as error:
        raise EditError(f"{file} cannot be written ({error.strerror or error}). {_by_hand(variant)}") from error
    return file


def edited_page(declared: SurveyEntry, variant: int, *, docs_dir: Path, defaults: Defaults) -> tuple[Path, str]:
    """Return the file of the page that declares an image, and its text with another variant.

    Raises:
        EditError: the page cannot be edited; the message says what to do.
    """
    where, remedy = declared.where, _by_hand(variant)
    if not declared.page:
        raise EditError(f"{where} is declared by the option `images`. {remedy}, in mkdocs.yml")
    file = docs_dir.joinpath(declared.page).resolve()  # the target, if it is a link
    try:
        edited = write_variant(file.read_bytes().decode(), declared.name, variant)
        _require_same_image(edited, declared, variant, defaults)
    except FileNotFoundError as error:
        raise EditError(f"{where}: {file} is no file: a plugin makes this page. {remedy}, where it is made") from error
    except UnicodeDecodeError as error:
        raise EditError(f"{file} is not in UTF-8. {remedy}") from error
    except OSError as error:
        raise EditError(f"{file} cannot be read ({error.strerror or error}). {remedy}") from error
    except EditError as error:
        raise EditError(f"{file} was not changed, for {error}. {remedy}") from error
    return file, edited


def _by_hand(variant: int) -> str:
    return f"Write `variant: {variant}` into the directive yourself"


def _require_same_image(page: str, declared: SurveyEntry, variant: int, defaults: Defaults) -> None:
    """Raise EditError unless the text of a page declares this variant of exactly this image."""
    directive = read_directives(front_matter(page).get(META_KEY), defaults)[0].get(declared.name)
    if directive is None or directive.request != declared.request.of_variant(variant):
        raise EditError("the site gives this image other fields than the page's own front matter does")


def _runs(jobs: Sequence[ImageJob]) -> Iterator[list[ImageJob]]:
    """Yield jobs in runs of consecutive variants: a sandbox draws such a run in one call as it would one by one."""
    run: list[ImageJob] = []
    for job in jobs:
        if run and (job.request.variant != run[-1].request.variant + 1 or len(run) == MOST_IN_ONE_CALL):
            yield run
            run = []
        run.append(job)
    if run:
        yield run


def _card(candidate: Candidate, declared: SurveyEntry, folder: Path, address: str | None) -> Card:
    request, stored = candidate.job.request, candidate.stored
    in_use = candidate.variant == declared.request.variant
    facts = [("model", request.model), ("size", request.size)]
    if stored:
        facts += [("came as", f"{stored.width}×{stored.height} {stored.format}"), ("bytes", f"{stored.size:,}")]
        if revised := revised_prompt(stored, request.prompt):
            facts.append(("revised prompt", revised))
    return Card(
        title=f"Variant {candidate.variant}" + (" (in use)" if in_use else ""),
        image=url_of(stored.path, folder=folder) if stored else None,
        width=stored.width if stored else request.width,
        height=stored.height if stored else request.height,
        prompt=request.prompt,
        facts=tuple(facts),
        line=f"variant: {candidate.variant}",
        state=candidate.state if candidate.reason is None else f"{candidate.state}: {candidate.reason}",
        pages=((declared.where, address),),
    )
