"""Numbered variants of one image, to choose from: found, generated, shown on a sheet, and one written into the page."""

from __future__ import annotations

import hashlib
import re
import stat
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from mkdocs_qhaigc._util.files import atomic_write, reason_of, unwritable
from mkdocs_qhaigc.api.response import MOST_IN_ONE_CALL
from mkdocs_qhaigc.config.options import Options
from mkdocs_qhaigc.directives.directive import Defaults
from mkdocs_qhaigc.directives.edit_front_matter import front_matter, write_fields
from mkdocs_qhaigc.directives.front_matter import META_KEY
from mkdocs_qhaigc.directives.parse import read_directives
from mkdocs_qhaigc.errors import EditError, PromptRejected, QhaigcError, StoreError
from mkdocs_qhaigc.generation.job import ImageJob
from mkdocs_qhaigc.generation.queue import GenerationQueue
from mkdocs_qhaigc.site.add_shared_images_to_survey import fetch_images
from mkdocs_qhaigc.site.contact_sheet import Card, Subject, render_sheet
from mkdocs_qhaigc.site.gallery import revised_prompt, url_of
from mkdocs_qhaigc.site.image_pipeline import SiteImages
from mkdocs_qhaigc.site.survey import Survey, SurveyEntry
from mkdocs_qhaigc.store.local_finder import ImageFinder
from mkdocs_qhaigc.store.record import StoredImage

_USUAL = 4
"""Variants that are looked for at least."""
_LONGEST_NAME = 180
"""Bytes of a sheet's file name that are made of the directive's."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """A variant of a directive's image."""

    job: ImageJob
    stored: StoredImage | None
    """The image; `None` if it is missing or unreadable."""
    state: str
    """pinned, cached, shared, generated, missing, refused or unreadable."""
    reason: QhaigcError | None = None
    """The reason why there is no image."""

    @property
    def variant(self) -> int:
        """Its number, from 1."""
        return self.job.request.variant


def find_candidates(declared: SurveyEntry, options: Options, variants: Iterable[int]) -> list[Candidate]:
    """Return these variants of an image, whether they exist or not; what only the shared store has is fetched.

    Raises:
        StoreError: the cache cannot be written.
    """
    known = SiteImages(options, finder=ImageFinder(options), open_queue=None)
    name = declared.image.job.name
    images = [known.want(ImageJob(declared.title, name, declared.request.of_variant(one))) for one in variants]
    absent = (image for image in images if not image.stored)
    wanted = [one.job for one in absent if one.reason is None or isinstance(one.reason, PromptRejected)]
    fetched = fetch_images(wanted, options)
    found = []
    for image in (fetched.get(image.job.request.key, image) for image in images):
        refused = isinstance(image.reason, PromptRejected)
        without = "refused" if refused else "unreadable" if image.reason else "missing"
        state = image.state if image.stored else without
        found.append(Candidate(image.job, image.stored, state, image.reason))
    return found


def order_jobs(jobs: Sequence[ImageJob], queue: GenerationQueue) -> list[tuple[ImageJob, Future[StoredImage]]]:
    """Order images that are missing, variants of one request in as few calls as possible."""
    ordered: list[tuple[ImageJob, Future[StoredImage]]] = []
    for run in _runs(jobs):
        futures = queue.submit_together(run) if len(run) > 1 else [queue.order(run[0])]
        ordered += zip(run, futures, strict=True)
    return ordered


def write_sheet(
    candidates: Sequence[Candidate], declared: SurveyEntry, options: Options, *, address: str | None
) -> Path:
    """Write the contact sheet; return its path. `address`: that of the page in the site, if it is known.

    Raises:
        StoreError: it cannot be written.
    """
    sheet = _sheet_of(declared, options)
    folder = sheet.parent
    cards = [_card(candidate, declared, folder) for candidate in candidates]
    place = f"`dark` of `{declared.name}`, beside its `prompt`," if declared.dark else f"`{declared.name}`"
    intro = f"Choose one, and write the line below it into {place} under `images` in mkdocs.yml."
    if declared.page:
        intro = (
            "Choose one: this command writes its number into the page's front matter, and marks it here. Or write the "
            f"line below an image into {place} there yourself."
        )
    request = declared.request
    subject = Subject(
        request.prompt,
        (("model", request.model), ("size", declared.size)),
        ((declared.where, address),),
        f"mkdocs-qhaigc candidates {declared.target} --pick NUMBER" if declared.page else None,
    )
    title = f"Variants of {declared.title}"
    try:
        options.cache.prepare()
        folder.mkdir(parents=True, exist_ok=True)
        atomic_write(sheet, render_sheet(title, cards, intro=intro, subject=subject).encode())
    except OSError as error:
        raise StoreError(unwritable(sheet, error, "cache_dir")) from error
    return sheet


def renew_sheets(images: Iterable[SurveyEntry], survey: Survey) -> None:
    """Write the contact sheets of images anew, as their page declares them now: those that there are.

    Raises:
        StoreError: one cannot be written.
    """
    options = survey.options
    for one in images:
        if not _sheet_of(one, options).exists():
            continue
        variant = one.request.variant
        found = find_candidates(one, options, range(1, max(variant, _USUAL) + 1))
        while found[-1].stored:
            found += find_candidates(one, options, [found[-1].variant + 1])
        shown = [candidate for candidate in found if candidate.state != "missing" or candidate.variant == variant]
        write_sheet(shown, one, options, address=survey.addresses.get(one.page))


def _sheet_of(declared: SurveyEntry, options: Options) -> Path:
    """Return the path of an image's contact sheet."""
    name = re.sub(r"[^\w-]+", "-", declared.target.removesuffix(".md")).strip("-")
    name = name.encode()[:_LONGEST_NAME].decode(errors="ignore")
    return options.cache.candidates / f"{name}-{hashlib.sha256(declared.target.encode()).hexdigest()[:8]}.html"


def kept_dark(declared: SurveyEntry, survey: Survey) -> int | None:
    """Return the variant that a dark image keeps, as its own from then on, where its light one gets another.

    `None` if it has one of its own already, or is not there: then it goes with the light one.

    Raises:
        StoreError: the cache cannot be written.
    """
    dark = None if declared.dark else survey.dark_image_of(declared)
    if dark is None or not dark.follows:
        return None
    [present] = find_candidates(dark, survey.options, [dark.request.variant])
    return None if present.state == "missing" else present.variant


def pick(
    declared: SurveyEntry, variant: int, *, docs_dir: Path, defaults: Defaults, dark_variant: int | None = None
) -> Path | None:
    """Write a variant into the front matter of the page that declares an image; return the page's file.

    That of a dark image is written into `dark`, and is its own from then on. `dark_variant`: see `kept_dark`.

    `None` if the page has that variant already. No other byte of the file changes.

    Raises:
        EditError: the page cannot be edited; the message says what to do.
    """
    if declared.request.variant == variant:
        return None
    file, edited = edited_page(declared, variant, docs_dir=docs_dir, defaults=defaults, dark_variant=dark_variant)
    try:
        atomic_write(file, edited.encode(), mode=stat.S_IMODE(file.stat().st_mode))
    except OSError as error:
        reason = error.strerror or error
        raise EditError(f"{file} cannot be written ({reason}). {_by_hand(declared, variant, dark_variant)}") from error
    return file


def edited_page(
    declared: SurveyEntry, variant: int, *, docs_dir: Path, defaults: Defaults, dark_variant: int | None = None
) -> tuple[Path, str]:
    """Return the file of the page that declares an image, and its text with another variant; see `pick`.

    Raises:
        EditError: the page cannot be edited; the message says what to do.
    """
    where, remedy = declared.title, _by_hand(declared, variant, dark_variant)
    fields = {"dark.variant" if declared.dark else "variant": variant}
    if dark_variant is not None:
        fields["dark.variant"] = dark_variant
    if not declared.page:
        raise EditError(f"{where} is declared by the option `images`. {remedy}, in mkdocs.yml")
    file = docs_dir.joinpath(declared.page).resolve()  # the target, if it is a link
    with reading_page(file, advice=f". {remedy}"):
        text = file.read_bytes().decode()
    try:
        edited = write_fields(text, declared.name, fields)
        _require_same_image(edited, declared, variant, defaults, dark_variant)
    except EditError as error:
        raise EditError(f"{file} was not changed, for {error}. {remedy}") from error
    return file, edited


@contextmanager
def reading_page(shown: object, *, advice: str = "") -> Iterator[None]:
    """Raise EditError where a page's file, which is called `shown` in the message, cannot be read."""
    try:
        yield
    except FileNotFoundError as error:
        remedy = f"{advice}, where it is made" if advice else ""
        raise EditError(f"{shown} is no file: a plugin makes this page{remedy}") from error
    except UnicodeDecodeError as error:
        raise EditError(f"{shown} is not in UTF-8{advice}") from error
    except OSError as error:
        raise EditError(f"{shown} cannot be read ({reason_of(error)}){advice}") from error


def _by_hand(declared: SurveyEntry, variant: int, dark_variant: int | None) -> str:
    lines = [line_of(declared, variant)]
    if dark_variant is not None:
        lines.append(f"dark: {{prompt: …, variant: {dark_variant}}}")
    return f"Write {' and '.join(f'`{line}`' for line in lines)} into the directive yourself"


def line_of(declared: SurveyEntry, variant: int | str) -> str:
    """Return what an author writes into a directive to have a variant: `variant: 3`."""
    return f"dark: {{prompt: …, variant: {variant}}}" if declared.dark else f"variant: {variant}"


def _require_same_image(
    page: str, declared: SurveyEntry, variant: int, defaults: Defaults, dark_variant: int | None
) -> None:
    """Raise EditError unless the text of a page declares these variants of exactly this image and its dark one."""
    directive = read_directives(front_matter(page).get(META_KEY), defaults, declared.page)[0].get(declared.name)
    picked, before = declared.request.of_variant(variant), declared.directive
    light, dark = picked, before.dark
    if declared.dark:
        light, dark = before.request, picked
    elif dark and before.dark_follows:
        dark = dark.of_variant(dark_variant or variant)
    if directive is None or (directive.request, directive.dark) != (light, dark):
        raise EditError("the site gives this image other fields than the page's own front matter does")


def _runs(jobs: Sequence[ImageJob]) -> Iterator[list[ImageJob]]:
    """Yield jobs in runs of consecutive variants of one request: a sandbox draws such a run as it would one by one."""
    run: list[ImageJob] = []
    for job in jobs:
        if run and (
            job.request != run[-1].request.of_variant(run[-1].request.variant + 1) or len(run) == MOST_IN_ONE_CALL
        ):
            yield run
            run = []
        run.append(job)
    if run:
        yield run


def _card(candidate: Candidate, declared: SurveyEntry, folder: Path) -> Card:
    request, stored = candidate.job.request, candidate.stored
    facts = []
    if stored:
        facts += [("came as", f"{stored.width}×{stored.height} {stored.format}"), ("bytes", f"{stored.size:,}")]
        if revised := revised_prompt(stored, request.prompt):
            facts.append(("revised prompt", revised))
    return Card(
        title=f"Variant {candidate.variant}",
        image=url_of(stored.path, folder=folder) if stored else None,
        width=stored.width if stored else request.width,
        height=stored.height if stored else request.height,
        prompt="",
        facts=tuple(facts),
        line=f"variant: {candidate.variant}",
        state=candidate.state if candidate.reason is None else f"{candidate.state}: {candidate.reason}",
        pages=(),
        in_use=candidate.variant == declared.request.variant,
    )
