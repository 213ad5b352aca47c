"""One build of a site: from its pages' images to the site's files, and what there is to say about it."""

from __future__ import annotations

import re
from collections.abc import Callable, Container, Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote

from mkdocs_qhaigc._util.text import plural
from mkdocs_qhaigc.config.options import Options
from mkdocs_qhaigc.errors import MissingImages
from mkdocs_qhaigc.imaging.renditions import STEM_DIGITS
from mkdocs_qhaigc.site.images import Pipeline
from mkdocs_qhaigc.site.pages import Renderer
from mkdocs_qhaigc.site.publisher import Shown
from mkdocs_qhaigc.site.warnings import Kind

if TYPE_CHECKING:
    from mkdocs_qhaigc.directives.request import ImageRequest
    from mkdocs_qhaigc.site.gallery_page import Link
    from mkdocs_qhaigc.site.report import Reported
    from mkdocs_qhaigc.site.survey import Declared, Survey


_HEX_OF_STEM = rf"-([0-9a-f]{{{STEM_DIGITS}}})(?![0-9a-f])"


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
        self.pages = Renderer(options, pipeline, site_url=site_url, column=column, warn=warn)

    def settle(self, *, wait: bool) -> int:
        """Wait for the images, mend what was written before they came, and say what is missing.

        Return how many are still under way (none, if `wait`).

        Raises:
            MissingImages: some are, in a build that was told never to buy any.
        """
        under_way = self._pipeline.settle(wait=wait)
        guessed = self.pages.publisher.take_back_guesses()
        if guessed:
            for scope in self.pages.scopes.values():
                scope.shown.clear()
            self._mend(guessed)
        missing = [image for image in self._pipeline.images() if image.state == "placeholder"]
        declared = [image for image in missing if image.order.request.model]
        if self._options.missing == "error" and self._pipeline.damaged_pins():
            damage = "".join(f"\n  {message}" for message in self._pipeline.damaged_pins())
            raise MissingImages(
                f"committed images are damaged, and `missing: error` accepts no others:{damage}\nRestore them from "
                "version control, or run `mkdocs-qhaigc pin`, which takes whole ones from the cache"
            )
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
        self.pages.notices.missing([image for image in declared if image.reason or not may_be_under_way])
        return under_way

    def unfinished(self) -> set[str]:
        """Return the pages, as MkDocs names them, that show a placeholder. For a build that has settled."""
        missing = [image for image in self._pipeline.images() if image.state == "placeholder"]
        return {page for image in missing for page in self.pages.users.get(image.order.request.key, ())}

    def complete(self) -> list[str]:
        """Return the pages whose own images are all there. For a build that has settled."""
        missing = {image.order.request.key for image in self._pipeline.images() if not image.original}
        return [
            scope.src_uri
            for scope in self.pages.scopes.values()
            if not scope.broken
            and not any(
                request.key in missing for directive in scope.directives.values() for _, request in directive.requests
            )
        ]

    def files(self) -> dict[str, str]:
        """Return the files that the site needs: place in the site -> path of the bytes."""
        self.pages.show_declared()
        return self.further_files()

    def further_files(self) -> dict[str, str]:
        """Return the files that are needed since the last call: of names that only a template knows."""
        return self._pipeline.files(self.pages.publisher.hand_out())

    def declared(self) -> list[Declared]:
        """Return every image that the site declares, in its order, and what is known of it."""
        from mkdocs_qhaigc.site.survey import Declared  # as below: most builds are not asked for it

        order = self.pages.order

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
            for scope in (self.pages.site, *self.pages.in_order())
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
            shown = self.pages.publisher.show(f"{one.name}-dark" if one.dark else one.name, one.image)
            alt = directive.alt or one.where
            image = shown.publication.as_image(page_url=page_url, alt=alt, sizes=SIZES, colour=shown.image.colour)
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
        counts = [(states.count(state), state) for state in ("generated", "cached", "pinned", "published")]
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

    def _mend(self, guessed: Mapping[str, Shown]) -> None:
        """Write again what was written on the guess that each image comes, and in the size that was asked for."""
        from mkdocs_qhaigc.html.formats_aside import set_aside
        from mkdocs_qhaigc.html.mending import mend  # a warm build guesses nothing

        changes: dict[int, list[tuple[str, str]]] = {}
        pages = {id(emitted.content): emitted.content for emitted in self.pages.emitted}
        for emitted in self.pages.emitted:
            markup = emitted.again()
            if markup != emitted.markup:
                plain = set_aside(emitted.markup)[0], set_aside(markup)[0]  # as other plugins have seen it
                changes.setdefault(id(emitted.content), []).extend([(emitted.markup, markup), plain])
        for meta, key, resolve in self.pages.meta_values:
            meta[key] = resolve()
        renamed: dict[str, list[tuple[str, str]]] = {}  # by the hex in the old name
        for stem, shown in guessed.items():
            now = shown.publish(self._pipeline.image(shown.image.order.request)).stem
            if now != stem:
                renamed.setdefault(stem[-STEM_DIGITS:], []).append((stem, now))
        for page in pages.values():
            folder = quote(self._options.assets_dir)
            kept = [name for name, value in vars(page).items() if isinstance(value, str) and folder in value]
            for name in kept:  # `content`, and what other plugins have kept of it
                text = mend(getattr(page, name), changes.get(id(page), ()))
                for found in renamed.keys() & set(re.findall(_HEX_OF_STEM, text)) if renamed else ():
                    for stem, now in renamed[found]:  # in what another plugin has made of the markup
                        text = text.replace(quote(stem), quote(now)).replace(stem, now)
                setattr(page, name, text)
