"""`sync` and the lookup where things go wrong: killed, at once, in conflict, edited meanwhile, read by another YAML."""

from __future__ import annotations

import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from mkdocs_qhaigc.engines.zensical.manifest import Manifest, read_manifest
from tests.conftest import SYNCED, Built, Project
from tests.helpers.api import ImagesApi, error, in_size
from tests.helpers.commands import COMMAND, git, names, run, watching
from tests.helpers.pages import broken_urls, elements

pytestmark = pytest.mark.slow

OUT = "docs/assets/qhaigc"
HERO = {"prompt": "A tower", "alt": "Tower"}


def with_zensical(test: Any) -> Any:
    """Mark a test that builds with Zensical."""
    reason = "Zensical needs Python 3.11"
    return pytest.mark.compatibility(pytest.mark.skipif(sys.version_info < (3, 11), reason=reason)(test))


@pytest.fixture
def site(project: Project, api: ImagesApi) -> Project:
    """Three images, which come in another size than was asked for."""
    api.default = in_size("80x60", "WEBP")
    project.engine = "zensical"
    project.config["theme"] = {"font": False}
    project.options |= {"widths": [48]}
    project.page("index.md", "# Home\n\n![](qhaigc:hero)\n", qhaigc={"hero": HERO})
    project.page("guide/a.md", "# A\n\n![](qhaigc:b)\n", qhaigc={"b": {"prompt": "Fog", "alt": "Fog", "dark": "Night"}})
    return project


def sync(project: Project, *arguments: str, code: int = 0) -> str:
    """Return what `sync` printed, having seen that it ended so."""
    finished = run(project, "sync", *arguments)
    assert finished.returncode == code, finished.stdout + finished.stderr
    return finished.stdout + finished.stderr


def contents(project: Project) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in (project.folder / OUT).iterdir()}


def shown(built: Built, page: str = "index.html") -> list[dict[str, str | None]]:
    assert built.code == 0, built.output
    assert broken_urls(built.site) == []
    images = [element.attributes for element in elements(built.html(page), "img")]
    return [attributes for attributes in images if "assets/qhaigc/" in (attributes["src"] or "")]


# Other people's files, and other people's git


def test_a_style_sheet_of_the_authors_stays_and_ours_is_not_taken_for_it(site: Project) -> None:
    own = site.write(f"{OUT}/qhaigc.css", "img { border: 1px solid }")
    assert "qhaigc.css was there before, and is kept. Remove it" in sync(site)
    assert own.read_text() == "img { border: 1px solid }"
    sync(site)
    site.options["enabled"] = False
    sync(site)
    assert names(site.folder / OUT) == [".qhaigc.json", "qhaigc.css"]
    site.options["enabled"] = True
    own.unlink()
    sync(site)
    site.options["enabled"] = False
    sync(site)
    assert names(site.folder / OUT) == [".qhaigc.json"]


def test_what_two_branches_have_written_is_whole_after_their_merge(site: Project, api: ImagesApi) -> None:
    """Each has another image, and git cannot join what they say of it."""
    sync(site)
    git(site.folder, "init", "-q")
    git(site.folder, "add", "-A")
    git(site.folder, "commit", "-qm", "one")
    for branch in ("left", "右"):
        git(site.folder, "checkout", "-q", "-b", branch, "main")
        site.page("index.md", "# Home\n\n![](qhaigc:hero)\n", qhaigc={"hero": {"prompt": branch, "alt": "Tower"}})
        site.page(f"{branch}.md", qhaigc={"塔": {"prompt": f"An image of {branch}", "alt": ""}})
        sync(site)
        git(site.folder, "add", "-A")
        git(site.folder, "commit", "-qm", branch)
    git(site.folder, "merge", "-q", "left", code=1)
    assert "<<<<<<<" in (site.folder / SYNCED).read_text("utf-8")
    site.page("index.md", "# Home\n\n![](qhaigc:hero)\n", qhaigc={"hero": {"prompt": "left", "alt": "Tower"}})
    calls = len(api.calls)
    sync(site)
    assert len(api.calls) == calls
    whole = contents(site)
    assert len([name for name in whole if name.startswith("hero-")]) == 2  # that of the other branch has gone
    assert len([name for name in whole if name.startswith("塔-")]) == 4
    shutil.rmtree(site.folder / OUT)
    sync(site)
    assert contents(site) == whole


@pytest.mark.parametrize("broken", ["", "{", "[]", '{"schema": 2}', '{"schema": 1, "files": {"../index.md": ""}}'])
def test_a_record_that_cannot_be_read_is_written_anew_and_costs_nothing(
    site: Project, api: ImagesApi, broken: str
) -> None:
    sync(site)
    before = contents(site)
    site.write(SYNCED, broken)
    sync(site)
    assert contents(site) == before
    assert (site.docs / "index.md").exists()
    assert len(api.calls) == 3


# Killed, at once, full, read-only


@pytest.mark.skipif(os.name == "nt", reason="kills a process by a signal")
def test_syncs_that_are_killed_at_any_moment_ask_for_nothing_saved_and_leave_nothing(
    site: Project, api: ImagesApi
) -> None:
    """New images each time, old ones to be removed. What was on its way when a sync was killed is lost with it."""
    site.options["max_new_images"] = 100
    originals = site.folder / ".qhaigc/originals"
    dice = random.Random(6)
    seen: list[tuple[set[str], Counter[str]]] = []  # after each sync: the files of images, how often each was bought

    def steps() -> int:
        """How far the syncs have come: an image takes three steps, its call, its file and its record."""
        saved = [*originals.glob("*.webp"), *originals.glob("*.json")]
        return len(api.calls) + len(saved)

    for turn, moment in enumerate(dice.sample(range(1, 10), 8)):
        prompts = [f"{turn} {number}" for number in range(3)]
        wanted = steps() + moment
        site.page("index.md", qhaigc={f"p{n}": {"prompt": p, "alt": ""} for n, p in enumerate(prompts)})
        site.write_config()
        process = subprocess.Popen(
            [COMMAND, "sync"],
            cwd=site.folder,
            env=site.environ(),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        ends = time.monotonic() + 60
        while steps() < wanted and process.poll() is None:
            assert time.monotonic() < ends
            time.sleep(0.005)
        try:
            process.wait(dice.uniform(0, 0.3))  # what comes behind the last record: encoding, writing, removing
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGKILL)
            process.wait(30)
        seen.append(({path.stem for path in originals.glob("*.webp")}, Counter(api.prompts)))
    sync(site)
    prompts_of = {path.stem: json.loads(path.read_bytes())["request"]["prompt"] for path in originals.glob("*.json")}
    for saved, bought in seen:  # one without a record has been given it since, where it was still wanted
        prompts = [prompts_of[stem] for stem in saved & prompts_of.keys()]
        assert [api.prompts.count(prompt) for prompt in prompts] == [bought[prompt] for prompt in prompts]
    assert any(saved & prompts_of.keys() for saved, _ in seen)
    whole = contents(site)
    assert not [name for name in whole if name.endswith(".part")]
    assert len([name for name in whole if name.endswith(".webp")]) == 2 * 5
    shutil.rmtree(site.folder / OUT)
    sync(site)
    assert contents(site) == whole


def test_what_a_crash_has_left_of_a_file_goes_and_what_only_looks_so_stays(site: Project) -> None:
    sync(site)
    site.write(f"{OUT}/.hero-0123.webp.0a1b2c3d.part", b"RIFF")
    mine = site.write(f"{OUT}/.mine.part", b"mine")
    sync(site)
    assert mine.exists()
    assert [name for name in names(site.folder / OUT) if name.endswith(".part")] == [".mine.part"]


def test_two_syncs_at_once_buy_each_image_once(site: Project, api: ImagesApi) -> None:
    site.write_config()
    processes = [
        subprocess.Popen(
            [COMMAND, "sync"], cwd=site.folder, env=site.environ(), stdout=subprocess.PIPE, stderr=subprocess.STDOUT
        )
        for _ in range(3)
    ]
    for process in processes:
        output, _ = process.communicate(timeout=60)
        assert process.returncode == 0, output
    assert sorted(api.prompts) == ["A tower", "Fog", "Night"]
    assert len(contents(site)) == 8


@pytest.mark.skipif(os.name == "nt" or os.geteuid() == 0, reason="nothing is read-only for root")
def test_a_folder_that_cannot_be_written_is_named_and_nothing_that_was_paid_for_is_lost(
    site: Project, api: ImagesApi
) -> None:
    folder = site.folder / OUT
    folder.mkdir(parents=True)
    folder.chmod(0o500)
    try:
        said = sync(site, code=1)
    finally:
        folder.chmod(0o700)
    assert "cannot be written (Permission denied)" in said
    assert "Traceback" not in said
    sync(site)
    assert len(api.calls) == 3


def test_a_file_in_the_place_of_the_folder_or_of_an_image_is_said_without_a_traceback(
    site: Project, api: ImagesApi
) -> None:
    file = site.write(OUT, "a file")
    said = sync(site, code=1)
    assert "cannot be written" in said
    assert "Traceback" not in said
    file.unlink()
    sync(site)
    (name,) = [name for name in names(site.folder / OUT) if name.startswith("hero-") and "-48" not in name]
    (site.folder / OUT / name).unlink()
    (site.folder / OUT / name).mkdir()
    said = sync(site, code=1)
    assert "Traceback" not in said
    assert name in said
    (site.folder / OUT / name).rmdir()
    sync(site)
    assert len(api.calls) == 3


# What is bought, and for which pages


def test_a_folder_of_pages_that_is_not_there_is_named_and_not_made(site: Project) -> None:
    site.config["docs_dir"] = "dcos"
    assert "there is no folder dcos. Write the folder of the pages into `docs_dir`" in sync(site, code=1)
    assert not (site.folder / "dcos").exists()


def test_pages_that_no_engine_builds_buy_nothing(site: Project, api: ImagesApi) -> None:
    exclude = {"exclude": {"glob": ["old/*", "*.tmp.md"], "regex": [r"kept/\d+\.md"]}}
    site.config["plugins"] = ["search", "blog", exclude]
    site.config["exclude_docs"] = "parts/\n"
    for name in ("old/a.md", "x.tmp.md", "kept/1.md", "templates/a.md", ".hidden/a.md", "parts/a.md"):
        site.page(name, qhaigc=f"never: {name}")
    site.page("blog/posts/draft.md", qhaigc="never: a draft", draft=True, date="2026-01-01")
    site.page("draft.md", qhaigc="no post of a blog", draft=True)
    site.page("kept/a.md", qhaigc="kept")
    sync(site)
    assert sorted(api.prompts) == ["A tower", "Fog", "Night", "kept", "no post of a blog"]
    site.config["plugins"] = [{"exclude": {"regex": ["("]}}]
    assert "plugin exclude: '(' is no regular expression" in sync(site, code=1)


def test_a_draft_is_none_of_the_defaults_that_its_folder_declares(site: Project, api: ImagesApi) -> None:
    site.config["plugins"] = ["search", "blog", "meta"]
    site.write("docs/blog/.meta.yml", "qhaigc: {shared: Of all posts}\n")
    site.write("docs/blog/posts/draft.md", "---\ndate: 2026-01-01\ndraft: true\n---\n# Draft\n")
    sync(site)
    assert sorted(api.prompts) == ["A tower", "Fog", "Night"]


def test_what_cannot_be_had_is_a_placeholder_that_the_next_sync_replaces(site: Project, api: ImagesApi) -> None:
    api.by_prompt["A tower"] = [error(400, code="invalid_value")]
    sync(site, code=1)
    placeholder = contents(site)
    sync(site)
    heroes = {name: data for name, data in contents(site).items() if "hero" in name}
    assert heroes.keys() == {name for name in placeholder if "hero" in name}
    assert all(placeholder[name] != data for name, data in heroes.items())


def test_a_watching_sync_follows_the_file_that_the_configuration_inherits(site: Project, api: ImagesApi) -> None:
    def configure(widths: list[int]) -> None:
        site.options["widths"] = widths
        site.write("common/base.yml", json.dumps({"plugins": [{"qhaigc": site.options}]}))

    configure([48])
    site.yaml = "INHERIT: common/base.yml\n"
    with watching(site) as wait_for:
        wait_for("Watching")
        configure([])
        wait_for("3 images, 3 written")
    assert len(api.calls) == 3


# The record that Zensical watches


def test_the_record_is_younger_by_a_second_each_time_it_changes(tmp_path: Path) -> None:
    """Zensical tells changes by whole seconds, and a page that it has rendered between two of them would stay so."""
    seen = set()
    for number in range(6):
        Manifest(tmp_path / "mkdocs.yml", {}, {f"{number}.webp": ""}).save(tmp_path)
        seen.add(int((tmp_path / ".qhaigc.json").stat().st_mtime))
    assert len(seen) == 6
    Manifest(tmp_path / "mkdocs.yml", {}, {"5.webp": ""}).save(tmp_path)
    assert int((tmp_path / ".qhaigc.json").stat().st_mtime) == max(seen)
    assert read_manifest(tmp_path)


# Pages of Zensical


@with_zensical
def test_directives_mean_the_same_to_sync_and_to_zensical_which_reads_another_yaml(
    site: Project, api: ImagesApi
) -> None:
    """Of YAML 1.1 and 1.2."""
    site.write(
        "docs/index.md",
        "---\nqhaigc:\n  hero:\n    prompt: A tower\n    alt: no\n    priority: yes\n    place: none\n"
        "    params: {quality: on, seed: 1_000, strength: 1e-3, mode: 0o17, old: 010, t: 12:30:45, none: ~, y: y}\n"
        "---\n# Hi\n\n![Tower](qhaigc:hero)\n".replace("alt: no\n", "alt: 'no'\n"),
    )
    built = site.build()
    (image,) = shown(built)
    assert (image["alt"], image["width"], image["fetchpriority"]) == ("Tower", "80", "high")


@with_zensical
def test_pages_of_any_name_have_their_images(site: Project, api: ImagesApi) -> None:
    pages = ["README.md", "guide/index.md", "other/README.md", "中文/页 面.md", "a#b.md", "100%.md", "page (1).md"]
    (site.docs / "index.md").unlink()
    for name in pages:
        site.page(name, "# T\n\n![](qhaigc:hero) [l](qhaigc:hero)\n", qhaigc={"hero": {"prompt": name, "alt": name}})
    site.page("names.md", "# T\n\n![](qhaigc:塔) ![](qhaigc:%E5%A1%94)\n", qhaigc={"塔": {"prompt": "塔", "alt": "塔"}})
    for urls in (True, False):
        site.config["use_directory_urls"] = urls
        built = site.build()
        assert broken_urls(built.site) == []
        found = [image["alt"] for page in built.site.rglob("*.html") for image in shown(built, str(page))]
        assert sorted(alt or "" for alt in found) == sorted([*pages, "塔", "塔", "Fog", "Fog"])
        shutil.rmtree(built.site)


@with_zensical
@pytest.mark.parametrize("out", ["docs/bilder & mehr/图 片", "docs/a#b", "docs/100%"])
def test_the_folder_may_have_any_name(site: Project, out: str) -> None:
    site.page("guide/b.md", "# B\n\n[![](qhaigc:hero)](qhaigc:hero)\n", qhaigc={"hero": HERO}, image="qhaigc:hero")
    config = json.loads(site.write_zensical_config().read_text("utf-8"))
    config["markdown_extensions"] = [{"mkdocs_qhaigc.markdown": {"out": out}}]
    config |= {"watch": [f"{out}/.qhaigc.json"], "extra_css": []}
    site.write("zensical.yml", json.dumps(config))
    for command in (
        [COMMAND, "sync", "-f", "zensical.yml", "--out", out],
        [sys.executable, "-m", "zensical", "build", "-f", "zensical.yml"],
    ):
        finished = subprocess.run(
            command, cwd=site.folder, env=site.environ(), capture_output=True, text=True, timeout=60, check=False
        )
        assert finished.returncode == 0, finished.stderr
    site_dir = site.folder / "site"
    assert broken_urls(site_dir) == []
    for page in ("index.html", "guide/b/index.html"):
        (image,) = elements((site_dir / page).read_text("utf-8"), "img")[-1:]
        assert (image.attributes["alt"], image.attributes["width"]) == ("Tower", "80")


@with_zensical
def test_pages_that_zensical_has_kept_follow_the_options_that_they_inherit(site: Project, api: ImagesApi) -> None:
    """The configuration that Zensical is given does not change, and no image either."""
    site.page("index.md", "# Home\n\n![](qhaigc:logo)\n")
    config = json.loads(site.write_zensical_config().read_text("utf-8"))
    (plugin, *_) = config.pop("plugins")

    def build(**options: Any) -> dict[str, str | None]:
        site.write("mkdocs.yml", json.dumps({"plugins": [{"qhaigc": {**plugin["qhaigc"], **options}}]}))
        if not (site.folder / "zensical.yml").read_text("utf-8").count("INHERIT"):
            site.write("zensical.yml", json.dumps({"INHERIT": "mkdocs.yml", **config}))
        for command in (
            [COMMAND, "sync", "-f", "zensical.yml"],
            [sys.executable, "-m", "zensical", "build", "-f", "zensical.yml"],
        ):
            finished = subprocess.run(
                command, cwd=site.folder, env=site.environ(), capture_output=True, text=True, timeout=60, check=False
            )
            assert finished.returncode == 0, finished.stdout + finished.stderr
        (image,) = shown(Built(0, "", site.folder / "site"))
        return image

    assert build(images={"logo": {"prompt": "A logo", "alt": "Logo"}})["alt"] == "Logo"
    assert build(images={"logo": {"prompt": "A logo", "alt": "Our mark"}})["alt"] == "Our mark"
    image = build(images={"logo": {"prompt": "A logo", "alt": "Our mark"}}, sizes="50vw")
    assert image["sizes"] == "auto, 50vw"
    assert len(api.calls) == 4 - 1


@with_zensical
def test_defaults_of_a_folder_that_change_change_pages_that_zensical_has_kept(site: Project, api: ImagesApi) -> None:
    site.config["plugins"] = ["meta"]
    for alt in ("Mast", "Another mast"):
        site.write("docs/guide/.meta.yml", f"qhaigc: {{mast: {{prompt: A mast, alt: {alt}, place: top}}}}\n")
        built = site.build()
        assert shown(built, "guide/a/index.html")[0]["alt"] == alt
    assert len(api.calls) == 4


@with_zensical
def test_references_stand_wherever_markdown_puts_them(site: Project) -> None:
    extensions = ["footnotes", "abbr", "attr_list", "md_in_html", "admonition", "def_list", "pymdownx.details"]
    site.config["markdown_extensions"] = [
        *extensions,
        {"pymdownx.tabbed": {"alternate_style": True}},
        {"toc": {"permalink": True}},
    ]
    body = """# Title ![](qhaigc:hero) here

## Second [link](qhaigc:hero) ![](qhaigc:hero)

Note[^1] and HTML.

[^1]: A foot ![](qhaigc:hero) note

*[HTML]: a word

=== "Tab ![](qhaigc:hero)"

    ![](qhaigc:hero)

!!! note "Title ![](qhaigc:hero)"
    ![](qhaigc:hero)

<div markdown>
![](qhaigc:hero)
</div>

Term
:   ![](qhaigc:hero)

??? note "More"
    ![](qhaigc:hero)

`![](qhaigc:hero)`
"""
    site.page("deep/index.md", body, qhaigc={"hero": HERO})
    built = site.build()
    assert [image["alt"] for image in shown(built, "deep/index.html")] == ["Tower"] * 10
    html = built.html("deep/index.html")
    assert html.count("qhaigc:") == html.count("<code>![](qhaigc:hero)</code>") == 1
    assert "qhaigc:" not in built.html("search.json").replace("![](qhaigc:hero)", "")


@with_zensical
def test_the_pages_may_be_a_link(site: Project, api: ImagesApi) -> None:
    site.docs.rename(site.folder / "content")
    site.docs.symlink_to("content", target_is_directory=True)
    built = site.build()
    assert [image["alt"] for image in shown(built)] == ["Tower"]
    assert "0 written, 7 unchanged" in sync(site, "-f", "zensical.yml", "--out", "content/assets/qhaigc")
    assert len(api.calls) == 3


@with_zensical
def test_links_in_a_circle_and_out_of_the_docs_are_followed_as_far_as_the_engine_does(
    site: Project, api: ImagesApi
) -> None:
    (site.docs / "loop").symlink_to(".", target_is_directory=True)
    (site.docs / "guide" / "up").symlink_to("..", target_is_directory=True)
    (site.docs / "guide" / "aside").symlink_to(Path("..", "other"), target_is_directory=True)
    site.page("other/back.md", "![](qhaigc:own)", qhaigc={"own": "Rain"})
    (site.docs / "other" / "again").symlink_to(Path("..", "guide"), target_is_directory=True)
    site.write("elsewhere/page.md", "---\nqhaigc: {own: Snow}\n---\n![](qhaigc:own)\n")
    (site.docs / "out").symlink_to(Path("..", "elsewhere"), target_is_directory=True)
    built = site.build()
    assert [image["alt"] for image in shown(built)] == ["Tower"]
    assert len(shown(built, "guide/aside/back/index.html")) == 1
    assert not (built.site / "out").exists()
    assert sorted(api.prompts) == ["A tower", "Fog", "Night", "Rain"]
    sync(site, "-f", "mkdocs.yml")  # MkDocs follows links out of the docs
    assert api.prompts[-1] == "Snow"


def test_images_behind_a_link_would_not_be_published_by_zensical_and_are_not_bought(
    site: Project, api: ImagesApi
) -> None:
    (site.folder / "shared").mkdir()
    (site.docs / "assets").symlink_to(Path("..", "shared"), target_is_directory=True)
    site.write_zensical_config()
    assert "is no folder within docs, from where it would be published" in sync(site, "-f", "zensical.yml", code=1)
    assert not api.calls
    sync(site, "-f", "mkdocs.yml")  # MkDocs follows it
    assert len(api.calls) == 3


@with_zensical
def test_pages_of_other_editors_have_their_images(site: Project) -> None:
    site.write("docs/bom.md", "\ufeff---\r\nqhaigc:\r\n  hero: A\r\n---\r\n# T\r\n\r\n![bom](qhaigc:hero)\r\n")
    site.write("docs/crlf.md", "---\r\nqhaigc:\r\n  hero: B\r\n---\r\n# T\r\n\r\n![crlf](qhaigc:hero)\r\n")
    site.write("docs/dots.md", "---\nqhaigc: {hero: C}\n...\n# T\n\n![dots](qhaigc:hero)\n")
    site.write("docs/spaces.md", "---  \nqhaigc: {hero: D}\n---   \n# T\n\n![spaces](qhaigc:hero)\n")
    built = site.build()
    for name in ("bom", "crlf", "dots", "spaces"):
        assert [image["alt"] for image in shown(built, f"{name}/index.html")] == [name]


class Server:
    """`zensical serve`, and what it last made of a page."""

    def __init__(self, project: Project) -> None:
        self.project = project
        self.log = (project.folder / "serve.log").open("wb")
        project.write_zensical_config()
        self.process = subprocess.Popen(
            [sys.executable, "-m", "zensical", "serve", "-f", "zensical.yml", "-a", "127.0.0.1:0"],
            cwd=project.folder,
            env=project.environ(),
            stdout=self.log,
            stderr=subprocess.STDOUT,
        )

    def wait_for(self, words: str, page: str = "index.html", seconds: float = 40) -> str:
        """Return a page as soon as it holds the words."""
        path = self.project.folder / "site" / page
        end = time.monotonic() + seconds
        while time.monotonic() < end and self.process.poll() is None:
            html = path.read_text("utf-8", errors="replace") if path.exists() else ""
            if words in html and "</html>" in html:
                return html
            time.sleep(0.05)
        raise AssertionError(f"{words!r} is not in {page}\n{self.said}")

    @property
    def said(self) -> str:
        return (self.project.folder / "serve.log").read_text("utf-8", errors="replace")

    def stop(self) -> None:
        self.process.terminate()
        self.process.wait(30)
        self.log.close()


@with_zensical
def test_a_server_lives_through_mistakes_in_the_configuration_and_pages(site: Project, api: ImagesApi) -> None:
    sync_zensical(site)
    server = Server(site)
    try:
        server.wait_for("hero-")
        site.options["modle"] = "x"
        site.write_zensical_config()
        site.page("index.md", "# Home, wrong\n\n![](qhaigc:hero)\n", qhaigc={"hero": HERO})
        assert "hero-" in server.wait_for("Home, wrong")
        del site.options["modle"]
        site.write_zensical_config()
        site.write(SYNCED, "<<<<<<< broken")
        site.page("index.md", "# Home, broken\n\n![](qhaigc:hero)\n", qhaigc={"hero": HERO})
        assert "hero-" in server.wait_for("Home, broken")
        site.page("index.md", "# Home, odd\n\n![](qhaigc:hero) ![](qhaigc:none)\n", qhaigc={"hero": {"size": 1}})
        server.wait_for("Home, odd")
        site.page("index.md", "# Home, new\n\n![](qhaigc:hero)\n", qhaigc={"hero": {"prompt": "Rain", "alt": "Rain"}})
        server.wait_for("Home, new")
        sync_zensical(site)
        site.page("index.md", "# Home, last\n\n![](qhaigc:hero)\n", qhaigc={"hero": {"prompt": "Rain", "alt": "Rain"}})
        html = server.wait_for('width="80" height="60"')  # what it came in; until then, what was asked for
        assert 'alt="Rain" src="assets/qhaigc/hero-' in html
    finally:
        server.stop()
    assert sorted(api.prompts) == ["A tower", "Fog", "Night", "Rain"]


@with_zensical
def test_a_server_that_starts_before_the_first_sync_says_so_and_ends(site: Project) -> None:
    """Zensical watches no file that was not there when it began: it would show none of the images later."""
    server = Server(site)
    try:
        assert server.process.wait(40) == 1
    finally:
        server.stop()
    assert "docs/assets/qhaigc holds no images yet. Run `mkdocs-qhaigc sync" in server.said


def sync_zensical(project: Project) -> None:
    project.write_zensical_config()
    sync(project, "-f", "zensical.yml")
