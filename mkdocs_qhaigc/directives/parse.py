"""Parses the value of the front matter key `qhaigc` into directives. Pure: no network, no MkDocs, no files of its own.

A directive with mistakes in it is not used, and each of them is a problem; the others of the page still work.
"""

from __future__ import annotations

import contextlib
import json
import math
import os
import re
import sys
import unicodedata
from collections.abc import Callable, Mapping
from functools import lru_cache, partial
from typing import Any, TypeVar

from mkdocs_qhaigc._util.text import closest_match, kind, short_repr, short_repr_or_kind
from mkdocs_qhaigc.directives.directive import (
    BACKGROUNDS,
    BODY_FIELDS,
    DEFAULT_NAME,
    FIELDS,
    FIELDS_LIKE_NAMES,
    FOCUS_PATTERN,
    LONGEST_NAME,
    MOST_VARIANTS,
    OWN_BODY_FIELDS,
    PLACES,
    Defaults,
    Directive,
    Place,
    Problem,
    Style,
)
from mkdocs_qhaigc.directives.reference_dependencies import Draft, ReferenceImages, is_file, read_entries
from mkdocs_qhaigc.directives.request import ImageRequest, Reference, final_prompt
from mkdocs_qhaigc.directives.sizes import SIZE_LIMITS, ratio_of, read_size, sides_of
from mkdocs_qhaigc.errors import DirectiveError

_Read = TypeVar("_Read")
_TEMPLATE_TAG = re.compile(r"\{\{.*?\}\}|\{%.*?%\}", re.DOTALL)
_NO_PARAMS: dict[str, Any] = {}
_NO_STYLE = Style()
_NOT_PLACED: Place = "none"
_LONGEST_SHOWN = 60
"""Characters of a value in a message."""
_CARD_WIDTH = 1200
"""Pixels of a card of which only the proportions are given: link previews show no more."""
_FOCUS_WORDS = {
    "left": (0, None),
    "right": (100, None),
    "top": (None, 0),
    "bottom": (None, 100),
    "center": (None, None),
}
"""Word -> percent from the left and from the top; `None` where it says nothing of that."""


def read_directives(value: object, defaults: Defaults, src_uri: str = "") -> tuple[dict[str, Directive], list[Problem]]:
    """Return the directives of one `qhaigc` value by name, and all mistakes in the others.

    `src_uri` is the page, relative to docs_dir; empty for the option `images`.
    """
    problems: list[Problem] = []
    try:
        declared = _split(value)
    except DirectiveError as error:
        problems.append(Problem(None, str(error)))
        if isinstance(value, Mapping):
            problems += _mistakes_without_prompt(value, defaults, src_uri)
        return {}, problems
    drafts: dict[str, Draft] = {}
    names: set[str] = set()
    for raw_name, body in declared:
        shown_name = (raw_name if isinstance(raw_name, str) else short_repr(raw_name))[:LONGEST_NAME]
        mistakes = _Mistakes()
        name = mistakes.catch(None, partial(_new_name, raw_name, drafts))
        draft = _read_one(name or DEFAULT_NAME, body, defaults, src_uri, mistakes)
        if name:
            names.add(name)
        if name and draft:
            drafts[name] = draft
        problems += mistakes.problems(shown_name, body)
    directives: dict[str, Directive] = {}
    look = resolve_style(defaults.style, defaults.styles)
    references = ReferenceImages(drafts, declared=names, defaults=defaults, look=look, src_uri=src_uri)
    for name in drafts:
        try:
            directives[name] = references.directive(name)
        except DirectiveError as error:
            problems.append(Problem(name, str(error), "references"))
    _settle_priority(directives, problems)
    return directives, problems


def fields_by_name(value: object) -> dict[str, Mapping[Any, Any]]:
    """Return the fields of each image of one `qhaigc` value as its author wrote them, by name.

    Those that cannot be read at all are left out.
    """
    try:
        declared = _split(value)
    except DirectiveError:
        return {}
    found: dict[str, Mapping[Any, Any]] = {}
    for raw_name, body in declared:
        with contextlib.suppress(DirectiveError):
            name = valid_name(raw_name)
            found[name] = _fields(name, body)
    return found


def _new_name(raw_name: object, drafts: Mapping[str, Draft]) -> str:
    name = valid_name(raw_name)
    if name in drafts:
        raise DirectiveError(f"the name {name!r} stands twice. Give each image a name of its own")
    return name


def _mistakes_without_prompt(value: Mapping[Any, Any], defaults: Defaults, src_uri: str) -> list[Problem]:
    """Return the mistakes in the fields of a whole value that is one image without a `prompt`."""
    mistakes = _Mistakes()
    fields = {field: body for field, body in value.items() if _is_field(field, body)}
    if fields:
        _read_one(DEFAULT_NAME, {**fields, "prompt": "…"}, defaults, src_uri, mistakes)
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
        if not self._found:
            return []
        order = {field: number for number, field in enumerate(body)} if isinstance(body, Mapping) else {}
        found = sorted(self._found, key=lambda mistake: order.get(mistake[0], order.get(_outer(mistake[0]), -1)))
        return [Problem(name, message, field) for field, message in found]


def _outer(field: str | None) -> str | None:
    return field.partition(".")[0] if field else None


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
    if isinstance(value, str) and not value.strip():
        raise DirectiveError(
            "`qhaigc` is empty. Write a prompt behind it; fields below it need front matter between two lines of `---`"
        )
    if isinstance(value, str):
        return [(DEFAULT_NAME, value)]
    if not isinstance(value, Mapping):
        what = "empty" if value is None else kind(value)
        raise DirectiveError(
            f"`qhaigc` is {what}. Write a prompt (`qhaigc: A lighthouse in fog`) or a mapping of names to prompts"
        )
    if "prompt" in value and not isinstance(value["prompt"], Mapping):
        return [(DEFAULT_NAME, value)]
    stray = [key for key, body in value.items() if _is_field(key, body)]
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


def _is_field(key: object, body: object) -> bool:
    """Whether a key beside others stands for a field of one image, and is not the name of an image."""
    if key not in FIELDS or isinstance(body, Mapping):
        return False
    is_prompt = isinstance(body, str) and len(body.split()) > 1 and not re.fullmatch(FOCUS_PATTERN, body)
    return not (key in FIELDS_LIKE_NAMES and is_prompt)


def _read_one(name: str, body: object, defaults: Defaults, src_uri: str, mistakes: _Mistakes) -> Draft | None:
    """Return the draft of one image's directive; `None` if there are mistakes in it."""
    fields = mistakes.catch(None, lambda: _fields(name, body))
    if fields is None:
        return None
    unknown = _note_unknown(fields, mistakes)

    def given(field: str, read: Callable[..., _Read], default: _Read, *more: object) -> _Read | None:
        """Return what `read` makes of a field, and of what it takes `more`; the default if it is left out."""
        return mistakes.catch(field, lambda: read(fields[field], *more)) if field in fields else default

    alt = given("alt", _alt, None)
    place = given("place", _place, _NOT_PLACED)
    priority = given("priority", _priority, False)
    caption = given("caption", _caption, None)
    sizes = given("sizes", _sizes, None)
    label = given("label", _label, None)
    crop = given("crop", _crop, None)
    model = given("model", _model, unicodedata.normalize("NFC", defaults.model), defaults)
    size = given("size", _size, defaults.size)
    focus = given("focus", _focus, None)
    variant = given("variant", _variant, 1)
    style = given("style", _style, _NO_STYLE, defaults.styles)
    params = given("params", read_params, _NO_PARAMS)
    background = given("background", _background, None, params)
    references = given("references", _references, None, defaults, src_uri)
    prompt = dark = dark_variant = None
    if "prompt" in fields or "prompt" not in unknown:  # else the message about the field says it
        prompt = mistakes.catch("prompt", lambda: _prompt(fields.get("prompt"), "prompt", _PROMPT))
    if fields.get("dark") is not None:
        dark, dark_variant = _read_dark(fields["dark"], mistakes)
    if mistakes:
        return None
    look = resolve_style(defaults.style, defaults.styles)
    assert model is not None and size is not None and variant is not None and params is not None  # noqa: PT018
    assert prompt is not None and place is not None and priority is not None and style is not None  # noqa: PT018
    sent_size, ratio, pixels = resolve_size(size, model, defaults)
    sent = {**defaults.params, **params, **({"background": background} if background else {})}

    def request(text: str, variant: int, references: tuple[Reference, ...]) -> ImageRequest:
        return ImageRequest(
            model=model,
            prompt=final_prompt(text, style.text, look.text),
            size=sent_size,
            variant=variant,
            params=sent,
            references=references,
            sandbox=defaults.sandbox,
            pixels=pixels,
        )

    def finish(references: tuple[Reference, ...]) -> Directive:
        if references and "image" in sent:
            raise DirectiveError("`params` sets `image`, and `references` are sent as that. Remove one of the two")
        return Directive(
            name,
            request(prompt, variant, references),
            alt,
            place,
            priority,
            caption=caption,
            sizes=sizes,
            crop=crop,
            dark=request(dark, dark_variant or variant, references) if dark is not None else None,
            dark_follows=dark_variant is None,
            ratio=ratio,
            focus=focus,
            label=label,
        )

    return Draft(references, style, finish)


def resolve_size(
    size: str, model: str, defaults: Defaults
) -> tuple[str, tuple[int, int] | None, tuple[int, int] | None]:
    """Return the size that a model is asked for, the ratio to which its images are cropped, and the expected sides.

    The ratio is `None` where images are published as they come, the sides where they are not known beforehand, or are
    those of the size. The table of models is read only where it is needed.
    """
    sides = sides_of(size)
    if sides and not defaults.models:
        return size, None, None
    ratio = ratio_of(size)
    from mkdocs_qhaigc.directives.known_models import known_model  # most sites name sizes in pixels

    known = known_model(model, defaults.models or {})
    if ratio:
        return known.size_of_ratio(*ratio), ratio, None
    if sides:
        return size, None if known.sends_size else _reduced(*sides), None
    return size, None, known.pixels(size)


def _reduced(width: int, height: int) -> tuple[int, int]:
    unit = math.gcd(width, height)
    return width // unit, height // unit


def _fields(name: str, body: object) -> Mapping[Any, Any]:
    if isinstance(body, Mapping):
        return body
    if _is_field(name, body):
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
    if fields.keys() <= FIELDS.keys():
        return set()
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


_NO_STREAM = "Leave it out: a page shows an image when it is whole, so nobody would see it grow"


def _body_remedy(field: str, value: object, params: Mapping[Any, Any]) -> str:
    if field not in OWN_BODY_FIELDS:
        sent = {name: one for name, one in params.items() if name not in OWN_BODY_FIELDS}
        return f"Write `{params_with(sent)}`"
    if field == "stream":
        return _NO_STREAM
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


def _priority(value: object) -> bool:
    if not isinstance(value, bool):
        raise DirectiveError(f"`priority` is {short_repr_or_kind(value)}. Write true or false")
    return value


def _read_dark(value: object, mistakes: _Mistakes) -> tuple[str | None, int | None]:
    """Return the prompt of the dark image, and its variant if it has one of its own."""
    if not isinstance(value, Mapping):
        return mistakes.catch("dark", lambda: _prompt(value, "dark", _DARK)), None
    for field in value:
        if field not in ("prompt", "variant"):
            mistakes.note(
                f"dark.{field}" if isinstance(field, str) else "dark",
                f"`dark` has the field {short_repr(field)}. Only `prompt` and `variant` are its own; the others are "
                "those of the first image: remove it",
            )
    prompt = mistakes.catch("dark", lambda: _prompt(value.get("prompt"), "dark.prompt", _DARK))
    if "variant" not in value:
        return prompt, None
    return prompt, mistakes.catch("dark.variant", lambda: _variant(value["variant"], "dark.variant"))


_PROMPT = "Write what the image shows, for example `prompt: A lighthouse in fog`"
_DARK = "Write what the dark image shows, for example `dark: A lighthouse at night`"


def _prompt(value: object, field: str, remedy: str) -> str:
    text = _text(value, field, remedy)
    require_filled_in(text, field)
    return text


def require_filled_in(text: str, field: str) -> None:
    """Require that a text is free of template tags: nothing has rendered them, so the API would get them as they are.

    Raises:
        DirectiveError: it has one.
    """
    if tag := _TEMPLATE_TAG.search(text):
        raise DirectiveError(
            f"`{field}` holds {short_repr(' '.join(tag[0].split()))}, which nothing fills in: front matter and "
            "options are no templates. Write out what it stands for"
        )


def _model(value: object, defaults: Defaults) -> str:
    model = _text(value, "model", f"Write a model's name, for example {defaults.model}")
    return unicodedata.normalize("NFC", model.strip())


def _variant(value: object, field: str = "variant") -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not 1 <= value <= MOST_VARIANTS:
        raise DirectiveError(f"`{field}` is {short_repr_or_kind(value)}. Write a whole number: 1, 2, 3 …")
    return value


def _style(value: object, styles: Mapping[str, str | Mapping[str, Any]] | None) -> Style:
    if value is None:
        return Style()
    style = resolve_style(_text(value, "style", "Write a name from the option `styles`, or a text"), styles)
    require_filled_in(style.text, "style")
    return style


def _references(value: object, defaults: Defaults, src_uri: str) -> tuple[Reference | str, ...] | None:
    if value is None:
        return None
    entries = read_entries(value)
    return tuple(defaults.files.find(entry, src_uri) if is_file(entry) else entry for entry in entries)


def _size(value: object) -> str:
    size = read_size(value)
    if size is None:
        raise DirectiveError(f"`size` is {no_size(value)}")
    return size


_PIXELS = f"WIDTHxHEIGHT in pixels ({SIZE_LIMITS[0]} to {SIZE_LIMITS[1]} each), for example"


def no_size(value: object) -> str:
    """Return what a value is that is no size, and what to write."""
    if value == "none":
        return "'none'. For a model that takes no size, write `models: {MODEL: {size: none}}` into the plugin's options"
    return (
        f"{short_repr_or_kind(value)}. Write {_PIXELS} 1280x720; a ratio in quotes, for example '16:9'; or a size that "
        "the service itself names, for example 2K"
    )


def plain_sizes(sizes: str | None) -> str | None:
    """Return the attribute's value without a leading `auto`, which is added for images that can have it."""
    if sizes is None:
        return None
    first, _, others = sizes.partition(",")
    return sizes if first.strip().lower() != "auto" else others.strip() or None


def _crop(value: object) -> tuple[int, int] | None:
    if value is None:
        return None
    if ratio := ratio_of(value):
        return _CARD_WIDTH, max(1, round(_CARD_WIDTH * ratio[1] / ratio[0]))
    sides = sides_of(value) if isinstance(value, str) else None
    if sides is None:
        raise DirectiveError(
            f"`crop` is {short_repr_or_kind(value)}. Write {_PIXELS} 1200x630; or a ratio in quotes, for example '2:1'"
        )
    return sides


def _focus(value: object) -> tuple[int, int] | None:
    if value is None:
        return None
    if not isinstance(value, str) or not re.fullmatch(FOCUS_PATTERN, value):
        raise DirectiveError(
            f"`focus` is {short_repr_or_kind(value)}. Write how far from the left and the top the point is, for "
            "example 30% 40%, or words: top, left, center, bottom right"
        )
    point = [50, 50]
    for place, word in enumerate(value.split()):
        at = _FOCUS_WORDS.get(word) or tuple(int(word[:-1]) if place == axis else None for axis in (0, 1))
        point = [old if new is None else new for old, new in zip(point, at, strict=True)]
    return point[0], point[1]


def _background(value: object, params: Mapping[str, Any] | None) -> str | None:
    if value is None:
        return None
    if value not in BACKGROUNDS:
        raise DirectiveError(f"`background` is {short_repr_or_kind(value)}. Write one of {', '.join(BACKGROUNDS)}")
    if params and "background" in params:
        raise DirectiveError("`background` stands here and in `params`. Remove one of the two")
    return str(value)


def _caption(value: object) -> str | None:
    return _line(value, "caption", "Write the text below the image, or leave the field out")


def _label(value: object) -> str | None:
    return "" if value is False else _line(value, "label", "Write the text of the label, or false for none")


def _sizes(value: object) -> str | None:
    return plain_sizes(_line(value, "sizes", "Write the attribute's value, for example 50vw"))


def _line(value: object, field: str, remedy: str) -> str | None:
    return None if value is None else " ".join(_text(value, field, remedy).split())


def resolve_style(style: str, styles: Mapping[str, str | Mapping[str, Any]] | None) -> Style:
    """Return a named style, or one of this text.

    Raises:
        DirectiveError: it is a single word, named styles exist, and it is none of them.
    """
    if style and styles and style in styles:
        return read_style(styles[style])
    if not style or not styles or any(char.isspace() for char in style.strip()):
        return Style(style)
    meant = closest_match(style, styles)
    raise DirectiveError(
        f"there is no style {style!r} in the option `styles`. "
        + (f"Did you mean `{meant}`? " if meant else f"It has {', '.join(styles)}. ")
        + "A text of your own needs more than one word"
    )


def read_style(value: object) -> Style:
    """Return a style of the option `styles`: a text, or a mapping of `text` and `references`, or one of them.

    Raises:
        DirectiveError: it is something else.
    """
    advice = "Write a text for each name, or {text: …, references: …}"
    if isinstance(value, str) and value.strip():
        return Style(value)
    if not isinstance(value, Mapping) or not value or set(value) - {"text", "references"}:
        raise DirectiveError(f"it is {short_repr(value)}. {advice}")
    text = value.get("text", "")
    if not isinstance(text, str) or ("text" in value and not text.strip()):
        raise DirectiveError(f"its `text` is {short_repr_or_kind(text)}. {advice}")
    return Style(text, read_entries(value.get("references", ())))


def read_params(value: object) -> dict[str, Any]:
    """Return further fields of the request body as JSON values.

    Raises:
        DirectiveError: they are no mapping, or set what the plugin sets itself.
    """
    if value is None:
        return {}
    if not isinstance(value, Mapping) or not all(isinstance(key, str) for key in value):
        raise DirectiveError(f"`params` is {short_repr_or_kind(value)}. Write a mapping, for example {{quality: hd}}")
    for field in OWN_BODY_FIELDS:
        if field in value:
            if field == "stream":
                raise DirectiveError(f"`params` sets `stream`. {_NO_STREAM}")
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
