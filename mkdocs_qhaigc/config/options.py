"""The plugin's options as they are used: checked, for every engine and the command line. Pure."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, NamedTuple
from urllib.parse import urlsplit

from mkdocs_qhaigc._util.files import real_path
from mkdocs_qhaigc._util.loopback import is_loopback
from mkdocs_qhaigc._util.text import closest_match, short_repr
from mkdocs_qhaigc.config import option_types
from mkdocs_qhaigc.config.cache_layout import FOLDERS, CachePaths
from mkdocs_qhaigc.config.label import Label, read_label
from mkdocs_qhaigc.config.option_definitions import OPTIONS
from mkdocs_qhaigc.directives.directive import BODY_FIELDS, Defaults
from mkdocs_qhaigc.directives.parse import plain_sizes, read_directives, read_style, require_filled_in, resolve_style
from mkdocs_qhaigc.directives.reference_dependencies import is_file, no_such_image
from mkdocs_qhaigc.directives.request import ImageRequest
from mkdocs_qhaigc.errors import DirectiveError, OptionError
from mkdocs_qhaigc.imaging.plan_published_files import Encoding
from mkdocs_qhaigc.imaging.reference_finder import ReferenceFiles

if TYPE_CHECKING:
    from mkdocs_qhaigc.config.prices import Bought, Cost, Prices

SANDBOX = option_types.SANDBOX
NO_KEY = "none"
"""The value of `api_key_env` for servers that take no key."""
SANDBOX_VARIABLE = "QHAIGC_SANDBOX"
"""Set by `mkdocs-qhaigc sandbox -- COMMAND` for the command, in which nothing may be spent."""
SANDBOX_PATH = "/sandbox/"
"""Every address of a sandbox server starts with this path; no real API's does."""
KEY_IN_FILE = (
    "a key never stands in a file. Remove it, set it as the environment variable QHAIGC_API_KEY "
    "(or as the one that `api_key_env` names), and revoke it if others may have seen it"
)
EXTENSION = "mkdocs_qhaigc.markdown"
"""The Markdown extension by which a site says that Zensical builds it."""
_EMPTY = (
    "it is empty. Write a value, or leave the line out. An environment variable that is set and empty is none: "
    "give it a value, or do not set it, so that the default in `!ENV [NAME, default]` counts"
)
_KEY_OPTION = r"(?i)(?:.*[_-])?(?:api[_-]?key|key|token|secret|password|authorization)"


class Options(NamedTuple):
    """The checked options of one build."""

    enabled: bool
    base_url: str
    api_key_env: str
    headers: Mapping[str, str]
    """Further HTTP headers of calls."""
    allow_http: bool
    """Whether the key may be sent to another machine without encryption."""
    defaults: Defaults
    missing: Literal["generate", "placeholder", "error"]
    max_new_images: int
    serve_buys: Literal["auto", "ask"]
    """Whether previews buy by themselves."""
    studio: bool
    """Whether previews have the studio."""
    concurrency: int
    timeout: float
    """Seconds."""
    retries: int
    response_format: Literal["url", "b64_json", "none"]
    references_by: Literal["auto", "edits", "json"]
    task_url: str
    """The address of a task that names none itself, with `{base_url}` and `{id}`."""
    cache_dir: Path
    pins_dir: Path
    shared: str | None
    """The address of the team's images; `None` if there is none, or if it is switched off."""
    shared_writable: bool
    """Whether images may be uploaded there, as far as the options say."""
    assets_dir: str
    """Relative to the site's folder, with `/`."""
    encoding: Encoding
    label: Label
    """Visible at every image; without texts if the site has none."""
    sizes: str | None
    """`None` for the width of the theme's text column."""
    gallery: str | None
    """The page, relative to docs_dir, with `/`, that shows every image; `None` if there is none."""
    report: Path | None
    """The file of the build's report; `None` if there is none."""
    prices: Prices | None
    """`None` without a price list."""
    folder: Path
    """The folder of the site's configuration."""

    @property
    def buying(self) -> tuple[object, ...]:
        """The options of a generation queue: while they stay the same, one queue serves many builds."""
        return (
            self.base_url,
            self.api_key_env,
            self.headers,
            self.allow_http,
            self.max_new_images,
            self.concurrency,
            self.timeout,
            self.retries,
            self.response_format,
            self.defaults.models,
            self.references_by,
            self.task_url,
            self.cache_dir,
            self.pins_dir,
            self.shared,
            self.shared_writable,
        )

    @property
    def cache(self) -> CachePaths:
        """The layout of `cache_dir`."""
        return CachePaths(self.cache_dir)

    @property
    def sandboxed(self) -> bool:
        """Whether images come from a sandbox, which is part of their keys."""
        return self.defaults.sandbox

    def api_key(self, environment: Mapping[str, str]) -> str | None:
        """Return the key from the environment variable that is named for it; `None` if it is not set."""
        if self.sandboxed:
            return environment.get(self.api_key_env, "").strip() or SANDBOX
        return None if self.takes_no_key else environment.get(self.api_key_env, "").strip() or None

    @property
    def takes_no_key(self) -> bool:
        """Whether no key is sent, whatever the environment holds."""
        return self.api_key_env.lower() == NO_KEY

    @property
    def needs_key(self) -> bool:
        """Whether no call can be made without a key: servers on this machine mostly take none."""
        return not self.takes_no_key and not is_loopback(urlsplit(self.base_url).hostname or "")

    def cost(self, requests: Iterable[ImageRequest]) -> Cost | None:
        """Return the cost of images to be bought; `None` without a price list, and for a sandbox."""
        return None if self.sandboxed or not self.prices else self.prices.cost(requests)

    def spent(self, images: Iterable[Bought]) -> Cost | None:
        """Return the cost of images that were bought; `None` without a price list, and for a sandbox."""
        return None if self.sandboxed or not self.prices else self.prices.spent(images)

    def require_sandbox_within(self, environment: Mapping[str, str]) -> None:
        """Refuse to generate images of a real API in a command that `mkdocs-qhaigc sandbox` runs.

        Raises:
            OptionError: the images would come from a real API.
        """
        if SANDBOX_VARIABLE in environment and not self.sandboxed:
            raise OptionError(
                "base_url",
                f"it is {self.base_url}, and this runs under `mkdocs-qhaigc sandbox`, where nothing is bought. "
                f"Write `base_url: !ENV [QHAIGC_BASE_URL, {self.base_url}]`; in zensical.toml, which knows no `!ENV`, "
                '`base_url = "sandbox"` for so long',
            )


def read_options(values: Mapping[str, Any], *, folder: Path, docs_dir: Path) -> Options:
    """Return the options from their values, checked or not; `folder` is that of mkdocs.yml, `docs_dir` of the pages.

    Raises:
        OptionError: a value is invalid, or values contradict each other.
    """
    get, errors = check_options({name: values.get(name, option.default) for name, option in OPTIONS.items()})
    if errors:
        raise errors[0]
    base_url = get["base_url"]
    sandbox = base_url == SANDBOX or urlsplit(base_url).path.startswith(SANDBOX_PATH)
    if not sandbox and not option_types.is_at_same_origin(get["task_url"], base_url):
        raise OptionError(
            "task_url", "it is at another address than `base_url`, and the key is sent to that one only. Correct one"
        )
    defaults = Defaults(
        get["model"],
        get["size"],
        get["style"] or "",
        get["styles"] or {},
        sandbox,
        get["references"] or (),
        ReferenceFiles(folder, docs_dir),
        params=get["params"] or {},
        models=get["models"],
    )
    try:
        require_filled_in(resolve_style(defaults.style, defaults.styles).text, "style")
    except DirectiveError as error:
        raise OptionError("style", str(error)) from error
    shared, problems = read_directives(get["images"], defaults) if get["images"] else ({}, [])
    if problems:
        raise OptionError("images", "\n  ".join(map(str, problems)))
    for directive in shared.values():
        if directive.place != "none":
            raise OptionError(
                "images",
                f"`{directive.name}` has `place: {directive.place}`, and images of the whole site stand where pages "
                f"refer to it: ![](qhaigc:{directive.name}). Remove `place`",
            )
    defaults = defaults._replace(images=shared)
    _require_references(defaults)
    provenance = get["provenance"]
    encoding = Encoding(
        marked=provenance is not False,
        with_prompt=isinstance(provenance, Mapping) and provenance.get("prompt", False),
        formats=get["formats"],
        widths=get["widths"],
        quality=option_types.quality_by_format(get["quality"]),
    )
    return Options(
        enabled=get["enabled"],
        base_url=base_url,
        api_key_env=get["api_key_env"],
        headers=get["headers"] or {},
        allow_http=get["allow_http"],
        defaults=defaults,
        missing=get["missing"],
        max_new_images=get["max_new_images"],
        serve_buys=get["serve_buys"] or ("auto" if sandbox else "ask"),
        studio=get["studio"],
        concurrency=get["concurrency"],
        timeout=float(get["timeout"]),
        retries=get["retries"],
        response_format=get["response_format"],
        references_by=get["references_by"],
        task_url=get["task_url"],
        cache_dir=folder / get["cache_dir"],
        pins_dir=folder / get["pins_dir"],
        shared=get["shared"] if get["shared_mode"] != "off" else None,
        shared_writable=get["shared_mode"] == "auto" and not (get["shared"] or "http").lower().startswith("http"),
        assets_dir=get["assets_dir"],
        encoding=encoding,
        label=read_label(get["label"]) if get["label"] is not None else Label(),
        sizes=plain_sizes(get["sizes"]),
        gallery=get["gallery"],
        report=folder / get["report"] if get["report"] else None,
        prices=_read_prices(get["prices"], defaults),
        folder=folder,
    )


def _read_prices(value: Mapping[str, Any] | None, defaults: Defaults) -> Prices | None:
    if not value:
        return None
    from mkdocs_qhaigc.config.prices import check_prices  # most sites have no price list

    return check_prices(value, defaults.models)


def _require_references(defaults: Defaults) -> None:
    """Require that the reference images of styles and of the whole site can be used: else no page could say where.

    Raises:
        OptionError: one cannot be used.
    """
    styles = defaults.styles or {}
    entries = [("references", "", entry) for entry in defaults.references]
    entries += [("styles", f"{name!r}: ", entry) for name in styles for entry in read_style(styles[name]).references]
    for option, where, entry in entries:
        try:
            if is_file(entry):
                defaults.files.find(entry, "")
            elif entry not in defaults.images:
                raise no_such_image(entry, defaults.images, "in the option `images`")
        except DirectiveError as error:
            raise OptionError(option, f"{where}{error}") from error


def check_options(values: Mapping[str, Any]) -> tuple[dict[str, Any], list[OptionError]]:
    """Return the valid values, each in its own type, and the errors of the others, which say what to write."""
    checked: dict[str, Any] = {}
    errors = []
    for name, value in values.items():
        option = OPTIONS[name]
        if value is not None:
            try:
                checked[name] = option.type.check(name, value)
            except OptionError as error:
                errors.append(error)
        elif option.default is None:
            checked[name] = None
        else:  # the default may allow what the author wants to forbid
            errors.append(OptionError(name, _EMPTY))
    return checked, errors


def keys_among(names: Iterable[object]) -> list[str]:
    """Return the names that are no options of ours and look like those of an API key."""
    return [name for name in names if isinstance(name, str) and name not in OPTIONS and re.fullmatch(_KEY_OPTION, name)]


def no_option(name: object) -> str:
    """Return the message about a name that is no option of ours."""
    if name in BODY_FIELDS:
        return (
            f"`{name}` is a field of the API's request body. Write it under `params`, here or into the directives that "
            f"send it: `params: {{{name}: …}}`"
        )
    meant = closest_match(name, OPTIONS)
    return f"there is no option {short_repr(name)}. " + (
        f"Did you mean `{meant}`?" if meant else f"There are {', '.join(OPTIONS)}"
    )


def check_folders(
    options: Options, *, folder: Path, docs_dir: Path, site_dir: Path, is_published: Callable[[str], bool]
) -> None:
    """Refuse folders in which images would be lost or published raw.

    `is_published` returns whether the engine publishes a file among the pages, which is given relative to `docs_dir`.

    Raises:
        OptionError: a folder is refused; it names the option.
    """
    cache, pins, docs, site = map(real_path, (options.cache_dir, options.pins_dir, docs_dir, site_dir))

    def lies_among_published(path: Path) -> bool:
        return docs in path.parents and is_published(path.relative_to(docs).as_posix())

    for option, where in (("cache_dir", cache), ("pins_dir", pins)):
        if site in (where, *where.parents):
            raise OptionError(option, "it is inside the built site, which every build empties. Choose a folder outside")
        if any(map(lies_among_published, (where / "image.png", where / "image.json"))):
            raise OptionError(
                option,
                "it is inside docs_dir, whose files are published. Choose a folder outside, or one whose name begins "
                "with a dot, or list it under `exclude_docs`",
            )
    for name in FOLDERS:
        if os.path.islink(options.cache_dir / name):  # noqa: PTH114 - a folder above may be closed to this user
            raise OptionError("cache_dir", f"its folder {name} is a link, which may lead anywhere. Remove the link")
    if options.report and lies_among_published(real_path(options.report)):
        raise OptionError("report", "it is inside docs_dir, and would be published. Name a file outside")
    if options.report and site in real_path(options.report).parents:
        raise OptionError("report", "it is inside the built site, and would be published. Name a file outside")
    if real_path(folder) not in pins.parents:
        raise OptionError("pins_dir", "it leads out of the folder of mkdocs.yml. Choose a folder within it")
