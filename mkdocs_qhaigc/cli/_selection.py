"""Selection of images by the commands' arguments `PAGE` and `PAGE#NAME`."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Sequence, Set
from pathlib import Path

from mkdocs_qhaigc._util.text import closest_match
from mkdocs_qhaigc.errors import SelectionError
from mkdocs_qhaigc.site.survey import Survey, SurveyEntry

SITE = "mkdocs.yml"
"""Stands for the option `images` where an argument names a page."""
_SHOWN = 12
_ENDINGS = (".md", "/index.md", "/README.md")


def select(survey: Survey, arguments: Sequence[str]) -> list[SurveyEntry]:
    """Return the selected images in the site's order; all of them without arguments.

    `PAGE` selects the images that the page declares, and those of the option `images` that it shows; `PAGE#NAME`
    selects one of them.

    Raises:
        SelectionError: a page or a name is not known; the message lists those that are.
    """
    if not arguments:
        return list(survey.entries)
    meant = {id(one) for argument in arguments for one in _meant(survey, argument)}
    return [one for one in survey.entries if id(one) in meant]


def select_one(survey: Survey, argument: str) -> SurveyEntry:
    """Return the image that `PAGE#NAME` selects; of one with a dark image, the light one.

    Raises:
        SelectionError: there is none, or `PAGE` alone selects several.
    """
    light = [one for one in select(survey, [argument]) if not one.dark]
    if len(light) > 1:
        names = ", ".join(one.where for one in light[:_SHOWN])
        raise SelectionError(f"{argument} has several images. Write one of {names}")
    return light[0]


def select_target(surveys: Sequence[Survey], argument: str) -> tuple[Survey, SurveyEntry]:
    """Return the image that `PAGE#NAME` selects on the first of these sites that has it; `PAGE#NAME-dark` a dark one.

    Raises:
        SelectionError: see `select_one`.
    """
    unknown: SelectionError | None = None
    light = [(survey, argument, False) for survey in surveys]
    dark = [(survey, argument.removesuffix("-dark"), True) for survey in surveys if argument.endswith("-dark")]
    for survey, name, is_dark in (*light, *dark):
        try:
            one = select_one(survey, name)
            if not is_dark:
                return survey, one
        except SelectionError as error:
            unknown = unknown or error
            continue
        for other in select(survey, [name]):
            if other.dark:
                return survey, other
    raise unknown or SelectionError(f"{argument}: there is no site to look at")


def _meant(survey: Survey, argument: str) -> list[SurveyEntry]:
    page, hash_, name = argument.rpartition("#")
    if not hash_ or _page(survey, argument) in _pages(survey):  # a page may have `#` in its own name
        page, hash_, name = argument, "", ""
    page = _page(survey, page)
    own = [one for one in survey.entries if (one.page or SITE) == page]
    names = {one.name for one in own}
    shared = [one for one in survey.entries if not one.page and page in one.users and one.name not in names]
    found = [*own, *shared]
    if not found:
        pages = _unique(one.page or SITE for one in survey.entries)
        close = _page_of(page, _pages(survey)) or closest_match(page, pages)
        raise SelectionError(
            f"{argument}: {page or 'that'} is no page with images. "
            + (f"Did you mean {close}?" if close else f"There are {_list(pages)}")
        )
    if not hash_:
        return found
    name = unicodedata.normalize("NFC", name)
    if not any(one.name == name for one in found):
        raise SelectionError(
            f"{argument}: {page} has no image {name!r}. It has {_list(_unique(one.name for one in found))}"
        )
    return [one for one in found if one.name == name]


def _page(survey: Survey, written: str) -> str:
    """Return MkDocs' name of a page, given that name or the path of its file."""
    known = _pages(survey)
    named = unicodedata.normalize("NFC", written.replace("\\", "/")).removeprefix("./")
    if named in known or named == SITE:
        return named
    try:
        return Path(written).resolve().relative_to(survey.docs_dir.resolve()).as_posix()
    except (ValueError, OSError):
        return named


def _page_of(written: str, pages: Set[str]) -> str | None:
    """Return the page that a folder, an address or a name without extension stands for; `None` if there is none."""
    folder = written.strip("/")
    return next((page for ending in _ENDINGS if (page := f"{folder}{ending}") in pages), None)


def _pages(survey: Survey) -> set[str]:
    return {one.page for one in survey.entries} | {user for one in survey.entries for user in one.users}


def _unique(words: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(words))


def _list(words: Sequence[str]) -> str:
    return (", ".join(words[:_SHOWN]) + (" …" if len(words) > _SHOWN else "")) or "none"
