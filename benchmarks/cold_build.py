"""How far a build that generates its images is from the fastest that it could be.

No build can be quicker than the slower of two things: building the site without generating anything, and waiting for
the API, so many calls at once. Beside that stands what a hook takes that only buys (`bare_hook.py`): what is above the
limit there is MkDocs', httpx' and the machine's. `python benchmarks/cold_build.py --help`
"""

from __future__ import annotations

import argparse
import math
import shutil
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from sites import ASSETS_DIR, Timing, build, median, spread, write_config, write_pages

from mkdocs_qhaigc.config.cache_layout import DEFAULT_CACHE_DIR
from mkdocs_qhaigc.sandbox import Sandbox

PLUGIN = {
    "assets_dir": ASSETS_DIR,
    "size": "320x180",  # small, so that drawing and encoding are not the subject
    "widths": [320],
    "max_new_images": 100_000,
}
ENVIRONMENT = {"QHAIGC_API_KEY": "sandbox"}


@dataclass(frozen=True, slots=True)
class Result:
    """Seconds of wall time."""

    waiting: float
    """For the API alone."""
    rendering: float
    """The same site with `missing: placeholder`, its placeholders drawn before; the median."""
    building: list[float]
    """Each build with nothing saved before."""
    by_hook: list[float]
    """Each build by the bare hook."""

    @property
    def limit(self) -> float:
        """What no build can be quicker than."""
        return max(self.waiting, self.rendering)


def main() -> None:
    parser = argparse.ArgumentParser(description="Compare a build that generates its images with its limit.")
    parser.add_argument("--images", type=int, default=12, help="images to generate (default: %(default)s)")
    parser.add_argument("--pages", type=int, help="pages, over which the images are spread (default: one an image)")
    parser.add_argument("--latency", type=float, default=1.0, help="seconds the API takes (default: %(default)s)")
    parser.add_argument("--concurrency", type=int, default=4, help="calls at once (default: %(default)s)")
    parser.add_argument("--runs", type=int, default=5, help="timed builds of each kind (default: %(default)s)")
    parser.add_argument("--theme", default="mkdocs", help="mkdocs, material, … (default: %(default)s)")
    arguments = parser.parse_args()
    pages = arguments.pages or arguments.images
    if pages < arguments.images:
        parser.error("--pages must not be less than --images")
    with tempfile.TemporaryDirectory(prefix="qhaigc-benchmark-") as folder:
        result = measure(
            Path(folder),
            images=arguments.images,
            pages=pages,
            latency=arguments.latency,
            concurrency=arguments.concurrency,
            runs=arguments.runs,
            theme=arguments.theme,
        )
    report(result)
    print(f"({arguments.images} images on {pages} pages, {arguments.latency:g} s each,", end=" ")
    print(f"{arguments.concurrency} at once, theme {arguments.theme})")


def measure(
    folder: Path, *, images: int, pages: int, latency: float, concurrency: int, runs: int, theme: str = "mkdocs"
) -> Result:
    """Return what builds take that buy everything, in turn with builds of the same site that buy nothing."""
    cold, rendering = folder / "cold", folder / "rendering"
    bare, images_by_hook = folder / "bare", folder / "images"
    rounds: list[tuple[Timing, Timing, Timing]] = []
    with Sandbox(latency=latency) as server:
        options = {**PLUGIN, "base_url": server.base_url, "concurrency": concurrency}
        make_site(cold, pages=pages, images=images, theme=theme, options=options)
        make_site(rendering, pages=pages, images=images, theme=theme, options={**options, "missing": "placeholder"})
        make_site(bare, pages=pages, images=images, theme=theme, options=None)
        images_by_hook.mkdir()
        for_hook = hook_environment(server.base_url, images_by_hook, concurrency)

        def build_each() -> tuple[Timing, Timing, Timing]:
            return (
                build_cold(cold, server, images=images),
                build(rendering, environment=ENVIRONMENT),
                build_cold(bare, server, images=images, environment=for_hook),
            )

        build_each()  # draws the placeholders and compiles the modules
        for run in range(runs):
            rounds.append(build_each())
            said = ", ".join(f"{timing.wall:.2f}" for timing in rounds[-1])
            print(f"{run + 1}/{runs}: {said} s", file=sys.stderr)
    building, alone, by_hook = ([timing.wall for timing in timings] for timings in zip(*rounds, strict=True))
    return Result(math.ceil(images / concurrency) * latency, median(alone), building, by_hook)


def hook_environment(base_url: str, folder: Path, concurrency: int) -> dict[str, str]:
    """Return what the bare hook goes by."""
    values = {"BASE_URL": base_url, "FOLDER": folder, "CONCURRENCY": concurrency, "SIZE": PLUGIN["size"]}
    return {f"BARE_HOOK_{name}": str(value) for name, value in values.items()}


def make_site(folder: Path, *, pages: int, images: int, theme: str, options: dict[str, object] | None) -> None:
    """Write a site whose images stand on every so many-th page; with `options` None the bare hook buys them."""
    with_image = {index * pages // images for index in range(images)}
    write_pages(
        folder / "docs",
        pages=pages,
        front_matter=lambda number: f"qhaigc: A harbor at dusk, number {number}\n" if number in with_image else "",
        image=lambda number: "![A harbor at dusk](qhaigc:hero)" if number in with_image else "",
    )
    hooks = [Path(__file__).with_name("bare_hook.py")] if options is None else []
    write_config(folder, theme=theme, plugin=options, hooks=hooks)


def build_cold(folder: Path, server: Sandbox, *, images: int, environment: Mapping[str, str] = ENVIRONMENT) -> Timing:
    """Build with nothing saved, and make sure that every image was bought once and published."""
    shutil.rmtree(folder / DEFAULT_CACHE_DIR, ignore_errors=True)
    before = generations(server)
    timing = build(folder, environment=environment)
    bought = generations(server) - before
    published = len(list((folder / "site" / ASSETS_DIR).glob("*.webp")))
    if (bought, published) != (images, images):
        sys.exit(f"A build bought {bought} images and published {published}, instead of {images} each.")
    return timing


def generations(server: Sandbox) -> int:
    return sum(request.method == "POST" and request.status == 200 for request in server.received)


def report(result: Result) -> None:
    building, limit = median(result.building), result.limit
    ratios = [one / limit for one in result.building]
    sum_ = result.rendering + result.waiting
    print(f"\nwaiting for the API alone   {result.waiting:6.2f} s   images / concurrency, rounded up, x latency")
    print(f"rendering alone             {result.rendering:6.2f} s   the same site, placeholders drawn before")
    print(f"limit                       {limit:6.2f} s   the slower of the two; one after the other: {sum_:.2f} s")
    print(f"building                    {building:6.2f} s   wall, median of {len(ratios)}, nothing saved before")
    print(f"building / limit            {median(ratios):6.3f}     {spread(ratios)}; {building - limit:.2f} s over it")
    by_hook = median(result.by_hook)
    print(f"a bare hook                 {by_hook:6.2f} s   the same bought by a hook that does nothing else")
    print(f"bare hook / limit           {by_hook / limit:6.3f}     {spread([one / limit for one in result.by_hook])}")


if __name__ == "__main__":
    main()
