"""Advice about requests that a service will most likely refuse, by what is known of its models: before money is spent.

It is advice about images that are still missing: the table of models may be behind a service.
"""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import urlsplit

from mkdocs_qhaigc.directives.known_models import TRANSPARENT_FORMATS, KnownModel, SizeLimits, known_model
from mkdocs_qhaigc.directives.request import ImageRequest
from mkdocs_qhaigc.site.survey import Survey, SurveyEntry

_SHOWN = 6
"""Images that are named in one message, and sizes."""
_TELL = "If it does by now, say so in the option `models`"


def advice(survey: Survey) -> list[str]:
    """Return the messages about a site's missing images, each about all images that it concerns."""
    host = urlsplit(survey.options.base_url).hostname or ""
    found: dict[str, list[SurveyEntry]] = {}
    for one in survey.missing():
        known = known_model(one.request.model, survey.options.defaults.models or {})
        for message in _objections(one.request, known, host):
            found.setdefault(message, []).append(one)
    return [f"{_titles(entries)}: {message}" for message, entries in found.items()]


def _titles(entries: list[SurveyEntry]) -> str:
    more = f" and {len(entries) - _SHOWN} more" if len(entries) > _SHOWN else ""
    return ", ".join(one.title for one in entries[:_SHOWN]) + more


def _objections(request: ImageRequest, known: KnownModel, host: str) -> Iterator[str]:
    """Yield what a model is known not to take of a request. `host`: that of `base_url`."""
    model = request.model
    if day := known.ended.get(host):
        yield f"{host} has ended the model {model} on {day}. Write another `model`"
    if known.sends_size and known.takes(request.size) is False:
        yield f"{model} does not take the size {request.size}, but {_sizes(known)}. {_TELL}"
    format_ = request.params.get("output_format")
    if request.transparent and known.transparent is False:
        yield f"{model} makes no transparent background. Remove `background`, or write another `model`. {_TELL}"
    elif request.transparent and format_ is not None and format_ not in TRANSPARENT_FORMATS:
        yield f"the `output_format` {format_} has no transparency. Write png or webp, or leave it out of `params`"
    elif format_ is not None and known.formats is not None and format_ not in known.formats:
        taken = f"but {', '.join(known.formats)}" if known.formats else "nor any other"
        yield f"{model} does not take the `output_format` {format_}, {taken}. {_TELL}"


def _sizes(known: KnownModel) -> str:
    """Return the sizes that a model takes, for people."""
    words = list(known.size_tokens)
    if isinstance(known.sizes, SizeLimits):
        return " or ".join([str(known.sizes), *words])
    sizes = [*(known.sizes or ()), *words]
    return ", ".join(sizes[:_SHOWN]) + (" …" if len(sizes) > _SHOWN else "")
