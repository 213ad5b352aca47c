"""The committed images: how they differ from what the site uses, and what makes them the same.

pinned        the site uses it and it is whole: nothing to do
unpinned      the cache has it                              → copied into the pins
unused        no image of the site any more               → moved into the cache
remnant       files of no whole image                     → moved into the cache
missing       nobody has it; remnants of it stay where they are
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from mkdocs_qhaigc._util.locks import hold
from mkdocs_qhaigc.config.options import Options
from mkdocs_qhaigc.errors import ImageDamaged, LfsPointer, SiteError, StoreError
from mkdocs_qhaigc.imaging.formats import EXTENSIONS
from mkdocs_qhaigc.site.survey import Declared, Survey
from mkdocs_qhaigc.store.availability import is_lfs_pointer
from mkdocs_qhaigc.store.image_store import Contents, ImageStore, open_cache, open_pins
from mkdocs_qhaigc.store.record import KEY_DIGITS, StoredImage, digits_in_any, file_stem, name_in
from mkdocs_qhaigc.store.transfer import archive_orphan, copy_into, unpin

Kind = Literal["pinned", "unpinned", "unused", "remnant", "missing"]


@dataclass(frozen=True, slots=True)
class Pin:
    """One image, or one file, of the pins: as it is, or as it has to be."""

    kind: Kind
    path: Path
    """In the folder of pins; where nobody has the image: the folder."""
    one: Declared | None
    """The image of the site whose key it has; None where there is none."""
    original: StoredImage | None = None
    """Where the bytes are."""
    why: str = ""
    """What is wrong, and what can be done."""


@dataclass(frozen=True, slots=True)
class Comparison:
    """How the pins differ from what the sites use that share them."""

    options: Options
    pins: tuple[Pin, ...]
    """In the site's order; what the site does not use at the end."""
    problems: tuple[str, ...]
    """Directives that cannot be used: while there are any, what seems unused may be theirs, and stays."""

    @property
    def changes(self) -> list[Pin]:
        """What can be made right, in the order in which it can: what is in the way goes first."""
        away = [pin for kind in ("unused", "remnant") for pin in self.of(kind) if pin.one or not self.problems]
        return away + self.of("unpinned")

    @property
    def differs(self) -> bool:
        """Whether anything is not as it should be."""
        return bool(self.problems) or any(pin.kind != "pinned" for pin in self.pins)

    def of(self, kind: Kind) -> list[Pin]:
        """Return those of one kind."""
        return [pin for pin in self.pins if pin.kind == kind]


def sharing(surveys: Iterable[Survey]) -> list[list[Survey]]:
    """Return the sites by the folder of pins that they share."""
    by_folder: dict[Path, list[Survey]] = {}
    for survey in surveys:
        by_folder.setdefault(survey.options.pins_dir.resolve(), []).append(survey)
    return list(by_folder.values())


def compare(surveys: Sequence[Survey]) -> Comparison:
    """Return how a folder of pins differs from what the sites use that share it.

    Raises:
        SiteError: the pins lie where the cache does.
        StoreError: a folder cannot be read.
    """
    options = surveys[0].options
    if options.cache.originals.resolve() == options.pins_dir.resolve():
        raise SiteError(f"`pins_dir` and `cache_dir` lead to one folder, {options.pins_dir}. Choose another for one")
    there = open_pins(options, quiet=True).contents()
    found: dict[str, Pin] = {}
    used = {one.request.key for survey in surveys for one in survey.declared}
    for survey in surveys:
        cache = open_cache(survey.options, quiet=True)
        for one in survey.each_once():
            pin = _compare_one(one, survey.options, there, cache, used=used)
            if one.request.key not in found or found[one.request.key].kind == "missing":
                found[one.request.key] = pin
    problems = tuple(problem for survey in surveys for problem in survey.problems)
    return Comparison(options, (*found.values(), *_surplus(there, found)), problems)


def settle(pin: Pin, options: Options) -> Path:
    """Make a difference go away; return where the image, or what is left of it, is then.

    Raises:
        LfsPointer: Git LFS has the image: a pointer in the cache is none.
        StoreError: it cannot be done. Nothing is lost.
    """
    beside = (pin.path.with_suffix(f".{extension}") for extension in ("json", *EXTENSIONS.values()))
    if pin.kind == "remnant" and pin.one is None and any(map(is_lfs_pointer, beside)):
        raise LfsPointer(options.pins_dir)
    if pin.kind == "unpinned" and pin.original:
        return copy_into(pin.original, options.pins_dir, pin.path.stem)
    if pin.kind == "unused" and pin.original:
        return take_away(pin.original, options)
    return archive_orphan(pin.path, options)


def take_away(original: StoredImage, options: Options) -> Path:
    """Move a pin into the cache, as what it is; return the image's path, or what is left of it, there.

    Raises:
        StoreError: it cannot be done. Nothing is lost.
    """
    try:
        return unpin(original, options)
    except ImageDamaged:
        archive_orphan(original.path.with_suffix(".json"), options)
        return archive_orphan(original.path, options)


@contextmanager
def alone(options: Options) -> Iterator[None]:
    """Hold a lock against other programs that change these pins; what killed ones had begun is removed.

    Raises:
        StoreError: another holds it, or the cache cannot be written.
    """
    with ExitStack() as held:
        try:
            options.cache.prepare()
            held.enter_context(hold(options.cache.locks, "pins", seconds=options.timeout + 5))
            for path in open_pins(options, quiet=True).contents().unfinished:
                path.unlink()
        except TimeoutError as error:
            raise StoreError("another process is changing the pins. Try again later") from error
        except OSError as error:
            raise StoreError(f"{error.filename} cannot be written ({error.strerror or error})") from error
        yield


def advice(one: Declared, there: Contents, options: Options, *, used: Set[str]) -> str:
    """Return why an image may be missing, and what can be done. `used`: the keys of all that the sites declare."""
    if one.image.reason:
        return str(one.image.reason)
    left = [path for path in there.remnants_of(one.request.key) if path.suffix != ".json"]
    left = left or there.remnants_of(one.request.key)
    if left:
        return (
            f"{options.pins_dir.name}/{left[0].name} cannot be used: its bytes or its record are not those that were "
            "saved. Restore both from version control (`git lfs pull` where it keeps them)"
        )
    unused = (pin for pin in there.images if pin.key not in used)
    stale = next((pin for pin in unused if _name(pin) == one.image.order.name and _other(pin, one)), None)
    hint = f"{options.pins_dir.name}/{stale.path.name} is of another {_other(stale, one)}. " if stale else ""
    return f"{hint}Run `mkdocs-qhaigc generate`, then `mkdocs-qhaigc pin`"


def _surplus(there: Contents, found: Mapping[str, Pin]) -> Iterator[Pin]:
    """Yield what lies in the pins and is not used; what may be left of an image that is missing is not among it."""
    used = {pin.path for pin in found.values() if pin.kind == "pinned"}
    for original in there.images:
        pin = found.get(original.key)
        if original.path in used or (pin and pin.kind == "missing"):
            continue
        why = "nothing uses it"
        if pin:
            why = "it is a second one of its image" if pin.kind == "pinned" else "it is damaged"
        yield Pin("unused", original.path, pin.one if pin else None, original, why)
    by_digits = {key[:KEY_DIGITS]: pin for key, pin in found.items()}
    for path in there.remnants:
        pin = by_digits.get(digits_in_any(path.name))
        if pin is None or pin.kind != "missing":
            yield Pin("remnant", path, pin.one if pin else None, why="it is no whole image with a record")


def _compare_one(one: Declared, options: Options, there: Contents, cache: ImageStore, *, used: Set[str]) -> Pin:
    key = one.request.key
    reason = ""
    for pin in there.of(key):
        try:
            pin.read()
        except StoreError as error:
            reason = f"{error}. Restore it from version control"
        else:
            return Pin("pinned", pin.path, one, pin)
    for original in cache.find_all(key):
        try:
            original.read()
        except StoreError as error:
            reason = reason or str(error)
        else:
            path = options.pins_dir / f"{file_stem(one.image.order.name, key)}{original.path.suffix}"
            return Pin("unpinned", path, one, original, why="run `mkdocs-qhaigc pin`")
    return Pin("missing", options.pins_dir, one, why=reason or advice(one, there, options, used=used))


def _name(pin: StoredImage) -> str:
    return name_in(pin.path)


def _other(pin: StoredImage, one: Declared) -> str:
    """Return which fields of its request are others than those of an image of the site; empty where none is."""
    request = pin.record.get("request")
    if not isinstance(request, dict):
        return ""
    now = one.request.as_record()
    fields = ("prompt", "model", "size", "variant", "params")
    return " and ".join(field for field in fields if request.get(field) != now[field])
