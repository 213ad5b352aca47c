"""Every option of the plugin: its type, its default and its meaning. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from mkdocs_qhaigc.config import option_types as types
from mkdocs_qhaigc.config.cache_layout import DEFAULT_CACHE_DIR


class Option(NamedTuple):
    """One option of the plugin."""

    type: types.OptionType
    default: Any
    """`None` if it may be left empty."""
    about: str
    """Its meaning, in Markdown, on one line."""


OPTIONS: Mapping[str, Option] = {
    "enabled": Option(types.Flag(), True, "off: directives are ignored, references become nothing but their alt text"),
    "base_url": Option(
        types.ApiUrl(),
        "https://api.qhaigc.net/v1",
        "any OpenAI-compatible Images API; the word `sandbox` is the embedded server",
    ),
    "api_key_env": Option(
        types.VariableName(),
        "QHAIGC_API_KEY",
        "the *name* of the environment variable with the key; a key never stands in a file. `none` for a server that "
        "takes none; one on this machine needs none either",
    ),
    "headers": Option(
        types.Headers(),
        None,
        "further HTTP headers for the service at `base_url`, for example `{X-Project: handbook}`; never a key",
    ),
    "allow_http": Option(
        types.Flag(),
        False,
        "send the key to another machine without encryption too, where `base_url` is `http://`: within a network that "
        "you trust",
    ),
    "model": Option(types.Text("Write a model's name"), "qh-draw-x2-preview", "for directives that name none"),
    "size": Option(
        types.Size(),
        "1280x720",
        "for directives that name none: `WIDTHxHEIGHT`, a ratio (`16:9`), or a size that the service names (`2K`)",
    ),
    "models": Option(
        types.Models(),
        None,
        "what models take, where the table of known models does not say it: `{my-model: {sizes: [1024x1024]}}`",
    ),
    "style": Option(
        types.Text("Write a text, or a name from `styles`"),
        None,
        "the site's look: text (or a name from `styles`) added to every prompt",
    ),
    "styles": Option(
        types.Styles(),
        None,
        "named styles for the field `style`: texts, or `{text: …, references: …}` with images that are sent along",
    ),
    "references": Option(
        types.ReferenceList(),
        None,
        "images that the model is shown for every image of the site: files, or names of the option `images`",
    ),
    "references_by": Option(
        types.OneOf("auto", "edits", "json"),
        "auto",
        "how reference images are sent: `edits` (files, to `/images/edits`, as OpenAI takes them), `json` (the field "
        "`image`, as Volcengine Ark takes them), or `auto`: by what is known of the service or the model",
    ),
    "params": Option(
        types.Params(),
        None,
        "further fields of the API's request body for every image, which a directive's own `params` override: "
        "`{quality: low}`",
    ),
    "images": Option(types.Images(), None, "images for the whole site"),
    "missing": Option(
        types.OneOf("generate", "placeholder", "error"),
        "generate",
        "`generate`, `placeholder` (never call the API), or `error` (never call it, fail the build)",
    ),
    "max_new_images": Option(types.WholeNumber(0, 100_000), 25, "the most images one build may buy"),
    "serve_buys": Option(
        types.OneOf("auto", "ask"),
        None,
        "whether a preview (`mkdocs serve`) buys the images that are missing by itself (`auto`), or only in the studio "
        "(`ask`); left out, `auto` for the sandbox and `ask` elsewhere",
    ),
    "studio": Option(types.Flag(), True, "tools beside a preview, in the browser; they cost a build nothing"),
    "prices": Option(
        types.PriceList(),
        None,
        "what an image costs, for each model, each of its sizes, or by its tokens: "
        "`{dall-e-3: 0.04, qh-draw-x2-preview: {1280x720: 0.02, default: 0.03}, "
        "gpt-image-2: {input: 5, output: 40, per: 1000000 tokens}, currency: USD}`",
    ),
    "concurrency": Option(types.WholeNumber(1, 64), 4, "calls at once"),
    "timeout": Option(types.Seconds(), 180, "seconds for one image, retries included"),
    "retries": Option(
        types.WholeNumber(0, 20),
        4,
        "further tries for what may be tried again; a busy service (429, 503) is asked until `timeout` is over, unless "
        "this is 0",
    ),
    "response_format": Option(
        types.OneOf("url", "b64_json", "none"), "url", "`url`, `b64_json`, or `none` to leave the field out"
    ),
    "task_url": Option(
        types.TaskUrl(),
        types.DEFAULT_TASK_URL,
        "where a service that delivers later is asked for a task, unless its answer says where; `{id}` is the task's",
    ),
    "cache_dir": Option(types.Folder(), DEFAULT_CACHE_DIR, "this machine's images; git ignores it"),
    "pins_dir": Option(types.Folder(), "generated-images", "images committed with the docs"),
    "shared": Option(
        types.SharedUrl(),
        None,
        "a team's images: `s3://bucket/prefix`, `gs://…`, `az://…`, a folder (`file:///mnt/team/images`), or "
        "`https://…` to read alone; needs `mkdocs-qhaigc[shared]`",
    ),
    "shared_mode": Option(
        types.OneOf("auto", "read-only", "off"),
        "auto",
        "`auto` (what the store allows), `read-only` (pull requests), or `off`",
    ),
    "assets_dir": Option(types.SiteFolder(), "assets/qhaigc", "where images stand in the built site"),
    "formats": Option(
        types.FormatList(),
        ("webp",),
        "any of avif, webp, jpeg, png; several make a `<picture>`, the last one for every reader",
    ),
    "widths": Option(
        types.WidthList(),
        (480, 800, 1280),
        "pixels; narrower copies for small screens, beside the image's own width",
    ),
    "quality": Option(
        types.Quality(),
        types.DEFAULT_QUALITY,
        "1 to 100; one number (of which AVIF takes 0.72: 58 shows as much there), or one a format: "
        "`{webp: 82, avif: 60}`",
    ),
    "provenance": Option(
        types.Marking(),
        True,
        'machine-readable "made by AI" marking in every file; `{prompt: true}` adds the prompt',
    ),
    "label": Option(
        types.VisibleLabel(),
        None,
        "a visible label at every image: a text, or one for each language, `{en: AI-generated, de: KI-generiert}`; "
        "`{text: …, cards: true}` draws it on cards for link previews, too",
    ),
    "sizes": Option(
        types.Text("Write the attribute's value, for example 100vw"),
        None,
        "how wide images are drawn, as in HTML; left out, the text column of the themes mkdocs, readthedocs and "
        "Material, and `100vw` in others",
    ),
    "gallery": Option(
        types.PageFile(),
        None,
        "a page, relative to `docs_dir`, that shows every image with its prompt: at "
        "`<!-- qhaigc-gallery -->` or at its end; made where there is none",
    ),
    "report": Option(
        types.JsonFile(),
        None,
        "a `.json` file outside the site in which `mkdocs build` says what it did for each image",
    ),
}
