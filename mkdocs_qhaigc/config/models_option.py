"""The option `models`: what an author adds to the table of known models. Pure."""

from __future__ import annotations

import datetime
from collections.abc import Callable, Mapping
from typing import Any

from mkdocs_qhaigc._util.text import closest_match, short_repr
from mkdocs_qhaigc.directives.directive import Schema
from mkdocs_qhaigc.directives.known_models import ModelTable, SizeLimits, is_known, known_names
from mkdocs_qhaigc.directives.sizes import SERVICE_SIZE_PATTERN, SIZE_PATTERN, parse_size, read_size
from mkdocs_qhaigc.errors import OptionError

_LIMITS = SizeLimits._fields
_RATIO_LIMIT = "max_ratio"
"""The one limit that is no number of pixels, and so need not be a whole number."""
_SIZE: Schema = {"type": "string", "pattern": f"^{SIZE_PATTERN}$"}
_NUMBER: Schema = {"type": "integer", "minimum": 1}
_FORMATS = ("png", "webp", "jpeg")
_REFERENCES = ("edits", "json", "none")


class _Field:
    """One field of an entry."""

    def __init__(self, schema: Schema, read: Callable[[Any], Any], advice: str) -> None:
        """`read` returns the value as the table has it, `None` if it is invalid; `advice` says what to write."""
        self.schema = schema
        self.read = read
        self.advice = advice


def _number(value: Any) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) and value >= 1 else None


def _flag(value: Any) -> bool | None:
    return value if isinstance(value, bool) else None


def _text(value: Any) -> str | None:
    return value.strip() if isinstance(value, str) and value.strip() else None


def _one_of(*words: str) -> Callable[[Any], str | None]:
    return lambda value: value if value in words else None


def _sizes(value: Any) -> list[str] | dict[str, Any] | None:
    if isinstance(value, Mapping):
        limits = {name: number for name, number in value.items() if name in _LIMITS and _is_limit(name, number)}
        return limits if limits and len(limits) == len(value) else None
    sizes = [parse_size(one) for one in value if isinstance(one, str)] if isinstance(value, (list, tuple)) else []
    return [size for size in sizes if size] if sizes and all(sizes) and len(sizes) == len(value) else None


def _is_limit(name: str, value: Any) -> bool:
    if name != _RATIO_LIMIT:
        return _number(value) is not None
    return isinstance(value, (int, float)) and not isinstance(value, bool) and value > 0


def _size_tokens(value: Any) -> dict[str, str] | None:
    if not isinstance(value, Mapping):
        return None
    read = {read_size(word): parse_size(size) if isinstance(size, str) else None for word, size in value.items()}
    tokens = {word: size for word, size in read.items() if word and size and parse_size(word) is None}
    return tokens if len(tokens) == len(value) else None


def _formats(value: Any) -> list[str] | None:
    return list(value) if isinstance(value, (list, tuple)) and all(one in _FORMATS for one in value) else None


def _ended(value: Any) -> dict[str, str] | None:
    if not isinstance(value, Mapping) or not all(isinstance(host, str) for host in value):
        return None
    days = {host: day.isoformat() if isinstance(day, datetime.date) else _text(day) for host, day in value.items()}
    return {host: day for host, day in days.items() if day} if all(days.values()) else None


FIELDS: Mapping[str, _Field] = {
    "like": _Field({"type": "string"}, _text, "Write the name of a model"),
    "sizes": _Field(
        {
            "anyOf": [
                {"type": "array", "items": _SIZE, "minItems": 1},
                {
                    "type": "object",
                    "properties": {
                        **dict.fromkeys(_LIMITS, _NUMBER),
                        _RATIO_LIMIT: {"type": "number", "exclusiveMinimum": 0},
                    },
                    "additionalProperties": False,
                    "minProperties": 1,
                },
            ]
        },
        _sizes,
        f"Write a list of sizes, [1024x1024, 1280x720], or limits: {', '.join(_LIMITS)}",
    ),
    "size_tokens": _Field(
        {
            "type": "object",
            "propertyNames": {"pattern": f"^{SERVICE_SIZE_PATTERN}$"},
            "additionalProperties": _SIZE,
        },
        _size_tokens,
        "Write the size to expect for each of the service's words: {2K: 2048x2048}",
    ),
    "size": _Field({"enum": ["none"]}, _one_of("none"), "Write none where the field `size` must not be sent"),
    "most_n": _Field(_NUMBER, _number, "Write how many images one call may ask for"),
    "response_format": _Field({"type": "boolean"}, _flag, "Write false where the field must not be sent"),
    "references": _Field({"enum": [*_REFERENCES]}, _one_of(*_REFERENCES), "Write edits, json or none"),
    "most_references": _Field(_NUMBER, _number, "Write how many reference images one call may have"),
    "transparent": _Field({"type": "boolean"}, _flag, "Write true or false"),
    "formats": _Field(
        {"type": "array", "items": {"enum": [*_FORMATS]}},
        _formats,
        f"Write a list of {', '.join(_FORMATS)}; [] where `output_format` is not taken",
    ),
    "ended": _Field(
        {"type": "object", "additionalProperties": {"type": "string"}},
        _ended,
        "Write the day for each host: {api.openai.com: 2026-05-12}",
    ),
}
"""The fields of an entry, in the order of the documentation."""

SCHEMA: Schema = {
    "type": "object",
    "additionalProperties": {
        "type": "object",
        "properties": {name: {"anyOf": [field.schema, {"type": "null"}]} for name, field in FIELDS.items()},
        "additionalProperties": False,
    },
}


def check_models(option: str, value: Mapping[Any, Any]) -> ModelTable:
    """Return the table from the option's value.

    Raises:
        OptionError: it is invalid.
    """
    table: dict[str, dict[str, Any]] = {}
    for model, entry in value.items():
        if not isinstance(model, str):
            raise OptionError(option, f"the model {short_repr(model)} is no text. Put it in quotes")
        if not isinstance(entry, Mapping):
            raise OptionError(option, f"{model!r} is {short_repr(entry)}. Write what it takes: {{sizes: [1024x1024]}}")
        table[model] = {}
        for name, given in entry.items():
            field = FIELDS.get(name)
            if field is None:
                meant = closest_match(name, FIELDS)
                remedy = f"Did you mean `{meant}`?" if meant else f"Known are {', '.join(FIELDS)}"
                raise OptionError(option, f"{model!r} has no field {short_repr(name)}. {remedy}")
            read = None if given is None else field.read(given)
            if given is not None and read is None:
                raise OptionError(option, f"`{name}` of {model!r} is {short_repr(given)}. {field.advice}")
            table[model][name] = read
    for model, entry in table.items():
        others = {name: one for name, one in table.items() if name != model}
        if (like := entry.get("like")) and not is_known(like, others):
            meant = closest_match(like, (*others, *known_names()))
            remedy = f"Did you mean `{meant}`?" if meant else "Write a model of the table, or of this option"
            raise OptionError(option, f"`like` of {model!r} is {short_repr(like)}, of which nothing is known. {remedy}")
    return table
