"""Which line of a page's source a message names."""

from __future__ import annotations

import pytest

from mkdocs_qhaigc.directives.lines import directive_line, lines_without_alt

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


def test_a_page_without_a_word_of_it_has_no_line() -> None:
    assert directive_line("# Title\n", "hero") is None
