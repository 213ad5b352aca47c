"""Pages whose images are all there wait, and are rendered together: nobody can tell but by the clock."""

from __future__ import annotations

import itertools
import json
import os
import shutil

import pytest

from tests.conftest import Built, Project
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


def waits(project: Project) -> set[str]:
    """The pages that wait in the next build."""
    pages = json.loads((project.cache / "index/pages.json").read_bytes())["pages"]
    return set(pages)


def anew(project: Project) -> Built:
    """The site, built with all images there and no memory of anything else."""
    shutil.rmtree(project.cache / "index", ignore_errors=True)
    return project.build("--strict", site="anew")


def test_a_site_is_the_same_whether_its_pages_wait_or_not(site: Project, api: ImagesApi) -> None:
    site.build("--strict")
    assert waits(site) == {f"{name}.md" for name in NAMES}
    waited = site.build("--strict", site="waited")
    told = reported(site)
    assert waited.digest() == anew(site).digest()
    assert told == reported(site)
    assert len(api.calls) == 5


def test_the_order_of_pages_is_the_same_where_some_of_them_wait(site: Project, api: ImagesApi) -> None:
    """In the gallery, in the report, and among the pages that show an image."""
    site.build("--strict")
    write(site, "c", "Another image")
    site.build("--strict")
    write(site, "b", "Yet another image")
    (site.cache / "index/pages.json").write_text(
        (site.cache / "index/pages.json").read_text(encoding="utf-8").replace('"c.md"', '"z.md"'), encoding="utf-8"
    )
    some = site.build("--strict", site="some")
    told = reported(site)
    assert told == [("", "logo"), *((f"{name}.md", "hero") for name in NAMES)]
    assert some.digest() == anew(site).digest()
    assert told == reported(site)
    assert len(api.calls) == 7


def test_an_image_that_has_gone_is_bought_though_its_page_waits(site: Project, api: ImagesApi) -> None:
    expected = site.build("--strict").digest()
    for path in (site.cache / "originals").glob("*"):
        path.unlink()
    built = site.build("--strict")
    assert built.digest().keys() == expected.keys()  # with other pixels: no image is ever drawn twice
    assert len(api.calls) == 10
    assert waits(site) == {f"{name}.md" for name in NAMES}


@pytest.mark.parametrize(
    "text",
    ["", "{", "[]", '{"schema": 1, "settings": 1, "pages": []}', '{"schema": 1, "settings": "", "pages": {"a.md": 1}}'],
)
def test_a_memory_of_pages_that_cannot_be_read_costs_nothing(site: Project, api: ImagesApi, text: str) -> None:
    expected = site.build("--strict").digest()
    (site.cache / "index/pages.json").write_text(text, encoding="utf-8")
    assert site.build("--strict").digest() == expected
    assert waits(site) == {f"{name}.md" for name in NAMES}
    assert len(api.calls) == 5


def test_a_page_without_all_its_images_does_not_wait(site: Project, api: ImagesApi) -> None:
    site.options["missing"] = "placeholder"
    site.build()
    assert not (site.cache / "index/pages.json").exists()
    site.options["missing"] = "generate"
    built = site.build("--strict")
    assert built.summary == "5 generated"


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
def test_who_looks_at_pages_sees_images_also_of_pages_that_could_wait(site: Project, event: str) -> None:
    seen = site.folder / "seen.txt"
    see = f"def seen(html):\n    with open({str(seen)!r}, 'a', encoding='utf-8') as file: file.write(html)\n"
    site.config["hooks"] = [str(site.write("hook.py", see + HOOKS[event]))]
    site.build("--strict")
    seen.unlink()
    site.build("--strict")
    html = seen.read_text(encoding="utf-8")
    assert html.count('alt="Logo"') >= 4
    assert "qhaigc:" not in html


LATE = (
    "from mkdocs.plugins import event_priority\n@event_priority(-50)\ndef on_page_markdown(markdown, page, **_):\n    "
)
LATER = {
    "front matter": "page.meta['hide'] = ['navigation']\n",
    "images": "page.meta['qhaigc'] = {'hero': {'prompt': 'Of a hook', 'alt': 'Of a hook'}}\n",
}


@pytest.mark.slow
@pytest.mark.parametrize("what", LATER)
def test_pages_that_a_hook_changes_behind_us_are_the_same(site: Project, api: ImagesApi, what: str) -> None:
    site.config["theme"] = {"name": "material", "font": False}
    site.options["widths"] = [32]
    site.config["hooks"] = [str(site.write("hook.py", LATE + LATER[what]))]
    expected = site.build("--strict").digest()
    bought = len(api.calls)
    assert site.build("--strict", site="again").digest() == anew(site).digest() == expected
    assert len(api.calls) == bought


@pytest.mark.slow
def test_pages_wait_beside_materials_tags(site: Project, api: ImagesApi) -> None:
    """It looks at each page's Markdown after us, and changes nothing that concerns us."""
    site.config |= {"theme": {"name": "material", "font": False}, "plugins": ["tags"]}
    site.write("docs/tags.md", "---\ntags: [x]\n---\n# Tags ![](qhaigc:logo)\n\n<!-- material/tags -->\n")
    site.config["hooks"] = [str(site.write("hook.py", WHO_WAITS))]
    site.build("--strict")
    waited = site.build("--strict", site="waited")
    assert "6 wait" in waited.output  # four, the tags, the gallery
    assert waited.digest() == anew(site).digest()


WHO_WAITS = (
    "from mkdocs_qhaigc.backlog import Backlog\n"
    "def on_nav(nav, config, **_):\n"
    "    work_off = Backlog.work_off\n"
    "    def counted(self):\n"
    "        print(len(self._waiting), 'wait')\n"
    "        work_off(self)\n"
    "    Backlog.work_off = counted\n"
)


def test_the_report_is_the_same_in_whichever_order_warnings_come(site: Project, api: ImagesApi) -> None:
    site.page("a.md", "# a\n\n![](qhaigc:heron)\n")
    site.page("b.md", "# b\n\n![](qhaigc:heron)\n", qhaigc="fog")
    site.build()
    site.build()
    told = (site.folder / "report.json").read_bytes()
    shutil.rmtree(site.cache / "index")
    site.build()
    assert (site.folder / "report.json").read_bytes() == told


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
def test_whatever_else_is_converted_pages_show_their_images(site: Project, api: ImagesApi, what: str) -> None:
    site.config["hooks"] = [str(site.write("hook.py", CONVERTERS[what]))]
    site.build("--strict")
    index = site.cache / "index/pages.json"
    if index.exists():  # else no page waits
        index.write_text(index.read_text(encoding="utf-8").replace('"c.md"', '"z.md"'), encoding="utf-8")
    some = site.build("--strict", site="some")  # of which one does not wait
    assert some.digest() == site.build("--strict", site="all").digest() == anew(site).digest()
    pages = [some.html(f"{name}/index.html") for name in NAMES]
    assert all('<img alt="' in page and 'src="../assets/qhaigc/hero-' in page for page in pages)
    assert not any("qhaigc:" in page for page in pages)


def test_a_page_says_what_is_wrong_with_it_in_every_build(site: Project) -> None:
    """Those whose own images are all there, too."""
    site.page("a.md", "# a\n\n![](qhaigc:heron) ![](qhaigc:hero)\n", qhaigc="An image without a text")
    first = site.build().warnings
    assert len(first) == 2
    assert "a.md" in waits(site)
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
def test_front_matter_that_is_too_large_to_write_down_is_not_kept(
    project: Project, api: ImagesApi, front: str, says: str
) -> None:
    project.write("docs/index.md", f"---\n{front}---\n# Page\n")
    for _ in range(2):
        built = project.build()
        assert built.code == 0
        assert says in built.output
    assert not (project.cache / "index/pages.json").exists()


def test_a_dirty_build_keeps_what_it_does_not_build(site: Project, api: ImagesApi) -> None:
    site.build("--strict")
    before = waits(site)
    write(site, "a", "Another")
    site.build("--dirty")
    assert waits(site) == before


def test_references_that_other_extensions_add_at_the_end_become_images(project: Project, api: ImagesApi) -> None:
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
