"""The names and addresses of the files that show an image."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import unquote, urljoin

import pytest

from mkdocs_qhaigc.imaging.plan_published_files import (
    Card,
    Crop,
    Encoding,
    PublishedImage,
    SourceImage,
    card_spec,
    card_stem,
    cropped,
    placeholder_source,
    publish,
    publish_card,
    relative_url,
    rendition_specs,
    stem_of,
)
from mkdocs_qhaigc.site.page_rendering import image_tag

KEY = "4e96ebfcd164177aa720e54f74b3fbf6f3621f6f7f19ef7f87f0c0d1ea9b0fa9"
QUALITY: Mapping[str, int] = {"avif": 50, "webp": 80, "jpeg": 85, "png": 80}
SOURCE = SourceImage("1" * 64, 1280, 720)


GOLDEN_STEMS = ["hero-14bea6206b10", "hero-487a4ee4df10", "hero-7b109bc330fc"]


BARE = Encoding(("webp",), (480, 800, 1280), QUALITY, marked=False)
WITH_PROMPT = Encoding(("webp",), (480, 800, 1280), QUALITY, with_prompt=True)


def encoding(*formats: str, widths: tuple[int, ...] = (480, 800, 1280), **quality: int) -> Encoding:
    return Encoding(formats or ("webp",), widths, {**QUALITY, **quality})


def published(encoding: Encoding, name: str = "hero", key: str = KEY, **fields: Any) -> PublishedImage:
    given: dict[str, Any] = {"source": SOURCE, "assets_dir": "assets/qhaigc", **fields}
    return publish(stem_of(name, key, encoding, given.get("crop")), encoding=encoding, **given)


def published_card(encoding: Encoding, name: str = "hero", card: Card = Card()) -> PublishedImage:  # noqa: B008
    stem = card_stem(name, KEY, encoding, card)
    return publish_card(stem, source=SOURCE, encoding=encoding, assets_dir="a", card=card)


def uris(publication: PublishedImage) -> list[str]:
    return [variant.dest_uri for variant in publication.renditions]


def test_an_image_s_files_are_called_after_its_name_a_hex_and_their_width() -> None:
    publication = published(encoding("avif", "jpeg"))
    stem = f"assets/qhaigc/{publication.stem}"

    assert re.fullmatch(r"hero-[0-9a-f]{12}", publication.stem)
    assert uris(publication) == [
        *(f"{stem}-480.avif", f"{stem}-800.avif", f"{stem}.avif"),
        *(f"{stem}-480.jpg", f"{stem}-800.jpg", f"{stem}.jpg"),
    ]
    assert [variant.spec.width for variant in publication.renditions] == [480, 800, 1280] * 2
    assert [variant.spec.quality for variant in publication.renditions] == [50] * 3 + [85] * 3


def test_names_that_differ_in_capitals_alone_are_two_files_where_file_systems_see_none() -> None:
    names = ("hero", "Hero", "HERO", "straße", "STRASSE", "Straße")
    stems = [published(encoding(), name).stem for name in names]
    cards = [published_card(encoding(), name).stem for name in names]
    for found in (stems, cards):
        assert [stem.rpartition("-")[0] for stem in found] == list(names)
        assert len({stem.casefold() for stem in found}) == len(names)


@pytest.mark.parametrize(("name", "shown"), [("_hero", "hero"), ("__Hero_", "Hero_"), ("_", "image"), ("___", "image")])
def test_no_file_has_a_name_that_github_pages_leaves_out(name: str, shown: str) -> None:
    stems = [
        published(encoding(), name).stem,
        published_card(encoding(), name).stem,
    ]
    assert [stem.rpartition("-")[0] for stem in stems] == [shown, shown]
    assert published(encoding(), shown).stem not in stems


@pytest.mark.parametrize(
    ("widths", "used"),
    [((), [1280]), ((480,), [480, 1280]), ((2560, 800, 800, 480), [480, 800, 1280]), ((1280, 1281), [1280])],
)
def test_widths_that_an_image_does_not_have_are_not_made(widths: tuple[int, ...], used: list[int]) -> None:
    assert [spec.width for spec in rendition_specs(SOURCE, encoding(widths=widths))] == used


def test_names_and_cache_keys_never_change_by_chance() -> None:
    """A site that crops nothing and has nothing transparent keeps its files, and encodes none anew."""
    several = published(encoding("avif", "webp", "jpeg", widths=(480,)))
    card = published_card(encoding())
    crop = Crop(1200, 630)
    cut = published_card(encoding(), card=Card(crop))

    assert [one.stem for one in (several, card, cut)] == GOLDEN_STEMS
    assert [variant.spec.cache_key for one in (several, card, cut) for variant in one.renditions] == [
        f"{SOURCE.identity}|480<1280|2|avif|50|marked",
        f"{SOURCE.identity}|1280|2|avif|50|marked",
        f"{SOURCE.identity}|480<1280|2|webp|80|marked",
        f"{SOURCE.identity}|1280|2|webp|80|marked",
        f"{SOURCE.identity}|480<1280|2|jpeg|85|marked",
        f"{SOURCE.identity}|1280|2|jpeg|85|marked",
        f"{SOURCE.identity}|card 1200x675|2|jpeg|85|marked",
        f"{SOURCE.identity}|card 1200x630|2|jpeg|85|marked",
    ]
    assert placeholder_source(96, 54).identity == "placeholder:3:96x54"


@pytest.mark.parametrize(
    ("crop", "size", "within"),
    [
        ((16, 9), (1280, 720), (1280, 720)),
        ((16, 9), (1024, 1024), (1024, 576)),
        ((4, 3), (1792, 1024), (1364, 1023)),
        ((16, 9), (1536, 1024), (1536, 864)),
        ((9, 16), (1024, 1536), (864, 1536)),
        ((32, 18), (1024, 1024), (1024, 576)),
        ((97, 53), (96, 54), (96, 52)),  # no exact one is small enough
        ((99, 1), (50, 50), (50, 1)),
    ],
)
def test_a_crop_is_the_largest_of_exactly_its_proportions(
    crop: tuple[int, int], size: tuple[int, int], within: tuple[int, int]
) -> None:
    assert Crop(*crop).within(*size) == within
    one = published(encoding(widths=()), source=SourceImage("1" * 64, *size), crop=Crop(*crop))
    assert (one.width, one.height) == within


def test_two_crops_of_one_image_are_files_of_their_own() -> None:
    crops = [None, Crop(16, 9), Crop(4, 3), Crop(4, 3, (0, 0)), Crop(4, 3, (100, 0))]
    all_published = [published(encoding(), crop=crop) for crop in crops]

    assert len({one.stem for one in all_published}) == len(crops)
    keys = [variant.spec.cache_key for one in all_published for variant in one.renditions]
    assert len(set(keys)) == len(keys) - 3  # an image that has the proportions already is encoded as it is
    assert all_published[0].renditions[0].spec == all_published[1].renditions[0].spec
    assert [(one.width, one.height) for one in all_published] == [(1280, 720)] * 2 + [(960, 720)] * 3


def test_a_placeholder_is_drawn_in_the_proportions_of_its_image() -> None:
    square = placeholder_source(1024, 1024)
    assert cropped(square, Crop(16, 9)) == (placeholder_source(1024, 576), None)
    specs = rendition_specs(square, encoding(), Crop(16, 9))
    assert [(spec.width, spec.height, spec.cropped) for spec in specs][-1] == (1024, 576, False)


@pytest.mark.parametrize(
    ("formats", "transparent", "made"),
    [
        (("avif", "webp", "jpeg"), True, ("avif", "webp")),
        (("avif", "webp", "jpeg"), False, ("avif", "webp", "jpeg")),
        (("jpeg", "png"), True, ("png",)),
        (("jpeg",), True, ("jpeg",)),
        (("webp",), True, ("webp",)),
    ],
)
def test_a_transparent_image_has_no_jpeg_beside_other_formats(
    formats: tuple[str, ...], transparent: bool, made: tuple[str, ...]
) -> None:
    one = published(encoding(*formats), source=SOURCE._replace(transparent=transparent))
    assert tuple(dict.fromkeys(variant.spec.format for variant in one.renditions)) == made


def test_the_hex_is_the_same_in_every_build() -> None:
    """Another hex is another address for every image of every site: a change to make on purpose, never by chance."""
    assert published(encoding()).stem == "hero-9d513119699e"


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (encoding("webp"), encoding("webp", webp=79)),
        (encoding("webp"), encoding("avif", "webp")),
        (encoding("avif", "webp"), encoding("avif", "webp", avif=49)),
        (encoding("webp"), encoding("webp", widths=(64,))),
        (encoding("webp"), BARE),
        (encoding("webp"), WITH_PROMPT),
        (BARE, WITH_PROMPT),
    ],
)
def test_the_hex_changes_with_the_encoding(one: Encoding, other: Encoding) -> None:
    assert published(one).stem != published(other).stem


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (encoding("webp"), encoding("webp", avif=1, jpeg=1)),
        (encoding("png"), encoding("png", png=1)),
        (encoding("avif", "webp"), encoding("webp", "avif")),
    ],
)
def test_the_hex_does_not_change_with_what_leaves_the_bytes_alone(one: Encoding, other: Encoding) -> None:
    assert published(one).stem == published(other).stem


def test_the_hex_changes_with_the_key_and_is_the_same_for_a_placeholder() -> None:
    placeholder = SourceImage("placeholder:x", 1280, 720, placeholder=True)

    assert published(encoding()).stem != published(encoding(), key="0" * 64).stem
    assert published(encoding()).stem == published(encoding(), source=placeholder).stem


def test_two_names_of_one_image_are_encoded_once() -> None:
    one, other = published(encoding(), "hero"), published(encoding(), "灯塔")

    assert set(uris(one)).isdisjoint(uris(other))
    assert [variant.spec for variant in one.renditions] == [variant.spec for variant in other.renditions]
    assert tuple(variant.spec for variant in one.renditions) == rendition_specs(SOURCE, encoding())


@pytest.mark.parametrize(
    "other",
    [
        rendition_specs(SourceImage("2" * 64, 1280, 720), encoding()),
        rendition_specs(SOURCE, encoding(webp=79)),
        rendition_specs(SOURCE, encoding("avif")),
        rendition_specs(SOURCE, BARE),
        rendition_specs(SOURCE, WITH_PROMPT),
        rendition_specs(SOURCE, encoding(widths=(481,)))[:1],
        rendition_specs(SOURCE, encoding(widths=(480, 1000)))[:1],
        (card_spec(SOURCE, encoding(), Card()), card_spec(SOURCE, encoding(), Card(Crop(1200, 630)))),
        (card_spec(SOURCE, encoding(), Card(label="AI")), card_spec(SOURCE, encoding(), Card(label="KI"))),
        rendition_specs(SOURCE, encoding(), Crop(4, 3)),
    ],
)
def test_different_bytes_have_different_cache_keys(other: tuple[Any, ...]) -> None:
    ours = {spec.cache_key for spec in rendition_specs(SOURCE, encoding())}

    assert ours.isdisjoint(spec.cache_key for spec in other)


PAGES = ["", "./", "guide/", "guide/start/", "guide/start.html", "index.html", "404.html", "zh/指南/", "my%20page/x/"]


@pytest.mark.parametrize("assets_dir", ["assets/qhaigc", "guide/img", "图片/made here", "x"])
@pytest.mark.parametrize("name", ["hero", "灯塔"])
@pytest.mark.parametrize("page_url", [*PAGES, "my page/x/", "a#b/c?d/", "100%25/"])
def test_a_page_s_address_of_an_image_leads_to_its_file(page_url: str, name: str, assets_dir: str) -> None:
    publication = published(encoding(), name, assets_dir=assets_dir)
    site = "https://example.com/docs/"
    page = urljoin(site, page_url.replace(" ", "%20").replace("#", "%23").replace("?", "%3F"))

    for dest_uri in uris(publication):
        relative = relative_url(dest_uri, page_url)
        assert relative.isascii()
        assert unquote(urljoin(page, relative)) == posixpath.join(site, dest_uri)


@pytest.mark.parametrize(
    ("page_url", "url"),
    [
        ("", "assets/a.webp"),
        ("./", "assets/a.webp"),
        ("guide/", "../assets/a.webp"),
        ("guide/start/", "../../assets/a.webp"),
        ("guide/start.html", "../assets/a.webp"),
        ("assets/", "../assets/a.webp"),
        ("%E6%8C%87%E5%8D%97/", "../assets/a.webp"),
    ],
)
def test_addresses_are_relative_to_the_page(page_url: str, url: str) -> None:
    assert relative_url("assets/a.webp", page_url) == url


@pytest.mark.parametrize(
    ("source", "crop", "size"),
    [
        ((1280, 720), None, (1200, 675)),
        ((1280, 720), (1200, 630), (1200, 630)),
        ((1792, 1024), (1200, 630), (1200, 630)),
        ((1024, 1024), (1200, 630), (1024, 538)),
        ((720, 1280), (600, 600), (600, 600)),
        ((96, 54), None, (96, 54)),
        ((96, 54), (1200, 630), (96, 50)),
        ((1, 1), (16, 16383), (1, 1)),
    ],
)
def test_a_card_has_the_size_asked_for_and_is_never_enlarged(
    source: tuple[int, int], crop: tuple[int, int] | None, size: tuple[int, int]
) -> None:
    spec = card_spec(SourceImage("1" * 64, *source), encoding("avif"), Card(crop and Crop(*crop)))

    assert (spec.format, spec.width, spec.height, spec.cropped) == ("jpeg", *size, crop is not None)


def test_a_card_is_a_file_of_its_own_whose_address_changes_with_its_crop() -> None:
    def card(crop: Crop | None, jpeg: int = 85) -> PublishedImage:
        return published_card(encoding("avif", jpeg=jpeg), card=Card(crop))

    cards = [card(None), card(Crop(1200, 630)), card(Crop(1200, 600)), card(None, jpeg=40)]
    assert all(re.fullmatch(r"a/hero-[0-9a-f]{12}\.jpg", uri) for one in cards for uri in uris(one))
    assert len({one.stem for one in cards} | {published(encoding("avif")).stem}) == 5


def test_an_image_has_each_format_with_its_widths_the_widest_last() -> None:
    publication = published(encoding("avif", "png", widths=(480,)))
    image = image_tag(publication, page_url="guide/", alt="A tower", sizes="50vw", priority=True)
    stem = f"../assets/qhaigc/{publication.stem}"

    assert [source.mime_type for source in image.sources] == ["image/avif", "image/png"]
    assert image.sources[0].srcset == f"{stem}-480.avif 480w, {stem}.avif 1280w"
    assert image.url == f"{stem}.png"
    assert (image.width, image.height, image.alt, image.sizes, image.priority) == (1280, 720, "A tower", "50vw", True)
