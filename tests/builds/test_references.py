"""References on pages: each form of the contract, in two themes, on a page at the root and one in a folder."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import quote

import pytest

from tests.conftest import Built, Project
from tests.helpers.api import ImagesApi
from tests.helpers.pages import broken_urls, elements, text_of

EXTENSIONS = [
    "admonition",
    "attr_list",
    "def_list",
    "footnotes",
    "md_in_html",
    "tables",
    "pymdownx.details",
    "pymdownx.highlight",
    "pymdownx.inlinehilite",
    "pymdownx.superfences",
]
DIRECTIVES = {
    "hero": {"prompt": "A lighthouse in fog", "alt": "A tower"},
    "灯塔": "海边的灯塔",
    "tall": {"prompt": "A mast", "size": "54x96", "alt": "A mast"},
    "decoration": {"prompt": "Waves", "alt": ""},
}
MAIN = """{% extends "base.html" %}
{% block extrahead %}{% if page %}
<meta name="image" content="{{ page.meta.image }}">
<meta name="nested" content="{{ page.meta.social and page.meta.social.cards[1].image }}">
<meta name="text" content="{{ page.meta.note }}">
{% endif %}{% endblock %}
"""


@dataclass(frozen=True)
class Form:
    """One form of a reference, and the element that it becomes; `{NAME}` is the URL of an image."""

    markdown: str
    tag: str
    attributes: dict[str, str]


def image(markdown: str, **attributes: str) -> Form:
    """A form that becomes `<img>` of the image hero."""
    return Form(markdown, "img", {"src": "{hero}", "width": "96", "height": "54", **attributes})


FORMS = {
    "image": image("![A view](qhaigc:hero)", alt="A view", loading="lazy", decoding="async"),
    "image-without-alt": image("![](qhaigc:hero)", alt="A tower"),
    "decoration": image("![](qhaigc:decoration)", src="{decoration}", alt=""),
    "title": image('![A view](qhaigc:hero "At dusk")', title="At dusk"),
    "angle-brackets": image("![A view](<qhaigc:hero>)", alt="A view"),
    "within-a-sentence": image("Before ![A view](qhaigc:hero) after", alt="A view"),
    "reference-link": image("![A view][dusk]\n\n[dusk]: qhaigc:hero 'At dusk'", alt="A view", title="At dusk"),
    "link": Form("[large](qhaigc:hero)", "a", {"href": "{hero}"}),
    "linked-image": Form("[![A view](qhaigc:tall)](qhaigc:hero)", "a", {"href": "{hero}"}),
    "image-in-link": image("[![A view](qhaigc:tall)](qhaigc:hero)", src="{tall}", width="54", height="96"),
    "raw-src": image('<img src="qhaigc:hero" alt="A view" id="raw">', id="raw", alt="A view"),
    "raw-src-inline": image("Words <img alt='A view' src='qhaigc:hero' /> words", alt="A view"),
    "raw-unquoted": image("<img alt=view src=qhaigc:hero>", alt="view"),
    "raw-href": Form('<a href="qhaigc:hero" download>get it</a>', "a", {"href": "{hero}"}),
    "raw-srcset": Form(
        '<picture><source media="(min-width: 40em)" srcset="qhaigc:hero, qhaigc:tall 2x">'
        '<img src="qhaigc:tall" alt=""></picture>',
        "source",
        {"srcset": "{hero}, {tall} 2x"},
    ),
    "raw-poster": Form('<video poster="qhaigc:hero" preload="none"></video>', "video", {"poster": "{hero}"}),
    "raw-style": Form(
        '<div style="color: red; background: url(qhaigc:hero)">x</div>',
        "div",
        {"style": "color: red; background: url({hero})"},
    ),
    "raw-style-quoted": Form(
        "<div style=\"background: url('qhaigc:hero') no-repeat\">x</div>",
        "div",
        {"style": "background: url('{hero}') no-repeat"},
    ),
    "attributes": image(
        '![A view](qhaigc:hero){ #mine .framed title="At dusk" loading=eager style="border: 0" }',
        id="mine",
        title="At dusk",
        loading="eager",
        style="border: 0",
    ),
    "width-alone": image("![A view](qhaigc:hero){ width=48 }", width="48", height="27"),
    "height-alone": image("![A view](qhaigc:hero){ height=27 }", width="48", height="27"),
    "both-sides": image("![A view](qhaigc:hero){ width=30 height=30 }", width="30", height="30"),
    "list": image("- one\n\n    ![A view](qhaigc:hero)\n\n- two"),
    "quotation": image("> ![A view](qhaigc:hero)"),
    "table": image("| a | b |\n|---|---|\n| ![A view](qhaigc:hero) | x |"),
    "admonition": image("!!! note\n\n    ![A view](qhaigc:hero)"),
    "details": image("??? note\n    ![A view](qhaigc:hero)"),
    "definition": image("Term\n:   ![A view](qhaigc:hero)"),
    "markdown-in-html": image("<figure markdown>\n![A view](qhaigc:hero)\n<figcaption>x</figcaption>\n</figure>"),
    "snippet": image('--8<-- "part.md"', alt="From a snippet"),
    "tab": image('=== "One"\n\n    ![A view](qhaigc:hero)\n\n=== "Two"\n\n    x'),
    "footnote": Form("Words[^1]\n\n[^1]: ![A view](qhaigc:hero){ #noted }", "sup", {"id": "fnref:1"}),
    "fragment": image("![A view](qhaigc:hero#only-dark)", src="{hero}#only-dark"),
    "chinese-name": image("![灯塔](qhaigc:灯塔)", src="{灯塔}", alt="灯塔"),
    "percent-encoded-name": image(f"![灯塔](qhaigc:{quote('灯塔')})", src="{灯塔}"),
    "shared": image("![](qhaigc:emblem)", src="{emblem}", alt="Our emblem"),
}
TEXTS = {
    "code-inline": "`![x](qhaigc:hero)`",
    "code-inline-html": '`<img src="qhaigc:hero">`',
    "code-inline-highlighted": '`#!html <img src="qhaigc:hero">`',
    "code-fenced": "```\n![x](qhaigc:hero)\n```",
    "code-fenced-highlighted": '```html\n<img src="qhaigc:hero">\n```',
    "code-fenced-titled": '```html title="qhaigc:hero" linenums="1"\n<a href="qhaigc:hero">x</a>\n```',
    "code-indented": "x\n\n    ![x](qhaigc:hero)",
    "code-in-list": "- x\n\n    ```md\n    ![x](qhaigc:hero)\n    ```",
    "code-raw": '<pre><code>&lt;img src="qhaigc:hero"&gt;</code></pre>',
    "sentence": "The address qhaigc:hero in a sentence.",
    "script": '<script>const address = "qhaigc:hero";</script>',
}


@dataclass(frozen=True)
class Example:
    """The built site, and the API that its images came from."""

    built: Built
    api: ImagesApi

    def section(self, page: str, heading: str) -> str:
        """Return the HTML between a heading of the page and the next one."""
        found = re.search(rf'<h2 id="{heading}".*?</h2>(.*?)<h2', self.built.html(page), re.DOTALL)
        assert found, heading
        return found[1]

    def url(self, template: str, *, up: str) -> str:
        """Return the text with each `{NAME}` replaced by the URL of that image, each `{NAME.jpg}` of its card."""

        def address(match: re.Match[str]) -> str:
            ending = match[2] or ".webp"
            files = self.built.images()
            (file,) = [name for name in files if name.startswith(f"{match[1]}-") and name.endswith(ending)]
            return f"{up}assets/qhaigc/{quote(file)}"

        return re.sub(r"\{(\w+)(\.jpg)?\}", address, template)


def body() -> str:
    sections = [f"## {name}\n\n{form.markdown}\n\n" for name, form in FORMS.items()]
    sections += [f"## {name}\n\n{text}\n\n" for name, text in TEXTS.items()]
    return "# All forms\n\n" + "".join(sections) + "## end\n"


@pytest.fixture(scope="module", params=["mkdocs", "material"])
def example(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Example]:
    folder = tmp_path_factory.mktemp(request.param)
    with ImagesApi() as api:
        project = Project(folder / "project", api.base_url)
        project.write("snippets/part.md", "![From a snippet](qhaigc:hero)\n")
        project.write("overrides/main.html", MAIN)
        project.config["markdown_extensions"] = [
            *EXTENSIONS,
            {"pymdownx.snippets": {"base_path": str(project.folder / "snippets")}},
            {"pymdownx.tabbed": {"alternate_style": True}},
        ]
        project.config["theme"] = {"name": request.param, "custom_dir": "overrides"}
        if request.param == "mkdocs":
            project.config["theme"]["highlightjs"] = False
        project.options["images"] = {
            "emblem": {"prompt": "A badge", "alt": "Our emblem"},
            "common": {"prompt": "The site's common image", "alt": "The site's"},
        }
        nested = {"cards": ["plain", {"image": "qhaigc:tall"}]}
        front = {"qhaigc": DIRECTIVES, "image": "qhaigc:hero", "social": nested, "note": "see qhaigc:hero"}
        project.page("index.md", body(), **front)
        project.page("guide/deep.md", body(), **front)
        common = {"prompt": "The page's common image", "alt": "The page's"}
        project.page("shared.md", "![](qhaigc:common)\n", image="qhaigc:common")
        project.page("own.md", "![](qhaigc:common)\n", qhaigc={"common": common})
        placed = {"prompt": "A lighthouse in fog", "place": "after-title", "priority": True, "alt": "Placed"}
        project.page("placed.md", "# Title\n\nWords.\n", qhaigc=placed)
        project.page("untitled.md", "Words.\n", qhaigc=placed, title="Other")
        project.page("top.md", "# Title\n\nWords.\n", qhaigc={**placed, "place": "top"})
        built = project.build("--strict")
        assert built.code == 0, built.output
        yield Example(built, api)


@pytest.mark.parametrize("name", FORMS)
@pytest.mark.parametrize(("page", "up"), [("index.html", ""), ("guide/deep/index.html", "../../")])
def test_each_form_of_a_reference_becomes_an_image(example: Example, page: str, up: str, name: str) -> None:
    form = FORMS[name]
    section = example.section(page, name)
    wanted = {key: example.url(value, up=up) for key, value in form.attributes.items()}
    found = [element.attributes for element in elements(section, form.tag)]
    assert any(wanted.items() <= attributes.items() for attributes in found), section
    assert "qhaigc:" not in section


@pytest.mark.parametrize("name", TEXTS)
def test_in_code_and_in_text_a_reference_stays_text(example: Example, name: str) -> None:
    section = example.section("index.html", name)
    assert "qhaigc:hero" in text_of(section)
    assert not elements(section, "img")
    assert "assets/qhaigc" not in section


def test_reference_in_a_footnote_becomes_an_image(example: Example) -> None:
    (noted,) = [e for e in elements(example.built.html(), "img") if e.attributes.get("id") == "noted"]
    assert noted.attributes["src"] == example.url("{hero}", up="")


def test_the_authors_class_is_kept(example: Example) -> None:
    (element,) = elements(example.section("index.html", "attributes"), "img")
    assert "framed" in (element.attributes["class"] or "").split()


def test_a_pages_own_name_wins_over_the_sites(example: Example) -> None:
    shown = {
        page: next(element for element in elements(example.built.html(page), "img") if element.attributes["alt"])
        for page in ("shared/index.html", "own/index.html")
    }
    assert shown["shared/index.html"].attributes["alt"] == "The site's"
    assert shown["own/index.html"].attributes["alt"] == "The page's"
    assert shown["shared/index.html"].attributes["src"] != shown["own/index.html"].attributes["src"]


@pytest.mark.parametrize(
    ("page", "around"),
    [
        ("placed/index.html", r"</h1>\s*<p><img [^>]*></p>\s*<p>Words\.</p>"),
        ("untitled/index.html", r"<p><img [^>]*></p>\s*<p>Words\.</p>"),
        ("top/index.html", r"<p><img [^>]*></p>\s*<h1 id=\"title\">"),
    ],
)
def test_place_puts_an_image_on_the_page(example: Example, page: str, around: str) -> None:
    html = example.built.html(page)
    assert re.search(around, html), html
    assert html.count('alt="Placed"') == 1


def test_priority_image_is_loaded_first_and_never_lazily(example: Example) -> None:
    (image,) = [e for e in elements(example.built.html("placed/index.html"), "img") if e.attributes["alt"]]
    assert image.attributes["fetchpriority"] == "high"
    assert "loading" not in image.attributes


@pytest.mark.parametrize("page", ["index.html", "guide/deep/index.html"])
def test_a_reference_in_front_matter_becomes_the_files_address(example: Example, page: str) -> None:
    values = {e.attributes.get("name"): e.attributes.get("content") for e in elements(example.built.html(page), "meta")}
    assert values["image"] == example.url("https://example.com/docs/{hero.jpg}", up="")
    assert values["nested"] == example.url("https://example.com/docs/{tall.jpg}", up="")
    assert values["text"] == "see qhaigc:hero"


def test_every_url_of_the_site_has_a_file(example: Example) -> None:
    assert broken_urls(example.built.site) == []


def test_every_page_has_the_style_sheet_that_keeps_proportions(example: Example) -> None:
    for page, up in (("index.html", ""), ("guide/deep/index.html", "../../")):
        sheets = [e.attributes["href"] for e in elements(example.built.html(page), "link")]
        assert f"{up}assets/qhaigc/qhaigc.css" in sheets
    (scaled,) = elements(example.section("index.html", "width-alone"), "img")
    assert "qhaigc" in (scaled.attributes["class"] or "").split()


def test_each_image_was_requested_once(example: Example) -> None:
    assert sorted(example.api.prompts) == sorted({*example.api.prompts})
    assert len(example.api.calls) == 7
