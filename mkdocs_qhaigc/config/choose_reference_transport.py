"""How reference images are sent: as files to `/images/edits`, or in the JSON of `/images/generations`. Pure."""

from __future__ import annotations

from typing import Literal
from urllib.parse import urlsplit

from mkdocs_qhaigc.config.options import Options
from mkdocs_qhaigc.directives.known_models import known_model
from mkdocs_qhaigc.directives.request import ImageRequest
from mkdocs_qhaigc.errors import OptionError

Transport = Literal["edits", "json"]
_BY_HOST: tuple[tuple[str, Transport], ...] = (
    ("api.openai.com", "edits"),
    (".openai.azure.com", "edits"),
    (".volces.com", "json"),
    (".bytepluses.com", "json"),
)
"""Hosts, or the ends of their names, and how they take reference images."""


def reference_transport(request: ImageRequest, options: Options) -> Transport:
    """Return how the reference images of a request are sent.

    Raises:
        OptionError: that is not known, or the model takes none, or fewer.
    """
    known = known_model(request.model, options.defaults.models or {})
    most, count = known.most_references, len(request.references)
    if most is not None and count > most:
        raise OptionError(
            "references",
            f"the model {request.model} takes at most {most} reference images, and these are {count}. Remove some",
        )
    if options.references_by != "auto":
        return options.references_by
    if known.references == "none":
        raise OptionError(
            "model",
            f"the model {request.model} takes no reference images. Use another `model`, or remove `references`; if it "
            "takes them after all, write `references_by: edits` or `references_by: json`",
        )
    host = urlsplit(options.base_url).hostname or ""
    by_host = next((how for name, how in _BY_HOST if host == name or (name[0] == "." and host.endswith(name))), None)
    transport = by_host or known.references or ("json" if options.sandboxed else None)
    if transport is None:
        raise OptionError(
            "references_by",
            f"it is not known how {host} takes reference images with the model {request.model}. Write `references_by: "
            "edits` if it takes files at /images/edits, as OpenAI does, or `references_by: json` if it takes the field "
            "`image` at /images/generations, as Volcengine Ark does: the service's documentation says which",
        )
    return transport
