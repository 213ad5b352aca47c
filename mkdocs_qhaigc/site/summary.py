"""The summary of a site in the log: one line, although a plugin may build the site once for each language."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mkdocs_qhaigc._util.text import plural

if TYPE_CHECKING:
    from mkdocs_qhaigc.config.options import Options
    from mkdocs_qhaigc.config.prices import Bought
    from mkdocs_qhaigc.site.build import SiteBuild
    from mkdocs_qhaigc.site.image_pipeline import ResolvedImage


class Summary:
    """The images of all builds of one site."""

    def __init__(self, options: Options) -> None:
        self._options = options
        self._images: dict[str, ResolvedImage] = {}
        """By key: the outcome of the first build that wanted it."""
        self._paid: list[Bought] = []
        self._under_way: set[str] = set()

    def add(self, build: SiteBuild) -> None:
        """Add the images of one more build."""
        for image in build.images():
            key = image.job.request.key
            if self._images.setdefault(key, image) is image and build.has_paid(image) and image.stored:
                self._paid.append(image.stored.bought)
        self._under_way |= build.under_way

    def text(self) -> str | None:
        """Return `3 images: 1 generated for 0.02 USD, 2 pinned`; `None` for a site without images."""
        states = [image.state for image in self._images.values()]
        if not states:
            return None
        counts = [(states.count(state), state) for state in ("generated", "shared", "cached", "pinned")]
        parts = [f"{count} {state}" for count, state in counts if count]
        if self._paid and (cost := self._options.spent(self._paid)):
            parts[0] += f" for {cost}"
        if missing := states.count("placeholder"):
            parts.append(f"{missing} {plural(missing, 'placeholder', 'placeholders')}")
        total = f"{len(states)} {plural(len(states), 'image', 'images')}"
        shown_later = f"; {len(self._under_way)} under way, shown when they arrive" if self._under_way else ""
        return f"{total}{' of the sandbox' if self._options.sandboxed else ''}: {', '.join(parts)}{shown_later}"
