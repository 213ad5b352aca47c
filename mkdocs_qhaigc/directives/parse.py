"""Parses the value of the front matter key `qhaigc` into directives. Pure: no files, no network, no MkDocs.

One bad directive is one problem; the others of the page still work.
"""

from __future__ import annotations

import json
import os
import sys
import unicodedata
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from mkdocs_qhaigc._util.text import closest_match, kind, short_repr, short_repr_or_kind
from mkdocs_qhaigc.directives.model import (
    DEFAULT_NAME,
    FIELDS,
    LONGEST_NAME,
    MOST_VARIANTS,
    OWN_BODY_FIELDS,
    PLACES,
    Defaults,
    Directive,
    Problem,
)
from mkdocs_qhaigc.directives.request import SIZE_LIMITS, ImageRequest, final_prompt, parse_size
from mkdocs_qhaigc.errors import DirectiveError


def read_directives(value: object, defaults: Defaults) -> tuple[dict[str, Directive], list[Problem]]:
    """Return the directives of one `qhaigc` value by name, and the problems of the others."""
    try:
        declared = _split(value)
    except DirectiveError as error:
        return {}, [Problem(None, str(error))]
    directives: dict[str, Directive] = {}
    problems: list[Problem] = []
    for raw_name, body in declared:
        try:
            name = valid_name(raw_name)
            if name in directives:
                raise DirectiveError(f"the name {name!r} stands twice. Give each image a name of its own")
            directives[name] = _read_one(name, body, defaults)
        except DirectiveError as error:
            shown_name = raw_name if isinstance(raw_name, str) else short_repr(raw_name)
            problems.append(Problem(shown_name[:LONGEST_NAME], str(error)))
    _settle_priority(directives, problems)
    return directives, problems


def _settle_priority(directives: dict[str, Directive], problems: list[Problem]) -> None:
    """Leave one main image at most: the one with `priority`, else the first that is placed."""
    main = [name for name, directive in directives.items() if directive.priority]
    placed = [name for name, directive in directives.items() if directive.place != "none"]
    if placed and not main:
        directives[placed[0]] = directives[placed[0]]._replace(priority=True)
    for name in main[1:]:
        directives[name] = directives[name]._replace(priority=False)
        problems.append(
            Problem(
                name,
                f"`priority: true` stands at {main[0]!r} already, and a page has one main image. Remove one of the two",
            )
        )


@lru_cache  # most pages call their images by the same few names
def valid_name(raw: object) -> str:
    """Return the name in NFC.

    Raises:
        DirectiveError: it is no name.
    """
    if not isinstance(raw, str):
        raise DirectiveError(f"the name {short_repr(raw)} is read as {kind(raw)}. Put it in quotes")
    name = unicodedata.normalize("NFC", raw)
    allowed = all(char in "_-" or unicodedata.category(char)[0] in "LMN" for char in name)
    # Files are named after it, and file systems count bytes: only rare scripts have letters of more than 3.
    if not name or len(name) > LONGEST_NAME or len(name.encode(errors="replace")) > 3 * LONGEST_NAME or not allowed:
        raise DirectiveError(
            "a name is 1 to 64 letters, digits, `_` and `-` of any script. Rename the image, for example to "
            + repr(_suggested_name(name))
        )
    try:
        os.fsencode(name)
    except UnicodeEncodeError:
        raise DirectiveError(
            f"files are named after images, and {sys.getfilesystemencoding()} cannot write this name. "
            "Set the environment variable PYTHONUTF8 to 1, or LC_ALL to a locale with UTF-8, for example C.UTF-8"
        ) from None
    return name


def _split(value: object) -> list[tuple[object, object]]:
    """Return (name, body) pairs from any of the forms that the contract allows."""
    if isinstance(value, str):
        return [(DEFAULT_NAME, value)]
    if not isinstance(value, Mapping):
        what = "empty" if value is None else kind(value)
        raise DirectiveError(
            f"`qhaigc` is {what}. Write a prompt (`qhaigc: A lighthouse in fog`) or a mapping of names to prompts"
        )
    if "prompt" in value and not isinstance(value["prompt"], Mapping):
        return [(DEFAULT_NAME, value)]
    stray = [key for key, body in value.items() if key in FIELDS and not isinstance(body, Mapping)]
    if stray and not any(isinstance(body, Mapping) for body in value.values()):
        words = [key for key in value if isinstance(key, str) and key.isidentifier() and key not in FIELDS]
        meant = next((word for word in words if closest_match(word, ["prompt"])), None)
        hint = f" `{meant}` is probably meant to be `prompt`." if meant is not None else ""
        raise DirectiveError(
            f"`qhaigc` has the field `{stray[0]}` of an image, but no `prompt`.{hint} Write `prompt: …` beside it, "
            f"or, for an image of that name, `{stray[0]}: {{prompt: …}}`"
        )
    first, body = next(iter(value.items()), ("", None))
    if len(value) == 1 and isinstance(first, str) and isinstance(body, str) and closest_match(first, ["prompt"]):
        raise DirectiveError(f"`{first:.64}` is probably meant to be `prompt`. Correct it, or rename the image")
    if not value:
        raise DirectiveError("`qhaigc` is empty. Write a prompt, or remove the key")
    return list(value.items())


def _read_one(name: str, body: object, defaults: Defaults) -> Directive:
    if name in FIELDS and not isinstance(body, Mapping):
        raise DirectiveError(
            f"the field `{name}` stands beside images. Write it into the image that it is for, "
            f"or, for an image of that name, `{name}: {{prompt: …}}`"
        )
    fields: Mapping[Any, Any] = {"prompt": body} if isinstance(body, str) else _mapping(body)
    for field in fields:
        if field not in FIELDS:
            meant = closest_match(field, FIELDS) if isinstance(field, str) else None
            others = "; what the API takes besides stands under `params`: {quality: hd}"
            remedy = f"Did you mean `{meant}`?" if meant else f"Known are {', '.join(FIELDS)}{others}"
            raise DirectiveError(f"there is no field {short_repr(field)}. {remedy}")
    alt = fields.get("alt")
    if alt is not None and not isinstance(alt, str):
        raise DirectiveError(f'`alt` is {kind(alt)}. Write a text in quotes; `alt: ""` for decoration')
    _require_whole_characters(alt or "", "alt")
    place = fields.get("place", "none")
    if place not in PLACES:
        raise DirectiveError(f"`place` is {short_repr_or_kind(place)}. Write one of {', '.join(PLACES)}")
    priority = fields.get("priority", False)
    if not isinstance(priority, bool):
        raise DirectiveError(f"`priority` is {short_repr_or_kind(priority)}. Write true or false")
    return Directive(
        name,
        _read_request(fields, "prompt", defaults),
        alt,
        place,
        priority,
        caption=_optional_text(fields, "caption", "Write the text below the image, or leave the field out"),
        sizes=plain_sizes(_optional_text(fields, "sizes", "Write the attribute's value, for example 50vw")),
        crop=_crop(fields["crop"]) if fields.get("crop") is not None else None,
        dark=_read_request(fields, "dark", defaults) if fields.get("dark") is not None else None,
    )


def _read_request(fields: Mapping[Any, Any], prompt_field: str, defaults: Defaults) -> ImageRequest:
    prompt = _text(
        fields.get(prompt_field),
        prompt_field,
        f"Write what the image shows, for example `{prompt_field}: A lighthouse in fog`",
    )
    model = defaults.model
    if "model" in fields:
        model = _text(fields["model"], "model", f"Write a model's name, for example {defaults.model}").strip()
    size = _size(fields["size"], "size") if "size" in fields else defaults.size
    variant = fields.get("variant", 1)
    if not isinstance(variant, int) or isinstance(variant, bool) or not 1 <= variant <= MOST_VARIANTS:
        raise DirectiveError(f"`variant` is {short_repr_or_kind(variant)}. Write a whole number: 1, 2, 3 …")
    style = fields.get("style")
    if style is not None:
        style = _text(style, "style", "Write a name from the option `styles`, or a text")
    return ImageRequest(
        model=unicodedata.normalize("NFC", model),
        prompt=final_prompt(
            prompt,
            resolve_style(style or "", defaults.styles),
            resolve_style(defaults.style, defaults.styles),
        ),
        size=size,
        variant=variant,
        params=_params(fields.get("params")),
        sandbox=defaults.sandbox,
    )


def _size(value: object, field: str, example: str = "1280x720") -> str:
    size = parse_size(value) if isinstance(value, str) else None
    if size is None:
        least, most = SIZE_LIMITS
        raise DirectiveError(
            f"`{field}` is {short_repr_or_kind(value)}. "
            f"Write WIDTHxHEIGHT in pixels ({least} to {most} each), for example {example}"
        )
    return size


def plain_sizes(sizes: str | None) -> str | None:
    """Return the attribute's value without a leading `auto`, which is added for images that can have it."""
    if sizes is None:
        return None
    first, _, others = sizes.partition(",")
    return sizes if first.strip().lower() != "auto" else others.strip() or None


def _crop(value: object) -> tuple[int, int]:
    width, _, height = _size(value, "crop", "1200x630").partition("x")
    return int(width), int(height)


def _optional_text(fields: Mapping[Any, Any], field: str, remedy: str) -> str | None:
    value = fields.get(field)
    return None if value is None else " ".join(_text(value, field, remedy).split())


def resolve_style(style: str, styles: Mapping[str, str] | None) -> str:
    """Return the text of a named style, or the style itself if it is a text.

    Raises:
        DirectiveError: it is a single word, named styles exist, and it is none of them.
    """
    if not style or not styles or style in styles:
        return (styles or {}).get(style, style)
    if any(char.isspace() for char in style.strip()):
        return style
    meant = closest_match(style, styles)
    raise DirectiveError(
        f"there is no style {style!r} in the option `styles`. "
        + (f"Did you mean `{meant}`? " if meant else f"It has {', '.join(styles)}. ")
        + "A text of your own needs more than one word"
    )


def _params(value: object) -> dict[str, Any]:
    if value is None:
        return {}
    if not isinstance(value, Mapping) or not all(isinstance(key, str) for key in value):
        raise DirectiveError(f"`params` is {short_repr_or_kind(value)}. Write a mapping, for example {{quality: hd}}")
    for field in OWN_BODY_FIELDS:
        if field in value:
            where = f"`{field}` beside `params`" if field in FIELDS else "the plugin's options"
            raise DirectiveError(f"`params` sets `{field}`, which the plugin sets itself. Use {where}")
    try:
        params: dict[str, Any] = json.loads(json.dumps(dict(value), allow_nan=False))
        json.dumps(params, ensure_ascii=False).encode()
    except (TypeError, ValueError, RecursionError) as error:
        raise DirectiveError(
            f"`params` holds what JSON cannot say ({error}). Put dates and the like in quotes"
        ) from error
    return params


def _mapping(body: object) -> Mapping[Any, Any]:
    if isinstance(body, Mapping):
        return body
    raise DirectiveError(f"it is {'empty' if body is None else kind(body)}. Write a prompt, or fields with a `prompt`")


def _text(value: object, field: str, remedy: str) -> str:
    if value is None:
        raise DirectiveError(f"`{field}` is missing. {remedy}")
    if not isinstance(value, str):
        raise DirectiveError(
            f"`{field}` is {kind(value)}. {remedy}; put it in quotes if it looks like a number or a date"
        )
    if not value.strip():
        raise DirectiveError(f"`{field}` is empty. {remedy}")
    _require_whole_characters(value, field)
    return value


def _require_whole_characters(text: str, field: str) -> None:
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise DirectiveError(f"`{field}` holds half of a character ({error.reason}). Write it anew") from error


def _suggested_name(name: str) -> str:
    kept = "".join(c if c in "_-" or unicodedata.category(c)[0] in "LMN" else "-" for c in name)
    return kept.strip("-")[:LONGEST_NAME] or DEFAULT_NAME
