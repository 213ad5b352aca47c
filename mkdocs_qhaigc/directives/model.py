"""The directive: its fields as authors write them, and as they are read. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, NamedTuple

from mkdocs_qhaigc.directives.request import SIZE_PATTERN, ImageRequest

Place = Literal["after-title", "top", "none"]

PLACES: tuple[Place, ...] = ("after-title", "top", "none")
DEFAULT_NAME = "hero"
LONGEST_NAME = 64
MOST_VARIANTS = 10_000
OWN_BODY_FIELDS = ("model", "prompt", "size", "n", "response_format", "stream")
"""Fields of the request body that `params` may not set: the directive and the client do."""
BODY_FIELDS = (
    *(field for field in OWN_BODY_FIELDS if field not in ("model", "prompt", "size")),
    "seed",
    "quality",
    "background",
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
SIZE: Schema = {"type": "string", "pattern": f"^{SIZE_PATTERN}$"}
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
    "size": Field("`WIDTHxHEIGHT` in pixels", SIZE, "option `size`"),
    "style": Field("a name from the option `styles`, or a text; appended to the prompt", _or_none(TEXT)),
    "variant": Field(
        "1, 2, 3 …: independent images of one prompt",
        {"type": "integer", "minimum": 1, "maximum": MOST_VARIANTS},
        "`1`",
    ),
    "params": Field(
        "further fields of the API's request body, sent as they are: `{quality: hd}`",
        {"type": ["object", "null"], "propertyNames": {"not": {"enum": list(OWN_BODY_FIELDS)}}},
    ),
    "dark": Field("the prompt of a second image, which readers of a dark page see instead", _or_none(TEXT)),
    "place": Field("`after-title` or `top` puts the image there without a reference", {"enum": list(PLACES)}, "`none`"),
    "priority": Field(
        "the page's main image: loaded first; lazily only where it has a `dark` one; at most one a page",
        {"type": "boolean"},
        "`false`",
    ),
    "sizes": Field("how wide it is drawn, as in HTML: `50vw`", _or_none(TEXT), "option `sizes`"),
    "crop": Field("`WIDTHxHEIGHT` of its card for link previews: `1200x630`", _or_none(SIZE)),
}
"""The fields of a directive, in the order of the documentation."""


class Defaults(NamedTuple):
    """The plugin's options that hold for a directive without fields of its own."""

    model: str
    size: str
    style: str = ""
    """Text (or a name from `styles`) added to every prompt."""
    styles: Mapping[str, str] | None = None
    sandbox: bool = False
    """Whether a sandbox draws the images, which is part of their keys."""


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
    dark: ImageRequest | None = None
    """The image that readers of a dark page see instead."""

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
    """The field that it is in, as the author wrote its name; `None` if it is in none."""

    def __str__(self) -> str:
        return f"image {self.name!r}: {self.message}" if self.name else self.message
