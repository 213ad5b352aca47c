"""Writing a variant into front matter: nothing else of the page changes, whatever the page looks like."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from mkdocs_qhaigc.directives.directive import Defaults
from mkdocs_qhaigc.directives.edit_front_matter import EDITABLE_FIELDS, front_matter, write_fields
from mkdocs_qhaigc.directives.front_matter import FRONT_MATTER
from mkdocs_qhaigc.directives.parse import read_directives
from mkdocs_qhaigc.errors import EditError

DEFAULTS = Defaults("any", "96x54")


def fields_of_hero(page: str) -> dict[str, Any]:
    """Return the editable fields that a page's front matter gives its image `hero`, as it gives them."""
    declared = front_matter(page)["qhaigc"]
    if isinstance(declared, dict) and ("prompt" not in declared or isinstance(declared["prompt"], dict)):
        declared = declared["hero"]
    written = {"prompt": declared} if isinstance(declared, str) else declared
    dark = written.get("dark", {})
    own = dark if isinstance(dark, dict) else {"prompt": dark}
    fields = {**written, **{f"dark.{field}": value for field, value in own.items()}}
    return {field: fields[field] for field in EDITABLE_FIELDS if field in fields}


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("qhaigc: Fog   # why\n", "qhaigc:\n  prompt: Fog   # why\n  variant: 3\n"),
        ("qhaigc: 'It''s: fog'\nb: 1\n", "qhaigc:\n  prompt: 'It''s: fog'\n  variant: 3\nb: 1\n"),
        ('qhaigc: "a\n  b"\n', 'qhaigc:\n  prompt: "a\n  b"\n  variant: 3\n'),
        ("qhaigc: A light\n  in fog\nb: 1\n", "qhaigc:\n prompt: A light\n  in fog\n variant: 3\nb: 1\n"),
        ("qhaigc:\n  Fog\n", "qhaigc:\n  prompt: Fog\n  variant: 3\n"),
        ("qhaigc: |+\n    x\n\n\n", "qhaigc:\n  prompt: |+\n    x\n\n\n  variant: 3\n"),
        (
            "qhaigc:\n    hero: Fog\n    b: c\n",
            "qhaigc:\n    hero:\n        prompt: Fog\n        variant: 3\n    b: c\n",
        ),
        (
            "qhaigc:\n  hero: >-\n    a\n    b\n  c: d\n",
            "qhaigc:\n  hero:\n   prompt: >-\n    a\n    b\n   variant: 3\n  c: d\n",
        ),
        ("qhaigc:\tFog\t# why\n", "qhaigc:\n  prompt: Fog\t# why\n  variant: 3\n"),
        ("qhaigc:\n  hero:\t{prompt:\tFog}\n", "qhaigc:\n  hero:\t{prompt:\tFog, variant: 3}\n"),
        ("title: \U0001f600 x\nqhaigc: Fog\n", "title: \U0001f600 x\nqhaigc:\n  prompt: Fog\n  variant: 3\n"),
        ("qhaigc:\n - not\n", None),
        ("qhaigc:\n  other: Fog\n", None),
        ("qhaigc:\n prompt: Fog # a\n alt: x\n", "qhaigc:\n prompt: Fog # a\n variant: 3\n alt: x\n"),
        (
            "qhaigc:\n  hero:\n    alt: x\n    prompt: >\n      a\n      b\n    # c\n    size: 96x54\n",
            "qhaigc:\n  hero:\n    alt: x\n    prompt: >\n      a\n      b\n    variant: 3\n    # c\n    size: 96x54\n",
        ),
        ("qhaigc: {prompt: a b , alt: ''}\n", "qhaigc: {prompt: a b, variant: 3 , alt: ''}\n"),
        ("qhaigc: {hero: a, b: c}\n", "qhaigc: {hero: {prompt: a, variant: 3}, b: c}\n"),
        ("qhaigc: {'prompt': 'a',}\n", "qhaigc: {'prompt': 'a', 'variant': 3,}\n"),
        ('{"qhaigc": {"hero": "fog"}, "t": 1}\n', '{"qhaigc": {"hero": {"prompt": "fog", "variant": 3}}, "t": 1}\n'),
        (
            "qhaigc:\n  hero:\n    prompt: x\n    variant:   1 # one\n",
            "qhaigc:\n  hero:\n    prompt: x\n    variant:   3 # one\n",
        ),
        ("qhaigc: {variant: 12, prompt: x}\n", "qhaigc: {variant: 3, prompt: x}\n"),
        ("p: &p Fog\nqhaigc: *p\n", "p: &p Fog\nqhaigc:\n  prompt: *p\n  variant: 3\n"),
        ("qhaigc:\n  hero: &p Fog\n  b: *p\n", "qhaigc:\n  hero:\n    prompt: &p Fog\n    variant: 3\n  b: *p\n"),
        (
            "qhaigc:\n  b: &b {prompt: x}\n  hero: *b\n",
            "qhaigc:\n  b: &b {prompt: x}\n  hero:\n    <<: *b\n    variant: 3\n",
        ),
        (
            "qhaigc:\n  b: &b {prompt: x, variant: 2}\n  hero:\n    <<: *b\n    alt: y\n",
            "qhaigc:\n  b: &b {prompt: x, variant: 2}\n  hero:\n    <<: *b\n    variant: 3\n    alt: y\n",
        ),
        ("qhaigc:\n  hero: &b {prompt: x}\n  b: *b\n", None),
        ("qhaigc:\n  hero: |-2\n      x\n", "qhaigc:\n  hero:\n   prompt: |-1\n      x\n   variant: 3\n"),
        ("qhaigc: >\n a\n b\n", "qhaigc:\n  prompt: >\n   a\n   b\n  variant: 3\n"),
        ("qhaigc: [\n", None),
        ("title: none\n", None),
    ],
)
@pytest.mark.parametrize("end", ["\n", "\r\n"], ids=["lf", "crlf"])
@pytest.mark.parametrize("mark", ["", "\ufeff"], ids=["plain", "bom"])
def test_the_smallest_edit_that_works_is_made(before: str, after: str | None, end: str, mark: str) -> None:
    def page(front: str) -> str:
        return f"{mark}---\n{front}---\n# Text\n\nqhaigc: no\n".replace("\n", end)

    if after is None:
        with pytest.raises(EditError):
            write_fields(page(before), "hero", {"variant": 3})
    else:
        assert write_fields(page(before), "hero", {"variant": 3}) == page(after)


def test_a_page_without_front_matter_in_yaml_is_refused() -> None:
    for page in ("# No front matter\n", "qhaigc: multimarkdown\n\ntext\n", ""):
        with pytest.raises(EditError):
            write_fields(page, "hero", {"variant": 2})


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("qhaigc: {prompt: a, alt: b}\n", "qhaigc: {prompt: a}\n"),
        ("qhaigc: {alt: b, prompt: a}\n", "qhaigc: {prompt: a}\n"),
        ("qhaigc: {prompt: a, # c\n  alt: b}\n", "qhaigc: {prompt: a, # c\n}\n"),
        ("qhaigc: {\n  alt: b, # c\n  prompt: a\n  }\n", "qhaigc: {\n # c\n  prompt: a\n  }\n"),
        ("qhaigc: {hero: {alt: b, # c\n  prompt: a}}\n", "qhaigc: {hero: { # c\n  prompt: a}}\n"),
        ("qhaigc: {\n  prompt: a # c\n  , alt: b # d\n  }\n", "qhaigc: {\n  prompt: a # c\n  , # d\n  }\n"),
        ("qhaigc: {\n  prompt: a, # c\n  alt: b,\n  size: 96x54}\n", "qhaigc: {\n  prompt: a, # c\n  size: 96x54}\n"),
    ],
)
def test_a_field_is_removed_from_braces_and_comments_stay(before: str, after: str) -> None:
    assert write_fields(f"---\n{before}---\n# Text\n", "hero", {"alt": None}) == f"---\n{after}---\n# Text\n"


def test_a_field_with_a_comment_within_is_not_removed_from_braces() -> None:
    with pytest.raises(EditError):
        write_fields("---\nqhaigc: {prompt: a, alt: # why\n  b}\n---\n", "hero", {"alt": None})


words = st.text("ab c#:'\"-é图,{}[]&*!|>%@`\\?0.", min_size=1, max_size=24).filter(str.strip)
fields = st.fixed_dictionaries(
    {"prompt": words},
    optional={
        "alt": words | st.none(),
        "caption": words,
        "dark": words | st.fixed_dictionaries({"prompt": words}, optional={"variant": st.integers(1, 9)}),
        "variant": st.integers(1, 99),
        "params": st.dictionaries(st.sampled_from("xyz"), st.one_of(st.integers(), words, st.lists(words)), max_size=2),
        "priority": st.just(False),
    },
)
directives = st.one_of(
    words,
    fields,
    st.fixed_dictionaries({"hero": words | fields}, optional={"other": words | fields, "图": words | fields}),
)


@st.composite
def pages(draw: st.DrawFn) -> str:
    """A page whose front matter has any of YAML's forms, with comments and other keys around ours."""
    values: dict[str, Any] = draw(
        st.dictionaries(st.sampled_from(["title", "tags", "z"]), words | st.lists(words), max_size=2)
    )
    before = draw(st.booleans())
    ours = {"qhaigc": draw(directives)}
    values = {**ours, **values} if before else {**values, **ours}
    if draw(st.integers(0, 4)) == 0:
        form: dict[str, Any] = {"indent": 2} if draw(st.booleans()) else {"separators": (",", ":")}
        front = json.dumps(values, ensure_ascii=draw(st.booleans()), **form) + "\n"
    else:
        style = draw(st.sampled_from([None, None, "'", '"', "|", ">"]))
        flow = draw(st.sampled_from([False, None, True]))
        form = {
            "indent": draw(st.integers(2, 8)),
            "width": draw(st.integers(8, 80)),
            "default_flow_style": flow,
        }
        front = yaml.safe_dump(values, default_style=style, allow_unicode=True, sort_keys=False, **form)
        if "!!int" in front:  # a quoted number, which nobody writes
            front = yaml.safe_dump(values, allow_unicode=False, sort_keys=False, **form)
    comment = draw(st.sampled_from(["", "# a comment: qhaigc\n", "\n"]))
    page = f"---\n{comment}{front}{comment}---\n# Text\n"
    return draw(st.sampled_from(["", "\ufeff"])) + page.replace("\n", draw(st.sampled_from(["\n", "\r\n"])))


@settings(deadline=None)  # a busy machine is no failure
@given(page=pages(), variant=st.integers(1, 10_000))
def test_whatever_the_page_only_the_variant_changes(page: str, variant: int) -> None:
    before, _ = read_directives(front_matter(page).get("qhaigc"), DEFAULTS)
    if "hero" not in before:  # a directive that cannot be used is nothing to choose for
        return
    edited = write_fields(page, "hero", {"variant": variant})
    after, _ = read_directives(front_matter(edited).get("qhaigc"), DEFAULTS)
    assert list(after) == list(before)
    assert after["hero"].request.variant == variant
    assert after["hero"].request.prompt == before["hero"].request.prompt
    assert {name: one for name, one in after.items() if name != "hero"} == {
        name: one for name, one in before.items() if name != "hero"
    }
    had, has = front_matter(page), front_matter(edited)
    del had["qhaigc"], has["qhaigc"]
    assert repr(had) == repr(has)
    assert _kept(page, edited)
    assert write_fields(edited, "hero", {"variant": variant}) == edited
    assert ("\r\n" in page) == ("\r\n" in edited)
    assert edited.replace("\r\n", "").count("\n") == (0 if "\r\n" in page else edited.count("\n"))


def _kept(page: str, edited: str) -> bool:
    """Whether what was there is there still, in its order: but for blanks, and the digits of an earlier variant."""
    rest = iter(edited)
    earlier = set("0123456789")
    return all(char in rest for char in page if not char.isspace() and char not in earlier)


def _flattened(wish: dict[str, Any]) -> dict[str, Any]:
    dark = wish.pop("dark", {})
    return {**wish, **{f"dark.{field}": one for field, one in dark.items()}}


def _wished(had: dict[str, Any], wish: dict[str, Any]) -> dict[str, Any]:
    """Return the fields that a page is to have."""
    return {field: value for field, value in {**had, **wish}.items() if field not in wish or value is not None}


def _writable(value: object) -> bool:
    """Whether UTF-8 has a text."""
    return not isinstance(value, str) or not any("\ud800" <= char <= "\udfff" for char in value)


def _without_hero(values: dict[str, Any]) -> str:
    """Return all values but the editable fields of the image."""
    ours = values["qhaigc"]
    whole = isinstance(ours, str) or ("prompt" in ours and not isinstance(ours["prompt"], dict))
    hero = ours if whole else ours["hero"]
    rest = (
        {field: one for field, one in hero.items() if field not in (*EDITABLE_FIELDS, "dark")}
        if isinstance(hero, dict)
        else {}
    )
    return repr({**values, "qhaigc": rest if whole else {**ours, "hero": rest}})


def _span(page: str) -> tuple[int, int]:
    """Return where the directive's key begins and where its value ends, as PyYAML says."""
    front = FRONT_MATTER.match(page)
    assert front
    node = yaml.compose(front[1])
    for word in ("qhaigc", "hero"):
        pairs = {key.value: (key, value) for key, value in node.value} if isinstance(node, yaml.MappingNode) else {}
        if word == "hero" and "prompt" in pairs and not isinstance(pairs["prompt"][1], yaml.MappingNode):
            break
        if word in pairs:
            key, node = pairs[word]
    assert key
    assert node
    return front.start(1) + key.start_mark.index, front.start(1) + node.end_mark.index


texts = (
    st.text("ab c#:'\"-é图😀,{}[]&*!|>%@`\\?0.\n\t", max_size=40)
    | st.lists(
        st.sampled_from(["fog", "a: b", "# c", "---", "...", "- d", "", "  e", "f ", "yes", "12", "~", "'", '"']),
        max_size=8,
    ).map("\n".join)
    | st.lists(st.sampled_from(["lighthouse", "in", "thick", "fog,", "it's", "é", "#1"]), min_size=20, max_size=60).map(
        " ".join
    )
    | st.sampled_from(
        [
            "\x00",
            "a\x85b",
            "\u2028",
            "\ufeff",
            "\x7f",
            "a\r\nb",
            "16:9",
            "2024-01-01",
            "null",
            "\ud83d",
            "=",
            "<<",
            "a\n",
        ]
    )
)
wishes = st.fixed_dictionaries(
    {},
    optional={
        "prompt": texts,
        **{field: st.none() | texts for field in ("alt", "caption", "model", "size", "style")},
        "variant": st.none() | st.integers(1, 10_000),
        "dark": st.fixed_dictionaries({"prompt": texts}, optional={"variant": st.none() | st.integers(1, 99)}),
    },
).map(_flattened)


@settings(deadline=None, derandomize=True, max_examples=200)
@given(page=pages(), wish=wishes)
def test_whatever_the_page_and_the_texts_only_the_fields_change(page: str, wish: dict[str, Any]) -> None:
    before = front_matter(page).get("qhaigc")
    if "hero" not in read_directives(before, DEFAULTS)[0]:
        return
    if "dark.variant" in wish and "dark.prompt" not in wish and "dark.prompt" not in fields_of_hero(page):
        del wish["dark.variant"]  # there is nothing that it could be the variant of
    writable = all(_writable(value) for value in wish.values())
    if not writable:
        with pytest.raises(EditError):
            write_fields(page, "hero", wish)
        return
    had = fields_of_hero(page)
    edited = write_fields(page, "hero", wish)
    assert fields_of_hero(edited) == _wished(had, wish)
    assert _without_hero(front_matter(edited)) == _without_hero(front_matter(page))
    start, end = _span(page)
    assert edited.startswith(page[:start])
    assert edited.endswith(page[end:])
    assert edited.count("# a comment: qhaigc") >= page.count("# a comment: qhaigc")
    assert write_fields(edited, "hero", wish) == edited
    assert ("\r\n" in page) == ("\r\n" in edited)
    assert edited.replace("\r\n", "").count("\n") == (0 if "\r\n" in page else edited.count("\n"))


WRITTEN = [
    "fog in town{comment}",
    "'it''s: fog'{comment}",
    '"a \\"fog\\" \\u00e9"\t{comment}',
    "fog that\n{deeper}goes on{comment}",
    "'fog: that'\n",
    '"fog\n{deeper}goes\n{deeper}on"{comment}',
    "|{comment}\n{deeper}fog\n{deeper}  and\n  \n{deeper}more\n\n",
    ">-{comment}\n{deeper}fog that\n{deeper}goes on\n\n{deeper}and ends",
    "|2+{comment}\n{column}    fog\n{column}  x\n\n\n",
    "\n{deeper}fog below{comment}",
    "!!str 12{comment}",
    "!!str  # of it\n{deeper}fog{comment}",
    ">2-\n{column}  fog\n{column}  that",
    "&fog fog{comment}",
]
"""Forms of a text in YAML."""


@st.composite
def parts_of_a_page(draw: st.DrawFn) -> list[tuple[str, str]]:
    """(field, its text with comments) of an image, with what is around it."""
    column = " " * draw(st.integers(3, 6))
    parts = [("", "---\n# first\ntitle: A  # title\nqhaigc: # ours\n  # images\n  hero: # hero\n")]
    named = draw(st.lists(st.sampled_from(["alt", "caption", "style", "dark", "size"]), unique=True))
    named.insert(draw(st.integers(0, len(named))), "prompt")
    anchored = False
    for field in named:
        forms = WRITTEN[:-1] if anchored else WRITTEN
        form = draw(st.sampled_from(forms))
        anchored = anchored or form == WRITTEN[-1]
        key = draw(st.sampled_from(["", "'", '"']))
        text = form.format(comment=draw(st.sampled_from(["", f"  # of {field}"])), column=column, deeper=column + "   ")
        parts.append((field, f"{column}{key}{field}{key}: {text.rstrip(' ')}\n".replace("\n\n\n\n", "\n\n\n")))
        if draw(st.booleans()):
            parts.append(("", f"{column}# behind {field}\n"))
    parts.append(("", "  other: B # b\ntags: [x, y]  # tags\n---\n# Text\n\nprompt: no\n"))
    return parts


@settings(deadline=None, derandomize=True, max_examples=200)
@given(parts=parts_of_a_page(), wish=wishes, end=st.sampled_from(["\n", "\r\n"]))
def test_other_fields_and_all_comments_stay_as_they_are_written(
    parts: list[tuple[str, str]], wish: dict[str, Any], end: str
) -> None:
    page = "".join(part for _, part in parts).replace("\n", end)
    had = fields_of_hero(page)
    wish = {field: value for field, value in wish.items() if _writable(value)}
    if "dark.variant" in wish and wish.get("dark.prompt", had.get("dark.prompt")) is None:
        del wish["dark.variant"]
    edited = write_fields(page, "hero", wish)
    assert fields_of_hero(edited) == _wished(had, wish)
    begin = 0
    touched = {field.partition(".")[0] for field, value in wish.items() if repr(had.get(field)) != repr(value)}
    for field, part in parts:
        expected = re.findall(r"(?<=\s)# [a-z ]+", part) if field in touched else [part.rstrip("\n").replace("\n", end)]
        for text in expected:
            found = edited.find(text, begin)
            assert found >= begin, (field, text)
            begin = found + len(text)
    assert write_fields(edited, "hero", wish) == edited
