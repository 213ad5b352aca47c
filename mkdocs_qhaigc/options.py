"""The plugin's options: their names, defaults and checks, in one place, for every engine and the command line. Pure."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal
from urllib.parse import urlsplit

import yaml

from mkdocs_qhaigc.directives import Defaults, nearest, read_directives, resolve_style, shown
from mkdocs_qhaigc.errors import DirectiveError, OptionError
from mkdocs_qhaigc.original import SANDBOX
from mkdocs_qhaigc.prices import Cost, Prices, check_prices
from mkdocs_qhaigc.publication import MIME_TYPES, Encoding
from mkdocs_qhaigc.request import ImageRequest, parse_size

SANDBOX_VARIABLE = "QHAIGC_SANDBOX"
"""Set by `mkdocs-qhaigc sandbox -- COMMAND` for the command: whoever runs it wants to spend nothing."""
SANDBOX_PATH = "/sandbox/"
"""Every address of a sandbox server starts with this path; no real API's does."""
KEY_IN_FILE = (
    "a key never stands in a file. Remove it, set it as the environment variable QHAIGC_API_KEY "
    "(or as the one that `api_key_env` names), and revoke it if others may have seen it"
)
_KEY_OPTION = re.compile(r"(?:.*[_-])?(?:api[_-]?key|key|token|secret|password|authorization)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Options:
    """The checked options of one build."""

    enabled: bool
    base_url: str
    api_key_env: str
    defaults: Defaults
    images: Mapping[str, Any]
    missing: Literal["generate", "placeholder", "error"]
    max_new_images: int
    concurrency: int
    timeout: float
    """Seconds."""
    retries: int
    response_format: Literal["url", "b64_json", "none"]
    cache_dir: Path
    pins_dir: Path
    assets_dir: str
    """Relative to the site's folder, with `/`."""
    encoding: Encoding
    sizes: str | None
    """None: what fits the theme."""
    prices: Prices

    @property
    def buying(self) -> tuple[object, ...]:
        """What a buyer is made from: while it stays, one buyer serves many builds."""
        return (
            self.base_url,
            self.api_key_env,
            self.max_new_images,
            self.concurrency,
            self.timeout,
            self.retries,
            self.response_format,
            self.cache_dir,
        )

    @property
    def sandboxed(self) -> bool:
        """Whether pictures come from a sandbox, and so must never stand under real keys."""
        return self.base_url == SANDBOX or urlsplit(self.base_url).path.startswith(SANDBOX_PATH)

    def api_key(self, environment: Mapping[str, str]) -> str | None:
        """Return the key from the environment variable that is named for it; None where there is none."""
        return environment.get(self.api_key_env, "").strip() or ("sandbox" if self.sandboxed else None)

    def cost(self, requests: Iterable[ImageRequest]) -> Cost | None:
        """Return what pictures cost; None where nothing says it, and for those of a sandbox, which sells none."""
        return None if self.sandboxed else self.prices.cost(requests)

    def require_sandbox_within(self, environment: Mapping[str, str]) -> None:
        """Refuse to buy where `mkdocs-qhaigc sandbox` runs the command.

        Raises:
            OptionError: the pictures would come from a real API.
        """
        if SANDBOX_VARIABLE in environment and not self.sandboxed:
            raise OptionError(
                "base_url",
                f"it is {self.base_url}, and this runs under `mkdocs-qhaigc sandbox`, where nothing is bought. "
                f"Write `base_url: !ENV [QHAIGC_BASE_URL, {self.base_url}]`",
            )


def read_options(values: Mapping[str, Any], *, folder: Path) -> Options:
    """Return the options from their checked values; `folder` is where mkdocs.yml stands.

    Raises:
        OptionError: values do not go together.
    """
    get = {
        name: option.default if values.get(name) is None else option.check(values[name])
        for name, option in OPTIONS.items()
    }
    defaults = Defaults(get["model"], get["size"], get["style"] or "", get["styles"] or {})
    try:
        resolve_style(defaults.style, defaults.styles)
    except DirectiveError as error:
        raise OptionError("style", str(error)) from error
    _, problems = read_directives(get["images"], defaults) if get["images"] else ({}, [])
    if problems:
        raise OptionError("images", str(problems[0]))
    quality = get["quality"]
    provenance = get["provenance"]
    encoding = Encoding(
        marked=provenance is not False,
        with_prompt=isinstance(provenance, Mapping) and provenance.get("prompt", False),
        formats=get["formats"],
        widths=get["widths"],
        quality=_by_format(quality) if isinstance(quality, int) else {**_by_format(_QUALITY), **quality},
    )
    return Options(
        enabled=get["enabled"],
        base_url=get["base_url"],
        api_key_env=get["api_key_env"],
        defaults=defaults,
        images=get["images"] or {},
        missing=get["missing"],
        max_new_images=get["max_new_images"],
        concurrency=get["concurrency"],
        timeout=float(get["timeout"]),
        retries=get["retries"],
        response_format=get["response_format"],
        cache_dir=folder / get["cache_dir"],
        pins_dir=folder / get["pins_dir"],
        assets_dir=get["assets_dir"],
        encoding=encoding,
        sizes=get["sizes"],
        prices=check_prices(get["prices"] or {}),
    )


def check_option(name: str, value: object) -> Any:
    """Return one option's value, checked and in its own type.

    Raises:
        OptionError: it cannot be used; the message says what to write.
    """
    return OPTIONS[name].check(value)


def keys_among(names: Iterable[object]) -> list[str]:
    """Return the names of options that are none of ours and are meant to hold a key."""
    return [name for name in names if isinstance(name, str) and name not in OPTIONS and _KEY_OPTION.fullmatch(name)]


def check_folders(options: Options, *, folder: Path, docs_dir: Path, site_dir: Path) -> None:
    """Refuse folders where pictures would be lost, published raw, or make `mkdocs serve` rebuild for ever.

    Raises:
        OptionError: naming the option.
    """
    for option, path in (("cache_dir", options.cache_dir), ("pins_dir", options.pins_dir)):
        where = path.resolve()
        if where == site_dir.resolve() or site_dir.resolve() in where.parents:
            raise OptionError(option, "it lies in the built site, which every build empties. Choose a folder beside it")
        if where == docs_dir.resolve() or docs_dir.resolve() in where.parents:
            raise OptionError(option, "it lies in docs_dir, whose files are published. Choose a folder beside it")
    for name in ("answers", "candidates", "index", "locks", "originals", "rejected", "sandbox", "variants"):
        if (options.cache_dir / name).is_symlink():
            raise OptionError("cache_dir", f"its folder {name} is a link, which may lead anywhere. Remove the link")
    if folder.resolve() not in options.pins_dir.resolve().parents:
        raise OptionError("pins_dir", "it leads out of the folder of mkdocs.yml. Choose a folder within it")


@dataclass(frozen=True, slots=True)
class _Option:
    default: Any
    check: Callable[[Any], Any]


def _fail(option: str, value: object, remedy: str) -> OptionError:
    return OptionError(option, f"it is {shown(value)}. {remedy}")


def _flag(option: str) -> Callable[[Any], bool]:
    def check(value: Any) -> bool:
        if not isinstance(value, bool):
            raise _fail(option, value, "Write true or false")
        return value

    return check


def _text(option: str, remedy: str) -> Callable[[Any], str]:
    def check(value: Any) -> str:
        if not isinstance(value, str) or not value.strip() or not _is_plain(value):
            raise _fail(option, value, remedy)
        return value.strip()

    return check


def _is_plain(text: str) -> bool:
    """Whether a text is free of control characters and halves of characters, which no file system takes."""
    return all(char.isprintable() or char in "\n\t" for char in text)


def _whole(option: str, least: int, most: int) -> Callable[[Any], int]:
    def check(value: Any) -> int:
        if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= most:
            raise _fail(option, value, f"Write a whole number from {least} to {most}")
        return value

    return check


def _choice(option: str, *choices: str) -> Callable[[Any], str]:
    def check(value: Any) -> str:
        if value not in choices:
            raise _fail(option, value, f"Write one of {', '.join(choices)}")
        return str(value)

    return check


def _seconds(value: Any) -> float:
    if not isinstance(value, (int, float)) or isinstance(value, bool) or not 0 < value <= 3600:
        raise _fail("timeout", value, "Write seconds, more than 0 and at most 3600")
    return float(value)


def _size(value: Any) -> str:
    size = parse_size(value) if isinstance(value, str) else None
    if size is None:
        raise _fail("size", value, "Write WIDTHxHEIGHT in pixels, for example 1280x720")
    return size


def _base_url(value: Any) -> str:
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
    return url


_LIKE_A_KEY = re.compile(r"(?=.*[0-9])(?:[A-Za-z0-9]{20,}|(?=.*[a-z])[A-Za-z0-9_]{20,})")
"""Letters and digits at random, in one piece; names of variables have words, or no small letters."""


def _api_key_env(value: Any) -> str:
    name = value if isinstance(value, str) else ""
    if not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]{0,63}", name) or _LIKE_A_KEY.fullmatch(name):
        # The value is not shown: it may be the key itself.
        raise OptionError(
            "api_key_env",
            "it is not the name of an environment variable. Write its name, never the key itself",
        )
    return name


def _mapping(option: str) -> Callable[[Any], Mapping[str, Any]]:
    """A mapping; as a text (from `!ENV`), YAML of one."""

    def check(value: Any) -> Mapping[str, Any]:
        if isinstance(value, str):
            try:
                value = yaml.safe_load(value)
            except (yaml.YAMLError, ValueError, RecursionError, LookupError, AttributeError) as error:
                # PyYAML lets others than its own pass: dates and numbers that are none, wrong explicit tags.
                what = str(error).partition("\n")[0]
                raise OptionError(option, f"it is a text that is no YAML ({what}). Write a mapping of names") from error
        if not isinstance(value, Mapping):
            raise _fail(option, value, "Write a mapping of names")
        return value

    return check


def _styles(value: Any) -> Mapping[str, str]:
    styles = _mapping("styles")(value)
    for name, text in styles.items():
        if not isinstance(name, str) or not isinstance(text, str) or not text.strip():
            raise OptionError("styles", f"{shown(name)} is {shown(text)}. Write a text for each name")
    return styles


def _prices(value: Any) -> Mapping[str, Any]:
    prices = _mapping("prices")(value)
    check_prices(prices)
    return prices


def _list(value: Any) -> list[Any]:
    """A list; as a text (from `!ENV`), its items between commas or blanks."""
    if isinstance(value, str):
        return [item for item in re.split(r"[\s,]+", value) if item]
    return list(value) if isinstance(value, (list, tuple)) else [value]


def _formats(value: Any) -> tuple[str, ...]:
    formats = tuple("jpeg" if item == "jpg" else item for item in _list(value))
    for item in formats:
        if not isinstance(item, str) or item not in MIME_TYPES:
            meant = nearest(item, MIME_TYPES) if isinstance(item, str) else None
            raise _fail("formats", item, f"Did you mean {meant}?" if meant else f"Known are {', '.join(MIME_TYPES)}")
    if not formats or len(set(formats)) != len(formats):
        raise _fail("formats", value, "Write each format once, for example [avif, webp]")
    return formats


def _widths(value: Any) -> tuple[int, ...]:
    widths: set[int] = set()
    for item in _list(value):
        number = int(item) if isinstance(item, str) and item.isascii() and item.isdigit() and len(item) < 6 else item
        widths.add(_whole("widths", 16, 16384)(number))
    return tuple(sorted(widths))


_QUALITY = 80
_AVIF_SHARE = 0.72
"""What AVIF's scale has for the same loss: at 58 it shows as much as WebP and JPEG at 80."""


def _by_format(quality: int) -> dict[str, int]:
    return {name: max(1, round(quality * _AVIF_SHARE)) if name == "avif" else quality for name in MIME_TYPES}


def _quality(value: Any) -> int | Mapping[str, int]:
    check = _whole("quality", 1, 100)
    if isinstance(value, int):
        return check(value)
    by_format = _mapping("quality")(value)
    for format_ in by_format:
        if format_ not in MIME_TYPES:
            raise _fail("quality", format_, f"Known formats are {', '.join(MIME_TYPES)}")
    return {format_: check(number) for format_, number in by_format.items()}


def _provenance(value: Any) -> bool | Mapping[str, bool]:
    remedy = "Write true, false, or {prompt: true} to publish the prompts too"
    if isinstance(value, bool):
        return value
    fields = _mapping("provenance")(value)
    if set(fields) - {"prompt"} or not all(isinstance(flag, bool) for flag in fields.values()):
        raise _fail("provenance", value, remedy)
    return fields


def _assets_dir(value: Any) -> str:
    remedy = "Write a folder of the site, for example assets/qhaigc"
    if not isinstance(value, str) or not _is_plain(value) or any(len(part.encode()) > 200 for part in value.split("/")):
        raise _fail("assets_dir", value, remedy)
    path = posixpath.normpath(value.strip().replace("\\", "/").strip("/") or ".")
    if path == "." or path.startswith("..") or ":" in path or value.startswith(("/", "\\")):
        raise _fail("assets_dir", value, remedy)
    return path


OPTIONS: Mapping[str, _Option] = {
    "enabled": _Option(True, _flag("enabled")),
    "base_url": _Option("https://api.qhaigc.net/v1", _base_url),
    "api_key_env": _Option("QHAIGC_API_KEY", _api_key_env),
    "model": _Option("qh-draw-x2-preview", _text("model", "Write a model's name")),
    "size": _Option("1280x720", _size),
    "style": _Option(None, _text("style", "Write a text, or a name from `styles`")),
    "styles": _Option(None, _styles),
    "images": _Option(None, _mapping("images")),
    "missing": _Option("generate", _choice("missing", "generate", "placeholder", "error")),
    "max_new_images": _Option(25, _whole("max_new_images", 0, 100_000)),
    "prices": _Option(None, _prices),
    "concurrency": _Option(4, _whole("concurrency", 1, 64)),
    "timeout": _Option(180, _seconds),
    "retries": _Option(4, _whole("retries", 0, 20)),
    "response_format": _Option("url", _choice("response_format", "url", "b64_json", "none")),
    "cache_dir": _Option(".cache/plugin/qhaigc", _text("cache_dir", "Write a folder")),
    "pins_dir": _Option("generated-images", _text("pins_dir", "Write a folder")),
    "assets_dir": _Option("assets/qhaigc", _assets_dir),
    "formats": _Option(("webp",), _formats),
    "widths": _Option((480, 800, 1280), _widths),
    "quality": _Option(_QUALITY, _quality),
    "provenance": _Option(True, _provenance),
    "sizes": _Option(None, _text("sizes", "Write the attribute's value, for example 100vw")),
}
"""Every option: its default, and what turns a value from mkdocs.yml into its own type or an `OptionError`."""
