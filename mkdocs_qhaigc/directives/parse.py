"""Parses the value of the front matter key `qhaigc` into directives. Pure: no files, no network, no MkDocs.

A directive with mistakes in it is not used, and each of them is a problem; the others of the page still work.
"""

from __future__ import annotations

import json
import os
import re
import sys
import unicodedata
from collections.abc import Callable, Mapping
from functools import lru_cache, partial
from typing import Any, TypeVar

from mkdocs_qhaigc._util.text import closest_match, kind, short_repr, short_repr_or_kind
from mkdocs_qhaigc.directives.model import (
    BODY_FIELDS,
    DEFAULT_NAME,
    FIELDS,
    LONGEST_NAME,
    MOST_VARIANTS,
    OWN_BODY_FIELDS,
    PLACES,
    Defaults,
    Directive,
    Place,
    Problem,
)
from mkdocs_qhaigc.directives.request import (
    SIZE_LIMITS,
    ImageRequest,
    final_prompt,
    parse_size,
    ratio_of,
    size_of_ratio,
)
from mkdocs_qhaigc.errors import DirectiveError

_Read = TypeVar("_Read")
_TEMPLATE_TAG = re.compile(r"\{\{.*?\}\}|\{%.*?%\}", re.DOTALL)
_LONGEST_SHOWN = 60
"""Characters of a value in a message."""
_EXAMPLES = {"size": "1280x720", "crop": "1200x630"}
"""Sizes, by field."""


def read_directives(value: object, defaults: Defaults) -> tuple[dict[str, Directive], list[Problem]]:
    """Return the directives of one `qhaigc` value by name, and all mistakes in the others."""
    problems: list[Problem] = []
    try:
        declared = _split(value)
    except DirectiveError as error:
        problems.append(Problem(None, str(error)))
        if isinstance(value, Mapping):
            problems += _mistakes_without_prompt(value, defaults)
        return {}, problems
    directives: dict[str, Directive] = {}
    for raw_name, body in declared:
        shown_name = (raw_name if isinstance(raw_name, str) else short_repr(raw_name))[:LONGEST_NAME]
        mistakes = _Mistakes()
        name = mistakes.catch(None, partial(_new_name, raw_name, directives))
        directive = _read_one(name or DEFAULT_NAME, body, defaults, mistakes)
        if name and directive:
            directives[name] = directive
        problems += mistakes.problems(shown_name, body)
    _settle_priority(directives, problems)
    return directives, problems


def _new_name(raw_name: object, directives: Mapping[str, Directive]) -> str:
    name = valid_name(raw_name)
    if name in directives:
        raise DirectiveError(f"the name {name!r} stands twice. Give each image a name of its own")
    return name


def _mistakes_without_prompt(value: Mapping[Any, Any], defaults: Defaults) -> list[Problem]:
    """Return the mistakes in the fields of a whole value that is one image without a `prompt`."""
    mistakes = _Mistakes()
    fields = {field: body for field, body in value.items() if field in FIELDS and not isinstance(body, Mapping)}
    if fields:
        _read_one(DEFAULT_NAME, {**fields, "prompt": "…"}, defaults, mistakes)
    return mistakes.problems(DEFAULT_NAME, value)


class _Mistakes:
    """The mistakes in one directive."""

    def __init__(self) -> None:
        self._found: list[tuple[str | None, str]] = []
        """(field, message)"""

    def catch(self, field: str | None, read: Callable[[], _Read]) -> _Read | None:
        """Return what `read` returns; `None` if it raises a `DirectiveError`, which is noted."""
        try:
            return read()
        except DirectiveError as error:
            self.note(field, str(error))
            return None

    def note(self, field: str | None, message: str) -> None:
        self._found.append((field, message))

    def __bool__(self) -> bool:
        return bool(self._found)

    def problems(self, name: str, body: object) -> list[Problem]:
        """Return them as those of an image, in the order of the fields in its `body`."""
        order = {field: number for number, field in enumerate(body)} if isinstance(body, Mapping) else {}
        found = sorted(self._found, key=lambda mistake: order.get(mistake[0], -1))
        return [Problem(name, message, field) for field, message in found]


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


def _read_one(name: str, body: object, defaults: Defaults, mistakes: _Mistakes) -> Directive | None:
    """Return the directive of one image; `None` if there are mistakes in it."""
    fields = mistakes.catch(None, lambda: _fields(name, body))
    if fields is None:
        return None
    unknown = _note_unknown(fields, mistakes)
    alt = mistakes.catch("alt", lambda: _alt(fields.get("alt")))
    place = mistakes.catch("place", lambda: _place(fields.get("place", "none")))
    priority = mistakes.catch("priority", lambda: _flag(fields.get("priority", False), "priority"))
    caption = mistakes.catch(
        "caption", lambda: _optional_text(fields, "caption", "Write the text below the image, or leave the field out")
    )
    sizes = mistakes.catch(
        "sizes", lambda: plain_sizes(_optional_text(fields, "sizes", "Write the attribute's value, for example 50vw"))
    )
    crop = mistakes.catch("crop", lambda: _crop(fields.get("crop")))
    model = mistakes.catch("model", lambda: _model(fields, defaults))
    size = mistakes.catch("size", lambda: _size(fields["size"], "size") if "size" in fields else defaults.size)
    variant = mistakes.catch("variant", lambda: _variant(fields.get("variant", 1)))
    style = mistakes.catch("style", lambda: _style(fields.get("style"), defaults.styles))
    params = mistakes.catch("params", lambda: _params(fields.get("params")))
    prompt = dark = None
    if "prompt" in fields or "prompt" not in unknown:  # else the message about the field says it
        prompt = mistakes.catch("prompt", lambda: _prompt(fields, "prompt"))
    if fields.get("dark") is not None:
        dark = mistakes.catch("dark", lambda: _prompt(fields, "dark"))
    if mistakes:
        return None
    assert model is not None and size is not None and variant is not None and params is not None  # noqa: PT018
    assert prompt is not None and place is not None and priority is not None  # noqa: PT018

    def request(text: str) -> ImageRequest:
        return ImageRequest(
            model=model,
            prompt=final_prompt(text, style or "", resolve_style(defaults.style, defaults.styles)),
            size=size,
            variant=variant,
            params=params,
            sandbox=defaults.sandbox,
        )

    return Directive(
        name,
        request(prompt),
        alt,
        place,
        priority,
        caption=caption,
        sizes=sizes,
        crop=crop,
        dark=request(dark) if dark is not None else None,
    )


def _fields(name: str, body: object) -> Mapping[Any, Any]:
    if isinstance(body, Mapping):
        return body
    if name in FIELDS:
        raise DirectiveError(
            f"the field `{name}` stands beside images. Write it into the image that it is for, "
            f"or, for an image of that name, `{name}: {{prompt: …}}`"
        )
    if name in BODY_FIELDS and not (isinstance(body, str) and len(body.split()) > 1):
        raise DirectiveError(
            f"`{name}` is a field of the API's request body, and stands beside images. Write "
            f"`{params_with({name: body})}` into the image that it is for, or, for an image of that name, "
            f"`{name}: {{prompt: …}}`"
        )
    if isinstance(body, str):
        return {"prompt": body}
    raise DirectiveError(f"it is {'empty' if body is None else kind(body)}. Write a prompt, or fields with a `prompt`")


def _note_unknown(fields: Mapping[Any, Any], mistakes: _Mistakes) -> set[str]:
    """Note the fields that there are not. Return those that are probably meant."""
    given = fields.get("params")
    sent = {field: value for field, value in fields.items() if field in BODY_FIELDS}
    params = {**(given if isinstance(given, Mapping) else {}), **sent}
    meant = set()
    for field in fields:
        if field in FIELDS:
            continue
        if field in sent:
            message = f"`{field}` is a field of the API's request body. {_body_remedy(field, fields[field], params)}"
        else:
            word = closest_match(field, FIELDS) if isinstance(field, str) else None
            if word:
                meant.add(word)
            others = "; what the API takes besides stands under `params`: {quality: hd}"
            remedy = f"Did you mean `{word}`?" if word else f"Known are {', '.join(FIELDS)}{others}"
            message = f"there is no field {short_repr(field)}. {remedy}"
        mistakes.note(field if isinstance(field, str) else None, message)
    return meant


def _body_remedy(field: str, value: object, params: Mapping[Any, Any]) -> str:
    if field not in OWN_BODY_FIELDS:
        sent = {name: one for name, one in params.items() if name not in OWN_BODY_FIELDS}
        return f"Write `{params_with(sent)}`"
    if field == "n":
        return "The plugin sets it: write `variant: 2` for another image of the same prompt"
    return "The plugin sets it: use the plugin's options"


def params_with(fields: Mapping[Any, Any]) -> str:
    """Return `params: {seed: 42}`, as an author writes it."""
    return f"params: {{{', '.join(f'{name}: {_as_written(value)}' for name, value in fields.items())}}}"


def _as_written(value: object) -> str:
    """Return a value in YAML on one line; `…` for a long one, and for what is no JSON."""
    if isinstance(value, str) and value.isidentifier():
        return value
    try:
        text = json.dumps(value, ensure_ascii=False, allow_nan=False)
        text.encode()
    except (TypeError, ValueError, RecursionError):
        return "…"
    return text if len(text) <= _LONGEST_SHOWN else "…"


def _alt(value: object) -> str | None:
    if value is not None and not isinstance(value, str):
        raise DirectiveError(f'`alt` is {kind(value)}. Write a text in quotes; `alt: ""` for decoration')
    _require_whole_characters(value or "", "alt")
    return value


def _place(value: Any) -> Place:
    place = next((place for place in PLACES if place == value), None)
    if place is None:
        raise DirectiveError(f"`place` is {short_repr_or_kind(value)}. Write one of {', '.join(PLACES)}")
    return place


def _flag(value: object, field: str) -> bool:
    if not isinstance(value, bool):
        raise DirectiveError(f"`{field}` is {short_repr_or_kind(value)}. Write true or false")
    return value


def _prompt(fields: Mapping[Any, Any], field: str) -> str:
    text = _text(fields.get(field), field, f"Write what the image shows, for example `{field}: A lighthouse in fog`")
    require_filled_in(text, field)
    return text


def require_filled_in(text: str, field: str) -> None:
    """Require that a text is free of template tags: nothing has rendered them, so the API would get them as they are.

    Raises:
        DirectiveError: it has one.
    """
    if tag := _TEMPLATE_TAG.search(text):
        raise DirectiveError(
            f"`{field}` holds {short_repr(' '.join(tag[0].split()))}, which nothing fills in: front matter is no "
            "template. Write out what it stands for"
        )


def _model(fields: Mapping[Any, Any], defaults: Defaults) -> str:
    if "model" not in fields:
        return unicodedata.normalize("NFC", defaults.model)
    model = _text(fields["model"], "model", f"Write a model's name, for example {defaults.model}")
    return unicodedata.normalize("NFC", model.strip())


def _variant(value: object) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not 1 <= value <= MOST_VARIANTS:
        raise DirectiveError(f"`variant` is {short_repr_or_kind(value)}. Write a whole number: 1, 2, 3 …")
    return value


def _style(value: object, styles: Mapping[str, str] | None) -> str:
    if value is None:
        return ""
    style = resolve_style(_text(value, "style", "Write a name from the option `styles`, or a text"), styles)
    require_filled_in(style, "style")
    return style


def _size(value: object, field: str) -> str:
    size = parse_size(value) if isinstance(value, str) else None
    if size is None:
        raise DirectiveError(f"`{field}` is {no_size(value, _EXAMPLES[field])}")
    return size


def no_size(value: object, example: str) -> str:
    """Return what a value is that is no size, and what to write, for example `example`.

    YAML reads `16:9` without quotes as a number with base 60, 969: then that is said.
    """
    least, most = SIZE_LIMITS
    ratio = ratio_of(value)
    shown = short_repr_or_kind(value)
    if ratio:
        example = size_of_ratio(*ratio)
        if isinstance(value, int):
            shown = f"{ratio[0]}:{ratio[1]}, of which YAML makes the number {value}"
    return f"{shown}. Write WIDTHxHEIGHT in pixels ({least} to {most} each), for example {example}"


def plain_sizes(sizes: str | None) -> str | None:
    """Return the attribute's value without a leading `auto`, which is added for images that can have it."""
    if sizes is None:
        return None
    first, _, others = sizes.partition(",")
    return sizes if first.strip().lower() != "auto" else others.strip() or None


def _crop(value: object) -> tuple[int, int] | None:
    if value is None:
        return None
    width, _, height = _size(value, "crop").partition("x")
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
