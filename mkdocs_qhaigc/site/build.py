"""One build of a site: from its pages' images to the site's files, and what there is to say about it."""

from __future__ import annotations

from collections.abc import Callable, Container, Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from mkdocs_qhaigc._util.text import plural
from mkdocs_qhaigc.config.options import Options
from mkdocs_qhaigc.errors import MissingImages
from mkdocs_qhaigc.site.images import Pipeline
from mkdocs_qhaigc.site.pages import Renderer, image_tag
from mkdocs_qhaigc.site.resolved import ResolvedImage
from mkdocs_qhaigc.site.warnings import Kind

if TYPE_CHECKING:
    from mkdocs_qhaigc.directives.request import ImageRequest
    from mkdocs_qhaigc.site.gallery_page import Link
    from mkdocs_qhaigc.site.report import Reported
    from mkdocs_qhaigc.site.survey import Declared, Survey


class SiteBuild:
    """The state of one build."""

    def __init__(
        self,
        options: Options,
        pipeline: Pipeline,
        *,
        site_url: Callable[[], str | None],
        column: Callable[[Container[object]], str],
        warn: Callable[[str], None],
    ) -> None:
        """As of a `Renderer`."""
        self._options = options
        self._pipeline = pipeline
        self._wait = True
        """Whether images that are missing are waited for."""
        self.pages = Renderer(options, pipeline, site_url=site_url, column=column, warn=warn)

    def settle(self, *, wait: bool) -> int:
        """Wait for the images and say what is missing. From then on pages have their final markup.

        Return how many are still under way (none, if `wait`).

        Raises:
            MissingImages: some are, in a build that was told never to buy any.
        """
        under_way = self._pipeline.settle(wait=wait)
        self._wait = wait
        self.pages.settled = True
        if self._options.missing == "error" and self._pipeline.damaged_pins():
            damage = "".join(f"\n  {message}" for message in self._pipeline.damaged_pins())
            raise MissingImages(
                f"committed images are damaged, and `missing: error` accepts no others:{damage}\nRestore them from "
                "version control, or run `mkdocs-qhaigc pin`, which takes whole ones from the cache"
            )
        self._tell_missing(self._placeholders())
        return under_way

    def _placeholders(self) -> list[ResolvedImage]:
        return [image for image in self._pipeline.images() if image.state == "placeholder"]

    def _tell_missing(self, missing: list[ResolvedImage]) -> None:
        """Say which images are missing.

        Raises:
            MissingImages: as of `settle`.
        """
        if self._options.missing == "error" and missing:
            names = "".join(
                f"\n  {image.order.where}{f': {image.reason}' if image.reason else ''}" for image in missing
            )
            raise MissingImages(
                f"{len(missing)} {plural(len(missing), 'image is', 'images are')} missing, and `missing: error` "
                f"forbids buying any:{names}\nRun `mkdocs-qhaigc generate` and `mkdocs-qhaigc pin` where they may be "
                f"bought, and commit {self._options.pins_dir}; or correct the names"
            )
        may_be_under_way = self._options.missing == "generate"
        declared = [image for image in missing if image.order.request.model]
        self.pages.notices.missing([image for image in declared if image.reason or not may_be_under_way])

    @property
    def under_way(self) -> int:
        """How many images come too late for this build."""
        return self._pipeline.under_way

    def unfinished(self) -> set[str]:
        """Return the pages, as MkDocs names them, that show a placeholder. For a build that has settled."""
        missing = [image for image in self._pipeline.images() if image.state == "placeholder"]
        return {page for image in missing for page in self.pages.users.get(image.order.request.key, ())}

    def files(self) -> dict[str, str]:
        """Return the file at every address that was handed out: place in the site -> path of the bytes.

        For a build that has settled. What is found damaged or gone only now is looked for again, or generated; else a
        placeholder takes its place.

        Raises:
            NoFileError: there is an address without a file.
            MissingImages: as of `settle`.
        """
        self.pages.show_declared()
        before = self._placeholders()
        files = self._pipeline.files(self.pages.publisher.wanted(), wait=self._wait)
        told = {image.order.request.key for image in before}
        late = [image for image in self._placeholders() if image.order.request.key not in told]
        if late:
            self._tell_missing(late)
        return files

    def files_again(self, gone: Iterable[str]) -> dict[str, str]:
        """As `files`, when some of them have been removed since: their places in the site."""
        wanted = self.pages.publisher.wanted()
        self._pipeline.forget_files({dest_uri: wanted[dest_uri] for dest_uri in gone})
        return self.files()

    def where(self, dest_uri: str) -> str:
        """Return how messages call the image of a file of the site."""
        request = self.pages.publisher.wanted()[dest_uri].request
        return self._pipeline.image(request).order.where

    def declared(self) -> list[Declared]:
        """Return every image that the site declares, in its order, and what is known of it."""
        from mkdocs_qhaigc.site.survey import Declared  # as below: most builds are not asked for it

        order = {src_uri: number for number, src_uri in enumerate(self.pages.scopes)}

        def users_of(request: ImageRequest) -> tuple[str, ...]:
            users = self.pages.users.get(request.key, ())
            return tuple(sorted(users, key=lambda src_uri: order.get(src_uri, -1)))

        return [
            Declared(
                page=scope.src_uri,
                name=directive.name,
                dark=request is directive.dark,
                request=request,
                image=self._pipeline.image(request),
                users=users_of(request),
            )
            for scope in (self.pages.site, *self.pages.scopes.values())
            for directive in scope.directives.values()
            for _, request in directive.requests
        ]

    @property
    def told(self) -> Mapping[str, Kind]:
        """Every notice of this build, and what it is about."""
        return self.pages.notices.kinds

    def gallery(self, *, page_url: str, link: Link) -> str:
        """Return the gallery of the site's images for the page at `page_url`. For a build that has settled."""
        from mkdocs_qhaigc.site.gallery import collect
        from mkdocs_qhaigc.site.gallery_page import SIZES, render_gallery

        images = []
        for collected in collect(self.declared()):
            one = collected.first
            directive = (self.pages.scopes[one.page] if one.page else self.pages.site).directives[one.name]
            publication, image = self.pages.publisher.publish(f"{one.name}-dark" if one.dark else one.name, one.request)
            alt = directive.alt or one.where
            tag = image_tag(publication, page_url=page_url, alt=alt, sizes=SIZES, colour=image.colour)
            images.append((collected, tag))
        return render_gallery(images, page_url=page_url, assets_dir=self._options.assets_dir, link=link)

    def survey(self, notices: Iterable[str], *, docs_dir: Path) -> Survey:
        """Return what the site declares, `notices` being all that was told; `docs_dir` is where its authors write."""
        from mkdocs_qhaigc.site.survey import Survey

        return Survey(self._options, tuple(self.declared()), tuple(notices), self.told, docs_dir)

    def report(self) -> list[Reported]:
        """Return what was done for each image."""
        from mkdocs_qhaigc.site.report import Reported

        return [
            Reported(one, self._pipeline.effort(one.request), self.pages.notices.about(self._subjects(one)))
            for one in self.declared()
        ]

    def summary(self) -> str | None:
        """Return the one line that says how many images came from where; None where the site has none."""
        images = self._pipeline.images()
        states = [image.state for image in images]
        if not states:
            return None
        counts = [(states.count(state), state) for state in ("generated", "cached", "pinned")]
        said = [f"{count} {state}" for count, state in counts if count]
        generated = [image.order.request for image in images if image.state == "generated"]
        bought = [request for request in generated if self._pipeline.effort(request).requests]  # else it was paid for
        if bought and (cost := self._options.cost(bought)):
            said[0] += f" for {cost}"
        missing = states.count("placeholder")
        if missing:
            said.append(f"{missing} {plural(missing, 'placeholder', 'placeholders')}")
        total = f"{len(states)} {plural(len(states), 'image', 'images')}"
        return f"{total}{' of the sandbox' if self._options.sandboxed else ''}: {', '.join(said)}"

    def _subjects(self, one: Declared) -> set[str]:
        """Return what messages about an image are known by: its key, and where it is referred to."""
        if one.dark:
            return {one.request.key}
        if one.page:
            return {one.request.key, one.where}
        users = [
            page
            for page in one.users
            if page not in self.pages.scopes or one.name not in self.pages.scopes[page].directives
        ]
        return {one.request.key, one.where, *(f"{page}#{one.name}" for page in users)}
