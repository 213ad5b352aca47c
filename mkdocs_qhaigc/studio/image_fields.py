"""The JSON fields of an image that the browser gets. Pure, but for the records that are passed to it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from mkdocs_qhaigc.config.options import Options
from mkdocs_qhaigc.directives.directive import Directive
from mkdocs_qhaigc.directives.parse import resolve_style
from mkdocs_qhaigc.directives.request import ImageRequest, final_prompt
from mkdocs_qhaigc.directives.sizes import read_size
from mkdocs_qhaigc.errors import BudgetExceeded, NotBought, PromptRejected, QhaigcError
from mkdocs_qhaigc.site.page_rendering import page_crop
from mkdocs_qhaigc.site.survey import SurveyEntry
from mkdocs_qhaigc.store.record import StoredImage
from mkdocs_qhaigc.studio.editing import PageFile
from mkdocs_qhaigc.studio.purchases import plain
from mkdocs_qhaigc.studio.stored_images_snapshot import words_of

Verdict = Literal["approved", "rejected"]


@dataclass(frozen=True, slots=True)
class Declared:
    """An image of the site as its page declares it now, which may be later than the last build."""

    entry: SurveyEntry
    """As the last build saw it."""
    directive: Directive
    request: ImageRequest
    page: PageFile | None
    """The file that declares it; `None` if there is none that can be edited."""
    by_hand: str | None
    """Why it cannot be edited here, and what to write; `None` if it can."""

    @property
    def written(self) -> Mapping[Any, Any]:
        """The directive's fields as their author wrote them; empty if that is not known."""
        return self.page.fields.get(self.entry.name, {}) if self.page else {}

    @property
    def version(self) -> str | None:
        """The sha256 of its file's bytes."""
        return self.page.version if self.page else None


@dataclass(frozen=True, slots=True)
class Status:
    """The state of an image at the moment."""

    state: str
    """pinned, cached, shared, missing, making, refused or unreadable."""
    stored: StoredImage | None
    revised_prompt: str | None = None
    why: str | None = None
    remedy: str | None = None
    since: float | None = None
    """Seconds for which it has been under way."""
    fresh: bool = False
    verdict: Verdict | None = None


def image_fields(
    one: Declared,
    status: Status,
    options: Options,
    *,
    pair: str | None,
    files: Sequence[str],
    lacks_alt: bool,
    url: Callable[[str], str],
) -> dict[str, Any]:
    """Return the JSON fields of an image.

    Args:
        pair: the light or dark one beside it.
        files: the places in the site of its files.
        lacks_alt: whether the last build has shown it without an alternative text.
        url: returns the address of a page.
    """
    entry, request = one.entry, one.request
    words, style = words_and_style(one, options)
    named = one.written.get("style")
    width, height = _sides(one, status.stored)
    return {
        "id": entry.target,
        "name": entry.name,
        "dark": entry.dark,
        "pair": pair,
        "page": entry.page,
        "file": one.page.shown if one.page else entry.page or "mkdocs.yml",
        "line": one.page.lines.get(entry.name) if one.page else None,
        "version": one.version,
        "pages": [{"src_uri": src_uri, "url": url(src_uri)} for src_uri in entry.users if src_uri],
        "shown": bool(entry.users),
        "state": status.state,
        "fresh": status.fresh,
        "why": status.why,
        "remedy": status.remedy,
        "since": status.since,
        "key": request.key,
        "prompt": words,
        "style": style,
        "style_name": named if isinstance(named, str) else None,
        "model": request.model,
        "size": read_size(one.written.get("size", options.defaults.size)) or request.size,
        "variant": request.variant,
        "alt": one.directive.alt,
        "lacks_alt": lacks_alt and one.directive.alt is None,
        "caption": one.directive.caption,
        "revised_prompt": status.revised_prompt,
        "width": width,
        "height": height,
        "price": price_of(request, options),
        "editable": one.by_hand is None,
        "by_hand": one.by_hand,
        "files": list(files),
        "review": status.verdict,
    }


def words_and_style(one: Declared, options: Options) -> tuple[str, str]:
    """Return the author's own words of an image's prompt, and the text of the styles behind them."""
    prompt, written = one.request.prompt, one.written
    own = written.get("prompt")
    if one.entry.dark:
        dark = written.get("dark")
        own = dark.get("prompt") if isinstance(dark, Mapping) else dark
    if isinstance(own, str) and prompt.startswith(words := final_prompt(own)):
        return own, prompt[len(words) :].lstrip(", ")
    defaults = options.defaults
    look = resolve_style(defaults.style, defaults.styles).text
    for text in (*(resolve_style(name, defaults.styles).text for name in defaults.styles or {}), ""):
        if words := words_of(prompt, text, look) or "":
            return words, prompt[len(words) :].lstrip(", ")
    return prompt, ""


def price_of(request: ImageRequest, options: Options) -> str:
    """Return the price of one more image for people: `0.04 USD`, or `a call to MODEL` if it is not known.

    What the sandbox draws is free, at any number.
    """
    if options.sandboxed:
        return "free in the sandbox"
    cost = options.cost([request])
    return str(cost) if cost and cost.known else f"a call to {request.model}"


def explain(reason: QhaigcError, options: Options) -> tuple[str, str | None]:
    """Return why an image is not there, and what to do about it."""
    text = plain(reason, options.folder)
    if isinstance(reason, PromptRejected):
        said = f" ({reason.reason.rstrip('.')})" if reason.reason else ""
        return f"the API refuses this prompt{said}", "Change the prompt; until then it is not asked for again"
    if isinstance(reason, NotBought):
        return "it is not bought yet", "Buy it here"
    if isinstance(reason, BudgetExceeded):
        return "it is over the limit of new images (`max_new_images`)", "Raise the limit in the bar, and buy it"
    why, _, remedy = text.partition(". ")
    return why, remedy or None


def _sides(one: Declared, stored: StoredImage | None) -> tuple[int, int]:
    """Return width and height of an image as it is published, in pixels."""
    sides = (stored.width, stored.height) if stored else (one.request.width, one.request.height)
    crop = page_crop(one.directive)
    return crop.within(*sides) if crop else sides
