"""What other plugins see of a page while it is rendered, what they do to it, and that warm builds are as cold ones."""

from __future__ import annotations

import itertools
import json
import os
import re

import pytest

from tests.conftest import Project
from tests.helpers.api import ImagesApi

NAMES = ("a", "b", "c", "d")


@pytest.fixture
def site(project: Project, api: ImagesApi) -> Project:
    """Four pages with an image each and one that all of them show, a gallery and a report."""
    project.options |= {
        "images": {"logo": {"prompt": "A logo", "alt": "Logo"}},
        "gallery": "gallery.md",
        "report": "report.json",
    }
    for name in NAMES:
        write(project, name)
    return project


def write(project: Project, name: str, prompt: str | None = None) -> None:
    hero = {"prompt": prompt or f"Image {name}", "alt": name, "caption": f"Of {name}", "place": "top"}
    project.page(f"{name}.md", f"# {name}\n\n![](qhaigc:logo) [x](qhaigc:hero)\n", qhaigc={"hero": hero})


def reported(project: Project) -> list[tuple[str, str]]:
    report = json.loads((project.folder / "report.json").read_bytes())
    return [(one["page"], one["name"]) for one in report["images"]]


def test_warm_build_equals_the_cold_one(site: Project, api: ImagesApi) -> None:
    cold = site.build("--strict")
    assert reported(site) == [("", "logo"), *((f"{name}.md", "hero") for name in NAMES)]
    told = reported(site)
    assert site.build("--strict", site="warm").digest() == cold.digest()
    assert reported(site) == told
    assert len(api.calls) == 5


HOOKS = {
    "page_content": "def on_page_content(html, page, **_): seen(html)\n",
    "env": "def on_env(env, files, **_): [seen(file.page.content) for file in files.documentation_pages()]\n",
    "env, first": (
        "from mkdocs.plugins import event_priority\n"
        "@event_priority(150)\n"
        "def on_env(env, files, **_): [seen(file.page.content) for file in files.documentation_pages()]\n"
    ),
}


@pytest.mark.parametrize("event", HOOKS)
def test_hooks_see_plain_images_with_final_addresses(site: Project, event: str) -> None:
    seen = site.folder / "seen.txt"
    see = f"def seen(html):\n    with open({str(seen)!r}, 'a', encoding='utf-8') as file: file.write(html)\n"
    site.config["hooks"] = [str(site.write("hook.py", see + HOOKS[event]))]
    site.build("--strict")
    cold = seen.read_text(encoding="utf-8")
    seen.unlink()
    built = site.build("--strict")
    html = seen.read_text(encoding="utf-8")
    assert html == cold
    assert html.count('alt="Logo"') >= 4
    assert "qhaigc:" not in html
    names = set(re.findall(r"assets/qhaigc/([^\s\"]+)", html))
    assert {name for name in names if name.startswith(("hero-", "logo-"))} <= set(built.images())


LATE = (
    "from mkdocs.plugins import event_priority\n@event_priority(-50)\ndef on_page_markdown(markdown, page, **_):\n    "
)
LATER = {
    "front matter": "page.meta['hide'] = ['navigation']\n",
    "images": "page.meta['qhaigc'] = {'hero': {'prompt': 'Of a hook', 'alt': 'Of a hook'}}\n",
}


@pytest.mark.slow
@pytest.mark.parametrize("what", LATER)
def test_pages_changed_by_a_later_hook_are_the_same(site: Project, api: ImagesApi, what: str) -> None:
    site.config["theme"] = {"name": "material", "font": False}
    site.options["widths"] = [32]
    site.config["hooks"] = [str(site.write("hook.py", LATE + LATER[what]))]
    expected = site.build("--strict").digest()
    bought = len(api.calls)
    assert site.build("--strict", site="again").digest() == expected
    assert len(api.calls) == bought


CONVERTERS = {
    "an excerpt before the page": (
        "import copy\n"
        "from markdown import Markdown\n"
        "from mkdocs.plugins import event_priority\n"
        "from mkdocs.structure.pages import _RelativePathTreeprocessor\n"
        "@event_priority(-50)\n"
        "def on_page_markdown(markdown, page, config, files):\n"
        "    file = copy.copy(page.file)\n"
        "    file.url = 'elsewhere/'\n"
        "    md = Markdown(extensions=config.markdown_extensions, extension_configs=config.mdx_configs)\n"
        "    _RelativePathTreeprocessor(file, files, config)._register(md)\n"
        "    page.excerpt = md.convert('![](qhaigc:hero)')\n"
        "def on_env(env, files, **_):\n"
        "    for file in files.documentation_pages():\n"
        "        file.page.content += file.page.excerpt\n"
    ),
    "a part of the page before": (
        "from markdown import Markdown\n"
        "from mkdocs.structure.pages import _RelativePathTreeprocessor\n"
        "before = []\n"
        "def on_page_markdown(markdown, page, config, files):\n"
        "    page.excerpt = ''\n"
        "    for other in before:\n"
        "        md = Markdown(extensions=config.markdown_extensions, extension_configs=config.mdx_configs)\n"
        "        _RelativePathTreeprocessor(other.file, files, config)._register(md)\n"
        "        other.excerpt = md.convert('![](qhaigc:hero)')\n"
        "    before[:] = [page]\n"
        "def on_post_page(output, page, **_):\n"
        "    return output + page.excerpt\n"
    ),
    "a part of the page itself": (
        "from markdown import Markdown\n"
        "from mkdocs.plugins import event_priority\n"
        "from mkdocs.structure.pages import _RelativePathTreeprocessor\n"
        "@event_priority(-50)\n"
        "def on_page_markdown(markdown, page, config, files):\n"
        "    md = Markdown(extensions=config.markdown_extensions, extension_configs=config.mdx_configs)\n"
        "    _RelativePathTreeprocessor(page.file, files, config)._register(md)\n"
        "    page.excerpt = md.convert('![](qhaigc:hero)')\n"
        "def on_post_page(output, page, **_):\n"
        "    return output + page.excerpt\n"
    ),
    "the page before, once more": (
        "before = []\n"
        "def on_page_markdown(markdown, page, config, files):\n"
        "    page.excerpt = ''\n"
        "    for other in before:\n"
        "        other.render(config, files)\n"
        "        page.excerpt = other.content.replace('=\"assets', '=\"../assets')\n"
        "    before[:] = [page]\n"
        "def on_post_page(output, page, **_):\n"
        "    return output + page.excerpt\n"
    ),
    "a page that is no Markdown": (
        "def on_pre_page(page, **_):\n"
        "    if page.file.src_uri == 'b.md':\n"
        "        page.render = lambda *_: setattr(page, 'content', '<h1>b</h1><img src=\"qhaigc:hero\">')\n"
    ),
    "an excerpt of a page that is no Markdown": (
        "import copy\n"
        "from markdown import Markdown\n"
        "from mkdocs.structure.pages import _RelativePathTreeprocessor\n"
        "def on_page_markdown(markdown, page, config, files):\n"
        "    file = copy.copy(page.file)\n"
        "    file.url = 'elsewhere/'\n"
        "    md = Markdown(extensions=config.markdown_extensions, extension_configs=config.mdx_configs)\n"
        "    _RelativePathTreeprocessor(file, files, config)._register(md)\n"
        "    md.convert('![](qhaigc:hero)')\n"
        "    if page.file.src_uri == 'b.md':\n"
        "        page.render = lambda *_: setattr(page, 'content', '<h1>b</h1><img src=\"qhaigc:hero\">')\n"
    ),
    "once more": (
        "def on_env(env, config, files, **_):\n"
        "    [file.page.render(config, files) for file in files.documentation_pages()]\n"
    ),
}


@pytest.mark.slow
@pytest.mark.parametrize("what", CONVERTERS)
def test_other_conversions_during_a_build_do_not_affect_pages(site: Project, api: ImagesApi, what: str) -> None:
    site.config["hooks"] = [str(site.write("hook.py", CONVERTERS[what]))]
    some = site.build("--strict")
    assert some.digest() == site.build("--strict", site="again").digest()
    pages = [some.html(f"{name}/index.html") for name in NAMES]
    assert all('<img alt="' in page and 'src="../assets/qhaigc/hero-' in page for page in pages)
    assert not any("qhaigc:" in page for page in pages)


def test_every_build_repeats_the_warnings_of_a_page(site: Project) -> None:
    site.page("a.md", "# a\n\n![](qhaigc:heron) ![](qhaigc:hero)\n", qhaigc="An image without a text")
    first = site.build().warnings
    assert len(first) == 2
    assert sorted(site.build().warnings) == sorted(first)


LISTS = "".join(f"{new}: &{new} [*{old}, *{old}]\n" for old, new in itertools.pairwise("abcdefghijklmnopqrstuv"))


@pytest.mark.parametrize(
    ("front", "says"),
    [
        (f"a: &a [x, x]\n{LISTS}qhaigc:\n  hero: {{prompt: A tower, alt: *v}}\n", "`alt` is a list"),
        (
            f"qhaigc: {{hero: {{prompt: A tower, alt: '', variant: 0x{'f' * 5000}}}}}\n",
            "`variant` is a very large number",
        ),
    ],
    ids=["lists", "number"],
)
def test_broken_front_matter_of_any_size_is_a_warning(project: Project, api: ImagesApi, front: str, says: str) -> None:
    project.write("docs/index.md", f"---\n{front}---\n# Page\n")
    for _ in range(2):
        built = project.build()
        assert built.code == 0
        assert says in built.output


def test_references_added_by_other_extensions_become_images(project: Project, api: ImagesApi) -> None:
    project.write(
        "late.py",
        "from markdown.extensions import Extension\n"
        "from markdown.postprocessors import Postprocessor\n\n"
        "class Late(Postprocessor):\n"
        "    def run(self, text):\n"
        "        return text + '<p><img src=\"qhaigc:logo\" alt=\"Logo\"></p>' if 'WORDS' in text else text\n\n"
        "class LateExtension(Extension):\n"
        "    def extendMarkdown(self, md):\n"
        "        md.postprocessors.register(Late(md), 'late', -50)\n\n"
        "def makeExtension(**_):\n"
        "    return LateExtension()\n",
    )
    paths = (str(project.folder), os.environ.get("PYTHONPATH", ""))
    project.environment["PYTHONPATH"] = os.pathsep.join(filter(None, paths))
    project.options["images"] = {"logo": {"prompt": "A logo", "alt": "Logo"}}
    project.config["markdown_extensions"] = ["late"]
    project.page("index.md", "# Home\n\nWORDS")
    project.page("own.md", "# Own\n\nWORDS ![x](qhaigc:hero)", qhaigc="fog")
    for _ in range(2):
        built = project.build("--strict")
        assert "qhaigc:" not in built.html() + built.html("own/index.html")
