"""Compares the pins (images committed with the site's source) with those that sites use, and settles each difference.

pinned        the site uses it and it is whole           → nothing
unpinned      the cache has it                              → copied into the pins
unused        no image of the site has its key            → moved into the cache
remnant       a file that belongs to no whole image       → moved into the cache
missing       neither has it                              → nothing; its remnants stay
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from mkdocs_qhaigc._util.files import real_path, unwritable
from mkdocs_qhaigc._util.locks import hold
from mkdocs_qhaigc.config.options import SANDBOX, Options
from mkdocs_qhaigc.errors import ImageDamaged, LfsPointer, SiteError, StoreError
from mkdocs_qhaigc.imaging.formats import EXTENSIONS
from mkdocs_qhaigc.site.survey import Survey, SurveyEntry
from mkdocs_qhaigc.store.image_store import Contents, ImageStore, open_cache, open_pins
from mkdocs_qhaigc.store.move_between_pins_and_cache import archive_orphan, copy_into, unpin
from mkdocs_qhaigc.store.record import KEY_DIGITS, StoredImage, digits_in_any, file_stem, name_in
from mkdocs_qhaigc.store.version_control_pointers import is_lfs_pointer

Kind = Literal["pinned", "unpinned", "unused", "remnant", "missing"]


@dataclass(frozen=True, slots=True)
class Pin:
    """One image or file of the pins, or one that has to be there."""

    kind: Kind
    path: Path
    """In the folder of pins; the folder itself if the image is missing."""
    one: SurveyEntry | None
    """The image of the site that has its key; `None` if there is none."""
    stored: StoredImage | None = None
    """In the pins, or in the cache if it is unpinned; `None` for a remnant and for a missing image."""
    why: str = ""
    """The fault and its remedy, for messages."""


@dataclass(frozen=True, slots=True)
class Comparison:
    """The differences between a folder of pins and the sites that share it."""

    options: Options
    pins: tuple[Pin, ...]
    """In the sites' order; those that no site uses at the end."""
    problems: tuple[str, ...]
    """Directives that cannot be used: while there are any, images that seem unused may be theirs, and stay."""

    @property
    def changes(self) -> list[Pin]:
        """The differences that can be settled, in that order: files that are in the way first."""
        away = [pin for kind in ("unused", "remnant") for pin in self.of(kind) if pin.one or not self.keeps_unused]
        return away + self.of("unpinned")

    @property
    def keeps_unused(self) -> str:
        """The reason why images that nothing seems to use stay; empty if they are taken away."""
        if self.problems:
            return "they may belong to directives that cannot be used. Correct those first"
        if self.of("missing"):
            return "others are missing, which may replace them. Run `mkdocs-qhaigc generate`, then `mkdocs-qhaigc pin`"
        return ""

    @property
    def differs(self) -> bool:
        """Whether there is any difference."""
        return bool(self.problems) or any(pin.kind != "pinned" for pin in self.pins)

    def of(self, kind: Kind) -> list[Pin]:
        """Return the pins of one kind."""
        return [pin for pin in self.pins if pin.kind == kind]


def sharing(surveys: Iterable[Survey]) -> list[list[Survey]]:
    """Return the sites, grouped by the folder of pins that they share."""
    by_folder: dict[Path, list[Survey]] = {}
    for survey in surveys:
        by_folder.setdefault(real_path(survey.options.pins_dir), []).append(survey)
    return list(by_folder.values())


def compare(surveys: Sequence[Survey]) -> Comparison:
    """Return the differences between a folder of pins and the sites that share it.

    Raises:
        SiteError: the pins and the cache are one folder.
        StoreError: a folder cannot be read.
    """
    options = surveys[0].options
    if real_path(options.cache.originals) == real_path(options.pins_dir):
        raise SiteError(f"`pins_dir` and `cache_dir` lead to one folder, {options.pins_dir}. Choose another for one")
    there = open_pins(options, quiet=True).contents()
    found: dict[str, Pin] = {}
    used = {one.request.key for survey in surveys for one in survey.entries}
    for survey in surveys:
        for one, pin in compare_images(survey.each_once(), survey.options, there, used=used):
            if one.request.key not in found or found[one.request.key].kind == "missing":
                found[one.request.key] = pin
    problems = tuple(problem for survey in surveys for problem in survey.problems)
    return Comparison(options, (*found.values(), *_surplus(there, found)), problems)


def compare_images(
    images: Iterable[SurveyEntry], options: Options, there: Contents, *, used: Set[str]
) -> Iterator[tuple[SurveyEntry, Pin]]:
    """Yield each image with its pin, or the one that it has to have.

    Args:
        there: the contents of the folder of pins.
        used: the keys of all images that the sites declare.
    """
    cache = open_cache(options, quiet=True)
    for one in images:
        yield one, _compare_one(one, options, there, cache, used=used)


def settle(pin: Pin, options: Options) -> Path:
    """Settle a difference; return the new path of the image or the remnant.

    Raises:
        LfsPointer: only a Git LFS pointer is there, which is of no use in the cache.
        StoreError: it is not possible. Nothing is lost.
    """
    beside = (pin.path.with_suffix(f".{extension}") for extension in ("json", *EXTENSIONS.values()))
    if pin.kind == "remnant" and pin.one is None and any(map(is_lfs_pointer, beside)):
        raise LfsPointer(options.pins_dir)
    if pin.kind == "unpinned" and pin.stored:
        return copy_into(pin.stored, options.pins_dir, pin.path.stem)
    if pin.kind == "unused" and pin.stored:
        return take_away(pin.stored, options)
    return archive_orphan(pin.path, options)


def take_away(image: StoredImage, options: Options) -> Path:
    """Move a pin into the cache, as a remnant if it is damaged; return its path there.

    Raises:
        StoreError: it is not possible. Nothing is lost.
    """
    try:
        return unpin(image, options)
    except ImageDamaged:
        archive_orphan(image.path.with_suffix(".json"), options)
        return archive_orphan(image.path, options)


@contextmanager
def alone(options: Options) -> Iterator[None]:
    """Hold a lock against other programs that change these pins; remove the temporary files of killed ones.

    Raises:
        StoreError: another one holds it, or the cache cannot be written.
    """
    with ExitStack() as held:
        try:
            options.cache.prepare()
            held.enter_context(hold(options.cache.locks, "pins", seconds=options.timeout + 5))
        except TimeoutError as error:
            raise StoreError("another process is changing the pins. Try again later") from error
        except OSError as error:
            raise StoreError(unwritable(options.cache.locks, error, "cache_dir")) from error
        for path in open_pins(options, quiet=True).contents().unfinished:
            try:
                path.unlink(missing_ok=True)
            except OSError as error:
                raise StoreError(unwritable(path, error, "pins_dir")) from error
        yield


def advice(one: SurveyEntry, there: Contents, options: Options, *, used: Set[str]) -> str:
    """Return why an image may be missing, and what to do. `used`: the keys of all images that the sites declare."""
    if one.image.reason:
        return str(one.image.reason)
    if one.state == "shared" and one.stored is None:
        return "The shared store has it: run `mkdocs-qhaigc pin`"
    left = [path for path in there.remnants_of(one.request.key) if path.suffix != ".json"]
    left = left or there.remnants_of(one.request.key)
    if left:
        return (
            f"{options.pins_dir.name}/{left[0].name} cannot be used: its bytes or its record are not those that were "
            "saved. Restore both from version control (`git lfs pull` where it keeps them)"
        )
    unused = [pin for pin in there.images if pin.key not in used and _name(pin) == one.image.job.name]
    hint = ""
    if len(unused) == 1:  # else nothing says which of them was this image's
        named = f"{options.pins_dir.name}/{unused[0].path.name}"
        if _is_drawing(unused[0]) and not options.sandboxed:
            hint = f"{named} is a drawing of the sandbox, which stands in for no image of an API. "
        elif other := _other(unused[0], one):
            hint = f"{named} is of another {other}. "
    return f"{hint}Run `mkdocs-qhaigc generate`, then `mkdocs-qhaigc pin`"


def _surplus(there: Contents, found: Mapping[str, Pin]) -> Iterator[Pin]:
    """Yield the pins that no site uses, without possible remnants of missing images."""
    used = {pin.path for pin in found.values() if pin.kind == "pinned"}
    for image in there.images:
        pin = found.get(image.key)
        if image.path in used or (pin and pin.kind == "missing"):
            continue
        why = "nothing uses it"
        if pin:
            why = "it is a second image of its key" if pin.kind == "pinned" else "it is damaged"
        yield Pin("unused", image.path, pin.one if pin else None, image, why)
    by_digits = {key[:KEY_DIGITS]: pin for key, pin in found.items()}
    for path in there.remnants:
        pin = by_digits.get(digits_in_any(path.name))
        if pin is None or pin.kind != "missing":
            yield Pin("remnant", path, pin.one if pin else None, why="it is no whole image with a record")


def _compare_one(one: SurveyEntry, options: Options, there: Contents, cache: ImageStore, *, used: Set[str]) -> Pin:
    key = one.request.key
    reason = ""
    for pin in there.of(key):
        try:
            pin.read()
        except StoreError as error:
            reason = f"{error}. Restore it from version control"
        else:
            return Pin("pinned", pin.path, one, pin)
    for cached in cache.find_all(key):
        try:
            cached.read()
        except StoreError as error:
            reason = reason or f"{error}. Restore it, or run `mkdocs-qhaigc generate`, which buys another"
        else:
            path = options.pins_dir / f"{file_stem(one.image.job.name, key)}{cached.path.suffix}"
            return Pin("unpinned", path, one, cached, why="run `mkdocs-qhaigc pin`")
    return Pin("missing", options.pins_dir, one, why=reason or advice(one, there, options, used=used))


def _name(pin: StoredImage) -> str:
    return name_in(pin.path)


def _is_drawing(pin: StoredImage) -> bool:
    return pin.record.get("api") == SANDBOX


def _other(pin: StoredImage, one: SurveyEntry) -> str:
    """Return the fields of its request that differ from those of an image of the site; empty if none does."""
    request = pin.record.get("request")
    if not isinstance(request, dict):
        return ""
    now = one.request.as_record()
    fields = ("prompt", "model", "size", "variant", "params", "references")
    return " and ".join(field for field in fields if request.get(field) != now.get(field))
