"""`mkdocs-qhaigc sync`: images as files among the pages, without any engine."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest

from mkdocs_qhaigc.engines.zensical.config import read_configuration
from mkdocs_qhaigc.engines.zensical.pages import pages
from mkdocs_qhaigc.errors import SiteError
from tests.conftest import Project
from tests.helpers.api import Handler, ImagesApi, draw, error, waits_for
from tests.helpers.commands import COMMAND, Terminal, names, run, run_in, watching

OUT = "docs/assets/qhaigc"
needs_toml = pytest.mark.skipif(sys.version_info < (3, 11), reason="zensical.toml needs Python 3.11")


@pytest.fixture
def site(project: Project) -> Project:
    project.options |= {"widths": [48]}
    project.page("index.md", "![x](qhaigc:hero)", qhaigc={"hero": "fog"})
    engine = {"prompt": "steam", "dark": "steam by night"}
    project.page("guide/start.md", "![x](qhaigc:engine)", qhaigc={"engine": engine})
    return project


def sync(project: Project, *arguments: str, code: int = 0) -> str:
    """Return what `sync` printed, having seen that it ended so."""
    finished = run(project, "sync", *arguments)
    assert finished.returncode == code, finished.stdout + finished.stderr
    return finished.stdout + finished.stderr


def files(project: Project) -> dict[str, tuple[bytes, int]]:
    """Return the synced files: bytes, and when they were written."""
    folder = project.folder / OUT
    return {path.name: (path.read_bytes(), path.stat().st_mtime_ns) for path in folder.iterdir()}


def test_the_images_are_those_of_a_build_and_a_second_sync_writes_nothing(site: Project, api: ImagesApi) -> None:
    said = sync(site, "--out", OUT)
    assert f"{OUT}: 3 images, 7 written, 0 unchanged, 0 removed.\n" in said
    assert sorted(api.prompts) == ["fog", "steam", "steam by night"]
    first = files(site)
    assert f"{OUT}: 3 images, 0 written, 7 unchanged, 0 removed.\n" in sync(site, "--out", OUT)
    assert files(site) == first
    assert len(api.calls) == 3
    built = site.build("--strict")
    assert built.code == 0, built.output
    assert built.summary == "3 pinned"
    for name, (data, _) in first.items():
        if not name.startswith("."):
            assert (built.site / "assets/qhaigc" / name).read_bytes() == data
    assert not (built.site / "assets/qhaigc/.qhaigc.json").exists()
    assert len(api.calls) == 3


def test_only_what_changed_is_written_and_only_what_it_wrote_is_removed(site: Project, api: ImagesApi) -> None:
    sync(site)
    mine = site.write(f"{OUT}/mine.webp", b"an image of the author's")
    before = files(site)
    edited = next(name for name in before if name.startswith("engine-") and "dark" not in name)
    site.write(f"{OUT}/{edited}", b"compressed by the author")
    site.page("index.md", "![x](qhaigc:hero)", qhaigc={"hero": "rain"})
    site.page("guide/start.md")
    said = json.loads(run(site, "sync", "--json").stdout)
    assert (said["schema"], said["images"], said["missing"], said["unchanged"]) == (1, 1, [], 1)
    assert len(said["written"]) == 2
    assert said["kept"] == [edited]
    assert sorted(said["removed"]) == sorted(
        name for name in before if name.startswith(("hero-", "engine-")) and name != edited
    )
    assert mine.read_bytes() == b"an image of the author's"
    assert sorted(names(site.folder / OUT)) == sorted(
        [".qhaigc.json", "mine.webp", "qhaigc.css", edited, *said["written"]]
    )
    assert json.loads(run(site, "sync", "--json").stdout)["kept"] == []
    assert api.prompts[-1] == "rain"
    assert len(api.calls) == 4


def test_a_placeholder_stands_where_an_image_is_missing_and_says_so(site: Project, api: ImagesApi) -> None:
    api.by_prompt["fog"] = [error(400, "content_policy_violation", "no fog")] * 2
    said = sync(site, code=1)
    assert "index.md#hero" in said
    assert "no fog" in said
    assert [name for name in names(site.folder / OUT) if name.startswith("hero-")]
    site.options["missing"] = "placeholder"
    assert "3 images" in sync(site)
    site.options["missing"] = "error"
    before = files(site)
    assert "forbids buying any" in sync(site, code=1)
    assert files(site) == before


def test_a_sync_buys_no_more_than_a_build_may(site: Project, api: ImagesApi) -> None:
    site.options["max_new_images"] = 1
    assert "max_new_images" in sync(site, code=1)
    assert len(api.calls) == 1
    sync(site, code=1)
    sync(site)
    assert sorted(api.prompts) == ["fog", "steam", "steam by night"]


def test_a_directive_that_cannot_be_used_is_told(site: Project) -> None:
    site.page("bad.md", qhaigc={"hero": {"prompt": "x", "size": "large"}})
    assert "Warning: bad.md, line 2, image 'hero': `size` is 'large'" in sync(site, code=1)
    site.page("bad.md")
    site.write("docs/broken.md", "---\nqhaigc: a: b\n---\n")
    assert "Warning: broken.md, line 2: the front matter is no YAML" in sync(site, code=1)


def test_without_the_plugin_switched_on_nothing_is_there(site: Project, api: ImagesApi) -> None:
    sync(site)
    site.options["enabled"] = False
    assert "0 images, 0 written, 0 unchanged, 7 removed" in sync(site)
    assert names(site.folder / OUT) == [".qhaigc.json"]
    assert len(api.calls) == 3


def test_a_disabled_plugin_syncs_no_images_of_the_site_either(site: Project, api: ImagesApi) -> None:
    site.options |= {"enabled": False, "images": {"logo": "a logo"}}
    assert "0 images, 0 written, 0 unchanged, 0 removed" in sync(site)
    assert api.calls == []


def test_pins_need_no_key_and_no_network(site: Project, api: ImagesApi) -> None:
    sync(site)
    first = files(site)
    assert run(site, "pin", "--check").returncode == 0
    del site.environment["QHAIGC_API_KEY"]
    for name in first:
        (site.folder / OUT / name).unlink()
    subprocess.run(["rm", "-r", str(site.folder / ".qhaigc")], check=True)
    sync(site)
    assert {name: data for name, (data, _) in files(site).items()} == {name: data for name, (data, _) in first.items()}
    assert len(api.calls) == 3


@pytest.mark.parametrize(
    ("out", "said"),
    [
        ("site/x", "no folder within"),
        (".", "no folder within"),
        ("docs", "no folder within"),
        ("docs/_images", "GitHub Pages"),
        ("docs/a/.images", "GitHub Pages"),
    ],
)
def test_a_folder_from_which_nothing_would_be_published_is_refused(site: Project, out: str, said: str) -> None:
    assert said in sync(site, "--out", out, code=1)


def test_the_configuration_is_that_of_zensical_where_there_is_one(site: Project, api: ImagesApi) -> None:
    site.write("zensical.yml", "INHERIT: mkdocs.yml\nmarkdown_extensions: [mkdocs_qhaigc.markdown]\n")
    sync(site)
    assert json.loads((site.folder / OUT / ".qhaigc.json").read_text("utf-8"))["config"] == "../../../zensical.yml"


def test_a_configuration_that_inherits_has_the_options_that_its_engine_gives_it(tmp_path: Path) -> None:
    """MkDocs takes the list of plugins of the one or the other; Zensical both, one after the other."""
    (tmp_path / "base.yml").write_text("plugins: [qhaigc: {style: ink drawing}]\n", encoding="utf-8")
    own = "INHERIT: base.yml\nplugins: [qhaigc: {cache_dir: .qhaigc}]\n"
    assert configuration(tmp_path, "mkdocs.yml", own).options.defaults.style == ""
    own += "markdown_extensions: [mkdocs_qhaigc.markdown]\n"
    assert configuration(tmp_path, "zensical.yml", own).options.defaults.style == "ink drawing"


FORMS = {
    "list": ["admonition", {"toc": {"permalink": True}}],
    "mapping": {"admonition": {}, "toc": {"permalink": True}},
}
OURS = {"list": ["mkdocs_qhaigc.markdown"], "mapping": {"mkdocs_qhaigc.markdown": {}}}


@pytest.mark.parametrize("ours", OURS)
@pytest.mark.parametrize("form", FORMS)
def test_extensions_that_zensical_replaces_are_told(site: Project, form: str, ours: str) -> None:
    """It joins two lists and two mappings, and takes the second one where forms differ."""
    site.config["markdown_extensions"] = FORMS[form]
    site.write("zensical.yml", json.dumps({"INHERIT": "mkdocs.yml", "markdown_extensions": OURS[ours]}))
    said = sync(site)
    if form == ours:
        assert "Warning" not in said
    else:
        assert f"Warning: zensical.yml: `markdown_extensions` is a {ours} here and a {form} in mkdocs.yml" in said
        assert "the site is built without admonition, toc" in said


def test_plugins_that_zensical_replaces_are_told(site: Project) -> None:
    site.config["plugins"] = ["meta"]
    own = {"qhaigc": {**site.options, "cache_dir": ".qhaigc"}}
    config = {"INHERIT": "mkdocs.yml", "plugins": own, "markdown_extensions": OURS["list"]}
    site.write("zensical.yml", json.dumps(config))
    said = sync(site)
    assert "Warning: zensical.yml: `plugins` is a mapping here and a list in mkdocs.yml" in said
    assert "the site is built without meta. Write it as a list here, too: `name: {}` becomes `- name`" in said


def test_what_mkdocs_does_not_join_either_is_not_told(site: Project) -> None:
    site.config_file = "base.yml"
    site.config["markdown_extensions"] = FORMS["mapping"]
    site.write("mkdocs.yml", json.dumps({"INHERIT": "base.yml", "markdown_extensions": ["attr_list"]}))
    assert "Warning" not in sync(site)


HOOK = """def on_page_markdown(markdown, page, **_):
    page.meta["qhaigc"] = "by a hook"
"""


def test_what_only_mentions_our_extension_is_no_configuration_of_zensicals(site: Project) -> None:
    site.write("hook.py", HOOK)
    config = {**site.config, "plugins": [{"qhaigc": site.options}], "hooks": ["hook.py"]}
    site.yaml = f"{json.dumps(config)}\n# For Zensical: mkdocs_qhaigc.markdown\n"
    planned = json.loads(run(site, "plan", "--json").stdout)["images"]
    assert {one["prompt"] for one in planned} == {"by a hook"}
    site.yaml = json.dumps({**config, "markdown_extensions": ["mkdocs_qhaigc.markdown"]})
    site.write_config()
    site.write("zensical.yml", "INHERIT: mkdocs.yml\n")
    planned = json.loads(run(site, "plan", "--json", "-f", "zensical.yml").stdout)["images"]
    assert {one["prompt"] for one in planned} == {"fog", "steam", "steam by night"}


@pytest.mark.skipif(os.name == "nt", reason="kills a process by a signal")
def test_a_sync_that_is_killed_leaves_nothing_behind_that_the_next_one_does_not_know(
    site: Project, api: ImagesApi
) -> None:
    sync(site)
    site.page("index.md", "![x](qhaigc:hero)", qhaigc={"hero": "rain"})
    site.page("later.md", qhaigc={"hero": "snow"})
    arrived, go_on = threading.Event(), threading.Event()

    def late(handler: Handler, body: dict[str, Any]) -> None:
        arrived.set()
        waits_for(go_on)(handler, body)

    api.by_prompt["snow"] = [late]
    process = subprocess.Popen(
        [COMMAND, "sync"], cwd=site.folder, env=site.environ(), stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    )
    assert arrived.wait(30)
    process.send_signal(signal.SIGKILL)
    process.communicate(timeout=30)
    go_on.set()
    sync(site)
    assert len([name for name in names(site.folder / OUT) if name.startswith("hero-")]) == 4
    site.page("index.md")
    (site.docs / "later.md").unlink()
    sync(site)
    assert not [name for name in names(site.folder / OUT) if name.startswith("hero-")]


@pytest.mark.slow
def test_while_it_watches_each_edit_is_synced(site: Project, api: ImagesApi) -> None:
    with watching(site) as wait_for:
        wait_for("Watching docs and mkdocs.yml")
        site.page("index.md", "![x](qhaigc:hero)", qhaigc={"hero": "rain"})
        wait_for("3 images, 2 written, 5 unchanged, 2 removed")
        site.page("index.md", "![x](qhaigc:hero)", qhaigc={"hero": {"prompt": "rain", "size": "large"}})
        wait_for("2 images, 0 written, 5 unchanged, 0 removed")
        site.options["widths"] = "none"
        site.write_config()
        assert "option `widths`" in wait_for("Error: ")
        site.options["widths"] = []
        site.write_config()
        wait_for("2 images, 2 written")
    assert sorted(api.prompts) == ["fog", "rain", "steam", "steam by night"]


@pytest.mark.slow
def test_while_it_watches_a_reference_image_beside_the_configuration_is_an_edit(site: Project, api: ImagesApi) -> None:
    site.options["references_by"] = "json"
    site.write("look/fox.png", draw("fox", 32, 32))
    with watching(site) as wait_for:
        wait_for("Watching docs and mkdocs.yml")
        fox = {"prompt": "fox", "references": "look/fox.png"}
        site.page("index.md", "![x](qhaigc:hero)", qhaigc={"hero": fox})
        wait_for("3 images, 2 written, 5 unchanged, 2 removed")
        site.write("look/fox.png", draw("another fox", 32, 32))
        wait_for("3 images, 2 written, 5 unchanged, 2 removed")
    assert api.prompts[-2:] == ["fox", "fox"]


def configuration(folder: Path, name: str, text: str) -> Any:
    (folder / "docs").mkdir(exist_ok=True)
    (folder / name).write_text(text, encoding="utf-8")
    return read_configuration(folder / name)


def test_an_mkdocs_yml_is_read_with_what_it_inherits_and_tags_that_are_for_engines(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MODEL", "model-of-the-environment")
    monkeypatch.setenv("MOST", "7")
    (tmp_path / "base.yml").write_text(
        """
site_url: https://example.com/
theme: {name: material, features: [navigation.tabs]}
markdown_extensions:
  - pymdownx.emoji: {emoji_index: !!python/name:material.extensions.emoji.twemoji }
  - pymdownx.snippets: {base_path: !relative $config_dir}
plugins:
  - search
  - qhaigc:
      model: !ENV [NOT_SET, MODEL, other]
      max_new_images: !ENV MOST
      concurrency: !ENV [NOT_SET, 3]
      styles: {ink: "ink drawing", oil: "oil painting"}
""",
        encoding="utf-8",
    )
    site = configuration(
        tmp_path,
        "zensical.yml",
        "INHERIT: base.yml\nmarkdown_extensions: [mkdocs_qhaigc.markdown]\n"
        "plugins:\n  - qhaigc: {cache_dir: .qhaigc, styles: {ink: pen}}\nexclude_docs: |\n  /old/\n",
    )
    assert (site.site_url, site.theme, site.features) == ("https://example.com/", "material", ("navigation.tabs",))
    options = site.options
    assert (options.defaults.model, options.max_new_images, options.concurrency) == ("model-of-the-environment", 7, 3)
    assert options.defaults.styles == {"ink": "pen", "oil": "oil painting"}
    assert site.zensical
    assert site.docs_dir == tmp_path / "docs"


@pytest.mark.parametrize("written", ["3", "[a]", "null", "''"])
def test_an_address_of_the_site_that_is_no_text_is_none(tmp_path: Path, written: str) -> None:
    assert configuration(tmp_path, "mkdocs.yml", f"site_url: {written}\nplugins: [qhaigc]\n").site_url is None


@needs_toml
@pytest.mark.parametrize(
    "text",
    [
        '[project]\ndocs_dir = "docs"\n[project.plugins.qhaigc]\nmodel = "m"\n',
        'docs_dir = "docs"\n[plugins.qhaigc]\nmodel = "m"\n',
        '[project]\n[[project.plugins]]\nqhaigc = {model = "m"}\n[[project.plugins]]\nsearch = {}\n',
    ],
)
def test_a_zensical_toml_is_read_and_keeps_its_images_where_no_engine_deletes_them(tmp_path: Path, text: str) -> None:
    site = configuration(tmp_path, "zensical.toml", text)
    assert site.options.defaults.model == "m"
    assert site.options.cache_dir == tmp_path / ".qhaigc"
    assert site.zensical


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("plugins: [search]", "does not list the plugin qhaigc"),
        ("plugins: [qhaigc: {modle: x}]", "no option 'modle'"),
        ("plugins: [qhaigc: {size: large}]", "option `size`: it is 'large'"),
        ("plugins: [qhaigc: {api_key: sk-secret}]", "a key never stands in a file"),
        ("- a\n- b\n", "it holds no mapping"),
        ("a: [", "cannot be read"),
        ("INHERIT: mkdocs.yml", "in a circle"),
        ("INHERIT: nowhere.yml", "nowhere.yml"),
    ],
)
def test_a_configuration_that_cannot_be_used_says_why(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(SiteError) as raised:
        configuration(tmp_path, "mkdocs.yml", text)
    assert said in str(raised.value)
    assert "sk-secret" not in str(raised.value)


def test_pages_are_those_that_are_built_with_the_defaults_of_their_folders(tmp_path: Path) -> None:
    def page(name: str, front: str) -> None:
        path = tmp_path / "docs" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"---\n{front}\n---\n# x\n", encoding="utf-8")

    page("index.md", "qhaigc: home")
    page("guide/a.md", "qhaigc: {own: mine}\nimage: qhaigc:own")
    page("guide/deep/b.markdown", "title: b")
    page("old/c.md", "qhaigc: old")
    page("drafts/d.md", "qhaigc: draft")
    page("blog/posts/e.md", "qhaigc: post\ndraft: true")
    page("blog/posts/later.md", "qhaigc: post\ndate: 2999-01-01")
    page("blog/posts/later-updated.md", "date: {created: 2999-01-01 10:00:00, updated: 2020-01-01}")
    page("blog/posts/earlier.md", "qhaigc: earlier\ndate: {created: 2020-01-01}")
    page("blog/posts/now.md", "qhaigc: now\ndate: 2999-01-01\ndraft: false")
    page(".hidden/f.md", "qhaigc: hidden")
    (tmp_path / "docs/guide/.meta.yml").write_text("qhaigc: {shared: ours, own: theirs}\n", encoding="utf-8")
    (tmp_path / "docs/guide/deep/.meta.yml").write_text("qhaigc: {deep: deeper}\n", encoding="utf-8")
    site = configuration(
        tmp_path,
        "mkdocs.yml",
        "plugins: [qhaigc, meta, {blog: {draft_if_future_date: true}}]\n"
        "exclude_docs: |\n  /old/\n  !/guide\ndraft_docs: |\n  drafts/\n",
    )
    found = {page.src_uri: page.meta.get("qhaigc") for page in pages(site)}
    assert found == {
        "index.md": "home",
        "blog/posts/earlier.md": "earlier",
        "blog/posts/now.md": "now",
        "guide/a.md": {"shared": "ours", "own": "mine"},
        "guide/deep/b.markdown": {"shared": "ours", "own": "theirs", "deep": "deeper"},
    }


def test_the_other_commands_read_zensicals_sites_as_sync_does(site: Project, api: ImagesApi) -> None:
    site.config["markdown_extensions"] = ["mkdocs_qhaigc.markdown"]
    site.options["images"] = {"logo": {"prompt": "A logo", "alt": "Logo"}}
    site.page("index.md", "![x](qhaigc:hero) ![](qhaigc:logo)", qhaigc={"hero": "fog"})
    planned = json.loads(run(site, "plan", "--json").stdout)
    assert planned["to_buy"] == 4
    assert [(one["page"], one["name"], one["pages"]) for one in planned["images"]] == [
        ("", "logo", ["index.md"]),
        ("index.md", "hero", ["index.md"]),
        ("guide/start.md", "engine", ["guide/start.md"]),
        ("guide/start.md", "engine", ["guide/start.md"]),
    ]
    assert run(site, "generate", "--yes").returncode == 0
    assert len(api.calls) == 4
    assert run(site, "pin").returncode == 0
    assert run(site, "check").returncode == 0
    assert "4 images" in sync(site)
    site.options["enabled"] = False
    off = run(site, "plan")
    assert off.returncode == 1
    assert "switched off" in off.stderr
    assert len(api.calls) == 4


def test_what_is_published_is_pinned_unless_it_is_told_not_to(site: Project, api: ImagesApi) -> None:
    said = sync(site, "--no-pin")
    assert "Warning: 3 of the images are not pinned" in said
    assert "generated again" in said
    assert not (site.folder / "generated-images").exists()
    said = json.loads(run(site, "sync", "--json").stdout)
    assert sorted(said["pinned"]) == sorted(map(str, (site.folder / "generated-images").glob("*-*.png")))
    assert len(said["pinned"]) == 3
    assert "not pinned" not in sync(site, "--no-pin")
    assert "Pinned" not in sync(site)
    assert len(api.calls) == 3


def test_an_image_whose_pin_is_in_the_way_is_published_and_a_warning_says_so(site: Project, api: ImagesApi) -> None:
    sync(site, "--no-pin")
    (original,) = (site.cache / "originals").glob("hero-*.png")
    other = site.write(f"generated-images/{original.name}", b"something else")
    assert f"index.md#hero is not pinned: {other} is in the way" in sync(site)
    assert other.read_bytes() == b"something else"
    assert len(list((site.folder / "generated-images").glob("*.json"))) == 2
    assert len(api.calls) == 3


def test_the_folder_among_the_pages_is_output_only(site: Project, api: ImagesApi) -> None:
    sync(site, "--no-pin")
    shutil.rmtree(site.cache)
    sync(site, "--no-pin")
    assert len(api.calls) == 6


def test_the_cache_is_ignored_by_git(site: Project) -> None:
    sync(site)
    assert (site.folder / ".qhaigc/.gitignore").read_text("utf-8") == "*\n"


def test_nothing_is_removed_while_a_directive_cannot_be_used(site: Project, api: ImagesApi) -> None:
    sync(site)
    whole, committed = (site.docs / "index.md").read_text("utf-8"), files(site).keys()
    for broken in (
        "---\nqhaigc: a: b\n---\n# Home\n",
        '---\n{"qhaigc": {"hero": {"prompt": "fog", "sise": "9x9"}}}\n---\n',
    ):
        site.write("docs/index.md", broken)
        assert "0 removed" in sync(site, code=1)
        assert files(site).keys() == committed
    site.write("docs/index.md", whole)
    assert "0 written, 7 unchanged, 0 removed" in sync(site)
    assert len(api.calls) == 3


def test_two_configurations_with_one_folder_are_told_of_each_other(project: Project, api: ImagesApi) -> None:
    project.page("index.md", "![x](qhaigc:hero)", qhaigc={"hero": "fog"})
    sync(project)
    shutil.copy(project.folder / "mkdocs.yml", project.folder / "second.yml")
    assert "until now" not in sync(project, "-f", "second.yml")
    project.options["size"] = "80x60"
    said = sync(project)
    assert "second.yml until now, and those that " in said
    assert "`--out`" in said
    assert "until now" not in sync(project)
    assert len(api.calls) == 2


@needs_toml
def test_the_folder_that_the_extension_names_is_that_of_sync(project: Project, api: ImagesApi) -> None:
    project.page("index.md", qhaigc={"hero": "fog"})
    project.write(
        "zensical.toml",
        f"""[project]
site_name = "x"
[project.plugins.qhaigc]
base_url = "{project.options["base_url"]}"
size = "96x54"
[project.markdown_extensions."mkdocs_qhaigc.markdown"]
out = "docs/images"
""",
    )
    finished = run_in(project.folder, project, "sync", "-f", "zensical.toml")
    assert "docs/images: 1 image, 2 written" in finished.stdout
    assert len(api.calls) == 1


def test_on_a_terminal_a_site_that_mkdocs_builds_is_asked_for_the_first_time(site: Project, api: ImagesApi) -> None:
    terminal = Terminal(site, "sync", "--out", OUT)
    terminal.until("Write them into")
    terminal.type("n\n")
    assert terminal.end()[0] == 1
    assert not (site.folder / OUT).exists()
    assert not api.calls
    assert Terminal(site, "sync", "--yes", "--out", OUT).end()[0] == 0
    assert Terminal(site, "sync", "--out", OUT).end()[0] == 0
