"""References in a page's Markdown, for plugins that read that."""

from __future__ import annotations

import pytest

from mkdocs_qhaigc.directives.markdown_for_other_plugins import resolve_source, strip_source, unquote_source

PAGE = """# Title

![](qhaigc:a) and ![own](qhaigc:a#only-dark){ .x }, `![](qhaigc:a)`, ![](qhaigc:b), [all](<qhaigc:a>)

<img src="qhaigc:a" alt="">

```
![](qhaigc:a)
```

[label]: qhaigc:a
"""


def resolve(name: str) -> tuple[str, str | None] | None:
    return ("https://example.com/a.webp", "A [tall] tower") if name == "a" else None


def test_references_outside_of_code_become_addresses_and_images_without_a_text_get_theirs() -> None:
    assert resolve_source(PAGE, resolve) == (
        PAGE.replace("![](qhaigc:a) and", r"![A \[tall\] tower](https://example.com/a.webp) and")
        .replace("qhaigc:a#only-dark", "https://example.com/a.webp")
        .replace("<qhaigc:a>", "<https://example.com/a.webp>")
        .replace('src="qhaigc:a"', 'src="https://example.com/a.webp"')
        .replace("[label]: qhaigc:a", "[label]: https://example.com/a.webp")
    )


def test_switched_off_images_and_links_are_their_text() -> None:
    stripped = strip_source(PAGE)

    assert stripped.startswith("# Title\n\n and own{ .x }, `![](qhaigc:a)`, , all\n")
    assert "```\n![](qhaigc:a)\n```" in stripped


def test_what_has_no_references_is_as_it_was() -> None:
    assert resolve_source("![](a.png)\n", resolve) == strip_source("![](a.png)\n") == "![](a.png)\n"


@pytest.mark.parametrize(
    ("quoted", "plain"),
    [
        ("![A](../qhaigc%3Aa)", "![A](qhaigc:a)"),
        ('![A](./../qhaigc%3aa "T"){ .x }', '![A](qhaigc:a "T"){ .x }'),
        ("![](qhaigc%3Aa.md#only-dark)", "![](qhaigc:a#only-dark)"),
        ("![qhaigc:a](qhaigc%3Aa)", "![](qhaigc:a)"),
        ("![qhaigc:a#only-dark](qhaigc%3Aa#only-dark)", "![](qhaigc:a#only-dark)"),
        ("[![](qhaigc%3Aa)](<../qhaigc%3Aa>)", "[![](qhaigc:a)](<qhaigc:a>)"),
        ("[all of it](qhaigc%3A%E6%B8%AF)", "[all of it](qhaigc:%E6%B8%AF)"),
        ("[label]: qhaigc%3Aa\n", "[label]: qhaigc:a\n"),
        ("`![](qhaigc%3Aa)` and qhaigc%3Aa", None),
        ("```\n![](qhaigc%3Aa)\n```\n", None),
        ("![](https://example.com/qhaigc%3Aa)", None),
    ],
)
def test_what_plugins_for_wiki_links_make_of_a_reference_is_one_again(quoted: str, plain: str | None) -> None:
    assert unquote_source(quoted) == (plain or quoted)
    assert unquote_source(f"Text\n\n{quoted}\n\ntext") == f"Text\n\n{plain or quoted}\n\ntext"
