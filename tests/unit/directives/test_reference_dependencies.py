"""Which images are references for which: names and files, styles and the whole site, circles, and the keys of it."""

from __future__ import annotations

import hashlib
import json
from typing import Any

import pytest

from mkdocs_qhaigc.directives.directive import Defaults, Directive
from mkdocs_qhaigc.directives.parse import read_directives
from mkdocs_qhaigc.directives.request import ImageRequest, Reference
from mkdocs_qhaigc.errors import DirectiveError

FOX = "sha256:" + "f" * 64
BEAR = "sha256:" + "b" * 64


class Files:
    """Files of which no byte is read."""

    def find(self, written: str, src_uri: str) -> Reference:
        known = {"fox.png": FOX, "./fox.png": FOX, "bear.png": BEAR}
        if written not in known:
            raise DirectiveError(f"there is no file {written}")
        return Reference(known[written], f"docs/{written.removeprefix('./')}", f"/site/docs/{written}")


DEFAULTS = Defaults("qh-draw-x2-preview", "1280x720", files=Files())


def read(value: Any, defaults: Defaults = DEFAULTS, src_uri: str = "index.md") -> dict[str, Directive]:
    directives, problems = read_directives(value, defaults, src_uri)
    assert problems == []
    return directives


def problems(value: Any, defaults: Defaults = DEFAULTS, src_uri: str = "index.md") -> list[str]:
    return [str(problem) for problem in read_directives(value, defaults, src_uri)[1]]


def identities(directive: Directive) -> list[str]:
    return [reference.identity for reference in directive.request.references]


def with_fox(**fields: Any) -> dict[str, Any]:
    return {"prompt": "A fox reads", "references": "fox.png", **fields}


GOLDEN = [
    (with_fox(), "efd27c08cc9d9634e7ff6c35725ab4b01ddb0119ab582dcd84944417f79c6293"),
    (with_fox(references=["fox.png", "bear.png"]), "255ba3260f3b07ddf65eb89192e7a48f81f16a35403395d6c6b2ecc69a84555c"),
    (with_fox(references=["bear.png", "fox.png"]), "9b410e497d35f15d0a45b1c1f49b69fecd920863892dbde60789af4975f6efaf"),
    (with_fox(variant=2), "22f6d195577dd8b7d650d93db65194fc119dbe78559fdb38ef080c10185a2bb1"),
]


@pytest.mark.parametrize(("fields", "key"), GOLDEN)
def test_the_key_of_a_known_request_with_references_never_changes(fields: dict[str, Any], key: str) -> None:
    """See `test_request.py`: a change here buys everybody's images again."""
    assert read({"hero": fields})["hero"].request.key == key


def test_the_key_of_an_image_whose_reference_is_an_image_never_changes() -> None:
    images = read({"fox": "A fox, character sheet", "hero": with_fox(references="fox")})

    assert identities(images["hero"]) == [f"key:{images['fox'].request.key}"]
    assert images["hero"].request.key == "b931822d728fe99908bc97eff5642ea6980e884a27cab277453755cd781cffe9"


def test_the_golden_requests_have_different_keys() -> None:
    assert len({key for _, key in GOLDEN}) == len(GOLDEN)


def test_the_record_has_the_references_and_only_where_there_are_any() -> None:
    request = read({"hero": with_fox(references=["fox.png", "bear.png"])})["hero"].request
    record = request.as_record()
    canonical = json.dumps(record, ensure_ascii=False, sort_keys=True, separators=(",", ":"))

    assert record["references"] == [FOX, BEAR]
    assert request.key == hashlib.sha256(canonical.encode()).hexdigest()
    assert "references" not in ImageRequest("m", "p", "64x64").as_record()
    assert request.of_variant(3).as_record() == {**record, "variant": 3}


def test_the_path_of_a_file_is_no_part_of_the_key() -> None:
    one, other = read({"a": with_fox(), "b": with_fox(references=["./fox.png"])}).values()

    assert one.request == other.request


def test_a_text_and_a_list_of_one_are_the_same() -> None:
    assert len({one.request for one in read({"a": with_fox(), "b": with_fox(references=["fox.png"])}).values()}) == 1


@pytest.mark.parametrize("nothing", [None, []])
def test_no_reference_is_as_if_the_field_were_left_out(nothing: Any) -> None:
    plain, empty = read({"a": "A fox reads", "b": with_fox(references=nothing)}).values()

    assert plain.request == empty.request


def test_a_file_that_is_named_twice_is_sent_once() -> None:
    assert identities(read({"hero": with_fox(references=["fox.png", "bear.png", "./fox.png"])})["hero"]) == [FOX, BEAR]


def test_the_dark_image_has_the_same_references() -> None:
    hero = read({"hero": with_fox(dark="A fox sleeps")})["hero"]

    assert hero.dark
    assert hero.dark.references == hero.request.references


def test_another_image_of_the_page_may_stand_behind_the_one_that_it_is_for() -> None:
    images = read({"hero": with_fox(references="fox"), "fox": {"prompt": "A fox", "references": "bear.png"}})

    assert list(images) == ["hero", "fox"]
    [reference] = images["hero"].request.references
    assert reference == Reference(f"key:{images['fox'].request.key}", "index.md#fox", "", "fox", images["fox"].request)


def test_an_image_of_the_whole_site_is_one_of_the_page_s_names_and_the_page_s_own_wins() -> None:
    site = DEFAULTS._replace(images=read({"fox": "A fox", "bear": "A bear"}, src_uri=""))
    images = read({"hero": with_fox(references=["fox", "bear"]), "fox": "The page's fox"}, site)

    assert [one.where for one in images["hero"].request.references] == ["index.md#fox", "mkdocs.yml#bear"]


def test_another_image_in_its_place_makes_another_image() -> None:
    first, second = (
        read({"fox": {"prompt": "A fox", "variant": variant}, "hero": with_fox(references="fox")})["hero"].request.key
        for variant in (1, 2)
    )

    assert first != second


def test_own_references_come_before_those_of_the_style_and_those_of_the_site() -> None:
    styles: dict[str, Any] = {"ink": {"text": "ink wash", "references": "bear.png"}, "plain": "flat colours"}
    images = read({"look": "A palette", "sheet": "A sheet"}, src_uri="")
    site = DEFAULTS._replace(styles=styles, references=("look",), images=images)
    hero = read({"hero": with_fox(style="ink")}, site)["hero"]

    assert hero.request.prompt == "A fox reads, ink wash"
    assert [one.where for one in hero.request.references] == ["docs/fox.png", "docs/bear.png", "mkdocs.yml#look"]
    assert identities(read({"hero": "A fox"}, site)["hero"]) == [f"key:{images['look'].request.key}"]
    assert identities(read({"hero": with_fox(style="ink", references=[])}, site)["hero"]) == []


def test_a_style_may_have_references_alone() -> None:
    site = DEFAULTS._replace(styles={"ink": {"references": ["bear.png"]}}, style="ink")
    hero = read({"hero": "A fox"}, site)["hero"]

    assert (hero.request.prompt, identities(hero)) == ("A fox", [BEAR])


def test_images_that_show_the_style_of_the_site_have_not_each_other_for_references() -> None:
    site = DEFAULTS._replace(references=("look",), styles={"ink": {"text": "ink", "references": ["sample"]}})
    shared = read(
        {
            "look": {"prompt": "A palette", "references": "sketch"},
            "sketch": "A sketch",
            "sample": {"prompt": "A sample", "style": "ink"},
            "logo": {"prompt": "A logo", "style": "ink"},
        },
        site,
        "",
    )
    key = {name: f"key:{directive.request.key}" for name, directive in shared.items()}

    assert identities(shared["look"]) == [key["sketch"]]
    assert identities(shared["sketch"]) == []
    assert identities(shared["sample"]) == [key["look"]]
    assert identities(shared["logo"]) == [key["sample"], key["look"]]


@pytest.mark.parametrize(
    ("value", "where"),
    [
        ({"hero": with_fox(references="hero")}, ["hero → hero"]),
        (
            {name: with_fox(references=other) for name, other in (("a", "b"), ("b", "c"), ("c", "a"), ("d", "a"))},
            ["a → b → c → a", "b → c → a → b", "c → a → b → c", "a → b → c → a"],
        ),
    ],
)
def test_a_circle_is_a_mistake_of_each_image_in_it(value: Any, where: list[str]) -> None:
    found = problems(value)

    assert [circle in message for circle, message in zip(where, found, strict=True)] == [True] * len(value)
    assert all("`references` leads in a circle: " in message for message in found)


@pytest.mark.parametrize(
    ("references", "words"),
    [
        ("fix", ["'fix'", "no such image on this page or in the option `images`", "Did you mean `fox`?"]),
        ("qhaigc:fox", ["Did you mean `fox`?"]),
        ("photograph", ["'photograph'", "has a dot or a slash"]),
        ("other.png", ["there is no file other.png"]),
        ("https://example.com/fox.png", ["only files are sent"]),
        ("data:image/png;base64,AAAA", ["only files are sent"]),
        (3, ["`references` is 3 (a number)", "Write a file"]),
        ({"a": "b"}, ["`references` is a mapping"]),
        (["fox.png", ""], ["`references` holds ''"]),
        (["fox.png", None], ["`references` holds empty"]),
        ("broken", ["'broken', whose own directive cannot be used"]),
        ("lost", ["'lost', whose own directive cannot be used"]),
    ],
)
def test_an_entry_that_cannot_be_used_is_a_problem_of_its_field(references: Any, words: list[str]) -> None:
    others = {"fox": "A fox", "broken": {"prompt": "A bear", "size": "big"}, "lost": with_fox(references="gone.png")}
    directives, found = read_directives({"hero": with_fox(references=references), **others}, DEFAULTS, "index.md")
    [problem] = [problem for problem in found if problem.name == "hero"]

    assert problem.field == "references"
    assert all(word in problem.message for word in words), problem.message
    assert list(directives) == ["fox"]


def test_a_field_of_the_request_body_and_references_are_not_mixed() -> None:
    hero = {"prompt": "A fox", "params": {"image": "https://example.com/fox.png"}}
    of_site = DEFAULTS._replace(references=("bear.png",))
    for fields, defaults in ((with_fox(**hero), DEFAULTS), (hero, of_site)):
        [message] = problems({"hero": fields}, defaults)
        assert "`params` sets `image`" in message
    assert problems({"hero": hero}) == problems({"hero": {**hero, "references": []}}, of_site) == []


def test_more_references_than_any_service_takes_are_a_mistake() -> None:
    images = {f"fox{number}": f"Fox {number}" for number in range(17)}
    [message] = problems({**images, "hero": with_fox(references=list(images))})

    assert "17 reference images" in message


def test_all_mistakes_of_a_directive_are_said_at_once() -> None:
    assert len(problems({"hero": with_fox(references="gone.png", size="big")})) == 2
