"""Every option of the plugin: its default, its check, what it means, and what an author may write. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from mkdocs_qhaigc.config import option_checks as checks
from mkdocs_qhaigc.config.paths import DEFAULT_CACHE_DIR
from mkdocs_qhaigc.directives.model import IMAGES, SIZE, TEXT, Schema
from mkdocs_qhaigc.imaging.formats import MIME_TYPES


class Option(NamedTuple):
    """One option of the plugin."""

    default: Any
    check: Callable[[Any], Any]
    about: str
    """What it means, in Markdown, on one line."""
    schema: Schema
    """JSON Schema of what an author may write; what `!ENV` may give as a text is left out."""


_FORMAT: Schema = {"enum": [*MIME_TYPES, "jpg"]}


_PRICE: Schema = {"type": "number", "minimum": 0}


def _range(least: int, most: int) -> Schema:
    return {"type": "integer", "minimum": least, "maximum": most}


def _number(name: str, default: int, about: str, least: int, most: int) -> Option:
    return Option(default, checks.whole(name, least, most), about, _range(least, most))


def _one_of(name: str, about: str, default: str, *others: str) -> Option:
    return Option(default, checks.choice(name, default, *others), about, {"enum": [default, *others]})


def _some(item: Schema, *, unique: bool = False) -> Schema:
    """Several, or one alone."""
    return {"anyOf": [{"type": "array", "items": item, "uniqueItems": unique}, item]}


OPTIONS: Mapping[str, Option] = {
    "enabled": Option(
        True,
        checks.flag("enabled"),
        "off: directives are ignored, references become nothing but their alt text",
        {"type": "boolean"},
    ),
    "base_url": Option(
        "https://api.qhaigc.net/v1",
        checks.base_url,
        "any OpenAI-compatible Images API; the word `sandbox` is the embedded server",
        TEXT,
    ),
    "api_key_env": Option(
        "QHAIGC_API_KEY",
        checks.api_key_env,
        "the *name* of the environment variable with the key; a key never stands in a file",
        {"type": "string", "pattern": f"^{checks.VARIABLE}$"},
    ),
    "model": Option(
        "qh-draw-x2-preview", checks.text("model", "Write a model's name"), "for directives that name none", TEXT
    ),
    "size": Option("1280x720", checks.size, "for directives that name none", SIZE),
    "style": Option(
        None,
        checks.text("style", "Write a text, or a name from `styles`"),
        "the site's look: text (or a name from `styles`) added to every prompt",
        TEXT,
    ),
    "styles": Option(
        None, checks.styles, "named texts for the field `style`", {"type": "object", "additionalProperties": TEXT}
    ),
    "images": Option(None, checks.images, "images for the whole site", {"$ref": IMAGES}),
    "missing": _one_of(
        "missing",
        "`generate`, `placeholder` (never call the API), or `error` (never call it, fail the build)",
        "generate",
        "placeholder",
        "error",
    ),
    "max_new_images": _number("max_new_images", 25, "the most images one build may buy", 0, 100_000),
    "prices": Option(
        None,
        checks.prices,
        "what an image costs, for each model or each of its sizes: "
        "`{dall-e-3: 0.04, qh-draw-x2-preview: {1280x720: 0.02, default: 0.03}, currency: USD}`",
        {
            "type": "object",
            "properties": {"currency": {"type": "string"}},
            "additionalProperties": {"anyOf": [_PRICE, {"type": "object", "additionalProperties": _PRICE}]},
        },
    ),
    "concurrency": _number("concurrency", 4, "calls at once", 1, 64),
    "timeout": Option(
        180,
        checks.seconds,
        "seconds for one image, retries included",
        {"type": "number", "exclusiveMinimum": 0, "maximum": 3600},
    ),
    "retries": _number("retries", 4, "further tries for what may be tried again", 0, 20),
    "response_format": _one_of(
        "response_format", "`url`, `b64_json`, or `none` to leave the field out", "url", "b64_json", "none"
    ),
    "cache_dir": Option(
        DEFAULT_CACHE_DIR,
        checks.folder("cache_dir"),
        "this machine's images; git ignores it",
        TEXT,
    ),
    "pins_dir": Option("generated-images", checks.folder("pins_dir"), "images committed with the docs", TEXT),
    "assets_dir": Option("assets/qhaigc", checks.assets_dir, "where images stand in the built site", TEXT),
    "formats": Option(
        ("webp",),
        checks.formats,
        "any of avif, webp, jpeg, png; several make a `<picture>`, the last one for every reader",
        _some(_FORMAT, unique=True),
    ),
    "widths": Option(
        (480, 800, 1280),
        checks.widths,
        "pixels; narrower copies for small screens, beside the image's own width",
        _some(_range(16, 16384)),
    ),
    "quality": Option(
        checks.QUALITY,
        checks.quality,
        "1 to 100; one number (of which AVIF takes 0.72: 58 shows as much there), or one a format: "
        "`{webp: 82, avif: 60}`",
        {
            "anyOf": [
                _range(1, 100),
                {"type": "object", "propertyNames": _FORMAT, "additionalProperties": _range(1, 100)},
            ]
        },
    ),
    "provenance": Option(
        True,
        checks.provenance,
        'machine-readable "made by AI" marking in every file; `{prompt: true}` adds the prompt',
        {
            "anyOf": [
                {"type": "boolean"},
                {"type": "object", "properties": {"prompt": {"type": "boolean"}}, "additionalProperties": False},
            ]
        },
    ),
    "sizes": Option(
        None,
        checks.text("sizes", "Write the attribute's value, for example 100vw"),
        "how wide images are drawn, as in HTML; left out, the text column of the themes mkdocs, readthedocs and "
        "Material",
        TEXT,
    ),
    "gallery": Option(
        None,
        checks.page,
        "a page, relative to `docs_dir`, that shows every image with its prompt: at "
        "`<!-- qhaigc-gallery -->` or at its end; made where there is none",
        {"type": "string", "pattern": r"[^/\\]\.md\s*$"},
    ),
    "report": Option(
        None,
        checks.json_file,
        "a `.json` file outside the site in which `mkdocs build` says what it did for each image",
        {"type": "string", "pattern": r"\.json\s*$"},
    ),
}
"""Every option. Its check turns a value from mkdocs.yml into its own type or an `OptionError`."""
