"""Writing a variant into front matter: nothing else of the page changes, whatever the page looks like."""

from __future__ import annotations

import json
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from mkdocs_qhaigc.directives.edit import front_matter, write_variant
from mkdocs_qhaigc.directives.model import Defaults
from mkdocs_qhaigc.directives.parse import read_directives
from mkdocs_qhaigc.errors import EditError

DEFAULTS = Defaults("any", "96x54")


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
        ("qhaigc: >\n a\n b\n", None),
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
            write_variant(page(before), "hero", 3)
    else:
        assert write_variant(page(before), "hero", 3) == page(after)


def test_a_page_without_front_matter_in_yaml_is_refused() -> None:
    for page in ("# No front matter\n", "qhaigc: multimarkdown\n\ntext\n", ""):
        with pytest.raises(EditError):
            write_variant(page, "hero", 2)


words = st.text("ab c#:'\"-é图,{}[]&*!|>%@`\\?0.", min_size=1, max_size=24).filter(str.strip)
fields = st.fixed_dictionaries(
    {"prompt": words},
    optional={
        "alt": words,
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
        front = json.dumps(values, ensure_ascii=draw(st.booleans()), indent=draw(st.sampled_from([None, 2]))) + "\n"
    else:
        style = draw(st.sampled_from([None, None, "'", '"', "|", ">"]))
        flow = draw(st.sampled_from([False, None, True]))
        form: dict[str, Any] = {
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
    edited = write_variant(page, "hero", variant)
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
    assert write_variant(edited, "hero", variant) == edited
    assert ("\r\n" in page) == ("\r\n" in edited)
    assert edited.replace("\r\n", "").count("\n") == (0 if "\r\n" in page else edited.count("\n"))


def _kept(page: str, edited: str) -> bool:
    """Whether what was there is there still, in its order: but for blanks, and the digits of an earlier variant."""
    rest = iter(edited)
    earlier = set("0123456789")
    return all(char in rest for char in page if not char.isspace() and char not in earlier)
