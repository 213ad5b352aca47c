"""References in a page's Markdown, for plugins that read that."""

from __future__ import annotations

from mkdocs_qhaigc.directives.markdown_references import resolve_source, strip_source

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
