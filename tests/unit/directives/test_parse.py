"""From the value of `qhaigc` in front matter, as YAML gives it, to directives and problems."""

from __future__ import annotations

import datetime
import math
from typing import Any

import pytest
import yaml
from hypothesis import example, given, settings
from hypothesis import strategies as st

from mkdocs_qhaigc._util.text import closest_match
from mkdocs_qhaigc.config.option_types import Size
from mkdocs_qhaigc.directives.directive import FIELDS, Defaults, Directive, Problem
from mkdocs_qhaigc.directives.known_models import ModelTable
from mkdocs_qhaigc.directives.parse import read_directives
from mkdocs_qhaigc.directives.request import ImageRequest

DEFAULTS = Defaults("qh-draw-x2-preview", "1280x720", styles={"ink": "ink wash, rice paper", "photo": "35 mm film"})
NO_STYLES = Defaults("qh-draw-x2-preview", "1280x720")


def read(front_matter: str, defaults: Defaults = DEFAULTS) -> tuple[dict[str, Directive], list[Problem]]:
    """Read what an author wrote."""
    return read_directives(yaml.safe_load(front_matter)["qhaigc"], defaults)


def read_well(front_matter: str, defaults: Defaults = DEFAULTS) -> dict[str, Directive]:
    directives, problems = read(front_matter, defaults)
    assert problems == []
    return directives


def the_problem(front_matter: str, defaults: Defaults = DEFAULTS) -> str:
    directives, problems = read(front_matter, defaults)
    assert directives == {}
    assert len(problems) == 1
    assert len(str(problems[0]).splitlines()) == 1
    return str(problems[0])


def field_problem(field: str, defaults: Defaults = DEFAULTS) -> str:
    """Return what is said of one more field of an image."""
    return the_problem(f"qhaigc:\n  hero:\n    prompt: A lighthouse\n    {field}", defaults)


@pytest.mark.parametrize(
    ("front_matter", "prompts"),
    [
        ("qhaigc: A lighthouse in fog", {"hero": "A lighthouse in fog"}),
        ("qhaigc: {prompt: A lighthouse, alt: Fog}", {"hero": "A lighthouse"}),
        ("qhaigc: {hero: {prompt: A lighthouse}}", {"hero": "A lighthouse"}),
        ("qhaigc: {engine: A cutaway engine}", {"engine": "A cutaway engine"}),
        ("qhaigc: {hero: One, engine: {prompt: Two}}", {"hero": "One", "engine": "Two"}),
        ("qhaigc: {灯塔: 海边的灯塔, café-2_x: Coffee}", {"灯塔": "海边的灯塔", "café-2_x": "Coffee"}),
        ("qhaigc: {style: {prompt: An image called style}}", {"style": "An image called style"}),
        ("qhaigc: |\n  A lighthouse\n  in fog\n", {"hero": "A lighthouse\nin fog"}),
        ("qhaigc: >-\n  A lighthouse\n  in fog\n", {"hero": "A lighthouse in fog"}),
    ],
)
def test_every_form_of_the_contract_is_read(front_matter: str, prompts: dict[str, str]) -> None:
    directives = read_well(front_matter)

    assert {name: directive.request.prompt for name, directive in directives.items()} == prompts


def test_every_field_of_the_contract_is_read() -> None:
    directives = read_well(
        """
        qhaigc:
          hero:
            prompt: A futuristic city skyline at dusk
            alt: A skyline of glass towers
            model: 即梦4.0
            size: 1024x768
            style: ink
            variant: 3
            params: {quality: hd}
            place: after-title
            priority: true
        """
    )

    request = ImageRequest(
        "即梦4.0", "A futuristic city skyline at dusk, ink wash, rice paper", "1024x768", 3, {"quality": "hd"}
    )
    assert directives == {"hero": Directive("hero", request, "A skyline of glass towers", "after-title", True)}


def test_what_a_directive_leaves_out_comes_from_the_options() -> None:
    directive = read_well("qhaigc: A lighthouse", Defaults("dall-e-3", "512x512", "flat colours"))["hero"]

    assert directive == Directive("hero", ImageRequest("dall-e-3", "A lighthouse, flat colours", "512x512"))
    assert (directive.alt, directive.place, directive.priority) == (None, "none", False)


def test_an_empty_alt_is_not_the_same_as_none() -> None:
    directives = read_well('qhaigc: {one: {prompt: One, alt: ""}, two: {prompt: Two, alt: }, three: Three}')

    assert [directive.alt for directive in directives.values()] == ["", None, None]


@pytest.mark.parametrize("place", ["after-title", "top", "none"])
def test_every_place_is_accepted(place: str) -> None:
    assert read_well(f"qhaigc: {{hero: {{prompt: A, place: {place}}}}}")["hero"].place == place


@pytest.mark.parametrize(
    ("style", "site_style", "prompt"),
    [
        ("ink", "", "A, ink wash, rice paper"),
        ("ink", "photo", "A, ink wash, rice paper, 35 mm film"),
        ("bold lines", "photo", "A, bold lines, 35 mm film"),
        ("bold lines", "thin paper", "A, bold lines, thin paper"),
    ],
)
def test_a_style_is_a_name_from_the_options_or_a_text(style: str, site_style: str, prompt: str) -> None:
    defaults = Defaults("m", "64x64", site_style, {"ink": "ink wash, rice paper", "photo": "35 mm film"})

    assert read_well(f"qhaigc: {{prompt: A, style: {style}}}", defaults)["hero"].request.prompt == prompt


def test_a_style_of_one_word_is_a_text_where_no_styles_are_named() -> None:
    assert read_well("qhaigc: {prompt: A, style: pencil}", NO_STYLES)["hero"].request.prompt == "A, pencil"


def test_names_that_look_the_same_are_the_same() -> None:
    directives, problems = read_directives({"caf\u00e9": "One", "cafe\u0301": "Two"}, DEFAULTS)

    assert list(directives) == ["caf\u00e9"]
    assert "stands twice" in problems[0].message


@pytest.mark.parametrize(
    ("front_matter", "parts"),
    [
        ("qhaigc:", ["`qhaigc` is empty", "qhaigc: A lighthouse in fog", "mapping"]),
        ("qhaigc: {}", ["`qhaigc` is empty", "Write a prompt"]),
        ("qhaigc: [A lighthouse]", ["`qhaigc` is a list", "Write a prompt"]),
        ("qhaigc: true", ["`qhaigc` is true (a yes/no value)", "Write a prompt"]),
        ("qhaigc: 12", ["`qhaigc` is 12 (a number)", "Write a prompt"]),
        ("qhaigc: 2026-11-02", ["`qhaigc` is a date", "Write a prompt"]),
        ("qhaigc: ''", ["`qhaigc` is empty", "between two lines of `---`"]),
        ("qhaigc: {promt: A lighthouse, alt: Fog}", ["field `alt`", "`promt`", "`prompt`"]),
        ("qhaigc: {alt: Fog, size: 64x64}", ["field `alt`", "no `prompt`", "Write `prompt: …`"]),
        ("qhaigc: {prompt: 12}", ["'hero'", "`prompt` is 12 (a number)", "quotes"]),
        ("qhaigc: {prompt: }", ["'hero'", "`prompt` is missing", "prompt: A lighthouse in fog"]),
        ("qhaigc: {hero: }", ["'hero'", "it is empty", "Write a prompt"]),
        ("qhaigc: {hero: [A]}", ["'hero'", "it is a list", "Write a prompt"]),
        ("qhaigc: {hero: yes}", ["'hero'", "it is true (a yes/no value)", "Write a prompt"]),
        ("qhaigc: {hero: 2026-11-02}", ["'hero'", "it is a date", "Write a prompt"]),
        ("qhaigc: {hero: {alt: Fog}}", ["'hero'", "`prompt` is missing", "prompt: A lighthouse in fog"]),
        ("qhaigc: {hero: {prompt: '  '}}", ["'hero'", "`prompt` is empty", "prompt: A lighthouse in fog"]),
        ("qhaigc: {hero: {prompt: 12:30:45}}", ["'hero'", "`prompt` is 45045 (a number)", "quotes"]),
        ("qhaigc: {hero: {prompt: 2026-11-02}}", ["'hero'", "`prompt` is a date", "quotes"]),
        ("qhaigc: 'A {{ place }} in fog'", ["'hero'", "`prompt` holds '{{ place }}'", "nothing fills in", "Write out"]),
        ("qhaigc: {hero: '{% if fog %}A{% endif %}'}", ["'hero'", "`prompt` holds '{% if fog %}'", "Write out"]),
        ("qhaigc: |\n  A {{ place\n  }} in fog\n", ["`prompt` holds '{{ place }}'"]),
        ("qhaigc: {hero: {promt: A}}", ["'hero'", "no field 'promt'", "Did you mean `prompt`?"]),
        ('qhaigc: "half \\ud83d"', ["'hero'", "`prompt` holds half of a character", "Write it anew"]),
        ("qhaigc: {1: A lighthouse}", ["the name 1 is read as 1 (a number)", "quotes"]),
        ("qhaigc: {yes: A lighthouse}", ["the name True is read as true (a yes/no value)", "quotes"]),
        ("qhaigc: {2026-11-02: A lighthouse}", ["is read as a date", "quotes"]),
        (
            f"qhaigc:\n  ? 0x{'f' * 5000}\n  : A lighthouse",
            ["the name a very large number is read as a very large number", "quotes"],
        ),
        ("qhaigc: {~: A lighthouse}", ["the name None is read as empty", "quotes"]),
        ("qhaigc: {my hero: A lighthouse}", ["1 to 64 letters", "'my-hero'"]),
        ("qhaigc: {a/b: A lighthouse}", ["1 to 64 letters", "'a-b'"]),
        ("qhaigc: {../x: A lighthouse}", ["1 to 64 letters", "'x'"]),
        ("qhaigc: {'': A lighthouse}", ["1 to 64 letters", "'hero'"]),
        (f"qhaigc: {{{'n' * 65}: A lighthouse}}", ["1 to 64 letters", f"'{'n' * 64}'"]),
        (f"qhaigc: {{{chr(0x20000) * 64}: Longer in bytes than a file's name can be}}", ["1 to 64 letters"]),
        ('qhaigc: {"a\\nb": A lighthouse}', ["1 to 64 letters", "'a-b'"]),
    ],
)
def test_a_directive_that_cannot_be_used_is_told_with_what_to_write(front_matter: str, parts: list[str]) -> None:
    problem = the_problem(front_matter)

    assert [part for part in parts if part not in problem] == []


@pytest.mark.parametrize(
    ("field", "parts"),
    [
        ("alt: 12", ["`alt` is 12 (a number)", "Write a text in quotes", 'alt: ""']),
        ("alt: false", ["`alt` is false (a yes/no value)", "Write a text in quotes"]),
        ("alt: [a]", ["`alt` is a list", "Write a text in quotes"]),
        ('alt: "half \\ud83d"', ["`alt` holds half of a character", "Write it anew"]),
        ("model: 4.0", ["`model` is 4.0 (a number)", "qh-draw-x2-preview", "quotes"]),
        ("model: ''", ["`model` is empty", "qh-draw-x2-preview"]),
        ("model:", ["`model` is missing", "qh-draw-x2-preview"]),
        ("size: '12'", ["`size` is '12'", "WIDTHxHEIGHT", "1280x720"]),
        ("size: 1024", ["`size` is 1024 (a number)", "WIDTHxHEIGHT", "a ratio in quotes", "2K"]),
        ("size: none", ["`size` is 'none'", "`models: {MODEL: {size: none}}`"]),
        ("crop: 2K", ["`crop` is '2K'", "WIDTHxHEIGHT", "example 1200x630; or a ratio"]),
        ("focus: 30", ["`focus` is 30 (a number)", "30% 40%", "bottom right"]),
        ("focus: middle", ["`focus` is 'middle'"]),
        ("focus: 40% left", ["`focus` is '40% left'"]),
        ("focus: 130% 0%", ["`focus` is '130% 0%'"]),
        ("background: none", ["`background` is 'none'. Write one of transparent, opaque, auto"]),
        ("background: auto\n    params: {background: opaque}", ["`background` stands here and in `params`"]),
        ("size: '1:0'", ["`size` is '1:0'", "WIDTHxHEIGHT", "example 1280x720"]),
        ("crop: 1200", ["`crop` is 1200 (a number)", "WIDTHxHEIGHT", "example 1200x630"]),
        ("size: 1280", ["`size` is 1280 (a number)", "WIDTHxHEIGHT"]),
        ("size: 8x8", ["`size` is '8x8'", "16 to 16383"]),
        ("size: [1280, 720]", ["`size` is a list", "WIDTHxHEIGHT"]),
        ("size: true", ["`size` is true", "WIDTHxHEIGHT"]),
        ("size:", ["`size` is empty", "WIDTHxHEIGHT"]),
        ("variant: 0", ["`variant` is 0", "1, 2, 3"]),
        ("variant: '2'", ["`variant` is '2'", "1, 2, 3"]),
        ("variant: true", ["`variant` is true", "1, 2, 3"]),
        ("variant: 1.5", ["`variant` is 1.5", "1, 2, 3"]),
        (f"variant: 0x{'f' * 5000}", ["`variant` is a very large number", "1, 2, 3"]),
        ("style: 3", ["`style` is 3 (a number)", "`styles`"]),
        ("style: inc", ["no style 'inc'", "Did you mean `ink`?"]),
        ("style: zzzzzz", ["no style 'zzzzzz'", "ink, photo", "more than one word"]),
        ("place: bottom", ["`place` is 'bottom'", "after-title, top, none"]),
        ("place: true", ["`place` is true", "after-title, top, none"]),
        ("priority: 1", ["`priority` is 1", "true or false"]),
        ("priority: 'yes'", ["`priority` is 'yes'", "true or false"]),
        ("params: hd", ["`params` is 'hd'", "{quality: hd}"]),
        ("params: [a]", ["`params` is a list", "{quality: hd}"]),
        ("params: {1: a}", ["`params` is a mapping", "{quality: hd}"]),
        ("params: {prompt: B}", ["`params` sets `prompt`", "`prompt` beside `params`"]),
        ("params: {model: B}", ["`params` sets `model`", "`model` beside `params`"]),
        ("params: {size: B}", ["`params` sets `size`", "`size` beside `params`"]),
        ("params: {n: 2}", ["`params` sets `n`", "the plugin's options"]),
        ("params: {response_format: url}", ["`params` sets `response_format`", "the plugin's options"]),
        ("params: {stream: true}", ["`params` sets `stream`", "Leave it out"]),
        ("params: {until: 2026-11-02}", ["what JSON cannot say", "date", "quotes"]),
        ("params: {x: .nan}", ["what JSON cannot say", "quotes"]),
        ("params: {x: -.inf}", ["what JSON cannot say"]),
        ("params: {x: !!binary aGk=}", ["what JSON cannot say"]),
        ("params: {x: !!set {a, b}}", ["what JSON cannot say"]),
        ("params: &a {x: *a}", ["what JSON cannot say"]),
        ('params: {x: "\\ud83d"}', ["what JSON cannot say"]),
        (f"params: {{x: 0x{'f' * 5000}}}", ["what JSON cannot say"]),
        ("seed: 42", ["`seed` is a field of the API's request body", "Write `params: {seed: 42}`"]),
        ("seed: 42\n    params: {quality: hd}", ["Write `params: {quality: hd, seed: 42}`"]),
        ("negative_prompt: 'people, text'", ['Write `params: {negative_prompt: "people, text"}`']),
        (f"negative_prompt: '{'people ' * 20}'", ["Write `params: {negative_prompt: …}`"]),
        ("watermark: false", ["Write `params: {watermark: false}`"]),
        ("guidance_scale: 2.5", ["Write `params: {guidance_scale: 2.5}`"]),
        ("seed: 2026-11-02", ["Write `params: {seed: …}`"]),
        ("n: 2", ["`n` is a field of the API's request body", "`variant: 2`"]),
        ("response_format: url", ["`response_format` is a field of the API's request body", "plugin's options"]),
        ("dark: [a]", ["`dark` is a list", "`dark: A lighthouse at night`"]),
        ("dark: {variant: 2}", ["`dark.prompt` is missing", "`dark: A lighthouse at night`"]),
        ("dark: {prompt: '{{ a }}'}", ["`dark.prompt` holds"]),
        ("dark: {prompt: A, variant: 0}", ["`dark.variant` is 0", "whole number"]),
        ("dark: {prompt: A, variant: null}", ["`dark.variant` is"]),
        ("dark: {prompt: A, style: ink}", ["`dark` has the field 'style'", "remove it"]),
        ("dark: {prompt: A, 3: ink}", ["`dark` has the field 3", "remove it"]),
        ("dark: 'A {{ thing }}'", ["`dark` holds '{{ thing }}'", "Write out"]),
        ("style: 'bold {{ thing }}'", ["`style` holds '{{ thing }}'", "Write out"]),
        ("sise: 64x64", ["no field 'sise'", "Did you mean `size`?"]),
        ("priorty: true", ["no field 'priorty'", "Did you mean `priority`?"]),
        ("colour: red", ["no field 'colour'", *FIELDS]),
        ("1: red", ["no field 1", *FIELDS]),
        ("yes: red", ["no field True", *FIELDS]),
        (f"? 0x{'f' * 5000}\n    : red", ["no field a very large number", *FIELDS]),
    ],
)
def test_a_field_that_cannot_be_used_is_told_with_what_to_write(field: str, parts: list[str]) -> None:
    problem = field_problem(field)

    assert problem.startswith("image 'hero': ")
    assert [part for part in parts if part not in problem] == []


def test_one_bad_directive_leaves_the_others() -> None:
    directives, problems = read("qhaigc: {one: One, two: {prompt: Two, size: 12}, 3: Three, four: {prompt: Four}}")

    assert list(directives) == ["one", "four"]
    assert [problem.name for problem in problems] == ["two", "3"]


def test_all_mistakes_of_a_directive_are_problems_in_the_order_of_its_fields() -> None:
    directives, problems = read(
        """
        qhaigc:
          hero:
            size: 12
            alt: 3
            colour: red
            seed: 42
            place: bottom
            priority: 1
            variant: 0
            crop: 9
            caption: 4
            sizes: 5
            style: 6
            model: 7
            params: 8
            prompt: 9
            dark: 10
          my hero: {prompt: A, size: 13}
          other: A lighthouse
        """
    )

    assert list(directives) == ["other"]
    fields = ["size", "alt", "colour", "seed", "place", "priority", "variant", "crop", "caption", "sizes", "style"]
    hero = [problem.field for problem in problems if problem.name == "hero"]
    assert hero == [*fields, "model", "params", "prompt", "dark"]
    assert [problem.field for problem in problems if problem.name == "my hero"] == [None, "size"]


def test_the_mistakes_beside_a_misspelt_prompt_are_problems_and_the_prompt_is_not_called_missing() -> None:
    whole = [str(problem) for problem in read("qhaigc: {promt: A, alt: 3, size: 12}")[1]]
    named = [str(problem) for problem in read("qhaigc: {hero: {promt: A, alt: 3, size: 12}}")[1]]

    assert len(whole) == len(named) == 3
    assert "`promt` is probably meant to be `prompt`" in whole[0]
    assert "Did you mean `prompt`?" in named[0]
    assert whole[1:] == named[1:]
    assert "missing" not in " ".join([*whole, *named])


@pytest.mark.parametrize("body", ["seed: 42", "quality: hd", "watermark: false", "seed: "])
def test_a_field_of_the_request_body_beside_images_is_no_image(body: str) -> None:
    directives, problems = read(f"qhaigc: {{hero: A lighthouse, {body}}}")

    assert list(directives) == ["hero"]
    assert "is a field of the API's request body, and stands beside images. Write `params: {" in str(problems[0])


def test_an_image_may_have_the_name_of_a_field_of_the_request_body() -> None:
    assert list(read_well("qhaigc: {background: A misty forest, seed: {prompt: A seed}}")) == ["background", "seed"]


def test_a_new_field_leaves_images_of_its_name_alone() -> None:
    """They could be declared so before there was the field."""
    assert list(read_well("qhaigc: {focus: An eye chart, background: Blue sky}")) == ["focus", "background"]
    assert "`qhaigc` has the field `background`" in str(read("qhaigc: {background: transparent}")[1][0])
    assert "the field `focus` stands beside" in str(read("qhaigc: {a: {prompt: A}, focus: top left}")[1][0])


@pytest.mark.parametrize(
    ("size", "model", "asked", "ratio", "sides"),
    [
        ("1280x720", "qh-draw-x2-preview", "1280x720", None, (1280, 720)),
        ("16:9", "qh-draw-x2-preview", "1280x720", (16, 9), (1280, 720)),
        ("'4:3'", "qh-draw-x2-preview", "1792x1024", (4, 3), (1792, 1024)),
        ("4:3", "gpt-image-2", "1152x864", (4, 3), (1152, 864)),
        ("19:10", "flux", "1520x800", (19, 10), (1520, 800)),
        ("2K", "doubao-seedream-4-0-250828", "2K", None, (2048, 2048)),
        ("auto", "gpt-image-2", "auto", None, (1024, 1024)),
        ("2K", "flux", "2K", None, (1024, 1024)),
        ("9:16", "house", "720x1280", (9, 16), (720, 1280)),
        ("2K", "house", "2K", None, (2560, 1440)),
        ("640x480", "sizeless", "640x480", (4, 3), (640, 480)),
        ("3:2", "sizeless", "1248x832", (3, 2), (1248, 832)),
    ],
)
def test_a_size_is_pixels_or_a_ratio_or_a_word_of_the_service(
    size: str, model: str, asked: str, ratio: tuple[int, int] | None, sides: tuple[int, int]
) -> None:
    models: ModelTable = {
        "house": {"sizes": ["720x1280", "1280x720"], "size_tokens": {"2K": "2560x1440"}},
        "sizeless": {"size": "none"},
    }
    if size == "19:10":
        size = "'19:10'"  # no usual one: the number that YAML makes of it may be something else
    defaults = DEFAULTS._replace(models=models)
    front = f"{{hero: {{prompt: A lighthouse, model: {model}, size: {size}}}}}"
    hero = read_directives(yaml.safe_load(front), defaults)[0]["hero"]
    option = Size().check("size", yaml.safe_load(size))
    by_option = read_directives("A lighthouse", defaults._replace(model=model, size=option))[0]["hero"]

    assert (hero.request.size, hero.ratio, (hero.request.width, hero.request.height)) == (asked, ratio, sides)
    assert (hero.request.of_variant(2).width, hero.request.of_variant(2).height) == sides
    assert by_option == hero


@pytest.mark.parametrize(
    ("focus", "point"),
    [
        ("30% 40%", (30, 40)),
        ("30%", (30, 50)),
        ("top", (50, 0)),
        ("left", (0, 50)),
        ("center", (50, 50)),
        ("top left", (0, 0)),
        ("left top", (0, 0)),
        ("bottom right", (100, 100)),
        ("center top", (50, 0)),
        ("left 20%", (0, 20)),
    ],
)
def test_a_focus_is_a_point_in_percent_or_words(focus: str, point: tuple[int, int]) -> None:
    hero = read_well(f"qhaigc: {{hero: {{prompt: A, focus: {focus}, crop: 2:1}}}}")["hero"]
    assert (hero.focus, hero.crop) == (point, (1200, 600))


def test_a_background_is_a_field_of_the_request_body() -> None:
    by_field = read_well("qhaigc: {hero: {prompt: A, background: transparent, params: {quality: high}}}")["hero"]
    by_params = read_well("qhaigc: {hero: {prompt: A, params: {quality: high, background: transparent}}}")["hero"]
    assert by_field.request == by_params.request
    assert by_field.request.transparent
    assert not read_well("qhaigc: {hero: {prompt: A, background: opaque}}")["hero"].request.transparent


def test_a_page_has_one_main_picture() -> None:
    directives, problems = read(
        "qhaigc: {a: {prompt: A, priority: true}, b: {prompt: B, priority: true}, c: {prompt: C, priority: false}}"
    )

    assert {name: directive.priority for name, directive in directives.items()} == {"a": True, "b": False, "c": False}
    assert str(problems[0]).startswith("image 'b': `priority: true` stands at 'a' already")
    assert "Remove one" in problems[0].message


@pytest.mark.parametrize("depth", range(800, 1100, 7))
def test_params_nested_as_deep_as_anchors_allow_are_a_request_or_a_problem(depth: int) -> None:
    nested: list[Any] = []
    for _ in range(depth):
        nested = [nested]

    directives, problems = read_directives({"hero": {"prompt": "A", "params": {"x": nested}}}, DEFAULTS)

    assert len(directives) + len(problems) == 1


@pytest.mark.parametrize(("word", "meant"), [("promt", "prompt"), ("Size", "size"), ("zzz", None), (12, None)])
def test_the_nearest_known_word_is_found(word: object, meant: str | None) -> None:
    assert closest_match(word, FIELDS) == meant


def recursive_list() -> list[Any]:
    items: list[Any] = ["A lighthouse"]
    items.append(items)
    return items


def recursive_mapping() -> dict[str, Any]:
    mapping: dict[str, Any] = {"prompt": "A lighthouse"}
    mapping["params"] = mapping
    return mapping


any_text = st.text(st.characters(exclude_categories=()), max_size=12)
scalars = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | any_text
    | st.dates()
    | st.datetimes()
    | st.binary(max_size=4)
    | st.sampled_from([4000, 5000]).map(lambda digits: 16**digits)  # YAML reads 0x… of any length
    | st.sampled_from([math.nan, math.inf, "ink", "64x64", "after-title", 1, True, "\ud800"])
)
keys = st.sampled_from([*FIELDS, "promt", "hero", "params"]) | scalars.filter(lambda scalar: scalar == scalar)
values = st.recursive(
    scalars | st.builds(recursive_list) | st.builds(recursive_mapping),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(keys, inner, max_size=5),
    max_leaves=25,
)
images = st.fixed_dictionaries(
    {"prompt": st.just("A lighthouse") | values}, optional={field: values for field in FIELDS if field != "prompt"}
)


@settings(max_examples=200, deadline=None)
@given(values | st.dictionaries(keys, images, max_size=3), st.sampled_from([DEFAULTS, NO_STYLES]))
@example(recursive_mapping(), DEFAULTS)
@example({"hero": recursive_list()}, DEFAULTS)
@example({"a": {"prompt": "A", datetime.date(2026, 11, 2): 1}}, DEFAULTS)
@example({"a": {"prompt": "A", "params": {"x": {datetime.date(2026, 11, 2): 1}}}}, DEFAULTS)
@example({"prompt\n": "A", "alt": "b"}, DEFAULTS)
def test_whatever_yaml_makes_is_directives_or_problems(value: Any, defaults: Defaults) -> None:
    directives, problems = read_directives(value, defaults)

    assert directives or problems
    for name, directive in directives.items():
        assert directive.name == name
        assert len(directive.request.key) == 64
        assert set(directive.request.key) <= set("0123456789abcdef")
        f"{name}{directive.alt}{directive.request.prompt}".encode()
    for problem in problems:
        assert len(str(problem).splitlines()) == 1
        str(problem).encode()


def test_fields_of_the_whole_site_are_sent_with_every_image_and_a_directive_overrides_them() -> None:
    defaults = NO_STYLES._replace(params={"quality": "low", "moderation": "low"})
    value = {"own": {"prompt": "x", "params": {"quality": "high", "seed": 7}}, "plain": "x"}
    directives, problems = read_directives(value, defaults)
    assert problems == []
    assert dict(directives["own"].request.params) == {"quality": "high", "moderation": "low", "seed": 7}
    assert dict(directives["plain"].request.params) == {"quality": "low", "moderation": "low"}
    written_out, _ = read_directives(
        {"plain": {"prompt": "x", "params": {"quality": "low", "moderation": "low"}}}, NO_STYLES
    )
    assert directives["plain"].request.key == written_out["plain"].request.key
