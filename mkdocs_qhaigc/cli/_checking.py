"""What keeps a site from being shipped: images that are missing or damaged, and what its build would warn of."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from mkdocs_qhaigc.cli import pins
from mkdocs_qhaigc.errors import StoreError
from mkdocs_qhaigc.site import warnings
from mkdocs_qhaigc.site.survey import Survey, SurveyEntry
from mkdocs_qhaigc.store.image_store import open_pins

Kind = Literal["missing", "damaged"] | warnings.Kind


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing to mend."""

    kind: Kind
    message: str
    """Where, what, and what to do."""
    one: SurveyEntry | None = None
    """The image, where it is about one that is declared."""


def check(survey: Survey) -> Iterator[Finding]:
    """Yield what is wrong with a site. Every original that it uses is read, and compared with its record.

    Raises:
        StoreError: the folder of pins cannot be read.
    """
    there = None
    used = {one.request.key for one in survey.entries}
    for one in survey.each_once():
        where = one.title
        if one.image.reason:
            yield Finding("damaged", f"{where}: {one.image.reason}", one)
            continue
        if one.stored is None:
            there = there or open_pins(survey.options, quiet=True).contents()
            advice = pins.advice(one, there, survey.options, used=used)
            yield Finding("missing", f"{where}: its image is missing. {advice}", one)
            continue
        try:
            one.stored.read()
        except StoreError as error:
            remedy = (
                "Restore it from version control, or run `mkdocs-qhaigc pin`, which takes a whole one from the cache"
            )
            if one.state != "pinned":
                remedy = (
                    "The next build or `mkdocs-qhaigc generate` sets it aside and buys it again: restore it if you can"
                )
            yield Finding("damaged", f"{where}: {error}. {remedy}", one)
    for notice in survey.warnings:
        yield Finding(survey.kinds.get(notice, "file"), notice)
