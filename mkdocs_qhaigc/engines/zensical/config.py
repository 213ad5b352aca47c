"""A site's configuration, read without its engine: mkdocs.yml, properdocs.yml or zensical.toml.

For Zensical, which runs no MkDocs plugins and so reads no options for them.
"""

from __future__ import annotations

import hashlib
import json
import os
import sys
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import partial, reduce
from pathlib import Path
from typing import Any, Final, NamedTuple

from mkdocs_qhaigc._util import yaml
from mkdocs_qhaigc._util.files import real_path, within
from mkdocs_qhaigc.config.option_definitions import OPTIONS
from mkdocs_qhaigc.config.option_types import UNPUBLISHED, is_published
from mkdocs_qhaigc.config.options import (
    EXTENSION,
    KEY_IN_FILE,
    Options,
    check_folders,
    keys_among,
    no_option,
    read_options,
)
from mkdocs_qhaigc.errors import OptionError, SiteError

PLUGIN: Final = "qhaigc"


@dataclass(frozen=True, slots=True)
class Configuration:
    """The configuration of a site, with the plugin's options."""

    file: Path
    files: tuple[Path, ...]
    """All files that were read: `file`, and those that `INHERIT` names."""
    docs_dir: Path
    site_dir: Path
    """The folder of the built site, which need not exist."""
    site_url: str | None
    theme: str | None
    """`None`: the engine's default."""
    language: str
    """Of the pages, as the theme has it: `en`; empty for the engine's default."""
    features: tuple[str, ...]
    """Names of the theme's features, in Material and Zensical."""
    plugins: Mapping[str, Mapping[str, Any]]
    blogs: tuple[Mapping[str, Any], ...]
    """The options of each blog: a site may list the plugin blog more than once."""
    zensical: bool
    """Whether Zensical builds the site, see `choose_engine.is_zensicals`."""
    not_built: str
    """Patterns of .gitignore for pages that are not built: `exclude_docs` and `draft_docs`."""
    given: Mapping[str, Any]
    """The plugin's options as they are written."""
    options: Options

    def publishing_to(self, folder: Path) -> Configuration:
        """Return the site with another folder for its images.

        Raises:
            SiteError: the folder is not within the folder of the pages, or would not be published.
        """
        pages, real = real_path(self.docs_dir), real_path(folder)
        inside = real.relative_to(pages) if pages in real.parents else None
        if inside is None:
            docs = within(self.docs_dir, Path.cwd())
            raise SiteError(f"{folder} is no folder within {docs}, from where it would be published. Name one")
        if not is_published(inside.as_posix()):
            raise SiteError(f"{folder}: {UNPUBLISHED}. Name another folder")
        return replace(self, options=self.options._replace(assets_dir=inside.as_posix()))

    @property
    def look(self) -> str:
        """Hex digest of all options that pages are rendered from, beside their front matter and the images."""
        shown = [self.given.get(name) for name in ("enabled", "images", "sizes", "label")]
        content = json.dumps([self.site_url, self.theme, self.language, self.features, *shown], default=str)
        return hashlib.sha256(content.encode()).hexdigest()[:16]

    @property
    def images_dir(self) -> Path:
        """The folder of the images among the pages."""
        return self.docs_dir / self.options.assets_dir


def names_our_extension(file: Path) -> bool:
    """Return whether a configuration names our Markdown extension, which is for Zensical alone.

    Raises:
        SiteError: it cannot be read.
    """
    return EXTENSION in _extensions(_read(file, []))


def read_configuration(file: Path) -> Configuration:
    """Return the configuration of a site.

    Raises:
        SiteError: it cannot be read, or does not list the plugin.
    """
    files: list[Path] = []
    content = _read(file, files)
    folder = file.resolve().parent
    entries = _entries(content.get("plugins"))
    plugins = _named(entries)
    if PLUGIN not in plugins:
        where = "[project.plugins.qhaigc]" if file.suffix == ".toml" else "`plugins`"
        raise SiteError(f"{file} does not list the plugin qhaigc. Add it: {where}")
    docs_dir = folder / str(content.get("docs_dir") or "docs")
    if _is_missing(docs_dir):
        shown = within(docs_dir, Path.cwd())
        raise SiteError(f"{file}: there is no folder {shown}. Write the folder of the pages into `docs_dir`")
    site_url = content.get("site_url")
    site_dir = folder / str(content.get("site_dir") or "site")
    extensions = _extensions(content)
    zensical = file.suffix == ".toml" or EXTENSION in extensions
    out = extensions.get(EXTENSION, {}).get("out")
    theme = content.get("theme")
    theme = theme if isinstance(theme, Mapping) else {"name": theme}
    features = theme.get("features")
    given = plugins[PLUGIN]
    site = Configuration(
        file=file.resolve(),
        files=tuple(files),
        docs_dir=docs_dir,
        site_dir=site_dir,
        site_url=site_url if isinstance(site_url, str) and site_url else None,
        theme=theme.get("name"),
        language=str(theme.get("language") or theme.get("locale") or ""),
        features=tuple(features) if isinstance(features, list) else (),
        plugins=plugins,
        blogs=tuple(options for name, options in entries if name.removeprefix("material/") == "blog"),
        zensical=zensical,
        not_built="\n".join(str(content.get(key) or "") for key in ("exclude_docs", "draft_docs")),
        given=given,
        options=_options(
            given,
            file,
            folder=folder,
            docs_dir=docs_dir,
            site_dir=site_dir,
            exclude_docs="" if zensical else str(content.get("exclude_docs") or ""),
        ),
    )
    return site.publishing_to(folder / out) if isinstance(out, str) and out else site


def _is_missing(path: Path) -> bool:
    """Whether there is certainly nothing; where that cannot be seen, what reads it says why."""
    try:
        path.lstat()
    except FileNotFoundError:
        return True
    except OSError:
        return False
    return False


class Replaced(NamedTuple):
    """A list of a site's configuration that replaces a mapping of the file which it inherits from, or the reverse."""

    key: str
    """`markdown_extensions` or `plugins`."""
    file: str
    """The name of the file which is inherited from."""
    was_mapping: bool
    """Whether it is a mapping there."""
    lost: tuple[str, ...]
    """Names that are there, and that the site does not have."""


def replaced_by_inherit(file: Path) -> list[Replaced]:
    """Return what an mkdocs.yml or zensical.yml replaces of the files which it inherits from, though it adds to it.

    Zensical joins two lists and two mappings, and replaces a mapping by a list.

    Raises:
        SiteError: it cannot be read.
    """
    if file.suffix == ".toml":
        return []
    files: list[Path] = []
    content = _read(file, files)
    found = []
    for key in ("markdown_extensions", "plugins"):
        for parent in files[1:]:
            listed = _read(parent, []).get(key)
            lost = tuple(name for name in _named(_entries(listed)) if name not in _named(_entries(content.get(key))))
            if listed and lost and isinstance(listed, Mapping) != isinstance(content.get(key), Mapping):
                found.append(Replaced(key, parent.name, isinstance(listed, Mapping), lost))
                break
    return found


def _options(
    given: Mapping[str, Any], file: Path, *, folder: Path, docs_dir: Path, site_dir: Path, exclude_docs: str
) -> Options:
    for name in keys_among(given):
        raise SiteError(f"{file}, option `{name}`: {KEY_IN_FILE}")
    for name in given:
        if name not in OPTIONS:
            raise SiteError(f"{file}: {no_option(name)}")
    from pathspec import GitIgnoreSpec  # most commands need none

    not_published = GitIgnoreSpec.from_lines([".*", *exclude_docs.splitlines()])  # no engine publishes what begins so
    try:
        options = read_options(given, folder=folder, docs_dir=docs_dir)
        check_folders(
            options,
            folder=folder,
            docs_dir=docs_dir,
            site_dir=site_dir,
            is_published=lambda src_uri: not not_published.match_file(src_uri),
        )
    except OptionError as error:
        raise SiteError(f"{file}, option `{error.option}`: {error}") from error
    return options


def _read(file: Path, files: list[Path]) -> Mapping[str, Any]:
    try:
        content = _read_toml(file, files) if file.suffix == ".toml" else _read_yaml(file, files)
    except OSError as error:
        raise SiteError(f"{error.filename or file} cannot be read ({error.strerror or error})") from error
    except yaml.ERRORS as error:
        raise SiteError(f"{file} cannot be read: {error}") from error
    if not isinstance(content, Mapping):
        raise SiteError(f"{file} is no configuration: it holds no mapping of names")
    return content


def _read_toml(file: Path, files: list[Path]) -> Any:
    files.append(file.resolve())
    if sys.version_info >= (3, 11):
        import tomllib

        content = tomllib.loads(file.read_text(encoding="utf-8"))
        return content.get("project", content)
    raise SiteError(f"{file}: Zensical needs Python 3.11 or newer, and so does reading its configuration")


def _read_yaml(file: Path, files: list[Path]) -> Any:
    """Return the content, merged over that of the file which `INHERIT` names, as the site's engine merges them.

    The files that were read are added to `files`.
    """
    contents = list(_chain(file, files))
    content = reduce(merged, reversed(contents))
    if isinstance(content, Mapping) and EXTENSION not in _extensions(content):
        return reduce(partial(merged, join=False), reversed(contents))  # MkDocs' site
    return content


def _chain(file: Path, files: list[Path]) -> Iterator[Any]:
    """Yield the content of a file, then that of the file which it inherits from, and so on."""
    files.append(file.resolve())
    content = yaml.load(file.read_text(encoding="utf-8-sig"), loader=_Loader)
    parent = file.parent / str(content.pop("INHERIT")) if isinstance(content, dict) and "INHERIT" in content else None
    yield content
    if parent:
        if parent.resolve() in files:
            raise ValueError(f"INHERIT leads in a circle to {parent}")
        yield from _chain(parent, files)


def merged(base: Any, over: Any, *, join: bool = True) -> Any:
    """Return two values merged: mappings name by name, of others the second.

    `join`: lists are joined, as in Zensical; MkDocs takes the second one.
    """
    if isinstance(base, Mapping) and isinstance(over, Mapping):
        both = {name: merged(base[name], over[name], join=join) for name in base if name in over}
        return {**base, **over, **both}
    return [*base, *over] if join and isinstance(base, list) and isinstance(over, list) else over


def _extensions(content: Mapping[str, Any]) -> dict[str, Mapping[str, Any]]:
    """Return the Markdown extensions of a configuration: the options of each by its name."""
    return _named(_entries(content.get("markdown_extensions")))


def _entries(listed: Any) -> list[tuple[str, Mapping[str, Any]]]:
    """Return plugins or extensions, written as a list or as a mapping: name and options of each, in their order."""
    if isinstance(listed, Mapping):
        listed = [{name: options} for name, options in listed.items()]
    entries: list[tuple[str, Mapping[str, Any]]] = []
    for entry in listed if isinstance(listed, list) else [listed]:
        one = {entry: {}} if isinstance(entry, str) else entry if isinstance(entry, Mapping) else {}
        entries += ((str(name), options if isinstance(options, Mapping) else {}) for name, options in one.items())
    return entries


def _named(entries: Iterable[tuple[str, Mapping[str, Any]]]) -> dict[str, Mapping[str, Any]]:
    """Return options by name; those of a name that is listed more than once are merged."""
    named: dict[str, Mapping[str, Any]] = {}
    for name, options in entries:
        named[name] = merged(named.get(name, {}), options)
    return named


class _Loader(yaml.SafeLoader):
    """YAML as in mkdocs.yml, with `!ENV`. Values with other tags (functions, paths) are `None`: for engines."""


def _environment(loader: _Loader, node: yaml.Node) -> Any:
    """Return the value of `!ENV NAME` or `!ENV [NAME, OTHER, default]`."""
    names, default = [node], None
    if isinstance(node, yaml.SequenceNode):
        names = list(node.value)
        if len(names) > 1:
            default = loader.construct_object(names.pop(), deep=True)
    for name in names:
        value = os.environ.get(str(getattr(name, "value", "")))
        if value is not None:  # a value like `true` or `3` has its type, as in MkDocs
            tag = loader.resolve(yaml.ScalarNode, value, (True, False))  # type: ignore[no-untyped-call]
            return loader.construct_object(yaml.ScalarNode(tag, value))
    return default


_Loader.add_constructor("!ENV", _environment)
_Loader.add_multi_constructor("", lambda *_: None)
