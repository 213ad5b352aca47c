"""JSON Schemas of mkdocs.yml and of pages' front matter, made from the tables of options and fields. Pure.

For editors, so they describe whole documents, and allow everything that is not ours. `!ENV` is let through as YAML
editors see it: as the list, or the name, that follows it.
"""

from __future__ import annotations

import json
from typing import Any

from mkdocs_qhaigc.config.option_definitions import OPTIONS
from mkdocs_qhaigc.directives.directive import FIELDS, IMAGES, LONGEST_NAME, TEXT, Schema
from mkdocs_qhaigc.directives.front_matter import META_KEY

_DIALECT = "https://json-schema.org/draft/2020-12/schema"
_NAME = rf"^[^\s!-,./:-@\[-^`{{-~]{{1,{LONGEST_NAME}}}$"
"""Letters, digits, `_` and `-`: written as what is no sign of ASCII's, which every implementation understands."""
_DIRECTIVE = {"$ref": "#/$defs/directive"}


def options_schema() -> Schema:
    """Return the schema of an mkdocs.yml, with this plugin's options."""
    options = {"$ref": "#/$defs/options"}
    return {
        "$schema": _DIALECT,
        "title": "mkdocs.yml: the options of the plugin qhaigc",
        "type": "object",
        "properties": {
            "plugins": {"items": {"properties": {"qhaigc": options}}, "properties": {"qhaigc": options}},
        },
        "$defs": {
            "options": {
                "type": ["object", "null"],
                "properties": {
                    name: {
                        "description": option.about,
                        "default": option.default,
                        "anyOf": [option.type.json_schema, {"type": "null"}, {"$ref": "#/$defs/env"}],
                    }
                    for name, option in OPTIONS.items()
                },
                "additionalProperties": False,
            },
            "env": {
                "description": "`!ENV NAME`, or `!ENV [NAME, default]`",
                "anyOf": [
                    {"type": "string", "pattern": "^[A-Z][A-Z0-9]*(_[A-Z0-9]+)+$"},
                    {
                        "type": "array",
                        "prefixItems": [{"type": "string", "pattern": "^[A-Z_][A-Z0-9_]*$"}],
                        "minItems": 1,
                    },
                ],
            },
            **_images(),
        },
    }


def front_matter_schema() -> Schema:
    """Return the schema of a page's front matter, with the key `qhaigc`."""
    images = {"description": "The page's images: a prompt, or a mapping of names", "$ref": IMAGES}
    return {
        "$schema": _DIALECT,
        "title": "Front matter with images of the plugin qhaigc",
        "type": ["object", "null"],
        "properties": {META_KEY: images},
        "$defs": _images(),
    }


def as_json(schema: Schema) -> str:
    """Return a schema as text."""
    return json.dumps(schema, ensure_ascii=False, indent=2)


def _images() -> dict[str, Any]:
    """Return the definitions of an image and of a page's images."""
    one = {"properties": {"prompt": {"not": {"type": "object"}}}, "required": ["prompt"]}
    named = {
        "type": "object",
        "minProperties": 1,
        "propertyNames": {"pattern": _NAME},
        "properties": dict.fromkeys(FIELDS, _DIRECTIVE),  # a field's word names an image only where it has fields
        "additionalProperties": {"if": {"type": "string"}, "then": TEXT, "else": _DIRECTIVE},
    }
    return {
        "images": {
            "if": {"type": "string"},
            "then": TEXT,
            "else": {"if": {"type": "object", **one}, "then": _DIRECTIVE, "else": named},
        },
        "directive": {
            "type": "object",
            "properties": {name: {"description": field.about, **field.schema} for name, field in FIELDS.items()},
            "required": ["prompt"],
            "additionalProperties": False,
        },
    }
