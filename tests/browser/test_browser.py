"""What a reader's browser makes of the images: real Chromium on real builds. Run by `pytest -m browser`."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from PIL import Image

from mkdocs_qhaigc.sandbox.drawing import draw as drawing
from tests.conftest import Built, Project
from tests.helpers.api import Handler, ImagesApi
from tests.helpers.browser import Shown, Visit, visiting

if TYPE_CHECKING:
    from playwright.sync_api import Browser

pytestmark = pytest.mark.browser

SEVERAL, ONE = ("avif", "webp", "jpeg"), ("webp",)
MIME = {"avif": "image/avif", "webp": "image/webp", "jpeg": "image/jpeg"}
THEMES: dict[str, dict[str, Any]] = {
    "mkdocs": {"name": "mkdocs", "highlightjs": False},  # else it loads highlight.js from elsewhere
    "readthedocs": {"name": "readthedocs", "highlightjs": False},
    "material": {"name": "material", "font": False},  # else it loads fonts from elsewhere
}
PALETTE = [
    {"media": "(prefers-color-scheme: light)", "scheme": "default", "toggle": {"icon": "material/eye", "name": "Dark"}},
    {"media": "(prefers-color-scheme: dark)", "scheme": "slate", "toggle": {"icon": "material/eye", "name": "Light"}},
]
SCHEMES = {
    "mkdocs-auto": {"name": "mkdocs", "color_mode": "auto"},
    "material-bare": THEMES["material"],
    "material-own": {
        **THEMES["material"],
        "palette": [
            {**palette, "scheme": {"default": "day", "slate": "night"}[str(palette["scheme"])]} for palette in PALETTE
        ],
    },
}
OWN_SCHEMES = """
[data-md-color-scheme="day"] img[src$="#only-dark"] { display: none }
[data-md-color-scheme="night"] img[src$="#only-light"] { display: none }
[data-md-color-scheme="night"] { --md-default-bg-color: #111; color-scheme: dark }
"""
"""What Material's documentation asks of a site with schemes of its own."""
THEMES["material"] = {**THEMES["material"], "palette": PALETTE}
SCREENS = [(390, 1), (390, 3), (1280, 1)]
"""CSS pixels, and device pixels for each."""
WIDTHS = (320, 390, 600, 800, 960, 1100, 1220, 1400, 1600, 2560)
HIDDEN = {"all": [], "nonav": ["navigation"], "notoc": ["toc"], "bare": ["navigation", "toc"]}
PLAIN = ["hero", "below", "cell", "item", "note", "wide", "high", "raw"]
PROMPTS: dict[str, Any] = {
    **{name: f"a harbour town at dusk, {name}" for name in PLAIN},
    "portrait": {"prompt": "a tower in fog", "size": "720x1280"},
    "small": {"prompt": "a buoy", "size": "200x100"},
    "changed": "a forest of another size",
}
FRONT = {name: fields if isinstance(fields, dict) else {"prompt": fields} for name, fields in PROMPTS.items()}
FRONT["hero"] |= {"place": "after-title", "alt": "hero"}
WORDS = "Words of a long text about harbours, lights and weather. " * 30
BODY = f"""# Images

{WORDS}

## Below the fold

![below](qhaigc:below)

| Image | Words |
|---|---|
| ![cell](qhaigc:cell) | In a table |

- ![item](qhaigc:item)

!!! note

    ![note](qhaigc:note)

{WORDS}

## Given sides

![wide](qhaigc:wide){{ width=320 }}

![high](qhaigc:high){{ height=180 }}

<p><img src="qhaigc:raw" alt="raw"></p>

## Other sizes

![portrait](qhaigc:portrait)

{WORDS}

![small](qhaigc:small)

![changed](qhaigc:changed)
"""


def draw(handler: Handler, body: dict[str, Any]) -> None:
    """Answer with a real drawing, as PNG and new each time, and for one prompt in another size than was asked for."""
    size = "1024x768" if "another size" in body["prompt"] else body["size"]
    width, height = map(int, size.split("x"))
    data = drawing.draw_image(
        f"{body['prompt']} {len(handler.server.api.hosted)}", width=width, height=height, label="sandbox", format="PNG"
    )
    api = handler.server.api
    handler.send(200, {"created": 1, "data": [{"url": api.origin + api.host(data)}]})


class Sites:
    """One project, built once for each theme and choice of formats; its images are bought and encoded once."""

    def __init__(self, project: Project) -> None:
        self.project = project
        project.config["markdown_extensions"] = ["attr_list", "admonition", "tables"]
        del project.options["size"], project.options["widths"]  # the defaults: 1280x720, and 480, 800, 1280
        project.page("index.md", BODY, qhaigc=FRONT)
        for name, hidden in HIDDEN.items():
            project.page(
                f"{name}.md", f"# Hero\n\n{WORDS}\n\n## More\n\n{WORDS}\n", qhaigc={"hero": FRONT["hero"]}, hide=hidden
            )
        project.page("own.md", OWN, qhaigc={"hero": FRONT["below"]})
        pair = {"prompt": "a tower by day", "dark": "a tower by night", "alt": "pair", "priority": True}
        project.page("pair.md", "# Pair\n\n![](qhaigc:pair)\n", qhaigc={"pair": {**pair, "caption": "A tower"}})
        project.write("docs/own-schemes.css", OWN_SCHEMES)
        project.config["extra_css"] = ["own-schemes.css"]
        self._built: dict[str, Built] = {}

    def built(self, theme: str, formats: tuple[str, ...] = SEVERAL, **options: Any) -> Path:
        name = "-".join([theme, *formats, *options])
        if name not in self._built:
            self.project.config["theme"] = {**THEMES, **SCHEMES}[theme]
            kept = self.project.options
            self.project.options = {**kept, "formats": list(formats), **options}
            self._built[name] = self.project.build("--strict", site=name)
            self.project.options = kept
        built = self._built[name]
        assert built.code == 0, built.output
        return built.site


OWN = """# What an author set

![per cent](qhaigc:hero){ width="50%" }

![style](qhaigc:hero){ style="width: 50%" }

![style height](qhaigc:hero){ style="height: 90px" }

![both](qhaigc:hero){ width=320 height=180 }

![eager](qhaigc:hero){ loading=eager }
"""


@pytest.fixture(scope="module")
def sites(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sites]:
    with ImagesApi(draw) as api:
        yield Sites(Project(tmp_path_factory.mktemp("browser") / "project", api.base_url))


def faults(images: list[Shown], scale: float, formats: tuple[str, ...]) -> list[str]:
    """What is wrong with a page's images, in words."""
    wrong = []
    for image in images:
        name, drawn = image.alt, f"drawn {image.width:.1f}x{image.height:.1f}, sizes={image.sizes!r}"
        if not image.loaded:
            wrong.append(f"{name}: not there")
            continue
        if image.distortion > 0.01:
            wrong.append(f"{name}: {image.pixels} distorted by {image.distortion:.1%}, {drawn}")
        with Image.open(image.file) as opened:
            if opened.format != formats[0].upper():
                wrong.append(f"{name}: {opened.format} was chosen")
        if any(image.srcsets) and (best := image.best(scale)) != image.pixels[0]:
            wrong.append(f"{name}: {image.pixels[0]} pixels are loaded where {best} are best, {drawn}")
    return wrong


def assert_faultless(images: list[Shown], scale: float, formats: tuple[str, ...]) -> None:
    wrong = faults(images, scale, formats)
    assert not wrong, "\n".join(wrong)


def read_through(visit: Visit, path: str) -> list[Shown]:
    """Read a page to its end while no image has come yet, then with all of them."""
    visit.open(path)
    visit.scroll()
    before = visit.images()
    visit.arrive()
    visit.page.evaluate("scrollTo(0, 0)")
    visit.scroll()
    after = visit.images()
    moved = [f"{old.place} -> {new.place} {new.alt}" for old, new in zip(before, after, strict=True) if old.moved(new)]
    assert moved == []
    return after


@pytest.mark.parametrize(("width", "scale"), SCREENS)
@pytest.mark.parametrize("formats", [SEVERAL, ONE], ids="-".join)
@pytest.mark.parametrize("theme", THEMES)
def test_every_image_is_sharp_undistorted_and_moves_nothing(
    sites: Sites, browser: Browser, theme: str, formats: tuple[str, ...], width: int, scale: int
) -> None:
    with visiting(browser, sites.built(theme, formats), width=width, scale=scale) as visit:
        images = read_through(visit, "")
        assert sorted(image.alt for image in images) == sorted(FRONT)
        assert_faultless(images, scale, formats)
        assert visit.shifts() == []
        visit.page.wait_for_load_state("networkidle")  # the search index too
        assert visit.trouble == []


@pytest.mark.parametrize("scale", [1, 2])
@pytest.mark.parametrize(
    ("theme", "page"), [("mkdocs", "all"), ("readthedocs", "all"), *(("material", page) for page in HIDDEN)]
)
def test_the_main_picture_is_never_wider_than_it_is_drawn_whatever_the_window(
    sites: Sites, browser: Browser, theme: str, page: str, scale: int
) -> None:
    wrong = []
    for width in WIDTHS:
        with visiting(browser, sites.built(theme), width=width, scale=scale) as visit:
            visit.open(f"{page}/")
            visit.arrive()
            (hero,) = visit.images()
            wrong += [f"{width}: {fault}" for fault in faults([hero], scale, SEVERAL)]
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("theme", THEMES)
def test_what_an_author_set_distorts_no_image(sites: Sites, browser: Browser, theme: str) -> None:
    with visiting(browser, sites.built(theme), width=1280) as visit:
        visit.open("own/")
        visit.scroll()
        visit.arrive()
        images = visit.images()
        assert len(images) == OWN.count("![")
        assert [f"{p.alt}: {p.width}x{p.height}" for p in images if not p.loaded or p.distortion > 0.01] == []
        assert visit.trouble == []


@pytest.mark.parametrize("dark", [False, True])
@pytest.mark.parametrize(
    ("theme", "follows"),
    [
        ("mkdocs", False),
        ("mkdocs-auto", True),
        ("readthedocs", False),
        ("material", True),
        ("material-bare", False),
        ("material-own", True),
    ],
)
def test_of_a_pair_the_one_for_the_page_s_scheme_is_shown_and_loaded(
    sites: Sites, browser: Browser, theme: str, dark: bool, follows: bool
) -> None:
    """A theme that has no dark pages, or is told to make none, shows the light one to everybody."""
    with visiting(browser, sites.built(theme), width=390, dark=dark) as visit:
        visit.open("pair/")
        visit.scroll()
        visit.arrive()
        shown = [image for image in visit.images() if image.width > 0]
        assert [image.source.rpartition("#")[2] for image in shown] == [
            "only-dark" if dark and follows else "only-light"
        ]
        assert shown[0].distortion < 0.01
        others = [name for name in visit.asked if name != shown[0].file.name]
        assert visit.asked.count(shown[0].file.name) == 1
        # Material's pages are light until its script has run: a reader's first dark page may ask for the light one.
        assert not others or (theme in ("material", "material-own") and dark)
        if theme == "material":
            visit.page.locator("label[for^=__palette_]:visible").click()
            visit.page.wait_for_function(f"document.images[0].checkVisibility() != {str(not dark).lower()}")
            visit.arrive()
            (other,) = (image for image in visit.images() if image.width > 0)
            assert other.loaded
            assert other.source != shown[0].source


@pytest.mark.parametrize("theme", ["material", "mkdocs-auto"])
def test_paper_is_light(sites: Sites, browser: Browser, theme: str) -> None:
    with visiting(browser, sites.built(theme), width=1280, dark=True) as visit:
        visit.open("pair/")
        visit.arrive()
        visit.page.emulate_media(media="print")
        visit.arrive()
        shown = [image.source.rpartition("#")[2] for image in visit.images() if image.width > 0]
    assert shown == ["only-light"]


@pytest.mark.parametrize("theme", THEMES)
def test_a_figure_is_no_wider_than_the_page_and_its_caption_stands_below_its_image(
    sites: Sites, browser: Browser, theme: str
) -> None:
    for width in (390, 1280):
        with visiting(browser, sites.built(theme), width=width) as visit:
            visit.open("pair/")
            visit.arrive()
            boxes = visit.page.evaluate(
                """() => ["figure.qhaigc", "figure.qhaigc img", "figcaption"].map((which) => {
                  const box = document.querySelector(which).getBoundingClientRect();
                  return [box.left, box.right, box.top, box.bottom];
                })"""
            )
            figure, image, caption = boxes
            assert figure[0] >= 0
            assert figure[1] <= width
            assert 0 <= caption[2] - image[3] <= 24
            assert abs((caption[0] + caption[1]) / 2 - (image[0] + image[1]) / 2) < 2
            assert visit.page.evaluate("document.documentElement.scrollWidth <= innerWidth")


@pytest.mark.parametrize("theme", ["readthedocs", "material"])  # the theme mkdocs frames images in a colour of its own
def test_an_image_s_own_colour_stands_there_while_it_loads(sites: Sites, browser: Browser, theme: str) -> None:
    with visiting(browser, sites.built(theme), width=390) as visit:
        visit.open("pair/")
        given = visit.page.evaluate("document.images[0].dataset.colour")
        red, green, blue = (int(given[at : at + 2], 16) for at in (1, 3, 5))
        painted = visit.page.evaluate("getComputedStyle(document.images[0]).backgroundColor")
        assert painted == f"rgb({red}, {green}, {blue})"


POLICY = {"Content-Security-Policy": "default-src 'self'; style-src 'self'; img-src 'self'; script-src 'self'"}


@pytest.mark.parametrize("theme", ["mkdocs", "readthedocs"])
def test_a_strict_content_security_policy_has_nothing_against_the_images(
    sites: Sites, browser: Browser, theme: str
) -> None:
    with visiting(browser, sites.built(theme, enabled=False), width=390, headers=POLICY) as visit:
        visit.open("")
        visit.scroll()
        visit.arrive()
        without = sorted(visit.violations())
    with visiting(browser, sites.built(theme), width=390, headers=POLICY) as visit:
        images = read_through(visit, "")
        assert_faultless(images, 1, SEVERAL)
        assert sorted(visit.violations()) == without  # the theme's own, in the order in which its files came


def test_a_phone_loads_a_tenth_of_the_original_at_the_most(
    sites: Sites, browser: Browser, capsys: pytest.CaptureFixture[str]
) -> None:
    site = sites.built("material")
    originals = {
        path.name.rsplit("-", 1)[0]: path.stat().st_size for path in (sites.project.cache / "originals").glob("*.png")
    }
    loaded: dict[int, dict[str, int]] = {}
    names = [name for name in PLAIN if name not in ("wide", "high", "cell")]
    for scale in (1, 2, 3):
        with visiting(browser, site, width=390, scale=scale) as visit:
            visit.open("")
            visit.scroll()
            visit.arrive()
            files = [image.file for image in visit.images() if image.alt in names]
        assert len(files) == len(names)
        for format_, suffix in (("avif", ".avif"), ("webp", ".webp"), ("jpeg", ".jpg")):
            sizes = [file.with_suffix(suffix).stat().st_size for file in files]
            loaded.setdefault(scale, {})[format_] = sum(sizes) // len(sizes)
    original = sum(size for name, size in originals.items() if name in names) // len(names)
    table: list[tuple[str, ...]] = [("bytes of a 1280x720 image", *SEVERAL, "PNG")]
    table += [
        (f"390 px wide at {scale}x", *(str(row[name]) for name in SEVERAL), str(original))
        for scale, row in loaded.items()
    ]
    with capsys.disabled():
        print("", *(f"{first:28}" + "".join(f"{cell:>9}" for cell in cells) for first, *cells in table), sep="\n")  # noqa: T201
    assert original > 0
    assert max(loaded[1]["avif"], loaded[2]["avif"]) <= original / 10
