"""The mistakes of authors that no engine reports, and the lines of a page's source that messages name."""

from __future__ import annotations

import itertools

import pytest

from mkdocs_qhaigc.directives.directive import Problem
from mkdocs_qhaigc.directives.repeated_keys import RepeatedKey, repeated_keys
from mkdocs_qhaigc.directives.source_locations import directive_line, lines_without_alt, problem_line
from tests.conftest import Project
from tests.helpers.api import ImagesApi
from tests.helpers.commands import answer, run

PAGE = """---
title: hero
hero: ![](qhaigc:hero)
qhaigc:
  hero:
    prompt: A tower
  "灯塔": 海
---
# Title

![A view](qhaigc:hero)
![ ](qhaigc:hero) and ![](<qhaigc:hero>)

```md
![](qhaigc:hero)
```

<img alt="A view" src="qhaigc:hero"> <img src='qhaigc:hero' class="x">
<img src="qhaigc:hero"
  alt="A view">

<!-- ![](qhaigc:hero)
--> `![](qhaigc:hero)` ``x`![](qhaigc:hero)`` \\![](qhaigc:hero)
<script>"![](qhaigc:hero)"</script>

    ![](qhaigc:hero)

<img src="qhaigc:hero" alt=""> <img alt src="qhaigc:hero"> <img alt='' src="qhaigc:hero" role="presentation">
[large](qhaigc:hero) ![](qhaigc:heroine) ![][far]

[far]: qhaigc:far
![](qhaigc:%E7%81%AF%E5%A1%94)
"""


@pytest.mark.parametrize(
    ("name", "lines", "decided"),
    [("hero", [12, 12, 18], 2), ("heroine", [], 0), ("far", [], 0), ("灯塔", [], 0), ("none", [], 0)],
)
def test_the_lines_of_references_without_alt_are_found(name: str, lines: list[int], decided: int) -> None:
    found = lines_without_alt(PAGE, name)
    expected = {"heroine": PAGE.count("\n", 0, PAGE.index("![](qhaigc:heroine")) + 1}
    expected |= {"far": PAGE.count("\n", 0, PAGE.index("[far]: ")) + 1}
    expected |= {"灯塔": PAGE.count("\n", 0, PAGE.index("![](qhaigc:%E7")) + 1}
    assert found == (lines or ([expected[name]] if name in expected else []), decided)


@pytest.mark.parametrize(("name", "line"), [("hero", 5), ("灯塔", 7), ("other", 4)])
def test_the_line_of_a_directive_is_found_else_that_of_the_key(name: str, line: int) -> None:
    assert directive_line(PAGE, name) == line


DARK = """---
qhaigc:
  hero:
    prompt: A tower
    dark:
      prompt: Night
      variant: 0
      variant: none
      alt: x
---
"""


@pytest.mark.parametrize(
    ("field", "line"), [("dark", 5), ("dark.prompt", 6), ("dark.variant", 8), ("dark.alt", 9), ("dark.size", 5)]
)
def test_the_line_of_a_field_of_the_dark_image_is_found(field: str, line: int) -> None:
    assert problem_line(DARK, Problem("hero", "x", field)) == line
    assert problem_line(DARK.replace("  hero:\n", ""), Problem("hero", "x", field)) == line - 1


def test_a_field_that_the_dark_image_has_twice_is_found() -> None:
    assert repeated_keys(DARK) == [RepeatedKey("variant", 8, 7)]


WRITTEN = ("hero:", "hero :", "hero\t:", '"hero":', "'hero' :", '"h\\x65ro":', "? hero\n  :", "!!str hero:", "&b hero:")


@pytest.mark.parametrize(("first", "second"), [*itertools.product(WRITTEN, repeat=2)])
def test_a_name_is_found_twice_however_it_is_written(first: str, second: str) -> None:
    second = second.replace("&b", "&c")
    (found,) = repeated_keys(f"---\nqhaigc:\n  other: 16:9\n  {first} one\n  {second} two\n---\n")
    assert found.key == "hero"


@pytest.mark.parametrize(
    "fields",
    [
        "qhaigc: {hero: one, hero: two}\n",
        "qhaigc: {hero, hero}\n",
        "qhaigc:\n  &a hero: one\n  *a : two\n",
        "qhaigc:\n  it's: one\n  \"it's\": two\n",
        "qhaigc:\n  it': one\n  \"it'\": two\n",
        "qhaigc:\n  'it''': one\n  \"it'\": two\n",
        "qhaigc:\n  'a b ': one\n  \"a b \": two\n",
        "qhaigc:\n  'a:': one\n  \"a:\": two\n",
        "qhaigc:\n  a:b: one\n  'a:b': two\n",
        "qhaigc:\n  a: b\n  a:\n    prompt: c\n",
        "qhaigc:\n  hero:\n    prompt: a\n    alt: b\n    prompt: c\n",
        "qhaigc: one\ntitle: A page\nqhaigc: two\n",
        "qhaigc: one\r\nqhaigc: two\r\n",
    ],
)
def test_a_key_is_found_twice_in_every_form_of_yaml(fields: str) -> None:
    assert len(repeated_keys(f"---\n{fields}---\n")) == 1


def test_a_field_of_several_images_is_not_repeated() -> None:
    assert repeated_keys("---\nqhaigc:\n  a: {prompt: one}\n  b:\n    prompt: two\n---\n") == []


def test_a_page_without_a_word_of_it_has_no_line() -> None:
    assert directive_line("# Title\n", "hero") is None


HERO = {"hero": {"prompt": "fog", "alt": "Fog"}}


def told(warnings: list[str]) -> list[str]:
    return [warning.partition("qhaigc: ")[2] for warning in warnings]


def findings(project: Project) -> list[tuple[str, str]]:
    return [(found["kind"], found["message"]) for found in answer(project, "check")["findings"]]


REFERENCES = {
    "Qhaigc": "![x](Qhaigc:hero)",
    "qhiagc": "![x](qhiagc:hero)",
    "QHAIGC": "[![x](https://example.com/a.png)](QHAIGC:hero)",
    "qhaig": "![x](<qhaig:hero#only-dark>)",
    "haigc": "[y]: haigc:hero\n\n![x][y]",
    "Qhaigcs": '<img src="Qhaigcs:hero" alt="x">',
    "qhaicg": "<div style=\"background: url('qhaicg:hero')\">x</div>",
}


def test_an_image_that_is_shown_nowhere_for_its_misspelt_scheme_is_a_warning_with_page_and_line(
    project: Project,
) -> None:
    project.page("index.md", "# Home\n")
    expected = []
    for number, (scheme, reference) in enumerate(REFERENCES.items()):
        project.page(f"guide/{number}.md", f"# A\n\n{reference}\n", qhaigc=HERO)
        expected.append(f"guide/{number}.md, line 6: '{scheme}:hero' is no reference. Write `qhaigc:hero`")
    cold, warm = project.build(site="cold"), project.build(site="warm")
    assert sorted(told(cold.warnings)) == sorted(told(warm.warnings)) == expected
    assert sorted(findings(project)) == [("reference", message) for message in expected]
    assert project.build("--strict").code == 1


def test_a_misspelt_scheme_in_what_a_page_includes_is_told_without_a_line(project: Project) -> None:
    project.write("part.md", "![x](Qhaigc:hero)\n")
    project.config["markdown_extensions"] = [{"pymdownx.snippets": {"base_path": str(project.folder)}}]
    project.page("index.md", '# Home\n\n--8<-- "part.md"\n', qhaigc=HERO)
    assert told(project.build().warnings) == ["index.md: 'Qhaigc:hero' is no reference. Write `qhaigc:hero`"]


def test_check_finds_every_misspelt_scheme(project: Project, api: ImagesApi) -> None:
    """Also where the image is shown elsewhere, and on pages that declare nothing; builds look at none of these."""
    project.options["images"] = {"logo": {"prompt": "a kite", "alt": "A kite"}}
    project.page("index.md", "![](qhaigc:hero) ![](qhaigc:logo)\n\n![x](Qhaigc:hero)\n", qhaigc=HERO)
    project.page("b.md", "# B\n\n![x](QHAIGC:logo)\n")
    project.write("docs/c.md", "---\nimage: Qhaigc:logo\n---\n# C\n")
    built = project.build("--strict")
    assert built.code == 0, built.output
    assert findings(project) == [
        ("reference", "index.md, line 6: 'Qhaigc:hero' is no reference. Write `qhaigc:hero`"),
        ("reference", "b.md, line 3: 'QHAIGC:logo' is no reference. Write `qhaigc:logo`"),
        ("reference", "c.md, line 2: 'Qhaigc:logo' is no reference. Write `qhaigc:logo`"),
    ]


def test_what_only_looks_like_a_misspelt_scheme_is_nobodys_slip(project: Project) -> None:
    project.page(
        "index.md",
        "# Home\n\nQhaigc:hero, `![x](Qhaigc:hero)` and [magic](magic:hero), [mail](mailto:hero@example.com)\n\n"
        '```\n![x](qhiagc:hero)\n```\n\n<p title="qhiagc:hero">x</p>\n\n<!-- ![x](Qhaigc:hero) -->\n\n'
        "    ![x](Qhaigc:hero)\n",
        qhaigc=HERO,
        image="qhaigc:hero",
        description="Qhaigc: hero, qhiagc:hero",
    )
    built = project.build("--strict")
    assert built.code == 0, built.output
    assert findings(project) == []


def test_sync_finds_misspelt_schemes(project: Project) -> None:
    project.page("index.md", "# Home\n\n![x](Qhaigc:hero)\n", qhaigc=HERO)
    finished = run(project, "sync", "--out", "docs/assets/qhaigc")
    assert "Warning: index.md, line 6: 'Qhaigc:hero' is no reference. Write `qhaigc:hero`" in finished.stderr


def test_a_misspelt_key_of_the_front_matter_is_a_warning_with_page_key_and_line(project: Project) -> None:
    project.write("docs/index.md", "---\ntitle: Home\nqhiagc: A tower\n---\n# Home\n\n![x](qhiagc:hero)\n")
    project.write("docs/guide/b.md", "---\n'Qhaigc':\n  hero: {prompt: A tower, place: top}\n---\n# B\n")
    project.write("docs/guide/c.md", "Title: C\nQHAIG: A tower\n\n# C\n")
    project.write(
        "docs/d.md", "---\nqhaigc: {hero: {prompt: fog, alt: Fog}}\nhaigc: A tower\n---\n# D\n\n![](qhaigc:hero)\n"
    )
    said = "in the front matter is probably meant to be `qhaigc`. Correct it: nothing reads its images"
    expected = [
        f"d.md, line 3: the key 'haigc' {said}",
        f"guide/b.md, line 2: the key 'Qhaigc' {said}",
        f"guide/c.md: the key 'qhaig' {said}",
        f"index.md, line 3: the key 'qhiagc' {said}",
    ]
    cold, warm = project.build(site="cold"), project.build(site="warm")
    assert sorted(told(cold.warnings)) == sorted(told(warm.warnings)) == expected
    found = findings(project)
    assert sorted(message for kind, message in found if kind == "directive") == expected
    assert "index.md, line 7: 'qhiagc:hero' is no reference. Write `qhaigc:hero`" in dict(found)["reference"]
    assert project.build("--strict").code == 1


def test_keys_that_are_others_own_are_nobodys_slip(project: Project) -> None:
    own = {"quality": 1, "query": 1, "quaich": 1, "q": 1, "": 1, "qhaigc_note": 1, "aigc": True, "my_qhaigc": 1}
    project.page("index.md", "# Home\n", **own)
    project.write("docs/b.md", "---\n1: x\n2026-11-02: x\n~: x\n---\n# B\n")
    built = project.build("--strict")
    assert built.code == 0, built.output
    assert findings(project) == []


def test_sync_finds_misspelt_keys_and_takes_nothing_away_meanwhile(project: Project) -> None:
    project.page("index.md", "# Home\n", qhaigc=HERO)
    assert run(project, "sync", "--out", "docs/assets/qhaigc").returncode == 0
    project.page("index.md", "# Home\n", Qhaigc=HERO)
    finished = run(project, "sync", "--out", "docs/assets/qhaigc")
    assert finished.returncode == 1
    assert "Warning: index.md: the key 'Qhaigc' in the front matter is probably" in finished.stderr
    assert "0 removed" in finished.stdout


TWICE = """---
title: Home
qhaigc:
  hero: {prompt: fog, alt: Fog}
  # another one
  boat:
    prompt: a boat
    alt: A boat
    prompt: a ship
  "hero":
    prompt: a tower
    alt: A tower
---
# Home
"""


def test_builds_and_check_find_what_stands_twice_and_of_which_yaml_keeps_the_last(project: Project) -> None:
    advice = "the last one alone counts. Rename or remove one of the two"
    project.write("docs/index.md", TWICE)
    project.write("docs/b.md", "---\r\nqhaigc: fog\r\nqhaigc: a tower\r\n---\r\n# B\r\n")
    project.write("docs/c.md", "---\ntitle: x\ntitle: y\nqhaigc:\n  <<: {a: fog}\n  <<: {b: fog}\n---\n# C\n")
    built = project.build("--strict")
    assert built.code == 1
    assert built.output.count(advice) == 3  # as `check` finds them
    assert [finding for finding in findings(project) if finding[0] == "directive"] == [
        ("directive", f"index.md, line 10: 'hero' is on line 4 already; {advice}"),
        ("directive", f"index.md, line 9: 'prompt' is on line 7 already; {advice}"),
        ("directive", f"b.md, line 3: 'qhaigc' is on line 2 already; {advice}"),
    ]


def test_sync_finds_what_stands_twice_and_takes_nothing_away_meanwhile(project: Project) -> None:
    project.page("index.md", "# Home\n", qhaigc=HERO)
    assert run(project, "sync", "--out", "docs/assets/qhaigc").returncode == 0
    project.write("docs/index.md", TWICE)
    finished = run(project, "sync", "--out", "docs/assets/qhaigc")
    assert finished.returncode == 1
    assert "Warning: index.md, line 10: 'hero' is on line 4 already" in finished.stderr
    assert "0 removed" in finished.stdout


def test_an_image_in_a_figure_is_described_by_a_caption_with_words() -> None:
    described = "<figure markdown>\n![](qhaigc:hero)\n<figcaption>A tower</figcaption>\n</figure>\n\n"
    empty = described.replace("A tower", " ")
    raw = '<figure><img src="qhaigc:hero" alt=""><figcaption>A tower</figcaption></figure>\n'
    assert lines_without_alt(described + raw, "hero") == ([], 0)
    assert lines_without_alt(described + empty + raw, "hero") == ([7], 0)
