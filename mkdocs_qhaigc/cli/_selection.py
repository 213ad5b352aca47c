"""Selection of images by the commands' arguments `PAGE` and `PAGE#NAME`."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Sequence, Set
from pathlib import Path

from mkdocs_qhaigc._util.text import closest_matches
from mkdocs_qhaigc.errors import SelectionError
from mkdocs_qhaigc.site.survey import Survey, SurveyEntry

SITE = "mkdocs.yml"
"""Stands for the option `images` where an argument names a page."""
_SHOWN, _NEAREST = 12, 3
_ENDINGS = (".md", "/index.md", "/README.md")


def select(survey: Survey, arguments: Sequence[str]) -> list[SurveyEntry]:
    """Return the selected images in the site's order; all of them without arguments.

    `PAGE` selects the images that the page declares, and those of the option `images` that it shows; `PAGE#NAME`
    selects one of them, `PAGE#NAME-dark` its dark one; `FOLDER` selects those of every page in it.

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
    found = select(survey, [argument])
    light = [one for one in found if not one.dark] or found
    if len(light) > 1:
        names = ", ".join(one.where for one in light[:_SHOWN])
        raise SelectionError(f"{argument} has several images. Write one of {names}")
    return light[0]


def select_target(surveys: Sequence[Survey], argument: str) -> tuple[Survey, SurveyEntry]:
    """Return the image that `PAGE#NAME` selects on the first of these sites that has it.

    Raises:
        SelectionError: see `select_one`.
    """
    unknown: SelectionError | None = None
    for survey in surveys:
        try:
            return survey, select_one(survey, argument)
        except SelectionError as error:
            unknown = unknown or error
    raise unknown or SelectionError(f"{argument}: there is no site to look at")


def _meant(survey: Survey, argument: str) -> list[SurveyEntry]:
    page, hash_, name = argument.rpartition("#")
    if not hash_ or _page(survey, argument) in _pages(survey):  # a page may have `#` in its own name
        page, hash_, name = argument, "", ""
    page = _page(survey, page)
    found = _of_page(survey, page)
    if not found and not hash_:
        folder = f"{page.rstrip('/')}/"
        within = sorted(each for each in _pages(survey) if each.startswith(folder) or folder == "./")
        found = [one for each in within for one in _of_page(survey, each)]
    if not found:
        pages = _unique(one.page or SITE for one in survey.entries)
        close = _page_of(page, _pages(survey))
        of_name = _unique(one.where for one in survey.entries if one.name == argument)
        near = [close] if close else of_name[:_NEAREST] or closest_matches(page, [*pages, *_folders(pages)])
        raise SelectionError(
            (f"{argument}: " if hash_ else "")
            + f"{page or 'that'} is no page with images. "
            + (f"Did you mean {_or(near)}?" if near else f"There are {_list(pages)}")
        )
    if not hash_:
        return found
    name = unicodedata.normalize("NFC", name)
    if named := [one for one in found if one.name == name]:
        return named
    if dark := [one for one in found if one.dark and f"{one.name}-dark" == name]:
        return dark
    names = _unique(one.name for one in found)
    near = closest_matches(name, names)
    raise SelectionError(
        f"{argument}: {page} has no image {name!r}. "
        + (f"Did you mean {_or(near)}?" if near else f"It has {_list(names)}")
    )


def _of_page(survey: Survey, page: str) -> list[SurveyEntry]:
    own = [one for one in survey.entries if (one.page or SITE) == page]
    names = {one.name for one in own}
    return [
        *own,
        *(one for one in survey.entries if not one.page and page in one.users and one.name not in names),
    ]


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


def _folders(pages: Iterable[str]) -> list[str]:
    return _unique(page.rpartition("/")[0] for page in pages if "/" in page)


def _unique(words: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(words))


def _or(words: Sequence[str]) -> str:
    return " or ".join(filter(None, (", ".join(words[:-1]), words[-1])))


def _list(words: Sequence[str]) -> str:
    return (", ".join(words[:_SHOWN]) + (" …" if len(words) > _SHOWN else "")) or "none"
