"""Beside plugins that read or write Markdown: wiki links, captions, diagrams; and pages in other folders."""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from tests.conftest import Project
from tests.helpers.api import ImagesApi
from tests.helpers.beside import alts, build_both_ways, hero, ours
from tests.helpers.commands import git, run
from tests.helpers.engines import EVERY_MKDOCS, beside
from tests.helpers.pages import elements, text_of

pytestmark = pytest.mark.compatibility


@pytest.fixture(autouse=True)
def _images_in_two_widths(project: Project) -> None:
    project.options["widths"] = [48]


@beside("ezlinks", *EVERY_MKDOCS)
@pytest.mark.parametrize("directory_urls", [True, False])
def test_references_that_ezlinks_takes_for_names_of_files(
    project: Project, api: ImagesApi, column: str, directory_urls: bool
) -> None:
    project.config |= {"plugins": ["search", "ezlinks"], "use_directory_urls": directory_urls}
    project.config["validation"] = {"links": {"unrecognized_links": "warn"}}
    project.config["markdown_extensions"] = ["attr_list"]
    body = (
        "![](qhaigc:hero)\n\n![Own](qhaigc:hero){ width=48 }\n\n[all](qhaigc:hero) [[other]]\n\n"
        '<img src="qhaigc:hero">\n\n`![](qhaigc:hero)`\n'
    )
    project.page("index.md", f"# Home\n\n{body}", qhaigc=hero("A tower", "Tower"))
    project.page("deep/down/other.md", f"# Other\n\n{body}", qhaigc=hero("Fog", "Fog"))
    built = build_both_ways(project, api, prompts=["A tower", "Fog"])
    other = "deep/down/other/index.html" if directory_urls else "deep/down/other.html"
    assert alts(built) == ["Tower", "Own", "Tower"]
    assert alts(built, other) == ["Fog", "Own", "Fog"]
    assert [img["width"] for img in ours(built, other)] == ["96", "48", "96"]
    links = [e.attributes["href"] or "" for e in elements(built.html(other), "a") if e.attributes.get("href")]
    assert sum("assets/qhaigc/hero-" in link for link in links) == 1
    assert "![](qhaigc:hero)" in text_of(built.html(other))


@beside("obsidian-bridge", *EVERY_MKDOCS)
def test_references_in_wiki_links_of_obsidian_bridge(project: Project, api: ImagesApi, column: str) -> None:
    project.config |= {"plugins": ["search", "obsidian-bridge"], "markdown_extensions": ["attr_list"]}
    project.config["validation"] = {"links": {"unrecognized_links": "warn"}}
    body = "![](qhaigc:hero)\n\n![[qhaigc:hero]]\n\n![[qhaigc:hero|Own]]\n\n[[qhaigc:hero|all]] [[other]]\n"
    project.page("index.md", f"# Home\n\n{body}", qhaigc=hero("A tower", "Tower"))
    project.page("deep/other.md", f"# Other\n\n{body}\n`![[qhaigc:hero]]`\n", qhaigc=hero("Fog", "Fog"))
    built = build_both_ways(project, api, prompts=["A tower", "Fog"])
    assert alts(built) == ["Tower", "Tower", "Own"]
    assert alts(built, "deep/other/index.html") == ["Fog", "Fog", "Own"]
    links = [e.attributes["href"] or "" for e in elements(built.html(), "a") if e.attributes.get("href")]
    assert sum("assets/qhaigc/hero-" in link for link in links) == 1
    assert "![[qhaigc:hero]]" in text_of(built.html("deep/other/index.html"))


@beside("markdown-captions", *EVERY_MKDOCS)
def test_images_of_markdown_captions_are_described_by_their_captions(
    project: Project, api: ImagesApi, column: str
) -> None:
    project.config["markdown_extensions"] = ["attr_list", "markdown_captions"]
    body = "![The *old* tower](qhaigc:bare)\n\n![A title](qhaigc:hero)\n\n![](qhaigc:hero)\n\n![Far][far]\n\n"
    definition = "[far]: qhaigc:bare\n"
    project.page("index.md", f"# Home\n\n{body}{definition}", qhaigc={**hero("A tower", "Tower"), "bare": "Fog"})
    built = build_both_ways(project, api, prompts=["A tower", "Fog"])
    assert alts(built) == ["The old tower", "Tower", "Tower", "Far"]
    assert re.findall("<figcaption>(.*?)</figcaption>", built.html()) == ["The <em>old</em> tower", "A title", "Far"]


@beside("caption", *EVERY_MKDOCS)
def test_captions_of_the_plugin_caption_and_of_directives(project: Project, api: ImagesApi, column: str) -> None:
    project.config |= {"plugins": ["search", "caption"], "markdown_extensions": ["attr_list"]}
    body = (
        "![Own](qhaigc:hero)\n\n![](qhaigc:mast)\n\nFigure: The *old* mast\n\n![Mast](qhaigc:mast2)\n\n"
        "See [](#_figure-2).\n\n![](qhaigc:pair)\n"
    )
    captioned = {"prompt": "Rain", "alt": "Rain", "caption": "It rains"}
    front = {**hero("A tower", "Tower"), "mast": captioned, "mast2": {"prompt": "A mast", "alt": "Mast"}}
    pair = {"prompt": "Day", "dark": "Night", "alt": "Harbour"}
    project.page("index.md", f"# Home\n\n{body}", qhaigc={**front, "pair": pair})
    built = build_both_ways(project, api, prompts=["A tower", "Rain", "A mast", "Day", "Night"])
    assert alts(built) == ["Own", "Rain", "Mast", "Harbour", "Harbour"]
    captions = [text_of(found).strip() for found in re.findall("<figcaption>(.*?)</figcaption>", built.html())]
    assert captions == ["Figure 1: Own", "It rains", "Figure 2: The old mast", "Figure 3: Harbour"]
    assert "Figure 2" in text_of(built.html()).partition("See")[2]


DIAGRAM = '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 4 4"><path d="M0 0h4v4z"/></svg>'


class _Kroki(BaseHTTPRequestHandler):
    """Draws the same diagram for any text."""

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(200)
        self.send_header("Content-Type", "image/svg+xml")
        self.end_headers()
        self.wfile.write(DIAGRAM.encode())

    def log_message(self, format: str, *args: object) -> None:
        """Print nothing."""


@pytest.fixture
def kroki() -> Iterator[str]:
    """The address of a server of diagrams."""
    with ThreadingHTTPServer(("127.0.0.1", 0), _Kroki) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


@beside("kroki", *EVERY_MKDOCS)
def test_diagrams_of_kroki_stand_beside_images(project: Project, api: ImagesApi, column: str, kroki: str) -> None:
    options = {"server_url": kroki, "http_method": "POST", "cache_dir": str(project.folder / ".kroki")}
    project.config |= {"plugins": ["search", {"kroki": options}], "markdown_extensions": ["fenced_code", "attr_list"]}
    diagram = "```kroki-plantuml\nA -> B: ![](qhaigc:hero)\n```\n"
    body = f"![](qhaigc:hero)\n\n{diagram}\n![Own](qhaigc:hero){{ width=48 }}\n"
    project.page("index.md", f"# Home\n\n{body}", qhaigc=hero("A tower", "Tower", caption="Built in 1790"))
    project.page("deep/a.md", f"# A\n\n{body}", qhaigc=hero("Fog", "Fog", place="after-title"))
    built = build_both_ways(project, api, prompts=["A tower", "Fog"])
    assert alts(built) == ["Tower", "Own"]
    assert alts(built, "deep/a/index.html") == ["Fog", "Fog", "Own"]
    (source,) = (e.attributes["src"] or "" for e in elements(built.html(), "img") if e.attributes["alt"] == "Kroki")
    assert (built.site / source).read_text(encoding="utf-8") == DIAGRAM


def import_repository(project: Project) -> None:
    """Let a site import the pages of a repository in a folder of its own."""
    other = project.folder / "other"
    front = json.dumps({"qhaigc": hero("A pier", "Pier", place="after-title"), "image": "qhaigc:hero"})
    project.write("other/docs/index.md", f"---\n{front}\n---\n# Harbour\n\n![](qhaigc:hero) ![](qhaigc:emblem)\n")
    project.write("other/docs/deep/more.md", "---\nqhaigc: Fog\n---\n# More\n\n![Fog](qhaigc:hero)\n")
    git(other, "init", "--quiet", "--initial-branch=main")
    git(other, "add", "--all")
    git(other, "commit", "--quiet", "--message=Harbour")
    repository = {"section": "Harbour", "import_url": f"{other.as_uri()}?branch=main"}
    project.config |= {
        "plugins": ["search", {"multirepo": {"repos": [repository]}}],
        "edit_uri": "https://git.example/edit/main/docs/",
    }
    project.options["images"] = {"emblem": {"prompt": "A badge", "alt": "Emblem"}}
    project.page("index.md", "# Home\n\n![](qhaigc:hero) ![](qhaigc:emblem)\n", qhaigc=hero("A tower", "Tower"))


@beside("multirepo", *EVERY_MKDOCS)
def test_pages_of_another_repository_show_their_images(project: Project, api: ImagesApi, column: str) -> None:
    import_repository(project)
    built = build_both_ways(project, api, prompts=["A badge", "A tower", "A pier", "Fog"])
    assert alts(built) == ["Tower", "Emblem"]
    assert alts(built, "Harbour/index.html") == ["Pier", "Pier", "Emblem"]
    assert alts(built, "Harbour/deep/more/index.html") == ["Fog"]


def test_a_variant_is_not_picked_in_a_page_of_another_repository(project: Project, api: ImagesApi) -> None:
    """Its file is a copy, which is thrown away."""
    import_repository(project)
    assert run(project, "candidates", "Harbour/index.md#hero", "-n", "2", "--yes").returncode == 0
    finished = run(project, "candidates", "Harbour/index.md#hero", "--pick", "2")
    assert finished.returncode == 1
    assert "Write `variant: 2` into the directive yourself, where it is made" in finished.stderr
