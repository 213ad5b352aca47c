"""One build of a site: its pages, its images, and the files that both need. Every address has its file in the end."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Container, Iterable, Set
from pathlib import Path
from typing import TYPE_CHECKING

from mkdocs_qhaigc._util.text import plural
from mkdocs_qhaigc.config.options import Options
from mkdocs_qhaigc.errors import MissingImages, NoFileError, NotBought
from mkdocs_qhaigc.site.image_pipeline import ResolvedImage, SiteImages
from mkdocs_qhaigc.site.page_rendering import SitePages

if TYPE_CHECKING:
    from mkdocs_qhaigc.site.json_report import Outcome
    from mkdocs_qhaigc.site.survey import Survey, SurveyEntry
    from mkdocs_qhaigc.site.warnings import Warnings


log = logging.getLogger(__name__)


class SiteBuild:
    """One build of a site."""

    def __init__(
        self,
        options: Options,
        images: SiteImages,
        *,
        site_url: Callable[[], str | None],
        column: Callable[[Container[object]], str],
        language: Callable[[], str] = str,
        warnings: Warnings | None = None,
    ) -> None:
        """`site_url`, `column`, `language`: see `SitePages`; `warnings`: of all builds of the site."""
        self.options = options
        self.begun_at = time.time_ns()
        self._images = images
        self._wait = True
        """Whether missing images are waited for."""
        self.pages = SitePages(options, images, site_url=site_url, column=column, language=language, warnings=warnings)

    # From the last rendered page to the site's files

    def settle(self, *, wait: bool) -> None:
        """Wait for the images and warn of those that are missing. From then on pages have their final markup.

        Raises:
            MissingImages: some are missing or damaged, and `missing: error` forbids to generate any.
        """
        self._images.settle(wait=wait)
        self._wait = wait
        self._note_transparency()
        self.pages.settled = True
        if self.options.missing == "error" and self._images.damaged_pins():
            damage = "".join(f"\n  {message}" for message in self._images.damaged_pins())
            raise MissingImages(f"committed images are damaged, and `missing: error` accepts no others:{damage}")
        self._report_missing(self.placeholders())

    def _note_transparency(self) -> None:
        """Say that transparent images are published on white, if they can only be JPEG."""
        if self.options.encoding.formats != ("jpeg",):
            return
        if on_white := [image.job.where for image in self._images.images() if image.job.request.transparent]:
            log.info(
                "%s: JPEG has no transparency, and is published on white. Add webp or png to `formats` for that",
                ", ".join(on_white),
            )

    def placeholders(self) -> list[ResolvedImage]:
        """Return the images that have a placeholder."""
        return [image for image in self._images.images() if image.state == "placeholder"]

    @property
    def under_way(self) -> Set[str]:
        """The keys of images that come too late for this build."""
        return self._images.under_way

    def unfinished(self) -> set[str]:
        """Return the pages (`src_uri`) that show a placeholder. For a build that has settled."""
        return {page for image in self.placeholders() for page in self.pages.users.get(image.job.request.key, ())}

    def files(self) -> dict[str, str]:
        """Return the file at every address that was handed out: place in the site -> path of the bytes.

        For a build that has settled. An image that is found damaged or gone only now is looked for again, or
        generated; if it cannot be had, a placeholder replaces it.

        Raises:
            NoFileError: there is an address without a file.
            MissingImages: see `settle`.
        """
        self.pages.publish_declared()
        known = {image.job.request.key for image in self.placeholders()}
        files = self._images.files(self.pages.files.wanted(), wait=self._wait)
        if late := [image for image in self.placeholders() if image.job.request.key not in known]:
            self._report_missing(late)
        return files

    def deliver(self, write: Callable[[str, str], None]) -> None:
        """Call `write(place in the site, path of the bytes)` for each of `files`.

        A file that another program has removed since it was found (`FileNotFoundError`) is made again first.

        Raises:
            NoFileError: a file is removed each time it is made.
            MissingImages: see `settle`.
        """
        files = self.files()
        delivered: set[str] = set()
        gone: list[str] = []
        for _ in range(2):
            if gone:
                wanted = self.pages.files.wanted()
                self._images.forget_files({dest_uri: wanted[dest_uri] for dest_uri in gone})
                files, gone = self.files(), []
            for dest_uri in sorted(files.keys() - delivered):
                try:
                    write(dest_uri, files[dest_uri])
                except FileNotFoundError:
                    gone.append(dest_uri)
                else:
                    delivered.add(dest_uri)
            if not gone:
                return
        named = ", ".join(f"{dest_uri} ({self._where(dest_uri)})" for dest_uri in gone)
        raise NoFileError(
            f"{named}: pages refer to these files, and another program removes them from {self.options.cache_dir} as "
            "soon as they are encoded. Build again when it has ended"
        )

    def _where(self, dest_uri: str) -> str:
        """Return the name that messages give the image of a file of the site."""
        return self._images.image(self.pages.files.wanted()[dest_uri].request).job.where

    def _report_missing(self, missing: list[ResolvedImage]) -> None:
        """Warn of placeholders.

        Raises:
            MissingImages: `missing: error` forbids them.
        """
        if self.options.missing == "error" and missing:
            names = "".join(f"\n  {image.job.where}{f': {image.reason}' if image.reason else ''}" for image in missing)
            raise MissingImages(
                f"{len(missing)} {plural(len(missing), 'image is', 'images are')} missing, and `missing: error` "
                f"forbids buying any:{names}\nRun `mkdocs-qhaigc generate` and `mkdocs-qhaigc pin` where they may be "
                f"bought, and commit {self.options.pins_dir}; or correct the names"
            )
        may_be_under_way = self.options.missing == "generate"
        declared = [
            image
            for image in missing
            if image.job.request.model  # other names were warned of already
            and not isinstance(image.reason, NotBought)  # a preview says this once for all its builds
        ]
        self.pages.warnings.missing([image for image in declared if image.reason or not may_be_under_way])

    def close(self, *, whole: bool = False) -> None:
        """End the build's threads; after a `whole` build, keep the cache of renditions within its limit."""
        self._images.close(whole=whole)

    # What is known of the images: for surveys, reports, the gallery and the log

    def entries(self) -> list[SurveyEntry]:
        """Return every image that the site declares, in its order."""
        from mkdocs_qhaigc.site.survey import SurveyEntry  # most builds need none of these, as below

        pages = self.pages
        order = {src_uri: number for number, src_uri in enumerate(pages.scopes)}
        return [
            SurveyEntry(
                page=scope.src_uri,
                name=directive.name,
                dark=request is directive.dark,
                request=request,
                image=self._images.image(request),
                users=tuple(sorted(pages.users.get(request.key, ()), key=lambda src_uri: order.get(src_uri, -1))),
                directive=directive,
            )
            for scope in (pages.site, *pages.scopes.values())
            for directive in scope.directives.values()
            for _, request in directive.requests
        ]

    def survey(self, warnings: Iterable[str], *, docs_dir: Path) -> Survey:
        """Return the site's images. `warnings`: all of this build; `docs_dir`: see `Survey`."""
        from mkdocs_qhaigc.site.survey import Survey

        addresses = {scope.src_uri: self.pages.absolute(scope.url) for scope in self.pages.scopes.values()}
        return Survey(
            self.options,
            tuple(self.entries()),
            tuple(warnings),
            self.pages.warnings.kinds,
            self.pages.warnings.subjects("alt"),
            docs_dir,
            {page: address for page, address in addresses.items() if address},
            self.begun_at,
        )

    def outcomes(self) -> list[Outcome]:
        """Return the outcome of this build for each image, for a `Report`."""
        from mkdocs_qhaigc.site.json_report import Outcome

        return [
            Outcome(entry, self._images.stats(entry.request), self.pages.warnings.about(self._subjects(entry)))
            for entry in self.entries()
        ]

    def reference_files(self) -> set[str]:
        """Return the paths of the files that are reference images of the build's images."""
        references = (one for image in self._images.images() for one in image.job.request.references)
        return {one.path for one in references if one.path}

    def images(self) -> list[ResolvedImage]:
        """Return all images of the build, those in place of names that no directive has included."""
        return self._images.images()

    def has_paid(self, image: ResolvedImage) -> bool:
        """Whether this build has requested an image and got it; others were paid for by earlier builds."""
        return image.state == "generated" and self._images.stats(image.job.request).requests > 0

    def _subjects(self, entry: SurveyEntry) -> set[str]:
        """Return the subjects under which `Warnings` remembers what is about an image."""
        if entry.dark:
            return {entry.request.key}
        if entry.page:
            return {entry.request.key, entry.where}
        scopes = self.pages.scopes
        users = (page for page in entry.users if page not in scopes or entry.name not in scopes[page].directives)
        return {entry.request.key, entry.where, *(f"{page}#{entry.name}" for page in users)}
