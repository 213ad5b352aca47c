"""The directive: its fields as authors write them, and as they are read. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Literal, NamedTuple, Protocol

from mkdocs_qhaigc.directives.request import ImageRequest, Reference
from mkdocs_qhaigc.directives.sizes import RATIO_PATTERN, SERVICE_SIZE_PATTERN, SIZE_PATTERN, USUAL_RATIOS
from mkdocs_qhaigc.errors import DirectiveError

Place = Literal["after-title", "top", "none"]

PLACES: tuple[Place, ...] = ("after-title", "top", "none")
DEFAULT_NAME = "hero"
LONGEST_NAME = 64
MOST_VARIANTS = 10_000
MOST_REFERENCES = 16
"""Reference images of one image: no API takes more."""
OWN_BODY_FIELDS = ("model", "prompt", "size", "n", "response_format", "stream")
"""Fields of the request body that `params` may not set: the directive and the client do."""
BODY_FIELDS = (
    *(field for field in OWN_BODY_FIELDS if field not in ("model", "prompt", "size")),
    "seed",
    "quality",
    "output_format",
    "output_compression",
    "moderation",
    "user",
    "negative_prompt",
    "guidance_scale",
    "cfg_scale",
    "steps",
    "num_inference_steps",
    "watermark",
    "image_size",
    "aspect_ratio",
    "sequential_image_generation",
    "sequential_image_generation_options",
    "optimize_prompt_options",
    "partial_images",
    "extra_fields",
)
"""Fields of the request bodies of Images APIs that are no fields of a directive: they belong into its `params`."""
Schema = dict[str, Any]
"""A JSON Schema."""
TEXT: Schema = {"type": "string", "pattern": r"\S"}
VARIANT: Schema = {"type": "integer", "minimum": 1, "maximum": MOST_VARIANTS}
DARK: Schema = {
    "type": "object",
    "properties": {"prompt": TEXT, "variant": VARIANT},
    "required": ["prompt"],
    "additionalProperties": False,
}
"""The field `dark` as a mapping."""
_PROPORTIONS: list[Schema] = [
    {"type": "string", "pattern": f"^({SIZE_PATTERN}|{RATIO_PATTERN})$"},
    {"enum": USUAL_RATIOS},  # what YAML makes of a ratio without quotes
]
SIZE: Schema = {"anyOf": [*_PROPORTIONS, {"type": "string", "pattern": f"^{SERVICE_SIZE_PATTERN}$"}]}
CROP: Schema = {"anyOf": _PROPORTIONS}
_PERCENT = r"(?:100|[0-9]{1,2})%"
FOCUS_PATTERN = (
    rf"\s*(?:({_PERCENT}|left|center|right)(?:\s+({_PERCENT}|top|center|bottom))?"
    r"|(?:top|bottom|center)(?:\s+(?:left|center|right))?)\s*"
)
"""A regular expression for the whole of a focus."""
BACKGROUNDS = ("transparent", "opaque", "auto")
REFERENCES: Schema = {"anyOf": [TEXT, {"type": "array", "items": TEXT, "maxItems": MOST_REFERENCES}]}
IMAGES = "#/$defs/images"
"""Reference to the schema of the value of `qhaigc`, and of the option `images`."""


class Field(NamedTuple):
    """One field of a directive."""

    about: str
    """Its meaning, in Markdown, on one line."""
    schema: Schema
    """The values that an author may write."""
    default: str = "none"
    """The value if the field is left out, in Markdown."""


def _or_none(schema: Schema) -> Schema:
    return {"anyOf": [schema, {"type": "null"}]}


FIELDS: Mapping[str, Field] = {
    "prompt": Field("what the image shows", TEXT, "required"),
    "alt": Field('alternative text; `""` for decoration; never filled from the prompt', {"type": ["string", "null"]}),
    "caption": Field("a text below the image, which then is a figure", _or_none(TEXT)),
    "model": Field("the model's name", TEXT, "option `model`"),
    "size": Field(
        "`WIDTHxHEIGHT` in pixels, a ratio (`16:9`), or a size that the service names (`2K`, `auto`)",
        SIZE,
        "option `size`",
    ),
    "style": Field("a name from the option `styles`, or a text; appended to the prompt", _or_none(TEXT)),
    "variant": Field("1, 2, 3 …: independent images of one prompt", VARIANT, "`1`"),
    "params": Field(
        "further fields of the API's request body, sent as they are: `{quality: hd}`",
        {"type": ["object", "null"], "propertyNames": {"not": {"enum": list(OWN_BODY_FIELDS)}}},
    ),
    "background": Field(
        "`transparent`: an image without a ground, where the model can; also `opaque`, `auto`",
        {"enum": [*BACKGROUNDS, None]},
    ),
    "references": Field(
        "images that the model is shown beside the prompt: a file, or the name of another image, or a list of them; "
        "`[]` for none, not those of a style or the site either",
        _or_none(REFERENCES),
        "those of the style and of the option `references`",
    ),
    "dark": Field(
        "the prompt of a second image, which readers of a dark page see instead; or `{prompt: …, variant: 2}`: with a "
        "variant of its own",
        _or_none({"anyOf": [TEXT, DARK]}),
    ),
    "place": Field("`after-title` or `top` puts the image there without a reference", {"enum": list(PLACES)}, "`none`"),
    "priority": Field(
        "the page's main image: loaded first; lazily only where it has a `dark` one; at most one a page",
        {"type": "boolean"},
        "`false`",
    ),
    "sizes": Field("how wide it is drawn, as in HTML: `50vw`", _or_none(TEXT), "option `sizes`"),
    "label": Field(
        "a visible label at the image, or `false` for none",
        {"anyOf": [TEXT, {"const": False}, {"type": "null"}]},
        "option `label`",
    ),
    "crop": Field("`WIDTHxHEIGHT`, or a ratio, of its card for link previews: `1200x630`", _or_none(CROP)),
    "focus": Field(
        "the point that stays in the image where it is cut: `30% 40%` from the left and the top, or `top left`",
        _or_none({"type": "string", "pattern": f"^{FOCUS_PATTERN}$"}),
        "the centre",
    ),
}
"""The fields of a directive, in the order of the documentation."""
FIELDS_LIKE_NAMES = ("background", "focus")
"""Fields whose words also name images in the short form, where a prompt follows: `background: A misty forest`."""


class Style(NamedTuple):
    """A look that several images share."""

    text: str = ""
    """Appended to their prompts."""
    references: tuple[str, ...] = ()
    """As they are written: files, and names of the option `images`."""


class ReferenceFinder(Protocol):
    """Finds the files of reference images."""

    def find(self, written: str, src_uri: str) -> Reference:
        """Return the reference image of a file, as a page (`guide/start.md`) or, if that is empty, an option names it.

        Raises:
            DirectiveError: it cannot be used.
        """


class NoReferenceFiles(NamedTuple):
    """A finder where there are no files."""

    def find(self, written: str, src_uri: str) -> Reference:
        """Find none."""
        raise DirectiveError(f"there is no file {written!r}")


class Defaults(NamedTuple):
    """The plugin's options that hold for a directive without fields of its own."""

    model: str
    size: str
    """`WIDTHxHEIGHT`, a ratio, or a service's own word."""
    style: str = ""
    """Text (or a name from `styles`) added to every prompt."""
    styles: Mapping[str, str | Mapping[str, Any]] | None = None
    """As they are written: a text by its name, or a mapping of `text` and `references`."""
    sandbox: bool = False
    """Whether a sandbox draws the images, which is part of their keys."""
    references: tuple[str, ...] = ()
    """Of every image, as they are written: files, and names of the option `images`."""
    files: ReferenceFinder = NoReferenceFiles()
    images: Mapping[str, Directive] = MappingProxyType({})
    """The images of the option `images`, which references may name; empty while those themselves are read."""
    params: Mapping[str, Any] = MappingProxyType({})
    """Further fields of the request body, which a directive's `params` override."""
    models: Mapping[str, Mapping[str, Any]] | None = None
    """The option `models`: additions to the table of known models, see `directives.known_models`."""


class Directive(NamedTuple):
    """One image as an author declared it."""

    name: str
    """Letters, digits, `_`, `-` of any script; NFC; at most 64."""
    request: ImageRequest
    alt: str | None = None
    """`None` if not given; empty for decoration."""
    place: Place = "none"
    priority: bool = False
    caption: str | None = None
    """Plain text; shown below the image."""
    sizes: str | None = None
    """The attribute's value; `None` for the site's."""
    crop: tuple[int, int] | None = None
    """Width and height of its card for link previews, in pixels; `None` for the image's proportions."""
    label: str | None = None
    """A visible label; empty for none, `None` for the site's."""
    dark: ImageRequest | None = None
    """The image that readers of a dark page see instead."""
    dark_follows: bool = True
    """Whether the dark image has no variant of its own, and so that of the first one."""
    ratio: tuple[int, int] | None = None
    """The proportions, width and height, to which it is cropped when it is published; `None` for its own."""
    focus: tuple[int, int] | None = None
    """The point that stays in the image where it is cut: percent from the left, and from the top."""

    @property
    def requests(self) -> tuple[tuple[str, ImageRequest], ...]:
        """(Name in its files, request) of every image of this directive."""
        own = (self.name, self.request)
        return (own, (f"{self.name}-dark", self.dark)) if self.dark else (own,)


class Problem(NamedTuple):
    """A mistake in one directive, and the remedy."""

    name: str | None
    """The image's name, or `None` if the whole value is wrong."""
    message: str
    field: str | None = None
    """The field that it is in, as the author wrote its name; `None` if it is in none. `dark.variant`: within `dark`."""

    def __str__(self) -> str:
        return f"image {self.name!r}: {self.message}" if self.name else self.message
