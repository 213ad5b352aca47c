"""Which line of a page's source a message names."""

from __future__ import annotations

import pytest

from mkdocs_qhaigc.lines import directive_line, lines_without_alt

PAGE = """---
title: hero
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

[large](qhaigc:hero) ![](qhaigc:heroine) ![][far]

[far]: qhaigc:far
![](qhaigc:%E7%81%AF%E5%A1%94)
"""


@pytest.mark.parametrize(
    ("name", "lines"), [("hero", [11, 11, 17]), ("heroine", [21]), ("far", [23]), ("灯塔", [24]), ("none", [])]
)
def test_the_lines_of_references_without_alt_are_found(name: str, lines: list[int]) -> None:
    assert lines_without_alt(PAGE, name) == lines


@pytest.mark.parametrize(("name", "line"), [("hero", 4), ("灯塔", 6), ("other", 3)])
def test_the_line_of_a_directive_is_found_else_that_of_the_key(name: str, line: int) -> None:
    assert directive_line(PAGE, name) == line


def test_a_page_without_a_word_of_it_has_no_line() -> None:
    assert directive_line("# Title\n", "hero") is None
