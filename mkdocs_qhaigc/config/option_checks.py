"""What turns an option's value from mkdocs.yml into its own type, or says what to write instead. Pure."""

from __future__ import annotations

import os
import posixpath
import re
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import urlsplit

import yaml

from mkdocs_qhaigc._util.text import closest_match, short_repr
from mkdocs_qhaigc.config.prices import check_prices
from mkdocs_qhaigc.directives.request import parse_size
from mkdocs_qhaigc.errors import OptionError
from mkdocs_qhaigc.imaging.formats import MIME_TYPES

SANDBOX = "sandbox"
"""The value of `base_url` for the embedded server, and of `api` in the record of what that drew."""


def _fail(option: str, value: object, remedy: str) -> OptionError:
    return OptionError(option, f"it is {short_repr(value)}. {remedy}")


def flag(option: str) -> Callable[[Any], bool]:
    """Return the check of a yes/no option."""

    def check(value: Any) -> bool:
        if not isinstance(value, bool):
            raise _fail(option, value, "Write true or false")
        return value

    return check


def text(option: str, remedy: str) -> Callable[[Any], str]:
    """Return the check of an option that is a text."""

    def check(value: Any) -> str:
        if not isinstance(value, str) or not value.strip() or not _is_plain(value):
            raise _fail(option, value, remedy)
        return value.strip()

    return check


def folder(option: str) -> Callable[[Any], str]:
    """Return the check of an option that is a folder; `~` is the home of whoever builds."""

    def check(value: Any) -> str:
        return _path(option, text(option, "Write a folder")(value))

    return check


def _path(option: str, written: str) -> str:
    """Return a path with the home of whoever builds in the place of `~`."""
    path = os.path.expanduser(written)  # noqa: PTH111 - it stays a text
    if path.startswith(("~", "$", "%")):
        raise _fail(option, written, "Nothing is put in its place here. Write the path out, or begin it with `~/`")
    return path


def _is_plain(text: str) -> bool:
    """Whether a text is free of control characters and halves of characters, which no file system takes."""
    return all(char.isprintable() or char in "\n\t" for char in text)


def whole(option: str, least: int, most: int) -> Callable[[Any], int]:
    """Return the check of an option that is a whole number."""

    def check(value: Any) -> int:
        if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= most:
            raise _fail(option, value, f"Write a whole number from {least} to {most}")
        return value

    return check


def choice(option: str, *choices: str) -> Callable[[Any], str]:
    """Return the check of an option that is one of several words."""

    def check(value: Any) -> str:
        if value not in choices:
            meant = closest_match(value.lower(), choices) if isinstance(value, str) else None
            advice = f"Did you mean {meant}? " if meant else ""
            raise _fail(option, value, f"{advice}Write one of {', '.join(choices)}")
        return str(value)

    return check


def seconds(value: Any) -> float:
    """Return seconds."""
    if not isinstance(value, (int, float)) or isinstance(value, bool) or not 0 < value <= 3600:
        raise _fail("timeout", value, "Write seconds, more than 0 and at most 3600")
    return float(value)


def size(value: Any) -> str:
    """Return a size as `WIDTHxHEIGHT`."""
    read = parse_size(value) if isinstance(value, str) else None
    if read is None:
        raise _fail("size", value, "Write WIDTHxHEIGHT in pixels, for example 1280x720")
    return read


def base_url(value: Any) -> str:
    """Return the API's address, without a slash at its end, or the word `sandbox`."""
    remedy = "Write an address such as https://api.qhaigc.net/v1, or the word sandbox"
    # The value is never shown: it may hold a key, or be one.
    if not isinstance(value, str):
        raise OptionError("base_url", f"it is no web address. {remedy}")
    if value.strip() == SANDBOX:
        return SANDBOX
    url = value.strip().rstrip("/")
    try:
        parts = urlsplit(url)
        usable = parts.scheme in ("http", "https") and parts.hostname and (parts.port is None or parts.port > 0)
        usable = usable and url.isprintable() and " " not in url
    except ValueError:
        raise OptionError("base_url", f"it is no web address. {remedy}") from None
    if parts.username is not None or parts.query or parts.fragment:
        raise OptionError(
            "base_url", f"it holds a user name, a query or a fragment. A key never stands in a file. {remedy}"
        )
    if not usable:
        raise OptionError("base_url", f"it is no web address. {remedy}")
    if parts.path.endswith("/images/generations"):
        raise OptionError("base_url", "it ends in /images/generations, which is added to it. Leave that out")
    return url


VARIABLE = "[A-Za-z_][A-Za-z0-9_]{0,63}"
_SHORTEST_KEY = 20
"""Characters."""


def api_key_env(value: Any) -> str:
    """Return the name of an environment variable."""
    name = value if isinstance(value, str) else ""
    if not re.fullmatch(VARIABLE, name) or _is_like_a_key(name):
        # The value is not shown: it may be the key itself.
        raise OptionError(
            "api_key_env",
            "it is not the name of an environment variable. Write its name, never the key itself",
        )
    return name


def _is_like_a_key(name: str) -> bool:
    """Whether letters and digits stand there at random; names of variables have words, or no small letters."""
    if len(name) < _SHORTEST_KEY or not any(map(str.isdigit, name)):
        return False
    return "_" not in name or any(map(str.islower, name))


def mapping(option: str, remedy: str) -> Callable[[Any], Mapping[str, Any]]:
    """A mapping; as a text (from `!ENV`), YAML of one."""

    def check(value: Any) -> Mapping[str, Any]:
        if isinstance(value, str):
            try:
                value = yaml.safe_load(value)
            except (yaml.YAMLError, ValueError, RecursionError, LookupError, AttributeError) as error:
                # PyYAML lets others than its own pass: dates and numbers that are none, wrong explicit tags.
                what = str(error).partition("\n")[0]
                raise OptionError(option, f"it is a text that is no YAML ({what}). {remedy}") from error
        if not isinstance(value, Mapping):
            raise _fail(option, value, remedy)
        return value

    return check


def styles(value: Any) -> Mapping[str, str]:
    """Return texts by name."""
    given = mapping("styles", "Write a mapping of names to texts, for example {ink: ink wash on rice paper}")(value)
    for name, style in given.items():
        if not isinstance(name, str) or not isinstance(style, str) or not style.strip():
            raise OptionError("styles", f"{short_repr(name)} is {short_repr(style)}. Write a text for each name")
    return given


def images(value: Any) -> Mapping[str, Any]:
    """Return directives by name, or one alone, as they were given."""
    names = value if isinstance(value, list) and value else ["logo"]
    name = names[0] if isinstance(names[0], str) and names[0].isidentifier() else "logo"
    remedy = f"Write a mapping of names to prompts, for example {{{name}: A red kite on white}}"
    return mapping("images", remedy)(value)


def prices(value: Any) -> Mapping[str, Any]:
    """Return a price list, as it was given."""
    given = mapping("prices", "Write a mapping of models to prices, for example {dall-e-3: 0.04}")(value)
    check_prices(given)
    return given


def _list(value: Any) -> list[Any]:
    """A list; as a text (from `!ENV`), its items between commas or blanks."""
    if isinstance(value, str):
        return [item for item in re.split(r"[\s,]+", value) if item]
    return list(value) if isinstance(value, (list, tuple)) else [value]


def formats(value: Any) -> tuple[str, ...]:
    """Return image formats, each once."""
    given = tuple(_format("formats", item) for item in _list(value))
    if not given or len(set(given)) != len(given):
        raise _fail("formats", value, "Write each format once, for example [avif, webp]")
    return given


def _format(option: str, value: object) -> str:
    """Return the name of a format, which people call `jpg` too."""
    name = "jpeg" if value == "jpg" else value
    if not isinstance(name, str) or name not in MIME_TYPES:
        meant = closest_match(name.lower(), MIME_TYPES) if isinstance(name, str) else None
        raise _fail(option, value, f"Did you mean {meant}?" if meant else f"Known are {', '.join(MIME_TYPES)}")
    return name


def widths(value: Any) -> tuple[int, ...]:
    """Return widths in pixels, from small to large."""
    given: set[int] = set()
    for item in _list(value):
        number = int(item) if isinstance(item, str) and item.isascii() and item.isdigit() and len(item) < 6 else item
        given.add(whole("widths", 16, 16384)(number))
    return tuple(sorted(given))


QUALITY = 80
_AVIF_SHARE = 0.72
"""What AVIF's scale has for the same loss: at 58 it shows as much as WebP and JPEG at 80."""


def by_format(quality: int) -> dict[str, int]:
    """Return one quality as each format's scale has it."""
    return {name: max(1, round(quality * _AVIF_SHARE)) if name == "avif" else quality for name in MIME_TYPES}


def quality(value: Any) -> int | Mapping[str, int]:
    """Return one quality, or one a format."""
    check = whole("quality", 1, 100)
    if not isinstance(value, Mapping) and not (isinstance(value, str) and ":" in value):
        return check(value)
    given = mapping("quality", "Write a number, or one a format: {webp: 82, avif: 60}")(value)
    by_format = {_format("quality", name): check(number) for name, number in given.items()}
    if len(by_format) != len(given):
        raise _fail("quality", value, "jpg and jpeg are one format. Write it once")
    return by_format


def provenance(value: Any) -> bool | Mapping[str, bool]:
    """Return whether files are marked, or what they are marked with."""
    remedy = "Write true, false, or {prompt: true} to publish the prompts too"
    if isinstance(value, bool):
        return value
    fields = mapping("provenance", remedy)(value)
    if set(fields) - {"prompt"} or not all(isinstance(flag, bool) for flag in fields.values()):
        raise _fail("provenance", value, remedy)
    return fields


def assets_dir(value: Any) -> str:
    """Return a folder of the site, with `/`."""
    remedy = "Write a folder of the site, for example assets/qhaigc"
    if not isinstance(value, str) or not _is_plain(value) or any(len(part.encode()) > 200 for part in value.split("/")):
        raise _fail("assets_dir", value, remedy)
    path = posixpath.normpath(value.strip().replace("\\", "/").strip("/") or ".")
    if path == "." or path.startswith("..") or ":" in path or value.startswith(("/", "\\")):
        raise _fail("assets_dir", value, remedy)
    return path


def page(value: Any) -> str:
    """Return a page's file, relative to docs_dir, with `/`."""
    path = posixpath.normpath(value.strip().replace("\\", "/")) if isinstance(value, str) and _is_plain(value) else ""
    if (
        path.startswith(("/", "../"))
        or ":" in path
        or not path.removesuffix(".md").rpartition("/")[2]
        or path[-3:] != ".md"
    ):
        raise _fail("gallery", value, "Write a page's file within docs_dir, for example images.md")
    return path


def json_file(value: Any) -> str:
    """Return the name of a JSON file."""
    path = _path("report", text("report", "Write a file's name, for example qhaigc-report.json")(value))
    if not path.endswith(".json"):
        raise _fail("report", value, "Write the name of a .json file: what has that name is replaced")
    return path
