"""The plugin: from MkDocs' events to a `SiteBuild` and back."""

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

from mkdocs_qhaigc.assets import asset
from mkdocs_qhaigc.config.option_table import OPTIONS
from mkdocs_qhaigc.config.options import Options, check_folders, keys_among, read_options
from mkdocs_qhaigc.directives.front_matter import strip_meta
from mkdocs_qhaigc.engines.mkdocs.extension import QhaigcExtension
from mkdocs_qhaigc.engines.mkdocs.files import OwnFiles
from mkdocs_qhaigc.engines.mkdocs.log import BuildLog, log
from mkdocs_qhaigc.engines.mkdocs.options import SCHEME, Failures, refused, unknown
from mkdocs_qhaigc.engines.mkdocs.serve import Generation, Unfinished, have_built_again, state_of
from mkdocs_qhaigc.errors import OptionError, QhaigcError
from mkdocs_qhaigc.html import reference, rewrite
from mkdocs_qhaigc.html.deferred import MARK
from mkdocs_qhaigc.html.theme_sizes import column
from mkdocs_qhaigc.site.build import SiteBuild
from mkdocs_qhaigc.site.images import Pipeline
from mkdocs_qhaigc.store.finder import ImageFinder

if TYPE_CHECKING:
    from jinja2 import Environment
    from mkdocs.config.defaults import MkDocsConfig
    from mkdocs.livereload import LiveReloadServer
    from mkdocs.structure.files import Files
    from mkdocs.structure.pages import Page
    from mkdocs.utils.templates import TemplateContext

    from mkdocs_qhaigc.engines.mkdocs.survey import DryRun
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
    supports_multiple_instances = True  # which `on_config` refuses, and says what to do

    def __init__(self) -> None:
        self._serving = self._dirty = False
        self._options: Options | None = None
        self._build: SiteBuild | None = None
        self._pipeline: Pipeline | None = None
        self._own_files: OwnFiles | None = None
        self._generation = Generation()
        self._unfinished = Unfinished()
        self._gallery: str | None = None
        self._watched = True
        """Whether others look at pages when they are rendered: to resolve their Markdown takes as long as all else."""
        self._sources: dict[str, str] = {}
        """By page: its Markdown, while other plugins see it with the addresses of its images."""
        self.dry_run: DryRun | None = None
        """Set where the builds of this instance generate, encode and write nothing."""
        self._log = BuildLog()
        self._config: MkDocsConfig | None = None
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
            extension for extension in config.markdown_extensions if not isinstance(extension, QhaigcExtension)
        ]
        self._build = None
        self._gallery = None
        self._sources = {}
        _require_one_instance(config)
        try:
            options = self._read_options(config)
            self._again = config is self._config
            if not self._again:
                self._config, self._report = config, None
                self._unfinished.begin()
                if options.report and options.enabled and not self._serving and self.dry_run is None:
                    from mkdocs_qhaigc.site.report import Report  # most sites need none

                    self._report = Report(options.report)
                    self._report.remove_old()
        except OptionError:
            self._generation.stop()
            raise
        self._gallery = options.gallery
        if options.enabled:
            self._begin(options, config)
        else:
            self._generation.stop()
        extensions: list[Any] = config.markdown_extensions
        extensions.append(QhaigcExtension(self._render))

    @event_priority(-110)
    def on_files(self, files: Files, *, config: MkDocsConfig) -> None:
        """Add the page of the gallery where no author wrote one.

        Behind plugins that choose each page's file by its language: they know whether there is one.
        """
        self._watched = len(config.plugins.events["page_content"]) > 1
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
        if self._build:
            source = partial(_source_of, page)
            self._build.pages.read_page(page, src_uri=page.file.src_uri, url=page.url, text=markdown, source=source)
        else:
            strip_meta(page.meta)

    @event_priority(100)
    def on_page_content(self, html: str, *, page: Page, **_: Any) -> str:
        """Show other plugins the addresses of images: in a page's Markdown, and where nobody has rendered it."""
        src_uri = page.file.src_uri
        if self._build and not self._build.pages.scope_of(src_uri, page.meta).rendered:
            html = self._render(page, page.file.url, html)  # it is empty, or no Markdown
        elif not self._build and reference.SCHEME in html:
            html = rewrite.strip(html)
        if self._watched and page.markdown and reference.SCHEME in page.markdown:
            from mkdocs_qhaigc.directives.markdown_source import strip_source
            from mkdocs_qhaigc.engines.mkdocs.templates import resolve_source

            self._sources[src_uri] = page.markdown
            page.markdown = (
                resolve_source(self._build.pages, page, page.markdown) if self._build else strip_source(page.markdown)
            )
        return html

    @event_priority(50)
    @_as_plugin_errors()
    def _settle(self, env: Environment, /, *, config: MkDocsConfig, files: Files) -> None:
        """Wait for the images, and give pages their final markup."""
        env.globals.update(self._for_templates)
        if self._build and self.dry_run:
            self.dry_run.builds.append((self._build, self._log.warnings))
            self._build.pages.settled = True
        if not self._build or not self._own_files or self.dry_run:
            self._finish_pages(files)
            return
        try:
            with self._note_late(self._build, earlier=self._again and self._generation.arrivals.awaited):
                under_way = self._build.settle(wait=not self._serving)
        finally:
            if not self._serving:
                self._generation.end_progress()
        self._finish_pages(files)
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
    def _add_files(self, env: Environment, /, *, config: MkDocsConfig, files: Files) -> None:
        """Add the images' files to the site: behind plugins that compress images, and take their marking away."""
        if self._build and self._own_files and not self.dry_run:
            with self._note_late(self._build, earlier=self._generation.arrivals.awaited):
                self._own_files.add_images(files, self._build.files())

    on_env = CombinedEvent(_settle, _add_files)

    def on_template_context(self, context: TemplateContext, **_: Any) -> None:
        """Let templates have our functions also in another environment: print-site renders 404's context in its own."""
        context.update(self._for_templates)  # type: ignore[typeddict-item]  # names of ours

    @_as_plugin_errors()
    def on_post_build(self, *, config: MkDocsConfig) -> None:
        """See that every address has its file; end the build's threads and keep the cache of renditions in bounds."""
        if self._build and self._pipeline and self._own_files and not self.dry_run:
            with self._note_late(self._build, earlier=self._generation.arrivals.awaited):
                self._own_files.complete(self._build)
            self._pipeline.close(whole=True)
            self._write_report()
            self._generation.end()

    def on_build_error(self, **_: Any) -> None:
        """End the build's threads; what has arrived is saved already, and what is under way is waited for."""
        if not self._serving:
            self._generation.finish()
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
                self._generation.arrivals.announce_by(file)
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
            self._generation.finish()
        self._generation.close()
        self._log.end()

    def _read_options(self, config: MkDocsConfig) -> Options:
        folder = Path(config.config_file_path).parent if config.config_file_path else Path.cwd()
        options = read_options(self.config, folder=folder)
        check_folders(
            options,
            folder=folder,
            docs_dir=Path(config.docs_dir),
            site_dir=self.dry_run.site_dir if self.dry_run else Path(config.site_dir),
        )
        if options.missing == "generate":
            options.require_sandbox_within(os.environ)
        return options

    def _begin(self, options: Options, config: MkDocsConfig) -> None:
        self._log.begin(shown=self.dry_run is None)
        finder = ImageFinder(options)
        self._options = options
        open_buyer = None
        if self.dry_run is None:
            watched = [path for path in (config.docs_dir, config.config_file_path, *config.watch) if path]
            open_buyer = self._generation.begin(
                options,
                finder.cache,
                serving=self._serving,
                again=self._again,
                edited=partial(state_of, watched),
            )
        self._pipeline = Pipeline(options, finder=finder, open_buyer=open_buyer, report=warn)
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

    @contextlib.contextmanager
    def _note_late(self, build: SiteBuild, *, earlier: bool) -> Iterator[None]:
        """Have a preview built again for what may arrive from now on: too late for this build.

        `earlier`: it is awaited already.
        """
        arrivals = self._generation.arrivals
        arrivals.awaited = self._serving
        yield
        arrivals.awaited = earlier or bool(build.under_way)
        self._unfinished.pages |= build.unfinished()

    @_as_plugin_errors()
    def _write_report(self) -> None:
        if self._build and self._report:
            self._report.add(self._build.report(), self._log.warnings)

    def _render(self, page: Page, shown_at: str, text: str) -> str:
        """Return what Python-Markdown has made of a page, or of an excerpt, with its references resolved."""
        if not self._build:
            return rewrite.strip(text)
        file = page.file
        return self._build.pages.render(page, text, src_uri=file.src_uri, url=file.url, shown_at=shown_at)

    def _finish_pages(self, files: Files) -> None:
        """Give each page its own Markdown again, and its images their final markup, wherever a plugin keeps them."""
        for file in files.documentation_pages():
            page = file.page
            if page is None or page.content is None:
                continue
            if file.src_uri in self._sources:
                page.markdown = self._sources.pop(file.src_uri)  # excerpts are made of it later
            if not self._build:
                page.content = rewrite.strip(page.content)
            elif MARK in page.content or reference.SCHEME in page.content:
                pages = self._build.pages
                page.content = pages.finish(page, page.content, src_uri=file.src_uri, url=page.url)
                for name, value in vars(page).items():
                    if isinstance(value, str) and MARK in value:
                        setattr(page, name, pages.finish_copy(value))

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


def _require_one_instance(config: MkDocsConfig) -> None:
    """See that `plugins` lists the plugin once.

    Raises:
        PluginError: it does not, and no page can say which one it means.
    """
    count = sum(isinstance(plugin, QhaigcPlugin) for plugin in config.plugins.values())
    if count > 1:
        raise PluginError(
            f"qhaigc: `plugins` lists qhaigc {count} times. List it once; where it is to be switched on and off, by "
            "`enabled`, for example `enabled: !ENV [PREVIEW, false]`"
        )


def _source_of(page: Page) -> str:
    """Return a page as its file has it; its Markdown alone where no file can be read."""
    try:
        return page.file.content_string
    except OSError:
        return page.markdown or ""
