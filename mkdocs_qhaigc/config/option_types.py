"""The types of options. A type checks a value from the site's configuration and has its JSON schema. Pure."""

from __future__ import annotations

import os
import posixpath
import re
from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from mkdocs_qhaigc._util import yaml
from mkdocs_qhaigc._util.text import closest_match, short_repr
from mkdocs_qhaigc.config.label import read_label
from mkdocs_qhaigc.directives.directive import FIELDS, IMAGES, REFERENCES, SIZE, TEXT, Schema
from mkdocs_qhaigc.directives.parse import no_size, read_params, read_style
from mkdocs_qhaigc.directives.reference_dependencies import read_entries
from mkdocs_qhaigc.directives.sizes import read_size
from mkdocs_qhaigc.errors import DirectiveError, OptionError
from mkdocs_qhaigc.imaging.formats import MIME_TYPES

SANDBOX = "sandbox"
"""The value of `base_url` for the embedded server, and of `api` in the record of what that drew."""
DEFAULT_QUALITY = 80
DEFAULT_TASK_URL = "{base_url}/tasks/{id}"
_AVIF_SHARE = 0.72
"""Of the quality of the other formats: AVIF at 58 has the same loss as WebP and JPEG at 80."""
_VARIABLE = "[A-Za-z_][A-Za-z0-9_]{0,63}"
_HEADER = "[A-Za-z0-9][A-Za-z0-9-]{0,63}"
_HEADER_VALUE = r"[\x21-\x7e](?:[\x20-\x7e]{0,498}[\x21-\x7e])?"
_LARGEST_IN_HEADER = 10**18
"""Of a number without quotes. Python writes no number of thousands of digits."""
_OWN_HEADERS = frozenset(
    (
        "accept",
        "accept-encoding",
        "connection",
        "content-encoding",
        "content-length",
        "content-type",
        "expect",
        "host",
        "keep-alive",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
        "x-qhaigc-variant",
    )
)
"""Headers of a call that are not the author's, in small letters."""
_KEY_HEADER = r"(?i)auth|cookie|credential|passw|secret|session|signature|token|key(?!word)"
"""Matches the names of headers that hold keys."""
_KEY_VALUE = (
    r"(?i:^(?:bearer|basic|digest|token)\s)|\b(?:sk|pk|rk|ak|hf|gsk|xai|r8|key)[-_][A-Za-z0-9]|\bAIza|\bAKIA|\beyJ|\bgh[pousr]_"
    r"|(?=[A-Za-z0-9]*[0-9])(?=[A-Za-z0-9]*[A-Za-z])[A-Za-z0-9]{32}"
)
"""Matches values that are keys, or contain one."""
_SHORTEST_KEY = 20
"""Characters."""
_FORMAT: Schema = {"enum": [*MIME_TYPES, "jpg"]}
_STYLE_WITH_REFERENCES: Schema = {
    "type": "object",
    "properties": {"text": TEXT, "references": REFERENCES},
    "minProperties": 1,
    "additionalProperties": False,
}
_PRICE: Schema = {"type": "number", "minimum": 0}


class OptionType(ABC):
    """The type of an option's value."""

    json_schema: Mapping[str, Any] = TEXT
    """For the values that an author may write; texts from `!ENV` in place of other types are not described."""

    @abstractmethod
    def check(self, option: str, value: Any) -> Any:
        """Return a value in its own type; a checked value is returned unchanged.

        Raises:
            OptionError: the value is invalid. The message says what to write.
        """


class Flag(OptionType):
    """`true` or `false`."""

    json_schema: Mapping[str, Any] = {"type": "boolean"}

    def check(self, option: str, value: Any) -> bool:
        if not isinstance(value, bool):
            raise _invalid(option, value, "Write true or false")
        return value


class Text(OptionType):
    """A text that is not blank."""

    def __init__(self, advice: str) -> None:
        """`advice` says what to write instead of an invalid value."""
        self._advice = advice

    def check(self, option: str, value: Any) -> str:
        if not isinstance(value, str) or not value.strip() or not _is_printable(value):
            raise _invalid(option, value, self._advice)
        return value.strip()


class Folder(Text):
    """A folder; `~` at its start is the home folder."""

    def __init__(self, advice: str = "Write a folder") -> None:
        super().__init__(advice)

    def check(self, option: str, value: Any) -> str:
        path = os.path.expanduser(super().check(option, value))  # noqa: PTH111 - stays a text, as written
        if path.startswith(("~", "$", "%")):
            raise _invalid(option, value, "Variables are not replaced here. Write the path out, or begin it with `~/`")
        return path


class JsonFile(Folder):
    """The name of a JSON file."""

    json_schema: Mapping[str, Any] = {"type": "string", "pattern": r"\.json\s*$"}

    def __init__(self) -> None:
        super().__init__("Write a file's name, for example qhaigc-report.json")

    def check(self, option: str, value: Any) -> str:
        path = super().check(option, value)
        if not path.endswith(".json"):
            raise _invalid(option, value, "Write the name of a .json file: a file of that name is overwritten")
        return path


class SiteFolder(OptionType):
    """A folder within the built site, with `/`."""

    def check(self, option: str, value: Any) -> str:
        if isinstance(value, str) and _is_printable(value) and not value.startswith(("/", "\\")):
            path = posixpath.normpath(value.strip().replace("\\", "/").strip("/") or ".")
            too_long = any(len(part.encode()) > 200 for part in path.split("/"))
            if path != "." and not path.startswith("..") and ":" not in path and not too_long:
                _require_published(option, path)
                return path
        raise _invalid(option, value, "Write a folder of the site, for example assets/qhaigc")


class PageFile(OptionType):
    """The file of a page, relative to docs_dir, with `/`."""

    json_schema: Mapping[str, Any] = {"type": "string", "pattern": r"[^/\\]\.md\s*$"}

    def check(self, option: str, value: Any) -> str:
        if isinstance(value, str) and _is_printable(value):
            path = posixpath.normpath(value.strip().replace("\\", "/"))
            name = path.rpartition("/")[2]
            if not path.startswith(("/", "../")) and ":" not in path and name.endswith(".md") and name != ".md":
                _require_published(option, path)
                return path
        raise _invalid(option, value, "Write a page's file within docs_dir, for example images.md")


class WholeNumber(OptionType):
    """A whole number within bounds."""

    def __init__(self, least: int, most: int) -> None:
        self._least, self._most = least, most
        self.json_schema = {"type": "integer", "minimum": least, "maximum": most}

    def check(self, option: str, value: Any) -> int:
        if not isinstance(value, int) or isinstance(value, bool) or not self._least <= value <= self._most:
            raise _invalid(option, value, f"Write a whole number from {self._least} to {self._most}")
        return value


class Seconds(OptionType):
    """A time of up to an hour."""

    json_schema: Mapping[str, Any] = {"type": "number", "exclusiveMinimum": 0, "maximum": 3600}

    def check(self, option: str, value: Any) -> float:
        if not isinstance(value, (int, float)) or isinstance(value, bool) or not 0 < value <= 3600:
            raise _invalid(option, value, "Write seconds, more than 0 and at most 3600")
        return float(value)


class OneOf(OptionType):
    """One of several words."""

    def __init__(self, *words: str) -> None:
        self._words = words
        self.json_schema = {"enum": list(words)}

    def check(self, option: str, value: Any) -> str:
        if value not in self._words:
            advice = f"Write one of {', '.join(self._words)}"
            raise _invalid(option, value, f"{_suggestion(value, self._words)} {advice}".strip())
        return str(value)


class Size(OptionType):
    """`WIDTHxHEIGHT` in pixels, a ratio, or a service's own word."""

    json_schema: Mapping[str, Any] = SIZE

    def check(self, option: str, value: Any) -> str:
        size = read_size(value)
        if size is None:
            raise OptionError(option, f"it is {no_size(value)}")
        return size


class ApiUrl(OptionType):
    """The address of an API, without a slash at its end, or the word `sandbox`.

    Messages never show the value: it may contain a key, or be one.
    """

    def check(self, option: str, value: Any) -> str:
        advice = "Write an address such as https://api.qhaigc.net/v1, or the word sandbox"
        no_address = OptionError(option, f"it is not a web address. {advice}")
        if not isinstance(value, str):
            raise no_address
        url = value.strip().rstrip("/")
        if url == SANDBOX:
            return url
        try:
            parts = urlsplit(url)
            usable = parts.scheme in ("http", "https") and parts.hostname and parts.port != 0
        except ValueError:
            raise no_address from None
        if parts.username is not None or parts.query or parts.fragment:
            message = "it contains a user name, a query or a fragment. Keep keys out of files"
            raise OptionError(option, f"{message}. {advice}")
        if not usable or not url.isprintable() or " " in url:
            raise no_address
        for added in ("/images/generations", "/images/edits"):
            if parts.path.endswith(added):
                raise OptionError(option, f"it ends in {added}, which is added to it. Leave that out")
        return url


class TaskUrl(OptionType):
    """The address of a service's tasks: `{id}` stands for a task's, and `{base_url}` for that option."""

    json_schema: Mapping[str, Any] = {"type": "string", "pattern": r"^\s*(\{base_url\}/|https?://).*\{id\}"}

    def check(self, option: str, value: Any) -> str:
        url = value.strip() if isinstance(value, str) else ""
        advice = f"Write an address with {{id}} in it, for example {DEFAULT_TASK_URL}"
        begins = url.startswith(("{base_url}/", "http://", "https://"))
        names = re.findall(r"[{}]|\{\w+\}", url.replace("{base_url}/", "/", 1).replace("{id}", "", 1))
        if not begins or "{id}" not in url or names or "#" in url or " " in url or not url.isprintable():
            raise _invalid(option, value, advice)
        return url


def is_at_same_origin(task_url: str, base_url: str) -> bool:
    """Whether the address of tasks has the scheme, host and port of `base_url`."""
    try:
        first, second = (urlsplit(url) for url in (task_url.replace("{base_url}", base_url, 1), base_url))
        ports = [parts.port or {"http": 80, "https": 443}.get(parts.scheme) for parts in (first, second)]
    except ValueError:
        return False
    has_same = (first.scheme, first.hostname) == (second.scheme, second.hostname) and ports[0] == ports[1]
    return has_same and first.username is None


class SharedUrl(OptionType):
    """The address of a shared store, without a slash at its end.

    Messages never show the value: it may contain a key.
    """

    json_schema: Mapping[str, Any] = {"type": "string", "pattern": r"^\s*(s3|gs|az|file|https?)://"}

    def check(self, option: str, value: Any) -> str:
        advice = "Write s3://bucket/prefix, gs://bucket/prefix, az://container/prefix, file:///folder or https://…"
        no_address = OptionError(option, f"it is not the address of a shared store. {advice}")
        if not isinstance(value, str):
            raise no_address
        url = value.strip().rstrip("/")
        try:
            parts = urlsplit(url)
            host, port = parts.hostname, parts.port
        except ValueError:
            raise no_address from None
        if parts.username is not None or parts.query or parts.fragment:
            raise OptionError(
                option,
                "it contains a user name, a query or a fragment. Credentials come from the environment, never from a "
                f"file. {advice}",
            )
        usable = parts.path.startswith("/") and not host if parts.scheme == "file" else bool(host)
        if parts.scheme not in ("s3", "gs", "az", "file", "http", "https") or not usable or not url.isprintable():
            raise no_address
        if parts.scheme in ("s3", "gs", "az") and port is not None:
            raise OptionError(
                option, "it has a port. Name the bucket here, and the server by the client's variable (AWS_ENDPOINT)"
            )
        if parts.scheme == "http" and host not in ("localhost", "127.0.0.1", "::1"):
            raise OptionError(option, "it is http://, which others can change on its way. Write https://")
        if ".." in parts.path.split("/") or "//" in parts.path or " " in parts.netloc:
            raise no_address
        return url


class VariableName(OptionType):
    """The name of an environment variable, or `none`. Messages never show the value: it may be the key itself."""

    json_schema: Mapping[str, Any] = {"type": "string", "pattern": f"^{_VARIABLE}$"}

    def check(self, option: str, value: Any) -> str:
        if not isinstance(value, str) or not re.fullmatch(_VARIABLE, value) or _resembles_key(value):
            message = "it is not the name of an environment variable. Write its name, never the key itself"
            raise OptionError(option, message)
        return value


class Styles(OptionType):
    """Styles by name: texts, or mappings of `text` and `references`; `read_style` reads each."""

    json_schema: Mapping[str, Any] = {
        "type": "object",
        "additionalProperties": {"if": {"type": "string"}, "then": TEXT, "else": _STYLE_WITH_REFERENCES},
    }

    def check(self, option: str, value: Any) -> Mapping[str, Any]:
        advice = "Write a mapping of names to texts, for example {ink: ink wash on rice paper}"
        styles = _mapping(option, value, advice)
        for name, style in styles.items():
            if not isinstance(name, str):
                what = f"the name {short_repr(name)} is no text"
                raise OptionError(option, f"{what}. Write a text for each name, and put the name in quotes")
            try:
                read_style(style)
            except DirectiveError as error:
                raise OptionError(option, f"{short_repr(name)}: {error}") from error
        return styles


class ReferenceList(OptionType):
    """Reference images: files, and names of the option `images`."""

    json_schema: Mapping[str, Any] = REFERENCES

    def check(self, option: str, value: Any) -> tuple[str, ...]:
        try:
            return read_entries(value)
        except DirectiveError as error:
            raise OptionError(option, str(error)) from error


class Params(OptionType):
    """Further fields of the request body."""

    json_schema: Mapping[str, Any] = FIELDS["params"].schema

    def check(self, option: str, value: Any) -> Mapping[str, Any]:
        try:
            return read_params(_mapping(option, value, "Write a mapping, for example {quality: high}"))
        except DirectiveError as error:
            raise OptionError(option, str(error)) from error


class Headers(OptionType):
    """HTTP headers by name, none of which is a key. Messages never show a value: it may be one all the same."""

    json_schema: Mapping[str, Any] = {
        "type": "object",
        "propertyNames": {"pattern": f"^{_HEADER}$"},
        "additionalProperties": {"type": ["string", "integer"]},
    }

    def check(self, option: str, value: Any) -> Mapping[str, str]:
        headers = _mapping(option, value, "Write a mapping of names to values, for example {X-Project: handbook}")
        checked = {}
        for name, text in headers.items():
            if not isinstance(name, str) or not re.fullmatch(_HEADER, name):
                raise OptionError(option, f"{short_repr(name)} is no header's name. Write letters, digits and `-`")
            if name.lower() in _OWN_HEADERS:
                raise OptionError(option, f"the header {name} is set by the plugin itself. Leave it out")
            is_number = isinstance(text, int) and not isinstance(text, bool)
            sent = str(text) if is_number and abs(text) < _LARGEST_IN_HEADER else text
            if not isinstance(sent, str) or not re.fullmatch(_HEADER_VALUE, sent):
                raise OptionError(option, f"the value of {name} cannot be sent. Write one line of ASCII, in quotes")
            if re.search(_KEY_HEADER, name) or re.search(_KEY_VALUE, sent):
                raise OptionError(
                    option,
                    f"{name} seems to hold a key, and a key never stands in a file. Leave it out: the key of "
                    "`api_key_env` is sent by itself. Revoke it if others may have seen it",
                )
            checked[name] = sent
        return checked


class Images(OptionType):
    """Directives by name, or one alone; `read_directives` reads them."""

    json_schema: Mapping[str, Any] = {"$ref": IMAGES}

    def check(self, option: str, value: Any) -> Mapping[str, Any]:
        first = value[0] if isinstance(value, list) and value else None
        name = first if isinstance(first, str) and first.isidentifier() else "logo"
        advice = f"Write a mapping of names to prompts, for example {{{name}: A red kite on white}}"
        return _mapping(option, value, advice)


class Models(OptionType):
    """An author's additions to the table of known models, by the model's name: see `directives.known_models`."""

    @property
    def json_schema(self) -> Mapping[str, Any]:  # type: ignore[override]  # its module is imported where it is needed
        from mkdocs_qhaigc.config.models_option import SCHEMA  # most sites add nothing to the table

        return SCHEMA

    def check(self, option: str, value: Any) -> Mapping[str, Any]:
        from mkdocs_qhaigc.config.models_option import check_models  # as above

        advice = "Write a mapping of models to what they take, for example {my-model: {sizes: [1024x1024]}}"
        return check_models(option, _mapping(option, value, advice))


class PriceList(OptionType):
    """Prices by model, by model and size, or by its tokens; `check_prices` reads them."""

    json_schema: Mapping[str, Any] = {
        "type": "object",
        "properties": {"currency": {"type": "string"}},
        "additionalProperties": {
            "anyOf": [
                _PRICE,
                {"type": "object", "properties": {"per": {"type": "string"}}, "additionalProperties": _PRICE},
            ]
        },
    }

    def check(self, option: str, value: Any) -> Mapping[str, Any]:
        prices = _mapping(option, value, "Write a mapping of models to prices, for example {dall-e-3: 0.04}")
        from mkdocs_qhaigc.config.prices import check_prices  # most sites have no price list

        check_prices(prices)
        return prices


class VisibleLabel(OptionType):
    """A text, or one for each language, for images on pages and perhaps on cards; `read_label` reads it."""

    _text: Mapping[str, Any] = {"anyOf": [TEXT, {"type": "object", "additionalProperties": TEXT, "minProperties": 1}]}
    json_schema: Mapping[str, Any] = {
        "anyOf": [
            TEXT,
            {
                "type": "object",
                "properties": {"text": _text, "cards": Flag.json_schema},
                "additionalProperties": TEXT,
                "minProperties": 1,
            },
        ]
    }

    def check(self, option: str, value: Any) -> Any:
        read_label(value)
        return value


class FormatList(OptionType):
    """Image formats, each once."""

    json_schema: Mapping[str, Any] = {"anyOf": [{"type": "array", "items": _FORMAT, "uniqueItems": True}, _FORMAT]}

    def check(self, option: str, value: Any) -> tuple[str, ...]:
        formats = tuple(_format(option, item) for item in _items(value))
        if not formats or len(set(formats)) != len(formats):
            raise _invalid(option, value, "Write each format once, for example [avif, webp]")
        return formats


class WidthList(OptionType):
    """Widths in pixels, ascending."""

    _width = WholeNumber(16, 16384)
    json_schema: Mapping[str, Any] = {"anyOf": [{"type": "array", "items": _width.json_schema}, _width.json_schema]}

    def check(self, option: str, value: Any) -> tuple[int, ...]:
        texts = re.compile("[0-9]{1,5}")
        items = (int(item) if isinstance(item, str) and texts.fullmatch(item) else item for item in _items(value))
        return tuple(sorted({self._width.check(option, item) for item in items}))


class Quality(OptionType):
    """A quality for all formats, or one for each of several."""

    _number = WholeNumber(1, 100)
    json_schema: Mapping[str, Any] = {
        "anyOf": [
            _number.json_schema,
            {"type": "object", "propertyNames": _FORMAT, "additionalProperties": _number.json_schema},
        ]
    }

    def check(self, option: str, value: Any) -> int | Mapping[str, int]:
        if not isinstance(value, Mapping) and not (isinstance(value, str) and ":" in value):
            return self._number.check(option, value)
        given = _mapping(option, value, "Write a number, or one a format: {webp: 82, avif: 60}")
        by_format = {_format(option, name): self._number.check(option, number) for name, number in given.items()}
        if len(by_format) != len(given):
            raise _invalid(option, value, "jpg and jpeg are one format. Write it once")
        return by_format


def quality_by_format(quality: int | Mapping[str, int]) -> dict[str, int]:
    """Return the quality of each format, on the format's own scale."""
    same, given = (quality, {}) if isinstance(quality, int) else (DEFAULT_QUALITY, quality)
    avif = max(1, round(same * _AVIF_SHARE))
    return {**{name: avif if name == "avif" else same for name in MIME_TYPES}, **given}


class Marking(OptionType):
    """Whether files are marked as made by AI, or with what."""

    json_schema: Mapping[str, Any] = {
        "anyOf": [
            Flag.json_schema,
            {"type": "object", "properties": {"prompt": Flag.json_schema}, "additionalProperties": False},
        ]
    }

    def check(self, option: str, value: Any) -> bool | Mapping[str, bool]:
        if isinstance(value, bool):
            return value
        advice = "Write true, false, or {prompt: true} to publish the prompts too"
        fields = _mapping(option, value, advice)
        if set(fields) - {"prompt"} or not all(isinstance(flag, bool) for flag in fields.values()):
            raise _invalid(option, value, advice)
        return fields


def _invalid(option: str, value: object, advice: str) -> OptionError:
    return OptionError(option, f"it is {short_repr(value)}. {advice}")


UNPUBLISHED = "GitHub Pages leaves files and folders out whose names begin with `_` or `.`"
"""The reason why no file of ours has such a name. It does so unless the site has a file `.nojekyll`."""


def is_published(path: str) -> bool:
    """Whether every web host publishes a file of the site at this path, which has `/`: see `UNPUBLISHED`."""
    return not any(part.startswith(("_", ".")) for part in path.split("/"))


def _require_published(option: str, path: str) -> None:
    if not is_published(path):
        raise _invalid(option, path, f"{UNPUBLISHED}. Write another name")


def _suggestion(value: object, words: Mapping[str, str] | tuple[str, ...]) -> str:
    """Return a question that names the word meant; an empty text if none is near."""
    meant = closest_match(value.lower(), words) if isinstance(value, str) else None
    return f"Did you mean {meant}?" if meant else ""


def _is_printable(text: str) -> bool:
    """Whether a text is free of control characters and lone surrogates, which no file system accepts."""
    return all(char.isprintable() or char in "\n\t" for char in text)


def _resembles_key(name: str) -> bool:
    """Whether letters and digits seem random; names of variables have words, or no small letters."""
    if len(name) < _SHORTEST_KEY or not any(map(str.isdigit, name)):
        return False
    return "_" not in name or any(map(str.islower, name))


def _mapping(option: str, value: Any, advice: str) -> Mapping[str, Any]:
    """Return a mapping, which may be given as YAML in a text (from `!ENV`)."""
    if isinstance(value, str):
        try:
            value = yaml.load(value)
        except yaml.ERRORS as error:
            reason = str(error).partition("\n")[0]
            raise OptionError(option, f"it is a text that is no YAML ({reason}). {advice}") from error
    if not isinstance(value, Mapping):
        raise _invalid(option, value, advice)
    return value


def _items(value: Any) -> list[Any]:
    """Return the items of a list, which may be given in a text (from `!ENV`) with commas or blanks between them."""
    if isinstance(value, str):
        return [item for item in re.split(r"[\s,]+", value) if item]
    return list(value) if isinstance(value, (list, tuple)) else [value]


def _format(option: str, value: object) -> str:
    """Return the name of a format; `jpg` is `jpeg`."""
    name = "jpeg" if value == "jpg" else value
    if not isinstance(name, str) or name not in MIME_TYPES:
        raise _invalid(option, value, _suggestion(name, MIME_TYPES) or f"Known are {', '.join(MIME_TYPES)}")
    return name
