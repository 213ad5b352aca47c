"""The plugin: passes MkDocs' events to a `SiteBuild`, and its results to MkDocs."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from mkdocs.exceptions import PluginError
from mkdocs.plugins import BasePlugin, CombinedEvent, event_priority

from mkdocs_qhaigc._util.files import state_of, unwritable
from mkdocs_qhaigc._util.loopback import is_loopback
from mkdocs_qhaigc._util.text import plural
from mkdocs_qhaigc.assets import asset
from mkdocs_qhaigc.config.option_definitions import OPTIONS
from mkdocs_qhaigc.config.options import Options, keys_among
from mkdocs_qhaigc.directives.front_matter import strip_meta
from mkdocs_qhaigc.engines.mkdocs import templates
from mkdocs_qhaigc.engines.mkdocs.config_scheme import SCHEME, Failures, check, refused, site_options, unknown
from mkdocs_qhaigc.engines.mkdocs.dry_run import DRY_RUN, DryRun, without_theme
from mkdocs_qhaigc.engines.mkdocs.extension import QhaigcExtension
from mkdocs_qhaigc.engines.mkdocs.log import BuildLog, log
from mkdocs_qhaigc.engines.mkdocs.page_markup import PageSources, finish_pages, source_of
from mkdocs_qhaigc.engines.mkdocs.plugin_files import OwnFiles
from mkdocs_qhaigc.engines.mkdocs.state_between_rebuilds import (
    Generation,
    Unfinished,
    WatchedFiles,
    have_built_again,
    watch_without,
)
from mkdocs_qhaigc.engines.mkdocs.studio_host import ServedSite, mount
from mkdocs_qhaigc.errors import NotBought, OptionError, QhaigcError
from mkdocs_qhaigc.html import reference_syntax, rewrite
from mkdocs_qhaigc.html.theme_sizes import column
from mkdocs_qhaigc.site.build import SiteBuild
from mkdocs_qhaigc.site.image_pipeline import SiteImages
from mkdocs_qhaigc.site.summary import Summary
from mkdocs_qhaigc.site.unshown_images import Unshown
from mkdocs_qhaigc.site.warnings import Warnings
from mkdocs_qhaigc.store.local_finder import ImageFinder

if TYPE_CHECKING:
    from jinja2 import Environment
    from mkdocs.config.defaults import MkDocsConfig
    from mkdocs.livereload import LiveReloadServer
    from mkdocs.structure.files import Files
    from mkdocs.structure.pages import Page
    from mkdocs.utils.templates import TemplateContext

    from mkdocs_qhaigc.generation.queue import GenerationQueue
    from mkdocs_qhaigc.site.json_report import Report

STYLESHEET = asset("qhaigc.css")


@contextlib.contextmanager
def _as_plugin_errors() -> Iterator[None]:
    """Raise errors of this package as MkDocs' own, which it prints without a traceback."""
    try:
        yield
    except OptionError as error:
        raise PluginError(f"qhaigc: option `{error.option}`: {error}") from error
    except QhaigcError as error:
        raise PluginError(f"qhaigc: {error}") from error


class QhaigcPlugin(BasePlugin):  # type: ignore[type-arg, no-untyped-call]  # its options are no MkDocs class
    """Turns prompts in front matter into images on pages."""

    config_scheme = SCHEME
    supports_multiple_instances = True  # `on_config` refuses two, with a message that says what to do

    def __init__(self) -> None:
        self._serving = self._dirty = False
        self._generation = Generation()
        self._unfinished = Unfinished()
        self._watched_files = WatchedFiles()
        self._log = BuildLog()
        self._config: MkDocsConfig | None = None
        self._again = False
        """Whether this is a further build of one site: a plugin may build it once for each language."""
        self._report: Report | None = None
        """Of all builds of the site; `None` if the options name no file for it."""
        self._warnings = Warnings()
        """Of all builds of the site, as `_summary`."""
        self._summary: Summary | None = None
        self._unshown = Unshown()
        """Of all builds of the site."""
        self._builds_ending = 0
        """Builds in their last event: a plugin may build the site again then, before this one is at its end."""
        self._builds: list[SiteBuild] = []
        """All builds of the site."""
        self._told: set[str] = set()
        """Keys of images of which this preview has said that it does not buy them by itself."""
        self._served = ServedSite(self._generation)
        self._close_studio: Callable[[], None] = lambda: None
        self._has_studio = False
        """Whether the options of the last build have the studio: it answers while the next one begins, too."""

        # Of one build:
        self._options: Options | None = None
        self._build: SiteBuild | None = None
        """`None` while the option `enabled` is off."""
        self._own_files: OwnFiles | None = None
        self._dry_run: DryRun | None = None
        """Set if a command only looks at the build, which generates, encodes and writes nothing."""
        self._gallery: str | None = None
        """The page of the gallery (`src_uri`)."""
        self._sources = PageSources()

    # The beginning of a build

    def load_config(self, options: dict[str, Any], config_file_path: str | None = None) -> tuple[Failures, list[Any]]:
        """Check the options. An API key among them is refused, and removed before `mkdocs build -v` prints them.

        A name that is no option is refused, too: MkDocs only warns, and it may be the option that prevents generation.
        """
        keys = keys_among(options)
        known = {name: value for name, value in options.items() if name in OPTIONS}
        _, warnings = super().load_config(known, config_file_path)
        unknown_names = (name for name in options if name not in (*known, *keys))
        errors = [*refused(keys), *unknown(unknown_names), *check(self.config)]
        if errors:
            options |= {
                name: "(not shown)" for name in (*keys, "api_key_env", "base_url", "headers") if name in options
            }
        return errors, warnings

    def on_startup(self, *, command: Literal["build", "gh-deploy", "serve"], dirty: bool) -> None:
        """Have MkDocs keep this instance, and with it the jobs under way, over the rebuilds of `mkdocs serve`."""
        self._serving, self._dirty = command == "serve", dirty

    @_as_plugin_errors()
    def on_config(self, config: MkDocsConfig) -> None:
        """Begin a build."""
        extensions: list[Any] = config.markdown_extensions
        extensions[:] = [extension for extension in extensions if not isinstance(extension, QhaigcExtension)]
        extensions.append(QhaigcExtension(self._render))
        self._build = self._own_files = None
        self._gallery = None
        self._sources = PageSources()
        self._dry_run = DRY_RUN.get()
        if self._dry_run:
            self._dry_run.listed = True
        _require_one_instance(config)
        try:
            options = site_options(self.config, config, site_dir=self._dry_run.site_dir if self._dry_run else None)
            self._again = config is self._config
            if not self._again:
                self._config = config
                self._unfinished.begin()
                self._report = self._new_report(options)
                self._warnings, self._summary, self._builds_ending = Warnings(), Summary(options), 0
                self._builds = []
                self._unshown = Unshown()
        except OptionError:
            self._generation.stop()
            raise
        self._gallery = options.gallery
        self._has_studio = options.enabled and options.studio
        if options.enabled:
            self._begin(options, config)
        else:
            self._generation.stop()

    def _new_report(self, options: Options) -> Report | None:
        if not options.report or not options.enabled or self._serving or self._dry_run:
            return None
        from mkdocs_qhaigc.site.json_report import Report  # most sites need none

        report = Report(options.report)
        report.remove_old()
        return report

    def _begin(self, options: Options, config: MkDocsConfig) -> None:
        self._options = options
        self._log.begin(shown=self._dry_run is None, again=self._again)
        finder = ImageFinder(options)
        open_queue: Callable[[], GenerationQueue] | None = None
        if self._dry_run is None:
            others = (config.config_file_path, *config.watch, *sorted(self._watched_files.paths))
            watched = [path for path in (config.docs_dir, *others) if path]
            edited = partial(state_of, watched, without=options.cache_dir)
            open_queue = self._generation.begin(
                options, finder.cache, serving=self._serving, again=self._again, edited=edited
            )
        features = config.theme.get("features")
        self._build = SiteBuild(
            options,
            SiteImages(options, finder=finder, open_queue=open_queue, open_shared=self._generation.open_shared),
            site_url=lambda: config.site_url,  # other plugins may set it after us: mike does
            column=lambda hidden: column(
                config.theme.name, features=features if isinstance(features, list) else (), hidden=hidden
            ),
            language=partial(_language, config),
            warnings=self._warnings,
        )
        if self._dry_run:
            self._dry_run.builds.append((self._build, self._log.warnings))
        else:
            self._own_files = OwnFiles(config, options.assets_dir)
        self._builds.append(self._build)
        self._build.pages.want_shared_images()

    @event_priority(-110)
    def on_files(self, files: Files, *, config: MkDocsConfig) -> None:
        """Add the page of the gallery if no author wrote one.

        After plugins that choose each page's file by its language: only then is it known whether there is one.
        """
        self._sources.watched = len(config.plugins.events["page_content"]) > 1
        if self._dirty:  # their images may exist by now, and no author edits them
            unfinished = filter(None, map(files.get_file_from_path, self._unfinished.before))
            have_built_again(file.abs_dest_path for file in unfinished)
        if self._gallery and files.get_file_from_path(self._gallery) is None:
            if self._again:
                self._gallery = None  # the first build of the site has made it, and there is one address for it
                return
            from mkdocs_qhaigc.engines.mkdocs.gallery import new_page

            files.append(new_page(self._gallery, config))

    # While pages are rendered

    @event_priority(-25)
    @_as_plugin_errors()
    def on_page_markdown(self, markdown: str, *, page: Page, **_: Any) -> str:
        """Read a page's front matter. Return its Markdown with references as authors write them."""
        if self._build:
            source = partial(source_of, page)
            self._build.pages.read_page(page, src_uri=page.file.src_uri, url=page.url, text=markdown, source=source)
        else:
            strip_meta(page.meta)
        if reference_syntax.QUOTED not in markdown:
            return markdown
        from mkdocs_qhaigc.directives.markdown_for_other_plugins import unquote_source  # few sites have wiki links

        return unquote_source(markdown)

    @_as_plugin_errors()
    def _render(self, page: Page, shown_at: str, text: str) -> str:
        """Return the HTML that Python-Markdown has made of a page, or of an excerpt, with its references resolved."""
        if not self._build:
            return rewrite.strip(text)
        file = page.file
        return self._build.pages.render(page, text, src_uri=file.src_uri, url=file.url, shown_at=shown_at)

    @event_priority(100)
    def on_page_content(self, html: str, *, page: Page, **_: Any) -> str:
        """Render a page that Python-Markdown has not seen, and show other plugins addresses instead of references."""
        if self._build and not self._build.pages.scope_of(page.file.src_uri, page.meta).rendered:
            html = self._render(page, page.file.url, html)  # it is empty, or no Markdown
        elif not self._build and reference_syntax.SCHEME in html:
            html = rewrite.strip(html)
        self._sources.show(page, self._build)
        return html

    # When all pages are rendered

    @event_priority(50)
    @_as_plugin_errors()
    def _settle(self, env: Environment, /, *, config: MkDocsConfig, files: Files) -> None:
        """Wait for the images, and give pages their final markup."""
        env.globals.update(templates.functions(self._build))
        if not self._build or not self._own_files:
            if self._build:
                self._build.pages.settled = True  # as far as a dry run goes
            finish_pages(files, self._build, self._sources)
            return
        try:
            with self._note_late(self._build, earlier=self._again and self._generation.arrivals.awaited):
                self._build.settle(wait=not self._serving)
        finally:
            if not self._serving:
                self._generation.end_progress()
        finish_pages(files, self._build, self._sources)
        if self._build.images():
            stylesheet = self._own_files.add_asset(files, str(STYLESHEET))
            if stylesheet not in config.extra_css:
                config.extra_css.insert(0, stylesheet)  # the author's own rules come later, and win
        if self._gallery:
            from mkdocs_qhaigc.engines.mkdocs.gallery import fill

            for path in fill(self._gallery, self._build, files, dirty=self._dirty):
                self._own_files.add_asset(files, str(path))
        self._own_files.hide_synced(files)

    @event_priority(-100)
    @_as_plugin_errors()
    def _add_files(self, env: Environment, /, *, config: MkDocsConfig, files: Files) -> Environment | None:
        """Add the images' files to the site: after plugins that compress images, which would remove their marking."""
        if self._dry_run:
            return without_theme(env, config.theme.dirs)
        if self._build and self._own_files:
            with self._note_late(self._build, earlier=self._generation.arrivals.awaited):
                self._own_files.add_images(files, self._build.files())
        return None

    on_env = CombinedEvent(_settle, _add_files)

    def on_template_context(self, context: TemplateContext, **_: Any) -> None:
        """Give templates our functions in other environments, too: print-site renders 404's context in its own."""
        context.update(templates.functions(self._build))  # type: ignore[typeddict-item]  # our names

    # The end of a build

    @event_priority(-90)  # after plugins that render pages now (print-site), before i18n (-100), which builds again
    @_as_plugin_errors()
    def _end_build(self, *, config: MkDocsConfig) -> None:
        """See that every address has its file; end the build's threads and keep the cache of renditions in bounds."""
        self._builds_ending += 1
        if self._build and self._own_files and self._summary:
            with self._note_late(self._build, earlier=self._generation.arrivals.awaited):
                self._own_files.complete(self._build)
            self._build.close(whole=True)
            if self._serving:
                self._watched_files.add(self._build.reference_files(), docs_dir=config.docs_dir)
            self._summary.add(self._build)
            self._unshown.add(self._build.pages)
            self._write_report(self._build)
            self._generation.end()

    @event_priority(-110)  # after i18n has built all languages
    def _log_summary(self, *, config: MkDocsConfig) -> None:
        """Say once what was done for the whole site, and which images it declares for nothing."""
        self._builds_ending -= 1
        if self._builds_ending or not self._summary or self._dry_run:
            return
        # With --dirty, pages that are not built now may show them.
        if self._options and not self._options.gallery and not self._dirty:
            for message in self._unshown.messages():
                log.info("%s", message)
        if summary := self._summary.text():
            log.info("%s", summary)
        if self._serving:
            self._served.note_build(self._builds, self._log.warnings, docs_dir=Path(config.docs_dir))
            self._log_not_bought(config.dev_addr[0])

    def _log_not_bought(self, host: str) -> None:
        """Say how to buy what a preview does not buy by itself: once, and again when there is more."""
        images = [image for build in self._builds for image in build.placeholders()]
        missing = {image.job.request.key for image in images if isinstance(image.reason, NotBought)}
        if missing - self._told and self._options:
            count = len(missing)
            log.info(
                "%d %s, and this preview buys only what you ask for (`serve_buys: ask`). Buy %s %sby "
                "`mkdocs-qhaigc generate`, or write `serve_buys: auto`",
                *(count, plural(count, "image is missing", "images are missing"), plural(count, "it", "them")),
                "in the studio, " if self._options.studio and is_loopback(host) else "",
            )
        self._told |= missing

    on_post_build = CombinedEvent(_end_build, _log_summary)

    def on_build_error(self, **_: Any) -> None:
        """End the build's threads. Images that have arrived are stored already; those under way are waited for."""
        if not self._serving:
            self._generation.finish()
        if self._build:
            self._build.close()
            try:
                self._write_report(self._build)
            except OptionError as error:
                log.warning("option `report`: %s", error)  # MkDocs reports the error that has ended the build

    def on_serve(self, server: LiveReloadServer, *, config: MkDocsConfig, **_: Any) -> None:
        """Rebuild when an image has arrived or a reference image has changed, and not for other files of the cache."""
        if self._options:
            self._watched_files.begin(server)
            watch_without(server, config, self._options.cache_dir)
            file = self._options.cache_dir / "arrivals"
            try:
                self._generation.arrivals.announce_by(file)
            except OSError as error:
                message = unwritable(file, error, "cache_dir")
                log.warning("%s. Until then images that arrive are shown after the next edit", message)
                return
            server.watch(str(file))
            if self._options.studio and not self._serving:
                log.info(
                    "The studio is off, because `mkdocs serve --clean` builds as `mkdocs build` does. For a preview "
                    "with the studio, leave `--clean` out"
                )
            elif self._options.studio:
                mounted = mount(server, self._served, self._generation, config=config, is_on=lambda: self._has_studio)
                if mounted:
                    self._close_studio = mounted.close

    def on_shutdown(self) -> None:
        """End the jobs under way; images that have arrived are stored first.

        If an error ends the program and not Ctrl-C, they are waited for: they are paid for. Some plugins exit in a way
        for which MkDocs has no event.
        """
        self._close_studio()
        error = sys.exc_info()[1]
        if error is not None and not isinstance(error, KeyboardInterrupt):
            self._generation.finish()
        self._generation.close()
        self._log.end()

    def _write_report(self, build: SiteBuild) -> None:
        if self._report:
            self._report.add(build.outcomes(), self._log.warnings)

    @contextlib.contextmanager
    def _note_late(self, build: SiteBuild, *, earlier: bool) -> Iterator[None]:
        """Have `mkdocs serve` build again for images that arrive from now on: they are too late for this build.

        `earlier`: whether some are awaited already.
        """
        arrivals = self._generation.arrivals
        arrivals.awaited = self._serving
        yield
        arrivals.awaited = earlier or bool(build.under_way or build.placeholders())  # those may be bought in the studio
        self._unfinished.pages |= build.unfinished()


def _language(config: MkDocsConfig) -> str:
    """Return the language of the site's pages: `language` in Material and its kin, else the theme's locale."""
    return str(config.theme.get("language") or config.theme.get("locale") or "")


def _require_one_instance(config: MkDocsConfig) -> None:
    """Require that `plugins` lists the plugin once.

    Raises:
        PluginError: it lists it more than once, and no page can say which one it means.
    """
    count = sum(isinstance(plugin, QhaigcPlugin) for plugin in config.plugins.values())
    if count > 1:
        raise PluginError(
            f"qhaigc: `plugins` lists qhaigc {count} times. List it once; where it is to be switched on and off, by "
            "`enabled`, for example `enabled: !ENV [PREVIEW, false]`"
        )
