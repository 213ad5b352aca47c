"""The MkDocs adapter: from MkDocs' events to a `SiteBuild` and back. With `mkdocs_*.py`, the owner of mkdocs."""

from __future__ import annotations

import contextlib
import logging
import os
import sys
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from markupsafe import Markup
from mkdocs.exceptions import PluginError
from mkdocs.plugins import BasePlugin, CombinedEvent, event_priority
from mkdocs.utils import copy_file

from mkdocs_qhaigc.assets import asset
from mkdocs_qhaigc.config.option_table import OPTIONS
from mkdocs_qhaigc.config.options import EXTENSION, Options, check_folders, keys_among, read_options
from mkdocs_qhaigc.directives.front_matter import strip_meta
from mkdocs_qhaigc.engines.mkdocs.backlog import Backlog
from mkdocs_qhaigc.engines.mkdocs.files import OwnFiles
from mkdocs_qhaigc.engines.mkdocs.log import BuildLog, log
from mkdocs_qhaigc.engines.mkdocs.onlookers import Onlookers
from mkdocs_qhaigc.engines.mkdocs.options import SCHEME, Failures, refused, unknown
from mkdocs_qhaigc.engines.mkdocs.preview import Unfinished, have_built_again, state_of
from mkdocs_qhaigc.engines.mkdocs.purchasing import Purchasing
from mkdocs_qhaigc.errors import OptionError, QhaigcError
from mkdocs_qhaigc.html import rewrite as html
from mkdocs_qhaigc.html.theme_sizes import column
from mkdocs_qhaigc.markdown import QhaigcExtension
from mkdocs_qhaigc.site.build import SiteBuild
from mkdocs_qhaigc.site.images import Pipeline
from mkdocs_qhaigc.site.sources import ImageFinder

if TYPE_CHECKING:
    from jinja2 import Environment
    from mkdocs.config.defaults import MkDocsConfig
    from mkdocs.livereload import LiveReloadServer
    from mkdocs.structure.files import Files
    from mkdocs.structure.pages import Page
    from mkdocs.utils.templates import TemplateContext

    from mkdocs_qhaigc.engines.mkdocs.survey import Surveying
    from mkdocs_qhaigc.site.report import Report

warn = logging.getLogger(__name__).warning  # for what takes a callable
STYLESHEET = asset("qhaigc.css")


@contextlib.contextmanager
def _as_plugin_errors() -> Iterator[None]:
    """Raise errors of this package as MkDocs' own, which it tells without a traceback."""
    try:
        yield
    except OptionError as error:
        raise PluginError(f"qhaigc: option `{error.option}`: {error}") from error
    except QhaigcError as error:
        raise PluginError(f"qhaigc: {error}") from error


class QhaigcPlugin(BasePlugin):  # type: ignore[type-arg, no-untyped-call]  # its options are no MkDocs class
    """Turns prompts in front matter into images on pages."""

    config_scheme = SCHEME
    supports_multiple_instances = True  # of which one is switched on

    def __init__(self) -> None:
        self._serving = self._dirty = False
        self._options: Options | None = None
        self._build: SiteBuild | None = None
        self._pipeline: Pipeline | None = None
        self._own_files: OwnFiles | None = None
        self._backlog: Backlog | None = None
        self._purchasing = Purchasing(log.info)
        self._unfinished = Unfinished()
        self._gallery: str | None = None
        self._watched = True
        """Whether other plugins look at pages when they are rendered."""
        self._onlookers = Onlookers()
        self._extension = QhaigcExtension(self._render, owner=self)
        self._may_wait = False
        """Whether nobody sees a page, or changes what it declares, between its front matter and `_catch_up`."""
        self._rendered: Page | None = None
        """The page that was rendered last, or is to be converted next and waits then."""
        self.surveying: Surveying | None = None
        """What makes a survey of each build, which buys and writes nothing then; None: this is none."""
        self._log = BuildLog()
        self._config: MkDocsConfig | None = None
        self._spare = False
        """Whether another instance does the work, and this one nothing."""
        self._again = False
        """Whether this is a further build of one site: a plugin may build it once for each language."""
        self._report: Report | None = None
        """None: nobody wants one."""

    def load_config(self, options: dict[str, Any], config_file_path: str | None = None) -> tuple[Failures, list[Any]]:
        """Check the options. A key among them is refused, and taken out before `mkdocs build -v` prints them.

        So is a name that is no option, of which MkDocs only warns: it may be one that keeps a build from buying.
        """
        keys = keys_among(options)
        known = {name: value for name, value in options.items() if name in OPTIONS}
        errors, warnings = super().load_config(known, config_file_path)
        errors = [*refused(keys), *unknown(name for name in options if name not in (*known, *keys)), *errors]
        if errors:
            options |= {name: "(not shown)" for name in (*keys, "api_key_env", "base_url") if name in options}
        return errors, warnings

    def on_startup(self, *, command: Literal["build", "gh-deploy", "serve"], dirty: bool) -> None:
        """Keep this instance over the rebuilds of `mkdocs serve`, and with it what is under way."""
        self._serving, self._dirty = command == "serve", dirty

    @_as_plugin_errors()
    def on_config(self, config: MkDocsConfig) -> None:
        """Begin a build."""
        config.markdown_extensions[:] = [
            extension
            for extension in config.markdown_extensions
            if not (isinstance(extension, QhaigcExtension) and extension.owner is self)
        ]
        self._build = None
        self._gallery = None
        self._spare = self is not _working_instance(config)
        if self._spare:
            return
        try:
            options = self._read_options(config)
            self._again = config is self._config
            if not self._again:
                self._config, self._report = config, None
                self._unfinished.begin()
                if options.report and options.enabled and not self._serving and self.surveying is None:
                    from mkdocs_qhaigc.site.report import Report  # most sites need none

                    self._report = Report(options.report)
                    self._report.remove_old()
        except OptionError:
            self._purchasing.stop()
            raise
        self._gallery = options.gallery
        if options.enabled:
            self._begin(options, config)
        else:
            self._purchasing.stop()
        self._extension = QhaigcExtension(self._render, owner=self)
        extensions: list[Any] = config.markdown_extensions
        extensions.append(self._extension)

    @event_priority(-110)
    def on_files(self, files: Files, *, config: MkDocsConfig) -> None:
        """Add the page of the gallery where no author wrote one.

        Behind plugins that choose each page's file by its language: they know whether there is one.
        """
        self._watched = any(
            not isinstance(getattr(method, "__self__", None), QhaigcPlugin)
            for method in config.plugins.events["page_content"]
        )
        takers = [getattr(method, "__self__", None) for method in config.plugins.events["page_markdown"]]
        self._may_wait = (
            not self._watched
            and self.surveying is None
            and all(map(_leaves_alone, takers[takers.index(self) + 1 :]))
            and isinstance(getattr(config.plugins.events["env"][0], "__self__", None), QhaigcPlugin)
        )
        if self._dirty:  # their images may be there by now, and no author edits them
            unfinished = filter(None, map(files.get_file_from_path, self._unfinished.before))
            have_built_again(file.abs_dest_path for file in unfinished)
        if self._gallery and files.get_file_from_path(self._gallery) is None:
            if self._again:
                self._gallery = None  # it is made, and there is one address for it
                return
            from mkdocs_qhaigc.engines.mkdocs.gallery import new_page

            files.append(new_page(self._gallery, config))

    @event_priority(-25)
    def on_page_markdown(self, markdown: str, *, page: Page, **_: Any) -> None:
        """Take in a page's front matter."""
        self._rendered = None  # what was converted of it before was a part
        if self._build and self._backlog:
            src_uri = page.file.src_uri
            waits = self._may_wait and self._backlog.takes(page, src_uri=src_uri, text=markdown)
            self._extension.leaves_next_out = waits
            if waits:
                self._rendered = page
            else:
                source = partial(_source_of, page)
                self._build.pages.read_page(page, src_uri=src_uri, url=page.url, text=markdown, source=source)
        elif not self._spare:
            strip_meta(page.meta)

    @event_priority(100)
    def _before_others(self, content: str, /, *, page: Page, **_: Any) -> str:
        """Show other plugins plain images, and their addresses in the page's Markdown."""
        if self._spare:
            return content
        self._extension.leaves_next_out = False
        if self._rendered is not page:  # it is empty, or a plugin has rendered it without Python-Markdown
            content = self._render(page, page.file.url, content)
        self._rendered = None
        if not self._watched:
            return content
        from mkdocs_qhaigc.directives.markdown_source import strip_source
        from mkdocs_qhaigc.engines.mkdocs.templates import resolve_source  # most sites have nobody who looks

        in_source = partial(resolve_source, self._build.pages, page) if self._build else strip_source
        return self._onlookers.show_plain(page, content, in_source=in_source)

    @event_priority(-100)
    def _after_others(self, html: str, /, *, page: Page, **_: Any) -> str:
        """Show readers every format again, and the images that other plugins refer to."""
        if self._spare or not self._watched:
            return html
        return self._render_added(page, self._onlookers.show_whole(page, html))

    on_page_content = CombinedEvent(_before_others, _after_others)

    @event_priority(100)
    @_as_plugin_errors()
    def _catch_up(self, env: Environment, **_: Any) -> None:
        """Render the pages that could wait: before anybody looks at them."""
        if self._build and self._backlog:
            self._backlog.work_off()

    @event_priority(50)
    @_as_plugin_errors()
    def _settle(self, env: Environment, *, config: MkDocsConfig, files: Files) -> None:
        """Wait for the images."""
        if not self._spare:
            env.globals.update(self._for_templates)
        if self.surveying:
            self.surveying.look_at(self._build, self._log.warnings)
            return
        if not self._build or not self._own_files:
            return
        try:
            arrivals = self._purchasing.arrivals
            earlier = self._again and arrivals.awaited
            arrivals.awaited = self._serving  # from here on, what arrives may come too late for this build
            under_way = self._build.settle(wait=not self._serving)
            arrivals.awaited = bool(under_way) or earlier
            self._unfinished.pages |= self._build.unfinished()
        finally:
            if not self._serving:
                self._purchasing.end_progress()
        summary = self._build.summary()
        if summary:
            stylesheet = self._own_files.add_asset(files, str(STYLESHEET))
            if stylesheet not in config.extra_css:
                config.extra_css.insert(0, stylesheet)  # the author's own rules come later, and win
            waiting = f"; {under_way} under way, shown when they arrive" if under_way else ""
            log.info("%s%s", summary, waiting)
        if self._gallery:
            from mkdocs_qhaigc.engines.mkdocs.gallery import fill

            for asset in fill(self._gallery, self._build, files, dirty=self._dirty, warn=warn):
                self._own_files.add_asset(files, str(asset))
        self._own_files.hide_synced(files)

    @event_priority(-100)
    @_as_plugin_errors()
    def _add_files(self, env: Environment, *, files: Files, **_: Any) -> None:
        """Add the images' files to the site: behind plugins that compress images, and take their marking away."""
        if self._build and self._own_files:
            self._own_files.add_images(files, self._build.files())

    on_env = CombinedEvent(_catch_up, _settle, _add_files)

    def on_template_context(self, context: TemplateContext, **_: Any) -> None:
        """Let templates have our functions also in another environment: print-site renders 404's context in its own."""
        if not self._spare:
            context.update(self._for_templates)  # type: ignore[typeddict-item]  # names of ours

    @_as_plugin_errors()
    def on_post_build(self, *, config: MkDocsConfig) -> None:
        """End the build's threads and keep the cache of variants in bounds."""
        if self._build and self._pipeline:
            for dest_uri, path in self._build.further_files().items():
                copy_file(path, os.path.join(config.site_dir, dest_uri))  # noqa: PTH118 - MkDocs' texts
            self._pipeline.close(whole=True)
            if self._backlog:
                self._backlog.remember(self._build.complete())
            self._write_report()
            self._purchasing.end()

    def on_build_error(self, **_: Any) -> None:
        """End the build's threads; what has arrived is saved already, and what is under way is waited for."""
        if not self._serving:
            self._purchasing.finish()
        if self._pipeline:
            self._pipeline.close()
            try:
                self._write_report()
            except PluginError as error:
                log.warning("%s", error)  # the build's own error is told by MkDocs

    def on_serve(self, server: LiveReloadServer, **_: Any) -> None:
        """Rebuild when an image has arrived."""
        if self._options:
            try:
                file = self._checked.cache_dir / "arrivals"
                self._purchasing.arrivals.tell_by(file)
            except OSError as error:
                log.warning("%s. Images that arrive are shown after the next edit", error)
                return
            server.watch(str(file))

    def on_shutdown(self) -> None:
        """End what is under way; images that have arrived are written first.

        Where it is no Ctrl-C that ends the program, but an error (some plugins exit, which MkDocs tells nobody), what
        is under way is waited for: it was paid for.
        """
        error = sys.exc_info()[1]
        if error is not None and not isinstance(error, KeyboardInterrupt):
            self._purchasing.finish()
        self._purchasing.close()
        self._log.end()

    def _read_options(self, config: MkDocsConfig) -> Options:
        folder = Path(config.config_file_path).parent if config.config_file_path else Path.cwd()
        options = read_options(self.config, folder=folder)
        check_folders(
            options,
            folder=folder,
            docs_dir=Path(config.docs_dir),
            site_dir=self.surveying.site_dir if self.surveying else Path(config.site_dir),
            zensical=EXTENSION in config.markdown_extensions,
        )
        if options.missing == "generate":
            options.require_sandbox_within(os.environ)
        return options

    def _begin(self, options: Options, config: MkDocsConfig) -> None:
        self._log.begin(shown=self.surveying is None)
        sources = ImageFinder(options, folder=Path(config.docs_dir) / options.assets_dir, report=warn)
        self._options = options
        open_buyer = None
        if self.surveying is None:
            watched = [path for path in (config.docs_dir, config.config_file_path, *config.watch) if path]
            open_buyer = self._purchasing.begin(
                options,
                sources.cache,
                serving=self._serving,
                again=self._again,
                edited=partial(state_of, watched),
            )
        self._pipeline = Pipeline(options, sources=sources, open_buyer=open_buyer, report=warn)
        self._own_files = OwnFiles(config, options.assets_dir)
        features = config.theme.get("features")
        self._build = SiteBuild(
            options,
            self._pipeline,
            site_url=lambda: config.site_url,  # other plugins may set it after us: mike does
            column=lambda hidden: column(
                config.theme.name, features=features if isinstance(features, list) else (), hidden=hidden
            ),
            warn=warn,
        )
        self._build.pages.want_shared_images()
        settings = f"{options.base_url} {options.defaults} {options.encoding}"
        index = options.cache_dir / "index/pages.json"
        self._backlog = Backlog(self._build.pages, index, settings, source=_source_of)

    @_as_plugin_errors()
    def _write_report(self) -> None:
        if self._build and self._report:
            self._report.add(self._build.report(), self._log.warnings)

    def _render(self, page: Page, shown_at: str, text: str) -> str:
        file = page.file
        is_next = self._rendered is page
        if shown_at == file.url:
            self._rendered = page
        if not self._build:
            return html.strip(text)
        if self._backlog and self._backlog.holds(page):
            if is_next:
                return text
            self._backlog.hurry(page)  # this is another conversion than its own: an excerpt, say
        return self._build.pages.render(page, text, src_uri=file.src_uri, url=file.url, shown_at=shown_at)

    def _render_added(self, page: Page, text: str) -> str:
        if not self._build:
            return html.strip(text)
        return self._build.pages.render_added(page, text, src_uri=page.file.src_uri, url=page.url)

    def _template_image(self, page: Page | None, name: str) -> Markup:
        if not self._build:
            return Markup()
        from mkdocs_qhaigc.engines.mkdocs.templates import image_of  # most templates ask for none

        return Markup(image_of(self._build.pages, page, name))  # noqa: S704 - html.py escapes

    def _template_url(self, page: Page | None, name: str) -> str:
        if not self._build:
            return ""
        from mkdocs_qhaigc.engines.mkdocs.templates import url_of  # as above

        return url_of(self._build.pages, page, name)

    @property
    def _for_templates(self) -> dict[str, Any]:
        return {"qhaigc_image": self._template_image, "qhaigc_url": self._template_url}

    @property
    def _checked(self) -> Options:
        assert self._options is not None
        return self._options


def _working_instance(config: MkDocsConfig) -> QhaigcPlugin:
    """Return the one instance of a site that is switched on; the first, where all are off.

    Raises:
        PluginError: several are.
    """
    instances = [plugin for plugin in config.plugins.values() if isinstance(plugin, QhaigcPlugin)]
    switched_on = [plugin for plugin in instances if plugin.config["enabled"]]
    if len(switched_on) > 1:
        raise PluginError(
            f"qhaigc: `plugins` lists qhaigc {len(switched_on)} times switched on, and no page can say which it means. "
            "Keep one, or switch all but one off by `enabled`, for example `enabled: !ENV [PREVIEW, false]`"
        )
    return (switched_on or instances)[0]


def _leaves_alone(plugin: object) -> bool:
    """Whether what a plugin does with a page's Markdown, once ours has seen it, leaves its front matter as it is.

    And converts nothing. Of Material's own that is known; a hook, for instance, may do either.
    """
    return isinstance(plugin, QhaigcPlugin) or type(plugin).__module__.startswith("material.plugins.")


def _source_of(page: Page) -> str:
    """Return a page as its file has it; its Markdown alone where no file can be read."""
    try:
        return page.file.content_string
    except OSError:
        return page.markdown or ""
