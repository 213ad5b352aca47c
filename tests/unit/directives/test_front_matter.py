"""Front matter is read as engines read it, and where they do not, the message says why."""

from __future__ import annotations

import re

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from mkdocs.utils.meta import get_data

from mkdocs_qhaigc.directives.front_matter import META_KEY, broken_front_matter, read_front_matter

PARTS = (
    "---",
    "...",
    "\n",
    "\n---\n",
    "qhaigc: x\n",
    "qhaigc:\t",
    "title: ",
    '"',
    "{",
    "}",
    "[a, b]",
    ": ",
    "- ",
    "    more\n",
    "\t",
    "\ufeff",
    "\x85",
    "\x00",
    "\\ud83d\\ude00",
    "&a ",
    "*a",
    "<<: ",
    "1: ",
    "~",
    "2024-13-01",
    "Key: value\n",
    "# Title\n",
    " ",
)


@given(st.lists(st.sampled_from(PARTS), max_size=12).map("".join))
@example("---\n---\nqhaigc: x\n---\n")
@example("---\nqhaigc: x\n---")
@example("---\nqhaigc:\tx\n---\n")
@example("---\nqhaigc: x\nqhaigc: y\n...\n# Title\n")
@example("---\na: &a {prompt: x}\nqhaigc: {hero: {<<: *a}, 1: y}\n---\n")
@example("Qhaigc: one\n    two\nQHAIGC: three\n\nqhaigc: four\n")
@settings(max_examples=500)
def test_front_matter_is_what_mkdocs_reads(text: str) -> None:
    assert repr(read_front_matter(text, headers=True)) == repr(get_data(text)[1])


def test_zensical_reads_no_headers_and_front_matter_that_ends_the_page() -> None:
    assert read_front_matter("qhaigc: x\n\n# Title\n", headers=False) == {}
    assert read_front_matter("---\nqhaigc: x\n---", headers=False) == {"qhaigc": "x"}


@pytest.mark.parametrize(
    ("front", "line", "reason"),
    [
        ('qhaigc: "\\ud83d\\ude00"', 2, "a backslash in double quotes begins an escape"),
        ('{"title": "x",\n "qhaigc": "\\ud83d\\ude00"}', 3, "a backslash in double quotes begins an escape"),
        ('{"title": "\\ud83d\\ude00", "qhaigc": {"hero": "x"}}', 2, "write the character itself"),
        ('qhaigc: "C:\\docs"', 2, "use single quotes"),
        ("title: x\nqhaigc:\n\thero: x", 4, "a tab stands where blanks must"),
        ("title: a\x00b\nqhaigc: x", 2, "the character U+0000: remove it"),
        ("qhaigc: x\ntitle: a\x07b", 3, "the character U+0007: remove it"),
        ("title: a\x85b\nqhaigc: x", 2, "the line break U+0085: remove it"),
        ('title: "a\x85b"\nqhaigc: a: b', 3, "a text that holds `: ` or begins with a sign needs quotes"),
        ("title: x\ndate: 2024-13-01\nqhaigc: x", 3, "'2024-13-01' is no timestamp: put it in quotes"),
        ("qhaigc: *bold* words", 2, "begins with a sign needs quotes"),
        ("qhaigc: {{ prompt }}", 2, "begins with a sign needs quotes"),
        ("title: x\nqhaigc:fog", 3, "behind a key there must be a colon and a blank"),
        ("qhaigc:\xa0fog", 2, "behind a key there must be a colon and a blank"),
        ("A line of text\nqhaigc: x", 3, "the front matter is no YAML"),
        ('"qhaigc": a: b', 2, "the front matter is no YAML"),
        ("<<: [a]\nqhaigc: x", 2, "expected a mapping for merging, but found scalar)"),
    ],
)
def test_the_line_and_the_reason_of_what_mkdocs_does_not_read_are_named(front: str, line: int, reason: str) -> None:
    text, meta = get_data(f"---\n{front}\n---\n# Title\n")
    assert META_KEY not in meta
    problem = broken_front_matter(text) or ""
    assert problem.startswith(f"line {line}: ")
    assert reason in problem
    assert not re.search(r"[\x00-\x1f\x85]", problem)


@pytest.mark.parametrize("text", ["\ufeff---\nqhaigc: x\n---\n# Title\n", "---\nqhaigc: x\n---"])
def test_front_matter_that_mkdocs_takes_for_text_is_named(text: str) -> None:
    assert get_data(text)[1] == {}
    assert "line 1: the front matter is not read as such" in (broken_front_matter(text) or "")


@pytest.mark.parametrize(
    "text",
    [
        "---\n\nBetween two lines `qhaigc: x` is text.\n\n---\n\nMore\n",
        "---\ntitle: a: b\n---\n# Title\n",
        "# Title\n\n---\nqhaigc: x\n---\n",
        "---\n- qhaigc: x\n---\n",
        "---\n\nText\n\n```yaml\n---\nqhaigc: a: b\n---\n```\n",
    ],
)
def test_a_page_that_declares_no_image_has_no_problem(text: str) -> None:
    assert broken_front_matter(text) is None
